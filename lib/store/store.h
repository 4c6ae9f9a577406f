/* SPDX-License-Identifier: MIT
 *
 * store.h — Files of named tensors and texts: models, and whatever else libmood keeps.
 *
 * A file is a 512-byte header (header.h) and an HDF5 file behind it, which any HDF5 tool opens as
 * it is, because HDF5 skips such a "user block". Files appear atomically (base/file.h). On reading,
 * size and digest are checked first. A digest finds damage, not malice: a file from a stranger has
 * to be matched against a digest from elsewhere before it is opened.
 *
 * Names are as entry.h says: "part" or "folder/part". */
#ifndef MOOD_STORE_STORE_H
#define MOOD_STORE_STORE_H

#include "store/entry.h"
#include "store/header.h"

/* ---- writing ------------------------------------------------------------------------------ */

/* Gathers what goes into a file. Thread-safety: Unsafe. */
struct mood__writer;

/* `format` is not kept. Errors: E_INVALID (kind or version as header.h does not allow), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__writer_create(struct mood__writer **out, const struct mood__format *format);
void mood__writer_destroy(struct mood__writer **w);

/* Add an entry. The name and the text are copied; a tensor's numbers are borrowed until the last
 * mood__writer_save, and may be strided; those of
 * MOOD_F32_PANELS are written row by row, as f32. The text is UTF-8, at most 16 MiB.
 * Errors: E_INVALID (the name is not as above, or taken, or also the folder of another; the text
 * is not UTF-8 or too long), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__writer_add_tensor(struct mood__writer *w, const char *name, const mood_tensor *t);

/* The same for an f32 tensor that is to lie in the file as f16: rounded when it is saved, one
 * tensor at a time. Errors: also E_INVALID (another type). */
MOOD_NODISCARD
mood_status mood__writer_add_tensor_as_f16(struct mood__writer *w, const char *name,
                                           const mood_tensor *t);

/* The same for an f32 tensor that is to lie in the file as the panels of an i8 matrix
 * (mood__tensor_panels). Errors: also E_SHAPE. */
MOOD_NODISCARD
mood_status mood__writer_add_tensor_as_i8(struct mood__writer *w, const char *name,
                                          const mood_tensor *t);
MOOD_NODISCARD
mood_status mood__writer_add_text(struct mood__writer *w, const char *name, const char *text);

/* Write the file, or leave what was there untouched. Takes about twice the size of the tensors in
 * memory. The same entries give the same bytes, in whatever order they were added (with the same
 * version of HDF5). May be called again.
 * Errors: E_IO and E_INVALID (see mood__file_write_atomic), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__writer_save(struct mood__writer *w, const char *path);

/* ---- reading ------------------------------------------------------------------------------ */

/* A file in memory, read or mapped. Thread-safety: Safe, once open. */
struct mood__reader;

/* Errors: E_IO; E_FORMAT (not a libmood file, of another kind, damaged, cut off); E_UNSUPPORTED
 * (a newer major version than format->major, numbers of an unknown type, more than 8 GiB);
 * E_NOMEM. */
MOOD_NODISCARD
mood_status mood__reader_open(struct mood__reader **out, const char *path,
                              const struct mood__format *format);

/* The same, but the file is mapped (mood__file_map) instead of copied: for weights that are used
 * where they lie, by several processes at once. What it says of itself is checked in the same way
 * before anything points into it, which reads it once. One tensor that does not lie on a
 * MOOD__ALIGN boundary makes the whole file E_FORMAT, here as there: libmood writes no such file.
 */
MOOD_NODISCARD
mood_status mood__reader_map(struct mood__reader **out, const char *path,
                             const struct mood__format *format);
void mood__reader_close(struct mood__reader **r);

/* Kind, version and digest. Borrowed until the reader is closed. */
const struct mood__header *mood__reader_header(const struct mood__reader *r);

/* The entries, sorted by name (strcmp): their number, entry i, and the one of a name or NULL.
 * Borrowed until the reader is closed; tensors are contiguous, on a MOOD__ALIGN boundary, and must
 * not be written to. */
size_t mood__reader_count(const struct mood__reader *r);
const struct mood__entry *mood__reader_at(const struct mood__reader *r, size_t i);
const struct mood__entry *mood__reader_find(const struct mood__reader *r, const char *name);

/* Where the numbers of a tensor among the entries begin in the file, in bytes: to read parts of
 * them later without a reader. */
uint64_t mood__reader_offset(const struct mood__reader *r, const struct mood__entry *e);

/* Copy a tensor into `dst`, which has the shape and type that the caller expects; from f16 also to
 * f32, contiguous, exactly.
 * Errors: E_MISSING, E_SHAPE (the detail has both shapes), E_FORMAT (another type, or text). */
MOOD_NODISCARD
mood_status mood__reader_tensor(const struct mood__reader *r, const char *name,
                                const mood_tensor *dst);

/* Whether mood__reader_tensor could copy into a tensor of this shape and type: before memory is
 * taken for it. Errors: the same. */
MOOD_NODISCARD
mood_status mood__reader_check(const struct mood__reader *r, const char *name,
                               const mood_tensor *shape);

/* A text. Borrowed until the reader is closed. Errors: E_MISSING, E_FORMAT (a tensor). */
MOOD_NODISCARD
mood_status mood__reader_text(const struct mood__reader *r, const char *name, const char **text);

#endif
