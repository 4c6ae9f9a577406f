/* SPDX-License-Identifier: MIT
 *
 * json.h — Walking through JSON text (RFC 8259) as a stranger wrote it, without a tree and without
 * memory. A tree costs many times its text, and the header of a checkpoint may have 100 MB; what
 * libmood itself writes goes through jansson.
 *
 *     MOOD__TRY(mood__json_open(&j, '{'));
 *     for (bool more;;) {
 *         MOOD__TRY(mood__json_next(&j, '}', &more));
 *         if (!more)
 *             break;
 *         MOOD__TRY(mood__json_key(&j, key, sizeof(key)));
 *         MOOD__TRY(mood__json_skip(&j));                    // or string, number, open ...
 *     }
 *
 * Two equal keys are the caller's to find. All functions fail with E_FORMAT and say at which byte.
 */
#ifndef MOOD_STORE_JSON_H
#define MOOD_STORE_JSON_H

#include <stdbool.h>

#include "mood/base.h"

struct mood__json {
    const char *text; /* ends in a zero; borrowed */
    const char *at;
    bool fresh; /* just behind an opening bracket, where no comma belongs */
};

/* What the next value is, by its first character. */
enum mood__json_kind {
    MOOD__JSON_OBJECT,
    MOOD__JSON_ARRAY,
    MOOD__JSON_STRING,
    MOOD__JSON_NUMBER,
    MOOD__JSON_BOOL,
    MOOD__JSON_NULL,
    MOOD__JSON_NOTHING /* no value begins like this */
};

/* Begin at the first of n_bytes of text, which a zero follows.
 * Errors: not UTF-8, or a zero inside. */
MOOD_NODISCARD
mood_status mood__json_start(struct mood__json *j, const char *text, size_t n_bytes);

/* Step over '{' or '['. */
MOOD_NODISCARD
mood_status mood__json_open(struct mood__json *j, char bracket);

/* Whether another member follows; if not, step over the closing bracket. */
MOOD_NODISCARD
mood_status mood__json_next(struct mood__json *j, char closing, bool *more);

/* A string, or a key with its colon, into `room` bytes, the final zero included.
 * Errors also: longer, or with \u0000 inside. */
MOOD_NODISCARD
mood_status mood__json_string(struct mood__json *j, char *out, size_t room);
MOOD_NODISCARD
mood_status mood__json_key(struct mood__json *j, char *out, size_t room);

/* A whole number from 0 to INT64_MAX, without fraction and exponent. */
MOOD_NODISCARD
mood_status mood__json_whole(struct mood__json *j, uint64_t *out);

/* Any number of at most 300 characters that fits into a double. With up to 15 digits and a power of
 * ten from -22 to 22 it is the nearest double; else it may be some units in the last place off. */
MOOD_NODISCARD
mood_status mood__json_number(struct mood__json *j, double *out);

MOOD_NODISCARD
mood_status mood__json_bool(struct mood__json *j, bool *out);

/* Stays before the value. */
enum mood__json_kind mood__json_peek(struct mood__json *j);

/* Any value, at most 32 deep. */
MOOD_NODISCARD
mood_status mood__json_skip(struct mood__json *j);

/* Nothing but white space is left. */
MOOD_NODISCARD
mood_status mood__json_end(struct mood__json *j);

#endif
