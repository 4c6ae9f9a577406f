/* SPDX-License-Identifier: MIT
 *
 * i8_neon.c — 8-bit products for AArch64, whose instructions multiply signed bytes by signed ones:
 * values of A lie 128 lower than elsewhere. Compiled once more with the dot products of ARMv8.2,
 * whose sdot does all in one. Without it, two products of bytes are added in 16 bits: there is
 * room, for weights are at least -127, and 2 * 128 * 127 is 32512. */
#include <arm_neon.h>

enum { ROWS = 4, LINES = 4, LANES = 4, PARTS = 1, OFFSET = 128 };
typedef int32x4_t vec;

static inline vec part_of(const char *w, int p)
{
    (void)p;
    return vreinterpretq_s32_s8(vld1q_s8((const int8_t *)w));
}

static inline vec spread(const char *a)
{
    int32_t v;
    __builtin_memcpy(&v, a, sizeof(v));
    return vdupq_n_s32(v);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    int8x16_t x = vreinterpretq_s8_s32(a), y = vreinterpretq_s8_s32(w);
#ifdef __ARM_FEATURE_DOTPROD
    return vdotq_s32(sum, x, y);
#else
    int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(y)), high = vmull_high_s8(x, y);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
#endif
}

#ifdef __ARM_FEATURE_DOTPROD
#define I8_TABLE mood__i8_kernels_dotprod
#define I8_NAME  "dotprod"
#else
#define I8_TABLE mood__i8_kernels_neon
#define I8_NAME  "neon"
#endif
#include "kernel/i8_loops.h"
