/* SPDX-License-Identifier: MIT
 *
 * tuning.c — Training an encoder, or the upper part of one, together with the heads.
 *
 * The encoder that is trained is a copy, which shares the frozen weights. Its other weights and
 * those of the heads stand in one set beside their own two, so that whoever moves, averages, copies
 * or stores weights sees one network, and whoever answers sees a model with an encoder inside. */
#include "train/tuning.h"

#include <stdio.h>

#include "base/error.h"
#include "graph/node.h"
#include "infer/features.h"
#include "models/model.h"
#include "models/pipeline.h"
#include "train/optimiser.h"

mood_status mood__tuning_check(const mood_model *model, const mood_train_params *params)
{
    const mood_encoder_use *use = mood_model_encoder(model);
    int n = params->finetune;
    if (n < 0 && n != MOOD_FINETUNE_ALL)
        return mood__fail(MOOD_E_INVALID, "training: %d layers of the encoder are to be trained",
                          n);
    if (!(params->encoder_rate >= 0 && params->encoder_rate <= 1e6))
        return mood__fail(MOOD_E_INVALID, "training: the encoder's rate is out of range");
    if (n == 0)
        return MOOD_OK;
    if (!use)
        return mood__fail(MOOD_E_INVALID, "training: there is no encoder to be trained");
    if (use->layer == MOOD_LAYER_MIX)
        return mood__fail(MOOD_E_INVALID, "training: the model hears a mixture of the encoder's "
                                          "layers, and only one layer can be trained for");
    if (n > use->layer)
        return mood__fail(MOOD_E_INVALID,
                          "training: %d layers of the encoder are to be trained, and the model "
                          "hears layer %d, which has %d below it",
                          n, use->layer, use->layer);
    return mood__check_window_frames(params->encoder);
}

mood_status mood__tuning_begin(struct mood__tuning *t, mood_model *model,
                               const mood_train_params *params)
{
    if (params->finetune == 0)
        return MOOD_OK;
    int top = mood_model_encoder(model)->layer;
    bool all = params->finetune == MOOD_FINETUNE_ALL;
    t->part = (struct mood__encoder_part){all ? MOOD__FROM_SAMPLES : top - params->finetune, top};
    snprintf(t->from, sizeof(t->from), "%s", mood_encoder_identity(params->encoder));
    MOOD__TRY(mood__encoder_tunable(&t->encoder, params->encoder, t->part));
    MOOD__TRY(mood_weights_create(&t->weights, 0));
    MOOD__TRY(mood__weights_share(t->weights, mood_model_weights(model)));
    MOOD__TRY(mood__weights_share(t->weights, mood_encoder_weights(t->encoder)));
    mood_weights_seal(t->weights);
    return mood__tuning_settle(t, model);
}

void mood__tuning_free(struct mood__tuning *t)
{
    mood_weights_destroy(&t->weights);
    mood_encoder_destroy(&t->encoder);
}

bool mood__tunes_all(const struct mood__tuning *t)
{
    return t->encoder && t->part.first == MOOD__FROM_SAMPLES;
}

mood_node *mood__tuning_input(const struct mood__tuning *t, mood_graph *g, int size)
{
    return mood__encoder_part_input(g, mood_encoder_get_config(t->encoder), t->part, size,
                                    MOOD__WINDOW_SAMPLES);
}

mood_node *mood__tuning_features(const struct mood__tuning *t, mood_node *input)
{
    if (!t->encoder)
        return input;
    return mood__encoder_part_build(input, mood_encoder_get_config(t->encoder), t->part, NULL);
}

/* A tenth, for what was trained before: the rates of heads and of wav2vec 2.0 in Wang, Boumadane
 * and Heba, arXiv 2111.02735, are 1e-4 and 1e-5. What begins with random numbers learns like the
 * heads. */
static double rate_of(const mood_train_params *p)
{
    if (p->encoder_rate > 0)
        return p->encoder_rate;
    return p->finetune == MOOD_FINETUNE_ALL ? 1 : 0.1;
}

void mood__tuning_set_rate(const struct mood__tuning *t, mood_optimiser *optimiser,
                           const mood_model *model, const mood_train_params *params)
{
    const mood_weights *heads = mood_model_weights((mood_model *)model);
    for (int i = 0; t->encoder && i < mood_weights_count(t->weights); i++)
        if (mood_weights_find(heads, mood_weights_name(t->weights, i)) < 0)
            mood__optimiser_set_factor(optimiser, i, rate_of(params));
}

mood_status mood__tuning_settle(const struct mood__tuning *t, mood_model *model)
{
    if (!t->encoder)
        return MOOD_OK;
    mood_encoder_identify(t->encoder);
    return mood__model_take_encoder(model, t->encoder);
}
