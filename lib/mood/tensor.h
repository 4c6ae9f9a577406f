/* SPDX-License-Identifier: MIT
 *
 * tensor.h — A view of numbers in memory that somebody else owns. Plain data: copy it freely, keep
 * it on the stack, never free it.
 *
 * Row-major; dim[0] is outermost. Shape letters, the same in every header:
 *   B batch   T time (samples or frames)   F frequency bins   C channels
 *   H heads   D size of one head           K kernel taps      V classes
 * Activations are channels-last: (B, T, C) for sequences, (B, F, T, C) for planes.
 *
 * Thread-safety: as for any plain memory. */
#ifndef MOOD_TENSOR_H
#define MOOD_TENSOR_H

#include <stdbool.h>

#include "mood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MOOD_MAX_RANK 6

typedef enum mood_dtype {
    MOOD_F32, /* float */
    MOOD_I32, /* int32_t: class labels */
    MOOD_F16, /* IEEE 754 binary16 as uint16_t: for files and caches; no op computes with it */
    /* int8_t. As the weight of mood_dense or mood_conv1d: a matrix that was rounded, each column
     * under a scale of its own. The shape is that of the float weight, but the numbers lie in
     * panels (docs/file-formats.md) and cannot be reached by strides. */
    MOOD_I8,
    /* float, in the order in which products read them: as the weight of mood_dense, (K, N) with N a
     * multiple of 32. Number (k, n) is element (n / 32 * K + k) * 32 + n % 32 of the data, which no
     * strides say. */
    MOOD_F32_PANELS
} mood_dtype;

typedef struct mood_tensor {
    void *data;                    /* first element */
    int64_t dim[MOOD_MAX_RANK];    /* sizes, at least 1; 1 beyond rank */
    int64_t stride[MOOD_MAX_RANK]; /* in elements, not bytes */
    int rank;                      /* 0 (a scalar) to MOOD_MAX_RANK */
    mood_dtype dtype;
} mood_tensor;

/* "f32", "i32", "f16", "i8", "f32 in panels". */
MOOD_API const char *mood_dtype_name(mood_dtype dtype);
MOOD_API size_t mood_dtype_bytes(mood_dtype dtype);

/* A contiguous view of `data` (which may still be NULL) with the given sizes.
 * Errors: E_INVALID (rank outside 0 to MOOD_MAX_RANK, an unknown type), E_SHAPE (a size below 1,
 * or more bytes than PTRDIFF_MAX). */
MOOD_NODISCARD
MOOD_API mood_status mood_tensor_make(mood_tensor *out, void *data, mood_dtype dtype, int rank,
                                      const int64_t *dim);

MOOD_API int64_t mood_tensor_elements(const mood_tensor *t);
MOOD_API size_t mood_tensor_bytes(const mood_tensor *t); /* of its elements, without gaps */
MOOD_API bool mood_tensor_is_contiguous(const mood_tensor *t);
MOOD_API bool mood_tensor_same_shape(const mood_tensor *a, const mood_tensor *b);

/* The part of `t` with start <= index < stop along `axis`. Shares memory. `out` may be `t`.
 * Errors: E_INVALID when axis or range is outside `t`. */
MOOD_NODISCARD
MOOD_API mood_status mood_tensor_slice(mood_tensor *out, const mood_tensor *t, int axis,
                                       int64_t start, int64_t stop);

/* `t` with its axes in another order: axis i of `out` is axis order[i] of `t`. Shares memory.
 * Errors: E_INVALID when `order` is no permutation. */
MOOD_NODISCARD
MOOD_API mood_status mood_tensor_transpose(mood_tensor *out, const mood_tensor *t,
                                           const int *order);

/* The same elements, in the same order, under another shape. Shares memory.
 * Errors: E_INVALID (`t` is not contiguous, or rank), E_SHAPE (another number of elements). */
MOOD_NODISCARD
MOOD_API mood_status mood_tensor_reshape(mood_tensor *out, const mood_tensor *t, int rank,
                                         const int64_t *dim);

/* Copy the elements of `src` into `dst`; either may be strided, they must not overlap.
 * Errors: E_SHAPE (shapes differ), E_INVALID (types differ). */
MOOD_NODISCARD
MOOD_API mood_status mood_tensor_copy(const mood_tensor *dst, const mood_tensor *src);

#ifdef __cplusplus
}
#endif
#endif
