/* SPDX-License-Identifier: MIT
 *
 * wav2vec2.c — The network of wav2vec 2.0 (Baevski et al., arXiv 2006.11477), and of HuBERT (Hsu et
 * al., arXiv 2106.07447), which is the same one taught by another task. Read it beside figure 1 of
 * the first paper, from the bottom up:
 *
 *     C  context        (B, T, D)      out of the last layer
 *     |    transformer                 n layers of self-attention and feed-forward
 *     |    position                    a wide grouped convolution, added
 *     |    projection                  C -> D channels
 *     Z  latent speech  (B, T, C)      one frame per 320 samples, that is 20 ms
 *     |    feature encoder             7 convolutions
 *     X  samples        (B, S, 1)      16 kHz
 *
 * The quantiser and the losses of the figure belong to the training that others have done. The
 * published networks differ in sizes, and in where they norm: the base form norms the first
 * convolution, and each sum of the transformer; the large form every convolution, and what goes
 * into attention and feed-forward, so that the sum itself has to be normed once, at the end. */
#include "mood/encoder.h"

#include <stdio.h>

#include "graph/node.h"
#include "mood/nn.h"

/* Of the norms of the convolutions: config.json's layer_norm_eps is not theirs. */
static const float CONV_NORM_EPS = 1e-5f;

static void enter_item(mood_graph *g, const char *list, int i)
{
    char name[48];
    snprintf(name, sizeof(name), "%s.%d", list, i);
    mood_graph_enter(g, name);
}

/* ---- X to Z ---- */

/* (B, S, channels of the one before) -> (B, S / stride, channels) */
static mood_node *convolution(mood_graph *g, mood_node *x, const mood_encoder_config *c, int i)
{
    enter_item(g, "feature_extractor.conv_layers", i);
    x = mood_nn_conv1d(
        x, "conv", c->conv_channels[i], c->conv_kernel[i],
        &(mood_nn_conv1d_params){.stride = c->conv_stride[i], .no_bias = !c->conv_bias});
    if (c->conv_norm == MOOD_CONV_NORM_LAYER)
        x = mood_nn_layer_norm(x, "layer_norm", CONV_NORM_EPS);
    else if (i == 0) /* as many groups as channels: each is normed by itself, over time */
        x = mood_nn_group_norm(x, "layer_norm", c->conv_channels[i], CONV_NORM_EPS);
    mood_graph_leave(g);
    return mood_gelu(x);
}

static mood_node *feature_encoder(mood_graph *g, mood_node *x, const mood_encoder_config *c)
{
    for (int i = 0; i < c->n_convs; i++)
        x = convolution(g, x, c, i);
    return x;
}

/* ---- Z to the transformer ---- */

/* (B, T, C) -> (B, T, D) */
static mood_node *projection(mood_graph *g, mood_node *z, const mood_encoder_config *c)
{
    mood_graph_enter(g, "feature_projection");
    z = mood_nn_layer_norm(z, "layer_norm", c->layer_norm_eps);
    z = mood_nn_dense(z, "projection", c->width, NULL);
    mood_graph_leave(g);
    return z;
}

/* x + what its neighbours say about where it is, in place of a positional embedding. */
static mood_node *position(mood_node *x, const mood_encoder_config *c)
{
    mood_node *p = mood_nn_conv1d(
        x, "pos_conv_embed.conv", c->width, c->pos_kernel,
        &(mood_nn_conv1d_params){.padding = c->pos_kernel / 2, .groups = c->pos_groups});
    if (p && c->pos_kernel % 2 == 0) /* the padding of an even kernel gives one frame too many */
        p = mood_slice(p, 1, 0, mood_node_value(x)->dim[1]);
    return mood_add(x, mood_gelu(p));
}

/* ---- the transformer: everything is (B, T, D) ---- */

static mood_node *norm(mood_node *x, const char *name, const mood_encoder_config *c)
{
    return mood_nn_layer_norm(x, name, c->layer_norm_eps);
}

static mood_node *self_attention(mood_graph *g, mood_node *x, const mood_encoder_config *c)
{
    mood_graph_enter(g, "attention");
    mood_node *q = mood_nn_dense(x, "q_proj", c->width, NULL);
    mood_node *k = mood_nn_dense(x, "k_proj", c->width, NULL);
    mood_node *v = mood_nn_dense(x, "v_proj", c->width, NULL);
    x = mood_nn_dense(mood_attention(q, k, v, c->n_heads), "out_proj", c->width, NULL);
    mood_graph_leave(g);
    return x;
}

static mood_node *feed_forward(mood_graph *g, mood_node *x, const mood_encoder_config *c)
{
    mood_graph_enter(g, "feed_forward");
    x = mood_gelu(mood_nn_dense(x, "intermediate_dense", c->feed_forward, NULL));
    x = mood_nn_dense(x, "output_dense", c->width, NULL);
    mood_graph_leave(g);
    return x;
}

static mood_node *transformer_layer(mood_graph *g, mood_node *x, const mood_encoder_config *c,
                                    int i)
{
    enter_item(g, "layers", i);
    if (c->norm_first) {
        x = mood_add(x, self_attention(g, norm(x, "layer_norm", c), c));
        x = mood_add(x, feed_forward(g, norm(x, "final_layer_norm", c), c));
    } else {
        x = norm(mood_add(x, self_attention(g, x, c)), "layer_norm", c);
        x = norm(mood_add(x, feed_forward(g, x, c)), "final_layer_norm", c);
    }
    mood_graph_leave(g);
    return x;
}

/* What the first layer gets: hidden state 0. */
static mood_node *transformer_input(mood_graph *g, mood_node *x, const mood_encoder_config *c)
{
    mood_graph_enter(g, "encoder");
    x = position(x, c);
    if (!c->norm_first)
        x = norm(x, "layer_norm", c);
    mood_graph_leave(g);
    return x;
}

/* From hidden state `first` to hidden state `last`: fills layer[first .. last], returns the last.
 */
static mood_node *transformer(mood_graph *g, mood_node *x, const mood_encoder_config *c, int first,
                              int last, mood_node **layer)
{
    mood_graph_enter(g, "encoder");
    for (int i = first; i < last; i++) {
        layer[i] = x;
        x = transformer_layer(g, x, c, i);
    }
    if (c->norm_first && last == c->n_layers)
        x = norm(x, "layer_norm", c);
    layer[last] = x;
    mood_graph_leave(g);
    return x;
}

/* ---- X to C ---- */

static mood_status check_call(const mood_node *samples, const mood_encoder_config *c, int n_layers)
{
    MOOD__TRY(mood_encoder_check(c));
    if (n_layers < 0 || n_layers > c->n_layers)
        return mood__fail(MOOD_E_INVALID, "%d layers are wanted of %d", n_layers, c->n_layers);
    const mood_tensor *x = mood_node_value(samples);
    if (x->rank != 3 || x->dim[2] != 1 || mood_encoder_frames(c, x->dim[1]) < 1) {
        char shape[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "samples are %s; (B, S, 1) with S >= %lld is needed",
                          mood__shape_text(shape, x->rank, x->dim),
                          (long long)mood_encoder_min_samples(c));
    }
    return MOOD_OK;
}

mood_node *mood_wav2vec2(mood_node *samples, const mood_encoder_config *config, int n_layers,
                         mood_encoder_nodes *nodes)
{
    mood_encoder_nodes unused, *n = nodes ? nodes : &unused;
    *n = (mood_encoder_nodes){0};
    if (!samples)
        return NULL;
    mood_graph *g = mood_node_graph(samples);
    mood_status status = check_call(samples, config, n_layers);
    if (status)
        return mood__build_fail(samples, "wav2vec2", status, "%s", mood_error_detail());
    n->latent = feature_encoder(g, samples, config);
    mood_node *x = transformer_input(g, projection(g, n->latent, config), config);
    return transformer(g, x, config, 0, n_layers, n->layer);
}

mood_node *mood_wav2vec2_layers(mood_node *hidden, const mood_encoder_config *config, int first,
                                int last, mood_encoder_nodes *nodes)
{
    mood_encoder_nodes unused, *n = nodes ? nodes : &unused;
    *n = (mood_encoder_nodes){0};
    if (!hidden)
        return NULL;
    mood_status status = mood_encoder_check(config);
    if (!status && (first < 0 || first >= last || last > config->n_layers))
        status = mood__fail(MOOD_E_INVALID, "hidden states %d to %d are wanted of 0 to %d", first,
                            last, config->n_layers);
    const mood_tensor *x = mood_node_value(hidden);
    if (!status && (x->rank != 3 || x->dim[2] != config->width)) {
        char shape[MOOD__SHAPE_BYTES];
        status = mood__fail(MOOD_E_SHAPE, "the hidden state is %s; (B, T, %d) is needed",
                            mood__shape_text(shape, x->rank, x->dim), config->width);
    }
    if (status)
        return mood__build_fail(hidden, "wav2vec2", status, "%s", mood_error_detail());
    return transformer(mood_node_graph(hidden), hidden, config, first, last, n->layer);
}
