/* SPDX-License-Identifier: MIT
 *
 * test_ridge.c — Ridge regression against least squares by numpy (tests/golden/make_prosody.py),
 * the same bytes on any number of threads, and what has no solution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "train/ridge.h"

enum { ROWS = 150, IN = 137, OUT = 3 };

static const double BOUND = 1e-6; /* float32, of the golden file */

static struct golden *golden;
static double z[ROWS][IN], y[ROWS][OUT], weight[ROWS];

static void fill(void)
{
    static float x[ROWS * IN];
    formula_values(x, (int64_t)ROWS * IN, "rows");
    for (int i = 0; i < ROWS * IN; i++)
        z[i / IN][i % IN] = 2 * (double)x[i];
    formula_values(x, (int64_t)ROWS * OUT, "targets");
    for (int i = 0; i < ROWS * OUT; i++)
        y[i / OUT][i % OUT] = (double)x[i];
    formula_values(x, ROWS, "weights");
    for (int i = 0; i < ROWS; i++)
        weight[i] = 1.5 + (double)x[i];
}

/* The rows in blocks of that size. */
static void add_all(struct mood__ridge *r, int block, mood_pool *pool)
{
    fill();
    assert_int_equal(mood__ridge_create(r, IN, OUT, pool), MOOD_OK);
    for (int i = 0; i < ROWS; i += block)
        mood__ridge_add(r, ROWS - i < block ? ROWS - i : block, z[i], y[i], weight + i);
}

static void expect(const struct mood__ridge *r, const char *lambda, double value)
{
    static double w[IN * OUT];
    static float rounded[IN * OUT];
    const mood_tensor *want = golden_find(golden, "ridge", lambda);
    assert_non_null(want);
    assert_int_equal(mood__ridge_solve(r, value, NULL, w), MOOD_OK);
    for (int i = 0; i < IN * OUT; i++)
        rounded[i] = (float)w[i];
    mood_tensor got = *want;
    got.data = rounded;
    double error = golden_error(&got, want, 0);
    print_message("  lambda %s: %.1e of %.0e\n", lambda, error, BOUND);
    assert_true(error <= BOUND);
}

static void test_truth(void **state)
{
    (void)state;
    struct mood__ridge r;
    for (int block = 1; block <= ROWS; block += 149) {
        add_all(&r, block, NULL);
        expect(&r, "1", 1);
        expect(&r, "0.001", 0.001);
        expect(&r, "1", 1); /* solving changes nothing */
        mood__ridge_free(&r);
    }
}

static void test_same_bytes(void **state)
{
    (void)state;
    static double one[IN * OUT], three[IN * OUT];
    struct mood__ridge r;
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    add_all(&r, 64, NULL);
    assert_int_equal(mood__ridge_solve(&r, 0.01, NULL, one), MOOD_OK);
    mood__ridge_free(&r);
    add_all(&r, 64, pool);
    assert_int_equal(mood__ridge_solve(&r, 0.01, NULL, three), MOOD_OK);
    mood__ridge_free(&r);
    assert_memory_equal(one, three, sizeof(one));
    mood_pool_destroy(&pool);
}

/* A row that weighs nothing is none. */
static void test_weights(void **state)
{
    (void)state;
    static double all[IN * OUT], some[IN * OUT];
    struct mood__ridge r;
    fill();
    assert_int_equal(mood__ridge_create(&r, IN, OUT, NULL), MOOD_OK);
    mood__ridge_add(&r, 100, z[0], y[0], weight);
    assert_int_equal(mood__ridge_solve(&r, 0.01, NULL, some), MOOD_OK);
    memset(weight + 100, 0, 50 * sizeof(*weight));
    mood__ridge_add(&r, 50, z[100], y[100], weight + 100);
    assert_int_equal(mood__ridge_solve(&r, 0.01, NULL, all), MOOD_OK);
    assert_memory_equal(all, some, sizeof(all));
    mood__ridge_free(&r);
}

static void expect_unsolvable(struct mood__ridge *r, double lambda, const char *text)
{
    static double w[IN * OUT];
    assert_int_equal(mood__ridge_solve(r, lambda, NULL, w), MOOD_E_NUMERIC);
    if (!strstr(mood_error_detail(), text))
        fail_msg("'%s' is not in '%s'", text, mood_error_detail());
}

static void test_no_solution(void **state)
{
    (void)state;
    static double w[IN * OUT];
    struct mood__ridge r;
    assert_int_equal(mood__ridge_create(&r, IN, OUT, NULL), MOOD_OK);
    expect_unsolvable(&r, 1, "no rows");
    mood__ridge_free(&r);

    add_all(&r, ROWS, NULL); /* more rows than columns: independent */
    assert_int_equal(mood__ridge_solve(&r, 0, NULL, w), MOOD_OK);
    expect_unsolvable(&r, -1e9, "column 0");
    mood__ridge_free(&r);

    fill();
    assert_int_equal(mood__ridge_create(&r, IN, OUT, NULL), MOOD_OK);
    for (int i = 0; i < ROWS; i++)
        z[i][7] = 3 * z[i][2] - z[i][5]; /* and now they are not */
    mood__ridge_add(&r, ROWS, z[0], y[0], weight);
    expect_unsolvable(&r, 0, "not positive definite at column 7");
    assert_int_equal(mood__ridge_solve(&r, 1e-3, NULL, w), MOOD_OK);
    mood__ridge_free(&r);

    fill();
    assert_int_equal(mood__ridge_create(&r, IN, OUT, NULL), MOOD_OK);
    z[3][4] = INFINITY;
    mood__ridge_add(&r, ROWS, z[0], y[0], weight);
    expect_unsolvable(&r, 1, "not positive definite");
    mood__ridge_free(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_no_solution),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 1;
    int failed = cmocka_run_group_tests_name("train-ridge", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
