/* SPDX-License-Identifier: MIT
 *
 * page.c — report.html from top to bottom. The order is that of questions: may I believe it, how
 * good is it, what does it confuse, do its probabilities mean anything, for whom, where does it
 * fail, and how was it made. */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "html.h"

struct page {
    FILE *out;
    const struct findings *f;
    const struct run *run; /* the first, or only, one */
    const mood_corpus *corpus;
    const mood_protocol *protocol;
};

static unsigned colour_of(const struct page *p, int label)
{
    const char *text = mood_emotion_colour(mood_corpus_label(p->corpus, label));
    if (!text)
        text = mood_emotion_at(label % MOOD_N_EMOTIONS)->colour;
    return (unsigned)strtoul(text + 1, NULL, 16);
}

static void put_label(const struct page *p, int label)
{
    fprintf(p->out, "<i class=\"dot\" style=\"background:#%06x\"></i>", colour_of(p, label));
    html_text(p->out, mood_corpus_label(p->corpus, label));
}

static void put_meter(const struct page *p, double part)
{
    fprintf(p->out, "<span class=\"meter\"><i style=\"width:%.1f%%\"></i></span>%.3f", 100 * part,
            part);
}

/* ---- may I believe it ---- */

static bool all_disjoint(const struct page *p)
{
    bool disjoint = true;
    for (int r = 0; r < p->f->n_runs; r++)
        disjoint = disjoint && mood_split_protocol(p->f->runs[r].split)->speaker_disjoint;
    return disjoint;
}

static void put_head(const struct page *p)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'\"/>\n<title>mood-train report</title>\n<style>\n",
          p->out);
    html_style(p->out);
    fputs("</style>\n</head>\n<body>\n<main>\n", p->out);
}

static void put_stamp(const struct page *p)
{
    bool disjoint = all_disjoint(p);
    fprintf(p->out, "<p class=\"stamp %s\"><b>%s</b>, ", disjoint ? "good" : "bad",
            disjoint ? "speaker-disjoint" : "speaker-dependent");
    char dealt[4096];
    findings_dealt(p->f, dealt, sizeof(dealt));
    html_text(p->out, dealt);
    fprintf(p->out, ". %s",
            disjoint
                ? "None of the voices that the figures are made on was heard in training."
                : "These voices were heard in training: the figures say little about new ones.");
    if (p->protocol->n_twins)
        fprintf(p->out, " %zu clips are the same recording as one on another side.",
                p->protocol->n_twins);
    fputs("</p>\n", p->out);
}

static void put_title(const struct page *p)
{
    fputs("<h1>How well it hears emotions</h1>\n<p class=\"soft\">", p->out);
    for (int i = 0; i < mood_corpus_n_sources(p->corpus); i++) {
        const mood_corpus_source *s = mood_corpus_source_at(p->corpus, i);
        fputs(i ? ", " : "", p->out);
        html_text(p->out, s->path);
        fprintf(p->out, " (%zu clips)", s->n_clips);
    }
    fprintf(p->out, " &#183; tested on %zu clips of %d speaker%s</p>\n", p->f->n,
            p->f->intervals.n_speakers, p->f->intervals.n_speakers == 1 ? "" : "s");
    put_stamp(p);
}

/* ---- how good is it ---- */

static void put_span(const struct page *p, double value, const mood_interval *i, double chance)
{
    fputs("<svg class=\"span\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
          "aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">"
          "<line class=\"bed\" x1=\"0\" y1=\"5\" x2=\"100\" y2=\"5\"/>",
          p->out);
    if (i)
        fprintf(p->out, "<line class=\"range\" x1=\"%.1f\" y1=\"5\" x2=\"%.1f\" y2=\"5\"/>",
                100 * i->low, 100 * i->high);
    fprintf(p->out,
            "<line class=\"chance\" x1=\"%.1f\" y1=\"1\" x2=\"%.1f\" y2=\"9\"/>"
            "<rect class=\"here\" x=\"%.1f\" y=\"1\" width=\"1.6\" height=\"8\"/></svg>",
            100 * chance, 100 * chance, 100 * value - 0.8);
}

static void put_tile(const struct page *p, const char *name, double value, const mood_interval *i)
{
    bool known = p->f->intervals.n_speakers > 1;
    fprintf(p->out,
            "<div class=\"tile\"><div class=\"name\">%s</div><div class=\"value\">%.3f</div>", name,
            value);
    put_span(p, value, known ? i : NULL, 1.0 / p->f->confusion.n_labels);
    if (known)
        fprintf(p->out,
                "<div class=\"more\">%.3f to %.3f with other speakers (95 %%)</div></div>\n",
                i->low, i->high);
    else
        fputs("<div class=\"more\">one speaker: no interval can be given</div></div>\n", p->out);
}

static void put_tiles(const struct page *p)
{
    const struct findings *f = p->f;
    const mood_confusion *m = &f->confusion;
    fputs("<div class=\"tiles\">\n", p->out);
    put_tile(p, "UAR (mean recall)", mood_uar(m), &f->intervals.uar);
    put_tile(p, "Accuracy", mood_accuracy(m), &f->intervals.accuracy);
    put_tile(p, "Macro F1", mood_macro_f1(m), &f->intervals.macro_f1);
    fprintf(
        p->out,
        "<div class=\"tile\"><div class=\"name\">Calibration error (ECE)</div>"
        "<div class=\"value\">%.3f</div><div class=\"more\">%.3f before the temperature; perfect "
        "probabilities would have %.3f with so few clips</div></div>\n",
        f->after.ece, f->before.ece, f->ece_of_perfect);
    fprintf(
        p->out,
        "<div class=\"tile\"><div class=\"name\">Right, when %.2f sure</div>"
        "<div class=\"value\">%.3f</div><div class=\"more\">of the %.0f %% of the clips that are "
        "answered with at least that confidence</div></div>\n</div>\n",
        f->confident.threshold, f->confident.accuracy, 100 * f->confident.coverage);
    fprintf(
        p->out,
        "<p class=\"note\">The upright line in a bar is chance, %.3f. Intervals come from drawing "
        "the speakers anew, %d times: people differ more than clips do.</p>\n",
        1.0 / m->n_labels, FINDINGS_ROUNDS);
}

/* ---- what does it confuse ---- */

static void put_cell(const struct page *p, int i, int j)
{
    int64_t n = p->f->confusion.count[i][j], all = mood_confusion_occurs(&p->f->confusion, i);
    unsigned c = colour_of(p, j);
    double share = all ? (double)n / (double)all : 0;
    if (n == 0) {
        fprintf(p->out, "<td class=\"none%s\">&#183;</td>", i == j ? " hit" : "");
        return;
    }
    /* Never stronger than 0.6, so that text can be read on it in light and dark. */
    fprintf(p->out,
            "<td%s style=\"background:rgba(%u,%u,%u,%.2f)\"><b>%lld</b><small>%.0f %%</small></td>",
            i == j ? " class=\"hit\"" : "", c >> 16, c >> 8 & 255, c & 255, 0.6 * share,
            (long long)n, 100 * share);
}

static void put_confusion(const struct page *p)
{
    const mood_confusion *m = &p->f->confusion;
    fputs("<h2>What it confuses</h2>\n<p class=\"note\">Rows are what was said, columns what was "
          "heard: clips, and their share of the row.</p>\n<div class=\"pair\">\n<div "
          "class=\"wide\">\n"
          "<table class=\"matrix\">\n<tr><th class=\"t\">said / heard</th>",
          p->out);
    for (int j = 0; j < m->n_labels; j++) {
        fputs("<th scope=\"col\">", p->out);
        html_text(p->out, mood_corpus_label(p->corpus, j));
        fputs("</th>", p->out);
    }
    fputs("</tr>\n", p->out);
    for (int i = 0; i < m->n_labels; i++) {
        if (mood_confusion_occurs(m, i) == 0 && mood_confusion_answered(m, i) == 0)
            continue;
        fputs("<tr><th class=\"t\" scope=\"row\">", p->out);
        put_label(p, i);
        fputs("</th>", p->out);
        for (int j = 0; j < m->n_labels; j++)
            put_cell(p, i, j);
        fputs("</tr>\n", p->out);
    }
    fputs("</table>\n</div>\n", p->out);
}

static void put_labels(const struct page *p)
{
    const mood_confusion *m = &p->f->confusion;
    fputs(
        "<div class=\"wide\">\n<table>\n<tr><th class=\"t\">label</th><th>clips</th><th>recall</th>"
        "<th>precision</th><th>F1</th></tr>\n",
        p->out);
    for (int v = 0; v < m->n_labels; v++) {
        fputs("<tr><td class=\"t\">", p->out);
        put_label(p, v);
        fprintf(p->out, "</td><td>%lld</td><td>", (long long)mood_confusion_occurs(m, v));
        put_meter(p, mood_recall(m, v));
        fprintf(p->out, "</td><td>%.3f</td><td>%.3f</td></tr>\n", mood_precision(m, v),
                mood_f1(m, v));
    }
    fputs("</table>\n</div>\n</div>\n", p->out);
}

/* ---- for whom ---- */

enum { MANY_SPEAKERS = 12 }; /* with more, their rows are folded away */

/* The rows of groups from number `first` on, as long as they are single speakers, or are not. */
static size_t put_group_rows(const struct page *p, size_t first, bool speakers)
{
    const struct findings *f = p->f;
    fputs(
        "<div class=\"wide\">\n<table>\n<tr><th class=\"t\" colspan=\"2\">group</th><th>clips</th>"
        "<th>speakers</th><th>UAR</th><th>accuracy</th></tr>\n",
        p->out);
    size_t i = first;
    for (; i < f->n_groups && (strcmp(f->groups[i].by, "speaker") == 0) == speakers; i++) {
        const struct finding *g = &f->groups[i];
        bool new = i == first || strcmp(f->groups[i - 1].by, g->by) != 0;
        fprintf(p->out, "<tr><th class=\"t\">%s</th><td class=\"t\">", new ? g->by : "");
        html_text(p->out, g->name);
        fprintf(p->out, "</td><td>%lld</td><td>%d</td><td>",
                (long long)mood_confusion_total(&g->confusion), g->n_speakers);
        put_meter(p, mood_uar(&g->confusion));
        fprintf(p->out, "</td><td>%.3f</td></tr>\n", mood_accuracy(&g->confusion));
    }
    fputs("</table>\n</div>\n", p->out);
    return i;
}

static void put_groups(const struct page *p)
{
    const struct findings *f = p->f;
    if (f->n_groups == 0)
        return;
    fputs("<h2>For whom</h2>\n<p class=\"note\">The same answers, group by group. Small groups say "
          "little: look at the number of speakers first.</p>\n",
          p->out);
    size_t first = strcmp(f->groups[0].by, "speaker") == 0 ? 0 : put_group_rows(p, 0, false);
    if (first == f->n_groups)
        return;
    fprintf(p->out, "<details%s>\n<summary>Each of the %zu speakers</summary>\n",
            f->n_groups - first > MANY_SPEAKERS ? "" : " open=\"open\"", f->n_groups - first);
    put_group_rows(p, first, true);
    fputs("</details>\n", p->out);
}

/* ---- where does it fail ---- */

enum { N_WORST = 20 };

static double confidence_of(const mood_answer *a)
{
    return (double)a->prob[a->best];
}

/* Wrong ones first, the surest before; the corpus' order among equals. */
static int by_wrongness(const void *pa, const void *pb)
{
    const mood_answer *a = *(const mood_answer *const *)pa, *b = *(const mood_answer *const *)pb;
    bool wrong_a = a->best != a->label, wrong_b = b->best != b->label;
    if (wrong_a != wrong_b)
        return wrong_a ? -1 : 1;
    if (confidence_of(a) != confidence_of(b))
        return confidence_of(a) > confidence_of(b) ? -1 : 1;
    return (a->clip > b->clip) - (a->clip < b->clip);
}

static void put_worst_rows(const struct page *p, const mood_answer *const *sorted)
{
    for (size_t i = 0; i < p->f->n && i < N_WORST && sorted[i]->best != sorted[i]->label; i++) {
        const mood_answer *a = sorted[i];
        fputs("<tr><td class=\"path\">", p->out);
        html_text(p->out, mood_corpus_clip(p->corpus, a->clip)->path);
        fputs("</td><td class=\"t\">", p->out);
        put_label(p, a->label);
        fputs("</td><td class=\"t\">", p->out);
        put_label(p, a->best);
        fprintf(p->out, "</td><td>%.3f</td><td>%.3f</td></tr>\n", confidence_of(a),
                (double)a->prob[a->label]);
    }
}

static void put_worst(const struct page *p)
{
    size_t n = p->f->n, n_wrong = 0;
    const mood_answer **sorted = mood__calloc(n, sizeof(const mood_answer *));
    if (!sorted)
        return;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = p->f->answer[i];
        n_wrong += sorted[i]->best != sorted[i]->label;
    }
    qsort(sorted, n, sizeof(*sorted), by_wrongness);
    fputs("<h2>What it gets most wrong</h2>\n", p->out);
    if (n_wrong == 0) {
        fputs("<p>Nothing: every clip of the test is heard right.</p>\n", p->out);
    } else {
        fprintf(
            p->out,
            "<p class=\"note\">%zu of %zu clips are heard wrong; these are the ones it was surest "
            "of. Listen to them: a wrong label looks the same from here.</p>\n"
            "<div class=\"wide\">\n<table>\n<tr><th class=\"t\">clip</th><th class=\"t\">said</th>"
            "<th class=\"t\">heard</th><th>probability</th><th>of what was said</th></tr>\n",
            n_wrong, n);
        put_worst_rows(p, sorted);
        fputs("</table>\n</div>\n", p->out);
    }
    mood__free(sorted);
}

/* ---- how was it made ---- */

static void put_sides(const struct page *p)
{
    fputs("<table>\n<tr><th class=\"t\">side</th><th>clips</th><th>speakers</th><th class=\"t\">who"
          "</th></tr>\n",
          p->out);
    for (int s = MOOD_SIDE_TRAIN; s <= MOOD_SIDE_TEST; s++) {
        fprintf(p->out, "<tr><td class=\"t\">%s</td><td>%zu</td><td>%d</td><td class=\"long\">",
                mood_side_name((mood_side)s), p->protocol->n_clips[s], p->protocol->n_speakers[s]);
        html_text(p->out, p->protocol->speakers[s]);
        fputs("</td></tr>\n", p->out);
    }
    fputs("</table>\n", p->out);
}

static void put_folds(const struct page *p)
{
    bool prosody = is_prosody(p->run);
    fprintf(p->out,
            "<table>\n<tr><th>fold</th><th>UAR</th><th>accuracy</th><th>%s</th>"
            "<th>temperature</th><th class=\"t\">validated on</th><th class=\"t\">tested "
            "on</th></tr>\n",
            prosody ? "ridge" : "best epoch");
    for (int i = 0; i < p->f->n_runs; i++) {
        const struct run *r = &p->f->runs[i];
        const mood_protocol *protocol = mood_split_protocol(r->split);
        fprintf(p->out, "<tr><td>%d</td><td>", i + 1);
        put_meter(p, mood_uar(&r->result.test));
        fprintf(p->out, "</td><td>%.3f</td><td>%g</td><td>%.3f</td><td class=\"long\">",
                mood_accuracy(&r->result.test), prosody ? prosody_ridge(r) : r->result.best_epoch,
                run_temperature(r));
        html_text(p->out, protocol->speakers[MOOD_SIDE_VAL]);
        fputs("</td><td class=\"long\">", p->out);
        html_text(p->out, protocol->speakers[MOOD_SIDE_TEST]);
        fputs("</td></tr>\n", p->out);
    }
    fputs("</table>\n", p->out);
}

static void put_setting(const struct page *p, const char *name, const char *value)
{
    fprintf(p->out, "<tr><td class=\"t\">%s</td><td class=\"long\">", name);
    html_text(p->out, value);
    fputs("</td></tr>\n", p->out);
}

static void put_number(const struct page *p, const char *name, double value)
{
    char text[64];
    snprintf(text, sizeof(text), "%.10g", value);
    put_setting(p, name, text);
}

static void put_encoder(const struct page *p)
{
    const mood_encoder *e = p->run->encoder;
    char value[96];
    snprintf(value, sizeof(value), "%.12s..., %d layers", mood_encoder_identity(e),
             mood_encoder_get_config(e)->n_layers);
    put_setting(p, "encoder", value);
    for (int i = 0; i < p->f->n_runs; i++) {
        const struct run *r = &p->f->runs[i];
        if (r->layer == MOOD_LAYER_MIX)
            snprintf(value, sizeof(value), "mix");
        else if (r->layers.n > 0)
            snprintf(value, sizeof(value), "%d, chosen on the validation side", r->layer);
        else
            snprintf(value, sizeof(value), "%d", r->layer);
        put_setting(p, "layer", value);
        if (r->layers.n == 0) /* the same for all folds */
            break;
    }
}

/* What is beyond the usual recipe, under the names of metrics.json. */
static void put_extras(const struct page *p, const struct options *o)
{
    struct recipe_extra extras[RECIPE_MAX_EXTRAS];
    for (int i = 0, n = recipe_extras(extras, o); i < n; i++)
        if (extras[i].text)
            put_setting(p, extras[i].name, extras[i].text);
        else
            put_number(p, extras[i].name, extras[i].number);
}

static void put_heads(const struct page *p, const struct options *o)
{
    put_number(p, "epochs", o->epochs);
    put_number(p, "batch", o->batch);
    put_number(p, "learning rate", o->lr);
    put_number(p, "dropout", o->dropout);
    put_number(p, "gradients clipped to", o->clip_norm);
    put_extras(p, o);
    put_number(p, "early stop after", o->early_stop);
    put_setting(p, "augmentation", o->augment ? o->augment : "none");
    if (p->run->encoder)
        put_encoder(p);
    if (p->f->n_runs == 1)
        put_number(p, "best epoch", p->run->result.best_epoch);
}

static void put_prosody(const struct page *p, const struct options *o)
{
    put_setting(p, "network", "kernel, on functionals of prosody");
    put_number(p, "centres", o->centres);
    put_number(p, "background sounds", o->background);
    put_setting(p, "training clips heard at speeds", o->speed);
    if (o->augment) {
        char text[256];
        snprintf(text, sizeof(text), "%s, %d cop%s of each training clip", o->augment, o->copies,
                 o->copies == 1 ? "y" : "ies");
        put_setting(p, "augmentation", text);
    }
    put_setting(p, "ridge", o->ridge);
    if (p->f->n_runs == 1 && o->ridges.n > 1)
        put_number(p, "best ridge", prosody_ridge(p->run));
}

static void put_settings(const struct page *p)
{
    const struct options *o = p->run->o;
    fputs("<table>\n<tr><th class=\"t\">setting</th><th class=\"t\">value</th></tr>\n", p->out);
    put_number(p, "seed", (double)o->seed);
    if (is_prosody(p->run))
        put_prosody(p, o);
    else
        put_heads(p, o);
    if (p->f->n_runs == 1)
        put_number(p, "temperature", run_temperature(p->run));
    put_setting(p, "kernels", mood_cpu_tier());
    put_setting(p, "libmood", mood_version());
    fputs("</table>\n", p->out);
}

/* ---- the whole ---- */

void page_put(FILE *out, const struct findings *f)
{
    const struct page p = {out, f, &f->runs[0], f->runs[0].corpus,
                           mood_split_protocol(f->runs[0].split)};
    put_head(&p);
    put_title(&p);
    put_tiles(&p);
    put_confusion(&p);
    put_labels(&p);
    fputs(
        "<h2>Whether its probabilities mean anything</h2>\n<p class=\"note\">A temperature, fitted "
        "on the validation speakers only, makes the network as sure as it has a right to "
        "be.</p>\n",
        out);
    page_put_calibration(out, f);
    page_put_crossings(out, f);
    put_groups(&p);
    put_worst(&p);
    if (is_prosody(p.run)) {
        fputs("<h2>How the training went</h2>\n", out);
        page_put_ridges(out, f);
    } else {
        page_put_curves(out, f);
    }
    fputs("<h2>How it was made</h2>\n<div class=\"pair\">\n<div class=\"wide\">\n", out);
    if (f->n_runs > 1)
        put_folds(&p);
    else
        put_sides(&p);
    fputs("</div>\n<div class=\"wide\">\n", out);
    page_put_corpora(out, f);
    fputs("</div>\n<div class=\"wide\">\n", out);
    put_settings(&p);
    fputs("</div>\n</div>\n</main>\n</body>\n</html>\n", out);
}
