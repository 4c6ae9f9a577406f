/* SPDX-License-Identifier: MIT
 *
 * background.c — Which sound a window of background gets, and how it is finished: sometimes
 * low-passed, sometimes with silence first, and always levelled. */
#include "audio/background.h"

#include <math.h>
#include <string.h>

#include "audio/background_sounds.h"
#include "audio/effects.h"
#include "mood/audio.h"

/* ---- random choices ---- */

double mood__draw_between(struct mood__rng *r, double low, double high)
{
    return low + (high - low) * mood__rng_double(r);
}

bool mood__draw_chance(struct mood__rng *r, double probability)
{
    return mood__rng_double(r) < probability;
}

double mood__draw_of(struct mood__rng *r, const double *choices, size_t n)
{
    return choices[mood__rng_below(r, n)];
}

/* ---- levels ---- */

void mood__set_rms(float *x, size_t n, double rms)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    if (sum <= 0)
        return;
    double gain = rms / sqrt(sum / (double)n);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(gain * (double)x[i]);
}

/* Softer where full scale would not hold the peaks: a few clicks in silence. */
static void limit_peaks(float *x, size_t n)
{
    float peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmaxf(peak, fabsf(x[i]));
    for (size_t i = 0; peak > 1 && i < n; i++)
        x[i] /= peak;
}

/* What the sound is made into RMS 1, with noise so many dB below it. */
static void add_noise_below(float *x, size_t n, double db, struct mood__rng *r)
{
    mood__set_rms(x, n, 1);
    mood__add_noise(x, n, pow(10, -db / 20), r);
}

/* ---- kinds ---- */

static void noise(float *x, size_t n, struct mood__rng *r)
{
    mood__add_noise(x, n, 1, r);
}

static void varying_noise(float *x, size_t n, struct mood__rng *r)
{
    mood__add_noise(x, n, 1, r);
    mood__add_swell(x, n, r);
}

static void hum(float *x, size_t n, struct mood__rng *r)
{
    mood__add_hum(x, n, r);
    add_noise_below(x, n, mood__draw_between(r, 0, 50), r);
    if (mood__draw_chance(r, 0.3))
        mood__add_swell(x, n, r);
}

static void tones(float *x, size_t n, struct mood__rng *r)
{
    mood__add_tone(x, n, r);
    if (mood__draw_chance(r, 0.3))
        mood__add_swell(x, n, r);
    add_noise_below(x, n, mood__draw_between(r, 0, 50), r);
}

static void music_in_noise(float *x, size_t n, struct mood__rng *r)
{
    mood__add_music(x, n, r);
    add_noise_below(x, n, mood__draw_between(r, -5, 30), r);
}

/* Music has the largest share: it has pitch, pauses and syllables of a kind, and is what is most
 * easily taken for speech. */
static const struct {
    const char *name;
    double share;
    void (*add)(float *x, size_t n, struct mood__rng *r);
} kinds[] = {
    {"noise", 0.14, noise},
    {"varying noise", 0.10, varying_noise},
    {"hum", 0.08, hum},
    {"tones", 0.05, tones},
    {"clicks", 0.05, mood__add_clicks},
    {"drums", 0.06, mood__add_drums},
    {"music", 0.38, mood__add_music},
    {"music in noise", 0.14, music_in_noise},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The first draw of a window's sequence. */
static size_t draw_kind(struct mood__rng *r)
{
    double u = mood__rng_double(r);
    size_t k = 0;
    while (k + 1 < N_KINDS && u >= kinds[k].share)
        u -= kinds[k++].share;
    return k;
}

const char *mood__background_kind(uint64_t seed, uint64_t index)
{
    struct mood__rng r = mood__rng_make(seed, index);
    return kinds[draw_kind(&r)].name;
}

const char *mood__background_kind_name(size_t k)
{
    return k < N_KINDS ? kinds[k].name : NULL;
}

void mood__background_make(float *out, size_t n, uint64_t seed, uint64_t index)
{
    struct mood__rng r = mood__rng_make(seed, index);
    if (n == 0)
        return;
    memset(out, 0, n * sizeof(float));
    kinds[draw_kind(&r)].add(out, n, &r);
    mood__set_rms(out, n, 1);
    for (size_t i = 0; i < n; i++) /* a recorder's own noise: rests alone would be silence */
        out[i] += 1e-4f * (float)mood__rng_normal(&r);
    if (mood__draw_chance(&r, 0.3))
        mood__effect_low_pass(out, n, mood__draw_between(&r, 0.1, 0.45) * MOOD_SAMPLE_RATE);
    if (mood__draw_chance(&r, 0.1))
        memset(out, 0, (size_t)(mood__draw_between(&r, 0, 0.6) * (double)n) * sizeof(float));
    mood__set_rms(out, n, 0.05);
    limit_peaks(out, n);
}
