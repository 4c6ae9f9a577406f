/* SPDX-License-Identifier: MIT
 *
 * test_resume.c — A training that was stopped or killed and then resumed is one that never was, to
 * the bit; and what a checkpoint refuses to go on with. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "watch.h"

enum { EPOCHS = 5, STEPS = 3 /* of an epoch: 12 clips in batches of 5 */ };

static char path[600];

static int setup(void **state)
{
    run_make_toy(state);
    snprintf(path, sizeof(path), "%s", tree_path(&run_toy.tree, "model.h5.checkpoint"));
    return 0;
}

/* All that has a state: moments, average, plateau, and an early stop that does not come. */
static mood_train_params everything(void)
{
    mood_train_params p = run_augmented();
    p.epochs = EPOCHS;
    p.optimiser.lr = 3e-3;
    p.plateau = (mood_plateau){.patience = 1, .cooldown = 1};
    p.warmup = 1.5;
    p.average = 0.9f;
    p.mixup = 0.3f;
    p.accumulate = 2;
    p.early_stop = EPOCHS;
    p.checkpoint = path;
    return p;
}

/* And without what is optional. */
static mood_train_params plain(void)
{
    mood_train_params p = {.epochs = EPOCHS, .batch = 5, .seed = 3, .checkpoint = path};
    return p;
}

static void assert_same(const struct run *a, const struct run *b, int first_epoch)
{
    assert_ok(a->status);
    assert_ok(b->status);
    assert_int_equal(a->n_weights, b->n_weights);
    assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof(float));
    size_t first = (size_t)first_epoch * STEPS;
    assert_memory_equal(a->log.loss + first, b->log.loss + first,
                        sizeof(a->log.loss) - first * sizeof(double));
    assert_int_equal(a->out.n_epochs, b->out.n_epochs);
    assert_int_equal(a->out.best_epoch, b->out.best_epoch);
    for (int i = 0; i < a->out.n_epochs; i++) {
        const mood_epoch *x = &a->out.epochs[i], *y = &b->out.epochs[i];
        assert_true(x->epoch == y->epoch && x->lr == y->lr && x->train_loss == y->train_loss &&
                    x->train_accuracy == y->train_accuracy && x->val_loss == y->val_loss &&
                    x->val_accuracy == y->val_accuracy && x->val_uar == y->val_uar &&
                    x->temperature == y->temperature && x->best == y->best);
    }
    assert_true(mood_model_temperature(a->model) == mood_model_temperature(b->model));
    assert_int_equal(a->out.n_answers, b->out.n_answers);
    assert_memory_equal(a->out.prob, b->out.prob,
                        a->out.n_answers * MOOD_N_EMOTIONS * sizeof(float));
}

/* Resume with a model whose weights are others, and on threads, neither of which may matter. */
static void go_on(struct run *r, mood_train_params p, int after_epoch, mood_pool *pool)
{
    *r = (struct run){.log = {.first_step = after_epoch * STEPS}};
    p.resume = true;
    p.pool = pool;
    run_on(r, &run_toy, 77, &p);
}

/* ---- stopped ---- */

/* Set the flag in the middle of an epoch, and at its end: the epoch is finished, and no other. */
static void test_stopped(void **state)
{
    (void)state;
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int which = 0; which < 2; which++) {
        mood_train_params p = which ? everything() : plain();
        struct run whole;
        run(&whole, &p);
        assert_ok(whole.status);
        for (int epoch = 1; epoch <= EPOCHS; epoch++) {
            struct run part, rest;
            volatile int flag = 0;
            bool middle = epoch % 2;
            p.stop = &flag;
            part = (struct run){.log = {.stop_phase = middle ? MOOD_TRAIN_STEP : MOOD_TRAIN_EPOCH,
                                        .stop_count = middle ? STEPS * epoch - 1 : epoch,
                                        .flag = &flag}};
            unlink(path);
            run_on(&part, &run_toy, 1, &p);
            assert_int_equal(part.status, MOOD_E_STOPPED);
            assert_int_equal(part.out.n_epochs, epoch);
            p.stop = NULL;
            go_on(&rest, p, epoch, pool);
            assert_same(&whole, &rest, epoch);
            run_free(&part);
            run_free(&rest);
        }
        run_free(&whole);
    }
    mood_pool_destroy(&pool);
}

/* An early stop before the end stays one: what is resumed behind it only answers. */
static void test_early_stop(void **state)
{
    (void)state;
    struct run whole, rest;
    mood_train_params p = plain();
    p.early_stop = 1;
    p.epochs = 20;
    p.optimiser.lr = 1e-9; /* so that it does not get better */
    run(&whole, &p);
    assert_int_equal(whole.out.n_epochs, 2);
    go_on(&rest, p, 2, NULL);
    assert_same(&whole, &rest, 2);
    assert_int_equal(rest.log.n_steps, 2 * STEPS);
    run_free(&whole);
    run_free(&rest);
}

/* ---- killed ---- */

struct killer {
    mood_train_phase phase;
    int64_t done;
};

static int kill_at(void *user, const mood_train_event *e)
{
    const struct killer *k = user;
    if (e->phase == k->phase && e->done == k->done)
        raise(SIGKILL);
    return 0;
}

static void test_killed(void **state)
{
    (void)state;
    static const struct {
        struct killer at;
        int epochs; /* that the checkpoint then has */
    } cases[] = {{{MOOD_TRAIN_STEP, STEPS + 1}, 1},
                 {{MOOD_TRAIN_EPOCH, 3}, 2}, /* it is told of, and not written yet */
                 {{MOOD_TRAIN_STEP, 5 * STEPS}, 4},
                 {{MOOD_TRAIN_TEST, PER_SPEAKER}, 5}};
    mood_train_params p = everything();
    struct run whole;
    run(&whole, &p);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run rest;
        struct killer at = cases[i].at;
        int status = 0;
        unlink(path);
        pid_t child = fork();
        if (child == 0) {
            mood_training out;
            mood_train_params q = p;
            q.on_event = kill_at;
            q.user = &at;
            _exit(mood_train(toy_model(1), run_toy.corpus, run_toy.split, &q, &out) == MOOD_OK);
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        go_on(&rest, p, cases[i].epochs, NULL);
        assert_same(&whole, &rest, cases[i].epochs);
        run_free(&rest);
    }
    run_free(&whole);
}

/* ---- refused ---- */

/* Resume; it has to fail so, with `words` in the detail, before any step. */
static void refuse(const mood_train_params *params, mood_status status, const char *words)
{
    struct run r;
    go_on(&r, *params, 0, NULL);
    if (r.status != status || !strstr(mood_error_detail(), words) ||
        strchr(mood_error_detail(), '\n'))
        fail_msg("%s, '%s' instead of '%s'", mood_status_name(r.status), mood_error_detail(),
                 words);
    assert_int_equal(r.log.n_steps, 0);
    assert_int_equal(r.out.n_answers, 0);
    run_free(&r);
}

static void test_other_settings(void **state)
{
    (void)state;
    struct run r;
    mood_train_params base = plain(), p;
    base.epochs = 1;
    run(&r, &base);
    assert_ok(r.status);
    run_free(&r);
#define REFUSE(field, other, words)                                                                \
    p = base;                                                                                      \
    p.field = other;                                                                               \
    refuse(&p, MOOD_E_INVALID, words)
    REFUSE(epochs, 2, "'epochs' was 1, and is 2 now");
    REFUSE(batch, 6, "'batch' was 5, and is 6 now");
    REFUSE(seed, 4, "'seed'");
    REFUSE(seed, 3 + ((uint64_t)1 << 32), "'seed, upper half'");
    REFUSE(dropout, 0.25f, "'dropout'");
    REFUSE(clip_norm, 1, "'clip norm'");
    REFUSE(mixup, 0.5f, "'mixup'");
    REFUSE(balance_classes, true, "'balanced classes'");
    REFUSE(accumulate, 2, "'accumulate'");
    REFUSE(label_smoothing, 0.1f, "'label smoothing'");
    REFUSE(early_stop, 3, "'early stop'");
    REFUSE(optimiser.kind, MOOD_SGD, "'optimiser'");
    REFUSE(optimiser.lr, 0.5, "'learning rate'");
    REFUSE(optimiser.weight_decay, 0.5, "'weight decay'");
    REFUSE(schedule, MOOD_SCHEDULE_COSINE, "'schedule'");
    REFUSE(warmup, 1, "'warm-up'");
    REFUSE(average, 0.5f, "'average'");
    REFUSE(plateau.factor, 0.25, "'plateau's factor'");
    REFUSE(augment.kinds, MOOD_AUGMENT_GAIN, "'kinds of augmentation'");
    REFUSE(checkpoint, NULL, "no checkpoint");
#undef REFUSE
    go_on(&r, base, 1, NULL); /* the checkpoint itself was fine */
    assert_ok(r.status);
    run_free(&r);
}

static void test_other_clips_and_files(void **state)
{
    (void)state;
    struct toy other;
    struct run r;
    mood_train_params p = plain();
    char missing[700];
    p.epochs = 1;
    run(&r, &p);
    run_free(&r);

    toy_make(&other, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    mood_model *m = toy_model(1);
    mood_training out;
    p.resume = true;
    assert_int_equal(mood_train(m, other.corpus, other.split, &p, &out), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "other clips"));
    mood_training_free(&out);
    mood_model_destroy(&m);
    toy_free(&other);

    assert_ok(mood_model_create(&m, &(mood_model_params){.heads = {.divide = 16}}));
    assert_int_equal(mood_train(m, run_toy.corpus, run_toy.split, &p, &out), MOOD_E_SHAPE);
    mood_training_free(&out);
    mood_model_destroy(&m);

    snprintf(missing, sizeof(missing), "%s.not", path);
    p.checkpoint = missing;
    refuse(&p, MOOD_E_IO, "checkpoint.not");
    p.checkpoint = path;
    assert_int_equal(truncate(path, 5000), 0);
    refuse(&p, MOOD_E_FORMAT, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_other_settings),
        cmocka_unit_test(test_other_clips_and_files),
    };
    return cmocka_run_group_tests_name("resume", tests, setup, run_free_toy);
}
