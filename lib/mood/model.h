/* SPDX-License-Identifier: MIT
 *
 * model.h — The hybrid heads, and a trained model: weights, labels, and the record of how it was
 * trained, in one file. */
#ifndef MOOD_MODEL_H
#define MOOD_MODEL_H

#include "mood/emotion.h"
#include "mood/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the network ------------------------------------------------------------------------------
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

/* ---- the model --------------------------------------------------------------------------------
 */

/* Thread-safety: Safe once it is loaded or trained: share it among any number of recognisers.
 * Unsafe while it is being trained. */
typedef struct mood_model mood_model;

typedef struct mood_model_params {
    mood_heads_params heads;   /* n_labels is taken from below */
    const char *const *labels; /* n_labels names, copied; NULL: the eight emotions */
    int n_labels;              /* 2 to MOOD_MAX_LABELS; 0 with labels NULL */
    uint64_t seed;             /* of the initial weights */
} mood_model_params;

/* A new, untrained model. Owned by the caller; free with mood_model_destroy.
 * Errors: E_INVALID (labels: too few or many, empty, longer than
 * MOOD_MAX_LABEL_BYTES, or twice the same), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_model_create(mood_model **out, const mood_model_params *params);

/* Read a model file. The digest is checked before anything in it is parsed.
 * Errors: E_IO; E_FORMAT (no model file, damaged); E_UNSUPPORTED (a newer format version; detail
 * names both); E_MISSING and E_SHAPE (a weight is absent, unexpected, or of another shape; detail
 * names it); E_NUMERIC (a weight is NaN or infinite); E_NOMEM. */
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
MOOD_API const mood_heads_params *mood_model_heads(const mood_model *model);
MOOD_API mood_weights *mood_model_weights(mood_model *model);

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

#ifdef __cplusplus
}
#endif
#endif
