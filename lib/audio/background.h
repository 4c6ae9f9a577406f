/* SPDX-License-Identifier: MIT
 *
 * background.h — Made-up sounds that are not speech, from random numbers alone: what a network
 * that has only heard voices has to be told about. docs/training.md has the table of kinds. */
#ifndef MOOD_AUDIO_BACKGROUND_H
#define MOOD_AUDIO_BACKGROUND_H

#include "mood/base.h"

/* Window number `index` of the made-up background sounds that belong to `seed`: n samples at
 * 16 kHz, of an RMS of 0.05 of full scale, or less where peaks would go beyond full scale. The
 * samples depend on n, seed and index alone. */
void mood__background_make(float *out, size_t n, uint64_t seed, uint64_t index);

/* What kind of sound that is, for tables: a static string. */
const char *mood__background_kind(uint64_t seed, uint64_t index);

/* Name of kind k, in the order of the table; NULL behind the last. */
const char *mood__background_kind_name(size_t k);

#endif
