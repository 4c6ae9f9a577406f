/* SPDX-License-Identifier: MIT
 *
 * infer_text.c — Results for people: the answer, a bar for each label, and for recordings of more
 * than one window a time line.
 *
 *     clip.wav  0:07.5
 *     happy 83%, upbeat music
 *
 *       neutral    #                                           4%
 *       happy      #################################          83%
 *       ...
 *
 *       0:00.0 - 0:05.3  happy      ###################       79%
 *       0:05.3 - 0:07.5  no speech */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer_output.h"

enum {
    BAR_COLUMNS = 40,
    SPAN_BAR_COLUMNS = 24,
    MIN_LABEL_COLUMNS = 9,
    MAX_LABEL_COLUMNS = 20,
    LABEL_BYTES = 4 * MOOD_MAX_LABEL_BYTES + 1, /* each byte may become \xNN */
    NAME_BYTES = 4096,
    MAX_LINES = 40 /* of a time line: somebody has to read it */
};

static const char no_speech[] = "no speech";

/* ---- the terminal's letters --------------------------------------------------------------- */

/* Whether block characters can be shown: the locale says UTF-8. (No setlocale: nothing else in the
 * program should follow the locale.) */
static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") ||
                   strstr(value, "utf-8");
    }
    return false;
}

/* A bar of `share` of `columns`, padded to their number: in eighths of a column where possible. */
static void print_bar(const struct cli *c, double share, int columns, const char *label)
{
    static const char *const eighth[] = {"",       "\u258f", "\u258e", "\u258d",
                                         "\u258c", "\u258b", "\u258a", "\u2589"};
    const char *colour = mood_emotion_colour(label);
    char sequence[CLI_COLOUR_BYTES];
    if (colour)
        printf("%s", cli_colour(c, (unsigned)strtoul(colour + 1, NULL, 16), sequence));

    bool blocks = speaks_utf8();
    int steps = blocks ? 8 : 1, length = (int)(share * columns * steps + 0.5);
    for (int i = 0; i < length / steps; i++)
        printf("%s", blocks ? "\u2588" : "#");
    if (blocks)
        printf("%s", eighth[length % steps]);
    if (colour)
        printf("%s", cli_plain(c));
    int used = (length + steps - 1) / steps;
    printf("%*s", columns - used, "");
}

/* Print at most `columns` characters of a label, padded to their number. */
static void print_label(const char *label, int columns)
{
    char clean[LABEL_BYTES];
    cli_printable(clean, sizeof(clean), label);
    int used = 0;
    for (const char *s = clean; *s && used < columns; used++) {
        int n = cli_character(s);
        printf("%.*s", n, s);
        s += n;
    }
    printf("%*s", columns - used, "");
}

static int label_columns(const mood_model *model)
{
    int widest = MIN_LABEL_COLUMNS;
    for (int i = 0; i < mood_model_n_labels(model); i++) {
        char clean[LABEL_BYTES];
        int columns = 0;
        cli_printable(clean, sizeof(clean), mood_model_label(model, i));
        for (const char *s = clean; *s; s += cli_character(s))
            columns++;
        if (columns > widest)
            widest = columns;
    }
    return widest < MAX_LABEL_COLUMNS ? widest : MAX_LABEL_COLUMNS;
}

const char *infer_clock(char buf[INFER_CLOCK_BYTES], double seconds, int digits)
{
    long long tenths = (long long)(seconds * 10 + 0.5);
    if (digits == 0)
        tenths = (long long)(seconds + 0.5) * 10;
    long long h = tenths / 36000, m = tenths / 600 % 60, s = tenths / 10 % 60;
    int used = h > 0 ? snprintf(buf, INFER_CLOCK_BYTES, "%lld:%02lld:%02lld", h, m, s)
                     : snprintf(buf, INFER_CLOCK_BYTES, "%lld:%02lld", m, s);
    if (digits > 0)
        snprintf(buf + used, INFER_CLOCK_BYTES - (size_t)used, ".%lld", tenths % 10);
    return buf;
}

const char *infer_file_name(const struct infer_answer *a)
{
    return strcmp(a->file, "-") == 0 ? "standard input" : a->file;
}

static int percent(double share)
{
    return (int)(share * 100 + 0.5);
}

/* ---- the parts ---------------------------------------------------------------------------- */

static void print_heading(const struct cli *c, const struct infer_answer *a)
{
    const mood_result *r = a->result;
    const char *emotion = mood_model_label(a->model, r->best);
    const char *colour = mood_emotion_colour(emotion), *music = mood_emotion_music_mood(emotion);
    char name[NAME_BYTES], label[LABEL_BYTES], sequence[CLI_COLOUR_BYTES], when[INFER_CLOCK_BYTES];

    cli_printable(name, sizeof(name), infer_file_name(a));
    printf("%s%s%s  %s\n", cli_bold(c), name, cli_plain(c), infer_clock(when, a->duration_s, 1));
    if (colour)
        printf("%s", cli_colour(c, (unsigned)strtoul(colour + 1, NULL, 16), sequence));
    printf("%s%s %d%%%s", cli_bold(c), cli_printable(label, sizeof(label), emotion),
           percent((double)r->confidence), cli_plain(c));
    if (music)
        printf(", %s music", music);
    printf("\n");
    if (a->warning)
        printf("%s\n", a->warning);
}

static void print_labels(const struct cli *c, const struct infer_answer *a, int columns)
{
    for (int i = 0; i < a->result->n_labels; i++) {
        const char *label = mood_model_label(a->model, i);
        double prob = (double)a->result->prob[i];
        bool best = i == a->result->best;
        printf("  %s", best ? cli_bold(c) : "");
        print_label(label, columns);
        printf("%s  ", best ? cli_plain(c) : "");
        print_bar(c, prob, BAR_COLUMNS, label);
        printf(" %3d%%\n", percent(prob));
    }
}

/* One line for each span. */
static void print_spans(const struct cli *c, const struct infer_answer *a, int columns,
                        const mood_segment *spans, size_t n)
{
    char from[INFER_CLOCK_BYTES], to[INFER_CLOCK_BYTES];
    int width = (int)strlen(infer_clock(to, spans[n - 1].end_s, 1)); /* nothing is longer */
    for (size_t i = 0; i < n; i++) {
        const mood_segment *s = &spans[i];
        printf("  %*s - %*s  ", width, infer_clock(from, s->start_s, 1), width,
               infer_clock(to, s->end_s, 1));
        if (!s->speech) {
            printf("%s\n", no_speech);
            continue;
        }
        const char *label = mood_model_label(a->model, s->best);
        print_label(label, columns);
        printf("  ");
        print_bar(c, (double)s->confidence, SPAN_BAR_COLUMNS, label);
        printf(" %3d%%\n", percent((double)s->confidence));
    }
}

/* The time line at its full resolution, or coarser where that has too many lines. */
static mood_status make_time_line(mood_timeline **out, const mood_result *result)
{
    size_t n;
    mood_status status = mood_timeline_create(out, result, NULL);
    if (status)
        return status;
    mood_timeline_spans(*out, &n);
    if (n <= MAX_LINES)
        return MOOD_OK;
    mood_timeline_destroy(out);
    return mood_timeline_create(out, result, &(mood_timeline_params){.max_slots = MAX_LINES});
}

mood_status infer_print_text(const struct cli *c, const struct infer_answer *a)
{
    int columns = label_columns(a->model);
    mood_timeline *t;
    size_t n;
    mood_status status = make_time_line(&t, a->result);
    if (status)
        return status;
    const mood_segment *spans = mood_timeline_spans(t, &n);
    print_heading(c, a);
    printf("\n");
    print_labels(c, a, columns);
    if (a->result->n_segments > 1) {
        printf("\n");
        print_spans(c, a, columns, spans, n);
    }
    mood_timeline_destroy(&t);
    return MOOD_OK;
}
