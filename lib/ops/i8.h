/* SPDX-License-Identifier: MIT
 *
 * i8.h — dense and conv1d where the weight is MOOD_I8. Whoever builds a network calls mood_dense
 * and mood_conv1d, as ever; these two are what they then become. */
#ifndef MOOD_OPS_I8_H
#define MOOD_OPS_I8_H

#include "mood/ops.h"

/* Not differentiable, so that a training graph that would have to go through them fails to compile.
 * The convolution has neither groups nor padding. Errors (sticky): E_SHAPE, E_INVALID. */
mood_node *mood__dense_i8(mood_node *x, mood_node *w, mood_node *bias);
mood_node *mood__conv1d_i8(mood_node *x, mood_node *w, mood_node *bias,
                           const mood_conv1d_params *params);

#endif
