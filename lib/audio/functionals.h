/* SPDX-License-Identifier: MIT
 *
 * functionals.h — From tracks to one vector, group by group. */
#ifndef MOOD_AUDIO_FUNCTIONALS_H
#define MOOD_AUDIO_FUNCTIONALS_H

#include "audio/fft.h"
#include "audio/prosody.h"

enum {
    MOOD__N_CONTOURS = 10,
    MOOD__N_COSINES = 6,
    MOOD__N_MODULATED = 12, /* four contours, and the bands in eight groups */
    MOOD__N_RATES = 5,
    MOOD__N_TIMING = 26
};

/* Some of the frames of a recording, in the order of time. */
struct mood__selection {
    size_t n;
    size_t at[MOOD_PROSODY_MAX_FRAMES];
};

struct mood__functionals {
    struct mood__fft *fft; /* of modulation */
    /* The recording being worked on. */
    const struct mood__tracks *tracks;
    struct mood__selection all, voiced, unvoiced, active, loud;
    const struct mood__selection *spoken; /* voiced; where hardly a frame is, active */
    /* Each contour without its mean, pitch without gaps. */
    double contour[MOOD__N_CONTOURS][MOOD_PROSODY_MAX_FRAMES];
    /* Scratch memory. */
    double value[MOOD_PROSODY_MAX_FRAMES], sorted[MOOD_PROSODY_MAX_FRAMES];
};

mood_status mood__functionals_create(struct mood__functionals **out);
void mood__functionals_destroy(struct mood__functionals **f);

/* out: MOOD_N_FUNCTIONALS. */
void mood__functionals_run(struct mood__functionals *f, float *out,
                           const struct mood__tracks *tracks);

/* --- Groups that have files of their own; the recording has frames --- */

/* functionals_timing.c. out: (MOOD__N_TIMING), in the order of the names. */
extern const char *const mood__timing_names[MOOD__N_TIMING];
void mood__measure_timing(struct mood__functionals *f, double *out);

/* functionals_contour.c. Tracks of the contours, and of the modulated that are contours. */
extern const unsigned char mood__contour_tracks[MOOD__N_CONTOURS];
extern const unsigned char mood__modulated_tracks[4];
void mood__make_contours(struct mood__functionals *f);
void mood__measure_contours(struct mood__functionals *f, double *out);   /* (10, 6) */
void mood__measure_modulation(struct mood__functionals *f, double *out); /* (12, 5) */

#endif
