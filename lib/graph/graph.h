/* SPDX-License-Identifier: MIT
 *
 * graph/graph.h — The inside of a graph, shared by the files of this folder only: graph.c builds,
 * plan.c plans memory, run.c runs, weights.c holds what is learned. */
#ifndef MOOD_GRAPH_GRAPH_H
#define MOOD_GRAPH_GRAPH_H

#include "base/mem.h"
#include "graph/node.h"

enum { MOOD__NAME_BYTES = 256, MOOD__SCOPE_DEPTH = 8 };

struct mood_graph {
    mood_weights *weights;
    mood_pool *pool;
    bool training, check_finite, compiled, ran;
    bool poison; /* tests: no memory is shared, and what is not saved turns into NaN */
    uint64_t seed, step, ran_step;
    mood_graph_watcher *watcher; /* NULL: nobody watches */
    void *watcher_ctx;

    struct mood__arena arena; /* nodes, attributes, labels */
    mood_node **nodes;
    size_t n_nodes, nodes_capacity;

    char scope[MOOD__NAME_BYTES]; /* "encoder.layers.3." */
    size_t scope_end[MOOD__SCOPE_DEPTH];
    int scope_depth;

    mood_node **outputs;
    int n_outputs;

    mood_status status; /* the first error, and its text */
    char detail[MOOD__DETAIL_BYTES];

    void *memory; /* all values, gradients, state and scratch */
    size_t memory_bytes, max_bytes;
};

/* Keep `status` with the current error detail, if it is the first. */
void mood__graph_fail(mood_graph *g, mood_status status);

/* For texts: the op's name, "weight" or "input". */
const char *mood__kind_name(const mood_node *n);

/* Decide where every value, gradient, state and scratch lies, and take the memory. */
mood_status mood__plan_memory(mood_graph *g);

/* What the planner leaves behind for running a node. */
struct mood__plan {
    bool needed;             /* an output depends on it */
    bool differentiated;     /* it has a gradient, and a part in backward */
    unsigned clear;          /* bit k: clear the gradient of input k before backward */
    bool dead_after_forward; /* backward does not need the value (for poison) */
    void *backward_scratch;  /* node->scratch is that of forward */
};

/* Make sure that weight i has memory for its gradient. */
mood_status mood__weights_need_grad(mood_weights *w, int i);
bool mood__weights_sealed(const mood_weights *w);

/* For tests, before compile: see `poison`. */
void mood__graph_poison(mood_graph *g);

#endif
