/* SPDX-License-Identifier: MIT
 *
 * encoder.h — Wav2Vec2 and HuBERT: networks that were trained on many hours of speech and turn
 * samples into frames, 50 per second, from which mood is easier to hear than from samples.
 *
 *     mood_encoder_load(&e, "wav2vec2-base.h5");
 *     mood_frames_create(&f, e, n, NULL);                  // for clips of n samples at 16 kHz
 *     mood_encoder_destroy(&e);                            // f has it
 *     mood_frames_run(f, x);
 *     const mood_tensor *y = mood_frames_layer(f, 12);     // (T, 768)
 *
 * mood_wav2vec2 is the network by itself, for graphs of other kinds. The weights carry the names of
 * transformers' files, without "wav2vec2." or "hubert.", in the layouts of ops.h; the positional
 * convolution has its weight norm multiplied out, as encoder.pos_conv_embed.conv.weight. */
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

/* The transformer layers that lie between two hidden states, 0 <= first < last <= config->n_layers:
 * of the state `first` (B, T, D) they make the state `last` (B, T, D). `nodes`, which may be NULL,
 * gets these states and those between. Errors (sticky): E_INVALID (mood_encoder_check; first,
 * last), E_SHAPE, and those of the layers. */
MOOD_API mood_node *mood_wav2vec2_layers(mood_node *hidden, const mood_encoder_config *config,
                                         int first, int last, mood_encoder_nodes *nodes);

/* ---- the encoder ------------------------------------------------------------------------------
 */

/* A config, the weights for it, and the identity of both.
 *
 * Thread-safety: Safe once its weights are no longer written to. Counted, as models are. */
typedef struct mood_encoder mood_encoder;

typedef struct mood_encoder_params {
    uint64_t seed; /* of random weights */
    /* Channels as unequal as those of trained networks, which is hard on all arithmetic with fewer
     * bits. Without it every channel is as loud as the next. Each gain of a norm, and each channel
     * that a layer adds to the stream between the layers, is multiplied by a log-normal factor
     * (sigma 0.5) of its own; and 1 % of the stream's channels, at least one, the same in all
     * layers, by 20 where they are added: Kovaleva et al., arXiv 2105.06990, and Dettmers et al.,
     * arXiv 2208.07339, found a few such channels, up to 20 times as large as the others, in
     * every transformer that they looked at. */
    bool trained_like;
} mood_encoder_params;

/* An encoder that nobody has trained, with random weights (PyTorch's initial values), or with
 * params NULL an empty one: all weights are zeros, there is no identity, and the caller writes the
 * weights and calls mood_encoder_identify. Errors: E_INVALID (mood_encoder_check), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_create(mood_encoder **out, const mood_encoder_config *config,
                                         const mood_encoder_params *params);

/* Read an encoder file. The digest is checked before anything in it is parsed. Weights that are
 * float32 or i8 in the file are not copied: the file is mapped as long as the encoder lives, may be
 * replaced and removed meanwhile, but not written into.
 * Errors: as mood_model_load. */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_load(mood_encoder **out, const char *path);

/* Write an encoder file, under a temporary name first. As MOOD_F16 the weights are rounded, and
 * take half the bytes; as MOOD_I8 those of the convolutions but the first, and of the dense layers,
 * take a quarter, and are computed with as they are. Either keeps the identity of the encoder that
 * it comes from. What was rounded once is never written as if it were more exact: f16 becomes f16
 * or i8, i8 stays as it is, whatever `dtype` says.
 * Errors: E_INVALID (no identity yet; another dtype), E_IO, E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_save(const mood_encoder *encoder, const char *path,
                                       mood_dtype dtype);

/* Add an owner, and return `encoder`; give one up: the last one frees. */
MOOD_API mood_encoder *mood_encoder_retain(mood_encoder *encoder);
MOOD_API void mood_encoder_destroy(mood_encoder **encoder);

/* Borrowed. */
MOOD_API const mood_encoder_config *mood_encoder_get_config(const mood_encoder *encoder);

/* The weights, sealed: those of mood_wav2vec2 with all layers. Those of a file are frozen, and not
 * to be written to: they may lie in memory that cannot be, and those of dense layers in the order
 * MOOD_F32_PANELS. */
MOOD_API mood_weights *mood_encoder_weights(mood_encoder *encoder);

/* What tells one encoder from all others, as 64 hexadecimal digits: a SHA-256 of the config and of
 * the exact weights (docs/file-formats.md), whatever file they lie in. "" before
 * mood_encoder_identify. Borrowed until then. */
MOOD_API const char *mood_encoder_identity(const mood_encoder *encoder);

/* Compute the identity from the weights as they are now. With weights of MOOD_I8 it stays what the
 * file says. */
MOOD_API void mood_encoder_identify(mood_encoder *encoder);

/* Whether config and weights are those that the identity of the file was made from: a file says
 * what its identity is, and loading believes it.
 * Errors: E_FORMAT (they are not), E_UNSUPPORTED (the weights were rounded to f16 or i8), E_NOMEM.
 */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_verify(const mood_encoder *encoder);

/* Where it comes from: JSON text of one object, "{}" before. Not part of the identity. Set copies
 * the text. Errors: E_INVALID (not a JSON object), E_NOMEM. */
MOOD_API const char *mood_encoder_source(const mood_encoder *encoder);
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_set_source(mood_encoder *encoder, const char *json);

/* ---- frames -----------------------------------------------------------------------------------
 */

/* An encoder at work on clips of one length: a graph and its memory.
 *
 * Thread-safety: Unsafe. Make one per thread; they share the encoder. */
typedef struct mood_frames mood_frames;

typedef struct mood_frames_params {
    int n_layers;     /* stop at this hidden state; negative: the last. Later layers cost nothing */
    bool every_layer; /* keep hidden states 0 to n_layers, not only the last of them */
    mood_pool *pool;  /* borrowed for the life of the frames; NULL: only the calling thread works */
} mood_frames_params;

/* Retains the encoder. params NULL: the last hidden state, on one thread.
 * Errors: E_INVALID (n_layers), E_SHAPE (fewer samples than mood_encoder_min_samples),
 * E_UNSUPPORTED (so many that more than 8 GiB of memory would be needed), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_frames_create(mood_frames **out, mood_encoder *encoder, size_t n_samples,
                                        const mood_frames_params *params);
MOOD_API void mood_frames_destroy(mood_frames **frames);

/* Hear a clip: n_samples at 16 kHz, as they are; mood_encoder_prepare is done to a copy.
 * Errors: E_NUMERIC (a sample, or a result, is NaN or infinite). */
MOOD_NODISCARD
MOOD_API mood_status mood_frames_run(mood_frames *frames, const float *samples);

/* Hidden state i of the last clip, (T, D), contiguous: layer[i] of mood_encoder_nodes. NULL when
 * it is not kept. Borrowed until the next run. */
MOOD_API const mood_tensor *mood_frames_layer(const mood_frames *frames, int i);

/* Write the hidden states of the last clip as a file of kind "features": layer_00, layer_01, ...
 * Errors: E_INVALID (not every_layer; nothing was run), E_IO, E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_frames_save(const mood_frames *frames, const char *path);

#ifdef __cplusplus
}
#endif
#endif
