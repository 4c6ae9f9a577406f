/* SPDX-License-Identifier: MIT
 *
 * background_music.c — Made-up music: random instruments play random notes of a scale, in time. */
#include "audio/background_sounds.h"

#include <math.h>

#include "mood/audio.h"

static const double pi = 3.14159265358979323846;

/* ---- instruments ---- */

enum { MAX_PARTIALS = 20, BLOCK = 64 };

struct timbre {
    int n_partials;
    double amplitude[MAX_PARTIALS], phase[MAX_PARTIALS];
    double stretch;                   /* partial h is higher by stretch h^2: strings are stiff */
    double attack;                    /* seconds */
    double decay, damping;            /* 1 / seconds: of all partials; and more with each */
    double vibrato_hz, vibrato_depth; /* depth: part of the frequency */
    double chorus;                    /* as much higher a second voice is; 0: there is none */
};

static struct timbre draw_timbre(struct mood__rng *r)
{
    static const double stretches[] = {0, 0, 1e-4}, attacks[] = {0.002, 0.01, 0.05, 0.2};
    static const double decays[] = {0, 1, 3, 8, 20}, dampings[] = {0, 0, 0.3, 1};
    struct timbre t = {.n_partials = 1 + (int)mood__rng_below(r, MAX_PARTIALS - 1)};
    double steepness = mood__draw_between(r, 0.3, 2.5);
    bool odd_only = mood__draw_chance(r, 0.15); /* reeds in a closed tube, square waves */
    for (int h = 0; h < t.n_partials; h++) {
        t.amplitude[h] = pow(h + 1, -steepness) * mood__draw_between(r, 0.3, 1);
        t.phase[h] = mood__draw_between(r, 0, 2 * pi);
        if (odd_only && h % 2 == 1)
            t.amplitude[h] *= 0.03;
    }
    t.stretch = mood__draw_of(r, stretches, 3);
    t.attack = mood__draw_of(r, attacks, 4);
    t.decay = mood__draw_of(r, decays, 5);
    t.damping = mood__draw_of(r, dampings, 4);
    if (mood__draw_chance(r, 0.25)) {
        t.vibrato_hz = mood__draw_between(r, 4, 7);
        t.vibrato_depth = mood__draw_between(r, 0.002, 0.015);
    }
    if (mood__draw_chance(r, 0.25))
        t.chorus = mood__draw_between(r, 0.001, 0.008);
    return t;
}

/* A sine as a number that turns and shrinks in the complex plane. */
struct partial {
    double re, im;
};

/* Adds BLOCK samples, and moves p on. */
static void turn(double *sum, struct partial *p, double hz, double decay)
{
    double angle = 2 * pi * hz / MOOD_SAMPLE_RATE, shrink = exp(-decay / MOOD_SAMPLE_RATE);
    double c = shrink * cos(angle), s = shrink * sin(angle);
    struct partial q = *p;
    for (int i = 0; i < BLOCK; i++) {
        sum[i] += q.im;
        q = (struct partial){c * q.re - s * q.im, s * q.re + c * q.im};
    }
    *p = q;
}

/* A note that begins at sample `at`, perhaps before the first, and lasts `length` samples; what
 * is outside of x is not heard. Its frequency is constant for BLOCK samples. */
static void add_note(float *x, size_t n, ptrdiff_t at, int length, double hz, double gain,
                     const struct timbre *t)
{
    struct partial p[MAX_PARTIALS];
    for (int h = 0; h < t->n_partials; h++)
        p[h] = (struct partial){t->amplitude[h] * cos(t->phase[h]),
                                t->amplitude[h] * sin(t->phase[h])};
    double attack = t->attack * MOOD_SAMPLE_RATE, release = 0.01 * MOOD_SAMPLE_RATE;
    for (int from = 0; from < length && at + from < (ptrdiff_t)n; from += BLOCK) {
        double sum[BLOCK] = {0}, seconds = (double)from / MOOD_SAMPLE_RATE;
        double now = hz * (1 + t->vibrato_depth * sin(2 * pi * t->vibrato_hz * seconds));
        for (int h = 0; h < t->n_partials; h++) {
            double partial_hz = now * (h + 1) * (1 + t->stretch * h * h);
            if (partial_hz < 7600)
                turn(sum, &p[h], partial_hz, t->decay + t->damping * h);
        }
        for (int i = from; i < from + BLOCK && i < length; i++) {
            double edge = fmin(fmin(i / attack, (length - i) / release), 1);
            if (at + i >= 0 && at + i < (ptrdiff_t)n)
                x[at + i] += (float)(gain * edge * sum[i - from]);
        }
    }
}

/* ---- parts ---- */

struct song {
    const int *scale; /* seven degrees, in semitones */
    double root;      /* semitones, as MIDI counts: 69 is 440 Hz */
    int beat;         /* samples */
};

static int draw_beat(struct mood__rng *r)
{
    static const double divisions[] = {1, 2, 4};
    double per_minute = mood__draw_between(r, 60, 180) * mood__draw_of(r, divisions, 3);
    return (int)(60 * MOOD_SAMPLE_RATE / per_minute);
}

static void add_chord(float *x, size_t n, ptrdiff_t at, int length, double root, const int *scale,
                      int degree, int n_notes, double gain, const struct timbre *t)
{
    for (int k = 0; k < n_notes; k++) {
        double hz = 440 * pow(2, (root + scale[(degree + 2 * k) % 7] - 69) / 12);
        if (hz > 6000)
            continue;
        add_note(x, n, at, length, hz, gain, t);
        if (t->chorus > 0)
            add_note(x, n, at, length, hz * (1 + t->chorus), gain, t);
    }
}

/* One instrument: a melody, an arpeggio, chords or a bass, as it happens. */
static void add_part(float *x, size_t n, const struct song *song, struct mood__rng *r)
{
    static const double beats[] = {1, 1, 2, 4}, voices[] = {1, 1, 2, 3};
    static const double sustains[] = {0.5, 1, 1, 1.5};
    struct timbre t = draw_timbre(r);
    double root = song->root + 12 * (double)mood__rng_below(r, 4);
    double density = mood__draw_between(r, 0.3, 1), gain = mood__draw_between(r, 0.2, 1);
    int step = song->beat * (int)mood__draw_of(r, beats, 4);
    int n_notes = (int)mood__draw_of(r, voices, 4);
    int length = (int)(step * mood__draw_of(r, sustains, 4));
    uint64_t motion = mood__rng_below(r, 4);
    int degree = (int)mood__rng_below(r, 7);
    root += mood__draw_between(r, -0.3, 0.3); /* nobody is in tune */
    ptrdiff_t at = -(ptrdiff_t)mood__rng_below(r, (uint64_t)step);
    for (; at < (ptrdiff_t)n; at += step) {
        if (!mood__draw_chance(r, density))
            continue;
        if (motion == 0) /* an arpeggio */
            degree = (degree + 2) % 7;
        else if (motion == 1) /* a scale, up and down */
            degree = (degree + (mood__draw_chance(r, 0.5) ? 1 : 6)) % 7;
        else
            degree = (int)mood__rng_below(r, 7);
        add_chord(x, n, at, length, root, song->scale, degree, n_notes, gain, &t);
    }
}

/* ---- drums ---- */

/* Two samples' mean or difference makes noise darker (tint > 0) or brighter. */
static void add_burst(float *x, size_t n, double gain, double seconds, double tint,
                      struct mood__rng *r)
{
    double before = 0, decay = -5 / (seconds * MOOD_SAMPLE_RATE);
    for (size_t i = 0; i < n && (double)i < seconds * MOOD_SAMPLE_RATE; i++) {
        double white = mood__rng_normal(r);
        x[i] += (float)(gain * exp(decay * (double)i) * (white + tint * before));
        before = white;
    }
}

/* A sine that falls from 200 Hz to its pitch. */
static void add_thump(float *x, size_t n, double gain, double hz)
{
    for (size_t i = 0; i < n && i < MOOD_SAMPLE_RATE / 4; i++) {
        double t = (double)i / MOOD_SAMPLE_RATE;
        double cycles = hz * t + 5 * (1 - exp(-30 * t));
        x[i] += (float)(gain * exp(-12 * t) * sin(2 * pi * cycles));
    }
}

static void add_drums_in_time(float *x, size_t n, int beat, struct mood__rng *r)
{
    uint64_t snare = mood__rng_u64(r), thump = mood__rng_u64(r), cymbal = mood__rng_u64(r);
    double snare_gain = mood__draw_between(r, 0.2, 2), thump_gain = mood__draw_between(r, 0.3, 3);
    double cymbal_gain = mood__draw_between(r, 0, 1), hz = mood__draw_between(r, 40, 90);
    double snare_seconds = mood__draw_between(r, 0.05, 0.25), tint = mood__draw_between(r, -1, 1);
    double cymbal_seconds = mood__draw_between(r, 0.02, 0.1);
    size_t at = (size_t)mood__rng_below(r, (uint64_t)beat);
    for (unsigned step = 0; at < n; step = (step + 1) % 16, at += (size_t)beat) {
        if (snare >> step & 1)
            add_burst(x + at, n - at, snare_gain, snare_seconds, tint, r);
        if (thump >> step & 1)
            add_thump(x + at, n - at, thump_gain, hz);
        if (cymbal >> step & 1)
            add_burst(x + at, n - at, cymbal_gain, cymbal_seconds, -1, r);
    }
}

void mood__add_drums(float *x, size_t n, struct mood__rng *r)
{
    add_drums_in_time(x, n, draw_beat(r), r);
}

/* ---- the whole ---- */

/* Too much for the amplifier. */
static void distort(float *x, size_t n, double drive)
{
    mood__set_rms(x, n, drive);
    for (size_t i = 0; i < n; i++)
        x[i] = tanhf(x[i]);
}

/* Each sample comes again `delay` later, and again, softer each time. */
static void echo(float *x, size_t n, size_t delay, float gain)
{
    for (size_t i = delay; i < n; i++)
        x[i] += gain * x[i - delay];
}

void mood__add_music(float *x, size_t n, struct mood__rng *r)
{
    static const int major[] = {0, 2, 4, 5, 7, 9, 11}, minor[] = {0, 2, 3, 5, 7, 8, 10};
    struct song song = {.scale = mood__draw_chance(r, 0.5) ? major : minor,
                        .root = mood__draw_between(r, 40, 60),
                        .beat = draw_beat(r)};
    int n_parts = 1 + (int)mood__rng_below(r, 4);
    for (int k = 0; k < n_parts; k++)
        add_part(x, n, &song, r);
    if (mood__draw_chance(r, 0.15))
        distort(x, n, mood__draw_between(r, 0.5, 5));
    if (mood__draw_chance(r, 0.6))
        add_drums_in_time(x, n, song.beat, r);
    for (int k = mood__draw_chance(r, 0.3) ? 3 : 0; k > 0; k--) {
        double seconds = mood__draw_between(r, 0.02, 0.12);
        echo(x, n, (size_t)(seconds * MOOD_SAMPLE_RATE), (float)mood__draw_between(r, 0.2, 0.6));
    }
}
