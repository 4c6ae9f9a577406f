/* SPDX-License-Identifier: MIT
 *
 * dataset.h — The clips of a corpus in memory, as the trainer needs them: heard once, kept as
 * log-mel planes, and as samples when training windows are augmented, or heard by an encoder that
 * is trained. */
#ifndef MOOD_TRAIN_DATASET_H
#define MOOD_TRAIN_DATASET_H

#include "infer/hear.h"
#include "mood/corpus.h"
#include "train/work.h"

struct mood__recording {
    struct mood__heard heard; /* empty for clips on no side; planes NULL when none are kept */
    int16_t *samples;         /* NULL, or heard.n_samples of them, in units of `scale` */
    float scale;
};

struct mood__dataset {
    const mood_corpus *corpus;
    struct mood__recording *recordings; /* one per clip of the corpus */
    struct mood__ear **ears;            /* one per thread */
    float *windows;                     /* (n_ears, MOOD__WINDOW_SAMPLES): scratch memory */
    int n_ears;
    mood_pool *pool;
};

enum mood__keep {
    MOOD__KEEP_PLANES,  /* of every clip */
    MOOD__KEEP_BOTH,    /* and the samples of those for training */
    MOOD__KEEP_SAMPLES, /* of the clips for training, and nothing of the others */
};

/* Decode and hear every clip of which something is kept, on a side of `split`. Errors: those of
 * mood_audio_read, for the first clip in order that has one; E_STOPPED. */
MOOD_NODISCARD
mood_status mood__dataset_read(struct mood__dataset *d, const mood_corpus *corpus,
                               const mood_split *split, enum mood__keep keep, mood_pool *pool,
                               mood__read_callback *on_read, void *user);
void mood__dataset_free(struct mood__dataset *d);

/* Draw one window of a clip for training: one of those with speech, or with augmentation any place.
 * All random numbers come from `key`. Writes the plane, and where samples are kept those of the
 * window (MOOD__WINDOW_SAMPLES) unless `samples` is NULL; returns the window's first sample. For
 * one thread per `worker` at a time. */
size_t mood__dataset_draw(struct mood__dataset *d, size_t clip, uint64_t key,
                          const mood_augment_params *augment, int worker, float *samples,
                          float *plane);

#endif
