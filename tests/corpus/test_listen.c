/* SPDX-License-Identifier: MIT
 *
 * test_listen.c — Leaks, each planted: the same recording under two names, in two formats, under
 * two labels, of two speakers, on two sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

enum { RATE = 16000, N = 3000 };

static void put(FILE *f, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        fputc((int)(value >> (8 * i) & 255), f);
}

/* How a sound is written down. */
struct form {
    int bits;          /* 16 or 24 */
    int channels;      /* 1, or 2 that are alike */
    int before, after; /* digital silence */
    bool lasting;      /* two seconds, which is enough for a fingerprint */
    bool changed;      /* half as loud, and without its beginning: needs `lasting` */
};

static const struct form plain = {16, 1, 0, 0, false, false};

/* Sound number `seed`: noise, so that no two are alike; 0 is silence. `odd` adds 1 to one sample.
 */
static void write_sound(const char *name, unsigned seed, const struct form *form, int odd)
{
    tree_file(&tree, name, "");
    FILE *f = fopen(tree_path(&tree, name), "wb");
    assert_non_null(f);
    uint32_t frame = (uint32_t)(form->bits / 8 * form->channels);
    int n = form->lasting ? 2 * RATE : N, skip = form->changed ? 777 : 0;
    uint32_t bytes = (uint32_t)(form->before + n - skip + form->after) * frame, state = seed;
    fputs("RIFF", f);
    put(f, 36 + bytes, 4);
    fputs("WAVEfmt ", f);
    put(f, 16, 4); /* bytes of the format that follow */
    put(f, 1, 2);  /* PCM */
    put(f, (uint32_t)form->channels, 2);
    put(f, RATE, 4);
    put(f, RATE * frame, 4);
    put(f, frame, 2);
    put(f, (uint32_t)form->bits, 2);
    fputs("data", f);
    put(f, bytes, 4);
    for (int i = 0; i < skip; i++)
        state = state * 1664525u + 1013904223u;
    for (int i = -form->before; i < n - skip + form->after; i++) {
        state = i >= 0 ? state * 1664525u + 1013904223u : state;
        int x = seed && i >= 0 && i < n - skip ? (int)(state >> 18) - 8192 + (i == 0) : 0;
        x = form->changed ? x / 2 : x;
        x += odd && i == N / 2;
        for (int c = 0; c < form->channels; c++)
            put(f, (uint32_t)(form->bits == 24 ? x * 256 : x), form->bits / 8);
    }
    assert_int_equal(fclose(f), 0);
}

static void manifest(const char *rows)
{
    tree_file(&tree, "m.csv", rows);
    if (mood_corpus_add(corpus, tree_path(&tree, "m.csv")) != MOOD_OK)
        fail_msg("%s", mood_error_detail());
}

static void listen(void)
{
    assert_int_equal(mood_corpus_listen(corpus, NULL), MOOD_OK);
}

static const mood_clip *clip(size_t i)
{
    return mood_corpus_clip(corpus, i);
}

/* ---- what is the same -------------------------------------------------------------------------
 */

static void test_forms(void **state)
{
    (void)state;
    static const struct form forms[] = {{.bits = 16, .channels = 1},
                                        {.bits = 24, .channels = 1},
                                        {.bits = 16, .channels = 2},
                                        {.bits = 24, .channels = 2, .before = 900, .after = 70}};
    write_sound("a.wav", 1, &forms[0], 0);
    write_sound("b.wav", 1, &forms[1], 0);
    write_sound("c.wav", 1, &forms[2], 0);
    write_sound("d.wav", 1, &forms[3], 0);
    write_sound("e.wav", 1, &plain, 1); /* one sample is another */
    write_sound("f.wav", 2, &plain, 0);
    write_sound("g.wav", 0, &plain, 0);
    write_sound("h.wav", 0, &forms[3], 0);
    tree_file(&tree, "i.wav", "RIFF");
    tree_file(&tree, "j.wav", "RIFF");
    write_sound("k.wav", 2, &forms[1], 0);
    manifest("path,emotion,speaker\n"
             "a.wav,sad,1\nb.wav,sad,1\nc.wav,sad,1\nd.wav,sad,1\ne.wav,sad,1\nf.wav,happy,2\n"
             "g.wav,sad,1\nh.wav,happy,1\ni.wav,sad,1\nj.wav,happy,1\nk.wav,happy,3\n");
    for (size_t i = 0; i < 11; i++)
        assert_true(clip(i)->recording == i && !clip(i)->disputed);
    listen();
    static const size_t expected[] = {0, 0, 0, 0, 4, 5, 6, 7, 8, 9, 5};
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(clip(i)->recording, expected[i]);
        assert_false(clip(i)->disputed);
    }
}

static int stop_at_once(void *user, int64_t done, int64_t total)
{
    int *calls = user;
    assert_true(done > 0 && done <= total && total == 40);
    return ++*calls == 2;
}

static int count(void *user, int64_t done, int64_t total)
{
    *(int64_t *)user = done;
    assert_int_equal(total, 40);
    return 0;
}

static void test_threads_and_stop(void **state)
{
    (void)state;
    char rows[4096] = "path,emotion,speaker\n";
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%02u.wav", i);
        write_sound(name, 1 + i % 7, &plain, 0);
        snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows), "%s,%s,%u\n", name,
                 i % 7 == 3 && i > 30 ? "sad" : "happy", i % 3);
    }
    manifest(rows);
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    int calls = 0;
    int64_t done = 0;
    mood_listen_params p = {.on_progress = stop_at_once, .user = &calls};
    assert_int_equal(mood_corpus_listen(corpus, &p), MOOD_E_STOPPED);
    assert_int_equal(clip(7)->recording, 7); /* as before */
    p = (mood_listen_params){.pool = pool, .on_progress = count, .user = &done};
    assert_int_equal(mood_corpus_listen(corpus, &p), MOOD_OK);
    assert_int_equal(done, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(clip(i)->recording, i % 7);
        assert_int_equal(clip(i)->disputed, i % 7 == 3); /* 31 and 38 are sad */
    }
    mood_pool_destroy(&pool);
}

/* ---- what it means for splits -----------------------------------------------------------------
 */

/* Speakers 1 to 4 with a happy and a sad clip each, all different, but for what a test changes. */
static void four_speakers(void)
{
    for (unsigned s = 1; s <= 4; s++)
        for (unsigned k = 0; k < 2; k++) {
            char name[32];
            snprintf(name, sizeof(name), "%u%c.wav", s, k ? 's' : 'h');
            write_sound(name, 10 * s + k, &plain, 0);
        }
}

static const char four_rows[] =
    "path,emotion,speaker\n1h.wav,happy,1\n1s.wav,sad,1\n2h.wav,happy,2\n2s.wav,sad,2\n"
    "3h.wav,happy,3\n3s.wav,sad,3\n4h.wav,happy,4\n4s.wav,sad,4\n";

static const mood_split_params by_speaker = {.val_speakers = "3", .test_speakers = "4"};

static void test_two_names_of_a_voice(void **state)
{
    (void)state;
    four_speakers();
    write_sound("4h.wav", 10, &(struct form){.bits = 24, .channels = 1, .after = 50},
                0); /* that of 1h.wav */
    manifest(four_rows);
    assert_int_equal(mood_split_create(&split, corpus, &by_speaker), MOOD_OK); /* deaf */
    assert_int_equal(mood_split_protocol(split)->n_twins, 0);
    mood_split_destroy(&split);
    listen();
    assert_int_equal(mood_split_create(&split, corpus, &by_speaker), MOOD_E_INVALID);
    assert_null(split);
    static const char *const said[] = {"1h.wav (speaker 1, train)", "4h.wav (speaker 4, test)",
                                       "same recording: 2 clips"};
    for (int i = 0; i < 3; i++)
        assert_non_null(strstr(mood_error_detail(), said[i]));
    /* On one side they do no harm. */
    mood_split_params together = {.val_speakers = "3", .test_speakers = "1,4"};
    assert_int_equal(mood_split_create(&split, corpus, &together), MOOD_OK);
    assert_true(mood_split_protocol(split)->speaker_disjoint);
    assert_int_equal(mood_split_protocol(split)->n_twins, 0);
}

static void test_changed_before_the_split(void **state)
{
    (void)state;
    const struct form whole = {16, 1, 0, 0, true, false}, changed = {16, 1, 300, 0, true, true};
    four_speakers();
    write_sound("2s.wav", 5, &whole, 0);
    write_sound("3s.wav", 6, &whole, 0);
    write_sound("4s.wav", 5, &changed, 0);
    manifest(four_rows);
    listen();
    assert_int_equal(clip(7)->recording, 3);
    assert_int_equal(clip(5)->recording, 5);
    assert_int_equal(mood_split_create(&split, corpus, &by_speaker), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "2s.wav (speaker 2, train)"));
    assert_non_null(strstr(mood_error_detail(), "4s.wav (speaker 4, test)"));
}

/* The second copy on a side counts nothing twice; a file that wants it there has its way. */
static void test_copies_count_once(void **state)
{
    (void)state;
    four_speakers();
    write_sound("1t.wav", 11, &plain, 0); /* that of 1s.wav */
    write_sound("4t.wav", 41, &(struct form){.bits = 24, .channels = 1}, 0);
    char rows[512];
    snprintf(rows, sizeof(rows), "%s1t.wav,sad,1\n4t.wav,sad,4\n", four_rows);
    manifest(rows);
    listen();
    assert_int_equal(mood_split_create(&split, corpus, &by_speaker), MOOD_OK);
    assert_int_equal(mood_split_protocol(split)->n_copies, 2);
    assert_int_equal(mood_split_protocol(split)->n_twins, 0);
    for (size_t i = 0; i < 10; i++) {
        bool copy = strcmp(clip(i)->name, "1t.wav") == 0 || strcmp(clip(i)->name, "4t.wav") == 0;
        assert_int_equal(mood_split_side(split, i) == MOOD_SIDE_UNUSED, copy);
    }
    mood_split_destroy(&split);
    tree_file(&tree, "split.csv",
              "path,side\n1s.wav,train\n1t.wav,train\n1h.wav,train\n3s.wav,val\n4s.wav,test\n");
    char file[256];
    snprintf(file, sizeof(file), "%s", tree_path(&tree, "split.csv"));
    mood_split_params p = {.kind = MOOD_SPLIT_FILE, .file = file};
    assert_int_equal(mood_split_create(&split, corpus, &p), MOOD_OK);
    assert_int_equal(mood_split_protocol(split)->n_copies, 0);
    assert_int_equal(mood_split_protocol(split)->n_clips[MOOD_SIDE_TRAIN], 3);
}

static void test_twins_are_counted_where_voices_are_mixed(void **state)
{
    (void)state;
    four_speakers();
    write_sound("2h.wav", 10, &plain, 0);
    write_sound("3h.wav", 10, &plain, 0);
    manifest(four_rows);
    listen();
    tree_file(&tree, "split.csv",
              "path,side\n1h.wav,train\n1s.wav,test\n2h.wav,train\n2s.wav,train\n3h.wav,test\n"
              "3s.wav,val\n4h.wav,val\n");
    char file[256];
    snprintf(file, sizeof(file), "%s", tree_path(&tree, "split.csv"));
    mood_split_params p = {.kind = MOOD_SPLIT_FILE, .file = file};
    assert_int_equal(mood_split_create(&split, corpus, &p), MOOD_OK);
    assert_false(mood_split_protocol(split)->speaker_disjoint);
    assert_int_equal(mood_split_protocol(split)->n_twins, 3);
    assert_int_equal(mood_split_protocol(split)->n_disputed, 0);
}

static void test_two_labels(void **state)
{
    (void)state;
    four_speakers();
    write_sound("2s.wav", 20, &(struct form){.bits = 16, .channels = 2}, 0); /* that of 2h.wav */
    write_sound("4s.wav", 30, &plain, 0); /* that of 3h.wav, another's */
    manifest(four_rows);
    listen();
    assert_int_equal(mood_split_create(&split, corpus, &by_speaker), MOOD_OK);
    static const mood_side expected[] = {MOOD_SIDE_TRAIN,  MOOD_SIDE_TRAIN,  MOOD_SIDE_UNUSED,
                                         MOOD_SIDE_UNUSED, MOOD_SIDE_UNUSED, MOOD_SIDE_VAL,
                                         MOOD_SIDE_TEST,   MOOD_SIDE_UNUSED};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(mood_split_side(split, i), expected[i]);
    assert_int_equal(mood_split_protocol(split)->n_disputed, 4);
    assert_int_equal(mood_split_protocol(split)->n_twins, 0);
    assert_int_equal(mood_split_protocol(split)->n_clips[MOOD_SIDE_TRAIN], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_forms),
        CASE(test_threads_and_stop),
        CASE(test_two_names_of_a_voice),
        CASE(test_changed_before_the_split),
        CASE(test_twins_are_counted_where_voices_are_mixed),
        CASE(test_copies_count_once),
        CASE(test_two_labels),
    };
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
