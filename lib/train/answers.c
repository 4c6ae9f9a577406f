/* SPDX-License-Identifier: MIT
 *
 * answers.c — Answering the clips of a side, as mood_infer_run would: after each epoch those for
 * validation, and at the end those for the test. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "tensor/tensor.h"
#include "train/sayings.h"
#include "train/trainer.h"

struct answering {
    struct mood__trainer *t;
    float *prob;                    /* (n_other, V) */
    float *tempered;                /* the same at the model's temperature; NULL: not asked for */
    struct mood__sayings *keep;     /* single windows too; NULL: not asked for */
    struct mood__failure *failures; /* one per task */
    int64_t first;
    int V;
};

/* Where the windows of a clip come from when there is an encoder. */
struct from_bank {
    struct mood__bank *bank;
    size_t clip;
    int worker;
};

static mood_status feed(void *ctx, size_t window, float *features, float *plane)
{
    const struct from_bank *f = ctx;
    return mood__bank_read(f->bank, f->clip, window, f->worker, features, plane);
}

/* The same for a network on prosody. */
static mood_status feed_functionals(void *ctx, size_t window, float *features, float *plane)
{
    const struct mood__measured *m = ctx;
    (void)plane;
    memcpy(features, m->functionals + window * MOOD_N_FUNCTIONALS,
           MOOD_N_FUNCTIONALS * sizeof(float));
    return MOOD_OK;
}

static mood_status answer(struct mood__trainer *t, size_t clip, int worker, mood_result *r)
{
    mood_infer *infer = t->infers[worker];
    if (t->prosody) {
        struct mood__measured m = *mood__prosody_bank_find(t->prosody, clip, mood__as_it_is);
        return mood__infer_heard(infer, &m.heard, feed_functionals, &m, r);
    }
    if (mood__tunes_all(&t->tuning)) { /* nothing of it is kept: as any other program would */
        mood_audio *audio;
        MOOD__TRY(mood_audio_read(&audio, mood_corpus_clip(t->corpus, clip)->path, NULL));
        mood_status status = mood_infer_run(infer, audio, r);
        mood_audio_destroy(&audio);
        return status;
    }
    if (!t->bank)
        return mood__infer_heard(infer, &t->data.recordings[clip].heard, NULL, NULL, r);
    struct from_bank from = {t->bank, clip, worker};
    struct mood__heard heard;
    MOOD__TRY(mood__bank_heard(t->bank, clip, &heard));
    mood_status status = mood__infer_heard(infer, &heard, feed, &from, r);
    mood__heard_free(&heard);
    return status;
}

static void answer_task(void *ctx, int64_t task, int worker)
{
    const struct answering *a = ctx;
    struct mood__trainer *t = a->t;
    int64_t i = a->first + task;
    mood_infer *infer = t->infers[worker];
    mood_result r;
    mood_status status = answer(t, t->other[i], worker, &r);
    if (!status && a->keep)
        status = mood__sayings_keep(a->keep, (size_t)i, &r);
    mood__failure_note(&a->failures[task], status);
    if (status)
        return;
    memcpy(a->prob + i * a->V, r.prob, (size_t)a->V * sizeof(float));
    if (a->tempered) {
        mood__infer_temper(infer, mood_model_temperature(t->model), &r);
        memcpy(a->tempered + i * a->V, r.prob, (size_t)a->V * sizeof(float));
    }
}

/* Probabilities for all clips of t->other. `report` tells the caller of every few. */
static mood_status answer_all(struct mood__trainer *t, struct answering a, bool report)
{
    a.t = t;
    a.V = mood_model_n_labels(t->model);
    /* In groups, so that a stop is heeded within a second. */
    int64_t total = (int64_t)t->n_other, group = 16 * (int64_t)t->n_infers;
    a.failures = mood__calloc((size_t)group, sizeof(*a.failures));
    mood_status status = a.failures ? MOOD_OK : mood__nomem();
    for (a.first = 0; a.first < total && !status; a.first += group) {
        int64_t n = total - a.first < group ? total - a.first : group;
        mood__pool_run(t->p.pool, n, answer_task, &a);
        for (int64_t i = 0; i < n && !status; i++)
            if (a.failures[i].status)
                status = mood__fail(a.failures[i].status, "%s: %s",
                                    mood_corpus_clip(t->corpus, t->other[a.first + i])->path,
                                    a.failures[i].detail);
        mood_train_event e = {.phase = MOOD_TRAIN_TEST, .done = a.first + n, .total = total};
        bool stop = report ? mood__trainer_tell(t, e) : mood__trainer_flagged(t);
        if (stop && !status)
            status = mood__trainer_stopped();
    }
    mood__free(a.failures);
    return status;
}

/* Answer the clips of t->other, and count: *loss is the mean of -ln of the true label's
 * probability. `said` keeps the single windows; NULL: they are not asked for. */
static mood_status judge(struct mood__trainer *t, struct mood__sayings *said, mood_confusion *c,
                         double *loss)
{
    int V = mood_model_n_labels(t->model);
    float *prob = mood__calloc(t->n_other, (size_t)V * sizeof(*prob));
    if (!prob)
        return mood__nomem();
    *c = (mood_confusion){.n_labels = V};
    *loss = 0;
    mood_status status = answer_all(t, (struct answering){.prob = prob, .keep = said}, false);
    for (size_t i = 0; i < t->n_other && !status; i++) {
        const float *p = prob + i * (size_t)V;
        int label = mood_corpus_clip(t->corpus, t->other[i])->label;
        if (said)
            said->label[i] = label;
        mood_confusion_add(c, label, mood__argmax(p, V));
        /* Mean probabilities can vanish in float: keep the logarithm finite. */
        *loss -= log(fmax((double)p[label], 1e-30)) / (double)t->n_other;
    }
    mood__free(prob);
    return status;
}

mood_status mood__trainer_validate(struct mood__trainer *t, mood_epoch *e)
{
    mood_confusion c = {0};
    struct mood__sayings said;
    t->n_other = mood__trainer_side(t, MOOD_SIDE_VAL, t->other);
    mood_status status = mood__sayings_begin(&said, t->n_other, mood_model_n_labels(t->model));
    if (!status)
        status = judge(t, &said, &c, &e->val_loss);
    e->val_accuracy = mood_accuracy(&c);
    e->val_uar = mood_uar(&c);
    if (!status)
        status = mood__sayings_fit(&said, &e->temperature);
    mood__sayings_free(&said);
    return status;
}

mood_status mood__trainer_look_back(struct mood__trainer *t, mood_epoch *e)
{
    mood_confusion c;
    t->n_other = mood__trainer_side(t, MOOD_SIDE_TRAIN, t->other);
    MOOD__TRY(judge(t, NULL, &c, &e->train_loss));
    e->train_accuracy = mood_accuracy(&c);
    return MOOD_OK;
}

mood_status mood__trainer_test(struct mood__trainer *t)
{
    int V = mood_model_n_labels(t->model);
    mood_training *out = t->out;
    t->n_other = mood__trainer_side(t, MOOD_SIDE_TEST, t->other);
    out->answers = mood__calloc(t->n_other, sizeof(*out->answers));
    out->prob = mood__calloc(t->n_other, (size_t)V * sizeof(float));
    out->raw = mood__calloc(t->n_other, (size_t)V * sizeof(float));
    if (!out->answers || !out->prob || !out->raw)
        return mood__nomem();
    MOOD__TRY(answer_all(t, (struct answering){.prob = out->raw, .tempered = out->prob}, true));
    for (size_t i = 0; i < t->n_other; i++) {
        const float *p = out->prob + i * (size_t)V;
        mood_answer *a = &out->answers[out->n_answers++];
        *a = (mood_answer){t->other[i], mood_corpus_clip(t->corpus, t->other[i])->label,
                           mood__argmax(p, V), p, out->raw + i * (size_t)V};
        mood_confusion_add(&out->test, a->label, a->best);
    }
    return MOOD_OK;
}
