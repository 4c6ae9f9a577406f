/* SPDX-License-Identifier: MIT
 *
 * infer.h — From a recording to the mood of the voice in it.
 *
 *     mood_model *model;  mood_infer *infer;  mood_audio *audio;  mood_result r;
 *     mood_model_load(&model, "model.h5");
 *     mood_infer_create(&infer, model, NULL); // or with the encoder that the model needs
 *     mood_audio_read(&audio, "clip.wav", NULL);
 *     mood_infer_run(infer, audio, &r);
 *     printf("%s %.2f\n", mood_model_label(model, r.best), r.confidence); */
#ifndef MOOD_INFER_H
#define MOOD_INFER_H

#include "mood/audio.h"
#include "mood/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One running recogniser: the graph and its memory. Thread-safety: Unsafe. Make one per thread;
 * they share the model. */
typedef struct mood_infer mood_infer;

/* Below this confidence a result is MOOD_VERDICT_LOW_CONFIDENCE. */
#define MOOD_CONFIDENT 0.70f

typedef enum mood_verdict {
    MOOD_VERDICT_SUCCESS,
    MOOD_VERDICT_LOW_CONFIDENCE, /* the best label has a probability below MOOD_CONFIDENT */
    MOOD_VERDICT_NO_SPEECH       /* no window is loud enough (audio.h, speech gate) */
} mood_verdict;

/* "success", "low_confidence", "no_speech". */
MOOD_API const char *mood_verdict_name(mood_verdict verdict);

/* One window of the recording. */
typedef struct mood_segment {
    double start_s, end_s; /* [start, end), at most the recording's length */
    bool speech;           /* the gate heard something: the window counts */
    int best;              /* argmax of prob */
    float confidence;      /* prob[best] */
    const float *prob;     /* V probabilities: softmax(logits / the model's temperature) */
} mood_segment;

typedef struct mood_result {
    const float *prob; /* V probabilities, sum 1: their mean over the windows with speech, or over
                        * all when there is none */
    int n_labels;      /* V */
    int best;          /* argmax of prob; the first of equals */
    float confidence;  /* prob[best] */
    mood_verdict verdict;
    const mood_segment *segments; /* in time order */
    size_t n_segments;
} mood_result;

typedef struct mood_infer_params {
    mood_pool *pool;       /* borrowed for the life of the recogniser; NULL: only the calling thread
                            * works. The result does not depend on it */
    mood_encoder *encoder; /* retained. NULL: the one that is in the model, if any */
} mood_infer_params;

/* Owned by the caller; free with mood_infer_destroy. Retains `model`.
 * Errors: E_MISSING (the model needs an encoder: mood_model_find_encoder), E_INVALID (it needs
 * another one, or none), E_UNSUPPORTED (it does not say which), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_infer_create(mood_infer **out, mood_model *model,
                                       const mood_infer_params *params);
MOOD_API void mood_infer_destroy(mood_infer **infer);

/* Classify one recording. What `out` points to is borrowed until the next call on `infer`.
 * Errors: E_NUMERIC (a result is not finite), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_infer_run(mood_infer *infer, const mood_audio *audio, mood_result *out);

#ifdef __cplusplus
}
#endif
#endif
