/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each allocation of a training made to fail once, from the first clip that is read
 * to the last that is answered; and none at all from one step to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "listener.h"
#include "toy.h"
#include "train/bank.h"

enum { PER_SPEAKER = 2 };

static struct toy toy;
static struct tree cache; /* a folder for what is written */
static mood_pool *pool;

static mood_status train(const void *arg)
{
    mood_model *model;
    mood_training out = {0};
    mood_status status =
        mood_model_create(&model, &(mood_model_params){.heads = {.divide = 8}, .seed = 1});
    if (!status)
        status = mood_train(model, toy.corpus, toy.split, arg, &out);
    if (status)
        assert_int_equal(out.n_answers, 0);
    mood_training_free(&out);
    mood_model_destroy(&model);
    return status;
}

static void test_each_fails_once(void **state)
{
    (void)state;
    mood_train_params p = {
        .epochs = 1, .batch = 3, .clip_norm = 1, .average = 0.9f, .mixup = 1, .accumulate = 2};
    assert_int_equal(mood_augment_parse(&p.augment, "noise,gain,shift"), MOOD_OK);
    int alone = fail_each_alloc(train, &p);
    p.pool = pool;
    int together = fail_each_alloc(train, &p);
    assert_true(alone > 300 && together > alone);

    p.checkpoint = tree_path(&cache, "checkpoint");
    int saved = fail_each_alloc(train, &p);
    p.resume = true;
    assert_true(saved > together && fail_each_alloc(train, &p) > 300);
}

/* ---- with an encoder ---- */

static mood_encoder *encoder;

static mood_train_params with_encoder(void)
{
    mood_train_params p = {.epochs = 1, .batch = 3, .encoder = encoder, .cache = cache.root};
    assert_int_equal(mood_augment_parse(&p.augment, "noise,gain"), MOOD_OK);
    p.copies = 1;
    return p;
}

/* From clips to a cache that was empty. */
static mood_status compute(const void *arg)
{
    struct mood__bank *b;
    struct mood__bank_params bp = mood__bank_params_of(arg, toy.corpus, toy.split, 1);
    tree_remove(&cache);
    tree_make(&cache);
    mood_status status = mood__bank_make(&b, &bp);
    mood__bank_free(&b);
    return status;
}

static mood_status choose(const void *arg)
{
    mood_layer_table table;
    return mood_choose_layer(&table, toy.corpus, toy.split, arg);
}

/* From a cache that is full. */
static mood_status train_on_it(const void *arg)
{
    mood_model *model;
    mood_training out = {0};
    mood_model_params mp = {
        .heads = {.divide = 8}, .seed = 1, .encoder = encoder, .encoder_layer = 1};
    mood_status status = mood_model_create(&model, &mp);
    if (!status)
        status = mood_train(model, toy.corpus, toy.split, arg, &out);
    mood_training_free(&out);
    mood_model_destroy(&model);
    return status;
}

static void test_each_fails_once_with_an_encoder(void **state)
{
    (void)state;
    mood_train_params p = with_encoder();
    assert_true(fail_each_alloc(compute, &p) > 200);
    assert_int_equal(choose(&p), MOOD_OK);
    assert_true(fail_each_alloc(choose, &p) > 100);
    assert_int_equal(train_on_it(&p), MOOD_OK);
    assert_true(fail_each_alloc(train_on_it, &p) > 300);
}

/* ---- on prosody ---- */

static mood_status fit_prosody(const void *arg)
{
    mood_model *model;
    mood_training out = {0};
    const mood_prosody_net_params net = {.n_centres = 20};
    mood_status status = mood_model_create(&model, &(mood_model_params){.prosody = &net});
    if (!status)
        status = mood_train(model, toy.corpus, toy.split, arg, &out);
    mood_training_free(&out);
    mood_model_destroy(&model);
    return status;
}

static void test_each_fails_once_on_prosody(void **state)
{
    (void)state;
    mood_train_params p = {
        .copies = 1, .prosody = {.speeds = (double[]){1, 1.1}, .n_speeds = 2, .n_background = 2}};
    assert_int_equal(mood_augment_parse(&p.augment, "noise,room"), MOOD_OK);
    int alone = fail_each_alloc(fit_prosody, &p);
    p.pool = pool;
    assert_true(alone > 100 && fail_each_alloc(fit_prosody, &p) > alone);
}

/* ---- with an encoder that is trained ---- */

/* Layers of the encoder, on a full cache; and all of it, on samples. */
static void test_each_fails_once_with_a_tuned_encoder(void **state)
{
    (void)state;
    static const int whats[] = {1, MOOD_FINETUNE_ALL};
    for (int i = 0; i < 2; i++) {
        mood_train_params p = with_encoder();
        p.finetune = whats[i];
        assert_int_equal(train_on_it(&p), MOOD_OK);
        assert_true(fail_each_alloc(train_on_it, &p) > 300);
    }
}

/* ---- steps ---- */

static long calls_before;

static int on_event(void *user, const mood_train_event *e)
{
    int *n_seen = user;
    if (e->phase == MOOD_TRAIN_STEP && e->done > 1) {
        assert_int_equal(alloc_calls, calls_before);
        ++*n_seen;
    }
    calls_before = alloc_calls;
    return 0;
}

static void test_none_between_steps(void **state)
{
    (void)state;
    int n_seen = 0;
    mood_train_params p = {
        .epochs = 1, .batch = 1, .pool = pool, .on_event = on_event, .user = &n_seen};
    p.average = 0.9f;
    p.mixup = 1;
    p.accumulate = 2;
    p.balance_classes = true;
    assert_int_equal(mood_augment_parse(&p.augment, mood_augment_names()), MOOD_OK);
    assert_int_equal(train(&p), MOOD_OK);
    assert_int_equal(n_seen, 3);

    mood_train_params q = with_encoder();
    q.batch = 1;
    q.pool = pool;
    q.on_event = on_event;
    q.user = &n_seen;
    assert_int_equal(train_on_it(&q), MOOD_OK);
    assert_int_equal(n_seen, 6);
    q.finetune = 1;
    assert_int_equal(train_on_it(&q), MOOD_OK);
    q.finetune = MOOD_FINETUNE_ALL;
    assert_int_equal(train_on_it(&q), MOOD_OK);
    assert_int_equal(n_seen, 12);
}

static int setup(void **state)
{
    (void)state;
    mood_encoder_config config = encoder_forms[BASE].config;
    config.n_layers = 1;
    toy_make(&toy, &(struct toy_params){.per_speaker = PER_SPEAKER});
    tree_make(&cache);
    if (mood_encoder_create(&encoder, &config, &(mood_encoder_params){.seed = 1}) != MOOD_OK)
        return -1;
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
        cmocka_unit_test(test_each_fails_once),
        cmocka_unit_test(test_each_fails_once_with_an_encoder),
        cmocka_unit_test(test_each_fails_once_on_prosody),
        cmocka_unit_test(test_each_fails_once_with_a_tuned_encoder),
        cmocka_unit_test(test_none_between_steps),
    };
    return cmocka_run_group_tests_name("train-alloc", tests, setup, teardown);
}
