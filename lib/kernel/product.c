/* SPDX-License-Identifier: MIT
 *
 * product.c — What is copied where, so that the kernel (tile.h) finds its operands near.
 *
 * B is cut into panels of 32 columns. With few rows (the transformer: 149 for 3 s) a thread takes a
 * few panels at a time, in blocks that stay in the L2 cache while all rows of A pass by; B is read
 * once from memory, and while one block is used the next is made. Panels that are neighbours share
 * the pages of memory that their rows lie in, which are looked up once for all. With many rows
 * (convolutions) all panels are made first, and a task owns some rows.
 *
 * A B that came in panels, as those of an encoder's file, is read where it is: a thread takes a
 * panel at a time, or some rows of one where there are many, and asks for the next while it uses
 * this.
 *
 * Rows of A are read where they are, unless they begin a multiple of 4 KB apart: then all of them
 * compete for the same few lines of the L1 cache, and are copied further apart first. */
#include "kernel/product.h"

#include <stdatomic.h>
#include <string.h>

#include "base/cpu.h"
#include "base/pool.h"

enum {
    FEW_ROWS = 256,    /* up to here a task is a group of panels */
    TASK_ROWS = 96,    /* most rows of a task otherwise */
    TASK_MULTIPLE = 8, /* so many tasks, or twice, ...: two threads, or eight, end together */
    GROUP = 8,         /* most panels that a thread takes at once */
    BLOCK_K = 384,     /* most rows of their block: 384 KB, and as much that is being made */
    COPY_ROWS = 16,    /* rows of A copied by a task */
    APART = 16,        /* numbers, a line of the cache, between the rows of a copy */
    CLASH = 1024,      /* numbers: 4 KB */
    PART_ROWS = 512    /* most rows that pass by a panel that was not made here */
};

bool mood__product_pays(int64_t M, int64_t N, int64_t K)
{
    return mood__cpu_tier() != MOOD__TIER_C && M >= 8 && N >= 8 && K >= 8;
}

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t panels(int64_t N)
{
    return div_up(N, MOOD__PANEL);
}

static int64_t block_k(int64_t K)
{
    return div_up(K, div_up(K, BLOCK_K));
}

static int64_t row_tasks(int64_t M)
{
    return div_up(div_up(M, TASK_ROWS), TASK_MULTIPLE) * TASK_MULTIPLE;
}

/* Floats of scratch: with few rows the copy of A, then two blocks per worker; with many all panels,
 * then a copy of a task's rows per worker. */
static int64_t shared_floats(int64_t M, int64_t N, int64_t K)
{
    return M <= FEW_ROWS ? M * (K + APART) : panels(N) * MOOD__PANEL * K;
}

static int64_t worker_floats(int64_t M, int64_t K)
{
    return M <= FEW_ROWS ? 2 * GROUP * block_k(K) * MOOD__PANEL
                         : div_up(M, row_tasks(M)) * (K + APART);
}

size_t mood__product_scratch(int64_t M, int64_t N, int64_t K, int n_workers)
{
    return (size_t)(shared_floats(M, N, K) + n_workers * worker_floats(M, K)) * sizeof(float);
}

size_t mood__product_scratch_panels(int64_t M, int64_t K)
{
    return (size_t)(M * (K + APART)) * sizeof(float);
}

struct job {
    const struct mood__product *p;
    const struct mood__kernels *k;
    float *shared, *own; /* the two parts of the scratch */
    const float *a;      /* where the rows are read */
    int64_t a_ld;
    int64_t group;              /* with few rows: panels of a group */
    _Atomic int64_t next_panel; /* the first that nobody has taken */
};

static float *own(const struct job *j, int worker)
{
    return j->own + worker * worker_floats(j->p->M, j->p->K);
}

static int64_t width(const struct mood__product *p, int64_t index)
{
    int64_t n = p->N - index * MOOD__PANEL;
    return n < MOOD__PANEL ? n : MOOD__PANEL;
}

/* How to make rows [k0, k0 + rows) of `n` panels from `index` on; none where there are no such
 * panels. */
static struct mood__pack packed(const struct job *j, float *panel, int64_t index, int64_t n,
                                int64_t k0, int64_t rows)
{
    const struct mood__product *p = j->p;
    int64_t left = panels(p->N) - index, step = rows * MOOD__PANEL;
    if (left <= 0)
        return (struct mood__pack){.rows = 0};
    n = n < left ? n : left;
    int64_t last = index + n - 1;
    if (width(p, last) < MOOD__PANEL) /* the kernel reads all of it */
        memset(panel + (n - 1) * step, 0, (size_t)step * sizeof(float));
    return (struct mood__pack){panel, p->b + k0 * p->b_ld + index * MOOD__PANEL, p->b_ld,
                               rows,  (n - 1) * MOOD__PANEL + width(p, last),    step};
}

static void pack(const struct mood__kernels *k, struct mood__pack what)
{
    for (int64_t c = 0; c < what.width; c += MOOD__PANEL) {
        int64_t n = what.width - c;
        k->copy_rows(what.panel + c / MOOD__PANEL * what.panel_step, MOOD__PANEL, what.from + c,
                     what.ld, what.rows, n < MOOD__PANEL ? n : MOOD__PANEL);
    }
}

/* What rows [m0, m0 + rows) of a panel's columns start from. Whether there is anything to add to.
 */
static bool start(const struct job *j, int64_t index, int64_t m0, int64_t rows)
{
    const struct mood__product *p = j->p;
    int64_t col = index * MOOD__PANEL;
    if (p->bias)
        j->k->copy_rows(p->c + m0 * p->c_ld + col, p->c_ld, p->bias + col, 0, rows,
                        width(p, index));
    return p->bias != NULL;
}

/* ---- A copied, where its rows would compete ---- */

static void copy_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__product *p = j->p;
    int64_t first = task * COPY_ROWS, rows = p->M - first;
    j->k->copy_rows(j->shared + first * (p->K + APART), p->K + APART, p->a + first * p->a_ld,
                    p->a_ld, rows < COPY_ROWS ? rows : COPY_ROWS, p->K);
}

/* Into the scratch: all of A. */
static void spread_rows(struct job *j, mood_pool *pool)
{
    if (j->p->a_ld % CLASH != 0)
        return;
    mood__pool_run(pool, div_up(j->p->M, COPY_ROWS), copy_task, j);
    j->a = j->shared;
    j->a_ld = j->p->K + APART;
}

/* ---- few rows ---- */

static int64_t take_group(struct job *j)
{
    return atomic_fetch_add_explicit(&j->next_panel, j->group, memory_order_relaxed);
}

/* Part i of n of what is to be packed: some of its rows. */
static struct mood__pack share(struct mood__pack what, int64_t i, int64_t n)
{
    int64_t first = i * what.rows / n, end = (i + 1) * what.rows / n;
    if (end > first) { /* of nothing, both may be NULL */
        what.panel += first * MOOD__PANEL;
        what.from += first * what.ld;
    }
    what.rows = end - first;
    return what;
}

/* Rows [k0, k0 + rows) of a group's panels, which are in `block`; meanwhile, `next` is packed. */
static void use_block(const struct job *j, int64_t index, const float *block, int64_t k0,
                      int64_t rows, struct mood__pack next)
{
    const struct mood__product *p = j->p;
    int64_t n = panels(p->N) - index < j->group ? panels(p->N) - index : j->group;
    for (int64_t i = 0; i < n; i++) {
        struct mood__pack part = share(next, i, n);
        bool add = k0 > 0 || start(j, index + i, 0, p->M);
        j->k->product(p->c + (index + i) * MOOD__PANEL, p->c_ld, j->a + k0, j->a_ld,
                      block + i * rows * MOOD__PANEL, p->M, width(p, index + i), rows, add, &part);
    }
}

/* One group from its packed first block; meanwhile, the first block of the group `after` is packed.
 * Returns where. */
static float *use_group(const struct job *j, int64_t index, int64_t after, float *block,
                        float *other)
{
    int64_t K = j->p->K, step = block_k(K);
    for (int64_t k0 = 0, k1; k0 < K; k0 = k1) {
        k1 = k0 + step < K ? k0 + step : K;
        int64_t k2 = k1 + step < K ? k1 + step : K;
        use_block(j, index, block, k0, k1 - k0,
                  k1 < K ? packed(j, other, index, j->group, k1, k2 - k1)
                         : packed(j, other, after, j->group, 0, step));
        float *used = block;
        block = other, other = used;
    }
    return block;
}

/* A thread's part. It takes its next group before it has done the one it has, to know what to pack;
 * who gets which does not show in the result. */
static void groups_task(void *ctx, int64_t task, int worker)
{
    (void)task;
    struct job *j = ctx;
    const struct mood__product *p = j->p;
    int64_t step = block_k(p->K), index = take_group(j), after;
    float *first = own(j, worker), *second = first + GROUP * step * MOOD__PANEL, *block = first;
    pack(j->k, packed(j, block, index, j->group, 0, step));
    for (; index < panels(p->N); index = after) {
        after = take_group(j);
        block = use_group(j, index, after, block, block == first ? second : first);
    }
}

/* Panels of a group: several groups for each thread, so that all end together. No sum depends on
 * it. */
static int64_t group_of(const struct mood__product *p, int n_workers)
{
    int64_t n = panels(p->N) / (2 * n_workers);
    return n < 1 ? 1 : n < GROUP ? n : GROUP;
}

/* ---- many rows ---- */

static void pack_task(void *ctx, int64_t index, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    pack(j->k, packed(j, j->shared + index * MOOD__PANEL * j->p->K, index, 1, 0, j->p->K));
}

static void rows_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct mood__product *p = j->p;
    int64_t tasks = row_tasks(p->M), m0 = task * p->M / tasks, m1 = (task + 1) * p->M / tasks;
    const float *a = p->a + m0 * p->a_ld;
    int64_t a_ld = p->a_ld;
    if (a_ld % CLASH == 0) {
        a_ld = p->K + APART;
        j->k->copy_rows(own(j, worker), a_ld, a, p->a_ld, m1 - m0, p->K);
        a = own(j, worker);
    }
    for (int64_t index = 0; index < panels(p->N); index++) {
        bool add = start(j, index, m0, m1 - m0);
        j->k->product(p->c + m0 * p->c_ld + index * MOOD__PANEL, p->c_ld, a, a_ld,
                      j->shared + index * MOOD__PANEL * p->K, m1 - m0, width(p, index), p->K, add,
                      NULL);
    }
}

/* ---- b in panels ---- */

/* Part `index`: a panel, and some of the rows. First all panels for the first rows. */
static const float *panel_of(const struct mood__product *p, int64_t index)
{
    return p->b + index % panels(p->N) * p->K * MOOD__PANEL;
}

static void use_panel(const struct job *j, int64_t index, const float *after)
{
    const struct mood__product *p = j->p;
    const float *panel = panel_of(p, index);
    int64_t n_parts = div_up(p->M, PART_ROWS), part = index / panels(p->N), step = block_k(p->K);
    int64_t m0 = part * p->M / n_parts, rows = (part + 1) * p->M / n_parts - m0;
    int64_t column = index % panels(p->N);
    for (int64_t k0 = 0, n; k0 < p->K; k0 += n) {
        n = step < p->K - k0 ? step : p->K - k0;
        bool last = k0 + n == p->K, add = k0 > 0 || start(j, column, m0, rows);
        int64_t coming = last ? p->K : p->K - k0 - n;
        struct mood__pack next = {.from = last ? after : panel + (k0 + n) * MOOD__PANEL,
                                  .ld = MOOD__PANEL,
                                  .rows = coming < step ? coming : step,
                                  .width = MOOD__PANEL};
        j->k->product(p->c + m0 * p->c_ld + column * MOOD__PANEL, p->c_ld, j->a + m0 * j->a_ld + k0,
                      j->a_ld, panel + k0 * MOOD__PANEL, rows, MOOD__PANEL, n, add,
                      next.from ? &next : NULL);
    }
}

static void panels_task(void *ctx, int64_t task, int worker)
{
    (void)task;
    (void)worker;
    struct job *j = ctx;
    const struct mood__product *p = j->p;
    int64_t n = panels(p->N) * div_up(p->M, PART_ROWS);
    for (int64_t index = take_group(j), after; index < n; index = after) {
        after = take_group(j);
        use_panel(j, index, after < n ? panel_of(p, after) : NULL);
    }
}

void mood__product_run(const struct mood__product *p, const struct mood__kernels *k,
                       mood_pool *pool, int n_workers, void *scratch)
{
    float *shared = scratch;
    struct job j = {.p = p,
                    .k = k,
                    .shared = shared,
                    .own = p->b_in_panels ? NULL : shared + shared_floats(p->M, p->N, p->K),
                    .a = p->a,
                    .a_ld = p->a_ld};
    if (p->M > FEW_ROWS && !p->b_in_panels) {
        mood__pool_run(pool, panels(p->N), pack_task, &j);
        mood__pool_run(pool, row_tasks(p->M), rows_task, &j);
        return;
    }
    spread_rows(&j, pool);
    if (p->b_in_panels) {
        j.group = 1;
        mood__pool_run(pool, n_workers, panels_task, &j);
        return;
    }
    j.group = group_of(p, n_workers);
    mood__pool_run(pool, n_workers, groups_task, &j);
}
