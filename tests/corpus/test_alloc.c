/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each allocation of the corpus made to fail once: the call says E_NOMEM, the corpus
 * is as it was before, and (under a sanitizer) nothing is lost.
 *
 * The linker sends the library's calls of the allocation functions here (--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mood/corpus.h"
#include "tree.h"

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

static struct tree tree;
static mood_corpus *corpus;
static mood_split *split;

static int set_up(void **state)
{
    (void)state;
    tree_make(&tree);
    tree_ravdess(&tree, "r/", 1, 4, 4, true);
    tree_file(&tree, "a.wav", "");
    tree_file(&tree, "b.wav", "");
    tree_file(&tree, "m.csv", "path,emotion,speaker\na.wav,happy,x\nb.wav,sad,y\n");
    tree_file(&tree, "own.csv", "path,emotion,speaker\na.wav,happy,x\nb.wav,bored,y\n");
    tree_file(&tree, "s.csv",
              "path,side\nActor_01/03-01-02-01-01-01-01.wav,train\n"
              "r/Actor_01/03-01-01-01-01-01-01.wav,train\n"
              "a.wav,val\nb.wav,test\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    countdown = -1;
    mood_split_destroy(&split);
    mood_corpus_destroy(&corpus);
    tree_remove(&tree);
    return 0;
}

/* Repeat `call` with the first, second, ... allocation failing until it gets through. */
typedef mood_status call(const void *argument);

static void fail_each(call *work, const void *argument)
{
    size_t n_clips = corpus ? mood_corpus_n_clips(corpus) : 0;
    int n_sources = corpus ? mood_corpus_n_sources(corpus) : 0;
    long n = 0;
    for (mood_status status = MOOD_E_NOMEM; status != MOOD_OK; n++) {
        countdown = n;
        status = work(argument);
        bool failed = countdown < 0;
        countdown = -1;
        assert_int_equal(status, failed ? MOOD_E_NOMEM : MOOD_OK);
        if (failed && corpus) {
            assert_int_equal(mood_corpus_n_clips(corpus), n_clips);
            assert_int_equal(mood_corpus_n_sources(corpus), n_sources);
        }
    }
    assert_true(n > 1);
}

static mood_status create(const void *argument)
{
    (void)argument;
    mood_status status = mood_corpus_create(&corpus);
    if (status != MOOD_OK)
        assert_null(corpus);
    return status;
}

static mood_status add(const void *name)
{
    return mood_corpus_add(corpus, tree_path(&tree, name));
}

static mood_status divide(const void *params)
{
    mood_status status = mood_split_create(&split, corpus, params);
    if (status != MOOD_OK)
        assert_null(split);
    return status;
}

static void test_corpus(void **state)
{
    (void)state;
    fail_each(create, NULL);
    fail_each(add, "r");
    fail_each(add, "m.csv");
    assert_int_equal(mood_corpus_n_clips(corpus), 18);
    mood_corpus_destroy(&corpus);
    fail_each(create, NULL);
    fail_each(add, "own.csv");
}

static void test_split(void **state)
{
    (void)state;
    assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
    assert_int_equal(add("r"), MOOD_OK);
    assert_int_equal(add("m.csv"), MOOD_OK);
    char file[1024];
    strcpy(file, tree_path(&tree, "s.csv"));
    const mood_split_params kinds[] = {
        {.kind = MOOD_SPLIT_SPEAKER},
        {.kind = MOOD_SPLIT_RANDOM},
        {.kind = MOOD_SPLIT_FOLD, .n_folds = 3},
        {.kind = MOOD_SPLIT_FILE, .file = file},
    };
    for (int i = 0; i < 4; i++) {
        fail_each(divide, &kinds[i]);
        mood_split_destroy(&split);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_corpus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_split, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
