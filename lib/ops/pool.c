/* SPDX-License-Identifier: MIT
 *
 * pool.c — Max pooling. 1-D is 2-D with one row. */
#include "mood/ops.h"

#include <string.h>

#include "ops/op_list.h"

struct pool_attr {
    int window_f, window_t;
    int64_t B, F, T, C, Fy, Ty; /* x (B, F, T, C) -> y (B, Fy, Ty, C) */
};

static mood_status check_windows(mood_node *n, struct pool_attr *a)
{
    MOOD__TRY(mood__need_f32(n));
    if (a->window_f < 1 || a->window_t < 1 || a->window_f > 255 || a->window_t > 255 ||
        a->window_f * a->window_t > 255)
        return mood__node_fail(n, MOOD_E_INVALID,
                               "a window of %d x %d; 1 to 255 positions are "
                               "possible",
                               a->window_f, a->window_t);
    a->Fy = a->F / a->window_f;
    a->Ty = a->T / a->window_t;
    if (a->Fy < 1 || a->Ty < 1)
        return mood__node_fail(n, MOOD_E_SHAPE, "a window of %d x %d over %lld x %lld", a->window_f,
                               a->window_t, (long long)a->F, (long long)a->T);
    return MOOD_OK;
}

static mood_status max_pool1d_shape(mood_node *n)
{
    struct pool_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    if (x->rank != 3)
        return mood__node_fail(n, MOOD_E_SHAPE, "rank %d; (B, T, C) is needed", x->rank);
    a->B = x->dim[0], a->F = 1, a->T = x->dim[1], a->C = x->dim[2];
    MOOD__TRY(check_windows(n, a));
    return mood__set_shape(n, 3, (int64_t[]){a->B, a->Ty, a->C});
}

static mood_status max_pool2d_shape(mood_node *n)
{
    struct pool_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    if (x->rank != 4)
        return mood__node_fail(n, MOOD_E_SHAPE, "rank %d; (B, F, T, C) is needed", x->rank);
    a->B = x->dim[0], a->F = x->dim[1], a->T = x->dim[2], a->C = x->dim[3];
    MOOD__TRY(check_windows(n, a));
    return mood__set_shape(n, 4, (int64_t[]){a->B, a->Fy, a->Ty, a->C});
}

/* Which position of its window each output came from: one byte each. */
static size_t pool_state(const mood_node *n)
{
    return (size_t)mood__count(n);
}

struct job {
    struct mood__run *r;
    mood_node *n;
    const struct pool_attr *a;
};

/* Rows of outputs are numbered over the batch: row = b * Fy + f. */
static void forward_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    const struct pool_attr *a = j->a;
    for (int64_t row = begin; row < end; row++) {
        int64_t from = (row / a->Fy * a->F + row % a->Fy * a->window_f) * a->T * a->C;
        int64_t to = row * a->Ty * a->C;
        j->r->k->max_pool_row(mood__out(j->n) + to, (uint8_t *)j->n->state + to,
                              mood__in(j->n, 0) + from, a->Ty, a->C, a->window_f, a->window_t,
                              a->T * a->C);
    }
}

static void pool_forward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    int64_t row = j.a->T * j.a->C * j.a->window_f;
    mood__each_range(r, j.a->B * j.a->Fy, 1 + MOOD__GRAIN / row, forward_rows, &j);
}

/* Clear what no window covers: the columns left over at the end of a row, and the rows below the
 * last. */
static void clear_rest(const struct pool_attr *a, float *dx, int64_t row)
{
    int64_t covered = a->Ty * a->window_t * a->C, width = a->T * a->C;
    for (int i = 0; i < a->window_f; i++)
        memset(dx + i * width + covered, 0, (size_t)(width - covered) * sizeof(float));
    if (row % a->Fy == a->Fy - 1)
        memset(dx + a->window_f * width, 0,
               (size_t)((a->F - a->Fy * a->window_f) * width) * sizeof(float));
}

static void backward_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    const struct pool_attr *a = j->a;
    for (int64_t row = begin; row < end; row++) {
        int64_t from = (row / a->Fy * a->F + row % a->Fy * a->window_f) * a->T * a->C;
        int64_t to = row * a->Ty * a->C;
        float *dx = mood__din(j->n, 0) + from;
        if (!mood__adds(j->n, 0))
            clear_rest(a, dx, row);
        j->r->k->max_pool_row_grad(dx, mood__dout(j->n) + to, (const uint8_t *)j->n->state + to,
                                   a->Ty, a->C, a->window_f, a->window_t, a->T * a->C,
                                   mood__adds(j->n, 0));
    }
}

static void pool_backward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    int64_t row = j.a->T * j.a->C * j.a->window_f;
    mood__each_range(r, j.a->B * j.a->Fy, 1 + MOOD__GRAIN / row, backward_rows, &j);
}

const struct mood__op mood__op_max_pool1d = {
    .name = "max_pool1d",
    .flags = MOOD__STORES,
    .shape = max_pool1d_shape,
    .state_bytes = pool_state,
    .forward = pool_forward,
    .backward = pool_backward,
};

const struct mood__op mood__op_max_pool2d = {
    .name = "max_pool2d",
    .flags = MOOD__STORES,
    .shape = max_pool2d_shape,
    .state_bytes = pool_state,
    .forward = pool_forward,
    .backward = pool_backward,
};

mood_node *mood_max_pool1d(mood_node *x, int window)
{
    struct pool_attr a = {.window_f = 1, .window_t = window};
    return mood__node(&mood__op_max_pool1d, &x, 1, &a, sizeof(a));
}

mood_node *mood_max_pool2d(mood_node *x, int window_f, int window_t)
{
    struct pool_attr a = {.window_f = window_f, .window_t = window_t};
    return mood__node(&mood__op_max_pool2d, &x, 1, &a, sizeof(a));
}
