/* SPDX-License-Identifier: MIT
 *
 * conv1d_products.c — Since channels are last, the inputs of output t are one run of Kt * Cin
 * numbers that begins at t * stride * Cin: rows of a matrix that overlap, which our own products
 * may read where they are. With padding, and with groups, from a copy that has the zeros in place
 * and the group's channels alone. */
#include "ops/conv1d_products.h"

#include <string.h>

#include "kernel/product.h"
#include "ops/linear.h"

enum {
    FEW_SAMPLES = 8, /* from here on a sample per task, by conv1d.c, keeps all threads busy */
    BLOCK_K = 768    /* of a group's product; few taps, so that much padding can be left out */
};

static int64_t padded_frames(const struct mood__conv *c)
{
    return c->T + 2 * c->pad_t;
}

/* ---- one group: each sample is a product ---- */

static size_t whole_scratch(const struct mood__conv *c, int n_workers)
{
    size_t copy = c->pad_t ? (size_t)(padded_frames(c) * c->Cin) * sizeof(float) : 0;
    return copy + mood__product_scratch(c->Ty, c->Cout, c->Kt * c->Cin, n_workers);
}

static void whole(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    float *copy = n->scratch, *rest = copy;
    int64_t edge = c->pad_t * c->Cin, size = c->T * c->Cin;
    if (c->pad_t)
        rest += size + 2 * edge;
    for (int64_t b = 0; b < c->B; b++) {
        const float *x = mood__in(n, 0) + b * size;
        if (c->pad_t) {
            memset(copy, 0, (size_t)edge * sizeof(float));
            memcpy(copy + edge, x, (size_t)size * sizeof(float));
            memset(copy + edge + size, 0, (size_t)edge * sizeof(float));
            x = copy;
        }
        struct mood__product p = {.M = c->Ty,
                                  .N = c->Cout,
                                  .K = c->Kt * c->Cin,
                                  .a = x,
                                  .a_ld = c->stride_t * c->Cin,
                                  .b = mood__in(n, 1),
                                  .b_ld = c->Cout,
                                  .bias = n->n_in > 2 ? mood__in(n, 2) : NULL,
                                  .c = mood__out(n) + b * c->Ty * c->Cout,
                                  .c_ld = c->Cout};
        mood__product_run(&p, r->k, r->pool, r->n_workers, rest);
    }
}

/* ---- many groups: a task is one of them ---- */

static int64_t block_taps(const struct mood__conv *c)
{
    int64_t taps = BLOCK_K / (c->Cin / c->groups);
    return taps < 1 ? 1 : taps < c->Kt ? taps : c->Kt;
}

static int64_t group_floats(const struct mood__conv *c)
{
    int64_t Cg = c->Cin / c->groups;
    return padded_frames(c) * Cg + block_taps(c) * Cg * MOOD__PANEL;
}

struct job {
    struct mood__run *r;
    mood_node *n;
    const struct mood__conv *c;
};

static void gather(const struct mood__conv *c, const struct mood__kernels *k, float *xg,
                   const float *x)
{
    int64_t Cg = c->Cin / c->groups, edge = c->pad_t * Cg, size = c->T * Cg;
    memset(xg, 0, (size_t)edge * sizeof(float));
    k->copy_rows(xg + edge, Cg, x, c->Cin, c->T, Cg);
    memset(xg + edge + size, 0, (size_t)edge * sizeof(float));
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* y[:, 0 .. width) += the taps [tap, tap + taps) of w[:, :, 0 .. width), for the outputs that see
 * anything but padding through them. */
static void add_taps(const struct job *j, float *y, const float *xg, const float *w, float *panel,
                     int64_t width, int64_t tap, int64_t taps)
{
    const struct mood__conv *c = j->c;
    int64_t Cg = c->Cin / c->groups, K = taps * Cg;
    int64_t t0 = clamp((c->pad_t - (tap + taps - 1) + c->stride_t - 1) / c->stride_t, 0, c->Ty);
    int64_t t1 = clamp((c->T - 1 + c->pad_t - tap) / c->stride_t + 1, t0, c->Ty);
    j->r->k->copy_rows(panel, MOOD__PANEL, w + tap * Cg * c->Cout, c->Cout, K, width);
    j->r->k->product(y + t0 * c->Cout, c->Cout, xg + (t0 * c->stride_t + tap) * Cg,
                     c->stride_t * Cg, panel, t1 - t0, width, K, true, NULL);
}

static void group_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t b = task / c->groups, g = task % c->groups;
    int64_t Cg = c->Cin / c->groups, Og = c->Cout / c->groups;
    float *xg = (float *)j->n->scratch + worker * group_floats(c);
    float *panel = xg + padded_frames(c) * Cg;
    float *y = mood__out(j->n) + b * c->Ty * c->Cout + g * Og;
    gather(c, j->r->k, xg, mood__in(j->n, 0) + b * c->T * c->Cin + g * Cg);
    if (j->n->n_in > 2)
        j->r->k->copy_rows(y, c->Cout, mood__in(j->n, 2) + g * Og, 0, c->Ty, Og);
    for (int64_t t = 0; t < c->Ty && j->n->n_in < 3; t++)
        memset(y + t * c->Cout, 0, (size_t)Og * sizeof(float));
    memset(panel, 0, (size_t)(block_taps(c) * Cg * MOOD__PANEL) * sizeof(float));
    for (int64_t col = 0; col < Og; col += MOOD__PANEL) {
        const float *w = mood__in(j->n, 1) + g * Og + col;
        int64_t width = Og - col < MOOD__PANEL ? Og - col : MOOD__PANEL;
        for (int64_t tap = 0, taps = block_taps(c); tap < c->Kt; tap += taps)
            add_taps(j, y + col, xg, w, panel, width, tap, c->Kt - tap < taps ? c->Kt - tap : taps);
    }
}

/* ---- either ---- */

size_t mood__conv1d_products_scratch(const struct mood__conv *c, int n_workers)
{
    if (c->B >= FEW_SAMPLES ||
        !mood__product_pays(c->Ty, c->Cout / c->groups, c->Kt * c->Cin / c->groups))
        return 0;
    if (mood__conv1d_pairs_pays(c))
        return mood__conv1d_pairs_scratch(c, n_workers);
    return c->groups > 1 ? (size_t)(n_workers * group_floats(c)) * sizeof(float)
                         : whole_scratch(c, n_workers);
}

void mood__conv1d_products(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    struct job j = {r, n, c};
    if (mood__conv1d_pairs_pays(c))
        mood__conv1d_pairs(r, n, c);
    else if (c->groups > 1)
        mood__pool_run(r->pool, c->B * c->groups, group_task, &j);
    else
        whole(r, n, c);
}
