/* SPDX-License-Identifier: MIT
 *
 * functionals_timing.c — Rate and rhythm: how long voiced parts and pauses are, how often the
 * loudness peaks (about once a syllable), how fast loudness and pitch rise and fall. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "audio/functionals.h"
#include "audio/statistics.h"

enum { FRAMES_PER_SECOND = 100 };

/* Slower rises and falls, per second, are none: in digital silence rounding would make some. */
static const double LEAST_STEP = 1e-4;

/* Frames fainter than this, in dB below the loudest, are a pause. */
static const double PAUSE = -30;

const char *const mood__timing_names[MOOD__N_TIMING] = {
    "duration_s",           "voiced_share",
    "voiced_parts_per_s",   "voiced_part_mean_s",
    "voiced_part_stddev_s", "voiced_part_longest_s",
    "pause_share",          "pauses_per_s",
    "pause_longest_s",      "loudness_peaks_per_s",
    "loudness_peak_mean",   "loudness_peak_stddev",
    "loudness_rise_mean",   "loudness_rise_stddev",
    "loudness_fall_mean",   "loudness_fall_stddev",
    "pitch_rise_mean",      "pitch_rise_stddev",
    "pitch_fall_mean",      "pitch_fall_stddev",
    "loudest_at",           "highest_at",
    "pitch_range",          "pitch_bend",
    "faintest_voiced",      "energy_p5",
};

/* Lengths of runs of true, in seconds, and how many there are. */
static size_t find_runs(double *seconds, const bool *b, size_t n)
{
    size_t n_runs = 0, length = 0;
    for (size_t t = 0; t < n; t++) {
        length = b[t] ? length + 1 : 0;
        if (length > 0 && (t + 1 == n || !b[t + 1]))
            seconds[n_runs++] = (double)length / FRAMES_PER_SECOND;
    }
    return n_runs;
}

static double largest(const double *x, size_t n)
{
    double best = n > 0 ? x[0] : 0;
    for (size_t i = 1; i < n; i++)
        best = fmax(best, x[i]);
    return best;
}

/* out: duration, and of voiced parts and pauses how many and how long: 9 numbers. */
static void measure_parts(struct mood__functionals *f, double *out)
{
    const struct mood__tracks *tracks = f->tracks;
    size_t n = tracks->n_frames, n_pauses = 0;
    double seconds = (double)n / FRAMES_PER_SECOND;
    bool voiced[MOOD_PROSODY_MAX_FRAMES], pause[MOOD_PROSODY_MAX_FRAMES];
    for (size_t t = 0; t < n; t++) {
        voiced[t] = tracks->track[MOOD_TRACK_PITCH][t] > 0;
        pause[t] = tracks->track[MOOD_TRACK_ENERGY][t] < PAUSE;
        n_pauses += pause[t];
    }
    size_t n_runs = find_runs(f->value, voiced, n);
    out[0] = seconds;
    out[1] = (double)f->voiced.n / (double)n;
    out[2] = (double)n_runs / seconds;
    out[3] = mood__mean(f->value, n_runs);
    out[4] = mood__stddev(f->value, n_runs, out[3]);
    out[5] = largest(f->value, n_runs);
    n_runs = find_runs(f->value, pause, n);
    out[6] = (double)n_pauses / (double)n;
    out[7] = (double)n_runs / seconds;
    out[8] = largest(f->value, n_runs);
}

/* out: mean and spread of the steps up of x, then of those down, per second: 4 numbers. */
static void measure_steps(struct mood__functionals *f, double *out, const double *x, size_t n)
{
    for (int down = 0; down < 2; down++) {
        size_t n_steps = 0;
        for (size_t t = 1; t < n; t++) {
            double step = (x[t] - x[t - 1]) * FRAMES_PER_SECOND;
            if (down ? step < -LEAST_STEP : step > LEAST_STEP)
                f->sorted[n_steps++] = step;
        }
        out[2 * down] = mood__mean(f->sorted, n_steps);
        out[2 * down + 1] = mood__stddev(f->sorted, n_steps, out[2 * down]);
    }
}

/* out: of the loudness, smoothed over 70 ms, the peaks, rises and falls: 7 numbers. */
static void measure_loudness(struct mood__functionals *f, double *out)
{
    static const double half_window[4] = {1, 0.85355339059327373, 0.5,
                                          0.14644660940672627}; /* Hann */
    const double *loudness = f->tracks->track[MOOD_TRACK_LOUDNESS];
    size_t n = f->tracks->n_frames, n_peaks = 0;
    double *smooth = f->value, *peak = f->sorted;
    for (size_t t = 0; t < n; t++) {
        smooth[t] = loudness[t] / 4;
        for (size_t d = 1; d < 4; d++)
            smooth[t] += half_window[d] / 4 *
                         ((t >= d ? loudness[t - d] : 0) + (t + d < n ? loudness[t + d] : 0));
    }
    for (size_t t = 1; t + 1 < n; t++) {
        if (smooth[t] > smooth[t - 1] && smooth[t] >= smooth[t + 1] && smooth[t] > 0.15)
            peak[n_peaks++] = smooth[t];
    }
    out[0] = (double)n_peaks * FRAMES_PER_SECOND / (double)n;
    out[1] = mood__mean(peak, n_peaks);
    out[2] = mood__stddev(peak, n_peaks, out[1]);
    measure_steps(f, out + 3, smooth, n);
}

/* out: rises and falls of the pitch of the voiced frames, smoothed over 50 ms: 4 numbers. */
static void measure_pitch_steps(struct mood__functionals *f, double *out)
{
    const double *pitch = f->tracks->track[MOOD_TRACK_PITCH];
    size_t n = f->voiced.n < 6 ? 0 : f->voiced.n - 4;
    for (size_t i = 0; i < n; i++) {
        f->value[i] = 0;
        for (size_t d = 0; d < 5; d++)
            f->value[i] += pitch[f->voiced.at[i + d]] / 5;
    }
    measure_steps(f, out, f->value, n);
}

/* out: where loudness and pitch are highest (0 to 1), the pitch's range and its mean bend, the
 * faintest voiced frame, and the fifth percentile of the energy: 6 numbers. */
static void measure_extremes(struct mood__functionals *f, double *out)
{
    const double *loudness = f->tracks->track[MOOD_TRACK_LOUDNESS];
    const double *pitch = f->tracks->track[MOOD_TRACK_PITCH];
    const double *energy = f->tracks->track[MOOD_TRACK_ENERGY];
    const struct mood__selection *voiced = &f->voiced;
    size_t n = f->tracks->n_frames, loudest = 0, highest = 0, lowest = 0;
    double bend = 0, faintest = 0;
    for (size_t t = 1; t < n; t++)
        loudest = loudness[t] > loudness[loudest] ? t : loudest;
    if (voiced->n > 0)
        highest = lowest = voiced->at[0];
    for (size_t i = 0; i < voiced->n; i++) {
        size_t t = voiced->at[i];
        highest = pitch[t] > pitch[highest] ? t : highest;
        lowest = pitch[t] < pitch[lowest] ? t : lowest;
        faintest = fmin(faintest, energy[t]);
        if (i >= 2)
            bend += fabs(pitch[t] - 2 * pitch[voiced->at[i - 1]] + pitch[voiced->at[i - 2]]);
    }
    memcpy(f->sorted, energy, n * sizeof(*energy));
    mood__sort(f->sorted, n);
    out[0] = (double)loudest / (double)n;
    out[1] = (double)highest / (double)n;
    out[2] = voiced->n > 0 ? pitch[highest] - pitch[lowest] : 0;
    out[3] = voiced->n > 2 ? bend / (double)(voiced->n - 2) : 0;
    out[4] = faintest;
    out[5] = mood__percentile(f->sorted, n, 5);
}

void mood__measure_timing(struct mood__functionals *f, double *out)
{
    measure_parts(f, out);
    measure_loudness(f, out + 9);
    measure_pitch_steps(f, out + 16);
    measure_extremes(f, out + 20);
}
