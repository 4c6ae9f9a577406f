/* SPDX-License-Identifier: MIT
 *
 * cpu.c — Detection of the processor tier, and its limit by MOOD_CPU or mood_cpu_limit. */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#if defined(MOOD_HAVE_X86_TIERS)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(MOOD_HAVE_ARM_TIERS)
#include <sys/auxv.h>
#endif

#ifdef MOOD_HAVE_ARM_TIERS
static const char *const names[MOOD__N_TIERS] = {"c", "arm-neon", "arm-dotprod"};
#define NAMES "c, arm-neon and arm-dotprod"
#else
static const char *const names[MOOD__N_TIERS] = {"c", "x86-avx2", "x86-avxvnni", "x86-avx512"};
#define NAMES "c, x86-avx2, x86-avxvnni and x86-avx512"
#endif

/* The limit set by mood_cpu_limit, plus one; 0: none was set. */
static _Atomic int chosen_limit;

/* What the processor has: a bit for each tier, and what belongs to none. Bit 0, of the tier c, says
 * that it was asked: CPUID takes microseconds in a virtual machine. */
static _Atomic unsigned found;

enum { HAS_SHA = 1u << MOOD__N_TIERS, HAS_AVX512VNNI = HAS_SHA << 1 };

#if defined(MOOD_HAVE_X86_TIERS)

static unsigned detect(void)
{
    unsigned has = 1u << MOOD__TIER_C, eax, ebx, ecx, edx;
    /* The compiler's detector asks CPUID and, through XGETBV, whether the system saves the wide
     * registers: a bit that CPUID alone would miss. What it knows in later versions only is asked
     * for here: SHA is leaf 7.0, EBX bit 29 (what else sha256_x86.c needs, SSSE3 and SSE4.1, is
     * below AVX2); AVX-VNNI leaf 7.1, EAX bit 4. */
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return has;
    has |= 1u << MOOD__TIER_X86_AVX2;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        unsigned last_subleaf = eax;
        has |= ebx >> 29 & 1 ? HAS_SHA : 0;
        if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1))
            has |= 1u << MOOD__TIER_X86_AVXVNNI;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        has |= 1u << MOOD__TIER_X86_AVX512 |
               (__builtin_cpu_supports("avx512vnni") ? HAS_AVX512VNNI : 0);
    return has;
}

#elif defined(MOOD_HAVE_ARM_TIERS)

static unsigned detect(void)
{
    const unsigned long ASIMD = 1ul << 1, ASIMDDP = 1ul << 20; /* Linux's bits of AT_HWCAP */
    unsigned long caps = getauxval(AT_HWCAP);
    unsigned has = 1u << MOOD__TIER_C;
    if (caps & ASIMD)
        has |= 1u << MOOD__TIER_ARM_NEON | (caps & ASIMDDP ? 1u << MOOD__TIER_ARM_DOTPROD : 0);
    return has;
}

#else

static unsigned detect(void)
{
    return 1u << MOOD__TIER_C;
}

#endif

static unsigned processor(void)
{
    unsigned bits = atomic_load_explicit(&found, memory_order_relaxed);
    if (!bits) {
        bits = detect();
        atomic_store_explicit(&found, bits, memory_order_relaxed);
    }
    return bits;
}

static int find(const char *name)
{
    for (int i = 0; i < MOOD__N_TIERS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

bool mood__cpu_has(enum mood__tier tier)
{
    return processor() >> tier & 1;
}

enum mood__tier mood__cpu_tier(void)
{
    int limit = atomic_load(&chosen_limit) - 1;
    if (limit < 0) {
        const char *env = getenv("MOOD_CPU");
        limit = env ? find(env) : -1;
    }
    int tier = limit >= 0 ? limit : MOOD__N_TIERS - 1;
    while (!mood__cpu_has((enum mood__tier)tier))
        tier--;
    return (enum mood__tier)tier;
}

bool mood__cpu_may_use(enum mood__tier tier)
{
    return tier <= mood__cpu_tier() && mood__cpu_has(tier);
}

bool mood__cpu_has_sha(void)
{
    return mood__cpu_tier() > MOOD__TIER_C && (processor() & HAS_SHA);
}

bool mood__cpu_has_vnni(void)
{
    /* Found only where there is x86-avx512, the last of its tiers. */
    return mood__cpu_tier() == MOOD__N_TIERS - 1 && (processor() & HAS_AVX512VNNI);
}

const char *mood__cpu_name(enum mood__tier tier)
{
    return names[tier];
}

#if defined(MOOD_HAVE_X86_TIERS) && defined(__linux__)
/* CPUID 7.0 EDX: tiles, products of bytes in them. arch_prctl(ARCH_REQ_XCOMP_PERM, tile data) fails
 * where the system does not save them (before Linux 5.16), and where a signal stack that is there
 * already would be too small for them. */
static bool ask_for_amx(void)
{
    enum { TILE_BIT = 24, INT8_BIT = 25, REQUEST = 0x1023, TILE_DATA = 18 };
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx >> TILE_BIT & 1) &&
           (edx >> INT8_BIT & 1) && syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

static _Atomic int amx_answer; /* 0: not asked yet, 1: no, 2: yes */

bool mood__cpu_has_amx(void)
{
    if (mood__cpu_tier() < MOOD__TIER_X86_AVX512)
        return false;
    int answer = atomic_load(&amx_answer);
    if (!answer) {
        answer = ask_for_amx() ? 2 : 1;
        atomic_store(&amx_answer, answer);
    }
    return answer == 2;
}
#else
bool mood__cpu_has_amx(void)
{
    return false;
}
#endif

const char *mood_cpu_tier(void)
{
    return names[mood__cpu_tier()];
}

mood_status mood_cpu_limit(const char *tier)
{
    int i = find(tier);
    if (i < 0)
        return mood__fail(MOOD_E_INVALID, "'%s' is no processor tier; there are " NAMES, tier);
    if (!mood__cpu_has((enum mood__tier)i))
        return mood__fail(MOOD_E_UNSUPPORTED, "this processor has no %s", tier);
    atomic_store(&chosen_limit, i + 1);
    return MOOD_OK;
}
