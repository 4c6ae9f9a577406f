/* SPDX-License-Identifier: MIT
 *
 * dataset.h — The clips of a corpus in memory, as the trainer needs them: heard once, kept as
 * log-mel planes, and as samples too when training windows are augmented. */
#ifndef MOOD_TRAIN_DATASET_H
#define MOOD_TRAIN_DATASET_H

#include "infer/hear.h"
#include "mood/corpus.h"

struct mood__recording {
    struct mood__heard heard; /* empty for clips on no side */
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

/* Told after every few clips; another value than 0 stops. */
typedef int mood__read_callback(void *user, int64_t done, int64_t total);

/* Decode and hear every clip that is on a side of `split`; with `keep_samples`, those for training
 * are kept as samples too. Errors: those of mood_audio_read, for the first clip in order that has
 * one; E_STOPPED. */
MOOD_NODISCARD
mood_status mood__dataset_read(struct mood__dataset *d, const mood_corpus *corpus,
                               const mood_split *split, bool keep_samples, mood_pool *pool,
                               mood__read_callback *on_read, void *user);
void mood__dataset_free(struct mood__dataset *d);

/* Draw one window of a clip for training: one of those with speech, or with augmentation any place.
 * All random numbers come from `key`. Writes the plane; returns the window's first sample. For one
 * thread per `worker` at a time. */
size_t mood__dataset_draw(struct mood__dataset *d, size_t clip, uint64_t key,
                          const mood_augment_params *augment, int worker, float *plane);

#endif
