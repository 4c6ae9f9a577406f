/* SPDX-License-Identifier: MIT
 *
 * expect.h — What a test of the reader expects of bytes it has built. */
#ifndef TEST_EXPECT_H
#define TEST_EXPECT_H

#include "bytes_builder.h"
#include "mood/audio.h"

/* Reading the bytes succeeds; empties `b`. */
mood_audio *read_ok(struct builder *b);

/* The bytes are refused with this status and a detail of one line that contains `words`; empties
 * `b`. */
void refused(struct builder *b, mood_status want, const char *words);

void assert_near(double got, double want, double bound);

#endif
