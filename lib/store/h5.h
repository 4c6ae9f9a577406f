/* SPDX-License-Identifier: MIT
 *
 * h5.h — Entries to and from the bytes of an HDF5 file. Everything happens in memory; files,
 * headers and digests are store.c's. Nothing of HDF5 stays open between calls.
 *
 * Layout: an entry is a data set of its name. Tensors are contiguous little-endian numbers that
 * begin on a MOOD__ALIGN boundary of the file; text is one fixed-length, zero-terminated UTF-8
 * string. No time stamps, so the same entries in the same order give the same bytes. */
#ifndef MOOD_STORE_H5_H
#define MOOD_STORE_H5_H

#include "base/mem.h"
#include "store/entry.h"

/* Make the HDF5 part of a file, which will follow the header. *image is owned by the caller
 * (mood__free).
 * Errors: E_NOMEM (HDF5 does not say why it fails, and memory is all that it can lack here). */
MOOD_NODISCARD
mood_status mood__h5_build(const struct mood__entry *entries, size_t n_entries,
                           unsigned char **image, size_t *n_bytes);

/* Find all entries in a whole file, header included, without copying their content: tensors and
 * texts point into `file`, which has to be on a MOOD__ALIGN boundary. Names and the array live in
 * the arena, also after a failure. The content must be known to be undamaged: HDF5 does not
 * withstand arbitrary bytes.
 * Errors: E_FORMAT (not as described above), E_UNSUPPORTED (numbers of another type), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__h5_list(const unsigned char *file, size_t n_bytes, struct mood__arena *arena,
                          struct mood__entry **entries, size_t *n_entries);

#endif
