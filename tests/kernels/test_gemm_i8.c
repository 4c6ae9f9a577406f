/* SPDX-License-Identifier: MIT
 *
 * test_gemm_i8.c — 8-bit products: each set of instructions that this processor has against the
 * portable one, byte by byte; that one against integers added up in 64 bits, and against the
 * product in float64 within what rounding may cost. Inputs, weights, scratch and results end at a
 * page that must not be touched. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "kernel/gemm_i8.h"
#include "kernel/i8_kernels.h"

/* ---- memory that ends at a guard page ---- */

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t rounded(size_t n)
{
    return (n + page_bytes() - 1) / page_bytes() * page_bytes();
}

static void *take(size_t n)
{
    size_t all = rounded(n);
    char *p =
        mmap(NULL, all + page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED && mprotect(p + all, page_bytes(), PROT_NONE) == 0);
    return p + all - n;
}

static void give(void *p, size_t n)
{
    munmap((char *)p + n - rounded(n), rounded(n) + page_bytes());
}

/* ---- one product ---- */

enum filling { EVEN, ONE_SIDED, OUTLIERS, TOPS, TINY, N_FILLINGS };

static float number(struct mood__rng *r, enum filling f)
{
    float x = 2.0f * mood__rng_float(r) - 1.0f;
    switch (f) {
    case ONE_SIDED:
        return x < -0.1f ? -0.1f * mood__rng_float(r) : x;
    case OUTLIERS:
        return mood__rng_below(r, 50) ? x : 100.0f * x;
    case TOPS: /* the largest products there are, all of one sign */
        return 1.0f;
    case TINY:
        return x * 1e-39f;
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
                 struct mood__rng *r)
{
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
    assert_true(t->w && t->bias);
    for (size_t i = 0; i < t->a_bytes / sizeof(float); i++)
        t->a[i] = number(r, f);
    for (int64_t i = 0; i < k * n; i++)
        t->w[i] = f == TOPS ? (i % n % 2 ? 0.5f : -0.5f) : number(r, f == TINY ? TINY : EVEN);
    for (int64_t j = 0; j < n; j++)
        t->bias[j] = number(r, EVEN);
    mood__i8_pack(t->panels, t->w, k, n);
    assert_true(mood__i8_check(t->panels, k, n));
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
    char *q = take(q_bytes);
    struct mood__i8_row *row = take(rows_bytes);
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

static const int64_t sizes[][3] = {{1, 1, 1},     {1, 32, 4},    {2, 33, 3},   {3, 31, 5},
                                   {4, 16, 15},   {5, 17, 16},   {6, 64, 17},  {7, 65, 255},
                                   {12, 48, 256}, {13, 40, 257}, {11, 5, 600}, {25, 96, 130},
                                   {250, 33, 20}, {97, 8, 40}};
enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void test_tables(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(5, 0);
    double worst = 0;
    int tables = 0;
    for (int s = 0; s < N_SIZES; s++) {
        for (enum filling f = EVEN; f < N_FILLINGS; f++) {
            struct product t;
            int64_t k = sizes[s][2];
            /* rows that overlap, touch, or have gaps, and begin anywhere */
            make(&t, sizes[s][0], sizes[s][1], k, f == EVEN ? (k + 1) / 2 : k + f % 2, f, &r);
            float *expected = malloc(t.y_bytes);
            assert_non_null(expected);
            memset(expected, 0x55, t.y_bytes);
            run_table(mood__i8_kernels_of(0), &t.p, expected);
            worst = fmax(worst, worst_ratio(&t, expected));
            tables = 1;
            for (int i = 1; i < MOOD__N_I8_KERNELS; i++) {
                if (!mood__i8_kernels_of(i))
                    continue;
                tables++;
                memset(t.y, 0x55, t.y_bytes); /* what lies between the rows has to stay */
                run_table(mood__i8_kernels_of(i), &t.p, t.y);
                assert_memory_equal(t.y, expected, t.y_bytes);
            }
            memset(t.y, 0x55, t.y_bytes);
            mood__gemm_i8(NULL, &t.p, t.scratch);
            assert_memory_equal(t.y, expected, t.y_bytes);
            free(expected);
            release(&t);
        }
    }
    printf("%d tables, best %s: worst error %.3f of the bound\n", tables, mood__i8_kernels()->name,
           worst);
    assert_true(worst <= 1 && worst > 0.01);
}

/* The longest sums there may be, all of one sign: 255 * 127 * 65536 is 2122383360, just below 2^31.
 */
static void test_longest_sum(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(6, 0);
    struct product t;
    const int64_t k = MOOD__I8_MAX_DEPTH;
    make(&t, 2, 3, k, k, TOPS, &r);
    t.p.bias = NULL;
    for (int i = 0; i < MOOD__N_I8_KERNELS; i++) {
        if (!mood__i8_kernels_of(i))
            continue;
        run_table(mood__i8_kernels_of(i), &t.p, t.y);
        for (int j = 0; j < 3; j++) {
            double exact = (j % 2 ? 0.5 : -0.5) * (double)k;
            assert_true(fabs((double)t.y[j] - exact) <= 1e-6 * fabs(exact));
        }
    }
    release(&t);
}

/* ---- the manners ---- */

static void test_threads(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(7, 0);
    struct product t;
    mood_pool *pool;
    make(&t, 260, 100, 70, 70, EVEN, &r);
    float *one = malloc(t.y_bytes);
    assert_non_null(one);
    memset(t.y, 0, t.y_bytes);
    mood__gemm_i8(NULL, &t.p, t.scratch);
    memcpy(one, t.y, t.y_bytes);
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    mood__gemm_i8(pool, &t.p, t.scratch);
    assert_memory_equal(one, t.y, t.y_bytes);
    mood_pool_destroy(&pool);
    free(one);
    release(&t);
}

static void test_not_finite(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    struct mood__rng r = mood__rng_make(8, 0);
    struct product t;
    make(&t, 3, 5, 37, 37, EVEN, &r);
    for (int i = 0; i < MOOD__N_I8_KERNELS; i++) {
        for (int b = 0; b < 3 && mood__i8_kernels_of(i); b++) {
            for (int at = 0; at < 37; at += 12) {
                float before = t.a[37 + at];
                t.a[37 + at] = bad[b];
                run_table(mood__i8_kernels_of(i), &t.p, t.y);
                t.a[37 + at] = before;
                for (int j = 0; j < 5; j++) {
                    assert_true(isnan(t.y[t.p.ldy + j]));
                    assert_true(isfinite(t.y[j]) && isfinite(t.y[2 * t.p.ldy + j]));
                }
            }
        }
    }
    /* Values too far apart for a scale are no silent wrong answer either. */
    t.a[0] = 3e38f;
    t.a[1] = -3e38f;
    mood__gemm_i8(NULL, &t.p, t.scratch);
    assert_true(isnan(t.y[0]));
    t.w[0] = NAN;
    mood__i8_pack(t.panels, t.w, 37, 5);
    assert_false(mood__i8_check(t.panels, 37, 5));
    mood__gemm_i8(NULL, &t.p, t.scratch);
    assert_true(isnan(t.y[t.p.ldy]) && isfinite(t.y[t.p.ldy + 1]));
    release(&t);
}

/* ---- panels ---- */

static void test_pack(void **state)
{
    (void)state;
    struct mood__rng r = mood__rng_make(9, 0);
    struct product t;
    const int64_t k = 10, n = 34;
    make(&t, 1, n, k, k, EVEN, &r);
    float *back = malloc((size_t)(k * n) * sizeof(*back));
    assert_non_null(back);
    mood__i8_unpack(back, t.panels, k, n);
    for (int64_t j = 0; j < n; j++) {
        float top = 0;
        for (int64_t i = 0; i < k; i++)
            top = fmaxf(top, fabsf(t.w[i * n + j]));
        for (int64_t i = 0; i < k; i++)
            assert_true(fabsf(back[i * n + j] - t.w[i * n + j]) <= top / 127 * 0.5001f);
    }
    float *scale = (float *)(void *)(t.panels + mood__i8_panel_bytes(k));
    int32_t *sum = (int32_t *)(void *)(scale + MOOD__I8_COLUMNS);
    const float bad[] = {-1.0f, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        float before = scale[1];
        scale[1] = bad[i];
        assert_false(mood__i8_check(t.panels, k, n));
        scale[1] = before;
    }
    int32_t before = sum[1];
    sum[1] = 128 * (int32_t)k + 1;
    assert_false(mood__i8_check(t.panels, k, n));
    sum[1] = before;
    assert_true(mood__i8_check(t.panels, k, n));
    sum[2] = 1; /* column 34, of 34 */
    assert_false(mood__i8_check(t.panels, k, n));
    mood__gemm_i8(NULL, &t.p, t.scratch); /* and nothing of it is written anywhere */
    free(back);
    release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),  cmocka_unit_test(test_longest_sum),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
