/* SPDX-License-Identifier: MIT
 *
 * i8_avx512.c — 8-bit products for AVX-512 BW, in the way of i8_avx2.c; compiled once more with
 * VNNI, whose vpdpbusd multiplies bytes as they are. */
#include <immintrin.h>

typedef __m512i vec;

static inline vec spread(const char *a)
{
    int v;
    __builtin_memcpy(&v, a, sizeof(v));
    return _mm512_set1_epi32(v);
}

#ifdef __AVX512VNNI__

enum { ROWS = 12, LINES = 2, LANES = 16, PARTS = 1, OFFSET = 0 };
#define I8_TABLE mood__i8_kernels_avx512vnni
#define I8_NAME  "avx512-vnni"

static inline vec part_of(const char *w, int p)
{
    (void)p;
    return _mm512_load_si512(w);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    return _mm512_dpbusd_epi32(sum, a, w);
}

#else

enum { ROWS = 8, LINES = 2, LANES = 16, PARTS = 2, OFFSET = 0 };
#define I8_TABLE mood__i8_kernels_avx512
#define I8_NAME  "avx512"

static inline vec part_of(const char *w, int p)
{
    vec v = _mm512_load_si512(w);
    return _mm512_srai_epi16(p == 0 ? _mm512_slli_epi16(v, 8) : v, 8);
}

static inline vec add_products(vec sum, vec a, vec w)
{
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, w));
}

#endif
#include "kernel/i8_loops.h"
