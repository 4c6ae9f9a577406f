/* SPDX-License-Identifier: MIT
 *
 * conv1d.c — 1-D convolution over time without columns: since channels are last, the inputs of
 * output t are one run of K * Cin numbers at t * stride * Cin, and those runs are the rows of a
 * matrix whose rows overlap. BLAS refuses overlapping rows, so the kernel is cut into chunks of
 * `stride` taps, whose rows just do not overlap, and ceil(K / stride) products are added up.
 * Grouped convolutions, and those with few channels where such chunks would be too narrow for a
 * fast product, go by columns instead. */
#include "mood/ops.h"

#include <string.h>

#include "kernel/gemm.h"
#include "ops/columns.h"
#include "ops/conv1d_products.h"
#include "ops/i8.h"
#include "ops/linear.h"
#include "ops/op_list.h"
#include "ops/winograd.h"

enum {
    NARROW = 64,     /* floats in a chunk's row: below this, columns */
    BLOCK_ROWS = 384 /* rows of dw in one task */
};

struct conv1d_attr {
    mood_conv1d_params p;
    struct mood__conv c;
    bool by_columns;
    bool by_products; /* forward */
};

static mood_status conv1d_shape(mood_node *n)
{
    struct conv1d_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value, *w = &n->in[1]->value;
    MOOD__TRY(mood__need_f32(n));
    int64_t stride = a->p.stride, pad = a->p.padding, groups = a->p.groups;
    if (stride < 1 || pad < 0 || groups < 1)
        return mood__node_fail(n, MOOD_E_INVALID, "stride %d, padding %d, groups %d", a->p.stride,
                               a->p.padding, a->p.groups);
    char tx[MOOD__SHAPE_BYTES], tw[MOOD__SHAPE_BYTES];
    if (x->rank != 3 || w->rank != 3 || x->dim[2] % groups != 0 ||
        x->dim[2] / groups != w->dim[1] || w->dim[2] % groups != 0)
        return mood__node_fail(n, MOOD_E_SHAPE,
                               "x is %s, w is %s with %d groups; (B, T, Cin) and "
                               "(K, Cin / groups, Cout) are needed",
                               mood__shape_text(tx, x->rank, x->dim),
                               mood__shape_text(tw, w->rank, w->dim), a->p.groups);
    struct mood__conv *c = &a->c;
    *c = (struct mood__conv){.B = x->dim[0],
                             .F = 1,
                             .T = x->dim[1],
                             .Cin = x->dim[2],
                             .Kf = 1,
                             .Kt = w->dim[0],
                             .Cout = w->dim[2],
                             .Fy = 1,
                             .stride_f = 1,
                             .stride_t = stride,
                             .pad_t = pad,
                             .groups = groups};
    c->Ty = mood__conv_size(c->T, c->Kt, stride, pad);
    if (c->Ty < 1 || !mood__fits_gemm(c->Kt, c->Cin) || !mood__fits_gemm(c->Kt * c->Cin, c->Cout) ||
        !mood__fits_gemm(stride * c->Cin, c->Ty))
        return mood__node_fail(n, MOOD_E_SHAPE, "a kernel of %lld does not fit over %lld frames",
                               (long long)c->Kt, (long long)c->T);
    a->by_columns =
        groups > 1 || (pad > 0 && stride > 1) || (stride * c->Cin < NARROW && c->Kt > stride);
    a->by_products = mood__conv1d_products_scratch(c, 1) > 0;
    MOOD__TRY(mood__check_bias(n, 2, c->Cout));
    return mood__set_shape(n, 3, (int64_t[]){c->B, c->Ty, c->Cout});
}

/* ---- chunks of the kernel ---- */

/* Taps [tap, tap + taps) for outputs [t0, t1): input row of output t0 is `row`, rows are `ld`
 * apart. */
struct chunk {
    int64_t tap, taps, t0, t1, row, ld;
};

static int64_t n_chunks(const struct mood__conv *c)
{
    return (c->Kt + c->stride_t - 1) / c->stride_t;
}

static struct chunk chunk_at(const struct mood__conv *c, int64_t i)
{
    struct chunk k = {.tap = i * c->stride_t, .taps = c->stride_t, .t1 = c->Ty};
    if (k.tap + k.taps > c->Kt)
        k.taps = c->Kt - k.tap;
    /* Padding only comes with stride 1 here (others go by columns): one tap, rows inside the input.
     */
    int64_t at = k.tap - c->pad_t;
    if (at < 0)
        k.t0 = -at;
    if (c->stride_t == 1 && k.t1 > c->T - at)
        k.t1 = c->T - at;
    k.row = k.t0 * c->stride_t + at;
    k.ld = c->stride_t * c->Cin;
    return k;
}

struct job {
    struct mood__run *r;
    mood_node *n;
    const struct mood__conv *c;
};

static void forward_task(void *ctx, int64_t b, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    const float *x = mood__in(j->n, 0) + b * c->T * c->Cin, *w = mood__in(j->n, 1);
    float *y = mood__out(j->n) + b * c->Ty * c->Cout;
    mood__start_rows(y, j->n->n_in > 2 ? mood__in(j->n, 2) : NULL, c->Ty, c->Cout);
    for (int64_t i = 0; i < n_chunks(c); i++) {
        struct chunk k = chunk_at(c, i);
        mood__gemm(k.t1 - k.t0, c->Cout, k.taps * c->Cin,
                   (struct mood__mat){x + k.row * c->Cin, k.ld, false},
                   (struct mood__mat){w + k.tap * c->Cin * c->Cout, c->Cout, false},
                   y + k.t0 * c->Cout, c->Cout, true);
    }
}

static void input_grad_task(void *ctx, int64_t b, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    float *dx = mood__din(j->n, 0) + b * c->T * c->Cin;
    const float *dy = mood__dout(j->n) + b * c->Ty * c->Cout, *w = mood__in(j->n, 1);
    if (!mood__adds(j->n, 0))
        memset(dx, 0, (size_t)(c->T * c->Cin) * sizeof(float));
    for (int64_t i = 0; i < n_chunks(c); i++) {
        struct chunk k = chunk_at(c, i);
        mood__gemm(k.t1 - k.t0, k.taps * c->Cin, c->Cout,
                   (struct mood__mat){dy + k.t0 * c->Cout, c->Cout, false},
                   (struct mood__mat){w + k.tap * c->Cin * c->Cout, c->Cout, true},
                   dx + k.row * c->Cin, k.ld, true);
    }
}

static int64_t blocks_per_chunk(const struct mood__conv *c)
{
    return (c->stride_t * c->Cin + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

/* A task owns BLOCK_ROWS rows of dw (K * Cin, Cout) and walks the batch. */
static void weight_grad_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    struct chunk k = chunk_at(c, task / blocks_per_chunk(c));
    int64_t first = task % blocks_per_chunk(c) * BLOCK_ROWS, rows = k.taps * c->Cin - first;
    if (rows > BLOCK_ROWS)
        rows = BLOCK_ROWS;
    float *dw = mood__din(j->n, 1) + (k.tap * c->Cin + first) * c->Cout;
    if (rows > 0 && !mood__adds(j->n, 1))
        memset(dw, 0, (size_t)(rows * c->Cout) * sizeof(float));
    for (int64_t b = 0; b < c->B; b++)
        mood__gemm(
            rows, c->Cout, k.t1 - k.t0,
            (struct mood__mat){mood__in(j->n, 0) + (b * c->T + k.row) * c->Cin + first, k.ld, true},
            (struct mood__mat){mood__dout(j->n) + (b * c->Ty + k.t0) * c->Cout, c->Cout, false}, dw,
            c->Cout, true);
}

static size_t conv1d_scratch(const mood_node *n, int n_workers, bool backward)
{
    const struct conv1d_attr *a = n->attr;
    if (mood__winograd_pays(&a->c))
        return mood__winograd_scratch(&a->c, n_workers, backward);
    if (a->by_products && !backward)
        return mood__conv1d_products_scratch(&a->c, n_workers);
    return a->by_columns ? mood__columns_scratch(&a->c, n_workers, backward) : 0;
}

static void conv1d_forward(struct mood__run *r, mood_node *n)
{
    const struct conv1d_attr *a = n->attr;
    struct job j = {r, n, &a->c};
    if (mood__winograd_pays(&a->c))
        mood__winograd_forward(r, n, &a->c);
    else if (a->by_products)
        mood__conv1d_products(r, n, &a->c);
    else if (a->by_columns)
        mood__columns_forward(r, n, &a->c);
    else
        mood__pool_run(r->pool, a->c.B, forward_task, &j);
}

static void conv1d_backward(struct mood__run *r, mood_node *n)
{
    const struct conv1d_attr *a = n->attr;
    const struct mood__conv *c = &a->c;
    struct job j = {r, n, c};
    if (mood__winograd_pays(c)) {
        mood__winograd_backward(r, n, c);
        return;
    }
    if (a->by_columns) {
        mood__columns_backward(r, n, c);
        return;
    }
    if (mood__wants(n, 1))
        mood__pool_run(r->pool, n_chunks(c) * blocks_per_chunk(c), weight_grad_task, &j);
    if (mood__wants(n, 2))
        r->k->col_sum(mood__din(n, 2), mood__dout(n), c->B * c->Ty, c->Cout, mood__adds(n, 2));
    if (mood__wants(n, 0))
        mood__pool_run(r->pool, c->B, input_grad_task, &j);
}

const struct mood__op mood__op_conv1d = {
    .name = "conv1d",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = conv1d_shape,
    .scratch_bytes = conv1d_scratch,
    .forward = conv1d_forward,
    .backward = conv1d_backward,
};

mood_node *mood_conv1d(mood_node *x, mood_node *w, mood_node *bias,
                       const mood_conv1d_params *params)
{
    struct conv1d_attr a = {.p = {0}};
    if (params)
        a.p = *params;
    a.p.stride = a.p.stride ? a.p.stride : 1;
    a.p.groups = a.p.groups ? a.p.groups : 1;
    if (w && w->value.dtype == MOOD_I8)
        return mood__conv1d_i8(x, w, bias, &a.p);
    return mood__node(&mood__op_conv1d, (mood_node *[]){x, w, bias}, bias ? 3 : 2, &a, sizeof(a));
}
