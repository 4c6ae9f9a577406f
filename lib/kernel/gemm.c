/* SPDX-License-Identifier: MIT
 *
 * gemm.c — The owner of <cblas.h>. */
#include "kernel/gemm.h"

#include <cblas.h>
#include <pthread.h>

#include "base/pool.h"

/* The one piece of process-wide state: how many runs are in progress, and what OpenBLAS was set to
 * before the first of them. */
static pthread_mutex_t blas_mutex = PTHREAD_MUTEX_INITIALIZER;
static int blas_users, blas_threads_before;

void mood__blas_begin(void)
{
    pthread_mutex_lock(&blas_mutex);
    if (blas_users++ == 0) {
        blas_threads_before = openblas_get_num_threads();
        if (blas_threads_before != 1)
            openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&blas_mutex);
}

void mood__blas_end(void)
{
    pthread_mutex_lock(&blas_mutex);
    if (--blas_users == 0 && blas_threads_before != 1)
        openblas_set_num_threads(blas_threads_before);
    pthread_mutex_unlock(&blas_mutex);
}

/* Not left to beta = 0, which some versions of OpenBLAS multiply by what is there, NaN included. */
static void clear_column(float *c, int64_t n, int64_t step)
{
    for (int64_t i = 0; i < n; i++)
        c[i * step] = 0;
}

void mood__gemm(int64_t m, int64_t n, int64_t k, struct mood__mat a, struct mood__mat b, float *c,
                int64_t ldc, bool add)
{
    if (m <= 0 || n <= 0 || k <= 0)
        return;
    /* With a single row or column, a product would first copy all of the other operand into its own
     * layout. */
    if (m == 1 && !a.transposed) {
        if (!add)
            clear_column(c, n, 1);
        cblas_sgemv(CblasRowMajor, b.transposed ? CblasNoTrans : CblasTrans,
                    (blasint)(b.transposed ? n : k), (blasint)(b.transposed ? k : n), 1.0f, b.data,
                    (blasint)b.ld, a.data, 1, 1.0f, c, 1);
        return;
    }
    if (n == 1) {
        if (!add)
            clear_column(c, m, ldc);
        cblas_sgemv(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                    (blasint)(a.transposed ? k : m), (blasint)(a.transposed ? m : k), 1.0f, a.data,
                    (blasint)a.ld, b.data, (blasint)(b.transposed ? 1 : b.ld), 1.0f, c,
                    (blasint)ldc);
        return;
    }
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                b.transposed ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f,
                a.data, (blasint)a.ld, b.data, (blasint)b.ld, add ? 1.0f : 0.0f, c, (blasint)ldc);
}

void mood__gemm_f64_tn(int64_t m, int64_t n, int64_t k, const double *a, int64_t lda,
                       const double *b, int64_t ldb, double *c, int64_t ldc)
{
    if (m > 0 && n > 0 && k > 0)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1,
                    a, (blasint)lda, b, (blasint)ldb, 1, c, (blasint)ldc);
}

struct job {
    int64_t m, n, k, block_m, block_n, n_blocks_n;
    struct mood__mat a, b;
    float *c;
    int64_t ldc;
    bool add;
};

static void gemm_block(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t i0 = task / j->n_blocks_n * j->block_m, j0 = task % j->n_blocks_n * j->block_n;
    int64_t m = j->m - i0 < j->block_m ? j->m - i0 : j->block_m;
    int64_t n = j->n - j0 < j->block_n ? j->n - j0 : j->block_n;
    struct mood__mat a = j->a, b = j->b;
    a.data += a.transposed ? i0 : i0 * a.ld;
    b.data += b.transposed ? j0 * b.ld : j0;
    mood__gemm(m, n, j->k, a, b, j->c + i0 * j->ldc + j0, j->ldc, j->add);
}

void mood__gemm_parallel(mood_pool *pool, int64_t m, int64_t n, int64_t k, struct mood__mat a,
                         struct mood__mat b, float *c, int64_t ldc, bool add)
{
    /* Halve the longer side until a block is about 4 million multiplications: a fraction of a
     * millisecond, long against waking a thread and short against the whole. */
    const int64_t wanted = INT64_C(4) << 20;
    struct job j = {m, n, k, m, n, 1, a, b, c, ldc, add};
    while (j.block_m * j.block_n > wanted / (k > 0 ? k : 1) && (j.block_m > 64 || j.block_n > 64)) {
        if (j.block_m >= j.block_n)
            j.block_m = (j.block_m + 1) / 2;
        else
            j.block_n = (j.block_n + 1) / 2;
    }
    if (m <= 0 || n <= 0)
        return;
    j.n_blocks_n = (n + j.block_n - 1) / j.block_n;
    mood__pool_run(pool, (m + j.block_m - 1) / j.block_m * j.n_blocks_n, gemm_block, &j);
}
