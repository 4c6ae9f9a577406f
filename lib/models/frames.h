/* SPDX-License-Identifier: MIT
 *
 * frames.h — Frames of a part of an encoder: of the samples, as mood_frames_create makes them, or
 * of a hidden state that was computed before. */
#ifndef MOOD_MODELS_FRAMES_H
#define MOOD_MODELS_FRAMES_H

#include "models/encoder.h"

/* Frames that end at hidden state part.last; with every_layer those before it, from part.first on,
 * are kept too. Errors: as mood_frames_create. */
MOOD_NODISCARD
mood_status mood__frames_create(mood_frames **out, mood_encoder *encoder, size_t n_samples,
                                struct mood__encoder_part part, bool every_layer, mood_pool *pool);

/* Where what is heard next has to be written: prepared samples (S), or the hidden state (T, D). */
float *mood__frames_input(mood_frames *frames);

/* Run on it. Errors: as mood_frames_run. */
MOOD_NODISCARD
mood_status mood__frames_forward(mood_frames *frames);

#endif
