/* SPDX-License-Identifier: MIT
 *
 * import.c — A folder of the Hugging Face hub becomes an encoder, or a model with one inside.
 *
 * The order is: read what config.json says; list the tensors, without their numbers; find out what
 * they are together; see that each has its place, and each place its tensor; and only then take
 * memory for a network and read the numbers. */
#include "mood/import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "models/config.h"
#include "models/encoder.h"
#include "models/import.h"

/* All that is open during an import. */
struct job {
    struct mood__document config;
    struct mood__import_config says;
    struct mood__import_head head;
    struct mood__import_labels labels;
    struct mood__import files;
};

/* ---- config.json, preprocessor_config.json ----------------------------------------------------
 */

static mood_status read_document(struct mood__document *out, const char *folder, const char *name,
                                 bool optional)
{
    size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = mood__calloc(bytes, 1);
    if (!path)
        return mood__nomem();
    snprintf(path, bytes, "%s/%s", folder, name);
    mood_status status = MOOD_OK;
    if (!optional || mood__file_exists(path))
        status = mood__document_read(out, path);
    mood__free(path);
    return status;
}

static mood_status read_preprocessor(struct job *job, const char *folder)
{
    static const char name[] = "preprocessor_config.json";
    struct mood__document preprocessor = {0};
    mood_status status = read_document(&preprocessor, folder, name, true);
    if (!status)
        status = mood__import_read_preprocessor(&job->says.encoder, &preprocessor);
    mood__document_free(&preprocessor);
    return status ? mood__fail_in(status, "%s", name) : MOOD_OK;
}

static mood_status read_config(struct job *job, const char *folder)
{
    static const char name[] = "config.json";
    mood_status status = read_document(&job->config, folder, name, false);
    if (!status)
        status = mood__import_read_config(&job->says, &job->config);
    return status ? mood__fail_in(status, "%s", name) : read_preprocessor(job, folder);
}

/* ---- tensors ----------------------------------------------------------------------------------
 */

static mood_status claim_all(struct job *job)
{
    mood_weights *outline;
    MOOD__TRY(mood__encoder_outline(&outline, &job->says.encoder));
    mood_status status = mood__import_claim_encoder(&job->files, outline);
    mood_weights_destroy(&outline);
    if (!status)
        status = mood__import_claim_head(&job->files, &job->head);
    return status ? status : mood__import_check_rest(&job->files);
}

/* The set functions take their value over, and report its being NULL as their own failure. */

static json_t *file_names(const struct job *job)
{
    json_t *names = json_array();
    bool ok = names != NULL;
    const char *name;
    for (size_t i = 0; ok && (name = mood__checkpoint_file(job->files.checkpoint, i)) != NULL; i++)
        ok = json_array_append_new(names, json_string(name)) == 0;
    if (ok)
        return names;
    json_decref(names);
    return NULL;
}

/* Where it comes from: {"model_type": ..., "architecture": ..., "files": [...]}; NULL without
 * memory. */
static json_t *origin(const struct job *job)
{
    json_t *json = json_pack("{s:s}", "model_type", job->says.model_type);
    bool ok = json_object_set_new(json, "files", file_names(job)) == 0;
    if (job->says.architecture[0])
        ok = json_object_set_new(json, "architecture", json_string(job->says.architecture)) == 0 &&
             ok;
    if (ok)
        return json;
    json_decref(json);
    return NULL;
}

static mood_status make_encoder(mood_encoder **out, struct job *job)
{
    char *source;
    MOOD__TRY(mood_encoder_create(out, &job->says.encoder, NULL));
    MOOD__TRY(mood__import_read_encoder(&job->files, mood_encoder_weights(*out)));
    mood_encoder_identify(*out);
    MOOD__TRY(mood__print_object(&source, origin(job)));
    mood_status status = mood_encoder_set_source(*out, source);
    mood__free(source);
    return status;
}

/* ---- a classifier -----------------------------------------------------------------------------
 */

/* {"imported": {as above, "labels": [as they were]}} */
static json_t *record(const struct job *job)
{
    json_t *json = origin(job), *labels = json_array();
    bool ok = json && labels;
    for (int i = 0; ok && i < job->labels.n; i++)
        ok = json_array_append_new(labels, json_string(job->labels.original[i])) == 0;
    if (ok)
        ok = json_object_set(json, "labels", labels) == 0;
    json_t *all = ok ? json_pack("{s:O}", "imported", json) : NULL;
    json_decref(labels);
    json_decref(json);
    return all;
}

static mood_status set_record(mood_model *model, const struct job *job)
{
    char *text;
    MOOD__TRY(mood__print_object(&text, record(job)));
    mood_status status = mood_model_set_record(model, text);
    mood__free(text);
    return status;
}

static mood_status create_model(mood_model **out, const struct job *job, mood_encoder *encoder)
{
    const char *labels[MOOD_MAX_LABELS];
    for (int i = 0; i < job->labels.n; i++)
        labels[i] = job->labels.text[i];
    mood_status status = mood_model_create(
        out, &(mood_model_params){.labels = labels,
                                  .n_labels = job->labels.n,
                                  .encoder = encoder,
                                  .encoder_layer =
                                      job->head.mixed ? MOOD_LAYER_MIX : job->says.encoder.n_layers,
                                  .classifier = &job->head.params});
    /* What it calls an invalid argument is here the file's mistake. */
    return status == MOOD_E_INVALID ? mood__fail_in(MOOD_E_FORMAT, "config.json") : status;
}

static mood_status make_model(mood_model **out, struct job *job, mood_encoder *encoder)
{
    MOOD__TRY(create_model(out, job, encoder));
    MOOD__TRY(mood__import_read_head(&job->files, &job->head, mood_model_weights(*out)));
    MOOD__TRY(set_record(*out, job));
    return mood_model_embed(*out, encoder, MOOD_F32);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static void summarise(mood_imported *out, const struct job *job)
{
    const mood_encoder_config *c = &job->says.encoder;
    int n = snprintf(out->summary, sizeof(out->summary), "%s (%s), %d layers of width %d",
                     job->says.architecture[0] ? job->says.architecture : "an encoder",
                     job->says.model_type, c->n_layers, c->width);
    if (job->head.first && n > 0 && (size_t)n < sizeof(out->summary))
        snprintf(out->summary + n, sizeof(out->summary) - (size_t)n, ", %d labels", job->labels.n);
}

static mood_status run(mood_imported *out, struct job *job, const char *folder)
{
    MOOD__TRY(read_config(job, folder));
    MOOD__TRY(mood__import_open(&job->files, folder));
    MOOD__TRY(mood__import_find_head(&job->head, &job->files, &job->says, &job->config));
    if (job->head.first) {
        mood_status status =
            mood__import_read_labels(&job->labels, &job->config, job->head.params.n_labels);
        if (status)
            return mood__fail_in(status, "config.json");
    }
    MOOD__TRY(claim_all(job));
    MOOD__TRY(make_encoder(&out->encoder, job));
    if (job->head.first)
        MOOD__TRY(make_model(&out->model, job, out->encoder));
    summarise(out, job);
    return MOOD_OK;
}

mood_status mood_import(mood_imported *out, const char *folder)
{
    *out = (mood_imported){0};
    struct job *job = mood__calloc(1, sizeof(*job)); /* its labels are much for a stack */
    if (!job)
        return mood__nomem();
    mood_status status = run(out, job, folder);
    mood__import_close(&job->files);
    mood__document_free(&job->config);
    mood__free(job);
    if (status)
        mood_imported_free(out);
    return status;
}

void mood_imported_free(mood_imported *in)
{
    mood_model_destroy(&in->model);
    mood_encoder_destroy(&in->encoder);
    *in = (mood_imported){0};
}
