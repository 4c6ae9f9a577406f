/* SPDX-License-Identifier: MIT
 *
 * scratch.h — A corpus in a throw-away folder and a split of it: one of each for the test that
 * runs. */
#ifndef TESTS_CORPUS_SCRATCH_H
#define TESTS_CORPUS_SCRATCH_H

#include "mood/corpus.h"
#include "tree.h"

extern struct tree tree;
extern mood_corpus *corpus;
extern mood_split *split;

/* An empty corpus before a test, and nothing left after it. */
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* A test between the two. */
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

/* Make n actors with 4 clips each the corpus: neutral, calm, strong calm, happy. */
void ravdess(int n);

/* Divide the corpus anew. The test fails where that does. */
const mood_protocol *divide(const mood_split_params *params);

/* Dividing the corpus has to fail, for a reason of one line with `detail` in it. */
void assert_refused(const mood_split_params *params, mood_status want, const char *detail);

/* How many speakers are on each side. */
void assert_counts(const mood_protocol *p, int train, int val, int test);

#endif
