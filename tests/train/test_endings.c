/* SPDX-License-Identifier: MIT
 *
 * test_endings.c — Trainings that do not come to their end: stopped at every place, by the callback
 * and by the flag; given wrong parameters, another model, or clips that cannot be read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "watch.h"

/* ---- stopping ---- */

/* Stop at the count-th event of a phase, by the callback's answer or by the flag. */
static void stop_at(struct run *r, mood_train_phase phase, int count, volatile int *flag)
{
    mood_train_params p = {.epochs = 4, .batch = 5, .stop = flag};
    *r = (struct run){.log = {.stop_phase = phase, .stop_count = count, .flag = flag}};
    run_on(r, &run_toy, 1, &p);
    assert_int_equal(r->status, MOOD_E_STOPPED);
    assert_non_null(strstr(mood_error_detail(), "stopped"));
}

static void test_stop(void **state)
{
    (void)state;
    static const struct {
        mood_train_phase phase;
        int count, n_epochs; /* finished by then */
    } stops[] = {{MOOD_TRAIN_READ, 1, 0},  {MOOD_TRAIN_STEP, 1, 0},  {MOOD_TRAIN_STEP, 3, 0},
                 {MOOD_TRAIN_EPOCH, 1, 1}, {MOOD_TRAIN_STEP, 4, 1},  {MOOD_TRAIN_EPOCH, 3, 3},
                 {MOOD_TRAIN_STEP, 11, 3}, {MOOD_TRAIN_EPOCH, 4, 4}, {MOOD_TRAIN_TEST, 1, 4}};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        for (int by_flag = 0; by_flag < 2; by_flag++) {
            struct run r;
            volatile int flag = 0;
            stop_at(&r, stops[i].phase, stops[i].count, by_flag ? &flag : NULL);
            assert_int_equal(r.out.n_epochs, stops[i].n_epochs);
            assert_true((r.out.best_epoch > 0) == (stops[i].n_epochs > 0));
            assert_int_equal(r.out.n_answers, 0);
            if (r.out.best_epoch > 0) /* not those of the step that came last */
                assert_memory_equal(r.log.best, r.weights, r.n_weights * sizeof(float));
            run_free(&r);
        }
    }
}

static void test_flag_set_before(void **state)
{
    (void)state;
    struct run r;
    volatile int flag = 1;
    mood_train_params p = {.epochs = 1, .stop = &flag};
    run(&r, &p);
    assert_int_equal(r.status, MOOD_E_STOPPED);
    assert_int_equal(r.log.n_read, 1);
    assert_int_equal(r.log.n_steps, 0);
    run_free(&r);
}

/* ---- errors ---- */

static void test_wrong_parameters(void **state)
{
    (void)state;
    static const mood_train_params wrong[] = {
        {.epochs = -1},
        {.batch = -1},
        {.batch = 1000000},
        {.early_stop = -1},
        {.clip_norm = -1},
        {.clip_norm = NAN},
        {.dropout = 1},
        {.dropout = NAN},
        {.label_smoothing = 1},
        {.label_smoothing = -0.1f},
        {.optimiser = {.lr = -1}},
        {.optimiser = {.beta1 = 1}},
        {.augment = {.kinds = MOOD_AUGMENT_GAIN, .gain_db = -1}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct run r;
        run(&r, &wrong[i]);
        if (r.status != MOOD_E_INVALID)
            fail_msg("parameters %zu give %s", i, mood_status_name(r.status));
        assert_int_equal(r.log.n_read, 0); /* before anything is read */
        run_free(&r);
    }
}

static void test_wrong_model(void **state)
{
    (void)state;
    static const char *const other[] = {"neutral", "calm",    "happy",     "sad",
                                        "angry",   "fearful", "surprised", "disgust"};
    mood_training out;
    mood_model *m;
    assert_ok(mood_model_create(
        &m, &(mood_model_params){.heads = {.divide = 8}, .labels = other, .n_labels = 8}));
    assert_int_equal(mood_train(m, run_toy.corpus, run_toy.split, NULL, &out), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "labels"));
    mood_training_free(&out);
    mood_model_destroy(&m);

    assert_ok(
        mood_model_create(&m, &(mood_model_params){.heads = {.divide = 8, .feature_width = 16}}));
    assert_int_equal(mood_train(m, run_toy.corpus, run_toy.split, NULL, &out), MOOD_E_UNSUPPORTED);
    assert_non_null(strstr(mood_error_detail(), "encoder"));
    mood_training_free(&out);
    mood_model_destroy(&m);
}

/* Numbers that run away are an error, and no result. */
static void test_runs_away(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 5, .batch = 4, .optimiser = {.lr = 1e30}};
    run(&r, &p);
    assert_int_equal(r.status, MOOD_E_NUMERIC);
    assert_int_equal(r.out.n_answers, 0);
    run_free(&r);
}

/* Of clips that cannot be read, the first of the corpus is named, whichever thread met it. */
static void test_unreadable_clips(void **state)
{
    (void)state;
    static const char gone[] = "Actor_02/03-01-03-01-01-01-02.wav";
    static const char bad[] = "Actor_02/03-01-05-01-01-01-02.wav";
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int which = 0; which < 2; which++) {
        struct toy own;
        struct run r = {.log = {.stop_count = 0}};
        char expected[200];
        toy_make(&own, &(struct toy_params){.per_speaker = PER_SPEAKER});
        tree_file(&own.tree, bad, "RIFF, or rather not");
        if (which == 0)
            assert_int_equal(unlink(tree_path(&own.tree, gone)), 0);
        snprintf(expected, sizeof(expected), "%s: ", tree_path(&own.tree, which ? bad : gone));
        run_on(&r, &own, 1, &(mood_train_params){.pool = pool});
        assert_int_equal(r.status, which ? MOOD_E_FORMAT : MOOD_E_IO);
        if (strncmp(mood_error_detail(), expected, strlen(expected)) != 0)
            fail_msg("the error is '%s'", mood_error_detail());
        assert_int_equal(r.log.n_steps, 0);
        run_free(&r);
        toy_free(&own);
    }
    mood_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_flag_set_before),
        cmocka_unit_test(test_wrong_parameters),
        cmocka_unit_test(test_wrong_model),
        cmocka_unit_test(test_runs_away),
        cmocka_unit_test(test_unreadable_clips),
    };
    return cmocka_run_group_tests_name("endings", tests, run_make_toy, run_free_toy);
}
