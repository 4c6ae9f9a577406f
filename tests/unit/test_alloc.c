/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Every allocation of what lib/base makes, failed once (fail_alloc.h). Each folder
 * that allocates has such a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fail_alloc.h"

static mood_status arena_scenario(const void *arg)
{
    (void)arg;
    struct mood__arena a = {0};
    mood_status status = MOOD_OK;
    for (size_t i = 0; i < 20 && status == MOOD_OK; i++)
        if (!mood__arena_alloc(&a, 1000 * i) || !mood__arena_strdup(&a, "name"))
            status = mood__nomem();
    mood__arena_free(&a);
    return status;
}

static mood_status reserve_scenario(const void *arg)
{
    (void)arg;
    void *array = NULL;
    size_t capacity = 0;
    mood_status status = MOOD_OK;
    for (size_t i = 1; i < 100 && status == MOOD_OK; i++)
        if (!mood__reserve(&array, &capacity, i, 24))
            status = mood__nomem();
    mood__free(array);
    return status;
}

static mood_status pool_scenario(const void *arg)
{
    (void)arg;
    mood_pool *pool = (mood_pool *)&pool;
    mood_status status = mood_pool_create(&pool, 3);
    if (status != MOOD_OK)
        assert_null(pool);
    mood_pool_destroy(&pool);
    return status;
}

static void test_arena(void **state)
{
    (void)state;
    assert_true(fail_each_alloc(arena_scenario, NULL) > 0);
}

static void test_reserve(void **state)
{
    (void)state;
    assert_true(fail_each_alloc(reserve_scenario, NULL) > 0);
}

static void test_pool(void **state)
{
    (void)state;
    assert_true(fail_each_alloc(pool_scenario, NULL) > 0);
}

/* The harness itself has to see a lost block. */
static void test_a_lost_block_is_seen(void **state)
{
    (void)state;
    long live = alloc_live;
    void *lost = mood__calloc(1, 8);
    assert_non_null(lost);
    assert_int_equal(alloc_live, live + 1);
    mood__free(lost);
    assert_int_equal(alloc_live, live);
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
