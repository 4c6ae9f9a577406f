/* SPDX-License-Identifier: MIT
 *
 * csv.h — Reading the small tables that people write by hand or save from a spreadsheet: CSV as in
 * RFC 4180, UTF-8, first line = names of columns. Takes a byte order mark, CRLF, quoted fields and
 * spaces around fields; passes over empty lines; refuses control characters, so that no error text
 * or path can hold a line break, and quotes that are not closed on their line.
 *
 * All errors are E_FORMAT, and their detail begins with the file and the line. */
#ifndef MOOD_CORPUS_CSV_H
#define MOOD_CORPUS_CSV_H

#include <stdbool.h>

#include "mood/base.h"

enum { MOOD__CSV_MAX_FIELDS = 64, MOOD__CSV_MAX_WANTED = 6 };

/* One reader over a text that it overwrites; the values point into that text. */
struct mood__csv {
    const char *file;                  /* for error texts */
    size_t line;                       /* of the row that was read last, from 1 */
    char *value[MOOD__CSV_MAX_WANTED]; /* of that row, in the order of the wanted columns; never
                                          empty. Where a column is optional, NULL for nothing */

    /* Private. */
    char *at, *end;
    const char *const *wanted;
    size_t n_wanted, n_needed, column[MOOD__CSV_MAX_WANTED], n_columns;
    char *field[MOOD__CSV_MAX_FIELDS];
    size_t n_fields;
};

/* Begin: read the first line and find the wanted columns in it (case not regarded); those from
 * number n_needed on may be missing. text[bytes] has to be 0. `file`, `text` and `wanted` are
 * borrowed until the last row is read. */
MOOD_NODISCARD
mood_status mood__csv_begin(struct mood__csv *csv, const char *file, char *text, size_t bytes,
                            const char *const *wanted, size_t n_wanted, size_t n_needed);

/* Read the next row into csv->value; *more is false when there is none. */
MOOD_NODISCARD
mood_status mood__csv_next(struct mood__csv *csv, bool *more);

/* Fail with "file: line N: ..." for the row that was read last. */
mood_status mood__csv_fail(const struct mood__csv *csv, mood_status status, const char *fmt, ...)
    MOOD_PRINTF(3, 4);

/* The bytes of a table in memory, with a 0 after the last. Owned by the caller; free with
 * mood__free. Errors: E_IO, E_UNSUPPORTED (above 64 MiB), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__csv_load(const char *path, char **text, size_t *bytes);

#endif
