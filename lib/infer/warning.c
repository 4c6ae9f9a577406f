/* SPDX-License-Identifier: MIT
 *
 * warning.c — What a person should know before believing an answer: how the recording is. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audio/fft.h"
#include "base/error.h"
#include "mood/infer.h"

static const double pi = 3.14159265358979323846;
static const double short_s = 1.0;     /* a voice hardly says a word in less */
static const float quiet_dbfs = -50;   /* of the loudest 0.2 s: a whisper far from the microphone */
static const float full_scale = 0.99f; /* resampling bends what was cut off flat */
static const double clipped_share = 2e-3; /* of the samples */
static const double empty_db = -60;       /* of a band, below all of the sound */

enum {
    FRAME = 1024,
    MOST_FRAMES = 4096,                         /* of a long recording some are enough */
    SPLIT = 4200 * FRAME / MOOD_SAMPLE_RATE + 1 /* the first bin above the telephone's 4 kHz */
};

struct words {
    char *out;
    size_t bytes, used;
};

static void say(struct words *w, const char *fmt, ...) MOOD_PRINTF(2, 3);

/* Add a warning to those before. What has no room is cut off. */
static void say(struct words *w, const char *fmt, ...)
{
    char text[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    snprintf(w->out + w->used, w->bytes - w->used, "%s%s", w->used > 0 ? "; " : "", text);
    w->used += strlen(w->out + w->used);
}

static double share_at_full_scale(const float *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += fabsf(x[i]) >= full_scale;
    return (double)count / (double)n;
}

/* Whether nothing is heard above 4 kHz: by the mean power spectrum of frames all over the sound. */
static mood_status is_narrow(bool *narrow, const float *x, size_t n)
{
    struct mood__fft *fft;
    double hann[FRAME], power[FRAME / 2 + 1], low = 0, high = 0;
    size_t frames = n / FRAME, step = frames > MOST_FRAMES ? n / MOST_FRAMES : FRAME;
    *narrow = false;
    MOOD__TRY(mood__fft_create(&fft, FRAME));
    for (int i = 0; i < FRAME; i++)
        hann[i] = 0.5 - 0.5 * cos(2 * pi * i / FRAME);
    for (size_t at = 0; at + FRAME <= n; at += step) {
        double *frame = mood__fft_frame(fft);
        for (int i = 0; i < FRAME; i++)
            frame[i] = (double)x[at + (size_t)i] * hann[i];
        mood__fft_power(fft, power);
        for (int k = 1; k <= FRAME / 2; k++)
            *(k < SPLIT ? &low : &high) += power[k];
    }
    mood__fft_destroy(&fft);
    *narrow = low > 0 && 10 * log10(high / low) < empty_db;
    return MOOD_OK;
}

static size_t windows_with_speech(const mood_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_segments; i++)
        n += r->segments[i].speech;
    return n;
}

mood_status mood_infer_warning(char *out, size_t bytes, const mood_audio *audio,
                               const mood_result *result)
{
    const float *x = mood_audio_samples(audio);
    size_t n = mood_audio_length(audio), heard = windows_with_speech(result);
    double seconds = (double)n / MOOD_SAMPLE_RATE;
    bool narrow;
    MOOD__TRY(is_narrow(&narrow, x, n));
    struct words w = {out, bytes, 0};
    out[0] = '\0';
    if (result->verdict == MOOD_VERDICT_NO_SPEECH)
        say(&w, "no speech: too quiet throughout, below %.0f dBFS", (double)MOOD_SPEECH_MIN_DBFS);
    if (result->verdict == MOOD_VERDICT_LOW_CONFIDENCE)
        say(&w, "low confidence: nothing reaches %.0f%%", 100 * (double)MOOD_CONFIDENT);
    if (seconds < short_s)
        say(&w, "very short: %.2g s", seconds);
    if (result->verdict == MOOD_VERDICT_NO_SPEECH)
        return MOOD_OK;
    if (2 * heard < result->n_segments)
        say(&w, "mostly without speech: heard in %zu of %zu windows", heard, result->n_segments);
    float level = mood_speech_level(x, n);
    if (level < quiet_dbfs)
        say(&w, "quiet: the loudest parts have %.0f dBFS", (double)level);
    double clipped = share_at_full_scale(x, n);
    if (clipped >= clipped_share)
        say(&w, "clipped: %.1f%% of it is at full scale", 100 * clipped);
    if (narrow)
        say(&w, "narrow band: nothing above 4 kHz, as over a telephone");
    return MOOD_OK;
}
