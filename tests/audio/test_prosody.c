/* SPDX-License-Identifier: MIT
 *
 * test_prosody.c — Tracks and functionals against the reference in float64
 * (tests/golden/make_functionals.py), the pitch against the pitch that a voice was made with, and
 * what must hold for every recording: finite numbers, whatever its length, and none that its level
 * changes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "base/sha256.h"
#include "mood/audio.h"
#include "mood/prosody.h"

enum { MAX_SAMPLES = MOOD_PROSODY_MAX_SAMPLES };

/* Errors are relative to a value, or to SMALL where it is smaller. */
static const double SMALL = 0.01, BOUND = 1e-6;

static const struct golden *golden;
static double scratch[MAX_SAMPLES];
static float pcm[MAX_SAMPLES + 1];

/* --- The sounds of make_functionals.py --- */

static const double VOWEL_A[3][2] = {{1.8952, 0.9691}, {1.7473, 0.9614}, {1.0142, 0.9429}};
static const double VOWEL_I[3][2] = {{1.9554, 0.9691}, {1.2712, 0.9575}, {0.7430, 0.9429}};

static void add_noise(double *x, size_t n, double factor)
{
    uint32_t r = 1;
    for (size_t i = 0; i < n; i++) {
        r = r * 1664525u + 1013904223u;
        x[i] += factor * (r / 2147483648.0 - 1.0);
    }
}

/* A click per period of a pitch that glides from `first` to `last` Hz. */
static void add_pulses(double *x, int64_t n, int first, int last)
{
    int64_t phase = 0, full = MOOD_SAMPLE_RATE * n;
    for (int64_t i = 0; i < n; i++) {
        phase += first * n + (last - first) * i;
        if (phase < full)
            continue;
        x[i] += 1;
        phase -= full;
    }
}

static void resonate(double *x, size_t n, const double vowel[3][2], int first)
{
    for (int r = first; r < 3; r++) {
        double y1 = 0, y2 = 0;
        for (size_t i = 0; i < n; i++) {
            double y = x[i] + vowel[r][0] * y1 - vowel[r][1] * y2;
            x[i] = y;
            y2 = y1;
            y1 = y;
        }
    }
}

static void scale(double *x, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void words(double *x)
{
    add_pulses(x, 9600, 110, 200);
    resonate(x, 9600, VOWEL_A, 0);
    scale(x, 9600, 0.02);
    add_noise(x + 9600, 3200, 0.1);
    add_pulses(x + 17600, 12800, 240, 130);
    add_noise(x + 17600, 12800, 0.05);
    resonate(x + 17600, 12800, VOWEL_I, 0);
    scale(x + 17600, 12800, 0.03);
    add_noise(x + 30400, 4800, 1);
    resonate(x + 30400, 4800, VOWEL_A, 0);
    scale(x + 30400, 4800, 0.0004);
}

static void noise(double *x)
{
    add_noise(x, 8000, 1);
}

static void hiss(double *x)
{
    add_noise(x, 8000, 1);
    resonate(x, 8000, VOWEL_I, 1);
}

static void clipped(double *x)
{
    words(x);
    for (int i = 0; i < 12000; i++)
        x[i] = fmax(-0.5, fmin(0.5, x[i] * 8.0));
}

static void silence(double *x)
{
    (void)x;
}

static void constant(double *x)
{
    for (int i = 0; i < 3200; i++)
        x[i] = 0.3;
}

static void click(double *x)
{
    x[1600] = 1;
}

static void a_word(double *x)
{
    words(x);
    memmove(x, x + 2000, 400 * sizeof(*x));
}

static void sample(double *x)
{
    x[0] = 0.25;
}

static const struct sound {
    const char *name;
    size_t n_samples;
    void (*make)(double *x); /* x is all zeros */
} sounds[] = {
    {"words", 35200, words},     {"noise", 8000, noise},     {"hiss", 8000, hiss},
    {"clipped", 12000, clipped}, {"silence", 3200, silence}, {"constant", 3200, constant},
    {"click", 3201, click},      {"short", 400, a_word},     {"shorter", 100, a_word},
    {"sample", 1, sample},
};

static void make_sound(const struct sound *s)
{
    memset(scratch, 0, sizeof(scratch));
    s->make(scratch);
    for (int i = 0; i < MAX_SAMPLES; i++)
        pcm[i] = (float)scratch[i];
}

/* --- Against the reference --- */

static double error(double got, double want)
{
    return isfinite(got) ? fabs(got - want) / fmax(fabs(want), SMALL) : INFINITY;
}

static void assert_same(const float *got, const float *want)
{
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++) {
        char name[MOOD_FUNCTIONAL_NAME];
        mood_functional_name(name, i);
        if (error((double)got[i], (double)want[i]) > BOUND)
            fail_msg("%s is %g, not %g", name, (double)got[i], (double)want[i]);
    }
}

static const mood_tensor *find(const struct sound *s, const char *part)
{
    const mood_tensor *t = golden_find(golden, s->name, part);
    if (!t)
        fail_msg("no %s/%s in the golden file", s->name, part);
    return t;
}

/* The largest error of any track, and the worst name. */
static double compare_tracks(const mood_prosody *p, const struct sound *s, const char **worst_name)
{
    const mood_tensor *want = find(s, "tracks");
    size_t n = mood_prosody_frames(p);
    double worst = 0;
    assert_int_equal(want->dim[0], n);
    assert_int_equal(want->dim[1], MOOD_N_TRACKS);
    for (int i = 0; i < MOOD_N_TRACKS; i++) {
        const double *track = mood_prosody_track(p, (mood_track)i);
        for (size_t t = 0; t < n; t++) {
            double e = error(track[t], ((const float *)want->data)[t * MOOD_N_TRACKS + (size_t)i]);
            *worst_name = e > worst ? mood_track_name(i) : *worst_name;
            worst = fmax(worst, e);
        }
    }
    return worst;
}

static double compare_bands(const mood_prosody *p, const struct sound *s)
{
    const mood_tensor *want = golden_find(golden, s->name, "bands"); /* kept of short sounds */
    size_t n = mood_prosody_frames(p) * MOOD_PROSODY_BANDS;
    double worst = 0;
    for (size_t i = 0; want && i < n; i++)
        worst = fmax(worst, error(mood_prosody_bands(p)[i], ((const float *)want->data)[i]));
    return worst;
}

static double compare_functionals(mood_prosody *p, const struct sound *s, char *worst_name)
{
    const mood_tensor *want = find(s, "functionals");
    float got[MOOD_N_FUNCTIONALS];
    double worst = 0;
    assert_int_equal(want->dim[0], MOOD_N_FUNCTIONALS);
    mood_prosody_functionals(p, got);
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++) {
        double e = error((double)got[i], ((const float *)want->data)[i]);
        if (e > worst)
            mood_functional_name(worst_name, i);
        worst = fmax(worst, e);
    }
    return worst;
}

static void test_golden(void **state)
{
    mood_prosody *p = *state;
    for (size_t k = 0; k < sizeof(sounds) / sizeof(sounds[0]); k++) {
        const struct sound *s = &sounds[k];
        const char *track = "none";
        char functional[MOOD_FUNCTIONAL_NAME] = "none";
        make_sound(s);
        assert_int_equal(mood_prosody_run(p, pcm, s->n_samples), MOOD_OK);
        double tracks = compare_tracks(p, s, &track), bands = compare_bands(p, s);
        double functionals = compare_functionals(p, s, functional);
        print_message("%-9s tracks %.1e (%s), bands %.1e, functionals %.1e (%s), bound %.0e\n",
                      s->name, tracks, track, bands, functionals, functional, BOUND);
        assert_true(tracks <= BOUND && bands <= BOUND && functionals <= BOUND);
    }
}

/* --- Against what the sounds are --- */

/* The middle of a track from frame `first` to before `end`. */
static double middle_of(const mood_prosody *p, mood_track track, size_t first, size_t end)
{
    double sum = 0;
    for (size_t t = first; t < end; t++)
        sum += mood_prosody_track(p, track)[t];
    return sum / (double)(end - first);
}

/* The pitch of steady pulses, over all of the range; the formants of the vowel below them. */
static void test_voice(void **state)
{
    mood_prosody *p = *state;
    static const int pitches[] = {64, 80, 100, 125, 160, 200, 250, 320, 400}; /* whole periods */
    for (size_t k = 0; k < sizeof(pitches) / sizeof(pitches[0]); k++) {
        int hz = pitches[k];
        memset(scratch, 0, sizeof(scratch));
        add_pulses(scratch, 16000, hz, hz);
        resonate(scratch, 16000, VOWEL_A, 0);
        for (int i = 0; i < 16000; i++)
            pcm[i] = (float)scratch[i];
        assert_int_equal(mood_prosody_run(p, pcm, 16000), MOOD_OK);
        assert_int_equal(mood_prosody_first(p), 0);
        for (size_t t = 10; t < 90; t++) {
            double semitones = mood_prosody_track(p, MOOD_TRACK_PITCH)[t];
            assert_true(fabs(semitones - 12 * log2(hz / 27.5)) < 0.1);
        }
        assert_true(middle_of(p, MOOD_TRACK_HNR, 10, 90) > 10);
        if (hz > 200)
            continue; /* harmonics are too far apart for an envelope between them */
        assert_true(fabs(middle_of(p, MOOD_TRACK_F1, 10, 90) - 0.70) < 0.08);
        assert_true(fabs(middle_of(p, MOOD_TRACK_F2, 10, 90) - 1.20) < 0.10);
        assert_true(fabs(middle_of(p, MOOD_TRACK_F3, 10, 90) - 2.60) < 0.15);
    }
}

static void test_unvoiced(void **state)
{
    mood_prosody *p = *state;
    make_sound(&sounds[1]);
    assert_int_equal(mood_prosody_run(p, pcm, sounds[1].n_samples), MOOD_OK);
    assert_int_equal(mood_prosody_frames(p), 50);
    for (size_t t = 0; t < 50; t++) {
        assert_true(mood_prosody_track(p, MOOD_TRACK_PITCH)[t] == 0);
        assert_true(mood_prosody_track(p, MOOD_TRACK_H1_H2)[t] == 0);
    }
}

/* Silence around a voice is left out, and then nothing tells that it was there. */
static void test_silence_around(void **state)
{
    mood_prosody *p = *state;
    static float alone[MOOD_N_FUNCTIONALS], among[MOOD_N_FUNCTIONALS];
    memset(scratch, 0, sizeof(scratch));
    add_noise(scratch + 8000, 5280, 1); /* the mean is 0, with silence or without */
    add_noise(scratch + 13280, 5280, -0.5);
    add_noise(scratch + 18560, 5280, -0.5);
    for (int i = 0; i < MAX_SAMPLES; i++)
        pcm[i] = (float)scratch[i];
    assert_int_equal(mood_prosody_run(p, pcm, 32000), MOOD_OK);
    size_t first = mood_prosody_first(p), n = mood_prosody_frames(p);
    assert_in_range(first, 42, 45); /* the noise is in frames 50 to 148 */
    assert_in_range(first + n, 153, 158);
    mood_prosody_functionals(p, among);
    assert_int_equal(mood_prosody_run(p, pcm + first * MOOD_PROSODY_HOP, n * MOOD_PROSODY_HOP),
                     MOOD_OK);
    assert_int_equal(mood_prosody_first(p), 0);
    mood_prosody_functionals(p, alone);
    assert_same(alone, among);
}

/* --- What must always hold --- */

static void test_level(void **state)
{
    mood_prosody *p = *state;
    static float first[MOOD_N_FUNCTIONALS], other[MOOD_N_FUNCTIONALS];
    static const float factors[] = {-1, 0x1p-9F, 0x1p100F, 0x1p-80F};
    make_sound(&sounds[0]);
    assert_int_equal(mood_prosody_run(p, pcm, 35200), MOOD_OK);
    mood_prosody_functionals(p, first);
    for (size_t f = 0; f < sizeof(factors) / sizeof(factors[0]); f++) {
        static float scaled[35200];
        for (int i = 0; i < 35200; i++)
            scaled[i] = factors[f] * pcm[i];
        assert_int_equal(mood_prosody_run(p, scaled, 35200), MOOD_OK);
        mood_prosody_functionals(p, other);
        assert_same(other, first);
    }
}

/* Every length from nothing to 50 ms, and some up to the longest. */
static void test_lengths(void **state)
{
    mood_prosody *p = *state;
    float x[MOOD_N_FUNCTIONALS];
    make_sound(&sounds[0]);
    for (size_t n = 0; n <= MAX_SAMPLES; n += n < 800 ? 1 : 16307) {
        assert_int_equal(mood_prosody_run(p, n > 0 ? pcm : NULL, n), MOOD_OK);
        assert_true(mood_prosody_frames(p) <= (n + MOOD_PROSODY_HOP - 1) / MOOD_PROSODY_HOP);
        assert_int_equal(mood_prosody_frames(p) > 0, n > 0);
        mood_prosody_functionals(p, x);
        for (int i = 0; i < MOOD_N_FUNCTIONALS; i++)
            assert_true(n > 0 ? isfinite(x[i]) : x[i] == 0);
    }
    add_noise(scratch, MAX_SAMPLES, 1);
    for (int i = 0; i < MAX_SAMPLES; i++)
        pcm[i] = (float)scratch[i];
    assert_int_equal(mood_prosody_run(p, pcm, MAX_SAMPLES), MOOD_OK);
    assert_int_equal(mood_prosody_frames(p), MOOD_PROSODY_MAX_FRAMES);
    mood_prosody_functionals(p, x);
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++)
        assert_true(isfinite(x[i]));
}

static void test_refused(void **state)
{
    mood_prosody *p = *state;
    float x[MOOD_N_FUNCTIONALS];
    memset(pcm, 0, sizeof(pcm));
    assert_int_equal(mood_prosody_run(p, pcm, MAX_SAMPLES + 1), MOOD_E_INVALID);
    assert_string_equal(mood_error_detail(),
                        "prosody: 163841 samples, at most 163840 are possible");
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++) {
        make_sound(&sounds[0]);
        assert_int_equal(mood_prosody_run(p, pcm, 16000), MOOD_OK);
        pcm[1234] = bad[k];
        assert_int_equal(mood_prosody_run(p, pcm, 16000), MOOD_E_INVALID);
        assert_string_equal(mood_error_detail(), "prosody: sample 1234 is not finite");
        assert_int_equal(mood_prosody_frames(p), 0);
        mood_prosody_functionals(p, x);
        for (int i = 0; i < MOOD_N_FUNCTIONALS; i++)
            assert_true(x[i] == 0);
    }
}

/* A recording leaves no trace in the numbers of the next. */
static void test_again(void **state)
{
    mood_prosody *p = *state;
    static float first[MOOD_N_FUNCTIONALS], again[MOOD_N_FUNCTIONALS];
    make_sound(&sounds[7]);
    assert_int_equal(mood_prosody_run(p, pcm, 400), MOOD_OK);
    mood_prosody_functionals(p, first);
    make_sound(&sounds[0]);
    assert_int_equal(mood_prosody_run(p, pcm, 35200), MOOD_OK);
    mood_prosody_functionals(p, again);
    make_sound(&sounds[7]);
    assert_int_equal(mood_prosody_run(p, pcm, 400), MOOD_OK);
    mood_prosody_functionals(p, again);
    assert_memory_equal(first, again, sizeof(first));
}

/* --- Names --- */

static void test_names(void **state)
{
    (void)state;
    static char names[MOOD_N_FUNCTIONALS][MOOD_FUNCTIONAL_NAME];
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++) {
        mood_functional_name(names[i], i);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
    /* Other names, or another order, are another version: models depend on it. */
    unsigned char digest[MOOD__SHA256_BYTES];
    char hex[MOOD__SHA256_HEX_BYTES];
    struct mood__sha256 s;
    mood__sha256_start(&s);
    mood__sha256_add(&s, names, sizeof(names));
    mood__sha256_finish(&s, digest);
    mood__sha256_hex(hex, digest);
    hex[16] = '\0';
    assert_string_equal(hex, "f24b16ce9c512be1");
    assert_int_equal(MOOD_FUNCTIONALS_VERSION, 1);

    assert_string_equal(names[0], "voiced.pitch.mean");
    assert_string_equal(names[261], "overall.energy.mean");
    assert_string_equal(names[514], "unvoiced.centroid");
    assert_string_equal(names[515], "timing.duration_s");
    assert_string_equal(names[621], "modulation.mel_1_to_8.0.5_to_2_hz");
    assert_string_equal(names[MOOD_N_FUNCTIONALS - 1], "shape.mfcc_3.p98");

    int first = 0;
    for (int g = 0; g < MOOD_N_FUNCTIONAL_GROUPS; g++) {
        mood_functional_range range = mood_functionals_of((mood_functional_group)g);
        assert_int_equal(range.first, first);
        for (int i = range.first; i < range.first + range.count; i++) {
            assert_memory_equal(names[i], range.name, strlen(range.name));
            assert_int_equal(names[i][strlen(range.name)], '.');
        }
        first += range.count;
    }
    assert_int_equal(first, MOOD_N_FUNCTIONALS);

    assert_string_equal(mood_track_name(MOOD_TRACK_PITCH), "pitch");
    assert_string_equal(mood_track_name(MOOD_TRACK_ENERGY_STEP), "energy_step");
    assert_string_equal(mood_track_name(MOOD_N_TRACKS - 1), "mfcc_13");
    assert_null(mood_track_name(-1));
    assert_null(mood_track_name(MOOD_N_TRACKS));
}

static int create(void **state)
{
    mood_prosody *p;
    int failed = mood_prosody_create(&p) != MOOD_OK;
    *state = p;
    return failed;
}

static int destroy(void **state)
{
    mood_prosody *p = *state;
    mood_prosody_destroy(&p);
    return p != NULL;
}

int main(int argc, char **argv)
{
    struct golden *g = argc == 2 ? golden_open(argv[1]) : NULL;
    if (!g)
        return 1;
    golden = g;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_voice),
        cmocka_unit_test(test_unvoiced), cmocka_unit_test(test_silence_around),
        cmocka_unit_test(test_level),    cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_again),
        cmocka_unit_test(test_names),
    };
    int failed = cmocka_run_group_tests(tests, create, destroy);
    golden_close(&g);
    return failed;
}
