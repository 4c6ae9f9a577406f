/* SPDX-License-Identifier: MIT
 *
 * scratch.c — A corpus in a throw-away folder and a split of it. */
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

struct tree tree;
mood_corpus *corpus;
mood_split *split;

int scratch_set_up(void **state)
{
    (void)state;
    tree_make(&tree);
    return mood_corpus_create(&corpus);
}

int scratch_tear_down(void **state)
{
    (void)state;
    mood_split_destroy(&split);
    mood_corpus_destroy(&corpus);
    assert_true(!corpus && !split);
    mood_corpus_destroy(&corpus); /* twice is allowed */
    tree_remove(&tree);
    return 0;
}

void ravdess(int n)
{
    tree_ravdess(&tree, "r/", 1, n, 4, false);
    assert_int_equal(mood_corpus_add(corpus, tree_path(&tree, "r")), MOOD_OK);
}

const mood_protocol *divide(const mood_split_params *params)
{
    mood_split_destroy(&split);
    mood_status status = mood_split_create(&split, corpus, params);
    if (status != MOOD_OK)
        fail_msg("%s", mood_error_detail());
    return mood_split_protocol(split);
}

void assert_refused(const mood_split_params *params, mood_status want, const char *detail)
{
    mood_split_destroy(&split);
    assert_int_equal(mood_split_create(&split, corpus, params), want);
    assert_null(split);
    if (!strstr(mood_error_detail(), detail))
        fail_msg("'%s' is not in '%s'", detail, mood_error_detail());
    assert_null(strchr(mood_error_detail(), '\n'));
}

void assert_counts(const mood_protocol *p, int train, int val, int test)
{
    assert_int_equal(p->n_speakers[MOOD_SIDE_TRAIN], train);
    assert_int_equal(p->n_speakers[MOOD_SIDE_VAL], val);
    assert_int_equal(p->n_speakers[MOOD_SIDE_TEST], test);
}
