/* SPDX-License-Identifier: MIT
 *
 * test_cache.c — The folder of shards: what is put in comes out, whoever else uses it, whatever was
 * damaged or left behind; and files that are no shards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "fail_alloc.h"
#include "store/store.h"
#include "store/temp.h"
#include "train/cache.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { WIDTH = 6, PLANE = 4, MAX_ROWS = 64 };

static struct mood__cache_params params(void)
{
    return (struct mood__cache_params){
        .folder = temp_folder,
        .layout = {.key = "some key\n",
                   .dtype = MOOD_F32,
                   .rank = 2,
                   .dim = {2, WIDTH / 2},
                   .plane = PLANE},
    };
}

static struct mood__cache *open_cache(void)
{
    struct mood__cache *c;
    struct mood__cache_params p = params();
    assert_ok(mood__cache_open(&c, &p));
    return c;
}

/* ---- contents that are known beforehand ---- */

static float value(int clip, int copy, int window, int i)
{
    return (float)(1000 * clip + 100 * copy + 10 * window) + (float)i / 8;
}

struct rows {
    struct mood__piece pieces[MOOD__SHARD_MAX_PIECES];
    float features[MAX_ROWS * WIDTH], planes[MAX_ROWS * PLANE];
    int32_t speech[MAX_ROWS];
    struct mood__shard_content content;
};

static void begin(struct rows *r)
{
    memset(r, 0, sizeof(*r));
    r->content = (struct mood__shard_content){
        .pieces = r->pieces, .features = r->features, .planes = r->planes, .speech = r->speech};
}

/* Windows [first, first + count) of `n` of a clip's copy; a third of them without speech. */
static void put(struct rows *r, int clip, int copy, int n, int first, int count)
{
    struct mood__piece *p = &r->pieces[r->content.n_pieces++];
    *p = (struct mood__piece){.digest = {(unsigned char)(clip * 37), 7, (unsigned char)clip},
                              .copy = copy,
                              .n_samples = 100 + clip,
                              .n_windows = n,
                              .first = first,
                              .count = count};
    for (int w = first; w < first + count; w++) {
        int64_t row = r->content.n_rows++;
        for (int i = 0; i < WIDTH; i++)
            r->features[row * WIDTH + i] = value(clip, copy, w, i);
        for (int i = 0; i < PLANE; i++)
            r->planes[row * PLANE + i] = -value(clip, copy, w, i);
        r->speech[row] = (clip + w) % 3 != 0;
    }
}

static void add(struct mood__cache *c, int clip, int copy, int n, int first, int count)
{
    static struct rows r;
    begin(&r);
    put(&r, clip, copy, n, first, count);
    assert_ok(mood__cache_add(c, &r.content));
}

static const struct mood__piece *find(const struct mood__cache *c, int clip, int copy)
{
    unsigned char digest[MOOD__SHA256_BYTES] = {(unsigned char)(clip * 37), 7, (unsigned char)clip};
    return mood__cache_find(c, digest, copy);
}

static void assert_there(const struct mood__cache *c, int clip, int copy, int n)
{
    const struct mood__piece *first = find(c, clip, copy);
    assert_non_null(first);
    assert_int_equal(first->n_windows, n);
    assert_int_equal(first->n_samples, 100 + clip);
    for (int w = 0; w < n; w++) {
        float features[WIDTH], plane[PLANE];
        const struct mood__piece *p = mood__cache_piece(first, w);
        assert_int_equal(p->speech[w - p->first], (clip + w) % 3 != 0);
        assert_ok(mood__cache_read(c, first, w, features, plane));
        for (int i = 0; i < WIDTH; i++)
            assert_true(features[i] == value(clip, copy, w, i));
        for (int i = 0; i < PLANE; i++)
            assert_true(plane[i] == -value(clip, copy, w, i));
    }
}

/* The files of the folder whose names end in `end`; the name of the first. */
static int count_files(const char *end, char first[NAME_MAX + 1])
{
    int n = 0;
    DIR *dir = opendir(temp_folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t length = strlen(e->d_name);
        if (length < strlen(end) || strcmp(e->d_name + length - strlen(end), end) != 0)
            continue;
        if (n++ == 0 && first)
            snprintf(first, NAME_MAX + 1, "%s", e->d_name);
    }
    closedir(dir);
    return n;
}

static int sweep(void **state)
{
    (void)state;
    temp_sweep();
    return 0;
}

/* ---- keeping ---- */

static void test_what_is_added_is_there(void **state)
{
    (void)state;
    static struct rows r;
    struct mood__cache *c = open_cache();
    begin(&r);
    put(&r, 1, 0, 3, 0, 3);
    put(&r, 2, 0, 1, 0, 1);
    put(&r, 2, 2, 2, 0, 2);
    assert_ok(mood__cache_add(c, &r.content));
    add(c, 3, 0, 2, 0, 2);
    for (int again = 0; again < 2; again++) {
        assert_there(c, 1, 0, 3);
        assert_there(c, 2, 0, 1);
        assert_there(c, 2, 2, 2);
        assert_there(c, 3, 0, 2);
        assert_null(find(c, 4, 0));
        assert_null(find(c, 1, 1));
        assert_int_equal(mood__cache_n_bad(c), 0);
        mood__cache_close(&c);
        c = open_cache();
    }
    mood__cache_close(&c);
    assert_null(c);
    assert_int_equal(count_files(".h5", NULL), 2);
}

/* A clip of several shards is there when all of it is; twice the same window does no harm. */
static void test_clips_in_pieces(void **state)
{
    (void)state;
    struct mood__cache *c = open_cache();
    add(c, 1, 0, 7, 4, 3);
    assert_null(find(c, 1, 0));
    add(c, 1, 0, 7, 0, 3);
    assert_null(find(c, 1, 0));
    add(c, 1, 0, 7, 2, 2);
    assert_there(c, 1, 0, 7);
    add(c, 1, 0, 7, 0, 5);
    assert_there(c, 1, 0, 7);
    mood__cache_close(&c);
    c = open_cache();
    assert_there(c, 1, 0, 7);
    mood__cache_close(&c);
}

/* Two processes that compute the same, and different things, at once. */
static void test_two_users(void **state)
{
    (void)state;
    struct mood__cache *a = open_cache(), *b = open_cache();
    add(a, 1, 0, 2, 0, 2);
    add(b, 1, 0, 2, 0, 2);
    assert_int_equal(count_files(".h5", NULL), 1);
    add(a, 2, 0, 1, 0, 1);
    add(b, 3, 0, 1, 0, 1);
    assert_there(a, 1, 0, 2);
    assert_there(b, 1, 0, 2);
    assert_null(find(a, 3, 0)); /* he sees what was there, and his own */
    mood__cache_close(&a);
    mood__cache_close(&b);
    a = open_cache();
    for (int clip = 1; clip <= 3; clip++)
        assert_there(a, clip, 0, clip == 1 ? 2 : 1);
    mood__cache_close(&a);
}

/* ---- damage ---- */

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(temp_path(name), "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void damage(const char *name, long offset)
{
    FILE *f = fopen(temp_path(name), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, offset, SEEK_SET), 0);
    int byte = fgetc(f);
    assert_int_equal(fseek(f, offset, SEEK_SET), 0);
    fputc(byte ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static void test_damaged_shards_are_dropped(void **state)
{
    (void)state;
    char name[NAME_MAX + 1];
    for (int how = 0; how < 3; how++) {
        struct mood__cache *c = open_cache();
        add(c, 1, 0, 2, 0, 2);
        assert_int_equal(count_files(".h5", name), 1);
        mood__cache_close(&c);
        if (how == 0)
            damage(name, 1500);
        else if (how == 1)
            assert_int_equal(truncate(temp_path(name), 700), 0);
        else
            write_text(name, "");
        c = open_cache();
        assert_null(find(c, 1, 0));
        assert_int_equal(mood__cache_n_bad(c), 1);
        assert_non_null(strstr(mood__cache_first_bad(c), name));
        assert_int_equal(count_files(".h5", NULL), 0);
        add(c, 1, 0, 2, 0, 2); /* and are made again */
        assert_there(c, 1, 0, 2);
        mood__cache_close(&c);
        sweep(NULL);
    }
}

/* Only who is alone removes files: somebody else may be about to replace them. */
static void test_nothing_is_removed_beside_others(void **state)
{
    (void)state;
    char name[NAME_MAX + 1];
    struct mood__cache *a = open_cache();
    add(a, 1, 0, 2, 0, 2);
    assert_int_equal(count_files(".h5", name), 1);
    damage(name, 1500);
    write_text(".libmood-0123456789abcdef.tmp", "half a sh");
    struct mood__cache *b = open_cache();
    assert_int_equal(mood__cache_n_bad(b), 1);
    assert_int_equal(count_files(".h5", NULL), 1);
    assert_int_equal(count_files(".tmp", NULL), 1);
    mood__cache_close(&a);
    mood__cache_close(&b);
    write_text("notes.tmp", "not ours");
    a = open_cache();
    assert_int_equal(count_files(".h5", NULL), 0);
    assert_int_equal(count_files(".tmp", name), 1);
    assert_string_equal(name, "notes.tmp");
    mood__cache_close(&a);
}

/* A shard that is whole, but of another cache, is left to its owner. */
static void test_foreign_shards_stay(void **state)
{
    (void)state;
    struct mood__cache *c = open_cache(), *other;
    add(c, 1, 0, 2, 0, 2);
    mood__cache_close(&c);
    struct mood__cache_params p = params();
    p.layout.key = "another key\n";
    assert_ok(mood__cache_open(&other, &p));
    assert_null(find(other, 1, 0));
    assert_int_equal(mood__cache_n_bad(other), 1);
    assert_non_null(strstr(mood__cache_first_bad(other), "another cache"));
    mood__cache_close(&other);
    c = open_cache();
    assert_there(c, 1, 0, 2);
    mood__cache_close(&c);
}

static void test_a_shard_that_vanished(void **state)
{
    (void)state;
    char name[NAME_MAX + 1];
    float features[WIDTH];
    struct mood__cache *c = open_cache();
    add(c, 1, 0, 2, 0, 2);
    assert_int_equal(count_files(".h5", name), 1);
    assert_int_equal(unlink(temp_path(name)), 0);
    assert_int_equal(mood__cache_read(c, find(c, 1, 0), 0, features, NULL), MOOD_E_IO);
    assert_non_null(strstr(mood_error_detail(), name));
    mood__cache_close(&c);
}

/* ---- files with a good digest that are no shards ---- */

struct fake {
    int64_t n_clips, n_columns, n_speech, n_features, width;
    int32_t clips[2 * 13];
    bool no_mel;
};

static struct fake good_fake(void)
{
    struct fake f = {.n_clips = 1, .n_columns = 13, .n_speech = 2, .n_features = 2, .width = 3};
    f.clips[9] = 100; /* samples, windows, first, count */
    f.clips[10] = 2;
    f.clips[12] = 2;
    return f;
}

static void write_tensor(struct mood__writer *w, const char *name, void *data, mood_dtype dtype,
                         int rank, const int64_t *dim)
{
    mood_tensor t;
    assert_ok(mood_tensor_make(&t, data, dtype, rank, dim));
    assert_ok(mood__writer_add_tensor(w, name, &t));
}

static void write_fake(struct fake f)
{
    static float numbers[64];
    static int32_t speech[64];
    struct mood__writer *w;
    const struct mood__format format = {.kind = "features-cache", .major = 1};
    assert_ok(mood__writer_create(&w, &format));
    assert_ok(mood__writer_add_text(w, "key", "some key\n"));
    write_tensor(w, "clips", f.clips, MOOD_I32, 2, (int64_t[]){f.n_clips, f.n_columns});
    write_tensor(w, "speech", speech, MOOD_I32, 1, &f.n_speech);
    write_tensor(w, "features", numbers, MOOD_F32, 3, (int64_t[]){f.n_features, 2, f.width});
    if (!f.no_mel)
        write_tensor(w, "mel", numbers, MOOD_F32, 2, (int64_t[]){f.n_features, PLANE});
    assert_ok(mood__writer_save(w, temp_path("0123456789abcdef.h5")));
    mood__writer_destroy(&w);
}

static void assert_bad(struct fake f, int n_bad)
{
    write_fake(f);
    struct mood__cache *c = open_cache();
    assert_int_equal(mood__cache_n_bad(c), n_bad);
    mood__cache_close(&c);
    sweep(NULL);
}

static void test_files_that_are_no_shards(void **state)
{
    (void)state;
    struct fake f = good_fake();
    assert_bad(f, 0);
    const struct {
        int column;
        int32_t value;
    } changes[] = {{8, -1}, {9, 0},          {9, -5}, {10, 0},  {10, 1}, {11, -1},
                   {11, 1}, {11, INT32_MAX}, {12, 0}, {12, -1}, {12, 3}, {12, INT32_MAX}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        f = good_fake();
        f.clips[changes[i].column] = changes[i].value;
        assert_bad(f, 1);
    }
    f = good_fake();
    f.n_clips = 2; /* the second has no windows */
    assert_bad(f, 1);
    f = good_fake();
    f.n_columns = 12;
    assert_bad(f, 1);
    f = good_fake();
    f.n_speech = 1;
    assert_bad(f, 1);
    f = good_fake();
    f.n_features = 1;
    assert_bad(f, 1);
    f = good_fake();
    f.width = 4;
    assert_bad(f, 1);
    f = good_fake();
    f.no_mel = true;
    assert_bad(f, 1);
}

/* Files with other names are not looked at, whatever is in them. */
static void test_other_names(void **state)
{
    (void)state;
    write_text("README", "hello");
    write_text("0123456789ABCDEF.h5", "upper case");
    write_text("0123456789abcde.h5", "short");
    write_text("0123456789abcdef.h5.old", "more");
    struct mood__cache *c = open_cache();
    assert_int_equal(mood__cache_n_bad(c), 0);
    mood__cache_close(&c);
    assert_int_equal(count_files("", NULL), 7); /* with lock, "." and ".." */
}

/* ---- what the system refuses ---- */

static int add_with_a_limit(const char *unused)
{
    (void)unused;
    struct rlimit limit = {1000, 1000};
    static struct rows r;
    begin(&r);
    put(&r, 9, 0, 5, 0, 5);
    struct mood__cache *c;
    struct mood__cache_params p = params();
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || mood__cache_open(&c, &p) != MOOD_OK)
        return 2;
    bool refused = mood__cache_add(c, &r.content) == MOOD_E_IO &&
                   strstr(mood_error_detail(), "cannot be written") != NULL;
    mood__cache_close(&c);
    return !refused;
}

static void test_a_shard_that_cannot_be_written(void **state)
{
    (void)state;
    struct mood__cache *c = open_cache();
    add(c, 1, 0, 2, 0, 2);
    mood__cache_close(&c);
    assert_int_equal(in_child(add_with_a_limit, NULL), 0);
    c = open_cache();
    assert_there(c, 1, 0, 2);
    assert_null(find(c, 9, 0));
    assert_int_equal(count_files(".tmp", NULL), 0);
    mood__cache_close(&c);
}

static void test_folders(void **state)
{
    (void)state;
    struct mood__cache *c;
    struct mood__cache_params p = params();
    write_text("file", "");
    p.folder = temp_path("file/below");
    assert_int_equal(mood__cache_open(&c, &p), MOOD_E_IO);
    assert_null(c);
    assert_non_null(strstr(mood_error_detail(), "file/below"));
    p.folder = "";
    assert_int_equal(mood__cache_open(&c, &p), MOOD_E_INVALID);

    p = params();
    volatile int stop = 1;
    c = open_cache();
    add(c, 1, 0, 2, 0, 2);
    mood__cache_close(&c);
    p.stop = &stop;
    assert_int_equal(mood__cache_open(&c, &p), MOOD_E_STOPPED);

    uint64_t room = 0;
    c = open_cache();
    assert_ok(mood__cache_room(c, &room));
    assert_true(room > 0);
    assert_ok(mood__cache_check_writable(c));
    assert_string_equal(mood__cache_folder(c), temp_folder);
    mood__cache_close(&c);
}

static void assert_default(const char *xdg, const char *home, const char *expected)
{
    char *folder = NULL;
    xdg ? setenv("XDG_CACHE_HOME", xdg, 1) : unsetenv("XDG_CACHE_HOME");
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
    assert_int_equal(mood__cache_default_folder(&folder), expected ? MOOD_OK : MOOD_E_INVALID);
    if (expected)
        assert_string_equal(folder, expected);
    __wrap_free(folder);
}

static void test_default_folder(void **state)
{
    (void)state;
    assert_default("/x", "/home/me", "/x/libmood/features");
    assert_default(NULL, "/home/me", "/home/me/.cache/libmood/features");
    assert_default("relative", "/home/me", "/home/me/.cache/libmood/features");
    assert_default("", "", NULL);
    assert_default(NULL, NULL, NULL);
}

/* ---- memory ---- */

static mood_status use(const void *arg)
{
    static struct rows r;
    const struct mood__cache_params *p = arg;
    struct mood__cache *c;
    MOOD__TRY(mood__cache_open(&c, p));
    begin(&r);
    put(&r, 5, 0, 3, 0, 3);
    mood_status status = mood__cache_add(c, &r.content);
    mood__cache_close(&c);
    return status;
}

static void test_each_alloc_fails_once(void **state)
{
    (void)state;
    struct mood__cache *c = open_cache();
    add(c, 1, 0, 2, 0, 2);
    mood__cache_close(&c);
    struct mood__cache_params p = params();
    assert_true(fail_each_alloc(use, &p) > 15);
    c = open_cache();
    assert_there(c, 1, 0, 2);
    assert_there(c, 5, 0, 3);
    assert_int_equal(mood__cache_n_bad(c), 0);

    long before = alloc_calls;
    float features[WIDTH];
    assert_ok(mood__cache_read(c, find(c, 1, 0), 1, features, NULL));
    assert_int_equal(alloc_calls, before);
    mood__cache_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_is_added_is_there, sweep),
        cmocka_unit_test_teardown(test_clips_in_pieces, sweep),
        cmocka_unit_test_teardown(test_two_users, sweep),
        cmocka_unit_test_teardown(test_damaged_shards_are_dropped, sweep),
        cmocka_unit_test_teardown(test_nothing_is_removed_beside_others, sweep),
        cmocka_unit_test_teardown(test_foreign_shards_stay, sweep),
        cmocka_unit_test_teardown(test_a_shard_that_vanished, sweep),
        cmocka_unit_test_teardown(test_files_that_are_no_shards, sweep),
        cmocka_unit_test_teardown(test_other_names, sweep),
        cmocka_unit_test_teardown(test_a_shard_that_cannot_be_written, sweep),
        cmocka_unit_test_teardown(test_folders, sweep),
        cmocka_unit_test_teardown(test_default_folder, sweep),
        cmocka_unit_test_teardown(test_each_alloc_fails_once, sweep),
    };
    return cmocka_run_group_tests_name("train-cache", tests, temp_setup, temp_teardown);
}
