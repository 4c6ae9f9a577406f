/* SPDX-License-Identifier: MIT
 *
 * tree.c — A throw-away folder of small files for a test. */
#include "tree.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(2);
}

void tree_make(struct tree *t)
{
    snprintf(t->root, sizeof(t->root), "/tmp/mood-corpus-XXXXXX");
    if (!mkdtemp(t->root))
        die(t->root);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tree_remove(struct tree *t)
{
    if (nftw(t->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        die(t->root);
}

const char *tree_path(struct tree *t, const char *name)
{
    snprintf(t->path, sizeof(t->path), "%s/%s", t->root, name);
    return t->path;
}

/* The folders above the last slash of `name`. */
static void make_parents(struct tree *t, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", t->root, name);
    for (char *at = path + strlen(t->root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = 0;
        struct stat st;
        if (stat(path, &st) != 0 && mkdir(path, 0700) != 0)
            die(path);
        *at = '/';
    }
}

void tree_file(struct tree *t, const char *name, const char *text)
{
    make_parents(t, name);
    FILE *f = fopen(tree_path(t, name), "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        die(name);
}

void tree_folder(struct tree *t, const char *name)
{
    make_parents(t, name);
    if (mkdir(tree_path(t, name), 0700) != 0)
        die(name);
}

void tree_link(struct tree *t, const char *name, const char *target)
{
    make_parents(t, name);
    if (symlink(target, tree_path(t, name)) != 0)
        die(name);
}

void tree_ravdess(struct tree *t, const char *below, int first, int last, int each, bool folders)
{
    for (int actor = first; actor <= last; actor++) {
        for (int i = 0, n = 0; n < each && i < 64; i++) {
            int emotion = i % 16 / 2, strong = i % 2, statement = i / 16 % 2, repetition = i / 32;
            if (emotion == 0 && strong) /* RAVDESS has no strong neutral */
                continue;
            char folder[32] = "", name[256];
            if (folders)
                snprintf(folder, sizeof(folder), "Actor_%02d/", actor);
            snprintf(name, sizeof(name), "%s%s03-01-%02d-%02d-%02d-%02d-%02d.wav", below, folder,
                     emotion + 1, strong + 1, statement + 1, repetition + 1, actor);
            tree_file(t, name, "");
            n++;
        }
    }
}
