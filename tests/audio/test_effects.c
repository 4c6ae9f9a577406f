/* SPDX-License-Identifier: MIT
 *
 * test_effects.c — What augmentation does beyond adding and scaling: speed, pitch, room, low-pass
 * and masks, measured on tones, clicks and planes; ranges; and that the older kinds draw what they
 * drew.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/augment.h"
#include "audio/resample.h"
#include "base/mem.h"

enum { N = 48000, F = 64, T = 94 };

static const double pi = 3.14159265358979323846;
static float x[N], y[N], plane[F * T];

static void tone(double hz, double amplitude)
{
    for (int i = 0; i < N; i++)
        x[i] = (float)(amplitude * sin(2 * pi * hz * i / MOOD_SAMPLE_RATE));
}

/* Root mean square over the middle of x. */
static double level(void)
{
    double sum = 0;
    for (int i = N / 4; i < N / 2; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum / (N / 4));
}

/* How much of x[first, first + n) is a tone of that frequency: amplitude. */
static double amplitude_at(double hz, int first, int n)
{
    double re = 0, im = 0, all = 0;
    for (int i = first; i < first + n; i++) {
        double hann = 0.5 - 0.5 * cos(2 * pi * (i - first) / n);
        re += hann * (double)x[i] * cos(2 * pi * hz * i / MOOD_SAMPLE_RATE);
        im += hann * (double)x[i] * sin(2 * pi * hz * i / MOOD_SAMPLE_RATE);
        all += hann;
    }
    return 2 * hypot(re, im) / all;
}

static void run(unsigned kind, uint64_t seed)
{
    assert_int_equal(mood_augment_run(x, N, &(mood_augment_params){.kinds = kind}, seed), MOOD_OK);
}

static float scratch[N + 8192];

static void test_speed(void **state)
{
    (void)state;
    static const double factors[] = {0.5, 0.9, 1, 1.07, 1.5};
    assert_true(mood__effect_scratch(N) <= N + 8192);
    for (size_t k = 0; k < sizeof(factors) / sizeof(factors[0]); k++) {
        double f = factors[k];
        tone(1000, 0.5);
        mood__effect_speed(x, N, f, scratch);
        double a = amplitude_at(1000 * f, 4000, 8000);
        print_message("speed %.2f: amplitude %.5f at %.0f Hz\n", f, a, 1000 * f);
        assert_true(fabs(a - 0.5) < 1e-3);
        memset(x, 0, sizeof(x)); /* and a click comes when it should */
        x[9000] = 1;
        mood__effect_speed(x, N, f, scratch);
        int top = 0;
        for (int i = 0; i < N; i++)
            top = fabsf(x[i]) > fabsf(x[top]) ? i : top;
        assert_int_equal(top, (int)lround(9000 / f));
    }
    tone(7000, 0.5); /* it would be at 10500 Hz, and must not come back at 5500 */
    mood__effect_speed(x, N, 1.5, scratch);
    assert_true(amplitude_at(5500, 4000, 8000) < 0.005);
    tone(500, 1); /* faster: what is behind the end is silence */
    mood__effect_speed(x, N, 2, scratch);
    for (int i = N / 2 + 20; i < N; i++)
        assert_true(x[i] == 0);
}

/* The tone moves, and the time does not: a tone that begins in the middle begins there still. (Its
 * periods fit into half a grain, so that both heads agree; others beat.) */
static void test_pitch(void **state)
{
    (void)state;
    static const double factors[] = {0.84, 1.12};
    for (size_t k = 0; k < 2; k++) {
        double f = factors[k], here = 0, before = 0;
        tone(800, 0.5);
        memset(x, 0, N / 2 * sizeof(float));
        mood__effect_pitch(x, N, f, scratch);
        double moved = amplitude_at(800 * f, N / 2 + 2000, 16000);
        double left = amplitude_at(800, N / 2 + 2000, 16000);
        print_message("pitch %.2f: amplitude %.3f there, %.3f where it was\n", f, moved, left);
        assert_true(moved > 0.2 && left < 0.05);
        for (int i = 0; i < N / 2 - 1000; i++)
            before += fabs((double)x[i]);
        for (int i = N / 2 + 1000; i < N; i++)
            here += fabs((double)x[i]);
        assert_true(before < 1e-3 && here > 1000);
    }
    tone(800, 0.5);
    memcpy(y, x, sizeof(x));
    mood__effect_pitch(x, N, 1, scratch); /* one head is silent, the other 20 ms off at most */
    assert_true(fabs(amplitude_at(800, 4000, 8000) - 0.5) < 0.01);
}

static void test_low_pass(void **state)
{
    (void)state;
    static const double tones[][2] = {{200, 0}, {3000, -3.01}, {7500, -60}};
    for (int k = 0; k < 3; k++) {
        tone(tones[k][0], 0.5);
        double before = level();
        mood__effect_low_pass(x, N, 3000);
        double db = 20 * log10(level() / before);
        print_message("low-pass at 3000 Hz: %.2f dB at %.0f Hz\n", db, tones[k][0]);
        assert_true(k < 2 ? fabs(db - tones[k][1]) < 0.05 : db < tones[k][1]);
    }
}

/* Of a click: itself, untouched, and a tail with the energy and the decay that were asked for. */
static void test_room(void **state)
{
    (void)state;
    static const double seconds = 0.5, db = -6;
    struct mood__rng r = mood__rng_make(3, 0);
    memset(x, 0, sizeof(x));
    x[1000] = 1;
    mood__effect_room(x, N, seconds, db, &r, scratch);
    double energy = 0, early = 0, late = 0;
    for (int i = 0; i < 1000; i++)
        assert_true(x[i] == 0);
    assert_true(x[1000] == 1);
    for (int i = 1001; i < N; i++) {
        energy += (double)x[i] * (double)x[i];
        early += i < 1000 + 2000 ? (double)x[i] * (double)x[i] : 0;
        late += i >= 1000 + 4000 && i < 1000 + 6000 ? (double)x[i] * (double)x[i] : 0;
    }
    double fallen = 10 * log10(early / late);
    print_message("room: %.2f dB, and %.1f dB less after a quarter of a second\n",
                  10 * log10(energy), fallen);
    assert_true(fabs(10 * log10(energy) - db) < 0.1);
    assert_true(fabs(fallen - 30) < 1);
    for (int i = 1000 + (int)(seconds * MOOD_SAMPLE_RATE) + 16; i < N; i++)
        assert_true(x[i] == 0);
}

/* ---- drawn ---- */

static void test_drawn_from_ranges(void **state)
{
    (void)state;
    double low = 10, high = 0;
    for (uint64_t seed = 0; seed < 60; seed++) { /* the speed, by where a click lands */
        memset(x, 0, sizeof(x));
        x[20000] = 1;
        run(MOOD_AUGMENT_SPEED, seed);
        int top = 0;
        for (int i = 0; i < N; i++)
            top = fabsf(x[i]) > fabsf(x[top]) ? i : top;
        low = fmin(low, 20000.0 / top);
        high = fmax(high, 20000.0 / top);
    }
    print_message("speeds %.3f to %.3f\n", low, high);
    assert_true(low >= 0.8999 && low < 0.92 && high > 1.08 && high <= 1.1001);

    static const unsigned each[] = {MOOD_AUGMENT_SPEED, MOOD_AUGMENT_PITCH, MOOD_AUGMENT_ROOM,
                                    MOOD_AUGMENT_LOW_PASS};
    for (size_t k = 0; k < sizeof(each) / sizeof(each[0]); k++) {
        tone(3100, 0.5);
        run(each[k], 5);
        memcpy(y, x, sizeof(x));
        tone(3100, 0.5);
        run(each[k], 5);
        assert_memory_equal(x, y, sizeof(x));
        tone(3100, 0.5);
        run(each[k], 6);
        assert_memory_not_equal(x, y, sizeof(x));
        for (int i = 0; i < N; i++)
            assert_true(isfinite(x[i]));
    }
    for (size_t n = 1; n < 40; n++) /* shorter than any filter */
        assert_int_equal(mood_augment_run(x, n, &(mood_augment_params){.kinds = 127}, n), MOOD_OK);
}

/* Masks are for planes: samples stay as they are, and the other way round. */
static void test_masks(void **state)
{
    (void)state;
    enum { KINDS = MOOD_AUGMENT_TIME_MASK | MOOD_AUGMENT_FREQ_MASK };
    int most_frames = 0, most_bands = 0;
    tone(500, 1);
    memcpy(y, x, sizeof(x));
    run(KINDS, 1);
    assert_memory_equal(x, y, sizeof(x));
    for (uint64_t seed = 0; seed < 300; seed++) {
        for (unsigned kind = MOOD_AUGMENT_TIME_MASK; kind <= MOOD_AUGMENT_FREQ_MASK; kind *= 2) {
            double mean = 0;
            bool time = kind == MOOD_AUGMENT_TIME_MASK;
            for (int i = 0; i < F * T; i++)
                mean += plane[i] = (float)(i % 1009) - 400;
            mean /= F * T;
            assert_int_equal(
                mood_augment_plane(plane, F, T, &(mood_augment_params){.kinds = kind}, seed),
                MOOD_OK);
            int whole = 0, changed = 0;
            for (int i = 0; i < F * T; i++)
                changed += plane[i] != (float)(i % 1009) - 400;
            for (int a = 0; a < (time ? T : F); a++) { /* rows or columns that are the mean */
                bool all = true;
                for (int b = 0; b < (time ? F : T) && all; b++)
                    all = fabs((double)plane[time ? b * T + a : a * T + b] - mean) < 1e-3;
                whole += all;
            }
            assert_true(changed <= whole * (time ? F : T)); /* nothing beside them */
            if (time)
                most_frames = whole > most_frames ? whole : most_frames;
            else
                most_bands = whole > most_bands ? whole : most_bands;
        }
    }
    print_message("at most %d frames and %d bands\n", most_frames, most_bands);
    assert_true(most_frames > 24 && most_frames <= 32 && most_bands > 15 && most_bands <= 20);
}

/* A whole recording at another speed: its length, and each sample but those near the ends. */
static void test_whole_recording(void **state)
{
    (void)state;
    static const double speeds[] = {0.5, 0.85, 1.05, 1.16, 2};
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        double speed = speeds[i], worst = 0;
        float *out;
        size_t n;
        tone(300, 0.5);
        assert_int_equal(mood__resample_speed(&out, &n, x, N, speed), MOOD_OK);
        assert_true(fabs((double)n - N / speed) <= 1);
        for (size_t t = 500; t < n - 500; t++) {
            double want = 0.5 * sin(2 * pi * 300 * speed * (double)t / MOOD_SAMPLE_RATE);
            worst = fmax(worst, fabs((double)out[t] - want));
        }
        print_message("  speed %g: %.1e of 1e-5\n", speed, worst);
        assert_true(worst < 1e-5);
        mood__free(out);
    }
    float *out;
    size_t n;
    assert_int_equal(mood__resample_speed(&out, &n, x, 1, 0.85), MOOD_OK);
    assert_true(n <= 2);
    mood__free(out);
}

static void test_wrong_ranges(void **state)
{
    (void)state;
    static const mood_augment_params wrong[] = {
        {.kinds = 1, .speed = -1},       {.kinds = 1, .speed = 0.6f},
        {.kinds = 1, .pitch = 13},       {.kinds = 1, .pitch = NAN},
        {.kinds = 1, .room_s = 11},      {.kinds = 1, .room_s = 0.05f},
        {.kinds = 1, .room_db = 30},     {.kinds = 1, .room_db = NAN},
        {.kinds = 1, .low_pass_hz = 10}, {.kinds = 1, .low_pass_hz = 7500},
        {.kinds = 1, .time_mask = -1},   {.kinds = 1, .freq_masks = -1},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mood_augment_run(x, N, &wrong[i], 1), MOOD_E_INVALID);
        assert_int_equal(mood_augment_plane(plane, F, T, &wrong[i], 1), MOOD_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speed),
        cmocka_unit_test(test_pitch),
        cmocka_unit_test(test_low_pass),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_drawn_from_ranges),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_whole_recording),
        cmocka_unit_test(test_wrong_ranges),
    };
    return cmocka_run_group_tests_name("effects", tests, NULL, NULL);
}
