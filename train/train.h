/* SPDX-License-Identifier: MIT
 *
 * train.h — The parts of mood-train: mood-train.c reads the command line and runs the trainer,
 * findings.c makes the figures, show.c prints them, record.c and report.c write files, page.c one
 * for people.
 */
#ifndef MOOD_TRAIN_TRAIN_H
#define MOOD_TRAIN_TRAIN_H

#include <stdio.h>
#include <time.h>

#include "cli.h"
#include "mood/mood.h"

enum network { NETWORK_HEADS, NETWORK_PROSODY }; /* in the order of --network's choices */

/* The numbers of an option that is a list. */
struct numbers {
    double x[16];
    int n;
};

struct options {
    struct cli_list data;
    const char *out, *split, *val_speakers, *test_speakers, *augment, *report, *trace, *cpumask;
    const char *encoder, *encoder_layer, *encoder_config, *cache;
    int finetune;
    double encoder_lr;
    bool embed_encoder;
    int folds, epochs, batch, threads, early_stop, copies;
    int64_t seed;
    double lr, dropout, clip_norm;
    const char *optimiser, *schedule, *class_weights;
    double weight_decay, warmup, average, label_smoothing, mixup;
    int accumulate;
    bool resume, cross_corpus;
    bool last; /* after the folds, a model of all speakers */
    int network;
    const char *ridge, *speed;
    int centres, background;
    mood_augment_params augmentation; /* --augment, read */
    struct numbers ridges, speeds;    /* the two, read by prosody_check */
};

struct findings; /* findings.h */

/* One training: of the only split, or of one fold. */
struct run {
    struct cli *cli;
    const struct options *o;
    const mood_corpus *corpus;
    mood_split *split;
    mood_encoder *encoder;   /* NULL: none */
    int layer;               /* of it */
    mood_layer_table layers; /* n 0: the layer was not chosen but given */
    mood_prosody_bank *bank; /* shared by all folds; NULL: not on prosody */
    mood_model *model;
    mood_training result;
    int fold, n_folds; /* n_folds 0: no folds. Across corpora a fold is a corpus */
    struct cli_progress bar;
    mood_train_phase bar_phase;
    bool bar_started;
    struct timespec features_start; /* when the features began to be computed */
    char checkpoint[4096];          /* its path; "" among folds */
    bool told_of_stop;
    struct trace *trace; /* NULL: none */
    bool save_failed;    /* an error was printed already */
};

/* The temperature of its best epoch, which its answers were given with. */
double run_temperature(const struct run *r);

/* How many speakers of a collection have clips on a side, and how many clips; n_clips may be NULL.
 */
int run_speakers(const struct run *r, int collection, mood_side side, size_t *n_clips);

/* ---- recipe.c: how to train ---- */

/* Whether the options go together; if not, that was said. */
bool recipe_check(struct cli *c, const struct options *o);

/* Put what the options say of the recipe into the params. */
void recipe_fill(mood_train_params *p, const struct options *o);

/* What was asked for beyond the usual recipe. */
struct recipe_extra {
    const char *name, *text; /* text NULL: a number */
    double number;
};
enum { RECIPE_MAX_EXTRAS = 12 };
int recipe_extras(struct recipe_extra out[RECIPE_MAX_EXTRAS], const struct options *o);

/* ---- prosody.c: the network on prosody ---- */

/* Whether the options go together, and read those of prosody; if not, that was said. */
bool prosody_check(struct cli *c, struct options *o);

bool is_prosody(const struct run *r);
mood_prosody_params prosody_params(const struct run *r);

/* The lambda that was taken. */
double prosody_ridge(const struct run *r);

/* The median of what the folds chose, and the geometric mean of their temperatures. */
void prosody_middle(const struct run *runs, int n, double *ridge, double *temperature);

/* ---- encoder.c: the encoder ---- */

/* Whether the options go together; if not, that was said. */
bool encoder_check(struct cli *c, const struct options *o);

/* Load or make the encoder, if any, and look whether it has the layer; false, and said, when not.
 */
bool encoder_load(struct cli *c, const struct options *o, mood_encoder **encoder);

/* Put what the options say of the encoder into the params. */
void encoder_fill(mood_train_params *p, const struct run *r);

/* Fill in r->layer: what was asked for, or what the validation side says. */
mood_status encoder_choose(struct run *r, const mood_train_params *params);

/* Say what is going to be computed, and what room that takes. */
void encoder_plan(struct run *r, const mood_train_event *e);

/* Say that it has been computed, and in what time. */
void encoder_done(struct run *r, const mood_train_event *e);

/* ---- show.c: for people ---- */

/* The corpus, what of it was left out, and who is on which side. */
void show_corpus(const struct run *r);
void show_split(const struct run *r);

/* Keep the bar going, and print a line of the epochs' table. */
void show_event(struct run *r, const mood_train_event *e);
void show_bar_end(struct run *r);

/* Figures and confusion matrix, stamped with the protocol. */
void show_result(const struct findings *f);
void show_confusion(const struct cli *c, const mood_corpus *corpus, const mood_confusion *m);

/* Mean and deviation over the folds, and the confusion matrix of all. */
void show_folds(const struct findings *f);

/* ---- report.c: for programs ---- */

/* Put the record of the training into the model. `f`: with the test figures; NULL: not known yet.
 */
mood_status report_record(const struct run *r, const struct findings *f);

/* DIR/metrics.json and DIR/report.html; for a single training also DIR/split.csv, that --split
 * takes.
 */
mood_status report_write(const struct findings *f, const char *dir);

/* What another implementation needs to repeat the training: DIR/initial.h5, the model before the
 * first step, and DIR/steps.json, with the windows and the loss of every step. */
mood_status trace_begin(struct run *r, const char *dir);
mood_status trace_step(struct run *r, const mood_train_event *e);
mood_status trace_end(struct run *r);
void trace_free(struct run *r);

#endif
