/* SPDX-License-Identifier: MIT
 *
 * shard.h — One file of a cache: rows of features and log-mel planes, and whose they are. */
#ifndef MOOD_TRAIN_SHARD_H
#define MOOD_TRAIN_SHARD_H

#include "train/cache.h"

/* 16 hexadecimal digits, ".h5", and the final zero. */
enum { MOOD__SHARD_NAME_BYTES = 20 };

/* What has to be known of a shard to read rows from it. */
struct mood__shard {
    char name[MOOD__SHARD_NAME_BYTES]; /* within its folder */
    uint64_t features, planes;         /* where the first row of each begins in the file */
    struct mood__piece *pieces;        /* `shard` is not filled in */
    int n_pieces;
    int32_t *speech; /* one per row; pieces point into it */
};

/* Whether a file's name is one that shards have. */
bool mood__shard_is_name(const char *name);

/* Write a shard into `folder` under the name that its pieces give it.
 * Errors: E_IO, E_NOMEM; the detail begins with the path. */
MOOD_NODISCARD
mood_status mood__shard_write(char name[MOOD__SHARD_NAME_BYTES], const char *folder,
                              const struct mood__cache_layout *layout,
                              const struct mood__shard_content *content);

/* Check a shard and take note of what is in it; free with mood__shard_free.
 * Errors: those of mood__reader_map; E_FORMAT (not as mood__shard_write makes it), E_INVALID (with
 * another key, so it belongs elsewhere). Details do not name the file. */
MOOD_NODISCARD
mood_status mood__shard_open(struct mood__shard *out, const char *folder, const char *name,
                             const struct mood__cache_layout *layout);
void mood__shard_free(struct mood__shard *shard);

#endif
