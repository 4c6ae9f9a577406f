/* SPDX-License-Identifier: MIT
 *
 * torch_file.h — What a file of PyTorch's torch.save(model.state_dict()) holds (pytorch_model.bin).
 *
 * It is a zip archive (zip.h) with one folder: FOLDER/data.pkl describes the tensors (pickle.h),
 * and FOLDER/data/KEY are their storages. Files from before PyTorch 1.6 are no archives, and
 * refused. */
#ifndef MOOD_STORE_TORCH_FILE_H
#define MOOD_STORE_TORCH_FILE_H

#include "store/input.h"
#include "store/listing.h"

/* Add all tensors of file number `file` to the listing. One that is not contiguous is listed, but
 * cannot be read.
 * Errors: those of zip.h and pickle.h; E_FORMAT (a storage is missing, has another size, or is too
 * small for a view of it), E_UNSUPPORTED (big-endian), E_IO, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__torch_file_list(const struct mood__input *in, size_t file,
                                  struct mood__listing *out);

/* Whether these first bytes are those of PyTorch's format before 1.6, which is a bare pickle. */
bool mood__torch_legacy_begins(const unsigned char *bytes, size_t n_bytes);

#endif
