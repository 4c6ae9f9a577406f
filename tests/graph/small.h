/* SPDX-License-Identifier: MIT
 *
 * small.h — Words for tests that make small graphs. Include it after <cmocka.h>. */
#ifndef MOOD_TESTS_GRAPH_SMALL_H
#define MOOD_TESTS_GRAPH_SMALL_H

#include "mood/ops.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)
#define DIMS(...)       ((int64_t[]){__VA_ARGS__})

static inline mood_graph *graph(mood_weights *w, bool training)
{
    mood_graph *g;
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = training}));
    return g;
}

static inline mood_weights *weights(void)
{
    mood_weights *w;
    assert_ok(mood_weights_create(&w, 1));
    return w;
}

static inline float *data(const mood_node *n)
{
    return mood_node_value(n)->data;
}

static inline void fill(const mood_node *n)
{
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(n)); i++)
        data(n)[i] = (float)((i * 7 + 3) % 11) / 8 - 0.6f;
}

static inline mood_node *total(mood_node *x)
{
    return mood_sum(x, MOOD_ALL_AXES);
}

#endif
