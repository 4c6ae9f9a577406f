/* SPDX-License-Identifier: MIT
 *
 * listing.h — Which tensors foreign files hold, and where. The readers of the formats fill it;
 * checkpoint.h answers from it. */
#ifndef MOOD_STORE_LISTING_H
#define MOOD_STORE_LISTING_H

#include "base/mem.h"
#include "mood/tensor.h"

enum {
    MOOD__LISTED_NAME_BYTES = 256, /* room for a tensor's name, the final zero included */
    MOOD__SHOWN_BYTES = 64,        /* and for a piece of a file in an error line */
    MOOD__LISTED_MAX = 1 << 16     /* tensors in a listing; the largest encoders have about 1000 */
};

/* How numbers are written in a file, little-endian. */
enum mood__coding {
    MOOD__CODING_F32,   /* IEEE 754 binary32 */
    MOOD__CODING_F16,   /* IEEE 754 binary16 */
    MOOD__CODING_BF16,  /* the upper half of a binary32 */
    MOOD__CODING_OTHER, /* listed, but never read */
};

/* One tensor. Plain data; what it points to belongs to the listing or is static. */
struct mood__listed {
    const char *name;    /* 1 to 255 visible ASCII characters */
    const char *type;    /* in the file's own words: "BF16", "torch.HalfStorage" */
    const char *refusal; /* why its numbers cannot be read, or NULL */
    enum mood__coding coding;
    int rank;                   /* may be above MOOD_MAX_RANK: then dim is not filled in */
    int64_t dim[MOOD_MAX_RANK]; /* sizes, outermost first; 1 beyond rank */
    size_t file;                /* number of the file it is in */
    uint64_t offset;            /* of its first byte there */
    uint64_t n_bytes;
};

/* Zero-initialised, with an arena that lives as long, is empty and valid. */
struct mood__listing {
    struct mood__arena *arena; /* of the names */
    struct mood__listed *items;
    size_t n, capacity;
};

/* Add a copy of *item, under a copy of the name.
 * Errors: E_FORMAT (no possible name), E_UNSUPPORTED (too many), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__listing_add(struct mood__listing *l, const struct mood__listed *item,
                              const char *name);

/* Sort by name (strcmp). Errors: E_FORMAT (two of one name). */
MOOD_NODISCARD
mood_status mood__listing_sort(struct mood__listing *l);

/* The item of a name in a sorted listing, or NULL. */
const struct mood__listed *mood__listing_find(const struct mood__listing *l, const char *name);

/* Sizes as they come, one after the other, into a shape: *elements is the product so far, and
 * begins as 1; dim begins as ones. False when the product does not fit. */
bool mood__listed_add_dim(struct mood__listed *item, uint64_t size, uint64_t *elements);

/* Say why this shape or type cannot be read, if so. */
void mood__listed_judge(struct mood__listed *item, uint64_t elements);

/* Bytes of a file for an error line: at most 60, and those that are not visible ASCII as '?'. A
 * file cannot forge a second line, or talk to the terminal. Returns out. */
const char *mood__show(char out[MOOD__SHOWN_BYTES], const void *bytes, size_t n_bytes);

#endif
