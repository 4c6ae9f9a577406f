/* SPDX-License-Identifier: MIT
 *
 * functionals_contour.c — The course of a recording: slow, as the shape of a sentence, and fast, as
 * the rhythm of syllables and the tremor of a voice. */
#include <math.h>
#include <string.h>

#include "audio/functionals.h"
#include "audio/statistics.h"

enum {
    N_FFT = MOOD_PROSODY_MAX_FRAMES, /* of modulation: no recording is longer */
    FRAMES_PER_SECOND = 100,
    BAND_GROUP = 8 /* bands to a modulated group */
};

static const double PI = 3.14159265358979323846;

/* Modulation is measured between one of these and the next, Hz: phrases, words, syllables (speech
 * has most of its modulation at 4 Hz), sounds, roughness. */
static const double RATES[MOOD__N_RATES + 1] = {0.5, 2, 4, 8, 16, 32};

const unsigned char mood__contour_tracks[MOOD__N_CONTOURS] = {
    MOOD_TRACK_PITCH,    MOOD_TRACK_ENERGY,   MOOD_TRACK_LOUDNESS, MOOD_TRACK_ALPHA_RATIO,
    MOOD_TRACK_CENTROID, MOOD_TRACK_HNR,      MOOD_TRACK_MFCC,     MOOD_TRACK_MFCC + 1,
    MOOD_TRACK_MFCC + 2, MOOD_TRACK_MFCC + 3,
};

/* The first contours but the alpha ratio. */
const unsigned char mood__modulated_tracks[4] = {MOOD_TRACK_PITCH, MOOD_TRACK_ENERGY,
                                                 MOOD_TRACK_LOUDNESS, MOOD_TRACK_CENTROID};
static const int MODULATED_CONTOURS[4] = {0, 1, 2, 4};

static void remove_mean(double *x, size_t n)
{
    double mean = mood__mean(x, n);
    for (size_t t = 0; t < n; t++)
        x[t] -= mean;
}

/* Lines between voiced frames, and the nearest one's pitch before the first and after the last. */
static void bridge_pitch(const struct mood__functionals *f, double *out)
{
    const double *pitch = f->tracks->track[MOOD_TRACK_PITCH];
    const struct mood__selection *voiced = &f->voiced;
    size_t n = f->tracks->n_frames, next = 0;
    if (voiced->n < 4) {
        memset(out, 0, n * sizeof(*out));
        return;
    }
    for (size_t t = 0; t < n; t++) {
        while (next < voiced->n && voiced->at[next] < t)
            next++;
        size_t left = voiced->at[next > 0 ? next - 1 : 0];
        size_t right = voiced->at[next < voiced->n ? next : voiced->n - 1];
        double share = right > left ? ((double)t - (double)left) / (double)(right - left) : 0;
        out[t] = pitch[left] + share * (pitch[right] - pitch[left]);
    }
}

void mood__make_contours(struct mood__functionals *f)
{
    size_t n = f->tracks->n_frames;
    bridge_pitch(f, f->contour[0]);
    for (int i = 1; i < MOOD__N_CONTOURS; i++)
        memcpy(f->contour[i], f->tracks->track[mood__contour_tracks[i]], n * sizeof(double));
    /* How silent a pause is says something about the room, not about the voice. */
    for (size_t t = 0; t < n; t++)
        f->contour[1][t] = fmax(f->contour[1][t], -40);
    for (int i = 0; i < MOOD__N_CONTOURS; i++)
        remove_mean(f->contour[i], n);
}

/* The first cosines of the DCT-II over the whole recording, however long it is. */
void mood__measure_contours(struct mood__functionals *f, double *out)
{
    size_t n = f->tracks->n_frames;
    double *cosine = f->value;
    for (int k = 0; k < MOOD__N_COSINES; k++) {
        for (size_t t = 0; t < n; t++)
            cosine[t] = cos(PI * (k + 1) * ((double)t + 0.5) / (double)n);
        for (int i = 0; i < MOOD__N_CONTOURS; i++) {
            double sum = 0;
            for (size_t t = 0; t < n; t++)
                sum += f->contour[i][t] * cosine[t];
            out[i * MOOD__N_COSINES + k] = 2 * sum / (double)n;
        }
    }
}

/* out: (MOOD__N_RATES), ln of the mean power of the bins of each range. */
static void measure_rates(struct mood__functionals *f, double *out, const double *x)
{
    size_t n = f->tracks->n_frames;
    double *frame = mood__fft_frame(f->fft), power[N_FFT / 2 + 1];
    for (size_t t = 0; t < n; t++) {
        double root = sin(PI * ((double)t + 0.5) / (double)n); /* Hann's window is its square */
        frame[t] = x[t] * root * root;
    }
    memset(frame + n, 0, (N_FFT - n) * sizeof(*frame));
    mood__fft_power(f->fft, power);
    for (int r = 0; r < MOOD__N_RATES; r++) {
        size_t first = (size_t)ceil(RATES[r] * N_FFT / FRAMES_PER_SECOND);
        size_t end = (size_t)ceil(RATES[r + 1] * N_FFT / FRAMES_PER_SECOND);
        out[r] = log(mood__mean(power + first, end - first) / (double)n + 1e-4);
    }
}

void mood__measure_modulation(struct mood__functionals *f, double *out)
{
    size_t n = f->tracks->n_frames;
    for (int i = 0; i < MOOD__N_MODULATED; i++) {
        const double *x = f->value;
        if (i < 4) {
            x = f->contour[MODULATED_CONTOURS[i]];
        } else {
            for (size_t t = 0; t < n; t++)
                f->value[t] = mood__mean(f->tracks->band[t] + (i - 4) * BAND_GROUP, BAND_GROUP);
            remove_mean(f->value, n);
        }
        measure_rates(f, out + i * MOOD__N_RATES, x);
    }
}
