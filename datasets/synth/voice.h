/* SPDX-License-Identifier: MIT
 *
 * voice.h — Made-up emotional voices, for demos and tests that must not need a download.
 *
 * A clip is a sentence of nonsense syllables, spoken by a source-filter voice (glottal pulses and
 * noise through a chain of formants, after Fant 1960 and Klatt 1980) in some room, through some
 * microphone. The emotion sets the prosody: pitch, timing, loudness and voice quality. It does so
 * through many cues at once, of which each overlaps between the emotions, most of them movements in
 * time (rises, beats, swells) that leave the clip's averages alone.
 *
 * It is a toy: the profiles are plausible, not measured, and a model trained on these voices knows
 * nothing of people.
 *
 * A test makes its audio in memory like this:
 *
 *     struct voice_take take = {.speaker = 1, .emotion = 2, .intensity = 1,
 *                               .statement = 1, .repetition = 1};
 *     float *pcm;
 *     size_t n;
 *     if (voice_render(&take, &pcm, &n) != MOOD_OK) ...
 *     ...
 *     voice_free(&pcm);
 */
#ifndef SYNTH_VOICE_H
#define SYNTH_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mood/base.h"

enum {
    VOICE_RATE = 16000, /* samples per second */

    VOICE_MAX_SPEAKER = 99, /* two digits in the file name */
    VOICE_MAX_REPETITION = 99,
    VOICE_N_STATEMENTS = 2,
    /* Different takes of each emotion by one speaker: neutral, without a strong form, has fewest.
     */
    VOICE_MAX_TAKES = VOICE_N_STATEMENTS * VOICE_MAX_REPETITION,
    VOICE_NAME_BYTES = 80 /* room for voice_name's result, the final zero included */
};

/* What is said, by whom and how. Everything about the clip follows from these numbers alone: the
 * same take is the same samples, in any order, on any thread. */
struct voice_take {
    uint64_t seed;  /* the world: another seed has other speakers */
    int speaker;    /* 1 .. VOICE_MAX_SPEAKER; odd ones are male, as in RAVDESS */
    int emotion;    /* 0 .. MOOD_N_EMOTIONS - 1, the order of mood_emotion_at */
    int intensity;  /* 1 normal, 2 strong (neutral has no strong form) */
    int statement;  /* 1 .. VOICE_N_STATEMENTS */
    int repetition; /* 1 .. VOICE_MAX_REPETITION */
};

/* Take number `i` of 0 .. VOICE_MAX_TAKES - 1 of one emotion by one speaker: statements vary
 * fastest, then intensity, then repetition. */
struct voice_take voice_nth_take(uint64_t seed, int speaker, int emotion, int i);

/* The clip: VOICE_RATE samples per second, one channel, 2.5 to 6 s, peaks between 0.15 and 0.95.
 * Every sample is a multiple of 1/32768, so a 16-bit file holds exactly these values.
 * *pcm is owned by the caller; free it with voice_free.
 * Thread-safety: Safe. Errors: E_INVALID (a field out of range), E_NOMEM. */
MOOD_NODISCARD
mood_status voice_render(const struct voice_take *take, float **pcm, size_t *n);

/* Frees *pcm and sets it to NULL, which it may be before. */
void voice_free(float **pcm);

/* The clip's name without extension, as RAVDESS names its files ("03-01-05-02-01-01-12": audio,
 * speech, emotion, intensity, statement, repetition, actor). */
void voice_name(const struct voice_take *take, char name[VOICE_NAME_BYTES]);

/* The cues through which an emotion speaks. For each: what it measures, and its unit (st is
 * semitones). "Over the phrase" is the difference between its end and its start. */
#define VOICE_CUE_LIST(X)                                                                          \
    X(LEVEL, "pitch level, st from the speaker's own")                                             \
    X(SLOPE, "pitch over the phrase, st")                                                          \
    X(ARCH, "pitch in mid-phrase above the ends, st")                                              \
    X(GLIDE, "pitch over a syllable, st")                                                          \
    X(BOUNCE, "pitch of odd above even syllables, st")                                             \
    X(FINAL, "pitch over the last syllable, st")                                                   \
    X(RATE, "syllables per second")                                                                \
    X(TEMPO, "syllable length over the phrase, log ratio")                                         \
    X(DRAWL, "lengthening of the last syllable, log ratio")                                        \
    X(PAUSE, "pause inside the phrase, s")                                                         \
    X(PAUSE_AT, "where the pause is, fraction of the syllables")                                   \
    X(SWELL, "loudness over the phrase, dB")                                                       \
    X(HILL, "loudness in mid-phrase above the ends, dB")                                           \
    X(BEAT, "loudness of odd above even syllables, dB")                                            \
    X(DECAY, "loudness over a syllable, dB")                                                       \
    X(ATTACK, "rise of a syllable, ms")                                                            \
    X(TREMOR, "depth of the tremor, dB")                                                           \
    X(TREMOR_HZ, "rate of the tremor, Hz")                                                         \
    X(EFFORT, "brightness of the source at 3 kHz, dB")                                             \
    X(BREATH, "aspiration noise, dB")                                                              \
    X(JITTER, "irregularity of the pitch period, %")                                               \
    X(SHIMMER, "irregularity of the pulse height, dB")

enum voice_cue {
#define VOICE_CUE_ENUM(id, text) VOICE_CUE_##id,
    VOICE_CUE_LIST(VOICE_CUE_ENUM)
#undef VOICE_CUE_ENUM
        VOICE_N_CUES
};

/* The text of VOICE_CUE_LIST. Static. */
const char *voice_cue_text(enum voice_cue cue);

/* The cues that voice_render uses for this take (which has to be a valid one). */
void voice_cues(const struct voice_take *take, double cues[VOICE_N_CUES]);

#endif
