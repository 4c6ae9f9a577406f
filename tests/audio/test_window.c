/* SPDX-License-Identifier: MIT
 *
 * test_window.c — Where windows lie, what is in them, their peak, and the speech gate. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/audio.h"

static void assert_starts(size_t n_samples, const mood_window_params *params, size_t count,
                          const size_t *starts)
{
    mood_windows w;
    assert_int_equal(mood_windows_plan(&w, n_samples, params), MOOD_OK);
    assert_int_equal(w.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mood_windows_start(&w, i), starts[i]);
}

static void test_plan(void **state)
{
    (void)state;
    /* 3 s windows every 1.5 s, the last one aligned to the end. */
    assert_starts(1, NULL, 1, (size_t[]){0});
    assert_starts(48000, NULL, 1, (size_t[]){0});
    assert_starts(48001, NULL, 2, (size_t[]){0, 1});
    assert_starts(72000, NULL, 2, (size_t[]){0, 24000});
    assert_starts(72001, NULL, 3, (size_t[]){0, 24000, 24001});
    assert_starts(160000, NULL, 6, (size_t[]){0, 24000, 48000, 72000, 96000, 112000});

    mood_window_params p = {.length = 10, .hop = 3};
    assert_starts(17, &p, 4, (size_t[]){0, 3, 6, 7});
    p = (mood_window_params){.length = 1}; /* half of it is rounded up */
    assert_starts(3, &p, 3, (size_t[]){0, 1, 2});

    mood_windows w;
    assert_int_equal(mood_windows_plan(&w, 0, NULL), MOOD_E_INVALID);
    p = (mood_window_params){.length = 10, .hop = 11};
    assert_int_equal(mood_windows_plan(&w, 100, &p), MOOD_E_INVALID);
}

/* No sample is left out, none is behind the end, and windows of a long recording are full. */
static void test_plan_covers_everything(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        for (size_t hop = 1; hop <= 16; hop++) {
            mood_windows w;
            mood_window_params p = {.length = 16, .hop = hop};
            assert_int_equal(mood_windows_plan(&w, n, &p), MOOD_OK);
            size_t covered = 0;
            for (size_t i = 0; i < w.count; i++) {
                size_t start = mood_windows_start(&w, i);
                assert_true(start <= covered);
                assert_true(i == 0 || start > mood_windows_start(&w, i - 1));
                assert_true(n < 16 || start + 16 <= n);
                covered = start + 16;
            }
            assert_true(covered >= n);
        }
    }
}

static void test_cut(void **state)
{
    (void)state;
    const float pcm[5] = {1, 2, 3, 4, 5};
    float out[4];
    static const struct {
        size_t start;
        float want[4];
    } cases[] = {
        {0, {1, 2, 3, 4}}, {1, {2, 3, 4, 5}}, {3, {4, 5, 0, 0}}, {5, {0}}, {SIZE_MAX, {0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(out, 0xff, sizeof(out));
        mood_window_cut(out, 4, pcm, 5, cases[i].start);
        assert_memory_equal(out, cases[i].want, sizeof(out));
    }
}

static void test_peak(void **state)
{
    (void)state;
    float x[3] = {0.125f, -0.25f, 0.1f};
    mood_peak_normalise(x, 3);
    assert_true(x[0] == 0.5f && x[1] == -1.0f && x[2] == 0.1f / 0.25f);

    float zeros[2] = {0, 0};
    mood_peak_normalise(zeros, 2);
    assert_true(zeros[0] == 0 && zeros[1] == 0);

    float tiny[2] = {1e-42f, -5e-43f}; /* 1 / peak would be infinite */
    mood_peak_normalise(tiny, 2);
    assert_true(tiny[0] == 1.0f && fabsf(tiny[1] + 0.5f) < 0.01f);
}

/* A sine with this amplitude between two places of a 3 s window, zeros elsewhere. */
static void fill_tone(float *x, float amplitude, size_t from, size_t to)
{
    for (size_t i = 0; i < 48000; i++)
        x[i] = i >= from && i < to ? amplitude * (float)sin(2 * M_PI * 200 * (double)i / 16000) : 0;
}

static void test_gate(void **state)
{
    (void)state;
    float *x = calloc(48000, sizeof(float));
    assert_non_null(x);
    assert_true(mood_speech_level(x, 48000) == -200.0f);
    assert_false(mood_speech_heard(x, 48000));
    assert_true(mood_speech_level(x, 0) == -200.0f);

    fill_tone(x, 1, 0, 48000); /* a full-scale sine is at -3.01 dBFS */
    assert_true(fabsf(mood_speech_level(x, 48000) + 3.0103f) < 1e-3f);

    /* A faint actor: half a second with a peak of 100 of 32768. */
    fill_tone(x, 100 / 32768.0f, 20000, 28000);
    assert_true(mood_speech_heard(x, 48000));

    /* As short as 0.2 s is enough, a click of 0.1 s is not, however loud. */
    fill_tone(x, 0.1f, 3200, 6400);
    assert_true(mood_speech_heard(x, 48000));
    fill_tone(x, 1, 3200, 4800);
    assert_false(mood_speech_heard(x, 48000));
    assert_true(mood_speech_heard(x + 3200, 1600)); /* unless it is all there is */

    /* A constant offset of the converter is no sound. */
    for (size_t i = 0; i < 48000; i++)
        x[i] = 0.3f;
    assert_true(mood_speech_level(x, 48000) < -140);

    /* Noise of +-6 of 32768, as of a muted room: rounding noise of 12 bits. */
    uint32_t r = 1;
    for (size_t i = 0; i < 48000; i++) {
        r = r * 1664525u + 1013904223u;
        x[i] = (float)((int)(r >> 16) % 13 - 6) / 32768;
    }
    print_message("noise of +-6 of 32768: %.1f dBFS\n", (double)mood_speech_level(x, 48000));
    assert_false(mood_speech_heard(x, 48000));
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan), cmocka_unit_test(test_plan_covers_everything),
        cmocka_unit_test(test_cut),  cmocka_unit_test(test_peak),
        cmocka_unit_test(test_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
