/* SPDX-License-Identifier: MIT
 *
 * triangles.h — Overlapping triangles on the HTK mel scale, 2595 log10(1 + f / 700): from a power
 * spectrum to the power in bands that are spaced as the ear hears. */
#ifndef MOOD_AUDIO_TRIANGLES_H
#define MOOD_AUDIO_TRIANGLES_H

#include "mood/base.h"

struct mood__triangles;

/* n triangles of height 1 over the bins of a transform of n_fft samples at MOOD_SAMPLE_RATE. Their
 * corners are equally spaced in mel from `low` to `high` Hz. */
mood_status mood__triangles_create(struct mood__triangles **out, int n, int n_fft, double low,
                                   double high);
void mood__triangles_destroy(struct mood__triangles **t);

/* out[f] = sum over k of weight[f, k] power[k]; power has n_fft / 2 + 1 bins, out n bands. */
void mood__triangles_run(const struct mood__triangles *t, double *out, const double *power);

#endif
