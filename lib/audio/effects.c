/* SPDX-License-Identifier: MIT
 *
 * effects.c — Speed, pitch, low-pass and room. */
#include "audio/effects.h"

#include <math.h>
#include <string.h>

#include "mood/audio.h"

static const double pi = 3.14159265358979323846;

/* ---- reading between samples ---- */

enum { TAPS = 32, PHASES = 128 };

size_t mood__effect_scratch(size_t n)
{
    return n + (PHASES + 1) * TAPS;
}

/* A sinc that lets through `cut` of all frequencies, under a Hann window of TAPS samples: row p is
 * for places p / PHASES behind a sample. */
static void make_taps(float *taps, double cut)
{
    for (int p = 0; p <= PHASES; p++)
        for (int k = 0; k < TAPS; k++) {
            double t = k - (TAPS / 2 - 1) - (double)p / PHASES;
            double sinc = fabs(t) < 1e-9 ? cut : sin(pi * cut * t) / (pi * t);
            double hann = fabs(t) < TAPS / 2 ? 0.5 + 0.5 * cos(2 * pi * t / TAPS) : 0;
            taps[p * TAPS + k] = (float)(sinc * hann);
        }
}

/* The signal at place t, between two rows of taps; zeros on both sides of it. */
static float read_at(const float *x, size_t n, double t, const float *taps)
{
    double whole = floor(t), phase = (t - whole) * PHASES;
    ptrdiff_t first = (ptrdiff_t)whole - (TAPS / 2 - 1), end = (ptrdiff_t)n;
    const float *row = taps + (ptrdiff_t)phase * TAPS;
    float between = (float)(phase - floor(phase)), sum = 0;
    if (first >= 0 && first + TAPS <= end) {
        for (int k = 0; k < TAPS; k++)
            sum += x[first + k] * (row[k] + between * (row[TAPS + k] - row[k]));
        return sum;
    }
    for (int k = 0; k < TAPS; k++)
        if (first + k >= 0 && first + k < end)
            sum += x[first + k] * (row[k] + between * (row[TAPS + k] - row[k]));
    return sum;
}

void mood__effect_speed(float *x, size_t n, double factor, float *scratch)
{
    float *taps = scratch + n;
    memcpy(scratch, x, n * sizeof(float));
    make_taps(taps, factor > 1 ? 1 / factor : 1); /* what would fold back is taken away */
    for (size_t i = 0; i < n; i++)
        x[i] = read_at(scratch, n, (double)i * factor, taps);
}

void mood__effect_pitch(float *x, size_t n, double factor, float *scratch)
{
    static const double grain = 0.04 * MOOD_SAMPLE_RATE;
    float *taps = scratch + n;
    memcpy(scratch, x, n * sizeof(float));
    make_taps(taps, factor > 1 ? 1 / factor : 1);
    for (size_t i = 0; i < n; i++) {
        double a = (double)i * (factor - 1) / grain, b = a + 0.5;
        a -= floor(a);
        b -= floor(b);
        double fade = sin(pi * a) * sin(pi * a); /* b's is 1 - fade */
        x[i] =
            (float)(fade * (double)read_at(scratch, n, (double)i + (a - 0.5) * grain, taps) +
                    (1 - fade) * (double)read_at(scratch, n, (double)i + (b - 0.5) * grain, taps));
    }
}

/* ---- filters ---- */

/* One second-order section, by the bilinear transform. */
static void low_pass_section(float *x, size_t n, double hz, double q)
{
    double k = tan(pi * hz / MOOD_SAMPLE_RATE), norm = 1 / (1 + k / q + k * k);
    double b = k * k * norm, a1 = 2 * (k * k - 1) * norm, a2 = (1 - k / q + k * k) * norm;
    double s1 = 0, s2 = 0;
    for (size_t i = 0; i < n; i++) {
        double in = (double)x[i], out = b * in + s1;
        s1 = 2 * b * in - a1 * out + s2;
        s2 = b * in - a2 * out;
        x[i] = (float)out;
    }
}

void mood__effect_low_pass(float *x, size_t n, double hz)
{
    low_pass_section(x, n, hz, 1 / (2 * cos(pi / 8)));
    low_pass_section(x, n, hz, 1 / (2 * cos(3 * pi / 8)));
}

/* ---- room ---- */

enum { PULSE_SPACING = 16 /* samples: a thousand pulses a second */, PRE_DELAY = 32 };

static void add_pulse(float *x, const float *dry, size_t n, size_t delay, float amplitude)
{
    for (size_t i = delay; i < n; i++)
        x[i] += amplitude * dry[i - delay];
}

void mood__effect_room(float *x, size_t n, double seconds, double db, struct mood__rng *r,
                       float *scratch)
{
    size_t end = (size_t)(seconds * MOOD_SAMPLE_RATE);
    double decay = -3 * log(10) / (seconds * MOOD_SAMPLE_RATE), energy = 0; /* per sample */
    for (size_t at = PRE_DELAY; at < end; at += PULSE_SPACING)
        energy += exp(2 * decay * (double)at);
    if (energy <= 0)
        return;
    double gain = sqrt(pow(10, db / 10) / energy);
    memcpy(scratch, x, n * sizeof(float));
    for (size_t at = PRE_DELAY; at < end; at += PULSE_SPACING) {
        uint64_t bits = mood__rng_u64(r);
        double amplitude = gain * exp(decay * (double)at);
        add_pulse(x, scratch, n, at + bits % PULSE_SPACING,
                  (float)(bits >> 32 & 1 ? amplitude : -amplitude));
    }
}
