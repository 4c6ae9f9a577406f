/* SPDX-License-Identifier: MIT
 *
 * bank.h — What a frozen encoder makes of a corpus: computed once, kept in a cache on the disk
 * (cache.h), read window by window. The corpus is never in memory.
 *
 * A clip has a copy 0, as it was recorded, and with augmentation further ones, changed by random
 * numbers that belong to the clip's bytes and the number of the copy. Each copy has the windows
 * that a recogniser would hear, each window its features and its log-mel plane. */
#ifndef MOOD_TRAIN_BANK_H
#define MOOD_TRAIN_BANK_H

#include "infer/hear.h"
#include "mood/train.h"
#include "train/cache.h"

/* In place of a layer: the means over time of all layers, of one window of each clip, on the
 * training and validation sides only. */
enum { MOOD__LAYER_MEANS = -2 };

struct mood__bank_params {
    const mood_corpus *corpus;
    const mood_split *split;
    mood_encoder *encoder;
    int layer;          /* 0 to n_layers, MOOD_LAYER_MIX or MOOD__LAYER_MEANS */
    bool exact;         /* features are kept as f32, for a part of the encoder to go on with */
    const char *folder; /* of all caches; NULL: the default one */
    const mood_augment_params *augment;
    int copies; /* beside copy 0, of the clips on the training side */
    mood_pool *pool;
    const volatile int *stop;      /* may be NULL */
    mood_train_callback *on_event; /* MOOD_TRAIN_READ, MOOD_TRAIN_FEATURES; may be NULL */
    void *user;
};

/* The params for a layer of params->encoder. */
/* Changed copies of each training clip: without augmentation none. */
int mood__copies_of(const mood_train_params *params);

struct mood__bank_params mood__bank_params_of(const mood_train_params *params,
                                              const mood_corpus *corpus, const mood_split *split,
                                              int layer);

/* The features of all clips that are on a side. Thread-safety: Unsafe, but for what takes a worker:
 * one thread per worker at a time. */
struct mood__bank;

/* Look up what is there, and compute what is not. What it borrows has to live as long as *out.
 * Errors: those of mood_audio_read, for the first clip in order that has one; E_IO (the cache;
 * there is not enough room for it, which is looked at first); E_STOPPED, E_NUMERIC, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__bank_make(struct mood__bank **out, const struct mood__bank_params *params);
void mood__bank_free(struct mood__bank **bank);

/* The shape of one window's features: (T, D), with MOOD_LAYER_MIX (L, T, D), of the means (L, D).
 * Returns the rank. */
int mood__bank_shape(const struct mood__bank *b, int64_t dim[MOOD_MAX_RANK]);

/* What was heard of a clip's copy 0, without the planes. Free with mood__heard_free.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__bank_heard(const struct mood__bank *b, size_t clip, struct mood__heard *out);

/* Read one window of copy 0: features as float, and the plane; NULL is not written.
 * Errors: E_IO. */
MOOD_NODISCARD
mood_status mood__bank_read(struct mood__bank *b, size_t clip, size_t window, int worker,
                            float *features, float *plane);

/* Draw one window of a clip for training: any copy, one of its windows with speech. All random
 * numbers come from `key`. *start is the window's first sample. Allocates nothing. Errors: E_IO. */
MOOD_NODISCARD
mood_status mood__bank_draw(struct mood__bank *b, size_t clip, uint64_t key, int worker,
                            float *features, float *plane, size_t *start);

#endif
