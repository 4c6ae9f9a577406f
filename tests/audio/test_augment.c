/* SPDX-License-Identifier: MIT
 *
 * test_augment.c — What each augmentation does, and that it depends on its arguments alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "mood/audio.h"

enum { N = 48000 };

static float original[N], x[N], y[N];

static int make_original(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        original[i] = (float)(0.5 * sin(i * 0.05));
    return 0;
}

static void run(float *out, mood_augment_params p, uint64_t seed)
{
    memcpy(out, original, sizeof(original));
    assert_int_equal(mood_augment_run(out, N, &p, seed), MOOD_OK);
}

static void test_parse(void **state)
{
    (void)state;
    assert_string_equal(mood_augment_names(),
                        "speed,pitch,room,shift,noise,lowpass,gain,timemask,freqmask");
    mood_augment_params p = {.gain_db = 3};
    assert_int_equal(mood_augment_parse(&p, "noise,gain,shift"), MOOD_OK);
    assert_int_equal(p.kinds, MOOD_AUGMENT_NOISE | MOOD_AUGMENT_GAIN | MOOD_AUGMENT_SHIFT);
    assert_true(p.gain_db == 3);
    assert_int_equal(mood_augment_parse(&p, "gain"), MOOD_OK);
    assert_int_equal(p.kinds, MOOD_AUGMENT_GAIN);
    assert_int_equal(mood_augment_parse(&p, mood_augment_names()), MOOD_OK);
    assert_int_equal(mood_augment_parse(&p, ""), MOOD_OK);
    assert_int_equal(p.kinds, 0);

    static const char *const wrong[] = {"echo",  "gai", "gainx", "gain,,shift", ",gain",
                                        "gain,", ",",   "Gain",  "gain, shift"};
    p.kinds = 77;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mood_augment_parse(&p, wrong[i]), MOOD_E_INVALID);
        assert_non_null(strstr(mood_error_detail(), "shift,noise,lowpass,gain"));
        assert_int_equal(p.kinds, 77);
    }
}

static void test_pure(void **state)
{
    (void)state;
    mood_augment_params all = {0};
    assert_int_equal(mood_augment_parse(&all, "noise,gain,shift"), MOOD_OK);
    run(x, all, 7);
    run(y, all, 7);
    assert_memory_equal(x, y, sizeof(x));
    run(y, all, 8);
    assert_memory_not_equal(x, y, sizeof(x));

    run(x, (mood_augment_params){0}, 7);
    assert_memory_equal(x, original, sizeof(x));
    assert_int_equal(mood_augment_run(x, N, NULL, 7), MOOD_OK);
    assert_memory_equal(x, original, sizeof(x));
}

/* Both ends of the range of gains are reached, and it is one factor for the whole window. */
static void test_gain(void **state)
{
    (void)state;
    double lowest = 100, highest = -100;
    for (uint64_t seed = 0; seed < 200; seed++) {
        run(x, (mood_augment_params){.kinds = MOOD_AUGMENT_GAIN, .gain_db = 6}, seed);
        float gain = x[20] / original[20];
        for (int i = 1; i < N; i += 997)
            assert_true(fabsf(x[i] - gain * original[i]) <= 1e-6f);
        double db = 20 * log10((double)gain);
        lowest = fmin(lowest, db);
        highest = fmax(highest, db);
    }
    assert_true(lowest >= -6.001 && lowest < -5.5 && highest <= 6.001 && highest > 5.5);
}

static void test_noise(void **state)
{
    (void)state;
    mood_augment_params p = {
        .kinds = MOOD_AUGMENT_NOISE, .noise_snr_min_db = 20, .noise_snr_max_db = 20};
    run(x, p, 3);
    double signal = 0, noise = 0, mean = 0, neighbours = 0, last = 0;
    for (int i = 0; i < N; i++) {
        double e = (double)x[i] - original[i];
        signal += (double)original[i] * original[i];
        noise += e * e;
        mean += e;
        neighbours += e * last;
        last = e;
    }
    /* Over N samples the power is within 4 sqrt(2 / N), a correlation within 4 / sqrt(N). */
    double snr = 10 * log10(signal / noise);
    print_message("noise at 20 dB: %.3f dB\n", snr);
    assert_true(fabs(snr - 20) <= 10 * log10(1 + 4 * sqrt(2.0 / N)));
    assert_true(fabs(mean) <= 4 * sqrt(noise));
    assert_true(fabs(neighbours) <= 4 * noise / sqrt(N));

    memset(x, 0, sizeof(x)); /* silence has no power to be a ratio of */
    assert_int_equal(mood_augment_run(x, N, &p, 3), MOOD_OK);
    assert_true(x[0] == 0 && x[N - 1] == 0);
}

static void test_shift(void **state)
{
    (void)state;
    bool earlier = false, later = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        run(x, (mood_augment_params){.kinds = MOOD_AUGMENT_SHIFT, .shift_s = 0.1f}, seed);
        int by = -1601; /* find it: x[i] == original[i - by] */
        for (int s = -1600; s <= 1600 && by == -1601; s++) {
            if (memcmp(x + 2000, original + 2000 - s, 1000 * sizeof(float)) == 0)
                by = s;
        }
        assert_int_not_equal(by, -1601);
        for (int i = 0; i < N; i++) {
            bool inside = i - by >= 0 && i - by < N;
            assert_true(x[i] == (inside ? original[i - by] : 0));
        }
        earlier |= by < 0;
        later |= by > 0;
    }
    assert_true(earlier && later);

    /* A shift by more than there is leaves nothing. */
    float two[2] = {1, 2};
    mood_augment_params far = {.kinds = MOOD_AUGMENT_SHIFT, .shift_s = 50};
    assert_int_equal(mood_augment_run(two, 2, &far, 1), MOOD_OK);
    assert_true(two[0] == 0 && two[1] == 0);
}

/* Switching one kind on does not change what another draws. */
static void test_streams_are_apart(void **state)
{
    (void)state;
    run(x, (mood_augment_params){.kinds = MOOD_AUGMENT_SHIFT}, 5);
    run(y, (mood_augment_params){.kinds = MOOD_AUGMENT_SHIFT | MOOD_AUGMENT_GAIN}, 5);
    float gain = y[9000] / x[9000];
    for (int i = 0; i < N; i += 331)
        assert_true(fabsf(y[i] - gain * x[i]) <= 1e-6f);
}

static void test_ranges(void **state)
{
    (void)state;
    const mood_augment_params wrong[] = {
        {.noise_snr_min_db = 30, .noise_snr_max_db = 20},
        {.noise_snr_max_db = INFINITY},
        {.noise_snr_min_db = NAN},
        {.gain_db = -1},
        {.gain_db = NAN},
        {.shift_s = -0.1f},
        {.shift_s = NAN},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mood_augment_params p = wrong[i];
        p.kinds = MOOD_AUGMENT_GAIN;
        memcpy(x, original, sizeof(x));
        assert_int_equal(mood_augment_run(x, N, &p, 1), MOOD_E_INVALID);
        assert_memory_equal(x, original, sizeof(x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),  cmocka_unit_test(test_pure),
        cmocka_unit_test(test_gain),   cmocka_unit_test(test_noise),
        cmocka_unit_test(test_shift),  cmocka_unit_test(test_streams_are_apart),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, make_original, NULL);
}
