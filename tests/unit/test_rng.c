/* SPDX-License-Identifier: MIT
 *
 * test_rng.c — Random numbers: known values of splitmix64, ranges, moments, independence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

/* First outputs of splitmix64 from two states, from an independent computation with Python's
 * integers. They must never change: the same seed has to give the same model in every version. */
static void test_known_values(void **state)
{
    (void)state;
    struct mood__rng zero = {0}, other = {1234567};
    static const uint64_t from_zero[] = {0xe220a8397b1dcdafu, 0x6e789e6aa1b965f4u,
                                         0x06c45d188009454fu, 0xf88bb8a8724c81ecu};
    static const uint64_t from_other[] = {6457827717110365317u, 3203168211198807973u,
                                          9817491932198370423u, 4593380528125082431u};
    for (int i = 0; i < 4; i++) {
        assert_true(mood__hash64(0, (uint64_t)i) == from_zero[i]);
        assert_true(mood__rng_u64(&zero) == from_zero[i]);
        assert_true(mood__rng_u64(&other) == from_other[i]);
    }
}

static void test_seeds_and_streams_differ(void **state)
{
    (void)state;
    uint64_t seen[64];
    for (uint64_t i = 0; i < 64; i++) {
        struct mood__rng r = mood__rng_make(i / 8, i % 8), again = mood__rng_make(i / 8, i % 8);
        seen[i] = mood__rng_u64(&r);
        assert_true(seen[i] == mood__rng_u64(&again));
        for (uint64_t k = 0; k < i; k++)
            assert_true(seen[k] != seen[i]);
    }
}

/* Bounds of five standard deviations: a right generator with this seed is far inside, and a wrong
 * one (off by a bit, or half the range) far outside. */
static void test_uniform(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct mood__rng r = mood__rng_make(1, 0);
    double sum = 0, sum_float = 0;
    for (int i = 0; i < N; i++) {
        double d = mood__rng_double(&r);
        float f = mood__rng_float(&r);
        assert_true(d >= 0 && d < 1);
        assert_true(f >= 0 && f < 1);
        assert_true(f * 0x1p24f == floorf(f * 0x1p24f));
        sum += d;
        sum_float += (double)f;
    }
    double bound = 5 * sqrt(1.0 / 12 / N);
    assert_true(fabs(sum / N - 0.5) < bound);
    assert_true(fabs(sum_float / N - 0.5) < bound);
}

static void test_normal(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct mood__rng r = mood__rng_make(2, 0);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        double x = mood__rng_normal(&r);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / N) < 5 * sqrt(1.0 / N));         /* mean 0 */
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N)); /* var(x^2) = 2 */
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N)); /* var(x^4) = 105 - 9 */
}

static void test_below(void **state)
{
    (void)state;
    enum { N = 60000, SIDES = 6 };
    struct mood__rng r = mood__rng_make(3, 0);
    int count[SIDES] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t x = mood__rng_below(&r, SIDES);
        assert_true(x < SIDES);
        count[x]++;
        assert_true(mood__rng_below(&r, 1) == 0);
    }
    for (int i = 0; i < SIDES; i++)
        assert_true(abs(count[i] - N / SIDES) < 5 * sqrt(N * (1.0 / SIDES) * (1 - 1.0 / SIDES)));

    /* Three quarters of the range, where taking the remainder alone would give the lowest third
     * twice, and the lower half in 5 of 8 draws. */
    uint64_t big = (uint64_t)3 << 62;
    int lower_half = 0;
    for (int i = 0; i < N; i++)
        lower_half += mood__rng_below(&r, big) < big / 2;
    assert_true(abs(lower_half - N / 2) < 5 * sqrt(N * 0.25));
}

static void test_shuffle(void **state)
{
    (void)state;
    enum { N = 500, ROUNDS = 24000 };
    int64_t index[N];
    unsigned char seen[N] = {0};
    for (int i = 0; i < N; i++)
        index[i] = i;
    struct mood__rng r = mood__rng_make(4, 0);
    mood__rng_shuffle(&r, index, N);
    int at_home = 0;
    for (int i = 0; i < N; i++) {
        assert_true(index[i] >= 0 && index[i] < N && !seen[index[i]]);
        seen[index[i]] = 1;
        at_home += index[i] == i;
    }
    assert_true(at_home < 10); /* one is expected, whatever N */

    /* Each of the 24 orders of four comes equally often. */
    int orders[256] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        int64_t four[4] = {0, 1, 2, 3};
        mood__rng_shuffle(&r, four, 4);
        orders[four[0] << 6 | four[1] << 4 | four[2] << 2 | four[3]]++;
    }
    int n_orders = 0;
    for (int i = 0; i < 256; i++) {
        n_orders += orders[i] > 0;
        assert_true(orders[i] == 0 || abs(orders[i] - ROUNDS / 24) < 5 * sqrt(ROUNDS / 24.0));
    }
    assert_int_equal(n_orders, 24);
    mood__rng_shuffle(&r, index, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values), cmocka_unit_test(test_seeds_and_streams_differ),
        cmocka_unit_test(test_uniform),      cmocka_unit_test(test_normal),
        cmocka_unit_test(test_below),        cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
