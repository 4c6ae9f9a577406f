/* SPDX-License-Identifier: MIT
 *
 * test_folder.c — Folders as a corpus: names, order, what is left out, errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus/names.h"
#include "corpus/source.h"
#include "scratch.h"

static mood_status add(const char *name)
{
    return mood_corpus_add(corpus, tree_path(&tree, name));
}

/* The failure text holds `part`, on one line. */
static void assert_detail(const char *part)
{
    if (!strstr(mood_error_detail(), part))
        fail_msg("'%s' is not in '%s'", part, mood_error_detail());
    assert_null(strchr(mood_error_detail(), '\n'));
}

static void test_names(void **state)
{
    (void)state;
    struct mood__name r;
    bool (*parse)(const char *, struct mood__name *) = mood__rule_ravdess.parse;
    assert_true(parse("03-02-05-01-02-01-12.flac", &r));
    assert_int_equal(r.modality, 3);
    assert_int_equal(r.channel, 2);
    assert_int_equal(r.emotion, 4);
    assert_int_equal(r.intensity, 1);
    assert_int_equal(r.statement, 2);
    assert_int_equal(r.repetition, 1);
    assert_string_equal(r.speaker, "12");
    assert_true(parse("01-01-08-02-99-99-99.", &r));

    static const char *const bad[] = {
        "",
        "0",
        "03-01",
        "03-01-05-01-02-01-12",
        "03-01-05-01-02-01.wav",
        "03-01-05-01-02-01-123.wav",
        "03-01-05-01-02-01-12-01.wav",
        "3-01-05-01-02-01-12.wav",
        "03_01_05_01_02_01_12.wav",
        "03-01-+5-01-02-01-12.wav",
        "x03-01-05-01-02-01-12.wav",
        "00-01-05-01-02-01-12.wav",
        "04-01-05-01-02-01-12.wav",
        "03-03-05-01-02-01-12.wav",
        "03-01-00-01-02-01-12.wav",
        "03-01-09-01-02-01-12.wav",
        "03-01-05-03-02-01-12.wav",
        "03-01-05-01-00-01-12.wav",
        "03-01-05-01-02-00-12.wav",
        "03-01-05-01-02-01-00.wav",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (parse(bad[i], &r))
            fail_msg("'%s' was taken for a RAVDESS name", bad[i]);
    }
}

static void test_other_names(void **state)
{
    (void)state;
    static const struct {
        const char *file, *speaker, *take;
        int emotion, intensity;
        mood_sex sex;
    } good[] = {
        {"03a01Fa.wav", "emo-db:03", "03a01Fa", 2, 0, MOOD_SEX_MALE},
        {"16b10Wc.flac", "emo-db:16", "16b10Wc", 4, 0, MOOD_SEX_FEMALE},
        {"08a02La.wav", "emo-db:08", "08a02La", MOOD__NO_EMOTION, 0, MOOD_SEX_FEMALE},
        {"99a07Ad.wav", "emo-db:99", "99a07Ad", 5, 0, MOOD_SEX_UNKNOWN},
        {"03a04Ta.wav", "emo-db:03", "03a04Ta", 3, 0, MOOD_SEX_MALE},
        {"03a04Na.wav", "emo-db:03", "03a04Na", 0, 0, MOOD_SEX_MALE},
        {"03a04Ea.wav", "emo-db:03", "03a04Ea", 6, 0, MOOD_SEX_MALE},
        {"1001_DFA_ANG_XX.wav", "crema-d:1001", "1001_DFA_ANG_XX", 4, 0, MOOD_SEX_UNKNOWN},
        {"1091_IEO_DIS_HI.flac", "crema-d:1091", "1091_IEO_DIS_HI", 6, 2, MOOD_SEX_UNKNOWN},
        {"1091_IEO_FEA_MD.wav", "crema-d:1091", "1091_IEO_FEA_MD", 5, 1, MOOD_SEX_UNKNOWN},
        {"1091_IEO_SAD_LO.wav", "crema-d:1091", "1091_IEO_SAD_LO", 3, 1, MOOD_SEX_UNKNOWN},
        {"1091_TIE_NEU_XX.wav", "crema-d:1091", "1091_TIE_NEU_XX", 0, 0, MOOD_SEX_UNKNOWN},
        {"1091_TIE_HAP_XX.wav", "crema-d:1091", "1091_TIE_HAP_XX", 2, 0, MOOD_SEX_UNKNOWN},
        {"01-02-08-02-99-98-24.mp3", "24", "02-08-02-99-98-24", 7, 2, MOOD_SEX_FEMALE},
    };
    static const char *const bad[] = {"",
                                      ".",
                                      "03a01Fa",
                                      "03a01F.wav",
                                      "03a01Xa.wav",
                                      "03A01Fa.wav",
                                      "3a01Fa.wav",
                                      "03a01Faa.wav",
                                      "1001_DFA_ANG.wav",
                                      "1001_DFA_ANG_X.wav",
                                      "1001_DFA_BOR_XX.wav",
                                      "1001_DFA_ANG_ZZ.wav",
                                      "101_DFA_ANG_XX.wav",
                                      "1001-DFA-ANG-XX.wav",
                                      "1001_DFA_ANG_XX"};
    struct mood__name n;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_non_null(mood__name_parse(good[i].file, &n));
        assert_string_equal(n.speaker, good[i].speaker);
        assert_string_equal(n.take, good[i].take);
        assert_int_equal(n.emotion, good[i].emotion);
        assert_int_equal(n.intensity, good[i].intensity);
        assert_int_equal(n.sex, good[i].sex);
        assert_true(n.modality != 2);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (mood__name_parse(bad[i], &n))
            fail_msg("'%s' was taken for a name", bad[i]);
}

/* Three corpora with a speaker 03 each: three people. */
static void test_corpora_together(void **state)
{
    (void)state;
    tree_file(&tree, "r/03-01-03-01-01-01-03.wav", "");
    tree_file(&tree, "r/03-01-05-01-01-01-03.wav", "");
    tree_file(&tree, "e/wav/03a01Fa.wav", "");
    tree_file(&tree, "e/wav/03a01La.wav", "");
    tree_file(&tree, "e/flac/03a01Fa.flac", ""); /* the same take */
    tree_file(&tree, "c/1003_DFA_ANG_XX.wav", "");
    assert_int_equal(add("r"), MOOD_OK);
    assert_int_equal(add("e"), MOOD_OK);
    assert_int_equal(add("c"), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 4);
    assert_int_equal(mood_corpus_n_speakers(corpus), 3);
    assert_string_equal(mood_corpus_speaker(corpus, 0), "03");
    assert_string_equal(mood_corpus_speaker(corpus, 1), "crema-d:1003");
    assert_string_equal(mood_corpus_speaker(corpus, 2), "emo-db:03");
    const mood_corpus_source *e = mood_corpus_source_at(corpus, 1);
    assert_int_equal(e->n_no_label, 1);
    assert_int_equal(e->n_duplicates, 1);
    assert_int_equal(e->n_other, 0);
    assert_string_equal(mood_corpus_label(corpus, mood_corpus_clip(corpus, 2)->label), "happy");
}

static void assert_collection(int i, const char *name, const char *licence, size_t n_clips,
                              int n_speakers)
{
    const mood_collection *k = mood_corpus_collection(corpus, i);
    assert_non_null(k);
    assert_string_equal(k->name, name);
    assert_string_equal(k->licence, licence);
    assert_int_equal(k->n_clips, n_clips);
    assert_int_equal(k->n_speakers, n_speakers);
}

/* Names tell the collection and its licence, a table in the folder knows better; sources of one
 * collection are counted together. */
static void test_collections(void **state)
{
    (void)state;
    tree_file(&tree, "both/03-01-03-01-01-01-03.wav", "");
    tree_file(&tree, "both/03-01-03-01-01-01-04.wav", "");
    tree_file(&tree, "both/1003_DFA_ANG_XX.wav", "");
    tree_file(&tree, "song/03-02-03-01-01-01-03.wav", "");
    tree_file(&tree, "mine/03-01-03-01-01-01-03.wav", "");
    tree_file(&tree, "mine/corpus.csv", "licence,corpus\nCC0,My voices\n");
    tree_file(&tree, "mine/deep/corpus.csv", "no such table");
    assert_int_equal(add("both"), MOOD_OK);
    assert_int_equal(add("mine/"), MOOD_OK);
    assert_int_equal(add("song"), MOOD_OK);
    assert_int_equal(mood_corpus_n_collections(corpus), 3);
    assert_collection(0, "RAVDESS", "CC BY-NC-SA 4.0", 3, 2);
    assert_collection(1, "CREMA-D", "ODbL 1.0", 1, 1);
    assert_collection(2, "My voices", "CC0", 1, 1);
    assert_string_equal(mood_corpus_collection(corpus, 2)->origin, "");
    assert_non_null(strstr(mood_corpus_collection(corpus, 0)->origin, "zenodo.org"));
    assert_null(mood_corpus_collection(corpus, 3));
    assert_null(mood_corpus_collection(corpus, -1));
    static const int of_clip[] = {0, 0, 1, 2, 0};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(mood_corpus_clip(corpus, i)->collection, of_clip[i]);
    assert_int_equal(mood_corpus_source_at(corpus, 1)->n_other, 1); /* deep/corpus.csv */

    static const char *const bad[][2] = {
        {"", "corpus.csv: an empty file"},
        {"licence\nCC0\n", "corpus.csv: line 1: no column 'corpus'"},
        {"corpus\n", "corpus.csv: no row below the first line"},
        {"corpus,licence\n,CC0\n", "corpus.csv: line 2: corpus is empty"},
        {"corpus\na\nb\n", "corpus.csv: line 3: a second row: a folder is one corpus"},
    };
    tree_file(&tree, "bad/03-01-03-01-01-01-03.wav", "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tree_file(&tree, "bad/corpus.csv", bad[i][0]);
        assert_int_equal(add("bad"), MOOD_E_FORMAT);
        assert_detail(bad[i][1]);
        assert_int_equal(mood_corpus_n_collections(corpus), 3);
    }
}

static void test_whole(void **state)
{
    (void)state;
    tree_ravdess(&tree, "", 1, 24, 60, true);
    assert_int_equal(add(""), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 1440);
    assert_int_equal(mood_corpus_n_labels(corpus), 8);
    assert_string_equal(mood_corpus_label(corpus, 7), "surprised");
    assert_null(mood_corpus_label(corpus, 8));
    assert_null(mood_corpus_label(corpus, -1));
    assert_int_equal(mood_corpus_n_speakers(corpus), 24);
    assert_string_equal(mood_corpus_speaker(corpus, 0), "01");
    assert_string_equal(mood_corpus_speaker(corpus, 23), "24");
    assert_null(mood_corpus_speaker(corpus, 24));
    assert_int_equal(mood_corpus_find_speaker(corpus, "07"), 6);
    assert_int_equal(mood_corpus_find_speaker(corpus, "7"), 6);
    assert_int_equal(mood_corpus_find_speaker(corpus, "25"), -1);
    assert_int_equal(mood_corpus_find_speaker(corpus, "Actor_07"), -1);
    assert_int_equal(mood_corpus_find_speaker(corpus, ""), -1);
    assert_null(mood_corpus_clip(corpus, 1440));

    size_t n_label[8] = {0};
    for (size_t i = 0; i < 1440; i++) {
        const mood_clip *c = mood_corpus_clip(corpus, i);
        n_label[c->label]++;
        if (i > 0)
            assert_true(strcmp(mood_corpus_clip(corpus, i - 1)->name, c->name) < 0);
        struct stat st;
        assert_int_equal(stat(c->path, &st), 0);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(n_label[i], i == 0 ? 96 : 192);
}

static void test_clip(void **state)
{
    (void)state;
    tree_file(&tree, "a/Actor_12/03-02-05-02-01-02-12.FLAC", "");
    tree_file(&tree, "a/Actor_13/03-01-01-01-02-01-13.ogg", "");
    assert_int_equal(add("a/"), MOOD_OK); /* a slash at the end does no harm */
    const mood_clip *c = mood_corpus_clip(corpus, 0);
    assert_string_equal(c->name, "Actor_12/03-02-05-02-01-02-12.FLAC");
    assert_string_equal(c->path, tree_path(&tree, "a/Actor_12/03-02-05-02-01-02-12.FLAC"));
    assert_string_equal(mood_corpus_label(corpus, c->label), "angry");
    assert_string_equal(mood_corpus_speaker(corpus, c->speaker), "12");
    assert_int_equal(c->channel, 2);
    assert_int_equal(c->intensity, 2);
    assert_int_equal(c->statement, 1);
    assert_int_equal(c->repetition, 2);
    assert_int_equal(c->sex, MOOD_SEX_FEMALE);
    assert_int_equal(mood_corpus_clip(corpus, 1)->sex, MOOD_SEX_MALE);
}

static void test_left_out(void **state)
{
    (void)state;
    static const char *const audio[] = {"aif", "aifc", "aiff", "flac", "mp3",
                                        "oga", "ogg",  "opus", "WAV",  "wave"};
    char name[128];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "03-01-0%d-01-01-01-%02d.%s", i % 8 + 1, i + 1, audio[i]);
        tree_file(&tree, name, "");
    }
    tree_file(&tree, "README.txt", "");
    tree_file(&tree, "b/other.wav", "");
    tree_file(&tree, "01-01-02-01-01-01-01.mp4", "");
    tree_file(&tree, "02-01-02-01-01-01-01.mp4", "");
    tree_file(&tree, "02-01-02-01-01-01-02.wav", "");
    tree_file(&tree, ".DS_Store", "");
    tree_file(&tree, "._03-01-01-01-01-01-01.wav", "");
    tree_file(&tree, ".cache/03-01-01-01-01-01-20.wav", "");
    tree_link(&tree, "03-01-01-01-01-01-30.wav", "nowhere");
    tree_folder(&tree, "03-01-01-01-01-01-31.wav");
    assert_int_equal(add(""), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 10);
    const mood_corpus_source *s = mood_corpus_source_at(corpus, 0);
    assert_false(s->manifest);
    assert_string_equal(s->path, tree_path(&tree, ""));
    assert_int_equal(s->n_clips, 10);
    assert_int_equal(s->n_hidden, 3);
    assert_int_equal(s->n_no_sound, 2);
    assert_int_equal(s->n_other, 4); /* README.txt, other.wav, the .mp4 with sound, the dead link */
    assert_string_equal(s->other, "01-01-02-01-01-01-01.mp4");
    assert_int_equal(s->n_duplicates, 0);
    assert_null(mood_corpus_source_at(corpus, 1));
    assert_null(mood_corpus_source_at(corpus, -1));
}

/* The same take from a second folder, as another format, and with another modality. */
static void test_duplicates(void **state)
{
    (void)state;
    tree_file(&tree, "Actor_01/01-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "Actor_01/03-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "Actor_01/03-01-03-01-01-01-01.flac", "");
    tree_file(&tree, "copy/Actor_01/03-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "Actor_01/03-01-03-01-01-02-01.wav", "");
    assert_int_equal(add(""), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 2);
    assert_string_equal(mood_corpus_clip(corpus, 0)->name, "Actor_01/03-01-03-01-01-01-01.flac");
    assert_string_equal(mood_corpus_clip(corpus, 1)->name, "Actor_01/03-01-03-01-01-02-01.wav");
    assert_int_equal(mood_corpus_source_at(corpus, 0)->n_duplicates, 3);
}

static void test_links(void **state)
{
    (void)state;
    tree_file(&tree, "data/Actor_01/03-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "elsewhere/03-01-04-01-01-01-02.wav", "");
    tree_link(&tree, "data/loop", ".");
    tree_link(&tree, "data/Actor_01/up", "..");
    tree_link(&tree, "data/Actor_02", "../elsewhere");
    assert_int_equal(add("data"), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 2);
    assert_string_equal(mood_corpus_clip(corpus, 1)->name, "Actor_02/03-01-04-01-01-01-02.wav");
}

/* A link that is itself the folder given, and a file that two sources lead to. */
static void test_same_file(void **state)
{
    (void)state;
    tree_file(&tree, "a/03-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "a/03-01-04-01-01-01-01.wav", "");
    tree_link(&tree, "b", "a");
    assert_int_equal(add("b"), MOOD_OK);
    assert_int_equal(add("a"), MOOD_E_INVALID);
    assert_detail("a/03-01-03-01-01-01-01.wav is already in the corpus");
    assert_int_equal(mood_corpus_n_clips(corpus), 2);
    assert_int_equal(mood_corpus_n_sources(corpus), 1);

    tree_file(&tree, "c/03-01-03-01-01-01-02.wav", "");
    char from[256];
    snprintf(from, sizeof(from), "%s", tree_path(&tree, "c/03-01-03-01-01-01-02.wav"));
    assert_int_equal(link(from, tree_path(&tree, "c/03-01-04-01-01-01-02.wav")), 0);
    assert_int_equal(add("c"), MOOD_E_INVALID); /* one file, two labels */
    assert_int_equal(mood_corpus_n_clips(corpus), 2);
}

/* Song and speech share their actors; sources stay in the order in which they came. */
static void test_two_sources(void **state)
{
    (void)state;
    tree_file(&tree, "z/03-01-03-01-01-01-02.wav", "");
    tree_file(&tree, "z/03-01-03-01-01-01-05.wav", "");
    tree_file(&tree, "a/03-02-03-01-01-01-01.wav", "");
    tree_file(&tree, "a/03-02-03-01-01-01-02.wav", "");
    assert_int_equal(add("z"), MOOD_OK);
    assert_int_equal(add("a"), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 4);
    assert_int_equal(mood_corpus_n_speakers(corpus), 3);
    static const int speaker[] = {1, 2, 0, 1}, source[] = {0, 0, 1, 1};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(mood_corpus_clip(corpus, i)->speaker, speaker[i]);
        assert_int_equal(mood_corpus_clip(corpus, i)->source, source[i]);
    }
}

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(add("missing"), MOOD_E_IO);
    assert_detail("missing: No such file");
    assert_int_equal(mood_corpus_add(corpus, ""), MOOD_E_INVALID);
    tree_folder(&tree, "empty");
    assert_int_equal(add("empty"), MOOD_E_FORMAT);
    assert_detail("empty: an empty folder");
    tree_file(&tree, "wrong/happy.wav", "");
    assert_int_equal(add("wrong"), MOOD_E_FORMAT);
    assert_detail("wrong: no clip found");
    assert_detail("MM-VC-EM-IN-ST-RP-AC.wav");
    assert_int_equal(mood_corpus_n_clips(corpus), 0);
    assert_int_equal(mood_corpus_n_labels(corpus), 0);
    assert_int_equal(mood_corpus_n_sources(corpus), 0);
}

static void test_unreadable(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root reads everything */
    tree_file(&tree, "a/03-01-03-01-01-01-02.wav", "");
    tree_folder(&tree, "a/closed");
    assert_int_equal(chmod(tree_path(&tree, "a/closed"), 0), 0);
    assert_int_equal(add("a"), MOOD_E_IO);
    assert_detail("closed: Permission denied");
}

static void test_depth(void **state)
{
    (void)state;
    char name[256] = "a/";
    for (int i = 0; i < MOOD__MAX_FOLDER_DEPTH; i++)
        strcat(name, "d/");
    size_t length = strlen(name);
    strcpy(name + length, "03-01-03-01-01-01-02.wav");
    tree_file(&tree, name, "");
    assert_int_equal(add("a"), MOOD_OK);

    mood_corpus_destroy(&corpus);
    assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
    strcpy(name + length, "d/03-01-03-01-01-01-03.wav");
    tree_file(&tree, name, "");
    assert_int_equal(add("a"), MOOD_E_UNSUPPORTED);
    assert_detail("more than 16 folders deep");
}

static void test_speaker_order(void **state)
{
    (void)state;
    static const char *const rising[] = {"0",    "1",  "02", "3", "10", "011",
                                         "1001", "-1", "1a", "A", "a"};
    enum { N = sizeof(rising) / sizeof(*rising) };
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            int order = mood__speaker_compare(rising[i], rising[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_int_equal(mood__speaker_compare("01", "1"), 0);
    assert_int_equal(mood__speaker_compare("000", "0"), 0);
    assert_int_not_equal(mood__speaker_compare("0x1", "x1"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_names),       CASE(test_other_names), CASE(test_corpora_together),
        CASE(test_collections), CASE(test_whole),       CASE(test_clip),
        CASE(test_left_out),    CASE(test_duplicates),  CASE(test_links),
        CASE(test_same_file),   CASE(test_two_sources), CASE(test_errors),
        CASE(test_unreadable),  CASE(test_depth),       CASE(test_speaker_order),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
