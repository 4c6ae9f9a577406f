/* SPDX-License-Identifier: MIT
 *
 * print.h — Acoustic fingerprints: which clips are copies of one recording, although one was made
 * louder, cut, shifted, a little noisier, filtered or coded.
 *
 * A print has 32 bits for each 32 ms: whether, from one frame to the next, the difference of two
 * neighbouring mel bands grew (Haitsma and Kalker, "A highly robust audio fingerprinting system",
 * 2002). Two recordings of the same sentence by the same voice differ in a third of the bits and
 * more at every alignment; a copy with 20 dB of noise in a sixth. A clip has a print for
 * each of a few speeds, so that copies that were played up to a tenth faster or slower are found.
 * Copies at another pitch, as long as before, are not. */
#ifndef MOOD_CORPUS_PRINT_H
#define MOOD_CORPUS_PRINT_H

#include <stdbool.h>

#include "mood/audio.h"

enum {
    MOOD__PRINT_HOP = 512,  /* samples from frame to frame */
    MOOD__PRINT_SPEEDS = 4, /* prints of a clip: as it is, and played faster */
    MOOD__PRINT_MAX_SAMPLES = 60 * MOOD_SAMPLE_RATE, /* the rest of a clip is not looked at */
    MOOD__PRINT_MIN_FRAMES = 30 /* loud in both, for a verdict: about a second */
};

/* A clip's at one speed. All zeros is empty, and like no other. */
struct mood__print {
    uint32_t n;     /* frames */
    uint32_t *bits; /* (n) */
    bool *loud;     /* (n) within 30 dB of the loudest: the others' bits are the noise's */
};

/* What prints are made with, by one thread at a time. Free with mood_mel_destroy. */
MOOD_NODISCARD
mood_status mood__print_mel(mood_mel **out);

/* Fill out[0..MOOD__PRINT_SPEEDS) from n samples at MOOD_SAMPLE_RATE: as they are, and as they
 * would be if they were played faster. Empty when there is too little of it. Free each with
 * mood__print_free. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__print_make(struct mood__print *out, mood_mel *mel, const float *x, size_t n);
void mood__print_free(struct mood__print *print);

/* The part of the bits that differ when frame 0 of b lies on frame `offset` of a, over the frames
 * loud in both; 1 when these are too few. */
double mood__print_distance(const struct mood__print *a, const struct mood__print *b,
                            int64_t offset);

/* For each of n clips, with MOOD__PRINT_SPEEDS prints each, the first one before it that it is a
 * copy of, or itself. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__print_match(uint32_t *first, const struct mood__print *prints, uint32_t n,
                              mood_pool *pool);

#endif
