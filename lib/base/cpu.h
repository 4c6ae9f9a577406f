/* SPDX-License-Identifier: MIT
 *
 * cpu.h — Which processor tier to use. Tiers are bundles of instruction sets, in rising order. */
#ifndef MOOD_BASE_CPU_H
#define MOOD_BASE_CPU_H

enum mood__tier {
    MOOD__TIER_C,          /* portable C11 */
    MOOD__TIER_X86_AVX2,   /* AVX2 + FMA, and the system saves the YMM registers */
    MOOD__TIER_X86_AVX512, /* + AVX-512 F CD BW DQ VL, and the system saves ZMM and masks */
    MOOD__N_TIERS
};

/* The highest tier that this processor has, lowered by MOOD_CPU and mood_cpu_limit. */
enum mood__tier mood__cpu_tier(void);

#endif
