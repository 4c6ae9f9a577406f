/* SPDX-License-Identifier: MIT
 *
 * recipe.c — The recipe of a training: from options to what the trainer takes. What is not asked
 * for is as it always was, and the record says nothing of it. */
#include <string.h>

#include "train.h"

bool recipe_check(struct cli *c, const struct options *o)
{
    if (strcmp(o->optimiser, "adam") != 0 && strcmp(o->optimiser, "adamw") != 0)
        return cli_usage(c, "--optimiser: '%s' is neither adam nor adamw", o->optimiser);
    if (strcmp(o->schedule, "plateau") != 0 && strcmp(o->schedule, "cosine") != 0)
        return cli_usage(c, "--schedule: '%s' is neither plateau nor cosine", o->schedule);
    if (strcmp(o->class_weights, "none") != 0 && strcmp(o->class_weights, "balanced") != 0)
        return cli_usage(c, "--class-weights: '%s' is neither none nor balanced", o->class_weights);
    if (o->trace && (o->mixup > 0 || o->accumulate > 1))
        return cli_usage(c,
                         "--trace says nothing of mixtures and of steps of several batches: "
                         "leave it or %s out",
                         o->mixup > 0 ? "--mixup" : "--accumulate");
    if (o->resume && (o->folds || o->trace))
        return cli_usage(c, "--resume: there are no checkpoints with %s",
                         o->folds ? "--folds" : "--trace");
    return true;
}

void recipe_fill(mood_train_params *p, const struct options *o)
{
    p->epochs = o->epochs;
    p->batch = o->batch;
    p->seed = (uint64_t)o->seed;
    p->dropout = o->dropout > 0 ? (float)o->dropout : -1.0f;
    p->clip_norm = (float)o->clip_norm;
    p->early_stop = o->early_stop;
    p->optimiser = (mood_optimiser_params){
        .kind = strcmp(o->optimiser, "adamw") == 0 ? MOOD_ADAMW : MOOD_ADAM,
        .lr = o->lr,
        .weight_decay = o->weight_decay,
    };
    p->schedule = strcmp(o->schedule, "cosine") == 0 ? MOOD_SCHEDULE_COSINE : MOOD_SCHEDULE_PLATEAU;
    p->warmup = o->warmup;
    p->average = (float)o->average;
    p->balance_classes = strcmp(o->class_weights, "balanced") == 0;
    p->label_smoothing = (float)o->label_smoothing;
    p->mixup = (float)o->mixup;
    p->accumulate = o->accumulate;
}

int recipe_extras(struct recipe_extra out[RECIPE_MAX_EXTRAS], const struct options *o)
{
    const struct recipe_extra all[RECIPE_MAX_EXTRAS] = {
        {"optimiser", strcmp(o->optimiser, "adam") != 0 ? o->optimiser : NULL, 0},
        {"weight_decay", NULL, o->weight_decay},
        {"schedule", strcmp(o->schedule, "plateau") != 0 ? o->schedule : NULL, 0},
        {"warmup", NULL, o->warmup},
        {"average", NULL, o->average},
        {"class_weights", strcmp(o->class_weights, "none") != 0 ? o->class_weights : NULL, 0},
        {"label_smoothing", NULL, o->label_smoothing},
        {"mixup", NULL, o->mixup},
        {"accumulate", NULL, o->accumulate > 1 ? o->accumulate : 0},
        {"finetune", NULL, o->finetune},
        {"encoder_config", o->encoder_config, 0},
        {"encoder_lr", NULL, o->encoder_lr},
    };
    int n = 0;
    for (int i = 0; i < RECIPE_MAX_EXTRAS; i++)
        if (all[i].text || all[i].number > 0)
            out[n++] = all[i];
    return n;
}
