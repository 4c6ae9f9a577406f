/* SPDX-License-Identifier: MIT
 *
 * dag.c — Random graphs: a step picks an op and values that suit it, until there are enough. */
#include "dag.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

/* ---- picking ---- */

static int64_t below(struct dag *d, int64_t n)
{
    return (int64_t)mood__rng_below(&d->rng, (uint64_t)n);
}

/* Any value; more often one of the last few, so that graphs get deep. */
static struct dag_value *pick(struct dag *d)
{
    int64_t n = d->n_values, last = n < 4 ? n : 4;
    return &d->value[below(d, 5) < 3 ? n - 1 - below(d, last) : below(d, n)];
}

static const mood_tensor *shape(const struct dag_value *v)
{
    return mood_node_value(v->node);
}

/* A value of the given rank, or NULL if three tries find none. */
static struct dag_value *pick_rank(struct dag *d, int low, int high)
{
    for (int i = 0; i < 3; i++) {
        struct dag_value *v = pick(d);
        if (shape(v)->rank >= low && shape(v)->rank <= high)
            return v;
    }
    return NULL;
}

/* A value with the shape of `v`; in the end v itself. */
static struct dag_value *pick_like(struct dag *d, struct dag_value *v)
{
    for (int i = 0; i < 12; i++) {
        struct dag_value *other = &d->value[below(d, d->n_values)];
        if (mood_tensor_same_shape(shape(other), shape(v)))
            return other;
    }
    return v;
}

static double reach(const struct dag_value *v)
{
    return fmax(fabs(v->lo), fabs(v->hi));
}

/* ---- making ---- */

static void put(struct dag *d, mood_node *node, double lo, double hi)
{
    if (!node)
        fail_msg("a step of the generator was refused: %s", d->graph->detail);
    if (fmax(fabs(lo), fabs(hi)) > 50) {
        node = mood_tanh(node);
        lo = -1, hi = 1;
    }
    assert_true(d->n_values < DAG_MAX_VALUES);
    d->value[d->n_values++] = (struct dag_value){node, lo, hi};
}

static const char *name(struct dag *d, char buf[16], char kind)
{
    snprintf(buf, 16, "%c%d", kind, d->n_names++);
    return buf;
}

static mood_node *weight(struct dag *d, int rank, const int64_t *dim)
{
    char buf[16];
    mood_node *w = mood_weight(d->graph, name(d, buf, 'w'), rank, dim,
                               (mood_init){MOOD_INIT_UNIFORM, 0.5f, false});
    if (below(d, 8) == 0) /* read by others too, as any value */
        put(d, w, -0.5, 0.5);
    return w;
}

static mood_node *vector(struct dag *d, int64_t size)
{
    return weight(d, 1, &size);
}

static mood_node *statistic(struct dag *d, int64_t size, float value)
{
    char buf[16];
    return mood_weight(d->graph, name(d, buf, 's'), 1, &size,
                       (mood_init){MOOD_INIT_CONSTANT, value, true});
}

static void fill(struct dag *d, mood_node *input)
{
    float *x = mood_node_value(input)->data;
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(input)); i++)
        x[i] = 2.0f * mood__rng_float(&d->rng) - 1.0f;
}

static void add_input(struct dag *d)
{
    char buf[16];
    int64_t dim[4], most = d->large ? 20 : 5;
    int rank = 1 + (int)below(d, 4);
    for (int i = 0; i < rank; i++)
        dim[i] = rank == 4 && i == 0 ? 1 + below(d, 3) : 1 + below(d, most);
    mood_node *x = mood_input(d->graph, name(d, buf, 'x'), MOOD_F32, rank, dim);
    assert_non_null(x);
    fill(d, x);
    if (below(d, 4) > 0)
        d->input[d->n_inputs++] = mood_want_grad(x);
    put(d, x, -1, 1);
}

/* ---- steps: false when no value was found that suits ---- */

static bool step_unary(struct dag *d)
{
    struct dag_value *v = pick(d), x = *v;
    double r = reach(&x);
    switch (x.lo > 0.01 && below(d, 2) ? 1 : below(d, 10)) { /* few values suit log */
    case 0:
        if (x.hi > 3)
            return false;
        put(d, mood_exp(x.node), exp(x.lo), exp(x.hi));
        return true;
    case 1:
        if (x.lo <= 0.01)
            return false;
        put(d, mood_log(x.node), log(x.lo) - 1e-6, log(x.hi) + 1e-6);
        return true;
    case 2:
        put(d, mood_tanh(x.node), -1, 1);
        return true;
    case 3:
        if (r > 4)
            return false;
        put(d, mood_sigmoid(x.node), 1 / (1 + exp(-x.lo)), 1 / (1 + exp(-x.hi)));
        return true;
    case 4:
        put(d, mood_relu(x.node), fmax(x.lo, 0), fmax(x.hi, 0));
        return true;
    case 5:
        put(d, mood_gelu(x.node), fmin(x.lo, -0.2), fmax(x.hi, 0));
        return true;
    case 6:
        put(d, mood_scale(x.node, -1.5f), -1.5 * r, 1.5 * r);
        return true;
    case 7:
        put(d, mood_clamp(x.node, -0.5f, 2), fmin(fmax(x.lo, -0.5), 2), fmin(fmax(x.hi, -0.5), 2));
        return true;
    default:
        put(d, mood_dropout(x.node, 0.25f), -r * 4 / 3, r * 4 / 3);
        return true;
    }
}

static mood_node *binary(int64_t kind, mood_node *a, mood_node *b)
{
    return kind == 0 ? mood_add(a, b) : kind == 1 ? mood_sub(a, b) : mood_mul(a, b);
}

/* Two values of one shape, perhaps one value twice; or a value and a weight that is repeated along
 * some axes of it. */
static bool step_binary(struct dag *d)
{
    struct dag_value *x = pick(d), other = {NULL, -0.5, 0.5};
    int64_t kind = below(d, 3), dim[MOOD_MAX_RANK];
    const mood_tensor t = *shape(x);
    double r = reach(x);
    mood_node *node = x->node;
    if (t.rank > 0 && below(d, 3) == 0) {
        int drop = (int)below(d, t.rank); /* leading axes that the weight does not have */
        for (int i = drop; i < t.rank; i++)
            dim[i - drop] = below(d, 3) ? t.dim[i] : 1;
        other.node = weight(d, t.rank - drop, dim);
        if (below(d, 2)) /* a leaf is never overwritten, this might be */
            other.node = mood_scale(other.node, 0.5f);
    } else {
        other = *(below(d, 6) ? pick_like(d, x) : x);
    }
    double s = reach(&other), bound = kind == 2 ? r * s : r + s;
    put(d, below(d, 2) ? binary(kind, node, other.node) : binary(kind, other.node, node), -bound,
        bound);
    return true;
}

static bool step_reshape(struct dag *d)
{
    struct dag_value x = *pick(d);
    const mood_tensor *t = shape(&x);
    mood_node *y = NULL;
    switch (below(d, 4)) {
    case 0:
        y = mood_reshape(x.node, 1, (int64_t[]){-1});
        break;
    case 1: /* rows are joined, as for a dense layer */
        if (t->rank < 2)
            return false;
        y = mood_reshape(x.node, 2, (int64_t[]){-1, t->dim[t->rank - 1]});
        break;
    case 2: /* a plane with one channel */
        if (t->rank != 3)
            return false;
        y = mood_reshape(x.node, 4, (int64_t[]){t->dim[0], t->dim[1], t->dim[2], 1});
        break;
    default:
        if (t->rank < 1 || t->rank > 3)
            return false;
        y = mood_reshape(x.node, 3, (int64_t[]){1, t->dim[0], -1});
    }
    put(d, y, x.lo, x.hi);
    return true;
}

static bool step_shape(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 1, 4), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    const mood_tensor *t = shape(&x);
    int axis = (int)below(d, t->rank), order[MOOD_MAX_RANK];
    switch (below(d, 4)) {
    case 0: {
        int64_t start = below(d, t->dim[axis]);
        int64_t stop = start + 1 + below(d, t->dim[axis] - start);
        put(d, mood_slice(x.node, axis - t->rank, start, stop), x.lo, x.hi);
        return true;
    }
    case 1:
        for (int i = 0; i < t->rank; i++)
            order[i] = (i + axis) % t->rank;
        put(d, mood_transpose(x.node, order), x.lo, x.hi);
        return true;
    default: {
        struct dag_value y = *pick_like(d, v), z = *pick_like(d, v);
        if (mood_tensor_elements(t) > (d->large ? 20000 : 400))
            return false;
        put(d, mood_concat((mood_node *[]){x.node, y.node, z.node}, 2 + (int)below(d, 2), axis),
            fmin(x.lo, fmin(y.lo, z.lo)), fmax(x.hi, fmax(y.hi, z.hi)));
        return true;
    }
    }
}

static bool step_reduce(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 2, 4);
    if (!v)
        return false;
    const mood_tensor *t = shape(v);
    int axis = (int)below(d, t->rank);
    double n = (double)t->dim[axis];
    switch (below(d, 3)) {
    case 0:
        put(d, mood_sum(v->node, axis), fmin(v->lo * n, v->lo), fmax(v->hi * n, v->hi));
        return true;
    case 1:
        put(d, mood_mean(v->node, axis), v->lo, v->hi);
        return true;
    default:
        if (t->rank < 3)
            return false;
        put(d, mood_global_avg_pool(v->node), v->lo, v->hi);
        return true;
    }
}

static bool step_product(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 2, 3), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    const mood_tensor *t = shape(&x);
    int64_t K = t->dim[t->rank - 1], M = t->dim[t->rank - 2], N = 1 + below(d, 5);
    double r = reach(&x);
    struct dag_value other = *pick_like(d, v);
    switch (below(d, 4)) {
    case 0: /* x x'^T, perhaps of x with itself */
        put(d, mood_matmul(x.node, other.node, &(mood_matmul_params){.transpose_b = true}),
            -r * reach(&other) * (double)K, r * reach(&other) * (double)K);
        return true;
    case 1: /* x^T x' */
        put(d, mood_matmul(x.node, other.node, &(mood_matmul_params){.transpose_a = true}),
            -r * reach(&other) * (double)M, r * reach(&other) * (double)M);
        return true;
    case 2: {
        mood_node *w = weight(d, 2, (int64_t[]){K, N});
        put(d, mood_matmul(x.node, w, NULL), -r * (double)K, r * (double)K);
        return true;
    }
    default: {
        mood_node *w = weight(d, 2, (int64_t[]){K, N}), *bias = below(d, 3) ? vector(d, N) : NULL;
        put(d, mood_dense(x.node, w, bias), -r * (double)K - 1, r * (double)K + 1);
        return true;
    }
    }
}

static bool step_convolution(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 3, 4), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    const mood_tensor *t = shape(&x);
    int64_t C = t->dim[t->rank - 1], N = 2 * (1 + below(d, 3)), K = 1 + below(d, 3);
    int stride = 1 + (int)below(d, 2), pad = 1 + (int)below(d, 2);
    double bound = reach(&x) * (double)(K * K * C) + 1;
    mood_node *bias = below(d, 3) ? vector(d, N) : NULL, *y;
    if (t->rank == 3) {
        int groups = C % 2 == 0 && below(d, 2) ? 2 : 1;
        mood_node *w = weight(d, 3, (int64_t[]){K, C / groups, N});
        y = mood_conv1d(x.node, w, bias, &(mood_conv1d_params){stride, pad, groups});
    } else {
        mood_node *w = weight(d, 4, (int64_t[]){K, K, C, N});
        y = mood_conv2d(x.node, w, bias, &(mood_conv2d_params){stride, 1, pad, pad});
    }
    put(d, y, -bound, bound);
    return true;
}

static bool step_pool(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 3, 4);
    if (!v)
        return false;
    const mood_tensor *t = shape(v);
    if (t->dim[1] < 2 || (t->rank == 4 && t->dim[2] < 2))
        return false;
    put(d,
        t->rank == 3 ? mood_max_pool1d(v->node, 2)
                     : mood_max_pool2d(v->node, 1 + (int)below(d, 2), 2),
        v->lo, v->hi);
    return true;
}

static bool step_norm(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 2, 4), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    const mood_tensor *t = shape(&x);
    int64_t C = t->dim[t->rank - 1], rows = mood_tensor_elements(t) / C;
    double bound = fmax(sqrt((double)(rows * C)), reach(&x));
    mood_node *gamma = vector(d, C), *beta = vector(d, C);
    switch (below(d, 3)) {
    case 0:
        if (rows < 2)
            return false;
        put(d,
            mood_batch_norm(x.node, gamma, beta, statistic(d, C, 0), statistic(d, C, 1),
                            &(mood_batch_norm_params){.relu = below(d, 2) == 0}),
            -bound, bound);
        return true;
    case 1:
        put(d, mood_layer_norm(x.node, gamma, beta, 0), -bound, bound);
        return true;
    default:
        put(d, mood_group_norm(x.node, gamma, beta, C % 2 == 0 ? 2 : 1, 0), -bound, bound);
        return true;
    }
}

static bool step_attention(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 3, 3), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    struct dag_value k = *pick_like(d, v), w = *pick_like(d, v);
    int heads = shape(&x)->dim[2] % 2 == 0 ? 2 : 1;
    put(d, mood_attention(x.node, k.node, w.node, heads), w.lo, w.hi);
    return true;
}

static mood_node *labels(struct dag *d, const mood_tensor *logits)
{
    char buf[16];
    mood_node *n = mood_input(d->graph, name(d, buf, 'l'), MOOD_I32, logits->rank - 1, logits->dim);
    int32_t *label = mood_node_value(n)->data;
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(n)); i++)
        label[i] = (int32_t)below(d, logits->dim[logits->rank - 1]);
    return n;
}

static bool step_probability(struct dag *d)
{
    struct dag_value *v = pick_rank(d, 1, 4), x = v ? *v : (struct dag_value){0};
    if (!v)
        return false;
    const mood_tensor *t = shape(&x);
    double far = x.hi - x.lo + log((double)t->dim[t->rank - 1]) + 1;
    switch (below(d, 4)) {
    case 0:
        put(d, mood_softmax(x.node), 0, 1);
        return true;
    case 1:
        put(d, mood_log_softmax(x.node), -far, 1e-3);
        return true;
    case 2: {
        struct dag_value y = *pick_like(d, v);
        double r = reach(&x) + reach(&y);
        put(d, mood_mse(x.node, y.node), 0, r * r);
        return true;
    }
    default:
        put(d, mood_cross_entropy(x.node, labels(d, t), NULL), 0, far);
        return true;
    }
}

/* ---- the whole ---- */

static mood_node *build(struct dag *d)
{
    static bool (*const steps[])(struct dag *) = {
        step_unary,       step_unary, step_unary,  step_binary,  step_binary,    step_reshape,
        step_shape,       step_shape, step_reduce, step_product, step_product,   step_convolution,
        step_convolution, step_pool,  step_norm,   step_norm,    step_attention, step_probability,
    };
    for (int i = 0; i < 4; i++)
        add_input(d);
    int64_t wanted = 8 + below(d, 24);
    for (int made = 0; made < wanted;)
        made += steps[below(d, sizeof(steps) / sizeof(*steps))](d);

    /* The loss sees the last value and some others; a few are left that nobody needs. */
    mood_node *loss = mood_mean(d->value[d->n_values - 1].node, MOOD_ALL_AXES);
    for (int i = 0; i < 3; i++)
        loss = mood_add(loss, mood_mean(mood_gelu(pick(d)->node), MOOD_ALL_AXES));
    return loss;
}

void dag_make(struct dag *d, const struct dag_params *p)
{
    *d = (struct dag){.rng = mood__rng_make(p->seed, 1), .large = p->seed % 10 == 0};
    assert_int_equal(mood_weights_create(&d->weights, p->seed), MOOD_OK);
    assert_int_equal(mood_graph_create(&d->graph, &(mood_graph_params){.weights = d->weights,
                                                                       .pool = p->pool,
                                                                       .training = p->training,
                                                                       .seed = p->seed}),
                     MOOD_OK);
    if (p->poison)
        mood__graph_poison(d->graph);
    d->output[d->n_outputs++] = build(d);
    for (int64_t i = below(d, 3); i > 0; i--) /* from the middle of the graph */
        d->output[d->n_outputs++] = pick(d)->node;
    if (below(d, 2)) /* behind the loss: not differentiated */
        d->output[d->n_outputs++] = mood_relu(mood_scale(pick(d)->node, -2));
    if (mood_graph_compile(d->graph, d->output, d->n_outputs) != MOOD_OK)
        fail_msg("seed %llu: %s", (unsigned long long)p->seed, mood_error_detail());
}

void dag_free(struct dag *d)
{
    mood_graph_destroy(&d->graph);
    mood_weights_destroy(&d->weights);
}

static void append(float **all, size_t *n, const mood_tensor *t)
{
    size_t more = (size_t)mood_tensor_elements(t);
    float *grown = realloc(*all, (*n + more) * sizeof(float));
    assert_non_null(grown);
    memcpy(grown + *n, t->data, more * sizeof(float));
    *all = grown;
    *n += more;
}

float *dag_results(const struct dag *d, size_t *n)
{
    float *all = NULL;
    *n = 0;
    for (int i = 0; i < d->n_outputs; i++)
        append(&all, n, mood_node_value(d->output[i]));
    for (int i = 0; i < d->n_inputs; i++)
        if (mood_node_grad(d->input[i]))
            append(&all, n, mood_node_grad(d->input[i]));
    for (int i = 0; i < mood_weights_count(d->weights); i++) {
        append(&all, n, mood_weights_value(d->weights, i));
        if (mood_weights_grad(d->weights, i)->data)
            append(&all, n, mood_weights_grad(d->weights, i));
    }
    return all;
}
