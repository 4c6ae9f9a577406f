/* SPDX-License-Identifier: MIT
 *
 * convert.h — The parts of mood-convert: mood-convert.c reads the command line and converts,
 * convert_info.c says what a file is, convert_record.c what its model was trained on. */
#ifndef MOOD_TOOLS_CONVERT_H
#define MOOD_TOOLS_CONVERT_H

#include <stdbool.h>

#include "mood/mood.h"

/* A folder or file that was opened. */
struct source {
    mood_file_info file; /* of a file of libmood; all zeros for a folder */
    mood_imported in;    /* what it holds: an encoder, a model, a model with an encoder inside;
                          * neither,    then `file` is all that is known */
};

/* Print on stdout what it is. `verified`: its identity was computed again, and agreed. */
void convert_info(const struct source *s, const char *path, bool verified);

/* Print what mood-train's record of a model says; false, and nothing printed, when it is another
 * program's. */
bool convert_record(const char *record);

#endif
