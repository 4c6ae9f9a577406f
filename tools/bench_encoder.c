/* SPDX-License-Identifier: MIT
 *
 * bench_encoder.c — mood-bench encoder: one clip through a network of wav2vec2's form, from samples
 * to frames, and what each of its parts takes. tests/golden/compare_encoder.py runs it beside ONNX
 * Runtime. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cli.h"
#include "formula.h"
#include "mood/mood.h"

static const double SAMPLE_RATE = 16000;

/* ---- parts ---- */

/* Parts are told apart by the op and by the weight it hangs on; the first line that fits counts. */
static const struct part {
    const char *name, *op, *weight; /* both begin, or contain, what is written here */
} parts[] = {
    {"convolution 1", "conv1d", "conv_layers.0"},
    {"convolutions 2 to 7", "conv1d", "conv_layers"},
    {"positional convolution", "conv1d", "pos_conv"},
    {"dense", "dense", ""},
    {"attention", "attention", ""},
    {"GELU", "gelu", ""},
    {"layer norm", "layer_norm", ""},
    {"group norm", "group_norm", ""},
    {"sums and copies", "", ""},
};
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]) };

struct bench {
    const struct bench_options *o;
    mood_encoder_config config;
    mood_pool *pool;
    mood_weights *weights;
    mood_graph *graph;
    mood_node *samples, *frames;
    double gflop[N_PARTS]; /* multiplications and additions of products */
    double ms[N_PARTS], last_ms;
};

static int part_of(const mood_graph *g, int node)
{
    char text[256], *op = text;
    mood_graph_describe(g, node, text, sizeof(text));
    op += strcspn(text, " ") + 1; /* behind the number */
    int p = 0;
    while (strncmp(op, parts[p].op, strlen(parts[p].op)) != 0 || !strstr(op, parts[p].weight))
        p++;
    return p;
}

static void add_time(void *ctx, int node)
{
    struct bench *b = ctx;
    double now = bench_now_ms();
    b->ms[part_of(b->graph, node)] += now - b->last_ms;
    b->last_ms = bench_now_ms(); /* what it takes to find the part is nobody's */
}

/* The products of each part; everything else is small beside them. */
static void count_products(struct bench *b, int64_t n_samples, int n_layers)
{
    const mood_encoder_config *c = &b->config;
    double T = (double)n_samples, C = 1, D = c->width;
    for (int i = 0; i < c->n_convs; i++) {
        T = floor((T - c->conv_kernel[i]) / c->conv_stride[i]) + 1;
        b->gflop[i > 0] += 2e-9 * T * c->conv_kernel[i] * C * c->conv_channels[i];
        C = c->conv_channels[i];
    }
    b->gflop[2] = 2e-9 * T * c->pos_kernel * D * D / c->pos_groups;
    b->gflop[3] = 2e-9 * T * (C * D + n_layers * (4 * D * D + 2 * D * c->feed_forward));
    b->gflop[4] = 2e-9 * n_layers * 2 * T * T * D;
}

/* ---- the network ---- */

static mood_encoder_config config_named(int which)
{
    mood_encoder_config c;
    mood_encoder_defaults(&c);
    if (which == BENCH_LARGE) {
        c.conv_norm = MOOD_CONV_NORM_LAYER;
        c.conv_bias = c.norm_first = true;
        c.width = 1024, c.n_layers = 24, c.n_heads = 16, c.feed_forward = 4096;
    } else if (which == BENCH_TINY) {
        for (int i = 0; i < c.n_convs; i++)
            c.conv_channels[i] = 32;
        c.width = 64, c.n_layers = 4, c.n_heads = 4, c.feed_forward = 128;
    }
    return c;
}

static mood_status build(struct bench *b)
{
    const struct bench_options *o = b->o;
    int64_t n = (int64_t)(o->seconds * SAMPLE_RATE);
    b->config = config_named(o->config);
    int n_layers = o->layers < 0 ? b->config.n_layers : o->layers;
    mood_status status = mood_pool_create(&b->pool, o->threads);
    if (!status)
        status = mood_weights_create(&b->weights, 0);
    if (!status)
        status = mood_graph_create(&b->graph,
                                   &(mood_graph_params){.weights = b->weights, .pool = b->pool});
    if (status)
        return status;
    b->samples = mood_input(b->graph, "samples", MOOD_F32, 3, (int64_t[]){1, n, 1});
    b->frames = mood_wav2vec2(b->samples, &b->config, n_layers, NULL);
    status = mood_graph_compile(b->graph, &b->frames, 1);
    if (status)
        return status;
    float *x = mood_node_value(b->samples)->data;
    formula_values(x, n, "samples");
    mood_encoder_prepare(&b->config, x, (size_t)n);
    count_products(b, n, n_layers);
    return MOOD_OK;
}

static void clean_up(struct bench *b)
{
    mood_graph_destroy(&b->graph);
    mood_weights_destroy(&b->weights);
    mood_pool_destroy(&b->pool);
}

/* ---- results ---- */

static void print_parts(const struct bench *b)
{
    double peak = bench_peak_gflops(b->pool), all = 0;
    for (int p = 0; p < N_PARTS; p++)
        all += b->ms[p] / b->o->runs;
    printf("%-24s %8s %6s %8s %8s %7s\n", "part", "ms", "share", "GFLOP", "GFLOP/s", "of peak");
    for (int p = 0; p < N_PARTS; p++) {
        double ms = b->ms[p] / b->o->runs, rate = 1e3 * b->gflop[p] / ms;
        printf("%-24s %8.2f %5.1f%%", parts[p].name, ms, 100 * ms / all);
        if (b->gflop[p] > 0)
            printf(" %8.3f %8.1f", b->gflop[p], rate);
        if (b->gflop[p] > 0 && peak > 0)
            printf(" %6.0f%%", 100 * rate / peak);
        printf("\n");
    }
    printf("peak of the processor with %d threads: %.1f GFLOP/s\n", mood_pool_threads(b->pool),
           peak);
}

static void print_times(const struct bench *b, struct bench_times t)
{
    static const char *const names[] = {"base", "large", "tiny"};
    const struct bench_options *o = b->o;
    int n_layers = o->layers < 0 ? b->config.n_layers : o->layers;
    double gflop = 0;
    for (int p = 0; p < N_PARTS; p++)
        gflop += b->gflop[p];
    if (o->json)
        printf("{\"what\": \"encoder\", \"config\": \"%s\", \"dtype\": \"f32\", \"layers\": %d, "
               "\"threads\": %d, \"seconds\": %g, \"min_ms\": %.3f, \"median_ms\": %.3f, "
               "\"max_ms\": %.3f, \"rss_mb\": %.1f, \"gflop\": %.3f, \"tier\": \"%s\"}\n",
               names[o->config], n_layers, mood_pool_threads(b->pool), o->seconds, t.min, t.median,
               t.max, bench_peak_mb(), gflop, mood_cpu_tier());
    else
        printf("encoder %s, %d layers, %g s, %d threads: min %.1f, median %.1f, max %.1f ms; "
               "%.1f GFLOP, %.1f GFLOP/s; %.0f MB\n",
               names[o->config], n_layers, o->seconds, mood_pool_threads(b->pool), t.min, t.median,
               t.max, gflop, 1e3 * gflop / t.median, bench_peak_mb());
}

static mood_status measure(struct bench *b)
{
    const struct bench_options *o = b->o;
    double *ms = calloc((size_t)o->runs, sizeof(*ms));
    mood_status status = ms ? MOOD_OK : MOOD_E_NOMEM;
    for (int run = -2; run < o->runs && !status && !cli_stop; run++) {
        if (run == 0 && o->parts)
            mood_graph_watch(b->graph, add_time, b);
        double start = b->last_ms = bench_now_ms();
        status = mood_graph_forward(b->graph);
        if (run >= 0)
            ms[run] = bench_now_ms() - start;
    }
    if (!status && !cli_stop) {
        print_times(b, bench_summary(ms, o->runs));
        if (o->parts && !o->json)
            print_parts(b);
    }
    free(ms);
    return status;
}

mood_status bench_encoder(const struct bench_options *o)
{
    struct bench b = {.o = o};
    mood_status status = build(&b);
    if (!status)
        status = measure(&b);
    clean_up(&b);
    return status;
}
