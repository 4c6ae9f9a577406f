/* SPDX-License-Identifier: MIT
 *
 * test_error.c — Status names and texts, and the error detail. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_every_status_has_its_name_and_text(void **state)
{
    (void)state;
    static const struct {
        mood_status status;
        int value;
        const char *name;
    } all[] = {
        {MOOD_OK, 0, "MOOD_OK"},
        {MOOD_E_INVALID, -1, "MOOD_E_INVALID"},
        {MOOD_E_NOMEM, -2, "MOOD_E_NOMEM"},
        {MOOD_E_SHAPE, -3, "MOOD_E_SHAPE"},
        {MOOD_E_IO, -4, "MOOD_E_IO"},
        {MOOD_E_FORMAT, -5, "MOOD_E_FORMAT"},
        {MOOD_E_MISSING, -6, "MOOD_E_MISSING"},
        {MOOD_E_UNSUPPORTED, -7, "MOOD_E_UNSUPPORTED"},
        {MOOD_E_AGAIN, -8, "MOOD_E_AGAIN"},
        {MOOD_E_NUMERIC, -9, "MOOD_E_NUMERIC"},
        {MOOD_E_STOPPED, -10, "MOOD_E_STOPPED"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(all[i].status, all[i].value); /* a value never changes its meaning */
        assert_string_equal(mood_status_name(all[i].status), all[i].name);
        assert_string_not_equal(mood_status_text(all[i].status), "unknown status");
    }
    assert_string_equal(mood_status_name((mood_status)-1000), "unknown");
    assert_string_equal(mood_status_text((mood_status)1), "unknown status");
}

static void test_fail_writes_the_detail(void **state)
{
    (void)state;
    assert_int_equal(mood__fail(MOOD_E_SHAPE, "w has %d rows", 3), MOOD_E_SHAPE);
    assert_string_equal(mood_error_detail(), "w has 3 rows");
    assert_int_equal(mood__fail_in(MOOD_E_SHAPE, "dense '%s'", "head.fc1"), MOOD_E_SHAPE);
    assert_string_equal(mood_error_detail(), "dense 'head.fc1': w has 3 rows");
}

static void test_the_detail_may_be_part_of_the_next(void **state)
{
    (void)state;
    assert_int_equal(mood__fail(MOOD_E_IO, "inner"), MOOD_E_IO);
    assert_int_equal(mood__fail(MOOD_E_IO, "outer: %s", mood_error_detail()), MOOD_E_IO);
    assert_string_equal(mood_error_detail(), "outer: inner");
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    char text[2 * MOOD__DETAIL_BYTES];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(mood__fail(MOOD_E_IO, "%s", text), MOOD_E_IO);
    assert_int_equal(strlen(mood_error_detail()), MOOD__DETAIL_BYTES - 1);
    assert_int_equal(mood__fail_in(MOOD_E_IO, "prefix"), MOOD_E_IO);
    assert_int_equal(strlen(mood_error_detail()), MOOD__DETAIL_BYTES - 1);
    assert_memory_equal(mood_error_detail(), "prefix: xxx", 11);
    assert_int_equal(mood__fail_in(MOOD_E_IO, "%s", text), MOOD_E_IO);
    assert_int_equal(strlen(mood_error_detail()), MOOD__DETAIL_BYTES - 1);
}

static void test_a_detail_is_one_line(void **state)
{
    (void)state;
    const char *path = "a\nb\033[2J\x7f\t\xc3\xa4.wav";
    assert_int_equal(mood__fail(MOOD_E_IO, "no file '%s'", path), MOOD_E_IO);
    assert_string_equal(mood_error_detail(), "no file 'a?b?[2J??\xc3\xa4.wav'");
    assert_int_equal(mood__fail_in(MOOD_E_IO, "%s", path), MOOD_E_IO);
    assert_string_equal(mood_error_detail(),
                        "a?b?[2J??\xc3\xa4.wav: no file 'a?b?[2J??\xc3\xa4.wav'");
}

static void *fail_elsewhere(void *was_empty)
{
    *(int *)was_empty = mood_error_detail()[0] == '\0';
    return mood__fail(MOOD_E_IO, "of the other thread") == MOOD_E_IO ? NULL : was_empty;
}

static void test_each_thread_has_its_own_detail(void **state)
{
    (void)state;
    assert_int_equal(mood__fail(MOOD_E_IO, "of this thread"), MOOD_E_IO);
    int was_empty = 0;
    void *wrong;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, fail_elsewhere, &was_empty), 0);
    assert_int_equal(pthread_join(other, &wrong), 0);
    assert_null(wrong);
    assert_true(was_empty);
    assert_string_equal(mood_error_detail(), "of this thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_has_its_name_and_text),
        cmocka_unit_test(test_fail_writes_the_detail),
        cmocka_unit_test(test_the_detail_may_be_part_of_the_next),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_a_detail_is_one_line),
        cmocka_unit_test(test_each_thread_has_its_own_detail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
