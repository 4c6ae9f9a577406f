/* SPDX-License-Identifier: MIT
 *
 * hear.h — What the network gets to hear of a recording: for each window the verdict of the speech
 * gate, and a log-mel plane or functionals. Training and recognition both come through here, so
 * that the figures of one are those of the other, bit by bit. */
#ifndef MOOD_INFER_HEAR_H
#define MOOD_INFER_HEAR_H

#include "models/pipeline.h"
#include "mood/infer.h"

/* Tables and scratch memory for hearing. Thread-safety: Unsafe. Make one per thread. */
struct mood__ear;

/* What an ear is to give beside samples. */
enum mood__ear_kind {
    MOOD__EAR_PLAIN,   /* nothing: an encoder hears the samples */
    MOOD__EAR_MEL,     /* planes */
    MOOD__EAR_PROSODY, /* functionals */
};

/* Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__ear_create(struct mood__ear **out, enum mood__ear_kind kind);
void mood__ear_destroy(struct mood__ear **ear);

/* Take the memory that augmenting a window needs, now instead of in the first one. Errors: E_NOMEM.
 */
MOOD_NODISCARD
mood_status mood__ear_may_augment(struct mood__ear *ear);

/* Hear one window: the gate hears it as it was recorded, the network peak-normalised.
 *   pcm      the n_samples of the whole recording at MOOD_SAMPLE_RATE
 *   start    of the window, any sample of it: training also listens beside the plan
 *   augment  what to change after normalising, by `seed`; NULL: nothing
 *   plane    (MOOD__MEL_BANDS, MOOD__MEL_FRAMES) floats are written here, by an ear for planes;
 *            NULL: not computed
 * Returns whether the gate heard speech through *speech, which may be NULL.
 * Errors: E_INVALID (augment, as mood_augment_run), E_NOMEM (augment, in the first window). */
MOOD_NODISCARD
mood_status mood__ear_window(struct mood__ear *ear, float *plane, bool *speech, const float *pcm,
                             size_t n_samples, size_t start, const mood_augment_params *augment,
                             uint64_t seed);

/* The samples of the last window, MOOD__WINDOW_SAMPLES of them, as the plane was computed from
 * them: normalised, augmented. An encoder hears the same. Borrowed until the next mood__ear_window.
 */
const float *mood__ear_samples(const struct mood__ear *ear);

/* The functionals of the last window, of an ear for them: MOOD_N_FUNCTIONALS are written. Of what
 * was recorded: where a recording is shorter than the window, silence behind it is not measured.
 * Errors: as mood_prosody_run. */
MOOD_NODISCARD
mood_status mood__ear_functionals(struct mood__ear *ear, float *out);

/* Where the windows of a recording lie. Errors: as mood_windows_plan. */
MOOD_NODISCARD
mood_status mood__plan_windows(mood_windows *out, size_t n_samples);

/* All windows of one recording. It takes 16 kB for each second of sound, so that training keeps it
 * over its epochs; recognition of long recordings goes window by window instead. */
struct mood__heard {
    size_t n_samples; /* of the recording */
    size_t n_windows;
    size_t *start; /* (n_windows) first sample */
    bool *speech;  /* (n_windows) */
    float *planes; /* (n_windows, MOOD__MEL_BANDS, MOOD__MEL_FRAMES), 64-byte aligned; NULL when
                    * they are elsewhere (mood__feed) */
};

/* Free with mood__heard_free. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__hear(struct mood__heard *out, struct mood__ear *ear, const mood_audio *audio);
void mood__heard_free(struct mood__heard *heard); /* sets it to all zeros, which is empty */

/* A recogniser for mood__infer_heard only, which is fed with what comes before a part of the
 * network. A model that needs an encoder is given its features, of which a window has `n_frames`
 * (without an encoder it is not looked at); or, with hidden >= 0, that hidden state, of which the
 * encoder that is in the model makes the rest. */
enum { MOOD__FED_FEATURES = -1 };
MOOD_NODISCARD
mood_status mood__infer_create_fed(mood_infer **out, mood_model *model, int n_frames, int hidden);

/* Writes the features of one window, as mood__features_run does, its hidden state, or the
 * functionals, to where the recogniser is fed; and the plane, when what was heard has none. Not
 * called for heads without an
 * encoder. */
typedef mood_status mood__feed(void *ctx, size_t window, float *features, float *plane);

/* mood_infer_run from what was heard before, with the weights that the model has now: the same
 * bytes. */
MOOD_NODISCARD
mood_status mood__infer_heard(mood_infer *infer, const struct mood__heard *heard, mood__feed *feed,
                              void *ctx, mood_result *out);

/* Conclude the recogniser's last result anew, its windows cooler or hotter by a temperature: one
 * that was made while the model's was 1 then has the result that it would have at this one, bit by
 * bit. */
void mood__infer_temper(mood_infer *infer, double temperature, mood_result *result);

#endif
