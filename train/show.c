/* SPDX-License-Identifier: MIT
 *
 * show.c — What mood-train prints: results on stdout, talk and progress on stderr. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"

/* Recordings that are there several times, and those of them that have two labels. */
static void show_twins(const mood_corpus *corpus)
{
    size_t n_twins = 0, n_disputed = 0;
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        const mood_clip *b = mood_corpus_clip(corpus, i),
                        *a = mood_corpus_clip(corpus, b->recording);
        n_twins += b->recording != i;
        n_disputed += b->disputed;
        if (b->disputed && b->label != a->label)
            fprintf(stderr, "left out: %s (%s) and %s (%s) are the same recording\n", a->path,
                    mood_corpus_label(corpus, a->label), b->path,
                    mood_corpus_label(corpus, b->label));
    }
    if (n_twins)
        fprintf(stderr,
                "%zu recordings are there once more; %zu clips left out for having two labels\n",
                n_twins, n_disputed);
}

void show_corpus(const struct run *r)
{
    for (int i = 0; i < mood_corpus_n_sources(r->corpus); i++) {
        const mood_corpus_source *s = mood_corpus_source_at(r->corpus, i);
        size_t left_out = s->n_other + s->n_no_sound + s->n_duplicates + s->n_no_label;
        fprintf(stderr, "%s: %zu clips", s->path, s->n_clips);
        if (left_out)
            fprintf(stderr,
                    "; left out: %zu of another form%s%s, %zu without sound, %zu twice, "
                    "%zu of another emotion",
                    s->n_other, s->other ? ", such as " : "", s->other ? s->other : "",
                    s->n_no_sound, s->n_duplicates, s->n_no_label);
        fputc('\n', stderr);
    }
    show_twins(r->corpus);
    fprintf(stderr, "%zu clips, %d speakers, %d labels; kernels %s\n",
            mood_corpus_n_clips(r->corpus), mood_corpus_n_speakers(r->corpus),
            mood_corpus_n_labels(r->corpus), mood_cpu_tier());
}

void show_split(const struct run *r)
{
    const mood_protocol *p = mood_split_protocol(r->split);
    fprintf(stderr, "%s, %s\n", p->text, p->dealt);
    if (p->n_twins)
        fprintf(stderr, "  %zu clips are the same recording as one on another side\n", p->n_twins);
    for (int s = MOOD_SIDE_TRAIN; s <= MOOD_SIDE_TEST; s++)
        fprintf(stderr, "  %-5s %5zu clips of %d speaker%s: %s\n", mood_side_name((mood_side)s),
                p->n_clips[s], p->n_speakers[s], p->n_speakers[s] == 1 ? "" : "s", p->speakers[s]);
}

/* ---- progress ---- */

void show_bar_end(struct run *r)
{
    if (r->bar_started)
        cli_progress_end(&r->bar);
    r->bar_started = false;
}

static void bar_at(struct run *r, const mood_train_event *e, const char *label, const char *unit)
{
    if (!r->bar_started || r->bar_phase != e->phase) {
        show_bar_end(r);
        cli_progress_begin(&r->bar, r->cli, label, e->total, unit);
        r->bar_started = true;
        r->bar_phase = e->phase;
    }
    cli_progress_at(&r->bar, e->done);
}

static void print_epoch(const struct run *r, const mood_epoch *e)
{
    if (e->epoch == 1)
        printf("epoch      lr   train loss  accuracy     val loss  accuracy     UAR\n");
    printf("%5d %.1e   %10.4f    %6.3f   %10.4f    %6.3f  %6.3f%s%s%s\n", e->epoch, e->lr,
           e->train_loss, e->train_accuracy, e->val_loss, e->val_accuracy, e->val_uar,
           e->best ? cli_bold(r->cli) : "", e->best ? "  best" : "",
           e->best ? cli_plain(r->cli) : "");
    fflush(stdout);
}

void show_event(struct run *r, const mood_train_event *e)
{
    switch (e->phase) {
    case MOOD_TRAIN_READ:
        bar_at(r, e, "reading", "clips");
        break;
    case MOOD_TRAIN_FEATURES:
        if (e->plan)
            encoder_plan(r, e);
        if (e->total > 0)
            bar_at(r, e, "computing features", "windows");
        if (e->total > 0 && e->done == e->total)
            encoder_done(r, e);
        break;
    case MOOD_TRAIN_LAYERS:
        bar_at(r, e, "judging", "layers");
        break;
    case MOOD_TRAIN_STEP:
        bar_at(r, e, "training", "steps");
        if (cli_stop && !r->told_of_stop && r->checkpoint[0]) {
            show_bar_end(r);
            fprintf(stderr, "epoch %d is finished first; once more stops at once\n", e->epoch);
            r->told_of_stop = true;
        }
        break;
    case MOOD_TRAIN_TEST:
        bar_at(r, e, "testing", "clips");
        break;
    case MOOD_TRAIN_RESUME:
        show_bar_end(r);
        fprintf(stderr, "%d of %d epochs are over: going on from %s\n", e->epoch, (int)e->total,
                r->checkpoint);
        break;
    case MOOD_TRAIN_EPOCH: {
        int64_t done = r->bar.done;
        double start_s = r->bar.start_s;
        show_bar_end(r);
        print_epoch(r, e->figures);
        /* The bar goes on where it was: its time counts from the first step. */
        cli_progress_begin(&r->bar, r->cli, "training", r->bar.total, "steps");
        r->bar.start_s = start_s;
        r->bar_started = true;
        r->bar_phase = MOOD_TRAIN_STEP;
        cli_progress_at(&r->bar, done);
        break;
    }
    }
}

/* ---- results ---- */

static unsigned colour_of(const char *label)
{
    const char *text = mood_emotion_colour(label);
    return text ? (unsigned)strtoul(text + 1, NULL, 16) : 0xffffff;
}

/* A label cut to `width` bytes: six in a heading, so that eight labels fit into 80 columns. */
static const char *column(char buf[16], int width, const char *label)
{
    char clean[MOOD_MAX_LABEL_BYTES * 4 + 1];
    snprintf(buf, 16, "%.*s", width, cli_printable(clean, sizeof(clean), label));
    return buf;
}

void show_confusion(const struct cli *c, const mood_corpus *corpus, const mood_confusion *m)
{
    char buf[16], colour[CLI_COLOUR_BYTES];
    printf("\n%-10s", "said/heard");
    for (int j = 0; j < m->n_labels; j++)
        printf(" %6s", column(buf, 6, mood_corpus_label(corpus, j)));
    printf("  recall\n");
    for (int i = 0; i < m->n_labels; i++) {
        int64_t total = 0;
        const char *label = mood_corpus_label(corpus, i);
        printf("%s%-10s%s", cli_colour(c, colour_of(label), colour), column(buf, 10, label),
               cli_plain(c));
        for (int j = 0; j < m->n_labels; j++) {
            total += m->count[i][j];
            printf(" %s%6lld%s", i == j ? cli_bold(c) : "", (long long)m->count[i][j],
                   i == j ? cli_plain(c) : "");
        }
        if (total)
            printf("  %6.3f\n", (double)m->count[i][i] / (double)total);
        else
            printf("       -\n");
    }
    printf("\n");
}

static void print_figures(const char *protocol, const mood_confusion *m)
{
    printf("%s, %lld clips: accuracy %.4f, UAR %.4f, macro F1 %.4f\n", protocol,
           (long long)mood_confusion_total(m), mood_accuracy(m), mood_uar(m), mood_macro_f1(m));
}

/* How sure the figures are, and what the probabilities are worth. */
static void print_findings(const struct findings *f)
{
    const mood_intervals *i = &f->intervals;
    if (i->n_speakers > 1)
        printf("  with other speakers (%d here, 95 %%): accuracy %.3f to %.3f, UAR %.3f to %.3f\n",
               i->n_speakers, i->accuracy.low, i->accuracy.high, i->uar.low, i->uar.high);
    else
        printf("  of one speaker: how others would fare is not known\n");
    printf("  calibration error %.3f (%.3f before the temperature, %.3f if probabilities were "
           "perfect)\n",
           f->after.ece, f->before.ece, f->ece_of_perfect);
    printf("  at %.2f and above: %.3f right, of %.0f %% of the clips\n", f->confident.threshold,
           f->confident.accuracy, 100 * f->confident.coverage);
}

void show_result(const struct findings *f)
{
    const struct run *r = &f->runs[0];
    const mood_protocol *p = mood_split_protocol(r->split);
    if (r->n_folds)
        printf("fold %d of %d, ", r->fold + 1, r->n_folds);
    else
        show_confusion(r->cli, r->corpus, &r->result.test);
    printf("best epoch %d, ", r->result.best_epoch);
    print_figures(p->text, &r->result.test);
    print_findings(f);
    if (!p->speaker_disjoint)
        printf("These voices were heard in training: the figures say little about new ones.\n");
    if (p->n_twins)
        printf("%zu clips are the same recording as one on another side.\n", p->n_twins);
    fflush(stdout);
}

static void mean_and_deviation(const struct run *runs, int n,
                               double (*figure)(const mood_confusion *), const char *name)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += figure(&runs[i].result.test);
    for (int i = 0; i < n; i++)
        squares += pow(figure(&runs[i].result.test) - sum / n, 2);
    printf("  %-9s %.4f +- %.4f\n", name, sum / n, sqrt(squares / (n - 1)));
}

void show_folds(const struct findings *f)
{
    const struct run *runs = f->runs;
    int n = f->n_runs;
    show_confusion(runs[0].cli, runs[0].corpus, &f->confusion);
    printf("all folds, ");
    print_figures(mood_split_protocol(runs[0].split)->text, &f->confusion);
    print_findings(f);
    printf("mean and deviation over %d folds:\n", n);
    mean_and_deviation(runs, n, mood_accuracy, "accuracy");
    mean_and_deviation(runs, n, mood_uar, "UAR");
    mean_and_deviation(runs, n, mood_macro_f1, "macro F1");
}
