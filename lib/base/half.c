/* SPDX-License-Identifier: MIT
 *
 * half.c — 16-bit floating point to and from 32 bits, by arithmetic on the bits: the same on every
 * machine. */
#include "base/half.h"

#include <string.h>

/* Bits of a binary32. */
enum {
    F32_INFINITY = 0x7f800000,
    F32_65504 = 0x477fe000, /* the largest finite f16 */
    F32_2_M14 = 0x38800000, /* 2^-14, the smallest normal f16 */
    BIAS_STEP = 127 - 15    /* exponents of f32 are larger by this */
};

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

static uint32_t f32_bits_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;
    if (exponent == 0) /* a multiple of 2^-24, which is a normal f32 */
        return sign | bits_of((float)fraction * 0x1p-24f);
    exponent = exponent == 31 ? 255 : exponent + BIAS_STEP;
    return sign | exponent << 23 | fraction << 13;
}

static uint16_t half_of_f32_bits(uint32_t bits)
{
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > F32_INFINITY) { /* NaN; one whose upper bits are zero must not become infinite */
        uint32_t fraction = size >> 13 & 0x3ff;
        return (uint16_t)(sign | 0x7c00 | (fraction ? fraction : 0x200));
    }
    if (size == F32_INFINITY)
        return (uint16_t)(sign | 0x7c00);
    if (size >= F32_65504)
        return (uint16_t)(sign | 0x7bff);
    if (size < F32_2_M14) /* floats from 0.5 to 1 have steps of 2^-24: the addition rounds */
        return (uint16_t)(sign | (bits_of(float_of(size) + 0.5f) - bits_of(0.5f)));
    size -= (uint32_t)BIAS_STEP << 23;
    size += 0xfff + (size >> 13 & 1); /* may carry into the exponent, as it should */
    return (uint16_t)(sign | size >> 13);
}

void mood__f16_to_f32(float *y, const uint16_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = float_of(f32_bits_of_half(x[i]));
}

void mood__bf16_to_f32(float *y, const uint16_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = float_of((uint32_t)x[i] << 16);
}

void mood__f32_to_f16(uint16_t *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = half_of_f32_bits(bits_of(x[i]));
}
