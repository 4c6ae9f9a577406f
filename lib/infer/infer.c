/* SPDX-License-Identifier: MIT
 *
 * infer.c — From what was heard to probabilities: each window by itself, then their mean.
 *
 * The graph has a batch of one window. A larger one would be faster, but the bits of a matrix
 * product may depend on its number of rows, and then a clip's answer on its company. */
#include "mood/infer.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "infer/features.h"
#include "infer/hear.h"
#include "mood/ops.h"
#include "tensor/tensor.h"

struct mood_infer {
    mood_model *model;
    double temperature;               /* the model's, when the recogniser was made */
    mood_infer_callback *on_progress; /* these three: as in mood_infer_params */
    void *user;
    const volatile int *stop;
    struct mood__ear *ear;
    mood_frames *frames; /* of the part of the encoder that is run here; NULL: of none */
    mood_graph *graph;
    mood_node *features; /* (1, T, D) or (1, L, T, D); functionals (1, F); or NULL */
    mood_node *mel;      /* (1, F, T, 1) for the heads; or NULL */
    mood_node *prob;     /* (1, V) */
    mood_node *speech;   /* (1, 1), of a network on prosody with a gate; or NULL */

    /* The last result. */
    size_t capacity;        /* windows that the next two have room for */
    mood_segment *segments; /* (capacity) */
    float *segment_prob;    /* (capacity, V) */
    double sum[MOOD_MAX_LABELS];
    float mean[MOOD_MAX_LABELS];
};

const char *mood_verdict_name(mood_verdict verdict)
{
    switch (verdict) {
    case MOOD_VERDICT_SUCCESS:
        return "success";
    case MOOD_VERDICT_LOW_CONFIDENCE:
        return "low_confidence";
    case MOOD_VERDICT_NO_SPEECH:
        return "no_speech";
    }
    return "unknown";
}

/* ---- life --------------------------------------------------------------------------------- */

static mood_node *feature_input(mood_graph *g, const mood_encoder_use *use, int n_frames)
{
    struct mood__feature_shape s = mood__feature_shape(use, n_frames);
    if (use->layer == MOOD_LAYER_MIX)
        return mood_input(g, "features", MOOD_F32, 4,
                          (int64_t[]){1, s.n_layers, s.n_frames, s.width});
    return mood_input(g, "features", MOOD_F32, 3, (int64_t[]){1, s.n_frames, s.width});
}

static mood_status build(mood_infer *infer, int n_frames, mood_pool *pool)
{
    const mood_model *m = infer->model;
    const mood_encoder_use *use = mood_model_encoder(m);
    const mood_graph_params params = {.weights = mood_model_weights(infer->model), .pool = pool};
    MOOD__TRY(mood_graph_create(&infer->graph, &params));
    if (use)
        infer->features = feature_input(infer->graph, use, n_frames);
    if (mood_model_network(m) == MOOD_NETWORK_PROSODY)
        infer->features = mood_input(infer->graph, "functionals", MOOD_F32, 2,
                                     (int64_t[]){1, mood_model_prosody(m)->n_functionals});
    if (mood_model_network(m) == MOOD_NETWORK_HEADS)
        infer->mel = mood_input(infer->graph, "mel", MOOD_F32, 4,
                                (int64_t[]){1, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    mood_node *logits =
        mood_model_network(m) == MOOD_NETWORK_PROSODY
            ? mood_prosody_net(infer->features, mood_model_prosody(m), &infer->speech)
            : mood_model_logits(m, infer->features, infer->mel, 0);
    infer->prob = mood_softmax(logits);
    return mood_graph_compile(infer->graph, (mood_node *[]){infer->prob, infer->speech},
                              infer->speech ? 2 : 1);
}

/* The encoder that runs: the caller's, or the one in the model. *out is borrowed. */
static mood_status choose_encoder(mood_encoder **out, const mood_model *m, mood_encoder *given)
{
    const mood_encoder_use *use = mood_model_encoder(m);
    const mood_heads_params *heads = mood_model_heads(m);
    *out = given ? given : mood_model_embedded(m);
    if (given) {
        mood_status status = mood_model_check_encoder(m, given);
        return status ? mood__fail_in(status, "the given encoder") : MOOD_OK;
    }
    if (use && !*out)
        return mood__fail(MOOD_E_MISSING, "the model needs its encoder %.12s...", use->identity);
    if (!use && heads && heads->feature_width > 0)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "the model needs an encoder of width %d, and does not say which",
                          heads->feature_width);
    return MOOD_OK;
}

static enum mood__ear_kind ear_for(mood_network network)
{
    switch (network) {
    case MOOD_NETWORK_HEADS:
        return MOOD__EAR_MEL;
    case MOOD_NETWORK_PROSODY:
        return MOOD__EAR_PROSODY;
    case MOOD_NETWORK_CLASSIFIER:
        break;
    }
    return MOOD__EAR_PLAIN;
}

/* With `encoder`, from `first` on, or fed with its features, or for a model without one. */
static mood_status create(mood_infer **out, mood_model *model, mood_encoder *encoder, int first,
                          int n_frames, mood_pool *pool)
{
    mood_infer *infer = mood__calloc(1, sizeof(*infer));
    if (!infer)
        return mood__nomem();
    infer->model = mood_model_retain(model);
    infer->temperature = mood_model_temperature(model);
    mood_status status = mood__ear_create(&infer->ear, ear_for(mood_model_network(model)));
    if (!status && encoder)
        status =
            mood__features_create(&infer->frames, encoder, mood_model_encoder(model), first, pool);
    if (!status)
        status = build(infer, n_frames, pool);
    if (status)
        mood_infer_destroy(&infer);
    *out = infer;
    return status;
}

mood_status mood_infer_create(mood_infer **out, mood_model *model, const mood_infer_params *params)
{
    mood_infer_params p = params ? *params : (mood_infer_params){0};
    mood_encoder *encoder;
    *out = NULL;
    MOOD__TRY(choose_encoder(&encoder, model, p.encoder));
    MOOD__TRY(create(out, model, encoder, MOOD__FROM_SAMPLES,
                     encoder ? mood__window_frames(encoder) : 0, p.pool));
    (*out)->on_progress = p.on_progress;
    (*out)->user = p.user;
    (*out)->stop = p.stop;
    return MOOD_OK;
}

mood_status mood__infer_create_fed(mood_infer **out, mood_model *model, int n_frames, int hidden)
{
    *out = NULL;
    mood_encoder *encoder = hidden >= 0 ? mood_model_embedded(model) : NULL;
    return create(out, model, encoder, hidden, n_frames, NULL);
}

void mood_infer_destroy(mood_infer **infer)
{
    if (*infer) {
        mood_graph_destroy(&(*infer)->graph);
        mood_frames_destroy(&(*infer)->frames);
        mood__ear_destroy(&(*infer)->ear);
        mood_model_destroy(&(*infer)->model);
        mood__free((*infer)->segments);
        mood__free((*infer)->segment_prob);
        mood__free(*infer);
    }
    *infer = NULL;
}

/* ---- one recording ------------------------------------------------------------------------ */

static mood_status make_room(mood_infer *infer, size_t n_windows)
{
    if (n_windows <= infer->capacity)
        return MOOD_OK;
    size_t n_prob, V = (size_t)mood_model_n_labels(infer->model);
    if (!mood__mul_size(n_windows, V, &n_prob))
        return mood__nomem();
    mood_segment *segments = mood__realloc(infer->segments, n_windows, sizeof(*segments));
    if (segments)
        infer->segments = segments;
    float *prob = mood__realloc(infer->segment_prob, n_prob, sizeof(*prob));
    if (prob)
        infer->segment_prob = prob;
    if (!segments || !prob)
        return mood__nomem();
    infer->capacity = n_windows;
    return MOOD_OK;
}

/* Run the network over what lies in its inputs, and keep the answer as segment i. */
static mood_status classify(mood_infer *infer, size_t i, size_t n_samples, size_t start,
                            bool speech)
{
    int V = mood_model_n_labels(infer->model);
    float *prob = infer->segment_prob + i * (size_t)V;
    MOOD__TRY(mood_graph_forward(infer->graph));
    if (infer->speech)
        speech = speech && mood__f32(mood_node_value(infer->speech))[0] >= MOOD_PROSODY_SPEECH;
    memcpy(prob, mood__f32(mood_node_value(infer->prob)), (size_t)V * sizeof(float));

    size_t end = start + MOOD__WINDOW_SAMPLES;
    if (end > n_samples)
        end = n_samples;
    infer->segments[i] = (mood_segment){.start_s = (double)start / MOOD_SAMPLE_RATE,
                                        .end_s = (double)end / MOOD_SAMPLE_RATE,
                                        .speech = speech,
                                        .prob = prob};
    return MOOD_OK;
}

/* softmax(logits / T) from softmax(logits): logits are the logarithms, but for a constant. */
static void temper(float *prob, int V, double temperature)
{
    double power[MOOD_MAX_LABELS], sum = 0, top = log((double)prob[mood__argmax(prob, V)]);
    for (int v = 0; v < V; v++) {
        power[v] = exp((log((double)prob[v]) - top) / temperature); /* 0 stays 0 */
        sum += power[v];
    }
    for (int v = 0; v < V; v++)
        prob[v] = (float)(power[v] / sum);
}

/* The mean over the windows with speech, or over all. Added up in double, in time order. */
static void conclude(mood_infer *infer, size_t n_windows, double temperature, mood_result *out)
{
    int V = mood_model_n_labels(infer->model);
    size_t n_speech = 0;
    for (size_t i = 0; i < n_windows; i++) {
        mood_segment *s = &infer->segments[i];
        float *prob = infer->segment_prob + i * (size_t)V;
        if (temperature != 1)
            temper(prob, V, temperature);
        s->best = mood__argmax(prob, V);
        s->confidence = prob[s->best];
        n_speech += s->speech;
    }

    memset(infer->sum, 0, sizeof(infer->sum));
    for (size_t i = 0; i < n_windows; i++) {
        for (int v = 0; v < V && (infer->segments[i].speech || n_speech == 0); v++)
            infer->sum[v] += infer->segments[i].prob[v];
    }
    for (int v = 0; v < V; v++)
        infer->mean[v] = (float)(infer->sum[v] / (double)(n_speech ? n_speech : n_windows));

    int best = mood__argmax(infer->mean, V);
    *out = (mood_result){.prob = infer->mean,
                         .n_labels = V,
                         .best = best,
                         .confidence = infer->mean[best],
                         .segments = infer->segments,
                         .n_segments = n_windows};
    out->verdict = n_speech == 0                      ? MOOD_VERDICT_NO_SPEECH
                   : out->confidence < MOOD_CONFIDENT ? MOOD_VERDICT_LOW_CONFIDENCE
                                                      : MOOD_VERDICT_SUCCESS;
}

static float *memory_of(mood_node *input)
{
    return input ? mood__f32(mood_node_value(input)) : NULL;
}

/* Put window `start` of a recording into the network's inputs. */
static mood_status hear(mood_infer *infer, bool *speech, const float *pcm, size_t n_samples,
                        size_t start)
{
    const mood_model *m = infer->model;
    MOOD__TRY(mood__ear_window(infer->ear, memory_of(infer->mel), speech, pcm, n_samples, start,
                               NULL, 0));
    if (mood_model_network(m) == MOOD_NETWORK_PROSODY)
        return mood__ear_functionals(infer->ear, memory_of(infer->features));
    if (!infer->frames)
        return MOOD_OK;
    return mood__features_run(infer->frames, mood_model_encoder(m),
                              mood_model_network(m) == MOOD_NETWORK_HEADS,
                              mood__ear_samples(infer->ear), memory_of(infer->features));
}

static mood_status go_on(const mood_infer *infer, size_t done, size_t total)
{
    bool told = done > 0 && infer->on_progress && infer->on_progress(infer->user, done, total) != 0;
    if (told || (infer->stop && *infer->stop != 0))
        return mood__fail(MOOD_E_STOPPED, "stopped after %zu of %zu windows", done, total);
    return MOOD_OK;
}

mood_status mood_infer_run(mood_infer *infer, const mood_audio *audio, mood_result *out)
{
    const float *pcm = mood_audio_samples(audio);
    size_t n_samples = mood_audio_length(audio);
    mood_windows w;
    MOOD__TRY(mood__plan_windows(&w, n_samples));
    MOOD__TRY(make_room(infer, w.count));
    for (size_t i = 0; i < w.count; i++) {
        size_t start = mood_windows_start(&w, i);
        bool speech;
        MOOD__TRY(go_on(infer, i, w.count));
        MOOD__TRY(hear(infer, &speech, pcm, n_samples, start));
        MOOD__TRY(classify(infer, i, n_samples, start, speech));
    }
    MOOD__TRY(go_on(infer, w.count, w.count));
    conclude(infer, w.count, infer->temperature, out);
    return MOOD_OK;
}

mood_status mood__infer_heard(mood_infer *infer, const struct mood__heard *heard, mood__feed *feed,
                              void *ctx, mood_result *out)
{
    float *plane = memory_of(infer->mel), *features = memory_of(infer->features);
    float *fed = infer->frames ? mood__frames_input(infer->frames) : features;
    MOOD__TRY(make_room(infer, heard->n_windows));
    for (size_t i = 0; i < heard->n_windows; i++) {
        if (plane && heard->planes)
            memcpy(plane, heard->planes + i * MOOD__PLANE, MOOD__PLANE * sizeof(float));
        if (fed)
            MOOD__TRY(feed(ctx, i, fed, heard->planes ? NULL : plane));
        if (infer->frames)
            MOOD__TRY(mood__features_forward(infer->frames, mood_model_encoder(infer->model), true,
                                             features));
        MOOD__TRY(classify(infer, i, heard->n_samples, heard->start[i], heard->speech[i]));
    }
    conclude(infer, heard->n_windows, infer->temperature, out);
    return MOOD_OK;
}

void mood__infer_temper(mood_infer *infer, double temperature, mood_result *result)
{
    conclude(infer, result->n_segments, temperature, result);
}
