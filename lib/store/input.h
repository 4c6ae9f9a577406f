/* SPDX-License-Identifier: MIT
 *
 * input.h — The bytes of a foreign file, which may be in memory (tests, fuzzers) or on a disk.
 *
 * Read in pieces and never mapped: what the readers check must not change under them, a mapped file
 * that becomes shorter kills the process, and a checkpoint does not have to fit into memory beside
 * what is made from it.
 *
 * Thread-safety: Safe, once open. */
#ifndef MOOD_STORE_INPUT_H
#define MOOD_STORE_INPUT_H

#include "base/mem.h"

struct mood__input {
    int fd;                      /* negative: the bytes are in memory */
    const unsigned char *memory; /* borrowed */
    size_t n_bytes;
};

/* Errors: E_IO, E_UNSUPPORTED (see mood__file_open). */
MOOD_NODISCARD
mood_status mood__input_open(struct mood__input *out, const char *path);
void mood__input_close(struct mood__input *in);

/* Input from memory, which stays the caller's; nothing to close. */
struct mood__input mood__input_of(const void *bytes, size_t n_bytes);

/* Copy n_bytes from `offset` on. Errors: E_FORMAT (the file ends before), E_IO. */
MOOD_NODISCARD
mood_status mood__input_read(const struct mood__input *in, uint64_t offset, void *buf,
                             size_t n_bytes);

/* The same into new memory, with one zero byte behind, so that text can be parsed in place. The
 * file has to have the bytes before memory is taken. *bytes is owned by the caller (mood__free).
 * Errors: as above, and E_NOMEM. */
MOOD_NODISCARD
mood_status mood__input_load(const struct mood__input *in, uint64_t offset, size_t n_bytes,
                             unsigned char **bytes);

#endif
