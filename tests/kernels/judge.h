/* SPDX-License-Identifier: MIT
 *
 * judge.h — Every kernel case in every size, and two tables of kernels compared on it.
 *
 * Sizes: all up to beyond three of the widest vectors, some at random, and those of real networks.
 * Buffers end at a page that must not be touched, or begin at one or a few numbers after it; what
 * lies beside an output has to stay as it was. Fillings are ordinary numbers, far apart in size,
 * special ones, equal ones, denormal ones, and such that cancel. */
#ifndef MOOD_TESTS_KERNELS_JUDGE_H
#define MOOD_TESTS_KERNELS_JUDGE_H

#include "kernel_cases.h"

enum filling { UNIFORM, CANCELLING, WIDE, SPECIAL, EQUAL, TINY, N_FILLINGS };

/* A call and two sets of its outputs, for two tables. */
struct scene {
    const struct kernel_case *k;
    struct kernel_call call;
    float *out[2][CASE_MAX_OUT];
    uint8_t *bytes[2];
};

/* Fill all buffers; `place` 0: they end at a page's end, else they begin place - 1 numbers after
 * its beginning, inputs one number further each. */
void scene_set(struct scene *s, enum filling f, int place, uint64_t seed);

/* Make outputs `which` the call's. */
void scene_use(struct scene *s, int which);

/* The call in words; they last until the next. */
const char *scene_text(const struct scene *s);

/* fn(scene, ctx) for the case in every size, form and flags; after each_scene_in(n), for one in n
 * of them. */
void each_scene_in(int n);
void each_scene(const struct kernel_case *k, void (*fn)(struct scene *s, void *ctx), void *ctx);

/* Every kernel of the table that is another function than that of `reference`, or all of them when
 * it is the reference itself, has to give the same bytes. Returns the number of calls. */
uint64_t judge(const struct mood__kernels *reference, const struct mood__kernels *table,
               const char *name);

/* NaN is NaN: which of two a sum keeps is the compiler's choice. */
bool same_number(float a, float b);

#endif
