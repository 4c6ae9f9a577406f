/* SPDX-License-Identifier: MIT
 *
 * product.h — Matrix products of our own, for running networks forward: faster than OpenBLAS by a
 * tenth and more where few rows meet many weights, and able to read rows that overlap, as those of
 * a convolution do. Everything else, and a processor without fused multiply-add, has gemm.h. */
#ifndef MOOD_KERNEL_PRODUCT_H
#define MOOD_KERNEL_PRODUCT_H

#include "kernel/kernels.h"
#include "mood/base.h"

/* c (M, N) = a (M, K) b (K, N) + bias (N), row-major; row i of a starts at a + i * a_ld, and so on.
 * Rows of a may overlap: a_ld may be less than K. No bias: NULL. Where b is in panels already
 * (MOOD_F32_PANELS), N is a multiple of their width, and b_ld says nothing. */
struct mood__product {
    int64_t M, N, K;
    const float *a;
    int64_t a_ld;
    const float *b;
    int64_t b_ld;
    bool b_in_panels;
    const float *bias;
    float *c;
    int64_t c_ld;
};

/* Whether this processor's kernels have what it takes, and the product is of a kind that gains. Of
 * the shape and the processor only, so that equal runs go equal ways. */
bool mood__product_pays(int64_t M, int64_t N, int64_t K);

/* Bytes of scratch memory, where b is in panels and where it is not. */
size_t mood__product_scratch(int64_t M, int64_t N, int64_t K, int n_workers);
size_t mood__product_scratch_panels(int64_t M, int64_t K);

/* Divided among the threads of `pool`; the same bytes on any number of them, and whether b is in
 * panels or not. `n_workers` as for the scratch. */
void mood__product_run(const struct mood__product *p, const struct mood__kernels *k,
                       mood_pool *pool, int n_workers, void *scratch);

#endif
