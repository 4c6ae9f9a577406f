/* SPDX-License-Identifier: MIT
 *
 * model_encoder.c — Which encoder a model belongs to, and where it is: in the model, or in a file
 * that has to be found. A path says nothing (files are moved, and replaced), so what is found is
 * known by its identity. */
#include "models/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

const mood_encoder_use *mood_model_encoder(const mood_model *model)
{
    return model->config.encoder.width > 0 ? &model->config.encoder : NULL;
}

mood_encoder *mood_model_embedded(const mood_model *model)
{
    return model->embedded;
}

mood_status mood_model_check_encoder(const mood_model *model, const mood_encoder *encoder)
{
    const mood_encoder_use *use = mood_model_encoder(model);
    if (!use)
        return mood__fail(MOOD_E_INVALID, "the model has no encoder");
    const char *identity = mood_encoder_identity(encoder);
    if (strcmp(identity, use->identity) != 0)
        return mood__fail(MOOD_E_INVALID,
                          "is another encoder: its identity is %s, the model's encoder has %s",
                          identity, use->identity);
    /* The identity covers the config; a file that was made by hand may lie about the rest. */
    const mood_encoder_config *c = mood_encoder_get_config(encoder);
    if (c->width != use->width || c->n_layers != use->n_layers)
        return mood__fail(MOOD_E_INVALID,
                          "has %d layers of width %d; the model was made for %d of width %d",
                          c->n_layers, c->width, use->n_layers, use->width);
    return MOOD_OK;
}

mood_status mood_model_embed(mood_model *model, mood_encoder *encoder, mood_dtype dtype)
{
    if (dtype != MOOD_F32 && dtype != MOOD_F16 && dtype != MOOD_I8)
        return mood__fail(MOOD_E_INVALID, "an encoder is stored as f32, f16 or i8, not as %s",
                          mood_dtype_name(dtype));
    MOOD__TRY(mood_model_check_encoder(model, encoder));
    mood_encoder *before = model->embedded;
    model->embedded = mood_encoder_retain(encoder);
    model->embedded_dtype = dtype;
    mood_encoder_destroy(&before);
    return MOOD_OK;
}

mood_status mood__model_take_encoder(mood_model *model, mood_encoder *encoder)
{
    char *identity = mood__strdup(mood_encoder_identity(encoder)), *hint = mood__strdup("");
    if (!identity || !hint) {
        mood__free(identity);
        mood__free(hint);
        return mood__nomem();
    }
    mood__free(model->identity);
    mood__free(model->hint);
    model->config.encoder.identity = model->identity = identity;
    model->config.encoder.hint = model->hint = hint;
    return mood_model_embed(model, encoder, MOOD_F32);
}

/* ---- finding it --------------------------------------------------------------------------- */

/* What was looked at in vain, for the message. */
struct search {
    const mood_model *model;
    mood_encoder *found;
    char said[MOOD__DETAIL_BYTES];
    size_t used;
};

/* As mood_encoder_load, for the model's encoder only. */
static mood_status load_own(mood_encoder **out, const mood_model *m, const char *path)
{
    mood_encoder *e;
    *out = NULL;
    MOOD__TRY(mood_encoder_load(&e, path));
    mood_status status = mood_model_check_encoder(m, e);
    if (status)
        mood_encoder_destroy(&e);
    *out = e;
    return status;
}

/* Look at one place. Only want of memory ends the search. */
static mood_status look_at(struct search *s, const char *path)
{
    mood_status status = load_own(&s->found, s->model, path);
    if (status == MOOD_OK || status == MOOD_E_NOMEM)
        return status;
    const char *why = status == MOOD_E_INVALID ? "another encoder" : mood_error_detail();
    int n = snprintf(s->said + s->used, sizeof(s->said) - s->used, "%s%.150s: %.80s",
                     s->used ? "; " : "", path, why);
    if (n > 0)
        s->used += (size_t)n;
    if (s->used >= sizeof(s->said))
        s->used = sizeof(s->said) - 1;
    return MOOD_OK;
}

/* Look for `name` in the first `folder_bytes` bytes of `folder`. */
static mood_status look_in(struct search *s, const char *folder, size_t folder_bytes,
                           const char *name)
{
    size_t bytes = folder_bytes + strlen(name) + 2;
    char *path = mood__calloc(bytes, 1);
    if (!path)
        return mood__nomem();
    snprintf(path, bytes, "%.*s/%s", (int)folder_bytes, folder, name);
    mood_status status = look_at(s, path);
    mood__free(path);
    return status;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static mood_status search_all(struct search *s, const char *model_path)
{
    const char *hint = s->model->config.encoder.hint, *home = getenv("MOOD_HOME");
    const char *name = base_name(hint);
    if (name[0] == '\0')
        return MOOD_OK;
    MOOD__TRY(look_at(s, hint));
    if (model_path && !s->found) {
        size_t folder = (size_t)(base_name(model_path) - model_path);
        if (folder > 0)
            MOOD__TRY(look_in(s, model_path, folder - 1, name));
        else if (name != hint) /* else it is the hint's own place */
            MOOD__TRY(look_at(s, name));
    }
    if (home && home[0] != '\0' && !s->found)
        MOOD__TRY(look_in(s, home, strlen(home), name));
    return MOOD_OK;
}

mood_status mood_model_find_encoder(mood_encoder **out, const mood_model *model,
                                    const char *model_path, const char *given)
{
    const mood_encoder_use *use = mood_model_encoder(model);
    *out = NULL;
    if (given)
        return use ? load_own(out, model, given)
                   : mood__fail(MOOD_E_INVALID, "the model has no encoder");
    if (!use)
        return MOOD_OK;
    struct search s = {.model = model, .found = mood_encoder_retain(model->embedded)};
    if (!s.found)
        MOOD__TRY(search_all(&s, model_path));
    *out = s.found;
    if (s.found)
        return MOOD_OK;
    return mood__fail(MOOD_E_MISSING, "its encoder %.12s... was not found (%s)", use->identity,
                      s.used ? s.said : "the model does not say where it was");
}
