/* SPDX-License-Identifier: MIT
 *
 * dispatch.c — From the processor tier to its table of kernels. */
#include "base/cpu.h"
#include "kernel/kernels.h"

extern const struct mood__kernels mood__kernels_c;
#if defined(MOOD_HAVE_X86_TIERS)
extern const struct mood__kernels mood__kernels_avx2, mood__kernels_avx512;
#elif defined(MOOD_HAVE_ARM_TIERS)
extern const struct mood__kernels mood__kernels_neon;
#endif

const struct mood__kernels *mood__kernels_of(int tier)
{
    switch (tier) {
    case MOOD__TIER_C:
        return &mood__kernels_c;
#if defined(MOOD_HAVE_X86_TIERS)
    case MOOD__TIER_X86_AVX2:
    case MOOD__TIER_X86_AVXVNNI:
        return &mood__kernels_avx2;
    case MOOD__TIER_X86_AVX512:
        return &mood__kernels_avx512;
#elif defined(MOOD_HAVE_ARM_TIERS)
    case MOOD__TIER_ARM_NEON:
    case MOOD__TIER_ARM_DOTPROD:
        return &mood__kernels_neon;
#endif
    default:
        return NULL;
    }
}

const struct mood__kernels *mood__kernels(void)
{
    return mood__kernels_of((int)mood__cpu_tier());
}
