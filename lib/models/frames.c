/* SPDX-License-Identifier: MIT
 *
 * frames.c — An encoder at work: one graph for clips of one length, run as often as there are
 * clips. One clip at a time: its frames are the same bytes alone and in any company. */
#include "models/frames.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/node.h"
#include "store/store.h"
#include "tensor/tensor.h"

/* A base encoder reaches it with a clip of 11 minutes on one thread, and of 4 on sixteen: of each
 * thread's, the probabilities of an attention head grow with the square of the length. MAX_FRAMES
 * keeps all sizes within 64 bits until the graph's memory is known and can be compared. */
static const uint64_t MAX_BYTES = (uint64_t)1 << 33;
static const int64_t MAX_FRAMES = 1 << 24;

static const struct mood__format features_format = {.kind = "features", .major = 1, .minor = 0};

struct mood_frames {
    mood_encoder *encoder;
    size_t n_samples;
    struct mood__encoder_part part;
    bool every_layer, ran;
    mood_graph *graph;
    mood_node *input;                               /* (1, S, 1), or (1, T, D) */
    mood_tensor layer[MOOD_ENCODER_MAX_LAYERS + 1]; /* (T, D); data is NULL where none is kept */
};

static mood_status check(const mood_encoder_config *c, size_t n_samples, int n_layers)
{
    if (n_layers > c->n_layers)
        return mood__fail(MOOD_E_INVALID, "hidden state %d is wanted; the encoder's last is %d",
                          n_layers, c->n_layers);
    int64_t least = mood_encoder_min_samples(c);
    if (n_samples < (size_t)least)
        return mood__fail(MOOD_E_SHAPE, "a clip of %zu samples; the encoder needs %lld", n_samples,
                          (long long)least);
    if (n_samples > (size_t)MOOD__MAX_ELEMENTS ||
        mood_encoder_frames(c, (int64_t)n_samples) > MAX_FRAMES)
        return mood__fail(MOOD_E_UNSUPPORTED, "a clip of %zu samples is too long", n_samples);
    return MOOD_OK;
}

/* Compile for the layers that are kept, and make views of them. */
static mood_status compile(mood_frames *f, mood_encoder_nodes *nodes)
{
    int last = f->part.last, first = f->part.first > 0 ? f->part.first : 0;
    if (!f->every_layer)
        first = last;
    mood_status status = mood_graph_compile(f->graph, nodes->layer + first, last - first + 1);
    if (status == MOOD_E_UNSUPPORTED)
        return mood__fail(status,
                          "a clip of %zu samples is too long: the encoder would need more than %d "
                          "GiB of memory; cut it into pieces",
                          f->n_samples, (int)(MAX_BYTES >> 30));
    for (int i = first; i <= last && !status; i++) {
        const mood_tensor *x = mood_node_value(nodes->layer[i]);
        status = mood_tensor_reshape(&f->layer[i], x, 2, x->dim + 1);
    }
    return status;
}

static mood_status build(mood_frames *f, mood_pool *pool)
{
    const mood_graph_params params = {
        .weights = mood_encoder_weights(f->encoder),
        .pool = pool,
        .max_bytes = MAX_BYTES < SIZE_MAX ? (size_t)MAX_BYTES : SIZE_MAX,
    };
    mood_encoder_nodes nodes = {0};
    MOOD__TRY(mood_graph_create(&f->graph, &params));
    const mood_encoder_config *c = mood_encoder_get_config(f->encoder);
    f->input = mood__encoder_part_input(f->graph, c, f->part, 1, (int64_t)f->n_samples);
    mood__encoder_part_build(f->input, c, f->part, &nodes);
    return compile(f, &nodes);
}

mood_status mood__frames_create(mood_frames **out, mood_encoder *encoder, size_t n_samples,
                                struct mood__encoder_part part, bool every_layer, mood_pool *pool)
{
    *out = NULL;
    MOOD__TRY(check(mood_encoder_get_config(encoder), n_samples, part.last));
    mood_frames *f = mood__calloc(1, sizeof(*f));
    if (!f)
        return mood__nomem();
    f->encoder = mood_encoder_retain(encoder);
    f->n_samples = n_samples;
    f->part = part;
    f->every_layer = every_layer;
    mood_status status = build(f, pool);
    if (status)
        mood_frames_destroy(&f);
    *out = f;
    return status;
}

mood_status mood_frames_create(mood_frames **out, mood_encoder *encoder, size_t n_samples,
                               const mood_frames_params *params)
{
    mood_frames_params p = params ? *params : (mood_frames_params){.n_layers = -1};
    if (p.n_layers < 0)
        p.n_layers = mood_encoder_get_config(encoder)->n_layers;
    struct mood__encoder_part part = {MOOD__FROM_SAMPLES, p.n_layers};
    return mood__frames_create(out, encoder, n_samples, part, p.every_layer, p.pool);
}

void mood_frames_destroy(mood_frames **frames)
{
    if (*frames) {
        mood_graph_destroy(&(*frames)->graph);
        mood_encoder_destroy(&(*frames)->encoder);
        mood__free(*frames);
    }
    *frames = NULL;
}

float *mood__frames_input(mood_frames *frames)
{
    return mood__f32(mood_node_value(frames->input));
}

mood_status mood__frames_forward(mood_frames *frames)
{
    frames->ran = false;
    MOOD__TRY(mood_graph_forward(frames->graph));
    frames->ran = true;
    return MOOD_OK;
}

mood_status mood_frames_run(mood_frames *frames, const float *samples)
{
    float *x = mood__frames_input(frames);
    memcpy(x, samples, frames->n_samples * sizeof(*x));
    mood_encoder_prepare(mood_encoder_get_config(frames->encoder), x, frames->n_samples);
    return mood__frames_forward(frames);
}

const mood_tensor *mood_frames_layer(const mood_frames *frames, int i)
{
    bool kept = i >= 0 && i <= frames->part.last && frames->layer[i].data;
    return kept ? &frames->layer[i] : NULL;
}

mood_status mood_frames_save(const mood_frames *frames, const char *path)
{
    struct mood__writer *w;
    if (!frames->every_layer || !frames->ran)
        return mood__fail(MOOD_E_INVALID,
                          frames->ran ? "not every layer was kept" : "no clip was heard yet");
    MOOD__TRY(mood__writer_create(&w, &features_format));
    mood_status status = MOOD_OK;
    for (int i = 0; i <= frames->part.last && !status; i++) {
        char name[24];
        snprintf(name, sizeof(name), "layer_%02d", i);
        status = mood__writer_add_tensor(w, name, &frames->layer[i]);
    }
    if (!status)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}
