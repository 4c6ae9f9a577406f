/* SPDX-License-Identifier: MIT
 *
 * bench.c — Times, memory, how they are printed, and how fast the processor could be at best. */
#include "bench.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cpu.h"
#include "base/pool.h"

double bench_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct bench_times bench_summary(double *ms, int n)
{
    qsort(ms, (size_t)n, sizeof(*ms), by_size);
    return (struct bench_times){ms[0], 0.5 * (ms[(n - 1) / 2] + ms[n / 2]), ms[n - 1]};
}

double bench_peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

void bench_print(const struct bench_result *r, bool json)
{
    const char *dtype = r->dtype == BENCH_INT8 ? "int8" : "f32";
    printf(json ? "{\"what\": \"%s\", \"config\": \"%s\", \"dtype\": \"%s\", \"layers\": %d, "
                  "\"threads\": %d, \"seconds\": %g, \"min_ms\": %.3f, \"median_ms\": %.3f, "
                  "\"max_ms\": %.3f, \"rss_mb\": %.1f}\n"
                : "%s %s %s, %d layers, %d threads, %g s: min %.1f, median %.1f, max %.1f ms; "
                  "%.0f MB\n",
           r->what, r->config, dtype, r->layers, r->threads, r->seconds, r->ms.min, r->ms.median,
           r->ms.max, bench_peak_mb());
}

/* ---- the peak ---- */

/* Multiplications that do not wait for each other: enough of them to fill the pipeline of every
 * unit that can do them. 12 of 256 bits fit into the 16 registers of AVX2; AVX-512 has twice as
 * many registers of twice the width, and on some processors the same number of units. */
enum { CHAINS = 12, ROUNDS = 1000000, SLICES = 16 };
enum { AMX_SHARE = 64 }; /* one product of tiles in place of so many others */

struct peak {
    mood__task *slice;
    int operations; /* of one instruction: each product and each sum */
};

#if defined(__x86_64__) && defined(__GNUC__)
typedef float vec8 __attribute__((vector_size(32)));
typedef float vec16 __attribute__((vector_size(64)));

/* One slice of an instruction, in registers that the compiler may neither spill nor fold. */
#define PEAK_SLICE(name, isa, op, vec, reg)                                                        \
    __attribute__((target(isa))) static void name(void *ctx, int64_t task, int worker)             \
    {                                                                                              \
        (void)ctx, (void)task, (void)worker;                                                       \
        vec a = {0}, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;  \
        vec x = a + 0.5f;                                                                          \
        for (int round = 0; round < ROUNDS; round++)                                               \
            __asm__ volatile(                                                                      \
                op " %12, %12, %0\n\t" op " %12, %12, %1\n\t" op " %12, %12, %2\n\t" op            \
                   " %12, %12, %3\n\t" op " %12, %12, %4\n\t" op " %12, %12, %5\n\t" op            \
                   " %12, %12, %6\n\t" op " %12, %12, %7\n\t" op " %12, %12, %8\n\t" op            \
                   " %12, %12, %9\n\t" op " %12, %12, %10\n\t" op " %12, %12, %11"                 \
                : "+" reg(a), "+" reg(b), "+" reg(c), "+" reg(d), "+" reg(e), "+" reg(f),          \
                  "+" reg(g), "+" reg(h), "+" reg(i), "+" reg(j), "+" reg(k), "+" reg(l)           \
                : reg(x));                                                                         \
    }

PEAK_SLICE(avx2_f32, "avx2,fma", "vfmadd231ps", vec8, "x")
PEAK_SLICE(avx512_f32, "avx512f", "vfmadd231ps", vec16, "v")
PEAK_SLICE(avx2_i8, "avx2", "vpmaddwd", vec8, "x")
PEAK_SLICE(avx512_i8, "avx512f,avx512bw", "vpmaddwd", vec16, "v")
PEAK_SLICE(avxvnni_i8, "avxvnni", "%{vex%} vpdpbusd", vec8, "x")
PEAK_SLICE(vnni_i8, "avx512f,avx512vnni", "vpdpbusd", vec16, "v")

/* Six products of tiles that do not wait for each other. */
__attribute__((target("amx-tile,amx-int8"))) static void amx_i8(void *ctx, int64_t task, int worker)
{
    (void)ctx, (void)task, (void)worker;
    uint8_t config[64] = {1}; /* of eight tiles: 64 bytes (16 bits each) by 16 rows (8 bits) */
    for (int i = 0; i < 8; i++)
        config[16 + 2 * i] = 64, config[48 + i] = 16;
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
    for (int round = 0; round < ROUNDS * CHAINS / 6 / AMX_SHARE; round++)
        __asm__ volatile("tdpbusd %tmm7, %tmm6, %tmm0\n\ttdpbusd %tmm7, %tmm6, %tmm1\n\t"
                         "tdpbusd %tmm7, %tmm6, %tmm2\n\ttdpbusd %tmm7, %tmm6, %tmm3\n\t"
                         "tdpbusd %tmm7, %tmm6, %tmm4\n\ttdpbusd %tmm7, %tmm6, %tmm5");
    __asm__ volatile("tilerelease");
}

/* The widest instruction that our own products of this type may use. */
static struct peak peak_of(enum bench_dtype dtype)
{
    bool avx512 = strcmp(mood_cpu_tier(), "x86-avx512") == 0;
    if (strcmp(mood_cpu_tier(), "c") == 0)
        return (struct peak){0};
    if (dtype == BENCH_F32)
        return avx512 ? (struct peak){avx512_f32, 32} : (struct peak){avx2_f32, 16};
    if (mood__cpu_has_amx())
        return (struct peak){amx_i8, 2 * 16 * 16 * 64 / AMX_SHARE};
    if (mood__cpu_has_vnni())
        return (struct peak){vnni_i8, 128};
    if (strcmp(mood_cpu_tier(), "x86-avxvnni") == 0)
        return (struct peak){avxvnni_i8, 64};
    return avx512 ? (struct peak){avx512_i8, 64} : (struct peak){avx2_i8, 32};
}
#else
static struct peak peak_of(enum bench_dtype dtype)
{
    (void)dtype;
    return (struct peak){0};
}
#endif

double bench_peak(mood_pool *pool, enum bench_dtype dtype)
{
    struct peak p = peak_of(dtype);
    int n_tasks = SLICES * mood_pool_threads(pool);
    if (!p.slice)
        return 0;
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double start = bench_now_ms();
        mood__pool_run(pool, n_tasks, p.slice, NULL);
        double rate = 1e-6 * p.operations * CHAINS * ROUNDS * n_tasks / (bench_now_ms() - start);
        best = rate > best ? rate : best;
    }
    return best;
}
