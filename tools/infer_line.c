/* SPDX-License-Identifier: MIT
 *
 * infer_line.c — The course of a recording for other programs: CSV for tables, SRT for players. */
#include <string.h>

#include "infer_output.h"

/* ---- CSV (RFC 4180, with the line ends of this system) ------------------------------------- */

/* A field: in quotes where it has to be. Bytes that are no UTF-8 become the text \xNN, as in JSON.
 */
static void put_field(const char *text)
{
    bool quoted = strpbrk(text, "\",\r\n") || text[0] == ' ' || text[strlen(text) - 1] == ' ';
    if (quoted)
        putchar('"');
    while (*text) {
        int n = cli_character(text);
        if (n == 0)
            printf("\\x%02x", (unsigned char)*text);
        else if (*text == '"')
            printf("\"\"");
        else
            fwrite(text, 1, (size_t)n, stdout);
        text += n > 0 ? n : 1;
    }
    if (quoted)
        putchar('"');
}

static const char *status_of(const mood_segment *s)
{
    return mood_verdict_name(!s->speech                       ? MOOD_VERDICT_NO_SPEECH
                             : s->confidence < MOOD_CONFIDENT ? MOOD_VERDICT_LOW_CONFIDENCE
                                                              : MOOD_VERDICT_SUCCESS);
}

void infer_print_csv(const struct infer_answer *a, bool names, bool file)
{
    if (names)
        printf("%sstart,end,emotion,confidence,status\n", file ? "file," : "");
    for (size_t i = 0; i < a->result->n_segments; i++) {
        const mood_segment *s = &a->result->segments[i];
        if (file) {
            put_field(a->file);
            putchar(',');
        }
        printf("%.9g,%.9g,", s->start_s, s->end_s);
        put_field(mood_model_label(a->model, s->best));
        printf(",%.9g,%s\n", (double)s->confidence, status_of(s));
    }
}

/* ---- SRT ----------------------------------------------------------------------------------- */

static void put_time(long long ms)
{
    printf("%02lld:%02lld:%02lld,%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

static long long milliseconds(double seconds)
{
    return (long long)(seconds * 1000 + 0.5);
}

mood_status infer_print_srt(const struct infer_answer *a)
{
    mood_timeline *t;
    size_t n;
    int number = 0;
    mood_status status = mood_timeline_create(&t, a->result, NULL);
    if (status)
        return status;
    const mood_segment *spans = mood_timeline_spans(t, &n);
    for (size_t i = 0; i < n; i++) {
        char label[4 * MOOD_MAX_LABEL_BYTES + 1];
        long long from = milliseconds(spans[i].start_s), to = milliseconds(spans[i].end_s);
        if (!spans[i].speech)
            continue;
        printf("%s%d\n", number > 0 ? "\n" : "", number + 1);
        put_time(from);
        printf(" --> ");
        put_time(to > from ? to : from + 1);
        printf("\n%s%s %.0f%%\n",
               cli_printable(label, sizeof(label), mood_model_label(a->model, spans[i].best)),
               spans[i].confidence < MOOD_CONFIDENT ? "?" : "", 100 * (double)spans[i].confidence);
        number++;
    }
    mood_timeline_destroy(&t);
    return MOOD_OK;
}
