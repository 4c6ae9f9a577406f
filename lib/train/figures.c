/* SPDX-License-Identifier: MIT
 *
 * figures.c — Accuracy, unweighted average recall and F1 from a confusion matrix. */
#include "mood/train.h"

void mood_confusion_add(mood_confusion *c, int label, int answer)
{
    c->count[label][answer]++;
}

/* How often a label occurs, and how often it is the answer. */
static int64_t row_sum(const mood_confusion *c, int label)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += c->count[label][i];
    return n;
}

static int64_t column_sum(const mood_confusion *c, int answer)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += c->count[i][answer];
    return n;
}

int64_t mood_confusion_total(const mood_confusion *c)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += row_sum(c, i);
    return n;
}

double mood_accuracy(const mood_confusion *c)
{
    int64_t right = 0, all = mood_confusion_total(c);
    for (int i = 0; i < c->n_labels; i++)
        right += c->count[i][i];
    return all ? (double)right / (double)all : 0;
}

double mood_uar(const mood_confusion *c)
{
    double sum = 0;
    int present = 0;
    for (int i = 0; i < c->n_labels; i++) {
        int64_t n = row_sum(c, i);
        if (n > 0) {
            sum += (double)c->count[i][i] / (double)n;
            present++;
        }
    }
    return present ? sum / present : 0;
}

double mood_macro_f1(const mood_confusion *c)
{
    double sum = 0;
    int present = 0;
    for (int i = 0; i < c->n_labels; i++) {
        int64_t n = row_sum(c, i);
        if (n > 0) {
            /* 2 P R / (P + R) = 2 right / (occurrences + answers) */
            sum += 2.0 * (double)c->count[i][i] / (double)(n + column_sum(c, i));
            present++;
        }
    }
    return present ? sum / present : 0;
}
