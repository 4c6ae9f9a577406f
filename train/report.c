/* SPDX-License-Identifier: MIT
 *
 * report.c — What mood-train writes for programs: metrics.json, split.csv, the record in the model
 * file, and the trace that lets another implementation repeat a training. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "json.h"
#include "page.h"

/* Nine digits: what is read back is the same float, in the same spelling as mood-infer's. */
enum {
    JSON_FORMAT = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9),
    JSON_FILE = JSON_FORMAT | JSON_INDENT(1)
};

static json_t *confusion_json(const mood_confusion *m)
{
    json_t *rows = json_array();
    for (int i = 0; i < m->n_labels; i++) {
        json_t *row = json_array();
        for (int j = 0; j < m->n_labels; j++)
            json_array_append_new(row, json_integer(m->count[i][j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* ---- figures ---- */

static void add_counts(json_t *o, const mood_confusion *m)
{
    json_object_set_new(o, "accuracy", json_real(mood_accuracy(m)));
    json_object_set_new(o, "uar", json_real(mood_uar(m)));
    json_object_set_new(o, "macro_f1", json_real(mood_macro_f1(m)));
}

static json_t *interval_json(const mood_interval *i)
{
    return json_pack("[f, f]", i->low, i->high);
}

static json_t *intervals_json(const mood_intervals *i)
{
    json_t *o = json_object();
    json_object_set_new(o, "level", json_real(0.95));
    json_object_set_new(o, "speakers", json_integer(i->n_speakers));
    json_object_set_new(o, "accuracy", interval_json(&i->accuracy));
    json_object_set_new(o, "uar", interval_json(&i->uar));
    json_object_set_new(o, "macro_f1", interval_json(&i->macro_f1));
    return o;
}

static json_t *bins_json(const mood_reliability *r)
{
    json_t *a = json_array();
    for (int b = 0; b < MOOD_N_BINS; b++)
        json_array_append_new(a, json_pack("{s:I, s:f, s:f}", "clips", (json_int_t)r->bin[b].n,
                                           "confidence", r->bin[b].confidence, "accuracy",
                                           r->bin[b].accuracy));
    return a;
}

static json_t *calibration_json(const struct findings *f)
{
    json_t *o = json_object();
    if (f->n_runs == 1) /* else each fold has its own */
        json_object_set_new(o, "temperature", json_real(run_temperature(&f->runs[0])));
    json_object_set_new(o, "ece_before", json_real(f->before.ece));
    json_object_set_new(o, "ece", json_real(f->after.ece));
    json_object_set_new(o, "ece_of_perfect", json_real(f->ece_of_perfect));
    json_object_set_new(o, "nll_before", json_real(f->before.nll));
    json_object_set_new(o, "nll", json_real(f->after.nll));
    json_object_set_new(o, "bins_before", bins_json(&f->before));
    json_object_set_new(o, "bins", bins_json(&f->after));
    return o;
}

static json_t *selected_json(const mood_selected *s)
{
    return json_pack("{s:f, s:I, s:f, s:f}", "threshold", s->threshold, "clips", (json_int_t)s->n,
                     "coverage", s->coverage, "accuracy", s->accuracy);
}

static json_t *coverage_json(const struct findings *f)
{
    json_t *a = json_array();
    for (int i = 0; i < FINDINGS_CURVE; i += 5)
        json_array_append_new(a, selected_json(&f->curve[i]));
    return a;
}

static json_t *labels_figures_json(const struct findings *f)
{
    json_t *a = json_array();
    const mood_confusion *m = &f->confusion;
    for (int v = 0; v < m->n_labels; v++) {
        json_t *o = json_object();
        json_object_set_new(o, "label", json_text(mood_corpus_label(f->runs[0].corpus, v)));
        json_object_set_new(o, "clips", json_integer(mood_confusion_occurs(m, v)));
        json_object_set_new(o, "recall", json_real(mood_recall(m, v)));
        json_object_set_new(o, "precision", json_real(mood_precision(m, v)));
        json_object_set_new(o, "f1", json_real(mood_f1(m, v)));
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *groups_json(const struct findings *f)
{
    json_t *a = json_array();
    for (size_t i = 0; i < f->n_groups; i++) {
        const struct finding *g = &f->groups[i];
        json_t *o = json_object();
        json_object_set_new(o, "by", json_text(g->by));
        json_object_set_new(o, "name", json_text(g->name));
        json_object_set_new(o, "clips", json_integer(mood_confusion_total(&g->confusion)));
        json_object_set_new(o, "speakers", json_integer(g->n_speakers));
        add_counts(o, &g->confusion);
        json_array_append_new(a, o);
    }
    return a;
}

/* What the model file keeps of the findings, and metrics.json has too. */
static void add_figures(json_t *o, const struct findings *f)
{
    add_counts(o, &f->confusion);
    json_object_set_new(o, "intervals", intervals_json(&f->intervals));
    json_object_set_new(o, "per_label", labels_figures_json(f));
    json_object_set_new(o, "calibration", calibration_json(f));
    json_object_set_new(o, "confident", selected_json(&f->confident));
    json_object_set_new(o, "groups", groups_json(f));
}

mood_status report_record(const struct run *r, const struct findings *f)
{
    json_t *o = training_json(r);
    if (f) {
        char tested[256];
        findings_dealt(f, tested, sizeof(tested));
        add_figures(o, f);
        if (f->runs == r)
            add_choice(o, r);
        else
            json_object_set_new(o, "tested", json_text(tested));
    }
    char *json = json_dumps(o, JSON_COMPACT | JSON_FORMAT);
    json_decref(o);
    if (!json)
        return mood__nomem();
    mood_status status = mood_model_set_record(r->model, json);
    free(json);
    return status;
}

/* ---- files ---- */

static mood_status write_file(const char *dir, const char *name, const void *bytes, size_t n)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return mood__fail(MOOD_E_INVALID, "the path is too long");
    struct mood__part part = {bytes, n};
    mood_status status = mood__file_write_atomic(path, &part, 1);
    return status ? mood__fail_in(status, "%s", name) : MOOD_OK;
}

static mood_status write_json(const char *dir, const char *name, json_t *o)
{
    char *json = json_dumps(o, JSON_FILE);
    if (!json)
        return mood__nomem();
    mood_status status = write_file(dir, name, json, strlen(json));
    free(json);
    return status;
}

/* Each epoch, or each lambda that was tried. */
static json_t *epochs_json(const struct run *r)
{
    json_t *a = json_array();
    for (int i = 0; i < r->result.n_epochs; i++) {
        const mood_epoch *e = &r->result.epochs[i];
        json_t *o = json_object();
        if (is_prosody(r)) {
            json_object_set_new(o, "ridge", json_real(e->ridge));
        } else {
            json_object_set_new(o, "epoch", json_integer(e->epoch));
            json_object_set_new(o, "lr", json_real(e->lr));
        }
        json_object_set_new(o, "train_loss", json_real(e->train_loss));
        json_object_set_new(o, "train_accuracy", json_real(e->train_accuracy));
        json_object_set_new(o, "val_loss", json_real(e->val_loss));
        json_object_set_new(o, "val_accuracy", json_real(e->val_accuracy));
        json_object_set_new(o, "val_uar", json_real(e->val_uar));
        json_object_set_new(o, "temperature", json_real(e->temperature));
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *clips_json(const struct findings *f)
{
    json_t *a = json_array();
    const struct run *r = &f->runs[0];
    for (size_t i = 0; i < f->n; i++) {
        const mood_answer *answer = f->answer[i];
        json_t *o = json_object(), *prob = json_object();
        for (int v = 0; v < mood_corpus_n_labels(r->corpus); v++)
            json_object_set_new(prob, mood_corpus_label(r->corpus, v),
                                json_real((double)answer->prob[v]));
        json_object_set_new(o, "path", json_text(mood_corpus_clip(r->corpus, answer->clip)->path));
        json_object_set_new(o, "label", json_text(mood_corpus_label(r->corpus, answer->label)));
        json_object_set_new(o, "speaker", json_text(mood_corpus_speaker(r->corpus, f->speaker[i])));
        json_object_set_new(o, "probabilities", prob);
        json_array_append_new(a, o);
    }
    return a;
}

/* A CSV field, quoted. */
static void put_csv(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"')
            fputc('"', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

static mood_status write_split(const struct run *r, const char *dir)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&bytes, &n);
    if (!f)
        return mood__nomem();
    /* Names do without the place where the corpus lies, but two sources may have the same ones. */
    bool one_source = mood_corpus_n_sources(r->corpus) == 1;
    fputs("path,side\n", f);
    for (size_t i = 0; i < mood_corpus_n_clips(r->corpus); i++) {
        mood_side side = mood_split_side(r->split, i);
        if (side == MOOD_SIDE_UNUSED)
            continue;
        const mood_clip *clip = mood_corpus_clip(r->corpus, i);
        put_csv(f, one_source ? clip->name : clip->path);
        fprintf(f, ",%s\n", mood_side_name(side));
    }
    mood_status status = fclose(f) == 0 ? write_file(dir, "split.csv", bytes, n) : mood__nomem();
    free(bytes);
    return status;
}

/* Each fold by itself, in a few words. */
static json_t *folds_json(const struct findings *f)
{
    json_t *a = json_array();
    for (int i = 0; i < f->n_runs; i++) {
        const struct run *r = &f->runs[i];
        json_t *o = json_object();
        json_object_set_new(o, "protocol", protocol_json(mood_split_protocol(r->split)));
        add_choice(o, r);
        json_object_set_new(o, "temperature", json_real(run_temperature(r)));
        if (r->encoder)
            json_object_set_new(o, "encoder", heard_json(r));
        add_counts(o, &r->result.test);
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *crossings_json(const struct findings *f)
{
    json_t *a = json_array();
    for (int i = 0; i < f->n_runs; i++) {
        const struct crossing *x = &f->crossings[i];
        const mood_confusion *test = &f->runs[i].result.test;
        json_t *o = json_object();
        json_object_set_new(o, "trained_on", json_text(x->trained));
        json_object_set_new(o, "tested_on", json_text(x->tested));
        json_object_set_new(o, "clips", json_integer(mood_confusion_total(test)));
        json_object_set_new(o, "accuracy", json_real(mood_accuracy(test)));
        json_object_set_new(o, "labels", json_integer(x->n_tested));
        json_object_set_new(o, "uar", json_real(x->uar));
        json_object_set_new(o, "uar_interval", interval_json(&x->interval));
        json_object_set_new(o, "shared_labels", json_integer(x->n_both));
        json_object_set_new(o, "uar_shared", json_real(x->uar_both));
        json_object_set_new(o, "uar_shared_interval", interval_json(&x->interval_both));
        json_array_append_new(a, o);
    }
    return a;
}

/* What holds for all folds; who is on which side is said by each. */
static json_t *folds_protocol_json(const struct findings *f)
{
    char dealt[96];
    bool disjoint = true;
    for (int i = 0; i < f->n_runs; i++)
        disjoint = disjoint && mood_split_protocol(f->runs[i].split)->speaker_disjoint;
    findings_dealt(f, dealt, sizeof(dealt));
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_text(disjoint ? "speaker-disjoint" : "speaker-dependent"));
    json_object_set_new(o, "speaker_disjoint", json_boolean(disjoint));
    json_object_set_new(o, "dealt", json_text(dealt));
    return o;
}

static mood_status write_page(const struct findings *f, const char *dir)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&bytes, &n);
    if (!file)
        return mood__nomem();
    page_put(file, f);
    mood_status status =
        fclose(file) == 0 ? write_file(dir, "report.html", bytes, n) : mood__nomem();
    free(bytes);
    return status;
}

mood_status report_write(const struct findings *f, const char *dir)
{
    const struct run *r = &f->runs[0];
    json_t *o = training_json(r);
    json_object_set_new(o, "labels", labels_json(r->corpus));
    add_figures(o, f);
    json_object_set_new(o, "coverage", coverage_json(f));
    json_object_set_new(o, "confusion", confusion_json(&f->confusion));
    if (f->n_runs == 1) {
        add_choice(o, r);
        json_object_set_new(o, is_prosody(r) ? "ridges" : "epochs", epochs_json(r));
    } else {
        json_object_set_new(o, "protocol", folds_protocol_json(f));
        json_object_set_new(o, "corpora", corpora_json(r, false));
        json_object_set_new(o, "folds", folds_json(f));
        if (f->crossings)
            json_object_set_new(o, "cross_corpus", crossings_json(f));
        if (r->encoder) /* each fold may have chosen another layer */
            json_object_set_new(o, "encoder", encoder_json(r));
    }
    json_object_set_new(o, "per_clip", clips_json(f));
    mood_status status = write_json(dir, "metrics.json", o);
    json_decref(o);
    if (!status)
        status = write_page(f, dir);
    return status || f->n_runs > 1 ? status : write_split(r, dir);
}

/* ---- trace ---- */

struct trace {
    char dir[4096];
    json_t *steps;
};

static mood_status save_weights(const struct run *r, const char *name)
{
    char path[4200];
    snprintf(path, sizeof(path), "%s/%s.h5", r->trace->dir, name);
    return mood_model_save(r->model, path);
}

mood_status trace_begin(struct run *r, const char *dir)
{
    MOOD__TRY(mood__folder_make(dir));
    struct trace *t = calloc(1, sizeof(*t));
    if (!t)
        return mood__nomem();
    snprintf(t->dir, sizeof(t->dir), "%s", dir);
    t->steps = json_array();
    r->trace = t;
    return save_weights(r, "initial");
}

mood_status trace_step(struct run *r, const mood_train_event *e)
{
    json_t *o = json_object(), *clips = json_array(), *starts = json_array();
    for (int i = 0; i < e->batch_size; i++) {
        json_array_append_new(clips, json_integer((json_int_t)e->batch_clip[i]));
        json_array_append_new(starts, json_integer((json_int_t)e->batch_start[i]));
    }
    json_object_set_new(o, "epoch", json_integer(e->epoch));
    json_object_set_new(o, "loss", json_real(e->loss));
    json_object_set_new(o, "clip", clips);
    json_object_set_new(o, "start", starts);
    if (json_array_append_new(r->trace->steps, o) != 0)
        return mood__nomem();
    /* Rounding decides which of two near neighbours a max-pool takes, and Adam's first steps
     * magnify that: two right programs part within tens of steps. With the weights after each step
     * of the first epoch the other can be held to every single one. */
    if (e->epoch > 1)
        return MOOD_OK;
    char name[32];
    snprintf(name, sizeof(name), "step%zu", json_array_size(r->trace->steps));
    return save_weights(r, name);
}

mood_status trace_end(struct run *r)
{
    json_t *o = training_json(r), *clips = json_array();
    for (size_t i = 0; i < mood_corpus_n_clips(r->corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(r->corpus, i);
        json_t *c = json_object();
        json_object_set_new(c, "path", json_text(clip->path));
        json_object_set_new(c, "label", json_integer(clip->label));
        json_object_set_new(c, "side", json_text(mood_side_name(mood_split_side(r->split, i))));
        json_array_append_new(clips, c);
    }
    json_object_set_new(o, "labels", labels_json(r->corpus));
    json_object_set_new(o, "clips", clips);
    json_object_set(o, "steps", r->trace->steps);
    json_object_set_new(o, "epochs", epochs_json(r));
    mood_status status = write_json(r->trace->dir, "steps.json", o);
    json_decref(o);
    return status;
}

void trace_free(struct run *r)
{
    if (r->trace)
        json_decref(r->trace->steps);
    free(r->trace);
    r->trace = NULL;
}
