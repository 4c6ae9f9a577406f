/* SPDX-License-Identifier: MIT
 *
 * test_shipped.c — The model that comes with the programs: what it says of itself, that it hears
 * no mood in silence, noise and music, and takes voices for voices that are of another kind than
 * those it was taught. Its figures on people are in docs/model-card.md; no recording of one is at
 * hand here.
 *
 *     test_shipped MOOD.h5 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/background.h"
#include "mood/infer.h"
#include "synth/voice.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { LENGTH = 3 * MOOD_SAMPLE_RATE, SOUNDS = 200 };

/* The model was taught sounds of seed 0. */
static const uint64_t OTHER_SEED = 20261128;

static mood_model *model;
static mood_infer *infer;
static float pcm[LENGTH];

static mood_result hear(void)
{
    mood_audio *audio;
    mood_result r;
    assert_ok(mood_audio_from_samples(&audio, pcm, LENGTH, 1, MOOD_SAMPLE_RATE, NULL));
    assert_ok(mood_infer_run(infer, audio, &r));
    mood_audio_destroy(&audio);
    return r;
}

static void test_says_what_it_is(void **state)
{
    (void)state;
    static const char *const words[] = {
        "RAVDESS", "CC BY-NC-SA 4.0", "EMO-DB",      "CREMA-D", "ODbL",     "speaker",
        "notice",  "\"uar\"",         "calibration", "ece",     "confident"};
    assert_int_equal(mood_model_n_labels(model), MOOD_N_EMOTIONS);
    for (int i = 0; i < MOOD_N_EMOTIONS; i++)
        assert_string_equal(mood_model_label(model, i), mood_emotion_at(i)->name);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strstr(mood_model_record(model), words[i]))
            fail_msg("'%s' is not in the record", words[i]);
}

static void test_silence(void **state)
{
    (void)state;
    memset(pcm, 0, sizeof(pcm));
    assert_int_equal(hear().verdict, MOOD_VERDICT_NO_SPEECH);
    for (int i = 0; i < LENGTH; i++) /* what a converter's last bit makes of silence */
        pcm[i] = (float)(i * 7919 % 3 - 1) / 32768;
    assert_int_equal(hear().verdict, MOOD_VERDICT_NO_SPEECH);
}

/* Sounds of all kinds that it was not taught. An emotion with confidence is a false alarm. */
static void test_no_speech(void **state)
{
    (void)state;
    int n_speech = 0, n_alarms = 0;
    for (uint64_t i = 0; i < SOUNDS; i++) {
        mood__background_make(pcm, LENGTH, OTHER_SEED, i);
        mood_result r = hear();
        n_speech += r.verdict != MOOD_VERDICT_NO_SPEECH;
        n_alarms += r.verdict == MOOD_VERDICT_SUCCESS;
    }
    print_message("  of %d windows without speech %d are taken for speech, %d with confidence\n",
                  SOUNDS, n_speech, n_alarms);
    assert_true(n_speech <= SOUNDS / 50);
    assert_true(n_alarms <= SOUNDS / 100);
}

/* Made-up voices are less like people than any microphone makes them, and telephones let only the
 * lower half through. */
static void test_strange_voices(void **state)
{
    (void)state;
    enum { SPEAKERS = 4 };
    int n = 0, n_speech = 0, n_phone = 0;
    const mood_augment_params phone = {.kinds = MOOD_AUGMENT_LOW_PASS, .low_pass_hz = 3400};
    for (int speaker = 1; speaker <= SPEAKERS; speaker++)
        for (int emotion = 0; emotion < MOOD_N_EMOTIONS; emotion++, n++) {
            float *voice;
            size_t length;
            const struct voice_take take = voice_nth_take(1, speaker, emotion, 0);
            assert_ok(voice_render(&take, &voice, &length));
            memset(pcm, 0, sizeof(pcm));
            memcpy(pcm, voice, (length < LENGTH ? length : LENGTH) * sizeof(*pcm));
            voice_free(&voice);
            n_speech += hear().verdict != MOOD_VERDICT_NO_SPEECH;
            assert_ok(mood_augment_run(pcm, LENGTH, &phone, (uint64_t)n));
            n_phone += hear().verdict != MOOD_VERDICT_NO_SPEECH;
        }
    print_message("  of %d made-up voices %d are taken for speech, %d behind a telephone\n", n,
                  n_speech, n_phone);
    assert_true(n_speech >= n * 95 / 100 && n_phone >= n * 85 / 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_it_is),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_no_speech),
        cmocka_unit_test(test_strange_voices),
    };
    if (argc < 2 || mood_model_load(&model, argv[1]) || mood_infer_create(&infer, model, NULL))
        return 1;
    int failed = cmocka_run_group_tests_name("infer-shipped", tests, NULL, NULL);
    mood_infer_destroy(&infer);
    mood_model_destroy(&model);
    return failed;
}
