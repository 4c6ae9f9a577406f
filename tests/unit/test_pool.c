/* SPDX-License-Identifier: MIT
 *
 * test_pool.c — The thread pool: every task runs once, results do not depend on the number of
 * threads, many jobs and many callers work. Also run under ThreadSanitizer (suite "threads"). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/rng.h"

enum { N_TASKS = 1000, N_CALLERS = 4, N_JOBS = 2000 };

static mood_pool *make_pool(int n_threads)
{
    mood_pool *pool = NULL;
    assert_int_equal(mood_pool_create(&pool, n_threads), MOOD_OK);
    assert_int_equal(mood_pool_threads(pool), n_threads);
    return pool;
}

/* Floating-point sums whose bits would change with another order or another division. */
struct sums {
    float out[N_TASKS];
    _Atomic int calls[N_TASKS];
    _Atomic int worker_busy[8];
    _Atomic int faults;
};

static void sum_task(void *ctx, int64_t task, int worker)
{
    struct sums *s = ctx;
    if (worker < 0 || worker >= 8 || atomic_fetch_add(&s->worker_busy[worker], 1) != 0)
        atomic_fetch_add(&s->faults, 1);
    struct mood__rng r = mood__rng_make(7, (uint64_t)task);
    float sum = 0;
    for (int i = 0; i < 100; i++)
        sum += mood__rng_float(&r);
    s->out[task] = sum; /* not atomic: TSan would see two tasks meet here */
    atomic_fetch_add(&s->calls[task], 1);
    atomic_fetch_sub(&s->worker_busy[worker], 1);
}

static struct sums *run_sums(mood_pool *pool)
{
    struct sums *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    mood__pool_run(pool, N_TASKS, sum_task, s);
    for (int i = 0; i < N_TASKS; i++)
        assert_int_equal(s->calls[i], 1);
    assert_int_equal(s->faults, 0);
    return s;
}

static void test_same_bytes_for_any_number_of_threads(void **state)
{
    (void)state;
    struct sums *alone = run_sums(NULL);
    for (int n = 1; n <= 8; n++) {
        mood_pool *pool = make_pool(n);
        struct sums *s = run_sums(pool);
        assert_memory_equal(s->out, alone->out, sizeof(s->out));
        free(s);
        mood_pool_destroy(&pool);
        assert_null(pool);
    }
    free(alone);
}

static void count_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    atomic_fetch_add((_Atomic int64_t *)ctx, task + 1);
}

/* Short jobs in a row: a worker that is late for one job must not miss or repeat the next. */
static void test_many_short_jobs(void **state)
{
    (void)state;
    mood_pool *pool = make_pool(4);
    for (int64_t n = 0; n < N_JOBS; n++) {
        _Atomic int64_t sum = 0;
        int64_t n_tasks = n % 7;
        mood__pool_run(pool, n_tasks, count_task, &sum);
        assert_int_equal(sum, n_tasks * (n_tasks + 1) / 2);
    }
    mood_pool_destroy(&pool);
}

static void *call_often(void *pool)
{
    intptr_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        _Atomic int64_t sum = 0;
        mood__pool_run(pool, 20, count_task, &sum);
        wrong += sum != 210;
    }
    return (void *)wrong;
}

static void test_callers_take_turns(void **state)
{
    (void)state;
    mood_pool *pool = make_pool(3);
    pthread_t callers[N_CALLERS];
    for (int i = 0; i < N_CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_often, pool), 0);
    for (int i = 0; i < N_CALLERS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(callers[i], &wrong), 0);
        assert_null(wrong);
    }
    mood_pool_destroy(&pool);
}

/* What a task writes is seen by the caller without further locks. */
static void test_results_are_visible(void **state)
{
    (void)state;
    mood_pool *pool = make_pool(4);
    struct sums *first = run_sums(pool);
    for (int i = 0; i < 20; i++) {
        struct sums *s = run_sums(pool);
        assert_memory_equal(s->out, first->out, sizeof(s->out));
        free(s);
    }
    free(first);
    mood_pool_destroy(&pool);
}

static void test_no_tasks_and_no_pool(void **state)
{
    (void)state;
    _Atomic int64_t sum = 0;
    mood__pool_run(NULL, 0, count_task, &sum);
    assert_int_equal(sum, 0);
    mood__pool_run(NULL, 3, count_task, &sum);
    assert_int_equal(sum, 6);
    assert_int_equal(mood_pool_threads(NULL), 1);
    mood_pool *none = NULL;
    mood_pool_destroy(&none);
}

static void test_wrong_number_of_threads(void **state)
{
    (void)state;
    mood_pool *pool = (mood_pool *)&pool;
    assert_int_equal(mood_pool_create(&pool, -1), MOOD_E_INVALID);
    assert_null(pool);
    assert_int_equal(mood_pool_create(&pool, 257), MOOD_E_INVALID);
    assert_null(pool);
    assert_non_null(strstr(mood_error_detail(), "257"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_for_any_number_of_threads),
        cmocka_unit_test(test_many_short_jobs),
        cmocka_unit_test(test_callers_take_turns),
        cmocka_unit_test(test_results_are_visible),
        cmocka_unit_test(test_no_tasks_and_no_pool),
        cmocka_unit_test(test_wrong_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
