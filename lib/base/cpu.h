/* SPDX-License-Identifier: MIT
 *
 * cpu.h — Which processor tier to use. Tiers are bundles of instruction sets, in rising order. */
#ifndef MOOD_BASE_CPU_H
#define MOOD_BASE_CPU_H

#include <stdbool.h>

enum mood__tier {
    MOOD__TIER_C,          /* portable C11 */
    MOOD__TIER_X86_AVX2,   /* AVX2 + FMA, and the system saves the YMM registers */
    MOOD__TIER_X86_AVX512, /* + AVX-512 F CD BW DQ VL, and the system saves ZMM and masks */
    MOOD__N_TIERS
};

/* The highest tier that this processor has, lowered by MOOD_CPU and mood_cpu_limit. */
enum mood__tier mood__cpu_tier(void);

/* Whether to use the SHA instructions of x86, which belong to no tier: processors of the tier
 * x86-avx2 are without (Intel's of before 2019) and with them. False in the tier c, so that a limit
 * to c is one to portable C. Asks CPUID, which costs microseconds in a virtual machine. */
bool mood__cpu_has_sha(void);

/* Whether to use the 8-bit products of AVX-512 VNNI, which processors of the tier x86-avx512 are
 * without (Intel's of before 2019) and with. False in the tiers below. */
bool mood__cpu_has_vnni(void);

/* Whether to use those of AMX, which some processors of the tier x86-avx512 have (Intel's of 2023
 * and later). Linux keeps their registers only for a process that has asked for it: the first call
 * does, for all threads, and remembers the answer. False in the tiers below. */
bool mood__cpu_has_amx(void);

#endif
