/* SPDX-License-Identifier: MIT
 *
 * objective.h — What a batch is judged by: cross entropy with label smoothing and class weights,
 * for mixed clips (mixup), and for a batch that is only a part of a step (accumulation). */
#ifndef MOOD_TRAIN_OBJECTIVE_H
#define MOOD_TRAIN_OBJECTIVE_H

#include "base/rng.h"
#include "mood/ops.h"

struct mood__objective_params {
    mood_cross_entropy_params cross_entropy;
    bool mixed;  /* every clip has a second label */
    bool shared; /* the gradients of several batches are added to those of one step */
};

/* Nodes of a training graph. With `mixed` or `shared`
 *
 *     loss = share CE(logits, labels) + other_share CE(logits, other_labels)
 *
 * where the shares are written before each run, and else loss = CE(logits, labels), as ever. */
struct mood__objective {
    mood_node *labels, *other_labels; /* (B) i32; other_labels NULL unless mixed */
    mood_node *share, *other_share;   /* () or NULL */
    mood_node *loss;
};

/* `logits` (B, V), `labels` (B) i32, an input. Errors are sticky in their graph. */
void mood__objective_build(struct mood__objective *o, mood_node *logits, mood_node *labels,
                           const struct mood__objective_params *params);

/* Before a run: the batch has `part` of the weight of all clips of its step (1 when it is a step by
 * itself), and each of its clips counts with `lambda` for its label, and with 1 - lambda for that
 * of the clip it was mixed with (1 when nothing is). */
void mood__objective_share(const struct mood__objective *o, double part, double lambda);

/* "Balanced" weights for V classes of which clips are counted: clips / (classes with clips * clips
 * of the class), so that each class weighs as much as any other, and a clip 1 in the mean. A class
 * without clips gets 1. */
void mood__balance_classes(float *weight, const int64_t *count, int V);

/* A number of the Beta(alpha, alpha) distribution, alpha in (0, 100]. */
double mood__draw_beta(struct mood__rng *rng, double alpha);

#endif
