/* SPDX-License-Identifier: MIT
 *
 * test_file.c — Reading whole files, and replacing them: a full disk, a file size limit, a folder
 * that may not be written and a kill in the middle all leave the old file as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "temp.h"

enum { SKIPPED = 77, NOBODY = 65534 };

static mood_status write_text(const char *path, const char *text)
{
    return mood__file_write_atomic(path, &(struct mood__part){text, strlen(text)}, 1);
}

static void assert_content(const char *path, const char *want)
{
    unsigned char *bytes;
    size_t n;
    assert_int_equal(mood__file_read(path, 1000, &bytes, &n), MOOD_OK);
    assert_int_equal(n, strlen(want));
    assert_string_equal(bytes, want); /* also: a zero byte follows the last */
    mood__free(bytes);
}

/* `expr` fails with this status, and its detail is exactly `text`. */
#define assert_fails(expr, status, text)                                                           \
    do {                                                                                           \
        assert_int_equal(expr, status);                                                            \
        assert_string_equal(mood_error_detail(), text);                                            \
    } while (0)

static void test_round_trip(void **state)
{
    (void)state;
    const char *path = temp_path("round");
    const struct mood__part parts[] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
    assert_int_equal(mood__file_write_atomic(path, parts, 3), MOOD_OK);
    assert_content(path, "one two");
    assert_int_equal(mood__file_write_atomic(path, NULL, 0), MOOD_OK);
    assert_content(path, "");

    char head[4] = "....";
    size_t n = 99;
    assert_int_equal(write_text(path, "abcdef"), MOOD_OK);
    assert_int_equal(mood__file_peek(path, head, 3, &n), MOOD_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(head, "abc.", 4);
    assert_int_equal(mood__file_peek(path, head, 0, &n), MOOD_OK);
    assert_int_equal(n, 0);
    assert_int_equal(temp_sweep(), 0);
}

static void test_map(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    const unsigned char *bytes = NULL;
    size_t n = 99;
    assert_int_equal(write_text(path, "abcdef"), MOOD_OK);
    assert_int_equal(mood__file_map(path, 6, &bytes, &n), MOOD_OK);
    assert_int_equal(n, 6);
    assert_int_equal((uintptr_t)bytes % MOOD__ALIGN, 0);
    assert_memory_equal(bytes, "abcdef", 6);
    assert_int_equal(unlink(path), 0);
    assert_memory_equal(bytes, "abcdef", 6);
    mood__file_unmap(bytes, n);
    assert_int_equal(write_text(path, ""), MOOD_OK);
    assert_int_equal(mood__file_map(path, 6, &bytes, &n), MOOD_OK);
    assert_int_equal(n, 0);
    assert_null(bytes);
    mood__file_unmap(bytes, n);
    assert_int_equal(temp_sweep(), 0);
}

/* With fewer addresses than the file's 4 TiB would take. */
static int child_without_addresses(const char *path)
{
    const unsigned char *bytes;
    size_t n;
    struct rlimit before;
    if (getrlimit(RLIMIT_AS, &before) != 0 ||
        setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)1 << 41, before.rlim_max}) != 0)
        return 0;
    mood_status status = mood__file_map(path, SIZE_MAX, &bytes, &n);
    return status == MOOD_E_NOMEM && strstr(mood_error_detail(), "out of memory") ? 0 : 1;
}

static void test_map_refuses(void **state)
{
    (void)state;
    const unsigned char *bytes = NULL;
    size_t n = 99;
    const char *fifo = temp_path("fifo"), *file = temp_path("file");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(write_text(file, "12345"), MOOD_OK);
    assert_fails(mood__file_map(temp_path("none"), 9, &bytes, &n), MOOD_E_IO,
                 "cannot be opened: No such file or directory");
    assert_fails(mood__file_map(temp_folder, 9, &bytes, &n), MOOD_E_IO, "is a directory");
    assert_fails(mood__file_map(fifo, 9, &bytes, &n), MOOD_E_IO, "is not a regular file");
    assert_fails(mood__file_map("/dev/zero", 9, &bytes, &n), MOOD_E_IO, "is not a regular file");
    assert_fails(mood__file_map(file, 4, &bytes, &n), MOOD_E_UNSUPPORTED,
                 "has 5 bytes; at most 4 are read");
    int fd = open(file, O_WRONLY);
    if (ftruncate(fd, (off_t)1 << 42) == 0)
        assert_int_equal(in_child(child_without_addresses, file), 0);
    close(fd);
    assert_null(bytes);
    assert_int_equal(n, 99);
    temp_sweep();
}

static void test_read_refuses(void **state)
{
    (void)state;
    unsigned char *bytes = NULL;
    size_t n = 99;
    const char *fifo = temp_path("fifo"), *file = temp_path("file");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(write_text(file, "12345"), MOOD_OK);
    assert_fails(mood__file_read(temp_path("none"), 9, &bytes, &n), MOOD_E_IO,
                 "cannot be opened: No such file or directory");
    assert_fails(mood__file_read(temp_folder, 9, &bytes, &n), MOOD_E_IO, "is a directory");
    assert_fails(mood__file_read(fifo, 9, &bytes, &n), MOOD_E_IO, "is not a regular file");
    assert_fails(mood__file_read("/dev/zero", 9, &bytes, &n), MOOD_E_IO, "is not a regular file");
    assert_fails(mood__file_read(file, 4, &bytes, &n), MOOD_E_UNSUPPORTED,
                 "has 5 bytes; at most 4 are read");
    assert_null(bytes);
    assert_int_equal(n, 99);

    /* A hole of 4 TiB is refused by its size, not by a failing allocation. */
    int fd = open(file, O_WRONLY);
    if (ftruncate(fd, (off_t)1 << 42) == 0)
        assert_int_equal(mood__file_read(file, (size_t)1 << 33, &bytes, &n), MOOD_E_UNSUPPORTED);
    close(fd);
    temp_sweep();
}

static void test_write_refuses(void **state)
{
    (void)state;
    char longer[NAME_MAX + 2] = {0};
    memset(longer, 'x', NAME_MAX + 1);
    char folder[PATH_MAX + 8];
    snprintf(folder, sizeof(folder), "%s/", temp_folder);
    const char *fifo = temp_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);

    assert_fails(write_text("", "x"), MOOD_E_INVALID, "names a folder, not a file");
    assert_fails(write_text(folder, "x"), MOOD_E_INVALID, "names a folder, not a file");
    assert_fails(write_text("..", "x"), MOOD_E_INVALID, "names a folder, not a file");
    assert_fails(write_text(temp_folder, "x"), MOOD_E_IO, "is a directory");
    assert_fails(write_text(fifo, "x"), MOOD_E_IO, "is not a regular file; it is not replaced");
    assert_fails(write_text("/dev/null", "x"), MOOD_E_IO,
                 "is not a regular file; it is not replaced");
    assert_fails(write_text(temp_path("none/file"), "x"), MOOD_E_IO,
                 "its folder cannot be opened: No such file or directory");
    assert_fails(write_text(temp_path("fifo/file"), "x"), MOOD_E_IO,
                 "cannot be written: Not a directory");
    assert_fails(write_text(temp_path(longer), "x"), MOOD_E_IO,
                 "cannot be written: File name too long");
    assert_int_equal(temp_sweep(), 0);
}

static void test_links(void **state)
{
    (void)state;
    const char *real = temp_path("real"), *link = temp_path("link"), *lost = temp_path("lost");
    struct stat st;
    assert_int_equal(write_text(real, "old"), MOOD_OK);
    assert_int_equal(symlink("real", link), 0);
    assert_int_equal(symlink("nowhere", lost), 0);
    assert_int_equal(write_text(link, "new"), MOOD_OK);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_content(real, "new");
    assert_fails(write_text(lost, "x"), MOOD_E_IO,
                 "is a symbolic link that cannot be followed: No such file or directory");
    assert_int_equal(temp_sweep(), 0);
}

static void test_permissions(void **state)
{
    (void)state;
    struct stat st;
    mode_t old = umask(027);
    assert_int_equal(write_text(temp_path("file"), "x"), MOOD_OK);
    umask(old);
    assert_int_equal(stat(temp_path("file"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    temp_sweep();
}

/* ---- in a child: limits, privileges, kills ------------------------------------------------- */

static int fails_with(const char *path, const char *text, size_t n_bytes)
{
    char *big = calloc(n_bytes, 1);
    mood_status status =
        big ? mood__file_write_atomic(path, &(struct mood__part){big, n_bytes}, 1) : MOOD_OK;
    free(big);
    if (status == MOOD_E_IO && strcmp(mood_error_detail(), text) == 0)
        return 0;
    fprintf(stderr, "status %d, \"%s\"\n", status, mood_error_detail());
    return 1;
}

static int child_size_limit(const char *path)
{
    /* SIGXFSZ has its default action here: it would end this process. */
    signal(SIGXFSZ, SIG_DFL);
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096}) != 0)
        return SKIPPED;
    if (fails_with(path, "cannot be written: File too large", 10000) != 0)
        return 1;
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&before, SIGXFSZ) != sigismember(&after, SIGXFSZ) ||
           sigismember(&pending, SIGXFSZ);
}

static void test_size_limit(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    assert_int_equal(write_text(path, "old"), MOOD_OK);
    assert_int_equal(in_child(child_size_limit, path), 0);
    assert_content(path, "old");
    assert_int_equal(temp_sweep(), 0);
}

/* A file system of 64 KiB that only this child sees. */
static int child_full_disk(const char *path)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", temp_folder, "tmpfs", 0, "size=64k") != 0)
        return SKIPPED;
    if (write_text(path, "old") != MOOD_OK)
        return 2;
    if (fails_with(path, "cannot be written: No space left on device", 1 << 20) != 0)
        return 3;
    unsigned char *bytes;
    size_t n;
    if (mood__file_read(path, 100, &bytes, &n) != MOOD_OK || strcmp((char *)bytes, "old") != 0)
        return 4;
    mood__free(bytes);
    return temp_sweep() == 0 ? 0 : 5;
}

static void test_full_disk(void **state)
{
    (void)state;
    int result = in_child(child_full_disk, temp_path("file"));
    if (result == SKIPPED)
        skip();
    assert_int_equal(result, 0);
}

static int child_no_permission(const char *path)
{
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return SKIPPED;
    return fails_with(path, "cannot be written: Permission denied", 10);
}

static void test_no_permission(void **state)
{
    (void)state;
    const char *path = temp_path("file"), *fresh = temp_path("fresh");
    assert_int_equal(write_text(path, "old"), MOOD_OK);
    /* A read-only folder, then a read-only file in a folder that may be written. */
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(temp_folder, 0555), 0);
    int in_old = in_child(child_no_permission, path), in_new = in_child(child_no_permission, fresh);
    assert_int_equal(chmod(temp_folder, 0777), 0);
    assert_int_equal(chmod(path, 0444), 0);
    int read_only = in_child(child_no_permission, path);
    assert_int_equal(chmod(temp_folder, 0755), 0);
    assert_content(path, "old");
    assert_int_equal(temp_sweep(), 0);
    if (in_old == SKIPPED)
        skip();
    assert_int_equal(in_old, 0);
    assert_int_equal(in_new, 0);
    assert_int_equal(read_only, 0);
}

/* Version v of the file that is killed: v times 5000 bytes of value v, in three parts. */
enum { N_VERSIONS = 9, VERSION_BYTES = 5000 };

static void write_for_ever(const char *path, int ready)
{
    static char content[N_VERSIONS * VERSION_BYTES];
    for (int i = 0;; i++) {
        size_t v = 1 + (size_t)i % N_VERSIONS;
        memset(content, (int)v, v * VERSION_BYTES);
        const struct mood__part parts[] = {
            {content, 1}, {content, v * VERSION_BYTES - 2}, {content, 1}};
        if (mood__file_write_atomic(path, parts, 3) != MOOD_OK)
            _exit(1);
        if (i == 0 && write(ready, "", 1) != 1)
            _exit(1);
    }
}

static void assert_complete(const char *path)
{
    unsigned char *bytes;
    size_t n;
    assert_int_equal(mood__file_read(path, 1 << 20, &bytes, &n), MOOD_OK);
    assert_true(n > 0 && bytes[0] >= 1 && bytes[0] <= N_VERSIONS);
    assert_int_equal(n, bytes[0] * VERSION_BYTES);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], bytes[0]);
    mood__free(bytes);
}

static void test_kill(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    for (int round = 0; round < 40; round++) {
        int ready[2];
        char c;
        assert_int_equal(pipe(ready), 0);
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_for_ever(path, ready[1]);
        close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 1);
        close(ready[0]);
        /* Another moment each round; what is asserted holds at any of them. */
        nanosleep(&(struct timespec){.tv_nsec = (round * 7919L % 40) * 50000}, NULL);
        int status;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_complete(path);
    }
    print_message("left behind by 40 kills: %d temporaries\n", temp_sweep());
}

/* What write_atomic would refuse is known before, and looking leaves nothing behind. */
static void test_check_writable(void **state)
{
    (void)state;
    const char *path = temp_path("later"), *nowhere = temp_path("none/later");
    struct stat st;
    temp_sweep();
    assert_int_equal(mood__file_check_writable(path), MOOD_OK);
    assert_int_not_equal(stat(path, &st), 0);
    assert_int_equal(write_text(path, "old"), MOOD_OK);
    assert_int_equal(mood__file_check_writable(path), MOOD_OK);
    assert_content(path, "old");
    assert_fails(mood__file_check_writable(nowhere), MOOD_E_IO,
                 "its folder cannot be opened: No such file or directory");
    assert_fails(mood__file_check_writable(temp_folder), MOOD_E_IO, "is a directory");
    assert_fails(mood__file_check_writable(""), MOOD_E_INVALID, "names a folder, not a file");
    assert_int_equal(temp_sweep(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_refuses),   cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_write_refuses), cmocka_unit_test(test_links),
        cmocka_unit_test(test_permissions),   cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_no_permission),
        cmocka_unit_test(test_kill),          cmocka_unit_test(test_check_writable),
    };
    return cmocka_run_group_tests_name("file", tests, temp_setup, temp_teardown);
}
