/* SPDX-License-Identifier: MIT
 *
 * test_features.c — Training on a small frozen encoder: the features are what the encoder gives,
 * the same in any company and on any number of threads; computed once, and what is missing only;
 * and the answers are those of a recogniser. */
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/features.h"
#include "listener.h"
#include "mood/infer.h"
#include "store/store.h"
#include "train/bank.h"

enum { PER_SPEAKER = 6, N_CLIPS = TOY_SPEAKERS * PER_SPEAKER, N_TRAIN = 2 * PER_SPEAKER };

static struct toy toy;
static mood_encoder *encoder;
static mood_pool *pool;
static struct tree cache; /* emptied before each test */

/* ---- one training ---- */

struct run {
    mood_status status;
    struct told told;
    mood_model *model;
    mood_training out;
    float *weights;
    size_t n_weights;
};

static mood_train_params params(struct run *r)
{
    return (mood_train_params){.epochs = 2,
                               .batch = 5,
                               .seed = 3,
                               .on_event = listener_on_event,
                               .user = &r->told,
                               .encoder = encoder,
                               .cache = cache.root};
}

static void train(struct run *r, int layer, const mood_train_params *p)
{
    r->model = listener_model(p->encoder, layer);
    r->status = mood_train(r->model, toy.corpus, toy.split, p, &r->out);
    r->weights = toy_weights(r->model, &r->n_weights);
}

static void run_free(struct run *r)
{
    mood_model_destroy(&r->model);
    mood_training_free(&r->out);
    free(r->weights);
    *r = (struct run){0};
}

static void assert_same(const struct run *a, const struct run *b)
{
    assert_ok(a->status);
    assert_ok(b->status);
    assert_int_equal(a->n_weights, b->n_weights);
    assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof(float));
    assert_int_equal(a->out.n_answers, PER_SPEAKER);
    assert_memory_equal(a->out.prob, b->out.prob,
                        a->out.n_answers * MOOD_N_EMOTIONS * sizeof(float));
}

static bool same_weights(const struct run *a, const struct run *b)
{
    return memcmp(a->weights, b->weights, a->n_weights * sizeof(float)) == 0;
}

static void forget_cache(void)
{
    tree_remove(&cache);
    tree_make(&cache);
}

/* ---- the bank by itself ---- */

static struct mood__bank *open_bank(const mood_train_params *p, int layer)
{
    struct mood__bank *b;
    struct mood__bank_params bp = mood__bank_params_of(p, toy.corpus, toy.split, layer);
    assert_ok(mood__bank_make(&b, &bp));
    return b;
}

static size_t row_of(const struct mood__bank *b)
{
    int64_t dim[MOOD_MAX_RANK];
    size_t n = 1;
    for (int i = mood__bank_shape(b, dim); i-- > 0;)
        n *= (size_t)dim[i];
    return n;
}

/* Against the encoder, asked directly, window by window. */
static void check_clip(struct mood__bank *b, size_t clip, mood_frames *frames,
                       const mood_encoder_use *use)
{
    struct mood__ear *ear;
    struct mood__heard heard, kept;
    mood_audio *audio;
    size_t n = row_of(b);
    float *expected = calloc(n, sizeof(float)), *features = calloc(n, sizeof(float)),
          *plane = calloc(MOOD__PLANE, sizeof(float));
    assert_ok(mood_audio_read(&audio, mood_corpus_clip(toy.corpus, clip)->path, NULL));
    assert_ok(mood__ear_create(&ear, MOOD__EAR_MEL));
    assert_ok(mood__hear(&heard, ear, audio));
    assert_ok(mood__bank_heard(b, clip, &kept));
    assert_int_equal(kept.n_windows, heard.n_windows);
    assert_int_equal(kept.n_samples, heard.n_samples);
    assert_memory_equal(kept.start, heard.start, heard.n_windows * sizeof(size_t));
    assert_memory_equal(kept.speech, heard.speech, heard.n_windows * sizeof(bool));
    for (size_t i = 0; i < heard.n_windows; i++) {
        assert_ok(mood__ear_window(ear, plane, NULL, mood_audio_samples(audio),
                                   mood_audio_length(audio), heard.start[i], NULL, 0));
        assert_ok(mood__features_run(frames, use, true, mood__ear_samples(ear), expected));
        assert_ok(mood__bank_read(b, clip, i, 0, features, plane));
        assert_memory_equal(features, expected, n * sizeof(float));
        assert_memory_equal(plane, heard.planes + i * MOOD__PLANE, MOOD__PLANE * sizeof(float));
    }
    mood__heard_free(&heard);
    mood__heard_free(&kept);
    mood__ear_destroy(&ear);
    mood_audio_destroy(&audio);
    free(expected);
    free(features);
    free(plane);
}

static void test_features_are_the_encoders(void **state)
{
    (void)state;
    const int layers[] = {0, 2, 3, MOOD_LAYER_MIX};
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        struct run r = {0};
        mood_train_params p = params(&r);
        p.pool = i % 2 ? pool : NULL;
        mood_model *m = listener_model(encoder, layers[i]);
        mood_frames *frames;
        assert_ok(mood__features_create(&frames, encoder, mood_model_encoder(m), MOOD__FROM_SAMPLES,
                                        NULL));
        struct mood__bank *b = open_bank(&p, layers[i]);
        assert_int_equal(r.told.done, r.told.total);
        for (size_t clip = 0; clip < N_CLIPS; clip++)
            check_clip(b, clip, frames, mood_model_encoder(m));
        mood__bank_free(&b);
        mood_frames_destroy(&frames);
        mood_model_destroy(&m);
    }
}

/* Draws come from the planned windows with speech of any copy, and say which window it was. */
static void test_draws(void **state)
{
    (void)state;
    struct run r = {0};
    mood_train_params p = params(&r);
    assert_ok(mood_augment_parse(&p.augment, "noise,gain"));
    p.copies = 2;
    struct mood__bank *b = open_bank(&p, 1);
    size_t n = row_of(b);
    float *features = calloc(n, sizeof(float)), *recorded = calloc(n, sizeof(float)),
          *plane = calloc(MOOD__PLANE, sizeof(float));
    for (size_t clip = 0; clip < N_CLIPS; clip++) {
        bool train_side = mood_split_side(toy.split, clip) == MOOD_SIDE_TRAIN;
        struct mood__heard heard;
        int times[8] = {0}, as_recorded = 0;
        assert_ok(mood__bank_heard(b, clip, &heard));
        for (uint64_t key = 0; key < 60; key++) {
            size_t start = 1, w = 0;
            assert_ok(mood__bank_draw(b, clip, key, 0, features, plane, &start));
            while (w < heard.n_windows && heard.start[w] != start)
                w++;
            assert_true(w < heard.n_windows && heard.speech[w]);
            times[w]++;
            assert_ok(mood__bank_read(b, clip, w, 0, recorded, NULL));
            as_recorded += memcmp(features, recorded, n * sizeof(float)) == 0;
        }
        for (size_t w = 0; w < heard.n_windows; w++)
            assert_true((times[w] > 0) == heard.speech[w]);
        if (train_side) /* a third of the draws */
            assert_true(as_recorded > 6 && as_recorded < 36);
        else
            assert_int_equal(as_recorded, 60);
        mood__heard_free(&heard);
    }
    mood__bank_free(&b);
    free(features);
    free(recorded);
    free(plane);
}

/* ---- trainings ---- */

static void test_same_bytes(void **state)
{
    (void)state;
    struct run first = {0}, cached = {0}, threads = {0};
    mood_train_params p = params(&first);
    train(&first, 2, &p);
    assert_int_equal(first.told.n_plans, 1);
    assert_int_equal(first.told.cached, 0);
    assert_true(first.told.total > N_CLIPS && first.told.done == first.told.total);

    p = params(&cached);
    train(&cached, 2, &p);
    assert_same(&first, &cached);
    assert_int_equal(cached.told.n_plans, 1);
    assert_int_equal(cached.told.total, 0);
    assert_int_equal(cached.told.cached, first.told.total);

    forget_cache();
    p = params(&threads);
    p.pool = pool;
    train(&threads, 2, &p);
    assert_int_equal(threads.told.total, first.told.total);
    assert_same(&first, &threads);
    run_free(&first);
    run_free(&cached);
    run_free(&threads);
}

/* Another layer, another encoder: other features, and the cache knows. */
static void test_what_the_cache_belongs_to(void **state)
{
    (void)state;
    struct run one = {0}, two = {0}, other = {0};
    mood_encoder *second = listener_encoder(2);
    mood_train_params p = params(&one);
    train(&one, 1, &p);
    p = params(&two);
    train(&two, 2, &p);
    assert_int_equal(two.told.cached, 0);
    assert_false(same_weights(&one, &two));
    p = params(&other);
    p.encoder = second;
    train(&other, 1, &p);
    assert_int_equal(other.told.cached, 0);
    assert_false(same_weights(&one, &other));
    run_free(&other);
    p = params(&other);
    train(&other, 1, &p);
    assert_int_equal(other.told.total, 0);
    assert_same(&one, &other);
    run_free(&one);
    run_free(&two);
    run_free(&other);
    mood_encoder_destroy(&second);
}

/* mood_infer_run hears the clip itself, through the encoder. */
static void test_answers_are_those_of_a_recogniser(void **state)
{
    (void)state;
    const int layers[] = {2, MOOD_LAYER_MIX};
    for (int k = 0; k < 2; k++) {
        struct run r = {0};
        mood_train_params p = params(&r);
        train(&r, layers[k], &p);
        assert_ok(r.status);
        mood_infer *infer;
        assert_ok(mood_infer_create(&infer, r.model, &(mood_infer_params){.encoder = encoder}));
        assert_int_equal(r.out.n_answers, PER_SPEAKER);
        for (size_t i = 0; i < r.out.n_answers; i++) {
            const mood_answer *a = &r.out.answers[i];
            mood_audio *audio;
            mood_result said;
            assert_ok(mood_audio_read(&audio, mood_corpus_clip(toy.corpus, a->clip)->path, NULL));
            assert_ok(mood_infer_run(infer, audio, &said));
            assert_memory_equal(said.prob, a->prob, MOOD_N_EMOTIONS * sizeof(float));
            mood_audio_destroy(&audio);
        }
        mood_infer_destroy(&infer);
        run_free(&r);
    }
}

static int64_t train_windows(const mood_train_params *p)
{
    struct mood__bank *b = open_bank(p, 2);
    int64_t n = 0;
    for (size_t i = 0; i < N_CLIPS; i++) {
        struct mood__heard h;
        assert_ok(mood__bank_heard(b, i, &h));
        n += mood_split_side(toy.split, i) == MOOD_SIDE_TRAIN ? (int64_t)h.n_windows : 0;
        mood__heard_free(&h);
    }
    mood__bank_free(&b);
    return n;
}

static void test_copies(void **state)
{
    (void)state;
    struct run plain = {0}, changed = {0}, again = {0};
    mood_train_params p = params(&plain);
    train(&plain, 2, &p);
    int64_t all = plain.told.total, windows = train_windows(&p);

    p = params(&changed); /* what was recorded is there already; 3 copies are made */
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    train(&changed, 2, &p);
    assert_ok(changed.status);
    assert_int_equal(changed.told.cached, all);
    assert_int_equal(changed.told.total, 3 * windows);
    assert_false(same_weights(&plain, &changed));

    p = params(&again); /* one more: only that one */
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    p.copies = 4;
    train(&again, 2, &p);
    assert_int_equal(again.told.total, windows);
    run_free(&again);

    p = params(&again); /* changed in another way */
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    p.augment.gain_db = 3;
    train(&again, 2, &p);
    assert_int_equal(again.told.total, 3 * windows);
    assert_false(same_weights(&changed, &again));
    run_free(&again);

    forget_cache(); /* all of it on threads, without a cache: the same */
    p = params(&again);
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    p.pool = pool;
    train(&again, 2, &p);
    assert_same(&changed, &again);
    run_free(&again);
    run_free(&changed);
    run_free(&plain);
}

/* ---- endings ---- */

static void assert_refused(mood_model *m, const mood_train_params *p, mood_status status)
{
    mood_training out;
    assert_int_equal(mood_train(m, toy.corpus, toy.split, p, &out), status);
    mood_training_free(&out);
}

static void test_refusals(void **state)
{
    (void)state;
    struct run r = {0};
    mood_model *without = toy_model(1), *with = listener_model(encoder, 2);
    mood_encoder *second = listener_encoder(2);
    mood_train_params p = params(&r);
    assert_refused(without, &p, MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "without an encoder"));
    p.encoder = NULL;
    assert_refused(with, &p, MOOD_E_MISSING);
    assert_non_null(strstr(mood_error_detail(), "needs its encoder"));
    p.encoder = second;
    assert_refused(with, &p, MOOD_E_INVALID);
    p = params(&r);
    p.copies = -1;
    assert_refused(with, &p, MOOD_E_INVALID);
    p = params(&r);
    p.cache = "";
    assert_refused(with, &p, MOOD_E_INVALID);

    mood_model *classifier;
    mood_model_params mp = {.encoder = encoder,
                            .encoder_layer = 3,
                            .classifier = &(mood_classifier_params){.units = 4}};
    assert_ok(mood_model_create(&classifier, &mp));
    p = params(&r);
    assert_refused(classifier, &p, MOOD_E_UNSUPPORTED);
    mood_model_destroy(&classifier);
    mood_model_destroy(&with);
    mood_model_destroy(&without);
    mood_encoder_destroy(&second);
    assert_int_equal(r.told.n_plans, 0); /* all of it before anything is read */
}

/* An encoder of so few frames that the heads' poolings leave none: said before they are computed.
 */
static void test_too_few_frames(void **state)
{
    (void)state;
    struct run r = {0};
    mood_encoder_config c = encoder_forms[BASE].config;
    int last = c.n_convs - 1;
    c.conv_kernel[last] = 100;
    c.conv_stride[last] = 99; /* a frame per second, nearly */
    assert_int_equal(mood_encoder_frames(&c, MOOD__WINDOW_SAMPLES), 3);
    mood_encoder *few;
    assert_ok(mood_encoder_create(&few, &c, &(mood_encoder_params){.seed = 1}));
    mood_model *model = listener_model(few, 1);
    mood_train_params p = params(&r);
    p.encoder = few;
    assert_refused(model, &p, MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "3 frames"));
    assert_int_equal(r.told.n_plans, 0);
    mood_model_destroy(&model);
    mood_encoder_destroy(&few);
}

/* Make the first clip of each shard of a layer longer than its windows, with digests that agree. */
static void lengthen_clips(int layer)
{
    static const struct mood__format format = {.kind = "features-cache", .major = 1};
    enum { COLUMN_SAMPLES = MOOD__SHA256_BYTES / 4 + 1, CLIPS_BYTES = 1 << 14 };
    char pattern[PATH_MAX], clips[CLIPS_BYTES];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s/*/layer-%02d/*.h5", cache.root, layer);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct mood__reader *r;
        struct mood__writer *w;
        assert_ok(mood__reader_map(&r, found.gl_pathv[i], &format));
        assert_ok(mood__writer_create(&w, &format));
        for (size_t k = 0; k < mood__reader_count(r); k++) {
            const struct mood__entry *e = mood__reader_at(r, k);
            mood_tensor t = e->tensor;
            if (strcmp(e->name, "clips") == 0) {
                size_t bytes = (size_t)mood_tensor_elements(&t) * sizeof(int32_t);
                assert_true(bytes <= sizeof(clips));
                t.data = memcpy(clips, t.data, bytes);
                int32_t seconds = 1000, samples = seconds * MOOD_SAMPLE_RATE;
                memcpy(clips + COLUMN_SAMPLES * sizeof(samples), &samples, sizeof(samples));
            }
            if (e->text)
                assert_ok(mood__writer_add_text(w, e->name, e->text));
            else
                assert_ok(mood__writer_add_tensor(w, e->name, &t));
        }
        assert_ok(mood__writer_save(w, found.gl_pathv[i]));
        mood__writer_destroy(&w);
        mood__reader_close(&r);
    }
    globfree(&found);
}

/* Nothing may be looked for beyond the windows that are there. */
static void test_a_shard_that_contradicts_itself(void **state)
{
    (void)state;
    struct run r = {0};
    mood_train_params p = params(&r);
    struct mood__bank_params bp = mood__bank_params_of(&p, toy.corpus, toy.split, 2);
    struct mood__bank *b = open_bank(&p, 2);
    mood__bank_free(&b);
    lengthen_clips(2);
    assert_int_equal(mood__bank_make(&b, &bp), MOOD_E_FORMAT);
    assert_non_null(strstr(mood_error_detail(), "layer-02: is damaged"));
}

/* Stopped between two windows; nothing of the unfinished shard is left, and the next training does
 * not mind. */
static void test_stopped(void **state)
{
    (void)state;
    struct run whole = {0}, r = {0};
    volatile int flag = 0;
    mood_train_params p = params(&whole);
    train(&whole, 2, &p);
    for (int by_flag = 0; by_flag < 2; by_flag++) {
        forget_cache();
        p = params(&r);
        r.told.stop_at = 5;
        r.told.flag = by_flag ? &flag : NULL;
        p.stop = by_flag ? &flag : NULL;
        train(&r, 2, &p);
        assert_int_equal(r.status, MOOD_E_STOPPED);
        assert_true(r.told.done >= 5 && r.told.done < 8);
        assert_int_equal(r.out.n_epochs, 0);
        run_free(&r);
        p = params(&r);
        train(&r, 2, &p);
        assert_same(&whole, &r);
        run_free(&r);
    }
    run_free(&whole);
}

/* A clip that cannot be decoded is named, before anything is computed. */
static void test_a_bad_clip(void **state)
{
    (void)state;
    struct toy broken;
    struct run r = {0};
    mood_training out;
    toy_make(&broken, &(struct toy_params){.per_speaker = 2});
    tree_file(&broken.tree, "Actor_02/03-01-01-01-01-01-02.wav", "RIFF");
    mood_model *m = listener_model(encoder, 1);
    mood_train_params p = params(&r);
    assert_int_equal(mood_train(m, broken.corpus, broken.split, &p, &out), MOOD_E_FORMAT);
    assert_non_null(strstr(mood_error_detail(), "03-01-01-01-01-01-02.wav: "));
    assert_int_equal(r.told.n_plans, 0);
    mood_training_free(&out);
    mood_model_destroy(&m);
    toy_free(&broken);
}

/* ---- layers ---- */

static void test_choosing_a_layer(void **state)
{
    (void)state;
    struct run r = {0};
    mood_layer_table one, many;
    mood_train_params p = params(&r);
    assert_ok(mood_choose_layer(&one, toy.corpus, toy.split, &p));
    assert_int_equal(one.n, 4);
    assert_int_equal(r.told.n_layers, 4);
    assert_int_equal(r.told.total,
                     3 * PER_SPEAKER); /* one window each; the test side is not heard */
    int best = 0, chosen = 0;
    for (int i = 0; i < one.n; i++) {
        assert_true(one.accuracy[i] >= 0 && one.accuracy[i] <= 1 && one.uar[i] <= 1);
        best = one.accuracy[i] > one.accuracy[best] ? i : best;
    }
    while (one.accuracy[chosen] < one.accuracy[best] - 0.01)
        chosen++;
    assert_int_equal(one.best, best);
    assert_int_equal(one.chosen, chosen);
    /* Tones are easy to tell apart, even for an encoder that learned nothing: chance is 1 in 6. */
    assert_true(one.accuracy[best] > 0.6);

    p.pool = pool;
    assert_ok(mood_choose_layer(&many, toy.corpus, toy.split, &p));
    assert_int_equal(r.told.total, 0);
    assert_memory_equal(&one, &many, sizeof(one));
    forget_cache();
    assert_ok(mood_choose_layer(&many, toy.corpus, toy.split, &p));
    assert_memory_equal(&one, &many, sizeof(one));

    volatile int stop = 1;
    p.stop = &stop;
    assert_int_equal(mood_choose_layer(&many, toy.corpus, toy.split, &p), MOOD_E_STOPPED);
    p = params(&r);
    p.encoder = NULL;
    assert_int_equal(mood_choose_layer(&many, toy.corpus, toy.split, &p), MOOD_E_INVALID);
}

/* ---- */

static int empty_cache(void **state)
{
    (void)state;
    forget_cache();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    toy_make(&toy, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    tree_make(&cache);
    encoder = listener_encoder(1);
    return mood_pool_create(&pool, 2) == MOOD_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    mood_pool_destroy(&pool);
    mood_encoder_destroy(&encoder);
    tree_remove(&cache);
    toy_free(&toy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_features_are_the_encoders, empty_cache),
        cmocka_unit_test_setup(test_draws, empty_cache),
        cmocka_unit_test_setup(test_same_bytes, empty_cache),
        cmocka_unit_test_setup(test_what_the_cache_belongs_to, empty_cache),
        cmocka_unit_test_setup(test_answers_are_those_of_a_recogniser, empty_cache),
        cmocka_unit_test_setup(test_copies, empty_cache),
        cmocka_unit_test_setup(test_refusals, empty_cache),
        cmocka_unit_test_setup(test_too_few_frames, empty_cache),
        cmocka_unit_test_setup(test_a_shard_that_contradicts_itself, empty_cache),
        cmocka_unit_test_setup(test_stopped, empty_cache),
        cmocka_unit_test_setup(test_a_bad_clip, empty_cache),
        cmocka_unit_test_setup(test_choosing_a_layer, empty_cache),
    };
    return cmocka_run_group_tests_name("train-features", tests, setup, teardown);
}
