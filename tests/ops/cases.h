/* SPDX-License-Identifier: MIT
 *
 * cases.h — The table of cases by which the ops are tested, at least one per op: to test a new op,
 * add a row to one of the cases_*.c and a case of the same name to tests/golden/make_ops.py. */
#ifndef MOOD_TESTS_OPS_CASES_H
#define MOOD_TESTS_OPS_CASES_H

#include "mood/ops.h"

enum { CASE_MAX_INPUTS = 8 };

/* Where a case can run: the two modes differ in what they plan, and for some ops in what they do.
 */
enum case_mode { BOTH_MODES, TRAINING, INFERENCE };

struct op_case {
    const char *golden; /* what it is called in ops.golden; NULL: it is not there */
    const char *op;     /* its name in the registry */
    /* A letter per input of the op:
     *   x  an input of the graph, its gradient wanted     w  a weight
     *   s  a running statistic: a frozen weight           l  class labels, an int32 input */
    const char *leaves;
    mood_node *(*build)(mood_node *const *in);
    const char *shapes; /* of the inputs, "8x149x64 3x64x48 48"; NULL: as in ops.golden */
    enum case_mode mode;
};

/* A case with values to compare with; and one without, whose inputs come from the formula, for what
 * shows on larger shapes only: threads, memory, tails of blocks. */
#define TRUTH(golden, op, leaves, build, mode)                                                     \
    {                                                                                              \
        golden, op, leaves, build, NULL, mode                                                      \
    }
#define MANNERS(op, leaves, build, shapes, mode)                                                   \
    {                                                                                              \
        NULL, op, leaves, build, shapes, mode                                                      \
    }

extern const struct op_case basic_cases[], layer_cases[];
extern const int n_basic_cases, n_layer_cases;

static inline int op_case_count(void)
{
    return n_basic_cases + n_layer_cases;
}

static inline const struct op_case *op_case_at(int i)
{
    return i < n_basic_cases ? &basic_cases[i] : &layer_cases[i - n_basic_cases];
}

#endif
