/* SPDX-License-Identifier: MIT
 *
 * softmax.c — softmax and log-softmax over the last axis. The largest element is subtracted first,
 * so that no exponential overflows. */
#include "mood/ops.h"

#include <math.h>

#include "ops/op_list.h"

static mood_status softmax_shape(mood_node *n)
{
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (x->rank < 1)
        return mood__node_fail(n, MOOD_E_SHAPE, "a scalar; (..., V) is needed");
    return mood__set_shape(n, x->rank, x->dim);
}

struct job {
    struct mood__run *r;
    mood_node *n;
    int64_t V;
};

static void softmax_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    const struct mood__kernels *k = j->r->k;
    for (int64_t row = begin; row < end; row++) {
        const float *x = mood__in(j->n, 0) + row * j->V;
        float *y = mood__out(j->n) + row * j->V, top = k->max(x, j->V);
        for (int64_t v = 0; v < j->V; v++)
            y[v] = x[v] - top;
        k->exp(y, y, j->V);
        k->scale(y, 1.0f / k->sum(y, j->V), y, j->V, false);
    }
}

static void log_softmax_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    const struct mood__kernels *k = j->r->k;
    for (int64_t row = begin; row < end; row++) {
        const float *x = mood__in(j->n, 0) + row * j->V;
        float *y = mood__out(j->n) + row * j->V, top = k->max(x, j->V);
        double sum = 0;
        for (int64_t v = 0; v < j->V; v++)
            sum += exp((double)(x[v] - top));
        float shift = top + (float)log(sum);
        for (int64_t v = 0; v < j->V; v++)
            y[v] = x[v] - shift;
    }
}

/* dx = y (dy - sum of dy y) */
static void softmax_grad_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    bool add = mood__adds(j->n, 0);
    for (int64_t row = begin; row < end; row++) {
        const float *y = mood__out(j->n) + row * j->V, *dy = mood__dout(j->n) + row * j->V;
        float *dx = mood__din(j->n, 0) + row * j->V, dot = j->r->k->dot(dy, y, j->V);
        for (int64_t v = 0; v < j->V; v++)
            dx[v] = (add ? dx[v] : 0.0f) + y[v] * (dy[v] - dot);
    }
}

/* dx = dy - exp(y) sum of dy */
static void log_softmax_grad_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    bool add = mood__adds(j->n, 0);
    for (int64_t row = begin; row < end; row++) {
        const float *y = mood__out(j->n) + row * j->V, *dy = mood__dout(j->n) + row * j->V;
        float *dx = mood__din(j->n, 0) + row * j->V, sum = j->r->k->sum(dy, j->V);
        for (int64_t v = 0; v < j->V; v++)
            dx[v] = (add ? dx[v] : 0.0f) + dy[v] - expf(y[v]) * sum;
    }
}

static void run_rows(struct mood__run *r, mood_node *n, mood__range *rows)
{
    struct job j = {r, n, n->value.dim[n->value.rank - 1]};
    mood__each_range(r, mood__count(n) / j.V, 1 + MOOD__GRAIN / j.V, rows, &j);
}

static void softmax_forward(struct mood__run *r, mood_node *n)
{
    run_rows(r, n, softmax_rows);
}

static void softmax_backward(struct mood__run *r, mood_node *n)
{
    run_rows(r, n, softmax_grad_rows);
}

const struct mood__op mood__op_softmax = {
    .name = "softmax",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__STORES,
    .shape = softmax_shape,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

static void log_softmax_forward(struct mood__run *r, mood_node *n)
{
    run_rows(r, n, log_softmax_rows);
}

static void log_softmax_backward(struct mood__run *r, mood_node *n)
{
    run_rows(r, n, log_softmax_grad_rows);
}

const struct mood__op mood__op_log_softmax = {
    .name = "log_softmax",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__STORES,
    .shape = softmax_shape,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
};

mood_node *mood_softmax(mood_node *x)
{
    return mood__node(&mood__op_softmax, &x, 1, NULL, 0);
}

mood_node *mood_log_softmax(mood_node *x)
{
    return mood__node(&mood__op_log_softmax, &x, 1, NULL, 0);
}
