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
    mood_status status = mood__ear_create(&ear);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
    return cmocka_run_group_tests_name("infer-alloc", tests, temp_setup, temp_teardown);
}
