/* SPDX-License-Identifier: MIT
 *
 * test_default.c — Where the model is looked for that is used when none is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "infer/default.h"
#include "store/temp.h"

enum { ROOM = PATH_MAX };

/* temp_folder/NAME; one of four buffers in turn. */
static const char *in_temp(const char *name)
{
    static char text[4][PATH_MAX + 64];
    static int turn;
    char *out = text[turn++ % 4];
    snprintf(out, sizeof(text[0]), "%s/%s", temp_folder, name);
    return out;
}

static void put_file(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
}

/* With $MOOD_MODEL `named`, of a program in `prefix`/bin that is installed in temp_folder. */
static mood_status find(char path[ROOM], const char *named, const char *prefix)
{
    const struct mood__model_places places = {named, prefix, "data", in_temp("far")};
    return mood__model_find_default(path, ROOM, &places);
}

static void assert_found(const char *named, const char *want)
{
    char path[ROOM] = "";
    assert_int_equal(find(path, named, temp_folder), MOOD_OK);
    assert_string_equal(path, want);
}

static void test_order(void **state)
{
    (void)state;
    const char *folders[] = {in_temp("data"), in_temp("models"), in_temp("far")};
    char at[3][ROOM], path[ROOM] = "as it was";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mkdir(folders[i], 0755), 0);
        snprintf(at[i], sizeof(at[i]), "%s/mood.h5", folders[i]);
    }
    assert_int_equal(find(path, NULL, temp_folder), MOOD_E_MISSING);
    assert_string_equal(path, "as it was");
    assert_non_null(strstr(mood_error_detail(), "no model: $MOOD_MODEL is not set, "));
    for (int i = 0; i < 3; i++)
        assert_non_null(strstr(mood_error_detail(), at[i]));
    assert_found("no/such/file", "no/such/file"); /* to be refused when it is loaded */

    put_file(at[2]);
    assert_found(NULL, at[2]);
    assert_found("", at[2]);
    assert_int_equal(symlink("nowhere", at[1]), 0); /* it leads nowhere, but it is there */
    assert_found(NULL, at[1]);
    put_file(at[0]);
    assert_found(NULL, at[0]);
    assert_found("no/such/file", "no/such/file");
    assert_int_equal(find(path, NULL, ""),
                     MOOD_OK); /* the system does not say which program runs */
    assert_string_equal(path, at[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(unlink(at[i]), 0);
}

/* Installed where it was to be: a place is not named twice; and folders that do not lie side by
 * side. */
static void test_places(void **state)
{
    (void)state;
    char path[ROOM];
    const struct mood__model_places twice = {NULL, "/no/prefix", "data", "/no/prefix/data"};
    assert_int_equal(mood__model_find_default(path, sizeof(path), &twice), MOOD_E_MISSING);
    assert_non_null(
        strstr(mood_error_detail(), "at /no/prefix/data/mood.h5, /no/prefix/models/mood.h5"));
    assert_null(strstr(strstr(mood_error_detail(), "data/") + 1, "data/"));
    const struct mood__model_places apart = {NULL, "/no/prefix", "", "/no/data"};
    assert_int_equal(mood__model_find_default(path, sizeof(path), &apart), MOOD_E_MISSING);
    assert_non_null(strstr(mood_error_detail(), "at /no/prefix/models/mood.h5, /no/data/mood.h5"));
}

static void test_room(void **state)
{
    (void)state;
    char path[8] = "before";
    const struct mood__model_places places = {"1234567", "", "", "x"};
    assert_int_equal(mood__model_find_default(path, 7, &places), MOOD_E_INVALID);
    assert_string_equal(path, "before");
    assert_non_null(strstr(mood_error_detail(), "1234567"));
    assert_int_equal(mood__model_find_default(path, 8, &places), MOOD_OK);
    assert_string_equal(path, "1234567");
}

static void test_environment(void **state)
{
    (void)state;
    char path[ROOM];
    assert_int_equal(setenv("MOOD_MODEL", "a model", 1), 0);
    assert_int_equal(mood_model_find_default(path, sizeof(path)), MOOD_OK);
    assert_string_equal(path, "a model");
    assert_int_equal(unsetenv("MOOD_MODEL"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests_name("infer-default", tests, temp_setup, temp_teardown);
}
