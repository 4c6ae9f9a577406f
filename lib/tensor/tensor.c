/* SPDX-License-Identifier: MIT
 *
 * tensor.c — Shapes and strides of views, and the copy between two of them. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "kernel/gemm_i8.h"
#include "kernel/kernels.h"

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
    [MOOD_F32] = {"f32", sizeof(float)},
    [MOOD_I32] = {"i32", sizeof(int32_t)},
    [MOOD_F16] = {"f16", sizeof(uint16_t)},
    [MOOD_I8] = {"i8", sizeof(int8_t)},
    [MOOD_F32_PANELS] = {"f32 in panels", sizeof(float)},
};

const char *mood_dtype_name(mood_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t mood_dtype_bytes(mood_dtype dtype)
{
    return dtypes[dtype].bytes;
}

const char *mood__shape_text(char buf[MOOD__SHAPE_BYTES], int rank, const int64_t *dim)
{
    size_t n = 0;
    buf[n++] = '(';
    for (int i = 0; i < rank; i++)
        n += (size_t)snprintf(buf + n, MOOD__SHAPE_BYTES - n, i ? ", %lld" : "%lld",
                              (long long)dim[i]);
    buf[n++] = ')';
    buf[n] = '\0';
    return buf;
}

mood_status mood_tensor_make(mood_tensor *out, void *data, mood_dtype dtype, int rank,
                             const int64_t *dim)
{
    if ((unsigned)dtype >= sizeof(dtypes) / sizeof(*dtypes))
        return mood__fail(MOOD_E_INVALID, "tensor: %d is no type of numbers", (int)dtype);
    if (rank < 0 || rank > MOOD_MAX_RANK)
        return mood__fail(MOOD_E_INVALID, "tensor: rank %d; 0 to %d are possible", rank,
                          MOOD_MAX_RANK);
    mood_tensor t = {.data = data, .rank = rank, .dtype = dtype};
    size_t elements = 1, bytes;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 1)
            return mood__fail(MOOD_E_SHAPE, "tensor: axis %d has size %lld", i, (long long)dim[i]);
        if (!mood__mul_size(elements, (size_t)dim[i], &elements))
            return mood__fail(MOOD_E_SHAPE, "tensor: too many elements");
    }
    if (!mood__mul_size(elements, mood_dtype_bytes(dtype), &bytes) || bytes > PTRDIFF_MAX)
        return mood__fail(MOOD_E_SHAPE, "tensor: too many elements");

    int64_t stride = 1;
    for (int i = MOOD_MAX_RANK - 1; i >= 0; i--) {
        t.dim[i] = i < rank ? dim[i] : 1;
        t.stride[i] = stride;
        stride *= t.dim[i];
    }
    *out = t;
    return MOOD_OK;
}

int64_t mood_tensor_elements(const mood_tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

size_t mood_tensor_bytes(const mood_tensor *t)
{
    return (size_t)mood_tensor_elements(t) * mood_dtype_bytes(t->dtype);
}

bool mood_tensor_is_contiguous(const mood_tensor *t)
{
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->dim[i] != 1 && t->stride[i] != stride)
            return false;
        stride *= t->dim[i];
    }
    return true;
}

bool mood_tensor_same_shape(const mood_tensor *a, const mood_tensor *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, sizeof(a->dim)) == 0;
}

mood_status mood_tensor_slice(mood_tensor *out, const mood_tensor *t, int axis, int64_t start,
                              int64_t stop)
{
    if (axis < 0 || axis >= t->rank)
        return mood__fail(MOOD_E_INVALID, "slice: axis %d of a tensor of rank %d", axis, t->rank);
    if (start < 0 || stop <= start || stop > t->dim[axis])
        return mood__fail(MOOD_E_INVALID, "slice: [%lld, %lld) of an axis of size %lld",
                          (long long)start, (long long)stop, (long long)t->dim[axis]);
    mood_tensor view = *t;
    if (view.data)
        view.data =
            (char *)view.data + (size_t)(start * view.stride[axis]) * mood_dtype_bytes(view.dtype);
    view.dim[axis] = stop - start;
    *out = view;
    return MOOD_OK;
}

mood_status mood_tensor_transpose(mood_tensor *out, const mood_tensor *t, const int *order)
{
    mood_tensor view = *t;
    bool seen[MOOD_MAX_RANK] = {false};
    for (int i = 0; i < t->rank; i++) {
        int from = order[i];
        if (from < 0 || from >= t->rank || seen[from])
            return mood__fail(MOOD_E_INVALID, "transpose: axis %d of the order is %d", i, from);
        seen[from] = true;
        view.dim[i] = t->dim[from];
        view.stride[i] = t->stride[from];
    }
    *out = view;
    return MOOD_OK;
}

mood_status mood_tensor_reshape(mood_tensor *out, const mood_tensor *t, int rank,
                                const int64_t *dim)
{
    if (!mood_tensor_is_contiguous(t))
        return mood__fail(MOOD_E_INVALID, "reshape: the tensor is not contiguous");
    mood_tensor view;
    MOOD__TRY(mood_tensor_make(&view, t->data, t->dtype, rank, dim));
    if (mood_tensor_elements(&view) != mood_tensor_elements(t)) {
        char from[MOOD__SHAPE_BYTES], to[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "reshape: %s to %s",
                          mood__shape_text(from, t->rank, t->dim), mood__shape_text(to, rank, dim));
    }
    *out = view;
    return MOOD_OK;
}

mood_status mood_tensor_copy(const mood_tensor *dst, const mood_tensor *src)
{
    if (!mood_tensor_same_shape(dst, src)) {
        char to[MOOD__SHAPE_BYTES], from[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "copy: from %s to %s",
                          mood__shape_text(from, src->rank, src->dim),
                          mood__shape_text(to, dst->rank, dst->dim));
    }
    if (dst->dtype != src->dtype)
        return mood__fail(MOOD_E_INVALID, "copy: from %s to %s", mood_dtype_name(src->dtype),
                          mood_dtype_name(dst->dtype));
    size_t size = mood_dtype_bytes(src->dtype);
    if (mood_tensor_is_contiguous(dst) && mood_tensor_is_contiguous(src)) {
        memcpy(dst->data, src->data, mood_tensor_bytes(src));
        return MOOD_OK;
    }
    /* An odometer over the elements, or over the rows of the last axis where they are whole. */
    int64_t at[MOOD_MAX_RANK] = {0}, run = 1;
    int axes = src->rank;
    if (axes > 0 && dst->stride[axes - 1] == 1 && src->stride[axes - 1] == 1)
        run = src->dim[--axes];
    for (int64_t left = mood_tensor_elements(src) / run; left > 0; left--) {
        int64_t i = 0, j = 0;
        for (int k = 0; k < axes; k++) {
            i += at[k] * dst->stride[k];
            j += at[k] * src->stride[k];
        }
        memcpy((char *)dst->data + (size_t)i * size, (const char *)src->data + (size_t)j * size,
               (size_t)run * size);
        for (int k = axes - 1; k >= 0 && ++at[k] == src->dim[k]; k--)
            at[k] = 0;
    }
    return MOOD_OK;
}

mood_status mood__check_finite(const mood_tensor *t, const char *name)
{
    const float *x = mood__f32(t);
    int64_t n = mood_tensor_elements(t);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return mood__fail(MOOD_E_NUMERIC, "'%s' is NaN or infinite at element %lld", name,
                              (long long)i);
    }
    return MOOD_OK;
}

mood_status mood__tensor_panels(mood_tensor *out, const mood_tensor *t)
{
    int64_t n = t->rank < 2 ? 0 : t->dim[t->rank - 1], k = n ? mood_tensor_elements(t) / n : 0;
    if (k < 1 || k > MOOD__I8_MAX_DEPTH) {
        char text[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE,
                          "shape %s cannot be i8: 2 axes or more, and sums of at most %d",
                          mood__shape_text(text, t->rank, t->dim), MOOD__I8_MAX_DEPTH);
    }
    return mood_tensor_make(out, t->dtype == MOOD_I8 ? t->data : NULL, MOOD_I8, 2,
                            (int64_t[]){mood__i8_panels(n), mood__i8_panel_bytes(k)});
}

bool mood__can_be_f32_panels(const mood_tensor *t)
{
    return t->rank == 2 && t->dim[1] % MOOD__PANEL == 0 &&
           (t->dtype == MOOD_F32 || t->dtype == MOOD_F32_PANELS);
}

mood_tensor mood__f32_panels(const mood_tensor *t)
{
    int64_t K = t->dim[0], N = t->dim[1];
    bool panels = t->dtype == MOOD_F32_PANELS;
    mood_tensor view = {.data = t->data, .rank = 3, .dtype = MOOD_F32};
    for (int i = 3; i < MOOD_MAX_RANK; i++)
        view.dim[i] = view.stride[i] = 1;
    view.dim[0] = N / MOOD__PANEL, view.dim[1] = K, view.dim[2] = MOOD__PANEL;
    view.stride[0] = panels ? K * MOOD__PANEL : MOOD__PANEL;
    view.stride[1] = panels ? MOOD__PANEL : N;
    view.stride[2] = 1;
    return view;
}

mood_status mood__copy_f32(const mood_tensor *dst, const mood_tensor *src)
{
    if (src->dtype != MOOD_F32_PANELS || !mood_tensor_same_shape(dst, src))
        return mood_tensor_copy(dst, src);
    mood_tensor to = mood__f32_panels(dst), from = mood__f32_panels(src);
    return mood_tensor_copy(&to, &from);
}
