/* SPDX-License-Identifier: MIT
 *
 * file.h — Files: read one whole or in pieces, map one, replace one atomically.
 *
 * Details of errors do not repeat the path, because the caller knows it and puts it in front
 * ("model.h5: cannot be written: No space left on device"). */
#ifndef MOOD_BASE_FILE_H
#define MOOD_BASE_FILE_H

#include <stdbool.h>

#include "mood/base.h"

/* A piece of a file that is about to be written; the bytes are borrowed during the call. */
struct mood__part {
    const void *data;
    size_t bytes;
};

/* What an errno means, in English whatever the locale ("No space left on device"). Static. */
const char *mood__errno_text(int err);

/* Whether something has this name, be it a symbolic link that leads nowhere, or something that may
 * not be looked at: a file that may be absent is absent only when nothing is there. */
bool mood__file_exists(const char *path);

/* Read a regular file of at most max_bytes; the size is checked before memory is taken.
 * *bytes is owned by the caller (mood__free), on a MOOD__ALIGN boundary, and one zero byte that
 * *n_bytes does not count follows the last, so that text can be parsed in place.
 * Errors: E_IO (cannot be opened or read, a directory, not a regular file, shrank meanwhile),
 * E_UNSUPPORTED (larger than max_bytes), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__file_read(const char *path, size_t max_bytes, unsigned char **bytes,
                            size_t *n_bytes);

/* Read the first `room` bytes of a regular file, or all of a shorter one; *n_bytes says how many.
 * Errors: as mood__file_read, but for size and memory. */
MOOD_NODISCARD
mood_status mood__file_peek(const char *path, void *buf, size_t room, size_t *n_bytes);

/* Map a regular file of at most max_bytes for reading: memory that costs nothing until it is
 * touched, is shared with every other process that has the file open, and must not be written to.
 * *bytes is on a page boundary (NULL for an empty file); mood__file_unmap gives it back.
 *
 * Replacing or removing the file does no harm, as mood__file_write_atomic replaces it. Nobody may
 * write into it while it is mapped: the bytes would change, and to touch what was cut off ends the
 * process (SIGBUS), as does a disk that fails.
 *
 * Errors: as mood__file_read. */
MOOD_NODISCARD
mood_status mood__file_map(const char *path, size_t max_bytes, const unsigned char **bytes,
                           size_t *n_bytes);
void mood__file_unmap(const unsigned char *bytes, size_t n_bytes);

/* Open a regular file that is read in pieces; close(*fd) when done.
 * Errors: E_IO, E_UNSUPPORTED (larger than an address can say). */
MOOD_NODISCARD
mood_status mood__file_open(const char *path, int *fd, size_t *n_bytes);

/* Read exactly n_bytes, beginning `offset` bytes into the file; both have to be within its size as
 * it was when it was opened. Safe among threads.
 * Errors: E_IO (also: the file became shorter). */
MOOD_NODISCARD
mood_status mood__file_read_at(int fd, uint64_t offset, void *buf, size_t n_bytes);

/* Make `path` a file of exactly these parts, one after the other, or leave it as it was: at every
 * moment, also after a kill or a power cut, it has its old or its new content and never a mixture.
 *
 * The parts go into a new file in the same folder (".libmood-*.tmp", permissions as the umask
 * says), which is synchronised and then renamed. A failure removes it; a kill can leave it behind.
 * A symbolic link is followed: the file that it leads to is replaced, the link stays. Only a
 * regular, writable file is ever replaced, so /dev/stdout or a pipe are refused.
 *
 * A file size limit (RLIMIT_FSIZE) is reported as an error: SIGXFSZ, which would end the process,
 * is held back on the calling thread for the length of the call.
 *
 * Errors: E_INVALID (`path` names no file: "", "dir/"), E_IO. After E_IO the old content is
 * untouched, with one exception: when the folder cannot be synchronised after the rename, the new
 * content is in place but might not survive a power cut. */
MOOD_NODISCARD
mood_status mood__file_write_atomic(const char *path, const struct mood__part *parts,
                                    size_t n_parts);

/* Make a folder, and those above it, where they are missing.
 * Errors: E_INVALID (an empty or too long path), E_IO. */
MOOD_NODISCARD
mood_status mood__folder_make(const char *path);

/* Whether mood__file_write_atomic could begin now: to find out before the work that leads to it. A
 * new file is made in the folder and removed again; a full disk is not seen.
 * Errors: as mood__file_write_atomic. */
MOOD_NODISCARD
mood_status mood__file_check_writable(const char *path);

#endif
