/* SPDX-License-Identifier: MIT
 *
 * collection.h — The collections that clips come from: their list, and the table that a folder may
 * have about itself. */
#ifndef MOOD_CORPUS_COLLECTION_H
#define MOOD_CORPUS_COLLECTION_H

#include "base/mem.h"
#include "mood/corpus.h"

enum { MOOD__MAX_COLLECTIONS = 256 };

/* All zeros is empty. The texts are the caller's, who keeps them. */
struct mood__collections {
    mood_collection *item;
    size_t n, capacity;
};

/* The number of a collection in the list, to which one with another name or licence is added.
 * Errors: E_UNSUPPORTED (too many), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__collection_number(struct mood__collections *list, const mood_collection *about,
                                    int *number);

/* Read `folder`/corpus.csv, one row with the columns corpus, licence and origin, of which only the
 * first is needed. *found is false when there is no such file.
 * Errors: E_IO, E_FORMAT (the detail begins with the file), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__collection_read(mood_collection *about, bool *found, struct mood__arena *arena,
                                  const char *folder);

#define MOOD__COLLECTION_FILE "corpus.csv"

#endif
