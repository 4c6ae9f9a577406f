/* SPDX-License-Identifier: MIT
 *
 * formula_model.h — Small models whose weights are made from their names (tools/formula.h), so
 * that a test knows them without storing them. */
#ifndef MOOD_TESTS_MODELS_FORMULA_MODEL_H
#define MOOD_TESTS_MODELS_FORMULA_MODEL_H

#include "../../tools/formula.h"
#include "mood/model.h"

/* The three labels of v1.h5. */
static const char *const formula_labels_v1[] = {"neutral", "happy", "w\xc3\xbctend"};

/* What test_v1.c and expected_v1.py know of v1.h5. */
static const mood_model_params formula_params_v1 = {
    .heads = {.feature_width = 16, .divide = 8}, .labels = formula_labels_v1, .n_labels = 3};

/* One eighth of the width, no encoder, the eight emotions. */
static const mood_model_params formula_params_small = {.heads = {.divide = 8}};

/* The value of one weight. With v in [-1, 1) as formula.h makes it from the name:
 *     rank 2 and more          v * 2 / sqrt(elements / last dimension)
 *     rank 1, ".running_var"   1 + v / 4
 *     rank 1, ".weight"        1 + v / 8
 *     any other of rank 1      v / 8 */
static inline void formula_model_weight(const mood_tensor *w, const char *name)
{
    float *x = (float *)w->data, scale = 0.125f, offset = 0.0f;
    int64_t n = mood_tensor_elements(w);
    formula_values(x, n, name);
    if (w->rank >= 2) {
        scale = (float)(2.0 / sqrt((double)(n / w->dim[w->rank - 1])));
    } else if (formula_ends(name, ".running_var")) {
        scale = 0.25f;
        offset = 1.0f;
    } else if (formula_ends(name, ".weight")) {
        offset = 1.0f;
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = offset + x[i] * scale;
}

static inline mood_status formula_model(mood_model **out, const mood_model_params *params)
{
    mood_status status = mood_model_create(out, params);
    if (status)
        return status;
    mood_weights *w = mood_model_weights(*out);
    for (int i = 0; i < mood_weights_count(w); i++)
        formula_model_weight(mood_weights_value(w, i), mood_weights_name(w, i));
    return MOOD_OK;
}

/* Make the model's answers nearly independent of what it hears: all labels alike, but for `favour`,
 * whose logit is `by` above the others. A formula's own answers are as sure as they are wrong. */
static inline void formula_flatten(mood_model *m, int favour, float by)
{
    mood_weights *w = mood_model_weights(m);
    const mood_tensor *weight = mood_weights_value(w, mood_weights_find(w, "heads.out.weight"));
    const mood_tensor *bias = mood_weights_value(w, mood_weights_find(w, "heads.out.bias"));
    for (int64_t i = 0; i < mood_tensor_elements(weight); i++)
        ((float *)weight->data)[i] *= 0.01f;
    for (int64_t i = 0; i < mood_tensor_elements(bias); i++)
        ((float *)bias->data)[i] = i == favour ? by : 0;
}

#endif
