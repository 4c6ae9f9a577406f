/* SPDX-License-Identifier: MIT
 *
 * prosody.c — Training a network on prosody: which windows are learnt from and what each counts;
 * the lambdas, judged like epochs; and in the end the validation side, which is learnt from too
 * once it has chosen. The fit itself is in prosody_fit.c. */
#include "base/error.h"
#include "base/mem.h"
#include "train/prosody_fit.h"
#include "train/trainer.h"

static const double default_speeds[] = {0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.16};
static const double default_ridges[] = {1e-5};
enum { DEFAULT_BACKGROUND = 800 };

/* What all background rows together count, when all voices count 1. */
static const double BACKGROUND_WEIGHT = 0.5;

struct learning {
    struct mood__trainer *t;
    struct mood__fit_row *rows;
    size_t n_rows;
    double ridges[MOOD_MAX_RIDGES]; /* the largest first */
    struct mood__prosody_fit fit;
    double best_uar, best_ridge;
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
    if (p->n_background < 0 || p->n_background > MOOD_MAX_BACKGROUND)
        return mood__fail(MOOD_E_INVALID, "training: %d background sounds; at most %d",
                          p->n_background, MOOD_MAX_BACKGROUND);
    const unsigned masks = MOOD_AUGMENT_TIME_MASK | MOOD_AUGMENT_FREQ_MASK;
    if (t->p.augment.kinds & masks)
        return mood__fail(MOOD_E_INVALID, "training: a network on prosody hears no log-mel that "
                                          "could be masked");
    MOOD__TRY(mood__trainer_check_labels(t));
    MOOD__TRY(mood__trainer_check_augment(t));
    if (t->p.encoder)
        return mood__fail(MOOD_E_INVALID, "training: the model was made without an encoder");
    if (t->p.checkpoint || t->p.resume)
        return mood__fail(MOOD_E_INVALID, "training: a closed form has no checkpoints");
    if (p->bank && !mood__prosody_bank_is_of(p->bank, t->corpus))
        return mood__fail(MOOD_E_INVALID, "training: the bank is of another corpus");
    return MOOD_OK;
}

static void take_params(struct learning *l)
{
    mood_prosody_params *p = &l->t->p.prosody;
    if (p->n_ridges == 0) {
        p->ridges = default_ridges;
        p->n_ridges = sizeof(default_ridges) / sizeof(default_ridges[0]);
    }
    if (p->n_speeds == 0) {
        p->speeds = default_speeds;
        p->n_speeds = sizeof(default_speeds) / sizeof(default_speeds[0]);
    }
    l->t->p.copies = mood__copies_of(&l->t->p);
    if (mood_model_prosody(l->t->model)->no_gate)
        p->n_background = 0;
    else if (p->n_background == 0)
        p->n_background = DEFAULT_BACKGROUND;
    for (int i = 0; i < p->n_ridges; i++) {
        int k = i;
        for (; k > 0 && l->ridges[k - 1] < p->ridges[i]; k--)
            l->ridges[k] = l->ridges[k - 1];
        l->ridges[k] = p->ridges[i];
    }
}

static mood_status take_memory(struct mood__trainer *t)
{
    size_t n = mood_corpus_n_clips(t->corpus);
    t->train = mood__calloc(n, sizeof(*t->train));
    t->other = mood__calloc(n, sizeof(*t->other));
    t->out->epochs = mood__calloc((size_t)t->p.prosody.n_ridges, sizeof(*t->out->epochs));
    if (!t->train || !t->other || !t->out->epochs)
        return mood__nomem();
    t->weights = mood_model_weights(t->model);
    MOOD__TRY(mood_weights_clone(&t->best, t->weights));
    return mood__trainer_make_infers(t);
}

/* ---- rows ---- */

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
                                               .augment = &t->p.augment,
                                               .n_copies = t->p.copies,
                                               .n_background = t->p.prosody.n_background,
                                               .seed = t->p.seed,
                                               .pool = t->p.pool,
                                               .on_read = mood__trainer_on_read,
                                               .user = t};
    return mood__prosody_bank_fill(t->prosody, &filling);
}

/* Add the windows of a clip that recognition would answer by: those that are loud enough, or all.
 * With l->rows NULL they are only counted. */
static void add_windows(struct learning *l, size_t clip, struct mood__form form)
{
    const struct mood__measured *m = mood__prosody_bank_find(l->t->prosody, clip, form);
    size_t n_speech = 0;
    for (size_t i = 0; i < m->heard.n_windows; i++)
        n_speech += m->heard.speech[i];
    for (size_t i = 0; i < m->heard.n_windows; i++) {
        if (!m->heard.speech[i] && n_speech > 0)
            continue;
        if (l->rows)
            l->rows[l->n_rows] =
                (struct mood__fit_row){.x = m->functionals + i * MOOD_N_FUNCTIONALS,
                                       .label = mood_corpus_clip(l->t->corpus, clip)->label,
                                       .plain = form.copy == 0 && form.speed == 1};
        l->n_rows++;
    }
}

static void add_all(struct learning *l)
{
    const struct mood__trainer *t = l->t;
    l->n_rows = 0;
    for (size_t i = 0; i < t->n_train; i++) {
        for (int s = 0; s < t->p.prosody.n_speeds; s++)
            add_windows(l, t->train[i], (struct mood__form){.speed = t->p.prosody.speeds[s]});
        for (int k = 1; k <= t->p.copies; k++)
            add_windows(l, t->train[i], (struct mood__form){.copy = k});
    }
    for (int i = 0; i < t->p.prosody.n_background; i++) {
        if (l->rows)
            l->rows[l->n_rows] =
                (struct mood__fit_row){.x = mood__prosody_bank_background(t->prosody, i),
                                       .label = MOOD__BACKGROUND,
                                       .plain = true};
        l->n_rows++;
    }
}

/* Each label counts alike, 1 for each of its rows on average. */
static void weigh_rows(struct learning *l)
{
    int64_t count[MOOD_MAX_LABELS] = {0};
    float weight[MOOD_MAX_LABELS];
    int n_background = l->t->p.prosody.n_background;
    size_t n_voices = l->n_rows - (size_t)n_background;
    for (size_t i = 0; i < n_voices; i++)
        count[l->rows[i].label]++;
    mood__balance_classes(weight, count, mood_model_n_labels(l->t->model));
    for (size_t i = 0; i < l->n_rows; i++)
        l->rows[i].weight = i < n_voices ? (double)weight[l->rows[i].label]
                                         : BACKGROUND_WEIGHT * (double)n_voices / n_background;
}

/* The rows of the training side, and of the validation side if that is wanted. */
static mood_status collect_rows(struct learning *l, bool with_validation)
{
    struct mood__trainer *t = l->t;
    t->n_train = mood__trainer_side(t, MOOD_SIDE_TRAIN, t->train);
    if (t->n_train == 0)
        return mood__fail(MOOD_E_INVALID, "training: no clips to train on");
    if (with_validation)
        t->n_train += mood__trainer_side(t, MOOD_SIDE_VAL, t->train + t->n_train);
    mood__free(l->rows);
    l->rows = NULL;
    add_all(l);
    l->rows = mood__calloc(l->n_rows, sizeof(*l->rows));
    if (!l->rows)
        return mood__nomem();
    add_all(l);
    weigh_rows(l);
    return MOOD_OK;
}

/* ---- learning ---- */

static int on_block(void *user, int64_t done, int64_t total)
{
    return mood__trainer_tell(
        user, (mood_train_event){.phase = MOOD_TRAIN_STEP, .done = done, .total = total});
}

static mood_status learn(struct learning *l, bool with_validation)
{
    struct mood__trainer *t = l->t;
    MOOD__TRY(collect_rows(l, with_validation));
    const struct mood__prosody_fit_params p = {.weights = t->weights,
                                               .net = mood_model_prosody(t->model),
                                               .rows = l->rows,
                                               .n_rows = l->n_rows,
                                               .seed = t->p.seed,
                                               .pool = t->p.pool,
                                               .on_block = on_block,
                                               .user = t};
    mood__prosody_fit_free(&l->fit);
    return mood__prosody_fit_begin(&l->fit, &p);
}

static mood_status judge(struct learning *l, mood_epoch *e)
{
    struct mood__trainer *t = l->t;
    MOOD__TRY(mood__trainer_look_back(t, e));
    MOOD__TRY(mood__trainer_validate(t, e));
    e->best = e->val_uar > l->best_uar;
    if (e->best) {
        l->best_uar = e->val_uar;
        l->best_ridge = e->ridge;
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

static mood_status try_all(struct learning *l)
{
    for (int i = 0; i < l->t->p.prosody.n_ridges; i++) {
        mood_epoch e = {.epoch = i + 1, .ridge = l->ridges[i]};
        MOOD__TRY(mood__prosody_fit_solve(&l->fit, e.ridge));
        MOOD__TRY(judge(l, &e));
    }
    return MOOD_OK;
}

/* What has been chosen stays; the clips that it was chosen by are learnt from as well. */
static mood_status learn_the_rest(struct learning *l)
{
    struct mood__trainer *t = l->t;
    MOOD__TRY(learn(l, true));
    MOOD__TRY(mood__prosody_fit_solve(&l->fit, l->best_ridge));
    return mood_weights_copy(t->best, t->weights);
}

static mood_status choose(struct learning *l)
{
    MOOD__TRY(learn(l, false));
    MOOD__TRY(try_all(l));
    return l->t->p.prosody.keep_apart ? MOOD_OK : learn_the_rest(l);
}

/* Without a validation side there is nothing to choose by: the first lambda, and no temperature. */
static mood_status learn_all(struct learning *l)
{
    if (l->t->p.prosody.n_ridges > 1)
        return mood__fail(MOOD_E_INVALID, "training: no clips to choose among lambdas by");
    MOOD__TRY(learn(l, false));
    return mood__prosody_fit_solve(&l->fit, l->ridges[0]);
}

static mood_status run(struct learning *l)
{
    struct mood__trainer *t = l->t;
    MOOD__TRY(check(t));
    MOOD__TRY(mood_model_set_temperature(t->model, 1));
    take_params(l);
    MOOD__TRY(take_memory(t));
    MOOD__TRY(measure(t));
    bool choice = mood__trainer_side(t, MOOD_SIDE_VAL, t->other) > 0;
    return mood__trainer_take_best(t, choice ? choose(l) : learn_all(l));
}

mood_status mood__trainer_fit_prosody(struct mood__trainer *t)
{
    struct learning l = {.t = t, .best_uar = -1};
    mood_status status = run(&l);
    mood__prosody_fit_free(&l.fit);
    mood__free(l.rows);
    return status;
}
