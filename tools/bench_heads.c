/* SPDX-License-Identifier: MIT
 *
 * bench_heads.c — mood-bench heads-step: one training step of the hybrid heads on features that are
 * in memory. tests/golden/compare_heads_step.py runs it beside PyTorch's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "bench.h"
#include "cli.h"
#include "formula.h"
#include "mood/mood.h"

enum { FRAMES = 149, MEL_BANDS = 64, MEL_FRAMES = 94, N_LABELS = 8, TRACE_STEPS = 10 };

/* Small enough that rounding does not grow into a difference: see peer_heads_step.py. */
static const double TRACE_LR = 1e-4;

/* The network, its optimiser, and what it is fed with. */
struct bench {
    const struct bench_options *o;
    mood_pool *pool;
    mood_weights *weights;
    mood_graph *graph;
    mood_optimiser *optimiser;
    mood_node *seq, *mel, *labels, *loss;
    float *seq_pool, *mel_pool; /* 2 * batch clips to pick from */
    uint64_t step;
};

static mood_status build(struct bench *b)
{
    const struct bench_options *o = b->o;
    int64_t B = o->batch, D = o->width;
    mood_status status = mood_pool_create(&b->pool, o->threads);
    if (!status)
        status = mood_weights_create(&b->weights, 0);
    if (!status)
        status = mood_graph_create(
            &b->graph,
            &(mood_graph_params){.weights = b->weights, .pool = b->pool, .training = true});
    if (status)
        return status;
    b->mel = mood_input(b->graph, "mel", MOOD_F32, 4, (int64_t[]){B, MEL_BANDS, MEL_FRAMES, 1});
    b->labels = mood_input(b->graph, "labels", MOOD_I32, 1, (int64_t[]){B});
    if (D)
        b->seq = mood_input(b->graph, "seq", MOOD_F32, 3, (int64_t[]){B, FRAMES, D});
    mood_heads_params heads = {.feature_width = (int)D, .dropout = o->trace ? -1.0f : 0.5f};
    b->loss = mood_cross_entropy(mood_heads(b->seq, b->mel, &heads), b->labels, NULL);
    status = mood_graph_compile(b->graph, &b->loss, 1);
    mood_optimiser_params adam = {.lr = o->trace ? TRACE_LR : 1e-3};
    return status ? status : mood_optimiser_create(&b->optimiser, b->weights, &adam);
}

static void clean_up(struct bench *b)
{
    mood_optimiser_destroy(&b->optimiser);
    mood_graph_destroy(&b->graph);
    mood_weights_destroy(&b->weights);
    mood_pool_destroy(&b->pool);
    free(b->seq_pool);
    free(b->mel_pool);
}

static float *values(const mood_node *n)
{
    return mood_node_value(n)->data;
}

static mood_status step(struct bench *b)
{
    mood_weights_zero_grad(b->weights);
    mood_status status = mood_graph_forward(b->graph);
    if (!status)
        status = mood_graph_backward(b->graph);
    if (!status)
        mood_optimiser_step(b->optimiser, b->pool);
    return status;
}

/* ---- trace ---- */

static mood_status trace(struct bench *b)
{
    formula_weights(b->weights);
    printf("{\"what\": \"heads-step-trace\", \"params\": %lld, \"losses\": [",
           (long long)mood_weights_trainable_elements(b->weights));
    for (int s = 0; s < TRACE_STEPS; s++) {
        char name[32];
        snprintf(name, sizeof(name), "seq.%d", s);
        if (b->seq)
            formula_values(values(b->seq), mood_tensor_elements(mood_node_value(b->seq)), name);
        snprintf(name, sizeof(name), "mel.%d", s);
        formula_values(values(b->mel), mood_tensor_elements(mood_node_value(b->mel)), name);
        snprintf(name, sizeof(name), "label.%d", s);
        formula_labels(mood_node_value(b->labels)->data, b->o->batch, name, N_LABELS);
        mood_status status = step(b);
        if (status)
            return status;
        printf("%s%.9g", s ? ", " : "", (double)*values(b->loss));
    }
    printf("]}\n");
    return MOOD_OK;
}

/* ---- times ---- */

/* Copy a random clip of the pool to place i of the batch, as the trainer does: on all threads. */
static void copy_clip(void *ctx, int64_t i, int worker)
{
    (void)worker;
    struct bench *b = ctx;
    size_t seq = (size_t)FRAMES * (size_t)b->o->width, mel = MEL_BANDS * MEL_FRAMES;
    size_t at = (size_t)i;
    size_t pick = (size_t)(mood__hash64(b->step, (uint64_t)i) % (2 * (uint64_t)b->o->batch));
    if (seq)
        memcpy(values(b->seq) + at * seq, b->seq_pool + pick * seq, seq * sizeof(float));
    memcpy(values(b->mel) + at * mel, b->mel_pool + pick * mel, mel * sizeof(float));
    ((int32_t *)mood_node_value(b->labels)->data)[at] = (int32_t)(pick % N_LABELS);
}

static void new_batch(struct bench *b)
{
    b->step++;
    mood__pool_run(b->pool, b->o->batch, copy_clip, b);
}

static void print_times(const struct bench *b, double *ms)
{
    const struct bench_options *o = b->o;
    char config[32];
    snprintf(config, sizeof(config), "%d-d features, batch %d", o->width, o->batch);
    bench_print(&(struct bench_result){.what = "heads-step",
                                       .config = config,
                                       .threads = mood_pool_threads(b->pool),
                                       .seconds = 3,
                                       .ms = bench_summary(ms, o->runs)},
                o->json);
}

static mood_status measure(struct bench *b)
{
    const struct bench_options *o = b->o;
    size_t clips = 2 * (size_t)o->batch;
    size_t seq = clips * FRAMES * (size_t)o->width, mel = clips * MEL_BANDS * MEL_FRAMES;
    b->seq_pool = malloc((seq + 1) * sizeof(float));
    b->mel_pool = malloc(mel * sizeof(float));
    double *ms = calloc((size_t)o->runs, sizeof(*ms));
    mood_status status = b->seq_pool && b->mel_pool && ms ? MOOD_OK : MOOD_E_NOMEM;
    if (!status) {
        formula_values(b->seq_pool, (int64_t)seq, "seq");
        formula_values(b->mel_pool, (int64_t)mel, "mel");
    }
    for (int run = -2; run < o->runs && !status && !cli_stop; run++) {
        double start = bench_now_ms();
        new_batch(b);
        status = step(b);
        if (run >= 0)
            ms[run] = bench_now_ms() - start;
    }
    if (!status && !cli_stop)
        print_times(b, ms);
    free(ms);
    return status;
}

mood_status bench_heads_step(const struct bench_options *o)
{
    struct bench b = {.o = o};
    mood_status status = build(&b);
    if (!status)
        status = o->trace ? trace(&b) : measure(&b);
    clean_up(&b);
    return status;
}
