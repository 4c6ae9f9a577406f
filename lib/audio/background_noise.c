/* SPDX-License-Identifier: MIT
 *
 * background_noise.c — Coloured noise, hum, tones and clicks. */
#include "audio/background_sounds.h"

#include <math.h>

#include "mood/audio.h"

static const double pi = 3.14159265358979323846;

/* ---- sections ---- */

/* y = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2) x */
struct section {
    double b0, b1, b2, a1, a2, s1, s2;
};

static double run_section(struct section *f, double x)
{
    double y = f->b0 * x + f->s1;
    f->s1 = f->b1 * x - f->a1 * y + f->s2;
    f->s2 = f->b2 * x - f->a2 * y;
    return y;
}

/* A pole and a zero, as z = exp(s / rate) moves them: flat outside of the two frequencies. */
static struct section step_section(double pole_hz, double zero_hz)
{
    return (struct section){.b0 = 1,
                            .b1 = -exp(-2 * pi * zero_hz / MOOD_SAMPLE_RATE),
                            .a1 = -exp(-2 * pi * pole_hz / MOOD_SAMPLE_RATE)};
}

/* Low-pass or high-pass of the second order, by the bilinear transform. */
static struct section pass_section(double hz, double q, bool high)
{
    double k = tan(pi * hz / MOOD_SAMPLE_RATE), norm = 1 / (1 + k / q + k * k);
    double b = high ? norm : k * k * norm;
    return (struct section){.b0 = b,
                            .b1 = high ? -2 * b : 2 * b,
                            .b2 = b,
                            .a1 = 2 * (k * k - 1) * norm,
                            .a2 = (1 - k / q + k * k) * norm};
}

/* ---- noise ---- */

enum { N_SLOPE = 5, N_BAND = 4 };

struct noise {
    struct mood__rng r;
    struct section slope[N_SLOPE], band[N_BAND];
    int n_band;
};

/* A Butterworth filter of the fourth order is two sections. */
static void add_pass(struct noise *s, double hz, bool high)
{
    s->band[s->n_band++] = pass_section(hz, 1 / (2 * cos(pi / 8)), high);
    s->band[s->n_band++] = pass_section(hz, 1 / (2 * cos(3 * pi / 8)), high);
}

/* The amplitude goes with f^-slope from 20 Hz on: poles stand two octaves apart, and each has a
 * zero so far above it that the steps make the slope. */
static struct noise draw_noise(struct mood__rng *r)
{
    static const double lows[] = {0, 0, 100, 300, 800};
    static const double highs[] = {8000, 8000, 5500, 4000, 2000, 1000};
    struct noise s = {.n_band = 0};
    double slope = mood__draw_between(r, -0.3, 1.2);
    double low = mood__draw_of(r, lows, 5), high = mood__draw_of(r, highs, 6);
    for (int k = 0; k < N_SLOPE; k++)
        s.slope[k] = step_section(20 * pow(4, k), 20 * pow(4, k + slope));
    if (low > 0)
        add_pass(&s, low, true);
    if (high < MOOD_SAMPLE_RATE / 2)
        add_pass(&s, high, false);
    s.r = (struct mood__rng){mood__rng_u64(r)};
    return s;
}

/* The next sample. What is outside the band stays, 40 dB softer: nothing real ends in zeros. */
static double next_noise(struct noise *s)
{
    double x = mood__rng_normal(&s->r);
    for (int k = 0; k < N_SLOPE; k++)
        x = run_section(&s->slope[k], x);
    double y = x;
    for (int k = 0; k < s->n_band; k++)
        y = run_section(&s->band[k], y);
    return s->n_band ? y + 0.01 * x : y;
}

/* Made twice from the same numbers, once to measure it: so no memory is needed for it. */
void mood__add_noise(float *x, size_t n, double level, struct mood__rng *r)
{
    struct noise trial = draw_noise(r), s = trial;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double v = next_noise(&trial);
        sum += v * v;
    }
    double gain = sum > 0 ? level / sqrt(sum / (double)n) : 0;
    for (size_t i = 0; i < n; i++)
        x[i] += (float)(gain * next_noise(&s));
}

/* ---- rising and falling ---- */

/* From one random level to the next, every so many samples; in steps it stays until then. */
static void swell_at_random(float *x, size_t n, bool steps, struct mood__rng *r)
{
    size_t spacing = n / (2 + (size_t)mood__rng_below(r, 38)) + 1;
    double from = mood__rng_double(r), to = mood__rng_double(r);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && i % spacing == 0) {
            from = to;
            to = mood__rng_double(r);
        }
        double part = steps ? 0 : (double)(i % spacing) / (double)spacing;
        x[i] *= (float)(from + part * (to - from));
    }
}

static void swell_like_a_sine(float *x, size_t n, struct mood__rng *r)
{
    double depth = mood__draw_between(r, 0.2, 1), hz = mood__draw_between(r, 0.3, 8);
    double phase = mood__draw_between(r, 0, 2 * pi);
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / MOOD_SAMPLE_RATE;
        x[i] *= (float)(1 + depth * sin(2 * pi * hz * t + phase));
    }
}

void mood__add_swell(float *x, size_t n, struct mood__rng *r)
{
    uint64_t how = mood__rng_below(r, 3);
    if (how == 0)
        swell_like_a_sine(x, n, r);
    else
        swell_at_random(x, n, how == 1, r);
}

/* ---- hum, tones, clicks ---- */

void mood__add_hum(float *x, size_t n, struct mood__rng *r)
{
    double choices[] = {50, 60, 100, 120, mood__draw_between(r, 80, 1000)};
    double hz = mood__draw_of(r, choices, 5);
    int n_harmonics = 1 + (int)mood__rng_below(r, 19);
    for (int h = 1; h <= n_harmonics && h * hz < 7800; h++) {
        double amplitude = mood__draw_between(r, 0.05, 1);
        double phase = mood__draw_between(r, 0, 2 * pi);
        double step = 2 * pi * h * hz / MOOD_SAMPLE_RATE;
        for (size_t i = 0; i < n; i++)
            x[i] += (float)(amplitude * sin(step * (double)i + phase));
    }
}

void mood__add_tone(float *x, size_t n, struct mood__rng *r)
{
    double hz = 100 * pow(40, mood__rng_double(r)), phase = 0;
    double slide = mood__draw_chance(r, 0.5) ? mood__draw_between(r, -200, 800) : 0; /* Hz / s */
    double depth = mood__draw_chance(r, 0.3) ? mood__draw_between(r, 0, 0.3) : 0;
    double wobble_hz = mood__draw_between(r, 0.3, 10);
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / MOOD_SAMPLE_RATE;
        double now = (hz + slide * t) * (1 + depth * sin(2 * pi * wobble_hz * t));
        phase += fmin(fmax(now, 20), 7800) / MOOD_SAMPLE_RATE;
        phase -= floor(phase);
        x[i] += (float)sin(2 * pi * phase);
    }
}

void mood__add_clicks(float *x, size_t n, struct mood__rng *r)
{
    bool regular = mood__draw_chance(r, 0.3);
    size_t spacing = (size_t)mood__draw_between(r, 0.05 * MOOD_SAMPLE_RATE, MOOD_SAMPLE_RATE);
    double rate = pow(10, mood__draw_between(r, -4, -2.5)); /* per sample */
    double hz = 100 * pow(60, mood__rng_double(r)), radius = mood__draw_between(r, 0, 0.995);
    struct section ring = {
        .b0 = 1, .a1 = -2 * radius * cos(2 * pi * hz / MOOD_SAMPLE_RATE), .a2 = radius * radius};
    for (size_t i = 0; i < n; i++) {
        bool now = regular ? i % spacing == spacing / 2 : mood__draw_chance(r, rate);
        x[i] += (float)run_section(&ring, now ? mood__rng_normal(r) : 0);
    }
}
