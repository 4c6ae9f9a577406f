/* SPDX-License-Identifier: MIT
 *
 * window.c — Cutting a recording into windows, their level, and the speech gate. */
#include "mood/audio.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

mood_status mood_windows_plan(mood_windows *out, size_t n_samples, const mood_window_params *params)
{
    size_t length = params && params->length ? params->length : 3 * MOOD_SAMPLE_RATE;
    size_t hop = params && params->hop ? params->hop : (length + 1) / 2;
    if (n_samples == 0)
        return mood__fail(MOOD_E_INVALID, "no samples to cut into windows");
    if (hop > length)
        return mood__fail(MOOD_E_INVALID, "a hop of %zu samples leaves gaps between windows of %zu",
                          hop, length);
    /* Whole hops that fit, and one more window for what is left. */
    size_t rest = n_samples > length ? n_samples - length : 0;
    *out = (mood_windows){length, hop, n_samples, 1 + rest / hop + (rest % hop != 0)};
    return MOOD_OK;
}

size_t mood_windows_start(const mood_windows *w, size_t index)
{
    if (w->n_samples <= w->length)
        return 0;
    return index + 1 < w->count ? index * w->hop : w->n_samples - w->length;
}

void mood_window_cut(float *out, size_t length, const float *pcm, size_t n_samples, size_t start)
{
    size_t n = start < n_samples ? n_samples - start : 0;
    if (n > length)
        n = length;
    if (n)
        memcpy(out, pcm + start, n * sizeof(float));
    memset(out + n, 0, (length - n) * sizeof(float));
}

void mood_peak_normalise(float *x, size_t n)
{
    float peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmaxf(peak, fabsf(x[i]));
    if (peak == 0)
        return;
    for (size_t i = 0; i < n; i++)
        x[i] /= peak; /* not times 1 / peak, which overflows for the tiniest peaks */
}

/* --- Speech gate --- */

enum {
    GATE_FRAME = MOOD_SAMPLE_RATE / 50, /* 20 ms */
    GATE_RANK = 10                      /* of the frame that decides, from the loudest */
};

/* The variance of one frame: its power without its mean. */
static double frame_power(const float *x)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < GATE_FRAME; i++)
        sum += x[i];
    double mean = sum / GATE_FRAME;
    for (int i = 0; i < GATE_FRAME; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return squares / GATE_FRAME;
}

float mood_speech_level(const float *x, size_t n)
{
    const double floor_power = 1e-20; /* -200 dB */
    double loudest[GATE_RANK];        /* falling */
    int held = 0;
    for (size_t at = 0; n - at >= GATE_FRAME; at += GATE_FRAME) {
        double power = frame_power(x + at);
        if (held == GATE_RANK && power <= loudest[held - 1])
            continue;
        int i = held < GATE_RANK ? held++ : held - 1;
        for (; i > 0 && loudest[i - 1] < power; i--)
            loudest[i] = loudest[i - 1];
        loudest[i] = power;
    }
    double power = held ? loudest[held - 1] : 0;
    return (float)(10 * log10(power > floor_power ? power : floor_power));
}

bool mood_speech_heard(const float *x, size_t n)
{
    return mood_speech_level(x, n) >= MOOD_SPEECH_MIN_DBFS;
}
