/* SPDX-License-Identifier: MIT
 *
 * gemm.h — Matrix products, by OpenBLAS with one thread per call and our own pool above it. */
#ifndef MOOD_KERNEL_GEMM_H
#define MOOD_KERNEL_GEMM_H

#include <stdbool.h>

#include "mood/base.h"

/* A row-major matrix inside memory: row r starts at data + r * ld. */
struct mood__mat {
    const float *data;
    int64_t ld;
    bool transposed; /* use it as its transpose */
};

/* C (m, n) = A (m, k) B (k, n) + (add ? C : 0), where A and B are meant after transposition. Runs
 * on the calling thread. Sizes and strides are at most INT32_MAX, ld >= the row length; a product
 * with no elements does nothing. Not contracted or split differently by load: same inputs, same
 * bytes. */
void mood__gemm(int64_t m, int64_t n, int64_t k, struct mood__mat a, struct mood__mat b, float *c,
                int64_t ldc, bool add);

/* The same, divided among the threads of `pool` into blocks that depend on the shape alone. */
void mood__gemm_parallel(mood_pool *pool, int64_t m, int64_t n, int64_t k, struct mood__mat a,
                         struct mood__mat b, float *c, int64_t ldc, bool add);

/* C (m, n) += A^T B in double, of row-major A (k, m), B (k, n) and C. Between mood__blas_begin and
 * mood__blas_end; otherwise as mood__gemm. */
void mood__gemm_f64_tn(int64_t m, int64_t n, int64_t k, const double *a, int64_t lda,
                       const double *b, int64_t ldb, double *c, int64_t ldc);

/* OpenBLAS' number of threads is one setting for the whole process. Between begin and end it is 1
 * for everybody; when the last of any nested or concurrent pairs ends, it is again what it was. */
void mood__blas_begin(void);
void mood__blas_end(void);

#endif
