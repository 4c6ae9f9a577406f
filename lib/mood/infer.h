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

/* Where the model is that programs use when none is named: the first of
 *   - $MOOD_MODEL, unless it is empty, whether a file is there or not: a wrong name is an error of
 *     mood_model_load, and not passed over
 *   - libmood/mood.h5 in the data folder beside the running program's own: PREFIX/share of
 *     PREFIX/bin
 *   - models/mood.h5 there: a program in a build tree
 *   - libmood/mood.h5 in the data folder that libmood was built to be installed in
 * The name of what is found is written to `path`, of at most `bytes`, the final zero included.
 * Errors: E_MISSING (nothing is at any of them; detail names them), E_INVALID (the name is longer).
 */
MOOD_NODISCARD
MOOD_API mood_status mood_model_find_default(char *path, size_t bytes);

/* One running recogniser: the graph and its memory. Thread-safety: Unsafe. Make one per thread;
 * they share the model. */
typedef struct mood_infer mood_infer;

/* Below this confidence a result is MOOD_VERDICT_LOW_CONFIDENCE. */
#define MOOD_CONFIDENT 0.70f

typedef enum mood_verdict {
    MOOD_VERDICT_SUCCESS,
    MOOD_VERDICT_LOW_CONFIDENCE, /* the best label has a probability below MOOD_CONFIDENT */
    MOOD_VERDICT_NO_SPEECH       /* no window has speech: see mood_segment */
} mood_verdict;

/* "success", "low_confidence", "no_speech". */
MOOD_API const char *mood_verdict_name(mood_verdict verdict);

/* One window of the recording, or a stretch of its time line. */
typedef struct mood_segment {
    double start_s, end_s; /* [start, end), at most the recording's length */
    bool speech;           /* the window counts: it is loud enough (audio.h, speech gate) and, where
                            * the model has a gate of its own, like speech (mood_prosody_net) */
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

/* Told after each window of a recording, from the thread that called mood_infer_run; another value
 * than 0 stops it. */
typedef int mood_infer_callback(void *user, size_t done, size_t total);

typedef struct mood_infer_params {
    mood_pool *pool;       /* borrowed for the life of the recogniser; NULL: only the calling thread
                            * works. The result does not depend on it */
    mood_encoder *encoder; /* retained. NULL: the one that is in the model, if any */
    mood_infer_callback *on_progress; /* may be NULL */
    void *user;
    const volatile int *stop; /* set to non-zero (by a signal handler, say) to stop before the next
                               * window; borrowed, may be NULL */
} mood_infer_params;

/* Owned by the caller; free with mood_infer_destroy. Retains `model`.
 * Errors: E_MISSING (the model needs an encoder: mood_model_find_encoder), E_INVALID (it needs
 * another one, or none), E_UNSUPPORTED (it does not say which), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_infer_create(mood_infer **out, mood_model *model,
                                       const mood_infer_params *params);
MOOD_API void mood_infer_destroy(mood_infer **infer);

/* Classify one recording. What `out` points to is borrowed until the next call on `infer`.
 * Errors: E_NUMERIC (a result is not finite), E_STOPPED (by the callback or the flag), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_infer_run(mood_infer *infer, const mood_audio *audio, mood_result *out);

/* What a person should know before believing a result: that nothing reaches MOOD_CONFIDENT, or that
 * the recording is without speech, or mostly so, very short (below 1 s), quiet (its loudest 0.2 s
 * below -50 dBFS), clipped (2 in 1000 samples at full scale) or of narrow band (above 4 kHz 60 dB
 * less than below). One line, in English, "; " between two warnings; "" when there is none.
 *   audio   what `result` was made of
 *   out     MOOD_WARNING_BYTES are enough; in less, the end is cut off
 * Errors: E_NOMEM. */
enum { MOOD_WARNING_BYTES = 512 };
MOOD_NODISCARD
MOOD_API mood_status mood_infer_warning(char *out, size_t bytes, const mood_audio *audio,
                                        const mood_result *result);

/* ---- the time line ----------------------------------------------------------------------------
 *
 * Windows overlap; a time line does not. It cuts the recording into slots of 1.5 s, the step from
 * window to window. A slot has the mean of the probabilities of the windows over it, each weighted
 * by how much of the slot it covers, and speech where all of them have: a window without says that
 * there was none in any part of it. What is left at the end, if less than half a slot, belongs to
 * the last one. */

/* Thread-safety: Safe (it never changes). */
typedef struct mood_timeline mood_timeline;

typedef struct mood_timeline_params {
    size_t max_slots; /* a picture has only so many columns: slots are joined, equally many to each,
                       * until there are no more than this. A joined slot has speech where half of
                       * it has, and the mean over that. 0: any number */
} mood_timeline_params;

/* Owned by the caller; free with mood_timeline_destroy. Keeps nothing of `result`.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_timeline_create(mood_timeline **out, const mood_result *result,
                                          const mood_timeline_params *params);
MOOD_API void mood_timeline_destroy(mood_timeline **timeline);

/* The slots: one after the other, from 0 to the end of the recording, *n of them, at least 1.
 * Borrowed until the time line is destroyed. */
MOOD_API const mood_segment *mood_timeline_slots(const mood_timeline *timeline, size_t *n);

/* The spans: neighbouring slots with the same best label, or without speech, are one, and its
 * probabilities their mean over time. Borrowed as above. */
MOOD_API const mood_segment *mood_timeline_spans(const mood_timeline *timeline, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
