/* SPDX-License-Identifier: MIT
 *
 * cross.c — How a network fares with recordings of a kind it never heard: one corpus tested, the
 * others trained on. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "findings.h"

/* Which labels are on a side. */
static void labels_on(const struct run *r, mood_side side, bool there[MOOD_MAX_LABELS])
{
    for (size_t i = 0; i < mood_corpus_n_clips(r->corpus); i++)
        if (mood_split_side(r->split, i) == side)
            there[mood_corpus_clip(r->corpus, i)->label] = true;
}

/* Figures for those answers of a run whose true label is among the wanted ones. */
static mood_status figures_of(const struct run *r, const bool wanted[MOOD_MAX_LABELS], double *uar,
                              mood_interval *interval)
{
    const mood_training *t = &r->result;
    size_t V = (size_t)mood_corpus_n_labels(r->corpus), n = 0;
    mood_confusion c = {.n_labels = (int)V};
    mood_intervals found = {0};
    int *label = mood__calloc(t->n_answers, sizeof(int));
    int *speaker = mood__calloc(t->n_answers, sizeof(int));
    float *prob = mood__calloc(t->n_answers, V * sizeof(float));
    mood_status status = label && speaker && prob ? MOOD_OK : mood__nomem();
    for (size_t i = 0; i < t->n_answers && !status; i++) {
        const mood_answer *a = &t->answers[i];
        if (!wanted[a->label])
            continue;
        mood_confusion_add(&c, a->label, a->best);
        label[n] = a->label;
        speaker[n] = mood_corpus_clip(r->corpus, a->clip)->speaker;
        memcpy(prob + n++ * V, a->prob, V * sizeof(float));
    }
    if (!status) {
        const mood_predictions p = {n, (int)V, prob, label, speaker};
        status = mood_bootstrap(&found, &p, FINDINGS_ROUNDS, 0);
    }
    *uar = mood_uar(&c);
    *interval = found.uar;
    mood__free(label);
    mood__free(speaker);
    mood__free(prob);
    return status;
}

static void name_trained(struct crossing *x, const struct run *r)
{
    size_t n = 0;
    for (int k = 0; k < mood_corpus_n_collections(r->corpus); k++) {
        size_t clips;
        (void)run_speakers(r, k, MOOD_SIDE_TRAIN, &clips);
        if (clips && n < sizeof(x->trained))
            n += (size_t)snprintf(x->trained + n, sizeof(x->trained) - n, "%s%s", n ? ", " : "",
                                  mood_corpus_collection(r->corpus, k)->name);
    }
}

mood_status crossing_make(struct crossing *x, const struct run *r)
{
    bool trained[MOOD_MAX_LABELS] = {false}, tested[MOOD_MAX_LABELS] = {false};
    bool both[MOOD_MAX_LABELS] = {false};
    *x = (struct crossing){.tested = mood_corpus_collection(r->corpus, r->fold)->name};
    name_trained(x, r);
    labels_on(r, MOOD_SIDE_TRAIN, trained);
    labels_on(r, MOOD_SIDE_TEST, tested);
    for (int v = 0; v < MOOD_MAX_LABELS; v++) {
        both[v] = trained[v] && tested[v];
        x->n_tested += tested[v];
        x->n_both += both[v];
    }
    MOOD__TRY(figures_of(r, tested, &x->uar, &x->interval));
    return figures_of(r, both, &x->uar_both, &x->interval_both);
}

void show_crossings(const struct findings *f)
{
    const mood_corpus *corpus = f->runs[0].corpus;
    int wide = (int)strlen("trained on"), narrow = (int)strlen("tested on");
    for (int i = 0; i < f->n_runs; i++) {
        int a = (int)strlen(f->crossings[i].trained), b = (int)strlen(f->crossings[i].tested);
        wide = a > wide ? a : wide;
        narrow = b > narrow ? b : narrow;
    }
    printf(
        "\n%-*s  %-*s  clips  speakers  accuracy    UAR  95 %%            classes  UAR of these\n",
        wide, "trained on", narrow, "tested on");
    for (int i = 0; i < f->n_runs; i++) {
        const struct crossing *x = &f->crossings[i];
        const mood_confusion *test = &f->runs[i].result.test;
        printf("%-*s  %-*s  %5lld  %8d  %8.3f  %5.3f  %5.3f to %5.3f  %2d of %2d  %12.3f\n", wide,
               x->trained, narrow, x->tested, (long long)mood_confusion_total(test),
               mood_corpus_collection(corpus, i)->n_speakers, mood_accuracy(test), x->uar,
               x->interval.low, x->interval.high, x->n_both, x->n_tested, x->uar_both);
    }
    printf("A class of the test that training had no clip of counts as missed; the last column is "
           "without it.\n");
}
