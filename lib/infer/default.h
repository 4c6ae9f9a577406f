/* SPDX-License-Identifier: MIT
 *
 * default.h — What mood_model_find_default asks the system and the build for, so that a test can
 * give other answers. */
#ifndef MOOD_INFER_DEFAULT_H
#define MOOD_INFER_DEFAULT_H

#include "mood/infer.h"

struct mood__model_places {
    const char *named;  /* $MOOD_MODEL; may be NULL */
    const char *prefix; /* the folder above the program's own; "": not known */
    const char *below;  /* the data folder of libmood below a prefix; "": it does not lie there */
    const char *folder; /* and where it was to be installed */
};

MOOD_NODISCARD
mood_status mood__model_find_default(char *path, size_t bytes,
                                     const struct mood__model_places *places);

#endif
