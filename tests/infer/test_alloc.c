/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each allocation between a model and an answer made to fail once: everything says
 * E_NOMEM, and nothing is lost. The allocations of HDF5 and jansson are not reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fail_alloc.h"
#include "infer/hear.h"
#include "models/encoder_model.h"
#include "store/store.h"
#include "store/temp.h"

enum { N_SAMPLES = 100000 };

static mood_audio *audio;
static const char *path, *encoder_path;

static mood_status make_and_save(const void *arg)
{
    (void)arg;
    mood_model *m;
    mood_status status = mood_model_create(&m, &formula_params_small);
    if (!status)
        status = mood_model_set_record(m, "{\"seed\": 1}");
    if (!status)
        status = mood_model_save(m, path);
    mood_model_destroy(&m);
    return status;
}

static mood_status load_and_run(const void *arg)
{
    (void)arg;
    mood_model *m;
    mood_infer *infer = NULL;
    mood_result r;
    mood_status status = mood_model_load(&m, path);
    if (!status)
        status = mood_infer_create(&infer, m, NULL);
    if (!status)
        status = mood_infer_run(infer, audio, &r);
    mood_infer_destroy(&infer);
    mood_model_destroy(&m);
    return status;
}

/* A model that hears an encoder, in it or beside it. */
static mood_status make_and_save_hearing(const void *embed)
{
    mood_encoder *e;
    mood_model *m = NULL;
    mood_status status = small_encoder(&e, 1);
    if (!status)
        status = encoder_model(&m, e, &encoder_model_kinds[0], encoder_path);
    if (!status && embed)
        status = mood_model_embed(m, e, MOOD_F32);
    if (!status && !embed)
        status = mood_encoder_save(e, encoder_path, MOOD_F32);
    if (!status)
        status = mood_model_save(m, path);
    mood_model_destroy(&m);
    mood_encoder_destroy(&e);
    return status;
}

static mood_status load_and_run_hearing(const void *arg)
{
    (void)arg;
    mood_model *m;
    mood_encoder *e = NULL;
    mood_infer *infer = NULL;
    mood_result r;
    mood_status status = mood_model_load(&m, path);
    if (!status)
        status = mood_model_find_encoder(&e, m, path, NULL);
    if (!status)
        status = mood_infer_create(&infer, m, &(mood_infer_params){.encoder = e});
    if (!status)
        status = mood_infer_run(infer, audio, &r);
    mood_infer_destroy(&infer);
    mood_encoder_destroy(&e);
    mood_model_destroy(&m);
    return status;
}

static mood_status hear(const void *arg)
{
    (void)arg;
    struct mood__ear *ear;
    struct mood__heard heard = {0};
    mood_status status = mood__ear_create(&ear, MOOD__EAR_MEL);
    if (!status)
        status = mood__hear(&heard, ear, audio);
    mood__heard_free(&heard);
    mood__ear_destroy(&ear);
    return status;
}

static void test_each(void **state)
{
    (void)state;
    static float pcm[N_SAMPLES];
    for (int i = 0; i < N_SAMPLES; i++)
        pcm[i] = (float)(i % 160) / 160;
    assert_int_equal(mood_audio_from_samples(&audio, pcm, N_SAMPLES, 1, MOOD_SAMPLE_RATE, NULL),
                     MOOD_OK);
    path = temp_path("model");
    assert_true(fail_each_alloc(make_and_save, NULL) >= 50); /* 22 weights: name, value, list */
    assert_true(fail_each_alloc(load_and_run, NULL) >= 50);
    assert_true(fail_each_alloc(hear, NULL) >= 5);

    encoder_path = temp_path("encoder");
    assert_true(fail_each_alloc(make_and_save_hearing, "in it") >= 100);
    assert_true(fail_each_alloc(load_and_run_hearing, NULL) >= 100);
    assert_true(fail_each_alloc(make_and_save_hearing, NULL) >= 100);
    assert_true(fail_each_alloc(load_and_run_hearing, NULL) >= 100);
    mood_audio_destroy(&audio);
    assert_int_equal(temp_sweep(), 0);
}

/* A file of a few bytes that claims a network of the largest sizes gets no memory for it. */
static void test_claims(void **state)
{
    (void)state;
    static const char *const networks[] = {
        "\"network\": \"classifier\", "
        "\"classifier\": {\"units\": 8192, \"form\": \"tanh\", \"pooling\": \"max\"}",
        "\"heads\": {\"feature_width\": 8192, \"divide\": 1, \"flatten\": \"FTC\"}",
    };
    path = temp_path("claims");
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        char config[1024];
        struct mood__writer *w;
        mood_model *m;
        snprintf(
            config, sizeof(config),
            "{\"labels\": [\"a\", \"b\"], %s, "
            "\"encoder\": {\"identity\": \"%064d\", \"layer\": \"mix\", \"n_layers\": 64, "
            "\"width\": 8192, \"hint\": \"\"}, \"audio\": {\"sample_rate\": 16000, \"window\": "
            "48000, \"hop\": 24000, \"n_fft\": 1024, \"mel_hop\": 512, \"n_mels\": 64}}",
            networks[i], 0);
        assert_int_equal(
            mood__writer_create(&w, &(struct mood__format){.kind = "model", .major = 1}), MOOD_OK);
        assert_int_equal(mood__writer_add_text(w, "config", config), MOOD_OK);
        assert_int_equal(mood__writer_save(w, path), MOOD_OK);
        mood__writer_destroy(&w);
        alloc_bytes = 0;
        assert_int_equal(mood_model_load(&m, path), MOOD_E_MISSING);
        assert_non_null(strstr(mood_error_detail(), "'weights/mix.weights'"));
        print_message("%zu bytes asked for\n", (size_t)alloc_bytes);
        /* The graph's input, 65 x 4 x 8192 floats, is the largest: 8.5 MB. */
        assert_true(alloc_bytes < (size_t)16 << 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_claims)};
    return cmocka_run_group_tests_name("infer-alloc", tests, temp_setup, temp_teardown);
}
