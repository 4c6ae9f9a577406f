/* SPDX-License-Identifier: MIT
 *
 * safetensors.h — What a .safetensors file holds.
 *
 *     8 bytes       length of the header, little-endian
 *     header        JSON, which spaces may follow:
 *                   {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
 *                   "__metadata__" is for remarks, and passed over
 *     numbers       offsets count from their beginning
 *
 * The rules of the format are held to: every byte belongs to exactly one tensor, and a tensor has
 * as many bytes as its shape and type say. */
#ifndef MOOD_STORE_SAFETENSORS_H
#define MOOD_STORE_SAFETENSORS_H

#include "store/input.h"
#include "store/listing.h"

/* Whether these first bytes of a file look like it. */
bool mood__safetensors_begins(const unsigned char *bytes, size_t n_bytes);

/* Add all tensors of file number `file` to the listing. Takes memory in proportion to the header.
 * Errors: E_FORMAT, E_UNSUPPORTED (a type of numbers that is not known), E_IO, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__safetensors_list(const struct mood__input *in, size_t file,
                                   struct mood__listing *out);

#endif
