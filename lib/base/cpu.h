/* SPDX-License-Identifier: MIT
 *
 * cpu.h — Which processor tier to use. Tiers are bundles of instruction sets, in rising order;
 * those of one architecture, for a build knows no others. */
#ifndef MOOD_BASE_CPU_H
#define MOOD_BASE_CPU_H

#include <stdbool.h>

enum mood__tier {
    MOOD__TIER_C, /* portable C11 */
#ifdef MOOD_HAVE_ARM_TIERS
    MOOD__TIER_ARM_NEON,    /* Advanced SIMD, which AArch64 has by definition */
    MOOD__TIER_ARM_DOTPROD, /* + SDOT, for products of 8 bits; float as ARM_NEON */
#else
    MOOD__TIER_X86_AVX2,    /* AVX2 + FMA, and the system saves the YMM registers */
    MOOD__TIER_X86_AVXVNNI, /* + AVX-VNNI, for products of 8 bits; float as X86_AVX2. Laptops of
                             * 2021 and later have it, servers with AVX-512 may be without. */
    MOOD__TIER_X86_AVX512,  /* AVX2 + AVX-512 F CD BW DQ VL, and the system saves ZMM and masks */
#endif
    MOOD__N_TIERS
};

/* Whether this processor has all that a tier asks for, whatever the limit. */
bool mood__cpu_has(enum mood__tier tier);

/* Its name, for people. */
const char *mood__cpu_name(enum mood__tier tier);

/* The highest tier that this processor has, lowered by MOOD_CPU and mood_cpu_limit. */
enum mood__tier mood__cpu_tier(void);

/* Whether to use a tier's instructions: the processor has them, and no limit is below. */
bool mood__cpu_may_use(enum mood__tier tier);

/* Whether to use the SHA instructions of x86, which belong to no tier: processors of the tier
 * x86-avx2 are without (Intel's of before 2019) and with them. False in the tier c, so that a limit
 * to c is one to portable C. */
bool mood__cpu_has_sha(void);

/* Whether to use the 8-bit products of AVX-512 VNNI, which processors of the tier x86-avx512 are
 * without (Intel's of before 2019) and with. False in the tiers below. */
bool mood__cpu_has_vnni(void);

/* Whether to use those of AMX, which some processors of the tier x86-avx512 have (Intel's of 2023
 * and later). Linux keeps their registers only for a process that has asked for it: the first call
 * does, for all threads, and remembers the answer. False in the tiers below. */
bool mood__cpu_has_amx(void);

#endif
