/* SPDX-License-Identifier: MIT
 *
 * mel.h — Log-mel planes of a sound as it is, and with the bands it would have at other speeds. */
#ifndef MOOD_AUDIO_MEL_H
#define MOOD_AUDIO_MEL_H

#include "mood/audio.h"

enum { MOOD__MEL_SPEEDS = 4 };

/* A mood_mel that writes n planes, one below another: (n * F, T). The bands of plane i are where
 * those of the sound would be if it was played speeds[i] times as fast, from 1 to 2; its frames are
 * the sound's own. One spectrum serves all. Errors: as mood_mel_create. */
MOOD_NODISCARD
mood_status mood__mel_create_at(mood_mel **out, const mood_mel_params *params, const double *speeds,
                                int n);

#endif
