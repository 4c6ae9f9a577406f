/* SPDX-License-Identifier: MIT
 *
 * parts.h — What the files of the made-up voice hand to each other: prosody.c draws a clip's cues,
 * score.c lays them out in time as frames, sound.c makes samples from the frames, room.c puts a
 * room and a microphone around them, and voice.c calls the four. */
#ifndef SYNTH_PARTS_H
#define SYNTH_PARTS_H

#include "base/rng.h"
#include "voice.h"

enum {
    VOICE__HOP = 64,         /* samples per frame: 4 ms */
    VOICE__MAX_FRAMES = 1500 /* 6 s; the slowest take the cues allow lasts 5 s */
};

/* The parts of a clip that draw random numbers, so that each has its own sequence. */
enum voice__stream {
    VOICE__CUES,
    VOICE__SCORE,
    VOICE__SOURCE,
    VOICE__ROOM,
    VOICE__NOISE,
    VOICE__LEVEL
};

/* The random numbers of one part of one take. */
struct mood__rng voice__rng(const struct voice_take *take, enum voice__stream part);

/* What stays the same in all clips of one speaker, beside the bias of each cue. */
struct voice__speaker {
    double pitch_hz;  /* the usual pitch */
    double tract;     /* formants relative to a tract of 17.5 cm: longer tracts have lower ones */
    double open;      /* open quotient of the glottis, 0..1 */
    double bandwidth; /* of the formants, relative to the usual */
    double vowel_st;  /* shift of the first two formants, st: how open the speaker's vowels are */
};
void voice__speaker_draw(const struct voice_take *take, struct voice__speaker *speaker);

/* What the vocal tract and the glottis do at one moment. */
struct voice__frame {
    double pitch_hz;
    double voice;      /* glottal pulses, linear */
    double breath;     /* noise at the glottis, linear */
    double hiss;       /* noise at the teeth and lips, linear */
    double hiss_hz;    /* its centre */
    double hiss_bw;    /* its bandwidth, Hz */
    double formant[3]; /* Hz */
    double tilt;       /* what the source loses at 3 kHz, dB >= 0 */
};

/* Lay the take out in time; returns the number of frames, at most VOICE__MAX_FRAMES. */
int voice__score(const struct voice_take *take, const double cues[VOICE_N_CUES],
                 const struct voice__speaker *speaker, struct voice__frame *frames);

/* Speak: add n_frames * VOICE__HOP samples to `out`. */
void voice__sound(const struct voice_take *take, const double cues[VOICE_N_CUES],
                  const struct voice__speaker *speaker, const struct voice__frame *frames,
                  int n_frames, double *out);

/* Put a room, a microphone and a background around the n samples of `x`, in place. */
void voice__room(const struct voice_take *take, double *x, size_t n);

#endif
