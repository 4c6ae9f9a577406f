/* SPDX-License-Identifier: MIT
 *
 * encoder_forms.h — The encoders of the tests: narrow, in the forms that there are, with weights
 * that are made from their names (tools/formula.h). tests/golden/encoder.golden knows what they
 * hear. */
#ifndef MOOD_TESTS_MODELS_ENCODER_FORMS_H
#define MOOD_TESTS_MODELS_ENCODER_FORMS_H

#include "../../tools/formula.h"
#include "mood/encoder.h"

/* make_encoder.py has the same table. */
static const struct encoder_form {
    const char *name;
    int n_samples;
    mood_encoder_config config;
} encoder_forms[] = {
    {"base",
     3000,
     {.n_convs = 7,
      .conv_channels = {12, 12, 12, 12, 12, 12, 12},
      .conv_kernel = {10, 3, 3, 3, 3, 2, 2},
      .conv_stride = {5, 2, 2, 2, 2, 2, 2},
      .conv_norm = MOOD_CONV_NORM_GROUP,
      .width = 16,
      .n_layers = 3,
      .n_heads = 2,
      .feed_forward = 24,
      .pos_kernel = 16,
      .pos_groups = 4,
      .layer_norm_eps = 1e-5f,
      .normalise = true}},
    {"large",
     2700,
     {.n_convs = 7,
      .conv_channels = {12, 12, 12, 12, 12, 12, 12},
      .conv_kernel = {10, 3, 3, 3, 3, 2, 2},
      .conv_stride = {5, 2, 2, 2, 2, 2, 2},
      .conv_bias = true,
      .conv_norm = MOOD_CONV_NORM_LAYER,
      .width = 24,
      .n_layers = 2,
      .n_heads = 3,
      .feed_forward = 32,
      .pos_kernel = 128,
      .pos_groups = 8,
      .norm_first = true,
      .layer_norm_eps = 1e-5f}},
    {"odd",
     300,
     {.n_convs = 3,
      .conv_channels = {8, 12, 10},
      .conv_kernel = {10, 3, 2},
      .conv_stride = {5, 2, 2},
      .conv_bias = true,
      .conv_norm = MOOD_CONV_NORM_GROUP,
      .width = 12,
      .n_layers = 1,
      .n_heads = 3,
      .feed_forward = 20,
      .pos_kernel = 5,
      .pos_groups = 2,
      .layer_norm_eps = 1e-5f}},
};
enum { BASE, LARGE, ODD, N_FORMS };

/* The formula's weights; four times as loud where make_encoder.py says. */
static inline void encoder_formula(mood_weights *w)
{
    formula_weights(w);
    for (int i = 0; i < mood_weights_count(w); i++) {
        const char *name = mood_weights_name(w, i);
        const mood_tensor *t = mood_weights_value(w, i);
        if ((strstr(name, "feature_extractor") && formula_ends(name, "conv.weight")) ||
            formula_ends(name, "q_proj.weight") || formula_ends(name, "k_proj.weight"))
            for (int64_t k = 0; k < mood_tensor_elements(t); k++)
                ((float *)t->data)[k] *= 4.0f;
    }
}

#endif
