/* SPDX-License-Identifier: MIT
 *
 * resume.c — Checkpoints. A file of kind "training", with these entries:
 *
 *     clips           text: mood__settings_clips
 *     encoder         text: identity of the model's encoder, or "none"
 *     settings        (n, 2) i32: mood__settings_of
 *     state           (n, 2) i32: struct state below
 *     epochs          (n, COLUMNS, 2) i32: mood_epoch of those that were run
 *     moments         (1 or 2, n) f32: of the optimiser
 *     weights/NAME, best/NAME, average/NAME     f32: live, of the best epoch, averaged (if they
 * are)
 *
 * Numbers are doubles, in the two halves of their bits: nothing is rounded on the way. A newer
 * minor version may have more settings and more state at the end. */
#include "train/resume.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"
#include "tensor/tensor.h"
#include "train/average.h"
#include "train/optimiser.h"

static const struct mood__format format = {.kind = "training", .major = 1, .minor = 0};

/* Doubles, so that all of them are stored alike; whole numbers below 2^53 lose nothing. */
struct state {
    double n_steps, n_updates, lr;
    double best_epoch, best_accuracy, temperature; /* of the model: that of the best epoch */
    double enough;                                 /* 1: the early stop has come */
    double plateau_started, plateau_best, plateau_bad, plateau_cooldown;
    double early_started, early_best, early_bad;
};

enum {
    STATE_COUNT = sizeof(struct state) / sizeof(double),
    COLUMNS = 9 /* of the table of epochs */
};
_Static_assert(sizeof(double) == 2 * sizeof(int32_t), "a double is stored as two numbers");

/* ---- to and from what is stored ---- */

static struct state state_of(const struct mood__trainer *t)
{
    const mood_plateau *p = &t->p.plateau;
    const mood_early_stop *e = &t->early;
    return (struct state){
        .n_steps = (double)t->n_steps,
        .n_updates = (double)t->n_updates,
        .lr = t->lr,
        .best_epoch = t->out->best_epoch,
        .best_accuracy = t->best_accuracy,
        .temperature = mood_model_temperature(t->model),
        .enough = t->enough,
        .plateau_started = p->started,
        .plateau_best = p->best,
        .plateau_bad = p->n_bad,
        .plateau_cooldown = p->n_cooldown,
        .early_started = e->started,
        .early_best = e->best,
        .early_bad = e->n_bad,
    };
}

static bool is_whole(double x, double most)
{
    return x >= 0 && x <= most && x == floor(x);
}

/* Whether numbers of a file can be those of this training, `n_epochs` of it being over. */
static bool is_sound(const struct state *s, const struct mood__trainer *t, int64_t n_epochs)
{
    double part = (double)n_epochs / t->p.epochs, most = 1e6;
    return s->n_steps == (double)t->total_steps * part &&
           s->n_updates == (double)t->total_updates * part && s->lr > 0 && isfinite(s->lr) &&
           is_whole(s->best_epoch, (double)n_epochs) && !isnan(s->best_accuracy) &&
           is_whole(s->enough, 1) && is_whole(s->plateau_started, 1) &&
           is_whole(s->plateau_bad, most) && is_whole(s->plateau_cooldown, most) &&
           is_whole(s->early_started, 1) && is_whole(s->early_bad, most);
}

static void take_state(struct mood__trainer *t, const struct state *s)
{
    t->n_steps = (int64_t)s->n_steps;
    t->first_step = t->n_steps;
    t->n_updates = (int64_t)s->n_updates;
    t->lr = s->lr;
    t->out->best_epoch = (int)s->best_epoch;
    t->best_accuracy = s->best_accuracy;
    t->enough = s->enough != 0;
    t->p.plateau.started = s->plateau_started != 0;
    t->p.plateau.best = s->plateau_best;
    t->p.plateau.n_bad = (int)s->plateau_bad;
    t->p.plateau.n_cooldown = (int)s->plateau_cooldown;
    t->early.started = s->early_started != 0;
    t->early.best = s->early_best;
    t->early.n_bad = (int)s->early_bad;
    mood__optimiser_set_steps(t->optimiser, t->n_updates);
    if (t->average)
        mood__average_set_steps(t->average, t->n_updates);
}

static void row_of(double row[COLUMNS], const mood_epoch *e)
{
    const double values[COLUMNS] = {e->lr,          e->train_loss,   e->train_accuracy,
                                    e->val_loss,    e->val_accuracy, e->val_uar,
                                    e->temperature, e->best,         e->epoch};
    memcpy(row, values, sizeof(values));
}

static mood_epoch epoch_of(const double row[COLUMNS], int number)
{
    return (mood_epoch){.epoch = number,
                        .lr = row[0],
                        .train_loss = row[1],
                        .train_accuracy = row[2],
                        .val_loss = row[3],
                        .val_accuracy = row[4],
                        .val_uar = row[5],
                        .temperature = row[6],
                        .best = row[7] != 0};
}

/* ---- writing ---- */

/* n doubles as (n, 2), or (rows, n / rows, 2), numbers of the file. */
static mood_status add_numbers(struct mood__writer *w, const char *name, double *x, int64_t n,
                               int64_t rows)
{
    mood_tensor t;
    int64_t dim[] = {rows, n / rows, 2};
    MOOD__TRY(mood_tensor_make(&t, x, MOOD_I32, rows > 1 ? 3 : 2, rows > 1 ? dim : dim + 1));
    return mood__writer_add_tensor(w, name, &t);
}

static const char *entry_name(char out[MOOD__ENTRY_NAME_BYTES], const char *folder,
                              const mood_weights *w, int i)
{
    snprintf(out, MOOD__ENTRY_NAME_BYTES, "%s/%s", folder, mood_weights_name(w, i));
    return out;
}

static mood_status add_weights(struct mood__writer *w, const char *folder,
                               const mood_weights *weights)
{
    char name[MOOD__ENTRY_NAME_BYTES];
    for (int i = 0; i < mood_weights_count(weights); i++)
        MOOD__TRY(mood__writer_add_tensor(w, entry_name(name, folder, weights, i),
                                          mood_weights_value(weights, i)));
    return MOOD_OK;
}

/* What is written besides weights and moments; the writer borrows it until it has saved. */
struct numbers {
    struct state state;
    double settings[MOOD__MAX_SETTINGS];
    double *epochs; /* (n_epochs, COLUMNS) */
};

static const char *encoder_of(const struct mood__trainer *t)
{
    const mood_encoder_use *use = mood_model_encoder(t->model);
    if (t->tuning.encoder)
        return t->tuning.from;
    return use ? use->identity : "none";
}

static mood_status add_numbers_of(struct mood__writer *w, const struct mood__trainer *t,
                                  struct numbers *n)
{
    struct mood__setting settings[MOOD__MAX_SETTINGS];
    char clips[MOOD__SHA256_HEX_BYTES];
    int n_settings = mood__settings_of(t, settings), n_epochs = t->out->n_epochs;
    for (int i = 0; i < n_settings; i++)
        n->settings[i] = settings[i].value;
    for (int i = 0; i < n_epochs; i++)
        row_of(n->epochs + (ptrdiff_t)i * COLUMNS, &t->out->epochs[i]);
    n->state = state_of(t);
    mood__settings_clips(t, clips);
    MOOD__TRY(mood__writer_add_text(w, "clips", clips));
    MOOD__TRY(mood__writer_add_text(w, "encoder", encoder_of(t)));
    MOOD__TRY(add_numbers(w, "settings", n->settings, n_settings, 1));
    MOOD__TRY(add_numbers(w, "state", &n->state.n_steps, STATE_COUNT, 1));
    /* One epoch alone is (COLUMNS, 2). */
    return add_numbers(w, "epochs", n->epochs, (int64_t)n_epochs * COLUMNS, n_epochs);
}

static mood_status add_all(struct mood__writer *w, const struct mood__trainer *t, struct numbers *n)
{
    mood_tensor moments = mood__optimiser_moments(t->optimiser);
    MOOD__TRY(add_numbers_of(w, t, n));
    MOOD__TRY(mood__writer_add_tensor(w, "moments", &moments));
    MOOD__TRY(add_weights(w, "weights", t->weights));
    MOOD__TRY(add_weights(w, "best", t->best));
    return t->average ? add_weights(w, "average", mood__average_values(t->average)) : MOOD_OK;
}

mood_status mood__checkpoint_save(struct mood__trainer *t)
{
    struct mood__writer *w;
    struct numbers n = {.epochs = mood__calloc((size_t)t->out->n_epochs, COLUMNS * sizeof(double))};
    if (!n.epochs)
        return mood__nomem();
    mood_status status = mood__writer_create(&w, &format);
    if (!status) {
        status = add_all(w, t, &n);
        if (!status)
            status = mood__writer_save(w, t->p.checkpoint);
        mood__writer_destroy(&w);
    }
    mood__free(n.epochs);
    return status ? mood__fail_in(status, "%s", t->p.checkpoint) : MOOD_OK;
}

/* ---- reading ---- */

/* The doubles of an entry; fails unless there are at least `least` of them, a multiple of it. */
static mood_status find_numbers(const struct mood__reader *r, const char *name, int64_t least,
                                const void **data, int64_t *n)
{
    const struct mood__entry *e = mood__reader_find(r, name);
    *data = NULL;
    *n = 0;
    if (!e)
        return mood__fail(MOOD_E_MISSING, "it has no '%s'", name);
    int64_t halves = e->text ? 0 : mood_tensor_elements(&e->tensor);
    if (e->text || e->tensor.dtype != MOOD_I32 || halves % (2 * least) != 0)
        return mood__fail(MOOD_E_FORMAT, "its '%s' is not what it should be", name);
    *data = e->tensor.data;
    *n = halves / 2;
    return MOOD_OK;
}

static mood_status check_text(const struct mood__reader *r, const char *name, const char *want,
                              const char *otherwise)
{
    const char *text;
    MOOD__TRY(mood__reader_text(r, name, &text));
    if (strcmp(text, want) != 0)
        return mood__fail(MOOD_E_INVALID, "%s", otherwise);
    return MOOD_OK;
}

static mood_status check_settings(const struct mood__reader *r, const struct mood__trainer *t)
{
    struct mood__setting want[MOOD__MAX_SETTINGS];
    char clips[MOOD__SHA256_HEX_BYTES];
    const void *data;
    int64_t n;
    int n_want = mood__settings_of(t, want);
    MOOD__TRY(find_numbers(r, "settings", 1, &data, &n));
    for (int i = 0; i < n_want; i++) {
        double was = 0;
        if (i < n)
            memcpy(&was, (const char *)data + (size_t)i * sizeof(was), sizeof(was));
        if (memcmp(&was, &want[i].value, sizeof(was)) != 0)
            return mood__fail(MOOD_E_INVALID,
                              "it was written with other settings: '%s' was %g, "
                              "and is %g now",
                              want[i].name, was, want[i].value);
    }
    mood__settings_clips(t, clips);
    MOOD__TRY(
        check_text(r, "clips", clips, "it was written with other clips, labels or sides of them"));
    return check_text(r, "encoder", encoder_of(t), "it was written with another encoder");
}

static mood_status load_weights(const struct mood__reader *r, const char *folder,
                                mood_weights *weights)
{
    char name[MOOD__ENTRY_NAME_BYTES];
    for (int i = 0; i < mood_weights_count(weights); i++)
        MOOD__TRY(mood__reader_tensor(r, entry_name(name, folder, weights, i),
                                      mood_weights_value(weights, i)));
    return MOOD_OK;
}

static mood_status load_state(const struct mood__reader *r, struct mood__trainer *t)
{
    const void *data;
    int64_t n, n_epochs;
    struct state s;
    MOOD__TRY(find_numbers(r, "epochs", COLUMNS, &data, &n));
    n_epochs = n / COLUMNS;
    if (n_epochs < 1 || n_epochs > t->p.epochs)
        return mood__fail(MOOD_E_FORMAT, "it has %lld epochs of %d", (long long)n_epochs,
                          t->p.epochs);
    for (int i = 0; i < n_epochs; i++) {
        double row[COLUMNS];
        memcpy(row, (const char *)data + (size_t)i * sizeof(row), sizeof(row));
        t->out->epochs[i] = epoch_of(row, i + 1);
    }
    MOOD__TRY(find_numbers(r, "state", 1, &data, &n));
    if (n < STATE_COUNT)
        return mood__fail(MOOD_E_FORMAT, "its 'state' is too short");
    memcpy(&s, data, sizeof(s));
    if (!is_sound(&s, t, n_epochs))
        return mood__fail(MOOD_E_FORMAT, "its 'state' cannot be that of this training");
    t->out->n_epochs = (int)n_epochs;
    take_state(t, &s);
    mood_status status = mood_model_set_temperature(t->model, s.temperature);
    return status == MOOD_E_INVALID ? MOOD_E_FORMAT : status;
}

static mood_status load_all(const struct mood__reader *r, struct mood__trainer *t)
{
    mood_tensor moments = mood__optimiser_moments(t->optimiser);
    MOOD__TRY(check_settings(r, t));
    MOOD__TRY(mood__reader_tensor(r, "moments", &moments));
    MOOD__TRY(load_weights(r, "weights", t->weights));
    MOOD__TRY(load_weights(r, "best", t->best));
    if (t->average)
        MOOD__TRY(load_weights(r, "average", mood__average_values(t->average)));
    return load_state(r, t); /* last: from here on the model is worth something */
}

mood_status mood__checkpoint_load(struct mood__trainer *t)
{
    struct mood__reader *r;
    mood_status status = mood__reader_open(&r, t->p.checkpoint, &format);
    if (!status) {
        status = load_all(r, t);
        mood__reader_close(&r);
    }
    return status ? mood__fail_in(status, "%s", t->p.checkpoint) : MOOD_OK;
}
