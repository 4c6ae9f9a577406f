/* SPDX-License-Identifier: MIT
 *
 * inspect.h — What a file of libmood is, whatever its kind. */
#ifndef MOOD_INSPECT_H
#define MOOD_INSPECT_H

#include "mood/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Plain data. */
typedef struct mood_file_info {
    char kind[32];     /* "model", "encoder", "features", ... */
    int major, minor;  /* version of that kind */
    int n_tensors;     /* that it holds */
    int64_t n_numbers; /* their elements */
    mood_dtype dtype;  /* of most of these elements */
} mood_file_info;

/* Look at a file: its header, its digest, its table of contents. Any kind and version will do.
 * Errors: E_IO; E_FORMAT (not a file of libmood, damaged, cut off); E_UNSUPPORTED (numbers of an
 * unknown type); E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_file_inspect(mood_file_info *out, const char *path);

#ifdef __cplusplus
}
#endif
#endif
