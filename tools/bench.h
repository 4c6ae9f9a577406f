/* SPDX-License-Identifier: MIT
 *
 * bench.h — What the measurements of mood-bench share. */
#ifndef MOOD_TOOLS_BENCH_H
#define MOOD_TOOLS_BENCH_H

#include <stdbool.h>

#include "mood/encoder.h"

enum bench_config { BENCH_BASE, BENCH_LARGE, BENCH_TINY };
enum bench_dtype { BENCH_F32, BENCH_INT8 };

struct bench_options {
    int threads, runs;
    int batch, width; /* heads-step */
    int config, dtype, layers;
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
 * nothing else, in thousands of millions: what no product of this type can exceed. 0 where there is
 * no way to tell. */
double bench_peak(mood_pool *pool, enum bench_dtype dtype);

/* One line, or one JSON object with the same members for every measurement. */
struct bench_result {
    const char *what, *config;
    enum bench_dtype dtype;
    int layers, threads;
    double seconds;
    struct bench_times ms;
};
void bench_print(const struct bench_result *r, bool json);

/* ---- the encoder that is measured (bench_model.c) ---- */

const char *bench_config_name(int config);

/* Random weights of o->config and o->dtype. Those of 8 bits go through a temporary file, and are
 * mapped from it as a user's are; what rounding them took does not count as the peak of memory. */
mood_status bench_make_encoder(mood_encoder **out, const struct bench_options *o);

/* o->layers, or all of the encoder's. */
int bench_layers(const struct bench_options *o, const mood_encoder *encoder);

/* The measurements. They print their result on stdout; the error's text is mood_error_detail's. */
mood_status bench_heads_step(const struct bench_options *o);
mood_status bench_encoder(const struct bench_options *o);
mood_status bench_infer(const struct bench_options *o);

#endif
