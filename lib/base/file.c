/* SPDX-License-Identifier: MIT
 *
 * file.c — Files: read one whole or in pieces, map one, replace one atomically. POSIX only. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    /* read() and write() move at most this much at once; Linux cuts at about 2 GiB anyway. */
    MAX_TRANSFER = 1 << 30,
    MAX_TEMP_TRIES = 16,
    TEMP_NAME_BYTES = 32
};

const char *mood__errno_text(int err)
{
    /* strerror() may translate, and is not safe among threads. */
    const char *text = strerrordesc_np(err);
    return text ? text : "unknown error";
}

/* ---- reading ------------------------------------------------------------------------------ */

/* O_NONBLOCK: opening a pipe that nobody writes to must not hang; for regular files it means
 * nothing. */
mood_status mood__file_open(const char *path, int *out, size_t *n_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return mood__fail(MOOD_E_IO, "cannot be opened: %s", mood__errno_text(errno));
    struct stat st;
    mood_status status = MOOD_OK;
    if (fstat(fd, &st) != 0)
        status = mood__fail(MOOD_E_IO, "cannot be read: %s", mood__errno_text(errno));
    else if (S_ISDIR(st.st_mode))
        status = mood__fail(MOOD_E_IO, "is a directory");
    else if (!S_ISREG(st.st_mode))
        status = mood__fail(MOOD_E_IO, "is not a regular file");
    else if ((uintmax_t)st.st_size > SIZE_MAX)
        status = mood__fail(MOOD_E_UNSUPPORTED, "is too large for this machine");
    if (status != MOOD_OK) {
        close(fd);
        return status;
    }
    *out = fd;
    *n_bytes = (size_t)st.st_size;
    return MOOD_OK;
}

mood_status mood__file_read_at(int fd, uint64_t offset, void *buf, size_t n_bytes)
{
    unsigned char *bytes = buf;
    for (size_t at = 0; at < n_bytes;) {
        size_t want = n_bytes - at < MAX_TRANSFER ? n_bytes - at : MAX_TRANSFER;
        ssize_t got = pread(fd, bytes + at, want, (off_t)(offset + at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mood__fail(MOOD_E_IO, "cannot be read: %s", mood__errno_text(errno));
        if (got == 0)
            return mood__fail(MOOD_E_IO, "became shorter while it was read");
        at += (size_t)got;
    }
    return MOOD_OK;
}

static mood_status check_size(size_t n_bytes, size_t max_bytes)
{
    if (n_bytes > max_bytes)
        return mood__fail(MOOD_E_UNSUPPORTED, "has %zu bytes; at most %zu are read", n_bytes,
                          max_bytes);
    return MOOD_OK;
}

bool mood__file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

mood_status mood__file_read(const char *path, size_t max_bytes, unsigned char **bytes,
                            size_t *n_bytes)
{
    int fd = -1;
    size_t n = 0;
    MOOD__TRY(mood__file_open(path, &fd, &n));
    mood_status status = check_size(n, max_bytes);
    unsigned char *buf = NULL;
    if (status == MOOD_OK && (n == SIZE_MAX || !(buf = mood__alloc_aligned(n + 1))))
        status = mood__nomem();
    if (status == MOOD_OK)
        status = mood__file_read_at(fd, 0, buf, n);
    close(fd);
    if (status != MOOD_OK) {
        mood__free(buf);
        return status;
    }
    buf[n] = 0;
    *bytes = buf;
    *n_bytes = n;
    return MOOD_OK;
}

mood_status mood__file_map(const char *path, size_t max_bytes, const unsigned char **bytes,
                           size_t *n_bytes)
{
    int fd = -1;
    size_t n = 0;
    MOOD__TRY(mood__file_open(path, &fd, &n));
    mood_status status = check_size(n, max_bytes);
    void *map = NULL;
    if (status == MOOD_OK && n > 0) { /* nothing cannot be mapped */
        map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            status = errno == ENOMEM
                         ? mood__nomem()
                         : mood__fail(MOOD_E_IO, "cannot be mapped: %s", mood__errno_text(errno));
    }
    close(fd);
    if (status != MOOD_OK)
        return status;
    *bytes = map;
    *n_bytes = n;
    return MOOD_OK;
}

void mood__file_unmap(const unsigned char *bytes, size_t n_bytes)
{
    if (bytes)
        munmap((void *)(uintptr_t)bytes, n_bytes);
}

mood_status mood__file_peek(const char *path, void *buf, size_t room, size_t *n_bytes)
{
    int fd = -1;
    size_t n = 0;
    MOOD__TRY(mood__file_open(path, &fd, &n));
    if (n > room)
        n = room;
    mood_status status = mood__file_read_at(fd, 0, buf, n);
    close(fd);
    if (status == MOOD_OK)
        *n_bytes = n;
    return status;
}

/* ---- folders ------------------------------------------------------------------------------ */

mood_status mood__folder_make(const char *path)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0)
        return mood__fail(MOOD_E_INVALID, "an empty path names no folder");
    if (n >= sizeof(part))
        return mood__fail(MOOD_E_INVALID, "the path is too long");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return mood__fail(MOOD_E_IO, "%s", mood__errno_text(errno));
        part[i] = path[i];
    }
    return MOOD_OK;
}

/* ---- replacing ---------------------------------------------------------------------------- */

static mood_status cannot_write(int err)
{
    return mood__fail(MOOD_E_IO, "cannot be written: %s", mood__errno_text(err));
}

/* Whether what `path` names now, if anything, may be replaced. */
static mood_status check_old(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? MOOD_OK : cannot_write(errno);
    if (S_ISDIR(st.st_mode))
        return mood__fail(MOOD_E_IO, "is a directory");
    if (!S_ISREG(st.st_mode))
        return mood__fail(MOOD_E_IO, "is not a regular file; it is not replaced");
    /* rename() asks the folder only; somebody who made the file read-only meant the file. */
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return cannot_write(errno);
    return MOOD_OK;
}

/* The file that is to be replaced: its folder and its name there, links followed. */
static mood_status find_target(const char *path, char folder[PATH_MAX], char name[NAME_MAX + 1])
{
    struct stat st;
    char real[PATH_MAX];
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        if (!realpath(path, real))
            return mood__fail(MOOD_E_IO, "is a symbolic link that cannot be followed: %s",
                              mood__errno_text(errno));
        path = real;
    }
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (strlen(path) >= PATH_MAX || strlen(last) > NAME_MAX)
        return cannot_write(ENAMETOOLONG);
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return mood__fail(MOOD_E_INVALID, "names a folder, not a file");
    MOOD__TRY(check_old(path));

    memcpy(name, last, strlen(last) + 1);
    size_t n = slash ? (size_t)(slash - path) : 0;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (n == 0)
        memcpy(folder, slash ? "/" : ".", 2);
    return MOOD_OK;
}

/* A new empty file with a name that cannot be guessed, so that nobody with access to the folder
 * can put something in its place. */
static mood_status create_temp(int dir, char name[TEMP_NAME_BYTES], int *out)
{
    for (int i = 0; i < MAX_TEMP_TRIES; i++) {
        uint64_t random;
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return cannot_write(errno);
        snprintf(name, TEMP_NAME_BYTES, ".libmood-%016llx.tmp", (unsigned long long)random);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd >= 0) {
            *out = fd;
            return MOOD_OK;
        }
        if (errno != EEXIST)
            return cannot_write(errno);
    }
    return cannot_write(EEXIST);
}

static mood_status write_part(int fd, const struct mood__part *part)
{
    for (size_t at = 0; at < part->bytes;) {
        size_t want = part->bytes - at < MAX_TRANSFER ? part->bytes - at : MAX_TRANSFER;
        ssize_t put = write(fd, (const char *)part->data + at, want);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return cannot_write(put < 0 ? errno : EIO);
        at += (size_t)put;
    }
    return MOOD_OK;
}

/* Everything up to the moment when the content of `fd` is safe on the disk. Closes it. */
static mood_status fill(int fd, const struct mood__part *parts, size_t n_parts)
{
    mood_status status = MOOD_OK;
    for (size_t i = 0; i < n_parts && status == MOOD_OK; i++)
        status = write_part(fd, &parts[i]);
    if (status == MOOD_OK && fsync(fd) != 0)
        status = cannot_write(errno);
    /* Network file systems may report a full disk only here. After EINTR Linux has closed it. */
    if (close(fd) != 0 && errno != EINTR && status == MOOD_OK)
        status = cannot_write(errno);
    return status;
}

static mood_status replace(int dir, const char *name, const struct mood__part *parts,
                           size_t n_parts)
{
    char temp[TEMP_NAME_BYTES];
    int fd = -1;
    MOOD__TRY(create_temp(dir, temp, &fd));
    mood_status status = fill(fd, parts, n_parts);
    if (status == MOOD_OK && renameat(dir, temp, dir, name) != 0)
        status = cannot_write(errno);
    if (status != MOOD_OK) {
        unlinkat(dir, temp, 0);
        return status;
    }
    /* EINVAL, ENOTSUP: this file system does not synchronise folders, and needs not. */
    if (fsync(dir) != 0 && errno != EINVAL && errno != ENOTSUP)
        return mood__fail(MOOD_E_IO, "was written, but its folder cannot be synchronised: %s",
                          mood__errno_text(errno));
    return MOOD_OK;
}

/* SIGXFSZ is sent to the thread that writes, so holding it back there, and taking back the one that
 * our own write raised, changes nothing for the rest of the process. */
struct held_signal {
    sigset_t set, old_mask;
    bool was_pending;
};

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

static void hold_signal(struct held_signal *h)
{
    sigemptyset(&h->set);
    sigaddset(&h->set, SIGXFSZ);
    h->was_pending = is_pending();
    pthread_sigmask(SIG_BLOCK, &h->set, &h->old_mask);
}

static void release_signal(const struct held_signal *h)
{
    if (!h->was_pending && is_pending())
        sigtimedwait(&h->set, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &h->old_mask, NULL);
}

/* The folder of the file that is to be replaced, and its name there. */
static mood_status open_folder(const char *path, char name[NAME_MAX + 1], int *dir)
{
    char folder[PATH_MAX];
    MOOD__TRY(find_target(path, folder, name));
    *dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return mood__fail(MOOD_E_IO, "its folder cannot be opened: %s", mood__errno_text(errno));
    return MOOD_OK;
}

mood_status mood__file_check_writable(const char *path)
{
    char name[NAME_MAX + 1], temp[TEMP_NAME_BYTES];
    int dir = -1, fd = -1;
    MOOD__TRY(open_folder(path, name, &dir));
    mood_status status = create_temp(dir, temp, &fd);
    if (status == MOOD_OK) {
        close(fd);
        unlinkat(dir, temp, 0);
    }
    close(dir);
    return status;
}

mood_status mood__file_write_atomic(const char *path, const struct mood__part *parts,
                                    size_t n_parts)
{
    char name[NAME_MAX + 1];
    int dir = -1;
    MOOD__TRY(open_folder(path, name, &dir));

    struct held_signal held;
    hold_signal(&held);
    mood_status status = replace(dir, name, parts, n_parts);
    release_signal(&held);
    close(dir);
    return status;
}
