/* SPDX-License-Identifier: MIT
 *
 * test_trainer.c — mood_train over a toy corpus: what decides its result and what does not, what it
 * tells its caller, how it is stopped, and what is left then. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mood/infer.h"
#include "toy.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { PER_SPEAKER = 6, N_TRAIN = 2 * PER_SPEAKER, MAX_STEPS = 200 };

static struct toy toy;

static int make_toy(void **state)
{
    (void)state;
    toy_make(&toy, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    return 0;
}

static int free_toy(void **state)
{
    (void)state;
    toy_free(&toy);
    return 0;
}

/* ---- what happened in one training ---- */

struct log {
    int n_read, n_steps, n_epochs, n_test;
    double loss[MAX_STEPS];
    int size[MAX_STEPS], epoch[MAX_STEPS];
    size_t clip[MAX_STEPS][N_TRAIN], start[MAX_STEPS][N_TRAIN];
    int64_t steps_total;
    /* Stop when this many events of this phase have come; 0: do not. */
    mood_train_phase stop_phase;
    int stop_count;
    volatile int *flag; /* set this instead of answering with 1 */
    /* The weights when the best epoch was told of. */
    mood_model *model;
    float *best;
    size_t n_best;
};

static void note_step(struct log *l, const mood_train_event *e)
{
    int i = l->n_steps++;
    assert_true(i < MAX_STEPS && e->done == i + 1 && e->batch_size <= N_TRAIN);
    l->loss[i] = e->loss;
    l->size[i] = e->batch_size;
    l->epoch[i] = e->epoch;
    l->steps_total = e->total;
    memcpy(l->clip[i], e->batch_clip, sizeof(size_t) * (size_t)e->batch_size);
    memcpy(l->start[i], e->batch_start, sizeof(size_t) * (size_t)e->batch_size);
}

static int on_event(void *user, const mood_train_event *e)
{
    struct log *l = user;
    int count = 0;
    switch (e->phase) {
    case MOOD_TRAIN_READ:
        count = ++l->n_read;
        assert_true(e->seconds_left < 0 && e->epoch == 0);
        assert_true(e->done <= e->total && e->total == TOY_SPEAKERS * PER_SPEAKER);
        break;
    case MOOD_TRAIN_STEP:
        note_step(l, e);
        count = l->n_steps;
        assert_true(e->seconds_left >= 0);
        break;
    case MOOD_TRAIN_EPOCH:
        count = ++l->n_epochs;
        assert_true(e->epoch == count && e->figures->epoch == count && e->done == count);
        if (e->figures->best) {
            free(l->best);
            l->best = toy_weights(l->model, &l->n_best);
        }
        break;
    case MOOD_TRAIN_TEST:
        count = ++l->n_test;
        assert_true(e->done <= e->total && e->total == PER_SPEAKER);
        break;
    }
    bool stop = e->phase == l->stop_phase && count == l->stop_count;
    if (stop && l->flag)
        *l->flag = 1;
    return stop && !l->flag;
}

/* One training with everything that it left behind. */
struct run {
    mood_status status;
    mood_model *model;
    mood_training out;
    struct log log;
    float *weights;
    size_t n_weights;
};

static void train_on(struct run *r, const struct toy *t, uint64_t model_seed,
                     const mood_train_params *params)
{
    mood_train_params p = *params;
    r->model = toy_model(model_seed);
    r->log.model = r->model;
    p.on_event = on_event;
    p.user = &r->log;
    r->status = mood_train(r->model, t->corpus, t->split, &p, &r->out);
    r->weights = toy_weights(r->model, &r->n_weights);
}

static void train(struct run *r, const mood_train_params *params)
{
    *r = (struct run){.log = {.stop_count = 0}};
    train_on(r, &toy, 1, params);
}

static void release(struct run *r)
{
    mood_model_destroy(&r->model);
    mood_training_free(&r->out);
    free(r->log.best);
    free(r->weights);
}

static bool same_weights(const struct run *a, const struct run *b)
{
    assert_int_equal(a->n_weights, b->n_weights);
    return memcmp(a->weights, b->weights, a->n_weights * sizeof(float)) == 0;
}

static void assert_same(const struct run *a, const struct run *b)
{
    assert_ok(a->status);
    assert_ok(b->status);
    assert_true(same_weights(a, b));
    assert_int_equal(a->log.n_steps, b->log.n_steps);
    assert_memory_equal(a->log.loss, b->log.loss, sizeof(a->log.loss));
    assert_int_equal(a->out.n_epochs, b->out.n_epochs);
    for (int i = 0; i < a->out.n_epochs; i++) {
        const mood_epoch *x = &a->out.epochs[i], *y = &b->out.epochs[i];
        assert_true(x->lr == y->lr && x->train_loss == y->train_loss &&
                    x->train_accuracy == y->train_accuracy && x->val_loss == y->val_loss &&
                    x->val_accuracy == y->val_accuracy && x->val_uar == y->val_uar);
    }
    assert_int_equal(a->out.n_answers, PER_SPEAKER);
    assert_memory_equal(a->out.prob, b->out.prob,
                        a->out.n_answers * MOOD_N_EMOTIONS * sizeof(float));
}

/* Whether two runs were alike in every loss. */
static bool same_losses(const struct run *a, const struct run *b)
{
    return memcmp(a->log.loss, b->log.loss, sizeof(a->log.loss)) == 0;
}

static const mood_train_params small = {.epochs = 2, .batch = 5, .seed = 3};

static mood_train_params augmented(void)
{
    mood_train_params p = small;
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    return p;
}

/* ---- what decides the result ---- */

static void test_same_bytes(void **state)
{
    (void)state;
    struct run first, again, threads;
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int augment = 0; augment < 2; augment++) {
        mood_train_params p = augment ? augmented() : small;
        train(&first, &p);
        train(&again, &p);
        assert_same(&first, &again);
        p.pool = pool;
        train(&threads, &p);
        assert_same(&first, &threads);
        assert_memory_equal(first.log.start, threads.log.start, sizeof(first.log.start));
        release(&first);
        release(&again);
        release(&threads);
    }
    mood_pool_destroy(&pool);
}

static void test_what_the_seed_changes(void **state)
{
    (void)state;
    struct run base, other;
    train(&base, &small);
    mood_train_params p = small;
    p.seed = 4;
    train(&other, &p);
    assert_false(same_losses(&base, &other));
    assert_memory_not_equal(base.log.clip, other.log.clip, sizeof(base.log.clip)); /* the order */
    release(&other);

    other = (struct run){.log = {.stop_count = 0}}; /* the weights' own seed */
    train_on(&other, &toy, 2, &small);
    assert_false(same_losses(&base, &other));
    assert_memory_equal(base.log.clip, other.log.clip, sizeof(base.log.clip));
    release(&other);

    p = small; /* nothing but dropout is different from the first step on */
    p.dropout = -1;
    train(&other, &p);
    assert_memory_equal(base.log.clip, other.log.clip, sizeof(base.log.clip));
    assert_true(base.log.loss[0] != other.log.loss[0]);
    release(&other);

    p = small;
    p.label_smoothing = 0.2f;
    train(&other, &p);
    assert_true(base.log.loss[0] != other.log.loss[0]);
    release(&other);

    p = small; /* the first loss is before the first clipped step */
    p.clip_norm = 1e-3f;
    train(&other, &p);
    assert_true(base.log.loss[0] == other.log.loss[0] && base.log.loss[1] != other.log.loss[1]);
    release(&other);
    release(&base);
}

/* ---- steps and epochs ---- */

static void test_batches(void **state)
{
    (void)state;
    struct run r;
    train(&r, &small); /* 12 clips: 5, 5, 2 */
    assert_ok(r.status);
    assert_int_equal(r.log.n_steps, 6);
    assert_int_equal(r.log.steps_total, 6);
    bool other_order = false;
    for (int e = 0; e < 2; e++) {
        int times[TOY_SPEAKERS * PER_SPEAKER] = {0};
        for (int s = 0; s < 3; s++) {
            int step = 3 * e + s;
            assert_int_equal(r.log.size[step], s < 2 ? 5 : 2);
            assert_int_equal(r.log.epoch[step], e + 1);
            for (int i = 0; i < r.log.size[step]; i++)
                times[r.log.clip[step][i]]++;
            other_order = other_order || r.log.clip[s][0] != r.log.clip[3 + s][0];
        }
        for (size_t i = 0; i < TOY_SPEAKERS * PER_SPEAKER; i++) /* each once, and no others */
            assert_int_equal(times[i], mood_split_side(toy.split, i) == MOOD_SIDE_TRAIN);
    }
    assert_true(other_order);
    release(&r);

    mood_train_params p = {.epochs = 3, .batch = 100}; /* more than there are */
    train(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.log.n_steps, 3);
    assert_int_equal(r.log.size[0], N_TRAIN);
    release(&r);

    p = (mood_train_params){.epochs = 1, .batch = 11}; /* a rest of one clip */
    train(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.log.size[1], 1);
    release(&r);
}

/* Where training windows begin: at planned ones with speech, or with augmentation anywhere. */
static void test_windows(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 6, .batch = N_TRAIN};
    for (int augment = 0; augment < 2; augment++) {
        if (augment)
            p.augment = augmented().augment;
        train(&r, &p);
        assert_ok(r.status);
        int elsewhere = 0, later = 0, changes = 0;
        size_t first_seen[TOY_SPEAKERS * PER_SPEAKER] = {0};
        for (int e = 0; e < p.epochs; e++)
            for (int i = 0; i < N_TRAIN; i++) {
                size_t clip = r.log.clip[e][i], start = r.log.start[e][i];
                if (clip % 3 != 1) { /* short: there is one window only */
                    assert_int_equal(start, 0);
                    continue;
                }
                /* 7.9 s: at 0, 1.5, 3, 4.5 and, from its end, 4.94 s; 3 to 6.5 s are silent */
                elsewhere += start % 24000 != 0 && start != 8 * 16000 - 1000 - 48000;
                later += start > 0;
                changes += e > 0 && start != first_seen[clip];
                if (e == 0)
                    first_seen[clip] = start;
            }
        assert_true(augment ? elsewhere > 10 : elsewhere == 0);
        assert_true(later > 5 && changes > 5);
        release(&r);
    }
}

/* Clips of one window, and nothing is learned: then every epoch has the same loss but for rounding,
 * and what moves it is the augmentation, drawn anew each time. */
static void test_augmentation(void **state)
{
    (void)state;
    struct toy brief;
    double moved[2];
    mood_train_params p = {.epochs = 3, .batch = N_TRAIN, .optimiser = {.lr = 1e-9}, .dropout = -1};
    toy_make(&brief, &(struct toy_params){.per_speaker = PER_SPEAKER});
    for (int augment = 0; augment < 2; augment++) {
        struct run r = {.log = {.stop_count = 0}};
        if (augment)
            p.augment = augmented().augment;
        train_on(&r, &brief, 1, &p);
        assert_ok(r.status);
        moved[augment] =
            fmin(fabs(r.log.loss[0] - r.log.loss[1]), fabs(r.log.loss[1] - r.log.loss[2]));
        release(&r);
    }
    print_message("losses move by %.1e without and %.1e with augmentation\n", moved[0], moved[1]);
    assert_true(moved[0] < 1e-6 && moved[1] > 1e-5);
    toy_free(&brief);
}

/* ---- the best epoch ---- */

static void test_best_epoch(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 12,
                           .batch = 4,
                           .seed = 1,
                           .dropout = -1,
                           .optimiser = {.lr = 3e-3},
                           .plateau = {.patience = 1}};
    train(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.out.n_epochs, 12);
    double best = -1, lr = 3e-3;
    int at = 0;
    mood_plateau plateau = {.patience = 1};
    for (int i = 0; i < r.out.n_epochs; i++) {
        const mood_epoch *e = &r.out.epochs[i];
        assert_int_equal(e->epoch, i + 1);
        assert_true(e->lr == lr);
        assert_true(e->best == (e->val_accuracy > best));
        if (e->best) {
            best = e->val_accuracy;
            at = i + 1;
        }
        lr = mood_plateau_step(&plateau, e->val_accuracy, lr);
    }
    assert_int_equal(r.out.best_epoch, at);
    assert_true(lr < 3e-3); /* so that the schedule was tested too */
    /* The weights at the end are those of that epoch's callback. */
    assert_int_equal(r.log.n_best, r.n_weights);
    assert_memory_equal(r.log.best, r.weights, r.n_weights * sizeof(float));
    /* It is a toy: it was learned. */
    assert_true(r.out.epochs[11].train_loss < 0.5 * r.out.epochs[0].train_loss);
    assert_true(best > 0.6 && mood_accuracy(&r.out.test) > 0.6);
    release(&r);
}

static void test_early_stop(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 10, .optimiser = {.lr = 1e-9}, .early_stop = 2};
    train(&r, &p); /* nothing changes, so the first epoch stays the best */
    assert_ok(r.status);
    assert_int_equal(r.out.best_epoch, 1);
    assert_int_equal(r.out.n_epochs, 3);
    assert_int_equal(r.out.n_answers, PER_SPEAKER);
    assert_true(r.out.epochs[0].best && !r.out.epochs[1].best);
    release(&r);
}

/* ---- stopping ---- */

/* Stop at the count-th event of a phase, by the callback's answer or by the flag. */
static void stop_at(struct run *r, mood_train_phase phase, int count, volatile int *flag)
{
    mood_train_params p = {.epochs = 4, .batch = 5, .stop = flag};
    *r = (struct run){.log = {.stop_phase = phase, .stop_count = count, .flag = flag}};
    train_on(r, &toy, 1, &p);
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
            release(&r);
        }
    }
}

static void test_flag_set_before(void **state)
{
    (void)state;
    struct run r;
    volatile int flag = 1;
    mood_train_params p = {.epochs = 1, .stop = &flag};
    train(&r, &p);
    assert_int_equal(r.status, MOOD_E_STOPPED);
    assert_int_equal(r.log.n_read, 1);
    assert_int_equal(r.log.n_steps, 0);
    release(&r);
}

/* ---- answers ---- */

/* The trainer's answers are those of the saved model, clip by clip, bit by bit. */
static void test_answers_are_infers(void **state)
{
    (void)state;
    struct run r;
    mood_model *m;
    mood_infer *infer;
    train(&r, &small);
    assert_ok(r.status);
    assert_ok(mood_model_save(r.model, tree_path(&toy.tree, "model.h5")));
    assert_ok(mood_model_load(&m, tree_path(&toy.tree, "model.h5")));
    assert_int_equal(unlink(tree_path(&toy.tree, "model.h5")), 0);
    assert_ok(mood_infer_create(&infer, m, NULL));
    mood_confusion c = {.n_labels = MOOD_N_EMOTIONS};
    size_t n_windows = 0, at = 0;
    for (size_t i = 0; i < mood_corpus_n_clips(toy.corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(toy.corpus, i);
        mood_audio *audio;
        mood_result result;
        if (mood_split_side(toy.split, i) != MOOD_SIDE_TEST)
            continue;
        const mood_answer *a = &r.out.answers[at++];
        assert_ok(mood_audio_read(&audio, clip->path, NULL));
        assert_ok(mood_infer_run(infer, audio, &result));
        assert_int_equal(a->clip, i);
        assert_int_equal(a->label, clip->label);
        assert_int_equal(a->best, result.best);
        assert_memory_equal(a->prob, result.prob, MOOD_N_EMOTIONS * sizeof(float));
        n_windows += result.n_segments;
        mood_confusion_add(&c, clip->label, result.best);
        mood_audio_destroy(&audio);
    }
    assert_int_equal(at, r.out.n_answers);
    assert_int_equal(at, PER_SPEAKER);
    assert_int_equal(n_windows, 4 + 2 * 5); /* the long ones have five */
    assert_memory_equal(&c, &r.out.test, sizeof(c));
    mood_infer_destroy(&infer);
    mood_model_destroy(&m);
    release(&r);
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
        train(&r, &wrong[i]);
        if (r.status != MOOD_E_INVALID)
            fail_msg("parameters %zu give %s", i, mood_status_name(r.status));
        assert_int_equal(r.log.n_read, 0); /* before anything is read */
        release(&r);
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
    assert_int_equal(mood_train(m, toy.corpus, toy.split, NULL, &out), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "labels"));
    mood_training_free(&out);
    mood_model_destroy(&m);

    assert_ok(
        mood_model_create(&m, &(mood_model_params){.heads = {.divide = 8, .feature_width = 16}}));
    assert_int_equal(mood_train(m, toy.corpus, toy.split, NULL, &out), MOOD_E_UNSUPPORTED);
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
    train(&r, &p);
    assert_int_equal(r.status, MOOD_E_NUMERIC);
    assert_int_equal(r.out.n_answers, 0);
    release(&r);
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
        train_on(&r, &own, 1, &(mood_train_params){.pool = pool});
        assert_int_equal(r.status, which ? MOOD_E_FORMAT : MOOD_E_IO);
        if (strncmp(mood_error_detail(), expected, strlen(expected)) != 0)
            fail_msg("the error is '%s'", mood_error_detail());
        assert_int_equal(r.log.n_steps, 0);
        release(&r);
        toy_free(&own);
    }
    mood_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),       cmocka_unit_test(test_what_the_seed_changes),
        cmocka_unit_test(test_batches),          cmocka_unit_test(test_windows),
        cmocka_unit_test(test_augmentation),     cmocka_unit_test(test_best_epoch),
        cmocka_unit_test(test_early_stop),       cmocka_unit_test(test_stop),
        cmocka_unit_test(test_flag_set_before),  cmocka_unit_test(test_answers_are_infers),
        cmocka_unit_test(test_wrong_parameters), cmocka_unit_test(test_wrong_model),
        cmocka_unit_test(test_runs_away),        cmocka_unit_test(test_unreadable_clips),
    };
    return cmocka_run_group_tests_name("trainer", tests, make_toy, free_toy);
}
