/* SPDX-License-Identifier: MIT
 *
 * prosody.c — From samples to tracks: level, the active part, and for each of its frames energy,
 * pitch (pitch.c), spectrum (spectral.c), and what changed.
 *
 * All of it is in double, because what follows are logarithms of powers that span ten orders of
 * magnitude, and because the tests hold pitch tracks to be the same as a reference's. */
#include "mood/prosody.h"

#include <math.h>
#include <string.h>

#include "audio/fft.h"
#include "audio/functionals.h"
#include "audio/pitch.h"
#include "audio/prosody.h"
#include "audio/spectral.h"
#include "base/error.h"
#include "base/mem.h"
#include "mood/audio.h"

enum {
    HOP = MOOD_PROSODY_HOP,
    FRAME = 400,                    /* samples: 25 ms, of all but the pitch */
    MARGIN = MOOD__PITCH_FRAME / 2, /* zeros before the recording, and after it */
    MAX_FRAMES = MOOD_PROSODY_MAX_FRAMES,
    KEPT_AROUND = 5, /* frames before and after the active part */
};

/* Where a recording is active: not more than 35 dB below its loudest 65 ms. */
static const double ACTIVE = 3.16227766e-4;
static const double ENERGY_FLOOR = 1e-9; /* -90 dB */

struct mood_prosody {
    struct mood__fft *fft;
    struct mood__pitch *pitch;
    struct mood__spectral *spectral;
    double window[FRAME];
    double power[MOOD__SPECTRAL_BINS];
    double x[MARGIN + MOOD_PROSODY_MAX_SAMPLES + MARGIN]; /* the recording, peak 1, mean 0 */
    double mean_square[MAX_FRAMES];                       /* of all frames of the recording */
    double hz[MAX_FRAMES], periodicity[MAX_FRAMES];       /* of the active part */
    size_t first;                                         /* its first frame */
    struct mood__tracks tracks;
    struct mood__functionals *functionals;
};

mood_status mood_prosody_create(mood_prosody **out)
{
    *out = NULL;
    mood_prosody *p = mood__calloc(1, sizeof(*p));
    if (!p)
        return mood__nomem();
    mood_status status = mood__fft_create(&p->fft, MOOD__SPECTRAL_FFT);
    if (status == MOOD_OK)
        status = mood__pitch_create(&p->pitch, MAX_FRAMES);
    if (status == MOOD_OK)
        status = mood__spectral_create(&p->spectral);
    if (status == MOOD_OK)
        status = mood__functionals_create(&p->functionals);
    for (int i = 0; i < FRAME; i++)
        p->window[i] = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * i / FRAME);
    if (status != MOOD_OK)
        mood_prosody_destroy(&p);
    *out = p;
    return status;
}

void mood_prosody_destroy(mood_prosody **prosody)
{
    mood_prosody *p = *prosody;
    if (!p)
        return;
    mood__fft_destroy(&p->fft);
    mood__pitch_destroy(&p->pitch);
    mood__spectral_destroy(&p->spectral);
    mood__functionals_destroy(&p->functionals);
    mood__free(p);
    *prosody = NULL;
}

/* --- The recording --- */

/* x = pcm without its mean, scaled to a peak of 1. What is constant but for rounding is silence. */
static mood_status take_samples(mood_prosody *p, const float *pcm, size_t n)
{
    double mean = 0, largest = 0, peak = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(pcm[i]))
            return mood__fail(MOOD_E_INVALID, "prosody: sample %zu is not finite", i);
        mean += (double)pcm[i] / (double)n;
        largest = fmax(largest, fabs(pcm[i]));
    }
    double *x = p->x + MARGIN;
    for (size_t i = 0; i < n; i++) {
        x[i] = pcm[i] - mean;
        peak = fmax(peak, fabs(x[i]));
    }
    double scale = peak > 1e-9 * largest ? 1 / peak : 0;
    for (size_t i = 0; i < n; i++)
        x[i] *= scale;
    memset(x + n, 0, MARGIN * sizeof(*x)); /* the last frame is centred before x + n */
    return MOOD_OK;
}

/* The samples around the centre of a frame of the recording. */
static const double *samples(const mood_prosody *p, size_t frame, size_t length)
{
    return p->x + MARGIN + frame * HOP - length / 2;
}

/* Find the active part among n_frames, by the power of five frames in a row. */
static void find_active(mood_prosody *p, size_t n_frames)
{
    for (size_t t = 0; t < n_frames; t++) {
        const double *x = samples(p, t, FRAME);
        double sum = 0;
        for (int i = 0; i < FRAME; i++)
            sum += x[i] * x[i];
        p->mean_square[t] = sum / FRAME;
    }
    double power[MAX_FRAMES], loudest = 0;
    for (size_t t = 0; t < n_frames; t++) {
        power[t] = 0;
        for (size_t i = t < 2 ? 0 : t - 2; i <= t + 2 && i < n_frames; i++)
            power[t] += p->mean_square[i];
        loudest = fmax(loudest, power[t]);
    }
    size_t first = 0, end = n_frames; /* all of a silent recording */
    while (first < end && power[first] < loudest * ACTIVE)
        first++;
    while (end > first && power[end - 1] < loudest * ACTIVE)
        end--;
    p->first = first < KEPT_AROUND ? 0 : first - KEPT_AROUND;
    end = n_frames - end < KEPT_AROUND ? n_frames : end + KEPT_AROUND;
    p->tracks.n_frames = end - p->first;
}

/* --- Frames --- */

static void find_pitch(mood_prosody *p)
{
    mood__pitch_begin(p->pitch);
    for (size_t t = 0; t < p->tracks.n_frames; t++) {
        memcpy(mood__pitch_frame(p->pitch), samples(p, p->first + t, MOOD__PITCH_FRAME),
               MOOD__PITCH_FRAME * sizeof(double));
        mood__pitch_add(p->pitch);
    }
    mood__pitch_finish(p->pitch, p->hz, p->periodicity);
}

static void find_spectrum(mood_prosody *p, const double *x)
{
    double *frame = mood__fft_frame(p->fft);
    for (int i = 0; i < FRAME; i++)
        frame[i] = p->window[i] * x[i];
    memset(frame + FRAME, 0, (MOOD__SPECTRAL_FFT - FRAME) * sizeof(*frame));
    mood__fft_power(p->fft, p->power);
}

/* What crosses zero by less than the last of 16 bits is rounding. */
static double zero_crossings(const double *x)
{
    int n = 0;
    for (int i = 1; i < FRAME; i++)
        n += x[i] * x[i - 1] < -1e-12;
    return (double)n / (FRAME - 1);
}

/* Fill in frame t of every track. Energy and loudness are not relative yet. */
static void measure_frame(mood_prosody *p, size_t t)
{
    double value[MOOD_N_TRACKS] = {0};
    const double *x = samples(p, p->first + t, FRAME);
    find_spectrum(p, x);
    mood__spectral_measure(p->spectral, value, p->tracks.band[t], p->power, p->hz[t]);

    double share = fmin(fmax(p->periodicity[t], 0.001), 0.999);
    value[MOOD_TRACK_ENERGY] = 10 * log10(p->mean_square[p->first + t] + ENERGY_FLOOR);
    value[MOOD_TRACK_PITCH] = p->hz[t] > 0 ? 12 * log2(p->hz[t] / 27.5) : 0;
    value[MOOD_TRACK_HNR] = 10 * log10(share / (1 - share));
    value[MOOD_TRACK_ZERO_CROSSINGS] = zero_crossings(x);
    for (int i = 0; i < MOOD_N_TRACKS; i++)
        p->tracks.track[i][t] = value[i];
}

/* Make energy and loudness relative to the loudest frame, and compare each frame with its last. */
static void relate_frames(struct mood__tracks *tracks)
{
    double *energy = tracks->track[MOOD_TRACK_ENERGY],
           *loudness = tracks->track[MOOD_TRACK_LOUDNESS];
    const double *pitch = tracks->track[MOOD_TRACK_PITCH];
    double most_energy = -INFINITY, most_loudness = 0;
    for (size_t t = 0; t < tracks->n_frames; t++) {
        most_energy = fmax(most_energy, energy[t]);
        most_loudness = fmax(most_loudness, loudness[t]);
    }
    for (size_t t = 0; t < tracks->n_frames; t++) {
        energy[t] -= most_energy;
        if (most_loudness > 0)
            loudness[t] /= most_loudness;
        if (t == 0)
            continue;
        tracks->track[MOOD_TRACK_ENERGY_STEP][t] = fabs(energy[t] - energy[t - 1]);
        if (pitch[t] > 0 && pitch[t - 1] > 0)
            tracks->track[MOOD_TRACK_PITCH_STEP][t] = fabs(pitch[t] - pitch[t - 1]);
    }
}

mood_status mood_prosody_run(mood_prosody *prosody, const float *pcm, size_t n_samples)
{
    mood_prosody *p = prosody;
    p->first = 0;
    p->tracks.n_frames = 0;
    if (n_samples > MOOD_PROSODY_MAX_SAMPLES)
        return mood__fail(MOOD_E_INVALID, "prosody: %zu samples, at most %d are possible",
                          n_samples, MOOD_PROSODY_MAX_SAMPLES);
    mood_status status = take_samples(p, pcm, n_samples);
    if (status != MOOD_OK)
        return status;
    find_active(p, (n_samples + HOP - 1) / HOP);
    find_pitch(p);
    mood__spectral_begin(p->spectral);
    for (size_t t = 0; t < p->tracks.n_frames; t++)
        measure_frame(p, t);
    relate_frames(&p->tracks);
    return MOOD_OK;
}

/* --- What was measured --- */

size_t mood_prosody_frames(const mood_prosody *prosody)
{
    return prosody->tracks.n_frames;
}

size_t mood_prosody_first(const mood_prosody *prosody)
{
    return prosody->first;
}

const double *mood_prosody_track(const mood_prosody *prosody, mood_track track)
{
    return prosody->tracks.track[track];
}

const double *mood_prosody_bands(const mood_prosody *prosody)
{
    return prosody->tracks.band[0];
}

void mood_prosody_functionals(mood_prosody *prosody, float *out)
{
    mood__functionals_run(prosody->functionals, out, &prosody->tracks);
}

const char *mood_track_name(int track)
{
    static const char *const names[MOOD_N_TRACKS] = {
        "energy",      "loudness",   "pitch",          "hnr",
        "alpha_ratio", "hammarberg", "slope_0_500",    "slope_500_1500",
        "flux",        "centroid",   "roll_off",       "flatness",
        "h1_h2",       "h1_a3",      "zero_crossings", "f1",
        "f2",          "f3",         "f1_level",       "f2_level",
        "f3_level",    "pitch_step", "energy_step",    "mfcc_1",
        "mfcc_2",      "mfcc_3",     "mfcc_4",         "mfcc_5",
        "mfcc_6",      "mfcc_7",     "mfcc_8",         "mfcc_9",
        "mfcc_10",     "mfcc_11",    "mfcc_12",        "mfcc_13",
    };
    return track >= 0 && track < MOOD_N_TRACKS ? names[track] : NULL;
}
