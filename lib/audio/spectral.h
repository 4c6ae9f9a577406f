/* SPDX-License-Identifier: MIT
 *
 * spectral.h — What one frame's power spectrum says about a voice. */
#ifndef MOOD_AUDIO_SPECTRAL_H
#define MOOD_AUDIO_SPECTRAL_H

#include "mood/prosody.h"

enum { MOOD__SPECTRAL_FFT = 512, MOOD__SPECTRAL_BINS = MOOD__SPECTRAL_FFT / 2 + 1 };

/* Tables, and the last frame for the flux. */
struct mood__spectral;

mood_status mood__spectral_create(struct mood__spectral **out);
void mood__spectral_destroy(struct mood__spectral **s);

/* Begin a recording. */
void mood__spectral_begin(struct mood__spectral *s);

/* Measure the next frame.
 *   value  (MOOD_N_TRACKS): the spectral tracks are written; MOOD_TRACK_LOUDNESS is not relative
 *          yet, and pitch, HNR, energy, zero crossings and steps stay
 *   band   (MOOD_PROSODY_BANDS): the log-mel spectrum
 *   power  (MOOD__SPECTRAL_BINS)
 *   hz     the frame's pitch; 0: unvoiced */
void mood__spectral_measure(struct mood__spectral *s, double *value, double *band,
                            const double *power, double hz);

#endif
