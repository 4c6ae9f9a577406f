/* SPDX-License-Identifier: MIT
 *
 * augment.h — Augmentation with memory of the caller's, for training steps, which allocate none. */
#ifndef MOOD_AUDIO_AUGMENT_H
#define MOOD_AUDIO_AUGMENT_H

#include "audio/effects.h"
#include "mood/audio.h"

/* mood_augment_run; `scratch` has mood__effect_scratch(n) floats. Errors: E_INVALID. */
MOOD_NODISCARD
mood_status mood__augment_run(float *x, size_t n, const mood_augment_params *params, uint64_t seed,
                              float *scratch);

#endif
