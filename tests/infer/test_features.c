/* SPDX-License-Identifier: MIT
 *
 * test_features.c — Recognisers with an encoder: that they hear what an encoder makes of the very
 * window, rounded for the heads and not for classifiers; that the answer is the same bytes on any
 * number of threads and through training's way; which encoders are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/half.h"
#include "infer/features.h"
#include "infer/hear.h"
#include "models/encoder_model.h"
#include "mood/ops.h"
#include "tensor/tensor.h"

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        mood_status assert_ok_status = (expr);                                                     \
        if (assert_ok_status != MOOD_OK)                                                           \
            fail_msg("%s: %s", #expr, mood_error_detail());                                        \
    } while (0)

enum { RATE = MOOD_SAMPLE_RATE, V = MOOD_N_EMOTIONS, SECONDS = 5, SEGMENTS = 3 };

static mood_encoder *encoder;

/* A sound that changes all the time. Owned by the caller. */
static float *make_sound(size_t n)
{
    float *x = malloc(n * sizeof(*x));
    assert_non_null(x);
    formula_values(x, (int64_t)n, "sound");
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / RATE;
        x[i] = (float)(0.2 * sin(t * (2000 + 300 * sin(t)))) + 0.1f * x[i];
    }
    return x;
}

static mood_audio *sound(size_t n)
{
    mood_audio *audio;
    float *x = make_sound(n);
    assert_ok(mood_audio_from_samples(&audio, x, n, 1, RATE, NULL));
    free(x);
    return audio;
}

static mood_infer *recogniser(const struct encoder_model_kind *kind, mood_pool *pool)
{
    mood_model *m;
    mood_infer *infer;
    assert_ok(encoder_model(&m, encoder, kind, NULL));
    assert_ok(mood_infer_create(&infer, m, &(mood_infer_params){.pool = pool, .encoder = encoder}));
    mood_model_destroy(&m);
    return infer;
}

/* ---- what is heard ------------------------------------------------------------------------ */

/* The features of the window that begins at `start`, from parts with contracts of their own. */
static float *by_hand(const struct encoder_model_kind *kind, const float *pcm, size_t start)
{
    float *x = malloc(MOOD__WINDOW_SAMPLES * sizeof(*x));
    mood_frames *frames;
    int n = encoder_forms[BASE].config.n_layers;
    bool mix = kind->layer == MOOD_LAYER_MIX;
    assert_non_null(x);
    memcpy(x, pcm + start, MOOD__WINDOW_SAMPLES * sizeof(*x));
    mood_peak_normalise(x, MOOD__WINDOW_SAMPLES);
    assert_ok(mood_frames_create(&frames, encoder, MOOD__WINDOW_SAMPLES,
                                 &(mood_frames_params){.n_layers = -1, .every_layer = true}));
    assert_ok(mood_frames_run(frames, x));
    free(x);
    size_t floats = 149 * 16;
    float *all = malloc((size_t)(n + 1) * floats * sizeof(*all));
    assert_non_null(all);
    for (int i = 0; i <= n; i++)
        if (mix || i == kind->layer)
            memcpy(all + (mix ? (size_t)i * floats : 0), mood_frames_layer(frames, i)->data,
                   floats * sizeof(*all));
    for (size_t i = 0; !kind->classifier && i < (mix ? (size_t)n + 1 : 1) * floats; i++) {
        uint16_t half;
        mood__f32_to_f16(&half, &all[i], 1);
        mood__f16_to_f32(&all[i], &half, 1);
    }
    mood_frames_destroy(&frames);
    return all;
}

/* The answer to one window of those features, and of its plane. */
static void answer_by_hand(const struct encoder_model_kind *kind, const float *features,
                           const float *plane, float *prob)
{
    mood_model *m;
    mood_graph *g;
    assert_ok(encoder_model(&m, encoder, kind, NULL));
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = mood_model_weights(m)}));
    bool mix = kind->layer == MOOD_LAYER_MIX;
    mood_node *x = mix ? mood_input(g, "x", MOOD_F32, 4, (int64_t[]){1, 4, 149, 16})
                       : mood_input(g, "x", MOOD_F32, 3, (int64_t[]){1, 149, 16});
    mood_node *mel =
        mood_input(g, "mel", MOOD_F32, 4, (int64_t[]){1, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    mood_node *h = mix ? mood_mix_layers(x) : x;
    mood_node *y =
        mood_softmax(mood_model_classifier(m) ? mood_classifier(h, mood_model_classifier(m))
                                              : mood_heads(h, mel, mood_model_heads(m)));
    assert_ok(mood_graph_compile(g, &y, 1));
    const mood_tensor *t = mood_node_value(x);
    memcpy(t->data, features, mood_tensor_bytes(t));
    memcpy(mood_node_value(mel)->data, plane, MOOD__PLANE * sizeof(float));
    assert_ok(mood_graph_forward(g));
    memcpy(prob, mood_node_value(y)->data, V * sizeof(float));
    mood_graph_destroy(&g);
    mood_model_destroy(&m);
}

static void test_by_hand(void **state)
{
    (void)state;
    static float plane[MOOD__PLANE];
    float *pcm = make_sound(SECONDS * RATE), prob[V];
    struct mood__ear *ear;
    assert_ok(mood__ear_create(&ear, MOOD__EAR_MEL));
    for (int i = 0; i < N_ENCODER_MODEL_KINDS; i++) {
        const struct encoder_model_kind *kind = &encoder_model_kinds[i];
        mood_infer *infer = recogniser(kind, NULL);
        mood_audio *audio;
        mood_result r;
        assert_ok(mood_audio_from_samples(&audio, pcm, SECONDS * RATE, 1, RATE, NULL));
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_int_equal(r.n_segments, SEGMENTS);
        for (size_t s = 0; s < SEGMENTS; s++) {
            size_t start = (size_t)(r.segments[s].start_s * RATE);
            float *features = by_hand(kind, pcm, start);
            assert_ok(mood__ear_window(ear, plane, NULL, pcm, SECONDS * RATE, start, NULL, 0));
            answer_by_hand(kind, features, plane, prob);
            assert_memory_equal(prob, r.segments[s].prob, sizeof(prob));
            free(features);
        }
        assert_memory_not_equal(r.segments[0].prob, r.segments[1].prob, sizeof(prob));
        mood_audio_destroy(&audio);
        mood_infer_destroy(&infer);
    }
    mood__ear_destroy(&ear);
    free(pcm);
}

/* The rule of rounding, on numbers that show it. */
static void test_rounding(void **state)
{
    (void)state;
    float x[] = {0.0f,     -0.0f, 1.0f,        1.0f + 0x1p-11f, 1.0f + 0x1.8p-10f,
                 0x1p-25f, 1e6f,  -3.14159265f};
    const float want[] = {0.0f, -0.0f, 1.0f, 1.0f, 1.0f + 0x1p-9f, 0.0f, 65504.0f, -0x1.92p+1f};
    mood__round_features(x, sizeof(x) / sizeof(x[0]));
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
        assert_true(x[i] == want[i]);
    /* Twice is once, and any length is treated alike. */
    enum { N = 3000 };
    static float y[N], z[N];
    formula_values(y, N, "features");
    memcpy(z, y, sizeof(z));
    mood__round_features(y, N);
    for (size_t i = 0; i < N; i++)
        mood__round_features(&z[i], 1);
    assert_memory_equal(y, z, sizeof(z));
    mood__round_features(z, N);
    assert_memory_equal(y, z, sizeof(z));
}

/* ---- the same bytes ----------------------------------------------------------------------- */

static void copy_all(float *out, const mood_result *r)
{
    assert_int_equal(r->n_segments, SEGMENTS);
    memcpy(out, r->prob, V * sizeof(float));
    for (size_t i = 0; i < SEGMENTS; i++)
        memcpy(out + V * (i + 1), r->segments[i].prob, V * sizeof(float));
}

static void test_threads(void **state)
{
    (void)state;
    mood_audio *audio = sound(SECONDS * RATE);
    float first[V * (1 + SEGMENTS)], x[V * (1 + SEGMENTS)];
    for (int i = 0; i < N_ENCODER_MODEL_KINDS; i++)
        for (int threads = 0; threads <= 3; threads++) {
            mood_pool *pool = NULL;
            mood_result r;
            if (threads > 0)
                assert_ok(mood_pool_create(&pool, threads));
            mood_infer *infer = recogniser(&encoder_model_kinds[i], pool);
            assert_ok(mood_infer_run(infer, audio, &r));
            copy_all(threads == 0 ? first : x, &r);
            if (threads > 0)
                assert_memory_equal(first, x, sizeof(x));
            mood_infer_destroy(&infer);
            mood_pool_destroy(&pool);
        }
    mood_audio_destroy(&audio);
}

/* Features of all windows, kept as halves, as a cache does. */
struct kept {
    size_t floats;
    uint16_t *half;
    int n_asked;
};

static mood_status feed(void *ctx, size_t window, float *features, float *plane)
{
    assert_null(plane);
    struct kept *k = ctx;
    k->n_asked++;
    mood__f16_to_f32(features, k->half + window * k->floats, k->floats);
    return MOOD_OK;
}

/* Training's way: planes and features that were kept give what a recogniser gives. */
static void test_fed(void **state)
{
    (void)state;
    static float one[4 * 149 * 16];
    float *pcm = make_sound(SECONDS * RATE);
    mood_audio *audio = sound(SECONDS * RATE);
    float a[V * (1 + SEGMENTS)], b[V * (1 + SEGMENTS)];
    for (int i = 0; i < 3; i++) { /* the heads: only they are trained on kept features */
        mood_model *m;
        mood_infer *infer = recogniser(&encoder_model_kinds[i], NULL), *fed;
        mood_result r;
        struct mood__ear *ear;
        struct mood__heard heard;
        mood_frames *frames;
        assert_ok(mood_infer_run(infer, audio, &r));
        copy_all(a, &r);

        assert_ok(encoder_model(&m, encoder, &encoder_model_kinds[i], NULL));
        const mood_encoder_use *use = mood_model_encoder(m);
        struct mood__feature_shape shape = mood__feature_shape(use, mood__window_frames(encoder));
        assert_int_equal(shape.n_frames, 149);
        struct kept k = {.floats = mood__feature_floats(&shape)};
        assert_int_equal(k.floats, (use->layer == MOOD_LAYER_MIX ? 4 : 1) * 149 * 16);
        k.half = calloc(SEGMENTS * k.floats, sizeof(*k.half));
        assert_non_null(k.half);
        assert_ok(mood__features_create(&frames, encoder, use, MOOD__FROM_SAMPLES, NULL));
        assert_ok(mood__ear_create(&ear, MOOD__EAR_MEL));
        assert_ok(mood__hear(&heard, ear, audio));
        for (size_t w = 0; w < SEGMENTS; w++) {
            assert_ok(
                mood__ear_window(ear, NULL, NULL, pcm, SECONDS * RATE, heard.start[w], NULL, 0));
            assert_ok(mood__features_run(frames, use, false, mood__ear_samples(ear), one));
            mood__f32_to_f16(k.half + w * k.floats, one, k.floats);
        }
        assert_ok(mood__infer_create_fed(&fed, m, shape.n_frames, MOOD__FED_FEATURES));
        assert_ok(mood__infer_heard(fed, &heard, feed, &k, &r));
        copy_all(b, &r);
        assert_memory_equal(a, b, sizeof(a));
        assert_int_equal(k.n_asked, SEGMENTS);

        mood_infer_destroy(&fed);
        mood_infer_destroy(&infer);
        mood_frames_destroy(&frames);
        mood__heard_free(&heard);
        mood__ear_destroy(&ear);
        mood_model_destroy(&m);
        free(k.half);
    }
    mood_audio_destroy(&audio);
    free(pcm);
}

static void test_short_clips(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 399, 400, 3 * RATE - 1};
    mood_infer *infer = recogniser(&encoder_model_kinds[0], NULL);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        mood_audio *audio = sound(lengths[i]);
        mood_result r;
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_int_equal(r.n_segments, 1);
        mood_audio_destroy(&audio);
    }
    static const float zeros[RATE];
    mood_audio *audio;
    mood_result r;
    assert_ok(mood_audio_from_samples(&audio, zeros, RATE, 1, RATE, NULL));
    assert_ok(mood_infer_run(infer, audio, &r));
    assert_int_equal(r.verdict, MOOD_VERDICT_NO_SPEECH);
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
}

/* An encoder that hears coarser has fewer frames; nothing else changes. */
static void test_other_frames(void **state)
{
    (void)state;
    mood_encoder_config c = encoder_forms[BASE].config;
    mood_encoder *coarse;
    mood_model *m;
    mood_infer *infer;
    mood_result r;
    c.conv_stride[6] = 8;
    assert_ok(mood_encoder_create(&coarse, &c, &(mood_encoder_params){.seed = 1}));
    assert_int_equal(mood__window_frames(coarse), 38);
    assert_ok(encoder_model(&m, coarse, &encoder_model_kinds[0], NULL));
    assert_ok(mood_infer_create(&infer, m, &(mood_infer_params){.encoder = coarse}));
    mood_audio *audio = sound(RATE);
    assert_ok(mood_infer_run(infer, audio, &r));
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
    mood_model_destroy(&m);
    mood_encoder_destroy(&coarse);
}

/* ---- which encoder ------------------------------------------------------------------------ */

static void assert_refused(mood_model *m, mood_encoder *given, mood_status status, const char *text)
{
    mood_infer *infer = (mood_infer *)&infer;
    assert_int_equal(mood_infer_create(&infer, m, &(mood_infer_params){.encoder = given}), status);
    assert_null(infer);
    if (!strstr(mood_error_detail(), text))
        fail_msg("'%s' does not say '%s'", mood_error_detail(), text);
}

static void test_which_encoder(void **state)
{
    (void)state;
    mood_encoder *other;
    mood_model *m, *plain;
    assert_ok(small_encoder(&other, 2));
    assert_ok(encoder_model(&m, encoder, &encoder_model_kinds[0], NULL));
    assert_ok(formula_model(&plain, &formula_params_small));
    assert_refused(m, NULL, MOOD_E_MISSING, "needs its encoder");
    assert_refused(m, other, MOOD_E_INVALID, mood_encoder_identity(other));
    assert_refused(m, other, MOOD_E_INVALID, mood_encoder_identity(encoder));
    assert_refused(plain, encoder, MOOD_E_INVALID, "the model has no encoder");

    /* Embedded, it needs nobody; and answers the same. */
    mood_audio *audio = sound(SECONDS * RATE);
    mood_infer *infer = recogniser(&encoder_model_kinds[0], NULL), *alone;
    float a[V * (1 + SEGMENTS)], b[V * (1 + SEGMENTS)];
    mood_result r;
    assert_ok(mood_infer_run(infer, audio, &r));
    copy_all(a, &r);
    assert_ok(mood_model_embed(m, encoder, MOOD_F32));
    assert_ok(mood_infer_create(&alone, m, NULL));
    assert_refused(m, other, MOOD_E_INVALID, "another encoder");
    mood_model_destroy(&m);
    assert_ok(mood_infer_run(alone, audio, &r));
    copy_all(b, &r);
    assert_memory_equal(a, b, sizeof(a));
    mood_infer_destroy(&infer);
    mood_infer_destroy(&alone);
    mood_audio_destroy(&audio);
    mood_model_destroy(&plain);
    mood_encoder_destroy(&other);
}

static int make_encoder(void **state)
{
    (void)state;
    return small_encoder(&encoder, 1) == MOOD_OK ? 0 : -1;
}

static int drop_encoder(void **state)
{
    (void)state;
    mood_encoder_destroy(&encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),       cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_fed),
        cmocka_unit_test(test_short_clips),   cmocka_unit_test(test_other_frames),
        cmocka_unit_test(test_which_encoder),
    };
    return cmocka_run_group_tests_name("features", tests, make_encoder, drop_encoder);
}
