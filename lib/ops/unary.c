/* SPDX-License-Identifier: MIT
 *
 * unary.c — Ops that map each element by itself: exp, log, tanh, sigmoid, relu, gelu, scale,
 * clamp, dropout. The loops that take time are in kernel/; here is what they save and how they are
 * shared among threads. */
#include "mood/ops.h"

#include "ops/op_list.h"

static mood_status same_shape(mood_node *n)
{
    MOOD__TRY(mood__need_f32(n));
    return mood__set_shape(n, n->in[0]->value.rank, n->in[0]->value.dim);
}

/* One loop over elements: a map, or the gradient of one. */
struct loop {
    mood__map *map;
    mood__map_grad *grad;
    float *out;
    const float *in, *saved;
    bool add;
};

static void map_range(void *ctx, int64_t begin, int64_t end)
{
    const struct loop *l = ctx;
    l->map(l->out + begin, l->in + begin, end - begin);
}

static void grad_range(void *ctx, int64_t begin, int64_t end)
{
    const struct loop *l = ctx;
    l->grad(l->out + begin, l->in + begin, l->saved + begin, end - begin, l->add);
}

static void run_map(struct mood__run *r, mood_node *n, mood__map *map)
{
    struct loop l = {.map = map, .out = mood__out(n), .in = mood__in(n, 0)};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, map_range, &l);
}

static void run_grad(struct mood__run *r, mood_node *n, mood__map_grad *grad, const float *saved)
{
    struct loop l = {.grad = grad,
                     .out = mood__din(n, 0),
                     .in = mood__dout(n),
                     .saved = saved,
                     .add = mood__adds(n, 0)};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, grad_range, &l);
}

static void exp_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->exp);
}

static void exp_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->exp_grad, mood__out(n));
}

const struct mood__op mood__op_exp = {
    .name = "exp",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = exp_forward,
    .backward = exp_backward,
};

mood_node *mood_exp(mood_node *x)
{
    return mood__node(&mood__op_exp, &x, 1, NULL, 0);
}

static void log_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->log);
}

static void log_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->log_grad, mood__in(n, 0));
}

const struct mood__op mood__op_log = {
    .name = "log",
    .saves = MOOD__SAVE_IN(0),
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = log_forward,
    .backward = log_backward,
};

mood_node *mood_log(mood_node *x)
{
    return mood__node(&mood__op_log, &x, 1, NULL, 0);
}

static void tanh_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->tanh);
}

static void tanh_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->tanh_grad, mood__out(n));
}

const struct mood__op mood__op_tanh = {
    .name = "tanh",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

mood_node *mood_tanh(mood_node *x)
{
    return mood__node(&mood__op_tanh, &x, 1, NULL, 0);
}

static void sigmoid_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->sigmoid);
}

static void sigmoid_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->sigmoid_grad, mood__out(n));
}

const struct mood__op mood__op_sigmoid = {
    .name = "sigmoid",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

mood_node *mood_sigmoid(mood_node *x)
{
    return mood__node(&mood__op_sigmoid, &x, 1, NULL, 0);
}

static void relu_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->relu);
}

static void relu_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->relu_grad, mood__out(n));
}

const struct mood__op mood__op_relu = {
    .name = "relu",
    .saves = MOOD__SAVE_OUT,
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = relu_forward,
    .backward = relu_backward,
};

mood_node *mood_relu(mood_node *x)
{
    return mood__node(&mood__op_relu, &x, 1, NULL, 0);
}

static void gelu_forward(struct mood__run *r, mood_node *n)
{
    run_map(r, n, r->k->gelu);
}

static void gelu_backward(struct mood__run *r, mood_node *n)
{
    run_grad(r, n, r->k->gelu_grad, mood__in(n, 0));
}

const struct mood__op mood__op_gelu = {
    .name = "gelu",
    .saves = MOOD__SAVE_IN(0),
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = gelu_forward,
    .backward = gelu_backward,
};

mood_node *mood_gelu(mood_node *x)
{
    return mood__node(&mood__op_gelu, &x, 1, NULL, 0);
}

/* ---- scale ---- */

struct scale_loop {
    const struct mood__kernels *k;
    float *out, factor;
    const float *in;
    bool add;
};

static void scale_range(void *ctx, int64_t begin, int64_t end)
{
    const struct scale_loop *l = ctx;
    l->k->scale(l->out + begin, l->factor, l->in + begin, end - begin, l->add);
}

static void scale_forward(struct mood__run *r, mood_node *n)
{
    struct scale_loop l = {r->k, mood__out(n), *(float *)n->attr, mood__in(n, 0), false};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, scale_range, &l);
}

static void scale_backward(struct mood__run *r, mood_node *n)
{
    struct scale_loop l = {r->k, mood__din(n, 0), *(float *)n->attr, mood__dout(n),
                           mood__adds(n, 0)};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, scale_range, &l);
}

const struct mood__op mood__op_scale = {
    .name = "scale",
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = scale_forward,
    .backward = scale_backward,
};

mood_node *mood_scale(mood_node *x, float factor)
{
    return mood__node(&mood__op_scale, &x, 1, &factor, sizeof(factor));
}

/* ---- clamp ---- */

struct limits {
    float low, high;
};

struct clamp_loop {
    float *out;
    const float *in, *x;
    struct limits limits;
    bool add;
};

/* A NaN stays what it is. */
static void clamp_range(void *ctx, int64_t begin, int64_t end)
{
    const struct clamp_loop *l = ctx;
    for (int64_t i = begin; i < end; i++) {
        float x = l->x[i];
        l->out[i] = x < l->limits.low ? l->limits.low : x > l->limits.high ? l->limits.high : x;
    }
}

static void clamp_grad_range(void *ctx, int64_t begin, int64_t end)
{
    const struct clamp_loop *l = ctx;
    for (int64_t i = begin; i < end; i++) {
        bool inside = l->x[i] >= l->limits.low && l->x[i] <= l->limits.high;
        float g = inside ? l->in[i] : 0.0f;
        l->out[i] = l->add ? l->out[i] + g : g;
    }
}

static void clamp_forward(struct mood__run *r, mood_node *n)
{
    struct clamp_loop l = {
        .out = mood__out(n), .x = mood__in(n, 0), .limits = *(struct limits *)n->attr};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, clamp_range, &l);
}

static void clamp_backward(struct mood__run *r, mood_node *n)
{
    struct clamp_loop l = {.out = mood__din(n, 0),
                           .in = mood__dout(n),
                           .x = mood__in(n, 0),
                           .limits = *(struct limits *)n->attr,
                           .add = mood__adds(n, 0)};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, clamp_grad_range, &l);
}

const struct mood__op mood__op_clamp = {
    .name = "clamp",
    .saves = MOOD__SAVE_IN(0),
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = clamp_forward,
    .backward = clamp_backward,
};

mood_node *mood_clamp(mood_node *x, float low, float high)
{
    if (!x)
        return NULL;
    if (!(low <= high))
        return mood__build_fail(x, "clamp", MOOD_E_INVALID, "from %g to %g", (double)low,
                                (double)high);
    const struct limits limits = {low, high};
    return mood__node(&mood__op_clamp, &x, 1, &limits, sizeof(limits));
}

/* ---- dropout ---- */

/* The mask is not stored: backward draws it again from the same key. */
struct dropout_loop {
    const struct mood__kernels *k;
    float *out, factor;
    const float *in;
    uint64_t key;
    uint32_t threshold;
    bool add;
};

static void dropout_range(void *ctx, int64_t begin, int64_t end)
{
    const struct dropout_loop *l = ctx;
    l->k->dropout(l->out + begin, l->in + begin, end - begin, l->key, (uint64_t)begin, l->threshold,
                  l->factor, l->add);
}

static void run_dropout(struct mood__run *r, mood_node *n, float *out, const float *in, bool add)
{
    float p = *(float *)n->attr;
    struct dropout_loop l = {
        .k = r->k,
        .out = out,
        .factor = 1.0f / (1.0f - p),
        .in = in,
        .key = r->key ^ (uint64_t)n->id * 0xd1342543de82ef95u, /* another mask in each node */
        .threshold = (uint32_t)((double)p * 4294967296.0),
        .add = add,
    };
    mood__each_range(r, mood__count(n), MOOD__GRAIN, dropout_range, &l);
}

static void dropout_forward(struct mood__run *r, mood_node *n)
{
    run_dropout(r, n, mood__out(n), mood__in(n, 0), false);
}

static void dropout_backward(struct mood__run *r, mood_node *n)
{
    run_dropout(r, n, mood__din(n, 0), mood__dout(n), mood__adds(n, 0));
}

const struct mood__op mood__op_dropout = {
    .name = "dropout",
    .flags = MOOD__IN_PLACE,
    .shape = same_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
};

mood_node *mood_dropout(mood_node *x, float probability)
{
    if (!x)
        return NULL;
    if (!(probability >= 0.0f && probability < 1.0f))
        return mood__build_fail(x, "dropout", MOOD_E_INVALID, "probability %g is not in [0, 1)",
                                (double)probability);
    if (!mood__training(x->graph) || probability == 0.0f)
        return x;
    return mood__node(&mood__op_dropout, &x, 1, &probability, sizeof(probability));
}
