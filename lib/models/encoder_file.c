/* SPDX-License-Identifier: MIT
 *
 * encoder_file.c — Encoder files (docs/file-formats.md): a store file of kind "encoder", and the
 * same content inside files of other kinds. */
#include "models/encoder.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/node.h"
#include "kernel/gemm_i8.h"
#include "tensor/tensor.h"

static const struct mood__format encoder_format = {.kind = "encoder", .major = 1, .minor = 0};
static const struct mood__encoder_place own_place = {.config = "config", .folder = "weights/"};

static const char *entry_name(char out[MOOD__ENTRY_NAME_BYTES],
                              const struct mood__encoder_place *place, const char *weight)
{
    snprintf(out, MOOD__ENTRY_NAME_BYTES, "%s%s", place->folder, weight);
    return out;
}

/* Whether a weight can be i8: the matrices of dense layers and convolutions. What is left is the
 * first convolution, which hears the samples, the positional one, whose groups are too narrow for
 * panels, and what is no matrix; together 5 % of the weights. */
static bool can_be_i8(const char *name, const mood_tensor *t)
{
    mood_tensor panels;
    bool matrix = t->rank == 2 ||
                  (t->rank == 3 && t->dim[1] > 1 && strncmp(name, "feature_extractor.", 18) == 0);
    return matrix && mood__tensor_panels(&panels, t) == MOOD_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

static mood_status write_weight(struct mood__writer *w, const char *entry, const char *name,
                                const mood_tensor *value, mood_dtype dtype)
{
    if (value->dtype == MOOD_I8) {
        mood_tensor panels;
        MOOD__TRY(mood__tensor_panels(&panels, value));
        return mood__writer_add_tensor(w, entry, &panels);
    }
    if (dtype == MOOD_I8 && can_be_i8(name, value))
        return mood__writer_add_tensor_as_i8(w, entry, value);
    mood_tensor t = mood__can_be_f32_panels(value) ? mood__f32_panels(value) : *value;
    return dtype == MOOD_F16 ? mood__writer_add_tensor_as_f16(w, entry, &t)
                             : mood__writer_add_tensor(w, entry, &t);
}

mood_status mood__encoder_write(struct mood__writer *w, const mood_encoder *e,
                                const struct mood__encoder_place *place, mood_dtype dtype)
{
    char *text;
    if (dtype != MOOD_F32 && dtype != MOOD_F16 && dtype != MOOD_I8)
        return mood__fail(MOOD_E_INVALID, "an encoder's weights can be written as f32, f16 or i8");
    if (e->identity[0] == '\0')
        return mood__fail(MOOD_E_INVALID, "the encoder has no identity yet");
    /* As f32 they would pass for those that the identity was made from. */
    if (e->has_i8)
        dtype = MOOD_I8;
    else if (e->rounded && dtype == MOOD_F32)
        dtype = MOOD_F16;
    MOOD__TRY(mood__encoder_print(&text, e));
    mood_status status = mood__writer_add_text(w, place->config, text);
    mood__free(text);
    for (int i = 0; i < mood_weights_count(e->weights) && !status; i++) {
        char full[MOOD__ENTRY_NAME_BYTES];
        const char *name = mood_weights_name(e->weights, i);
        status = write_weight(w, entry_name(full, place, name), name,
                              mood_weights_value(e->weights, i), dtype);
    }
    return status;
}

mood_status mood_encoder_save(const mood_encoder *encoder, const char *path, mood_dtype dtype)
{
    struct mood__writer *w;
    MOOD__TRY(mood__writer_create(&w, &encoder_format));
    mood_status status = mood__encoder_write(w, encoder, &own_place, dtype);
    if (!status)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------ */

static mood_status create_from_config(mood_encoder **out, const struct mood__reader *r,
                                      const struct mood__encoder_place *place)
{
    const char *text;
    MOOD__TRY(mood__reader_text(r, place->config, &text));
    mood_status status = mood__encoder_parse(out, text);
    return status ? mood__fail_in(status, "its %s", place->config) : MOOD_OK;
}

/* The type that a weight gets: matrices lie in panels, but in files of other programs. */
static mood_dtype dtype_of(const struct mood__entry *e, const mood_tensor *shape)
{
    bool panels = e && !e->text && e->tensor.rank == 3 && mood__can_be_f32_panels(shape);
    return panels ? MOOD_F32_PANELS : MOOD_F32;
}

/* As which tensor of f32 its numbers are read. */
static mood_tensor as_stored(const mood_tensor *t)
{
    return t->dtype == MOOD_F32_PANELS ? mood__f32_panels(t) : *t;
}

/* Whether the file has this weight. i8 is a type beside f32; others are not mixed: *rest is that of
 * the weights before, or I8 when there were none. */
static mood_status check_weight(const struct mood__reader *r, const char *entry, const char *name,
                                const mood_tensor *shape, mood_dtype *rest)
{
    const struct mood__entry *e = mood__reader_find(r, entry);
    mood_tensor panels;
    if (e && !e->text && e->tensor.dtype == MOOD_I8 && can_be_i8(name, shape)) {
        MOOD__TRY(mood__tensor_panels(&panels, shape));
        return mood__reader_check(r, entry, &panels);
    }
    mood_tensor t = *shape;
    t.dtype = dtype_of(e, shape);
    t = as_stored(&t);
    MOOD__TRY(mood__reader_check(r, entry, &t));
    if (*rest != MOOD_I8 && *rest != e->tensor.dtype)
        return mood__fail(MOOD_E_FORMAT, "'%s' has type %s, and other weights have %s", entry,
                          mood_dtype_name(e->tensor.dtype), mood_dtype_name(*rest));
    *rest = e->tensor.dtype;
    return MOOD_OK;
}

/* Whether the file has exactly the weights of the outline, each with its shape. Until then no
 * memory is taken for them: a config is quickly written that asks for all there is. */
static mood_status check_weights(const struct mood__reader *r,
                                 const struct mood__encoder_place *place,
                                 const mood_weights *outline)
{
    size_t folder_bytes = strlen(place->folder);
    mood_dtype rest = MOOD_I8;
    for (int i = 0; i < mood_weights_count(outline); i++) {
        char full[MOOD__ENTRY_NAME_BYTES];
        const char *name = mood_weights_name(outline, i);
        MOOD__TRY(check_weight(r, entry_name(full, place, name), name,
                               mood_weights_value(outline, i), &rest));
    }
    for (size_t i = 0; i < mood__reader_count(r); i++) {
        const char *name = mood__reader_at(r, i)->name;
        if (strncmp(name, place->folder, folder_bytes) == 0 &&
            mood_weights_find(outline, name + folder_bytes) < 0)
            return mood__fail(MOOD_E_MISSING, "'%s' is in the file, but no encoder has it", name);
    }
    return MOOD_OK;
}

static const mood_tensor *newest(const mood_weights *w)
{
    return mood_weights_value(w, mood_weights_count(w) - 1);
}

/* Panels are used where they lie. */
static mood_status load_i8(mood_encoder *e, const mood_tensor *stored, const char *name,
                           const mood_tensor *shape)
{
    mood_tensor t = *shape;
    t.dtype = MOOD_I8;
    t.data = stored->data;
    int64_t n = t.dim[t.rank - 1];
    if (!mood__i8_check(t.data, mood_tensor_elements(&t) / n, n))
        return mood__fail(MOOD_E_NUMERIC, "weight '%s' has an impossible scale or sum", name);
    e->rounded = e->has_i8 = true;
    return mood__weights_add_borrowed(e->weights, name, &t);
}

/* Float16 is expanded. */
static mood_status load_f16(mood_encoder *e, const struct mood__reader *r, const char *entry,
                            const char *name, const mood_tensor *t)
{
    e->rounded = true;
    MOOD__TRY(mood_weights_add(e->weights, name, t->rank, t->dim, (mood_init){.frozen = true}));
    if (t->dtype == MOOD_F32_PANELS)
        mood__weights_are_panels(e->weights);
    mood_tensor to = as_stored(newest(e->weights));
    return mood__reader_tensor(r, entry, &to);
}

/* Float32 is used where it lies. */
static mood_status load_weight(mood_encoder *e, const struct mood__reader *r, const char *entry,
                               const char *name, const mood_tensor *shape)
{
    const struct mood__entry *stored = mood__reader_find(r, entry);
    if (stored->tensor.dtype == MOOD_I8)
        return load_i8(e, &stored->tensor, name, shape);
    mood_tensor t = *shape;
    t.dtype = dtype_of(stored, shape);
    t.data = stored->tensor.data;
    if (stored->tensor.dtype == MOOD_F16)
        MOOD__TRY(load_f16(e, r, entry, name, &t));
    else
        MOOD__TRY(mood__weights_add_borrowed(e->weights, name, &t));
    return mood__check_finite(newest(e->weights), name);
}

static mood_status load_weights(mood_encoder *e, const struct mood__reader *r,
                                const struct mood__encoder_place *place,
                                const mood_weights *outline)
{
    MOOD__TRY(check_weights(r, place, outline));
    MOOD__TRY(mood_weights_create(&e->weights, 0));
    for (int i = 0; i < mood_weights_count(outline); i++) {
        char full[MOOD__ENTRY_NAME_BYTES];
        const char *name = mood_weights_name(outline, i);
        MOOD__TRY(
            load_weight(e, r, entry_name(full, place, name), name, mood_weights_value(outline, i)));
    }
    mood_weights_seal(e->weights);
    return MOOD_OK;
}

mood_status mood__encoder_take(mood_encoder **out, struct mood__reader **r,
                               const struct mood__encoder_place *place)
{
    mood_weights *outline = NULL;
    *out = NULL;
    mood_encoder *e;
    MOOD__TRY(create_from_config(&e, *r, place));
    mood_status status = mood__encoder_outline(&outline, &e->config);
    if (!status)
        status = load_weights(e, *r, place, outline);
    mood_weights_destroy(&outline);
    if (status) {
        mood_encoder_destroy(&e);
        return status;
    }
    if (e->rounded && !e->has_i8) /* nothing lies in the file */
        mood__reader_close(r);
    e->file = *r;
    *r = NULL;
    *out = e;
    return MOOD_OK;
}

static mood_status check_nothing_else(const struct mood__reader *r)
{
    if (mood__reader_header(r)->minor > encoder_format.minor)
        return MOOD_OK;
    for (size_t i = 0; i < mood__reader_count(r); i++) {
        const char *name = mood__reader_at(r, i)->name;
        if (strcmp(name, own_place.config) != 0 &&
            strncmp(name, own_place.folder, strlen(own_place.folder)) != 0)
            return mood__fail(MOOD_E_MISSING, "'%s' is in the file, but no encoder has it", name);
    }
    return MOOD_OK;
}

mood_status mood_encoder_load(mood_encoder **out, const char *path)
{
    *out = NULL;
    struct mood__reader *r;
    MOOD__TRY(mood__reader_map(&r, path, &encoder_format));
    mood_status status = check_nothing_else(r);
    if (!status)
        status = mood__encoder_take(out, &r, &own_place);
    mood__reader_close(&r);
    return status;
}
