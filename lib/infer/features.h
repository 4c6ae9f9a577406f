/* SPDX-License-Identifier: MIT
 *
 * features.h — What a model's network gets to hear of an encoder: one hidden state of a window, or
 * all of them for a mix. Recognition computes it when it is needed, training once, into a cache. */
#ifndef MOOD_INFER_FEATURES_H
#define MOOD_INFER_FEATURES_H

#include "models/frames.h"
#include "mood/model.h"

/* The features of one window: (L, T, D) floats. */
struct mood__feature_shape {
    int n_layers; /* L: 1, or with MOOD_LAYER_MIX the encoder's number of layers + 1 */
    int n_frames; /* T */
    int width;    /* D */
};

struct mood__feature_shape mood__feature_shape(const mood_encoder_use *use, int n_frames);
size_t mood__feature_floats(const struct mood__feature_shape *shape);

/* The frames that this encoder has of a window. */
int mood__window_frames(const mood_encoder *encoder);

/* Whether those are enough for the heads. Errors: E_INVALID. */
MOOD_NODISCARD
mood_status mood__check_window_frames(const mood_encoder *encoder);

/* The part of an encoder that a network hears when it begins with hidden state `first`, or with
 * MOOD__FROM_SAMPLES. */
struct mood__encoder_part mood__part_heard(const mood_encoder_use *use, int first);

/* The model's encoder at work: for windows of MOOD__WINDOW_SAMPLES, from `first` on, as above,
 * stopped at the layer that is used. Errors: as mood_frames_create. */
MOOD_NODISCARD
mood_status mood__features_create(mood_frames **out, mood_encoder *encoder,
                                  const mood_encoder_use *use, int first, mood_pool *pool);

/* The features of a window, `x` as mood__ear_samples gives it, as the network gets them.
 *   features  mood__feature_floats are written here
 *   rounded   whether mood__round_features is applied: for the heads, not for a classifier
 * Errors: as mood_frames_run. */
MOOD_NODISCARD
mood_status mood__features_run(mood_frames *frames, const mood_encoder_use *use, bool rounded,
                               const float *x, float *features);

/* The same of what was written to mood__frames_input. */
MOOD_NODISCARD
mood_status mood__features_forward(mood_frames *frames, const mood_encoder_use *use, bool rounded,
                                   float *features);

/* The rule of features for heads: each number is the nearest of IEEE half precision. */
void mood__round_features(float *x, size_t n);

#endif
