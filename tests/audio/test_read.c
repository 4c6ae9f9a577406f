/* SPDX-License-Identifier: MIT
 *
 * test_read.c — Reading recordings behind their headers: mixing, resampling, bad samples, limits,
 * and what a path can lead to. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes_builder.h"
#include "expect.h"

/* --- Mixing and resampling --- */

static void test_downmix(void **state)
{
    (void)state;
    for (unsigned channels = 1; channels <= 8; channels++) {
        struct builder b = {0};
        put_wav(&b, channels, 16000, 5, 1000);
        mood_audio *a = read_ok(&b);
        assert_int_equal(mood_audio_describe(a).channels, channels);
        assert_int_equal(mood_audio_length(a), 5);
        /* The mean of 1 .. channels, times 1000. */
        double want = 1000 * (channels + 1) / 2.0 / 32768;
        assert_near(mood_audio_samples(a)[0], want, 1e-8);
        assert_near(mood_audio_samples(a)[1], -want, 1e-8);
        mood_audio_destroy(&a);
    }
}

/* The largest |difference| to a sine of `hz` at 16 kHz, without `edge` samples at both ends. */
static double sine_error(const mood_audio *a, double hz, size_t edge)
{
    double worst = 0;
    for (size_t i = edge; i + edge < mood_audio_length(a); i++) {
        double want = 0.5 * sin(2 * M_PI * hz * (double)i / 16000);
        worst = fmax(worst, fabs(mood_audio_samples(a)[i] - want));
    }
    return worst;
}

static float *make_sine(double hz, int rate, size_t n)
{
    float *x = calloc(n, sizeof(float));
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(0.5 * sin(2 * M_PI * hz * (double)i / rate));
    return x;
}

static void test_resampling(void **state)
{
    (void)state;
    static const int rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        size_t n = (size_t)rates[i] + 7; /* a little over a second */
        float *x = make_sine(1000, rates[i], n);
        mood_audio *a, *again;
        assert_int_equal(mood_audio_from_samples(&a, x, n, 1, rates[i], NULL), MOOD_OK);
        assert_int_equal(mood_audio_length(a),
                         (n * 16000 + (size_t)rates[i] - 1) / (size_t)rates[i]);
        /* The tone keeps its place: no delay. 20 bits of quality are 1e-6; float adds as much. */
        double error = sine_error(a, 1000, 400);
        print_message("%6d Hz: worst error %.1e (bound 4e-06)\n", rates[i], error);
        assert_true(error <= 4e-6);

        assert_int_equal(mood_audio_from_samples(&again, x, n, 1, rates[i], NULL), MOOD_OK);
        assert_memory_equal(mood_audio_samples(a), mood_audio_samples(again),
                            mood_audio_length(a) * sizeof(float));
        mood_audio_destroy(&a);
        mood_audio_destroy(&again);
        free(x);
    }
}

static void test_one_sample(void **state)
{
    (void)state;
    static const unsigned rates[] = {8000, 16000, 48000, 192000};
    for (size_t i = 0; i < 4; i++) {
        struct builder b = {0};
        put_wav(&b, 1, rates[i], 1, 1000);
        mood_audio *a = read_ok(&b);
        assert_int_equal(mood_audio_length(a), rates[i] == 8000 ? 2 : 1);
        assert_int_equal(mood_audio_describe(a).n_frames, 1);
        mood_audio_destroy(&a);
    }
}

/* --- Bad samples and limits --- */

static void test_bad_samples(void **state)
{
    (void)state;
    static const struct {
        float x;
        const char *mono, *stereo;
    } cases[] = {
        {NAN, "sample 5 is NaN", "sample 2 of channel 2 is NaN"},
        {INFINITY, "sample 5 is infinite", "sample 2 of channel 2 is infinite"},
        {-INFINITY, "sample 5 is infinite", "sample 2 of channel 2 is infinite"},
        {1e30f, "sample 5 is 1e+30: no sound level", "sample 2 of channel 2 is 1e+30"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned channels = 1; channels <= 2; channels++) {
            struct builder b = {0};
            put_wav_header(
                &b, (struct wav){.tag = 3, .bits = 32, .channels = channels, .data_bytes = 32});
            for (int s = 0; s < 8; s++)
                put_float(&b, s == 5 ? cases[i].x : 0.1f);
            refused(&b, MOOD_E_NUMERIC, channels == 1 ? cases[i].mono : cases[i].stereo);
        }
    }
    struct builder b = {0};
    put_wav_header(&b, (struct wav){.tag = 3, .bits = 64, .data_bytes = 8});
    put_double(&b, 1e300); /* finite as double, not as float */
    refused(&b, MOOD_E_NUMERIC, "sample 0 is infinite");
}

static void test_limits(void **state)
{
    (void)state;
    struct builder b = {0};
    put_wav(&b, 1, 16000, 16001, 1000);
    mood_audio *a;
    mood_audio_params one_second = {.max_duration_s = 1}, small = {.max_bytes = 1000};
    assert_int_equal(mood_audio_read_memory(&a, b.p, b.n, &one_second), MOOD_E_UNSUPPORTED);
    assert_string_equal(mood_error_detail(), "longer than the limit of 1 s");
    assert_int_equal(mood_audio_read_memory(&a, b.p, b.n, &small), MOOD_E_UNSUPPORTED);
    assert_string_equal(mood_error_detail(), "has 32046 bytes; at most 1000 are read");
    mood_audio_params wrong = {.max_duration_s = -1};
    assert_int_equal(mood_audio_read_memory(&a, b.p, b.n, &wrong), MOOD_E_INVALID);
    builder_free(&b);

    static const float x[20];
    mood_audio_params short_limit = {.max_duration_s = 1e-3}; /* 16 samples */
    assert_int_equal(mood_audio_from_samples(&a, x, 17, 1, 16000, &short_limit),
                     MOOD_E_UNSUPPORTED);
    assert_int_equal(mood_audio_from_samples(&a, x, 16, 1, 16000, &short_limit), MOOD_OK);
    mood_audio_destroy(&a);
    assert_int_equal(mood_audio_from_samples(&a, x, 0, 1, 16000, NULL), MOOD_E_INVALID);
    assert_int_equal(mood_audio_from_samples(&a, x, 1, 9, 16000, NULL), MOOD_E_INVALID);
    assert_int_equal(mood_audio_from_samples(&a, x, 1, -1, 16000, NULL), MOOD_E_INVALID);
    assert_int_equal(mood_audio_from_samples(&a, x, 1, 1, 7999, NULL), MOOD_E_INVALID);
    assert_null(a);
}

/* --- Files --- */

static void test_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/mood-test-XXXXXX", path[64], pipe[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/clip.wav", dir);
    snprintf(pipe, sizeof(pipe), "%s/pipe.wav", dir);

    mood_audio *a;
    assert_int_equal(mood_audio_read(&a, path, NULL), MOOD_E_IO);
    assert_string_equal(mood_error_detail(), "cannot be opened: No such file or directory");
    assert_int_equal(mood_audio_read(&a, dir, NULL), MOOD_E_IO);
    assert_string_equal(mood_error_detail(), "is a directory");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mood_audio_read(&a, pipe, NULL), MOOD_E_IO);
    assert_string_equal(mood_error_detail(), "is not a regular file");

    struct builder b = {0};
    put_wav(&b, 2, 48000, 4800, 1000);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(mood_audio_read(&a, path, NULL), MOOD_OK);
    assert_int_equal(mood_audio_length(a), 1600);
    assert_near(mood_audio_describe(a).duration_s, 0.1, 1e-12);
    mood_audio_destroy(&a);
    mood_audio_params small = {.max_bytes = b.n - 1};
    assert_int_equal(mood_audio_read(&a, path, &small), MOOD_E_UNSUPPORTED);
    builder_free(&b);

    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(mood_audio_read(&a, path, NULL), MOOD_E_FORMAT);
    assert_string_equal(mood_error_detail(), "not audio: empty");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(pipe), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_downmix),    cmocka_unit_test(test_resampling),
        cmocka_unit_test(test_one_sample), cmocka_unit_test(test_bad_samples),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
