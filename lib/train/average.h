/* SPDX-License-Identifier: MIT
 *
 * average.h — The state of an average of weights, for checkpoints. */
#ifndef MOOD_TRAIN_AVERAGE_H
#define MOOD_TRAIN_AVERAGE_H

#include "mood/train.h"

/* The average as it stands; borrowed. Whoever writes to it has to know what it is in the middle of.
 */
mood_weights *mood__average_values(mood_average *a);

/* The number of steps that went into it. */
int64_t mood__average_steps(const mood_average *a);
void mood__average_set_steps(mood_average *a, int64_t n_steps);

#endif
