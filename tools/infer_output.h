/* SPDX-License-Identifier: MIT
 *
 * infer_output.h — The two ways in which mood-infer shows a result. */
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
};

/* Why the answer should not be trusted, or NULL. Written to buf, which is returned. */
const char *infer_warning(const mood_result *result, char *buf, size_t bytes);

/* One object on one line of stdout. */
void infer_print_json(const struct infer_answer *a);

/* For people, at most 80 columns wide while labels and file names are short. */
void infer_print_text(const struct cli *c, const struct infer_answer *a);

#endif
