/* SPDX-License-Identifier: MIT
 *
 * csv.c — A line by line CSV reader that works in place. */
#include "corpus/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { MAX_TABLE_BYTES = 64 << 20 }; /* some 500 000 clips */

mood_status mood__csv_fail(const struct mood__csv *csv, mood_status status, const char *fmt, ...)
{
    char reason[MOOD__DETAIL_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    return mood__fail(status, "%s: line %zu: %s", csv->file, csv->line, reason);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

/* Cut the next line off the text: *line ends with 0 in place of its line break. False at the end.
 */
static bool cut_line(struct mood__csv *csv, char **line, size_t *bytes)
{
    if (csv->at == csv->end)
        return false;
    char *stop = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    *line = csv->at;
    csv->at = stop ? stop + 1 : csv->end;
    if (!stop)
        stop = csv->end;
    if (stop > *line && stop[-1] == '\r')
        stop--;
    *stop = 0;
    *bytes = (size_t)(stop - *line);
    csv->line++;
    return true;
}

static mood_status check_bytes(const struct mood__csv *csv, const char *line, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (mood__is_control(line[i]) && line[i] != '\t')
            return mood__csv_fail(csv, MOOD_E_FORMAT, "control character 0x%02x; is this CSV text?",
                                  (unsigned char)line[i]);
    }
    if (!mood__is_utf8(line))
        return mood__csv_fail(csv, MOOD_E_FORMAT, "not UTF-8 text");
    return MOOD_OK;
}

/* Take the field that begins at *s, in place; *s moves to the next one unless this is the last. */
static mood_status take_field(const struct mood__csv *csv, char **s, char **field, bool *last)
{
    char *r = skip_blanks(*s), *end;
    *field = r;
    if (*r == '"') {
        end = r; /* the text moves down over the quotes */
        for (r++; *r != '"' || r[1] == '"'; r++) {
            if (!*r)
                return mood__csv_fail(csv, MOOD_E_FORMAT, "a quote is not closed on its line");
            r += *r == '"';
            *end++ = *r;
        }
        r = skip_blanks(r + 1);
        if (*r && *r != ',')
            return mood__csv_fail(csv, MOOD_E_FORMAT, "text after a closing quote");
    } else {
        r += strcspn(r, ",");
        end = r;
        while (end > *field && is_blank(end[-1]))
            end--;
    }
    *last = !*r;
    *s = *last ? r : r + 1;
    *end = 0;
    return MOOD_OK;
}

/* Split the next line that is not empty. */
static mood_status read_fields(struct mood__csv *csv, bool *more)
{
    char *line;
    size_t bytes;
    do {
        *more = cut_line(csv, &line, &bytes);
        if (!*more)
            return MOOD_OK;
        MOOD__TRY(check_bytes(csv, line, bytes));
    } while (!*skip_blanks(line));

    csv->n_fields = 0;
    for (bool last = false; !last;) {
        if (csv->n_fields == MOOD__CSV_MAX_FIELDS)
            return mood__csv_fail(csv, MOOD_E_FORMAT, "more than %d columns", MOOD__CSV_MAX_FIELDS);
        MOOD__TRY(take_field(csv, &line, &csv->field[csv->n_fields++], &last));
    }
    return MOOD_OK;
}

mood_status mood__csv_begin(struct mood__csv *csv, const char *file, char *text, size_t bytes,
                            const char *const *wanted, size_t n_wanted, size_t n_needed)
{
    *csv = (struct mood__csv){.file = file,
                              .at = text,
                              .end = text + bytes,
                              .wanted = wanted,
                              .n_wanted = n_wanted,
                              .n_needed = n_needed};
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3;

    bool more;
    MOOD__TRY(read_fields(csv, &more));
    if (!more)
        return mood__fail(MOOD_E_FORMAT, "%s: an empty file", file);
    csv->n_columns = csv->n_fields;
    for (size_t i = 0; i < n_wanted; i++) {
        size_t n = 0;
        csv->column[i] = csv->n_columns; /* nowhere */
        for (size_t j = 0; j < csv->n_columns; j++) {
            if (mood__same_word(csv->field[j], wanted[i])) {
                csv->column[i] = j;
                n++;
            }
        }
        if (n > 1 || (n == 0 && i < n_needed))
            return mood__csv_fail(csv, MOOD_E_FORMAT, "%s column '%s' in the first line",
                                  n ? "more than one" : "no", wanted[i]);
    }
    return MOOD_OK;
}

mood_status mood__csv_next(struct mood__csv *csv, bool *more)
{
    MOOD__TRY(read_fields(csv, more));
    if (!*more)
        return MOOD_OK;
    if (csv->n_fields != csv->n_columns)
        return mood__csv_fail(csv, MOOD_E_FORMAT, "%zu fields, but the first line has %zu",
                              csv->n_fields, csv->n_columns);
    for (size_t i = 0; i < csv->n_wanted; i++) {
        char *value = csv->column[i] < csv->n_columns ? csv->field[csv->column[i]] : NULL;
        csv->value[i] = value && *value ? value : NULL;
        if (!csv->value[i] && i < csv->n_needed)
            return mood__csv_fail(csv, MOOD_E_FORMAT, "%s is empty", csv->wanted[i]);
    }
    return MOOD_OK;
}

mood_status mood__csv_load(const char *path, char **text, size_t *bytes)
{
    unsigned char *content;
    mood_status status = mood__file_read(path, MAX_TABLE_BYTES, &content, bytes);
    if (status != MOOD_OK)
        return mood__fail_in(status, "%s", path);
    *text = (char *)content;
    return MOOD_OK;
}
