/* SPDX-License-Identifier: MIT
 *
 * test_gemm.c — Matrix products against double precision; the same bytes on any number of threads;
 * and OpenBLAS's own number of threads, which has to be afterwards what it was before. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernel/gemm.h"

/* OpenBLAS's, whose header belongs to lib/kernel/gemm.c. */
int openblas_get_num_threads(void);
void openblas_set_num_threads(int n);

static const double U = 0x1p-24; /* what one operation may be off by */

/* C (m, n) = A (m, k) B (k, n); rows lie `gap` numbers further apart than they are long. */
struct product {
    int64_t m, n, k, gap;
    bool ta, tb, add;
    float *a, *b, *before, *c;
    struct mood__mat A, B;
    int64_t ldc;
};

static float *random_numbers(int64_t n, struct mood__rng *r)
{
    float *x = malloc((size_t)(n + 1) * sizeof(*x));
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = 2.0f * mood__rng_float(r) - 1.0f;
    return x;
}

static void make(struct product *p, struct mood__rng *r)
{
    int64_t lda = (p->ta ? p->m : p->k) + p->gap, ldb = (p->tb ? p->k : p->n) + p->gap;
    p->ldc = p->n + p->gap;
    p->a = random_numbers((p->ta ? p->k : p->m) * lda, r);
    p->b = random_numbers((p->tb ? p->n : p->k) * ldb, r);
    p->before = random_numbers(p->m * p->ldc, r);
    p->c = random_numbers(p->m * p->ldc, r);
    memcpy(p->c, p->before, (size_t)(p->m * p->ldc) * sizeof(float));
    p->A = (struct mood__mat){p->a, lda, p->ta};
    p->B = (struct mood__mat){p->b, ldb, p->tb};
}

static void release(struct product *p)
{
    free(p->a);
    free(p->b);
    free(p->before);
    free(p->c);
}

static double element(const struct mood__mat *m, int64_t row, int64_t col)
{
    return (double)(m->transposed ? m->data[col * m->ld + row] : m->data[row * m->ld + col]);
}

/* The largest error as a part of its bound: k products and additions, in any order. */
static double check(const struct product *p)
{
    double worst = 0;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->ldc; j++) {
            double got = (double)p->c[i * p->ldc + j], old = (double)p->before[i * p->ldc + j];
            if (j >= p->n) { /* between the rows */
                assert_true(got == old);
                continue;
            }
            double sum = p->add ? old : 0, size = fabs(sum);
            for (int64_t e = 0; e < p->k; e++) {
                double term = element(&p->A, i, e) * element(&p->B, e, j);
                sum += term;
                size += fabs(term);
            }
            double bound = 1.01 * (double)(p->k + 1) * U * size;
            if (!(fabs(got - sum) <= bound))
                fail_msg("(%lld x %lld x %lld) at %lld, %lld: off by %.2e, bound %.2e",
                         (long long)p->m, (long long)p->n, (long long)p->k, (long long)i,
                         (long long)j, fabs(got - sum), bound);
            worst = fmax(worst, bound > 0 ? fabs(got - sum) / bound : 0);
        }
    return worst;
}

static const struct {
    int64_t m, n, k;
} sizes[] = {{1, 1, 1},     {1, 7, 3},      {5, 1, 9},    {3, 4, 64},
             {17, 33, 2},   {64, 8, 40},    {31, 129, 5}, {100, 90, 80},
             {2, 300, 300}, {300, 300, 70}, {700, 1, 13}, {13, 1, 700}};

static void test_exact(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(1, 0);
    double worst = 0;
    mood__blas_begin();
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int form = 0; form < 16; form++) {
            struct product p = {.m = sizes[s].m,
                                .n = sizes[s].n,
                                .k = sizes[s].k,
                                .gap = form & 8 ? 3 : 0,
                                .ta = form & 1,
                                .tb = form & 2,
                                .add = form & 4};
            make(&p, &r);
            mood__gemm(p.m, p.n, p.k, p.A, p.B, p.c, p.ldc, p.add);
            worst = fmax(worst, check(&p));
            release(&p);
        }
    mood__blas_end();
    print_message("worst error: %.2f of its bound\n", worst);
}

/* Large enough to be divided. */
static void test_threads(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(2, 0);
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    mood__blas_begin();
    for (int form = 0; form < 8; form++) {
        struct product p = {.m = form & 4 ? 130 : 700,
                            .n = form & 4 ? 900 : 120,
                            .k = 310,
                            .gap = 1,
                            .ta = form & 1,
                            .tb = form & 2};
        make(&p, &r);
        size_t bytes = (size_t)(p.m * p.ldc) * sizeof(float);
        float *once = malloc(bytes);
        assert_non_null(once);
        mood__gemm_parallel(NULL, p.m, p.n, p.k, p.A, p.B, p.c, p.ldc, false);
        memcpy(once, p.c, bytes);
        memcpy(p.c, p.before, bytes);
        mood__gemm_parallel(pool, p.m, p.n, p.k, p.A, p.B, p.c, p.ldc, false);
        assert_memory_equal(once, p.c, bytes);
        if (form % 4 == 0) /* in double it takes its time */
            check(&p);
        free(once);
        release(&p);
    }
    mood__blas_end();
    mood_pool_destroy(&pool);
}

static void test_empty(void **state)
{
    (void)state;
    float c = 5, x = 1;
    for (int which = 0; which < 3; which++) {
        int64_t m = which != 0, n = which != 1, k = which != 2;
        mood__gemm(m, n, k, (struct mood__mat){&x, 1, false}, (struct mood__mat){&x, 1, false}, &c,
                   1, true);
        mood__gemm_parallel(NULL, m, n, k, (struct mood__mat){&x, 1, false},
                            (struct mood__mat){&x, 1, false}, &c, 1, true);
        assert_true(c == 5);
    }
}

static void test_blas_threads(void **state)
{
    (void)state;
    openblas_set_num_threads(2);
    int before = openblas_get_num_threads(); /* 1 where there is one core */
    mood__blas_begin();
    assert_int_equal(openblas_get_num_threads(), 1);
    mood__blas_begin();
    mood__blas_end();
    assert_int_equal(openblas_get_num_threads(), 1);
    mood__blas_end();
    assert_int_equal(openblas_get_num_threads(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_blas_threads),
    };
    return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
