/* SPDX-License-Identifier: MIT
 *
 * watch.c — A training, its events noted and checked as they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch.h"

struct toy run_toy;

int run_make_toy(void **state)
{
    (void)state;
    toy_make(&run_toy, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    return 0;
}

int run_free_toy(void **state)
{
    (void)state;
    toy_free(&run_toy);
    return 0;
}

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
    case MOOD_TRAIN_FEATURES: /* the toy's models hear no encoder: test_encoder.c */
    case MOOD_TRAIN_LAYERS:
        fail();
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
    case MOOD_TRAIN_RESUME:
        assert_true(l->n_epochs == 0 && e->done == e->epoch && e->figures->epoch == e->epoch);
        l->n_epochs = e->epoch;
        l->n_steps = l->first_step;
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

void run_on(struct run *r, const struct toy *t, uint64_t model_seed,
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

void run(struct run *r, const mood_train_params *params)
{
    *r = (struct run){.log = {.stop_count = 0}};
    run_on(r, &run_toy, 1, params);
}

void run_free(struct run *r)
{
    mood_model_destroy(&r->model);
    mood_training_free(&r->out);
    free(r->log.best);
    free(r->weights);
}

mood_train_params run_small(void)
{
    return (mood_train_params){.epochs = 2, .batch = 5, .seed = 3};
}

mood_train_params run_augmented(void)
{
    mood_train_params p = run_small();
    assert_ok(mood_augment_parse(&p.augment, "noise,gain,shift"));
    return p;
}
