/* SPDX-License-Identifier: MIT
 *
 * document.h — A JSON file that other programs wrote, asked for its members by name. What is absent
 * keeps the caller's default; what is there, but is not what was asked for, is an error that names
 * the member and shows it. Details do not name the file. */
#ifndef MOOD_MODELS_DOCUMENT_H
#define MOOD_MODELS_DOCUMENT_H

#include "store/json.h"

enum { MOOD__DOCUMENT_MAX_BYTES = 4 << 20 };

/* Zero-initialised: an object without members. */
struct mood__document {
    unsigned char *text;
    size_t n_bytes;
};

/* Read a file whose text is one JSON object. Free with mood__document_free, also after an error.
 * Errors: E_IO, E_UNSUPPORTED (too large), E_FORMAT (not such an object), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__document_read(struct mood__document *out, const char *path);
void mood__document_free(struct mood__document *d);

/* All of these fail with E_FORMAT when the member is there twice, or is not of this kind. */

/* Whether there is such a member; *at then stands before its value. */
MOOD_NODISCARD
mood_status mood__document_find(const struct mood__document *d, const char *key,
                                struct mood__json *at, bool *found);

/* A whole number from 0 to INT_MAX. */
MOOD_NODISCARD
mood_status mood__document_whole(const struct mood__document *d, const char *key, int *out);

/* An array of such: at most `room`, and *n of them. */
MOOD_NODISCARD
mood_status mood__document_wholes(const struct mood__document *d, const char *key, int *out,
                                  int room, int *n);
MOOD_NODISCARD
mood_status mood__document_float(const struct mood__document *d, const char *key, float *out);
MOOD_NODISCARD
mood_status mood__document_bool(const struct mood__document *d, const char *key, bool *out);

/* A string that fits into `room` bytes, its zero included. null counts as absent. */
MOOD_NODISCARD
mood_status mood__document_text(const struct mood__document *d, const char *key, char *out,
                                size_t room);

/* Fail with `status` and "'KEY' is VALUE, not WANTED", for a member that is there. */
mood_status mood__document_refuse(const struct mood__document *d, const char *key,
                                  mood_status status, const char *wanted);

/* Whether the value at *at is written exactly so: "true", "\"gelu\"". Steps over it.
 * Errors: E_FORMAT. */
MOOD_NODISCARD
mood_status mood__document_is(struct mood__json *at, const char *written, bool *equal);

#endif
