/* SPDX-License-Identifier: MIT
 *
 * checkpoints.h — The folders of tests/golden/checkpoints, copied into the scratch folder, where a
 * test may spoil them. After cmocka.h; the program gets the folder that they are in by
 * checkpoints_folder. */
#ifndef MOOD_TESTS_MODELS_CHECKPOINTS_H
#define MOOD_TESTS_MODELS_CHECKPOINTS_H

#include "../store/temp.h"

static const char *checkpoints_folder;

enum { CHECKPOINT_FILE_BYTES = 1 << 17 }; /* none of them is that large */

/* "CHECKPOINTS/CASE"; overwritten by the next call. */
static inline const char *checkpoint(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", checkpoints_folder, name);
    return path;
}

static inline size_t read_bytes(const char *path, unsigned char *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    size_t n = fread(bytes, 1, CHECKPOINT_FILE_BYTES, f);
    fclose(f);
    return n;
}

static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        fail_msg("%s cannot be written", path);
}

/* Make the scratch folder a copy of a case, and nothing else. */
static inline void copy_checkpoint(const char *name)
{
    static unsigned char bytes[CHECKPOINT_FILE_BYTES];
    char path[PATH_MAX + 256];
    temp_sweep();
    DIR *dir = opendir(checkpoint(name));
    if (!dir)
        fail_msg("%s is no folder", checkpoint(name));
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", checkpoint(name), e->d_name);
        write_bytes(temp_path(e->d_name), bytes, read_bytes(path, bytes));
    }
    closedir(dir);
}

/* Replace the first occurrence of `old` in a file of the scratch folder, which has to be there. In
 * files of tensors both have one length. */
static inline void edit(const char *file, const char *old, const char *new)
{
    static unsigned char bytes[2 * CHECKPOINT_FILE_BYTES];
    size_t n = read_bytes(temp_path(file), bytes);
    unsigned char *at = memmem(bytes, n, old, strlen(old));
    if (!at)
        fail_msg("%s has no '%s'", file, old);
    memmove(at + strlen(new), at + strlen(old), n - (size_t)(at - bytes) - strlen(old));
    memcpy(at, new, strlen(new));
    write_bytes(temp_path(file), bytes, n - strlen(old) + strlen(new));
}

#endif
