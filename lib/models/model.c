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

static mood_status copy_labels(mood_model *m, const struct mood__config *c)
{
    if (c->n_labels < MOOD_MIN_LABELS || c->n_labels > MOOD_MAX_LABELS)
        return mood__fail(MOOD_E_INVALID, "%d labels; a model has %d to %d", c->n_labels,
                          MOOD_MIN_LABELS, MOOD_MAX_LABELS);
    for (int i = 0; i < c->n_labels; i++) {
        MOOD__TRY(check_label(c->labels, i));
        m->labels[i] = mood__strdup(c->labels[i]);
        if (!m->labels[i])
            return mood__nomem();
        m->config.labels[i] = m->labels[i];
    }
    return MOOD_OK;
}

/* ---- the encoder that it uses ------------------------------------------------------------- */

static bool is_identity(const char *s)
{
    return strlen(s) == MOOD__IDENTITY_DIGITS &&
           strspn(s, "0123456789abcdef") == MOOD__IDENTITY_DIGITS;
}

static mood_status check_use(const mood_encoder_use *use)
{
    if (!is_identity(use->identity))
        return mood__fail(MOOD_E_INVALID, "the encoder's identity is not %d hexadecimal digits",
                          MOOD__IDENTITY_DIGITS);
    if (use->width < 1 || use->width > MOOD__MAX_FEATURE_WIDTH || use->n_layers < 1 ||
        use->n_layers > MOOD_ENCODER_MAX_LAYERS)
        return mood__fail(MOOD_E_INVALID, "an encoder of %d layers and width %d", use->n_layers,
                          use->width);
    if (use->layer != MOOD_LAYER_MIX && (use->layer < 0 || use->layer > use->n_layers))
        return mood__fail(MOOD_E_INVALID, "encoder layer %d is outside 0 to %d", use->layer,
                          use->n_layers);
    if (strlen(use->hint) > MOOD__MAX_HINT_BYTES || has_control_character(use->hint))
        return mood__fail(MOOD_E_INVALID, "the path of the encoder is no text of one line");
    return MOOD_OK;
}

static mood_status copy_use(mood_model *m)
{
    mood_encoder_use *use = &m->config.encoder;
    if (use->width == 0)
        return MOOD_OK;
    MOOD__TRY(check_use(use));
    m->identity = mood__strdup(use->identity);
    m->hint = mood__strdup(use->hint);
    if (!m->identity || !m->hint)
        return mood__nomem();
    use->identity = m->identity;
    use->hint = m->hint;
    return MOOD_OK;
}

/* ---- the network -------------------------------------------------------------------------- */

static mood_status check_heads(struct mood__config *c)
{
    if (c->heads.divide == 0)
        c->heads.divide = 1;
    if (c->heads.feature_width < 0 || c->heads.feature_width > MOOD__MAX_FEATURE_WIDTH)
        return mood__fail(MOOD_E_INVALID, "feature width %d is outside 0 to %d",
                          c->heads.feature_width, MOOD__MAX_FEATURE_WIDTH);
    if (c->encoder.width > 0 && c->heads.feature_width != c->encoder.width)
        return mood__fail(MOOD_E_INVALID, "feature width %d, but an encoder of width %d",
                          c->heads.feature_width, c->encoder.width);
    c->heads.n_labels = c->n_labels;
    return MOOD_OK;
}

static mood_status check_classifier(struct mood__config *c)
{
    if (c->encoder.width == 0)
        return mood__fail(MOOD_E_INVALID, "a classifier without an encoder");
    c->classifier.width = c->encoder.width;
    c->classifier.n_labels = c->n_labels;
    if (c->classifier.units == 0)
        c->classifier.units = c->classifier.width;
    if (c->classifier.units < 1 || c->classifier.units > MOOD__MAX_UNITS)
        return mood__fail(MOOD_E_INVALID, "a classifier of %d units; it has 1 to %d",
                          c->classifier.units, MOOD__MAX_UNITS);
    return MOOD_OK;
}

static mood_status check_prosody(struct mood__config *c)
{
    mood_prosody_net_params *p = &c->prosody;
    if (c->encoder.width > 0)
        return mood__fail(MOOD_E_INVALID, "a network on prosody with an encoder");
    p->n_functionals = p->n_functionals ? p->n_functionals : MOOD_N_FUNCTIONALS;
    if (p->n_functionals != MOOD_N_FUNCTIONALS)
        return mood__fail(MOOD_E_INVALID, "%d functionals; there are %d", p->n_functionals,
                          MOOD_N_FUNCTIONALS);
    if (p->n_centres == 0)
        p->n_centres = MOOD__DEFAULT_CENTRES;
    if (p->n_centres < 1 || p->n_centres > MOOD_MAX_CENTRES)
        return mood__fail(MOOD_E_INVALID, "%d centres; there are 1 to %d", p->n_centres,
                          MOOD_MAX_CENTRES);
    p->n_labels = c->n_labels;
    return MOOD_OK;
}

static mood_status check_network(struct mood__config *c)
{
    switch (c->network) {
    case MOOD_NETWORK_CLASSIFIER:
        return check_classifier(c);
    case MOOD_NETWORK_PROSODY:
        return check_prosody(c);
    case MOOD_NETWORK_HEADS:
        break;
    }
    return check_heads(c);
}

mood_node *mood_model_logits(const mood_model *model, mood_node *features, mood_node *mel,
                             float dropout)
{
    const struct mood__config *c = &model->config;
    if (c->encoder.layer == MOOD_LAYER_MIX)
        features = mood_mix_layers(features);
    if (c->network == MOOD_NETWORK_CLASSIFIER)
        return mood_classifier(features, &c->classifier);
    if (c->network == MOOD_NETWORK_PROSODY)
        return mood_prosody_net(features, &c->prosody, NULL);
    mood_heads_params heads = c->heads;
    if (dropout != 0)
        heads.dropout = dropout;
    return mood_heads(features, mel, &heads);
}

/* A graph of the network makes the weights that it needs; it is never run. No weight depends on the
 * number of frames, so there are as few as possible. */
static mood_status make_weights(mood_model *m, enum mood__start start, uint64_t seed)
{
    enum { FRAMES = MOOD__HEADS_MIN_FRAMES };
    const struct mood__config *c = &m->config;
    mood_graph *g;
    MOOD__TRY(mood_weights_create(&m->weights, seed));
    if (start == MOOD__START_BLANK)
        mood__weights_start_blank(m->weights);
    if (start == MOOD__START_OUTLINE)
        mood__weights_start_outline(m->weights);
    MOOD__TRY(mood_graph_create(&g, &(mood_graph_params){.weights = m->weights}));
    int64_t width =
        c->network == MOOD_NETWORK_CLASSIFIER ? c->classifier.width : c->heads.feature_width;
    mood_node *features = NULL, *mel = NULL;
    if (c->encoder.layer == MOOD_LAYER_MIX)
        features = mood_input(g, "features", MOOD_F32, 4,
                              (int64_t[]){1, c->encoder.n_layers + 1, FRAMES, width});
    else if (width > 0)
        features = mood_input(g, "features", MOOD_F32, 3, (int64_t[]){1, FRAMES, width});
    if (c->network == MOOD_NETWORK_PROSODY)
        features =
            mood_input(g, "functionals", MOOD_F32, 2, (int64_t[]){1, c->prosody.n_functionals});
    if (c->network == MOOD_NETWORK_HEADS)
        mel =
            mood_input(g, "mel", MOOD_F32, 4, (int64_t[]){1, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    mood_node *logits = mood_model_logits(m, features, mel, 0);
    mood_status status = mood_graph_compile(g, &logits, 1);
    mood_graph_destroy(&g);
    mood_weights_seal(m->weights);
    return status;
}

/* ---- life --------------------------------------------------------------------------------- */

static mood_status fill(mood_model *m, const struct mood__config *config, enum mood__start start,
                        uint64_t seed)
{
    m->config = *config;
    m->config.json = NULL;
    MOOD__TRY(mood_model_set_temperature(m, config->temperature));
    MOOD__TRY(copy_use(m));
    MOOD__TRY(check_network(&m->config));
    MOOD__TRY(copy_labels(m, config));
    MOOD__TRY(mood_model_set_record(m, "{}"));
    return make_weights(m, start, seed);
}

mood_status mood__model_create(mood_model **out, const struct mood__config *config,
                               enum mood__start start, uint64_t seed)
{
    *out = NULL;
    mood_model *m = mood__calloc(1, sizeof(*m));
    if (!m)
        return mood__nomem();
    atomic_init(&m->owners, 1);
    mood_status status = fill(m, config, start, seed);
    if (status)
        mood_model_destroy(&m);
    *out = m;
    return status;
}

static mood_status set_labels(struct mood__config *c, const mood_model_params *p)
{
    c->n_labels = p->n_labels;
    if (!p->labels) {
        if (p->n_labels != 0 && p->n_labels != MOOD_N_EMOTIONS)
            return mood__fail(MOOD_E_INVALID, "%d labels, but no names for them", p->n_labels);
        c->n_labels = MOOD_N_EMOTIONS;
    }
    for (int i = 0; i < c->n_labels && i < MOOD_MAX_LABELS; i++)
        c->labels[i] = p->labels ? p->labels[i] : mood_emotion_at(i)->name;
    return MOOD_OK;
}

/* A path is any bytes, and the file's text is UTF-8: another path is not kept. */
static const char *kept_hint(const char *hint)
{
    return hint && mood__is_utf8(hint) && !has_control_character(hint) ? hint : "";
}

mood_status mood_model_create(mood_model **out, const mood_model_params *params)
{
    mood_model_params p = params ? *params : (mood_model_params){0};
    struct mood__config c = {.heads = p.heads, .temperature = 1};
    *out = NULL;
    MOOD__TRY(set_labels(&c, &p));
    if (p.classifier) {
        c.network = MOOD_NETWORK_CLASSIFIER;
        c.classifier = *p.classifier;
        c.heads = (mood_heads_params){0};
    }
    if (p.prosody && p.classifier)
        return mood__fail(MOOD_E_INVALID, "two networks: a classifier, and one on prosody");
    if (p.prosody) {
        c.network = MOOD_NETWORK_PROSODY;
        c.prosody = *p.prosody;
        c.heads = (mood_heads_params){0};
    }
    if (p.encoder) {
        const mood_encoder_config *e = mood_encoder_get_config(p.encoder);
        c.encoder = (mood_encoder_use){.identity = mood_encoder_identity(p.encoder),
                                       .layer = p.encoder_layer,
                                       .n_layers = e->n_layers,
                                       .width = e->width,
                                       .hint = kept_hint(p.encoder_hint)};
        if (c.network == MOOD_NETWORK_HEADS && c.heads.feature_width == 0)
            c.heads.feature_width = e->width;
    }
    return mood__model_create(out, &c, MOOD__START_DRAWN, p.seed);
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
    mood__free(m->identity);
    mood__free(m->hint);
    mood__free(m->record);
    mood_encoder_destroy(&m->embedded);
    mood_weights_destroy(&m->weights);
    mood__free(m);
}

/* ---- what is in it ------------------------------------------------------------------------ */

int mood_model_n_labels(const mood_model *model)
{
    return model->config.n_labels;
}

const char *mood_model_label(const mood_model *model, int i)
{
    return i >= 0 && i < model->config.n_labels ? model->labels[i] : NULL;
}

mood_network mood_model_network(const mood_model *model)
{
    return model->config.network;
}

const mood_heads_params *mood_model_heads(const mood_model *model)
{
    return model->config.network == MOOD_NETWORK_HEADS ? &model->config.heads : NULL;
}

const mood_classifier_params *mood_model_classifier(const mood_model *model)
{
    return model->config.network == MOOD_NETWORK_CLASSIFIER ? &model->config.classifier : NULL;
}

const mood_prosody_net_params *mood_model_prosody(const mood_model *model)
{
    return model->config.network == MOOD_NETWORK_PROSODY ? &model->config.prosody : NULL;
}

mood_weights *mood_model_weights(mood_model *model)
{
    return model->weights;
}

double mood_model_temperature(const mood_model *model)
{
    return model->config.temperature;
}

mood_status mood_model_set_temperature(mood_model *model, double temperature)
{
    if (!(temperature >= MOOD_MIN_TEMPERATURE && temperature <= MOOD_MAX_TEMPERATURE))
        return mood__fail(MOOD_E_INVALID, "temperature %g is outside %g to %g", temperature,
                          MOOD_MIN_TEMPERATURE, MOOD_MAX_TEMPERATURE);
    model->config.temperature = temperature;
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
