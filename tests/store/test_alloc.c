/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each allocation of the store made to fail once: saving and opening say E_NOMEM,
 * the old file stays, and nothing is lost. HDF5's own allocations are not reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fail_alloc.h"
#include "store/store.h"
#include "temp.h"

static const struct mood__format example = {"example", 1, 0};

/* Enough entries that every growing array grows, in the writer and in the reader. */
static mood_status save(const char *path)
{
    static float numbers[6];
    static char long_text[20000];
    memset(long_text, 't', sizeof(long_text) - 1);
    struct mood__writer *w;
    mood_tensor t, turned;
    mood_status status = mood__writer_create(&w, &example);
    if (status == MOOD_OK)
        status = mood_tensor_make(&t, numbers, MOOD_F32, 2, (const int64_t[]){2, 3});
    if (status == MOOD_OK)
        status =
            mood_tensor_transpose(&turned, &t, (const int[]){1, 0}); /* needs a copy to be saved */
    if (status == MOOD_OK)
        status = mood__writer_add_text(w, "config", long_text);
    if (status == MOOD_OK)
        status = mood__writer_add_tensor_as_f16(w, "half", &turned); /* two copies */
    for (int i = 0; i < 70 && status == MOOD_OK; i++) {
        char name[32];
        snprintf(name, sizeof(name), "params/t%d", i);
        status = mood__writer_add_tensor(w, name, &turned);
    }
    if (status == MOOD_OK)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}

static mood_status count_entries(const char *path, size_t *n, bool mapped)
{
    struct mood__reader *r;
    mood_status status =
        mapped ? mood__reader_map(&r, path, &example) : mood__reader_open(&r, path, &example);
    if (status == MOOD_OK)
        *n = mood__reader_count(r);
    mood__reader_close(&r);
    return status;
}

/* Over an older file without entries. */
static mood_status save_again(const void *path)
{
    size_t n = 0;
    mood_status status = save(path);
    if (status != MOOD_OK) {
        assert_int_equal(status, MOOD_E_NOMEM);
        assert_int_equal(count_entries(path, &n, false), MOOD_OK);
        assert_int_equal(n, 0);
    }
    return status;
}

static mood_status open_as(const char *path, bool mapped)
{
    size_t n = 0;
    mood_status status = count_entries(path, &n, mapped);
    assert_int_equal(n, status == MOOD_OK ? 72 : 0);
    return status;
}

static mood_status open_only(const void *path)
{
    return open_as(path, false);
}

/* Takes no memory for the file's content, of which there are more than 20000 bytes. */
static mood_status map_only(const void *path)
{
    alloc_largest = 0;
    mood_status status = open_as(path, true);
    assert_in_range(alloc_largest, 1, 20000);
    return status;
}

static void test_save(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    struct mood__writer *w;
    assert_int_equal(mood__writer_create(&w, &example), MOOD_OK);
    assert_int_equal(mood__writer_save(w, path), MOOD_OK);
    mood__writer_destroy(&w);
    assert_in_range(fail_each_alloc(save_again, path), 70, 1000); /* a copy of each at least */
    assert_int_equal(open_only(path), MOOD_OK);
    assert_int_equal(temp_sweep(), 0);
}

static void test_open(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    assert_int_equal(save(path), MOOD_OK);
    assert_in_range(fail_each_alloc(open_only, path), 3, 1000); /* reader, file, names */
    assert_true(alloc_largest > 20000);
    assert_in_range(fail_each_alloc(map_only, path), 2, 1000); /* reader, names */
    temp_sweep();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_open),
    };
    return cmocka_run_group_tests_name("alloc", tests, temp_setup, temp_teardown);
}
