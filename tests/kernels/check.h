/* SPDX-License-Identifier: MIT
 *
 * check.h — What the tests of this folder need of a test framework, in the C library alone: they
 * also run as programs for other processors, under emulators, where nothing else is installed. */
#ifndef MOOD_TESTS_KERNELS_CHECK_H
#define MOOD_TESTS_KERNELS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* The first failure ends the program. */
_Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);

#define check(condition)                                                                           \
    ((condition) ? (void)0 : fail("%s:%d: not so: %s", __FILE__, __LINE__, #condition))

/* The program's argument N, or 1: under an emulator, which is slow, one call in N is tried. Neither
 * 2 nor 7 divides it, so that it meets all flags and fillings in turn. */
int one_in(int argc, char **argv);

/* Whether test(ctx) fails, or crashes, in a process of its own, whose words are not shown. For the
 * tests of the tests. */
bool fails(void (*test)(void *ctx), void *ctx);

/* Memory for n > 0 bytes that begins, or ends, at a page that must not be touched; never NULL. */
void *take_at_begin(size_t n);
void *take_at_end(size_t n);
void give(void *p, size_t n); /* of either */

#endif
