/* SPDX-License-Identifier: MIT
 *
 * infer_output.h — The ways in which mood-infer shows a result. */
#ifndef MOOD_TOOLS_INFER_OUTPUT_H
#define MOOD_TOOLS_INFER_OUTPUT_H

#include "cli.h"
#include "mood/infer.h"

/* One recording and what was heard in it. */
struct infer_answer {
    const char *file; /* as the user called it; "-" for standard input */
    double duration_s;
    const mood_model *model;
    const mood_result *result;
    const char *warning; /* why it should not be trusted, or NULL */
};

/* One object on one line of stdout. */
void infer_print_json(const struct infer_answer *a);

/* A row for each window, behind a row of names if `names`; the file's name is a column of `file`.
 */
void infer_print_csv(const struct infer_answer *a, bool names, bool file);

/* Subtitles: one for each span with speech. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status infer_print_srt(const struct infer_answer *a);

/* For people, at most 80 columns wide while labels and file names are short. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status infer_print_text(const struct cli *c, const struct infer_answer *a);

/* A picture of the time line, written to `path` under a temporary name first.
 * Errors: as mood__file_write_atomic; E_NOMEM. */
MOOD_NODISCARD
mood_status infer_write_svg(const char *path, const struct infer_answer *a);

/* A time as 0:07.5, or 1:02:03.4, rounded to `digits` (0 or 1) behind the point; written to buf,
 * which is returned. */
enum { INFER_CLOCK_BYTES = 32 };
const char *infer_clock(char buf[INFER_CLOCK_BYTES], double seconds, int digits);

/* How the recording is called among people. */
const char *infer_file_name(const struct infer_answer *a);

#endif
