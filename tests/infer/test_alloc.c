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
#include "models/formula_model.h"
#include "store/temp.h"

enum { N_SAMPLES = 100000 };

static mood_audio *audio;
static const char *path;

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
    mood_audio_destroy(&audio);
    assert_int_equal(temp_sweep(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
    return cmocka_run_group_tests_name("infer-alloc", tests, temp_setup, temp_teardown);
}
