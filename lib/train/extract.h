/* SPDX-License-Identifier: MIT
 *
 * extract.h — Running the encoder over clips, on all threads, and putting what comes out into a
 * cache. */
#ifndef MOOD_TRAIN_EXTRACT_H
#define MOOD_TRAIN_EXTRACT_H

#include "train/bank.h"

/* One copy of a clip that the cache lacks. */
struct mood__wanted {
    size_t clip; /* of the corpus */
    unsigned char digest[MOOD__SHA256_BYTES];
    int32_t copy;
    int32_t n_samples;
    int32_t n_windows; /* 1 for means */
};

struct mood__extract {
    const struct mood__bank_params *p;
    struct mood__cache_layout layout;
    struct mood__cache *cache;
    const struct mood__wanted *wanted; /* copies of one clip beside each other */
    size_t n_wanted;
    /* Told after every few windows, with the number that were finished since: other than 0 stops.
     */
    int (*on_done)(void *user, int64_t n_windows);
    void *user;
};

/* Compute and keep all windows of what is wanted. Finished shards stay, whatever happens then.
 * Errors: as mood__bank_make. */
MOOD_NODISCARD
mood_status mood__extract_run(const struct mood__extract *e);

/* The rows of a shard, at most. */
int64_t mood__shard_rows(const struct mood__cache_layout *layout);

/* Read a clip's file, its digest into `digest`, and decode it, unless audio is NULL.
 * Errors: as mood_audio_read, beginning with the path. */
MOOD_NODISCARD
mood_status mood__clip_read(const char *path, unsigned char digest[MOOD__SHA256_BYTES],
                            mood_audio **audio);

/* What a clip's bytes and a copy number give: the seed of its changes. */
uint64_t mood__copy_seed(const unsigned char digest[MOOD__SHA256_BYTES], int copy);

#endif
