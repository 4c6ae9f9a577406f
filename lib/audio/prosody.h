/* SPDX-License-Identifier: MIT
 *
 * prosody.h — Tracks as the functionals see them. */
#ifndef MOOD_AUDIO_PROSODY_H
#define MOOD_AUDIO_PROSODY_H

#include "mood/prosody.h"

struct mood__tracks {
    size_t n_frames;
    double track[MOOD_N_TRACKS][MOOD_PROSODY_MAX_FRAMES];
    double band[MOOD_PROSODY_MAX_FRAMES][MOOD_PROSODY_BANDS];
};

#endif
