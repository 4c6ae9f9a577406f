/* SPDX-License-Identifier: MIT
 *
 * gemm_i8.c — 8-bit matrix products: rounding weights into panels, dividing the work, choosing the
 * instructions. The loops are i8_loops.h's. */
#include "kernel/gemm_i8.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/i8_kernels.h"

enum {
    COLUMNS = MOOD__I8_COLUMNS,
    STEP = MOOD__I8_STEP,
    STEP_BYTES = COLUMNS * STEP,
    HEAD_BYTES = COLUMNS * (int)(sizeof(float) + sizeof(int32_t)),
    CHUNK_ROWS = 96, /* rounded at once, to stay in the second cache while panels pass by */
    TASK_ROWS = 12,  /* rounded in one task */
    ALIGN = 64,
};

/* ---- choosing ---- */

extern const struct mood__i8_kernels mood__i8_kernels_c;
#if defined(MOOD_HAVE_X86_TIERS)
extern const struct mood__i8_kernels mood__i8_kernels_avx2, mood__i8_kernels_avxvnni,
    mood__i8_kernels_avx512, mood__i8_kernels_avx512vnni, mood__i8_kernels_amx;
#elif defined(MOOD_HAVE_ARM_TIERS)
extern const struct mood__i8_kernels mood__i8_kernels_neon, mood__i8_kernels_dotprod;
#endif

/* From the slowest to the fastest. */
static const struct {
    const struct mood__i8_kernels *kernels;
    enum mood__tier tier;
    bool (*also)(void); /* what else the processor needs; NULL: nothing */
} tables[MOOD__N_I8_KERNELS] = {
    {&mood__i8_kernels_c, MOOD__TIER_C, NULL},
#if defined(MOOD_HAVE_X86_TIERS)
    {&mood__i8_kernels_avx2, MOOD__TIER_X86_AVX2, NULL},
    {&mood__i8_kernels_avxvnni, MOOD__TIER_X86_AVXVNNI, NULL},
    {&mood__i8_kernels_avx512, MOOD__TIER_X86_AVX512, NULL},
    {&mood__i8_kernels_avx512vnni, MOOD__TIER_X86_AVX512, mood__cpu_has_vnni},
    {&mood__i8_kernels_amx, MOOD__TIER_X86_AVX512, mood__cpu_has_amx},
#elif defined(MOOD_HAVE_ARM_TIERS)
    {&mood__i8_kernels_neon, MOOD__TIER_ARM_NEON, NULL},
    {&mood__i8_kernels_dotprod, MOOD__TIER_ARM_DOTPROD, NULL},
#endif
};

const struct mood__i8_kernels *mood__i8_kernels_of(int i)
{
    bool there = mood__cpu_may_use(tables[i].tier) && (!tables[i].also || tables[i].also());
    return there ? tables[i].kernels : NULL;
}

const struct mood__i8_kernels *mood__i8_kernels(void)
{
    int i = MOOD__N_I8_KERNELS - 1;
    while (!mood__i8_kernels_of(i))
        i--;
    return mood__i8_kernels_of(i);
}

/* ---- panels ---- */

static int64_t steps_of(int64_t k)
{
    return (k + STEP - 1) / STEP;
}

int64_t mood__i8_panels(int64_t n)
{
    return (n + COLUMNS - 1) / COLUMNS;
}

int64_t mood__i8_panel_bytes(int64_t k)
{
    return HEAD_BYTES + steps_of(k) * STEP_BYTES;
}

struct panel {
    float *scale;
    int32_t *sum;
    int8_t *q;
};

static struct panel panel_at(const void *panels, int64_t i, int64_t k)
{
    char *p = (char *)panels + i * mood__i8_panel_bytes(k);
    return (struct panel){(float *)(void *)p, (int32_t *)(void *)(p + COLUMNS * sizeof(float)),
                          (int8_t *)p + HEAD_BYTES};
}

/* Where q[k][column] is. */
static int64_t place(int64_t k, int64_t column)
{
    return k / STEP * STEP_BYTES + column * STEP + k % STEP;
}

/* The scale under which a column of W rounds to -127 to 127. */
static float scale_of(const float *w, int64_t k, int64_t n)
{
    float top = 0, poison = 0;
    for (int64_t i = 0; i < k; i++) {
        float v = fabsf(w[i * n]);
        top = v > top ? v : top;
        poison += v - v;
    }
    return top / 127.0f + poison;
}

void mood__i8_pack(void *panels, const float *w, int64_t k, int64_t n)
{
    memset(panels, 0, (size_t)(mood__i8_panels(n) * mood__i8_panel_bytes(k)));
    for (int64_t j = 0; j < n; j++) {
        struct panel p = panel_at(panels, j / COLUMNS, k);
        int64_t c = j % COLUMNS;
        float scale = scale_of(w + j, k, n);
        /* Below the normal numbers the quotient w / scale would no longer be exact enough. */
        if (scale < 1e-37f)
            scale = 0;
        p.scale[c] = scale;
        for (int64_t i = 0; i < k && scale > 0; i++) {
            int q = (int)nearbyintf(w[i * n + j] / scale);
            p.q[place(i, c)] = (int8_t)q;
            p.sum[c] += q;
        }
    }
}

void mood__i8_unpack(float *w, const void *panels, int64_t k, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        struct panel p = panel_at(panels, j / COLUMNS, k);
        for (int64_t i = 0; i < k; i++)
            w[i * n + j] = p.scale[j % COLUMNS] * (float)p.q[place(i, j % COLUMNS)];
    }
}

bool mood__i8_check(const void *panels, int64_t k, int64_t n)
{
    bool good = true;
    for (int64_t j = 0; j < mood__i8_panels(n) * COLUMNS; j++) {
        struct panel p = panel_at(panels, j / COLUMNS, k);
        float scale = p.scale[j % COLUMNS];
        int64_t sum = p.sum[j % COLUMNS], most = j < n ? 128 * k : 0;
        good = good && scale >= 0 && isfinite(scale) && sum <= most && sum >= -most;
    }
    return good;
}

/* ---- the product ---- */

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int64_t chunk_rows(int64_t m)
{
    return m < CHUNK_ROWS ? m : CHUNK_ROWS;
}

/* A row of integers in its widest form: two bytes each. */
static size_t row_bytes(int64_t k)
{
    return aligned((size_t)steps_of(k) * STEP * 2);
}

size_t mood__i8_scratch(int64_t m, int64_t k)
{
    size_t rows = (size_t)chunk_rows(m);
    return rows * row_bytes(k) + aligned(rows * sizeof(struct mood__i8_row));
}

struct job {
    const struct mood__i8_kernels *kernels;
    const struct mood__i8_product *p;
    int64_t first, rows; /* of this chunk */
    size_t row_bytes;
    char *q;
    struct mood__i8_row *row;
};

static void round_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t end = (task + 1) * TASK_ROWS < j->rows ? (task + 1) * TASK_ROWS : j->rows;
    for (int64_t i = task * TASK_ROWS; i < end; i++)
        j->row[i] = j->kernels->round_row(j->q + (size_t)i * j->row_bytes,
                                          j->p->a + (j->first + i) * j->p->lda, j->p->k);
}

static void panel_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__i8_product *p = j->p;
    int64_t column = task * COLUMNS, n = p->n - column < COLUMNS ? p->n - column : COLUMNS;
    j->kernels->tile(p->y + j->first * p->ldy + column, p->ldy, j->rows, (int)n, j->q,
                     (int64_t)j->row_bytes, j->row,
                     (const char *)p->w + task * mood__i8_panel_bytes(p->k), p->k,
                     p->bias ? p->bias + column : NULL);
}

void mood__gemm_i8(mood_pool *pool, const struct mood__i8_product *p, void *scratch)
{
    struct job j = {.kernels = mood__i8_kernels(), .p = p, .q = scratch};
    j.row_bytes = aligned((size_t)(steps_of(p->k) * j.kernels->step_bytes));
    j.row = (struct mood__i8_row *)(void *)(j.q + (size_t)chunk_rows(p->m) * row_bytes(p->k));
    for (; j.first < p->m; j.first += j.rows) {
        j.rows = chunk_rows(p->m - j.first);
        mood__pool_run(pool, (j.rows + TASK_ROWS - 1) / TASK_ROWS, round_task, &j);
        mood__pool_run(pool, mood__i8_panels(p->n), panel_task, &j);
    }
}
