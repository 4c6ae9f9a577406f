/* SPDX-License-Identifier: MIT
 *
 * loss.c — Losses: mean squared error and cross entropy. Sums are in double: they are short, and
 * their value is what training decides by. */
#include "mood/ops.h"

#include <math.h>
#include <string.h>

#include "ops/op_list.h"

/* ---- mean squared error ---- */

static mood_status mse_shape(mood_node *n)
{
    const mood_tensor *x = &n->in[0]->value, *t = &n->in[1]->value;
    MOOD__TRY(mood__need_f32(n));
    if (!mood_tensor_same_shape(x, t)) {
        char tx[MOOD__SHAPE_BYTES], tt[MOOD__SHAPE_BYTES];
        return mood__node_fail(n, MOOD_E_SHAPE, "x is %s, target is %s",
                               mood__shape_text(tx, x->rank, x->dim),
                               mood__shape_text(tt, t->rank, t->dim));
    }
    return mood__set_shape(n, 0, NULL);
}

static void mse_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    int64_t count = mood__count(n->in[0]);
    const float *x = mood__in(n, 0), *t = mood__in(n, 1);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)x[i] - (double)t[i];
        sum += d * d;
    }
    mood__out(n)[0] = (float)(sum / (double)count);
}

static void mse_backward(struct mood__run *r, mood_node *n)
{
    (void)r;
    int64_t count = mood__count(n->in[0]);
    const float *x = mood__in(n, 0), *t = mood__in(n, 1);
    float factor = mood__dout(n)[0] * 2.0f / (float)count;
    for (int k = 0; k < 2; k++) {
        if (!mood__wants(n, k))
            continue;
        float *d = mood__din(n, k), f = k ? -factor : factor;
        for (int64_t i = 0; i < count; i++)
            d[i] = (mood__adds(n, k) ? d[i] : 0.0f) + f * (x[i] - t[i]);
    }
}

const struct mood__op mood__op_mse = {
    .name = "mse",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = mse_shape,
    .forward = mse_forward,
    .backward = mse_backward,
};

mood_node *mood_mse(mood_node *x, mood_node *target)
{
    return mood__node(&mood__op_mse, (mood_node *[]){x, target}, 2, NULL, 0);
}

/* ---- cross entropy ---- */

struct cross_entropy_attr {
    float *class_weights; /* V, in the graph's memory; NULL: all 1 */
    float smoothing;
    int64_t rows, V;
};

static mood_status cross_entropy_shape(mood_node *n)
{
    struct cross_entropy_attr *a = n->attr;
    const mood_tensor *x = &n->in[0]->value, *t = &n->in[1]->value;
    bool fits = x->dtype == MOOD_F32 && t->dtype == MOOD_I32 && x->rank == t->rank + 1;
    for (int i = 0; fits && i < t->rank; i++)
        fits = x->dim[i] == t->dim[i];
    if (!fits) {
        char tx[MOOD__SHAPE_BYTES], tt[MOOD__SHAPE_BYTES];
        return mood__node_fail(n, MOOD_E_SHAPE,
                               "logits are %s %s, labels are %s %s; (..., V) f32 and "
                               "(...) i32 are needed",
                               mood__shape_text(tx, x->rank, x->dim), mood_dtype_name(x->dtype),
                               mood__shape_text(tt, t->rank, t->dim), mood_dtype_name(t->dtype));
    }
    if (!(a->smoothing >= 0.0f && a->smoothing < 1.0f))
        return mood__node_fail(n, MOOD_E_INVALID, "label smoothing %g is not in [0, 1)",
                               (double)a->smoothing);
    a->V = x->dim[x->rank - 1];
    for (int64_t v = 0; a->class_weights && v < a->V; v++)
        if (!(a->class_weights[v] > 0.0f) || !isfinite(a->class_weights[v]))
            return mood__node_fail(n, MOOD_E_INVALID, "the weight of class %lld is %g",
                                   (long long)v, (double)a->class_weights[v]);
    a->rows = mood_tensor_elements(t);
    return mood__set_shape(n, 0, NULL);
}

/* The probabilities, for backward. */
static size_t cross_entropy_state(const mood_node *n)
{
    const struct cross_entropy_attr *a = n->attr;
    return (size_t)(a->rows * a->V) * sizeof(float);
}

static double weight_of(const struct cross_entropy_attr *a, int64_t v)
{
    return a->class_weights ? (double)a->class_weights[v] : 1.0;
}

/* The sum of the labels' weights, by which the loss is divided. */
static double total_weight(const struct cross_entropy_attr *a, const int32_t *labels)
{
    double total = 0;
    for (int64_t row = 0; row < a->rows; row++)
        total += weight_of(a, labels[row]);
    return total;
}

/* Probabilities of one row into p; returns -sum over v of q_v w_v log p_v, with the smoothed target
 * q. */
static double row_loss(const struct cross_entropy_attr *a, const float *x, float *p, int32_t label)
{
    double top = -INFINITY, sum = 0, loss = 0;
    for (int64_t v = 0; v < a->V; v++)
        top = (double)x[v] > top ? (double)x[v] : top;
    for (int64_t v = 0; v < a->V; v++)
        sum += exp((double)x[v] - top);
    double log_sum = top + log(sum), s = (double)a->smoothing;
    for (int64_t v = 0; v < a->V; v++) {
        double log_p = (double)x[v] - log_sum;
        double q = (v == label ? 1.0 - s : 0.0) + s / (double)a->V;
        if (q > 0)
            loss -= q * weight_of(a, v) * log_p;
        p[v] = (float)exp(log_p);
    }
    return loss;
}

static void cross_entropy_forward(struct mood__run *r, mood_node *n)
{
    const struct cross_entropy_attr *a = n->attr;
    const int32_t *labels = mood__i32(&n->in[1]->value);
    for (int64_t row = 0; row < a->rows; row++)
        if (labels[row] < 0 || labels[row] >= a->V) {
            mood__run_fail(r, n, MOOD_E_INVALID, "label %d of row %lld is not in [0, %lld)",
                           (int)labels[row], (long long)row, (long long)a->V);
            return;
        }
    double sum = 0;
    for (int64_t row = 0; row < a->rows; row++)
        sum +=
            row_loss(a, mood__in(n, 0) + row * a->V, (float *)n->state + row * a->V, labels[row]);
    mood__out(n)[0] = (float)(sum / total_weight(a, labels));
}

/* d loss / d x_v = (p_v sum of q w - q_v w_v) / total weight */
static void cross_entropy_backward(struct mood__run *r, mood_node *n)
{
    (void)r;
    const struct cross_entropy_attr *a = n->attr;
    const int32_t *labels = mood__i32(&n->in[1]->value);
    double factor = (double)mood__dout(n)[0] / total_weight(a, labels), s = (double)a->smoothing;
    double all_weights = 0;
    for (int64_t v = 0; v < a->V; v++)
        all_weights += weight_of(a, v) * s / (double)a->V;
    for (int64_t row = 0; mood__wants(n, 0) && row < a->rows; row++) {
        const float *p = (const float *)n->state + row * a->V;
        float *dx = mood__din(n, 0) + row * a->V;
        double sum_qw = all_weights + (1.0 - s) * weight_of(a, labels[row]);
        for (int64_t v = 0; v < a->V; v++) {
            double q = (v == labels[row] ? 1.0 - s : 0.0) + s / (double)a->V;
            double d = factor * ((double)p[v] * sum_qw - q * weight_of(a, v));
            dx[v] = (mood__adds(n, 0) ? dx[v] : 0.0f) + (float)d;
        }
    }
}

const struct mood__op mood__op_cross_entropy = {
    .name = "cross_entropy",
    .flags = MOOD__STORES,
    .saves = MOOD__SAVE_IN(1),
    .shape = cross_entropy_shape,
    .state_bytes = cross_entropy_state,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
};

mood_node *mood_cross_entropy(mood_node *logits, mood_node *labels,
                              const mood_cross_entropy_params *params)
{
    if (!logits || !labels)
        return NULL;
    struct cross_entropy_attr a = {.smoothing = params ? params->label_smoothing : 0.0f};
    int64_t V = logits->value.rank > 0 ? logits->value.dim[logits->value.rank - 1] : 0;
    if (params && params->class_weights) {
        a.class_weights = mood__graph_memory(logits->graph, (size_t)V * sizeof(float));
        if (!a.class_weights)
            return NULL;
        memcpy(a.class_weights, params->class_weights, (size_t)V * sizeof(float));
    }
    return mood__node(&mood__op_cross_entropy, (mood_node *[]){logits, labels}, 2, &a, sizeof(a));
}
