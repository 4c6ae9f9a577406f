/* SPDX-License-Identifier: MIT
 *
 * test_infer.c — From a recording to an answer: windows, speech, means, verdicts; and that a clip's
 * bits depend on nothing but the clip and the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "infer/hear.h"
#include "models/formula_model.h"
#include "tensor/tensor.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { RATE = MOOD_SAMPLE_RATE, V = MOOD_N_EMOTIONS };

/* Bound for sums of V floats in [0, 1], each with a rounding error of half a unit of 2^-24. */
#define SUM_BOUND (V * 0x1p-24)

static mood_audio *audio_of(const float *pcm, size_t n)
{
    mood_audio *audio;
    assert_ok(mood_audio_from_samples(&audio, pcm, n, 1, RATE, NULL));
    return audio;
}

/* A sound that changes all the time, so that no two windows are alike. Owned by the caller. */
static float *make_sound(size_t n)
{
    float *x = malloc(n * sizeof(*x));
    assert_non_null(x);
    formula_values(x, (int64_t)n, "sound");
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / RATE;
        x[i] =
            (float)(0.3 * sin(t * (2000 + 300 * sin(t)))) + 0.1f * x[i] * (float)fabs(sin(t / 3));
    }
    return x;
}

static mood_audio *sound(size_t n)
{
    float *x = make_sound(n);
    mood_audio *audio = audio_of(x, n);
    free(x);
    return audio;
}

static mood_infer *recogniser(const mood_infer_params *params)
{
    mood_model *m;
    mood_infer *infer;
    assert_ok(formula_model(&m, &formula_params_small));
    assert_ok(mood_infer_create(&infer, m, params));
    mood_model_destroy(&m); /* the recogniser keeps it */
    return infer;
}

static void assert_distribution(const float *prob, int best, float confidence)
{
    double sum = 0;
    for (int v = 0; v < V; v++) {
        assert_true(prob[v] >= 0 && prob[v] <= prob[best]);
        sum += (double)prob[v];
    }
    assert_true(fabs(sum - 1) <= SUM_BOUND);
    assert_true(confidence == prob[best]);
}

static void assert_sound(const mood_result *r)
{
    assert_int_equal(r->n_labels, V);
    assert_distribution(r->prob, r->best, r->confidence);
    for (size_t i = 0; i < r->n_segments; i++)
        assert_distribution(r->segments[i].prob, r->segments[i].best, r->segments[i].confidence);
}

/* ---- windows ------------------------------------------------------------------------------ */

static void test_windows(void **state)
{
    (void)state;
    static const struct {
        size_t n_samples, n_segments;
        double last_start_s, last_end_s;
    } cases[] = {
        {1, 1, 0, 1.0 / RATE}, {RATE, 1, 0, 1},
        {3 * RATE, 1, 0, 3},   {3 * RATE + 1, 2, 1.0 / RATE, 3 + 1.0 / RATE},
        {4 * RATE, 2, 1, 4},   {9 * RATE / 2, 2, 1.5, 4.5},
        {10 * RATE, 6, 7, 10},
    };
    mood_infer *infer = recogniser(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mood_audio *audio = sound(cases[i].n_samples);
        mood_result r;
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_sound(&r);
        assert_int_equal(r.n_segments, cases[i].n_segments);
        for (size_t s = 0; s + 1 < r.n_segments; s++) {
            assert_true(r.segments[s].start_s == 1.5 * (double)s);
            assert_true(r.segments[s].end_s == 1.5 * (double)s + 3);
        }
        assert_true(r.segments[r.n_segments - 1].start_s == cases[i].last_start_s);
        assert_true(r.segments[r.n_segments - 1].end_s == cases[i].last_end_s);
        mood_audio_destroy(&audio);
    }
    mood_infer_destroy(&infer);
    assert_null(infer);
}

/* A short clip is the same as that clip with the zeros written out. */
static void test_short_clip(void **state)
{
    (void)state;
    float *x = make_sound(3 * RATE);
    float kept[V];
    memset(x + RATE, 0, 2 * RATE * sizeof(*x));
    mood_infer *infer = recogniser(NULL);
    mood_audio *brief = audio_of(x, RATE), *full = audio_of(x, 3 * RATE);
    mood_result r;
    assert_ok(mood_infer_run(infer, brief, &r));
    memcpy(kept, r.prob, sizeof(kept));
    assert_ok(mood_infer_run(infer, full, &r));
    assert_memory_equal(kept, r.prob, sizeof(kept));
    mood_audio_destroy(&brief);
    mood_audio_destroy(&full);
    mood_infer_destroy(&infer);
    free(x);
}

static void test_long_recording(void **state)
{
    (void)state;
    enum { SECONDS = 600 };
    mood_infer *infer = recogniser(NULL);
    mood_audio *audio = sound((size_t)SECONDS * RATE);
    mood_result r;
    assert_ok(mood_infer_run(infer, audio, &r));
    assert_sound(&r);
    assert_int_equal(r.n_segments, 1 + (SECONDS - 3) * 2 / 3);
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
}

/* ---- speech ------------------------------------------------------------------------------- */

static void test_silence(void **state)
{
    (void)state;
    static const float zeros[7 * RATE];
    mood_infer *infer = recogniser(NULL);
    mood_audio *audio = audio_of(zeros, 7 * RATE);
    mood_result r;
    assert_ok(mood_infer_run(infer, audio, &r));
    assert_sound(&r);
    assert_int_equal(r.verdict, MOOD_VERDICT_NO_SPEECH);
    assert_int_equal(r.n_segments, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_false(r.segments[i].speech);
        assert_memory_equal(r.segments[i].prob, r.prob, V * sizeof(float)); /* all are alike */
    }
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
}

/* Six seconds of sound, then six of silence: the answer is the mean over what was heard. */
static void test_only_speech_counts(void **state)
{
    (void)state;
    float *x = make_sound(12 * RATE);
    memset(x + 6 * RATE, 0, 6 * RATE * sizeof(*x));
    mood_infer *infer = recogniser(NULL);
    mood_audio *audio = audio_of(x, 12 * RATE);
    mood_result r;
    assert_ok(mood_infer_run(infer, audio, &r));
    assert_sound(&r);
    assert_int_equal(r.n_segments, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(r.segments[i].speech, i < 4); /* window 4 begins at 6 s */
    for (int v = 0; v < V; v++) {
        double sum = 0;
        for (size_t i = 0; i < 4; i++)
            sum += (double)r.segments[i].prob[v];
        assert_true(r.prob[v] == (float)(sum / 4));
    }
    assert_memory_not_equal(r.segments[0].prob, r.segments[3].prob, V * sizeof(float));
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
    free(x);
}

/* ---- verdicts ----------------------------------------------------------------------------- */

static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        float by;
        mood_verdict verdict;
    } cases[] = {{1, MOOD_VERDICT_LOW_CONFIDENCE}, {5, MOOD_VERDICT_SUCCESS}};
    for (int i = 0; i < 2; i++) {
        mood_model *m;
        mood_infer *infer;
        mood_result r;
        assert_ok(formula_model(&m, &formula_params_small));
        formula_flatten(m, 3, cases[i].by);
        assert_ok(mood_infer_create(&infer, m, NULL));
        mood_audio *audio = sound(RATE);
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_sound(&r);
        assert_int_equal(r.verdict, cases[i].verdict);
        assert_int_equal(r.confidence >= MOOD_CONFIDENT, i == 1);
        assert_int_equal(r.best, 3);
        mood_audio_destroy(&audio);
        mood_infer_destroy(&infer);
        mood_model_destroy(&m);
    }
    assert_string_equal(mood_verdict_name(MOOD_VERDICT_SUCCESS), "success");
    assert_string_equal(mood_verdict_name(MOOD_VERDICT_LOW_CONFIDENCE), "low_confidence");
    assert_string_equal(mood_verdict_name(MOOD_VERDICT_NO_SPEECH), "no_speech");
}

static void test_refusals(void **state)
{
    (void)state;
    mood_model *m;
    mood_infer *infer = (mood_infer *)&infer;
    assert_ok(formula_model(&m, &formula_params_v1));
    assert_int_equal(mood_infer_create(&infer, m, NULL), MOOD_E_UNSUPPORTED);
    assert_null(infer);
    assert_non_null(strstr(mood_error_detail(), "encoder of width 16"));
    mood_model_destroy(&m);

    /* Weights that overflow on the way are no answer. */
    assert_ok(formula_model(&m, &formula_params_small));
    mood_weights *w = mood_model_weights(m);
    mood__f32(mood_weights_value(w, mood_weights_find(w, "heads.out.bias")))[0] = INFINITY;
    assert_ok(mood_infer_create(&infer, m, NULL));
    mood_audio *audio = sound(RATE);
    mood_result r;
    assert_int_equal(mood_infer_run(infer, audio, &r), MOOD_E_NUMERIC);
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
    mood_model_destroy(&m);
}

/* ---- the same bytes ----------------------------------------------------------------------- */

static void copy_all(float *out, const mood_result *r)
{
    memcpy(out, r->prob, V * sizeof(float));
    for (size_t i = 0; i < r->n_segments; i++)
        memcpy(out + V * (i + 1), r->segments[i].prob, V * sizeof(float));
}

enum { SAME_SECONDS = 8, SAME_FLOATS = V * (1 + 5) };

static void test_threads(void **state)
{
    (void)state;
    mood_audio *audio = sound(SAME_SECONDS * RATE);
    float first[SAME_FLOATS], x[SAME_FLOATS];
    for (int threads = 0; threads <= 3; threads++) {
        mood_pool *pool = NULL;
        mood_result r;
        if (threads > 0)
            assert_ok(mood_pool_create(&pool, threads));
        mood_infer *infer = recogniser(&(mood_infer_params){.pool = pool});
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_int_equal(r.n_segments, 5);
        copy_all(threads == 0 ? first : x, &r);
        if (threads > 0)
            assert_memory_equal(first, x, sizeof(x));
        mood_infer_destroy(&infer);
        mood_pool_destroy(&pool);
    }
    mood_audio_destroy(&audio);
}

/* Training's way, over planes that it keeps, gives what a recogniser gives; and it follows the
 * weights, which change under it. */
static void test_heard(void **state)
{
    (void)state;
    struct mood__ear *ear;
    struct mood__heard heard;
    mood_infer *infer = recogniser(NULL);
    mood_audio *audio = sound(SAME_SECONDS * RATE);
    float a[SAME_FLOATS], b[SAME_FLOATS];
    mood_result r;
    assert_ok(mood__ear_create(&ear, MOOD__EAR_MEL));
    assert_ok(mood__hear(&heard, ear, audio));
    mood__ear_destroy(&ear);
    assert_int_equal(heard.n_windows, 5);
    assert_int_equal(heard.n_samples, SAME_SECONDS * RATE);
    assert_ok(mood_infer_run(infer, audio, &r));
    copy_all(a, &r);
    assert_ok(mood__infer_heard(infer, &heard, NULL, NULL, &r));
    copy_all(b, &r);
    assert_memory_equal(a, b, sizeof(a));
    assert_true(r.segments[4].start_s == 5 && r.segments[4].end_s == 8);
    mood__heard_free(&heard);
    assert_null(heard.planes);
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
}

/* The temperature is applied to each window, before the mean; in training afterwards, to the same
 * bits. */
static void test_temperature(void **state)
{
    (void)state;
    static const double temperatures[] = {0.5, 1, 1.75, MOOD_MIN_TEMPERATURE, MOOD_MAX_TEMPERATURE};
    mood_model *m;
    mood_infer *plain, *tempered;
    mood_audio *audio = sound(SAME_SECONDS * RATE);
    mood_result r;
    float raw[SAME_FLOATS], a[SAME_FLOATS], b[SAME_FLOATS];
    assert_ok(formula_model(&m, &formula_params_small));
    assert_ok(mood_infer_create(&plain, m, NULL));
    assert_ok(mood_infer_run(plain, audio, &r));
    copy_all(raw, &r);
    for (int t = 0; t < 5; t++) {
        double T = temperatures[t], mean[V] = {0};
        assert_ok(mood_model_set_temperature(m, T));
        assert_ok(mood_infer_create(&tempered, m, NULL));
        assert_ok(mood_infer_run(tempered, audio, &r));
        assert_sound(&r);
        copy_all(a, &r);
        for (size_t i = 1; i <= r.n_segments; i++) {
            double power[V], sum = 0;
            for (int v = 0; v < V; v++)
                sum += power[v] = pow((double)raw[V * i + (size_t)v], 1 / T);
            for (int v = 0; v < V; v++) {
                assert_true(fabs((double)a[V * i + (size_t)v] - power[v] / sum) < 1e-7);
                mean[v] += (double)a[V * i + (size_t)v] / (double)r.n_segments;
            }
        }
        for (int v = 0; v < V; v++)
            assert_true(fabs(mean[v] - (double)r.prob[v]) < 1e-7);
        assert_int_equal(memcmp(a, raw, sizeof(a)) == 0, T == 1);
        mood_infer_destroy(&tempered);
        assert_ok(mood_infer_run(plain, audio, &r)); /* as it was made: still at 1 */
        mood__infer_temper(plain, T, &r);
        copy_all(b, &r);
        assert_memory_equal(a, b, sizeof(a));
    }
    mood_infer_destroy(&plain);
    mood_model_destroy(&m);
    mood_audio_destroy(&audio);
}

static void test_live_weights(void **state)
{
    (void)state;
    mood_model *m;
    mood_infer *before, *after;
    mood_audio *audio = sound(SAME_SECONDS * RATE);
    float a[SAME_FLOATS], b[SAME_FLOATS];
    mood_result r;
    assert_ok(mood_model_create(&m, &formula_params_small));
    assert_ok(mood_infer_create(&before, m, NULL));
    assert_ok(mood_infer_run(before, audio, &r));
    formula_weights(mood_model_weights(m));
    assert_ok(mood_infer_run(before, audio, &r));
    copy_all(a, &r);
    assert_ok(mood_infer_create(&after, m, NULL));
    assert_ok(mood_infer_run(after, audio, &r));
    copy_all(b, &r);
    assert_memory_equal(a, b, sizeof(a));
    mood_infer_destroy(&before);
    mood_infer_destroy(&after);
    mood_model_destroy(&m);
    mood_audio_destroy(&audio);
}

/* What was heard before does not colour an answer. */
static void test_company(void **state)
{
    (void)state;
    mood_infer *fresh = recogniser(NULL), *used = recogniser(NULL);
    mood_audio *audio = sound(SAME_SECONDS * RATE), *other = sound(20 * RATE);
    float a[SAME_FLOATS], b[SAME_FLOATS];
    mood_result r;
    assert_ok(mood_infer_run(fresh, audio, &r));
    copy_all(a, &r);
    assert_ok(mood_infer_run(used, other, &r));
    assert_ok(mood_infer_run(used, audio, &r));
    assert_int_equal(r.n_segments, 5);
    copy_all(b, &r);
    assert_memory_equal(a, b, sizeof(a));
    mood_audio_destroy(&audio);
    mood_audio_destroy(&other);
    mood_infer_destroy(&fresh);
    mood_infer_destroy(&used);
}

/* ---- progress ----------------------------------------------------------------------------- */

struct told {
    size_t calls, total, stop_at; /* the call that stops; 0: none */
    volatile int flag;
    bool raise_flag; /* at stop_at, instead of the answer */
};

static int tell(void *user, size_t done, size_t total)
{
    struct told *t = user;
    t->calls++;
    assert_int_equal(done, t->calls);
    t->total = total;
    if (t->calls != t->stop_at)
        return 0;
    t->flag = t->raise_flag;
    return !t->raise_flag;
}

static void test_progress(void **state)
{
    (void)state;
    mood_audio *audio = sound(SAME_SECONDS * RATE);
    for (size_t stop_at = 0; stop_at <= 5; stop_at++)
        for (int by_flag = 0; by_flag < 2; by_flag++) {
            struct told t = {.stop_at = stop_at, .raise_flag = by_flag};
            mood_infer *infer =
                recogniser(&(mood_infer_params){.on_progress = tell, .user = &t, .stop = &t.flag});
            mood_result r;
            assert_int_equal(mood_infer_run(infer, audio, &r), stop_at ? MOOD_E_STOPPED : MOOD_OK);
            assert_int_equal(t.calls, stop_at ? stop_at : 5);
            assert_int_equal(t.total, 5);
            if (stop_at == 2)
                assert_string_equal(mood_error_detail(), "stopped after 2 of 5 windows");
            t.flag = 0;
            t.calls = t.stop_at = 0;
            assert_ok(mood_infer_run(infer, audio, &r)); /* it can begin anew */
            mood_infer_destroy(&infer);
        }
    mood_audio_destroy(&audio);
}

/* ---- the ear ------------------------------------------------------------------------------ */

/* Gate before normalising, change after it; and a plane is that of audio.h. */
static void test_ear(void **state)
{
    (void)state;
    static float plane[MOOD__PLANE], other[MOOD__PLANE];
    float *x = make_sound(4 * RATE);
    struct mood__ear *ear;
    mood_mel *mel;
    bool speech = false;
    assert_ok(mood__ear_create(&ear, MOOD__EAR_MEL));
    assert_ok(mood_mel_create(&mel, NULL));
    assert_int_equal(mood_mel_bands(mel), MOOD__MEL_BANDS);
    assert_int_equal(mood_mel_frames(mel, MOOD__WINDOW_SAMPLES), MOOD__MEL_FRAMES);

    assert_ok(mood__ear_window(ear, plane, &speech, x, 4 * RATE, 777, NULL, 0));
    assert_true(speech);
    float *cut = malloc(MOOD__WINDOW_SAMPLES * sizeof(*cut));
    assert_non_null(cut);
    memcpy(cut, x + 777, MOOD__WINDOW_SAMPLES * sizeof(*cut));
    mood_peak_normalise(cut, MOOD__WINDOW_SAMPLES);
    assert_ok(mood_mel_run(mel, other, cut, MOOD__WINDOW_SAMPLES));
    assert_memory_equal(plane, other, sizeof(plane));

    /* A power of two down is below the gate, and looks the same to the network, bit by bit. */
    for (size_t i = 0; i < 4 * RATE; i++)
        x[i] *= 0x1p-12f;
    assert_ok(mood__ear_window(ear, other, &speech, x, 4 * RATE, 777, NULL, 0));
    assert_false(speech);
    assert_memory_equal(plane, other, sizeof(plane));

    const mood_augment_params louder = {.kinds = MOOD_AUGMENT_GAIN};
    assert_ok(mood__ear_window(ear, other, NULL, x, 4 * RATE, 777, &louder, 1));
    assert_memory_not_equal(plane, other, sizeof(plane));
    assert_int_equal(
        mood__ear_window(ear, other, NULL, x, 4 * RATE, 777,
                         &(mood_augment_params){.kinds = MOOD_AUGMENT_SHIFT, .shift_s = NAN}, 1),
        MOOD_E_INVALID);
    mood_mel_destroy(&mel);
    mood__ear_destroy(&ear);
    free(cut);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_short_clip),
        cmocka_unit_test(test_long_recording),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_only_speech_counts),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_heard),
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_live_weights),
        cmocka_unit_test(test_company),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_ear),
    };
    return cmocka_run_group_tests_name("infer", tests, NULL, NULL);
}
