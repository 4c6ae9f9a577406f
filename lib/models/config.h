/* SPDX-License-Identifier: MIT
 *
 * models/config.h — What config.c and encoder_json.c both do with JSON. jansson is included here,
 * and nowhere else in the library. */
#ifndef MOOD_MODELS_CONFIG_H
#define MOOD_MODELS_CONFIG_H

#include <jansson.h>

#include "mood/base.h"

/* A tree of the text of one object; json_decref frees it. NULL with *status set: E_INVALID (not
 * JSON, not an object, a key twice), E_NOMEM. */
json_t *mood__parse_object(const char *text, mood_status *status);

/* The text of a tree, which is taken over and freed; NULL is what jansson could not make for want
 * of memory. *out is owned by the caller (mood__free). Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__print_object(char **out, json_t *json);

/* A member that is a whole number from 0 to max; `object` may be NULL, and is then empty.
 * Errors: E_FORMAT. */
MOOD_NODISCARD
mood_status mood__read_whole(int *out, const json_t *object, const char *key, int max);

#endif
