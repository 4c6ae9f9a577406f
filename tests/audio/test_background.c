/* SPDX-License-Identifier: MIT
 *
 * test_background.c — Made-up background sounds: the same ones each time, others for each index,
 * of the level that is promised, of all kinds, and of many colours. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audio/background.h"

enum { N = 48000, WINDOWS = 200 };

static float x[N], y[N];

static double rms(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum / (double)n);
}

static void test_same_again(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        memset(y, 0x55, sizeof(y)); /* what was there before does not matter */
        mood__background_make(x, N, 7, i);
        mood__background_make(y, N, 7, i);
        assert_memory_equal(x, y, sizeof(x));
    }
}

static void test_others_differ(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        mood__background_make(x, N, 7, i);
        mood__background_make(y, N, 7, i + 1);
        assert_memory_not_equal(x, y, sizeof(x));
        mood__background_make(y, N, 8, i);
        assert_memory_not_equal(x, y, sizeof(x));
    }
}

/* Clicks of full scale in silence are the softest, and full scale is never left. */
static void test_level(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < WINDOWS; i++) {
        mood__background_make(x, N, 1, i);
        for (int k = 0; k < N; k++)
            assert_true(fabsf(x[k]) <= 1); /* not NaN either */
        double level = rms(x, N);
        bool clicks = strcmp(mood__background_kind(1, i), "clicks") == 0;
        assert_in_range((int)(1e5 * level + 0.5), clicks ? 400 : 2000, 5000);
    }
}

static void test_all_kinds(void **state)
{
    (void)state;
    size_t n_kinds = 0;
    for (; mood__background_kind_name(n_kinds); n_kinds++) {
        int count = 0;
        for (uint64_t i = 0; i < WINDOWS; i++)
            count += strcmp(mood__background_kind(0, i), mood__background_kind_name(n_kinds)) == 0;
        print_message("%-15s %d of %d\n", mood__background_kind_name(n_kinds), count, WINDOWS);
        assert_in_range(count, 3, WINDOWS / 2);
    }
    assert_int_equal(n_kinds, 8);
}

/* The correlation of neighbouring samples: below 0 for rising spectra, near 1 for falling ones. */
static void test_colours(void **state)
{
    (void)state;
    double least = 1, most = -1;
    for (uint64_t i = 0; i < WINDOWS; i++) {
        if (strcmp(mood__background_kind(2, i), "noise") != 0)
            continue;
        mood__background_make(x, N, 2, i);
        double together = 0;
        for (int k = 1; k < N; k++)
            together += (double)x[k] * (double)x[k - 1];
        together /= N * rms(x, N) * rms(x, N);
        least = fmin(least, together);
        most = fmax(most, together);
    }
    print_message("neighbouring samples: correlation %.3f to %.3f\n", least, most);
    assert_true(least < -0.05);
    assert_true(most > 0.95 && most <= 1);
}

/* However short: all of it is written, none of it silent as a whole, and nothing behind it. */
static void test_short_windows(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 3, 100, 1000};
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++)
        for (uint64_t i = 0; i < WINDOWS; i++) {
            size_t n = lengths[k];
            x[n] = 42;
            mood__background_make(x, n, 3, i);
            assert_true(x[n] == 42);
            if (n > 0)
                assert_in_range((int)(1e5 * rms(x, n) + 0.5), 400, 5000);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_again), cmocka_unit_test(test_others_differ),
        cmocka_unit_test(test_level),      cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_colours),    cmocka_unit_test(test_short_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
