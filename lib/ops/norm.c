/* SPDX-License-Identifier: MIT
 *
 * norm.c — Layer norm and group norm: statistics within one sample.
 *
 * Over the n elements of a normalised set, with xh = (x - mean) i, i = 1 / sqrt(variance + eps),
 * and g = dy gamma: dx = i (g - mean of g - xh * mean of (g xh)),   dgamma = sum dy xh,   dbeta =
 * sum dy */
#include "mood/ops.h"

#include <math.h>
#include <string.h>

#include "ops/op_list.h"

/* ---- layer norm: each row of C ---- */

enum { SHARDS = 16 }; /* partial sums of the gradients of gamma and beta */

struct layer_norm_attr {
    float eps;
    int64_t rows, C;
};

static mood_status check_gain(mood_node *n, int64_t C)
{
    for (int k = 1; k < 3; k++) {
        char text[MOOD__SHAPE_BYTES];
        const mood_tensor *t = &n->in[k]->value;
        if (t->rank != 1 || t->dim[0] != C)
            return mood__node_fail(n, MOOD_E_SHAPE, "%s is %s, (%lld) is needed",
                                   k == 1 ? "gamma" : "beta",
                                   mood__shape_text(text, t->rank, t->dim), (long long)C);
    }
    return MOOD_OK;
}

static mood_status layer_norm_shape(mood_node *n)
{
    struct layer_norm_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (x->rank < 1)
        return mood__node_fail(n, MOOD_E_SHAPE, "x is a scalar; (..., C) is needed");
    a->C = x->dim[x->rank - 1];
    a->rows = mood_tensor_elements(x) / a->C;
    MOOD__TRY(check_gain(n, a->C));
    return mood__set_shape(n, x->rank, x->dim);
}

static size_t layer_norm_state(const mood_node *n)
{
    return (size_t)(2 * ((const struct layer_norm_attr *)n->attr)->rows) * sizeof(float);
}

static size_t layer_norm_scratch(const mood_node *n, int n_workers, bool backward)
{
    (void)n_workers;
    return backward
               ? (size_t)(SHARDS * 2 * ((const struct layer_norm_attr *)n->attr)->C) * sizeof(float)
               : 0;
}

struct job {
    struct mood__run *r;
    mood_node *n;
    void *attr;
};

static void layer_norm_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct job *j = ctx;
    const struct layer_norm_attr *a = j->attr;
    const float *gamma = mood__in(j->n, 1), *beta = mood__in(j->n, 2);
    float *stat = j->n->state;
    for (int64_t row = begin; row < end; row++) {
        const float *x = mood__in(j->n, 0) + row * a->C;
        float *y = mood__out(j->n) + row * a->C;
        float mean = j->r->k->sum(x, a->C) / (float)a->C;
        float var = j->r->k->sum_sq_dev(x, mean, a->C) / (float)a->C;
        float inv = 1.0f / sqrtf(var + a->eps);
        for (int64_t c = 0; c < a->C; c++)
            y[c] = (x[c] - mean) * inv * gamma[c] + beta[c];
        stat[2 * row] = mean;
        stat[2 * row + 1] = inv;
    }
}

static void layer_norm_forward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    const struct layer_norm_attr *a = n->attr;
    mood__each_range(r, a->rows, 1 + MOOD__GRAIN / a->C, layer_norm_rows, &j);
}

/* The gradient of one row: two sums, then the formula above. */
static void layer_norm_row_grad(const struct layer_norm_attr *a, float *dx, const float *dy,
                                const float *x, const float *gamma, const float *stat, bool add)
{
    double sum_g = 0, sum_gx = 0;
    float mean = stat[0], inv = stat[1];
    for (int64_t c = 0; c < a->C; c++) {
        float g = dy[c] * gamma[c];
        sum_g += (double)g;
        sum_gx += (double)(g * ((x[c] - mean) * inv));
    }
    float mean_g = (float)(sum_g / (double)a->C), mean_gx = (float)(sum_gx / (double)a->C);
    for (int64_t c = 0; c < a->C; c++) {
        float d = inv * (dy[c] * gamma[c] - mean_g - (x[c] - mean) * inv * mean_gx);
        dx[c] = add ? dx[c] + d : d;
    }
}

static void layer_norm_shard(void *ctx, int64_t shard, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct layer_norm_attr *a = j->attr;
    float *dgamma = (float *)j->n->scratch + shard * 2 * a->C, *dbeta = dgamma + a->C;
    memset(dgamma, 0, (size_t)(2 * a->C) * sizeof(float));
    for (int64_t row = shard * a->rows / SHARDS; row < (shard + 1) * a->rows / SHARDS; row++) {
        const float *x = mood__in(j->n, 0) + row * a->C, *dy = mood__dout(j->n) + row * a->C;
        const float *stat = (const float *)j->n->state + 2 * row;
        for (int64_t c = 0; c < a->C; c++) {
            dgamma[c] += dy[c] * ((x[c] - stat[0]) * stat[1]);
            dbeta[c] += dy[c];
        }
        if (mood__wants(j->n, 0))
            layer_norm_row_grad(a, mood__din(j->n, 0) + row * a->C, dy, x, mood__in(j->n, 1), stat,
                                mood__adds(j->n, 0));
    }
}

static void layer_norm_backward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    const struct layer_norm_attr *a = n->attr;
    mood__pool_run(r->pool, SHARDS, layer_norm_shard, &j);
    for (int k = 1; k < 3; k++)
        for (int s = 0; mood__wants(n, k) && s < SHARDS; s++)
            r->k->scale(mood__din(n, k), 1.0f, (float *)n->scratch + (s * 2 + k - 1) * a->C, a->C,
                        s > 0 || mood__adds(n, k));
}

const struct mood__op mood__op_layer_norm = {
    .name = "layer_norm",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = layer_norm_shape,
    .state_bytes = layer_norm_state,
    .scratch_bytes = layer_norm_scratch,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
};

mood_node *mood_layer_norm(mood_node *x, mood_node *gamma, mood_node *beta, float eps)
{
    struct layer_norm_attr a = {.eps = eps > 0 ? eps : 1e-5f};
    return mood__node(&mood__op_layer_norm, (mood_node *[]){x, gamma, beta}, 3, &a, sizeof(a));
}

/* ---- group norm: per sample, the channels of a group over all positions ---- */

struct group_norm_attr {
    float eps;
    int64_t groups, B, P, C; /* x (B, P, C), P positions */
};

static mood_status group_norm_shape(mood_node *n)
{
    struct group_norm_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (x->rank < 2)
        return mood__node_fail(n, MOOD_E_SHAPE, "rank %d; (B, ..., C) is needed", x->rank);
    a->B = x->dim[0];
    a->C = x->dim[x->rank - 1];
    a->P = mood_tensor_elements(x) / (a->B * a->C);
    if (a->groups < 1 || a->C % a->groups != 0)
        return mood__node_fail(n, MOOD_E_INVALID, "%lld groups of %lld channels",
                               (long long)a->groups, (long long)a->C);
    MOOD__TRY(check_gain(n, a->C));
    return mood__set_shape(n, x->rank, x->dim);
}

/* Mean and 1 / sqrt(variance + eps) per sample and channel (repeated within a group). */
static size_t group_norm_state(const mood_node *n)
{
    const struct group_norm_attr *a = n->attr;
    return (size_t)(2 * a->B * a->C) * sizeof(float);
}

/* Per sample two rows of sums, in double; forward, those of each shard behind them. */
static size_t group_norm_scratch(const mood_node *n, int n_workers, bool backward)
{
    (void)n_workers;
    const struct group_norm_attr *a = n->attr;
    return (size_t)(((backward ? 3 : 2) * a->B + (backward ? 0 : SHARDS)) * a->C) * sizeof(double);
}

/* Replace each channel's value by the mean over its group, in which each channel counts P times. */
static void spread_over_groups(const struct group_norm_attr *a, double *sum)
{
    int64_t Cg = a->C / a->groups;
    for (int64_t g = 0; g < a->groups; g++) {
        double total = 0;
        for (int64_t c = g * Cg; c < (g + 1) * Cg; c++)
            total += sum[c];
        for (int64_t c = g * Cg; c < (g + 1) * Cg; c++)
            sum[c] = total / (double)(a->P * Cg);
    }
}

/* Forward, one sample: its positions are dealt to SHARDS tasks, which hand in their sums. */
struct sample {
    const struct group_norm_attr *a;
    const float *x, *gamma, *beta;
    float *y, *mean, *inv;
    const double *centre; /* (C); NULL in the first pass */
    double *partial;      /* (SHARDS, C) */
};

static void shard_sums(void *ctx, int64_t shard, int worker)
{
    (void)worker;
    const struct sample *s = ctx;
    const struct group_norm_attr *a = s->a;
    double *sum = s->partial + shard * a->C;
    memset(sum, 0, (size_t)a->C * sizeof(double));
    for (int64_t p = shard * a->P / SHARDS; p < (shard + 1) * a->P / SHARDS; p++) {
        const float *x = s->x + p * a->C;
        if (s->centre) {
            for (int64_t c = 0; c < a->C; c++) {
                double d = (double)x[c] - s->centre[c];
                sum[c] += d * d;
            }
        } else {
            for (int64_t c = 0; c < a->C; c++)
                sum[c] += (double)x[c];
        }
    }
}

static void shard_norm(void *ctx, int64_t shard, int worker)
{
    (void)worker;
    const struct sample *s = ctx;
    const struct group_norm_attr *a = s->a;
    for (int64_t p = shard * a->P / SHARDS; p < (shard + 1) * a->P / SHARDS; p++) {
        const float *x = s->x + p * a->C;
        float *y = s->y + p * a->C;
        for (int64_t c = 0; c < a->C; c++)
            y[c] = (x[c] - s->mean[c]) * s->inv[c] * s->gamma[c] + s->beta[c];
    }
}

/* Into `sum`, spread over groups: of x, or with a centre of (x - centre)^2. */
static void sample_sums(struct mood__run *r, struct sample *s, double *sum)
{
    mood__pool_run(r->pool, SHARDS, shard_sums, s);
    for (int64_t c = 0; c < s->a->C; c++) {
        sum[c] = 0;
        for (int shard = 0; shard < SHARDS; shard++)
            sum[c] += s->partial[shard * s->a->C + c];
    }
    spread_over_groups(s->a, sum);
}

static void group_norm_forward(struct mood__run *r, mood_node *n)
{
    const struct group_norm_attr *a = n->attr;
    double *sums = n->scratch;
    for (int64_t b = 0; b < a->B; b++) {
        double *sum = sums + 2 * b * a->C, *sq = sum + a->C;
        struct sample s = {.a = a,
                           .x = mood__in(n, 0) + b * a->P * a->C,
                           .gamma = mood__in(n, 1),
                           .beta = mood__in(n, 2),
                           .y = mood__out(n) + b * a->P * a->C,
                           .mean = (float *)n->state + 2 * b * a->C,
                           .inv = (float *)n->state + (2 * b + 1) * a->C,
                           .partial = sums + 2 * a->B * a->C};
        sample_sums(r, &s, sum);
        s.centre = sum;
        sample_sums(r, &s, sq);
        for (int64_t c = 0; c < a->C; c++) {
            s.mean[c] = (float)sum[c];
            s.inv[c] = (float)(1.0 / sqrt(sq[c] + (double)a->eps));
        }
        mood__pool_run(r->pool, SHARDS, shard_norm, &s);
    }
}

/* dx of one sample; leaves its sums of dy and dy xh per channel in scratch. */
static void group_norm_sample_grad(void *ctx, int64_t b, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct group_norm_attr *a = j->attr;
    const float *x = mood__in(j->n, 0) + b * a->P * a->C;
    const float *dy = mood__dout(j->n) + b * a->P * a->C, *gamma = mood__in(j->n, 1);
    const float *mean = (const float *)j->n->state + 2 * b * a->C, *inv = mean + a->C;
    double *sum_g = (double *)j->n->scratch + 2 * b * a->C, *sum_gx = sum_g + a->C;
    float *mean_g = (float *)((double *)j->n->scratch + 2 * a->B * a->C) + 2 * b * a->C,
          *mean_gx = mean_g + a->C; /* of the channel's group */
    memset(sum_g, 0, (size_t)(2 * a->C) * sizeof(double));
    for (int64_t p = 0; p < a->P; p++)
        for (int64_t c = 0; c < a->C; c++) {
            int64_t i = p * a->C + c;
            sum_g[c] += (double)dy[i];
            sum_gx[c] += (double)(dy[i] * ((x[i] - mean[c]) * inv[c]));
        }
    if (!mood__wants(j->n, 0))
        return;
    float *dx = mood__din(j->n, 0) + b * a->P * a->C;
    int64_t Cg = a->C / a->groups;
    for (int64_t g = 0; g < a->groups; g++) {
        double g_of_group = 0, gx_of_group = 0;
        for (int64_t c = g * Cg; c < (g + 1) * Cg; c++) {
            g_of_group += sum_g[c] * (double)gamma[c] / (double)(a->P * Cg);
            gx_of_group += sum_gx[c] * (double)gamma[c] / (double)(a->P * Cg);
        }
        for (int64_t c = g * Cg; c < (g + 1) * Cg; c++) {
            mean_g[c] = (float)g_of_group;
            mean_gx[c] = (float)gx_of_group;
        }
    }
    bool adds = mood__adds(j->n, 0);
    for (int64_t p = 0; p < a->P; p++)
        for (int64_t c = 0; c < a->C; c++) {
            int64_t i = p * a->C + c;
            float xh = (x[i] - mean[c]) * inv[c];
            float d = inv[c] * (dy[i] * gamma[c] - mean_g[c] - xh * mean_gx[c]);
            dx[i] = adds ? dx[i] + d : d;
        }
}

static void group_norm_backward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    const struct group_norm_attr *a = n->attr;
    mood__pool_run(r->pool, a->B, group_norm_sample_grad, &j);
    const double *sums = n->scratch; /* (B, 2, C): of dy, for beta; of dy xh, for gamma */
    for (int k = 1; k < 3; k++)
        for (int64_t c = 0; mood__wants(n, k) && c < a->C; c++) {
            double total = 0;
            for (int64_t b = 0; b < a->B; b++)
                total += sums[(2 * b + (k == 1)) * a->C + c];
            mood__din(n, k)[c] = (mood__adds(n, k) ? mood__din(n, k)[c] : 0.0f) + (float)total;
        }
}

const struct mood__op mood__op_group_norm = {
    .name = "group_norm",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = group_norm_shape,
    .state_bytes = group_norm_state,
    .scratch_bytes = group_norm_scratch,
    .forward = group_norm_forward,
    .backward = group_norm_backward,
};

mood_node *mood_group_norm(mood_node *x, mood_node *gamma, mood_node *beta, int groups, float eps)
{
    struct group_norm_attr a = {.eps = eps > 0 ? eps : 1e-5f, .groups = groups};
    return mood__node(&mood__op_group_norm, (mood_node *[]){x, gamma, beta}, 3, &a, sizeof(a));
}
