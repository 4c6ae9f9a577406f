/* SPDX-License-Identifier: MIT
 *
 * models/model.h — The inside of a model, shared by model.c (life), model_file.c (files) and
 * config.c (the JSON in them). */
#ifndef MOOD_MODELS_MODEL_H
#define MOOD_MODELS_MODEL_H

#include <stdatomic.h>

#include "mood/model.h"

enum {
    /* Of an encoder: the largest that is in use anywhere is 1920 (XLS-R 2B). Keeps a file from
     * asking for a network that does not fit into memory. */
    MOOD__MAX_FEATURE_WIDTH = 8192,
    MOOD__MAX_UNITS = 8192,
    MOOD__DEFAULT_CENTRES = 2800, /* of a network on prosody */
    MOOD__HEADS_MIN_FRAMES = 4,   /* of which the heads' two poolings leave one */
    MOOD__MAX_RECORD_BYTES = 4 << 20,
    MOOD__MAX_HINT_BYTES = 4096,
    MOOD__IDENTITY_DIGITS = 64
};

/* What a model is, but for its numbers: what is known before the network is built. */
struct mood__config {
    mood_network network;
    mood_heads_params heads; /* of the network, and the others all zeros */
    mood_classifier_params classifier;
    mood_prosody_net_params prosody;
    mood_encoder_use encoder; /* width 0: none, or heads.feature_width wide and unknown */
    double temperature;
    int n_labels;
    const char *labels[MOOD_MAX_LABELS];
    /* Its texts are borrowed: from the caller, from the model, or from what parsing made, which is
     * `json` and freed by mood__config_free. */
    void *json;
};

struct mood_model {
    atomic_int owners;
    struct mood__config config; /* complete: where 0 stands for another number, that number */
    char *labels[MOOD_MAX_LABELS];
    char *identity, *hint; /* of the encoder; NULL without one */
    char *record;
    mood_weights *weights;     /* sealed: exactly those of the network */
    mood_encoder *embedded;    /* or NULL */
    mood_dtype embedded_dtype; /* of its numbers in the file */
};

/* How the weights of a new model begin. */
enum mood__start {
    MOOD__START_DRAWN,  /* by the seed */
    MOOD__START_BLANK,  /* all zeros: for a file to fill */
    MOOD__START_OUTLINE /* names and shapes without memory: to see whether a file can fill them */
};

/* A model of that config, whose encoder, if there is one, is known by its use only.
 * Errors: as mood_model_create. */
MOOD_NODISCARD
mood_status mood__model_create(mood_model **out, const struct mood__config *config,
                               enum mood__start start, uint64_t seed);

/* From now on the model's encoder is this one, of the same sizes, and it is inside: what a training
 * makes of the encoder before. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__model_take_encoder(mood_model *model, mood_encoder *encoder);

/* Whether the text is one JSON object: E_INVALID if not; E_NOMEM. */
MOOD_NODISCARD
mood_status mood__check_json_object(const char *text);

/* The config as JSON text. Owned by the caller (mood__free). Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__config_write(char **out, const struct mood__config *config);

/* Read it back. Types and ranges of numbers are checked, texts and what has to fit together are
 * not, which mood__model_create does. `out` may be freed in any case.
 * Errors: E_FORMAT (not as mood__config_write makes it), E_UNSUPPORTED (other numbers than those of
 * pipeline.h, another flatten order, other functionals, a network that is not known). */
MOOD_NODISCARD
mood_status mood__config_read(struct mood__config *out, const char *text);
void mood__config_free(struct mood__config *config);

#endif
