/* SPDX-License-Identifier: MIT
 *
 * checkpoint.h — Named tensors in files that other programs wrote: a .safetensors file, a
 * pytorch_model.bin, or a Hugging Face folder with either; whole or in shards. Who reads it need
 * not know which.
 *
 * The files come from strangers. Nothing in them is executed, unpacked, or used as a path beyond a
 * plain file name in the same folder; memory stays in proportion to what the file really holds; and
 * whatever breaks a rule of its format is refused in one line.
 *
 * Opening reads what the file says about its tensors, and no numbers. Those are read one tensor at
 * a time, and become float whatever they were: f16 and bf16 fit into it exactly. */
#ifndef MOOD_STORE_CHECKPOINT_H
#define MOOD_STORE_CHECKPOINT_H

#include "store/listing.h"

/* Thread-safety: Safe, once open. */
struct mood__checkpoint;

/* Open a file, of the form that its first bytes say, or a folder with (tried in this order)
 * model.safetensors, model.safetensors.index.json and the shards that it names, pytorch_model.bin,
 * pytorch_model.bin.index.json and its shards. An index names plain files in the same folder, and
 * each tensor of each of them, once, where it is.
 * Errors: E_IO; E_FORMAT; E_UNSUPPORTED (a PyTorch file from before 1.6, and what zip.h, pickle.h
 * and safetensors.h say); E_MISSING (a folder without any of these); E_NOMEM. In a folder, the
 * detail begins with the file's name. */
MOOD_NODISCARD
mood_status mood__checkpoint_open(struct mood__checkpoint **out, const char *path);

/* The same for the bytes of one file; borrowed until it is closed. */
MOOD_NODISCARD
mood_status mood__checkpoint_open_memory(struct mood__checkpoint **out, const void *bytes,
                                         size_t n_bytes);
void mood__checkpoint_close(struct mood__checkpoint **c);

/* The name of file i within the folder, NULL when there are fewer, or when it was no folder.
 * Borrowed until the checkpoint is closed. */
const char *mood__checkpoint_file(const struct mood__checkpoint *c, size_t i);

/* The tensors, sorted by name (strcmp): their number, tensor i, and the one of a name or NULL.
 * Borrowed until the checkpoint is closed. */
size_t mood__checkpoint_count(const struct mood__checkpoint *c);
const struct mood__listed *mood__checkpoint_at(const struct mood__checkpoint *c, size_t i);
const struct mood__listed *mood__checkpoint_find(const struct mood__checkpoint *c,
                                                 const char *name);

/* Read a tensor into `dst`, contiguous and float, which has the shape that the caller expects.
 * Errors: E_MISSING; E_SHAPE (the detail has both shapes); E_UNSUPPORTED (its refusal); E_INVALID
 * (dst is not contiguous float); E_IO. After E_IO, dst may be filled in part. */
MOOD_NODISCARD
mood_status mood__checkpoint_tensor(const struct mood__checkpoint *c, const char *name,
                                    const mood_tensor *dst);

#endif
