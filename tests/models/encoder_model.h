/* SPDX-License-Identifier: MIT
 *
 * encoder_model.h — Small models that hear an encoder, and the small encoders that they hear. */
#ifndef MOOD_TESTS_MODELS_ENCODER_MODEL_H
#define MOOD_TESTS_MODELS_ENCODER_MODEL_H

#include "encoder_forms.h"
#include "formula_model.h"

/* The base form with random weights: width 16, 3 layers, 149 frames of 3 s. Another seed is another
 * encoder. */
static inline mood_status small_encoder(mood_encoder **out, uint64_t seed)
{
    return mood_encoder_create(out, &encoder_forms[BASE].config,
                               &(mood_encoder_params){.seed = seed});
}

static const mood_classifier_params classifier_projector = {.units = 5},
                                    classifier_tanh = {.form = MOOD_CLASSIFIER_TANH,
                                                       .pooling = MOOD_POOLING_MAX};

/* The ways in which a network can hear an encoder. */
static const struct encoder_model_kind {
    const char *name;
    int layer;
    const mood_classifier_params *classifier;
} encoder_model_kinds[] = {
    {"heads", 2, NULL},
    {"heads, first layer", 0, NULL},
    {"heads, mixed layers", MOOD_LAYER_MIX, NULL},
    {"projector", 3, &classifier_projector},
    {"projector, mixed layers", MOOD_LAYER_MIX, &classifier_projector},
    {"tanh", 3, &classifier_tanh},
};
enum { N_ENCODER_MODEL_KINDS = sizeof(encoder_model_kinds) / sizeof(encoder_model_kinds[0]) };

static inline mood_status encoder_model(mood_model **out, mood_encoder *encoder,
                                        const struct encoder_model_kind *kind, const char *hint)
{
    const mood_model_params p = {.heads = {.divide = 8},
                                 .encoder = encoder,
                                 .encoder_layer = kind->layer,
                                 .encoder_hint = hint,
                                 .classifier = kind->classifier};
    return formula_model(out, &p);
}

#endif
