/* SPDX-License-Identifier: MIT
 *
 * test_trainer.c — mood_train over a toy corpus: what decides its result and what does not, batches
 * and windows, the best epoch, and its answers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mood/infer.h"
#include "watch.h"

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
                    x->val_accuracy == y->val_accuracy && x->val_uar == y->val_uar &&
                    x->temperature == y->temperature);
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

/* ---- what decides the result ---- */

static void test_same_bytes(void **state)
{
    (void)state;
    struct run first, again, threads;
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int augment = 0; augment < 2; augment++) {
        mood_train_params p = augment ? run_augmented() : run_small();
        run(&first, &p);
        run(&again, &p);
        assert_same(&first, &again);
        p.pool = pool;
        run(&threads, &p);
        assert_same(&first, &threads);
        assert_memory_equal(first.log.start, threads.log.start, sizeof(first.log.start));
        run_free(&first);
        run_free(&again);
        run_free(&threads);
    }
    mood_pool_destroy(&pool);
}

/* A seed keeps its meaning from version to version: order, windows and dropout of the usual recipe
 * are what they were when this number was written down. Rounding differs between machines, by far
 * less than another mask would change. */
static void test_seeds_keep_their_meaning(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = run_small();
    run(&r, &p);
    assert_true(fabs(r.log.loss[0] - 2.151066) < 1e-4);
    run_free(&r);
}

static void test_what_the_seed_changes(void **state)
{
    (void)state;
    struct run base, other;
    mood_train_params p = run_small();
    run(&base, &p);
    p.seed = 4;
    run(&other, &p);
    assert_false(same_losses(&base, &other));
    assert_memory_not_equal(base.log.clip, other.log.clip, sizeof(base.log.clip)); /* the order */
    run_free(&other);

    other = (struct run){.log = {.stop_count = 0}}; /* the weights' own seed */
    p = run_small();
    run_on(&other, &run_toy, 2, &p);
    assert_false(same_losses(&base, &other));
    assert_memory_equal(base.log.clip, other.log.clip, sizeof(base.log.clip));
    run_free(&other);

    p = run_small(); /* nothing but dropout is different from the first step on */
    p.dropout = -1;
    run(&other, &p);
    assert_memory_equal(base.log.clip, other.log.clip, sizeof(base.log.clip));
    assert_true(base.log.loss[0] != other.log.loss[0]);
    run_free(&other);

    p = run_small();
    p.label_smoothing = 0.2f;
    run(&other, &p);
    assert_true(base.log.loss[0] != other.log.loss[0]);
    run_free(&other);

    p = run_small(); /* the first loss is before the first clipped step */
    p.clip_norm = 1e-3f;
    run(&other, &p);
    assert_true(base.log.loss[0] == other.log.loss[0] && base.log.loss[1] != other.log.loss[1]);
    run_free(&other);
    run_free(&base);
}

/* ---- steps and epochs ---- */

static void test_batches(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = run_small();
    run(&r, &p); /* 12 clips: 5, 5, 2 */
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
            assert_int_equal(times[i], mood_split_side(run_toy.split, i) == MOOD_SIDE_TRAIN);
    }
    assert_true(other_order);
    for (int e = 0; e < 2; e++) { /* the epoch's loss: the mean over its clips */
        double sum = 0;
        for (int s = 3 * e; s < 3 * e + 3; s++)
            sum += r.log.loss[s] * r.log.size[s];
        assert_true(r.out.epochs[e].train_loss == sum / N_TRAIN);
        double right = r.out.epochs[e].train_accuracy * N_TRAIN;
        assert_true(right >= 0 && right <= N_TRAIN && fabs(right - round(right)) < 1e-9);
    }
    run_free(&r);

    p = (mood_train_params){.epochs = 3, .batch = 100}; /* more than there are */
    run(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.log.n_steps, 3);
    assert_int_equal(r.log.size[0], N_TRAIN);
    run_free(&r);

    p = (mood_train_params){.epochs = 1, .batch = 11}; /* a rest of one clip */
    run(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.log.size[1], 1);
    run_free(&r);
}

/* The window of each clip in each epoch, by the clip's number. */
static void windows_of(const struct run *r, size_t start[6][TOY_SPEAKERS * PER_SPEAKER])
{
    for (int s = 0; s < r->log.n_steps; s++)
        for (int i = 0; i < r->log.size[s]; i++)
            start[r->log.epoch[s] - 1][r->log.clip[s][i]] = r->log.start[s][i];
}

/* They belong to seed, epoch and clip, not to the place in a batch. */
static void test_windows_do_not_depend_on_batches(void **state)
{
    (void)state;
    static size_t start[2][6][TOY_SPEAKERS * PER_SPEAKER];
    mood_train_params p = run_augmented();
    for (int i = 0; i < 2; i++) {
        struct run r;
        p.epochs = 6;
        p.batch = i ? N_TRAIN : 5;
        run(&r, &p);
        assert_ok(r.status);
        windows_of(&r, start[i]);
        run_free(&r);
    }
    assert_memory_equal(start[0], start[1], sizeof(start[0]));
}

/* Where training windows begin: at planned ones with speech, or with augmentation anywhere. */
static void test_windows(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 6, .batch = N_TRAIN};
    for (int augment = 0; augment < 2; augment++) {
        if (augment)
            p.augment = run_augmented().augment;
        run(&r, &p);
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
        run_free(&r);
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
            p.augment = run_augmented().augment;
        run_on(&r, &brief, 1, &p);
        assert_ok(r.status);
        moved[augment] =
            fmin(fabs(r.log.loss[0] - r.log.loss[1]), fabs(r.log.loss[1] - r.log.loss[2]));
        run_free(&r);
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
    run(&r, &p);
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
    run_free(&r);
}

static void test_early_stop(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 10, .optimiser = {.lr = 1e-9}, .early_stop = 2};
    run(&r, &p); /* nothing changes, so the first epoch stays the best */
    assert_ok(r.status);
    assert_int_equal(r.out.best_epoch, 1);
    assert_int_equal(r.out.n_epochs, 3);
    assert_int_equal(r.out.n_answers, PER_SPEAKER);
    assert_true(r.out.epochs[0].best && !r.out.epochs[1].best);
    run_free(&r);
}

/* ---- answers ---- */

/* What `infer` says of one side. */
struct answers {
    mood_confusion confusion;
    double loss;
    size_t n, n_windows, clip[N_TRAIN];
    int best[N_TRAIN];
    float prob[N_TRAIN][MOOD_N_EMOTIONS];
};

static void ask(struct answers *a, mood_infer *infer, mood_side side)
{
    *a = (struct answers){.confusion = {.n_labels = MOOD_N_EMOTIONS}};
    for (size_t i = 0; i < mood_corpus_n_clips(run_toy.corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(run_toy.corpus, i);
        mood_audio *audio;
        mood_result result;
        if (mood_split_side(run_toy.split, i) != side)
            continue;
        assert_ok(mood_audio_read(&audio, clip->path, NULL));
        assert_ok(mood_infer_run(infer, audio, &result));
        a->clip[a->n] = i;
        a->best[a->n] = result.best;
        memcpy(a->prob[a->n++], result.prob, sizeof(a->prob[0]));
        a->n_windows += result.n_segments;
        a->loss -= log((double)result.prob[clip->label]) / PER_SPEAKER;
        mood_confusion_add(&a->confusion, clip->label, result.best);
        mood_audio_destroy(&audio);
    }
    assert_int_equal(a->n, PER_SPEAKER);
    assert_int_equal(a->n_windows, 4 + 2 * 5); /* the long ones have five */
}

/* The trainer's answers are those of the saved model, clip by clip, bit by bit: with its
 * temperature, and without. */
static void test_answers_are_infers(void **state)
{
    (void)state;
    struct run r;
    mood_model *m;
    mood_infer *infer;
    mood_train_params p = {
        .epochs = 12, .batch = 4, .dropout = -1, .optimiser = {.lr = 3e-3}}; /* it learns */
    run(&r, &p);
    assert_ok(r.status);
    assert_ok(mood_model_save(r.model, tree_path(&run_toy.tree, "model.h5")));
    assert_ok(mood_model_load(&m, tree_path(&run_toy.tree, "model.h5")));
    assert_int_equal(unlink(tree_path(&run_toy.tree, "model.h5")), 0);
    assert_ok(mood_infer_create(&infer, m, NULL));
    struct answers a;
    ask(&a, infer, MOOD_SIDE_TEST);
    assert_int_equal(r.out.n_answers, PER_SPEAKER);
    for (size_t i = 0; i < PER_SPEAKER; i++) {
        const mood_answer *t = &r.out.answers[i];
        assert_int_equal(t->clip, a.clip[i]);
        assert_int_equal(t->label, mood_corpus_clip(run_toy.corpus, t->clip)->label);
        assert_int_equal(t->best, a.best[i]);
        assert_memory_equal(t->prob, a.prob[i], sizeof(a.prob[i]));
        assert_memory_not_equal(t->raw, t->prob, sizeof(a.prob[i]));
    }
    assert_memory_equal(&a.confusion, &r.out.test, sizeof(a.confusion));
    const mood_epoch *best = &r.out.epochs[r.out.best_epoch - 1];
    assert_true(mood_model_temperature(m) == best->temperature && best->temperature != 1);
    mood_infer_destroy(&infer);
    assert_ok(mood_model_set_temperature(m, 1));
    assert_ok(mood_infer_create(&infer, m, NULL));
    ask(&a, infer, MOOD_SIDE_TEST);
    for (size_t i = 0; i < PER_SPEAKER; i++)
        assert_memory_equal(r.out.answers[i].raw, a.prob[i], sizeof(a.prob[i]));

    /* So are the figures of the best epoch on the validation side. */
    ask(&a, infer, MOOD_SIDE_VAL);
    assert_true(best->val_loss == a.loss);
    assert_true(best->val_accuracy == mood_accuracy(&a.confusion));
    assert_true(best->val_uar == mood_uar(&a.confusion));
    mood_infer_destroy(&infer);
    mood_model_destroy(&m);
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_seeds_keep_their_meaning),
        cmocka_unit_test(test_what_the_seed_changes),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_windows_do_not_depend_on_batches),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_augmentation),
        cmocka_unit_test(test_best_epoch),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_answers_are_infers),
    };
    return cmocka_run_group_tests_name("trainer", tests, run_make_toy, run_free_toy);
}
