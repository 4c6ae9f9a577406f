/* SPDX-License-Identifier: MIT
 *
 * tile.h — The inner loop of matrix products. A tile of C, TILE_ROWS x two vectors, stays in
 * registers while k runs: per step two loads of B, and per row one number of A against both. Here,
 * and only here, the tiers have different code, because no compiler keeps such a tile in registers
 * by itself; the result is the same, for every element of C is one chain of fused multiply-adds in
 * the order of k, whatever the tile. Without such an instruction (tier c) fmaf does it, which is
 * exact too, and slow: that one specifies, and is not used for more. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernel/kernels.h"

#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512 vec;
enum { VEC = 16 };
#define TILE_ROWS 12 /* 24 registers of 32 */
static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline void vec_store(float *p, vec x)
{
    _mm512_storeu_ps(p, x);
}
static inline vec vec_of(float x)
{
    return _mm512_set1_ps(x);
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
typedef __m256 vec;
enum { VEC = 8 };
#define TILE_ROWS 6 /* 12 registers of 16 */
static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void vec_store(float *p, vec x)
{
    _mm256_storeu_ps(p, x);
}
static inline vec vec_of(float x)
{
    return _mm256_set1_ps(x);
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
#elif defined(TIER_NEON)
#include <arm_neon.h>
typedef float32x4_t vec;
enum { VEC = 4 };
#define TILE_ROWS 12 /* 24 registers of 32 */
static inline vec vec_load(const float *p)
{
    return vld1q_f32(p);
}
static inline void vec_store(float *p, vec x)
{
    vst1q_f32(p, x);
}
static inline vec vec_of(float x)
{
    return vdupq_n_f32(x);
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}
#else
typedef float vec;
enum { VEC = 1 };
#define TILE_ROWS 4
static inline vec vec_load(const float *p)
{
    return *p;
}
static inline void vec_store(float *p, vec x)
{
    *p = x;
}
static inline vec vec_of(float x)
{
    return x;
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return fmaf(a, b, c);
}
#endif

/* Loops over the rows of a tile have to disappear, or the tile is not in registers. Clang does so
 * by itself; told to, it takes minutes with its sanitizers. */
#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif

/* Panels that are made while another is used: their rows come from memory, and would have to be
 * waited for, but between the steps of a product there is time. One row of one panel is copied
 * every so many steps. */
struct packing {
    struct mood__pack left;
    ptrdiff_t column; /* of the row that is being copied: what comes next */
    ptrdiff_t steps;  /* between two copies */
};

enum { FEWEST_STEPS = 4, LINE = 16 /* numbers in a line of the cache */ };

static inline void advance(struct packing *p)
{
    p->column += MOOD__PANEL;
    if (p->column >= p->left.width) {
        p->column = 0;
        if (p->left.panel)
            p->left.panel += MOOD__PANEL;
        p->left.from += --p->left.rows ? p->left.ld : 0;
    }
}

static inline void pack_row(struct packing *p)
{
    if (p->left.rows <= 0)
        return;
    const float *from = p->left.from + p->column;
    if (!p->left.panel) {
        for (int i = 0; i < MOOD__PANEL; i += LINE)
            __builtin_prefetch(from + i, 0, 2);
        advance(p);
        return;
    }
    float *to = p->left.panel + p->column / MOOD__PANEL * p->left.panel_step;
    ptrdiff_t width = p->left.width - p->column;
    if (width >= MOOD__PANEL)
        memcpy(to, from, MOOD__PANEL * sizeof(float));
    else
        memcpy(to, from, (size_t)width * sizeof(float));
    advance(p);
}

/* `m` rows of C, `nv` vectors wide, of A or (`t`) its transpose; all three are constants where this
 * is called. */
static inline __attribute__((always_inline)) void tile(float *c, ptrdiff_t c_ld, const float *a,
                                                       ptrdiff_t a_ld, const float *b, ptrdiff_t K,
                                                       bool acc, const int m, const int nv,
                                                       const bool t, struct packing *next)
{
    vec sum[TILE_ROWS][2];
    UNROLL
    for (int i = 0; i < m; i++)
        for (int v = 0; v < nv; v++)
            sum[i][v] = acc ? vec_load(c + i * c_ld + v * VEC) : vec_of(0.0f);
    for (ptrdiff_t k = 0; k < K;) {
        ptrdiff_t stop = next->steps < K - k ? k + next->steps : K;
        pack_row(next);
        for (; k < stop; k++) {
            vec b0 = vec_load(b + k * MOOD__PANEL);
            vec b1 = nv > 1 ? vec_load(b + k * MOOD__PANEL + VEC) : b0;
            UNROLL
            for (int i = 0; i < m; i++) {
                vec x = vec_of(t ? a[k * a_ld + i] : a[i * a_ld + k]);
                sum[i][0] = vec_fma(x, b0, sum[i][0]);
                if (nv > 1)
                    sum[i][1] = vec_fma(x, b1, sum[i][1]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < m; i++)
        for (int v = 0; v < nv; v++)
            vec_store(c + i * c_ld + v * VEC, sum[i][v]);
}

#define TILE(n)                                                                                    \
    case n:                                                                                        \
        if (nv > 1)                                                                                \
            tile(c, c_ld, a, a_ld, b, K, acc, n, 2, t, next);                                      \
        else                                                                                       \
            tile(c, c_ld, a, a_ld, b, K, acc, n, 1, t, next);                                      \
        break;

static inline __attribute__((always_inline)) void any_tile_of(float *c, ptrdiff_t c_ld,
                                                              const float *a, ptrdiff_t a_ld,
                                                              const float *b, ptrdiff_t K, bool acc,
                                                              ptrdiff_t m, int nv, const bool t,
                                                              struct packing *next)
{
    switch (m) {
        TILE(1)
        TILE(2)
        TILE(3)
        TILE(4)
#if TILE_ROWS > 4
        TILE(5)
        TILE(6)
#endif
#if TILE_ROWS > 6
        TILE(7)
        TILE(8)
        TILE(9)
        TILE(10)
        TILE(11)
        TILE(12)
#endif
    }
}

static void any_tile(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                     ptrdiff_t K, bool acc, ptrdiff_t m, int nv, struct packing *next)
{
    any_tile_of(c, c_ld, a, a_ld, b, K, acc, m, nv, false, next);
}

static void any_tile_t(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                       ptrdiff_t K, bool acc, ptrdiff_t m, int nv, struct packing *next)
{
    any_tile_of(c, c_ld, a, a_ld, b, K, acc, m, nv, true, next);
}

/* Either of them. */
typedef void tile_fn(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                     ptrdiff_t K, bool acc, ptrdiff_t m, int nv, struct packing *next);

/* A tile that is not as wide as its vectors: by way of one that is. */
static void narrow_tile(tile_fn *fn, float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld,
                        const float *b, ptrdiff_t K, bool acc, ptrdiff_t m, ptrdiff_t n,
                        struct packing *next)
{
    float whole[TILE_ROWS * 2 * VEC];
    int nv = n > VEC ? 2 : 1;
    memset(whole, 0, sizeof(whole));
    for (ptrdiff_t i = 0; i < m && acc; i++)
        memcpy(whole + i * 2 * VEC, c + i * c_ld, (size_t)n * sizeof(float));
    fn(whole, 2 * VEC, a, a_ld, b, K, acc, m, nv, next);
    for (ptrdiff_t i = 0; i < m; i++)
        memcpy(c + i * c_ld, whole + i * 2 * VEC, (size_t)n * sizeof(float));
}

static void product(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                    ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool acc, const struct mood__pack *next)
{
    ptrdiff_t n_tiles = (M + TILE_ROWS - 1) / TILE_ROWS;
    struct packing packing = {.left = {.rows = 0}, .steps = K};
    if (next && next->rows > 0) {
        ptrdiff_t copies = next->rows * ((next->width + MOOD__PANEL - 1) / MOOD__PANEL);
        ptrdiff_t steps = n_tiles * ((n + 2 * VEC - 1) / (2 * VEC)) * K / copies;
        packing.left = *next;
        packing.steps = steps > FEWEST_STEPS ? steps : FEWEST_STEPS;
    }
    for (ptrdiff_t t = 0; t < n_tiles; t++) {
        ptrdiff_t first = t * M / n_tiles, m = (t + 1) * M / n_tiles - first; /* about equal */
        for (ptrdiff_t j = 0; j < n; j += 2 * VEC) {
            float *to = c + first * c_ld + j;
            if (n - j >= 2 * VEC || n - j == VEC)
                any_tile(to, c_ld, a + first * a_ld, a_ld, b + j, K, acc, m, n - j > VEC ? 2 : 1,
                         &packing);
            else
                narrow_tile(any_tile, to, c_ld, a + first * a_ld, a_ld, b + j, K, acc, m, n - j,
                            &packing);
        }
    }
    while (packing.left.rows > 0)
        pack_row(&packing);
}

static void product_t(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                      ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool acc)
{
    ptrdiff_t n_tiles = (M + TILE_ROWS - 1) / TILE_ROWS;
    struct packing none = {.left = {.rows = 0}, .steps = K};
    for (ptrdiff_t t = 0; t < n_tiles; t++) {
        ptrdiff_t first = t * M / n_tiles, m = (t + 1) * M / n_tiles - first;
        for (ptrdiff_t j = 0; j < n; j += 2 * VEC) {
            float *to = c + first * c_ld + j;
            if (n - j >= 2 * VEC || n - j == VEC)
                any_tile_t(to, c_ld, a + first, a_ld, b + j, K, acc, m, n - j > VEC ? 2 : 1, &none);
            else
                narrow_tile(any_tile_t, to, c_ld, a + first, a_ld, b + j, K, acc, m, n - j, &none);
        }
    }
}
