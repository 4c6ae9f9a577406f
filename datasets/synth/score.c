/* SPDX-License-Identifier: MIT
 *
 * score.c — From a sentence and its cues to frames: when each syllable comes, and what pitch,
 * loudness and mouth do during it.
 *
 * Targets are set phone by phone and then smoothed, which gives the transitions between phones: the
 * speech organs have mass. */
#include "parts.h"

#include <math.h>
#include <string.h>

enum { MAX_SYLLABLES = 10 };

struct vowel {
    char letter;
    double formant[3]; /* Hz, adult male (averages of Peterson and Barney 1952, rounded) */
};

static const struct vowel vowels[] = {
    {'a', {730, 1100, 2450}}, {'e', {500, 1850, 2500}}, {'i', {280, 2250, 2900}},
    {'o', {520, 900, 2400}},  {'u', {320, 850, 2250}},
};

struct consonant {
    char letter;
    double length_s;
    double closed;   /* the share of it during which the mouth is shut and silent */
    double voice_db; /* glottal pulses, relative to a vowel */
    double hiss_db;  /* noise, relative to a vowel */
    double hiss_hz, hiss_bw;
    double formant[3]; /* where the vowel's formants start from, Hz */
};

static const double silent_db = -120.0;

static const struct consonant consonants[] = {
    {'p', 0.085, 0.75, -120, -22, 1000, 1500, {350, 800, 2200}},
    {'t', 0.085, 0.70, -120, -16, 4300, 2500, {350, 1800, 2700}},
    {'k', 0.090, 0.65, -120, -18, 2000, 900, {350, 1900, 2300}},
    {'b', 0.070, 0.80, -24, -28, 900, 1200, {250, 800, 2200}},
    {'d', 0.065, 0.80, -24, -24, 3800, 2200, {250, 1800, 2700}},
    {'g', 0.070, 0.80, -24, -24, 1900, 900, {250, 1900, 2300}},
    {'s', 0.110, 0.0, -120, -14, 5600, 2200, {350, 1700, 2600}},
    {'f', 0.100, 0.0, -120, -24, 4500, 5000, {350, 1000, 2200}},
    {'v', 0.065, 0.0, -12, -28, 4500, 5000, {280, 1000, 2200}},
    {'m', 0.075, 0.0, -10, -120, 1000, 1000, {260, 1000, 2200}},
    {'n', 0.070, 0.0, -10, -120, 1000, 1000, {260, 1600, 2600}},
    {'l', 0.065, 0.0, -6, -120, 1000, 1000, {350, 1100, 2700}},
    {'r', 0.060, 0.0, -6, -120, 1000, 1000, {350, 1200, 1600}},
};

/* The sentences: syllables of a consonant and a vowel, in no language. */
static const char *const statements[VOICE_N_STATEMENTS] = {"melatokisanudo", "rinavobesulagima"};

struct syllable {
    const struct consonant *onset;
    const struct vowel *nucleus;
    double start_s, length_s, onset_s; /* the onset is the first part of the length */
    double extra_db;                   /* chance loudness */
    double extra_st;                   /* chance pitch */
};

struct phrase {
    struct syllable syllable[MAX_SYLLABLES];
    int n;
    double start_s, end_s;
    double tremor_phase;
};

static const struct vowel *find_vowel(char letter)
{
    for (size_t i = 0; i < sizeof vowels / sizeof *vowels; i++)
        if (vowels[i].letter == letter)
            return &vowels[i];
    return &vowels[0];
}

static const struct consonant *find_consonant(char letter)
{
    for (size_t i = 0; i < sizeof consonants / sizeof *consonants; i++)
        if (consonants[i].letter == letter)
            return &consonants[i];
    return &consonants[0];
}

static double db(double x)
{
    return pow(10.0, x / 20.0);
}

/* 1 for odd syllables (the first, the third, ...), -1 for even ones. */
static double beat_sign(int index)
{
    return index % 2 == 0 ? 1.0 : -1.0;
}

/* Timing: when each syllable starts and how long it lasts. */
static void lay_out(const struct voice_take *take, const double *cues, struct mood__rng *r,
                    struct phrase *p)
{
    const char *text = statements[take->statement - 1];
    p->n = (int)(strlen(text) / 2);
    p->start_s = 0.10 + 0.10 * mood__rng_double(r);
    p->tremor_phase = mood__rng_double(r);
    int pause_after = (int)(cues[VOICE_CUE_PAUSE_AT] * p->n + 0.5) - 1;
    double t = p->start_s;
    for (int i = 0; i < p->n; i++) {
        struct syllable *s = &p->syllable[i];
        double x = i / (p->n - 1.0) - 0.5;
        double log_length = cues[VOICE_CUE_TEMPO] * x + 0.05 * mood__rng_normal(r);
        if (i == p->n - 1)
            log_length += cues[VOICE_CUE_DRAWL];
        s->onset = find_consonant(text[2 * i]);
        s->nucleus = find_vowel(text[2 * i + 1]);
        s->start_s = t;
        s->length_s = exp(log_length) / cues[VOICE_CUE_RATE];
        s->onset_s = fmin(s->onset->length_s, 0.45 * s->length_s);
        s->extra_db = 1.0 * mood__rng_normal(r);
        s->extra_st = 0.3 * mood__rng_normal(r);
        t += s->length_s;
        if (i == pause_after)
            t += cues[VOICE_CUE_PAUSE];
    }
    p->end_s = t;
}

/* x(1 - x) made to have mean 0 over the phrase and 1 between mid-phrase and the ends. */
static double arch(double x)
{
    return 4.0 * x * (1.0 - x) - 2.0 / 3.0;
}

/* Pitch, in semitones from the speaker's own, at place x of the phrase and u of syllable i. */
static double pitch_st(const double *cues, const struct phrase *p, int i, double x, double u,
                       double tremor)
{
    double st = cues[VOICE_CUE_LEVEL] + cues[VOICE_CUE_SLOPE] * (x - 0.5) +
                cues[VOICE_CUE_ARCH] * arch(x) + cues[VOICE_CUE_GLIDE] * (u - 0.5) +
                0.5 * cues[VOICE_CUE_BOUNCE] * beat_sign(i) + p->syllable[i].extra_st;
    if (i == p->n - 1)
        st += cues[VOICE_CUE_FINAL] * (u - 0.5);
    const double st_per_db = 0.15; /* the pitch trembles along with the loudness, a little */
    return st + st_per_db * cues[VOICE_CUE_TREMOR] * tremor;
}

/* Loudness of voicing, in dB, at the same place. */
static double loudness_db(const double *cues, const struct phrase *p, int i, double x, double u,
                          double tremor)
{
    return cues[VOICE_CUE_SWELL] * (x - 0.5) + cues[VOICE_CUE_HILL] * arch(x) +
           0.5 * cues[VOICE_CUE_BEAT] * beat_sign(i) + cues[VOICE_CUE_DECAY] * (u - 0.5) +
           p->syllable[i].extra_db + 0.5 * cues[VOICE_CUE_TREMOR] * tremor;
}

/* Targets while syllable i sounds, at time t. */
static void sing(const double *cues, const struct voice__speaker *speaker, const struct phrase *p,
                 int i, double t, struct voice__frame *f)
{
    const struct syllable *s = &p->syllable[i];
    double x = (t - p->start_s) / (p->end_s - p->start_s);
    double since = t - s->start_s;
    bool in_onset = since < s->onset_s;
    double u = in_onset ? 0.0 : (since - s->onset_s) / (s->length_s - s->onset_s);
    double tremor = sin(6.283185307179586 * (cues[VOICE_CUE_TREMOR_HZ] * t + p->tremor_phase));
    double loud = loudness_db(cues, p, i, x, u, tremor);
    double voice = loud, hiss = silent_db;
    f->pitch_hz = speaker->pitch_hz * exp2(pitch_st(cues, p, i, x, u, tremor) / 12.0);
    if (in_onset) {
        voice = loud + s->onset->voice_db;
        if (since >= s->onset->closed * s->onset_s)
            hiss = 0.7 * loud + s->onset->hiss_db; /* noise follows effort less than the voice */
    } else if (u > 0.92) {
        voice -= 6.0; /* the mouth closes for what comes next */
    }
    f->voice = db(voice);
    f->breath = f->voice * db(cues[VOICE_CUE_BREATH]);
    f->hiss = db(hiss);
    f->hiss_hz = fmin(s->onset->hiss_hz * speaker->tract, 6800.0);
    f->hiss_bw = s->onset->hiss_bw;
    const double *formant = in_onset ? s->onset->formant : s->nucleus->formant;
    for (int k = 0; k < 3; k++)
        f->formant[k] = formant[k] * speaker->tract * exp2(k < 2 ? speaker->vowel_st / 12.0 : 0.0);
    /* A louder voice is also a brighter one. */
    f->tilt = fmax(0.0, 10.0 - cues[VOICE_CUE_EFFORT] - 0.4 * loud);
}

/* One pole towards `target`, whose time constant is `frames` frames. */
static double towards(double value, double target, double frames)
{
    return value + (target - value) * (1.0 - exp(-1.0 / frames));
}

/* Let the targets become movements, from the past to the future. */
static void smooth(struct voice__frame *f, int n, double attack_frames)
{
    const double organ = 4.0, pitch = 3.0, release = 3.0, burst = 1.0;
    for (int i = 1; i < n; i++) {
        struct voice__frame *now = &f[i];
        const struct voice__frame *was = &f[i - 1];
        double rise = now->voice > was->voice ? attack_frames : release;
        now->pitch_hz = towards(was->pitch_hz, now->pitch_hz, pitch);
        now->voice = towards(was->voice, now->voice, rise);
        now->breath = towards(was->breath, now->breath, rise);
        now->hiss = towards(was->hiss, now->hiss, burst);
        now->tilt = towards(was->tilt, now->tilt, organ);
        for (int k = 0; k < 3; k++)
            now->formant[k] = towards(was->formant[k], now->formant[k], organ);
    }
}

int voice__score(const struct voice_take *take, const double cues[VOICE_N_CUES],
                 const struct voice__speaker *speaker, struct voice__frame *frames)
{
    const double frame_s = (double)VOICE__HOP / VOICE_RATE;
    const double shortest_s = 2.5;
    struct mood__rng r = voice__rng(take, VOICE__SCORE);
    struct phrase p = {0};
    lay_out(take, cues, &r, &p);
    double length_s = fmax(p.end_s + 0.15 + 0.25 * mood__rng_double(&r), shortest_s);
    int n = (int)fmin(ceil(length_s / frame_s), VOICE__MAX_FRAMES);
    int i = 0;
    for (int k = 0; k < n; k++) {
        double t = k * frame_s;
        while (i < p.n - 1 && t >= p.syllable[i + 1].start_s)
            i++;
        const struct syllable *s = &p.syllable[i];
        double inside = fmax(s->start_s, fmin(t, s->start_s + s->length_s));
        sing(cues, speaker, &p, i, inside, &frames[k]);
        if (t < s->start_s || t > s->start_s + s->length_s)
            frames[k].voice = frames[k].breath = frames[k].hiss = 0.0;
    }
    smooth(frames, n, cues[VOICE_CUE_ATTACK] / 1000.0 / frame_s);
    return n;
}
