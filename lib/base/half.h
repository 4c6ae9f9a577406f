/* SPDX-License-Identifier: MIT
 *
 * half.h — 16-bit floating point: a way to store numbers, never to compute with them.
 *
 *     f16   IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of fraction. Steps of 2^-24
 *           up to 2^-14, 11 significant bits above, 65504 at most
 *     bf16  the upper half of a binary32: its range with 8 significant bits
 *
 * In memory both are uint16_t of the machine's byte order. */
#ifndef MOOD_BASE_HALF_H
#define MOOD_BASE_HALF_H

#include <stddef.h>
#include <stdint.h>

/* y[i] = x[i], exactly; infinities, and the fractions of NaNs, are kept. */
void mood__f16_to_f32(float *y, const uint16_t *x, size_t n);
void mood__bf16_to_f32(float *y, const uint16_t *x, size_t n);

/* y[i] = the f16 nearest to x[i], the even one of two. A finite number that is too large becomes
 * +-65504, not an infinity: a network survives a clipped weight. Infinities stay what they are, and
 * so do NaNs, so that f16 -> f32 -> f16 changes no bit. */
void mood__f32_to_f16(uint16_t *y, const float *x, size_t n);

#endif
