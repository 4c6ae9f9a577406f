/* SPDX-License-Identifier: MIT
 *
 * graph.h — Autograd. A computation is built once, compiled once, and run many times.
 *
 *     mood_weights_create(&w, seed);                       // what is learned outlives every graph
 *     mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true});
 *     mood_node *x = mood_input(g, "x", MOOD_F32, 2, (int64_t[]){32, 10});
 *     mood_node *y = mood_input(g, "y", MOOD_I32, 1, (int64_t[]){32});
 *     mood_node *h = mood_relu(mood_nn_dense(x, "hidden", 64, NULL));
 *     mood_node *loss = mood_cross_entropy(mood_nn_dense(h, "out", 8, NULL), y, NULL);
 *     status = mood_graph_compile(g, &loss, 1);            // reports the first mistake above
 *     for (each batch) {
 *         ... write into mood_node_value(x)->data and mood_node_value(y)->data ...
 *         mood_weights_zero_grad(w);
 *         status = mood_graph_forward(g);
 *         status = mood_graph_backward(g);                 // adds to the gradients in w
 *     }
 *
 * A graph is static: its shapes are fixed, order and memory are planned by mood_graph_compile, and
 * nothing is allocated afterwards. Another batch size, another length, or evaluation beside
 * training is another graph over the same weights; building one costs microseconds.
 *
 * Errors while building are sticky: a builder (ops.h, nn.h) that fails returns NULL, a builder that
 * is given NULL returns NULL, so a model is written as straight-line code; the graph keeps the
 * first error, and mood_graph_compile returns it. */
#ifndef MOOD_GRAPH_H
#define MOOD_GRAPH_H

#include "mood/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- weights: what is learned ------------------------------------------------------------- */

/* Named tensors that outlive the graphs which use them: trainable parameters, each with its
 * gradient, and running statistics. Values are float32 and contiguous; those of an encoder that was
 * loaded may be MOOD_I8 or MOOD_F32_PANELS.
 *
 * Thread-safety: Unsafe while anything writes (training, loading). Safe to share among graphs in
 * different threads that only run forward without training. */
typedef struct mood_weights mood_weights;

/* How the elements of a new weight are drawn. The draw depends on the seed and the weight's name
 * only, never on the order in which weights are made. */
typedef enum mood_init_kind {
    MOOD_INIT_CONSTANT, /* every element is `value` */
    MOOD_INIT_UNIFORM,  /* uniform in [-value, value] */
    MOOD_INIT_NORMAL    /* normal with mean 0 and standard deviation `value` */
} mood_init_kind;

typedef struct mood_init {
    mood_init_kind kind;
    float value;
    bool frozen; /* no gradient, not trained: running statistics */
} mood_init;

/* An empty set; `seed` decides all initial values.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_weights_create(mood_weights **out, uint64_t seed);
MOOD_API void mood_weights_destroy(mood_weights **w);

/* Add a weight, with initial values by `init`.
 * Errors: E_INVALID (the name is empty, longer than 255 bytes, or taken; the set is sealed),
 * E_SHAPE, E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_weights_add(mood_weights *w, const char *name, int rank,
                                      const int64_t *dim, mood_init init);

/* From now on a graph that asks for a name that is not there fails with E_MISSING, instead of
 * making it: for weights that were loaded. */
MOOD_API void mood_weights_seal(mood_weights *w);

MOOD_API int mood_weights_count(const mood_weights *w);
MOOD_API int mood_weights_find(const mood_weights *w, const char *name); /* index, or -1 */
MOOD_API const char *mood_weights_name(const mood_weights *w, int i);    /* borrowed from w */
MOOD_API bool mood_weights_trainable(const mood_weights *w, int i);

/* Views of the value and of the gradient of weight i. The gradient's data is NULL until a training
 * graph that uses the weight was compiled. Borrowed: valid until w is destroyed or a weight is
 * added. The values of an encoder that was loaded may be those of a mapped file: writing to them
 * ends the process. */
MOOD_API const mood_tensor *mood_weights_value(const mood_weights *w, int i);
MOOD_API const mood_tensor *mood_weights_grad(const mood_weights *w, int i);

/* The number of trainable elements. */
MOOD_API int64_t mood_weights_trainable_elements(const mood_weights *w);

/* Set every gradient to zero. mood_graph_backward adds to gradients: call this once per step. */
MOOD_API void mood_weights_zero_grad(mood_weights *w);

/* A copy of all names and values, without gradients. Owned by the caller; free with
 * mood_weights_destroy. Errors: E_INVALID (one is in panels), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_weights_clone(mood_weights **out, const mood_weights *src);

/* Copy every value (not the gradients) of `src` into the weight of the same name in `dst`.
 * Errors: E_MISSING (the names differ), E_SHAPE, E_INVALID (a weight of dst is a mapped file's; one
 * of src is in panels: MOOD_I8, MOOD_F32_PANELS). */
MOOD_NODISCARD
MOOD_API mood_status mood_weights_copy(mood_weights *dst, const mood_weights *src);

/* ---- graphs ------------------------------------------------------------------------------- */

/* Owns its nodes and all their memory. Thread-safety: Unsafe. */
typedef struct mood_graph mood_graph;

/* One value in a graph. Borrowed: lives as long as its graph. */
typedef struct mood_node mood_node;

typedef struct mood_graph_params {
    mood_weights *weights; /* borrowed for the life of the graph; NULL: it uses none */
    mood_pool *pool;       /* borrowed likewise; NULL: only the calling thread works */
    bool training;         /* gradients can be had; dropout and batch statistics are active */
    bool check_finite;     /* look for NaN and infinity in every value, not only in outputs */
    uint64_t seed;         /* of dropout */
    size_t max_bytes;      /* mood_graph_compile takes no more memory than this; 0: no limit */
} mood_graph_params;

/* Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_graph_create(mood_graph **out, const mood_graph_params *params);
MOOD_API void mood_graph_destroy(mood_graph **g);

/* A value that the caller writes before each run, through mood_node_value(node)->data.
 * Starts as zeros. Errors (sticky): E_SHAPE, E_INVALID (rank, or a type for storage only). */
MOOD_API mood_node *mood_input(mood_graph *g, const char *name, mood_dtype dtype, int rank,
                               const int64_t *dim);

/* Ask for the gradient with respect to an input too; before compile. Returns `input`. */
MOOD_API mood_node *mood_want_grad(mood_node *input);

/* The weight of that name, made with `init` when the graph's weights do not hold it yet. Inside
 * mood_graph_enter the name is prefixed.
 * Errors (sticky): E_SHAPE (it is there with another shape), E_MISSING (sealed), E_INVALID. */
MOOD_API mood_node *mood_weight(mood_graph *g, const char *name, int rank, const int64_t *dim,
                                mood_init init);

/* Name what follows "prefix.…", nested at most 8 deep, until mood_graph_leave. */
MOOD_API void mood_graph_enter(mood_graph *g, const char *prefix);
MOOD_API void mood_graph_leave(mood_graph *g);

/* Fix the order, plan the memory, take it. `outputs` are the values that can be read after a run,
 * at least one; with training, outputs[0] is the loss (one element), which mood_graph_backward
 * differentiates. Nodes that no output needs are dropped.
 * Errors: the first one met while building; E_SHAPE (the loss is not one number); E_INVALID (an op
 * that is not differentiable lies between the loss and a weight; called twice); E_UNSUPPORTED (more
 * than max_bytes are needed); E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_graph_compile(mood_graph *g, mood_node *const *outputs, int n_outputs);

/* Compute all outputs. Errors: E_NUMERIC (an output is NaN or infinite; running statistics have
 * moved all the same), E_INVALID (a class label is out of range). */
MOOD_NODISCARD
MOOD_API mood_status mood_graph_forward(mood_graph *g);

/* Add the gradient of outputs[0] to the gradient of every weight and wanted input, for the values
 * of the last forward run; once per run, for it overwrites what that run had kept. Inputs'
 * gradients are set, not added to. Errors: E_INVALID (no training graph, or no forward run since
 * the last backward), E_NUMERIC (with check_finite). */
MOOD_NODISCARD
MOOD_API mood_status mood_graph_backward(mood_graph *g);

/* The random numbers of the next forward run are those of this step; each run in training mode
 * counts one up from 0. Same seed, same step: the same dropout. */
MOOD_API void mood_graph_set_step(mood_graph *g, uint64_t step);

/* The graph that a node belongs to; NULL for NULL. */
MOOD_API mood_graph *mood_node_graph(const mood_node *node);

/* The shape, and after compile the memory, of a node; NULL for NULL. Only inputs, weights and
 * outputs keep their values; the memory of all others is re-used during a run. */
MOOD_API const mood_tensor *mood_node_value(const mood_node *node);

/* The gradient of a weight or wanted input after mood_graph_backward; NULL for other nodes. */
MOOD_API const mood_tensor *mood_node_grad(const mood_node *node);

/* For reports and debugging: the number of nodes, the bytes that compile took (weights not
 * counted), and node i in one line, "12 conv1d 'head.conv1' (32, 149, 128)". Returns buf. */
MOOD_API int mood_graph_nodes(const mood_graph *g);
MOOD_API size_t mood_graph_bytes(const mood_graph *g);
MOOD_API const char *mood_graph_describe(const mood_graph *g, int i, char *buf, size_t buf_bytes);

/* For measuring: `fn` is called on the calling thread after each node that a forward run computes,
 * with the node's number, as mood_graph_describe takes it. NULL: no longer. */
typedef void mood_graph_watcher(void *ctx, int node);
MOOD_API void mood_graph_watch(mood_graph *g, mood_graph_watcher *fn, void *ctx);

/* ---- gradient check ------------------------------------------------------------------------ */

typedef struct mood_gradcheck_params {
    double step;      /* length of the step in each element; 0: 1e-2 */
    int n_directions; /* random directions per weight and wanted input; 0: 4 */
    uint64_t seed;
} mood_gradcheck_params;

/* Compare the gradients of a compiled training graph with central differences of its loss, along
 * random directions of +-1: for each weight and wanted input W and direction v,
 *
 *     error = | (L(W + h v) - L(W - h v)) / 2h  -  <dL/dW, v> |  /  max(|dL/dW|_2, floor)
 *
 * where floor, 1e-3 of the largest norm of all, keeps vanishing gradients out of the quotient.
 * Float32 losses and the step limit what can be seen: expect below 1e-2, and 1 for a wrong
 * gradient. *worst_error receives the largest error, *worst_name (may be NULL) whose it is,
 * borrowed from g. Values and gradients of the weights are as before, but for running statistics.
 * Errors: as mood_graph_forward and mood_graph_backward. */
MOOD_NODISCARD
MOOD_API mood_status mood_gradcheck(mood_graph *g, const mood_gradcheck_params *params,
                                    double *worst_error, const char **worst_name);

#ifdef __cplusplus
}
#endif
#endif
