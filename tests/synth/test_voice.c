/* SPDX-License-Identifier: MIT
 *
 * test_voice.c — The made-up voices: the same take is the same sound, levels are sane, and the
 * emotion is in many cues together but in none of them alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mood/emotion.h"
#include "synth/voice.h"

static const struct voice_take some_take = {
    .seed = 3, .speaker = 2, .emotion = 4, .intensity = 2, .statement = 1, .repetition = 5};

/* The samples of a take; *n of them. Free with voice_free. */
static float *render(struct voice_take take, size_t *n)
{
    float *pcm = NULL;
    assert_int_equal(voice_render(&take, &pcm, n), MOOD_OK);
    return pcm;
}

static bool same_sound(struct voice_take a, struct voice_take b)
{
    size_t n_a, n_b;
    float *pcm_a = render(a, &n_a), *pcm_b = render(b, &n_b);
    bool same = n_a == n_b && memcmp(pcm_a, pcm_b, n_a * sizeof *pcm_a) == 0;
    voice_free(&pcm_a);
    voice_free(&pcm_b);
    assert_null(pcm_a);
    return same;
}

static void test_sound_follows_from_the_take_alone(void **state)
{
    (void)state;
    assert_true(same_sound(some_take, some_take));
    struct voice_take other[6];
    for (int i = 0; i < 6; i++)
        other[i] = some_take;
    other[0].seed++;
    other[1].speaker += 2; /* of the same sex */
    other[2].emotion++;
    other[3].intensity--;
    other[4].statement++;
    other[5].repetition++;
    for (int i = 0; i < 6; i++)
        assert_false(same_sound(some_take, other[i]));
}

static void test_bad_takes_are_refused(void **state)
{
    (void)state;
    struct voice_take bad[10];
    for (int i = 0; i < 10; i++)
        bad[i] = some_take;
    bad[0].speaker = 0;
    bad[1].speaker = VOICE_MAX_SPEAKER + 1;
    bad[2].emotion = -1;
    bad[3].emotion = MOOD_N_EMOTIONS;
    bad[4].intensity = 0;
    bad[5].intensity = 3;
    bad[6].statement = 0;
    bad[7].statement = VOICE_N_STATEMENTS + 1;
    bad[8].repetition = VOICE_MAX_REPETITION + 1;
    bad[9].emotion = 0; /* neutral and strong */
    for (int i = 0; i < 10; i++) {
        float untouched = 0.0f, *pcm = &untouched;
        size_t n = 7;
        assert_int_equal(voice_render(&bad[i], &pcm, &n), MOOD_E_INVALID);
        assert_ptr_equal(pcm, &untouched);
        assert_int_equal(n, 7);
    }
}

static void test_names(void **state)
{
    (void)state;
    char name[VOICE_NAME_BYTES];
    voice_name(&some_take, name);
    assert_string_equal(name, "03-01-05-02-01-05-02");
}

/* All takes of an emotion are valid and have different names. */
static void test_takes_are_distinct(void **state)
{
    (void)state;
    for (int emotion = 0; emotion < 2; emotion++) {
        bool seen[3][VOICE_N_STATEMENTS + 1][VOICE_MAX_REPETITION + 1] = {{{false}}};
        for (int i = 0; i < VOICE_MAX_TAKES; i++) {
            struct voice_take t = voice_nth_take(3, 2, emotion, i);
            assert_in_range(t.intensity, 1, emotion == 0 ? 1 : 2);
            assert_in_range(t.statement, 1, VOICE_N_STATEMENTS);
            assert_in_range(t.repetition, 1, VOICE_MAX_REPETITION);
            assert_false(seen[t.intensity][t.statement][t.repetition]);
            seen[t.intensity][t.statement][t.repetition] = true;
        }
    }
}

/* Root of the mean square of x[first .. first + n). */
static double rms(const float *x, size_t first, size_t n)
{
    double sum = 0.0;
    for (size_t i = first; i < first + n; i++)
        sum += (double)x[i] * x[i];
    return sqrt(sum / (double)n);
}

/* What voice.h promises of every clip: length, peak, the steps of 16 bits; and that it begins with
 * background (never digital silence) well under the speech. */
static void check_levels(struct voice_take take)
{
    size_t n;
    float *x = render(take, &n);
    assert_in_range(n, VOICE_RATE * 5 / 2, VOICE_RATE * 6);
    double peak = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        float steps = x[i] * 32768.0f;
        assert_true(steps == rintf(steps));
        peak = fmax(peak, fabs((double)x[i]));
        sum += x[i];
    }
    assert_true(peak > 0.15 && peak < 0.95);
    assert_true(fabs(sum / (double)n) < 0.01 * peak);
    size_t lead = VOICE_RATE / 20; /* the shortest silence before the voice is 100 ms */
    double before = rms(x, 0, lead), all = rms(x, 0, n);
    assert_true(before > 0.0);
    assert_true(before < 0.1 * all);
    voice_free(&x);
}

static void test_levels(void **state)
{
    (void)state;
    for (int speaker = 1; speaker <= 6; speaker++)
        for (int emotion = 0; emotion < MOOD_N_EMOTIONS; emotion++)
            for (int i = 0; i < 4; i++)
                check_levels(voice_nth_take(11, speaker, emotion, i));
}

/* --- the cues ------------------------------------------------------------------------------- */

enum { N_SPEAKERS = 40, N_TAKES = 20, N_PER_EMOTION = N_SPEAKERS * N_TAKES };

static double cue_table[MOOD_N_EMOTIONS][N_PER_EMOTION][VOICE_N_CUES];

struct spread {
    double lowest, highest, mean, sd;
};
static struct spread spreads[MOOD_N_EMOTIONS][VOICE_N_CUES];

static struct spread spread_of(int emotion, int cue)
{
    struct spread s = {.lowest = INFINITY, .highest = -INFINITY};
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < N_PER_EMOTION; i++) {
        double x = cue_table[emotion][i][cue];
        s.lowest = fmin(s.lowest, x);
        s.highest = fmax(s.highest, x);
        sum += x;
        squares += x * x;
    }
    s.mean = sum / N_PER_EMOTION;
    s.sd = sqrt(squares / N_PER_EMOTION - s.mean * s.mean);
    return s;
}

static int draw_cues(void **state)
{
    (void)state;
    for (int e = 0; e < MOOD_N_EMOTIONS; e++) {
        for (int i = 0; i < N_PER_EMOTION; i++) {
            struct voice_take take = voice_nth_take(5, 1 + i % N_SPEAKERS, e, i / N_SPEAKERS);
            voice_cues(&take, cue_table[e][i]);
        }
        for (int c = 0; c < VOICE_N_CUES; c++)
            spreads[e][c] = spread_of(e, c);
    }
    return 0;
}

/* Any two emotions share some values of every cue. */
static void test_every_cue_overlaps(void **state)
{
    (void)state;
    int n_apart = 0;
    for (int c = 0; c < VOICE_N_CUES; c++) {
        for (int a = 0; a < MOOD_N_EMOTIONS; a++) {
            for (int b = 0; b < MOOD_N_EMOTIONS; b++) {
                if (spreads[a][c].lowest > spreads[b][c].highest) {
                    print_error("%s: %s (from %.2f) and %s (to %.2f) do not overlap\n",
                                voice_cue_text((enum voice_cue)c), mood_emotion_at(a)->name,
                                spreads[a][c].lowest, mood_emotion_at(b)->name,
                                spreads[b][c].highest);
                    n_apart++;
                }
            }
        }
    }
    assert_int_equal(n_apart, 0);
}

/* The share of takes that a naive Bayes classifier with normal densities gets right from the cues
 * [first, end), its densities fitted to these very takes: rather too good than too bad. */
static double told_by(int first, int end)
{
    int n_right = 0;
    for (int e = 0; e < MOOD_N_EMOTIONS; e++) {
        for (int i = 0; i < N_PER_EMOTION; i++) {
            int best = -1;
            double best_log = -INFINITY;
            for (int k = 0; k < MOOD_N_EMOTIONS; k++) {
                double log_p = 0.0;
                for (int c = first; c < end; c++) {
                    double z = (cue_table[e][i][c] - spreads[k][c].mean) / spreads[k][c].sd;
                    log_p -= 0.5 * z * z + log(spreads[k][c].sd);
                }
                if (log_p > best_log) {
                    best_log = log_p;
                    best = k;
                }
            }
            n_right += best == e;
        }
    }
    return (double)n_right / (MOOD_N_EMOTIONS * N_PER_EMOTION);
}

/* Chance is 1/8. Half of the takes is more than any one cue may tell; all cues tell nearly every
 * take, or the voices could not be learnt. */
static void test_only_all_cues_tell_the_emotion(void **state)
{
    (void)state;
    double most = 0.0;
    for (int c = 0; c < VOICE_N_CUES; c++) {
        double told = told_by(c, c + 1);
        print_message("%5.3f told by: %s\n", told, voice_cue_text((enum voice_cue)c));
        most = fmax(most, told);
    }
    double all = told_by(0, VOICE_N_CUES);
    print_message("%5.3f told by all cues; most by one %5.3f, bound 0.5\n", all, most);
    assert_true(most < 0.5);
    assert_true(all > 0.98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_follows_from_the_take_alone),
        cmocka_unit_test(test_bad_takes_are_refused),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_takes_are_distinct),
        cmocka_unit_test(test_levels),
        cmocka_unit_test_setup(test_every_cue_overlaps, draw_cues),
        cmocka_unit_test_setup(test_only_all_cues_tell_the_emotion, draw_cues),
    };
    return cmocka_run_group_tests_name("voice", tests, NULL, NULL);
}
