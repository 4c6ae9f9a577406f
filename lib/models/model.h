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
    MOOD__MAX_RECORD_BYTES = 4 << 20
};

struct mood_model {
    atomic_int owners;
    mood_heads_params heads; /* n_labels and divide are never 0 here */
    char *labels[MOOD_MAX_LABELS];
    char *record;
    double temperature;
    mood_weights *weights; /* sealed: exactly those of mood_heads */
};

/* What a file says about its model, before the network is built. */
struct mood__config {
    mood_heads_params heads;
    double temperature;
    const char *labels[MOOD_MAX_LABELS]; /* borrowed: from the caller, or from `json` */
    void *json;                          /* what parsing made; freed by mood__config_free */
};

/* As mood_model_create, but all weights are zeros: for a file to fill. The seed does not matter. */
MOOD_NODISCARD
mood_status mood__model_create_blank(mood_model **out, const mood_model_params *params);

/* Whether the text is one JSON object: E_INVALID if not; E_NOMEM. */
MOOD_NODISCARD
mood_status mood__check_json_object(const char *text);

/* The config as JSON text. Owned by the caller (mood__free). Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__config_write(char **out, const struct mood__config *config);

/* Read it back. Labels are of JSON strings but not checked otherwise, which mood_model_create does.
 * `out` may be freed in any case.
 * Errors: E_FORMAT (not as mood__config_write makes it), E_UNSUPPORTED (other numbers than those of
 * pipeline.h, or another flatten order). */
MOOD_NODISCARD
mood_status mood__config_read(struct mood__config *out, const char *text);
void mood__config_free(struct mood__config *config);

#endif
