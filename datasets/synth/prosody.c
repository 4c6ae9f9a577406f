/* SPDX-License-Identifier: MIT
 *
 * prosody.c — Who speaks, and with which cues: the one table that says what an emotion sounds like.
 *
 * A take's cue is the emotion's value, plus what the speaker always does, plus what happened to
 * come out this time. Speakers use an emotion's cues mostly, not always (the lens model of Brunswik
 * 1956, for voices Juslin and Laukka 2003): now and then one slips and is spoken as in some other
 * emotion. So every cue overlaps between any two emotions and none decides, while all together do;
 * tests/synth holds both.
 *
 * Values are balanced so that loudness moves about as much in one emotion as in the other, only
 * elsewhere: the deviation of a clip's spectrum over time should tell as little as its mean. */
#include "parts.h"

#include <math.h>

#include "mood/emotion.h"

/* How often a cue slips. At 0.05, a network can no longer be right in 95 of 100. */
static const double slip_share = 0.01;

/* How far the strong form of an emotion lies from neutral, where the normal form has 1. */
static const double strong_form = 1.25;

struct cue_row {
    double of_emotion[MOOD_N_EMOTIONS]; /* the normal form, in the order of mood_emotion_at */
    double speaker_sd;                  /* spread between speakers */
    double take_sd;                     /* spread between the takes of one speaker */
    double lowest, highest;             /* a draw outside is moved to the border */
};

/* clang-format off */
static const struct cue_row cue_rows[VOICE_N_CUES] = {
    /*                        neutral  calm  happy   sad  angry fearful disgust surprised  speaker take   lowest highest */
    [VOICE_CUE_LEVEL]     = {{  0.0,  -0.5,   1.0,  -0.5,   0.5,   1.0,  -0.5,   1.0},     1.5,  1.2,    -6.0,   6.0},
    [VOICE_CUE_SLOPE]     = {{  0.0,  -2.0,  -1.0,  -7.0,  -4.0,   4.5,  -1.0,   7.0},     0.7,  1.7,   -12.0,  12.0},
    [VOICE_CUE_ARCH]      = {{  0.0,   2.5,   6.0,  -1.0,   1.0,   0.0,  -6.0,   0.0},     0.5,  1.3,   -10.0,  10.0},
    [VOICE_CUE_GLIDE]     = {{  0.0,   0.0,   3.5,  -3.0,  -5.0,   1.5,  -3.5,   2.5},     0.5,  1.1,    -9.0,   9.0},
    [VOICE_CUE_BOUNCE]    = {{  0.0,   0.5,   5.0,   0.0,  -4.5,   0.0,  -1.0,   0.0},     0.3,  1.0,    -9.0,   9.0},
    [VOICE_CUE_FINAL]     = {{ -1.5,  -2.0,   1.0,  -3.0,  -4.0,   2.0,  -2.0,   5.0},     0.5,  1.3,   -10.0,  10.0},
    [VOICE_CUE_RATE]      = {{  3.5,   3.3,   3.6,   3.35,  3.5,   3.6,   3.35,  3.45},    0.12, 0.12,    2.7,   4.5},
    [VOICE_CUE_TEMPO]     = {{  0.0,   0.5,   0.0,   0.2,  -0.2,  -0.6,   0.3,   0.0},     0.1,  0.16,   -1.0,   1.0},
    [VOICE_CUE_DRAWL]     = {{  0.1,   0.4,   0.1,   0.3,   0.0,   0.0,   0.1,   0.5},     0.1,  0.12,   -0.2,   0.8},
    [VOICE_CUE_PAUSE]     = {{  0.05,  0.20,  0.03,  0.15,  0.03,  0.08,  0.18,  0.05},    0.02, 0.04,    0.0,   0.30},
    [VOICE_CUE_PAUSE_AT]  = {{  0.5,   0.6,   0.5,   0.7,   0.5,   0.45,  0.3,   0.5},     0.05, 0.12,    0.1,   0.9},
    [VOICE_CUE_SWELL]     = {{  0.0,  -4.0,   0.0, -14.0,  -3.0,   8.0,   0.0,  13.0},     1.3,  2.8,   -20.0,  20.0},
    [VOICE_CUE_HILL]      = {{  3.0,   3.0,   8.0,   0.0,   0.0,  -5.0, -12.0,   0.0},     1.0,  2.2,   -18.0,  18.0},
    [VOICE_CUE_BEAT]      = {{  0.0,   0.0,   8.0,  -4.0,  -9.0,  -1.0,   2.0,   0.0},     0.5,  1.9,   -16.0,  16.0},
    [VOICE_CUE_DECAY]     = {{ -7.0,   6.0,  -4.0,   0.0, -10.0,   0.0,   8.0,   3.0},     1.0,  2.2,   -18.0,  16.0},
    [VOICE_CUE_ATTACK]    = {{ 22.0,  50.0,  20.0,  35.0,  12.0,  20.0,  35.0,  25.0},     3.0,  8.0,     8.0,  80.0},
    [VOICE_CUE_TREMOR]    = {{  1.0,   1.0,   1.5,   3.0,   1.5,  12.0,   1.5,   1.5},     0.4,  1.4,     0.0,  16.0},
    [VOICE_CUE_TREMOR_HZ] = {{  5.0,   4.5,   5.0,   4.0,   5.5,   6.0,   5.0,   5.5},     0.3,  0.7,     3.0,   8.0},
    [VOICE_CUE_EFFORT]    = {{  0.0,  -2.0,   1.5,  -2.0,   3.0,   0.0,   0.0,   1.0},     2.0,  1.5,   -10.0,  10.0},
    [VOICE_CUE_BREATH]    = {{-30.0, -26.0, -30.0, -27.0, -31.0, -27.0, -29.0, -30.0},     2.0,  2.0,   -40.0, -18.0},
    [VOICE_CUE_JITTER]    = {{  0.6,   0.5,   0.7,   0.9,   1.2,   1.2,   1.1,   0.7},     0.2,  0.2,     0.1,   3.0},
    [VOICE_CUE_SHIMMER]   = {{  0.4,   0.3,   0.4,   0.6,   0.7,   0.7,   0.7,   0.4},     0.1,  0.1,     0.1,   2.0},
};
/* clang-format on */

/* Normal draws beyond this many standard deviations are pulled in: a rare monster would only be a
 * wrong label. */
static const double farthest_sd = 2.5;

static double draw(struct mood__rng *r, double mean, double sd)
{
    return mean + sd * fmax(-farthest_sd, fmin(farthest_sd, mood__rng_normal(r)));
}

static uint64_t speaker_key(const struct voice_take *take)
{
    return mood__hash64(mood__mix64(take->seed), (uint64_t)take->speaker);
}

struct mood__rng voice__rng(const struct voice_take *take, enum voice__stream part)
{
    uint64_t key = speaker_key(take);
    key = mood__hash64(key, (uint64_t)take->emotion);
    key = mood__hash64(key, (uint64_t)take->intensity);
    key = mood__hash64(key, (uint64_t)take->statement);
    key = mood__hash64(key, (uint64_t)take->repetition);
    return mood__rng_make(key, (uint64_t)part);
}

void voice__speaker_draw(const struct voice_take *take, struct voice__speaker *speaker)
{
    struct mood__rng r = mood__rng_make(speaker_key(take), 0);
    bool male = take->speaker % 2 == 1;
    speaker->pitch_hz = (male ? 118.0 : 200.0) * exp2(draw(&r, 0.0, 1.8) / 12.0);
    speaker->tract = (male ? 1.0 : 1.16) * draw(&r, 1.0, 0.035);
    speaker->open = draw(&r, 0.62, 0.06);
    speaker->bandwidth = draw(&r, 1.0, 0.12);
    speaker->vowel_st = draw(&r, 0.0, 0.5);
}

const char *voice_cue_text(enum voice_cue cue)
{
#define VOICE_CUE_TEXT(id, text) [VOICE_CUE_##id] = text,
    static const char *const texts[VOICE_N_CUES] = {VOICE_CUE_LIST(VOICE_CUE_TEXT)};
#undef VOICE_CUE_TEXT
    return texts[cue];
}

void voice_cues(const struct voice_take *take, double cues[VOICE_N_CUES])
{
    struct mood__rng habit = mood__rng_make(speaker_key(take), 1);
    struct mood__rng chance = voice__rng(take, VOICE__CUES);
    double form = take->intensity == 2 ? strong_form : 1.0;
    for (int c = 0; c < VOICE_N_CUES; c++) {
        const struct cue_row *row = &cue_rows[c];
        double neutral = row->of_emotion[0];
        bool slips = mood__rng_double(&chance) < slip_share;
        int other = (int)mood__rng_below(&chance, MOOD_N_EMOTIONS);
        double x = neutral + form * (row->of_emotion[slips ? other : take->emotion] - neutral);
        x = draw(&habit, x, row->speaker_sd);
        x = draw(&chance, x, row->take_sd);
        cues[c] = fmax(row->lowest, fmin(row->highest, x));
    }
}
