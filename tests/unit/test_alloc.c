/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Every allocation of a scenario is made to fail once: the scenario has to answer
 * MOOD_E_NOMEM, leave its output NULL and lose no memory.
 *
 * The linker's --wrap puts the functions below between the library and the C library. Add a
 * scenario for each part of the library that allocates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *p);

static _Atomic long calls;   /* allocations since the scenario began */
static _Atomic long fail_at; /* the one that fails, counted from 1; 0: none */
static _Atomic long live;    /* allocated and not freed */

static bool fails(void)
{
    return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fail_at);
}

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add(&live, 1);
    return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (fails())
        return NULL;
    void *q = __real_realloc(p, size);
    return p ? q : counted(q);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    __real_free(p);
}

static mood_status arena_scenario(void)
{
    struct mood__arena a = {0};
    mood_status status = MOOD_OK;
    for (size_t i = 0; i < 20 && status == MOOD_OK; i++)
        if (!mood__arena_alloc(&a, 1000 * i) || !mood__arena_strdup(&a, "name"))
            status = mood__nomem();
    mood__arena_free(&a);
    return status;
}

static mood_status reserve_scenario(void)
{
    void *array = NULL;
    size_t capacity = 0;
    mood_status status = MOOD_OK;
    for (size_t i = 1; i < 100 && status == MOOD_OK; i++)
        if (!mood__reserve(&array, &capacity, i, 24))
            status = mood__nomem();
    mood__free(array);
    return status;
}

static mood_status pool_scenario(void)
{
    mood_pool *pool = (mood_pool *)&pool;
    mood_status status = mood_pool_create(&pool, 3);
    if (status != MOOD_OK)
        assert_null(pool);
    mood_pool_destroy(&pool);
    return status;
}

static void run(mood_status (*scenario)(void))
{
    fail_at = 0;
    calls = 0;
    long live_before = live;
    assert_int_equal(scenario(), MOOD_OK);
    assert_int_equal(live, live_before);
    long n = calls;
    assert_true(n > 0);
    for (long i = 1; i <= n; i++) {
        calls = 0;
        fail_at = i;
        mood_status status = scenario();
        fail_at = 0;
        if (status != MOOD_E_NOMEM)
            fail_msg("allocation %ld of %ld failed, and the answer was %s", i, n,
                     mood_status_name(status));
        assert_string_equal(mood_error_detail(), "out of memory");
        if (live != live_before)
            fail_msg("allocation %ld of %ld failed, and %ld blocks were lost", i, n,
                     live - live_before);
    }
}

static void test_arena(void **state)
{
    (void)state;
    run(arena_scenario);
}

static void test_reserve(void **state)
{
    (void)state;
    run(reserve_scenario);
}

static void test_pool(void **state)
{
    (void)state;
    run(pool_scenario);
}

/* The harness itself has to see a lost block. */
static void test_a_lost_block_is_seen(void **state)
{
    (void)state;
    long live_before = live;
    void *lost = mood__calloc(1, 8);
    assert_non_null(lost);
    assert_int_equal(live, live_before + 1);
    mood__free(lost);
    assert_int_equal(live, live_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_block_is_seen),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
