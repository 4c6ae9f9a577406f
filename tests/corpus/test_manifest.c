/* SPDX-License-Identifier: MIT
 *
 * test_manifest.c — CSV manifests as a corpus: the format, labels, mixing, and every bad row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/source.h"
#include "mood/corpus.h"
#include "tree.h"

static struct tree tree;
static mood_corpus *corpus;

static int set_up(void **state)
{
    (void)state;
    tree_make(&tree);
    static const char *const clips[] = {"a.wav", "b.wav", "c.wav", "d.wav", "sub/e.wav"};
    for (int i = 0; i < 5; i++)
        tree_file(&tree, clips[i], "");
    return mood_corpus_create(&corpus);
}

static int tear_down(void **state)
{
    (void)state;
    mood_corpus_destroy(&corpus);
    tree_remove(&tree);
    return 0;
}

static mood_status add(const char *name)
{
    return mood_corpus_add(corpus, tree_path(&tree, name));
}

static mood_status add_text(const char *name, const char *text)
{
    tree_file(&tree, name, text);
    return add(name);
}

static void assert_detail(const char *part)
{
    if (!strstr(mood_error_detail(), part))
        fail_msg("'%s' is not in '%s'", part, mood_error_detail());
    assert_null(strchr(mood_error_detail(), '\n'));
}

/* "name emotion speaker" of clip i */
static void assert_clip(size_t i, const char *want)
{
    const mood_clip *c = mood_corpus_clip(corpus, i);
    assert_non_null(c);
    char text[256];
    snprintf(text, sizeof(text), "%s %s %s", c->name, mood_corpus_label(corpus, c->label),
             mood_corpus_speaker(corpus, c->speaker));
    assert_string_equal(text, want);
}

static void test_eight(void **state)
{
    (void)state;
    assert_int_equal(add_text("m.csv", "path,emotion,speaker\n"
                                       "sub/e.wav,happy,B\n"
                                       "a.wav,Sad,A\n"
                                       "b.wav,SURPRISED,A\n"),
                     MOOD_OK);
    assert_int_equal(mood_corpus_n_labels(corpus), 8);
    assert_clip(0, "a.wav sad A"); /* sorted by name */
    assert_clip(1, "b.wav surprised A");
    assert_clip(2, "sub/e.wav happy B");
    const mood_clip *c = mood_corpus_clip(corpus, 2);
    assert_string_equal(c->path, tree_path(&tree, "sub/e.wav"));
    assert_int_equal(c->sex, MOOD_SEX_UNKNOWN);
    assert_int_equal(c->statement, 0);
    const mood_corpus_source *s = mood_corpus_source_at(corpus, 0);
    assert_true(s->manifest);
    assert_int_equal(s->n_clips, 3);
}

/* The columns corpus and licence, and what stands for them where they are missing or empty. */
static void test_collections(void **state)
{
    (void)state;
    assert_int_equal(add_text("m.csv", "path,emotion,speaker,licence,corpus\n"
                                       "a.wav,happy,A,CC0,Ours\n"
                                       "b.wav,sad,B,,Ours\n"
                                       "c.wav,sad,B,,\n"
                                       "d.wav,sad,A,CC0,Ours\n"),
                     MOOD_OK);
    assert_int_equal(add_text("n.csv", "path,emotion,speaker\nsub/e.wav,sad,A\n"), MOOD_OK);
    static const char *const name[] = {"Ours", "Ours", "m.csv", "n.csv"};
    static const char *const licence[] = {"CC0", "unknown", "unknown", "unknown"};
    assert_int_equal(mood_corpus_n_collections(corpus), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(mood_corpus_collection(corpus, i)->name, name[i]);
        assert_string_equal(mood_corpus_collection(corpus, i)->licence, licence[i]);
        assert_int_equal(mood_corpus_collection(corpus, i)->n_clips, i == 0 ? 2 : 1);
        assert_int_equal(mood_corpus_collection(corpus, i)->n_speakers, 1);
    }
    assert_int_equal(add_text("o.csv", "path,emotion,speaker,corpus,corpus\na.wav,sad,A,x,y\n"),
                     MOOD_E_FORMAT);
    assert_detail("o.csv: line 1: more than one column 'corpus'");
}

/* More corpora than anybody has: a mistake, which would take long to work through. */
static void test_too_many_collections(void **state)
{
    (void)state;
    char *text = malloc(1 << 16), *at = text;
    at += sprintf(at, "path,emotion,speaker,corpus\n");
    for (int i = 0; i < 300; i++)
        at += sprintf(at, "a%d.wav,%s,A,corpus %d\n", i, i % 2 ? "sad" : "happy", i);
    assert_int_equal(add_text("m.csv", text), MOOD_E_UNSUPPORTED);
    assert_detail("m.csv: line 258: more than 256 corpora");
    free(text);
}

/* Byte order mark, CRLF, quotes, spaces, empty lines, other columns and order, no final newline,
 * absolute paths. */
static void test_format(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text),
             "\xef\xbb\xbf"
             " Speaker ,\"note\", PATH,\temotion\r\n"
             "\r\n"
             "S 1,,./a.wav,happy\r\n"
             "  \t\r\n"
             " \"S \"\"2\"\"\" ,\"x,y\",  \"b.wav\" , \"sad\"\r\n"
             "Zo\xc3\xab,-,%s/c.wav,calm",
             tree.root);
    assert_int_equal(add_text("m.csv", text), MOOD_OK);
    assert_int_equal(mood_corpus_n_clips(corpus), 3);
    assert_clip(0, "./a.wav happy S 1");
    assert_string_equal(mood_corpus_clip(corpus, 1)->path, tree_path(&tree, "c.wav"));
    assert_clip(2, "b.wav sad S \"2\"");
    assert_int_equal(mood_corpus_find_speaker(corpus, "Zo\xc3\xab"), 2);
}

static void test_own_labels(void **state)
{
    (void)state;
    assert_int_equal(add_text("m.csv", "path,emotion,speaker\n"
                                       "d.wav,Boredom,1\n"
                                       "a.wav,happy,1\n"
                                       "b.wav,boredom,02\n"
                                       "c.wav,anger,01\n"),
                     MOOD_OK);
    assert_int_equal(mood_corpus_n_labels(corpus), 3);
    assert_string_equal(mood_corpus_label(corpus, 0), "Boredom");
    assert_string_equal(mood_corpus_label(corpus, 1), "happy");
    assert_string_equal(mood_corpus_label(corpus, 2), "anger");
    assert_clip(0, "a.wav happy 01"); /* 1 and 01 are one person; the first by bytes is shown */
    assert_clip(1, "b.wav Boredom 02");
    assert_int_equal(mood_corpus_n_speakers(corpus), 2);
}

/* A manifest of n rows over n clips and n emotions e0, e1, ... */
static mood_status add_n_labels(int n)
{
    char *text = calloc(4096, 1), name[32], row[64];
    strcpy(text, "path,emotion,speaker\n");
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "n/%02d.wav", i);
        tree_file(&tree, name, "");
        snprintf(row, sizeof(row), "%s,e%d,s\n", name, i);
        strcat(text, row);
    }
    mood_status status = add_text("n.csv", text);
    free(text);
    return status;
}

static void test_n_labels(void **state)
{
    (void)state;
    assert_int_equal(add_n_labels(65), MOOD_E_FORMAT);
    assert_detail("n.csv: line 66: 'e64' is one emotion too many: at most 64");
    assert_int_equal(add_n_labels(1), MOOD_E_FORMAT);
    assert_detail("n.csv: 'e0' is the only emotion");
    assert_int_equal(add_n_labels(64), MOOD_OK);
    assert_int_equal(mood_corpus_n_labels(corpus), 64);
    assert_int_equal(mood_corpus_clip(corpus, 63)->label, 63);
}

static void test_mixing(void **state)
{
    (void)state;
    tree_file(&tree, "r/03-01-03-01-01-01-01.wav", "");
    tree_file(&tree, "r/03-01-05-01-01-01-02.wav", "");
    tree_file(&tree, "own.csv", "path,emotion,speaker\na.wav,happy,x\nb.wav,boredom,y\n");
    tree_file(&tree, "own2.csv", "path,emotion,speaker\nc.wav,boredom,y\nd.wav,HAPPY,z\n");
    tree_file(&tree, "more.csv",
              "path,emotion,speaker\nc.wav,boredom,y\nd.wav,happy,z\n"
              "sub/e.wav,anger,z\n");
    tree_file(&tree, "eight.csv", "path,emotion,speaker\nc.wav,sad,1\nd.wav,calm,x\n");

    assert_int_equal(add("own.csv"), MOOD_OK);
    assert_int_equal(add("r"), MOOD_E_INVALID);
    assert_detail("/r has the label 'neutral', which ");
    assert_detail("/own.csv has not");
    assert_int_equal(add("more.csv"), MOOD_E_INVALID);
    assert_detail("more.csv has the label 'anger'");
    assert_int_equal(mood_corpus_n_clips(corpus), 2);
    assert_int_equal(add("own2.csv"), MOOD_OK); /* the same set in another order */
    assert_clip(2, "c.wav boredom y");
    assert_clip(3, "d.wav happy z");
    assert_int_equal(mood_corpus_n_speakers(corpus), 3);

    mood_corpus_destroy(&corpus);
    assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
    assert_int_equal(add("more.csv"), MOOD_OK);
    assert_int_equal(add("own.csv"), MOOD_E_INVALID);
    assert_detail("more.csv has the label 'anger'");

    mood_corpus_destroy(&corpus);
    assert_int_equal(mood_corpus_create(&corpus), MOOD_OK);
    assert_int_equal(add("r"), MOOD_OK);
    assert_int_equal(add("eight.csv"), MOOD_OK);
    assert_int_equal(mood_corpus_n_labels(corpus), 8);
    assert_int_equal(mood_corpus_n_speakers(corpus), 3); /* 01 of both sources, 02, x */
    assert_clip(0, "03-01-03-01-01-01-01.wav happy 01");
    assert_clip(2, "c.wav sad 01");
}

/* Each bad text, its status and what its detail has to say. */
static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mood_status status;
        const char *detail;
    } cases[] = {
        {"", MOOD_E_FORMAT, "m.csv: an empty file"},
        {"\n \r\n", MOOD_E_FORMAT, "m.csv: an empty file"},
        {"path,emotion\na.wav,happy\n", MOOD_E_FORMAT,
         "m.csv: line 1: no column 'speaker' in the first line"},
        {"\n\na.wav,happy,1\n", MOOD_E_FORMAT, "line 3: no column 'path' in the first line"},
        {"path;emotion;speaker\n", MOOD_E_FORMAT, "line 1: no column 'path'"},
        {"path,emotion,speaker,Path\n", MOOD_E_FORMAT, "line 1: more than one column 'path'"},
        {"path,emotion,speaker\n", MOOD_E_FORMAT, "m.csv: no clip below the first line"},
        {"path,emotion,speaker\na.wav,happy,1\n\nb.wav,sad\n", MOOD_E_FORMAT,
         "m.csv: line 4: 2 fields, but the first line has 3"},
        {"path,emotion,speaker\na.wav,happy,1,2\n", MOOD_E_FORMAT, "line 2: 4 fields"},
        {"path,emotion,speaker\n,happy,1\n", MOOD_E_FORMAT, "line 2: path is empty"},
        {"path,emotion,speaker\na.wav, ,1\n", MOOD_E_FORMAT, "line 2: emotion is empty"},
        {"path,emotion,speaker\na.wav,happy,\"\"\n", MOOD_E_FORMAT, "line 2: speaker is empty"},
        {"path,emotion,speaker\na.wav,happy,\"1\n2\"\n", MOOD_E_FORMAT,
         "line 2: a quote is not closed on its line"},
        {"path,emotion,speaker\n\"a.wav\"x,happy,1\n", MOOD_E_FORMAT,
         "line 2: text after a closing quote"},
        {"path,emotion,speaker\na.wav,hap\x01py,1\n", MOOD_E_FORMAT,
         "line 2: control character 0x01"},
        {"path,emotion,speaker\na.wav,hap\rpy,1\n", MOOD_E_FORMAT,
         "line 2: control character 0x0d"},
        {"path,emotion,speaker\na.wav,fr\xf6hlich,1\n", MOOD_E_FORMAT, "line 2: not UTF-8 text"},
        {"RIFF\x24\x08\x01", MOOD_E_FORMAT, "line 1: control character 0x08"},
        {"path,emotion,speaker\na.wav,happy,\"1,2\"\n", MOOD_E_FORMAT,
         "line 2: a comma in speaker '1,2'"},
        {"path,emotion,speaker\na.wav,happy,1\nnone.wav,sad,1\n", MOOD_E_IO,
         "/none.wav: No such file"},
        {"path,emotion,speaker\na.wav,happy,1\nnone.wav,sad,1\n", MOOD_E_IO, "m.csv: line 3: "},
        {"path,emotion,speaker\na.wav,happy,1\nsub,sad,1\n", MOOD_E_IO, "/sub: not a file"},
        {"path,emotion,speaker\na.wav,happy,1\nb.wav,sad,2\n./a.wav,calm,1\n", MOOD_E_INVALID,
         "m.csv: line 4: the file of line 2 once more"},
        {"path,emotion,speaker\nb.wav,happy,1\nb.wav,happy,1\n", MOOD_E_INVALID,
         "m.csv: line 3: the file of line 2 once more"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        mood_status status = add_text("m.csv", cases[i].text);
        if (status != cases[i].status)
            fail_msg("'%s': %s", cases[i].text, mood_status_name(status));
        assert_detail(cases[i].detail);
        assert_int_equal(mood_corpus_n_clips(corpus), 0);
        assert_int_equal(mood_corpus_n_sources(corpus), 0);
    }
}

/* Limits of single fields: the longest that is taken, and one byte more. */
static void test_lengths(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text), "path,emotion,speaker\na.wav,%065d,1\n", 1);
    assert_int_equal(add_text("m.csv", text), MOOD_E_FORMAT);
    assert_detail("line 2: an emotion of more than 64 bytes");
    snprintf(text, sizeof(text), "path,emotion,speaker\na.wav,x,%065d\n", 1);
    assert_int_equal(add_text("m.csv", text), MOOD_E_FORMAT);
    assert_detail("line 2: a speaker of more than 64 bytes");
    strcpy(text, "path,emotion,speaker");
    for (int i = 3; i < 65; i++)
        strcat(text, ",x");
    assert_int_equal(add_text("m.csv", text), MOOD_E_FORMAT);
    assert_detail("line 1: more than 64 columns");
    snprintf(text, sizeof(text), "path,emotion,speaker\na.wav,%064d,%064d\nb.wav,x,1\n", 1, 2);
    assert_int_equal(add_text("m.csv", text), MOOD_OK);
}

/* Zero bytes cannot come through a C string. */
static void test_zero_byte(void **state)
{
    (void)state;
    char text[] = "path,emotion,speaker\na.wav,hap\0py,1\n";
    struct mood__source s = {.pub.path = "m.csv"};
    assert_int_equal(mood__manifest_parse(&s, text, sizeof(text) - 1), MOOD_E_FORMAT);
    assert_detail("m.csv: line 2: control character 0x00");
    mood__source_free(&s);
}

/* In the working folder, a manifest's path has no folder to be relative to. */
static void test_bare_path(void **state)
{
    (void)state;
    char text[] = "path,emotion,speaker\na.wav,happy,1\nb.wav,sad,1\n";
    struct mood__source s = {.pub.path = "m.csv"};
    assert_int_equal(mood__manifest_parse(&s, text, sizeof(text) - 1), MOOD_OK);
    assert_string_equal(s.clips[0].pub.path, "a.wav");
    mood__source_free(&s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_eight),
        CASE(test_format),
        CASE(test_own_labels),
        CASE(test_n_labels),
        CASE(test_mixing),
        CASE(test_bad),
        CASE(test_lengths),
        CASE(test_zero_byte),
        CASE(test_bare_path),
        CASE(test_collections),
        CASE(test_too_many_collections),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
