/* SPDX-License-Identifier: MIT
 *
 * config.c — JSON inside model files, and what all JSON of libmood's files needs.
 *
 *     {"labels": ["neutral", "calm", ...],
 *      "network": "heads",
 *      "heads": {"feature_width": 768, "divide": 1, "flatten": "FTC"},
 *      "encoder": {"identity": "5f0c...", "layer": 6, "n_layers": 12, "width": 768,
 *                  "hint": "encoders/base.h5"},
 *      "audio": {"sample_rate": 16000, "window": 48000, "hop": 24000,
 *                "n_fft": 1024, "mel_hop": 512, "n_mels": 64},
 *      "temperature": 1.25}
 *
 * or "network": "classifier", and in place of the heads
 *
 *      "classifier": {"units": 256, "form": "projector", "pooling": "mean"}
 *
 * or "network": "prosody" with
 *
 *      "prosody": {"functionals": 991, "version": 1, "centres": 2800, "gate": true}
 *
 * Without "network" it is the heads (files of version 1.0), without "encoder" none. "layer" may be
 * "mix". "flatten" is the order in which the 2D branch's plane becomes a vector: F outermost,
 * channels innermost. "window" and "hop" are in samples. "temperature" is left out where it is 1.
 * Unknown keys are allowed: a newer minor version may add some. Dropout is not in it: it belongs to
 * a training, not to what was trained. */
#include "models/config.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "models/model.h"
#include "models/pipeline.h"

static const char flatten_order[] = "FTC";

static const char mixed_layers[] = "mix";

/* Names of enumerators, in their order. */
static const char *const network_names[] = {"heads", "classifier", "prosody"};
static const char *const form_names[] = {"projector", "tanh"};
static const char *const pooling_names[] = {"mean", "sum", "max"};

/* The numbers that have to agree with this build. */
static const struct {
    const char *key;
    json_int_t value;
} audio_numbers[] = {
    {"sample_rate", MOOD_SAMPLE_RATE}, {"window", MOOD__WINDOW_SAMPLES},
    {"hop", MOOD__WINDOW_HOP},         {"n_fft", MOOD__MEL_FFT},
    {"mel_hop", MOOD__MEL_HOP},        {"n_mels", MOOD__MEL_BANDS},
};
enum { N_AUDIO_NUMBERS = sizeof(audio_numbers) / sizeof(audio_numbers[0]) };

json_t *mood__parse_object(const char *text, mood_status *status)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (json && json_is_object(json))
        return json;
    *status = MOOD_E_INVALID;
    if (json)
        mood__fail(*status, "is JSON, but not an object");
    else if (json_error_code(&error) == json_error_out_of_memory)
        *status = mood__nomem();
    else
        mood__fail(*status, "is not JSON: line %d: %.100s", error.line, error.text);
    json_decref(json);
    return NULL;
}

mood_status mood__check_json_object(const char *text)
{
    mood_status status = MOOD_OK;
    if (strlen(text) > MOOD__MAX_RECORD_BYTES)
        return mood__fail(MOOD_E_INVALID, "is longer than %d bytes", MOOD__MAX_RECORD_BYTES);
    json_decref(mood__parse_object(text, &status));
    return status;
}

mood_status mood__print_object(char **out, json_t *json)
{
    /* Twice, once to learn the size: so that the text comes from base/mem.h. */
    size_t bytes = json ? json_dumpb(json, NULL, 0, JSON_COMPACT) : 0;
    char *text = bytes ? mood__calloc(bytes + 1, 1) : NULL;
    if (text)
        json_dumpb(json, text, bytes, JSON_COMPACT);
    json_decref(json);
    if (!text)
        return mood__nomem();
    *out = text;
    return MOOD_OK;
}

mood_status mood__read_whole(int *out, const json_t *object, const char *key, int max)
{
    const json_t *number = json_object_get(object, key);
    json_int_t value = json_integer_value(number);
    if (!json_is_integer(number) || value < 0 || value > max)
        return mood__fail(MOOD_E_FORMAT, "'%s' is not a whole number from 0 to %d", key, max);
    *out = (int)value;
    return MOOD_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The set functions below take their value over, and report its being NULL as their own failure. */

static json_t *labels_json(const struct mood__config *config)
{
    json_t *labels = json_array();
    bool ok = labels != NULL;
    for (int i = 0; ok && i < config->n_labels; i++)
        ok = json_array_append_new(labels, json_string(config->labels[i])) == 0;
    if (ok)
        return labels;
    json_decref(labels);
    return NULL;
}

static json_t *audio_json(void)
{
    json_t *audio = json_object();
    bool ok = audio != NULL;
    for (int i = 0; ok && i < N_AUDIO_NUMBERS; i++)
        ok = json_object_set_new(audio, audio_numbers[i].key,
                                 json_integer(audio_numbers[i].value)) == 0;
    if (ok)
        return audio;
    json_decref(audio);
    return NULL;
}

static json_t *network_json(const struct mood__config *config)
{
    const mood_classifier_params *c = &config->classifier;
    switch (config->network) {
    case MOOD_NETWORK_CLASSIFIER:
        return json_pack("{s:i, s:s, s:s}", "units", c->units, "form", form_names[c->form],
                         "pooling", pooling_names[c->pooling]);
    case MOOD_NETWORK_PROSODY:
        return json_pack("{s:i, s:i, s:i, s:b}", "functionals", config->prosody.n_functionals,
                         "version", (int)MOOD_FUNCTIONALS_VERSION, "centres",
                         config->prosody.n_centres, "gate", !config->prosody.no_gate);
    case MOOD_NETWORK_HEADS:
        break;
    }
    return json_pack("{s:i, s:i, s:s}", "feature_width", config->heads.feature_width, "divide",
                     config->heads.divide, "flatten", flatten_order);
}

static json_t *encoder_json(const mood_encoder_use *use)
{
    json_t *layer =
        use->layer == MOOD_LAYER_MIX ? json_string(mixed_layers) : json_integer(use->layer);
    return json_pack("{s:s, s:o, s:i, s:i, s:s}", "identity", use->identity, "layer", layer,
                     "n_layers", use->n_layers, "width", use->width, "hint", use->hint);
}

mood_status mood__config_write(char **out, const struct mood__config *config)
{
    const char *network = network_names[config->network];
    json_t *all = json_object();
    bool ok = json_object_set_new(all, "labels", labels_json(config)) == 0;
    ok = json_object_set_new(all, "network", json_string(network)) == 0 && ok;
    ok = json_object_set_new(all, network, network_json(config)) == 0 && ok;
    if (config->encoder.width > 0)
        ok = json_object_set_new(all, "encoder", encoder_json(&config->encoder)) == 0 && ok;
    ok = json_object_set_new(all, "audio", audio_json()) == 0 && ok;
    if (config->temperature != 1)
        ok = json_object_set_new(all, "temperature", json_real(config->temperature)) == 0 && ok;
    if (!ok) {
        json_decref(all);
        all = NULL;
    }
    return mood__print_object(out, all);
}

/* ---- reading ------------------------------------------------------------------------------ */

static mood_status read_labels(struct mood__config *out, const json_t *labels)
{
    size_t n = json_array_size(labels); /* 0 also for what is no array */
    if (n < MOOD_MIN_LABELS || n > MOOD_MAX_LABELS)
        return mood__fail(MOOD_E_FORMAT, "%zu labels; a model has %d to %d", n, MOOD_MIN_LABELS,
                          MOOD_MAX_LABELS);
    for (size_t i = 0; i < n; i++) {
        out->labels[i] = json_string_value(json_array_get(labels, i));
        if (!out->labels[i])
            return mood__fail(MOOD_E_FORMAT, "label %zu is not a string", i);
    }
    out->n_labels = (int)n;
    return MOOD_OK;
}

static mood_status read_heads(struct mood__config *out, const json_t *heads)
{
    MOOD__TRY(mood__read_whole(&out->heads.feature_width, heads, "feature_width",
                               MOOD__MAX_FEATURE_WIDTH));
    MOOD__TRY(mood__read_whole(&out->heads.divide, heads, "divide", 8));
    const char *flatten = json_string_value(json_object_get(heads, "flatten"));
    if (!flatten)
        return mood__fail(MOOD_E_FORMAT, "'flatten' is not a string");
    if (strcmp(flatten, flatten_order) != 0)
        return mood__fail(MOOD_E_UNSUPPORTED, "'flatten' is '%.20s'; this version reads '%s'",
                          flatten, flatten_order);
    return MOOD_OK;
}

/* The place of the text in a list of names. */
static mood_status read_name(int *out, const json_t *object, const char *key,
                             const char *const *names, int n)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        return mood__fail(MOOD_E_FORMAT, "'%s' is not a string", key);
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return MOOD_OK;
        }
    }
    return mood__fail(MOOD_E_UNSUPPORTED, "'%s' is '%.20s', which this version does not know", key,
                      text);
}

static mood_status read_classifier(struct mood__config *out, const json_t *classifier)
{
    int form = 0, pooling = 0;
    MOOD__TRY(mood__read_whole(&out->classifier.units, classifier, "units", MOOD__MAX_UNITS));
    MOOD__TRY(read_name(&form, classifier, "form", form_names, 2));
    MOOD__TRY(read_name(&pooling, classifier, "pooling", pooling_names, 3));
    out->classifier.form = (mood_classifier_form)form;
    out->classifier.pooling = (mood_pooling)pooling;
    return MOOD_OK;
}

static mood_status read_prosody(struct mood__config *out, const json_t *prosody)
{
    int n = 0, version = 0;
    MOOD__TRY(mood__read_whole(&n, prosody, "functionals", INT32_MAX));
    MOOD__TRY(mood__read_whole(&version, prosody, "version", INT32_MAX));
    if (n != MOOD_N_FUNCTIONALS || version != MOOD_FUNCTIONALS_VERSION)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "it was trained on %d functionals, version %d; this libmood measures %d, "
                          "version %d",
                          n, version, (int)MOOD_N_FUNCTIONALS, (int)MOOD_FUNCTIONALS_VERSION);
    out->prosody.n_functionals = n;
    const json_t *gate = json_object_get(prosody, "gate");
    if (!json_is_boolean(gate))
        return mood__fail(MOOD_E_FORMAT, "'gate' is not true or false");
    out->prosody.no_gate = !json_is_true(gate);
    MOOD__TRY(mood__read_whole(&out->prosody.n_centres, prosody, "centres", MOOD_MAX_CENTRES));
    return out->prosody.n_centres ? MOOD_OK : mood__fail(MOOD_E_FORMAT, "it has no centres");
}

static mood_status read_network(struct mood__config *out, const json_t *all)
{
    int network = MOOD_NETWORK_HEADS;
    if (json_object_get(all, "network"))
        MOOD__TRY(read_name(&network, all, "network", network_names, 3));
    out->network = (mood_network)network;
    const json_t *inside = json_object_get(all, network_names[network]);
    switch (out->network) {
    case MOOD_NETWORK_CLASSIFIER:
        return read_classifier(out, inside);
    case MOOD_NETWORK_PROSODY:
        return read_prosody(out, inside);
    case MOOD_NETWORK_HEADS:
        break;
    }
    return read_heads(out, inside);
}

static mood_status read_text(const char **out, const json_t *object, const char *key)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? MOOD_OK : mood__fail(MOOD_E_FORMAT, "'%s' is not a string", key);
}

static mood_status read_encoder(mood_encoder_use *out, const json_t *encoder)
{
    if (!encoder)
        return MOOD_OK;
    const char *layer = json_string_value(json_object_get(encoder, "layer"));
    MOOD__TRY(read_text(&out->identity, encoder, "identity"));
    MOOD__TRY(read_text(&out->hint, encoder, "hint"));
    MOOD__TRY(mood__read_whole(&out->n_layers, encoder, "n_layers", MOOD_ENCODER_MAX_LAYERS));
    MOOD__TRY(mood__read_whole(&out->width, encoder, "width", MOOD__MAX_FEATURE_WIDTH));
    if (out->width == 0)
        return mood__fail(MOOD_E_FORMAT, "an encoder of width 0");
    if (!layer)
        return mood__read_whole(&out->layer, encoder, "layer", MOOD_ENCODER_MAX_LAYERS);
    out->layer = MOOD_LAYER_MIX;
    if (strcmp(layer, mixed_layers) != 0)
        return mood__fail(MOOD_E_FORMAT, "'layer' is '%.20s'", layer);
    return MOOD_OK;
}

static mood_status check_audio(const json_t *audio)
{
    for (int i = 0; i < N_AUDIO_NUMBERS; i++) {
        const char *key = audio_numbers[i].key;
        int value = 0;
        MOOD__TRY(mood__read_whole(&value, audio, key, INT32_MAX));
        if (value != audio_numbers[i].value)
            return mood__fail(MOOD_E_UNSUPPORTED,
                              "it was trained with %s %d; this version hears with %d", key, value,
                              (int)audio_numbers[i].value);
    }
    return MOOD_OK;
}

/* Its range is mood_model_set_temperature's to check. */
static mood_status read_temperature(struct mood__config *out, const json_t *temperature)
{
    if (temperature && !json_is_number(temperature))
        return mood__fail(MOOD_E_FORMAT, "'temperature' is not a number");
    out->temperature = temperature ? json_number_value(temperature) : 1;
    return MOOD_OK;
}

mood_status mood__config_read(struct mood__config *out, const char *text)
{
    *out = (struct mood__config){0};
    mood_status status = MOOD_OK;
    json_t *json = mood__parse_object(text, &status);
    if (!json)
        return status == MOOD_E_INVALID ? MOOD_E_FORMAT : status;
    out->json = json;
    MOOD__TRY(check_audio(json_object_get(json, "audio")));
    MOOD__TRY(read_network(out, json));
    MOOD__TRY(read_encoder(&out->encoder, json_object_get(json, "encoder")));
    MOOD__TRY(read_temperature(out, json_object_get(json, "temperature")));
    return read_labels(out, json_object_get(json, "labels"));
}

void mood__config_free(struct mood__config *config)
{
    json_decref(config->json);
    *config = (struct mood__config){0};
}
