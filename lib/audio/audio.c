/* SPDX-License-Identifier: MIT
 *
 * audio.c — Reading a recording: file to bytes, bytes to blocks of samples (decode.c), blocks to
 * one checked mono signal at MOOD_SAMPLE_RATE (resample.c). */
#include "mood/audio.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/decode.h"
#include "audio/resample.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

/* Frames that are decoded, mixed and resampled at a time. */
enum { BLOCK = 4096 };

/* Above the largest integer that anyone stores as a float without scaling it; keeps the arithmetic
 * behind this far from overflow. */
static const float MAX_MAGNITUDE = 0x1p31f;

struct mood_audio {
    float *samples;
    size_t length, capacity;
    mood_audio_info info;
};

/* --- Limits --- */

struct limits {
    double max_duration_s;
    size_t max_bytes;
};

static mood_status limits_of(struct limits *out, const mood_audio_params *params)
{
    struct limits l = {4 * 3600.0, (size_t)1 << 31};
    if (params && params->max_duration_s != 0)
        l.max_duration_s = params->max_duration_s;
    if (params && params->max_bytes != 0)
        l.max_bytes = params->max_bytes;
    if (!(l.max_duration_s > 0) || l.max_duration_s > 1e6)
        return mood__fail(MOOD_E_INVALID, "max_duration_s is %g; above 0 and up to 1e6 is possible",
                          l.max_duration_s);
    *out = l;
    return MOOD_OK;
}

static mood_status check_duration(uint64_t n_frames, int sample_rate, const struct limits *limits)
{
    if ((double)n_frames > limits->max_duration_s * sample_rate)
        return mood__fail(MOOD_E_UNSUPPORTED, "longer than the limit of %g s",
                          limits->max_duration_s);
    return MOOD_OK;
}

/* --- From blocks of frames to the mono signal --- */

/* Takes interleaved frames, appends mono samples to `audio`. */
struct mixer {
    mood_audio *audio;
    const struct limits *limits;
    struct mood__resampler *resampler; /* NULL: the rate is right already */
    float mono[BLOCK];
};

static bool reserve(mood_audio *a, size_t more)
{
    size_t need;
    void *samples = a->samples;
    if (!mood__add_size(a->length, more, &need) ||
        !mood__reserve(&samples, &a->capacity, need, sizeof(float)))
        return false;
    a->samples = samples;
    return true;
}

/* The length of the result for the frames taken so far. */
static uint64_t resampled_length(const mood_audio *a)
{
    uint64_t rate = (uint64_t)a->info.sample_rate; /* the product fits: durations are limited */
    return (a->info.n_frames * MOOD_SAMPLE_RATE + rate - 1) / rate;
}

/* Make a mixer for audio->info. n_frames: how many will come if that is known for sure, else 0;
 * their room is then taken in one piece. */
static mood_status mixer_create(struct mixer **out, mood_audio *audio, const struct limits *limits,
                                uint64_t n_frames)
{
    *out = NULL;
    MOOD__TRY(check_duration(n_frames, audio->info.sample_rate, limits));
    struct mixer *m = mood__calloc(1, sizeof(*m));
    if (!m)
        return mood__nomem();
    m->audio = audio;
    m->limits = limits;

    mood_status status = MOOD_OK;
    if (audio->info.sample_rate != MOOD_SAMPLE_RATE)
        status = mood__resampler_create(&m->resampler, audio->info.sample_rate, MOOD_SAMPLE_RATE);
    if (status == MOOD_OK && n_frames) {
        double n = (double)n_frames * MOOD_SAMPLE_RATE / audio->info.sample_rate;
        audio->samples = mood__calloc((size_t)n + 2 * BLOCK, sizeof(float));
        if (audio->samples)
            audio->capacity = (size_t)n + 2 * BLOCK;
        else
            status = mood__nomem();
    }
    if (status != MOOD_OK) {
        mood__resampler_destroy(&m->resampler);
        mood__free(m);
        return status;
    }
    *out = m;
    return MOOD_OK;
}

static void mixer_destroy(struct mixer **m)
{
    if (!*m)
        return;
    mood__resampler_destroy(&(*m)->resampler);
    mood__free(*m);
    *m = NULL;
}

static mood_status bad_sample(float x, uint64_t frame, int channel, int n_channels)
{
    char where[64] = "";
    if (n_channels > 1)
        snprintf(where, sizeof(where), " of channel %d", channel + 1);
    if (isfinite(x))
        return mood__fail(MOOD_E_NUMERIC, "sample %llu%s is %g: no sound level",
                          (unsigned long long)frame, where, (double)x);
    return mood__fail(MOOD_E_NUMERIC, "sample %llu%s is %s", (unsigned long long)frame, where,
                      isnan(x) ? "NaN" : "infinite");
}

/* mono[t] = mean over c of frames[t, c], for n <= BLOCK frames of C channels. */
static mood_status mix_down(struct mixer *m, const float *frames, size_t n)
{
    int channels = m->audio->info.channels;
    for (size_t t = 0; t < n; t++) {
        double sum = 0;
        for (int c = 0; c < channels; c++) {
            float x = frames[t * (size_t)channels + (size_t)c];
            if (!(fabsf(x) <= MAX_MAGNITUDE)) /* also true for NaN */
                return bad_sample(x, m->audio->info.n_frames + t, c, channels);
            sum += x;
        }
        m->mono[t] = (float)(sum / channels);
    }
    return MOOD_OK;
}

/* Resample n samples of m->mono, or with n == 0 what is left inside the resampler. */
static mood_status resample(struct mixer *m, size_t n)
{
    mood_audio *a = m->audio;
    const float *in = n ? m->mono : NULL;
    size_t used, made;
    do {
        if (!reserve(a, BLOCK))
            return mood__nomem();
        MOOD__TRY(
            mood__resampler_run(m->resampler, in, n, &used, a->samples + a->length, BLOCK, &made));
        a->length += made;
        if (in) {
            in += used;
            n -= used;
        }
    } while (in ? n > 0 : made > 0);
    return MOOD_OK;
}

static mood_status mixer_push(struct mixer *m, const float *frames, size_t n)
{
    mood_audio *a = m->audio;
    if (n == 0)
        return MOOD_OK;
    MOOD__TRY(check_duration(a->info.n_frames + n, a->info.sample_rate, m->limits));
    MOOD__TRY(mix_down(m, frames, n));
    a->info.n_frames += n;
    if (m->resampler)
        return resample(m, n);
    if (!reserve(a, n))
        return mood__nomem();
    memcpy(a->samples + a->length, m->mono, n * sizeof(float));
    a->length += n;
    return MOOD_OK;
}

/* After the last frame: bring the result to its exact length and its memory to its exact size. */
static mood_status mixer_finish(struct mixer *m)
{
    mood_audio *a = m->audio;
    if (a->info.n_frames == 0)
        return mood__fail(MOOD_E_FORMAT, "holds no samples");
    if (m->resampler)
        MOOD__TRY(resample(m, 0));

    /* The resampler rounds the length to the nearest, so this is about one sample. */
    size_t length = (size_t)resampled_length(a);
    if (length > a->length) {
        if (!reserve(a, length - a->length))
            return mood__nomem();
        memset(a->samples + a->length, 0, (length - a->length) * sizeof(float));
    }
    a->length = length;
    a->info.duration_s = (double)a->info.n_frames / a->info.sample_rate;

    float *exact = mood__realloc(a->samples, length, sizeof(float));
    if (exact) { /* if not, the memory is larger than needed, and that is all */
        a->samples = exact;
        a->capacity = length;
    }
    return MOOD_OK;
}

/* --- Sources --- */

static mood_status decode_all(struct mixer *m, struct mood__decoder *d, const struct mood__sniff *s)
{
    mood_audio *a = m->audio;
    float *frames = mood__calloc(BLOCK, (size_t)a->info.channels * sizeof(float));
    if (!frames)
        return mood__nomem();
    mood_status status;
    size_t got = 0;
    do {
        status = d->read(d, frames, BLOCK, &got);
        if (status == MOOD_OK)
            status = mixer_push(m, frames, got);
    } while (status == MOOD_OK && got > 0);
    mood__free(frames);
    if (status == MOOD_OK && a->info.n_frames < s->n_frames)
        status =
            mood__fail(MOOD_E_FORMAT, "truncated: the header says %llu frames, the file holds %llu",
                       (unsigned long long)s->n_frames, (unsigned long long)a->info.n_frames);
    return status == MOOD_OK ? mixer_finish(m) : status;
}

static mood_status decode_into(mood_audio *a, const struct mood__sniff *s,
                               const struct limits *limits)
{
    /* What a header promises without having it buys no memory. */
    MOOD__TRY(check_duration(s->n_frames, s->sample_rate, limits));
    uint64_t sure = mood__coding_is_bare(s->coding) ? s->n_frames : 0;

    struct mood__decoder *d;
    MOOD__TRY(mood__decoder_open(&d, s));
    a->info.format = s->format;
    a->info.channels = d->channels;
    a->info.sample_rate = d->sample_rate;

    struct mixer *m;
    mood_status status = mixer_create(&m, a, limits, sure);
    if (status == MOOD_OK)
        status = decode_all(m, d, s);
    mixer_destroy(&m);
    d->close(d);
    return status;
}

mood_status mood_audio_read_memory(mood_audio **out, const void *data, size_t n_bytes,
                                   const mood_audio_params *params)
{
    *out = NULL;
    struct limits limits = {0};
    struct mood__sniff s;
    MOOD__TRY(limits_of(&limits, params));
    if (n_bytes > limits.max_bytes)
        return mood__fail(MOOD_E_UNSUPPORTED, "has %zu bytes; at most %zu are read", n_bytes,
                          limits.max_bytes);
    MOOD__TRY(mood__sniff(&s, data, n_bytes));

    mood_audio *a = mood__calloc(1, sizeof(*a));
    if (!a)
        return mood__nomem();
    mood_status status = decode_into(a, &s, &limits);
    if (status != MOOD_OK)
        mood_audio_destroy(&a);
    *out = a;
    return status;
}

mood_status mood_audio_read(mood_audio **out, const char *path, const mood_audio_params *params)
{
    *out = NULL;
    struct limits limits = {0};
    unsigned char *bytes;
    size_t n_bytes;
    MOOD__TRY(limits_of(&limits, params));
    MOOD__TRY(mood__file_read(path, limits.max_bytes, &bytes, &n_bytes));
    mood_status status = mood_audio_read_memory(out, bytes, n_bytes, params);
    mood__free(bytes);
    return status;
}

mood_status mood_audio_from_samples(mood_audio **out, const float *pcm, size_t n_frames,
                                    int n_channels, int sample_rate,
                                    const mood_audio_params *params)
{
    *out = NULL;
    struct limits limits = {0};
    MOOD__TRY(limits_of(&limits, params));
    if (n_frames == 0)
        return mood__fail(MOOD_E_INVALID, "no samples");
    MOOD__TRY(mood__check_layout(n_channels < 0 ? 0 : (uint64_t)n_channels,
                                 sample_rate < 0 ? 0 : (uint64_t)sample_rate, MOOD_E_INVALID));

    mood_audio *a = mood__calloc(1, sizeof(*a));
    if (!a)
        return mood__nomem();
    a->info = (mood_audio_info){"samples", n_channels, sample_rate, 0, 0};

    struct mixer *m;
    mood_status status = mixer_create(&m, a, &limits, n_frames);
    for (size_t at = 0; status == MOOD_OK && at < n_frames; at += BLOCK) {
        size_t n = n_frames - at < BLOCK ? n_frames - at : BLOCK;
        status = mixer_push(m, pcm + at * (size_t)n_channels, n);
    }
    if (status == MOOD_OK)
        status = mixer_finish(m);
    mixer_destroy(&m);
    if (status != MOOD_OK)
        mood_audio_destroy(&a);
    *out = a;
    return status;
}

/* --- The result --- */

void mood_audio_destroy(mood_audio **audio)
{
    if (!*audio)
        return;
    mood__free((*audio)->samples);
    mood__free(*audio);
    *audio = NULL;
}

const float *mood_audio_samples(const mood_audio *audio)
{
    return audio->samples;
}

size_t mood_audio_length(const mood_audio *audio)
{
    return audio->length;
}

mood_audio_info mood_audio_describe(const mood_audio *audio)
{
    return audio->info;
}
