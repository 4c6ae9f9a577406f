/* SPDX-License-Identifier: MIT
 *
 * test_split.c — Dividing a corpus: every kind, its errors, and that the stamp is the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

/* Whether some speaker has clips on two sides, found the slow way: every pair of clips. */
static bool shares_speakers(void)
{
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        for (size_t j = 0; j < i; j++) {
            mood_side a = mood_split_side(split, i), b = mood_split_side(split, j);
            if (a != b && a != MOOD_SIDE_UNUSED && b != MOOD_SIDE_UNUSED &&
                mood_corpus_clip(corpus, i)->speaker == mood_corpus_clip(corpus, j)->speaker)
                return true;
        }
    }
    return false;
}

static void test_speaker(void **state)
{
    (void)state;
    ravdess(24);
    const mood_protocol *p = divide(NULL);
    assert_counts(p, 16, 4, 4);
    assert_int_equal(p->n_clips[MOOD_SIDE_TRAIN], 16 * 4);
    assert_int_equal(p->n_clips[MOOD_SIDE_VAL], 4 * 4);
    assert_int_equal(p->n_clips[MOOD_SIDE_TEST], 4 * 4);
    assert_int_equal(p->n_clips[MOOD_SIDE_UNUSED], 0);
    assert_true(p->speaker_disjoint);
    assert_false(shares_speakers());
    assert_string_equal(p->text, "speaker-disjoint");
    assert_string_equal(p->dealt, "by speaker, seed 0");
    assert_string_equal(p->speakers[MOOD_SIDE_UNUSED], "");
    assert_int_equal(strlen(p->speakers[MOOD_SIDE_TEST]), strlen("01,02,03,04"));
    assert_int_equal(mood_split_side(split, 24 * 4), MOOD_SIDE_UNUSED);

    /* The texts and the sides say the same. */
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        const char *key = mood_corpus_speaker(corpus, mood_corpus_clip(corpus, i)->speaker);
        assert_non_null(strstr(p->speakers[mood_split_side(split, i)], key));
    }
}

/* One seed is one split, whatever the folder is called; seeds differ; each actor gets his turn. */
static void test_seed(void **state)
{
    (void)state;
    ravdess(8);
    char first[64];
    snprintf(first, sizeof(first), "%s", divide(NULL)->speakers[MOOD_SIDE_TEST]);
    int n_same = 0;
    bool tested[8] = {false};
    for (uint64_t seed = 0; seed < 64; seed++) {
        const mood_protocol *p = divide(&(mood_split_params){.seed = seed});
        assert_counts(p, 6, 1, 1);
        n_same += strcmp(p->speakers[MOOD_SIDE_TEST], first) == 0;
        tested[mood_corpus_find_speaker(corpus, p->speakers[MOOD_SIDE_TEST])] = true;
    }
    assert_true(n_same < 32);
    for (int i = 0; i < 8; i++)
        assert_true(tested[i]);

    mood_corpus_destroy(&corpus);
    assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
    tree_ravdess(&tree, "elsewhere/", 1, 8, 4, true);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "elsewhere")), MOOD_OK);
    assert_string_equal(divide(NULL)->speakers[MOOD_SIDE_TEST], first);
}

/* A seed's split is part of what a published figure means: it must not change between versions. */
static void test_pinned(void **state)
{
    (void)state;
    ravdess(24);
    const mood_protocol *p = divide(NULL);
    assert_string_equal(p->speakers[MOOD_SIDE_TEST], "02,05,14,16");
    assert_string_equal(p->speakers[MOOD_SIDE_VAL], "11,12,19,22");
}

static void test_small(void **state)
{
    (void)state;
    static const int want[][4] = {{3, 1, 1, 1}, {4, 2, 1, 1}, {9, 7, 1, 1}, {10, 6, 2, 2}};
    for (int i = 0; i < 4; i++) {
        ravdess(want[i][0]);
        assert_counts(divide(NULL), want[i][1], want[i][2], want[i][3]);
        mood_corpus_destroy(&corpus);
        assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
        tree_remove(&tree);
        tree_make(&tree);
    }
}

static void test_too_few(void **state)
{
    (void)state;
    tree_ravdess(&tree, "r/", 1, 1, 60, false);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "r")), MOOD_OK);
    static const char one[] = "all 60 clips are of one speaker (01): a split by speaker needs 3";
    assert_refused(NULL, MOOD_E_INVALID, one);
    assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_FOLD, .n_folds = 2}, MOOD_E_INVALID,
                   one);
    const mood_protocol *p = divide(&(mood_split_params){.kind = MOOD_SPLIT_RANDOM});
    assert_false(p->speaker_disjoint);

    tree_ravdess(&tree, "more/", 2, 2, 4, false);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "more")), MOOD_OK);
    assert_refused(NULL, MOOD_E_INVALID,
                   "all 64 clips are of two speakers (01, 02): a split by speaker needs 3");
}

static void test_lists(void **state)
{
    (void)state;
    ravdess(24);
    const mood_protocol *p =
        divide(&(mood_split_params){.val_speakers = "19, 20", .test_speakers = " 21,22,24 ,3,03"});
    assert_counts(p, 18, 2, 4);
    assert_string_equal(p->speakers[MOOD_SIDE_VAL], "19,20");
    assert_string_equal(p->speakers[MOOD_SIDE_TEST], "03,21,22,24");
    assert_string_equal(p->dealt, "by speaker, as listed");
    assert_true(p->speaker_disjoint);

    p = divide(&(mood_split_params){.val_speakers = "19,1*", .test_speakers = "2*"});
    assert_counts(p, 9, 10, 5);
    assert_string_equal(p->speakers[MOOD_SIDE_TEST], "20,21,22,23,24");
    assert_refused(&(mood_split_params){.test_speakers = "emo-db:*"}, MOOD_E_INVALID,
                   "no speaker 'emo-db:*' in the corpus");
    assert_refused(&(mood_split_params){.val_speakers = "1*", .test_speakers = "11"},
                   MOOD_E_INVALID, "speaker 11 is listed both for validation and for test");

    p = divide(&(mood_split_params){.test_speakers = "1", .seed = 3});
    assert_counts(p, 19, 4, 1);
    assert_string_equal(p->dealt, "by speaker, test as listed, seed 3");
    p = divide(&(mood_split_params){.val_speakers = "1,2", .test_speakers = ""});
    assert_counts(p, 18, 2, 4);
    assert_string_equal(p->dealt, "by speaker, validation as listed, seed 0");

    /* What is dealt shrinks, so that one speaker stays for training. */
    p = divide(&(mood_split_params){
        .test_speakers = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22"});
    assert_counts(p, 1, 1, 22);
    p = divide(&(mood_split_params){
        .val_speakers = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22"});
    assert_counts(p, 1, 22, 1);
}

static void test_bad_lists(void **state)
{
    (void)state;
    ravdess(4);
    static const struct {
        const char *val, *test, *detail;
    } cases[] = {
        {NULL, "25", "no speaker '25' in the corpus (4 speakers, 01 to 04)"},
        {"Actor_01", NULL, "no speaker 'Actor_01'"},
        {"1,2", "3,1", "speaker 01 is listed both for validation and for test"},
        {NULL, "1,,2", "an empty place in the list of speakers '1,,2'"},
        {NULL, "1,", "an empty place"},
        {" ", NULL, "an empty place"},
        {"1,2", "3,4", "the lists leave 0 of 4 speakers for training: 1 needed"},
        {"1,2,3", NULL, "the lists leave 1 of 4 speakers for training and test: 2 needed"},
        {NULL, "1,2,3", "the lists leave 1 of 4 speakers for training and validation: 2 needed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(
            &(mood_split_params){.val_speakers = cases[i].val, .test_speakers = cases[i].test},
            MOOD_E_INVALID, cases[i].detail);
    assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_RANDOM, .test_speakers = "1"},
                   MOOD_E_INVALID, "lists of speakers go only with");
    char *long_key = malloc(5000);
    memset(long_key, 'x', 4999);
    long_key[4999] = 0;
    assert_refused(&(mood_split_params){.test_speakers = long_key}, MOOD_E_INVALID,
                   "no speaker 'xxx");
    free(long_key);
}

static void test_folds(void **state)
{
    (void)state;
    ravdess(8);
    for (int k = 2; k <= 8; k++) {
        int n_tested[8] = {0};
        for (int fold = 0; fold < k; fold++) {
            const mood_protocol *p = divide(&(mood_split_params){
                .kind = MOOD_SPLIT_FOLD, .n_folds = k, .fold = fold, .seed = 5});
            int n_test = p->n_speakers[MOOD_SIDE_TEST];
            assert_true(n_test == 8 / k || n_test == (8 + k - 1) / k);
            assert_counts(p, 8 - n_test - 1, 1, n_test);
            assert_true(p->speaker_disjoint);
            for (int s = 0; s < 8; s++)
                n_tested[s] +=
                    strstr(p->speakers[MOOD_SIDE_TEST], mood_corpus_speaker(corpus, s)) != NULL;
        }
        for (int s = 0; s < 8; s++)
            assert_int_equal(n_tested[s], 1);
    }
    /* Validation is dealt anew for each fold. From one shuffle it would be the first speaker in all
     * folds but the one that tests him: two speakers for eight folds. */
    bool chose[8] = {false};
    int n_chose = 0;
    for (int fold = 0; fold < 8; fold++) {
        const mood_protocol *p = divide(
            &(mood_split_params){.kind = MOOD_SPLIT_FOLD, .n_folds = 8, .fold = fold, .seed = 5});
        bool *mine = &chose[mood_corpus_find_speaker(corpus, p->speakers[MOOD_SIDE_VAL])];
        n_chose += !*mine;
        *mine = true;
    }
    assert_true(n_chose > 2);

    const mood_split_params last = {.kind = MOOD_SPLIT_FOLD, .n_folds = 5, .fold = 4, .seed = 7};
    assert_string_equal(divide(&last)->dealt, "fold 5 of 5 by speaker, seed 7");
}

static void test_bad_folds(void **state)
{
    (void)state;
    ravdess(3);
    static const struct {
        int n_folds, fold;
        const char *detail;
    } cases[] = {
        {0, 0, "0 folds: from 2 to the 3 speakers are possible"},
        {1, 0, "1 folds"},
        {4, 0, "4 folds"},
        {3, 3, "fold 3 is outside 0 to 2"},
        {3, -1, "fold -1 is outside"},
        {2, 0, "2 folds leave 1 of 3 speakers for training and validation: 2 needed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_FOLD,
                                            .n_folds = cases[i].n_folds,
                                            .fold = cases[i].fold},
                       MOOD_E_INVALID, cases[i].detail);
}

static void test_random(void **state)
{
    (void)state;
    tree_ravdess(&tree, "r/", 1, 10, 15, false); /* 10 neutral clips, 20 of each other emotion */
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "r")), MOOD_OK);
    const mood_protocol *p = divide(&(mood_split_params){.kind = MOOD_SPLIT_RANDOM, .seed = 1});
    assert_false(p->speaker_disjoint);
    assert_true(shares_speakers());
    assert_string_equal(p->text, "speaker-dependent");
    assert_int_equal(p->n_shared, 10);
    assert_string_equal(p->shared, "01,02,03,04,05,06,07,08,09,10");
    assert_string_equal(p->dealt, "by clip, seed 1");
    size_t n[MOOD_N_SIDES][8] = {{0}};
    for (size_t i = 0; i < 150; i++)
        n[mood_split_side(split, i)][mood_corpus_clip(corpus, i)->label]++;
    for (int label = 0; label < 8; label++) {
        assert_int_equal(n[MOOD_SIDE_TEST][label], label ? 3 : 2);
        assert_int_equal(n[MOOD_SIDE_VAL][label], label ? 3 : 2);
        assert_int_equal(n[MOOD_SIDE_TRAIN][label], label ? 14 : 6);
    }
}

/* Where every clip has a speaker of its own, even a random split keeps speakers apart: the stamp
 * follows the clips, not the kind. Labels of one or two clips are for training. */
static void test_computed(void **state)
{
    (void)state;
    char text[2048] = "path,emotion,speaker\n", name[32], row[64];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "%02d.wav", i);
        tree_file(&tree, name, "");
        snprintf(row, sizeof(row), "%s,%s,%d\n", name, i < 10 ? "happy" : "sad", i);
        strcat(text, row);
    }
    tree_file(&tree, "m.csv", text);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "m.csv")), MOOD_OK);
    const mood_protocol *p = divide(&(mood_split_params){.kind = MOOD_SPLIT_RANDOM});
    assert_string_equal(p->text, "speaker-disjoint");
    assert_int_equal(p->n_clips[MOOD_SIDE_TEST], 2);
    assert_int_equal(mood_split_side(split, 10), MOOD_SIDE_TRAIN);
    assert_int_equal(mood_split_side(split, 11), MOOD_SIDE_TRAIN);
}

static void test_one_label(void **state)
{
    (void)state;
    for (int i = 1; i <= 4; i++) {
        char name[64];
        snprintf(name, sizeof(name), "r/03-01-03-01-01-01-%02d.wav", i);
        tree_file(&tree, name, "");
    }
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "r")), MOOD_OK);
    for (int kind = MOOD_SPLIT_SPEAKER; kind <= MOOD_SPLIT_RANDOM; kind++)
        assert_refused(&(mood_split_params){.kind = (mood_split_kind)kind}, MOOD_E_INVALID,
                       "all 4 clips have one label (happy): nothing to tell apart");

    /* Two labels, but the only speaker left for training has one of them. */
    tree_file(&tree, "s/03-01-05-01-01-01-01.wav", "");
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "s")), MOOD_OK);
    assert_refused(&(mood_split_params){.test_speakers = "1,2", .val_speakers = "3"},
                   MOOD_E_INVALID, "all clips for training have one label (happy)");
    assert_int_equal(divide(&(mood_split_params){.test_speakers = "4,2", .val_speakers = "3"})
                         ->n_clips[MOOD_SIDE_TRAIN],
                     2);
}

static void test_odd_params(void **state)
{
    (void)state;
    assert_refused(NULL, MOOD_E_INVALID, "a corpus without clips");
    ravdess(3);
    assert_refused(&(mood_split_params){.kind = (mood_split_kind)9}, MOOD_E_INVALID, "number 9");
    assert_refused(&(mood_split_params){.kind = MOOD_SPLIT_FILE}, MOOD_E_INVALID,
                   "a file goes with");
    assert_refused(&(mood_split_params){.file = "x.csv"}, MOOD_E_INVALID, "a file goes with");
    assert_string_equal(mood_side_name(MOOD_SIDE_UNUSED), "unused");
    assert_string_equal(mood_side_name(MOOD_SIDE_VAL), "val");
    assert_string_equal(mood_side_name((mood_side)4), "unknown");
}

/* Write splits.csv with the text and try it. */
static mood_status from_file(const char *text)
{
    tree_file(&tree, "splits.csv", text);
    mood_split_destroy(&split);
    const mood_split_params params = {.kind = MOOD_SPLIT_FILE,
                                      .file = tree_path(&tree, "splits.csv")};
    return mood_split_create(&split, corpus, &params);
}

static mood_side side_of(const char *name)
{
    for (size_t i = 0; i < mood_corpus_n_clips(corpus); i++) {
        if (strcmp(mood_corpus_clip(corpus, i)->name, name) == 0)
            return mood_split_side(split, i);
    }
    fail_msg("no clip %s", name);
    return MOOD_SIDE_UNUSED;
}

/* A path in each of the three ways: beside the file, absolute, and as the source names it. */
static void test_file(void **state)
{
    (void)state;
    ravdess(4);
    char text[1024];
    snprintf(text, sizeof(text),
             "side,path\n"
             "train,r/03-01-02-01-01-01-01.wav\n"
             "Train,%s/r/03-01-03-01-01-01-01.wav\n"
             "VAL,03-01-03-01-01-01-02.wav\n"
             "test,./r/../r/03-01-03-01-01-01-03.wav\n",
             tree.root);
    assert_int_equal(from_file(text), MOOD_OK);
    assert_int_equal(side_of("03-01-02-01-01-01-01.wav"), MOOD_SIDE_TRAIN);
    assert_int_equal(side_of("03-01-03-01-01-01-01.wav"), MOOD_SIDE_TRAIN);
    assert_int_equal(side_of("03-01-03-01-01-01-02.wav"), MOOD_SIDE_VAL);
    assert_int_equal(side_of("03-01-03-01-01-01-03.wav"), MOOD_SIDE_TEST);
    const mood_protocol *p = mood_split_protocol(split);
    assert_int_equal(p->n_clips[MOOD_SIDE_UNUSED], 12);
    assert_string_equal(p->text, "speaker-disjoint"); /* unused clips do not count */
    assert_int_equal(p->n_shared, 0);
    assert_string_equal(p->shared, "");
    assert_int_equal(p->n_speakers[MOOD_SIDE_UNUSED], 4);
    assert_non_null(strstr(p->dealt, "from "));
    assert_non_null(strstr(p->dealt, "splits.csv"));

    /* Speaker 1 on two sides. */
    strcat(text, "test,03-01-01-01-01-01-01.wav\n");
    assert_int_equal(from_file(text), MOOD_OK);
    assert_string_equal(mood_split_protocol(split)->text, "speaker-dependent");
    assert_int_equal(mood_split_protocol(split)->n_shared, 1);
    assert_string_equal(mood_split_protocol(split)->shared, "01");
    assert_true(shares_speakers());
}

/* A path that is seen from the working folder alone. */
static void test_file_working_folder(void **state)
{
    (void)state;
    ravdess(3);
    tree_file(&tree, "deep/s.csv",
              "path,side\nr/03-01-02-01-01-01-01.wav,train\nr/03-01-03-01-01-01-01.wav,train\n"
              "r/03-01-03-01-01-01-02.wav,val\nr/03-01-03-01-01-01-03.wav,test\n");
    char before[1024];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(tree.root), 0);
    divide(&(mood_split_params){.kind = MOOD_SPLIT_FILE, .file = "deep/s.csv"});
    assert_int_equal(chdir(before), 0);
    assert_int_equal(side_of("03-01-03-01-01-01-03.wav"), MOOD_SIDE_TEST);
}

static void test_bad_file(void **state)
{
    (void)state;
    ravdess(3);
    static const struct {
        const char *rows;
        mood_status status;
        const char *detail;
    } cases[] = {
        {"", MOOD_E_INVALID, "the split leaves no clip for training"},
        {"03-01-02-01-01-01-01.wav,train\n03-01-03-01-01-01-01.wav,train\n"
         "03-01-03-01-01-01-02.wav,test\n",
         MOOD_E_INVALID, "the split leaves no clip for validation"},
        {"03-01-02-01-01-01-01.wav,train\n03-01-02-01-01-01-02.wav,val\n"
         "03-01-03-01-01-01-03.wav,test\n",
         MOOD_E_INVALID, "all clips for training have one label (calm)"},
        {"03-01-02-01-01-01-09.wav,train\n", MOOD_E_INVALID,
         "splits.csv: line 2: no clip of the corpus is '03-01-02-01-01-01-09.wav'"},
        {"splits.csv,train\n", MOOD_E_INVALID, "line 2: no clip of the corpus is 'splits.csv'"},
        {"03-01-02-01-01-01-01.wav,training\n", MOOD_E_FORMAT,
         "line 2: the side 'training' is none of train, val and test"},
        {"03-01-02-01-01-01-01.wav,unused\n", MOOD_E_FORMAT, "line 2: the side 'unused'"},
        {"03-01-02-01-01-01-01.wav,train\n\nr/03-01-02-01-01-01-01.wav,test\n", MOOD_E_INVALID,
         "line 4: 'r/03-01-02-01-01-01-01.wav' is listed twice"},
        {"03-01-02-01-01-01-01.wav\n", MOOD_E_FORMAT, "line 2: 1 fields"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "path,side\n%s", cases[i].rows);
        assert_int_equal(from_file(text), cases[i].status);
        if (!strstr(mood_error_detail(), cases[i].detail))
            fail_msg("'%s' is not in '%s'", cases[i].detail, mood_error_detail());
    }
    const mood_split_params missing = {.kind = MOOD_SPLIT_FILE, .file = "/nowhere/s.csv"};
    assert_refused(&missing, MOOD_E_IO, "/nowhere/s.csv: cannot be opened: No such file");

    tree_ravdess(&tree, "again/", 1, 1, 4, false);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "again")), MOOD_OK);
    static const char *const twins[] = {"01-01", "02-01", "02-02", "03-01"}; /* emotion-intensity */
    for (int i = 0; i < 4; i++) { /* a search may hit the one or the other */
        char text[128], want[128];
        snprintf(text, sizeof(text), "path,side\n03-01-%s-01-01-01.wav,train\n", twins[i]);
        snprintf(want, sizeof(want), "line 2: several sources have a clip '03-01-%s-", twins[i]);
        assert_int_equal(from_file(text), MOOD_E_INVALID);
        assert_non_null(strstr(mood_error_detail(), want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_speaker),    CASE(test_seed),     CASE(test_pinned),
        CASE(test_small),      CASE(test_too_few),  CASE(test_lists),
        CASE(test_bad_lists),  CASE(test_folds),    CASE(test_bad_folds),
        CASE(test_random),     CASE(test_computed), CASE(test_one_label),
        CASE(test_odd_params), CASE(test_file),     CASE(test_file_working_folder),
        CASE(test_bad_file),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
