/* SPDX-License-Identifier: MIT
 *
 * model.h — The networks that name a mood, and a trained model: weights, labels, and the record of
 * how it was trained, in one file. */
#ifndef MOOD_MODEL_H
#define MOOD_MODEL_H

#include "mood/emotion.h"
#include "mood/encoder.h"
#include "mood/prosody.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the networks -----------------------------------------------------------------------------
 */

typedef struct mood_heads_params {
    int feature_width; /* D, the width of the encoder's frames; 0: no encoder, no 1D branch */
    int n_labels;      /* V, MOOD_MIN_LABELS to MOOD_MAX_LABELS; 0: 8 */
    float dropout;     /* probability before the second dense layer; 0: 0.5; negative: none */
    int divide;        /* 1, 2, 4 or 8: all channels and units but V by this, for tests; 0: 1 */
} mood_heads_params;

/* The hybrid heads: a 1-D CNN over the encoder's frames and a 2-D CNN over the log-mel plane,
 * joined.
 *
 *   features (B, T, D): conv1d 3 -> 128, batch norm, ReLU, max-pool 2; conv1d 3 -> 64, batch norm,
 *                       ReLU, max-pool 2; global average -> (B, 64). NULL without an encoder.
 *   mel (B, F, T, 1):   three times conv2d 3x3, batch norm, ReLU, max-pool 2x2, with 32, 64, 128
 *                       channels; flattened in the order (F, T, C)
 *   joined:             dense 256, ReLU, dropout, dense 128, ReLU, dense V -> logits (B, V)
 *
 * All convolutions keep the length (padding 1). Weights are named heads.seq.conv1.weight,
 * heads.seq.norm1.*, ..., heads.mel.conv3.weight, ..., heads.fc1.weight, heads.fc2.*, heads.out.*.
 * Errors (sticky): as the layers; E_INVALID (params, or features given without a width). */
MOOD_API mood_node *mood_heads(mood_node *features, mood_node *mel,
                               const mood_heads_params *params);

/* How frames become one vector: over their time. */
typedef enum mood_pooling { MOOD_POOLING_MEAN, MOOD_POOLING_SUM, MOOD_POOLING_MAX } mood_pooling;

/* The layouts of classifiers that others have published. */
typedef enum mood_classifier_form {
    /* Each frame through dense `units`; pooled; dense V. As transformers' Wav2Vec2- and
     * HubertForSequenceClassification, which pool by the mean. */
    MOOD_CLASSIFIER_PROJECTOR,
    /* Pooled; dense `units`, tanh; dense V. As the family of github.com/m3hrdadfi/soxan. */
    MOOD_CLASSIFIER_TANH
} mood_classifier_form;

typedef struct mood_classifier_params {
    int width;    /* D, of the encoder's frames */
    int units;    /* of the first dense layer; 0: D */
    int n_labels; /* V, MOOD_MIN_LABELS to MOOD_MAX_LABELS; 0: 8 */
    mood_classifier_form form;
    mood_pooling pooling;
} mood_classifier_params;

/* An encoder's frames to labels, by two dense layers and nothing else: a whole classifier of
 * another program, together with its encoder.
 *
 *   frames (B, T, D) -> logits (B, V); with MOOD_POOLING_MAX T <= 255
 *
 * Weights are named classifier.dense.* and classifier.out.*. Errors (sticky): as the layers;
 * E_INVALID (params). */
MOOD_API mood_node *mood_classifier(mood_node *frames, const mood_classifier_params *params);

/* The sum of an encoder's hidden states with weights that are learned, as in SUPERB (Yang et al.,
 * arXiv 2105.01051):
 *
 *   y = sum over l of softmax(w)[l] * x[:, l]          x (B, L, T, D) -> y (B, T, D)
 *
 * The weight w (L) is named mix.weights, and starts as zeros: the mean. */
MOOD_API mood_node *mood_mix_layers(mood_node *x);

typedef struct mood_prosody_net_params {
    int n_functionals; /* F; 0: MOOD_N_FUNCTIONALS */
    int n_labels;      /* V, MOOD_MIN_LABELS to MOOD_MAX_LABELS; 0: 8 */
    int n_centres;     /* M, at most MOOD_MAX_CENTRES; 0: 2800 */
    bool no_gate;      /* no output that tells speech from other sounds */
} mood_prosody_net_params;

#define MOOD_MAX_CENTRES 65536

/* In the unit of a standard deviation: what is farther from the mean counts as so far. */
#define MOOD_PROSODY_CLAMP 4.0f

/* How like a recording is, by its functionals (prosody.h), to M others that were heard in training:
 * the Gaussian kernel, in the unit of sqrt(F) standard deviations.
 *
 *   z = clamp((x - mean) * scale, -4, 4)    x (B, F)    mean, scale (F)
 *   k[b, m] = exp(-|z[b] - c[:, m]|^2 / (2 F))          c (F, M) -> k (B, M), within 0 to 1
 *
 * Weights are named prosody.mean, prosody.scale, prosody.centres.weight, which is c, and
 * prosody.centres.bias (M), which is -|c|^2 / 2; all are frozen. Errors (sticky): as the ops;
 * E_INVALID (params). */
MOOD_API mood_node *mood_prosody_similarity(mood_node *functionals,
                                            const mood_prosody_net_params *params);

/* A kernel classifier on functionals, without encoder and log-mel: what is like a recording that
 * was heard has its emotion, and what is like none has no emotion.
 *
 *   logits = k weight         weight (M, V), prosody.out.weight -> (B, V)
 *   speech = k weight         weight (M, 1), prosody.gate.weight -> (B, 1): about 1 for speech and
 * -1 for other sounds, nearer to 0 the less either is like what was heard in training;
 * MOOD_PROSODY_SPEECH is between the two
 *
 * Returns the logits. *speech, where the pointer is not NULL, is NULL without a gate. Errors
 * (sticky): as above. */
MOOD_API mood_node *mood_prosody_net(mood_node *functionals, const mood_prosody_net_params *params,
                                     mood_node **speech);

/* How often speech is below it, and music above: docs/training.md. */
#define MOOD_PROSODY_SPEECH 0.0f

/* ---- the model --------------------------------------------------------------------------------
 */

/* Thread-safety: Safe once it is loaded or trained: share it among any number of recognisers.
 * Unsafe while it is being trained. */
typedef struct mood_model mood_model;

typedef enum mood_network {
    MOOD_NETWORK_HEADS,      /* mood_heads */
    MOOD_NETWORK_CLASSIFIER, /* mood_classifier */
    MOOD_NETWORK_PROSODY     /* mood_prosody_net */
} mood_network;

/* In place of the number of a layer: all of them, by mood_mix_layers. */
#define MOOD_LAYER_MIX (-1)

typedef struct mood_model_params {
    mood_heads_params heads;   /* n_labels is taken from below, feature_width from the encoder */
    const char *const *labels; /* n_labels names, copied; NULL: the eight emotions */
    int n_labels;              /* 2 to MOOD_MAX_LABELS; 0 with labels NULL */
    uint64_t seed;             /* of the initial weights */
    mood_encoder *encoder;     /* whose frames the network hears; not kept, but for its identity and
                                * sizes. NULL: none */
    int encoder_layer;         /* 0 to its number of layers (encoder.h, hidden states), or
                                * MOOD_LAYER_MIX */
    const char
        *encoder_hint; /* where its file was, copied: for mood_model_find_encoder. NULL: "" */
    const mood_classifier_params *classifier; /* the network; needs an encoder. Its width and
                                               * n_labels are taken from there. NULL: the heads */
    const mood_prosody_net_params *prosody;   /* the network, of all functionals; n_labels is taken
                                               * from there. NULL: another one */
} mood_model_params;

/* A new, untrained model. Owned by the caller; free with mood_model_destroy.
 * Errors: E_INVALID (labels: too few or many, empty, longer than MOOD_MAX_LABEL_BYTES, or twice the
 * same; the encoder has no such layer; a classifier without an encoder; prosody with one, or with a
 * classifier, or of a part of the functionals), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_model_create(mood_model **out, const mood_model_params *params);

/* Read a model file. The digest is checked before anything in it is parsed.
 * Errors: E_IO; E_FORMAT (no model file, damaged); E_UNSUPPORTED (a newer format version, or other
 * functionals than those of this library; detail names both); E_MISSING and E_SHAPE (a weight is
 * absent, unexpected, or of another shape; detail names it); E_NUMERIC (a weight is NaN or
 * infinite); E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_model_load(mood_model **out, const char *path);

/* Write a model file, under a temporary name first: whatever happens, `path` holds a complete
 * model, the old one or the new one. Errors: E_IO (no such folder, disk full, ...), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_model_save(const mood_model *model, const char *path);

/* Models are counted: retain adds an owner, destroy gives one up, the last one frees. A recogniser
 * retains its model, so a program may destroy its own right after making one. Returns model. */
MOOD_API mood_model *mood_model_retain(mood_model *model);
MOOD_API void mood_model_destroy(mood_model **model);

MOOD_API int mood_model_n_labels(const mood_model *model);
MOOD_API const char *mood_model_label(const mood_model *model, int i); /* NULL out of range */
MOOD_API mood_weights *mood_model_weights(mood_model *model);

MOOD_API mood_network mood_model_network(const mood_model *model);
/* Of what it was built; NULL for a model of another network. */
MOOD_API const mood_heads_params *mood_model_heads(const mood_model *model);
MOOD_API const mood_classifier_params *mood_model_classifier(const mood_model *model);
MOOD_API const mood_prosody_net_params *mood_model_prosody(const mood_model *model);

/* The model's network over its weights, for a batch of B windows: logits (B, V).
 *
 *   features  (B, T, D): the hidden state of the model's encoder and layer; with MOOD_LAYER_MIX
 *             (B, L, T, D), all of them. For MOOD_NETWORK_PROSODY (B, F): the functionals. Else
 *             NULL
 *   mel       (B, F, T, 1): the heads' log-mel plane, 64 bands and 94 frames; others have none
 *   dropout   as in mood_heads_params; 0: the model's own
 *
 * Errors (sticky): as mood_heads, mood_classifier and mood_prosody_net. */
MOOD_API mood_node *mood_model_logits(const mood_model *model, mood_node *features, mood_node *mel,
                                      float dropout);

/* The temperature T of the model's answers: recognisers give softmax(logits / T) for each window. 1
 * for a new model; a training fits it on the validation speakers (figures.h) so that a probability
 * of 0.7 is right in seven of ten. A recogniser takes it over when it is made.
 * Errors of set: E_INVALID (not within MOOD_MIN_TEMPERATURE to MOOD_MAX_TEMPERATURE). */
#define MOOD_MIN_TEMPERATURE 0.01
#define MOOD_MAX_TEMPERATURE 100.0
MOOD_API double mood_model_temperature(const mood_model *model);
MOOD_NODISCARD
MOOD_API mood_status mood_model_set_temperature(mood_model *model, double temperature);

/* The record of the training, JSON text of one object, "{}" before: protocol, corpora, seed,
 * figures. Set copies the text. Errors: E_INVALID (not a JSON object), E_NOMEM. */
MOOD_API const char *mood_model_record(const mood_model *model);
MOOD_NODISCARD
MOOD_API mood_status mood_model_set_record(mood_model *model, const char *json);

/* ---- the model's encoder ----------------------------------------------------------------------
 */

typedef struct mood_encoder_use {
    const char *identity; /* mood_encoder_identity; borrowed from the model */
    int layer;            /* the hidden state that the network hears, or MOOD_LAYER_MIX */
    int n_layers;         /* of the encoder: it has n_layers + 1 hidden states */
    int width;            /* D */
    const char *hint;     /* where its file was when the model was made; "" where nobody said */
} mood_encoder_use;

/* Borrowed from the model; NULL when it hears the log-mel only. */
MOOD_API const mood_encoder_use *mood_model_encoder(const mood_model *model);

/* Put the encoder into the model, and into its file, as MOOD_F32 or MOOD_F16 numbers: it then runs
 * by itself. What was rounded once stays MOOD_F16, as in mood_encoder_save. Retains `encoder`.
 * Errors: E_INVALID (the model has no encoder, or another; the type). */
MOOD_NODISCARD
MOOD_API mood_status mood_model_embed(mood_model *model, mood_encoder *encoder, mood_dtype dtype);

/* The encoder that was put in; borrowed, NULL when there is none. */
MOOD_API mood_encoder *mood_model_embedded(const mood_model *model);

/* Whether `encoder` is the one that the model was trained on, whatever the type of its numbers.
 * Errors: E_INVALID (detail has both identities; or the model has no encoder). */
MOOD_NODISCARD
MOOD_API mood_status mood_model_check_encoder(const mood_model *model, const mood_encoder *encoder);

/* The model's encoder, from the first of these that there is:
 *   - the file `given`, unless NULL: no other is then looked for
 *   - in the model itself
 *   - the file that the model has a hint of
 *   - a file of that name in the folder of `model_path` (may be NULL)
 *   - a file of that name in the folder $MOOD_HOME
 * where a file that holds another encoder is passed over, but not `given`. Free *out with
 * mood_encoder_destroy; it is NULL when the model needs none.
 * Errors: E_MISSING (detail says where it was looked for, and what was there); for `given` those of
 * mood_encoder_load and mood_model_check_encoder; E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_model_find_encoder(mood_encoder **out, const mood_model *model,
                                             const char *model_path, const char *given);

#ifdef __cplusplus
}
#endif
#endif
