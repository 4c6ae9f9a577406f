/* SPDX-License-Identifier: MIT
 *
 * dag.h — Random graphs, for tests of what holds for every graph: a seed decides which ops there
 * are, who reads whom, which values are outputs, and all numbers. Values stay within a few hundred,
 * so that nothing becomes infinite by itself. */
#ifndef MOOD_TESTS_GRAPH_DAG_H
#define MOOD_TESTS_GRAPH_DAG_H

#include "base/rng.h"
#include "mood/ops.h"

enum { DAG_MAX_VALUES = 160, DAG_MAX_OUTPUTS = 8 };

struct dag_params {
    uint64_t seed;
    mood_pool *pool;
    bool training;
    bool poison; /* see graph/graph.h */
};

/* A node, and an interval that its elements lie in. */
struct dag_value {
    mood_node *node;
    double lo, hi;
};

struct dag {
    mood_weights *weights;
    mood_graph *graph;
    struct mood__rng rng;
    bool large; /* this one has long axes */
    int n_names;

    struct dag_value value[DAG_MAX_VALUES];
    int n_values;
    mood_node *input[DAG_MAX_VALUES]; /* those whose gradient is wanted */
    int n_inputs;
    mood_node *output[DAG_MAX_OUTPUTS]; /* the first is the loss */
    int n_outputs;
};

/* Build and compile; a cmocka failure when that does not work. Free with dag_free. */
void dag_make(struct dag *d, const struct dag_params *p);
void dag_free(struct dag *d);

/* All outputs, gradients and weights (which hold the running statistics), one number after the
 * other. Owned by the caller: free(). */
float *dag_results(const struct dag *d, size_t *n);

#endif
