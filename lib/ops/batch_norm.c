/* SPDX-License-Identifier: MIT
 *
 * batch_norm.c — Batch normalisation, with an optional ReLU behind it.
 *
 * With m and v the mean and biased variance per channel over the N rows, i = 1 / sqrt(v + eps) and
 * g the gradient behind the ReLU:
 *     y     = x a + b,                a = gamma i,  b = beta - m a
 *     dbeta = sum g,                  dgamma = i sum g (x - m)
 *     dx    = a g - (a / N) dbeta - (x - m) (a i / N) dgamma
 * (Outside training m and v are the running statistics, and there is no backward.)
 * Rows are taken in blocks; sums over a block are float and stay in the cache, sums over blocks
 * double. */
#include "mood/ops.h"

#include <math.h>
#include <string.h>

#include "ops/op_list.h"

enum { BLOCK_FLOATS = 16384 };

struct batch_norm_attr {
    mood_batch_norm_params p;
    int64_t rows, C;
};

static mood_status batch_norm_shape(mood_node *n)
{
    static const char *const names[] = {"x", "gamma", "beta", "running_mean", "running_var"};
    struct batch_norm_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value;
    MOOD__TRY(mood__need_f32(n));
    if (x->rank < 2)
        return mood__node_fail(n, MOOD_E_SHAPE, "x has rank %d; (..., C) is needed", x->rank);
    a->C = x->dim[x->rank - 1];
    a->rows = mood_tensor_elements(x) / a->C;
    for (int k = 1; k < 5; k++) {
        char text[MOOD__SHAPE_BYTES];
        const mood_tensor *t = &n->in[k]->value;
        if (t->rank != 1 || t->dim[0] != a->C)
            return mood__node_fail(n, MOOD_E_SHAPE, "%s is %s, (%lld) is needed", names[k],
                                   mood__shape_text(text, t->rank, t->dim), (long long)a->C);
    }
    if (n->in[3]->weight < 0 || n->in[4]->weight < 0 || n->in[3]->wants_grad ||
        n->in[4]->wants_grad)
        return mood__node_fail(n, MOOD_E_INVALID, "the running statistics are not frozen weights");
    if (mood__training(n->graph) && (mood__is_read_only(n->in[3]) || mood__is_read_only(n->in[4])))
        return mood__node_fail(n, MOOD_E_INVALID, "the running statistics are read-only");
    if (mood__training(n->graph) && a->rows < 2)
        return mood__node_fail(n, MOOD_E_SHAPE, "one row: a batch needs two to have a variance");
    return mood__set_shape(n, x->rank, x->dim);
}

static int64_t block_rows(const struct batch_norm_attr *a)
{
    int64_t rows = BLOCK_FLOATS / a->C;
    return rows < 1 ? 1 : rows;
}

static int64_t n_blocks(const struct batch_norm_attr *a)
{
    return (a->rows + block_rows(a) - 1) / block_rows(a);
}

/* Kept for backward, each (C): the map y = x a + b, the mean, and 1 / sqrt(v + eps). */
enum { A, B, MEAN, INV_STD, N_STATE };

static size_t batch_norm_state(const mood_node *n)
{
    return (size_t)(N_STATE * ((const struct batch_norm_attr *)n->attr)->C) * sizeof(float);
}

/* Two sums per block and channel, and three factors per channel. */
static size_t batch_norm_scratch(const mood_node *n, int n_workers, bool backward)
{
    (void)n_workers, (void)backward;
    const struct batch_norm_attr *a = n->attr;
    return (size_t)((2 * n_blocks(a) + 3) * a->C) * sizeof(float);
}

struct job {
    struct mood__run *r;
    mood_node *n;
    const struct batch_norm_attr *a;
    float *sums;         /* (n_blocks, 2, C) */
    const float *factor; /* (3, C): k1, k2, k3 of dx = g k1 + (x - m) k2 + k3 */
};

static float *state(const struct job *j, int which)
{
    return (float *)j->n->state + which * j->a->C;
}

static int64_t rows_in_block(const struct batch_norm_attr *a, int64_t block)
{
    int64_t left = a->rows - block * block_rows(a);
    return left < block_rows(a) ? left : block_rows(a);
}

static int64_t block_offset(const struct batch_norm_attr *a, int64_t block)
{
    return block * block_rows(a) * a->C;
}

static void moments_task(void *ctx, int64_t block, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    float *out = j->sums + block * 2 * j->a->C;
    j->r->k->col_moments(out, out + j->a->C, mood__in(j->n, 0) + block_offset(j->a, block),
                         rows_in_block(j->a, block), j->a->C);
}

static void apply_task(void *ctx, int64_t block, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t at = block_offset(j->a, block);
    j->r->k->affine_rows(mood__out(j->n) + at, mood__in(j->n, 0) + at, state(j, A), state(j, B),
                         rows_in_block(j->a, block), j->a->C, j->a->p.relu);
}

/* Join the blocks' means and squared deviations (Chan, Golub and LeVeque, 1979), and move the
 * running statistics. */
static void join_moments(const struct job *j, int64_t c, double *mean_out, double *var_out)
{
    const struct batch_norm_attr *a = j->a;
    double mean = 0, m2 = 0, count = 0;
    for (int64_t block = 0; block < n_blocks(a); block++) {
        double n = (double)rows_in_block(a, block);
        double delta = (double)j->sums[(block * 2) * a->C + c] - mean;
        mean += delta * n / (count + n);
        m2 += (double)j->sums[(block * 2 + 1) * a->C + c] + delta * delta * count * n / (count + n);
        count += n;
    }
    float *running_mean = mood__f32(&j->n->in[3]->value);
    float *running_var = mood__f32(&j->n->in[4]->value);
    double momentum = (double)a->p.momentum;
    running_mean[c] += (float)(momentum * (mean - (double)running_mean[c]));
    running_var[c] += (float)(momentum * (m2 / (count - 1) - (double)running_var[c]));
    *mean_out = mean;
    *var_out = m2 / count;
}

static void batch_norm_forward(struct mood__run *r, mood_node *n)
{
    const struct batch_norm_attr *a = n->attr;
    struct job j = {r, n, a, n->scratch, NULL};
    if (r->training)
        mood__pool_run(r->pool, n_blocks(a), moments_task, &j);
    for (int64_t c = 0; c < a->C; c++) {
        double mean = (double)mood__in(n, 3)[c], var = (double)mood__in(n, 4)[c];
        if (r->training)
            join_moments(&j, c, &mean, &var);
        double inv = 1.0 / sqrt(var + (double)a->p.eps);
        double scale = (double)mood__in(n, 1)[c] * inv;
        state(&j, A)[c] = (float)scale;
        state(&j, B)[c] = (float)((double)mood__in(n, 2)[c] - mean * scale);
        state(&j, MEAN)[c] = (float)mean;
        state(&j, INV_STD)[c] = (float)inv;
    }
    mood__pool_run(r->pool, n_blocks(a), apply_task, &j);
}

static void grad_sums_task(void *ctx, int64_t block, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t at = block_offset(j->a, block);
    float *out = j->sums + block * 2 * j->a->C;
    j->r->k->norm_grad_sums(out, out + j->a->C, mood__dout(j->n) + at, mood__in(j->n, 0) + at,
                            state(j, A), state(j, B), state(j, MEAN), rows_in_block(j->a, block),
                            j->a->C, j->a->p.relu);
}

static void input_grad_task(void *ctx, int64_t block, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t at = block_offset(j->a, block), C = j->a->C;
    j->r->k->norm_grad_rows(mood__din(j->n, 0) + at, mood__dout(j->n) + at, mood__in(j->n, 0) + at,
                            state(j, A), state(j, B), state(j, MEAN), j->factor, j->factor + C,
                            j->factor + 2 * C, rows_in_block(j->a, block), C, j->a->p.relu,
                            mood__adds(j->n, 0));
}

static void store(mood_node *n, int k, int64_t c, double grad)
{
    if (mood__wants(n, k))
        mood__din(n, k)[c] = (mood__adds(n, k) ? mood__din(n, k)[c] : 0.0f) + (float)grad;
}

static void batch_norm_backward(struct mood__run *r, mood_node *n)
{
    const struct batch_norm_attr *a = n->attr;
    float *factor = (float *)n->scratch + 2 * n_blocks(a) * a->C;
    struct job j = {r, n, a, n->scratch, factor};
    mood__pool_run(r->pool, n_blocks(a), grad_sums_task, &j);
    for (int64_t c = 0; c < a->C; c++) {
        double sum_g = 0, sum_gx = 0;
        for (int64_t block = 0; block < n_blocks(a); block++) {
            sum_g += (double)j.sums[(block * 2) * a->C + c];
            sum_gx += (double)j.sums[(block * 2 + 1) * a->C + c];
        }
        double scale = (double)state(&j, A)[c], inv = (double)state(&j, INV_STD)[c];
        store(n, 2, c, sum_g);
        store(n, 1, c, sum_gx * inv);
        factor[c] = (float)scale;
        factor[a->C + c] = (float)(-scale * inv * inv * sum_gx / (double)a->rows);
        factor[2 * a->C + c] = (float)(-scale * sum_g / (double)a->rows);
    }
    if (mood__wants(n, 0))
        mood__pool_run(r->pool, n_blocks(a), input_grad_task, &j);
}

/* Forward comes about in place too, where nothing is differentiated: each pass reads all it needs
 * of a block before it writes there. */
const struct mood__op mood__op_batch_norm = {
    .name = "batch_norm",
    .saves = MOOD__SAVE_IN(0),
    .flags = MOOD__IN_PLACE,
    .shape = batch_norm_shape,
    .state_bytes = batch_norm_state,
    .scratch_bytes = batch_norm_scratch,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
};

mood_node *mood_batch_norm(mood_node *x, mood_node *gamma, mood_node *beta, mood_node *running_mean,
                           mood_node *running_var, const mood_batch_norm_params *params)
{
    struct batch_norm_attr a = {.p = {0}};
    if (params)
        a.p = *params;
    a.p.eps = a.p.eps > 0 ? a.p.eps : 1e-5f;
    a.p.momentum = a.p.momentum > 0 ? a.p.momentum : 0.1f;
    return mood__node(&mood__op_batch_norm,
                      (mood_node *[]){x, gamma, beta, running_mean, running_var}, 5, &a, sizeof(a));
}
