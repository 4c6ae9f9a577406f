/* SPDX-License-Identifier: MIT
 *
 * spectral.c — Loudness, balance and shape of a power spectrum, its harmonics, formants and mel
 * cepstrum. Where eGeMAPS has the measure, it is measured as there (Eyben et al. 2016, section 3).
 */
#include "audio/spectral.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "audio/formant.h"
#include "audio/triangles.h"
#include "base/mem.h"
#include "mood/audio.h"

enum {
    N_BINS = MOOD__SPECTRAL_BINS,
    N_CEPSTRAL = 26, /* bands below loudness and cepstrum */
};

#define BIN_HZ ((double)MOOD_SAMPLE_RATE / MOOD__SPECTRAL_FFT)

/* Below any sound of 16 bits: a sine of full scale has a power of 10^4. */
static const double FLOOR = 1e-9;
static const double BAND_FLOOR = 1e-7;

/* A range of bins. */
struct range {
    int first, end;
};

struct mood__spectral {
    struct mood__triangles *cepstral_bands, *bands;
    struct mood__formants *formants;
    double dct[MOOD_N_MFCC][N_CEPSTRAL];
    double db[N_BINS];   /* the frame's power in dB */
    double root[N_BINS]; /* root of each bin's share in the power of the last frame */
    bool has_root;
};

mood_status mood__spectral_create(struct mood__spectral **out)
{
    *out = NULL;
    struct mood__spectral *s = mood__calloc(1, sizeof(*s));
    if (!s)
        return mood__nomem();
    mood_status status = mood__formants_create(&s->formants, MOOD__SPECTRAL_FFT);
    if (status == MOOD_OK)
        status = mood__triangles_create(&s->bands, MOOD_PROSODY_BANDS, MOOD__SPECTRAL_FFT, 50,
                                        MOOD_SAMPLE_RATE / 2.0);
    if (status == MOOD_OK)
        status =
            mood__triangles_create(&s->cepstral_bands, N_CEPSTRAL, MOOD__SPECTRAL_FFT, 20, 5500);
    for (int i = 0; i < MOOD_N_MFCC; i++) {
        for (int b = 0; b < N_CEPSTRAL; b++)
            s->dct[i][b] = sqrt(2.0 / N_CEPSTRAL) *
                           cos(3.14159265358979323846 * (i + 1) * (b + 0.5) / N_CEPSTRAL);
    }
    if (status != MOOD_OK)
        mood__spectral_destroy(&s);
    *out = s;
    return status;
}

void mood__spectral_destroy(struct mood__spectral **s)
{
    if (!*s)
        return;
    mood__triangles_destroy(&(*s)->cepstral_bands);
    mood__triangles_destroy(&(*s)->bands);
    mood__formants_destroy(&(*s)->formants);
    mood__free(*s);
    *s = NULL;
}

void mood__spectral_begin(struct mood__spectral *s)
{
    s->has_root = false;
}

/* The bins from low to below high. */
static struct range bins(double low_hz, double high_hz)
{
    return (struct range){(int)ceil(low_hz / BIN_HZ), (int)ceil(high_hz / BIN_HZ)};
}

static double sum_of(const double *x, struct range r)
{
    double sum = 0;
    for (int k = r.first; k < r.end; k++)
        sum += x[k];
    return sum;
}

static double largest_of(const double *x, struct range r)
{
    double largest = x[r.first];
    for (int k = r.first + 1; k < r.end; k++)
        largest = fmax(largest, x[k]);
    return largest;
}

/* The regression line's slope of x over frequency, per kHz. */
static double slope_of(const double *x, struct range r)
{
    double middle = 0.5 * (r.first + r.end - 1), sum = 0, squares = 0;
    for (int k = r.first; k < r.end; k++) {
        sum += x[k] * (k - middle);
        squares += (k - middle) * (k - middle);
    }
    return 1000 / BIN_HZ * sum / squares;
}

static void measure_balance(const struct mood__spectral *s, double *value, const double *power)
{
    double low = sum_of(power, bins(50, 1000)), high = sum_of(power, bins(1000, 5000));
    value[MOOD_TRACK_ALPHA_RATIO] = 10 * log10((low + FLOOR) / (high + FLOOR));
    value[MOOD_TRACK_HAMMARBERG] =
        largest_of(s->db, bins(0, 2000)) - largest_of(s->db, bins(2000, 5000));
    value[MOOD_TRACK_SLOPE_0_500] = slope_of(s->db, bins(0, 500));
    value[MOOD_TRACK_SLOPE_500_1500] = slope_of(s->db, bins(500, 1500));
}

/* The spectrum from 50 to 5500 Hz as a distribution of power: where its middle is, where its end,
 * how flat it is, and its (Hellinger) distance from the last frame's. */
static void measure_shape(struct mood__spectral *s, double *value, const double *power)
{
    struct range r = bins(50, 5500);
    double total = sum_of(power, r), log_sum = sum_of(s->db, r), moment = 0, moved = 0;
    for (int k = r.first; k < r.end; k++) {
        double root = sqrt(power[k] / (total + FLOOR));
        moved += (root - s->root[k]) * (root - s->root[k]);
        s->root[k] = root;
        moment += k * power[k];
    }
    int n = r.end - r.first, roll_off = r.first;
    double below = power[r.first] + FLOOR; /* the floor makes it a number in silence too */
    while (below < 0.85 * (total + n * FLOOR) && roll_off < r.end - 1)
        below += power[++roll_off] + FLOOR;
    value[MOOD_TRACK_FLUX] = s->has_root ? sqrt(moved) : 0;
    value[MOOD_TRACK_CENTROID] = moment / (total + FLOOR) * BIN_HZ / 1000;
    value[MOOD_TRACK_ROLL_OFF] = roll_off * BIN_HZ / 1000;
    value[MOOD_TRACK_FLATNESS] = log(10) / 10 * log_sum / n - log(total / n + FLOOR);
    s->has_root = true;
}

/* The level of a harmonic, dB: the highest of the three bins around its frequency. */
static double harmonic(const struct mood__spectral *s, double hz)
{
    int k = (int)(hz / BIN_HZ + 0.5);
    return largest_of(s->db, (struct range){k - 1, k + 2});
}

static void measure_voice(struct mood__spectral *s, double *value, const double *power, double hz)
{
    struct mood__formant formant[MOOD__N_FORMANTS];
    mood__formants_find(s->formants, formant, power);
    double h1 = hz > 0 ? harmonic(s, hz) : 0;
    for (int i = 0; i < MOOD__N_FORMANTS; i++) {
        value[MOOD_TRACK_F1 + i] = formant[i].hz / 1000;
        value[MOOD_TRACK_F1_LEVEL + i] = hz > 0 ? formant[i].db - h1 : 0;
    }
    value[MOOD_TRACK_H1_H2] = hz > 0 ? h1 - harmonic(s, 2 * hz) : 0;
    value[MOOD_TRACK_H1_A3] = hz > 0 ? h1 - largest_of(s->db, bins(2200, 3300)) : 0;
}

/* Loudness grows with the 0.3rd power of a band's power (Stevens). The cepstrum is Davis and
 * Mermelstein's, IEEE Transactions on Acoustics, Speech and Signal Processing 28, 1980. */
static void measure_bands(const struct mood__spectral *s, double *value, double *band,
                          const double *power)
{
    double log_power[N_CEPSTRAL], loudness = 0;
    mood__triangles_run(s->cepstral_bands, log_power, power);
    for (int b = 0; b < N_CEPSTRAL; b++) {
        if (log_power[b] > 0)
            loudness += pow(log_power[b], 0.3);
        log_power[b] = log(log_power[b] + BAND_FLOOR);
    }
    value[MOOD_TRACK_LOUDNESS] = loudness;
    for (int i = 0; i < MOOD_N_MFCC; i++) {
        double sum = 0;
        for (int b = 0; b < N_CEPSTRAL; b++)
            sum += s->dct[i][b] * log_power[b];
        value[MOOD_TRACK_MFCC + i] = sum;
    }
    mood__triangles_run(s->bands, band, power);
    for (int b = 0; b < MOOD_PROSODY_BANDS; b++)
        band[b] = log(band[b] + BAND_FLOOR);
}

void mood__spectral_measure(struct mood__spectral *s, double *value, double *band,
                            const double *power, double hz)
{
    for (int k = 0; k < N_BINS; k++)
        s->db[k] = 10 * log10(power[k] + FLOOR);
    measure_balance(s, value, power);
    measure_shape(s, value, power);
    measure_voice(s, value, power, hz);
    measure_bands(s, value, band, power);
}
