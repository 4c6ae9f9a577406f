/* SPDX-License-Identifier: MIT
 *
 * infer_svg.c — A picture of a recording's time line: a lane for each label, and in it a bar where
 * that label is the answer, as high as it is sure and pale where it is not. Sizes are in the units
 * of the viewBox, about one pixel each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "infer_output.h"

enum {
    WIDTH = 960,
    LEFT = 120, /* of the plot: names of the lanes stand before it, their shares of time behind */
    RIGHT = WIDTH - 70,
    TOP = 92,
    LANE = 34,      /* from one to the next */
    BAR = 28,       /* the height of a bar that is sure */
    FOOT = 64,      /* axis and legend, below the plot */
    MAX_BARS = 320, /* more could not be told apart */
    ALL_LANES = 12, /* with more labels, only those that occur have one */
    NAME_COLUMNS = 100,
    WARNING_COLUMNS = 150,
    LABEL_COLUMNS = 14,
    TEXT_BYTES = 4096
};

struct picture {
    FILE *f;
    const struct infer_answer *a;
    const mood_segment *slots, *spans; /* joined slots, and their spans */
    size_t n_slots, n_spans;
    int lane[MOOD_MAX_LABELS]; /* of each label, from the top; -1: it has none */
    int n_lanes;
    double heard_s, label_s[MOOD_MAX_LABELS]; /* time with speech, and of each label */
};

/* ---- text ---------------------------------------------------------------------------------- */

/* Text from outside, at most `columns` characters of it, escaped for XML. */
static void put_text(FILE *f, const char *text, int columns)
{
    char clean[TEXT_BYTES];
    cli_printable(clean, sizeof(clean), text);
    for (const char *s = clean; *s; columns--) {
        int n = cli_character(s);
        if (columns == 0) {
            fputs("\u2026", f);
            return;
        }
        if (strchr("&<>\"'", *s))
            fprintf(f, "&#%d;", *s);
        else if (strncmp(s, "\xef\xbf\xbe", 3) == 0 || strncmp(s, "\xef\xbf\xbf", 3) == 0)
            fputc('?', f); /* characters that XML has not */
        else
            fwrite(s, 1, (size_t)n, f);
        s += n;
    }
}

static int percent(double share)
{
    return (int)(share * 100 + 0.5);
}

static const char *colour_of(const struct picture *p, int label)
{
    const char *colour = mood_emotion_colour(mood_model_label(p->a->model, label));
    return colour ? colour : "#64748B";
}

/* ---- places -------------------------------------------------------------------------------- */

static double at_x(const struct picture *p, double seconds)
{
    return LEFT + seconds / p->a->duration_s * (RIGHT - LEFT);
}

/* The line that the bars of a lane stand on. */
static int ground(int lane)
{
    return TOP + (lane + 1) * LANE;
}

/* The shares of the labels, at full resolution, and which of them have a lane. */
static mood_status lay_out(struct picture *p)
{
    mood_timeline *t;
    size_t n;
    int V = p->a->result->n_labels;
    bool drawn[MOOD_MAX_LABELS] = {false};
    mood_status status = mood_timeline_create(&t, p->a->result, NULL);
    if (status)
        return status;
    const mood_segment *spans = mood_timeline_spans(t, &n);
    for (size_t i = 0; i < n; i++) {
        double seconds = spans[i].speech ? spans[i].end_s - spans[i].start_s : 0;
        p->heard_s += seconds;
        p->label_s[spans[i].best] += seconds;
    }
    mood_timeline_destroy(&t);
    for (size_t i = 0; i < p->n_slots; i++)
        drawn[p->slots[i].best] = p->slots[i].speech || drawn[p->slots[i].best];
    for (int v = 0; v < V; v++)
        p->lane[v] = V <= ALL_LANES || drawn[v] || p->label_s[v] > 0 ? p->n_lanes++ : -1;
    if (p->n_lanes == 0)
        p->n_lanes = 1; /* for the gap */
    return MOOD_OK;
}

/* ---- parts --------------------------------------------------------------------------------- */

static void put_head(const struct picture *p)
{
    const mood_result *r = p->a->result;
    const char *label = mood_model_label(p->a->model, r->best), *music;
    char when[INFER_CLOCK_BYTES];
    fputs("<title>", p->f);
    put_text(p->f, infer_file_name(p->a), NAME_COLUMNS);
    fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n"
          "<text x=\"20\" y=\"32\" font-size=\"18\" font-weight=\"600\" fill=\"#0F172A\">",
          p->f);
    put_text(p->f, infer_file_name(p->a), NAME_COLUMNS);
    fputs("</text>\n<text x=\"20\" y=\"56\" font-size=\"14\">", p->f);
    fprintf(p->f, "%s \u00b7 ", infer_clock(when, p->a->duration_s, 1));
    put_text(p->f, label, NAME_COLUMNS);
    fprintf(p->f, " %d%%", percent((double)r->confidence));
    if ((music = mood_emotion_music_mood(label)))
        fprintf(p->f, ", %s music", music);
    if (p->a->warning) {
        fputs("</text>\n<text x=\"20\" y=\"76\" font-size=\"12\" fill=\"#64748B\">", p->f);
        put_text(p->f, p->a->warning, WARNING_COLUMNS);
    }
    fputs("</text>\n", p->f);
}

static void put_lanes(const struct picture *p)
{
    for (int v = 0; v < p->a->result->n_labels; v++) {
        int y = ground(p->lane[v]);
        if (p->lane[v] < 0)
            continue;
        fprintf(p->f,
                "<path d=\"M%d %dH%d\" stroke=\"#E2E8F0\"/>"
                "<rect x=\"20\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" fill=\"%s\"/>"
                "<text x=\"40\" y=\"%d\">",
                LEFT, y, RIGHT, y - 20, colour_of(p, v), y - 9);
        put_text(p->f, mood_model_label(p->a->model, v), LABEL_COLUMNS);
        fprintf(p->f, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\"%s>%d%%</text>\n",
                WIDTH - 20, y - 9, p->label_s[v] > 0 ? "" : " fill=\"#94A3B8\"",
                p->heard_s > 0 ? percent(p->label_s[v] / p->heard_s) : 0);
    }
}

/* What a browser shows when the pointer rests on a bar. */
static void put_hint(const struct picture *p, const mood_segment *s)
{
    char from[INFER_CLOCK_BYTES], to[INFER_CLOCK_BYTES];
    fprintf(p->f, "<title>%s \u2013 %s ", infer_clock(from, s->start_s, 1),
            infer_clock(to, s->end_s, 1));
    put_text(p->f, s->speech ? mood_model_label(p->a->model, s->best) : "no speech", NAME_COLUMNS);
    if (s->speech)
        fprintf(p->f, " %d%%", percent((double)s->confidence));
    fputs("</title>", p->f);
}

static void put_gaps(const struct picture *p)
{
    for (size_t i = 0; i < p->n_spans; i++) {
        const mood_segment *s = &p->spans[i];
        if (s->speech)
            continue;
        fprintf(p->f,
                "<rect class=\"gap\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" "
                "fill=\"url(#gap)\">",
                at_x(p, s->start_s), TOP, at_x(p, s->end_s) - at_x(p, s->start_s),
                ground(p->n_lanes - 1) - TOP);
        put_hint(p, s);
        fputs("</rect>\n", p->f);
    }
}

static void put_bars(const struct picture *p)
{
    fputs("<g shape-rendering=\"crispEdges\">\n", p->f); /* no seams between neighbours */
    for (size_t i = 0; i < p->n_slots; i++) {
        const mood_segment *s = &p->slots[i];
        double height = fmax(1, BAR * (double)s->confidence);
        if (!s->speech)
            continue;
        fprintf(p->f,
                "<rect class=\"bar\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
                "fill=\"%s\"%s>",
                at_x(p, s->start_s), ground(p->lane[s->best]) - height,
                at_x(p, s->end_s) - at_x(p, s->start_s), height, colour_of(p, s->best),
                s->confidence < MOOD_CONFIDENT ? " fill-opacity=\"0.4\"" : "");
        put_hint(p, s);
        fputs("</rect>\n", p->f);
    }
    fputs("</g>\n", p->f);
}

/* Ticks of a round number of seconds, minutes or hours, so that there are at most ten. */
static void put_axis(const struct picture *p)
{
    static const double steps[] = {1,   2,   5,   10,   15,   30,   60,   120,
                                   300, 600, 900, 1800, 3600, 7200, 14400};
    int k = 0, last = sizeof(steps) / sizeof(steps[0]) - 1, y = ground(p->n_lanes - 1);
    while (k < last && p->a->duration_s > 10 * steps[k])
        k++;
    for (int i = 0; i * steps[k] <= p->a->duration_s; i++) {
        char when[INFER_CLOCK_BYTES];
        double x = at_x(p, i * steps[k]);
        fprintf(p->f,
                "<path d=\"M%.2f %dV%d\" stroke=\"#CBD5E1\"/>"
                "<text class=\"tick\" x=\"%.2f\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">"
                "%s</text>\n",
                x, y, y + 6, x, y + 20, infer_clock(when, i * steps[k], 0));
    }
}

static void put_legend(const struct picture *p)
{
    int y = ground(p->n_lanes - 1) + 50, pale = percent((double)MOOD_CONFIDENT);
    fprintf(p->f,
            "<g font-size=\"12\" fill=\"#64748B\">"
            "<text x=\"%d\" y=\"%d\">The higher a bar, the surer.</text>"
            "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"#64748B\" "
            "fill-opacity=\"0.4\"/><text x=\"%d\" y=\"%d\">pale: below %d%%</text>"
            "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"url(#gap)\" "
            "stroke=\"#CBD5E1\"/>"
            "<text x=\"%d\" y=\"%d\">no speech</text>"
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">share of the speech</text></g>\n",
            LEFT, y, LEFT + 190, y - 10, LEFT + 208, y, pale, LEFT + 320, y - 10, LEFT + 338, y,
            WIDTH - 20, y);
}

static void put_all(const struct picture *p)
{
    int height = ground(p->n_lanes - 1) + FOOT;
    fprintf(p->f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"13\" "
            "fill=\"#475569\" role=\"img\">\n"
            "<defs><pattern id=\"gap\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
            "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#F8FAFC\"/>"
            "<path d=\"M0 0V6\" stroke=\"#CBD5E1\"/></pattern></defs>\n",
            WIDTH, height, WIDTH, height);
    put_head(p);
    put_gaps(p);
    put_lanes(p);
    put_bars(p);
    put_axis(p);
    put_legend(p);
    fputs("</svg>\n", p->f);
}

static mood_status draw(const char *path, struct picture *p)
{
    char *bytes = NULL;
    size_t n = 0;
    mood_status status = mood__nomem();
    p->f = open_memstream(&bytes, &n);
    if (p->f) {
        put_all(p);
        if (fclose(p->f) == 0)
            status = mood__file_write_atomic(path, &(struct mood__part){bytes, n}, 1);
    }
    free(bytes);
    return status;
}

mood_status infer_write_svg(const char *path, const struct infer_answer *a)
{
    mood_timeline *t;
    struct picture p = {.a = a};
    mood_status status = lay_out(&p);
    if (!status)
        status =
            mood_timeline_create(&t, a->result, &(mood_timeline_params){.max_slots = MAX_BARS});
    if (status)
        return status;
    p.slots = mood_timeline_slots(t, &p.n_slots);
    p.spans = mood_timeline_spans(t, &p.n_spans);
    status = draw(path, &p);
    mood_timeline_destroy(&t);
    return status;
}
