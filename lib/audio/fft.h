/* SPDX-License-Identifier: MIT
 *
 * fft.h — Power spectra of real frames, in double precision. */
#ifndef MOOD_AUDIO_FFT_H
#define MOOD_AUDIO_FFT_H

#include "mood/base.h"

/* Tables and scratch memory; one thread at a time. */
struct mood__fft;

/* For frames of n samples; n is a power of two, at least 4. */
mood_status mood__fft_create(struct mood__fft **out, size_t n);
void mood__fft_destroy(struct mood__fft **f);

/* Where the caller puts the next frame, n samples; mood__fft_power uses it up. */
double *mood__fft_frame(struct mood__fft *f);

/* power[k] = |sum over i of frame[i] exp(-2 pi j i k / n)|^2 for k = 0 .. n / 2. */
void mood__fft_power(struct mood__fft *f, double *power);

/* r[l] = sum over i of x[i] x[(i + l) mod n] for l < n_lags <= n / 2, from the power spectrum of x,
 * which mood__fft_power gave. It uses up the frame too. */
void mood__fft_autocorrelation(struct mood__fft *f, const double *power, double *r, size_t n_lags);

#endif
