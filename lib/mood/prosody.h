/* SPDX-License-Identifier: MIT
 *
 * prosody.h — How something is said, in numbers: pitch, loudness, voice quality, spectrum, a
 * hundred times a second, and what they do over a recording.
 *
 *     mood_prosody *prosody;
 *     float x[MOOD_N_FUNCTIONALS];
 *     if (mood_prosody_create(&prosody) != MOOD_OK) ...
 *     if (mood_prosody_run(prosody, pcm, n_samples) != MOOD_OK) ...
 *     const double *pitch = mood_prosody_track(prosody, MOOD_TRACK_PITCH);
 *     mood_prosody_functionals(prosody, x);      (one vector, however long the recording)
 *
 * What is measured is what the study of emotional speech has found to matter; names follow, where
 * it has the measure, the Geneva minimalistic acoustic parameter set (eGeMAPS): Eyben et al., IEEE
 * Transactions on Affective Computing 7(2), 2016. docs/prosody.md defines every number.
 *
 * The recording's level has no influence. Every number is finite, for every input: silence, a
 * single sample, a constant, clipped sound. */
#ifndef MOOD_PROSODY_H
#define MOOD_PROSODY_H

#include "mood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MOOD_PROSODY_HOP = 160,         /* samples from frame to frame: 10 ms */
    MOOD_PROSODY_MAX_FRAMES = 1024, /* the longest recording, 10.24 s */
    MOOD_PROSODY_MAX_SAMPLES = MOOD_PROSODY_MAX_FRAMES * MOOD_PROSODY_HOP,
    MOOD_PROSODY_BANDS = 64 /* of the log-mel spectrum */
};

/* --- Tracks: one number per frame --- */

typedef enum mood_track {
    MOOD_TRACK_ENERGY,         /* dB below the loudest frame: <= 0 */
    MOOD_TRACK_LOUDNESS,       /* as the ear hears it; the loudest frame has 1 */
    MOOD_TRACK_PITCH,          /* semitones above 27.5 Hz; 0: the frame is unvoiced */
    MOOD_TRACK_HNR,            /* harmonics to noise, dB, within +-30 */
    MOOD_TRACK_ALPHA_RATIO,    /* power of 50-1000 Hz over that of 1-5 kHz, dB */
    MOOD_TRACK_HAMMARBERG,     /* highest peak of 0-2 kHz over that of 2-5 kHz, dB */
    MOOD_TRACK_SLOPE_0_500,    /* of the spectrum, dB per kHz */
    MOOD_TRACK_SLOPE_500_1500, /* the same */
    MOOD_TRACK_FLUX,           /* how far the spectrum moved since the last frame, 0 to 1.42 */
    MOOD_TRACK_CENTROID,       /* of the spectrum, kHz */
    MOOD_TRACK_ROLL_OFF,       /* 85 % of the power are below, kHz */
    MOOD_TRACK_FLATNESS,       /* ln of the geometric over the arithmetic mean of the powers */
    MOOD_TRACK_H1_H2,          /* first harmonic over the second, dB; 0: unvoiced */
    MOOD_TRACK_H1_A3,          /* first harmonic over the peak near formant 3, dB; 0: unvoiced */
    MOOD_TRACK_ZERO_CROSSINGS, /* per sample */
    MOOD_TRACK_F1,             /* formants, kHz */
    MOOD_TRACK_F2,
    MOOD_TRACK_F3,
    MOOD_TRACK_F1_LEVEL, /* their peaks over the first harmonic, dB; 0: unvoiced */
    MOOD_TRACK_F2_LEVEL,
    MOOD_TRACK_F3_LEVEL,
    MOOD_TRACK_PITCH_STEP,  /* |semitones| since the last frame; 0 unless both are voiced */
    MOOD_TRACK_ENERGY_STEP, /* |dB| since the last frame */
    MOOD_TRACK_MFCC,        /* mel-frequency cepstral coefficients: 1, and the others follow */
    MOOD_N_MFCC = 13,
    MOOD_N_TRACKS = MOOD_TRACK_MFCC + MOOD_N_MFCC
} mood_track;

/* "pitch", "hnr", "mfcc_1"; NULL outside 0 .. MOOD_N_TRACKS - 1. Never freed. */
MOOD_API const char *mood_track_name(int track);

/* Tables, scratch memory, and the last recording's tracks.
 *
 * Thread-safety: Unsafe. Make one per thread. */
typedef struct mood_prosody mood_prosody;

/* Owned by the caller; free with mood_prosody_destroy. About 3 MB, and nothing is allocated later.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_prosody_create(mood_prosody **out);
MOOD_API void mood_prosody_destroy(mood_prosody **prosody);

/* Measure a recording. Silence before the voice and after it (more than 35 dB below the loudest)
 * is left out, but for 50 ms at each side: tracks begin at mood_prosody_first.
 *   pcm  n_samples samples at MOOD_SAMPLE_RATE, any level; not kept
 * Errors: E_INVALID (more than MOOD_PROSODY_MAX_SAMPLES; a sample that is not finite); then the
 * tracks have no frames. */
MOOD_NODISCARD
MOOD_API mood_status mood_prosody_run(mood_prosody *prosody, const float *pcm, size_t n_samples);

/* T, the number of frames of the last run; 0 when there were no samples. */
MOOD_API size_t mood_prosody_frames(const mood_prosody *prosody);

/* The first frame of the recording that the tracks have: frame t of them is centred at sample
 * (first + t) * MOOD_PROSODY_HOP. */
MOOD_API size_t mood_prosody_first(const mood_prosody *prosody);

/* T values, borrowed until the next run. */
MOOD_API const double *mood_prosody_track(const mood_prosody *prosody, mood_track track);

/* The log-mel spectrum, ln(1e-7 + power) in 64 bands from 50 to 8000 Hz: (T, 64), row-major,
 * borrowed until the next run. */
MOOD_API const double *mood_prosody_bands(const mood_prosody *prosody);

/* --- Functionals: one number per recording ---
 *
 * In ten groups, of which a classifier may take some: */
typedef enum mood_functional_group {
    MOOD_FUNCTIONALS_VOICED,     /* tracks of the voiced frames: mean, spread, percentiles, trend */
    MOOD_FUNCTIONALS_OVERALL,    /* the same of all frames, of what does not need a pitch */
    MOOD_FUNCTIONALS_DELTA,      /* how tracks change within 40 ms: mean, spread */
    MOOD_FUNCTIONALS_UNVOICED,   /* means over the frames without pitch */
    MOOD_FUNCTIONALS_TIMING,     /* rate, pauses, rises and falls, where the peaks are */
    MOOD_FUNCTIONALS_CONTOUR,    /* the shape of tracks over the recording: cosines */
    MOOD_FUNCTIONALS_MODULATION, /* power of tracks and bands at 0.5 to 32 Hz */
    MOOD_FUNCTIONALS_CORRELATION, /* between energy and cepstral coefficients */
    MOOD_FUNCTIONALS_SPECTRUM,    /* mean and spread of each band; what loud frames have more */
    MOOD_FUNCTIONALS_SHAPE,       /* of the distribution of tracks: moments, outer percentiles */
    MOOD_N_FUNCTIONAL_GROUPS
} mood_functional_group;

enum {
    MOOD_N_FUNCTIONALS = 991,  /* of all groups, in this order */
    MOOD_FUNCTIONAL_NAME = 64, /* bytes that hold any name */
    /* Of what the numbers are: raised with any change of a definition, or of a number's place. A
     * model that was trained on one version is not run on another. */
    MOOD_FUNCTIONALS_VERSION = 1
};

/* Where a group's numbers are: first, first + 1, .., first + count - 1. */
typedef struct mood_functional_range {
    const char *name; /* "voiced" */
    int first, count;
} mood_functional_range;

MOOD_API mood_functional_range mood_functionals_of(mood_functional_group group);

/* Write the name of number `index`, which is below MOOD_N_FUNCTIONALS: group, track and statistic,
 * such as "voiced.pitch.mean" or "timing.pauses_per_s". Two numbers never have one name. */
MOOD_API void mood_functional_name(char name[MOOD_FUNCTIONAL_NAME], int index);

/* What the tracks of the last run do: MOOD_N_FUNCTIONALS numbers. What too few frames have to be a
 * statistic of is 0, and so is everything when there are no frames. */
MOOD_API void mood_prosody_functionals(mood_prosody *prosody, float *out);

#ifdef __cplusplus
}
#endif
#endif
