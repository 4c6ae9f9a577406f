/* SPDX-License-Identifier: MIT
 *
 * nn.c — Layers: make the weights, compose the ops. */
#include "mood/nn.h"

#include <math.h>
#include <stdio.h>

#include "graph/node.h"

/* PyTorch's default for weights and biases of dense and convolution layers: uniform within
 * 1 / sqrt(fan_in), which is kaiming-uniform with a = sqrt(5) (He et al., arXiv 1502.01852). */
static mood_init fan_in_init(int64_t fan_in)
{
    return (mood_init){MOOD_INIT_UNIFORM, (float)(1.0 / sqrt((double)fan_in)), false};
}

static mood_node *named_weight(mood_node *x, const char *name, const char *part, int rank,
                               const int64_t *dim, mood_init init)
{
    char full[256];
    if ((size_t)snprintf(full, sizeof(full), "%s.%s", name, part) >= sizeof(full))
        return mood__build_fail(x, "layer", MOOD_E_INVALID, "the name '%.40s...' is too long",
                                name);
    return mood_weight(mood_node_graph(x), full, rank, dim, init);
}

static mood_node *vector(mood_node *x, const char *name, const char *part, int64_t size,
                         mood_init init)
{
    return named_weight(x, name, part, 1, &size, init);
}

/* The size of the last axis, or 0 with a sticky error when the rank is not as wanted. */
static int64_t channels_of(mood_node *x, const char *layer, const char *name, int rank)
{
    const mood_tensor *t = mood_node_value(x);
    if (t->rank < 1 || (rank > 0 && t->rank != rank)) {
        mood__build_fail(x, layer, MOOD_E_SHAPE, "layer '%s' is given rank %d", name, t->rank);
        return 0;
    }
    return t->dim[t->rank - 1];
}

mood_node *mood_nn_dense(mood_node *x, const char *name, int64_t units,
                         const mood_nn_dense_params *params)
{
    int64_t C = x ? channels_of(x, "dense", name, 0) : 0;
    if (C == 0)
        return NULL;
    mood_init init = fan_in_init(C);
    mood_node *w = named_weight(x, name, "weight", 2, (int64_t[]){C, units}, init);
    if (params && params->no_bias)
        return mood_dense(x, w, NULL);
    mood_node *bias = vector(x, name, "bias", units, init);
    return bias ? mood_dense(x, w, bias) : NULL;
}

mood_node *mood_nn_conv1d(mood_node *x, const char *name, int64_t channels, int kernel,
                          const mood_nn_conv1d_params *params)
{
    int64_t C = x ? channels_of(x, "conv1d", name, 3) : 0;
    if (C == 0)
        return NULL;
    mood_conv1d_params p = {0};
    if (params)
        p = (mood_conv1d_params){params->stride, params->padding, params->groups};
    int64_t groups = p.groups ? p.groups : 1;
    if (groups < 1 || C % groups != 0)
        return mood__build_fail(x, "conv1d", MOOD_E_INVALID, "%lld groups of %lld channels",
                                (long long)groups, (long long)C);
    mood_init init = fan_in_init(kernel * C / groups);
    mood_node *w =
        named_weight(x, name, "weight", 3, (int64_t[]){kernel, C / groups, channels}, init);
    if (params && params->no_bias)
        return mood_conv1d(x, w, NULL, &p);
    mood_node *bias = vector(x, name, "bias", channels, init);
    return bias ? mood_conv1d(x, w, bias, &p) : NULL;
}

mood_node *mood_nn_conv2d(mood_node *x, const char *name, int64_t channels, int kernel,
                          const mood_nn_conv2d_params *params)
{
    int64_t C = x ? channels_of(x, "conv2d", name, 4) : 0;
    if (C == 0)
        return NULL;
    mood_conv2d_params p = {0};
    if (params)
        p = (mood_conv2d_params){params->stride, params->stride, params->padding, params->padding};
    mood_init init = fan_in_init((int64_t)kernel * kernel * C);
    mood_node *w =
        named_weight(x, name, "weight", 4, (int64_t[]){kernel, kernel, C, channels}, init);
    if (params && params->no_bias)
        return mood_conv2d(x, w, NULL, &p);
    mood_node *bias = vector(x, name, "bias", channels, init);
    return bias ? mood_conv2d(x, w, bias, &p) : NULL;
}

static const mood_init ones = {MOOD_INIT_CONSTANT, 1.0f, false};
static const mood_init zeros = {MOOD_INIT_CONSTANT, 0.0f, false};

mood_node *mood_nn_batch_norm(mood_node *x, const char *name, const mood_batch_norm_params *params)
{
    int64_t C = x ? channels_of(x, "batch_norm", name, 0) : 0;
    if (C == 0)
        return NULL;
    mood_node *gamma = vector(x, name, "weight", C, ones);
    mood_node *beta = vector(x, name, "bias", C, zeros);
    mood_node *mean =
        vector(x, name, "running_mean", C, (mood_init){.value = 0.0f, .frozen = true});
    mood_node *var = vector(x, name, "running_var", C, (mood_init){.value = 1.0f, .frozen = true});
    return mood_batch_norm(x, gamma, beta, mean, var, params);
}

mood_node *mood_nn_layer_norm(mood_node *x, const char *name, float eps)
{
    int64_t C = x ? channels_of(x, "layer_norm", name, 0) : 0;
    if (C == 0)
        return NULL;
    /* One after the other: as arguments, each compiler would choose their order in the weights. */
    mood_node *gamma = vector(x, name, "weight", C, ones);
    mood_node *beta = vector(x, name, "bias", C, zeros);
    return mood_layer_norm(x, gamma, beta, eps);
}

mood_node *mood_nn_group_norm(mood_node *x, const char *name, int groups, float eps)
{
    int64_t C = x ? channels_of(x, "group_norm", name, 0) : 0;
    if (C == 0)
        return NULL;
    mood_node *gamma = vector(x, name, "weight", C, ones);
    mood_node *beta = vector(x, name, "bias", C, zeros);
    return mood_group_norm(x, gamma, beta, groups, eps);
}
