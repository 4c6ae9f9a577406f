/* SPDX-License-Identifier: MIT
 *
 * print.h — Acoustic fingerprints: which clips are copies of one recording, although one was made
 * louder, cut, shifted, a little noisier, filtered or coded.
 *
 * A print has 32 bits for each 32 ms: whether, from one frame to the next, the difference of two
 * neighbouring mel bands grew (Haitsma and Kalker, "A highly robust audio fingerprinting system",
 * 2002). Two recordings of the same sentence by the same voice differ in a third of the bits and
 * more at every alignment; a copy with 20 dB of noise in a sixth. Copies played faster, or at
 * another pitch, are not found. */
#ifndef MOOD_CORPUS_PRINT_H
#define MOOD_CORPUS_PRINT_H

#include <stdbool.h>

#include "mood/audio.h"

enum {
    /* Of the log-mel planes that prints are made from. Long frames, so that a copy need not begin
     * on a frame; one band more than there are bits. */
    MOOD__PRINT_FFT = 4096,
    MOOD__PRINT_HOP = 512,
    MOOD__PRINT_BANDS = 33,
    MOOD__PRINT_MAX_SAMPLES = 60 * MOOD_SAMPLE_RATE, /* the rest of a clip is not looked at */
    MOOD__PRINT_MIN_FRAMES = 30 /* loud in both, for a verdict: about a second */
};

/* One clip's. All zeros is empty, and like no other. */
struct mood__print {
    uint32_t n;     /* frames */
    uint32_t *bits; /* (n) */
    bool *loud;     /* (n) within 30 dB of the loudest: the others' bits are the noise's */
};

/* Of n samples at MOOD_SAMPLE_RATE; `mel` has the numbers above. Empty when there is too little of
 * it. Free with mood__print_free. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__print_make(struct mood__print *out, mood_mel *mel, const float *x, size_t n);
void mood__print_free(struct mood__print *print);

/* The part of the bits that differ when frame 0 of b lies on frame `offset` of a, over the frames
 * loud in both; 1 when these are too few. */
double mood__print_distance(const struct mood__print *a, const struct mood__print *b,
                            int64_t offset);

/* For each of n prints the first one before it that it is a copy of, or itself. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__print_match(uint32_t *first, const struct mood__print *prints, uint32_t n,
                              mood_pool *pool);

#endif
