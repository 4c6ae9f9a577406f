/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Each allocation of the corpus made to fail once: the call says E_NOMEM, the corpus
 * is as it was before, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "corpus/print.h"
#include "fail_alloc.h"
#include "mood/corpus.h"
#include "tree.h"

enum { MAX_SOURCES = 2 };

/* A corpus of these sources, which has n_clips then, and perhaps its division. */
struct scenario {
    const char *sources[MAX_SOURCES];
    size_t n_clips;
    const mood_split_params *split;
};

static const struct scenario both_sources = {.sources = {"r", "m.csv"}, .n_clips = 18};

static struct tree tree;

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
    tree_remove(&tree);
    return 0;
}

static mood_status add_source(mood_corpus *corpus, const char *name)
{
    size_t n_clips = mood_corpus_n_clips(corpus);
    int n_sources = mood_corpus_n_sources(corpus);
    mood_status status = mood_corpus_add(corpus, tree_path(&tree, name));
    if (status != MOOD_OK) {
        assert_int_equal(mood_corpus_n_clips(corpus), n_clips);
        assert_int_equal(mood_corpus_n_sources(corpus), n_sources);
    }
    return status;
}

static mood_status divide(const mood_corpus *corpus, const mood_split_params *params)
{
    mood_split *split;
    mood_status status = mood_split_create(&split, corpus, params);
    assert_int_equal(split != NULL, status == MOOD_OK);
    mood_split_destroy(&split);
    return status;
}

static mood_status run(const void *arg)
{
    const struct scenario *s = arg;
    mood_corpus *corpus;
    mood_status status = mood_corpus_create(&corpus);
    assert_int_equal(corpus != NULL, status == MOOD_OK);
    for (int i = 0; i < MAX_SOURCES && s->sources[i] && status == MOOD_OK; i++)
        status = add_source(corpus, s->sources[i]);
    if (status == MOOD_OK)
        assert_int_equal(mood_corpus_n_clips(corpus), s->n_clips);
    if (status == MOOD_OK && s->split)
        status = divide(corpus, s->split);
    mood_corpus_destroy(&corpus);
    return status;
}

static void test_corpus(void **state)
{
    (void)state;
    const struct scenario own_labels = {.sources = {"own.csv"}, .n_clips = 2};
    assert_true(fail_each_alloc(run, &both_sources) >= 10);
    assert_true(fail_each_alloc(run, &own_labels) >= 5);
}

static mood_status listen(const void *arg)
{
    (void)arg;
    mood_corpus *corpus;
    mood_status status = mood_corpus_create(&corpus);
    if (status == MOOD_OK)
        status = add_source(corpus, "own.csv");
    if (status == MOOD_OK)
        status = mood_corpus_listen(corpus, NULL);
    mood_corpus_destroy(&corpus);
    return status;
}

/* The same noise twice. */
static mood_status match(const void *arg)
{
    static float x[2 * MOOD_SAMPLE_RATE];
    (void)arg;
    struct mood__print prints[2 * MOOD__PRINT_SPEEDS] = {{0}};
    uint32_t first[2], state = 1;
    mood_mel *mel;
    for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) * 0x1p-24f - 0.5f;
    }
    mood_status status = mood__print_mel(&mel);
    for (int i = 0; i < 2 && !status; i++)
        status = mood__print_make(&prints[i * MOOD__PRINT_SPEEDS], mel, x, sizeof(x) / sizeof(*x));
    if (!status)
        status = mood__print_match(first, prints, 2, NULL);
    if (!status)
        assert_int_equal(first[1], 0);
    for (int i = 0; i < 2 * MOOD__PRINT_SPEEDS; i++)
        mood__print_free(&prints[i]);
    mood_mel_destroy(&mel);
    return status;
}

static void test_listen(void **state)
{
    (void)state;
    const struct scenario own_labels = {.sources = {"own.csv"}, .n_clips = 2};
    int without = fail_each_alloc(run, &own_labels);
    assert_true(fail_each_alloc(listen, NULL) > without);
    assert_true(fail_each_alloc(match, NULL) >= 15);
}

static void test_split(void **state)
{
    (void)state;
    struct tree same = tree; /* tree_path keeps what it said last in the tree */
    const mood_split_params kinds[] = {
        {.kind = MOOD_SPLIT_SPEAKER},
        {.kind = MOOD_SPLIT_RANDOM},
        {.kind = MOOD_SPLIT_FOLD, .n_folds = 3},
        {.kind = MOOD_SPLIT_FILE, .file = tree_path(&same, "s.csv")},
    };
    int without = fail_each_alloc(run, &both_sources);
    for (int i = 0; i < 4; i++) {
        struct scenario s = both_sources;
        s.split = &kinds[i];
        assert_true(fail_each_alloc(run, &s) > without);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_corpus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_split, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
