/* SPDX-License-Identifier: MIT
 *
 * pitch.h — The pitch of a voice, 60 to 500 Hz, frame by frame. */
#ifndef MOOD_AUDIO_PITCH_H
#define MOOD_AUDIO_PITCH_H

#include "mood/base.h"

/* Samples per frame: 47 ms. */
enum { MOOD__PITCH_FRAME = 750 };

struct mood__pitch;

/* For recordings of up to max_frames frames, 10 ms apart. */
mood_status mood__pitch_create(struct mood__pitch **out, size_t max_frames);
void mood__pitch_destroy(struct mood__pitch **p);

/* Begin a recording. */
void mood__pitch_begin(struct mood__pitch *p);

/* Where the caller puts the next frame; mood__pitch_add takes it. */
double *mood__pitch_frame(struct mood__pitch *p);
void mood__pitch_add(struct mood__pitch *p);

/* The likeliest course through all frames since the beginning.
 *   hz           per frame; 0: unvoiced
 *   periodicity  per frame: the share of the power that repeats with the pitch (in unvoiced frames
 *                with any period), 0 to 1 */
void mood__pitch_finish(struct mood__pitch *p, double *hz, double *periodicity);

#endif
