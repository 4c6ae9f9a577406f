/* SPDX-License-Identifier: MIT
 *
 * pipeline.h — The numbers that lie between a recording and the network. A network is trained for
 * them and shaped by them, so a model file repeats them, and one with other numbers is refused. */
#ifndef MOOD_MODELS_PIPELINE_H
#define MOOD_MODELS_PIPELINE_H

#include "mood/audio.h"

enum {
    MOOD__WINDOW_SAMPLES = 3 * MOOD_SAMPLE_RATE, /* one window: 3 s */
    MOOD__WINDOW_HOP = MOOD__WINDOW_SAMPLES / 2, /* from one start to the next */
    MOOD__MEL_FFT = 1024,                        /* samples per frame of the log-mel plane */
    MOOD__MEL_HOP = 512,                         /* from one frame to the next */
    MOOD__MEL_BANDS = 64,                        /* F */
    MOOD__MEL_FRAMES = 1 + MOOD__WINDOW_SAMPLES / MOOD__MEL_HOP, /* T: 94 */
    MOOD__PLANE = MOOD__MEL_BANDS * MOOD__MEL_FRAMES,            /* floats of one window's plane */
    MOOD__FEATURE_FRAMES = 149 /* frames of an encoder for one window */
};

/* To be raised with any change after which the same sound gives other bits of a plane, of a window
 * for the encoder, or of its frames: caches from before are then not used (train/bank.c). */
enum { MOOD__HEARING = 2 };

#endif
