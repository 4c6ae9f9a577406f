/* SPDX-License-Identifier: MIT
 *
 * figures.h — How good answers are: from counts (accuracy, recall, F1) and from probabilities (is
 * 0.7 right in seven of ten?), how sure one may be of that after so few speakers, and for whom.
 *
 * Everything here is computed from answers that are there already: no network, no clock, no
 * threads. The same answers give the same figures. */
#ifndef MOOD_FIGURES_H
#define MOOD_FIGURES_H

#include "mood/corpus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- counts ---------------------------------------------------------------------------------- */

/* Counts of answers: row = true label, column = answer. Plain data. */
typedef struct mood_confusion {
    int n_labels;
    int64_t count[MOOD_MAX_LABELS][MOOD_MAX_LABELS];
} mood_confusion;

MOOD_API void mood_confusion_add(mood_confusion *c, int label, int answer);

/* Add all counts of `from`, which has the same labels. */
MOOD_API void mood_confusion_join(mood_confusion *c, const mood_confusion *from);

MOOD_API int64_t mood_confusion_total(const mood_confusion *c);
MOOD_API int64_t mood_confusion_occurs(const mood_confusion *c, int label);   /* of a row */
MOOD_API int64_t mood_confusion_answered(const mood_confusion *c, int label); /* of a column */

/* Right answers over all; 0 for none. */
MOOD_API double mood_accuracy(const mood_confusion *c);

/* For one label: the part of its clips that is heard right; the part of the answers with its name
 * that is right; 2 precision recall / (precision + recall). 0 where that is undefined. */
MOOD_API double mood_recall(const mood_confusion *c, int label);
MOOD_API double mood_precision(const mood_confusion *c, int label);
MOOD_API double mood_f1(const mood_confusion *c, int label);

/* Unweighted average recall: the mean of the recalls of the labels that occur. */
MOOD_API double mood_uar(const mood_confusion *c);

/* The mean of the F1 of the labels that occur. */
MOOD_API double mood_macro_f1(const mood_confusion *c);

/* ---- probabilities --------------------------------------------------------------------------- */

/* n answers and the truth about them. Plain data that points to arrays of the caller's. The answer
 * to clip i is the largest of its probabilities, the first of equals, and its confidence is that
 * probability. */
typedef struct mood_predictions {
    size_t n;
    int n_labels;       /* V */
    const float *prob;  /* (n, V), the sum of each row is 1 */
    const int *label;   /* (n) the truth */
    const int *speaker; /* (n) who speaks: any numbers. Only the bootstrap asks */
} mood_predictions;

enum { MOOD_N_BINS = 15 };

/* Whether probabilities mean what they say. The answers fall into MOOD_N_BINS by confidence, all of
 * one width; bin b holds those in (b / 15, (b + 1) / 15]. */
typedef struct mood_reliability {
    size_t n;
    struct {
        size_t n;
        double confidence; /* the mean; 0 in an empty bin */
        double accuracy;   /* the part that is right; 0 in an empty bin */
    } bin[MOOD_N_BINS];
    double ece; /* expected calibration error: the mean over the answers of their bin's |accuracy -
                 * confidence| (Guo et al., arXiv 1706.04599, equation 3) */
    double nll; /* the mean of -ln of the probability of the truth */
} mood_reliability;

MOOD_API void mood_reliability_of(mood_reliability *out, const mood_predictions *p);

/* The ECE that these confidences would have if each were exactly the probability of being right:
 * the mean over `rounds` of drawing which of them are. It is above 0, the more so the fewer the
 * answers are, and no calibration can be expected to come below. */
MOOD_API double mood_ece_of_perfect(const mood_predictions *p, int rounds, uint64_t seed);

/* Temperature scaling (the same paper, section 4.2): the T with which the mean over a clip's
 * windows of softmax(ln(prob) / T) gives its true label the largest probability, in the mean of the
 * logarithms over the clips.
 *   prob       (sum of windows, V) as the network gave it at T = 1, clip after clip
 *   windows    (n) how many rows belong to each clip, at least one; NULL: one
 *   label      (n)
 * As little is known from few clips, and from none that is answered wrongly nothing that would keep
 * T above 0, one half of (ln T)^2 is added to the sum of -ln: a hundred clips hardly feel it.
 * Returns T, within [0.05, 20]; 1 for n = 0. */
MOOD_API double mood_fit_temperature(const float *prob, const size_t *windows, const int *label,
                                     size_t n, int n_labels);

/* What a threshold does: of the answers with a confidence of at least `threshold`, how many there
 * are and how many of those are right. */
typedef struct mood_selected {
    double threshold;
    size_t n, n_right;
    double coverage; /* n over all */
    double accuracy; /* n_right / n; 0 for none */
} mood_selected;

MOOD_API void mood_select(mood_selected *out, const mood_predictions *p, double threshold);

/* Count the answers. */
MOOD_API void mood_confusion_of(mood_confusion *out, const mood_predictions *p);

/* ---- how sure -------------------------------------------------------------------------------- */

typedef struct mood_interval {
    double low, high;
} mood_interval;

/* Intervals by the bootstrap over speakers (Efron's percentile interval, 95 %). Clips of one
 * speaker resemble each other, so what is drawn, with replacement, is speakers, each with all
 * clips. */
typedef struct mood_intervals {
    int n_speakers; /* below 2 nothing is known about others, and the intervals are [0, 1] */
    mood_interval accuracy, uar, macro_f1;
} mood_intervals;

/* Errors: E_INVALID (rounds below 1), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_bootstrap(mood_intervals *out, const mood_predictions *p, int rounds,
                                    uint64_t seed);

/* The same for differences of figures between two ways to answer the same clips: those of `other`
 * (n, V) minus those of p->prob. Both are judged on the same drawn speakers, so that what is hard
 * about a speaker is hard for both. Below 2 speakers the intervals are [-1, 1]. Errors: as
 * mood_bootstrap. */
MOOD_NODISCARD
MOOD_API mood_status mood_bootstrap_difference(mood_intervals *out, const mood_predictions *p,
                                               const float *other, int rounds, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
