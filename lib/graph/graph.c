/* SPDX-License-Identifier: MIT
 *
 * graph.c — Building a graph: inputs, weights, nodes, names, and the first error. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

mood_status mood_graph_create(mood_graph **out, const mood_graph_params *params)
{
    static const mood_graph_params defaults = {0};
    const mood_graph_params *p = params ? params : &defaults;
    mood_graph *g = *out = mood__calloc(1, sizeof(*g));
    if (!g)
        return mood__nomem();
    g->weights = p->weights;
    g->pool = p->pool;
    g->training = p->training;
    g->check_finite = p->check_finite;
    g->max_bytes = p->max_bytes;
    g->seed = p->seed;
    return MOOD_OK;
}

void mood_graph_destroy(mood_graph **g)
{
    if (*g) {
        for (size_t i = 0; i < (*g)->n_nodes; i++) {
            mood_node *n = (*g)->nodes[i];
            if (!n->op && n->weight < 0) { /* inputs own their memory */
                mood__free(n->value.data);
                mood__free(n->grad.data);
            }
        }
        mood__free((*g)->memory);
        mood__free((*g)->nodes);
        mood__arena_free(&(*g)->arena);
        mood__free(*g);
    }
    *g = NULL;
}

void mood__graph_fail(mood_graph *g, mood_status status)
{
    if (g->status == MOOD_OK) {
        g->status = status;
        snprintf(g->detail, sizeof(g->detail), "%s", mood_error_detail());
    }
}

void mood__graph_poison(mood_graph *g)
{
    g->poison = true;
}

bool mood__training(const mood_graph *g)
{
    return g->training;
}

void *mood__graph_memory(mood_graph *g, size_t bytes)
{
    void *p = mood__arena_alloc(&g->arena, bytes);
    if (!p)
        mood__graph_fail(g, mood__nomem());
    return p;
}

/* ---- nodes ---- */

static mood_node *new_node(mood_graph *g)
{
    if (g->compiled) {
        mood__graph_fail(g, mood__fail(MOOD_E_INVALID, "the graph is compiled: nothing can be "
                                                       "added any more"));
        return NULL;
    }
    mood_node *n = mood__arena_alloc(&g->arena, sizeof(*n));
    struct mood__plan *plan = mood__arena_alloc(&g->arena, sizeof(*plan));
    if (!n || !plan ||
        !mood__reserve((void **)&g->nodes, &g->nodes_capacity, g->n_nodes + 1, sizeof(*g->nodes))) {
        mood__graph_fail(g, mood__nomem());
        return NULL;
    }
    n->graph = g;
    n->id = (int)g->n_nodes;
    n->weight = -1;
    n->label = "";
    n->plan = plan;
    return n;
}

static mood_node *add_node(mood_node *n)
{
    n->graph->nodes[n->graph->n_nodes++] = n;
    return n;
}

mood_node *mood_input(mood_graph *g, const char *name, mood_dtype dtype, int rank,
                      const int64_t *dim)
{
    mood_node *n = new_node(g);
    if (!n)
        return NULL;
    if (dtype == MOOD_F16 || dtype == MOOD_I8 || dtype == MOOD_F32_PANELS) {
        mood__graph_fail(g, mood__fail(MOOD_E_INVALID,
                                       "input '%s': %s is for storage; graphs compute with f32",
                                       name, mood_dtype_name(dtype)));
        return NULL;
    }
    mood_status status = mood_tensor_make(&n->value, NULL, dtype, rank, dim);
    if (status) {
        mood__graph_fail(g, mood__fail_in(status, "input '%s'", name));
        return NULL;
    }
    n->label = mood__arena_strdup(&g->arena, name);
    n->value.data = mood__alloc_aligned(mood_tensor_bytes(&n->value));
    if (!n->label || !n->value.data) {
        mood__free(n->value.data);
        mood__graph_fail(g, mood__nomem());
        return NULL;
    }
    memset(n->value.data, 0, mood_tensor_bytes(&n->value));
    n->grad = n->value;
    n->grad.data = NULL;
    return add_node(n);
}

mood_node *mood_want_grad(mood_node *input)
{
    if (!input)
        return NULL;
    if (input->op || input->weight >= 0 || input->value.dtype != MOOD_F32) {
        mood__graph_fail(
            input->graph,
            mood__fail(MOOD_E_INVALID, "want_grad: '%s' is not a float32 input", input->label));
        return NULL;
    }
    input->wants_grad = input->graph->training;
    return input;
}

static mood_status find_or_make_weight(mood_graph *g, const char *name, int rank,
                                       const int64_t *dim, mood_init init, int *index)
{
    if (!g->weights)
        return mood__fail(MOOD_E_INVALID, "weight '%s': the graph was made without weights", name);
    int i = mood_weights_find(g->weights, name);
    if (i < 0) {
        if (mood__weights_sealed(g->weights))
            return mood__fail(MOOD_E_MISSING, "there is no weight '%s'", name);
        MOOD__TRY(mood_weights_add(g->weights, name, rank, dim, init));
        i = mood_weights_count(g->weights) - 1;
    }
    mood_tensor wanted;
    MOOD__TRY(mood_tensor_make(&wanted, NULL, MOOD_F32, rank, dim));
    const mood_tensor *there = mood_weights_value(g->weights, i);
    if (!mood_tensor_same_shape(&wanted, there)) {
        char a[MOOD__SHAPE_BYTES], b[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "weight '%s' has shape %s, wanted is %s", name,
                          mood__shape_text(a, there->rank, there->dim),
                          mood__shape_text(b, rank, dim));
    }
    *index = i;
    return MOOD_OK;
}

mood_node *mood_weight(mood_graph *g, const char *name, int rank, const int64_t *dim,
                       mood_init init)
{
    char full[2 * MOOD__NAME_BYTES];
    snprintf(full, sizeof(full), "%s%s", g->scope, name);
    int index = -1;
    mood_status status = find_or_make_weight(g, full, rank, dim, init, &index);
    mood_node *n = status ? NULL : new_node(g);
    if (!n) {
        mood__graph_fail(g, status);
        return NULL;
    }
    n->weight = index;
    n->label = mood_weights_name(g->weights, index);
    n->value = *mood_weights_value(g->weights, index);
    n->grad = n->value;
    n->grad.data = NULL;
    n->wants_grad = g->training && mood_weights_trainable(g->weights, index);
    return add_node(n);
}

/* A node is called after the first weight it reads, or as its first input is. */
static const char *label_of(mood_node *const *in, int n_in)
{
    for (int k = 0; k < n_in; k++)
        if (in[k]->weight >= 0)
            return in[k]->label;
    return n_in > 0 ? in[0]->label : "";
}

mood_node *mood__node(const struct mood__op *op, mood_node *const *in, int n_in, const void *attr,
                      size_t attr_bytes)
{
    for (int k = 0; k < n_in; k++)
        if (!in[k])
            return NULL;
    mood_graph *g = in[0]->graph;
    mood_node *n = new_node(g);
    if (!n)
        return NULL;
    n->op = op;
    n->n_in = n_in;
    n->label = label_of(in, n_in);
    for (int k = 0; k < n_in; k++) {
        n->in[k] = in[k];
        n->wants_grad = n->wants_grad || in[k]->wants_grad;
        if (in[k]->graph != g) {
            mood__graph_fail(
                g, mood__node_fail(n, MOOD_E_INVALID, "its inputs are of different graphs"));
            return NULL;
        }
    }
    if (attr_bytes) {
        n->attr = mood__arena_alloc(&g->arena, attr_bytes);
        if (!n->attr) {
            mood__graph_fail(g, mood__nomem());
            return NULL;
        }
        memcpy(n->attr, attr, attr_bytes);
    }
    mood_status status = op->shape(n);
    if (status) {
        mood__graph_fail(g, status);
        return NULL;
    }
    return add_node(n);
}

/* ---- helpers of shape functions ---- */

static mood_status fail_with_label(mood_status status, const char *op, const char *label,
                                   const char *fmt, va_list args)
{
    char text[MOOD__DETAIL_BYTES];
    vsnprintf(text, sizeof(text), fmt, args);
    if (label[0])
        return mood__fail(status, "%s '%s': %s", op, label, text);
    return mood__fail(status, "%s: %s", op, text);
}

mood_status mood__node_fail(const mood_node *n, mood_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_with_label(status, n->op->name, n->label, fmt, args);
    va_end(args);
    return status;
}

mood_node *mood__build_fail(mood_node *x, const char *op, mood_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_with_label(status, op, x->label, fmt, args);
    va_end(args);
    mood__graph_fail(x->graph, status);
    return NULL;
}

mood_status mood__set_shape(mood_node *n, int rank, const int64_t *dim)
{
    mood_status status = mood_tensor_make(&n->value, NULL, MOOD_F32, rank, dim);
    if (!status && mood_tensor_elements(&n->value) > MOOD__MAX_ELEMENTS)
        status = MOOD_E_SHAPE;
    if (status) {
        char text[MOOD__SHAPE_BYTES];
        return mood__node_fail(n, status, "the result would have shape %s",
                               mood__shape_text(text, rank, dim));
    }
    n->grad = n->value;
    return MOOD_OK;
}

mood_status mood__need_f32(mood_node *n)
{
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k]->value.dtype != MOOD_F32)
            return mood__node_fail(n, MOOD_E_INVALID, "input %d is %s; f32 is needed", k,
                                   mood_dtype_name(n->in[k]->value.dtype));
    return MOOD_OK;
}

int mood__axis(int axis, int rank)
{
    int a = axis < 0 ? axis + rank : axis;
    return a < 0 || a >= rank ? -1 : a;
}

/* ---- names ---- */

void mood_graph_enter(mood_graph *g, const char *prefix)
{
    size_t used = strlen(g->scope), more = strlen(prefix) + 1;
    if (g->scope_depth >= MOOD__SCOPE_DEPTH || used + more >= sizeof(g->scope)) {
        mood__graph_fail(g,
                         mood__fail(MOOD_E_INVALID, "enter '%.40s': names nest too deep", prefix));
        return;
    }
    g->scope_end[g->scope_depth++] = used;
    snprintf(g->scope + used, sizeof(g->scope) - used, "%s.", prefix);
}

void mood_graph_leave(mood_graph *g)
{
    if (g->scope_depth > 0)
        g->scope[g->scope_end[--g->scope_depth]] = '\0';
}

/* ---- looking at a graph ---- */

mood_graph *mood_node_graph(const mood_node *node)
{
    return node ? node->graph : NULL;
}

const mood_tensor *mood_node_value(const mood_node *node)
{
    return node ? &node->value : NULL;
}

const mood_tensor *mood_node_grad(const mood_node *node)
{
    return node && !node->op && node->grad.data ? &node->grad : NULL;
}

void mood_graph_set_step(mood_graph *g, uint64_t step)
{
    g->step = step;
}

int mood_graph_nodes(const mood_graph *g)
{
    return (int)g->n_nodes;
}

size_t mood_graph_bytes(const mood_graph *g)
{
    return g->memory_bytes;
}

const char *mood__kind_name(const mood_node *n)
{
    return n->op ? n->op->name : n->weight >= 0 ? "weight" : "input";
}

const char *mood_graph_describe(const mood_graph *g, int i, char *buf, size_t buf_bytes)
{
    const mood_node *n = g->nodes[i];
    char shape[MOOD__SHAPE_BYTES];
    snprintf(buf, buf_bytes, "%d %s '%s' %s", i, mood__kind_name(n), n->label,
             mood__shape_text(shape, n->value.rank, n->value.dim));
    return buf;
}
