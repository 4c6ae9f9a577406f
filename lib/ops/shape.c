/* SPDX-License-Identifier: MIT
 *
 * shape.c — Ops that move elements without computing: reshape, transpose, slice, concat. */
#include "mood/ops.h"

#include <string.h>

#include "ops/op_list.h"

/* ---- reshape ---- */

struct reshape_attr {
    int rank;
    int64_t dim[MOOD_MAX_RANK];
};

static mood_status reshape_shape(mood_node *n)
{
    struct reshape_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    int64_t rest = mood_tensor_elements(x);
    int open = -1;
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] == -1 && open < 0)
            open = i;
        else if (a->dim[i] < 1 || rest % a->dim[i] != 0)
            rest = -1;
        else
            rest /= a->dim[i];
        if (rest < 0)
            break;
    }
    if (rest < 0 || (open < 0 && rest != 1)) {
        char from[MOOD__SHAPE_BYTES], to[MOOD__SHAPE_BYTES];
        return mood__node_fail(n, MOOD_E_SHAPE, "%s does not fit into %s",
                               mood__shape_text(from, x->rank, x->dim),
                               mood__shape_text(to, a->rank, a->dim));
    }
    if (open >= 0)
        a->dim[open] = rest;
    MOOD__TRY(mood__need_f32(n));
    return mood__set_shape(n, a->rank, a->dim);
}

const struct mood__op mood__op_reshape = {
    .name = "reshape",
    .flags = MOOD__VIEW,
    .shape = reshape_shape,
};

mood_node *mood_reshape(mood_node *x, int rank, const int64_t *dim)
{
    struct reshape_attr a = {.rank = rank};
    if (!x)
        return NULL;
    if (rank < 0 || rank > MOOD_MAX_RANK)
        return mood__build_fail(x, "reshape", MOOD_E_INVALID, "rank %d", rank);
    for (int i = 0; i < rank; i++)
        a.dim[i] = dim[i];
    return mood__node(&mood__op_reshape, &x, 1, &a, sizeof(a));
}

/* ---- strided copies: transpose and slice ---- */

/* Copy a strided view into a contiguous tensor of the same shape, or add that to the view. The last
 * axis is the inner loop. */
static void strided(float *contiguous, const mood_tensor *view, bool add_to_view)
{
    int64_t rows = mood_tensor_elements(view), at[MOOD_MAX_RANK] = {0};
    int last = view->rank - 1;
    int64_t C = view->rank ? view->dim[last] : 1, step = view->rank ? view->stride[last] : 1;
    rows /= C;
    for (int64_t row = 0; row < rows; row++) {
        int64_t offset = 0;
        for (int i = 0; i < last; i++)
            offset += at[i] * view->stride[i];
        float *v = mood__f32(view) + offset, *x = contiguous + row * C;
        if (add_to_view)
            for (int64_t c = 0; c < C; c++)
                v[c * step] += x[c];
        else
            for (int64_t c = 0; c < C; c++)
                x[c] = v[c * step];
        for (int i = last - 1; i >= 0 && ++at[i] == view->dim[i]; i--)
            at[i] = 0;
    }
}

struct transpose_attr {
    int order[MOOD_MAX_RANK];
};

static mood_status transpose_shape(mood_node *n)
{
    const struct transpose_attr *a = n->attr;
    mood_tensor view;
    MOOD__TRY(mood__need_f32(n));
    mood_status status = mood_tensor_transpose(&view, &n->in[0]->value, a->order);
    if (status)
        return mood__node_fail(n, status, "the order is no permutation of the %d axes",
                               n->in[0]->value.rank);
    return mood__set_shape(n, view.rank, view.dim);
}

/* The view of `t` that looks like the output. The order was checked when the node was built. */
static mood_tensor transposed(const mood_node *n, const mood_tensor *t)
{
    const struct transpose_attr *a = n->attr;
    mood_tensor view = *t;
    for (int i = 0; i < t->rank; i++) {
        view.dim[i] = t->dim[a->order[i]];
        view.stride[i] = t->stride[a->order[i]];
    }
    return view;
}

static void transpose_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    mood_tensor view = transposed(n, &n->in[0]->value);
    strided(mood__out(n), &view, false);
}

static void transpose_backward(struct mood__run *r, mood_node *n)
{
    (void)r;
    mood_tensor view = transposed(n, &n->in[0]->grad);
    strided(mood__f32(&n->grad), &view, true);
}

const struct mood__op mood__op_transpose = {
    .name = "transpose",
    .shape = transpose_shape,
    .forward = transpose_forward,
    .backward = transpose_backward,
};

mood_node *mood_transpose(mood_node *x, const int *order)
{
    struct transpose_attr a = {{0}};
    if (!x)
        return NULL;
    for (int i = 0; i < x->value.rank; i++)
        a.order[i] = mood__axis(order[i], x->value.rank);
    return mood__node(&mood__op_transpose, &x, 1, &a, sizeof(a));
}

struct slice_attr {
    int axis;
    int64_t start, stop;
};

static mood_status slice_shape(mood_node *n)
{
    struct slice_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    mood_tensor view;
    MOOD__TRY(mood__need_f32(n));
    int axis = mood__axis(a->axis, x->rank);
    mood_status status = mood_tensor_slice(&view, x, axis, a->start, a->stop);
    char shape[MOOD__SHAPE_BYTES];
    if (status)
        return mood__node_fail(n, status, "[%lld, %lld) of axis %d of %s", (long long)a->start,
                               (long long)a->stop, a->axis,
                               mood__shape_text(shape, x->rank, x->dim));
    a->axis = axis;
    return mood__set_shape(n, view.rank, view.dim);
}

static mood_tensor sliced(const mood_node *n, const mood_tensor *t)
{
    const struct slice_attr *a = n->attr;
    mood_tensor view = *t;
    view.data = mood__f32(t) + a->start * t->stride[a->axis];
    view.dim[a->axis] = a->stop - a->start;
    return view;
}

static void slice_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    mood_tensor view = sliced(n, &n->in[0]->value);
    strided(mood__out(n), &view, false);
}

static void slice_backward(struct mood__run *r, mood_node *n)
{
    (void)r;
    mood_tensor view = sliced(n, &n->in[0]->grad);
    strided(mood__f32(&n->grad), &view, true);
}

const struct mood__op mood__op_slice = {
    .name = "slice",
    .shape = slice_shape,
    .forward = slice_forward,
    .backward = slice_backward,
};

mood_node *mood_slice(mood_node *x, int axis, int64_t start, int64_t stop)
{
    struct slice_attr a = {axis, start, stop};
    return mood__node(&mood__op_slice, &x, 1, &a, sizeof(a));
}

/* ---- concat ---- */

static mood_status concat_shape(mood_node *n)
{
    int *axis = n->attr;
    const mood_tensor *first = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    int a = mood__axis(*axis, first->rank);
    if (a < 0)
        return mood__node_fail(n, MOOD_E_INVALID, "axis %d of rank %d", *axis, first->rank);
    *axis = a;
    int64_t dim[MOOD_MAX_RANK];
    memcpy(dim, first->dim, sizeof(dim));
    for (int k = 1; k < n->n_in; k++) {
        const mood_tensor *x = &n->in[k]->value;
        bool fits = x->rank == first->rank;
        for (int i = 0; fits && i < x->rank; i++)
            fits = i == a || x->dim[i] == first->dim[i];
        if (!fits) {
            char s0[MOOD__SHAPE_BYTES], s[MOOD__SHAPE_BYTES];
            return mood__node_fail(n, MOOD_E_SHAPE, "input %d is %s, input 0 is %s", k,
                                   mood__shape_text(s, x->rank, x->dim),
                                   mood__shape_text(s0, first->rank, first->dim));
        }
        dim[a] += x->dim[a];
    }
    return mood__set_shape(n, first->rank, dim);
}

/* Elements from one index of the axis before `axis` to the next. */
static int64_t inner_size(const mood_tensor *t, int axis)
{
    int64_t n = 1;
    for (int i = axis; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

static void concat_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    int axis = *(int *)n->attr;
    int64_t row = inner_size(&n->value, axis), rows = mood__count(n) / row, offset = 0;
    for (int k = 0; k < n->n_in; k++) {
        int64_t part = inner_size(&n->in[k]->value, axis);
        for (int64_t i = 0; i < rows; i++)
            memcpy(mood__out(n) + i * row + offset, mood__in(n, k) + i * part,
                   (size_t)part * sizeof(float));
        offset += part;
    }
}

static void concat_backward(struct mood__run *r, mood_node *n)
{
    int axis = *(int *)n->attr;
    int64_t row = inner_size(&n->value, axis), rows = mood__count(n) / row, offset = 0;
    for (int k = 0; k < n->n_in; k++) {
        int64_t part = inner_size(&n->in[k]->value, axis);
        for (int64_t i = 0; mood__wants(n, k) && i < rows; i++)
            r->k->scale(mood__din(n, k) + i * part, 1.0f, mood__dout(n) + i * row + offset, part,
                        mood__adds(n, k));
        offset += part;
    }
}

const struct mood__op mood__op_concat = {
    .name = "concat",
    .flags = MOOD__STORES,
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
};

mood_node *mood_concat(mood_node *const *x, int n, int axis)
{
    if (n < 1 || !x[0])
        return NULL;
    if (n > MOOD__MAX_INPUTS)
        return mood__build_fail(x[0], "concat", MOOD_E_INVALID, "%d inputs; at most %d", n,
                                MOOD__MAX_INPUTS);
    return mood__node(&mood__op_concat, x, n, &axis, sizeof(axis));
}
