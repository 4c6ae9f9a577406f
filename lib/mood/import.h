/* SPDX-License-Identifier: MIT
 *
 * import.h — Encoders and emotion classifiers as the world publishes them: folders that
 * transformers wrote, for wav2vec 2.0 and HuBERT. No Python is needed to read one.
 *
 *     mood_imported in;
 *     if (mood_import(&in, "wav2vec2-base") == MOOD_OK)
 *         status = mood_encoder_save(in.encoder, "base.h5", MOOD_F32);
 *     mood_imported_free(&in);
 *
 * A folder holds
 *   config.json               which network it is
 *   preprocessor_config.json  what is done to a clip before; may be absent
 *   the weights               model.safetensors or pytorch_model.bin, whole or in shards with an
 * index
 *
 * It comes from strangers: nothing in it is executed, and what libmood does not model is refused,
 * by name, and never passed over. */
#ifndef MOOD_IMPORT_H
#define MOOD_IMPORT_H

#include "mood/encoder.h"
#include "mood/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a folder held. */
typedef struct mood_imported {
    mood_encoder *encoder; /* one owner of it is this struct */
    mood_model *model;     /* of a classifier, with the encoder embedded; else NULL */
    char
        summary[256]; /* one line for people: "Wav2Vec2ForCTC (wav2vec2), 12 layers of width 768" */
} mood_imported;

/* Read a folder. Tensors and config.json together decide what it is: an encoder
 * (Wav2Vec2Model, ...ForPreTraining, ...ForCTC, HubertModel, HubertForCTC), whose heads for
 * pre-training and for letters are left out; or a classifier, which becomes a model: a
 * Wav2Vec2- or HubertForSequenceClassification (dense, mean over time, dense; the frames of one
 * layer, or of all in a learned mixture), or the form that has a tanh between its two dense layers
 * (Wav2Vec2ForSpeechClassification; some files declare the former and are the latter).
 *
 * The labels of a classifier are those of config.json, in the order of their numbers. A word for
 * one of the eight emotions (mood_emotion_of_word) becomes that emotion's name, if no other label
 * of the model would; any other label stays as it is. Its record says where it came from.
 *
 * Memory: the numbers of the encoder, and of its largest tensor twice. `out` may be freed in any
 * case. Errors: E_IO; E_MISSING (no such file; a tensor is absent, or nobody expects it); E_SHAPE;
 * E_FORMAT (a file breaks a rule of its format, or contradicts another); E_UNSUPPORTED (another
 * network or head, a setting that is not modelled, a format that is not read); E_NUMERIC (a weight
 * is NaN or infinite); E_NOMEM. The detail names file, key or tensor, but not the folder. */
MOOD_NODISCARD
MOOD_API mood_status mood_import(mood_imported *out, const char *folder);
MOOD_API void mood_imported_free(mood_imported *in);

/* Read a config.json alone. Keys that are absent have transformers' defaults.
 * Errors: E_IO, E_FORMAT, E_UNSUPPORTED, E_NOMEM; the detail does not name the file. */
MOOD_NODISCARD
MOOD_API mood_status mood_import_config(mood_encoder_config *out, const char *path);

/* The other way: write a folder, made if it is not there, that transformers reads as a
 * Wav2Vec2Model: model.safetensors in float32, preprocessor_config.json, config.json. Each file is
 * replaced whole or not at all, config.json last. Takes memory for a second copy of the numbers.
 * Read back, it gives the same numbers but for rounding in the positional convolution, whose
 * weights the format wants split into direction and length. Errors: E_IO, E_NOMEM. The detail names
 * the file, but not the folder. */
MOOD_NODISCARD
MOOD_API mood_status mood_encoder_export(const mood_encoder *encoder, const char *folder);

#ifdef __cplusplus
}
#endif
#endif
