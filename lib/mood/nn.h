/* SPDX-License-Identifier: MIT
 *
 * nn.h — Layers: functions that make the weights they need and compose ops. There is no layer
 * object.
 *
 * `name` names the weights, "name.weight" and so on, behind the prefix of mood_graph_enter; a
 * weight of that name that exists already is used (that is how weights are shared and loaded).
 * Initial values are PyTorch's defaults: kaiming-uniform with a = sqrt(5), that is uniform within 1
 * / sqrt(fan in), for weights and biases; 1 and 0 for the gain and offset of norms. Errors as in
 * ops.h. */
#ifndef MOOD_NN_H
#define MOOD_NN_H

#include "mood/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mood_nn_dense_params {
    bool no_bias;
} mood_nn_dense_params;

/* y = x weight + bias.   x (..., Cin) -> (..., units)
 * Weights: weight (Cin, units), bias (units). */
MOOD_API mood_node *mood_nn_dense(mood_node *x, const char *name, int64_t units,
                                  const mood_nn_dense_params *params);

typedef struct mood_nn_conv1d_params {
    int stride;  /* 0: 1 */
    int padding; /* zeros on each side */
    int groups;  /* 0: 1 */
    bool no_bias;
} mood_nn_conv1d_params;

/* x (B, T, Cin) -> (B, Ty, channels). Weights: weight (kernel, Cin / groups, channels), bias
 * (channels). */
MOOD_API mood_node *mood_nn_conv1d(mood_node *x, const char *name, int64_t channels, int kernel,
                                   const mood_nn_conv1d_params *params);

typedef struct mood_nn_conv2d_params {
    int stride;  /* along both axes; 0: 1 */
    int padding; /* zeros on each side of both axes */
    bool no_bias;
} mood_nn_conv2d_params;

/* x (B, F, T, Cin) -> (B, Fy, Ty, channels).
 * Weights: weight (kernel, kernel, Cin, channels), bias (channels). */
MOOD_API mood_node *mood_nn_conv2d(mood_node *x, const char *name, int64_t channels, int kernel,
                                   const mood_nn_conv2d_params *params);

/* Weights: weight, bias, running_mean, running_var, each (C); the last two are frozen. */
MOOD_API mood_node *mood_nn_batch_norm(mood_node *x, const char *name,
                                       const mood_batch_norm_params *params);

/* Weights: weight, bias, each (C). */
MOOD_API mood_node *mood_nn_layer_norm(mood_node *x, const char *name, float eps);
MOOD_API mood_node *mood_nn_group_norm(mood_node *x, const char *name, int groups, float eps);

#ifdef __cplusplus
}
#endif
#endif
