/* SPDX-License-Identifier: MIT
 *
 * findings.h — Every figure about one training, or about all folds together, made once: show.c
 * prints them, report.c and page.c write them. */
#ifndef MOOD_TRAIN_FINDINGS_H
#define MOOD_TRAIN_FINDINGS_H

#include "train.h"

enum {
    FINDINGS_CURVE = 101,       /* thresholds 0, 0.01, ..., 1 */
    FINDINGS_ROUNDS = 2000,     /* of the bootstrap */
    FINDINGS_PERFECT = 200,     /* rounds for the ECE of perfect calibration */
    FINDINGS_MAX_SPEAKERS = 200 /* with more in the corpus, there are no rows for each */
};

/* Figures for some of the clips. */
struct finding {
    const char *by;   /* "sex" */
    const char *name; /* "women" */
    mood_confusion confusion;
    int n_speakers;
};

/* One corpus tested, the others trained on. */
struct crossing {
    char trained[256];    /* names, with commas between them */
    const char *tested;   /* borrowed from the corpus */
    int n_tested, n_both; /* labels in the test; of these, labels in training too */
    double uar, uar_both; /* over these and those */
    mood_interval interval, interval_both; /* of the UAR, by speaker */
};

struct findings {
    const struct run *runs; /* borrowed, with their corpus */
    int n_runs;

    /* The answers of all test sides, run after run. */
    size_t n;
    const mood_answer **answer; /* (n) */
    int *label, *speaker;       /* (n) */
    float *prob, *raw;          /* (n, V) as answered; before the temperature */

    mood_confusion confusion;
    mood_intervals intervals;
    mood_reliability before, after;
    double ece_of_perfect;
    mood_selected confident; /* at MOOD_CONFIDENT */
    mood_selected curve[FINDINGS_CURVE];
    struct finding *groups;
    size_t n_groups;
    struct crossing *crossings; /* (n_runs); NULL: this is no test across corpora */
};

/* Free with findings_free in any case. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status findings_make(struct findings *f, const struct run *runs, int n_runs);
void findings_free(struct findings *f);

/* How the runs were divided: "5 folds by speaker, seed 0". */
void findings_dealt(const struct findings *f, char *out, size_t capacity);

/* ---- cross.c ---- */

/* Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status crossing_make(struct crossing *x, const struct run *r);

/* Print the table of all. */
void show_crossings(const struct findings *f);

#endif
