/* SPDX-License-Identifier: MIT
 *
 * page_charts.c — The charts of a report: how the training went, whether probabilities mean what
 * they say, and what a threshold costs. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "html.h"
#include "page.h"

/* ---- how the training went ---- */

/* A column of the table of epochs. */
typedef double column(const mood_epoch *e);

static double train_loss(const mood_epoch *e)
{
    return e->train_loss;
}

static double val_loss(const mood_epoch *e)
{
    return e->val_loss;
}

static double train_accuracy(const mood_epoch *e)
{
    return e->train_accuracy;
}

static double val_accuracy(const mood_epoch *e)
{
    return e->val_accuracy;
}

static double val_uar(const mood_epoch *e)
{
    return e->val_uar;
}

static double rate(const mood_epoch *e)
{
    return e->lr;
}

/* One line for each run. */
static void put_lines(const struct chart *c, const struct findings *f, const char *style,
                      column *of)
{
    for (int r = 0; r < f->n_runs; r++) {
        const mood_training *t = &f->runs[r].result;
        double *x = mood__calloc((size_t)t->n_epochs, sizeof(*x));
        double *y = mood__calloc((size_t)t->n_epochs, sizeof(*y));
        for (int i = 0; x && y && i < t->n_epochs; i++) {
            x[i] = t->epochs[i].epoch;
            y[i] = of(&t->epochs[i]);
        }
        if (x && y)
            chart_line(c, style, x, y, (size_t)t->n_epochs);
        mood__free(x);
        mood__free(y);
    }
}

static void reach(double *top, const struct findings *f, column *of)
{
    for (int r = 0; r < f->n_runs; r++)
        for (int i = 0; i < f->runs[r].result.n_epochs; i++)
            *top = fmax(*top, of(&f->runs[r].result.epochs[i]));
}

static struct chart over_epochs(FILE *out, const struct findings *f)
{
    int last = 1;
    for (int r = 0; r < f->n_runs; r++)
        last = f->runs[r].result.n_epochs > last ? f->runs[r].result.n_epochs : last;
    return (struct chart){.f = out, .left = 1, .right = last};
}

/* Where the best epoch of the only run is. */
static void put_best(const struct chart *c, const struct findings *f)
{
    if (f->n_runs == 1)
        chart_rule(c, f->runs[0].result.best_epoch, c->bottom, f->runs[0].result.best_epoch,
                   c->top);
}

void page_put_curves(FILE *out, const struct findings *f)
{
    const char *best = f->n_runs == 1 ? "The dashed line is the epoch that was kept." : NULL;
    struct chart c = over_epochs(out, f);
    if (c.right <= 1)
        return;
    fputs("<h2>How the training went</h2>\n", out);
    fprintf(out, "<div class=\"charts%s\">\n", f->n_runs > 1 ? " many" : "");
    reach(&c.top, f, train_loss);
    reach(&c.top, f, val_loss);
    chart_begin(&c, "Loss", (struct chart_key[]){{"a", "training"}, {"b", "validation"}, {0}},
                "epoch", "cross entropy:");
    put_best(&c, f);
    put_lines(&c, f, "a", train_loss);
    put_lines(&c, f, "b", val_loss);
    chart_end(&c, best);

    c.bottom = 0;
    c.top = 1;
    chart_begin(
        &c, "Accuracy",
        (struct chart_key[]){{"a", "training"}, {"b", "validation"}, {"c", "validation, UAR"}, {0}},
        "epoch", "part that is right:");
    put_best(&c, f);
    put_lines(&c, f, "a", train_accuracy);
    put_lines(&c, f, "c", val_uar);
    put_lines(&c, f, "b", val_accuracy);
    chart_end(&c, best);

    c.top = 0;
    reach(&c.top, f, rate);
    c.top *= 1.1;
    chart_begin(&c, "Learning rate", NULL, "epoch", "of the optimiser, at each epoch");
    put_best(&c, f);
    put_lines(&c, f, "a", rate);
    chart_end(&c, best);
    fputs("</div>\n", out);
}

/* On prosody there are no epochs, but lambdas that were tried, of one or several folds. */
void page_put_ridges(FILE *out, const struct findings *f)
{
    fprintf(out,
            "<p class=\"note\">The validation speakers choose the ridge, by their UAR.</p>\n"
            "<div class=\"wide\">\n<table>\n<tr>%s<th>ridge</th><th>accuracy, training</th>"
            "<th>loss</th><th>accuracy, validation</th><th>UAR</th><th>loss</th><th></th></tr>\n",
            f->n_runs > 1 ? "<th>fold</th>" : "");
    for (int r = 0; r < f->n_runs; r++) {
        const mood_training *t = &f->runs[r].result;
        for (int i = 0; i < t->n_epochs; i++) {
            const mood_epoch *e = &t->epochs[i];
            fputs("<tr>", out);
            if (f->n_runs > 1)
                fprintf(out, "<td>%d</td>", r + 1);
            fprintf(out,
                    "<td>%g</td><td>%.3f</td><td>%.3f</td><td>%.3f</td><td>%.3f</td><td>%.3f</td>"
                    "<td>%s</td></tr>\n",
                    e->ridge, e->train_accuracy, e->train_loss, e->val_accuracy, e->val_uar,
                    e->val_loss, e->epoch == t->best_epoch ? "taken" : "");
        }
    }
    fputs("</table>\n</div>\n", out);
}

/* ---- what probabilities mean ---- */

static void put_reliability(FILE *out, const mood_reliability *r, const char *title,
                            const char *style)
{
    struct chart c = {.f = out, .left = 0, .right = 1, .bottom = 0, .top = 1};
    char caption[160];
    size_t most = 1;
    for (int b = 0; b < MOOD_N_BINS; b++)
        most = r->bin[b].n > most ? r->bin[b].n : most;
    chart_begin(&c, title, (struct chart_key[]){{style, "right, of the clips in a bin"}, {0}},
                "confidence", "");
    for (int b = 0; b < MOOD_N_BINS; b++)
        if (r->bin[b].n)
            chart_bar(&c, style, (double)b / MOOD_N_BINS, (double)(b + 1) / MOOD_N_BINS,
                      r->bin[b].accuracy, 0.2 + 0.8 * (double)r->bin[b].n / (double)most);
    chart_rule(&c, 0, 0, 1, 1);
    snprintf(caption, sizeof(caption),
             "ECE %.3f. On the dashed line confidence and accuracy agree; a stronger bar has more "
             "clips.",
             r->ece);
    chart_end(&c, caption);
}

static void put_coverage(FILE *out, const struct findings *f)
{
    static const int marks[] = {50, 70, 90};
    static const char *const words[] = {"0.50", "0.70", "0.90"};
    double x[FINDINGS_CURVE], y[FINDINGS_CURVE];
    struct chart c = {.f = out, .left = 0, .right = 1, .bottom = 0, .top = 1};
    for (int i = 0; i < FINDINGS_CURVE; i++) {
        x[i] = f->curve[i].coverage;
        y[i] = f->curve[i].n ? f->curve[i].accuracy : NAN;
    }
    chart_begin(&c, "Accuracy against coverage",
                (struct chart_key[]){{"a", "thresholds from 0 to 1"}, {0}},
                "coverage: part of the clips that is answered", "");
    chart_line(&c, "a", x, y, FINDINGS_CURVE);
    for (int i = 0; i < 3; i++) {
        bool apart = i == 1 || fabs(x[marks[i]] - x[marks[1]]) > 0.1; /* room for two words */
        if (f->curve[marks[i]].n)
            chart_point(&c, "b", x[marks[i]], y[marks[i]], apart ? words[i] : NULL, i != 1);
    }
    chart_end(&c, "Answers below the threshold are kept back; a curve that rises to the left means "
                  "that the network knows when it does not know.");
}

void page_put_calibration(FILE *out, const struct findings *f)
{
    fputs("<div class=\"charts\">\n", out);
    put_reliability(out, &f->before, "Before the temperature", "quiet");
    put_reliability(out, &f->after, "As answered", "a");
    put_coverage(out, f);
    fputs("</div>\n", out);
}
