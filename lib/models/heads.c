/* SPDX-License-Identifier: MIT
 *
 * heads.c — The hybrid heads. Reads like the table in model.h. */
#include "mood/model.h"

#include <stdio.h>

#include "graph/node.h"
#include "mood/nn.h"

static const mood_batch_norm_params with_relu = {.relu = true};

static mood_node *block1d(mood_node *x, int i, int channels)
{
    char conv[16], norm[16];
    snprintf(conv, sizeof(conv), "conv%d", i);
    snprintf(norm, sizeof(norm), "norm%d", i);
    x = mood_nn_conv1d(x, conv, channels, 3, &(mood_nn_conv1d_params){.padding = 1});
    x = mood_nn_batch_norm(x, norm, &with_relu);
    return mood_max_pool1d(x, 2);
}

static mood_node *block2d(mood_node *x, int i, int channels)
{
    char conv[16], norm[16];
    snprintf(conv, sizeof(conv), "conv%d", i);
    snprintf(norm, sizeof(norm), "norm%d", i);
    x = mood_nn_conv2d(x, conv, channels, 3, &(mood_nn_conv2d_params){.padding = 1});
    x = mood_nn_batch_norm(x, norm, &with_relu);
    return mood_max_pool2d(x, 2, 2);
}

static mood_node *branch1d(mood_graph *g, mood_node *features, int divide)
{
    mood_graph_enter(g, "seq");
    mood_node *x = block1d(features, 1, 128 / divide);
    x = block1d(x, 2, 64 / divide);
    mood_graph_leave(g);
    return mood_global_avg_pool(x);
}

static mood_node *branch2d(mood_graph *g, mood_node *mel, int divide)
{
    mood_graph_enter(g, "mel");
    mood_node *x = block2d(mel, 1, 32 / divide);
    x = block2d(x, 2, 64 / divide);
    x = block2d(x, 3, 128 / divide);
    mood_graph_leave(g);
    if (!x)
        return NULL;
    return mood_reshape(x, 2, (int64_t[]){mood_node_value(x)->dim[0], -1});
}

mood_node *mood_heads(mood_node *features, mood_node *mel, const mood_heads_params *params)
{
    mood_heads_params p = params ? *params : (mood_heads_params){0};
    int divide = p.divide ? p.divide : 1, V = p.n_labels ? p.n_labels : 8;
    float dropout = p.dropout < 0 ? 0.0f : p.dropout > 0 ? p.dropout : 0.5f;
    if (!mel)
        return NULL;
    bool wanted = p.feature_width > 0;
    if (wanted != (features != NULL) || p.divide < 0 || 32 % divide != 0 || V < MOOD_MIN_LABELS ||
        V > MOOD_MAX_LABELS)
        return mood__build_fail(mel, "heads", MOOD_E_INVALID,
                                "feature width %d %s features, divide %d, %d labels",
                                p.feature_width, features ? "with" : "without", divide, V);

    mood_graph *g = mood_node_graph(mel);
    mood_graph_enter(g, "heads");
    mood_node *x = branch2d(g, mel, divide);
    if (wanted)
        x = mood_concat((mood_node *[]){branch1d(g, features, divide), x}, 2, 1);
    x = mood_relu(mood_nn_dense(x, "fc1", 256 / divide, NULL));
    x = mood_dropout(x, dropout);
    x = mood_relu(mood_nn_dense(x, "fc2", 128 / divide, NULL));
    x = mood_nn_dense(x, "out", V, NULL);
    mood_graph_leave(g);
    return x;
}
