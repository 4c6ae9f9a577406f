/* SPDX-License-Identifier: MIT
 *
 * test_half.c — 16-bit floating point. All 65536 halves against what the format says of them, in
 * double precision; and back from float, around every boundary between two of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/half.h"

enum { N = 65536, N_FINITE = 0x7c00 /* the halves from 0 to 65504, in order */ };

/* The value of a half that is not negative and finite. */
static double value_of(int half)
{
    int exponent = half >> 10, fraction = half & 1023;
    return exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

static void test_from_half(void **state)
{
    (void)state;
    static uint16_t half[N];
    static float y[N + 1];
    for (int i = 0; i < N; i++)
        half[i] = (uint16_t)i;
    y[N] = 77;
    mood__f16_to_f32(y, half, N);
    assert_true(y[N] == 77);
    for (int i = 0; i < N; i++) {
        int size = i & 0x7fff;
        assert_true(signbit(y[i]) ? i >= 0x8000 : i < 0x8000);
        if (size < N_FINITE)
            assert_true(fabs((double)y[i]) == value_of(size));
        else if (size == N_FINITE)
            assert_true(isinf(y[i]));
        else
            assert_true(isnan(y[i]));
    }
}

/* Every half comes back as it was, NaNs with their fractions. */
static void test_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        uint16_t half = (uint16_t)i, back = (uint16_t)~i;
        float y;
        mood__f16_to_f32(&y, &half, 1);
        mood__f32_to_f16(&back, &y, 1);
        assert_int_equal(back, i);
    }
}

static void expect(float x, int half)
{
    float both[2] = {x, -x};
    uint16_t y[3] = {1, 2, 12345};
    mood__f32_to_f16(y, both, 2);
    assert_int_equal(y[0], half);
    assert_int_equal(y[1], half | 0x8000);
    assert_int_equal(y[2], 12345);
}

/* Half way between two neighbours the even one; a float less, the lower; a float more, the upper.
 */
static void test_rounding(void **state)
{
    (void)state;
    for (int lower = 0; lower + 1 < N_FINITE; lower++) {
        int upper = lower + 1;
        float middle = (float)((value_of(lower) + value_of(upper)) / 2);
        assert_true((double)middle == (value_of(lower) + value_of(upper)) / 2);
        expect(middle, lower % 2 == 0 ? lower : upper);
        expect(nextafterf(middle, 0), lower);
        expect(nextafterf(middle, INFINITY), upper);
        expect(nextafterf((float)value_of(upper), 0), upper);
        expect(nextafterf((float)value_of(upper), INFINITY), upper);
    }
}

/* Floats of every exponent: the nearest half by search in double precision. */
static void test_nearest(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (uint32_t i = 0; i < 1 << 20; i++) {
        random = random * 1664525 + 1013904223;
        /* Half of the draws lie where halves have normal exponents. */
        uint32_t bits = i % 2 ? random >> 1 : (102 + random % 42) << 23 | random >> 9;
        float x = float_of(bits);
        if (!isfinite(x))
            continue;
        int low = 0, high = N_FINITE - 1; /* value_of(low) <= x, unless x is beyond the last */
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (value_of(middle) <= (double)x)
                low = middle;
            else
                high = middle;
        }
        double below = (double)x - value_of(low), above = value_of(high) - (double)x;
        expect(x, below < above || (below == above && low % 2 == 0) ? low : high);
    }
}

static void test_extremes(void **state)
{
    (void)state;
    expect(0, 0);
    expect(0x1p-149f, 0);
    expect(0x1p-25f, 0); /* half of the smallest, and zero is even */
    expect(nextafterf(0x1p-25f, 1), 1);
    expect(65504, 0x7bff);
    expect(65519.996f, 0x7bff);
    expect(65520, 0x7bff); /* IEEE would say infinity */
    expect(1e9f, 0x7bff);
    expect(0x1.fffffep127f, 0x7bff);
    expect(INFINITY, 0x7c00);
    expect(float_of(0x7f800001), 0x7e00); /* NaNs: of the fraction, what fits; but never none */
    expect(float_of(0x7fc00000), 0x7e00);
    expect(float_of(0x7fa02000), 0x7d01);
    expect(float_of(0x7fffffff), 0x7fff);
    mood__f32_to_f16(NULL, NULL, 0);
    mood__f16_to_f32(NULL, NULL, 0);
}

static void test_bf16(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        uint16_t x = (uint16_t)i;
        float y = 1;
        mood__bf16_to_f32(&y, &x, 1);
        assert_int_equal(bits_of(y), i << 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_half), cmocka_unit_test(test_and_back),
        cmocka_unit_test(test_rounding),  cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_extremes),  cmocka_unit_test(test_bf16),
    };
    return cmocka_run_group_tests_name("half", tests, NULL, NULL);
}
