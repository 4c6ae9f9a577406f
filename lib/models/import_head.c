/* SPDX-License-Identifier: MIT
 *
 * import_head.c — What stands on top of an encoder in a checkpoint: nothing that is needed, or one
 * of two kinds of classifier.
 *
 *     projector.*, classifier.*, with use_weighted_layer_sum also layer_weights
 *         Wav2Vec2ForSequenceClassification, HubertForSequenceClassification of transformers
 *     classifier.dense.*, classifier.out_proj.* or classifier.output.*
 *         Wav2Vec2ForSpeechClassification and its like, which began in github.com/m3hrdadfi/soxan
 *
 * The tensors decide, since there are files of the second kind whose config.json declares the first
 * (ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition); but what the config says has to be
 * possible with them. A head of any other kind is refused. */
#include "models/import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "models/model.h"

/* ---- what it is -------------------------------------------------------------------------------
 */

/* The classes of transformers, and what each may have on top. */
enum { ENCODER, CLASSIFIER, TANH_CLASSIFIER };
static const struct {
    const char *name;
    int kind;
} classes[] = {
    {"Wav2Vec2Model", ENCODER},
    {"Wav2Vec2ForPreTraining", ENCODER},
    {"Wav2Vec2ForCTC", ENCODER},
    {"HubertModel", ENCODER},
    {"HubertForCTC", ENCODER},
    {"Wav2Vec2ForSequenceClassification", CLASSIFIER},
    {"HubertForSequenceClassification", CLASSIFIER},
    {"Wav2Vec2ForSpeechClassification", TANH_CLASSIFIER},
    {"HubertForSpeechClassification", TANH_CLASSIFIER},
};
enum { N_CLASSES = sizeof(classes) / sizeof(classes[0]) };

static bool has(const struct mood__import *im, const char *name)
{
    return mood__checkpoint_find(im->checkpoint, name) != NULL;
}

/* The first tensor of a head, whatever its kind, or NULL. */
static const char *any_of_head(const struct mood__import *im)
{
    for (size_t i = 0; i < mood__checkpoint_count(im->checkpoint); i++) {
        const char *name = mood__checkpoint_at(im->checkpoint, i)->name;
        if (strncmp(name, "classifier", 10) == 0 || strncmp(name, "projector", 9) == 0)
            return name;
    }
    return NULL;
}

static mood_status find_form(struct mood__import_head *out, const struct mood__import *im)
{
    const char *found = any_of_head(im);
    if (has(im, "projector.weight") && has(im, "classifier.weight")) {
        out->params.form = MOOD_CLASSIFIER_PROJECTOR;
        out->first = "projector";
        out->last = "classifier";
    } else if (has(im, "classifier.dense.weight") && has(im, "classifier.out_proj.weight")) {
        out->params.form = MOOD_CLASSIFIER_TANH;
        out->first = "classifier.dense";
        out->last = "classifier.out_proj";
    } else if (has(im, "classifier.dense.weight") && has(im, "classifier.output.weight")) {
        out->params.form = MOOD_CLASSIFIER_TANH;
        out->first = "classifier.dense";
        out->last = "classifier.output";
    } else if (found) {
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "has a head of an unknown kind: '%s', but neither 'projector' and "
                          "'classifier' nor 'classifier.dense' and 'classifier.out_proj'",
                          found);
    }
    return MOOD_OK;
}

/* Whether a checkpoint of the class that config.json names can have this head. */
static mood_status check_class(const struct mood__import_head *head, const char *name)
{
    int i = 0;
    while (i < N_CLASSES && strcmp(classes[i].name, name) != 0)
        i++;
    if (*name && i == N_CLASSES)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "config.json: '%s' is no architecture that is modelled", name);
    if (!*name)
        return MOOD_OK;
    if (!head->first && classes[i].kind != ENCODER)
        return mood__fail(MOOD_E_MISSING, "config.json says %s, but the files have no 'classifier'",
                          name);
    if (head->first && (classes[i].kind == ENCODER || (classes[i].kind == TANH_CLASSIFIER &&
                                                       head->params.form != MOOD_CLASSIFIER_TANH)))
        return mood__fail(MOOD_E_FORMAT, "config.json says %s, but the files have '%s' and '%s'",
                          name, head->first, head->last);
    return MOOD_OK;
}

/* ---- what it does -----------------------------------------------------------------------------
 */

static mood_status read_pooling(struct mood__import_head *out, const struct mood__document *config)
{
    static const char key[] = "pooling_mode";
    static const char *const names[] = {
        [MOOD_POOLING_MEAN] = "mean", [MOOD_POOLING_SUM] = "sum", [MOOD_POOLING_MAX] = "max"};
    char mode[8] = "mean";
    int n_known = out->params.form == MOOD_CLASSIFIER_TANH ? 3 : 1, i = 0;
    if (mood__document_text(config, key, mode, sizeof(mode)) == MOOD_OK)
        while (i < n_known && strcmp(names[i], mode) != 0)
            i++;
    else
        i = n_known;
    if (i == n_known)
        return mood__document_refuse(config, key, MOOD_E_UNSUPPORTED,
                                     n_known == 1 ? "\"mean\", as is usual with a projector"
                                                  : "\"mean\", \"sum\" or \"max\"");
    out->params.pooling = (mood_pooling)i;
    return MOOD_OK;
}

/* Something else than one of several labels would need another function at the end. */
static mood_status check_problem(const struct mood__document *config)
{
    static const char key[] = "problem_type", usual[] = "single_label_classification";
    char type[64];
    memcpy(type, usual, sizeof(usual));
    if (mood__document_text(config, key, type, sizeof(type)) || strcmp(type, usual) != 0)
        return mood__document_refuse(config, key, MOOD_E_UNSUPPORTED,
                                     "\"single_label_classification\"");
    return MOOD_OK;
}

static mood_status read_settings(struct mood__import_head *out, const struct mood__document *config)
{
    out->params.units = out->params.width;
    if (out->params.form == MOOD_CLASSIFIER_PROJECTOR) {
        out->params.units = 256;
        MOOD__TRY(mood__document_whole(config, "classifier_proj_size", &out->params.units));
    }
    if (out->params.units < 1 || out->params.units > MOOD__MAX_UNITS)
        return mood__document_refuse(config, "classifier_proj_size", MOOD_E_FORMAT,
                                     "from 1 to 8192");
    MOOD__TRY(mood__document_bool(config, "use_weighted_layer_sum", &out->mixed));
    MOOD__TRY(check_problem(config));
    return read_pooling(out, config);
}

/* The number of labels is that of the last layer's outputs; config.json is compared with it. */
static mood_status count_labels(struct mood__import_head *out, const struct mood__import *im)
{
    char name[MOOD__LISTED_NAME_BYTES];
    snprintf(name, sizeof(name), "%s.weight", out->last);
    const struct mood__listed *t = mood__checkpoint_find(im->checkpoint, name);
    if (t->rank != 2 || t->dim[0] < MOOD_MIN_LABELS || t->dim[0] > MOOD_MAX_LABELS)
        return mood__fail(MOOD_E_UNSUPPORTED, "'%s' is not for %d to %d labels", name,
                          MOOD_MIN_LABELS, MOOD_MAX_LABELS);
    out->params.n_labels = (int)t->dim[0];
    return MOOD_OK;
}

mood_status mood__import_find_head(struct mood__import_head *out, const struct mood__import *im,
                                   const struct mood__import_config *says,
                                   const struct mood__document *config)
{
    *out = (struct mood__import_head){.params = {.width = says->encoder.width},
                                      .n_states = says->encoder.n_layers + 1};
    MOOD__TRY(find_form(out, im));
    MOOD__TRY(check_class(out, says->architecture));
    if (!out->first)
        return MOOD_OK;
    MOOD__TRY(count_labels(out, im));
    mood_status status = read_settings(out, config);
    return status ? mood__fail_in(status, "config.json") : MOOD_OK;
}

/* ---- tensors ----------------------------------------------------------------------------------
 */

/* One tensor of a head: its name in the files, and which weight of the model it becomes. */
struct part {
    char name[MOOD__LISTED_NAME_BYTES];
    const char *weight;
    mood_tensor shape; /* of the weight */
};
enum { N_PARTS = 5, MIX = 4 }; /* the last is only there with head->mixed */

static mood_status make_part(struct part *out, const struct mood__import_head *head, int i)
{
    static const char *const weights[N_PARTS] = {"classifier.dense.weight", "classifier.dense.bias",
                                                 "classifier.out.weight", "classifier.out.bias",
                                                 "mix.weights"};
    int64_t D = head->params.width, U = head->params.units, V = head->params.n_labels;
    const struct {
        int rank;
        int64_t dim[2];
    } shapes[N_PARTS] = {{2, {D, U}}, {1, {U}}, {2, {U, V}}, {1, {V}}, {1, {head->n_states}}};
    out->weight = weights[i];
    if (i == MIX)
        snprintf(out->name, sizeof(out->name), "layer_weights");
    else
        snprintf(out->name, sizeof(out->name), "%s.%s", i < 2 ? head->first : head->last,
                 i % 2 ? "bias" : "weight");
    return mood_tensor_make(&out->shape, NULL, MOOD_F32, shapes[i].rank, shapes[i].dim);
}

static int n_parts(const struct mood__import_head *head)
{
    return !head->first ? 0 : head->mixed ? N_PARTS : MIX;
}

mood_status mood__import_claim_head(struct mood__import *im, const struct mood__import_head *head)
{
    for (int i = 0; i < n_parts(head); i++) {
        struct part part;
        MOOD__TRY(make_part(&part, head, i));
        MOOD__TRY(mood__import_claim(im, part.name, &part.shape));
    }
    return MOOD_OK;
}

mood_status mood__import_read_head(struct mood__import *im, const struct mood__import_head *head,
                                   const mood_weights *weights)
{
    for (int i = 0; i < n_parts(head); i++) {
        struct part part;
        MOOD__TRY(make_part(&part, head, i));
        int at = mood_weights_find(weights, part.weight);
        if (at < 0)
            return mood__fail(MOOD_E_MISSING, "the model has no weight '%s'", part.weight);
        MOOD__TRY(mood__import_read(im, part.name, mood_weights_value(weights, at)));
    }
    return MOOD_OK;
}
