/* SPDX-License-Identifier: MIT
 *
 * test_mel.c — The log-mel plane against torchaudio in float64 (tests/golden/make_mel.py), the
 * transform behind it against its definition, and the limits of the parameters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/fft.h"
#include "mood/audio.h"

static const char *golden_path;

/* --- The signals of make_mel.py --- */

static void make_noise(double *x, int n)
{
    uint32_t r = 1;
    for (int i = 0; i < n; i++) {
        r = r * 1664525u + 1013904223u;
        x[i] = r / 2147483648.0 - 1.0;
    }
}

static void make_tone(double *x, int n)
{
    double a = 0.0, b = 0.3826;
    for (int i = 0; i < n; i++) {
        x[i] = a;
        double next = 1.8477026 * b - a;
        a = b;
        b = next;
    }
}

static void make_sweep(double *x, int n)
{
    for (int64_t i = 0; i < n; i++) {
        double p = (double)((i * i / 4 + 300 * i) % 65536) / 32768.0 - 1.0;
        x[i] = 4.0 * p * (1.0 - fabs(p));
    }
}

static void make_fading(double *x, int n)
{
    make_sweep(x, n);
    for (int i = 0; i < n; i++)
        x[i] = floor(ldexp(x[i], -(i / 4000)) * 32768.0) / 32768.0;
}

static void make_click(double *x, int n)
{
    make_noise(x, n);
    for (int i = 0; i < n; i++)
        x[i] /= 32768.0;
    x[n / 3] = 1.0;
}

static const struct {
    const char *name;
    mood_mel_params params;
    int n_samples;
    void (*make)(double *x, int n);
} cases[] = {
    {"noise", {1024, 512, 64}, 48000, make_noise},
    {"tone", {1024, 512, 64}, 48000, make_tone},
    {"fading", {1024, 512, 64}, 48000, make_fading},
    {"sweep", {1024, 512, 64}, 24000, make_sweep},
    {"click", {1024, 512, 64}, 24000, make_click},
    {"shortest", {1024, 512, 64}, 513, make_sweep},
    {"512/160/40", {512, 160, 40}, 4000, make_fading},
};

/* --- Tests --- */

static float read_float(FILE *f)
{
    unsigned char b[4];
    assert_int_equal(fread(b, 1, 4, f), 4);
    uint32_t bits =
        (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static int read_int(FILE *f)
{
    float x = read_float(f);
    int value;
    memcpy(&value, &x, sizeof(value));
    return value;
}

static void check_case(size_t k, FILE *f)
{
    const mood_mel_params *p = &cases[k].params;
    int n = cases[k].n_samples;
    assert_int_equal(read_int(f), p->n_fft);
    assert_int_equal(read_int(f), p->hop);
    assert_int_equal(read_int(f), p->n_mels);
    assert_int_equal(read_int(f), n);

    mood_mel *mel;
    assert_int_equal(mood_mel_create(&mel, p), MOOD_OK);
    size_t n_frames = mood_mel_frames(mel, (size_t)n), size = (size_t)p->n_mels * n_frames;
    double *x = calloc((size_t)n, sizeof(double));
    float *pcm = calloc((size_t)n, sizeof(float)), *plane = calloc(size, sizeof(float));
    assert_true(x && pcm && plane);
    cases[k].make(x, n);
    for (int i = 0; i < n; i++)
        pcm[i] = (float)x[i];
    assert_int_equal(mood_mel_run(mel, plane, pcm, (size_t)n), MOOD_OK);

    double worst = 0, sum = 0;
    for (size_t i = 0; i < size; i++) {
        double error = fabs((double)plane[i] - (double)read_float(f));
        worst = fmax(worst, error);
        sum += error;
        assert_true(error <= 1e-3); /* here, as fmax drops NaN */
    }
    print_message("%-10s worst %.1e (bound 1e-03)  mean %.1e (bound 1e-05)\n", cases[k].name, worst,
                  sum / (double)size);
    assert_true(sum / (double)size <= 1e-5);
    free(x);
    free(pcm);
    free(plane);
    mood_mel_destroy(&mel);
}

static void test_golden(void **state)
{
    (void)state;
    FILE *f = fopen(golden_path, "rb");
    assert_non_null(f);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
        check_case(k, f);
    assert_int_equal(fgetc(f), EOF);
    assert_int_equal(fclose(f), 0);
}

/* The autocorrelation of x, by its definition, against the one from its power spectrum. Returns the
 * largest error, relative to the value at lag 0. */
static double autocorrelation_error(struct mood__fft *fft, const double *power, const double *x,
                                    int n)
{
    double r[1024], worst = 0;
    mood__fft_autocorrelation(fft, power, r, (size_t)n / 2);
    for (int l = 0; l < n / 2; l++) {
        double want = 0;
        for (int i = 0; i < n; i++)
            want += x[i] * x[(i + l) % n];
        worst = fmax(worst, fabs(r[l] - want) / r[0]);
        assert_false(isnan(r[l]));
    }
    return worst;
}

/* Every length up to 2048 against the definition of the transform. */
static void test_fft(void **state)
{
    (void)state;
    double worst = 0, worst_r = 0;
    for (int n = 4; n <= 2048; n *= 2) {
        struct mood__fft *fft;
        assert_int_equal(mood__fft_create(&fft, (size_t)n), MOOD_OK);
        double x[2048], power[1025];
        make_noise(x, n);
        memcpy(mood__fft_frame(fft), x, (size_t)n * sizeof(double));
        mood__fft_power(fft, power);
        for (int k = 0; k <= n / 2; k++) {
            double re = 0, im = 0;
            for (int i = 0; i < n; i++) {
                double angle = 2 * M_PI * (double)((int64_t)i * k % n) / n;
                re += x[i] * cos(angle);
                im -= x[i] * sin(angle);
            }
            /* The power of this noise is n / 3 in every bin. */
            worst = fmax(worst, fabs(power[k] - (re * re + im * im)) / (n / 3.0));
            assert_false(isnan(power[k]));
        }
        worst_r = fmax(worst_r, autocorrelation_error(fft, power, x, n));
        mood__fft_destroy(&fft);
        assert_null(fft);
    }
    print_message("transform: worst relative error %.1e, autocorrelation %.1e (bound 1e-12)\n",
                  worst, worst_r);
    assert_true(worst <= 1e-12 && worst_r <= 1e-12);
}

static void test_layout(void **state)
{
    (void)state;
    mood_mel *mel;
    assert_int_equal(mood_mel_create(&mel, NULL), MOOD_OK);
    assert_int_equal(mood_mel_bands(mel), 64);
    assert_int_equal(mood_mel_frames(mel, 48000), 94);
    assert_int_equal(mood_mel_frames(mel, 48127), 94);
    assert_int_equal(mood_mel_frames(mel, 48128), 95);

    /* Silence is the offset's logarithm everywhere. */
    static float pcm[48000], plane[64 * 94];
    assert_int_equal(mood_mel_run(mel, plane, pcm, 48000), MOOD_OK);
    for (int i = 0; i < 64 * 94; i++)
        assert_true(fabsf(plane[i] - logf(1e-6f)) < 1e-5f);

    /* A click shows in the frames around it, in every band: rows are bands, columns are frames. */
    pcm[20 * 512] = 1;
    assert_int_equal(mood_mel_run(mel, plane, pcm, 48000), MOOD_OK);
    for (int f = 0; f < 64; f++) {
        for (int t = 0; t < 94; t++)
            assert_int_equal(plane[f * 94 + t] > -10, t == 20);
    }

    pcm[0] = NAN;
    assert_int_equal(mood_mel_run(mel, plane, pcm, 48000), MOOD_OK);
    assert_true(isnan(plane[0]) && !isnan(plane[93]));

    plane[0] = 7;
    assert_int_equal(mood_mel_run(mel, plane, pcm, 512), MOOD_E_INVALID);
    assert_string_equal(mood_error_detail(), "log-mel: 512 samples, at least 513 are needed");
    assert_true(plane[0] == 7);
    mood_mel_destroy(&mel);
    assert_null(mel);
    mood_mel_destroy(&mel);
}

static void test_params(void **state)
{
    (void)state;
    static const mood_mel_params wrong[] = {
        {.n_fft = 1000}, {.n_fft = 8}, {.n_fft = 131072}, {.n_fft = -1024},
        {.hop = 1025},   {.hop = -1},  {.n_mels = 1025},  {.n_mels = -1},
    };
    mood_mel *mel;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mood_mel_create(&mel, &wrong[i]), MOOD_E_INVALID);
        assert_null(mel);
    }
    /* More bands than bins: some of them are empty, none of them is an error. */
    mood_mel_params many = {.n_fft = 16, .hop = 8, .n_mels = 1024};
    static float plane[1024 * 3];
    static const float pcm[16] = {1};
    assert_int_equal(mood_mel_create(&mel, &many), MOOD_OK);
    assert_int_equal(mood_mel_run(mel, plane, pcm, 16), MOOD_OK);
    mood_mel_destroy(&mel);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    golden_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_fft),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
