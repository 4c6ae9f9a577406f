/* SPDX-License-Identifier: MIT
 *
 * model.c — The life of a model: made, shared, freed. Files are model_file.c's. */
#include "models/model.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "graph/node.h"
#include "models/pipeline.h"

/* ---- labels ------------------------------------------------------------------------------- */

static bool has_control_character(const char *s)
{
    for (; *s; s++) {
        if (mood__is_control(*s))
            return true;
    }
    return false;
}

static mood_status check_label(const char *const *labels, int i)
{
    if (!labels[i] || labels[i][0] == '\0')
        return mood__fail(MOOD_E_INVALID, "label %d is empty", i);
    if (strlen(labels[i]) > MOOD_MAX_LABEL_BYTES)
        return mood__fail(MOOD_E_INVALID, "label %d '%.20s...' is longer than %d bytes", i,
                          labels[i], MOOD_MAX_LABEL_BYTES);
    if (!mood__is_utf8(labels[i]) || has_control_character(labels[i]))
        return mood__fail(MOOD_E_INVALID, "label %d is no UTF-8 text of one line", i);
    for (int j = 0; j < i; j++) {
        if (mood__same_word(labels[i], labels[j]))
            return mood__fail(MOOD_E_INVALID, "labels %d and %d are both '%s'", j, i, labels[i]);
    }
    return MOOD_OK;
}

static mood_status copy_labels(mood_model *m, const char *const *labels, int n)
{
    const char *eight[MOOD_N_EMOTIONS];
    if (!labels) {
        if (n != 0 && n != MOOD_N_EMOTIONS)
            return mood__fail(MOOD_E_INVALID, "%d labels, but no names for them", n);
        n = MOOD_N_EMOTIONS;
        for (int i = 0; i < n; i++)
            eight[i] = mood_emotion_at(i)->name;
        labels = eight;
    }
    if (n < MOOD_MIN_LABELS || n > MOOD_MAX_LABELS)
        return mood__fail(MOOD_E_INVALID, "%d labels; a model has %d to %d", n, MOOD_MIN_LABELS,
                          MOOD_MAX_LABELS);
    for (int i = 0; i < n; i++) {
        MOOD__TRY(check_label(labels, i));
        m->labels[i] = mood__strdup(labels[i]);
        if (!m->labels[i])
            return mood__nomem();
    }
    m->heads.n_labels = n;
    return MOOD_OK;
}

/* ---- weights ------------------------------------------------------------------------------ */

/* A graph of the network makes the weights that it needs; it is never run. */
static mood_status make_weights(mood_model *m, uint64_t seed, bool blank)
{
    mood_graph *g;
    MOOD__TRY(mood_weights_create(&m->weights, seed));
    if (blank)
        mood__weights_start_blank(m->weights);
    MOOD__TRY(mood_graph_create(&g, &(mood_graph_params){.weights = m->weights}));
    mood_node *mel =
        mood_input(g, "mel", MOOD_F32, 4, (int64_t[]){1, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    mood_node *features = NULL;
    if (m->heads.feature_width > 0)
        features = mood_input(g, "features", MOOD_F32, 3,
                              (int64_t[]){1, MOOD__FEATURE_FRAMES, m->heads.feature_width});
    mood_node *logits = mood_heads(features, mel, &m->heads);
    mood_status status = mood_graph_compile(g, &logits, 1);
    mood_graph_destroy(&g);
    mood_weights_seal(m->weights);
    return status;
}

/* ---- life --------------------------------------------------------------------------------- */

static mood_status fill(mood_model *m, const mood_model_params *p, bool blank)
{
    m->heads = p->heads;
    m->temperature = 1;
    if (m->heads.divide == 0)
        m->heads.divide = 1;
    if (m->heads.feature_width < 0 || m->heads.feature_width > MOOD__MAX_FEATURE_WIDTH)
        return mood__fail(MOOD_E_INVALID, "feature width %d is outside 0 to %d",
                          m->heads.feature_width, MOOD__MAX_FEATURE_WIDTH);
    MOOD__TRY(copy_labels(m, p->labels, p->n_labels));
    MOOD__TRY(mood_model_set_record(m, "{}"));
    return make_weights(m, p->seed, blank);
}

static mood_status create(mood_model **out, const mood_model_params *params, bool blank)
{
    *out = NULL;
    mood_model *m = mood__calloc(1, sizeof(*m));
    if (!m)
        return mood__nomem();
    atomic_init(&m->owners, 1);
    mood_status status = fill(m, params ? params : &(mood_model_params){0}, blank);
    if (status)
        mood_model_destroy(&m);
    *out = m;
    return status;
}

mood_status mood_model_create(mood_model **out, const mood_model_params *params)
{
    return create(out, params, false);
}

mood_status mood__model_create_blank(mood_model **out, const mood_model_params *params)
{
    return create(out, params, true);
}

mood_model *mood_model_retain(mood_model *model)
{
    if (model)
        atomic_fetch_add(&model->owners, 1);
    return model;
}

void mood_model_destroy(mood_model **model)
{
    mood_model *m = *model;
    *model = NULL;
    if (!m || atomic_fetch_sub(&m->owners, 1) != 1)
        return;
    for (int i = 0; i < MOOD_MAX_LABELS; i++)
        mood__free(m->labels[i]);
    mood__free(m->record);
    mood_weights_destroy(&m->weights);
    mood__free(m);
}

/* ---- what is in it ------------------------------------------------------------------------ */

int mood_model_n_labels(const mood_model *model)
{
    return model->heads.n_labels;
}

const char *mood_model_label(const mood_model *model, int i)
{
    return i >= 0 && i < model->heads.n_labels ? model->labels[i] : NULL;
}

const mood_heads_params *mood_model_heads(const mood_model *model)
{
    return &model->heads;
}

mood_weights *mood_model_weights(mood_model *model)
{
    return model->weights;
}

double mood_model_temperature(const mood_model *model)
{
    return model->temperature;
}

mood_status mood_model_set_temperature(mood_model *model, double temperature)
{
    if (!(temperature >= MOOD_MIN_TEMPERATURE && temperature <= MOOD_MAX_TEMPERATURE))
        return mood__fail(MOOD_E_INVALID, "temperature %g is outside %g to %g", temperature,
                          MOOD_MIN_TEMPERATURE, MOOD_MAX_TEMPERATURE);
    model->temperature = temperature;
    return MOOD_OK;
}

const char *mood_model_record(const mood_model *model)
{
    return model->record;
}

mood_status mood_model_set_record(mood_model *model, const char *json)
{
    MOOD__TRY(mood__check_json_object(json));
    char *copy = mood__strdup(json);
    if (!copy)
        return mood__nomem();
    mood__free(model->record);
    model->record = copy;
    return MOOD_OK;
}
