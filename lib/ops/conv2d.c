/* SPDX-License-Identifier: MIT
 *
 * conv2d.c — 2-D convolution, by columns or by Winograd's form. */
#include "mood/ops.h"

#include "ops/columns.h"
#include "ops/linear.h"
#include "ops/op_list.h"
#include "ops/winograd.h"

struct conv2d_attr {
    mood_conv2d_params p;
    struct mood__conv c;
};

static mood_status conv2d_shape(mood_node *n)
{
    struct conv2d_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value, *w = &n->in[1]->value;
    MOOD__TRY(mood__need_f32(n));
    char tx[MOOD__SHAPE_BYTES], tw[MOOD__SHAPE_BYTES];
    if (x->rank != 4 || w->rank != 4 || x->dim[3] != w->dim[2])
        return mood__node_fail(n, MOOD_E_SHAPE,
                               "x is %s, w is %s; (B, F, T, Cin) and (Kf, Kt, Cin, "
                               "Cout) are needed",
                               mood__shape_text(tx, x->rank, x->dim),
                               mood__shape_text(tw, w->rank, w->dim));
    if (a->p.stride_f < 1 || a->p.stride_t < 1 || a->p.padding_f < 0 || a->p.padding_t < 0)
        return mood__node_fail(n, MOOD_E_INVALID, "stride (%d, %d), padding (%d, %d)",
                               a->p.stride_f, a->p.stride_t, a->p.padding_f, a->p.padding_t);
    struct mood__conv *c = &a->c;
    *c = (struct mood__conv){
        .B = x->dim[0],
        .F = x->dim[1],
        .T = x->dim[2],
        .Cin = x->dim[3],
        .Kf = w->dim[0],
        .Kt = w->dim[1],
        .Cout = w->dim[3],
        .stride_f = a->p.stride_f,
        .stride_t = a->p.stride_t,
        .pad_f = a->p.padding_f,
        .pad_t = a->p.padding_t,
        .groups = 1,
    };
    c->Fy = mood__conv_size(c->F, c->Kf, c->stride_f, c->pad_f);
    c->Ty = mood__conv_size(c->T, c->Kt, c->stride_t, c->pad_t);
    if (c->Fy < 1 || c->Ty < 1 || !mood__fits_gemm(c->Kf * c->Kt * c->Cin, c->Cout))
        return mood__node_fail(n, MOOD_E_SHAPE, "a kernel of %s does not fit over %s",
                               mood__shape_text(tw, w->rank, w->dim),
                               mood__shape_text(tx, x->rank, x->dim));
    MOOD__TRY(mood__check_bias(n, 2, c->Cout));
    return mood__set_shape(n, 4, (int64_t[]){c->B, c->Fy, c->Ty, c->Cout});
}

static size_t conv2d_scratch(const mood_node *n, int n_workers, bool backward)
{
    const struct mood__conv *c = &((const struct conv2d_attr *)n->attr)->c;
    return mood__winograd_pays(c) ? mood__winograd_scratch(c, n_workers, backward)
                                  : mood__columns_scratch(c, n_workers, backward);
}

static void conv2d_forward(struct mood__run *r, mood_node *n)
{
    const struct mood__conv *c = &((const struct conv2d_attr *)n->attr)->c;
    if (mood__winograd_pays(c))
        mood__winograd_forward(r, n, c);
    else
        mood__columns_forward(r, n, c);
}

static void conv2d_backward(struct mood__run *r, mood_node *n)
{
    const struct mood__conv *c = &((const struct conv2d_attr *)n->attr)->c;
    if (mood__winograd_pays(c))
        mood__winograd_backward(r, n, c);
    else
        mood__columns_backward(r, n, c);
}

const struct mood__op mood__op_conv2d = {
    .name = "conv2d",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = conv2d_shape,
    .scratch_bytes = conv2d_scratch,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
};

mood_node *mood_conv2d(mood_node *x, mood_node *w, mood_node *bias,
                       const mood_conv2d_params *params)
{
    struct conv2d_attr a = {.p = {0}};
    if (params)
        a.p = *params;
    a.p.stride_f = a.p.stride_f ? a.p.stride_f : 1;
    a.p.stride_t = a.p.stride_t ? a.p.stride_t : 1;
    return mood__node(&mood__op_conv2d, (mood_node *[]){x, w, bias}, bias ? 3 : 2, &a, sizeof(a));
}
