/* SPDX-License-Identifier: MIT
 *
 * effects.h — What augmentation does to sound beyond adding and scaling, each with its numbers
 * given: augment.c draws them. x is changed in place; none of these allocates or fails. */
#ifndef MOOD_AUDIO_EFFECTS_H
#define MOOD_AUDIO_EFFECTS_H

#include "base/rng.h"
#include "mood/base.h"

/* The floats that `scratch` has to have for n samples. */
size_t mood__effect_scratch(size_t n);

/* As if played `factor` times as fast, pitch and all, from the first sample on: what is behind the
 * end is lost, what is missing there are zeros. Factor 0.5 to 2. */
void mood__effect_speed(float *x, size_t n, double factor, float *scratch);

/* Higher by `factor` (0.5 to 2) and as long as before: two heads read grains of 40 ms, one fading
 * in while the other fades out. It sounds like that, too. */
void mood__effect_pitch(float *x, size_t n, double factor, float *scratch);

/* A Butterworth low-pass of the fourth order: -3 dB at `hz`, which is below half the rate. */
void mood__effect_low_pass(float *x, size_t n, double hz);

/* Reverberation that falls by 60 dB in `seconds`, its energy `db` above that of the sound itself:
 * sparse pulses of random sign and place, which decay (velvet noise: Karjalainen and Jarvelainen,
 * "Reverberation modeling using velvet noise", 2007). Cheap, as most of the response is zeros. */
void mood__effect_room(float *x, size_t n, double seconds, double db, struct mood__rng *r,
                       float *scratch);

#endif
