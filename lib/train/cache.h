/* SPDX-License-Identifier: MIT
 *
 * cache.h — A folder that keeps what is costly to compute from clips: rows of numbers, one for each
 * window of each copy of a clip. What the numbers mean, and how they come about, is bank.c's.
 *
 * Rows lie in shards, files of kind "features-cache" (store.h) with the clips of one stretch of
 * work. A shard appears whole or not at all, and never changes, so that a kill costs the unfinished
 * one only. Its name is made of what it holds: two processes that fill one folder write the same
 * file twice, or two files. The rows stay on the disk; in memory is who is where. */
#ifndef MOOD_TRAIN_CACHE_H
#define MOOD_TRAIN_CACHE_H

#include "base/sha256.h"
#include "mood/tensor.h"

enum { MOOD__SHARD_MAX_PIECES = 64 };

/* What the rows of one folder are. */
struct mood__cache_layout {
    /* Everything that decides the numbers, as text: a shard with another key is not ours. */
    const char *key;
    mood_dtype dtype; /* of a row's features */
    int rank;         /* of a row's features, at most MOOD_MAX_RANK - 1 */
    int64_t dim[MOOD_MAX_RANK];
    size_t plane; /* floats of a row's log-mel plane; 0: none */
};

/* Consecutive windows of one copy of a clip, in one shard. A clip has several pieces when it is
 * too long for one shard. */
struct mood__piece {
    unsigned char digest[MOOD__SHA256_BYTES]; /* of the clip's file */
    int32_t copy;                             /* 0: as it was recorded */
    int32_t n_samples;                        /* of the recording, at MOOD_SAMPLE_RATE */
    int32_t n_windows;                        /* of the whole copy */
    int32_t first, count;                     /* the windows that are here */
    /* Known once it is in the folder: */
    int shard;
    int32_t row;           /* of the first window */
    const int32_t *speech; /* (count): what the gate said of each window */
};

/* An open folder. Thread-safety: mood__cache_find and mood__cache_read Safe, the rest Unsafe. */
struct mood__cache;

struct mood__cache_params {
    const char *folder; /* made, with those above it, when it is not there */
    struct mood__cache_layout layout;
    mood_pool *pool;
    const volatile int *stop; /* may be NULL */
};

/* Open a folder and take stock of it; every shard's digest is checked. Damaged shards are removed,
 * and so is what killed processes left behind, unless another process has the folder open; then
 * they are only passed over. Errors: E_IO, E_INVALID (the path), E_STOPPED, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__cache_open(struct mood__cache **out, const struct mood__cache_params *params);
void mood__cache_close(struct mood__cache **cache);

/* The piece with window 0 of a clip's copy, when all its windows are there; NULL otherwise.
 * Borrowed until the next mood__cache_add or mood__cache_close. */
const struct mood__piece *mood__cache_find(const struct mood__cache *c,
                                           const unsigned char digest[MOOD__SHA256_BYTES],
                                           int copy);

/* The piece with window `window`, beginning with the one that mood__cache_find gave. */
const struct mood__piece *mood__cache_piece(const struct mood__piece *first, int64_t window);

/* Read a row: features in the layout's type, and the plane; either may be NULL. Allocates nothing.
 * Errors: E_IO (the shard is gone). */
MOOD_NODISCARD
mood_status mood__cache_read(const struct mood__cache *c, const struct mood__piece *first,
                             int64_t window, void *features, float *plane);

/* What is to become a shard: the rows of its pieces one after the other. Borrowed. */
struct mood__shard_content {
    const struct mood__piece *pieces; /* at most MOOD__SHARD_MAX_PIECES */
    int n_pieces;
    int64_t n_rows;  /* the sum of their counts */
    void *features;  /* (n_rows, ...) */
    float *planes;   /* (n_rows, plane) */
    int32_t *speech; /* (n_rows) */
};

/* Write a shard and take note of its pieces. Errors: E_IO (disk full, ...), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__cache_add(struct mood__cache *c, const struct mood__shard_content *content);

/* Elements of a row's features; bytes of a row, plane included. */
size_t mood__cache_row_elements(const struct mood__cache_layout *layout);
size_t mood__cache_row_bytes(const struct mood__cache_layout *layout);

/* Bytes that the folder's disk still has for us. Errors: E_IO. */
MOOD_NODISCARD
mood_status mood__cache_room(const struct mood__cache *c, uint64_t *bytes);

/* Whether a shard can be written now. Errors: E_IO. */
MOOD_NODISCARD
mood_status mood__cache_check_writable(const struct mood__cache *c);

const char *mood__cache_folder(const struct mood__cache *c);

/* Shards that were passed over because they are damaged or not ours, and what is wrong with the
 * first of them: "NAME: reason". */
int mood__cache_n_bad(const struct mood__cache *c);
const char *mood__cache_first_bad(const struct mood__cache *c);

/* The folder for caches when none was named: $XDG_CACHE_HOME/libmood/features, or
 * ~/.cache/libmood/features. Owned by the caller (mood__free).
 * Errors: E_INVALID (neither variable is set), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__cache_default_folder(char **out);

#endif
