/* SPDX-License-Identifier: MIT
 *
 * i8.c — dense and conv1d with weights of 8 bits (kernel/gemm_i8.h). A convolution is the same
 * product: channels are last, so the inputs of output t are one run of K * Cin numbers that begins
 * at t * stride * Cin, and rows may overlap.
 *
 * Not in op_list.h: what is asked of every op there begins with a gradient. */
#include "ops/i8.h"

#include <string.h>

#include "kernel/gemm_i8.h"
#include "ops/columns.h"
#include "ops/linear.h"

/* B products (M, K) (K, N), whose inputs are x_step apart. */
struct attr {
    int64_t B, M, N, K, row_step, x_step;
    int stride;
};

static mood_status check_depth(mood_node *n, int64_t K)
{
    if (K > MOOD__I8_MAX_DEPTH)
        return mood__node_fail(n, MOOD_E_SHAPE, "sums of %lld products; with i8 %d are possible",
                               (long long)K, MOOD__I8_MAX_DEPTH);
    return MOOD_OK;
}

static size_t scratch_bytes(const mood_node *n, int n_workers, bool backward)
{
    (void)n_workers;
    const struct attr *a = n->attr;
    return backward ? 0 : mood__i8_scratch(a->M, a->K);
}

static void forward(struct mood__run *r, mood_node *n)
{
    const struct attr *a = n->attr;
    struct mood__i8_product p = {.m = a->M,
                                 .n = a->N,
                                 .k = a->K,
                                 .lda = a->row_step,
                                 .w = n->in[1]->value.data,
                                 .bias = n->n_in > 2 ? mood__in(n, 2) : NULL,
                                 .ldy = a->N};
    for (int64_t b = 0; b < a->B; b++) {
        p.a = mood__in(n, 0) + b * a->x_step;
        p.y = mood__out(n) + b * a->M * a->N;
        mood__gemm_i8(r->pool, &p, n->scratch);
    }
}

/* ---- dense ---- */

static mood_status dense_shape(mood_node *n)
{
    const mood_tensor *x = &n->in[0]->value, *w = &n->in[1]->value;
    struct attr *a = n->attr;
    MOOD__TRY(mood__need_weight(n, MOOD_I8));
    MOOD__TRY(mood__set_dense_shape(n));
    *a = (struct attr){.B = 1, .N = w->dim[1], .K = w->dim[0], .row_step = w->dim[0]};
    a->M = mood_tensor_elements(x) / a->K;
    return check_depth(n, a->K);
}

static const struct mood__op dense_i8 = {
    .name = "dense_i8",
    .shape = dense_shape,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};

mood_node *mood__dense_i8(mood_node *x, mood_node *w, mood_node *bias)
{
    struct attr a = {0};
    return mood__node(&dense_i8, (mood_node *[]){x, w, bias}, bias ? 3 : 2, &a, sizeof(a));
}

/* ---- conv1d ---- */

static mood_status conv1d_shape(mood_node *n)
{
    const mood_tensor *x = &n->in[0]->value, *w = &n->in[1]->value;
    struct attr *a = n->attr;
    char tx[MOOD__SHAPE_BYTES], tw[MOOD__SHAPE_BYTES];
    MOOD__TRY(mood__need_weight(n, MOOD_I8));
    if (x->rank != 3 || w->rank != 3 || x->dim[2] != w->dim[1] || x->dim[1] < w->dim[0])
        return mood__node_fail(
            n, MOOD_E_SHAPE, "x is %s, w is %s; (B, T, Cin) and (K, Cin, Cout) are needed",
            mood__shape_text(tx, x->rank, x->dim), mood__shape_text(tw, w->rank, w->dim));
    int64_t T = x->dim[1], Cin = x->dim[2];
    MOOD__TRY(check_depth(n, w->dim[0] * Cin));
    MOOD__TRY(mood__check_bias(n, 2, w->dim[2]));
    *a = (struct attr){.B = x->dim[0],
                       .M = mood__conv_size(T, w->dim[0], a->stride, 0),
                       .N = w->dim[2],
                       .K = w->dim[0] * Cin,
                       .row_step = a->stride * Cin,
                       .x_step = T * Cin,
                       .stride = a->stride};
    return mood__set_shape(n, 3, (int64_t[]){a->B, a->M, a->N});
}

static const struct mood__op conv1d_i8 = {
    .name = "conv1d_i8",
    .shape = conv1d_shape,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};

mood_node *mood__conv1d_i8(mood_node *x, mood_node *w, mood_node *bias,
                           const mood_conv1d_params *params)
{
    struct attr a = {.stride = params->stride};
    if (x && (params->stride < 1 || params->padding || params->groups != 1))
        return mood__build_fail(
            x, conv1d_i8.name, MOOD_E_INVALID,
            "stride %d, padding %d, groups %d; with i8 there is neither padding "
            "nor grouping",
            params->stride, params->padding, params->groups);
    return mood__node(&conv1d_i8, (mood_node *[]){x, w, bias}, bias ? 3 : 2, &a, sizeof(a));
}
