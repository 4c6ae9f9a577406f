/* SPDX-License-Identifier: MIT
 *
 * json.h — What record.c makes and report.c writes. jansson is included here, and nowhere else in
 * mood-train. Out of memory shows when the whole is dumped. */
#ifndef MOOD_TRAIN_JSON_H
#define MOOD_TRAIN_JSON_H

#include <jansson.h>

#include "findings.h"

/* A text that may be no UTF-8, as file names may. */
json_t *json_text(const char *s);

json_t *labels_json(const mood_corpus *corpus);
json_t *protocol_json(const mood_protocol *p);

/* The collections; with `sides`, what of each is where in this run. */
json_t *corpora_json(const struct run *r, bool sides);

/* Which encoder was heard, or trained; and which layer of it, and why that one. */
json_t *encoder_json(const struct run *r);
json_t *heard_json(const struct run *r);

/* Which epoch the model is of, or which lambda. */
void add_choice(json_t *o, const struct run *r);

/* What the model file and metrics.json both say. */
json_t *training_json(const struct run *r);

#endif
