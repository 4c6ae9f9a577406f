/* SPDX-License-Identifier: MIT
 *
 * tree.h — A throw-away folder of small files for a test. */
#ifndef TESTS_CORPUS_TREE_H
#define TESTS_CORPUS_TREE_H

#include <stdbool.h>

struct tree {
    char root[64];
    char path[1024]; /* what tree_path said last */
};

/* All of these end the program with a message when the file system refuses. */
void tree_make(struct tree *t);
void tree_remove(struct tree *t);

/* The path of `name` below the root; good until the next call. */
const char *tree_path(struct tree *t, const char *name);

/* Write a file, and the folders that it needs. */
void tree_file(struct tree *t, const char *name, const char *text);
void tree_folder(struct tree *t, const char *name);

/* A symbolic link `name` with the text `target`. */
void tree_link(struct tree *t, const char *name, const char *target);

/* Empty clips with RAVDESS names for the actors first to last, `each` for every actor: 60 are all
 * of RAVDESS, 15 one take of each emotion and intensity, 4 the first two emotions. (Making files is
 * what these tests spend their time on.) `below` is "" or ends with '/'; with folders, an actor's
 * clips lie in Actor_NN. */
void tree_ravdess(struct tree *t, const char *below, int first, int last, int each, bool folders);

#endif
