/* SPDX-License-Identifier: MIT
 *
 * encoder_json.c — The JSON that stands with an encoder's weights in a file:
 *
 *     {"identity": "5f0c...",
 *      "encoder": {"conv_channels": [512, ...], "conv_kernel": [10, ...], "conv_stride": [5, ...],
 *                  "conv_bias": false, "conv_norm": "group", "width": 768, "n_layers": 12,
 *                  "n_heads": 12, "feed_forward": 3072, "pos_kernel": 128, "pos_groups": 16,
 *                  "norm_first": false, "layer_norm_eps": 9.9999997473787516e-06,
 *                  "normalise": true},
 *      "source": {"model_type": "wav2vec2", ...}}
 *
 * The members of "encoder" are the fields of mood_encoder_config; "layer_norm_eps" is a float, in
 * full. Unknown keys are allowed: a newer minor version may add some. */
#include "models/encoder.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "models/config.h"

static const char *const norm_names[] = {
    [MOOD_CONV_NORM_GROUP] = "group", [MOOD_CONV_NORM_LAYER] = "layer"};

/* The fields that are one number, and the arrays of n_convs. */
static const struct field {
    const char *key;
    size_t offset;
} numbers[] =
    {
        {"width", offsetof(mood_encoder_config, width)},
        {"n_layers", offsetof(mood_encoder_config, n_layers)},
        {"n_heads", offsetof(mood_encoder_config, n_heads)},
        {"feed_forward", offsetof(mood_encoder_config, feed_forward)},
        {"pos_kernel", offsetof(mood_encoder_config, pos_kernel)},
        {"pos_groups", offsetof(mood_encoder_config, pos_groups)},
},
  arrays[] =
      {
          {"conv_channels", offsetof(mood_encoder_config, conv_channels)},
          {"conv_kernel", offsetof(mood_encoder_config, conv_kernel)},
          {"conv_stride", offsetof(mood_encoder_config, conv_stride)},
},
  flags[] = {
      {"conv_bias", offsetof(mood_encoder_config, conv_bias)},
      {"norm_first", offsetof(mood_encoder_config, norm_first)},
      {"normalise", offsetof(mood_encoder_config, normalise)},
};
enum {
    N_NUMBERS = sizeof(numbers) / sizeof(numbers[0]),
    N_ARRAYS = sizeof(arrays) / sizeof(arrays[0]),
    N_FLAGS = sizeof(flags) / sizeof(flags[0])
};

/* ---- writing ------------------------------------------------------------------------------ */

/* The set functions below take their value over, and report its being NULL as their own failure. */

static json_t *array_json(const int *x, int n)
{
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = json_array_append_new(array, json_integer(x[i])) == 0;
    if (ok)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *config_json(const mood_encoder_config *c)
{
    const char *base = (const char *)c;
    json_t *all = json_object();
    bool ok = all != NULL;
    for (int i = 0; ok && i < N_ARRAYS; i++)
        ok = json_object_set_new(all, arrays[i].key,
                                 array_json((const int *)(base + arrays[i].offset), c->n_convs)) ==
             0;
    for (int i = 0; ok && i < N_NUMBERS; i++)
        ok = json_object_set_new(all, numbers[i].key,
                                 json_integer(*(const int *)(base + numbers[i].offset))) == 0;
    for (int i = 0; ok && i < N_FLAGS; i++)
        ok = json_object_set_new(all, flags[i].key,
                                 json_boolean(*(const bool *)(base + flags[i].offset))) == 0;
    ok = ok && json_object_set_new(all, "conv_norm", json_string(norm_names[c->conv_norm])) == 0 &&
         json_object_set_new(all, "layer_norm_eps", json_real((double)c->layer_norm_eps)) == 0;
    if (ok)
        return all;
    json_decref(all);
    return NULL;
}

mood_status mood__encoder_print(char **out, const mood_encoder *encoder)
{
    mood_status status = MOOD_OK;
    json_t *source = mood__parse_object(encoder->source, &status);
    if (!source)
        return status;
    json_t *all = json_object();
    bool ok = json_object_set_new(all, "identity", json_string(encoder->identity)) == 0;
    ok = json_object_set_new(all, "encoder", config_json(&encoder->config)) == 0 && ok;
    ok = json_object_set_new(all, "source", source) == 0 && ok;
    if (!ok) {
        json_decref(all);
        all = NULL;
    }
    return mood__print_object(out, all);
}

/* ---- reading ------------------------------------------------------------------------------ */

static mood_status read_array(int *out, int *n, const json_t *object, const char *key)
{
    const json_t *array = json_object_get(object, key);
    size_t size = json_array_size(array); /* 0 also for what is no array */
    if (size < 1 || size > MOOD_ENCODER_MAX_CONVS)
        return mood__fail(MOOD_E_FORMAT, "'%s' is no array of 1 to %d numbers", key,
                          (int)MOOD_ENCODER_MAX_CONVS);
    if (*n > 0 && (int)size != *n)
        return mood__fail(MOOD_E_FORMAT, "'%s' has %zu numbers, where %d are needed", key, size,
                          *n);
    for (size_t i = 0; i < size; i++) {
        json_int_t x = json_integer_value(json_array_get(array, i)); /* 0 for what is none */
        if (x < 1 || x > INT_MAX)
            return mood__fail(MOOD_E_FORMAT, "'%s' has a number that is not whole, from 1", key);
        out[i] = (int)x;
    }
    *n = (int)size;
    return MOOD_OK;
}

static mood_status read_flag(bool *out, const json_t *object, const char *key)
{
    const json_t *flag = json_object_get(object, key);
    if (!json_is_boolean(flag))
        return mood__fail(MOOD_E_FORMAT, "'%s' is neither true nor false", key);
    *out = json_is_true(flag);
    return MOOD_OK;
}

static mood_status read_conv_norm(mood_conv_norm *out, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "conv_norm"));
    if (!name)
        return mood__fail(MOOD_E_FORMAT, "'conv_norm' is not a string");
    for (size_t i = 0; i < sizeof(norm_names) / sizeof(norm_names[0]); i++) {
        if (strcmp(name, norm_names[i]) == 0) {
            *out = (mood_conv_norm)i;
            return MOOD_OK;
        }
    }
    return mood__fail(MOOD_E_UNSUPPORTED, "'conv_norm' is '%.20s'; this version knows %s and %s",
                      name, norm_names[0], norm_names[1]);
}

static mood_status read_config(mood_encoder_config *out, const json_t *object)
{
    char *base = (char *)out;
    *out = (mood_encoder_config){0};
    if (!json_is_object(object))
        return mood__fail(MOOD_E_FORMAT, "'encoder' is not an object");
    for (int i = 0; i < N_ARRAYS; i++)
        MOOD__TRY(
            read_array((int *)(base + arrays[i].offset), &out->n_convs, object, arrays[i].key));
    for (int i = 0; i < N_NUMBERS; i++)
        MOOD__TRY(
            mood__read_whole((int *)(base + numbers[i].offset), object, numbers[i].key, INT_MAX));
    for (int i = 0; i < N_FLAGS; i++)
        MOOD__TRY(read_flag((bool *)(base + flags[i].offset), object, flags[i].key));
    MOOD__TRY(read_conv_norm(&out->conv_norm, object));
    const json_t *eps = json_object_get(object, "layer_norm_eps");
    if (!(json_number_value(eps) > 0 && json_number_value(eps) < 1)) /* 0 also for what is none */
        return mood__fail(MOOD_E_FORMAT, "'layer_norm_eps' is not a number between 0 and 1");
    out->layer_norm_eps = (float)json_number_value(eps);
    /* What the check calls an invalid argument is here the file's mistake. */
    return mood_encoder_check(out) == MOOD_OK ? MOOD_OK : MOOD_E_FORMAT;
}

static mood_status read_identity(const char **out, const json_t *json)
{
    *out = json_string_value(json_object_get(json, "identity"));
    if (!*out || strspn(*out, "0123456789abcdef") != MOOD__SHA256_HEX_BYTES - 1 ||
        (*out)[MOOD__SHA256_HEX_BYTES - 1] != '\0')
        return mood__fail(MOOD_E_FORMAT, "'identity' is not %d hexadecimal digits",
                          MOOD__SHA256_HEX_BYTES - 1);
    return MOOD_OK;
}

static mood_status set_source(mood_encoder *e, json_t *json)
{
    json_t *source = json_object_get(json, "source");
    char *text;
    if (!source)
        return MOOD_OK;
    if (!json_is_object(source))
        return mood__fail(MOOD_E_FORMAT, "'source' is not an object");
    MOOD__TRY(mood__print_object(&text, json_incref(source)));
    mood__free(e->source);
    e->source = text;
    return MOOD_OK;
}

static mood_status read_all(mood_encoder **out, json_t *json)
{
    mood_encoder_config config;
    const char *identity;
    MOOD__TRY(read_config(&config, json_object_get(json, "encoder")));
    MOOD__TRY(read_identity(&identity, json));
    MOOD__TRY(mood__encoder_create_bare(out, &config));
    memcpy((*out)->identity, identity, MOOD__SHA256_HEX_BYTES);
    return set_source(*out, json);
}

mood_status mood__encoder_parse(mood_encoder **out, const char *text)
{
    *out = NULL;
    mood_status status = MOOD_OK;
    json_t *json = mood__parse_object(text, &status);
    if (!json)
        return status == MOOD_E_INVALID ? MOOD_E_FORMAT : status;
    status = read_all(out, json);
    json_decref(json);
    if (status)
        mood_encoder_destroy(out);
    return status;
}
