/* SPDX-License-Identifier: MIT
 *
 * dataset.c — Decoding a corpus on all threads, and drawing training windows from it. */
#include "train/dataset.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"

/* The samples as 16 bits, scaled so that the loudest uses them all: half the memory of floats, and
 * finer than the recording was. */
static bool keep_samples(struct mood__recording *r, const mood_audio *audio)
{
    const float *x = mood_audio_samples(audio);
    size_t n = mood_audio_length(audio);
    float peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fabsf(x[i]) > peak ? fabsf(x[i]) : peak;
    r->samples = mood__calloc(n, sizeof(*r->samples));
    if (!r->samples)
        return false;
    r->scale = peak / 32767.0f;
    bool silent = peak < 1e-30f; /* and dividing by the scale would leave the range of an integer */
    for (size_t i = 0; !silent && i < n; i++)
        r->samples[i] = (int16_t)lrintf(x[i] / r->scale);
    return true;
}

/* ---- reading ---- */

struct reading {
    struct mood__dataset *d;
    const mood_split *split;
    enum mood__keep keep;
};

static mood_status read_clip(void *ctx, size_t clip, int worker)
{
    const struct reading *s = ctx;
    struct mood__recording *r = &s->d->recordings[clip];
    const char *path = mood_corpus_clip(s->d->corpus, clip)->path;
    mood_audio *audio = NULL;
    mood_status status = mood_audio_read(&audio, path, NULL);
    if (!status)
        status = mood__hear(&r->heard, s->d->ears[worker], audio);
    if (!status && s->keep != MOOD__KEEP_PLANES &&
        mood_split_side(s->split, clip) == MOOD_SIDE_TRAIN && !keep_samples(r, audio))
        status = mood__nomem();
    if (s->keep == MOOD__KEEP_SAMPLES) {
        mood__free(r->heard.planes);
        r->heard.planes = NULL;
    }
    mood_audio_destroy(&audio);
    return status ? mood__fail_in(status, "%s", path) : MOOD_OK;
}

static mood_status make_ears(struct mood__dataset *d, bool may_augment)
{
    d->n_ears = mood_pool_threads(d->pool);
    d->ears = mood__calloc((size_t)d->n_ears, sizeof(struct mood__ear *));
    d->windows = mood__calloc((size_t)d->n_ears, MOOD__WINDOW_SAMPLES * sizeof(*d->windows));
    if (!d->ears || !d->windows)
        return mood__nomem();
    for (int i = 0; i < d->n_ears; i++) {
        MOOD__TRY(mood__ear_create(&d->ears[i], MOOD__EAR_MEL));
        if (may_augment)
            MOOD__TRY(mood__ear_may_augment(d->ears[i]));
    }
    return MOOD_OK;
}

mood_status mood__dataset_read(struct mood__dataset *d, const mood_corpus *corpus,
                               const mood_split *split, enum mood__keep keep, mood_pool *pool,
                               mood__read_callback *on_read, void *user)
{
    size_t n_clips = mood_corpus_n_clips(corpus);
    *d = (struct mood__dataset){.corpus = corpus, .pool = pool};
    d->recordings = mood__calloc(n_clips, sizeof(*d->recordings));
    size_t *clips = mood__calloc(n_clips, sizeof(*clips));
    mood_status status =
        d->recordings && clips ? make_ears(d, keep != MOOD__KEEP_PLANES) : mood__nomem();
    int64_t total = 0;
    for (size_t i = 0; i < n_clips && !status; i++)
        if (mood_split_side(split, i) == MOOD_SIDE_TRAIN ||
            (mood_split_side(split, i) != MOOD_SIDE_UNUSED && keep != MOOD__KEEP_SAMPLES))
            clips[total++] = i;
    struct reading s = {d, split, keep};
    if (!status)
        status = mood__read_clips(&(struct mood__reading){.clips = clips,
                                                          .n_clips = total,
                                                          .read = read_clip,
                                                          .ctx = &s,
                                                          .pool = pool,
                                                          .group = 8 * (int64_t)d->n_ears,
                                                          .on_read = on_read,
                                                          .user = user});
    mood__free(clips);
    if (status)
        mood__dataset_free(d);
    return status;
}

void mood__dataset_free(struct mood__dataset *d)
{
    size_t n = d->recordings ? mood_corpus_n_clips(d->corpus) : 0;
    for (size_t i = 0; i < n; i++) {
        mood__heard_free(&d->recordings[i].heard);
        mood__free(d->recordings[i].samples);
    }
    mood__free(d->recordings);
    for (int i = 0; d->ears && i < d->n_ears; i++)
        mood__ear_destroy(&d->ears[i]);
    mood__free(d->ears);
    mood__free(d->windows);
    *d = (struct mood__dataset){0};
}

/* ---- drawing ---- */

/* A window that a recogniser hears, with speech if there is one. */
static size_t draw_planned(const struct mood__heard *h, struct mood__rng *rng)
{
    size_t n_speech = 0;
    for (size_t i = 0; i < h->n_windows; i++)
        n_speech += h->speech[i];
    size_t choices = n_speech ? n_speech : h->n_windows;
    size_t pick = (size_t)mood__rng_below(rng, choices), i = 0;
    for (;; i++)
        if ((h->speech[i] || n_speech == 0) && pick-- == 0)
            break;
    return i;
}

/* Hear the window at `start` of what is kept of a recording; whether there is speech in it. */
static bool hear(struct mood__dataset *d, const struct mood__recording *r, size_t start,
                 const mood_augment_params *augment, uint64_t seed, int worker, float *plane)
{
    size_t n = r->heard.n_samples - start,
           length = n < MOOD__WINDOW_SAMPLES ? n : MOOD__WINDOW_SAMPLES;
    float *window = d->windows + (size_t)worker * MOOD__WINDOW_SAMPLES;
    bool speech = false;
    for (size_t i = 0; i < length; i++)
        window[i] = (float)r->samples[start + i] * r->scale;
    /* The ranges were checked before training, so this cannot fail. */
    mood_status status =
        mood__ear_window(d->ears[worker], plane, &speech, window, length, 0, augment, seed);
    (void)status;
    return speech;
}

enum { TRIES = 8 }; /* for a place with speech, before a silent one is taken */

size_t mood__dataset_draw(struct mood__dataset *d, size_t clip, uint64_t key,
                          const mood_augment_params *augment, int worker, float *samples,
                          float *plane)
{
    const struct mood__recording *r = &d->recordings[clip];
    const struct mood__heard *h = &r->heard;
    struct mood__rng rng = mood__rng_make(key, 0);
    size_t start = 0;
    if (augment && augment->kinds && r->samples) {
        size_t n = h->n_samples, room = n > MOOD__WINDOW_SAMPLES ? n - MOOD__WINDOW_SAMPLES + 1 : 1;
        bool speech = false;
        for (int try = 0; try < TRIES && !speech; try++) {
            start = (size_t)mood__rng_below(&rng, room);
            speech = hear(d, r, start, augment, mood__hash64(key, 1), worker, plane);
        }
    } else {
        size_t i = draw_planned(h, &rng);
        start = h->start[i];
        if (h->planes)
            memcpy(plane, h->planes + i * MOOD__PLANE, MOOD__PLANE * sizeof(float));
        else
            hear(d, r, start, NULL, 0, worker, plane);
    }
    if (samples)
        memcpy(samples, mood__ear_samples(d->ears[worker]), MOOD__WINDOW_SAMPLES * sizeof(float));
    return start;
}
