/* SPDX-License-Identifier: MIT
 *
 * encoder.h — Wav2Vec2 and HuBERT: networks that were trained on many hours of speech and turn
 * samples into frames, 50 per second, from which mood is easier to hear than from samples.
 *
 *     mood_encoder_config c;
 *     mood_encoder_defaults(&c);                                     // wav2vec2-base
 *     mood_encoder_prepare(&c, x, n);                                // the clip, in place
 *     mood_node *samples = mood_input(g, "samples", MOOD_F32, 3, (int64_t[]){1, n, 1});
 *     mood_node *frames = mood_wav2vec2(samples, &c, c.n_layers, NULL);   // (1, T, 768)
 *
 * The weights carry the names of transformers' files, without "wav2vec2." or "hubert.", in the
 * layouts of ops.h; the positional convolution has its weight norm multiplied out, as
 * encoder.pos_conv_embed.conv.weight. */
#ifndef MOOD_ENCODER_H
#define MOOD_ENCODER_H

#include "mood/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MOOD_ENCODER_MAX_CONVS = 16, MOOD_ENCODER_MAX_LAYERS = 64 };

/* How the convolutions are normalised (feat_extract_norm in config.json). */
typedef enum mood_conv_norm {
    MOOD_CONV_NORM_GROUP, /* "group": the first only, each channel over the time of the clip */
    MOOD_CONV_NORM_LAYER  /* "layer": every one, each frame over its channels */
} mood_conv_norm;

/* What distinguishes one encoder from another. In brackets: the key in transformers' config.json
 * where it has another name. Zero is no default here: start from mood_encoder_defaults. */
typedef struct mood_encoder_config {
    /* The feature encoder: convolutions, from samples to frames. */
    int n_convs;                               /* [num_feat_extract_layers] */
    int conv_channels[MOOD_ENCODER_MAX_CONVS]; /* [conv_dim] */
    int conv_kernel[MOOD_ENCODER_MAX_CONVS];
    int conv_stride[MOOD_ENCODER_MAX_CONVS];
    bool conv_bias;
    mood_conv_norm conv_norm; /* [feat_extract_norm] */
    /* The context network: a transformer over frames. */
    int width;            /* D [hidden_size] */
    int n_layers;         /* [num_hidden_layers] */
    int n_heads;          /* [num_attention_heads] */
    int feed_forward;     /* units between the two dense layers [intermediate_size] */
    int pos_kernel;       /* frames [num_conv_pos_embeddings] */
    int pos_groups;       /* [num_conv_pos_embedding_groups] */
    bool norm_first;      /* norms before attention and feed-forward [do_stable_layer_norm] */
    float layer_norm_eps; /* of all norms but those of the convolutions */
    bool normalise;       /* the clip [do_normalize in preprocessor_config.json] */
} mood_encoder_config;

/* wav2vec2-base, which is also hubert-base, and what transformers takes for a key that is absent.
 * The large form has conv_norm LAYER, conv_bias, norm_first, width 1024, 24 layers, 16 heads and
 * feed_forward 4096. */
MOOD_API void mood_encoder_defaults(mood_encoder_config *config);

/* Whether a network can be built from `config`: for one that was read from a file. The functions
 * below want one that passes.
 * Errors: E_INVALID (detail names the field). */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_check(const mood_encoder_config *config);

/* The samples that one frame sees: the shortest clip there is a frame for. 400 by default. */
MOOD_API int64_t mood_encoder_min_samples(const mood_encoder_config *config);

/* The frames of a clip: 149 for 48000 samples by default, 0 when it is too short. */
MOOD_API int64_t mood_encoder_frames(const mood_encoder_config *config, int64_t n_samples);

/* The number of elements of all weights, before any of them is made: 94370816 by default. */
MOOD_API int64_t mood_encoder_elements(const mood_encoder_config *config);

/* What is done to a clip before the network hears it. With config->normalise:
 *   x = (x - mean) / sqrt(variance + 1e-7)
 * over all n samples; otherwise nothing. */
MOOD_API void mood_encoder_prepare(const mood_encoder_config *config, float *x, size_t n);

/* Values inside the network. To read one after a run, give it to mood_graph_compile as an output.
 */
typedef struct mood_encoder_nodes {
    mood_node *latent; /* (B, T, C): what the last convolution gives */
    /* (B, T, D): hidden states. layer[i] is the input of transformer layer i; layer[n_layers], of
     * a whole network, is its output, normed once more with norm_first. NULL above those built. */
    mood_node *layer[MOOD_ENCODER_MAX_LAYERS + 1];
} mood_encoder_nodes;

/* The network up to the input of transformer layer `n_layers`, 0 to config->n_layers: the weights
 * of later layers are neither made nor looked for. Returns hidden state n_layers (B, T, D).
 *
 *   samples  (B, S, 1) at 16 kHz, prepared, S >= mood_encoder_min_samples. Clips of one batch do
 *            not disturb each other, and have one length: there is no padding, since its zeros
 *            would change the norms of the real samples.
 *   nodes    may be NULL
 *
 * Differentiable. Dropout, layer drop and masking of its first training are left out. Errors
 * (sticky): E_INVALID (mood_encoder_check; n_layers), E_SHAPE (samples), and those of the layers.
 */
MOOD_API mood_node *mood_wav2vec2(mood_node *samples, const mood_encoder_config *config,
                                  int n_layers, mood_encoder_nodes *nodes);

#ifdef __cplusplus
}
#endif
#endif
