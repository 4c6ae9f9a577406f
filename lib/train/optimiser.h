/* SPDX-License-Identifier: MIT
 *
 * optimiser.h — The state of an optimiser, for checkpoints, and rates of single weights. */
#ifndef MOOD_TRAIN_OPTIMISER_H
#define MOOD_TRAIN_OPTIMISER_H

#include "mood/train.h"

/* The moments of all trainable weights, (1, n) or (2, n) f32; borrowed. */
mood_tensor mood__optimiser_moments(const mood_optimiser *o);

/* From now on weight i moves at `factor` times the learning rate; decay is multiplied likewise. */
void mood__optimiser_set_factor(mood_optimiser *o, int weight, double factor);

/* The number of steps that were made. */
int64_t mood__optimiser_steps(const mood_optimiser *o);
void mood__optimiser_set_steps(mood_optimiser *o, int64_t n_steps);

#endif
