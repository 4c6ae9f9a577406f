/* SPDX-License-Identifier: MIT
 *
 * gradcheck.c — Gradients against central differences. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "graph/graph.h"

struct check {
    mood_graph *g;
    double step;
    int n_directions;
    struct mood__rng rng;
    uint64_t graph_step; /* the same dropout in every evaluation */
};

static bool is_checked(const mood_node *n)
{
    return !n->op && n->plan->differentiated;
}

static double norm(const mood_tensor *t)
{
    double sum = 0;
    for (int64_t i = 0; i < mood_tensor_elements(t); i++)
        sum += (double)mood__f32(t)[i] * mood__f32(t)[i];
    return sqrt(sum);
}

static mood_status loss_at(const struct check *c, double *loss)
{
    mood_graph_set_step(c->g, c->graph_step);
    MOOD__TRY(mood_graph_forward(c->g));
    *loss = *mood__f32(&c->g->outputs[0]->value);
    return MOOD_OK;
}

/* The error along one direction v, drawn here. `saved` and `grad` are what the leaf held. */
static mood_status one_direction(struct check *c, mood_node *leaf, const float *saved,
                                 const float *grad, double norm_floor, double *error)
{
    float *x = mood__f32(&leaf->value);
    int64_t n = mood__count(leaf);
    uint64_t key = mood__rng_u64(&c->rng);
    double plus = 0, minus = 0, along = 0, moved = 0;
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < n; i++) {
            double v = (mood__hash64(key, (uint64_t)i) >> 63) ? 1.0 : -1.0;
            x[i] = (float)(saved[i] + (side ? -v : v) * c->step);
            /* The step that was really made, after rounding to float. */
            moved += fabs((double)x[i] - saved[i]) / (2.0 * (double)n);
            along += side ? 0 : grad[i] * v;
        }
        MOOD__TRY(loss_at(c, side ? &minus : &plus));
    }
    double numeric = moved > 0 ? (plus - minus) / (2 * moved) : 0;
    *error = fabs(numeric - along) / norm_floor;
    if (isnan(*error)) /* of a gradient that is no number; no comparison would see it */
        *error = INFINITY;
    return MOOD_OK;
}

static mood_status check_leaf(struct check *c, mood_node *leaf, double floor, double *worst)
{
    size_t bytes = mood_tensor_bytes(&leaf->value);
    float *saved = mood__alloc_aligned(2 * bytes);
    if (!saved)
        return mood__nomem();
    float *grad = saved + mood__count(leaf);
    memcpy(saved, leaf->value.data, bytes);
    memcpy(grad, leaf->grad.data, bytes);
    double size = norm(&leaf->grad);
    mood_status status = MOOD_OK;
    *worst = 0;
    for (int d = 0; d < c->n_directions && !status; d++) {
        double error = 0;
        status = one_direction(c, leaf, saved, grad, size > floor ? size : floor, &error);
        if (error > *worst)
            *worst = error;
    }
    memcpy(leaf->value.data, saved, bytes);
    mood__free(saved);
    return status;
}

/* The gradients of this run alone: what the weights had accumulated is put aside, and back. */
static mood_status check_all(struct check *c, double *worst_error, const char **worst_name)
{
    mood_graph *g = c->g;
    double loss, largest = 0;
    MOOD__TRY(loss_at(c, &loss));
    MOOD__TRY(mood_graph_backward(g));
    for (size_t i = 0; i < g->n_nodes; i++)
        if (is_checked(g->nodes[i]) && norm(&g->nodes[i]->grad) > largest)
            largest = norm(&g->nodes[i]->grad);
    *worst_error = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        double error = 0;
        if (!is_checked(g->nodes[i]))
            continue;
        MOOD__TRY(check_leaf(c, g->nodes[i], 1e-3 * largest + 1e-30, &error));
        if (error >= *worst_error) {
            *worst_error = error;
            if (worst_name)
                *worst_name = g->nodes[i]->label;
        }
    }
    return MOOD_OK;
}

mood_status mood_gradcheck(mood_graph *g, const mood_gradcheck_params *params, double *worst_error,
                           const char **worst_name)
{
    static const mood_gradcheck_params defaults = {0};
    const mood_gradcheck_params *p = params ? params : &defaults;
    if (!g->compiled || !g->training)
        return mood__fail(MOOD_E_INVALID, "gradcheck: needs a compiled training graph");
    struct check c = {
        .g = g,
        .step = p->step > 0 ? p->step : 1e-2,
        .n_directions = p->n_directions > 0 ? p->n_directions : 4,
        .rng = mood__rng_make(p->seed, 0),
        .graph_step = g->step,
    };
    size_t count = g->weights ? (size_t)mood_weights_count(g->weights) : 0;
    float **held = mood__calloc(count, sizeof(*held));
    mood_status status = held ? MOOD_OK : mood__nomem();
    for (size_t i = 0; i < count && !status; i++) {
        const mood_tensor *t = mood_weights_grad(g->weights, (int)i);
        if (!t->data)
            continue;
        held[i] = mood__alloc_aligned(mood_tensor_bytes(t));
        if (held[i])
            memcpy(held[i], t->data, mood_tensor_bytes(t));
        else
            status = mood__nomem();
    }
    if (!status) {
        if (g->weights)
            mood_weights_zero_grad(g->weights);
        status = check_all(&c, worst_error, worst_name);
    }
    for (size_t i = 0; held && i < count; i++) {
        const mood_tensor *t = mood_weights_grad(g->weights, (int)i);
        if (held[i])
            memcpy(t->data, held[i], mood_tensor_bytes(t));
        mood__free(held[i]);
    }
    mood__free(held);
    mood_graph_set_step(g, c.graph_step);
    return status;
}
