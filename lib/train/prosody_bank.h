/* SPDX-License-Identifier: MIT
 *
 * prosody_bank.h — The functionals of a corpus' windows, at several speeds and of changed copies,
 * measured once. */
#ifndef MOOD_TRAIN_PROSODY_BANK_H
#define MOOD_TRAIN_PROSODY_BANK_H

#include "infer/hear.h"
#include "mood/train.h"
#include "train/dataset.h"

/* In which form a clip is measured: at a speed, or as copy 1, 2, ..., whose speed is one of the
 * filling's, drawn, and whose windows are augmented, each by some of the kinds that are wanted. */
struct mood__form {
    double speed; /* 1: as it is */
    int copy;     /* 0: none, and above that `speed` says nothing */
};

static const struct mood__form mood__as_it_is = {.speed = 1};

/* One clip in one form. */
struct mood__measured {
    struct mood__heard heard; /* without planes; n_windows 0: not measured */
    float *functionals;       /* (n_windows, MOOD_N_FUNCTIONALS) */
};

struct mood__bank_filling {
    const mood_split *split;
    const double *speeds; /* of the clips to train on; all others are measured as they are */
    int n_speeds;
    const mood_augment_params *augment; /* of copies */
    int n_copies;                       /* of the same clips as speeds */
    int n_background;                   /* made-up sounds (audio/background.h) */
    uint64_t seed;                      /* of copies and background */
    mood_pool *pool;
    mood__read_callback *on_read;
    void *user;
};

/* Whether the bank was made for this corpus. */
bool mood__prosody_bank_is_of(const mood_prosody_bank *b, const mood_corpus *corpus);

/* Measure what is missing: the clips to train and to choose by at all speeds, as they are, and as
 * copies; the others as they are; and the background sounds. Whatever happens, what has been
 * measured stays, but for copies and sounds of another seed, and copies of other speeds or
 * augmentation.
 * Errors: those of mood_audio_read, for the first clip in order that has one; E_STOPPED. */
MOOD_NODISCARD
mood_status mood__prosody_bank_fill(mood_prosody_bank *b, const struct mood__bank_filling *f);

/* The functionals of background sound i, which was measured. */
const float *mood__prosody_bank_background(const mood_prosody_bank *b, int i);

/* A clip in a form that it was measured in, or NULL. */
const struct mood__measured *mood__prosody_bank_find(const mood_prosody_bank *b, size_t clip,
                                                     struct mood__form form);

#endif
