/* SPDX-License-Identifier: MIT
 *
 * test_recipe.c — What may be asked of a training beyond the usual: schedules, averaged weights,
 * mixup, class weights, accumulation. Each changes what it says it changes, and nothing else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch.h"

static mood_train_params all_at_once(void)
{
    mood_train_params p = run_augmented();
    assert_ok(mood_augment_parse(&p.augment, mood_augment_names()));
    p.epochs = 3;
    p.optimiser = (mood_optimiser_params){.kind = MOOD_ADAMW, .weight_decay = 0.01};
    p.schedule = MOOD_SCHEDULE_COSINE;
    p.warmup = 1;
    p.average = 0.9f;
    p.mixup = 0.4f;
    p.balance_classes = true;
    p.label_smoothing = 0.1f;
    p.accumulate = 2;
    return p;
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct run one, three;
    mood_pool *pool;
    mood_train_params p = all_at_once();
    run(&one, &p);
    assert_ok(mood_pool_create(&pool, 3));
    p.pool = pool;
    run(&three, &p);
    assert_ok(one.status);
    assert_memory_equal(one.log.loss, three.log.loss, sizeof(one.log.loss));
    assert_memory_equal(one.weights, three.weights, one.n_weights * sizeof(float));
    run_free(&one);
    run_free(&three);
    mood_pool_destroy(&pool);
}

/* The rate of each epoch's last step: 12 clips in batches of 3, two of which make a step. */
static void test_rates(void **state)
{
    (void)state;
    struct run r;
    mood_train_params p = {.epochs = 4, .batch = 3, .accumulate = 2, .optimiser = {.lr = 2e-3}};
    p.schedule = MOOD_SCHEDULE_COSINE;
    p.warmup = 1.5;
    run(&r, &p);
    assert_ok(r.status);
    assert_int_equal(r.log.n_steps, 16);
    for (int e = 0; e < 4; e++)
        assert_true(r.out.epochs[e].lr == 2e-3 * mood_warmup_cosine(2 * e + 1, 3, 8));
    run_free(&r);

    p.schedule = MOOD_SCHEDULE_PLATEAU;
    p.plateau = (mood_plateau){.patience = 100};
    run(&r, &p);
    assert_ok(r.status);
    assert_true(r.out.epochs[0].lr == 2e-3 * (2.0 / 3) && r.out.epochs[1].lr == 2e-3);
    run_free(&r);
}

/* With all clips in one step there is one rounding less or more, but the weights stay where they
 * are between batches: the losses of an epoch are those of a training that does not move. */
static void test_accumulation(void **state)
{
    (void)state;
    struct run still, r;
    mood_train_params p = {
        .epochs = 2, .batch = 3, .dropout = -1, .optimiser = {.kind = MOOD_SGD, .lr = 1e-12}};
    run(&still, &p);
    p.accumulate = 4;
    p.optimiser.lr = 0.1;
    run(&r, &p);
    assert_ok(r.status);
    for (int s = 0; s < 4; s++)
        assert_true(fabs(r.log.loss[s] - still.log.loss[s]) <= 1e-5 * still.log.loss[s]);
    assert_true(fabs(r.log.loss[4] - still.log.loss[4]) > 1e-3); /* and then one step was made */
    double sum = 0;
    for (int s = 0; s < 4; s++)
        sum += r.log.loss[s] * 3;
    assert_true(fabs(r.out.epochs[0].train_loss - sum / N_TRAIN) < 1e-9);
    run_free(&still);
    run_free(&r);
}

/* Averaging looks on: the steps are the same, what is judged and saved is not. */
static void test_average(void **state)
{
    (void)state;
    struct run plain, averaged;
    mood_train_params p = run_small();
    p.epochs = 3;
    run(&plain, &p);
    p.average = 0.9f;
    run(&averaged, &p);
    assert_ok(averaged.status);
    assert_memory_equal(plain.log.loss, averaged.log.loss, sizeof(plain.log.loss));
    for (int e = 0; e < 3; e++)
        assert_true(plain.out.epochs[e].val_loss != averaged.out.epochs[e].val_loss);
    assert_memory_equal(averaged.log.best, averaged.weights,
                        averaged.n_weights * sizeof(float)); /* as when it was told of */
    run_free(&plain);
    run_free(&averaged);
}

static void test_mixup(void **state)
{
    (void)state;
    struct run plain, mixed, hardly;
    mood_train_params p = run_small();
    p.dropout = -1;
    run(&plain, &p);
    p.mixup = 1;
    run(&mixed, &p);
    assert_ok(mixed.status);
    for (int s = 0; s < 6; s++)
        assert_true(plain.log.loss[s] != mixed.log.loss[s]);
    assert_memory_equal(plain.log.clip, mixed.log.clip, sizeof(plain.log.clip));
    double right = mixed.out.epochs[0].train_accuracy;
    assert_true(right >= 0 && right <= 1);
    p.mixup = 1e-3f; /* all of one or all of the other, mostly: a batch in another order at most */
    p.epochs = 1;
    run(&hardly, &p);
    assert_ok(hardly.status);
    assert_true(fabs(hardly.log.loss[0] - plain.log.loss[0]) < 1e-4);
    run_free(&plain);
    run_free(&mixed);
    run_free(&hardly);
}

static double loss_of_first_epoch(const struct toy *t, bool balance_classes)
{
    mood_model *m = toy_model(1);
    mood_training out;
    mood_train_params p = {
        .epochs = 1, .batch = 22, .dropout = -1, .balance_classes = balance_classes};
    assert_ok(mood_train(m, t->corpus, t->split, &p, &out));
    double loss = out.epochs[0].train_loss;
    mood_training_free(&out);
    mood_model_destroy(&m);
    return loss;
}

/* Six clips of two speakers: emotions take turns, so each of the first six has two clips, and
 * weighs
 * 1. */
static void test_class_weights(void **state)
{
    (void)state;
    struct run plain, balanced;
    mood_train_params p = run_small();
    p.dropout = -1;
    p.batch = N_TRAIN;
    run(&plain, &p);
    p.balance_classes = true;
    run(&balanced, &p);
    assert_ok(balanced.status);
    assert_memory_equal(plain.log.loss, balanced.log.loss, sizeof(plain.log.loss));
    run_free(&plain);
    run_free(&balanced);

    struct toy uneven;
    toy_make(&uneven, &(struct toy_params){.per_speaker = 11}); /* 3 emotions twice, 5 once */
    double loss[2] = {loss_of_first_epoch(&uneven, false), loss_of_first_epoch(&uneven, true)};
    assert_true(loss[0] > 0 && loss[1] > 0 && loss[0] != loss[1]);
    toy_free(&uneven);
}

static void test_wrong_parameters(void **state)
{
    (void)state;
    static const mood_train_params wrong[] = {
        {.mixup = -1},      {.mixup = NAN},        {.mixup = 101},
        {.average = 1},     {.average = NAN},      {.average = -0.1f},
        {.warmup = -1},     {.warmup = NAN},       {.schedule = (mood_schedule)7},
        {.accumulate = -1}, {.accumulate = 100000}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct run r;
        run(&r, &wrong[i]);
        if (r.status != MOOD_E_INVALID)
            fail_msg("parameters %zu give %s", i, mood_status_name(r.status));
        assert_int_equal(r.log.n_read, 0);
        run_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_wrong_parameters),
    };
    return cmocka_run_group_tests_name("recipe", tests, run_make_toy, run_free_toy);
}
