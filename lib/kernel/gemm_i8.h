/* SPDX-License-Identifier: MIT
 *
 * gemm_i8.h — Matrix products with weights of 8 bits:
 *
 *     Y (M, N) = A (M, K) W (K, N) + bias (N)
 *
 * A and Y are float. W was rounded once, when its file was made, to integers -127 to 127 with one
 * scale per column. A row of A is rounded when it is used, to integers 0 to 255 with a scale and a
 * zero of its own: what GELU gives lies almost all on one side of 0, and a zero in the middle would
 * waste a bit on the other. With a = scale_a (qa - zero) and w = scale_w qw,
 *
 *     y[n] = (sum_k qa[k] qw[k, n]  -  zero * sum_k qw[k, n]) * (scale_a * scale_w[n])  +  bias[n]
 *
 * Both sums are exact: 255 * 128 * K stays below 2^31 up to MOOD__I8_MAX_DEPTH, and no tier adds in
 * fewer than 32 bits. AVX2's vpmaddubsw does: its 16 bits are full after two products. It could be
 * had with 7 bits for one of the factors; 8 were kept, for bytes widened to 16 bits and vpmaddwd
 * cost little more, and VNNI (vpdpbusd, of AVX-512 and of AVX) and AMX (tdpbusd) do the whole in
 * one instruction, as do ARM's dot products (i8_neon.c). So all tiers give the same bytes.
 *
 * Against the product in real numbers, y is off by half a step of a for each weight, half a step of
 * w for each value of a, and 2^-22 of the sizes of what is added, for float's own roundings; that
 * is tested.
 *
 * How W lies in memory, in files too: panels of 32 columns, the last one filled up with zeros. A
 * panel, on a 64-byte boundary, little-endian:
 *
 *     float  scale[32]            scale_w
 *     int32  sum[32]              the sum over k of the column's integers
 *     int8   q[ceil(K/4)][32][4]  four values of k together, zeros beyond K */
#ifndef MOOD_KERNEL_GEMM_I8_H
#define MOOD_KERNEL_GEMM_I8_H

#include <stdbool.h>

#include "mood/base.h"

enum {
    MOOD__I8_COLUMNS = 32,      /* of a panel */
    MOOD__I8_STEP = 4,          /* values of k that lie together */
    MOOD__I8_MAX_DEPTH = 65536, /* the largest K */
};

/* Panels of a matrix with N columns, and the bytes of each when it has K rows. */
int64_t mood__i8_panels(int64_t n);
int64_t mood__i8_panel_bytes(int64_t k);

/* Round W (k, n), row-major and contiguous, to the nearest integers, halves to the even one, under
 * scale_w[n] = max |W[., n]| / 127. `panels` is 64-byte aligned. NaN and infinity make the scale of
 * their column NaN. */
void mood__i8_pack(void *panels, const float *w, int64_t k, int64_t n);

/* The reverse: W = scale_w qw. */
void mood__i8_unpack(float *w, const void *panels, int64_t k, int64_t n);

/* Whether the heads of panels are possible: each scale finite and not negative, no sum above what K
 * bytes can give, nothing in the columns beyond N. For what a file holds: digests find damage, and
 * with a false sum a product is wrong, but defined. */
bool mood__i8_check(const void *panels, int64_t k, int64_t n);

struct mood__i8_product {
    int64_t m, n, k;
    const float *a; /* row i begins at a + i * lda; rows may overlap (lda < k) */
    int64_t lda;
    const void *w;     /* panels */
    const float *bias; /* or NULL */
    float *y;
    int64_t ldy;
};

/* The scratch memory, 64-byte aligned, that a product of this size needs. */
size_t mood__i8_scratch(int64_t m, int64_t k);

/* Divided among the pool's threads by the shape alone. A row of A that holds NaN or infinity, or
 * whose values are further apart than FLT_MAX, gives a row of NaN; values that are all within 1e-30
 * of 0 count as 0. */
void mood__gemm_i8(mood_pool *pool, const struct mood__i8_product *p, void *scratch);

#endif
