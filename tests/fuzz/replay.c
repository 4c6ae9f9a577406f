/* SPDX-License-Identifier: MIT
 *
 * replay.c — Runs a fuzz target over its committed inputs, as a plain test that needs no fuzzer:
 * each file of the folder as it is, and every beginning of it, because a cut-off file is the damage
 * that happens most.
 *
 * Usage: replay_NAME FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
    MAX_BYTES = 1 << 20,
    N_CUTS = 4096 /* beginnings of one file, at most */
};

/* From memory of just the right size, so that a sanitizer sees the first byte read too far. */
static void run_one(const uint8_t *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    if (!copy)
        abort();
    memcpy(copy, data, bytes);
    LLVMFuzzerTestOneInput(copy, bytes);
    free(copy);
}

static void run_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    uint8_t *data = malloc(MAX_BYTES);
    FILE *f = fopen(path, "rb");
    if (!data || !f) {
        perror(path);
        exit(1);
    }
    size_t bytes = fread(data, 1, MAX_BYTES, f);
    if (ferror(f) || !feof(f)) {
        fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path, MAX_BYTES);
        exit(1);
    }
    fclose(f);
    size_t step = bytes / N_CUTS + 1;
    for (size_t n = 0; n < bytes; n += step)
        run_one(data, n);
    run_one(data, bytes);
    free(data);
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            run_file(argv[1], entry->d_name);
            n++;
        }
    }
    closedir(dir);
    printf("%d inputs\n", n);
    return n > 0 ? 0 : 1; /* an empty folder tests nothing */
}
