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
    mood_pool *pool;
    mood_encoder *encoder;
    mood_graph *graph;
    mood_node *samples, *frames;
    double gflop[N_PARTS]; /* multiplications and additions of products */
    bool i8[N_PARTS];      /* of 8 bits, when the encoder is */
    double ms[N_PARTS], last_ms;
};

static int part_of(struct bench *b, int node)
{
    char text[256], *op = text;
    mood_graph_describe(b->graph, node, text, sizeof(text));
    op += strcspn(text, " ") + 1; /* behind the number */
    int p = 0;
    while (strncmp(op, parts[p].op, strlen(parts[p].op)) != 0 || !strstr(op, parts[p].weight))
        p++;
    b->i8[p] = b->i8[p] || strncmp(op + strlen(parts[p].op), "_i8", 3) == 0;
    return p;
}

static void add_time(void *ctx, int node)
{
    struct bench *b = ctx;
    double now = bench_now_ms();
    b->ms[part_of(b, node)] += now - b->last_ms;
    b->last_ms = bench_now_ms(); /* what it takes to find the part is nobody's */
}

/* The products of each part; everything else is small beside them. */
static void count_products(struct bench *b, int64_t n_samples, int n_layers)
{
    const mood_encoder_config *c = mood_encoder_get_config(b->encoder);
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

static mood_status build(struct bench *b)
{
    const struct bench_options *o = b->o;
    int64_t n = (int64_t)(o->seconds * SAMPLE_RATE);
    mood_status status = mood_pool_create(&b->pool, o->threads);
    if (!status)
        status = bench_make_encoder(&b->encoder, o);
    if (!status)
        status = mood_graph_create(
            &b->graph,
            &(mood_graph_params){.weights = mood_encoder_weights(b->encoder), .pool = b->pool});
    if (status)
        return status;
    const mood_encoder_config *config = mood_encoder_get_config(b->encoder);
    int n_layers = bench_layers(o, b->encoder);
    b->samples = mood_input(b->graph, "samples", MOOD_F32, 3, (int64_t[]){1, n, 1});
    b->frames = mood_wav2vec2(b->samples, config, n_layers, NULL);
    status = mood_graph_compile(b->graph, &b->frames, 1);
    if (status)
        return status;
    float *x = mood_node_value(b->samples)->data;
    formula_values(x, n, "samples");
    mood_encoder_prepare(config, x, (size_t)n);
    count_products(b, n, n_layers);
    return MOOD_OK;
}

static void clean_up(struct bench *b)
{
    mood_graph_destroy(&b->graph);
    mood_encoder_destroy(&b->encoder);
    mood_pool_destroy(&b->pool);
}

/* ---- results ---- */

static void print_parts(const struct bench *b)
{
    double peak[] = {bench_peak(b->pool, BENCH_F32), bench_peak(b->pool, BENCH_INT8)}, all = 0;
    for (int p = 0; p < N_PARTS; p++)
        all += b->ms[p] / b->o->runs;
    printf("%-24s %5s %8s %6s %8s %8s %7s\n", "part", "type", "ms", "share", "GFLOP", "GFLOP/s",
           "of peak");
    for (int p = 0; p < N_PARTS; p++) {
        double ms = b->ms[p] / b->o->runs, rate = 1e3 * b->gflop[p] / ms;
        printf("%-24s %5s %8.2f %5.1f%%", parts[p].name, b->i8[p] ? "int8" : "f32", ms,
               100 * ms / all);
        if (b->gflop[p] > 0)
            printf(" %8.3f %8.1f", b->gflop[p], rate);
        if (b->gflop[p] > 0 && peak[b->i8[p]] > 0)
            printf(" %6.0f%%", 100 * rate / peak[b->i8[p]]);
        printf("\n");
    }
    printf("peak of the processor with %d threads: %.1f GFLOP/s, int8 %.1f GOP/s\n",
           mood_pool_threads(b->pool), peak[BENCH_F32], peak[BENCH_INT8]);
}

static void print_times(const struct bench *b, struct bench_times ms)
{
    const struct bench_options *o = b->o;
    bench_print(&(struct bench_result){.what = "encoder",
                                       .config = bench_config_name(o->config),
                                       .dtype = (enum bench_dtype)o->dtype,
                                       .layers = bench_layers(o, b->encoder),
                                       .threads = mood_pool_threads(b->pool),
                                       .seconds = o->seconds,
                                       .ms = ms},
                o->json);
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
