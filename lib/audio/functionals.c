/* SPDX-License-Identifier: MIT
 *
 * functionals.c — From tracks to one vector: which groups there are, what their numbers are called,
 * and the groups that are statistics of frames.
 *
 * A group is a table of rows (tracks, mostly) and columns (statistics): the table makes both the
 * numbers' order and their names. */
#include "audio/functionals.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "audio/statistics.h"
#include "base/mem.h"

enum {
    FEWEST = 4, /* frames that a statistic is made of */
    N_STATISTICS = 9,
    N_CORRELATED = 13,
    N_PAIRS = N_CORRELATED * (N_CORRELATED - 1) / 2
};

struct group {
    const char *name;
    int n_rows;
    const unsigned char *track; /* of each row; NULL: rows are no tracks */
    int n_columns;
    const char *const *column; /* names; NULL: there is one, without a name */
    void (*measure)(struct mood__functionals *f, const struct group *g, double *out);
    void (*row_name)(char *name, size_t size, const struct group *g, int row);
};

/* --- Statistics of frames --- */

/* f->value = the track at the selected frames. */
static void gather(struct mood__functionals *f, mood_track track, const struct mood__selection *s)
{
    for (size_t i = 0; i < s->n; i++)
        f->value[i] = f->tracks->track[track][s->at[i]];
}

/* f->sorted = f->value, ascending. */
static void sort_values(struct mood__functionals *f, size_t n)
{
    memcpy(f->sorted, f->value, n * sizeof(double));
    mood__sort(f->sorted, n);
}

/* The regression line's slope of f->value over time, per second. */
static double slope(const struct mood__functionals *f, const struct mood__selection *s)
{
    double middle = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < s->n; i++)
        middle += (double)s->at[i] / (double)s->n;
    for (size_t i = 0; i < s->n; i++) {
        double t = (double)s->at[i] - middle;
        sum += f->value[i] * t;
        squares += t * t;
    }
    return 100 * sum / squares;
}

static const char *const statistic_names[N_STATISTICS] = {
    "mean", "stddev", "p10", "median", "p90", "slope", "first_third", "last_third", "mean_step",
};

/* out: (N_STATISTICS) of f->value at the selected frames. */
static void measure_statistics(struct mood__functionals *f, double *out,
                               const struct mood__selection *s)
{
    size_t n = s->n, third = n / 3, two = 2 * n / 3;
    const double *x = f->value;
    if (n < FEWEST) {
        memset(out, 0, N_STATISTICS * sizeof(*out));
        return;
    }
    sort_values(f, n);
    out[0] = mood__mean(x, n);
    out[1] = mood__stddev(x, n, out[0]);
    out[2] = mood__percentile(f->sorted, n, 10);
    out[3] = mood__percentile(f->sorted, n, 50);
    out[4] = mood__percentile(f->sorted, n, 90);
    out[5] = slope(f, s);
    double middle = mood__mean(x + third, two - third); /* the outer thirds are relative to it */
    out[6] = mood__mean(x, third) - middle;
    out[7] = mood__mean(x + two, n - two) - middle;
    double steps = 0;
    for (size_t i = 1; i < n; i++)
        steps += fabs(x[i] - x[i - 1]);
    out[8] = steps / (double)(n - 1);
}

static void measure_voiced(struct mood__functionals *f, const struct group *g, double *out)
{
    for (int i = 0; i < g->n_rows; i++) {
        gather(f, g->track[i], &f->voiced);
        measure_statistics(f, out + i * g->n_columns, &f->voiced);
    }
}

static void measure_overall(struct mood__functionals *f, const struct group *g, double *out)
{
    for (int i = 0; i < g->n_rows; i++) {
        gather(f, g->track[i], &f->all);
        measure_statistics(f, out + i * g->n_columns, &f->all);
    }
}

/* Half the difference per 20 ms, from two frames before to two after; at the ends, to the end. */
static void measure_delta(struct mood__functionals *f, const struct group *g, double *out)
{
    size_t n = f->tracks->n_frames;
    for (int i = 0; i < g->n_rows; i++, out += g->n_columns) {
        const double *x = f->tracks->track[g->track[i]];
        for (size_t t = 0; t < n; t++)
            f->value[t] = (x[t + 2 < n ? t + 2 : n - 1] - x[t > 2 ? t - 2 : 0]) / 4;
        sort_values(f, n);
        bool enough = n >= FEWEST;
        out[0] = enough ? mood__mean(f->value, n) : 0;
        out[1] = enough ? mood__stddev(f->value, n, out[0]) : 0;
        out[2] =
            enough ? mood__percentile(f->sorted, n, 90) - mood__percentile(f->sorted, n, 10) : 0;
    }
}

static void measure_unvoiced(struct mood__functionals *f, const struct group *g, double *out)
{
    for (int i = 0; i < g->n_rows; i++) {
        gather(f, g->track[i], &f->unvoiced);
        out[i] = f->unvoiced.n < FEWEST ? 0 : mood__mean(f->value, f->unvoiced.n);
    }
}

static void measure_shape(struct mood__functionals *f, const struct group *g, double *out)
{
    static const double percent[4] = {2, 25, 75, 98};
    size_t n = f->spoken->n;
    for (int i = 0; i < g->n_rows; i++, out += g->n_columns) {
        gather(f, g->track[i], f->spoken);
        sort_values(f, n);
        double mean = mood__mean(f->value, n);
        double spread = mood__stddev(f->value, n, mean) + 1e-6, third = 0, fourth = 0;
        for (size_t k = 0; k < n; k++) {
            double z = (f->value[k] - mean) / spread;
            third += z * z * z / (double)n;
            fourth += z * z * z * z / (double)n;
        }
        out[0] = third;
        out[1] = fourth;
        for (int p = 0; p < 4; p++)
            out[2 + p] = mood__percentile(f->sorted, n, percent[p]);
    }
}

/* --- Correlation and spectrum --- */

/* Fisher's transform of each pair's correlation over the active frames. */
static void measure_correlation(struct mood__functionals *f, const struct group *g, double *out)
{
    const struct mood__selection *s = &f->active;
    double mean[N_CORRELATED], spread[N_CORRELATED];
    for (int i = 0; i < N_CORRELATED; i++) {
        gather(f, g->track[i], s);
        mean[i] = mood__mean(f->value, s->n);
        spread[i] = mood__stddev(f->value, s->n, mean[i]);
    }
    for (int i = 0; i < N_CORRELATED; i++) {
        const double *x = f->tracks->track[g->track[i]];
        for (int k = i + 1; k < N_CORRELATED; k++) {
            const double *y = f->tracks->track[g->track[k]];
            double sum = 0;
            for (size_t t = 0; t < s->n; t++)
                sum += (x[s->at[t]] - mean[i]) * (y[s->at[t]] - mean[k]);
            double r = sum / (double)s->n / (spread[i] * spread[k] + 1e-6);
            *out++ = atanh(fmin(fmax(r, -0.98), 0.98));
        }
    }
}

/* f->value = a band at the selected frames; returns the mean. */
static double gather_band(struct mood__functionals *f, int band, const struct mood__selection *s)
{
    for (size_t i = 0; i < s->n; i++)
        f->value[i] = f->tracks->band[s->at[i]][band];
    return mood__mean(f->value, s->n);
}

/* Of each band the mean while the voice is on, relative to all bands; the spread; and by how much
 * its share is larger in the loudest frames. */
static void measure_spectrum(struct mood__functionals *f, const struct group *g, double *out)
{
    static const double loud_percent = 85;
    double mean[MOOD_PROSODY_BANDS], loud_mean[MOOD_PROSODY_BANDS];
    const double *energy = f->tracks->track[MOOD_TRACK_ENERGY];
    gather(f, MOOD_TRACK_ENERGY, &f->all);
    sort_values(f, f->all.n);
    double limit = mood__percentile(f->sorted, f->all.n, loud_percent);
    struct mood__selection *loud = &f->loud;
    loud->n = 0;
    for (size_t t = 0; t < f->tracks->n_frames; t++) {
        if (energy[t] >= limit)
            loud->at[loud->n++] = t;
    }
    for (int b = 0; b < MOOD_PROSODY_BANDS; b++) {
        loud_mean[b] = gather_band(f, b, loud);
        mean[b] = gather_band(f, b, f->spoken);
        out[b * g->n_columns + 1] = mood__stddev(f->value, f->spoken->n, mean[b]);
    }
    double level = mood__mean(mean, MOOD_PROSODY_BANDS);
    double loud_level = mood__mean(loud_mean, MOOD_PROSODY_BANDS);
    for (int b = 0; b < MOOD_PROSODY_BANDS; b++) {
        out[b * g->n_columns] = mean[b] - level;
        out[b * g->n_columns + 2] = (loud_mean[b] - loud_level) - (mean[b] - level);
    }
}

/* --- Groups of other files --- */

static void measure_timing(struct mood__functionals *f, const struct group *g, double *out)
{
    (void)g;
    mood__measure_timing(f, out);
}

static void measure_contour(struct mood__functionals *f, const struct group *g, double *out)
{
    (void)g;
    mood__measure_contours(f, out);
}

static void measure_modulation(struct mood__functionals *f, const struct group *g, double *out)
{
    (void)g;
    mood__measure_modulation(f, out);
}

/* --- The table --- */

static void name_track(char *name, size_t size, const struct group *g, int row)
{
    snprintf(name, size, "%s", mood_track_name(g->track[row]));
}

static void name_modulated(char *name, size_t size, const struct group *g, int row)
{
    if (row < 4)
        name_track(name, size, g, row);
    else
        snprintf(name, size, "mel_%d_to_%d", 8 * (row - 4) + 1, 8 * (row - 3));
}

static void name_band(char *name, size_t size, const struct group *g, int row)
{
    (void)g;
    snprintf(name, size, "mel_%d", row + 1);
}

static void name_pair(char *name, size_t size, const struct group *g, int row)
{
    int i = 0;
    for (int left = N_CORRELATED - 1; row >= left; left--, i++)
        row -= left;
    snprintf(name, size, "%s.%s", mood_track_name(g->track[i]),
             mood_track_name(g->track[i + 1 + row]));
}

#define MFCC(i) (MOOD_TRACK_MFCC + (i)-1)
#define MFCC_1_TO_12                                                                               \
    MFCC(1), MFCC(2), MFCC(3), MFCC(4), MFCC(5), MFCC(6), MFCC(7), MFCC(8), MFCC(9), MFCC(10),     \
        MFCC(11), MFCC(12)

static const unsigned char voiced_tracks[] = {
    MOOD_TRACK_PITCH,       MOOD_TRACK_HNR,         MOOD_TRACK_ALPHA_RATIO,
    MOOD_TRACK_HAMMARBERG,  MOOD_TRACK_SLOPE_0_500, MOOD_TRACK_SLOPE_500_1500,
    MOOD_TRACK_H1_H2,       MOOD_TRACK_H1_A3,       MOOD_TRACK_F1,
    MOOD_TRACK_F2,          MOOD_TRACK_F3,          MOOD_TRACK_F1_LEVEL,
    MOOD_TRACK_F2_LEVEL,    MOOD_TRACK_F3_LEVEL,    MOOD_TRACK_PITCH_STEP,
    MOOD_TRACK_ENERGY_STEP, MFCC_1_TO_12,           MFCC(13),
};
static const unsigned char overall_tracks[] = {
    MOOD_TRACK_ENERGY,
    MOOD_TRACK_LOUDNESS,
    MOOD_TRACK_ALPHA_RATIO,
    MOOD_TRACK_HAMMARBERG,
    MOOD_TRACK_FLUX,
    MOOD_TRACK_CENTROID,
    MOOD_TRACK_ROLL_OFF,
    MOOD_TRACK_FLATNESS,
    MOOD_TRACK_ZERO_CROSSINGS,
    MFCC_1_TO_12,
    MFCC(13),
};
static const unsigned char delta_tracks[] = {
    MOOD_TRACK_ENERGY,   MOOD_TRACK_LOUDNESS, MOOD_TRACK_ALPHA_RATIO,
    MOOD_TRACK_CENTROID, MFCC_1_TO_12,        MFCC(13),
};
static const unsigned char unvoiced_tracks[] = {
    MOOD_TRACK_ALPHA_RATIO,    MOOD_TRACK_HAMMARBERG, MOOD_TRACK_SLOPE_0_500,
    MOOD_TRACK_SLOPE_500_1500, MOOD_TRACK_CENTROID,
};
static const unsigned char correlated_tracks[] = {MOOD_TRACK_ENERGY, MFCC_1_TO_12};
static const unsigned char shape_tracks[] = {
    MOOD_TRACK_PITCH, MOOD_TRACK_HNR, MOOD_TRACK_ALPHA_RATIO, MOOD_TRACK_CENTROID,
    MOOD_TRACK_H1_H2, MOOD_TRACK_F1,  MOOD_TRACK_F2,          MFCC(1),
    MFCC(2),          MFCC(3),
};

static const char *const delta_names[] = {"mean", "stddev", "p10_to_p90"};
static const char *const cosine_names[] = {"cos_1", "cos_2", "cos_3", "cos_4", "cos_5", "cos_6"};
static const char *const rate_names[] = {"0.5_to_2_hz", "2_to_4_hz", "4_to_8_hz", "8_to_16_hz",
                                         "16_to_32_hz"};
static const char *const spectrum_names[] = {"mean", "stddev", "loud"};
static const char *const shape_names[] = {"skewness", "kurtosis", "p2", "p25", "p75", "p98"};

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct group groups[MOOD_N_FUNCTIONAL_GROUPS] = {
    [MOOD_FUNCTIONALS_VOICED] = {"voiced", N(voiced_tracks), voiced_tracks, N_STATISTICS,
                                 statistic_names, measure_voiced, name_track},
    [MOOD_FUNCTIONALS_OVERALL] = {"overall", N(overall_tracks), overall_tracks, N_STATISTICS,
                                  statistic_names, measure_overall, name_track},
    [MOOD_FUNCTIONALS_DELTA] = {"delta", N(delta_tracks), delta_tracks, N(delta_names), delta_names,
                                measure_delta, name_track},
    [MOOD_FUNCTIONALS_UNVOICED] = {"unvoiced", N(unvoiced_tracks), unvoiced_tracks, 1, NULL,
                                   measure_unvoiced, name_track},
    [MOOD_FUNCTIONALS_TIMING] = {"timing", 1, NULL, MOOD__N_TIMING, mood__timing_names,
                                 measure_timing, NULL},
    [MOOD_FUNCTIONALS_CONTOUR] = {"contour", MOOD__N_CONTOURS, mood__contour_tracks,
                                  N(cosine_names), cosine_names, measure_contour, name_track},
    [MOOD_FUNCTIONALS_MODULATION] = {"modulation", MOOD__N_MODULATED, mood__modulated_tracks,
                                     N(rate_names), rate_names, measure_modulation, name_modulated},
    [MOOD_FUNCTIONALS_CORRELATION] = {"correlation", N_PAIRS, correlated_tracks, 1, NULL,
                                      measure_correlation, name_pair},
    [MOOD_FUNCTIONALS_SPECTRUM] = {"spectrum", MOOD_PROSODY_BANDS, NULL, N(spectrum_names),
                                   spectrum_names, measure_spectrum, name_band},
    [MOOD_FUNCTIONALS_SHAPE] = {"shape", N(shape_tracks), shape_tracks, N(shape_names), shape_names,
                                measure_shape, name_track},
};

mood_functional_range mood_functionals_of(mood_functional_group group)
{
    mood_functional_range range = {groups[group].name, 0, 0};
    for (int i = 0; i < (int)group; i++)
        range.first += groups[i].n_rows * groups[i].n_columns;
    range.count = groups[group].n_rows * groups[group].n_columns;
    return range;
}

void mood_functional_name(char name[MOOD_FUNCTIONAL_NAME], int index)
{
    const struct group *g = groups;
    for (; index >= g->n_rows * g->n_columns; g++)
        index -= g->n_rows * g->n_columns;
    char row[MOOD_FUNCTIONAL_NAME / 2] = "";
    if (g->row_name)
        g->row_name(row, sizeof(row), g, index / g->n_columns);
    const char *column = g->column ? g->column[index % g->n_columns] : "";
    snprintf(name, MOOD_FUNCTIONAL_NAME, "%s.%s%s%s", g->name, row, *row && *column ? "." : "",
             column);
}

/* --- All of it --- */

mood_status mood__functionals_create(struct mood__functionals **out)
{
    *out = NULL;
    struct mood__functionals *f = mood__calloc(1, sizeof(*f));
    if (!f)
        return mood__nomem();
    mood_status status = mood__fft_create(&f->fft, MOOD_PROSODY_MAX_FRAMES);
    if (status != MOOD_OK)
        mood__functionals_destroy(&f);
    *out = f;
    return status;
}

void mood__functionals_destroy(struct mood__functionals **f)
{
    if (!*f)
        return;
    mood__fft_destroy(&(*f)->fft);
    mood__free(*f);
    *f = NULL;
}

static void select_frames(struct mood__functionals *f)
{
    static const double active_db = -35;
    const double *pitch = f->tracks->track[MOOD_TRACK_PITCH];
    const double *energy = f->tracks->track[MOOD_TRACK_ENERGY];
    f->all.n = f->voiced.n = f->unvoiced.n = f->active.n = 0;
    for (size_t t = 0; t < f->tracks->n_frames; t++) {
        bool voiced = pitch[t] > 0, active = energy[t] > active_db;
        f->all.at[f->all.n++] = t;
        if (voiced)
            f->voiced.at[f->voiced.n++] = t;
        if (active)
            f->active.at[f->active.n++] = t;
        if (active && !voiced)
            f->unvoiced.at[f->unvoiced.n++] = t;
    }
    f->spoken = f->voiced.n >= FEWEST ? &f->voiced : &f->active;
}

void mood__functionals_run(struct mood__functionals *f, float *out,
                           const struct mood__tracks *tracks)
{
    double value[MOOD_N_FUNCTIONALS] = {0}, *at = value;
    f->tracks = tracks;
    if (tracks->n_frames > 0) {
        select_frames(f);
        mood__make_contours(f);
        for (const struct group *g = groups; g < groups + MOOD_N_FUNCTIONAL_GROUPS; g++) {
            g->measure(f, g, at);
            at += g->n_rows * g->n_columns;
        }
    }
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++)
        out[i] = (float)value[i];
}
