/* SPDX-License-Identifier: MIT
 *
 * zip.h — Where the entries of a zip archive lie, as PyTorch writes it: each is stored as it is.
 * What is compressed is refused, so a small file can never become a large one, and nothing is ever
 * written to a disk.
 *
 * Only the directory at the end counts; each entry's own header has to agree with it. Check sums
 * are not looked at: newer PyTorch may leave them out. Source: PKWARE APPNOTE 6.3.10, sections 4.3
 * to 4.5, zip64 included. */
#ifndef MOOD_STORE_ZIP_H
#define MOOD_STORE_ZIP_H

#include "store/input.h"

struct mood__zip_entry {
    const char *name;
    uint64_t header;  /* where its own header begins */
    uint64_t offset;  /* and its content */
    uint64_t n_bytes; /* of its content */
};

/* The entries, sorted by name (strcmp). They live in the arena, also after a failure. */
struct mood__zip {
    struct mood__zip_entry *entries;
    size_t n;
};

/* Whether these first bytes of a file look like it. */
bool mood__zip_begins(const unsigned char *bytes, size_t n_bytes);

/* Read the directory. Takes memory in proportion to it.
 * Errors: E_FORMAT (also: two entries overlap or share a name; a name with "..", absolute, or with
 * characters that no archive needs), E_UNSUPPORTED (compressed, encrypted, in parts), E_IO,
 * E_NOMEM. */
MOOD_NODISCARD
mood_status mood__zip_open(struct mood__zip *out, const struct mood__input *in,
                           struct mood__arena *arena);

/* The entry of a name, or NULL. */
const struct mood__zip_entry *mood__zip_find(const struct mood__zip *zip, const char *name);

#endif
