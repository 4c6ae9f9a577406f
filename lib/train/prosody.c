/* SPDX-License-Identifier: MIT
 *
 * prosody.c — Training a network on prosody: which windows are learnt from and what each counts,
 * how they are standardised, and the regression onto their labels (ridge.c), judged like an epoch.
 *
 * A window's target is 1 - 1/V for its label and -1/V for the others, so that a voice of which
 * nothing is known gets no answer rather than the most frequent one. Nothing is random. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "tensor/tensor.h"
#include "train/ridge.h"
#include "train/trainer.h"

enum {
    F = MOOD_N_FUNCTIONALS,
    BLOCK = 512 /* rows that are standardised at a time */
};

static const double default_speeds[] = {0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.16};
static const double default_ridges[] = {1};

/* Regression answers between 0 and 1, softmax wants logits: by this they are about as sure as they
 * are right. The temperature, fitted on other speakers, says it exactly. */
static const double SHARPNESS = 9;

/* One window to learn from. */
struct row {
    const float *x; /* (F), in the bank */
    int label;
    double weight;
};

struct fit {
    struct mood__trainer *t;
    struct row *rows;
    size_t n_rows;
    double ridges[MOOD_MAX_RIDGES]; /* the largest first */
    struct mood__ridge ridge;
    double *z, *y, *weight; /* a block: (BLOCK, F), (BLOCK, V), (BLOCK) */
    size_t first;           /* its first row */
    double *solution;       /* (F, V) */
    double best_uar;
};

/* ---- what was asked for ---- */

static bool all_within(const double *x, int n, int most, double low, double high)
{
    bool ok = n >= 0 && n <= most;
    for (int i = 0; i < n && ok; i++)
        ok = x[i] >= low && x[i] <= high;
    return ok;
}

static mood_status check(const struct mood__trainer *t)
{
    const mood_prosody_params *p = &t->p.prosody;
    if (!all_within(p->ridges, p->n_ridges, MOOD_MAX_RIDGES, 1e-9, 1e9) ||
        !all_within(p->speeds, p->n_speeds, MOOD_MAX_SPEEDS, 0.5, 2))
        return mood__fail(MOOD_E_INVALID, "training: a lambda or a speed is out of range");
    MOOD__TRY(mood__trainer_check_labels(t));
    if (t->p.encoder)
        return mood__fail(MOOD_E_INVALID, "training: the model was made without an encoder");
    if (t->p.checkpoint || t->p.resume)
        return mood__fail(MOOD_E_INVALID, "training: a closed form has no checkpoints");
    if (p->bank && !mood__prosody_bank_is_of(p->bank, t->corpus))
        return mood__fail(MOOD_E_INVALID, "training: the bank is of another corpus");
    return MOOD_OK;
}

static void take_params(struct fit *f)
{
    mood_prosody_params *p = &f->t->p.prosody;
    if (p->n_ridges == 0) {
        p->ridges = default_ridges;
        p->n_ridges = sizeof(default_ridges) / sizeof(default_ridges[0]);
    }
    if (p->n_speeds == 0) {
        p->speeds = default_speeds;
        p->n_speeds = sizeof(default_speeds) / sizeof(default_speeds[0]);
    }
    for (int i = 0; i < p->n_ridges; i++) {
        int k = i;
        for (; k > 0 && f->ridges[k - 1] < p->ridges[i]; k--)
            f->ridges[k] = f->ridges[k - 1];
        f->ridges[k] = p->ridges[i];
    }
}

static mood_status take_memory(struct fit *f)
{
    struct mood__trainer *t = f->t;
    size_t n = mood_corpus_n_clips(t->corpus), V = (size_t)mood_model_n_labels(t->model);
    t->train = mood__calloc(n, sizeof(*t->train));
    t->other = mood__calloc(n, sizeof(*t->other));
    t->out->epochs = mood__calloc((size_t)t->p.prosody.n_ridges, sizeof(*t->out->epochs));
    f->z = mood__calloc(BLOCK, F * sizeof(double));
    f->y = mood__calloc(BLOCK, V * sizeof(double));
    f->weight = mood__calloc(BLOCK, sizeof(double));
    f->solution = mood__calloc(F, V * sizeof(double));
    if (!t->train || !t->other || !t->out->epochs || !f->z || !f->y || !f->weight || !f->solution)
        return mood__nomem();
    t->weights = mood_model_weights(t->model);
    MOOD__TRY(mood_weights_clone(&t->best, t->weights));
    MOOD__TRY(mood__trainer_make_infers(t));
    return mood__ridge_create(&f->ridge, F, (int64_t)V, t->p.pool);
}

/* ---- rows ---- */

static int on_read(void *user, int64_t done, int64_t total)
{
    return mood__trainer_tell(
        user, (mood_train_event){.phase = MOOD_TRAIN_READ, .done = done, .total = total});
}

static mood_status measure(struct mood__trainer *t)
{
    t->prosody = t->p.prosody.bank;
    if (!t->prosody) {
        MOOD__TRY(mood_prosody_bank_create(&t->own, t->corpus));
        t->prosody = t->own;
    }
    const struct mood__bank_filling filling = {.split = t->split,
                                               .speeds = t->p.prosody.speeds,
                                               .n_speeds = t->p.prosody.n_speeds,
                                               .pool = t->p.pool,
                                               .on_read = on_read,
                                               .user = t};
    return mood__prosody_bank_fill(t->prosody, &filling);
}

/* Add the windows of a clip that recognition would answer by: those with speech, or all. With
 * rows NULL they are only counted. */
static void add_windows(struct fit *f, size_t clip, double speed, struct row *rows)
{
    const struct mood__measured *m = mood__prosody_bank_find(f->t->prosody, clip, speed);
    size_t n_speech = 0;
    for (size_t i = 0; i < m->heard.n_windows; i++)
        n_speech += m->heard.speech[i];
    for (size_t i = 0; i < m->heard.n_windows; i++) {
        if (!m->heard.speech[i] && n_speech > 0)
            continue;
        if (rows)
            rows[f->n_rows] = (struct row){.x = m->functionals + i * F,
                                           .label = mood_corpus_clip(f->t->corpus, clip)->label,
                                           .weight = 1};
        f->n_rows++;
    }
}

static void add_clips(struct fit *f, struct row *rows)
{
    const struct mood__trainer *t = f->t;
    f->n_rows = 0;
    for (size_t i = 0; i < t->n_train; i++)
        for (int s = 0; s < t->p.prosody.n_speeds; s++)
            add_windows(f, t->train[i], t->p.prosody.speeds[s], rows);
}

/* Each label counts alike. */
static void weigh_rows(struct fit *f)
{
    int64_t count[MOOD_MAX_LABELS] = {0};
    float weight[MOOD_MAX_LABELS];
    for (size_t i = 0; i < f->n_rows; i++)
        count[f->rows[i].label]++;
    mood__balance_classes(weight, count, mood_model_n_labels(f->t->model));
    for (size_t i = 0; i < f->n_rows; i++)
        f->rows[i].weight = (double)weight[f->rows[i].label];
}

static mood_status collect_rows(struct fit *f)
{
    f->t->n_train = mood__trainer_side(f->t, MOOD_SIDE_TRAIN, f->t->train);
    if (f->t->n_train == 0)
        return mood__fail(MOOD_E_INVALID, "training: no clips to train on");
    MOOD__TRY(measure(f->t));
    add_clips(f, NULL);
    f->rows = mood__calloc(f->n_rows, sizeof(*f->rows));
    if (!f->rows)
        return mood__nomem();
    add_clips(f, f->rows);
    weigh_rows(f);
    return MOOD_OK;
}

/* ---- the regression ---- */

static float *weight_named(const struct fit *f, const char *name)
{
    const mood_weights *w = f->t->weights;
    return mood__f32(mood_weights_value(w, mood_weights_find(w, name)));
}

/* Mean, and one over the standard deviation, of each functional; what does not vary says nothing,
 * and gets a scale of 0. */
static mood_status standardise(struct fit *f)
{
    float *mean = weight_named(f, "prosody.mean"), *scale = weight_named(f, "prosody.scale");
    double *sum = mood__calloc(F, sizeof(*sum)), *squares = mood__calloc(F, sizeof(*squares));
    double n = (double)f->n_rows;
    for (size_t i = 0; i < f->n_rows && sum && squares; i++)
        for (int k = 0; k < F; k++)
            sum[k] += (double)f->rows[i].x[k];
    for (size_t i = 0; i < f->n_rows && sum && squares; i++)
        for (int k = 0; k < F; k++) {
            double d = (double)f->rows[i].x[k] - sum[k] / n;
            squares[k] += d * d;
        }
    for (int k = 0; k < F && sum && squares; k++) {
        double deviation = sqrt(squares[k] / n), size = fabs(sum[k] / n);
        mean[k] = (float)(sum[k] / n);
        scale[k] = deviation > 1e-6 * size && deviation > 1e-12 ? (float)(1 / deviation) : 0;
    }
    bool done = sum && squares;
    mood__free(sum);
    mood__free(squares);
    return done ? MOOD_OK : mood__nomem();
}

/* Row i of the block, as the network computes it. */
static void fill_row(void *ctx, int64_t i, int worker)
{
    const struct fit *f = ctx;
    const struct row *row = &f->rows[f->first + (size_t)i];
    const float *mean = weight_named(f, "prosody.mean"), *scale = weight_named(f, "prosody.scale");
    int V = mood_model_n_labels(f->t->model);
    (void)worker;
    for (int k = 0; k < F; k++) {
        float z = (row->x[k] - mean[k]) * scale[k];
        f->z[i * F + k] = (double)fminf(fmaxf(z, -MOOD_PROSODY_CLAMP), MOOD_PROSODY_CLAMP);
    }
    for (int v = 0; v < V; v++)
        f->y[i * V + v] = (v == row->label) - 1.0 / V;
    f->weight[i] = row->weight;
}

static mood_status add_up(struct fit *f)
{
    for (f->first = 0; f->first < f->n_rows; f->first += BLOCK) {
        size_t n = f->n_rows - f->first < BLOCK ? f->n_rows - f->first : BLOCK;
        mood__pool_run(f->t->p.pool, (int64_t)n, fill_row, f);
        mood__ridge_add(&f->ridge, (int64_t)n, f->z, f->y, f->weight);
        mood_train_event event = {.phase = MOOD_TRAIN_STEP,
                                  .done = (int64_t)(f->first / BLOCK) + 1,
                                  .total = (int64_t)((f->n_rows - 1) / BLOCK) + 1};
        if (mood__trainer_tell(f->t, event))
            return mood__trainer_stopped();
    }
    return MOOD_OK;
}

/* Give the network the solution for a lambda. */
static mood_status solve(struct fit *f, double lambda)
{
    int V = mood_model_n_labels(f->t->model);
    float *weight = weight_named(f, "prosody.out.weight");
    MOOD__TRY(mood__ridge_solve(&f->ridge, lambda, f->solution));
    for (int i = 0; i < F * V; i++)
        weight[i] = (float)(SHARPNESS * f->solution[i]);
    memset(weight_named(f, "prosody.out.bias"), 0, (size_t)V * sizeof(float));
    return MOOD_OK;
}

/* ---- the whole ---- */

static mood_status judge(struct fit *f, mood_epoch *e)
{
    struct mood__trainer *t = f->t;
    MOOD__TRY(mood__trainer_look_back(t, e));
    MOOD__TRY(mood__trainer_validate(t, e));
    e->best = e->val_uar > f->best_uar;
    if (e->best) {
        f->best_uar = e->val_uar;
        t->out->best_epoch = e->epoch;
        MOOD__TRY(mood_weights_copy(t->best, t->weights));
        MOOD__TRY(mood_model_set_temperature(t->model, e->temperature));
    }
    t->out->epochs[t->out->n_epochs++] = *e;
    mood_train_event event = {.phase = MOOD_TRAIN_EPOCH,
                              .done = e->epoch,
                              .total = t->p.prosody.n_ridges,
                              .epoch = e->epoch,
                              .figures = e};
    return mood__trainer_tell(t, event) ? mood__trainer_stopped() : MOOD_OK;
}

static mood_status try_all(struct fit *f)
{
    for (int i = 0; i < f->t->p.prosody.n_ridges; i++) {
        mood_epoch e = {.epoch = i + 1, .ridge = f->ridges[i]};
        MOOD__TRY(solve(f, e.ridge));
        MOOD__TRY(judge(f, &e));
    }
    return MOOD_OK;
}

static mood_status run(struct fit *f)
{
    MOOD__TRY(check(f->t));
    MOOD__TRY(mood_model_set_temperature(f->t->model, 1));
    take_params(f);
    MOOD__TRY(take_memory(f));
    MOOD__TRY(collect_rows(f));
    MOOD__TRY(standardise(f));
    MOOD__TRY(add_up(f));
    return mood__trainer_take_best(f->t, try_all(f));
}

mood_status mood__trainer_fit_prosody(struct mood__trainer *t)
{
    struct fit f = {.t = t, .best_uar = -1};
    mood_status status = run(&f);
    mood__ridge_free(&f.ridge);
    mood__free(f.rows);
    mood__free(f.z);
    mood__free(f.y);
    mood__free(f.weight);
    mood__free(f.solution);
    return status;
}
