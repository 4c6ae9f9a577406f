/* SPDX-License-Identifier: MIT
 *
 * cpu.c — Detection of the processor tier, and its limit by MOOD_CPU or mood_cpu_limit. */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#ifdef MOOD_HAVE_X86_TIERS
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[MOOD__N_TIERS] = {"c", "x86-avx2", "x86-avx512"};

/* The limit set by mood_cpu_limit, plus one; 0: none was set. */
static _Atomic int chosen_limit;

static enum mood__tier detect(void)
{
    enum mood__tier tier = MOOD__TIER_C;
#if defined(__x86_64__) && defined(__GNUC__)
    /* The compiler's detector asks CPUID and, through XGETBV, whether the system saves the wide
     * registers: a bit that CPUID alone would miss. */
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        tier = MOOD__TIER_X86_AVX2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"))
            tier = MOOD__TIER_X86_AVX512;
    }
#endif
    return tier;
}

static int find(const char *name)
{
    for (int i = 0; i < MOOD__N_TIERS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

enum mood__tier mood__cpu_tier(void)
{
    int tier = (int)detect();
    int limit = atomic_load(&chosen_limit) - 1;
    if (limit < 0) {
        const char *env = getenv("MOOD_CPU");
        limit = env ? find(env) : -1;
    }
    return (enum mood__tier)(limit >= 0 && limit < tier ? limit : tier);
}

bool mood__cpu_has_sha(void)
{
#ifdef MOOD_HAVE_X86_TIERS
    /* Leaf 7, sub-leaf 0, bit 29 of EBX. The compilers' detector knows it in later versions only.
     * What else sha256_x86.c needs, SSSE3 and SSE4.1, is below AVX2. */
    unsigned eax, ebx, ecx, edx;
    return mood__cpu_tier() > MOOD__TIER_C && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
           (ebx >> 29 & 1);
#else
    return false;
#endif
}

bool mood__cpu_has_vnni(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return mood__cpu_tier() == MOOD__TIER_X86_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
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
        return mood__fail(MOOD_E_INVALID,
                          "'%s' is no processor tier; there are c, x86-avx2 and x86-avx512", tier);
    if (i > (int)detect())
        return mood__fail(MOOD_E_UNSUPPORTED, "this processor has no %s", tier);
    atomic_store(&chosen_limit, i + 1);
    return MOOD_OK;
}
