/* SPDX-License-Identifier: MIT
 *
 * temp.h — A scratch folder for tests that write files, and running a piece of a test in a child
 * process, where it may drop privileges, set limits, or be killed. */
#ifndef MOOD_TESTS_STORE_TEMP_H
#define MOOD_TESTS_STORE_TEMP_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char temp_folder[PATH_MAX];

/* cmocka group fixtures: the folder is made before the first test and removed after the last. */
static inline int temp_setup(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(temp_folder, sizeof(temp_folder), "%s/libmood-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(temp_folder) ? chmod(temp_folder, 0755) : -1;
}

/* Remove the files in the folder; returns how many of them were libmood's temporaries. */
static inline int temp_sweep(void)
{
    int n_temporaries = 0;
    DIR *dir = opendir(temp_folder);
    if (!dir)
        return -1;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        n_temporaries += strncmp(e->d_name, ".libmood-", 9) == 0;
        if (unlinkat(dirfd(dir), e->d_name, 0) != 0)
            unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
    return n_temporaries;
}

static inline int temp_teardown(void **state)
{
    (void)state;
    temp_sweep();
    return rmdir(temp_folder);
}

/* "FOLDER/name"; one of four buffers in turn. */
static inline const char *temp_path(const char *name)
{
    static char buf[4][PATH_MAX + 256];
    static int turn;
    char *p = buf[turn++ % 4];
    snprintf(p, sizeof(buf[0]), "%s/%s", temp_folder, name);
    return p;
}

/* Run fn(arg) in a child; its return value (0 to 255), or -1 when a signal ended it. */
static inline int in_child(int (*fn)(const char *arg), const char *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fn(arg));
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
