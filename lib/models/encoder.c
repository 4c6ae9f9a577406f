/* SPDX-License-Identifier: MIT
 *
 * encoder.c — The life of an encoder: made, identified, shared, freed. Files are encoder_file.c's,
 * the network is wav2vec2.c's. */
#include "models/encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "graph/node.h"
#include "models/model.h"

/* ---- weights ------------------------------------------------------------------------------ */

/* A graph of the network makes the weights that it needs. It is compiled for its samples only: no
 * memory is taken for the rest, and the first mistake comes to light all the same. */
static mood_status make_weights(mood_weights *w, const mood_encoder_config *c)
{
    mood_graph *g;
    MOOD__TRY(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
    mood_node *samples =
        mood_input(g, "samples", MOOD_F32, 3, (int64_t[]){1, mood_encoder_min_samples(c), 1});
    mood_wav2vec2(samples, c, c->n_layers, NULL);
    mood_status status = mood_graph_compile(g, &samples, 1);
    mood_graph_destroy(&g);
    mood_weights_seal(w);
    return status;
}

mood_status mood__encoder_outline(mood_weights **out, const mood_encoder_config *config)
{
    *out = NULL;
    MOOD__TRY(mood_encoder_check(config));
    MOOD__TRY(mood_weights_create(out, 0));
    mood__weights_start_outline(*out);
    mood_status status = make_weights(*out, config);
    if (status)
        mood_weights_destroy(out);
    return status;
}

/* ---- weights as if they were trained ------------------------------------------------------ */

static const double GAIN_SIGMA = 0.5;
static const float OUTLIER_GAIN = 20.0f;
enum { CHANNELS_PER_OUTLIER = 100 };

static bool ends_in(const char *s, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* Whether the layer adds what it gives to the stream between the layers: its name without
 * ".weight" or ".bias". */
static bool feeds_stream(const char *layer, size_t n)
{
    return ends_in(layer, n, "feature_projection.projection") ||
           ends_in(layer, n, "pos_conv_embed.conv") || ends_in(layer, n, "attention.out_proj") ||
           ends_in(layer, n, "feed_forward.output_dense");
}

/* The generator of a layer's gains: the same for its weight and its bias. */
static struct mood__rng gains_of(uint64_t seed, const char *layer, size_t n)
{
    uint64_t h = mood__mix64(0x6761696e); /* apart from the weights' own streams */
    for (size_t i = 0; i < n; i++)
        h = mood__hash64(h, (unsigned char)layer[i]);
    return mood__rng_make(seed, h);
}

/* Multiply channel i, the last index, by gain[i]. */
static void scale_channels(const mood_tensor *t, const float *gain)
{
    float *x = mood__f32(t);
    int64_t C = t->dim[t->rank - 1], rows = mood_tensor_elements(t) / C;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < C; i++)
            x[r * C + i] *= gain[i];
    }
}

/* outlier[i]: 20 in one channel of a hundred, 1 in the others. */
static void choose_outliers(float *outlier, int width, uint64_t seed)
{
    struct mood__rng rng = gains_of(seed, "", 0);
    for (int i = 0; i < width; i++)
        outlier[i] = 1.0f;
    for (int n = 1 + (width - 1) / CHANNELS_PER_OUTLIER; n > 0;) {
        uint64_t i = mood__rng_below(&rng, (uint64_t)width);
        n -= outlier[i] == 1.0f;
        outlier[i] = OUTLIER_GAIN;
    }
}

static mood_status make_trained_like(mood_encoder *e, uint64_t seed)
{
    int most = e->config.width; /* channels of a weight below */
    for (int i = 0; i < e->config.n_convs; i++)
        if (e->config.conv_channels[i] > most)
            most = e->config.conv_channels[i];
    float *gain = mood__calloc(2 * (size_t)most, sizeof(*gain));
    if (!gain)
        return mood__nomem();
    float *outlier = gain + most;
    choose_outliers(outlier, e->config.width, seed);
    for (int i = 0; i < mood_weights_count(e->weights); i++) {
        const mood_tensor *t = mood_weights_value(e->weights, i);
        const char *name = mood_weights_name(e->weights, i), *part = strrchr(name, '.');
        size_t n = (size_t)(part - name);
        bool stream = feeds_stream(name, n);
        if (!stream && !(ends_in(name, n, "layer_norm") && strcmp(part, ".weight") == 0))
            continue;
        struct mood__rng rng = gains_of(seed, name, n);
        for (int64_t k = 0; k < t->dim[t->rank - 1]; k++)
            gain[k] =
                (float)exp(GAIN_SIGMA * mood__rng_normal(&rng)) * (stream ? outlier[k] : 1.0f);
        scale_channels(t, gain);
    }
    mood__free(gain);
    return MOOD_OK;
}

/* ---- life --------------------------------------------------------------------------------- */

mood_status mood__encoder_create_bare(mood_encoder **out, const mood_encoder_config *config)
{
    *out = NULL;
    mood_encoder *e = mood__calloc(1, sizeof(*e));
    if (!e)
        return mood__nomem();
    atomic_init(&e->owners, 1);
    e->config = *config;
    e->source = mood__strdup("{}");
    if (!e->source) {
        mood_encoder_destroy(&e);
        return mood__nomem();
    }
    *out = e;
    return MOOD_OK;
}

static mood_status fill(mood_encoder *e, const mood_encoder_params *params)
{
    MOOD__TRY(mood_weights_create(&e->weights, params ? params->seed : 0));
    if (!params)
        mood__weights_start_blank(e->weights);
    MOOD__TRY(make_weights(e->weights, &e->config));
    if (params && params->trained_like)
        MOOD__TRY(make_trained_like(e, params->seed));
    if (params)
        mood_encoder_identify(e);
    return MOOD_OK;
}

mood_status mood_encoder_create(mood_encoder **out, const mood_encoder_config *config,
                                const mood_encoder_params *params)
{
    *out = NULL;
    mood_encoder *e;
    MOOD__TRY(mood_encoder_check(config));
    MOOD__TRY(mood__encoder_create_bare(&e, config));
    mood_status status = fill(e, params);
    if (status)
        mood_encoder_destroy(&e);
    *out = e;
    return status;
}

mood_encoder *mood_encoder_retain(mood_encoder *encoder)
{
    if (encoder)
        atomic_fetch_add(&encoder->owners, 1);
    return encoder;
}

void mood_encoder_destroy(mood_encoder **encoder)
{
    mood_encoder *e = *encoder;
    *encoder = NULL;
    if (!e || atomic_fetch_sub(&e->owners, 1) != 1)
        return;
    mood_weights_destroy(&e->weights);
    mood__reader_close(&e->file);
    mood_encoder_destroy(&e->base);
    mood__free(e->source);
    mood__free(e);
}

/* ---- what is in it ------------------------------------------------------------------------ */

const mood_encoder_config *mood_encoder_get_config(const mood_encoder *encoder)
{
    return &encoder->config;
}

mood_weights *mood_encoder_weights(mood_encoder *encoder)
{
    return encoder->weights;
}

const char *mood_encoder_identity(const mood_encoder *encoder)
{
    return encoder->identity;
}

const char *mood_encoder_source(const mood_encoder *encoder)
{
    return encoder->source;
}

mood_status mood_encoder_set_source(mood_encoder *encoder, const char *json)
{
    MOOD__TRY(mood__check_json_object(json));
    char *copy = mood__strdup(json);
    if (!copy)
        return mood__nomem();
    mood__free(encoder->source);
    encoder->source = copy;
    return MOOD_OK;
}
