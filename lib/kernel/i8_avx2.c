/* SPDX-License-Identifier: MIT
 *
 * i8_avx2.c — 8-bit products for AVX2: bytes widened to 16 bits in registers, vpmaddwd. */
#include <immintrin.h>

enum { ROWS = 4, LINES = 2, LANES = 8, PARTS = 2 };
typedef __m256i vec;

static inline vec part_of(const char *w, int p)
{
    vec v = _mm256_load_si256((const vec *)(const void *)w);
    return _mm256_srai_epi16(p == 0 ? _mm256_slli_epi16(v, 8) : v, 8);
}

static inline vec spread(const char *a)
{
    int v;
    __builtin_memcpy(&v, a, sizeof(v));
    return _mm256_set1_epi32(v);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, w));
}

#define I8_TABLE mood__i8_kernels_avx2
#define I8_NAME  "avx2"
#include "kernel/i8_loops.h"
