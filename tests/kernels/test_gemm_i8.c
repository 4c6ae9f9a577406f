/* SPDX-License-Identifier: MIT
 *
 * test_gemm_i8.c — 8-bit products: each set of instructions that this processor has against the
 * portable one, byte by byte; that one against the product in float64, within what rounding may
 * cost (gemm_i8.h). Inputs, weights, scratch and results end, or begin, at a page that must not be
 * touched. Tables that are wrong have to be found out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "check.h"
#include "kernel/gemm_i8.h"
#include "kernel/i8_kernels.h"

/* ---- one product ---- */

enum filling { EVEN, ONE_SIDED, OUTLIERS, TOPS, RUNS, TINY, ZEROS, N_FILLINGS };

static float number(struct mood__rng *r, enum filling f, int64_t i)
{
    float x = 2.0f * mood__rng_float(r) - 1.0f;
    switch (f) {
    case ONE_SIDED:
        return x < -0.1f ? -0.1f * mood__rng_float(r) : x;
    case OUTLIERS:
        return mood__rng_below(r, 50) ? x : 100.0f * x;
    case TOPS: /* the largest products there are, all of one sign */
        return 1.0f;
    case RUNS: /* the smallest and the largest integers, some in a row */
        return i / 5 % 2 ? 1.0f : -1.0f;
    case TINY:
        return x * 1e-39f;
    case ZEROS:
        return copysignf(0.0f, x);
    default:
        return 5.0f * x;
    }
}

struct product {
    struct mood__i8_product p;
    float *a, *w, *bias, *y;
    char *panels, *scratch;
    size_t a_bytes, y_bytes, panel_bytes, scratch_bytes;
};

static void make(struct product *t, int64_t m, int64_t n, int64_t k, int64_t lda, enum filling f,
                 bool at_end, struct mood__rng *r)
{
    void *(*take)(size_t) = at_end ? take_at_end : take_at_begin;
    t->a_bytes = (size_t)((m - 1) * lda + k) * sizeof(float);
    t->y_bytes = (size_t)((m - 1) * (n + 3) + n) * sizeof(float);
    t->panel_bytes = (size_t)(mood__i8_panels(n) * mood__i8_panel_bytes(k));
    t->scratch_bytes = mood__i8_scratch(m, k);
    t->a = take(t->a_bytes);
    t->y = take(t->y_bytes);
    t->panels = take(t->panel_bytes);
    t->scratch = take(t->scratch_bytes);
    t->w = malloc((size_t)(k * n) * sizeof(float));
    t->bias = malloc((size_t)n * sizeof(float));
    check(t->w && t->bias);
    for (size_t i = 0; i < t->a_bytes / sizeof(float); i++)
        t->a[i] = number(r, f, (int64_t)i);
    for (int64_t i = 0; i < k * n; i++)
        t->w[i] = f == TOPS   ? (i % n % 2 ? 0.5f : -0.5f)
                  : f == RUNS ? number(r, f, i / n + i % n)
                              : number(r, f == TINY ? TINY : EVEN, i);
    for (int64_t j = 0; j < n; j++)
        t->bias[j] = number(r, EVEN, j);
    mood__i8_pack(t->panels, t->w, k, n);
    check(mood__i8_check(t->panels, k, n));
    t->p = (struct mood__i8_product){m, n, k, t->a, lda, t->panels, t->bias, t->y, n + 3};
}

static void release(struct product *t)
{
    give(t->a, t->a_bytes);
    give(t->y, t->y_bytes);
    give(t->panels, t->panel_bytes);
    give(t->scratch, t->scratch_bytes);
    free(t->w);
    free(t->bias);
}

/* The product by one table of kernels, without gemm_i8.c. `steps` lies where tables may write 2
 * bytes for each value. */
static void run_table(const struct mood__i8_kernels *t, const struct mood__i8_product *p, float *y)
{
    int64_t steps = (p->k + MOOD__I8_STEP - 1) / MOOD__I8_STEP;
    int64_t row_bytes = steps * t->step_bytes;
    size_t q_bytes = (size_t)(p->m * row_bytes),
           rows_bytes = (size_t)p->m * sizeof(struct mood__i8_row);
    char *q = take_at_end(q_bytes);
    struct mood__i8_row *row = take_at_end(rows_bytes);
    for (int64_t i = 0; i < p->m; i++)
        row[i] = t->round_row(q + i * row_bytes, p->a + i * p->lda, p->k);
    for (int64_t i = 0; i < mood__i8_panels(p->n); i++) {
        int64_t c = i * MOOD__I8_COLUMNS, n = p->n - c;
        t->tile(y + c, p->ldy, p->m, n < MOOD__I8_COLUMNS ? (int)n : MOOD__I8_COLUMNS, q, row_bytes,
                row, (const char *)p->w + i * mood__i8_panel_bytes(p->k), p->k,
                p->bias ? p->bias + c : NULL);
    }
    give(q, q_bytes);
    give(row, rows_bytes);
}

/* ---- against what is true ---- */

/* The largest error over what rounding allows: half a step of A for each weight, half a step of W
 * for each value, and what float32 adds. */
static double worst_ratio(const struct product *t, const float *y)
{
    const struct mood__i8_product *p = &t->p;
    double worst = 0;
    for (int64_t i = 0; i < p->m; i++) {
        const float *a = p->a + i * p->lda;
        double low = 0, high = 0;
        for (int64_t k = 0; k < p->k; k++) {
            low = fmin(low, (double)a[k]);
            high = fmax(high, (double)a[k]);
        }
        for (int64_t j = 0; j < p->n; j++) {
            double exact = (double)t->bias[j], top = 0, bound = fabs(exact), sizes = 0, weights = 0;
            for (int64_t k = 0; k < p->k; k++)
                top = fmax(top, fabs((double)t->w[k * p->n + j]));
            for (int64_t k = 0; k < p->k; k++) {
                exact += (double)a[k] * (double)t->w[k * p->n + j];
                sizes += fabs((double)a[k]);
                weights += fabs((double)t->w[k * p->n + j]);
            }
            double step_a = (high - low) / 255, step_w = top / 127;
            bound = 0x1p-22 * (bound + sizes * top + (high - low) * weights) + 1e-30 * weights +
                    1e-37 * sizes * 64;
            bound += 0.5 * step_a * (weights + 0.5 * step_w * (double)p->k) + 0.5 * step_w * sizes;
            worst = fmax(worst, fabs((double)y[i * p->ldy + j] - exact) / bound);
        }
    }
    return worst;
}

/* ---- all sizes ---- */

static int every; /* one product in so many is tried */

/* One product with what the portable table gives, and its place in the row of all. */
struct trial {
    struct product t;
    float *expected;
    int count;
    struct mood__rng r;
};

typedef void visit(struct trial *trial, void *ctx);

static void visit_size(struct trial *s, int64_t m, int64_t n, int64_t k, visit *fn, void *ctx)
{
    for (int at_end = 0; at_end < 2; at_end++) {
        if (s->count++ % every)
            continue;
        enum filling f = (enum filling)(s->count % N_FILLINGS);
        /* rows that overlap, touch, or have gaps, and begin anywhere */
        int64_t lda = f == EVEN ? (k + 1) / 2 : k + f % 2;
        make(&s->t, m, n, k, lda, f, at_end, &s->r);
        s->expected = malloc(s->t.y_bytes);
        check(s->expected != NULL);
        memset(s->expected, 0x55, s->t.y_bytes); /* what lies between the rows has to stay */
        run_table(mood__i8_kernels_of(0), &s->t.p, s->expected);
        fn(s, ctx);
        free(s->expected);
        release(&s->t);
    }
}

/* Rows up to beyond three of the largest tiles, columns up to beyond three panels, depths up to
 * beyond three of the widest vectors and around a block; some at random; and those of the
 * transformer. */
static void each_product(visit *fn, void *ctx)
{
    struct trial s = {.r = mood__rng_make(5, 0)};
    for (int64_t m = 1; m <= 3 * 32 + 3; m++)
        visit_size(&s, m, 33, 17, fn, ctx);
    for (int64_t n = 1; n <= 3 * MOOD__I8_COLUMNS + 3; n++)
        visit_size(&s, 5, n, 20, fn, ctx);
    for (int64_t k = 1; k <= 3 * 64 + 3; k++)
        visit_size(&s, 3, 34, k, fn, ctx);
    for (int64_t k = 250; k <= 260; k++)
        visit_size(&s, 13, 40, k, fn, ctx);
    for (int i = 0; i < 20; i++) {
        int64_t m = 1 + (int64_t)mood__rng_below(&s.r, 130);
        int64_t n = 1 + (int64_t)mood__rng_below(&s.r, 130);
        visit_size(&s, m, n, 1 + (int64_t)mood__rng_below(&s.r, 600), fn, ctx);
    }
    visit_size(&s, 149, 64, 768, fn, ctx);
    visit_size(&s, 149, 32, 3072, fn, ctx);
}

static void visit_exact(struct trial *s, void *ctx)
{
    double *worst = ctx;
    *worst = fmax(*worst, worst_ratio(&s->t, s->expected));
    check(*worst <= 1);
}

static void test_exact(void)
{
    double worst = 0;
    each_product(visit_exact, &worst);
    printf("c: worst error %.3f of the bound\n", worst);
    check(worst > 0.01);
}

static void visit_table(struct trial *s, void *ctx)
{
    memset(s->t.y, 0x55, s->t.y_bytes);
    if (ctx)
        run_table(ctx, &s->t.p, s->t.y);
    else
        mood__gemm_i8(NULL, &s->t.p, s->t.scratch);
    if (memcmp(s->t.y, s->expected, s->t.y_bytes) != 0)
        fail("%s: other bytes at (%lld x %lld x %lld)",
             ctx ? ((const struct mood__i8_kernels *)ctx)->name : "all", (long long)s->t.p.m,
             (long long)s->t.p.n, (long long)s->t.p.k);
}

static void judge_table(void *table)
{
    each_product(visit_table, table);
}

/* Every table, and the whole, which uses the best one. */
static void test_tables(void)
{
    for (int i = 0; i < MOOD__N_I8_KERNELS; i++) {
        struct mood__i8_kernels table;
        if (!mood__i8_kernels_of(i))
            continue;
        table = *mood__i8_kernels_of(i);
        judge_table(&table);
        printf("%s: the same bytes as c\n", table.name);
    }
    judge_table(NULL);
}

/* ---- tables that are wrong ---- */

static struct mood__i8_row last_value_off(void *q, const float *x, int64_t k)
{
    struct mood__i8_row row = mood__i8_kernels_of(0)->round_row(q, x, k);
    if (k % 4 == 3)
        ((unsigned char *)q)[k - 1] ^= 1;
    return row;
}

static struct mood__i8_row row_reads_on(void *q, const float *x, int64_t k)
{
    (void)((const volatile float *)x)[k];
    return mood__i8_kernels_of(0)->round_row(q, x, k);
}

static void tile_reads_on(float *y, int64_t ldy, int64_t m, int n, const char *q, int64_t row_bytes,
                          const struct mood__i8_row *row, const char *panel, int64_t k,
                          const float *bias)
{
    (void)((const volatile char *)panel)[mood__i8_panel_bytes(k)];
    mood__i8_kernels_of(0)->tile(y, ldy, m, n, q, row_bytes, row, panel, k, bias);
}

static void tile_writes_on(float *y, int64_t ldy, int64_t m, int n, const char *q,
                           int64_t row_bytes, const struct mood__i8_row *row, const char *panel,
                           int64_t k, const float *bias)
{
    mood__i8_kernels_of(0)->tile(y, ldy, m, n, q, row_bytes, row, panel, k, bias);
    if (m > 1)
        y[n] = 0;
}

static void test_can_fail(void)
{
    struct mood__i8_kernels fine = *mood__i8_kernels_of(0), wrong[4];
    check(!fails(judge_table, &fine));
    for (int i = 0; i < 4; i++)
        wrong[i] = fine;
    wrong[0].round_row = last_value_off;
    wrong[1].round_row = row_reads_on;
    wrong[2].tile = tile_reads_on;
    wrong[3].tile = tile_writes_on;
    for (int i = 0; i < 4; i++)
        if (!fails(judge_table, &wrong[i]))
            fail("wrong table %d was let pass", i);
}

/* ---- extremes ---- */

/* The longest sums there may be, all of one sign: 255 * 127 * 65536 is 2122383360, just below 2^31.
 */
static void test_longest_sum(void)
{
    struct mood__rng r = mood__rng_make(6, 0);
    struct product t;
    const int64_t k = MOOD__I8_MAX_DEPTH;
    make(&t, 2, 3, k, k, TOPS, true, &r);
    t.p.bias = NULL;
    for (int i = 0; i < MOOD__N_I8_KERNELS; i++) {
        if (!mood__i8_kernels_of(i))
            continue;
        run_table(mood__i8_kernels_of(i), &t.p, t.y);
        for (int j = 0; j < 3; j++) {
            double exact = (j % 2 ? 0.5 : -0.5) * (double)k;
            check(fabs((double)t.y[j] - exact) <= 1e-6 * fabs(exact));
        }
    }
    release(&t);
}

/* ---- the manners ---- */

static void test_threads(void)
{
    struct mood__rng r = mood__rng_make(7, 0);
    struct product t;
    mood_pool *pool;
    make(&t, 260, 100, 70, 70, EVEN, true, &r);
    float *one = malloc(t.y_bytes);
    check(one != NULL);
    memset(t.y, 0, t.y_bytes);
    mood__gemm_i8(NULL, &t.p, t.scratch);
    memcpy(one, t.y, t.y_bytes);
    check(mood_pool_create(&pool, 3) == MOOD_OK);
    mood__gemm_i8(pool, &t.p, t.scratch);
    check(memcmp(one, t.y, t.y_bytes) == 0);
    mood_pool_destroy(&pool);
    free(one);
    release(&t);
}

static void test_not_finite(void)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    struct mood__rng r = mood__rng_make(8, 0);
    struct product t;
    make(&t, 3, 5, 37, 37, EVEN, true, &r);
    for (int i = 0; i < MOOD__N_I8_KERNELS; i++) {
        for (int b = 0; b < 3 && mood__i8_kernels_of(i); b++) {
            for (int at = 0; at < 37; at += 12) {
                float before = t.a[37 + at];
                t.a[37 + at] = bad[b];
                run_table(mood__i8_kernels_of(i), &t.p, t.y);
                t.a[37 + at] = before;
                for (int j = 0; j < 5; j++) {
                    check(isnan(t.y[t.p.ldy + j]));
                    check(isfinite(t.y[j]) && isfinite(t.y[2 * t.p.ldy + j]));
                }
            }
        }
    }
    /* Values too far apart for a scale are no silent wrong answer either. */
    t.a[0] = 3e38f;
    t.a[1] = -3e38f;
    mood__gemm_i8(NULL, &t.p, t.scratch);
    check(isnan(t.y[0]));
    t.w[0] = NAN;
    mood__i8_pack(t.panels, t.w, 37, 5);
    check(!mood__i8_check(t.panels, 37, 5));
    mood__gemm_i8(NULL, &t.p, t.scratch);
    check(isnan(t.y[t.p.ldy]) && isfinite(t.y[t.p.ldy + 1]));
    release(&t);
}

/* ---- panels ---- */

static void test_pack(void)
{
    struct mood__rng r = mood__rng_make(9, 0);
    struct product t;
    const int64_t k = 10, n = 34;
    make(&t, 1, n, k, k, EVEN, true, &r);
    float *back = malloc((size_t)(k * n) * sizeof(*back));
    check(back != NULL);
    mood__i8_unpack(back, t.panels, k, n);
    for (int64_t j = 0; j < n; j++) {
        float top = 0;
        for (int64_t i = 0; i < k; i++)
            top = fmaxf(top, fabsf(t.w[i * n + j]));
        for (int64_t i = 0; i < k; i++)
            check(fabsf(back[i * n + j] - t.w[i * n + j]) <= top / 127 * 0.5001f);
    }
    float *scale = (float *)(void *)(t.panels + mood__i8_panel_bytes(k));
    int32_t *sum = (int32_t *)(void *)(scale + MOOD__I8_COLUMNS);
    const float bad[] = {-1.0f, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        float before = scale[1];
        scale[1] = bad[i];
        check(!mood__i8_check(t.panels, k, n));
        scale[1] = before;
    }
    int32_t before = sum[1];
    sum[1] = 128 * (int32_t)k + 1;
    check(!mood__i8_check(t.panels, k, n));
    sum[1] = before;
    check(mood__i8_check(t.panels, k, n));
    sum[2] = 1; /* column 34, of 34 */
    check(!mood__i8_check(t.panels, k, n));
    mood__gemm_i8(NULL, &t.p, t.scratch); /* and nothing of it is written anywhere */
    free(back);
    release(&t);
}

int main(int argc, char **argv)
{
    every = one_in(argc, argv);
    if (every == 1)
        test_can_fail();
    test_exact();
    test_tables();
    test_longest_sum();
    test_threads();
    test_not_finite();
    test_pack();
    return 0;
}
