/* SPDX-License-Identifier: MIT
 *
 * test_emotion.c — The eight emotions and the text helpers that find them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "mood/emotion.h"

/* Order, moods and colours are contracts of files and of the HTTP service: written out here once
 * more, so that a slip in the table does not pass. */
static void test_table(void **state)
{
    (void)state;
    static const char *const want[MOOD_N_EMOTIONS][3] = {
        {"neutral", "chill", "#94A3B8"},   {"calm", "relaxing", "#60A5FA"},
        {"happy", "upbeat", "#FBBF24"},    {"sad", "uplifting", "#3B82F6"},
        {"angry", "energetic", "#EF4444"}, {"fearful", "calming", "#8B5CF6"},
        {"disgust", "neutral", "#10B981"}, {"surprised", "exciting", "#F97316"},
    };
    for (int i = 0; i < MOOD_N_EMOTIONS; i++) {
        const mood_emotion *e = mood_emotion_at(i);
        assert_non_null(e);
        assert_string_equal(e->name, want[i][0]);
        assert_string_equal(e->music_mood, want[i][1]);
        assert_string_equal(e->colour, want[i][2]);
        assert_int_equal(mood_emotion_find(want[i][0]), i);
        assert_string_equal(mood_emotion_music_mood(want[i][0]), want[i][1]);
        assert_string_equal(mood_emotion_colour(want[i][0]), want[i][2]);
    }
    assert_null(mood_emotion_at(-1));
    assert_null(mood_emotion_at(MOOD_N_EMOTIONS));
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(mood_emotion_find("Happy"), 2);
    assert_int_equal(mood_emotion_find("SURPRISED"), 7);
    assert_int_equal(mood_emotion_find("happ"), -1);
    assert_int_equal(mood_emotion_find("happyy"), -1);
    assert_int_equal(mood_emotion_find("anger"), -1);
    assert_int_equal(mood_emotion_find(""), -1);
    assert_int_equal(mood_emotion_find(NULL), -1);
    assert_null(mood_emotion_music_mood("boredom"));
    assert_null(mood_emotion_colour("boredom"));
    assert_null(mood_emotion_music_mood(NULL));
}

/* What other programs call them, up to the one that each begins with. */
static void test_words(void **state)
{
    (void)state;
    static const char *const words[MOOD_N_EMOTIONS][6] = {
        {"neutral", "NEU"},
        {"calm", "calmness"},
        {"happy", "hap", "Happiness", "joy", "joyful"},
        {"sad", "SAD", "sadness"},
        {"angry", "ang", "ANGER", "Angry"},
        {"fearful", "fea", "fear"},
        {"disgust", "dis", "disgusted"},
        {"surprised", "sur", "surprise", "ps", "pleasant_surprise"},
    };
    static const char *const none[] = {"",     "excited", "frustrated", "LABEL_0", "bored",
                                       "hate", "an",      "angryy",     "other",   "no_anger"};
    for (int i = 0; i < MOOD_N_EMOTIONS; i++)
        for (int k = 0; k < 6 && words[i][k]; k++)
            if (mood_emotion_of_word(words[i][k]) != i)
                fail_msg("%s is %d", words[i][k], mood_emotion_of_word(words[i][k]));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(mood_emotion_of_word(none[i]), -1);
    assert_int_equal(mood_emotion_of_word(NULL), -1);
}

static void test_same_word(void **state)
{
    (void)state;
    assert_true(mood__same_word("", ""));
    assert_true(mood__same_word("aZ", "Az"));
    assert_false(mood__same_word("a", "ab"));
    assert_false(mood__same_word("ab", "a"));
    assert_false(mood__same_word("[", "{")); /* 0x20 apart, but no letters */
    assert_false(mood__same_word("\xc3\x84", "\xc3\xa4"));
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "Tr\xc3\xa4ne"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x9f\x98",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80",
                                      "\xff",
                                      "a\xe4"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(mood__is_utf8(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(mood__is_utf8(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),     cmocka_unit_test(test_find), cmocka_unit_test(test_words),
        cmocka_unit_test(test_same_word), cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests_name("emotion", tests, NULL, NULL);
}
