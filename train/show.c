/* SPDX-License-Identifier: MIT
 *
 * show.c — What mood-train prints: results on stdout, talk and progress on stderr. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"

enum { MAX_TWINS = 10, MAX_KEYS = 72 };

/* Recordings that are there several times. */
static void show_twins(const mood_corpus *corpus)
{
    size_t n_twins = 0;
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        const mood_clip *b = mood_corpus_clip(corpus, i),
                        *a = mood_corpus_clip(corpus, b->recording);
        if (b->recording == i || ++n_twins > MAX_TWINS)
            continue;
        fprintf(stderr, "  %s (%s) and %s (%s) are the same recording\n", a->path,
                mood_corpus_label(corpus, a->label), b->path, mood_corpus_label(corpus, b->label));
    }
    if (n_twins > MAX_TWINS)
        fprintf(stderr, "  and %zu more\n", n_twins - MAX_TWINS);
}

/* What of a source was left out, and why; nothing where nothing was. */
static void show_left_out(const mood_corpus_source *s)
{
    const struct {
        size_t n;
        const char *why;
    } all[] = {{s->n_other, "of another form"},
               {s->n_no_sound, "without sound"},
               {s->n_duplicates, "twice"},
               {s->n_no_label, "of another emotion"}};
    const char *before = "; left out: ";
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].n == 0)
            continue;
        fprintf(stderr, "%s%zu %s", before, all[i].n, all[i].why);
        if (i == 0)
            fprintf(stderr, " (such as %s)", s->other);
        before = ", ";
    }
}

void show_corpus(const struct run *r)
{
    for (int i = 0; i < mood_corpus_n_sources(r->corpus); i++) {
        const mood_corpus_source *s = mood_corpus_source_at(r->corpus, i);
        fprintf(stderr, "%s: %zu clips", s->path, s->n_clips);
        show_left_out(s);
        fputc('\n', stderr);
    }
    show_twins(r->corpus);
    for (int i = 0; i < mood_corpus_n_collections(r->corpus); i++) {
        const mood_collection *k = mood_corpus_collection(r->corpus, i);
        fprintf(stderr, "%s: %zu clips, %d speakers; licence: %s\n", k->name, k->n_clips,
                k->n_speakers, k->licence);
    }
    fprintf(stderr, "%zu clips, %d speakers, %d labels; kernels %s\n",
            mood_corpus_n_clips(r->corpus), mood_corpus_n_speakers(r->corpus),
            mood_corpus_n_labels(r->corpus), mood_cpu_tier());
}

/* Who is on a side: their keys, or how many of each corpus where these are too many to read. */
static void show_speakers(const struct run *r, mood_side side)
{
    const char *keys = mood_split_protocol(r->split)->speakers[side], *before = ": ";
    if (strlen(keys) <= MAX_KEYS) {
        fprintf(stderr, ": %s\n", keys);
        return;
    }
    for (int k = 0; k < mood_corpus_n_collections(r->corpus); k++) {
        int n = run_speakers(r, k, side, NULL);
        if (n > 0)
            fprintf(stderr, "%s%d of %s", before, n, mood_corpus_collection(r->corpus, k)->name);
        before = n > 0 ? ", " : before;
    }
    fputc('\n', stderr);
}

/* Why the figures are stamped as they are. */
static void show_shared(const mood_protocol *p)
{
    const char *s = p->n_shared == 1 ? "" : "s";
    if (p->n_shared > 0 && strlen(p->shared) <= MAX_KEYS)
        fprintf(stderr, "  on more than one side: speaker%s %s\n", s, p->shared);
    else if (p->n_shared > 0)
        fprintf(stderr, "  on more than one side: %d speaker%s\n", p->n_shared, s);
}

void show_split(const struct run *r)
{
    const mood_protocol *p = mood_split_protocol(r->split);
    fprintf(stderr, "%s, %s\n", p->text, p->dealt);
    show_shared(p);
    if (p->n_disputed)
        fprintf(stderr, "  left out: %zu clips whose recording has two labels\n", p->n_disputed);
    if (p->n_copies)
        fprintf(stderr, "  left out: %zu cop%s of a recording that is there\n", p->n_copies,
                p->n_copies == 1 ? "y" : "ies");
    if (p->n_twins)
        fprintf(stderr, "  %zu clips are the same recording as one on another side\n", p->n_twins);
    for (int s = MOOD_SIDE_TRAIN; s <= MOOD_SIDE_TEST; s++) {
        fprintf(stderr, "  %-5s %5zu clips of %d speaker%s", mood_side_name((mood_side)s),
                p->n_clips[s], p->n_speakers[s], p->n_speakers[s] == 1 ? "" : "s");
        show_speakers(r, (mood_side)s);
    }
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
    static const char columns[] = "   train loss  accuracy     val loss  accuracy     UAR\n";
    if (e->epoch == 1)
        printf("%13s%s", is_prosody(r) ? "ridge" : "epoch      lr", columns);
    if (is_prosody(r))
        printf("%13g", e->ridge);
    else
        printf("%5d %.1e", e->epoch, e->lr);
    printf("   %10.4f    %6.3f   %10.4f    %6.3f  %6.3f%s%s%s\n", e->train_loss, e->train_accuracy,
           e->val_loss, e->val_accuracy, e->val_uar, e->best ? cli_bold(r->cli) : "",
           e->best ? "  best" : "", e->best ? cli_plain(r->cli) : "");
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
        bar_at(r, e, "training", is_prosody(r) ? "blocks" : "steps");
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
        if (is_prosody(r)) /* the last of it */
            break;
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
    if (f->confident.n)
        printf("  at %.2f and above: %.3f right, of %.0f %% of the clips\n", f->confident.threshold,
               f->confident.accuracy, 100 * f->confident.coverage);
    else
        printf("  at %.2f and above: no answer is so sure\n", f->confident.threshold);
}

void show_result(const struct findings *f)
{
    const struct run *r = &f->runs[0];
    const mood_protocol *p = mood_split_protocol(r->split);
    if (r->o->cross_corpus)
        printf("tested on %s, ", mood_corpus_collection(r->corpus, r->fold)->name);
    else if (r->n_folds)
        printf("fold %d of %d, ", r->fold + 1, r->n_folds);
    else
        show_confusion(r->cli, r->corpus, &r->result.test);
    if (is_prosody(r))
        printf("ridge %g, ", prosody_ridge(r));
    else
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
    printf(f->crossings ? "all corpora, " : "all folds, ");
    print_figures(mood_split_protocol(runs[0].split)->text, &f->confusion);
    print_findings(f);
    if (f->crossings) {
        show_crossings(f);
        return;
    }
    printf("mean and deviation over %d folds:\n", n);
    mean_and_deviation(runs, n, mood_accuracy, "accuracy");
    mean_and_deviation(runs, n, mood_uar, "UAR");
    mean_and_deviation(runs, n, mood_macro_f1, "macro F1");
}
