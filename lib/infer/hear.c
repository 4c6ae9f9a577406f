/* SPDX-License-Identifier: MIT
 *
 * hear.c — From samples to log-mel planes or functionals, window by window. */
#include "infer/hear.h"

#include "audio/augment.h"
#include "base/error.h"
#include "base/mem.h"

struct mood__ear {
    mood_mel *mel;         /* NULL: not for planes */
    mood_prosody *prosody; /* NULL: not for functionals */
    float *window;         /* (MOOD__WINDOW_SAMPLES) */
    size_t n_recorded;     /* of its samples */
    float *scratch;        /* of augmentation; NULL until it is asked for */
};

mood_status mood__ear_create(struct mood__ear **out, enum mood__ear_kind kind)
{
    *out = NULL;
    struct mood__ear *ear = mood__calloc(1, sizeof(*ear));
    if (!ear)
        return mood__nomem();
    mood_status status = MOOD_OK;
    ear->window = mood__calloc(MOOD__WINDOW_SAMPLES, sizeof(float));
    if (!ear->window)
        status = mood__nomem();
    if (!status && kind == MOOD__EAR_PROSODY)
        status = mood_prosody_create(&ear->prosody);
    if (!status && kind == MOOD__EAR_MEL)
        status = mood_mel_create(&ear->mel, &(mood_mel_params){.n_fft = MOOD__MEL_FFT,
                                                               .hop = MOOD__MEL_HOP,
                                                               .n_mels = MOOD__MEL_BANDS});
    if (status)
        mood__ear_destroy(&ear);
    *out = ear;
    return status;
}

void mood__ear_destroy(struct mood__ear **ear)
{
    if (*ear) {
        mood_mel_destroy(&(*ear)->mel);
        mood_prosody_destroy(&(*ear)->prosody);
        mood__free((*ear)->window);
        mood__free((*ear)->scratch);
        mood__free(*ear);
    }
    *ear = NULL;
}

mood_status mood__ear_may_augment(struct mood__ear *ear)
{
    if (!ear->scratch)
        ear->scratch = mood__calloc(mood__effect_scratch(MOOD__WINDOW_SAMPLES), sizeof(float));
    return ear->scratch ? MOOD_OK : mood__nomem();
}

static mood_status augment_window(struct mood__ear *ear, const mood_augment_params *augment,
                                  uint64_t seed)
{
    if (!augment || !augment->kinds)
        return MOOD_OK;
    MOOD__TRY(mood__ear_may_augment(ear));
    return mood__augment_run(ear->window, MOOD__WINDOW_SAMPLES, augment, seed, ear->scratch);
}

mood_status mood__ear_window(struct mood__ear *ear, float *plane, bool *speech, const float *pcm,
                             size_t n_samples, size_t start, const mood_augment_params *augment,
                             uint64_t seed)
{
    float *x = ear->window;
    size_t rest = start < n_samples ? n_samples - start : 0;
    ear->n_recorded = rest < MOOD__WINDOW_SAMPLES ? rest : MOOD__WINDOW_SAMPLES;
    mood_window_cut(x, MOOD__WINDOW_SAMPLES, pcm, n_samples, start);
    if (speech)
        *speech = mood_speech_heard(x, MOOD__WINDOW_SAMPLES);
    mood_peak_normalise(x, MOOD__WINDOW_SAMPLES);
    MOOD__TRY(augment_window(ear, augment, seed));
    if (!plane)
        return MOOD_OK;
    MOOD__TRY(mood_mel_run(ear->mel, plane, x, MOOD__WINDOW_SAMPLES));
    return mood_augment_plane(plane, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, augment, seed);
}

const float *mood__ear_samples(const struct mood__ear *ear)
{
    return ear->window;
}

mood_status mood__ear_functionals(struct mood__ear *ear, float *out)
{
    MOOD__TRY(mood_prosody_run(ear->prosody, ear->window, ear->n_recorded));
    mood_prosody_functionals(ear->prosody, out);
    return MOOD_OK;
}

mood_status mood__plan_windows(mood_windows *out, size_t n_samples)
{
    return mood_windows_plan(
        out, n_samples,
        &(mood_window_params){.length = MOOD__WINDOW_SAMPLES, .hop = MOOD__WINDOW_HOP});
}

mood_status mood__hear(struct mood__heard *out, struct mood__ear *ear, const mood_audio *audio)
{
    const float *pcm = mood_audio_samples(audio);
    size_t n_samples = mood_audio_length(audio), bytes;
    mood_windows w;
    MOOD__TRY(mood__plan_windows(&w, n_samples));
    if (!mood__mul_size(w.count, MOOD__PLANE * sizeof(float), &bytes))
        return mood__nomem();

    struct mood__heard heard = {.n_samples = n_samples, .n_windows = w.count};
    heard.start = mood__calloc(w.count, sizeof(*heard.start));
    heard.speech = mood__calloc(w.count, sizeof(*heard.speech));
    heard.planes = mood__alloc_aligned(bytes);
    mood_status status = MOOD_OK;
    if (!heard.start || !heard.speech || !heard.planes)
        status = mood__nomem();
    for (size_t i = 0; i < w.count && !status; i++) {
        heard.start[i] = mood_windows_start(&w, i);
        status = mood__ear_window(ear, heard.planes + i * MOOD__PLANE, &heard.speech[i], pcm,
                                  n_samples, heard.start[i], NULL, 0);
    }
    if (status)
        mood__heard_free(&heard);
    else
        *out = heard;
    return status;
}

void mood__heard_free(struct mood__heard *heard)
{
    mood__free(heard->start);
    mood__free(heard->speech);
    mood__free(heard->planes);
    *heard = (struct mood__heard){0};
}
