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
