/* SPDX-License-Identifier: MIT
 *
 * figures.c — Accuracy, recall, precision and F1 from a confusion matrix. */
#include "mood/figures.h"

void mood_confusion_add(mood_confusion *c, int label, int answer)
{
    c->count[label][answer]++;
}

void mood_confusion_join(mood_confusion *c, const mood_confusion *from)
{
    for (int i = 0; i < c->n_labels; i++)
        for (int j = 0; j < c->n_labels; j++)
            c->count[i][j] += from->count[i][j];
}

int64_t mood_confusion_occurs(const mood_confusion *c, int label)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += c->count[label][i];
    return n;
}

int64_t mood_confusion_answered(const mood_confusion *c, int label)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += c->count[i][label];
    return n;
}

int64_t mood_confusion_total(const mood_confusion *c)
{
    int64_t n = 0;
    for (int i = 0; i < c->n_labels; i++)
        n += mood_confusion_occurs(c, i);
    return n;
}

static double ratio(int64_t part, int64_t all)
{
    return all ? (double)part / (double)all : 0;
}

double mood_accuracy(const mood_confusion *c)
{
    int64_t right = 0;
    for (int i = 0; i < c->n_labels; i++)
        right += c->count[i][i];
    return ratio(right, mood_confusion_total(c));
}

double mood_recall(const mood_confusion *c, int label)
{
    return ratio(c->count[label][label], mood_confusion_occurs(c, label));
}

double mood_precision(const mood_confusion *c, int label)
{
    return ratio(c->count[label][label], mood_confusion_answered(c, label));
}

/* 2 P R / (P + R) = 2 right / (occurrences + answers) */
double mood_f1(const mood_confusion *c, int label)
{
    return ratio(2 * c->count[label][label],
                 mood_confusion_occurs(c, label) + mood_confusion_answered(c, label));
}

static double mean_of_present(const mood_confusion *c,
                              double (*figure)(const mood_confusion *, int))
{
    double sum = 0;
    int present = 0;
    for (int i = 0; i < c->n_labels; i++) {
        if (mood_confusion_occurs(c, i) > 0) {
            sum += figure(c, i);
            present++;
        }
    }
    return present ? sum / present : 0;
}

double mood_uar(const mood_confusion *c)
{
    return mean_of_present(c, mood_recall);
}

double mood_macro_f1(const mood_confusion *c)
{
    return mean_of_present(c, mood_f1);
}
