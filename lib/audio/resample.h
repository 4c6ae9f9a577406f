/* SPDX-License-Identifier: MIT
 *
 * resample.h — Changing the sample rate of a mono signal that arrives in blocks. */
#ifndef MOOD_AUDIO_RESAMPLE_H
#define MOOD_AUDIO_RESAMPLE_H

#include "mood/base.h"

struct mood__resampler;

/* High quality (soxr's HQ: 20 bits), linear phase, no delay. The same input gives the same output
 * however it is cut into blocks. */
mood_status mood__resampler_create(struct mood__resampler **out, int from_hz, int to_hz);
void mood__resampler_destroy(struct mood__resampler **r);

/* Take up to n_in samples (set *used) and give up to n_out (set *made). in == NULL: there is no
 * more, give what is left; the end is reached when *made is 0. */
mood_status mood__resampler_run(struct mood__resampler *r, const float *in, size_t n_in,
                                size_t *used, float *out, size_t n_out, size_t *made);

/* A whole recording as if played `speed` times as fast, pitch and all: n / speed samples or
 * thereabouts. `speed` is 0.5 to 2. *out is owned by the caller (mood__free). Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__resample_speed(float **out, size_t *n_out, const float *in, size_t n,
                                 double speed);

#endif
