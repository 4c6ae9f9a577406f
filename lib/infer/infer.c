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
#include "infer/hear.h"
#include "mood/ops.h"
#include "tensor/tensor.h"

struct mood_infer {
    mood_model *model;
    double temperature; /* the model's, when the recogniser was made */
    struct mood__ear *ear;
    mood_graph *graph;
    mood_node *mel;  /* (1, F, T, 1) */
    mood_node *prob; /* (1, V) */

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

static mood_status build(mood_infer *infer, mood_pool *pool)
{
    const mood_graph_params params = {.weights = mood_model_weights(infer->model), .pool = pool};
    MOOD__TRY(mood_graph_create(&infer->graph, &params));
    infer->mel = mood_input(infer->graph, "mel", MOOD_F32, 4,
                            (int64_t[]){1, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    infer->prob = mood_softmax(mood_heads(NULL, infer->mel, mood_model_heads(infer->model)));
    return mood_graph_compile(infer->graph, &infer->prob, 1);
}

mood_status mood_infer_create(mood_infer **out, mood_model *model, const mood_infer_params *params)
{
    *out = NULL;
    int width = mood_model_heads(model)->feature_width;
    if (width > 0)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "the model needs an encoder of width %d, which this version cannot run",
                          width);
    mood_infer *infer = mood__calloc(1, sizeof(*infer));
    if (!infer)
        return mood__nomem();
    infer->model = mood_model_retain(model);
    infer->temperature = mood_model_temperature(model);
    mood_status status = mood__ear_create(&infer->ear);
    if (!status)
        status = build(infer, params ? params->pool : NULL);
    if (status)
        mood_infer_destroy(&infer);
    *out = infer;
    return status;
}

void mood_infer_destroy(mood_infer **infer)
{
    if (*infer) {
        mood_graph_destroy(&(*infer)->graph);
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

/* Run the network over the plane that lies in its input, and keep the answer as segment i. */
static mood_status classify(mood_infer *infer, size_t i, size_t n_samples, size_t start,
                            bool speech)
{
    int V = mood_model_n_labels(infer->model);
    float *prob = infer->segment_prob + i * (size_t)V;
    MOOD__TRY(mood_graph_forward(infer->graph));
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

mood_status mood_infer_run(mood_infer *infer, const mood_audio *audio, mood_result *out)
{
    const float *pcm = mood_audio_samples(audio);
    size_t n_samples = mood_audio_length(audio);
    float *plane = mood__f32(mood_node_value(infer->mel));
    mood_windows w;
    MOOD__TRY(mood__plan_windows(&w, n_samples));
    MOOD__TRY(make_room(infer, w.count));
    for (size_t i = 0; i < w.count; i++) {
        size_t start = mood_windows_start(&w, i);
        bool speech;
        MOOD__TRY(mood__ear_window(infer->ear, plane, &speech, pcm, n_samples, start, NULL, 0));
        MOOD__TRY(classify(infer, i, n_samples, start, speech));
    }
    conclude(infer, w.count, infer->temperature, out);
    return MOOD_OK;
}

mood_status mood__infer_heard(mood_infer *infer, const struct mood__heard *heard, mood_result *out)
{
    float *plane = mood__f32(mood_node_value(infer->mel));
    MOOD__TRY(make_room(infer, heard->n_windows));
    for (size_t i = 0; i < heard->n_windows; i++) {
        memcpy(plane, heard->planes + i * MOOD__PLANE, MOOD__PLANE * sizeof(float));
        MOOD__TRY(classify(infer, i, heard->n_samples, heard->start[i], heard->speech[i]));
    }
    conclude(infer, heard->n_windows, infer->temperature, out);
    return MOOD_OK;
}

void mood__infer_temper(mood_infer *infer, double temperature, mood_result *result)
{
    conclude(infer, result->n_segments, temperature, result);
}
