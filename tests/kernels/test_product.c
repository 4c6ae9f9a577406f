/* SPDX-License-Identifier: MIT
 *
 * test_product.c — Products of our own: every way in which they are divided, with rows that
 * overlap, against double precision; the same bytes on any number of threads and in every tier. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "kernel/product.h"

static const double U = 0x1p-24; /* what one operation may be off by */
enum { GAP = 3 };

static float *random_numbers(int64_t n, struct mood__rng *r)
{
    float *x = malloc((size_t)(n + 1) * sizeof(*x));
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = 2.0f * mood__rng_float(r) - 1.0f;
    return x;
}

/* Few rows and many; one block of a panel and several; panels that are whole and not, alone and in
 * groups; rows that begin 4 KB apart, and rows that overlap. */
static const struct {
    int64_t M, N, K, a_ld;
    bool bias;
} shapes[] = {
    {8, 8, 8, 8, true},          {30, 40, 100, 100, false},   {149, 70, 1100, 1100, true},
    {149, 33, 1024, 1024, true}, {20, 64, 2048, 2048, false}, {300, 33, 90, 30, true},
    {257, 64, 40, 1024, false},  {700, 20, 10, 5, true},      {100, 96, 1600, 48, false},
    {40, 300, 500, 500, true},   {9, 257, 1030, 1030, false},
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

struct product {
    struct mood__product p;
    float *a, *b, *bias, *c;
    size_t c_bytes;
};

static struct product make(int shape)
{
    struct mood__rng r = mood__rng_make(7, (uint64_t)shape);
    struct product t = {.p = {.M = shapes[shape].M,
                              .N = shapes[shape].N,
                              .K = shapes[shape].K,
                              .a_ld = shapes[shape].a_ld,
                              .b_ld = shapes[shape].N + GAP,
                              .c_ld = shapes[shape].N + GAP}};
    t.p.a = t.a = random_numbers((t.p.M - 1) * t.p.a_ld + t.p.K, &r);
    t.p.b = t.b = random_numbers(t.p.K * t.p.b_ld, &r);
    t.bias = random_numbers(t.p.N, &r);
    t.p.bias = shapes[shape].bias ? t.bias : NULL;
    t.c_bytes = (size_t)(t.p.M * t.p.c_ld) * sizeof(float);
    t.p.c = t.c = random_numbers(t.p.M * t.p.c_ld, &r);
    return t;
}

static void release(struct product *t)
{
    free(t->a);
    free(t->b);
    free(t->bias);
    free(t->c);
}

static void run(const struct product *t, const struct mood__kernels *k, int threads)
{
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, threads), MOOD_OK);
    size_t bytes = mood__product_scratch(t->p.M, t->p.N, t->p.K, threads);
    char *scratch = malloc(bytes + 1);
    assert_non_null(scratch);
    memset(scratch, 0xff, bytes); /* NaN */
    scratch[bytes] = 'x';
    mood__product_run(&t->p, k, pool, threads, scratch);
    assert_int_equal(scratch[bytes], 'x');
    free(scratch);
    mood_pool_destroy(&pool);
}

static double check(const struct product *t, const float *before)
{
    const struct mood__product *p = &t->p;
    double worst = 0;
    for (int64_t i = 0; i < p->M; i++)
        for (int64_t j = 0; j < p->c_ld; j++) {
            double got = (double)p->c[i * p->c_ld + j];
            if (j >= p->N) { /* between the rows */
                assert_true(got == (double)before[i * p->c_ld + j]);
                continue;
            }
            double sum = p->bias ? (double)p->bias[j] : 0, size = fabs(sum);
            for (int64_t e = 0; e < p->K; e++) {
                double term = (double)p->a[i * p->a_ld + e] * (double)p->b[e * p->b_ld + j];
                sum += term;
                size += fabs(term);
            }
            double bound = 1.01 * (double)p->K * U * size;
            if (!(fabs(got - sum) <= bound))
                fail_msg("(%lld x %lld x %lld) at %lld, %lld: off by %.2e, bound %.2e",
                         (long long)p->M, (long long)p->N, (long long)p->K, (long long)i,
                         (long long)j, fabs(got - sum), bound);
            worst = fmax(worst, fabs(got - sum) / bound);
        }
    return worst;
}

static void test_exact(void **state)
{
    (void)state;
    double worst = 0;
    for (int s = 0; s < N_SHAPES; s++) {
        struct product t = make(s);
        float *before = malloc(t.c_bytes);
        assert_non_null(before);
        memcpy(before, t.c, t.c_bytes);
        run(&t, mood__kernels(), 1);
        worst = fmax(worst, check(&t, before));
        free(before);
        release(&t);
    }
    print_message("worst error: %.3f of its bound\n", worst);
}

static void test_same_bytes(void **state)
{
    (void)state;
    for (int s = 0; s < N_SHAPES; s++) {
        struct product t = make(s);
        float *once = malloc(t.c_bytes);
        assert_non_null(once);
        run(&t, mood__kernels_of(MOOD__TIER_C), 1);
        memcpy(once, t.c, t.c_bytes);
        for (int tier = 0; tier <= (int)mood__cpu_tier(); tier++)
            for (int threads = 1; threads <= 5; threads += 2) {
                if (!mood__kernels_of(tier))
                    continue;
                for (int64_t i = 0; i < t.p.M; i++)
                    memset(t.c + i * t.p.c_ld, 0xff, (size_t)t.p.N * sizeof(float));
                run(&t, mood__kernels_of(tier), threads);
                assert_memory_equal(once, t.c, t.c_bytes);
            }
        free(once);
        release(&t);
    }
}

static void test_pays(void **state)
{
    (void)state;
    assert_false(mood__product_pays(1, 768, 768));
    assert_int_equal(mood__product_pays(149, 768, 768), mood__cpu_tier() != MOOD__TIER_C);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_pays),
    };
    return cmocka_run_group_tests_name("product", tests, NULL, NULL);
}
