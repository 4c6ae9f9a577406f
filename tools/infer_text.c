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
    TIME_BYTES = 32
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

/* 0:07.5, or 1:02:03.4. */
static const char *clock_text(char buf[TIME_BYTES], double seconds)
{
    long long tenths = (long long)(seconds * 10 + 0.5);
    long long h = tenths / 36000, m = tenths / 600 % 60, s = tenths / 10 % 60;
    if (h > 0)
        snprintf(buf, TIME_BYTES, "%lld:%02lld:%02lld.%lld", h, m, s, tenths % 10);
    else
        snprintf(buf, TIME_BYTES, "%lld:%02lld.%lld", m, s, tenths % 10);
    return buf;
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
    char name[NAME_BYTES], label[LABEL_BYTES], sequence[CLI_COLOUR_BYTES], when[TIME_BYTES];
    char warning[128];

    cli_printable(name, sizeof(name), strcmp(a->file, "-") == 0 ? "standard input" : a->file);
    printf("%s%s%s  %s\n", cli_bold(c), name, cli_plain(c), clock_text(when, a->duration_s));
    if (colour)
        printf("%s", cli_colour(c, (unsigned)strtoul(colour + 1, NULL, 16), sequence));
    printf("%s%s %d%%%s", cli_bold(c), cli_printable(label, sizeof(label), emotion),
           percent((double)r->confidence), cli_plain(c));
    if (music)
        printf(", %s music", music);
    printf("\n");
    if (infer_warning(r, warning, sizeof(warning)))
        printf("%s\n", warning);
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

/* Neighbouring windows overlap; where one answer gives way to another, the border is drawn in the
 * middle of what both have heard. */
static double border(const mood_segment *before, const mood_segment *after)
{
    return (before->end_s + after->start_s) / 2;
}

static bool same_answer(const mood_segment *a, const mood_segment *b)
{
    return a->speech == b->speech && (!a->speech || a->best == b->best);
}

/* One line for each stretch of windows with the same answer, and its mean confidence. */
static void print_time_line(const struct cli *c, const struct infer_answer *a, int columns)
{
    const mood_segment *s = a->result->segments;
    size_t n = a->result->n_segments;
    char from[TIME_BYTES], to[TIME_BYTES];
    int width = (int)strlen(clock_text(to, s[n - 1].end_s)); /* nothing is longer than the last */
    for (size_t first = 0, end; first < n; first = end) {
        double sum = 0;
        for (end = first; end < n && same_answer(&s[first], &s[end]); end++)
            sum += (double)s[end].confidence;
        double mean = sum / (double)(end - first);
        clock_text(from, first > 0 ? border(&s[first - 1], &s[first]) : s[first].start_s);
        clock_text(to, end < n ? border(&s[end - 1], &s[end]) : s[end - 1].end_s);
        printf("  %*s - %*s  ", width, from, width, to);
        if (!s[first].speech) {
            printf("%s\n", no_speech);
            continue;
        }
        const char *label = mood_model_label(a->model, s[first].best);
        print_label(label, columns);
        printf("  ");
        print_bar(c, mean, SPAN_BAR_COLUMNS, label);
        printf(" %3d%%\n", percent(mean));
    }
}

void infer_print_text(const struct cli *c, const struct infer_answer *a)
{
    int columns = label_columns(a->model);
    print_heading(c, a);
    printf("\n");
    print_labels(c, a, columns);
    if (a->result->n_segments > 1) {
        printf("\n");
        print_time_line(c, a, columns);
    }
}
