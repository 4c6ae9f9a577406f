/* SPDX-License-Identifier: MIT
 *
 * test_mem.c — Checked size arithmetic, the allocators, the arena, growing arrays. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void test_size_arithmetic_at_its_limits(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(mood__mul_size(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(mood__mul_size(SIZE_MAX / 3, 3, &out));
    assert_true(out == SIZE_MAX / 3 * 3);
    assert_true(mood__mul_size(SIZE_MAX, 0, &out));
    assert_true(out == 0);
    out = 7;
    assert_false(mood__mul_size(SIZE_MAX / 3 + 1, 3, &out));
    assert_false(mood__mul_size((size_t)1 << 32, (size_t)1 << (sizeof(size_t) * 8 - 32), &out));
    assert_true(out == 7);

    assert_true(mood__add_size(SIZE_MAX - 2, 2, &out));
    assert_true(out == SIZE_MAX);
    out = 7;
    assert_false(mood__add_size(SIZE_MAX, 1, &out));
    assert_true(out == 7);
}

static void test_allocations_are_zeroed_and_aligned(void **state)
{
    (void)state;
    unsigned char *p = mood__calloc(100, 3);
    assert_non_null(p);
    for (int i = 0; i < 300; i++)
        assert_int_equal(p[i], 0);
    mood__free(p);

    p = mood__calloc(0, 8);
    assert_non_null(p);
    mood__free(p);

    static const size_t sizes[] = {0, 1, 63, 64, 65, 4097};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        p = mood__alloc_aligned(sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % MOOD__ALIGN, 0);
        memset(p, 1, sizes[i]); /* ASan would see a byte too few */
        mood__free(p);
    }
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    assert_null(mood__calloc(SIZE_MAX / 2, 3));
    assert_null(mood__alloc_aligned(SIZE_MAX - 3));
    struct mood__arena a = {0};
    assert_null(mood__arena_alloc(&a, SIZE_MAX - 3));
    assert_null(mood__arena_alloc(&a, SIZE_MAX / 16 * 16));
    mood__arena_free(&a);

    char *p = mood__strdup("kept");
    assert_non_null(p);
    assert_null(mood__realloc(p, SIZE_MAX / 2, 3));
    assert_string_equal(p, "kept");
    mood__free(p);
    assert_int_equal(mood__nomem(), MOOD_E_NOMEM);
    assert_string_equal(mood_error_detail(), "out of memory");
}

static void test_arena(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct mood__arena a = {0};
    unsigned char *pieces[N];
    for (int i = 0; i < N; i++) {
        size_t bytes = i == 1000 ? 100000 : (size_t)(i % 50);
        pieces[i] = mood__arena_alloc(&a, bytes);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < bytes; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], i & 0xff, bytes);
    }
    for (int i = 0; i < N; i++) /* no piece lies over another */
        for (size_t k = 0; k < (size_t)(i % 50); k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    assert_string_equal(mood__arena_strdup(&a, "name"), "name");
    mood__arena_free(&a);
    assert_null(a.head);
    mood__arena_free(&a);
}

static void test_reserve(void **state)
{
    (void)state;
    int *numbers = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(mood__reserve((void **)&numbers, &capacity, (size_t)i + 1, sizeof(int)));
        assert_true(capacity > (size_t)i);
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    int *before = numbers;
    size_t capacity_before = capacity;
    assert_false(mood__reserve((void **)&numbers, &capacity, SIZE_MAX / 2, sizeof(int)));
    assert_false(mood__reserve((void **)&numbers, &capacity, SIZE_MAX, 1));
    assert_ptr_equal(numbers, before);
    assert_true(capacity == capacity_before);
    mood__free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_arithmetic_at_its_limits),
        cmocka_unit_test(test_allocations_are_zeroed_and_aligned),
        cmocka_unit_test(test_impossible_sizes_are_refused),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
