/* SPDX-License-Identifier: MIT
 *
 * import_tensors.c — The tensors of a published checkpoint: names, layouts, and the weight norm.
 *
 * The encoder's tensors have transformers' names, behind "wav2vec2.", "hubert." or nothing. PyTorch
 * has the outputs of a dense layer or a convolution outermost; libmood has them innermost, and taps
 * outermost: all axes in reverse. */
#include "models/import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "tensor/tensor.h"

static const char *const prefixes[] = {"wav2vec2.", "hubert."};

/* What a pre-training or a reader of letters leaves in a file, and nobody needs who listens. So is
 * masked_spec_embed, with the encoder's prefix. */
static const char *const extras[] = {
    "quantizer.codevectors",
    "quantizer.weight_proj.weight",
    "quantizer.weight_proj.bias",
    "project_q.weight",
    "project_q.bias",
    "project_hid.weight",
    "project_hid.bias",
    "lm_head.weight",
    "lm_head.bias",
};

/* The names that a split weight can have behind ".pos_conv_embed.conv": its length, one for each
 * tap (1, 1, K), and its direction (D, D/groups, K). The second pair is PyTorch's since 2.0. */
static const struct {
    const char *length, *direction;
} splits[] = {
    {"weight_g", "weight_v"},
    {"parametrizations.weight.original0", "parametrizations.weight.original1"},
};
enum { N_SPLITS = 2, NOT_SPLIT = N_SPLITS };

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

/* Whether a name is of the encoder, without any prefix. */
static bool is_bare(const char *name)
{
    return begins(name, "feature_extractor.") || begins(name, "feature_projection.") ||
           begins(name, "encoder.");
}

static mood_status find_prefix(struct mood__import *im)
{
    const char *first = NULL;
    for (size_t i = 0; i < mood__checkpoint_count(im->checkpoint); i++) {
        const char *name = mood__checkpoint_at(im->checkpoint, i)->name, *prefix = NULL;
        for (int k = 0; k < 2; k++)
            prefix = begins(name, prefixes[k]) ? prefixes[k] : prefix;
        if (!prefix && is_bare(name))
            prefix = "";
        if (prefix && first && strcmp(prefix, im->prefix) != 0)
            return mood__fail(MOOD_E_FORMAT, "has '%s' and '%s': tensors of two encoders", first,
                              name);
        if (prefix && !first) {
            first = name;
            im->prefix = prefix;
        }
    }
    return MOOD_OK;
}

mood_status mood__import_open(struct mood__import *im, const char *folder)
{
    *im = (struct mood__import){.prefix = ""};
    MOOD__TRY(mood__checkpoint_open(&im->checkpoint, folder));
    im->claimed = mood__calloc(mood__checkpoint_count(im->checkpoint), sizeof(*im->claimed));
    return im->claimed ? find_prefix(im) : mood__nomem();
}

void mood__import_close(struct mood__import *im)
{
    mood__checkpoint_close(&im->checkpoint);
    mood__free(im->claimed);
    mood__free(im->scratch);
    *im = (struct mood__import){0};
}

/* ---- claiming ---------------------------------------------------------------------------------
 */

static bool has(const struct mood__import *im, const char *name)
{
    return mood__checkpoint_find(im->checkpoint, name) != NULL;
}

static mood_status check_shape(const struct mood__listed *t, int rank, const int64_t *dim)
{
    char there[MOOD__SHAPE_BYTES], here[MOOD__SHAPE_BYTES];
    if (t->rank == rank && memcmp(t->dim, dim, (size_t)rank * sizeof(*dim)) == 0)
        return MOOD_OK;
    if (t->rank > MOOD_MAX_RANK)
        return mood__fail(MOOD_E_SHAPE, "'%s' has rank %d in the file, where %d is needed", t->name,
                          t->rank, rank);
    return mood__fail(MOOD_E_SHAPE, "'%s' has shape %s in the file, where %s is needed", t->name,
                      mood__shape_text(there, t->rank, t->dim), mood__shape_text(here, rank, dim));
}

static mood_status claim(struct mood__import *im, const char *name, int rank, const int64_t *dim)
{
    const struct mood__listed *t = mood__checkpoint_find(im->checkpoint, name);
    if (!t)
        return mood__fail(MOOD_E_MISSING, "'%s' is not in the file", name);
    im->claimed[t - mood__checkpoint_at(im->checkpoint, 0)] = true;
    return check_shape(t, rank, dim);
}

/* The shape that a tensor of ours has in the file. */
static void reverse_shape(int64_t dim[MOOD_MAX_RANK], const mood_tensor *t)
{
    for (int i = 0; i < t->rank; i++)
        dim[i] = t->dim[t->rank - 1 - i];
}

mood_status mood__import_claim(struct mood__import *im, const char *name, const mood_tensor *shape)
{
    int64_t dim[MOOD_MAX_RANK];
    reverse_shape(dim, shape);
    return claim(im, name, shape->rank, dim);
}

/* The encoder's tensor `stem`.`end` under its full name; returns buf. */
static const char *full_name(const struct mood__import *im, char buf[MOOD__LISTED_NAME_BYTES],
                             const char *stem, const char *end)
{
    snprintf(buf, MOOD__LISTED_NAME_BYTES, "%s%s%s%s", im->prefix, stem, *end ? "." : "", end);
    return buf;
}

static bool is_position_weight(const char *name)
{
    return strcmp(name, MOOD__POSITION_CONV ".weight") == 0;
}

/* Which of `splits` the file has, or NOT_SPLIT. */
static int find_split(const struct mood__import *im)
{
    char name[MOOD__LISTED_NAME_BYTES];
    int i = 0;
    while (i < N_SPLITS &&
           !has(im, full_name(im, name, MOOD__POSITION_CONV, splits[i].direction)) &&
           !has(im, full_name(im, name, MOOD__POSITION_CONV, splits[i].length)))
        i++;
    return i;
}

/* A second form beside the one that is claimed is left over, and found by mood__import_check_rest.
 */
static mood_status claim_position(struct mood__import *im, const mood_tensor *shape)
{
    char name[MOOD__LISTED_NAME_BYTES];
    int i = find_split(im);
    if (i == NOT_SPLIT)
        return mood__import_claim(im, full_name(im, name, MOOD__POSITION_CONV, "weight"), shape);
    full_name(im, name, MOOD__POSITION_CONV, splits[i].direction);
    MOOD__TRY(mood__import_claim(im, name, shape));
    full_name(im, name, MOOD__POSITION_CONV, splits[i].length);
    return claim(im, name, 3, (int64_t[]){1, 1, shape->dim[0]});
}

mood_status mood__import_claim_encoder(struct mood__import *im, const mood_weights *outline)
{
    for (int i = 0; i < mood_weights_count(outline); i++) {
        char name[MOOD__LISTED_NAME_BYTES];
        const char *weight = mood_weights_name(outline, i);
        const mood_tensor *shape = mood_weights_value(outline, i);
        if (is_position_weight(weight))
            MOOD__TRY(claim_position(im, shape));
        else
            MOOD__TRY(mood__import_claim(im, full_name(im, name, weight, ""), shape));
    }
    return MOOD_OK;
}

static bool is_extra(const struct mood__import *im, const char *name)
{
    char masked[MOOD__LISTED_NAME_BYTES];
    if (strcmp(name, full_name(im, masked, "masked_spec_embed", "")) == 0)
        return true;
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        if (strcmp(name, extras[i]) == 0)
            return true;
    }
    return false;
}

mood_status mood__import_check_rest(const struct mood__import *im)
{
    for (size_t i = 0; i < mood__checkpoint_count(im->checkpoint); i++) {
        const char *name = mood__checkpoint_at(im->checkpoint, i)->name;
        if (!im->claimed[i] && !is_extra(im, name))
            return mood__fail(MOOD_E_MISSING,
                              "'%s' is in the file, but not in the network of config.json", name);
    }
    return MOOD_OK;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

void mood__reverse_axes(float *dst, const float *src, size_t a, size_t b, size_t c)
{
    enum { BLOCK = 16 }; /* floats of a cache line: they are written together */
    for (size_t first = 0; first < a; first += BLOCK) {
        size_t last = a - first < BLOCK ? a : first + BLOCK;
        for (size_t j = 0; j < b; j++)
            for (size_t k = 0; k < c; k++)
                for (size_t i = first; i < last; i++)
                    dst[(k * b + j) * a + i] = src[(i * b + j) * c + k];
    }
}

static mood_status reserve_scratch(struct mood__import *im, size_t n)
{
    if (n <= im->scratch_elements)
        return MOOD_OK;
    mood__free(im->scratch);
    im->scratch_elements = 0;
    im->scratch = mood__calloc(n, sizeof(float));
    if (!im->scratch)
        return mood__nomem();
    im->scratch_elements = n;
    return MOOD_OK;
}

/* A tensor of this shape into im->scratch, as it is in the file. */
static mood_status read_scratch(struct mood__import *im, const char *name, int rank,
                                const int64_t *dim)
{
    mood_tensor t;
    MOOD__TRY(mood_tensor_make(&t, NULL, MOOD_F32, rank, dim));
    size_t n = (size_t)mood_tensor_elements(&t);
    MOOD__TRY(reserve_scratch(im, n));
    t.data = im->scratch;
    MOOD__TRY(mood__checkpoint_tensor(im->checkpoint, name, &t));
    return mood__check_finite(&t, name);
}

mood_status mood__import_read(struct mood__import *im, const char *name, const mood_tensor *dst)
{
    int64_t dim[MOOD_MAX_RANK];
    if (dst->rank < 1 || dst->rank > 3)
        return mood__fail(MOOD_E_INVALID, "'%s' would have rank %d", name, dst->rank);
    reverse_shape(dim, dst);
    MOOD__TRY(read_scratch(im, name, dst->rank, dim));
    mood__reverse_axes(mood__f32(dst), im->scratch, (size_t)dim[0],
                       dst->rank > 1 ? (size_t)dim[1] : 1, dst->rank > 2 ? (size_t)dim[2] : 1);
    return MOOD_OK;
}

/* w[k] = g[k] * v[k] / |v[k]| for each tap k, over all else: weight norm along the last axis of v,
 * which is the first of ours. In double, once, so that the network needs not know of it. */
static mood_status fold(const mood_tensor *w, const float *length, const char *name)
{
    size_t taps = (size_t)w->dim[0], n = (size_t)(w->dim[1] * w->dim[2]);
    for (size_t k = 0; k < taps; k++) {
        double squares = 0;
        float *v = mood__f32(w) + k * n;
        for (size_t i = 0; i < n; i++)
            squares += (double)v[i] * v[i];
        double factor = length[k] / sqrt(squares);
        for (size_t i = 0; i < n; i++)
            v[i] = (float)(v[i] * factor);
        if (!isfinite(factor))
            return mood__fail(MOOD_E_NUMERIC, "'%s' is zero at tap %zu: its norm has no direction",
                              name, k);
    }
    return mood__check_finite(w, name);
}

static mood_status read_position(struct mood__import *im, const mood_tensor *w)
{
    char name[MOOD__LISTED_NAME_BYTES];
    int i = find_split(im);
    if (i == NOT_SPLIT)
        return mood__import_read(im, full_name(im, name, MOOD__POSITION_CONV, "weight"), w);
    MOOD__TRY(
        mood__import_read(im, full_name(im, name, MOOD__POSITION_CONV, splits[i].direction), w));
    full_name(im, name, MOOD__POSITION_CONV, splits[i].length);
    MOOD__TRY(read_scratch(im, name, 3, (int64_t[]){1, 1, w->dim[0]}));
    full_name(im, name, MOOD__POSITION_CONV, splits[i].direction);
    return fold(w, im->scratch, name);
}

mood_status mood__import_read_encoder(struct mood__import *im, const mood_weights *weights)
{
    for (int i = 0; i < mood_weights_count(weights); i++) {
        char name[MOOD__LISTED_NAME_BYTES];
        const char *weight = mood_weights_name(weights, i);
        const mood_tensor *value = mood_weights_value(weights, i);
        if (is_position_weight(weight))
            MOOD__TRY(read_position(im, value));
        else
            MOOD__TRY(mood__import_read(im, full_name(im, name, weight, ""), value));
    }
    return MOOD_OK;
}
