/* SPDX-License-Identifier: MIT
 *
 * reduce.c — sum, mean and global average pooling: sums over the middle axis of (outer, n, inner).
 */
#include "mood/ops.h"

#include <string.h>

#include "ops/op_list.h"

/* x seen as (outer, n, inner), reduced over n, times `factor`. */
struct reduction {
    int axis;
    int64_t outer, n, inner;
    float factor;
};

static void set_sizes(struct reduction *s, const mood_tensor *x, int first, int last)
{
    s->outer = s->n = s->inner = 1;
    for (int i = 0; i < x->rank; i++) {
        int64_t *size = i < first ? &s->outer : i <= last ? &s->n : &s->inner;
        *size *= x->dim[i];
    }
}

static mood_status sum_shape(mood_node *n)
{
    struct reduction *s = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (s->axis == MOOD_ALL_AXES) {
        set_sizes(s, x, 0, x->rank - 1);
        return mood__set_shape(n, 0, NULL);
    }
    int axis = mood__axis(s->axis, x->rank);
    if (axis < 0)
        return mood__node_fail(n, MOOD_E_INVALID, "axis %d of rank %d", s->axis, x->rank);
    set_sizes(s, x, axis, axis);
    int64_t dim[MOOD_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++)
        if (i != axis)
            dim[rank++] = x->dim[i];
    return mood__set_shape(n, rank, dim);
}

static mood_status mean_shape(mood_node *n)
{
    struct reduction *s = n->attr;
    MOOD__TRY(sum_shape(n));
    s->factor = 1.0f / (float)s->n;
    return MOOD_OK;
}

static mood_status global_avg_pool_shape(mood_node *n)
{
    struct reduction *s = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (x->rank < 3)
        return mood__node_fail(n, MOOD_E_SHAPE, "rank %d; (B, ..., C) is needed", x->rank);
    set_sizes(s, x, 1, x->rank - 2);
    s->factor = 1.0f / (float)s->n;
    return mood__set_shape(n, 2, (int64_t[]){x->dim[0], x->dim[x->rank - 1]});
}

struct reduce_job {
    const struct mood__kernels *k;
    const struct reduction *s;
    float *out;
    const float *in;
    bool add;
};

/* A float sum of many terms loses digits: rows are summed in blocks, and the blocks' sums in
 * double. */
static void sum_rows(const struct reduce_job *j, float *y, const float *x)
{
    enum { BLOCK = 1024 };
    const struct reduction *s = j->s;
    for (int64_t c = 0; c < s->inner; c += 64) {
        double total[64] = {0};
        int64_t width = s->inner - c < 64 ? s->inner - c : 64;
        for (int64_t i = 0; i < s->n; i += BLOCK) {
            int64_t rows = s->n - i < BLOCK ? s->n - i : BLOCK;
            if (s->inner == 1) {
                total[0] += (double)j->k->sum(x + i, rows);
                continue;
            }
            float part[64] = {0};
            for (int64_t row = 0; row < rows; row++)
                for (int64_t e = 0; e < width; e++)
                    part[e] += x[(i + row) * s->inner + c + e];
            for (int64_t e = 0; e < width; e++)
                total[e] += (double)part[e];
        }
        for (int64_t e = 0; e < width; e++)
            y[c + e] = (float)(total[e] * (double)s->factor);
    }
}

static void reduce_range(void *ctx, int64_t begin, int64_t end)
{
    const struct reduce_job *j = ctx;
    for (int64_t o = begin; o < end; o++)
        sum_rows(j, j->out + o * j->s->inner, j->in + o * j->s->n * j->s->inner);
}

static void reduce_forward(struct mood__run *r, mood_node *n)
{
    struct reduce_job j = {r->k, n->attr, mood__out(n), mood__in(n, 0), false};
    mood__each_range(r, j.s->outer, 1 + MOOD__GRAIN / (j.s->n * j.s->inner), reduce_range, &j);
}

static void spread_range(void *ctx, int64_t begin, int64_t end)
{
    const struct reduce_job *j = ctx;
    const struct reduction *s = j->s;
    for (int64_t o = begin; o < end; o++)
        for (int64_t i = 0; i < s->n; i++) {
            float *dx = j->out + (o * s->n + i) * s->inner;
            const float *dy = j->in + o * s->inner;
            if (s->inner == 1)
                dx[0] = (j->add ? dx[0] : 0.0f) + s->factor * dy[0];
            else
                j->k->scale(dx, s->factor, dy, s->inner, j->add);
        }
}

static void reduce_backward(struct mood__run *r, mood_node *n)
{
    struct reduce_job j = {r->k, n->attr, mood__din(n, 0), mood__dout(n), mood__adds(n, 0)};
    mood__each_range(r, j.s->outer, 1 + MOOD__GRAIN / (j.s->n * j.s->inner), spread_range, &j);
}

const struct mood__op mood__op_sum = {
    .name = "sum",
    .flags = MOOD__STORES,
    .shape = sum_shape,
    .forward = reduce_forward,
    .backward = reduce_backward,
};

const struct mood__op mood__op_mean = {
    .name = "mean",
    .flags = MOOD__STORES,
    .shape = mean_shape,
    .forward = reduce_forward,
    .backward = reduce_backward,
};

const struct mood__op mood__op_global_avg_pool = {
    .name = "global_avg_pool",
    .flags = MOOD__STORES,
    .shape = global_avg_pool_shape,
    .forward = reduce_forward,
    .backward = reduce_backward,
};

static mood_node *reduce(const struct mood__op *op, mood_node *x, int axis)
{
    struct reduction s = {.axis = axis, .factor = 1.0f};
    return mood__node(op, &x, 1, &s, sizeof(s));
}

mood_node *mood_sum(mood_node *x, int axis)
{
    return reduce(&mood__op_sum, x, axis);
}

mood_node *mood_mean(mood_node *x, int axis)
{
    return reduce(&mood__op_mean, x, axis);
}

mood_node *mood_global_avg_pool(mood_node *x)
{
    return reduce(&mood__op_global_avg_pool, x, 0);
}
