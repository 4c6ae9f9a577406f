/* SPDX-License-Identifier: MIT
 *
 * rig.c — Builds the graph of a case and fills its leaves. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "graph/graph.h"

const char *rig_name(const struct op_case *c)
{
    static char name[128];
    if (c->golden)
        return c->golden;
    snprintf(name, sizeof(name), "%s %s", c->op, c->shapes);
    return name;
}

const mood_tensor *rig_golden(const struct rig *rig, const char *part, int i)
{
    char name[16];
    snprintf(name, sizeof(name), "%s%d", part, i);
    return rig->c->golden ? golden_find(rig->golden, rig->c->golden, name) : NULL;
}

static void need(bool ok, const struct rig *rig, const char *what)
{
    if (!ok)
        fail_msg("%s: %s: %s", rig_name(rig->c), what, mood_error_detail());
}

/* Shape number i of "8x149x64 3x64x48": returns its rank. */
static int parse_shape(const char *shapes, int i, int64_t *dim)
{
    char *p = (char *)(uintptr_t)shapes;
    int rank = 0;
    while (i > 0)
        i -= *p++ == ' ';
    do {
        dim[rank++] = strtoll(p, &p, 10);
    } while (*p++ == 'x' && rank < MOOD_MAX_RANK);
    return rank;
}

static mood_node *make_leaf(struct rig *rig, int i)
{
    char name[16];
    int64_t dim[MOOD_MAX_RANK];
    const mood_tensor *want = rig_golden(rig, "in", i);
    snprintf(name, sizeof(name), "in%d", i);
    need(want || rig->c->shapes, rig, "not in the golden file");
    int rank = want ? want->rank : parse_shape(rig->c->shapes, i, dim);
    if (want)
        memcpy(dim, want->dim, sizeof(dim));

    char kind = rig->c->leaves[i];
    if (kind == 'l')
        return mood_input(rig->graph, name, MOOD_I32, rank, dim);
    if (kind == 'x')
        return mood_want_grad(mood_input(rig->graph, name, MOOD_F32, rank, dim));
    return mood_weight(rig->graph, name, rank, dim, (mood_init){.frozen = kind == 's'});
}

/* x again, two ops later. The power of two that comes first decides where the smallest numbers
 * would lose bits: 0.5 in forward, where the values of leaves are no such numbers; 2 in backward.
 */
static mood_node *same_bits(mood_node *x, float first)
{
    return mood_scale(mood_scale(x, first), 1.0f / first);
}

/* The op between its leaves and its loss. */
static void build(struct rig *rig, enum rig_place place)
{
    mood_node *in[CASE_MAX_INPUTS], *rest = NULL;
    for (int i = 0; i < rig->n_in; i++) {
        char kind = rig->c->leaves[i];
        in[i] = rig->in[i];
        if (place != RIG_PLAIN && (kind == 'x' || kind == 'w'))
            in[i] = same_bits(in[i], 0.5f);
        if (place == RIG_SHARED && i == 0)
            rest = mood_sum(mood_scale(in[i], 0.0f), MOOD_ALL_AXES);
    }
    rig->out = rig->c->build(in);
    need(rig->out, rig, "build");
    assert_string_equal(rig->out->op ? rig->out->op->name : rig->c->op, rig->c->op);
    if (place != RIG_PLAIN) /* then the op's own result need not survive forward */
        rig->out = same_bits(rig->out, 2.0f);

    const mood_tensor *shape = mood_node_value(rig->out);
    rig->r = mood_input(rig->graph, "r", MOOD_F32, shape->rank, shape->dim);
    rig->loss = mood_sum(mood_mul(rig->out, rig->r), MOOD_ALL_AXES);
    if (rest)
        rig->loss = mood_add(rig->loss, rest);
}

void rig_make(struct rig *rig, const struct op_case *c, const struct rig_params *params)
{
    *rig = (struct rig){.c = c, .golden = params->golden, .n_in = (int)strlen(c->leaves)};
    need(mood_weights_create(&rig->weights, 1) == MOOD_OK, rig, "weights");
    need(mood_graph_create(&rig->graph, &(mood_graph_params){.weights = rig->weights,
                                                             .pool = params->pool,
                                                             .training = !params->inference,
                                                             .seed = 7}) == MOOD_OK,
         rig, "graph");
    for (int i = 0; i < rig->n_in; i++)
        rig->in[i] = make_leaf(rig, i);
    build(rig, params->place);
    if (params->place == RIG_POISON)
        mood__graph_poison(rig->graph);
    need(mood_graph_compile(rig->graph, (mood_node *[]){rig->loss, rig->out}, 2) == MOOD_OK, rig,
         "compile");
    rig_fill(rig);
}

void rig_free(struct rig *rig)
{
    mood_graph_destroy(&rig->graph);
    mood_weights_destroy(&rig->weights);
}

/* A leaf of a case without golden values. */
static void fill_by_formula(const struct rig *rig, int i, const mood_tensor *t)
{
    char name[160];
    int64_t n = mood_tensor_elements(t);
    snprintf(name, sizeof(name), "%s/in%d", rig_name(rig->c), i);
    if (t->dtype == MOOD_I32) {
        const mood_tensor *logits = mood_node_value(rig->in[0]);
        formula_labels(t->data, n, name, (int)logits->dim[logits->rank - 1]);
        return;
    }
    formula_values(t->data, n, name);
    for (int64_t k = 0; rig->c->leaves[i] == 's' && k < n; k++)
        ((float *)t->data)[k] += 1.5f; /* a variance is positive */
}

void rig_fill(const struct rig *rig)
{
    for (int i = 0; i < rig->n_in; i++) {
        const mood_tensor *t = mood_node_value(rig->in[i]), *want = rig_golden(rig, "in", i);
        if (!want)
            fill_by_formula(rig, i, t);
        else if (t->dtype == MOOD_F32)
            memcpy(t->data, want->data, mood_tensor_bytes(t));
        else
            for (int64_t k = 0; k < mood_tensor_elements(t); k++)
                ((int32_t *)t->data)[k] = (int32_t)((const float *)want->data)[k];
    }
    const mood_tensor *r = mood_node_value(rig->r);
    const mood_tensor *want = rig->c->golden ? golden_find(rig->golden, rig->c->golden, "r") : NULL;
    if (want)
        memcpy(r->data, want->data, mood_tensor_bytes(r));
    else
        formula_values(r->data, mood_tensor_elements(r), "r");
}

void rig_run(const struct rig *rig)
{
    rig_fill(rig);
    mood_weights_zero_grad(rig->weights);
    mood_graph_set_step(rig->graph, 0);
    need(mood_graph_forward(rig->graph) == MOOD_OK, rig, "forward");
    if (rig->graph->training)
        need(mood_graph_backward(rig->graph) == MOOD_OK, rig, "backward");
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

float *rig_results(const struct rig *rig, size_t *n)
{
    float *all = NULL;
    *n = 0;
    append(&all, n, mood_node_value(rig->out));
    for (int i = 0; i < rig->n_in; i++) {
        const mood_tensor *grad = mood_node_grad(rig->in[i]);
        if (rig->c->leaves[i] == 's')
            append(&all, n, mood_node_value(rig->in[i]));
        else if (rig->graph->training && rig->c->leaves[i] != 'l')
            append(&all, n, grad);
    }
    return all;
}
