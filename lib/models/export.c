/* SPDX-License-Identifier: MIT
 *
 * export.c — An encoder as transformers would have written it: a folder with config.json,
 * preprocessor_config.json and model.safetensors (safetensors.h describes the format). */
#include "mood/import.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "models/encoder.h"
#include "models/import.h"
#include "tensor/tensor.h"

/* ---- text -------------------------------------------------------------------------------------
 */

/* Text that grows. After a failure nothing is added any more. */
struct text {
    char *bytes;
    size_t n, room;
    bool failed;
};

static void say(struct text *t, const char *fmt, ...) MOOD_PRINTF(2, 3);
static void say(struct text *t, const char *fmt, ...)
{
    char piece[512]; /* of one call; enough for all below */
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(piece, sizeof(piece), fmt, args);
    va_end(args);
    t->failed = t->failed || n < 0 || (size_t)n >= sizeof(piece) ||
                !mood__reserve((void **)&t->bytes, &t->room, t->n + (size_t)n, 1);
    if (t->failed)
        return;
    memcpy(t->bytes + t->n, piece, (size_t)n);
    t->n += (size_t)n;
}

static mood_status write_file(const char *folder, const char *name, const struct mood__part *parts,
                              size_t n_parts)
{
    size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = mood__calloc(bytes, 1);
    if (!path)
        return mood__nomem();
    snprintf(path, bytes, "%s/%s", folder, name);
    mood_status status = mood__file_write_atomic(path, parts, n_parts);
    mood__free(path);
    return status ? mood__fail_in(status, "%s", name) : MOOD_OK;
}

static mood_status write_text(const char *folder, const char *name, struct text *t)
{
    mood_status status = t->failed
                             ? mood__nomem()
                             : write_file(folder, name, &(struct mood__part){t->bytes, t->n}, 1);
    mood__free(t->bytes);
    return status;
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void say_whole(struct text *t, const char *key, int value)
{
    say(t, "  \"%s\": %d,\n", key, value);
}

static void say_wholes(struct text *t, const char *key, const int *values, int n)
{
    say(t, "  \"%s\": [", key);
    for (int i = 0; i < n; i++)
        say(t, "%s%d", i ? ", " : "", values[i]);
    say(t, "],\n");
}

/* A number between 0 and 1, in the fewest digits that give the same float again, as 1e-5 or 15e-6:
 * a decimal point would follow the locale. */
static void say_fraction(struct text *t, const char *key, float value)
{
    double scale = 1, next = 10; /* of the digits: powers of ten */
    int exponent = 0;
    while (value * scale < 0.95)
        scale *= 10, exponent--;
    /* Nine digits tell all floats apart. */
    for (; next < 1e9 && (float)(round(value * scale) / scale) != value; next *= 10)
        scale *= 10, exponent--;
    say(t, "  \"%s\": %lde%d,\n", key, lround(value * scale), exponent);
}

static mood_status write_config(const char *folder, const mood_encoder_config *c)
{
    struct text t = {0};
    say(&t, "{\n  \"architectures\": [\"Wav2Vec2Model\"],\n");
    say_wholes(&t, "conv_dim", c->conv_channels, c->n_convs);
    say_wholes(&t, "conv_kernel", c->conv_kernel, c->n_convs);
    say_wholes(&t, "conv_stride", c->conv_stride, c->n_convs);
    say_whole(&t, "num_feat_extract_layers", c->n_convs);
    say_whole(&t, "hidden_size", c->width);
    say_whole(&t, "num_hidden_layers", c->n_layers);
    say_whole(&t, "num_attention_heads", c->n_heads);
    say_whole(&t, "intermediate_size", c->feed_forward);
    say_whole(&t, "num_conv_pos_embeddings", c->pos_kernel);
    say_whole(&t, "num_conv_pos_embedding_groups", c->pos_groups);
    say_fraction(&t, "layer_norm_eps", c->layer_norm_eps);
    say(&t, "  \"conv_bias\": %s,\n", c->conv_bias ? "true" : "false");
    say(&t, "  \"do_stable_layer_norm\": %s,\n", c->norm_first ? "true" : "false");
    say(&t, "  \"feat_extract_norm\": \"%s\",\n",
        c->conv_norm == MOOD_CONV_NORM_LAYER ? "layer" : "group");
    say(&t, "  \"feat_extract_activation\": \"gelu\",\n  \"hidden_act\": \"gelu\",\n");
    /* Or transformers would look for an embedding of what is masked in a training. */
    say(&t, "  \"mask_time_prob\": 0,\n");
    say(&t, "  \"model_type\": \"wav2vec2\"\n}\n");
    return write_text(folder, "config.json", &t);
}

static mood_status write_preprocessor(const char *folder, const mood_encoder_config *c)
{
    struct text t = {0};
    say(&t, "{\n  \"do_normalize\": %s,\n", c->normalise ? "true" : "false");
    say(&t, "  \"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\",\n");
    say(&t, "  \"feature_size\": 1,\n  \"padding_side\": \"right\",\n  \"padding_value\": 0,\n");
    /* As transformers has it: with a norm over the time of the clip, padding cannot be masked. */
    say(&t, "  \"return_attention_mask\": %s,\n",
        c->conv_norm == MOOD_CONV_NORM_LAYER ? "true" : "false");
    say(&t, "  \"sampling_rate\": 16000\n}\n");
    return write_text(folder, "preprocessor_config.json", &t);
}

/* ---- tensors ----------------------------------------------------------------------------------
 */

/* What becomes model.safetensors: length and text of the header, then the tensors. */
struct tensors {
    struct text header;
    struct mood__arena arena; /* of the parts' numbers */
    struct mood__part *parts; /* the first two are the header's */
    size_t n_parts, room;
    uint64_t offset; /* of the next tensor */
};

static mood_status add(struct tensors *t, const char *stem, const char *end, int rank,
                       const int64_t *dim, const float *numbers)
{
    mood_tensor shape;
    MOOD__TRY(mood_tensor_make(&shape, NULL, MOOD_F32, rank, dim));
    uint64_t bytes = mood_tensor_bytes(&shape);
    say(&t->header, ",\"wav2vec2.%s%s\":{\"dtype\":\"F32\",\"shape\":[", stem, end);
    for (int i = 0; i < rank; i++)
        say(&t->header, "%s%lld", i ? "," : "", (long long)dim[i]);
    say(&t->header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)t->offset,
        (unsigned long long)(t->offset + bytes));
    if (!mood__reserve((void **)&t->parts, &t->room, t->n_parts + 1, sizeof(*t->parts)))
        return mood__nomem();
    t->parts[t->n_parts++] = (struct mood__part){numbers, (size_t)bytes};
    t->offset += bytes;
    return MOOD_OK;
}

/* Of a panel, each column becomes a row. */
static void transpose_panels(float *numbers, const mood_tensor *w)
{
    mood_tensor p = mood__f32_panels(w);
    int64_t K = p.dim[1], width = p.dim[2];
    for (int64_t i = 0; i < p.dim[0]; i++)
        mood__reverse_axes(numbers + i * width * K, mood__f32(&p) + i * p.stride[0], (size_t)K, 1,
                           (size_t)width);
}

/* The numbers of a weight with its axes in reverse, in the arena; dim is the shape then. */
static float *reversed(struct tensors *t, const mood_tensor *w, int64_t dim[3])
{
    float *numbers = mood__arena_alloc(&t->arena, mood_tensor_bytes(w));
    for (int i = 0; i < w->rank; i++)
        dim[i] = w->dim[w->rank - 1 - i];
    if (numbers && w->dtype == MOOD_F32_PANELS)
        transpose_panels(numbers, w);
    else if (numbers)
        mood__reverse_axes(numbers, mood__f32(w), (size_t)w->dim[0],
                           w->rank > 2 ? (size_t)w->dim[1] : 1,
                           w->rank > 1 ? (size_t)w->dim[w->rank - 1] : 1);
    return numbers;
}

/* The weight w (K, Cin, D) as lengths g and directions v: w = g v / |v|, for each tap. v is w
 * itself, but where that is zero and has no direction: there any will do, at length 0. */
static mood_status add_position(struct tensors *t, const mood_tensor *w)
{
    int64_t dim[3];
    size_t taps = (size_t)w->dim[0], n = (size_t)(w->dim[1] * w->dim[2]);
    float *v = reversed(t, w, dim), *g = mood__arena_alloc(&t->arena, taps * sizeof(float));
    if (!v || !g)
        return mood__nomem();
    for (size_t k = 0; k < taps; k++) {
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += (double)v[i * taps + k] * v[i * taps + k];
        g[k] = (float)sqrt(squares);
        for (size_t i = 0; i < n && g[k] == 0.0f; i++)
            v[i * taps + k] = 1.0f;
    }
    MOOD__TRY(add(t, MOOD__POSITION_CONV, ".weight_g", 3, (int64_t[]){1, 1, (int64_t)taps}, g));
    return add(t, MOOD__POSITION_CONV, ".weight_v", 3, dim, v);
}

static mood_status add_weight(struct tensors *t, const char *name, const mood_tensor *w)
{
    int64_t dim[3];
    if (strcmp(name, MOOD__POSITION_CONV ".weight") == 0)
        return add_position(t, w);
    if (w->rank == 1)
        return add(t, name, "", 1, w->dim, mood__f32(w));
    float *numbers = reversed(t, w, dim);
    return numbers ? add(t, name, "", w->rank, dim, numbers) : mood__nomem();
}

static mood_status write_tensors(struct tensors *t, const char *folder, const mood_weights *weights)
{
    unsigned char length[8];
    if (!mood__reserve((void **)&t->parts, &t->room, 2, sizeof(*t->parts)))
        return mood__nomem();
    t->n_parts = 2;
    say(&t->header, "{\"__metadata__\":{\"format\":\"pt\"}"); /* transformers asks for it */
    for (int i = 0; i < mood_weights_count(weights); i++)
        MOOD__TRY(add_weight(t, mood_weights_name(weights, i), mood_weights_value(weights, i)));
    say(&t->header, "}");
    while (t->header.n % 8 != 0 && !t->header.failed) /* so that the numbers are aligned */
        say(&t->header, " ");
    if (t->header.failed)
        return mood__nomem();
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)t->header.n >> 8 * i);
    t->parts[0] = (struct mood__part){length, sizeof(length)};
    t->parts[1] = (struct mood__part){t->header.bytes, t->header.n};
    return write_file(folder, "model.safetensors", t->parts, t->n_parts);
}

static mood_status write_weights(const char *folder, const mood_weights *weights)
{
    struct tensors t = {0};
    mood_status status = write_tensors(&t, folder, weights);
    mood__free(t.header.bytes);
    mood__free(t.parts);
    mood__arena_free(&t.arena);
    return status;
}

mood_status mood_encoder_export(const mood_encoder *encoder, const char *folder)
{
    const mood_encoder_config *config = mood_encoder_get_config(encoder);
    if (encoder->has_i8)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "weights of 8 bits cannot be written as a Hugging Face folder");
    MOOD__TRY(mood__folder_make(folder));
    MOOD__TRY(write_weights(folder, encoder->weights));
    MOOD__TRY(write_preprocessor(folder, config));
    return write_config(folder, config);
}
