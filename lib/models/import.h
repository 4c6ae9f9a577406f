/* SPDX-License-Identifier: MIT
 *
 * models/import.h — The parts of an import: what config.json says (import_config.c), the tensors
 * (import_tensors.c), the classifier among them (import_head.c), its labels (import_labels.c).
 * import.c puts them together. */
#ifndef MOOD_MODELS_IMPORT_H
#define MOOD_MODELS_IMPORT_H

#include "models/document.h"
#include "mood/encoder.h"
#include "mood/model.h"
#include "store/checkpoint.h"

/* ---- config.json, preprocessor_config.json -------------------------------------------------- */

struct mood__import_config {
    mood_encoder_config encoder;
    char model_type[32];   /* "wav2vec2" or "hubert" */
    char architecture[64]; /* a class of transformers, or somebody's own; "": none is named */
};

/* Errors: E_FORMAT, E_UNSUPPORTED. */
MOOD_NODISCARD
mood_status mood__import_read_config(struct mood__import_config *out,
                                     const struct mood__document *config);

/* What preprocessor_config.json says about the clip, into out->normalise. */
MOOD_NODISCARD
mood_status mood__import_read_preprocessor(mood_encoder_config *out,
                                           const struct mood__document *preprocessor);

/* ---- labels --------------------------------------------------------------------------------- */

struct mood__import_labels {
    int n;
    char original[MOOD_MAX_LABELS][MOOD_MAX_LABEL_BYTES + 1]; /* as config.json has them */
    char text[MOOD_MAX_LABELS][MOOD_MAX_LABEL_BYTES + 1];     /* as the model will */
};

/* The labels of a classifier with n outputs, 2 to MOOD_MAX_LABELS, as import.h describes them.
 * Errors: E_FORMAT (config.json has others than n, or numbers them with gaps). */
MOOD_NODISCARD
mood_status mood__import_read_labels(struct mood__import_labels *out,
                                     const struct mood__document *config, int n);

/* ---- tensors -------------------------------------------------------------------------------- */

/* A checkpoint, and which of its tensors have been claimed. Zero-initialised: nothing. */
struct mood__import {
    struct mood__checkpoint *checkpoint;
    const char *prefix; /* of the encoder's tensors: "wav2vec2.", "hubert." or "" */
    bool *claimed;      /* one for each tensor */
    float *scratch;     /* one tensor as it is in the file */
    size_t scratch_elements;
};

/* Open the files of a folder and find the prefix. Close in any case.
 * Errors: as mood__checkpoint_open; E_FORMAT (tensors of two prefixes). */
MOOD_NODISCARD
mood_status mood__import_open(struct mood__import *im, const char *folder);
void mood__import_close(struct mood__import *im);

/* Claim the tensor of a full name that mood__import_read will read into one of this shape. No
 * memory is taken for a network before its tensors are there. Errors: E_MISSING, E_SHAPE. */
MOOD_NODISCARD
mood_status mood__import_claim(struct mood__import *im, const char *name, const mood_tensor *shape);

/* Claim what the weights of an encoder are made of, by their outline. Errors: the same. */
MOOD_NODISCARD
mood_status mood__import_claim_encoder(struct mood__import *im, const mood_weights *outline);

/* Whether every tensor is claimed, or is one that a pre-training leaves behind. Errors: E_MISSING.
 */
MOOD_NODISCARD
mood_status mood__import_check_rest(const struct mood__import *im);

/* Read a tensor whose axes are in reverse order in the file: (Cout, Cin) for (Cin, Cout), and
 * (Cout, Cin, K) for (K, Cin, Cout). Errors: those of mood__checkpoint_tensor; E_NUMERIC; E_NOMEM.
 */
MOOD_NODISCARD
mood_status mood__import_read(struct mood__import *im, const char *name, const mood_tensor *dst);

/* Read all weights of an encoder. Errors: the same. */
MOOD_NODISCARD
mood_status mood__import_read_encoder(struct mood__import *im, const mood_weights *weights);

/* The positional convolution's weight has other names in files, because it is split there. */
#define MOOD__POSITION_CONV "encoder.pos_conv_embed.conv"

/* (a, b, c) -> (c, b, a): transformers' layout of a weight to ours, and back. */
void mood__reverse_axes(float *dst, const float *src, size_t a, size_t b, size_t c);

/* ---- the head ---------------------------------------------------------------------------------
 */

/* What stands on the encoder. */
struct mood__import_head {
    const char *first,
        *last; /* its two dense layers, as the file calls them; NULL: no classifier */
    mood_classifier_params params; /* complete */
    bool mixed;                    /* it hears all hidden states, by learned weights */
    int n_states;                  /* of the encoder */
};

/* Errors: E_UNSUPPORTED (a head, class or setting that is not modelled), E_MISSING and E_FORMAT
 * (tensors and config.json do not fit together). */
MOOD_NODISCARD
mood_status mood__import_find_head(struct mood__import_head *out, const struct mood__import *im,
                                   const struct mood__import_config *says,
                                   const struct mood__document *config);

/* Errors: as mood__import_claim. Without a classifier there is nothing to claim. */
MOOD_NODISCARD
mood_status mood__import_claim_head(struct mood__import *im, const struct mood__import_head *head);

/* Read the weights of a model that was made of head->params. Errors: as mood__import_read. */
MOOD_NODISCARD
mood_status mood__import_read_head(struct mood__import *im, const struct mood__import_head *head,
                                   const mood_weights *weights);

#endif
