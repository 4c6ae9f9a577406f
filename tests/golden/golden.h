/* SPDX-License-Identifier: MIT
 *
 * golden.h — Reads golden files (golden.py says how they look), and measures how far a result is
 * from the truth in them. */
#ifndef MOOD_TESTS_GOLDEN_GOLDEN_H
#define MOOD_TESTS_GOLDEN_GOLDEN_H

#include "mood/tensor.h"

struct golden;

/* NULL, and a line on stderr, when the file cannot be read or is none. */
struct golden *golden_open(const char *path);
void golden_close(struct golden **g);

/* The tensor "CASE/PART", or NULL. Borrowed from g. */
const mood_tensor *golden_find(const struct golden *g, const char *case_name, const char *part);

/* max |got - want| / max(max |want|, floor); infinite when the shapes differ or `got` is not
 * finite. Both are float32 and contiguous. */
double golden_error(const mood_tensor *got, const mood_tensor *want, double floor);

/* The largest magnitude in a tensor. */
double golden_largest(const mood_tensor *t);

#endif
