/* SPDX-License-Identifier: MIT
 *
 * i8_avx2.c — 8-bit products for AVX2: bytes widened to 16 bits in registers, vpmaddwd; compiled
 * once more with AVX-VNNI, whose vpdpbusd multiplies bytes as they are. */
#include <immintrin.h>

typedef __m256i vec;

static inline vec spread(const char *a)
{
    int v;
    __builtin_memcpy(&v, a, sizeof(v));
    return _mm256_set1_epi32(v);
}

#ifdef __AVXVNNI__

enum { ROWS = 6, LINES = 2, LANES = 8, PARTS = 1, OFFSET = 0 };
#define I8_TABLE mood__i8_kernels_avxvnni
#define I8_NAME  "avxvnni"

static inline vec part_of(const char *w, int p)
{
    (void)p;
    return _mm256_load_si256((const vec *)(const void *)w);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    return _mm256_dpbusd_avx_epi32(sum, a, w);
}

#else

enum { ROWS = 4, LINES = 2, LANES = 8, PARTS = 2, OFFSET = 0 };
#define I8_TABLE mood__i8_kernels_avx2
#define I8_NAME  "avx2"

static inline vec part_of(const char *w, int p)
{
    vec v = _mm256_load_si256((const vec *)(const void *)w);
    return _mm256_srai_epi16(p == 0 ? _mm256_slli_epi16(v, 8) : v, 8);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, w));
}

#endif
#include "kernel/i8_loops.h"
