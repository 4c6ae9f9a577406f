/* SPDX-License-Identifier: MIT
 *
 * listener.h — Trainings of a toy with a small encoder and a cache of their own, and what they told
 * of it. Include it after <cmocka.h>. */
#ifndef MOOD_TESTS_TRAIN_LISTENER_H
#define MOOD_TESTS_TRAIN_LISTENER_H

#include "models/encoder_forms.h"
#include "toy.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* What was told, and when to stop. */
struct told {
    int n_plans; /* one per pass over the features */
    int64_t total, cached, done;
    uint64_t bytes;
    int n_bad, n_layers;
    int64_t stop_at;     /* windows; 0: never */
    volatile int *flag;  /* set this instead of answering with 1 */
    mood_status stopped; /* what the training then gave */
};

static inline int listener_on_event(void *user, const mood_train_event *e)
{
    struct told *t = user;
    if (e->phase == MOOD_TRAIN_LAYERS)
        t->n_layers++;
    if (e->phase != MOOD_TRAIN_FEATURES)
        return 0;
    if (e->plan) {
        assert_int_equal(e->done, 0);
        assert_true(e->plan->bytes_free > 0 && (e->plan->bytes > 0) == (e->total > 0));
        t->n_plans++;
        t->total = e->total;
        t->cached = e->plan->n_cached;
        t->bytes = e->plan->bytes;
        t->n_bad = e->plan->n_bad;
        t->done = 0;
        return 0;
    }
    assert_true(e->done > t->done && e->done <= t->total && e->total == t->total);
    assert_true(e->seconds_left >= 0);
    t->done = e->done;
    bool stop = t->stop_at > 0 && t->done >= t->stop_at;
    if (stop && t->flag)
        *t->flag = 1;
    return stop && !t->flag;
}

static inline mood_encoder *listener_encoder(uint64_t seed)
{
    mood_encoder *e;
    assert_ok(
        mood_encoder_create(&e, &encoder_forms[BASE].config, &(mood_encoder_params){.seed = seed}));
    return e;
}

static inline mood_model *listener_model(mood_encoder *e, int layer)
{
    mood_model *m;
    mood_model_params p = {.heads = {.divide = 8}, .seed = 1, .encoder = e, .encoder_layer = layer};
    assert_ok(mood_model_create(&m, &p));
    return m;
}

#endif
