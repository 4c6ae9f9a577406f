/* SPDX-License-Identifier: MIT
 *
 * tuning.h — An encoder that is trained with the heads: the part of it that moves. What lies below
 * that part is frozen, and its hidden state is read from the bank (bank.h); a part that begins with
 * the samples has the dataset (dataset.h) instead. */
#ifndef MOOD_TRAIN_TUNING_H
#define MOOD_TRAIN_TUNING_H

#include "models/encoder.h"
#include "mood/train.h"

struct mood__tuning {
    mood_encoder *encoder;             /* NULL: none is trained */
    struct mood__encoder_part part;    /* of it, that is */
    mood_weights *weights;             /* the model's and the part's, as one set */
    char from[MOOD__SHA256_HEX_BYTES]; /* the identity that the encoder had before */
};

/* Whether model and params agree about what is to be trained: the encoder was checked before.
 * Errors: E_INVALID. */
MOOD_NODISCARD
mood_status mood__tuning_check(const mood_model *model, const mood_train_params *params);

/* Make a copy of params->encoder, and put it into the model in the other's place. Nothing is done
 * when the encoder stays as it is. Free with mood__tuning_free in any case.
 * Errors: E_UNSUPPORTED (weights of 8 bits), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__tuning_begin(struct mood__tuning *t, mood_model *model,
                               const mood_train_params *params);
void mood__tuning_free(struct mood__tuning *t);

/* Whether windows are samples when the trained network gets them. */
bool mood__tunes_all(const struct mood__tuning *t);

/* The input of the part for a batch of windows, and what the heads get of it: with no encoder to
 * train, `input` itself. */
mood_node *mood__tuning_input(const struct mood__tuning *t, mood_graph *g, int size);
mood_node *mood__tuning_features(const struct mood__tuning *t, mood_node *input);

/* Give the part its own learning rate. */
void mood__tuning_set_rate(const struct mood__tuning *t, mood_optimiser *optimiser,
                           const mood_model *model, const mood_train_params *params);

/* The model's encoder is what it is now, and has the identity of that. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__tuning_settle(const struct mood__tuning *t, mood_model *model);

#endif
