/* SPDX-License-Identifier: MIT
 *
 * test_threads.c — One small training on three threads, for ThreadSanitizer: reading, drawing
 * windows with augmentation, steps, validation and test. That the bytes do not depend on threads is
 * test_trainer.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "listener.h"

static void test_three_threads(void **state)
{
    (void)state;
    struct toy toy;
    mood_pool *pool;
    mood_training out;
    mood_train_params p = {.epochs = 1, .batch = 3};
    toy_make(&toy, &(struct toy_params){.per_speaker = 2, .long_clips = true});
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    assert_int_equal(mood_augment_parse(&p.augment, "noise,gain,shift"), MOOD_OK);
    p.pool = pool;
    mood_model *m = toy_model(1);
    assert_int_equal(mood_train(m, toy.corpus, toy.split, &p, &out), MOOD_OK);
    assert_int_equal(out.n_answers, 2);
    mood_training_free(&out);
    mood_model_destroy(&m);
    mood_pool_destroy(&pool);
    toy_free(&toy);
}

/* Features computed on three threads, a layer judged on them, and read from the cache in the steps.
 */
static void test_three_threads_with_an_encoder(void **state)
{
    (void)state;
    struct toy toy;
    struct tree cache;
    struct told told = {0};
    mood_pool *pool;
    mood_training out;
    mood_layer_table table;
    toy_make(&toy, &(struct toy_params){.per_speaker = 2, .long_clips = true});
    tree_make(&cache);
    assert_ok(mood_pool_create(&pool, 3));
    mood_encoder *encoder = listener_encoder(1);
    mood_train_params p = {.epochs = 1,
                           .batch = 3,
                           .pool = pool,
                           .encoder = encoder,
                           .cache = cache.root,
                           .on_event = listener_on_event,
                           .user = &told};
    assert_ok(mood_choose_layer(&table, toy.corpus, toy.split, &p));
    mood_model *m = listener_model(encoder, table.chosen);
    assert_ok(mood_train(m, toy.corpus, toy.split, &p, &out));
    assert_int_equal(out.n_answers, 2);
    mood_training_free(&out);
    mood_model_destroy(&m);
    mood_encoder_destroy(&encoder);
    mood_pool_destroy(&pool);
    tree_remove(&cache);
    toy_free(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_three_threads),
                                       cmocka_unit_test(test_three_threads_with_an_encoder)};
    return cmocka_run_group_tests_name("train-threads", tests, NULL, NULL);
}
