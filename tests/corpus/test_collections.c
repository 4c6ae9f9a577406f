/* SPDX-License-Identifier: MIT
 *
 * test_collections.c — Dividing several collections: each has its share on every side, or one is
 * the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "scratch.h"

/* 6 actors of RAVDESS, 4 speakers of EMO-DB and 2 of CREMA-D, in that order. */
static void three_collections(void)
{
    ravdess(6);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++) {
            char name[64];
            snprintf(name, sizeof(name), "e/%02da01%ca.wav", 11 + i, "FT"[k]);
            tree_file(&tree, name, "");
            snprintf(name, sizeof(name), "c/%d_DFA_%s_XX.wav", 1001 + i / 2, k ? "SAD" : "HAP");
            tree_file(&tree, name, "");
        }
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "e")), MOOD_OK);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "c")), MOOD_OK);
    assert_int_equal(mood_corpus_n_collections(corpus), 3);
}

/* How many speakers of a collection are on a side. */
static int of_collection(int collection, mood_side side)
{
    int n = 0;
    bool seen[32] = {false};
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(corpus, i);
        if (clip->collection == collection && mood_split_side(split, i) == side) {
            n += !seen[clip->speaker];
            seen[clip->speaker] = true;
        }
    }
    return n;
}

static void test_collections_are_on_every_side(void **state)
{
    (void)state;
    three_collections();
    for (uint64_t seed = 0; seed < 20; seed++) {
        const mood_protocol *p = divide(&(mood_split_params){.seed = seed});
        assert_counts(p, 7, 2, 3); /* one of each; but one of the two of CREMA-D is trained on */
        static const int n[3][2] = {{6, 1}, {4, 1}, {2, 1}};
        for (int k = 0; k < 3; k++)
            assert_int_equal(of_collection(k, MOOD_SIDE_TEST), n[k][1]);
        assert_int_equal(of_collection(2, MOOD_SIDE_TRAIN), 1);
        assert_true(p->speaker_disjoint);
        for (int fold = 0; fold < 3; fold++) {
            p = divide(&(mood_split_params){
                .kind = MOOD_SPLIT_FOLD, .n_folds = 3, .fold = fold, .seed = seed});
            assert_int_equal(of_collection(0, MOOD_SIDE_TEST), 2);
            int e = of_collection(1, MOOD_SIDE_TEST), c = of_collection(2, MOOD_SIDE_TEST);
            assert_true((e == 1 || e == 2) && c <= 1 && e + c == 2);
            assert_true(of_collection(0, MOOD_SIDE_VAL) == 1);
            assert_true(of_collection(2, MOOD_SIDE_TRAIN) >= 1);
        }
    }
}

static void test_one_collection_for_the_test(void **state)
{
    (void)state;
    three_collections();
    /* Who speaks for RAVDESS, and here too. */
    tree_file(&tree, "a.wav", "");
    tree_file(&tree, "b.wav", "");
    tree_file(&tree, "m.csv", "path,emotion,speaker\na.wav,happy,3\nb.wav,sad,anna\n");
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "m.csv")), MOOD_OK);
    for (int k = 0; k < 4; k++) {
        const mood_protocol *p =
            divide(&(mood_split_params){.kind = MOOD_SPLIT_COLLECTION, .collection = k});
        assert_true(p->speaker_disjoint);
        assert_int_equal(p->n_clips[MOOD_SIDE_TEST], mood_corpus_collection(corpus, k)->n_clips);
        for (int other = 0; other < 4; other++)
            assert_true((of_collection(other, MOOD_SIDE_TEST) > 0) == (other == k));
        /* Actor 3's other clips are in no training while he is tested. */
        assert_int_equal(p->n_clips[MOOD_SIDE_UNUSED], k == 0 ? 1 : k == 3 ? 4 : 0);
    }
    assert_string_equal(mood_split_protocol(split)->dealt, "all of m.csv for the test, seed 0");
    assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_COLLECTION, .collection = 4},
                   MOOD_E_INVALID, "no collection number 4");
}

static void test_no_other_collection(void **state)
{
    (void)state;
    ravdess(3);
    assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_COLLECTION}, MOOD_E_INVALID,
                   "all of RAVDESS leaves 0 speakers for training and validation: 2 needed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_collections_are_on_every_side),
        CASE(test_one_collection_for_the_test),
        CASE(test_no_other_collection),
    };
    return cmocka_run_group_tests_name("collections", tests, NULL, NULL);
}
