/* SPDX-License-Identifier: MIT
 *
 * bench.c — Times, memory, and how fast the processor could be at best. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

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

/* ---- the peak ---- */

/* Chains of fused multiply-adds that do not wait for each other: enough of them to fill the
 * pipeline of every such unit. 12 of 256 bits fit into the 16 registers of AVX2; AVX-512 has twice
 * as many registers of twice the width, and on some processors the same number of units. */
enum { CHAINS = 12, ROUNDS = 1000000, SLICES = 16 };

#if defined(__x86_64__) && defined(__GNUC__)
typedef float vec8 __attribute__((vector_size(32)));
typedef float vec16 __attribute__((vector_size(64)));

/* One slice, in registers that the compiler may neither spill nor fold. */
#define PEAK_SLICE(name, isa, vec, reg)                                                            \
    __attribute__((target(isa))) static void name(void *ctx, int64_t task, int worker)             \
    {                                                                                              \
        (void)ctx, (void)task, (void)worker;                                                       \
        vec a = {0}, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;  \
        vec x = a + 0.5f;                                                                          \
        for (int round = 0; round < ROUNDS; round++)                                               \
            __asm__ volatile("vfmadd231ps %12, %12, %0\n\tvfmadd231ps %12, %12, %1\n\t"            \
                             "vfmadd231ps %12, %12, %2\n\tvfmadd231ps %12, %12, %3\n\t"            \
                             "vfmadd231ps %12, %12, %4\n\tvfmadd231ps %12, %12, %5\n\t"            \
                             "vfmadd231ps %12, %12, %6\n\tvfmadd231ps %12, %12, %7\n\t"            \
                             "vfmadd231ps %12, %12, %8\n\tvfmadd231ps %12, %12, %9\n\t"            \
                             "vfmadd231ps %12, %12, %10\n\tvfmadd231ps %12, %12, %11"              \
                             : "+" reg(a), "+" reg(b), "+" reg(c), "+" reg(d), "+" reg(e),         \
                               "+" reg(f), "+" reg(g), "+" reg(h), "+" reg(i), "+" reg(j),         \
                               "+" reg(k), "+" reg(l)                                              \
                             : reg(x));                                                            \
    }

PEAK_SLICE(avx2_slice, "avx2,fma", vec8, "x")
PEAK_SLICE(avx512_slice, "avx512f", vec16, "v")

static mood__task *slice_of_tier(const char *tier, int *lanes)
{
    bool avx512 = strcmp(tier, "x86-avx512") == 0;
    *lanes = avx512 ? 16 : 8;
    return avx512 ? avx512_slice : strcmp(tier, "x86-avx2") == 0 ? avx2_slice : NULL;
}
#else
static mood__task *slice_of_tier(const char *tier, int *lanes)
{
    (void)tier, (void)lanes;
    return NULL;
}
#endif

double bench_peak_gflops(mood_pool *pool)
{
    int lanes, n_tasks = SLICES * mood_pool_threads(pool);
    mood__task *slice = slice_of_tier(mood_cpu_tier(), &lanes);
    if (!slice)
        return 0;
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double start = bench_now_ms();
        mood__pool_run(pool, n_tasks, slice, NULL);
        double gflops = 2e-6 * lanes * CHAINS * ROUNDS * n_tasks / (bench_now_ms() - start);
        best = gflops > best ? gflops : best;
    }
    return best;
}
