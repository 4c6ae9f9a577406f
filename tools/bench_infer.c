/* SPDX-License-Identifier: MIT
 *
 * bench_infer.c — mood-bench infer: from the bytes of a WAV file to the answer, in a process that
 * has its model loaded: decoding, log-mel, the encoder up to the layer that the heads hear, heads.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cli.h"
#include "formula.h"
#include "mood/mood.h"

enum { HEADER_BYTES = 44 };

struct bench {
    mood_pool *pool;
    mood_encoder *encoder;
    mood_model *model;
    mood_infer *infer;
    uint8_t *wav; /* 16-bit mono */
    size_t wav_bytes;
};

static void put(uint8_t *at, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void put_header(uint8_t *h, uint32_t data_bytes)
{
    memcpy(h, "RIFF....WAVEfmt ", 16);
    put(h + 4, data_bytes + HEADER_BYTES - 8, 4);
    put(h + 16, 16, 4); /* bytes of the format */
    put(h + 20, 1, 2);  /* PCM */
    put(h + 22, 1, 2);  /* channels */
    put(h + 24, MOOD_SAMPLE_RATE, 4);
    put(h + 28, 2 * MOOD_SAMPLE_RATE, 4); /* bytes of a second */
    put(h + 32, 2, 2);                    /* bytes of a frame */
    put(h + 34, 16, 2);                   /* bits of a sample */
    memcpy(h + 36, "data", 4);
    put(h + 40, data_bytes, 4);
}

static mood_status make_wav(struct bench *b, double seconds)
{
    size_t n = (size_t)(seconds * MOOD_SAMPLE_RATE);
    b->wav_bytes = HEADER_BYTES + 2 * n;
    b->wav = malloc(b->wav_bytes);
    float *x = malloc(n * sizeof(*x));
    mood_status status = b->wav && x ? MOOD_OK : MOOD_E_NOMEM;
    if (!status) {
        put_header(b->wav, (uint32_t)(2 * n));
        formula_values(x, (int64_t)n, "samples");
        for (size_t i = 0; i < n; i++)
            put(b->wav + HEADER_BYTES + 2 * i, (uint32_t)lrintf(x[i] * 8000.0f), 2);
    }
    free(x);
    return status;
}

static mood_status build(struct bench *b, const struct bench_options *o)
{
    mood_status status = mood_pool_create(&b->pool, o->threads);
    if (!status)
        status = bench_make_encoder(&b->encoder, o);
    if (!status)
        status = mood_model_create(
            &b->model, &(mood_model_params){.encoder = b->encoder,
                                            .encoder_layer = bench_layers(o, b->encoder)});
    if (!status)
        status = mood_infer_create(&b->infer, b->model,
                                   &(mood_infer_params){.pool = b->pool, .encoder = b->encoder});
    return status ? status : make_wav(b, o->seconds);
}

static void clean_up(struct bench *b)
{
    mood_infer_destroy(&b->infer);
    mood_model_destroy(&b->model);
    mood_encoder_destroy(&b->encoder);
    mood_pool_destroy(&b->pool);
    free(b->wav);
}

static mood_status answer(struct bench *b)
{
    mood_audio *audio;
    mood_result result;
    mood_status status = mood_audio_read_memory(&audio, b->wav, b->wav_bytes, NULL);
    if (!status)
        status = mood_infer_run(b->infer, audio, &result);
    mood_audio_destroy(&audio);
    return status;
}

static mood_status measure(struct bench *b, const struct bench_options *o)
{
    double *ms = calloc((size_t)o->runs, sizeof(*ms));
    mood_status status = ms ? MOOD_OK : MOOD_E_NOMEM;
    for (int run = -2; run < o->runs && !status && !cli_stop; run++) {
        double start = bench_now_ms();
        status = answer(b);
        if (run >= 0)
            ms[run] = bench_now_ms() - start;
    }
    if (!status && !cli_stop)
        bench_print(&(struct bench_result){.what = "infer",
                                           .config = bench_config_name(o->config),
                                           .dtype = (enum bench_dtype)o->dtype,
                                           .layers = bench_layers(o, b->encoder),
                                           .threads = mood_pool_threads(b->pool),
                                           .seconds = o->seconds,
                                           .ms = bench_summary(ms, o->runs)},
                    o->json);
    free(ms);
    return status;
}

mood_status bench_infer(const struct bench_options *o)
{
    struct bench b = {0};
    mood_status status = build(&b, o);
    if (!status)
        status = measure(&b, o);
    clean_up(&b);
    return status;
}
