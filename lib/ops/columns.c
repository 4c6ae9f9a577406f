/* SPDX-License-Identifier: MIT
 *
 * columns.c — Convolution by columns. Positions of the output are numbered p = f * Ty + t within a
 * sample; row p of the columns holds the Kf * Kt * Cg inputs that output position sees (Cg = Cin /
 * groups), zero where the kernel hangs over the edge. Then y = columns w,   dw = columns^T dy,
 * dcolumns = dy w^T, which is scattered back into dx.
 *
 * Tasks are tiles of positions, samples, or fixed shards of the batch: never a function of the
 * number of threads. */
#include "ops/columns.h"

#include <string.h>

#include "kernel/gemm.h"
#include "ops/linear.h"

/* Columns of one tile, in floats: within a core's L2 cache together with the weights. */
enum { TILE_FLOATS = 65536 };

enum { MAX_SHARDS = 8 }; /* partial sums of dw */

int64_t mood__conv_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad)
{
    int64_t room = size + 2 * pad - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

static int64_t group_in(const struct mood__conv *c)
{
    return c->Cin / c->groups;
}

static int64_t column_size(const struct mood__conv *c)
{
    return c->Kf * c->Kt * group_in(c);
}

static int64_t positions(const struct mood__conv *c)
{
    return c->Fy * c->Ty;
}

/* Rows of a tile: all tiles but the last are equal, and the last is hardly smaller. */
static int64_t tile_rows(const struct mood__conv *c)
{
    int64_t most = TILE_FLOATS / column_size(c), P = positions(c);
    most = most < 16 ? 16 : most;
    int64_t tiles = (P + most - 1) / most;
    return (P + tiles - 1) / tiles;
}

static int64_t shards(const struct mood__conv *c)
{
    return c->B < MAX_SHARDS ? c->B : MAX_SHARDS;
}

/* One shard's partial gradient: weights, then bias. */
static int64_t partial_floats(const struct mood__conv *c)
{
    return (column_size(c) + 1) * c->Cout;
}

size_t mood__columns_scratch(const struct mood__conv *c, int n_workers, bool backward)
{
    size_t floats = (size_t)(tile_rows(c) * column_size(c)) * (size_t)n_workers;
    if (backward)
        floats += (size_t)(shards(c) * partial_floats(c));
    return floats * sizeof(float);
}

/* What the tasks share. */
struct job {
    struct mood__run *r;
    mood_node *n;
    const struct mood__conv *c;
    float *partial; /* (shards, partial_floats) */
};

static float *tile_memory(const struct job *j, int worker)
{
    return (float *)j->n->scratch + (int64_t)worker * tile_rows(j->c) * column_size(j->c);
}

/* The taps j of a kernel row at output t that lie inside the input: [*first, *stop), which is empty
 * where all of them lie in the padding. Returns the input position of tap 0, which may be negative.
 */
static int64_t taps_inside(const struct mood__conv *c, int64_t t, int64_t *first, int64_t *stop)
{
    int64_t at = t * c->stride_t - c->pad_t;
    *first = at < -c->Kt ? c->Kt : at < 0 ? -at : 0;
    *stop = c->T - at < c->Kt ? c->T - at : c->Kt;
    if (*stop < *first)
        *stop = *first;
    return at;
}

/* One column by itself: kernel row `row` (T, Cin) at output t, with zeros where it hangs over. */
static void gather_edge(const struct mood__conv *c, float *column, const float *row, int64_t t)
{
    int64_t Cg = group_in(c), first, stop;
    int64_t at = taps_inside(c, t, &first, &stop);
    memset(column, 0, (size_t)(c->Kt * Cg) * sizeof(float));
    for (int64_t k = first; k < stop; k++)
        memcpy(column + k * Cg, row + (at + k) * c->Cin, (size_t)Cg * sizeof(float));
}

/* Kernel row i for outputs [t0, t1) of row f; `columns` is that of t0. Away from the edges, and
 * where the channels of one group are all there are, a kernel row is one run of Kt * Cin numbers.
 */
static void gather_kernel_row(const struct mood__conv *c, const struct mood__kernels *k,
                              float *columns, const float *x, int64_t f, int64_t i, int64_t t0,
                              int64_t t1)
{
    int64_t Cg = group_in(c), K = column_size(c), width = c->Kt * Cg;
    int64_t fi = f * c->stride_f + i - c->pad_f;
    if (fi < 0 || fi >= c->F) {
        for (int64_t t = t0; t < t1; t++)
            memset(columns + (t - t0) * K, 0, (size_t)width * sizeof(float));
        return;
    }
    const float *row = x + fi * c->T * c->Cin;
    int64_t t = t0, inside = t1; /* [t, inside) will be away from the edges */
    while (t < t1 && (c->groups > 1 || t * c->stride_t < c->pad_t)) {
        gather_edge(c, columns + (t - t0) * K, row, t);
        t++;
    }
    while (inside > t && (inside - 1) * c->stride_t - c->pad_t + c->Kt > c->T) {
        inside--;
        gather_edge(c, columns + (inside - t0) * K, row, inside);
    }
    k->copy_rows(columns + (t - t0) * K, K, row + (t * c->stride_t - c->pad_t) * c->Cin,
                 c->stride_t * c->Cin, inside - t, width);
}

/* Rows [begin, end) of the columns of group g, from one sample x (F, T, Cin). */
static void gather_tile(const struct mood__conv *c, const struct mood__kernels *k, float *columns,
                        const float *x, int64_t begin, int64_t end, int64_t g)
{
    int64_t K = column_size(c), Cg = group_in(c);
    for (int64_t p = begin; p < end;) {
        int64_t f = p / c->Ty, t0 = p % c->Ty, t1 = t0 + end - p < c->Ty ? t0 + end - p : c->Ty;
        for (int64_t i = 0; i < c->Kf; i++)
            gather_kernel_row(c, k, columns + (p - begin) * K + i * c->Kt * Cg, x + g * Cg, f, i,
                              t0, t1);
        p += t1 - t0;
    }
}

/* Add row p of the columns' gradient to the gradient of the inputs that it came from. */
static void scatter(const struct mood__conv *c, const struct mood__kernels *k, float *dx,
                    const float *column, int64_t p, int64_t g)
{
    int64_t Cg = group_in(c), f = p / c->Ty, t = p % c->Ty, first, stop;
    int64_t at = taps_inside(c, t, &first, &stop);
    for (int64_t i = 0; i < c->Kf; i++, column += c->Kt * Cg) {
        int64_t fi = f * c->stride_f + i - c->pad_f;
        if (fi < 0 || fi >= c->F)
            continue;
        float *to = dx + (fi * c->T + at) * c->Cin + g * Cg;
        if (c->groups == 1) {
            float *d = to + first * Cg;
            k->add(d, d, column + first * Cg, (stop - first) * Cg);
        } else {
            for (int64_t j = first; j < stop; j++)
                k->add(to + j * c->Cin, to + j * c->Cin, column + j * Cg, Cg);
        }
    }
}

/* ---- forward: a task is a tile of one sample ---- */

static void forward_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t P = positions(c), R = tile_rows(c), K = column_size(c), Og = c->Cout / c->groups;
    int64_t tiles = (P + R - 1) / R, b = task / tiles, begin = task % tiles * R;
    int64_t end = begin + R < P ? begin + R : P;
    float *columns = tile_memory(j, worker);
    float *y = mood__out(j->n) + (b * P + begin) * c->Cout;
    bool biased = j->n->n_in > 2;
    if (biased)
        mood__start_rows(y, mood__in(j->n, 2), end - begin, c->Cout);
    for (int64_t g = 0; g < c->groups; g++) {
        gather_tile(c, j->r->k, columns, mood__in(j->n, 0) + b * c->F * c->T * c->Cin, begin, end,
                    g);
        mood__gemm(end - begin, Og, K, (struct mood__mat){columns, K, false},
                   (struct mood__mat){mood__in(j->n, 1) + g * Og, c->Cout, false}, y + g * Og,
                   c->Cout, biased);
    }
}

void mood__columns_forward(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    struct job j = {r, n, c, NULL};
    int64_t tiles = (positions(c) + tile_rows(c) - 1) / tile_rows(c);
    mood__pool_run(r->pool, c->B * tiles, forward_task, &j);
}

/* ---- backward ---- */

/* dx: a task is a sample, since tiles overlap in what they add to. */
static void input_grad_task(void *ctx, int64_t b, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t P = positions(c), R = tile_rows(c), K = column_size(c), Og = c->Cout / c->groups;
    float *columns = tile_memory(j, worker);
    float *dx = mood__din(j->n, 0) + b * c->F * c->T * c->Cin;
    if (!mood__adds(j->n, 0))
        memset(dx, 0, (size_t)(c->F * c->T * c->Cin) * sizeof(float));
    for (int64_t begin = 0; begin < P; begin += R) {
        int64_t end = begin + R < P ? begin + R : P;
        const float *dy = mood__dout(j->n) + (b * P + begin) * c->Cout;
        for (int64_t g = 0; g < c->groups; g++) {
            mood__gemm(end - begin, K, Og, (struct mood__mat){dy + g * Og, c->Cout, false},
                       (struct mood__mat){mood__in(j->n, 1) + g * Og, c->Cout, true}, columns, K,
                       false);
            for (int64_t p = begin; p < end; p++)
                scatter(c, j->r->k, dx, columns + (p - begin) * K, p, g);
        }
    }
}

/* dw and dbias: a task is a shard of the batch, with its own partial sums. */
static void weight_grad_task(void *ctx, int64_t shard, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t P = positions(c), R = tile_rows(c), K = column_size(c), Og = c->Cout / c->groups;
    float *columns = tile_memory(j, worker);
    float *dw = j->partial + shard * partial_floats(c), *dbias = dw + K * c->Cout;
    memset(dw, 0, (size_t)partial_floats(c) * sizeof(float));
    for (int64_t b = shard; b < c->B; b += shards(c))
        for (int64_t begin = 0; begin < P; begin += R) {
            int64_t end = begin + R < P ? begin + R : P;
            const float *dy = mood__dout(j->n) + (b * P + begin) * c->Cout;
            j->r->k->col_sum(dbias, dy, end - begin, c->Cout, true);
            for (int64_t g = 0; g < c->groups; g++) {
                gather_tile(c, j->r->k, columns, mood__in(j->n, 0) + b * c->F * c->T * c->Cin,
                            begin, end, g);
                mood__gemm(K, Og, end - begin, (struct mood__mat){columns, K, true},
                           (struct mood__mat){dy + g * Og, c->Cout, false}, dw + g * Og, c->Cout,
                           true);
            }
        }
}

static void add_partials(const struct job *j, int k, int64_t offset, int64_t count)
{
    float *d = mood__din(j->n, k);
    for (int64_t s = 0; s < shards(j->c); s++)
        j->r->k->scale(d, 1.0f, j->partial + s * partial_floats(j->c) + offset, count,
                       s > 0 || mood__adds(j->n, k));
}

void mood__columns_backward(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    int64_t K = column_size(c);
    struct job j = {r, n, c, (float *)n->scratch + (int64_t)r->n_workers * tile_rows(c) * K};
    if (mood__wants(n, 1) || mood__wants(n, 2)) {
        mood__pool_run(r->pool, shards(c), weight_grad_task, &j);
        if (mood__wants(n, 1))
            add_partials(&j, 1, 0, K * c->Cout);
        if (mood__wants(n, 2))
            add_partials(&j, 2, K * c->Cout, c->Cout);
    }
    if (mood__wants(n, 0))
        mood__pool_run(r->pool, c->B, input_grad_task, &j);
}
