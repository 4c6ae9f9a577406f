/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each of our allocations made to fail once while recordings are read and planes and
 * prosody are planned: the status is E_NOMEM, nothing comes out, and nothing is lost. What the
 * decoders and the resampler allocate is not reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes_builder.h"
#include "fail_alloc.h"
#include "mood/audio.h"
#include "mood/prosody.h"

static char path[] = "/tmp/mood-test-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    struct builder b = {0};
    put_wav(&b, 2, 48000, 30000, 1000);
    int fd = mkstemp(path);
    int failed = fd < 0 || write(fd, b.p, b.n) != (ssize_t)b.n || close(fd) != 0;
    builder_free(&b);
    return failed;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static mood_status read_file(const void *arg)
{
    (void)arg;
    mood_audio *a;
    mood_status status = mood_audio_read(&a, path, NULL);
    assert_int_equal(a != NULL, status == MOOD_OK);
    mood_audio_destroy(&a);
    return status;
}

static mood_status take_samples(const void *arg)
{
    (void)arg;
    static const float pcm[20000];
    mood_audio *a;
    mood_status status = mood_audio_from_samples(&a, pcm, 20000, 1, 8000, NULL);
    assert_int_equal(a != NULL, status == MOOD_OK);
    mood_audio_destroy(&a);
    return status;
}

static mood_status plan_mel(const void *arg)
{
    (void)arg;
    mood_mel *mel;
    mood_status status = mood_mel_create(&mel, NULL);
    assert_int_equal(mel != NULL, status == MOOD_OK);
    mood_mel_destroy(&mel);
    return status;
}

static mood_status plan_prosody(const void *arg)
{
    (void)arg;
    mood_prosody *prosody;
    mood_status status = mood_prosody_create(&prosody);
    assert_int_equal(prosody != NULL, status == MOOD_OK);
    mood_prosody_destroy(&prosody);
    return status;
}

/* After its creation nothing is allocated. */
static void test_prosody_allocates_nothing(void **state)
{
    (void)state;
    static float pcm[48000], functionals[MOOD_N_FUNCTIONALS];
    mood_prosody *prosody;
    assert_int_equal(mood_prosody_create(&prosody), MOOD_OK);
    for (int i = 0; i < 48000; i++)
        pcm[i] = (float)(i % 100) * (float)(i % 7000);
    long calls = alloc_calls;
    assert_int_equal(mood_prosody_run(prosody, pcm, 48000), MOOD_OK);
    mood_prosody_functionals(prosody, functionals);
    assert_int_equal(alloc_calls, calls);
    mood_prosody_destroy(&prosody);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(fail_each_alloc(read_file, NULL) >= 6);
    assert_true(fail_each_alloc(take_samples, NULL) >= 4);
    assert_true(fail_each_alloc(plan_mel, NULL) >= 9);
    assert_true(fail_each_alloc(plan_prosody, NULL) >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails),
                                       cmocka_unit_test(test_prosody_allocates_nothing)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
