/* SPDX-License-Identifier: MIT
 *
 * bench.h — What the measurements of mood-bench share. */
#ifndef MOOD_TOOLS_BENCH_H
#define MOOD_TOOLS_BENCH_H

#include <stdbool.h>

#include "mood/base.h"

enum bench_config { BENCH_BASE, BENCH_LARGE, BENCH_TINY };

struct bench_options {
    int threads, runs;
    int batch, width; /* heads-step */
    int config, layers;
    double seconds;
    bool json, trace, parts;
    const char *cpumask;
};

struct bench_times {
    double min, median, max; /* ms */
};

double bench_now_ms(void);

/* Sorts ms[0 .. n-1], n >= 1. */
struct bench_times bench_summary(double *ms, int n);

/* The most memory that the process has had so far, in MB of 2^20 bytes. */
double bench_peak_mb(void);

/* Multiplications and additions that all threads of `pool` together do per second when they do
 * nothing else, in GFLOP/s: what no product can exceed. 0 where there is no way to tell. */
double bench_peak_gflops(mood_pool *pool);

/* The measurements. They print their result on stdout; the error's text is mood_error_detail's. */
mood_status bench_heads_step(const struct bench_options *o);
mood_status bench_encoder(const struct bench_options *o);

#endif
