/* SPDX-License-Identifier: MIT
 *
 * maths.h — exp and the normal distribution, for the loops of loops.h: straight lines of float
 * arithmetic that the compiler can vectorise, and that give the same bytes in every tier. Their
 * errors are bounded in tests/kernels/kernel_cases.c, and tested over their whole range. */
#include <math.h>
#include <stdint.h>
#include <string.h>

/* 2^n, n in [-126, 127] modulo 2^32. */
static inline float power_of_two(uint32_t n)
{
    uint32_t bits = (n + 127u) << 23;
    float y;
    memcpy(&y, &bits, sizeof(y));
    return y;
}

/* e^x = 2^n e^r, with n the integer nearest to x / ln 2 and r what remains, |r| <= ln 2 / 2. Off by
 * at most 1 ulp; 0 and infinity where a float has no more room, denormals in between. */
static inline float exp_of(float x)
{
    /* ln 2 in two parts, the first short enough that n times it is exact. */
    const float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f, LOG2_E = 1.44269504f;
    /* Added to a small number it leaves no place behind the point, and the integer in the low bits.
     */
    const float ROUND = 12582912.0f; /* 1.5 * 2^23 */
    float c = x > 89.0f ? 89.0f : x; /* NaN stays */
    c = c < -104.0f ? -104.0f : c;
    float shifted = c * LOG2_E + ROUND, whole = shifted - ROUND;
    float r = (c - whole * LN2_HIGH) - whole * LN2_LOW;
    /* (e^r - 1 - r) / r^2: a minimax fit, e^r off by 3e-9 of itself. */
    float p = 1.38141797e-3f;
    p = p * r + 8.36889166e-3f;
    p = p * r + 4.16684076e-2f;
    p = p * r + 1.66665196e-1f;
    p = p * r + 4.99999940e-1f;
    float y = 1.0f + (r + r * r * p);
    /* 2^n in two halves, since n may be out of range where the result is not. For NaN n is
     * nonsense, and so are they; NaN it stays. */
    uint32_t n;
    memcpy(&n, &shifted, sizeof(n));
    n += 256u - 0x4b400000u; /* the bits of ROUND; n is now at least 0 */
    uint32_t half = n / 2;
    return y * power_of_two(half - 128u) * power_of_two(n - half - 128u);
}

/* The normal distribution: Phi(x) = erfc(-x / sqrt 2) / 2. erfc(z) = exp(-z Q(z)) for z >= 0, Q a
 * polynomial fitted up to z = 4 with erfc off by at most 1.3e-8; further out Q stays what it is
 * there, and erfc, then below 2e-8, goes to 0. Off by at most 1.2 * 2^-24, and in the lower tail by
 * a ten-thousandth of itself, where 1 + erf(z) would be off by all of it. */
static inline float normal_cdf(float x)
{
    float z = fabsf(x) * 0.70710678f, c = z < 4.0f ? z : 4.0f;
    float q = -4.33051719e-6f;
    q = q * c + 6.85172054e-5f;
    q = q * c - 4.36172530e-4f;
    q = q * c + 1.25916733e-3f;
    q = q * c + 3.11488257e-4f;
    q = q * c - 1.94584336e-2f;
    q = q * c + 1.02882527e-1f;
    q = q * c + 6.36602819e-1f;
    q = q * c + 1.12838006f;
    float tail = 0.5f * exp_of(-z * q);
    return x < 0.0f ? tail : 1.0f - tail;
}
