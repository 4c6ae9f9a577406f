/* SPDX-License-Identifier: MIT
 *
 * rig.h — One case of the table, set up to run: its leaves, the op, and a loss = sum(out * r). */
#ifndef MOOD_TESTS_OPS_RIG_H
#define MOOD_TESTS_OPS_RIG_H

#include "cases.h"

struct golden;

/* Where in a graph the op stands. In each place the result has to be the same. */
enum rig_place {
    RIG_PLAIN,  /* alone: its first input is a leaf, its result an output */
    RIG_BEHIND, /* between other ops: it may overwrite its input, and another op its result */
    RIG_SHARED, /* as before, but another op reads the input too: gradients meet there */
    RIG_POISON  /* as RIG_BEHIND; every value that no backward asked for turns into NaN */
};

struct rig_params {
    const struct golden *golden;
    mood_pool *pool;
    enum rig_place place;
    bool inference;
};

struct rig {
    const struct op_case *c;
    const struct golden *golden;
    mood_weights *weights;
    mood_graph *graph;
    int n_in;
    mood_node *in[CASE_MAX_INPUTS]; /* the leaves */
    mood_node *out, *r, *loss;
};

/* Build, compile and fill the case; a cmocka failure that names it when that does not work.
 * Free with rig_free. */
void rig_make(struct rig *rig, const struct op_case *c, const struct rig_params *params);
void rig_free(struct rig *rig);

/* Put every leaf's value back to what it was. */
void rig_fill(const struct rig *rig);

/* What is called so in reports: the golden name, or the op's and the shapes. */
const char *rig_name(const struct op_case *c);

/* Fill, zero the gradients, run forward and, in training, backward. */
void rig_run(const struct rig *rig);

/* Everything a run leaves behind, one number after the other: out, the gradients of the leaves, the
 * running statistics. Owned by the caller: free(). */
float *rig_results(const struct rig *rig, size_t *n);

/* The value that fills leaf i, one of ops.golden; NULL without golden. */
const mood_tensor *rig_golden(const struct rig *rig, const char *part, int i);

#endif
