/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each of our allocations made to fail once while recordings are read and planes are
 * planned: the status is E_NOMEM, nothing comes out, and (under a sanitizer) nothing is lost. What
 * the decoders and the resampler allocate is not reached.
 *
 * The linker sends the library's calls of the allocation functions here (--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes_builder.h"
#include "mood/audio.h"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

/* Allocations until one fails; negative: none will. */
static long countdown = -1;

static bool fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t bytes)
{
    return fails() ? NULL : __real_realloc(p, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

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

static mood_status read_file(void)
{
    mood_audio *a;
    mood_status status = mood_audio_read(&a, path, NULL);
    assert_int_equal(a != NULL, status == MOOD_OK);
    mood_audio_destroy(&a);
    return status;
}

static mood_status take_samples(void)
{
    static const float pcm[20000];
    mood_audio *a;
    mood_status status = mood_audio_from_samples(&a, pcm, 20000, 1, 8000, NULL);
    assert_int_equal(a != NULL, status == MOOD_OK);
    mood_audio_destroy(&a);
    return status;
}

static mood_status plan_mel(void)
{
    mood_mel *mel;
    mood_status status = mood_mel_create(&mel, NULL);
    assert_int_equal(mel != NULL, status == MOOD_OK);
    mood_mel_destroy(&mel);
    return status;
}

/* Fail the first allocation, the second, ... until the scenario gets through. Giving back memory
 * that is larger than needed may fail without harm, so a success does not end it at once. */
static void fail_each(const char *name, mood_status (*scenario)(void), int at_least)
{
    int n_failed = 0;
    for (long i = 0; i < 100; i++) {
        countdown = i;
        mood_status status = scenario();
        bool unused = countdown >= 0;
        countdown = -1;
        if (unused) { /* there is no such allocation any more */
            assert_int_equal(status, MOOD_OK);
            print_message("%s: %d failures survived\n", name, n_failed);
            assert_true(n_failed >= at_least);
            return;
        }
        if (status != MOOD_OK) {
            assert_int_equal(status, MOOD_E_NOMEM);
            assert_string_equal(mood_error_detail(), "out of memory");
            n_failed++;
        }
    }
    fail_msg("%s never got through", name);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    fail_each("read", read_file, 6);
    fail_each("samples", take_samples, 4);
    fail_each("mel", plan_mel, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
