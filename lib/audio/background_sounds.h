/* SPDX-License-Identifier: MIT
 *
 * background_sounds.h — What the background sounds are put together from. Each function draws its
 * parameters from r and adds its sound to x, n samples at 16 kHz; none allocates or fails. */
#ifndef MOOD_AUDIO_BACKGROUND_SOUNDS_H
#define MOOD_AUDIO_BACKGROUND_SOUNDS_H

#include <stdbool.h>

#include "base/rng.h"
#include "mood/base.h"

/* ---- background_noise.c ---- */

/* Noise of RMS `level`, of random slope and band. */
void mood__add_noise(float *x, size_t n, double level, struct mood__rng *r);

/* Harmonics of the mains or a motor, which never change. */
void mood__add_hum(float *x, size_t n, struct mood__rng *r);

/* One sine that stays, slides or wobbles. */
void mood__add_tone(float *x, size_t n, struct mood__rng *r);

/* Clicks, scattered or regular, each of which rings in one resonance. */
void mood__add_clicks(float *x, size_t n, struct mood__rng *r);

/* This one changes x: it rises and falls as a whole, smoothly or in steps. */
void mood__add_swell(float *x, size_t n, struct mood__rng *r);

/* ---- background_music.c ---- */

/* One to four parts of instruments that never were, in one scale and tempo. */
void mood__add_music(float *x, size_t n, struct mood__rng *r);

/* A bass drum, a snare and a cymbal that repeat a random pattern of sixteen steps. */
void mood__add_drums(float *x, size_t n, struct mood__rng *r);

/* ---- background.c ---- */

/* Uniform between two numbers; and true with a probability. */
double mood__draw_between(struct mood__rng *r, double low, double high);
bool mood__draw_chance(struct mood__rng *r, double probability);

/* One of n numbers. */
double mood__draw_of(struct mood__rng *r, const double *choices, size_t n);

/* Scaled to an RMS; silence stays silence. */
void mood__set_rms(float *x, size_t n, double rms);

#endif
