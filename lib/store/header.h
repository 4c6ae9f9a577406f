/* SPDX-License-Identifier: MIT
 *
 * header.h — The first 512 bytes of every file that libmood writes: what is in it, of which
 * version, and whether it is undamaged. All of it is decided before HDF5 sees a byte.
 *
 * The header is text, padded with zeros, so that `head -6 FILE` shows it:
 *
 *     libmood
 *     kind model
 *     version 1.0
 *     bytes 13012345                of the content, which begins at byte 512
 *     sha256 (64 digits)            of the content:  tail -c +513 FILE | sha256sum
 *     header-sha256 (64 digits)     of the lines above
 *
 * Every version keeps the 512 bytes, the first three lines and the last one, so that an old
 * libmood can name the version of a newer file. A header has one spelling only: one that would be
 * written differently is damaged. */
#ifndef MOOD_STORE_HEADER_H
#define MOOD_STORE_HEADER_H

#include "base/sha256.h"
#include "mood/base.h"

enum {
    MOOD__HEADER_BYTES = 512,
    MOOD__KIND_BYTES = 32 /* the final zero included */
};

/* A kind of file ("model"), and the newest version of it that this library knows. A minor version
 * adds what older libraries may ignore; a major one is not readable by them. */
struct mood__format {
    const char *kind; /* 1 to 31 of a-z, 0-9 and '-' */
    int major, minor; /* 1 to 999, 0 to 999 */
};

struct mood__header {
    char kind[MOOD__KIND_BYTES];
    int major, minor;
    uint64_t n_bytes;                         /* of the content */
    unsigned char sha256[MOOD__SHA256_BYTES]; /* of the content */
};

/* Errors: E_INVALID (not as the comments in struct mood__format say). */
MOOD_NODISCARD
mood_status mood__format_check(const struct mood__format *format);

void mood__header_write(unsigned char out[MOOD__HEADER_BYTES], const struct mood__header *h);

/* Read the header of a file that begins with these bytes (at least the header, or the whole of a
 * shorter file). `want` says what the caller can read; NULL: any kind and version.
 * Errors: E_FORMAT (not one of libmood's files, damaged, of another kind), E_UNSUPPORTED (a newer
 * major version; the detail names both). */
MOOD_NODISCARD
mood_status mood__header_read(struct mood__header *out, const unsigned char *bytes, size_t n_bytes,
                              const struct mood__format *want);

#endif
