/* SPDX-License-Identifier: MIT
 *
 * model_file.c — Model files. Kind "model"; its entries are
 *
 *     config          JSON: labels, network, encoder, audio (config.c)
 *     record          JSON: how it was trained, whatever the trainer wrote
 *     weights/NAME    float32, one for each weight of the network, running statistics included;
 *                     float16 where that holds all its numbers exactly
 *     encoder-config  and encoder/NAME: the encoder, if it was put into the model (encoder_file.c)
 *
 * A file of a newer minor version may hold further entries outside weights/; else nothing but these
 * may be there, since what nobody reads is more likely a mistake than a message. */
#include "models/model.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/text.h"
#include "models/encoder.h"
#include "store/store.h"
#include "tensor/tensor.h"

static const struct mood__format model_format = {.kind = "model", .major = 1, .minor = 1};

static const char config_name[] = "config";
static const char record_name[] = "record";
static const char weights_folder[] = "weights/";
static const struct mood__encoder_place encoder_place = {.config = "encoder-config",
                                                         .folder = "encoder/"};

static const char *weight_entry(char out[MOOD__ENTRY_NAME_BYTES], const mood_weights *w, int i)
{
    snprintf(out, MOOD__ENTRY_NAME_BYTES, "%s%s", weights_folder, mood_weights_name(w, i));
    return out;
}

/* ---- writing ------------------------------------------------------------------------------ */

static mood_status add_config(struct mood__writer *w, const mood_model *m)
{
    char *text;
    MOOD__TRY(mood__config_write(&text, &m->config));
    mood_status status = mood__writer_add_text(w, config_name, text);
    mood__free(text);
    return status;
}

enum { WORTH_IT = 4096 }; /* elements */

/* Whether 16 bits hold each number exactly, as those of a kernel's centres do: then they need half
 * the room. */
static bool fits_f16(const mood_tensor *t)
{
    const float *x = mood__f32(t);
    int64_t n = mood_tensor_elements(t);
    for (int64_t i = 0; i < n; i++) {
        uint16_t half;
        float back;
        mood__f32_to_f16(&half, &x[i], 1);
        mood__f16_to_f32(&back, &half, 1);
        if (back != x[i])
            return false;
    }
    return n >= WORTH_IT;
}

static mood_status add_all(struct mood__writer *w, const mood_model *m)
{
    MOOD__TRY(add_config(w, m));
    MOOD__TRY(mood__writer_add_text(w, record_name, m->record));
    if (m->embedded)
        MOOD__TRY(mood__encoder_write(w, m->embedded, &encoder_place, m->embedded_dtype));
    for (int i = 0; i < mood_weights_count(m->weights); i++) {
        char name[MOOD__ENTRY_NAME_BYTES];
        const mood_tensor *value = mood_weights_value(m->weights, i);
        const char *entry = weight_entry(name, m->weights, i);
        MOOD__TRY(fits_f16(value) ? mood__writer_add_tensor_as_f16(w, entry, value)
                                  : mood__writer_add_tensor(w, entry, value));
    }
    return MOOD_OK;
}

mood_status mood_model_save(const mood_model *model, const char *path)
{
    struct mood__writer *w;
    MOOD__TRY(mood__writer_create(&w, &model_format));
    mood_status status = add_all(w, model);
    if (!status)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Whether each weight of that config is in the file. Until then no memory is taken for them: a
 * config is quickly written that asks for all there is. */
static mood_status check_weights(const struct mood__config *config, const struct mood__reader *r)
{
    mood_model *outline;
    mood_status status = mood__model_create(&outline, config, MOOD__START_OUTLINE, 0);
    /* What create calls an invalid argument is here the file's mistake. */
    if (status)
        return mood__fail_in(status == MOOD_E_INVALID ? MOOD_E_FORMAT : status, "its config");
    mood_weights *w = outline->weights;
    for (int i = 0; i < mood_weights_count(w) && !status; i++) {
        char name[MOOD__ENTRY_NAME_BYTES];
        status = mood__reader_check(r, weight_entry(name, w, i), mood_weights_value(w, i));
    }
    mood_model_destroy(&outline);
    return status;
}

/* A model as the config says, its weights still zeros. */
static mood_status create_from_config(mood_model **out, const struct mood__reader *r)
{
    const char *text;
    MOOD__TRY(mood__reader_text(r, config_name, &text));
    struct mood__config config;
    mood_status status = mood__config_read(&config, text);
    if (status)
        status = mood__fail_in(status, "its config");
    if (!status)
        status = check_weights(&config, r);
    if (!status)
        status = mood__model_create(out, &config, MOOD__START_BLANK, 0);
    mood__config_free(&config);
    return status;
}

static mood_status load_record(mood_model *m, const struct mood__reader *r)
{
    const char *text;
    MOOD__TRY(mood__reader_text(r, record_name, &text));
    mood_status status = mood_model_set_record(m, text);
    if (status == MOOD_E_INVALID)
        status = MOOD_E_FORMAT;
    return status ? mood__fail_in(status, "its record") : MOOD_OK;
}

static mood_status load_weights(mood_model *m, const struct mood__reader *r)
{
    for (int i = 0; i < mood_weights_count(m->weights); i++) {
        char name[MOOD__ENTRY_NAME_BYTES];
        const mood_tensor *value = mood_weights_value(m->weights, i);
        MOOD__TRY(mood__reader_tensor(r, weight_entry(name, m->weights, i), value));
        MOOD__TRY(mood__check_finite(value, mood_weights_name(m->weights, i)));
    }
    return MOOD_OK;
}

/* The type of the encoder's numbers in the file, for the next time that the model is saved. */
static mood_dtype stored_dtype(const struct mood__reader *r)
{
    for (size_t i = 0; i < mood__reader_count(r); i++) {
        const struct mood__entry *e = mood__reader_at(r, i);
        if (strncmp(e->name, encoder_place.folder, strlen(encoder_place.folder)) == 0)
            return e->tensor.dtype;
    }
    return MOOD_F32;
}

/* The encoder uses its weights where they lie in the file: the reader may then be its own, and *r
 * is NULL. */
static mood_status load_encoder(mood_model *m, struct mood__reader **r)
{
    mood_encoder *encoder;
    if (!mood__reader_find(*r, encoder_place.config))
        return MOOD_OK;
    mood_dtype dtype = stored_dtype(*r);
    mood_status status = mood__encoder_take(&encoder, r, &encoder_place);
    if (!status)
        status = mood_model_embed(m, encoder, dtype);
    mood_encoder_destroy(&encoder);
    if (status == MOOD_E_INVALID)
        status = MOOD_E_FORMAT;
    return status ? mood__fail_in(status, "its encoder") : MOOD_OK;
}

/* Which weights an encoder has is for load_encoder to check. */
static bool is_known(const struct mood__reader *r, const char *name)
{
    if (strcmp(name, config_name) == 0 || strcmp(name, record_name) == 0)
        return true;
    return mood__reader_find(r, encoder_place.config) &&
           (strcmp(name, encoder_place.config) == 0 ||
            strncmp(name, encoder_place.folder, strlen(encoder_place.folder)) == 0);
}

static mood_status check_nothing_else(const mood_model *m, const struct mood__reader *r)
{
    bool newer = mood__reader_header(r)->minor > model_format.minor;
    size_t folder_bytes = sizeof(weights_folder) - 1;
    for (size_t i = 0; i < mood__reader_count(r); i++) {
        const char *name = mood__reader_at(r, i)->name;
        bool weight = strncmp(name, weights_folder, folder_bytes) == 0;
        bool known =
            weight ? mood_weights_find(m->weights, name + folder_bytes) >= 0 : is_known(r, name);
        if (!known && (weight || !newer))
            return mood__fail(MOOD_E_MISSING, "'%s' is in the file, but no model has it", name);
    }
    return MOOD_OK;
}

mood_status mood_model_load(mood_model **out, const char *path)
{
    *out = NULL;
    struct mood__reader *r;
    mood_model *m = NULL;
    MOOD__TRY(mood__reader_map(&r, path, &model_format));
    mood_status status = create_from_config(&m, r);
    if (!status)
        status = load_record(m, r);
    if (!status)
        status = load_weights(m, r);
    if (!status)
        status = check_nothing_else(m, r);
    if (!status)
        status = load_encoder(m, &r);
    mood__reader_close(&r);
    if (status)
        mood_model_destroy(&m);
    else
        *out = m;
    return status;
}
