/* SPDX-License-Identifier: MIT
 *
 * test_print.c — Fingerprints: copies that were changed before anybody divided the clips are found,
 * other sounds and other takes are not. The sounds are sums of partials whose strengths wander,
 * which is what prints look at in a voice. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "corpus/print.h"

enum {
    RATE = MOOD_SAMPLE_RATE,
    N = 5 * RATE / 2,
    LONGEST = 9 * N / 8,
    N_SOUNDS = 12,
    PARTIALS = 40
};
enum { SPEEDS = MOOD__PRINT_SPEEDS };

static mood_mel *mel;

static int set_up(void **state)
{
    (void)state;
    return mood__print_mel(&mel);
}

static int tear_down(void **state)
{
    (void)state;
    mood_mel_destroy(&mel);
    return 0;
}

/* Sound number `seed`; another `take` has the same voice and course, but strengths of its own. */
static void make_sound(float *x, uint64_t seed, uint64_t take)
{
    struct mood__rng voice = mood__rng_make(seed, 0), other = mood__rng_make(seed, 1 + take);
    double base = 100 + 100 * mood__rng_double(&voice);
    memset(x, 0, N * sizeof(*x));
    for (int k = 1; k <= PARTIALS; k++) {
        double phase = 6.28 * mood__rng_double(&voice), strength = 0, target = 0;
        for (int i = 0; i < N; i++) {
            if (i % (RATE / 12) == 0)
                target = exp(1.5 * mood__rng_normal(&other)) / k;
            strength += (target - strength) / (RATE / 40);
            x[i] += (float)(0.02 * strength *
                            sin(phase + 6.283 * base * k * (i + 200 * sin(i / 9000.0)) / RATE));
        }
    }
}

enum change {
    NOTHING,
    LOUDER,
    QUIETER,
    CUT,
    NOISE,
    DULL,
    COARSE,
    ALL,
    SLOW,
    SLOWER,
    FAST,
    FASTER,
    N_CHANGES
};

static const char *const change_names[] = {"nothing", "louder", "quieter", "cut",
                                           "noise",   "dull",   "coarse",  "all",
                                           "slow",    "slower", "fast",    "faster"};

/* Play x, which is longer when it is slower: it has room for that. Pitch moves along. */
static size_t play(float *x, double speed)
{
    static float before[N];
    size_t n = (size_t)((N - 1) / speed);
    memcpy(before, x, sizeof(before));
    for (size_t i = 0; i < n; i++) {
        double at = (double)i * speed;
        float part = (float)(at - floor(at));
        x[i] = (1 - part) * before[(size_t)at] + part * before[(size_t)at + 1];
    }
    return n;
}

/* Change x, which has room for LONGEST; returns how many samples there are then. */
static size_t change(float *x, enum change what)
{
    static const double speeds[N_CHANGES] = {
        [SLOW] = 0.95, [SLOWER] = 0.9, [FAST] = 1.05, [FASTER] = 1.1};
    if (speeds[what] > 0)
        return play(x, speeds[what]);
    struct mood__rng rng = mood__rng_make((uint64_t)what, 7);
    size_t cut = what == CUT || what == ALL ? 3333 : 0;
    double power = 0;
    for (int i = 0; i < N; i++)
        power += (double)x[i] * (double)x[i] / N;
    float before = 0, gain = what == LOUDER ? 1.9f : what == QUIETER || what == ALL ? 0.2f : 1;
    for (int i = 0; i < N; i++) {
        float now = x[i];
        if (what == DULL)
            x[i] = 0.5f * (now + before);
        if (what == NOISE || what == ALL)
            x[i] += (float)(0.1 * sqrt(power) * mood__rng_normal(&rng)); /* 20 dB below */
        x[i] *= gain;
        if (what == COARSE)
            x[i] = roundf(x[i] * 500) / 500;
        before = now;
    }
    memmove(x, x + cut, (N - cut) * sizeof(*x));
    return N - cut;
}

static void print_of(struct mood__print *p, const float *x, size_t n)
{
    assert_int_equal(mood__print_make(p, mel, x, n), MOOD_OK);
}

static void free_all(struct mood__print *p, int n)
{
    for (int i = 0; i < n * SPEEDS; i++)
        mood__print_free(&p[i]);
}

static void test_changed_copies(void **state)
{
    (void)state;
    static float sound[N], x[LONGEST];
    struct mood__print p[N_SOUNDS * N_CHANGES * SPEEDS];
    uint32_t first[N_SOUNDS * N_CHANGES], threads[N_SOUNDS * N_CHANGES];
    for (int s = 0; s < N_SOUNDS; s++) {
        make_sound(sound, (uint64_t)s, 0);
        for (int c = 0; c < N_CHANGES; c++) {
            memcpy(x, sound, sizeof(sound));
            size_t n = change(x, (enum change)c);
            print_of(&p[(c * N_SOUNDS + s) * SPEEDS], x, n);
        }
    }
    assert_int_equal(mood__print_match(first, p, N_SOUNDS * N_CHANGES, NULL), MOOD_OK);
    for (int c = 0; c < N_CHANGES; c++) {
        int found = 0;
        for (int s = 0; s < N_SOUNDS; s++) {
            assert_int_equal(first[c * N_SOUNDS + s] % N_SOUNDS, s); /* never another */
            found += first[c * N_SOUNDS + s] == (uint32_t)s;
        }
        print_message("%-8s found %d of %d\n", change_names[c], found, N_SOUNDS);
        assert_true(found >= N_SOUNDS * 3 / 4);
    }
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    assert_int_equal(mood__print_match(threads, p, N_SOUNDS * N_CHANGES, pool), MOOD_OK);
    assert_memory_equal(first, threads, sizeof(first));
    mood_pool_destroy(&pool);
    free_all(p, N_SOUNDS * N_CHANGES);
}

static double least_distance(const struct mood__print *a, const struct mood__print *b)
{
    double least = 1;
    for (int64_t offset = -(int64_t)b->n; offset <= a->n; offset++)
        least = fmin(least, mood__print_distance(a, b, offset));
    return least;
}

static void test_other_takes(void **state)
{
    (void)state;
    static float x[N];
    struct mood__print p[2 * N_SOUNDS * SPEEDS];
    uint32_t first[2 * N_SOUNDS];
    double least = 1;
    for (int i = 0; i < 2 * N_SOUNDS; i++) {
        make_sound(x, (uint64_t)(i / 2), (uint64_t)(i % 2));
        print_of(&p[i * SPEEDS], x, N);
    }
    for (int i = 0; i < 2 * N_SOUNDS; i++) /* each at all speeds with each as it is */
        for (int j = 0; j < 2 * N_SOUNDS * SPEEDS; j++)
            if (j / SPEEDS != i)
                least = fmin(least, least_distance(&p[i * SPEEDS], &p[j]));
    print_message("the nearest two have a distance of %.3f\n", least);
    assert_true(least > 0.3);
    assert_int_equal(mood__print_match(first, p, 2 * N_SOUNDS, NULL), MOOD_OK);
    for (uint32_t i = 0; i < 2 * N_SOUNDS; i++)
        assert_int_equal(first[i], i);
    free_all(p, 2 * N_SOUNDS);
}

static void test_distance(void **state)
{
    (void)state;
    static float x[N];
    struct mood__print p[2 * SPEEDS], *a = &p[0], *b = &p[SPEEDS];
    make_sound(x, 3, 0);
    print_of(a, x, N);
    print_of(b, x + 10 * MOOD__PRINT_HOP, N - 10 * MOOD__PRINT_HOP);
    assert_true(mood__print_distance(a, a, 0) == 0);
    assert_true(mood__print_distance(a, b, 10) < 0.1); /* but for its ends, the same */
    assert_true(mood__print_distance(a, b, 0) > 0.3);
    assert_true(mood__print_distance(a, b, 10) == mood__print_distance(b, a, -10));
    assert_true(mood__print_distance(a, b, 1000) == 1); /* nothing in common */
    assert_true(mood__print_distance(a, b, -1000) == 1);
    free_all(p, 2);
}

static void test_too_little(void **state)
{
    (void)state;
    static float x[N];
    struct mood__print p[3 * SPEEDS];
    uint32_t first[3];
    make_sound(x, 1, 0);
    print_of(&p[0], x, 1);
    print_of(&p[SPEEDS], x, RATE / 2);
    print_of(&p[2 * SPEEDS], x, RATE / 2);
    assert_true(p[0].n == 0 && p[SPEEDS].n == 0);
    assert_int_equal(mood__print_match(first, p, 3, NULL), MOOD_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(first[i], i);
    assert_int_equal(mood__print_match(first, NULL, 0, NULL), MOOD_OK);
    free_all(p, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_copies),
        cmocka_unit_test(test_other_takes),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_too_little),
    };
    return cmocka_run_group_tests_name("print", tests, set_up, tear_down);
}
