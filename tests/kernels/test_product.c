/* SPDX-License-Identifier: MIT
 *
 * test_product.c — Products of our own: every way in which they are divided, with rows that
 * overlap, against double precision; the same bytes on any number of threads, in every tier, and of
 * weights that lie in panels.
 * What is read and written ends at pages that must not be touched. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "check.h"
#include "kernel/product.h"

static const double U = 0x1p-24; /* what one operation may be off by */
enum { GAP = 3 };
static int every; /* above 1, only small products are tried */

static float *random_numbers(int64_t n, struct mood__rng *r)
{
    float *x = take_at_end((size_t)n * sizeof(*x));
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
    {8, 8, 8, 8, true},          {30, 40, 100, 100, false},   {149, 40, 1100, 1100, true},
    {149, 33, 1024, 1024, true}, {20, 64, 2048, 2048, false}, {300, 33, 90, 30, true},
    {257, 64, 40, 1024, false},  {700, 20, 10, 5, true},      {100, 96, 1600, 48, false},
    {40, 300, 500, 500, true},   {9, 257, 1030, 1030, false}, {1100, 96, 1024, 1024, true},
    {513, 32, 8, 3, false},
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static bool left_out(int shape)
{
    return every > 1 && shapes[shape].M * shapes[shape].N * shapes[shape].K > 1000000;
}

struct product {
    struct mood__product p;
    float *a, *b, *bias, *c;
    int64_t a_size, b_size, c_size; /* numbers */
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
    t.a_size = (t.p.M - 1) * t.p.a_ld + t.p.K;
    t.b_size = (t.p.K - 1) * t.p.b_ld + t.p.N;
    t.c_size = (t.p.M - 1) * t.p.c_ld + t.p.N;
    t.p.a = t.a = random_numbers(t.a_size, &r);
    t.p.b = t.b = random_numbers(t.b_size, &r);
    t.bias = random_numbers(t.p.N, &r);
    t.p.bias = shapes[shape].bias ? t.bias : NULL;
    t.p.c = t.c = random_numbers(t.c_size, &r);
    return t;
}

/* The same b in panels, where N allows it; p->b points there then. */
static void lay_in_panels(struct product *t)
{
    struct mood__product *p = &t->p;
    float *panels = take_at_end((size_t)(p->K * p->N) * sizeof(*panels));
    for (int64_t k = 0; k < p->K; k++)
        for (int64_t n = 0; n < p->N; n++)
            panels[(n / MOOD__PANEL * p->K + k) * MOOD__PANEL + n % MOOD__PANEL] =
                t->b[k * p->b_ld + n];
    p->b = panels;
    p->b_in_panels = true;
}

static size_t c_bytes(const struct product *t)
{
    return (size_t)t->c_size * sizeof(float);
}

static void release(struct product *t)
{
    give(t->a, (size_t)t->a_size * sizeof(float));
    give(t->b, (size_t)t->b_size * sizeof(float));
    give(t->bias, (size_t)t->p.N * sizeof(float));
    give(t->c, c_bytes(t));
}

static void run(const struct product *t, const struct mood__kernels *k, int threads)
{
    mood_pool *pool;
    check(mood_pool_create(&pool, threads) == MOOD_OK);
    size_t bytes = t->p.b_in_panels ? mood__product_scratch_panels(t->p.M, t->p.K)
                                    : mood__product_scratch(t->p.M, t->p.N, t->p.K, threads);
    char *scratch = take_at_end(bytes);
    memset(scratch, 0xff, bytes); /* NaN */
    mood__product_run(&t->p, k, pool, threads, scratch);
    give(scratch, bytes);
    mood_pool_destroy(&pool);
}

static double worst_ratio(const struct product *t, const float *before)
{
    const struct mood__product *p = &t->p;
    double worst = 0;
    for (int64_t i = 0; i < p->M; i++)
        for (int64_t j = 0; i * p->c_ld + j < t->c_size && j < p->c_ld; j++) {
            double got = (double)p->c[i * p->c_ld + j];
            if (j >= p->N) { /* between the rows */
                check(got == (double)before[i * p->c_ld + j]);
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
                fail("(%lld x %lld x %lld) at %lld, %lld: off by %.2e, bound %.2e", (long long)p->M,
                     (long long)p->N, (long long)p->K, (long long)i, (long long)j, fabs(got - sum),
                     bound);
            worst = fmax(worst, fabs(got - sum) / bound);
        }
    return worst;
}

static void test_exact(void)
{
    double worst = 0;
    for (int s = 0; s < N_SHAPES; s++) {
        if (left_out(s))
            continue;
        struct product t = make(s);
        float *before = malloc(c_bytes(&t));
        check(before != NULL);
        memcpy(before, t.c, c_bytes(&t));
        run(&t, mood__kernels(), 1);
        worst = fmax(worst, worst_ratio(&t, before));
        free(before);
        release(&t);
    }
    printf("worst error: %.3f of its bound\n", worst);
}

static void check_same(const struct product *t, const float *once)
{
    for (int tier = 0; tier < MOOD__N_TIERS; tier++)
        for (int threads = 1; threads <= 5; threads += 2) {
            if (!mood__cpu_may_use((enum mood__tier)tier) || !mood__kernels_of(tier))
                continue;
            for (int64_t i = 0; i < t->p.M; i++)
                memset(t->c + i * t->p.c_ld, 0xff, (size_t)t->p.N * sizeof(float));
            run(t, mood__kernels_of(tier), threads);
            check(memcmp(once, t->c, c_bytes(t)) == 0);
        }
}

static void test_same_bytes(void)
{
    int in_panels = 0;
    for (int s = 0; s < N_SHAPES; s++) {
        if (left_out(s))
            continue;
        struct product t = make(s);
        float *once = malloc(c_bytes(&t));
        check(once != NULL);
        run(&t, mood__kernels_of(MOOD__TIER_C), 1);
        memcpy(once, t.c, c_bytes(&t));
        check_same(&t, once);
        if (t.p.N % MOOD__PANEL == 0) {
            lay_in_panels(&t);
            check_same(&t, once);
            give((float *)t.p.b, (size_t)(t.p.K * t.p.N) * sizeof(float));
            in_panels++;
        }
        free(once);
        release(&t);
    }
    check(in_panels >= 2);
}

static void test_pays(void)
{
    check(!mood__product_pays(1, 768, 768));
    check(mood__product_pays(149, 768, 768) == (mood__cpu_tier() != MOOD__TIER_C));
}

int main(int argc, char **argv)
{
    every = one_in(argc, argv);
    test_exact();
    test_same_bytes();
    test_pays();
    return 0;
}
