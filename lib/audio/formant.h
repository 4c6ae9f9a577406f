/* SPDX-License-Identifier: MIT
 *
 * formant.h — The first three resonances of the vocal tract, from one frame's power spectrum. */
#ifndef MOOD_AUDIO_FORMANT_H
#define MOOD_AUDIO_FORMANT_H

#include "mood/base.h"

enum { MOOD__N_FORMANTS = 3 };

struct mood__formant {
    double hz;
    double db; /* height of the spectral envelope there, after pre-emphasis */
};

/* Tables. */
struct mood__formants;

/* For spectra of transforms of n_fft samples. */
mood_status mood__formants_create(struct mood__formants **out, size_t n_fft);
void mood__formants_destroy(struct mood__formants **f);

/* power has n_fft / 2 + 1 bins. */
void mood__formants_find(struct mood__formants *f, struct mood__formant out[MOOD__N_FORMANTS],
                         const double *power);

#endif
