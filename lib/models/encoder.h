/* SPDX-License-Identifier: MIT
 *
 * models/encoder.h — The inside of an encoder, shared by encoder.c (life, identity), encoder_file.c
 * (files) and encoder_json.c (the JSON in them), and by those who make encoders of other files or
 * keep them in other files. */
#ifndef MOOD_MODELS_ENCODER_H
#define MOOD_MODELS_ENCODER_H

#include <stdatomic.h>

#include "base/sha256.h"
#include "mood/encoder.h"
#include "store/store.h"

struct mood_encoder {
    atomic_int owners;
    mood_encoder_config config;
    char identity[MOOD__SHA256_HEX_BYTES]; /* "": not known yet */
    char *source;
    mood_weights *weights;     /* sealed: exactly those of mood_wav2vec2 */
    struct mood__reader *file; /* that weights lie in, or NULL */
    mood_encoder *base;        /* that weights are shared with (mood__encoder_tunable), or NULL */
    bool rounded;              /* the weights are not those that the identity was made from */
    bool has_i8;               /* rounded, and some lie in the file as i8 */
};

/* The names and shapes of an encoder's weights, without numbers and without the memory for them
 * (mood__weights_start_outline). Owned by the caller. Errors: E_INVALID (mood_encoder_check),
 * E_NOMEM. */
MOOD_NODISCARD
mood_status mood__encoder_outline(mood_weights **out, const mood_encoder_config *config);

/* An encoder without weights, which the caller sets. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__encoder_create_bare(mood_encoder **out, const mood_encoder_config *config);

/* ---- parts ----------------------------------------------------------------------------------- */

/* A part of an encoder: what makes hidden state `last` of hidden state `first`, or of samples. */
enum { MOOD__FROM_SAMPLES = -1 };
struct mood__encoder_part {
    int first, last;
};

/* The input of a part for clips of n_samples: (batch, S, 1), or (batch, T, D). */
mood_node *mood__encoder_part_input(mood_graph *g, const mood_encoder_config *config,
                                    struct mood__encoder_part part, int64_t batch,
                                    int64_t n_samples);

/* The part itself: mood_wav2vec2 or mood_wav2vec2_layers. */
mood_node *mood__encoder_part_build(mood_node *input, const mood_encoder_config *config,
                                    struct mood__encoder_part part, mood_encoder_nodes *nodes);

/* A copy of an encoder in which the weights of that part can be trained. All others are those of
 * `base`, which is retained. Its source says what it was made of; it has no identity yet.
 * Errors: E_INVALID (the part), E_UNSUPPORTED (weights of i8), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__encoder_tunable(mood_encoder **out, mood_encoder *base,
                                  struct mood__encoder_part part);

/* ---- in files of any kind -------------------------------------------------------------------- */

/* Where in a file an encoder is. */
struct mood__encoder_place {
    const char *config; /* the entry with its JSON */
    const char *folder; /* of its weights, with a final '/' */
};

/* Add an encoder to a file; its numbers are borrowed until the file is saved.
 * Errors: E_INVALID (no identity yet; dtype), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__encoder_write(struct mood__writer *w, const mood_encoder *encoder,
                                const struct mood__encoder_place *place, mood_dtype dtype);

/* Read the encoder that is at `place`. Weights of f32 stay where they are in the file, so that the
 * encoder needs the reader: on success it is the encoder's, and *r is NULL.
 * Errors: as mood_encoder_load. */
MOOD_NODISCARD
mood_status mood__encoder_take(mood_encoder **out, struct mood__reader **r,
                               const struct mood__encoder_place *place);

/* ---- the JSON -------------------------------------------------------------------------------- */

/* Config, identity and source of an encoder as JSON text. *out is owned by the caller (mood__free).
 * Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__encoder_print(char **out, const mood_encoder *encoder);

/* Make an encoder without weights of that text.
 * Errors: E_FORMAT (not as mood__encoder_print makes it, or nothing can be built from it), E_NOMEM.
 */
MOOD_NODISCARD
mood_status mood__encoder_parse(mood_encoder **out, const char *text);

#endif
