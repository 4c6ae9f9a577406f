/* SPDX-License-Identifier: MIT
 *
 * product.c — What is copied where, so that the kernel (tile.h) finds its operands near.
 *
 * B is cut into panels of 32 columns. With few rows (the transformer: 149 for 3 s) a thread takes a
 * panel at a time, in blocks that stay in the L2 cache while all rows of A pass by; B is read once
 * from memory, and while one block is used the next is made. With many rows (convolutions) all
 * panels are made first, and a task owns some rows.
 *
 * Rows of A are read where they are, unless they begin a multiple of 4 KB apart: then all of them
 * compete for the same few lines of the L1 cache, and are copied further apart first. */
#include "kernel/product.h"

#include <stdatomic.h>
#include <string.h>

#include "base/cpu.h"
#include "base/pool.h"

enum {
    FEW_ROWS = 256,    /* up to here a task is a panel */
    TASK_ROWS = 96,    /* most rows of a task otherwise */
    TASK_MULTIPLE = 8, /* so many tasks, or twice, ...: two threads, or eight, end together */
    BLOCK_K = 1536,    /* most rows of a panel's block: 192 KB, in an L2 of 256 */
    COPY_ROWS = 16,    /* rows of A copied by a task */
    APART = 16,        /* numbers, a line of the cache, between the rows of a copy */
    CLASH = 1024       /* numbers: 4 KB */
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
    return M <= FEW_ROWS ? 2 * block_k(K) * MOOD__PANEL : div_up(M, row_tasks(M)) * (K + APART);
}

size_t mood__product_scratch(int64_t M, int64_t N, int64_t K, int n_workers)
{
    return (size_t)(shared_floats(M, N, K) + n_workers * worker_floats(M, K)) * sizeof(float);
}

struct job {
    const struct mood__product *p;
    const struct mood__kernels *k;
    float *shared, *own; /* the two parts of the scratch */
    const float *a;      /* where the rows are read */
    int64_t a_ld;
    _Atomic int64_t next_panel; /* with few rows: the first that nobody has taken */
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

/* How to make rows [k0, k0 + rows) of panel `index`; none where there is no such panel. */
static struct mood__pack packed(const struct job *j, float *panel, int64_t index, int64_t k0,
                                int64_t rows)
{
    const struct mood__product *p = j->p;
    if (index >= panels(p->N))
        return (struct mood__pack){.rows = 0};
    if (width(p, index) < MOOD__PANEL) /* the kernel reads all of it */
        memset(panel, 0, (size_t)(rows * MOOD__PANEL) * sizeof(float));
    return (struct mood__pack){panel, p->b + k0 * p->b_ld + index * MOOD__PANEL, p->b_ld, rows,
                               width(p, index)};
}

static void pack(const struct mood__kernels *k, struct mood__pack what)
{
    k->copy_rows(what.panel, MOOD__PANEL, what.from, what.ld, what.rows, what.width);
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

/* ---- few rows ---- */

static void copy_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__product *p = j->p;
    int64_t first = task * COPY_ROWS, rows = p->M - first;
    j->k->copy_rows(j->shared + first * (p->K + APART), p->K + APART, p->a + first * p->a_ld,
                    p->a_ld, rows < COPY_ROWS ? rows : COPY_ROWS, p->K);
}

static int64_t take_panel(struct job *j)
{
    return atomic_fetch_add_explicit(&j->next_panel, 1, memory_order_relaxed);
}

/* One panel from its packed first block; meanwhile, the first block of the panel `after` is packed.
 * Returns where. */
static float *use_panel(const struct job *j, int64_t index, int64_t after, float *block,
                        float *other)
{
    const struct mood__product *p = j->p;
    float *c = p->c + index * MOOD__PANEL, *used;
    bool add = start(j, index, 0, p->M);
    for (int64_t k0 = 0, step = block_k(p->K), k1; k0 < p->K; k0 = k1, add = true) {
        k1 = k0 + step < p->K ? k0 + step : p->K;
        int64_t k2 = k1 + step < p->K ? k1 + step : p->K;
        struct mood__pack next =
            k1 < p->K ? packed(j, other, index, k1, k2 - k1) : packed(j, other, after, 0, step);
        j->k->product(c, p->c_ld, j->a + k0, j->a_ld, block, p->M, width(p, index), k1 - k0, add,
                      &next);
        used = block, block = other, other = used;
    }
    return block;
}

/* A thread's part. It takes its next panel before it has done the one it has, to know what to pack;
 * who gets which does not show in the result. */
static void panels_task(void *ctx, int64_t task, int worker)
{
    (void)task;
    struct job *j = ctx;
    const struct mood__product *p = j->p;
    float *first = own(j, worker), *second = first + block_k(p->K) * MOOD__PANEL, *block = first;
    int64_t index = take_panel(j), after;
    pack(j->k, packed(j, block, index, 0, block_k(p->K)));
    for (; index < panels(p->N); index = after) {
        after = take_panel(j);
        block = use_panel(j, index, after, block, block == first ? second : first);
    }
}

/* ---- many rows ---- */

static void pack_task(void *ctx, int64_t index, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    pack(j->k, packed(j, j->shared + index * MOOD__PANEL * j->p->K, index, 0, j->p->K));
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

void mood__product_run(const struct mood__product *p, const struct mood__kernels *k,
                       mood_pool *pool, int n_workers, void *scratch)
{
    float *shared = scratch;
    struct job j = {.p = p,
                    .k = k,
                    .shared = shared,
                    .own = shared + shared_floats(p->M, p->N, p->K),
                    .a = p->a,
                    .a_ld = p->a_ld};
    if (p->M > FEW_ROWS) {
        mood__pool_run(pool, panels(p->N), pack_task, &j);
        mood__pool_run(pool, row_tasks(p->M), rows_task, &j);
        return;
    }
    if (p->a_ld % CLASH == 0) {
        mood__pool_run(pool, div_up(p->M, COPY_ROWS), copy_task, &j);
        j.a = shared;
        j.a_ld = p->K + APART;
    }
    mood__pool_run(pool, n_workers, panels_task, &j);
}
