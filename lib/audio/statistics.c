/* SPDX-License-Identifier: MIT
 *
 * statistics.c — Mean, spread, percentiles. */
#include "audio/statistics.h"

#include <math.h>

double mood__mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n > 0 ? sum / (double)n : 0;
}

double mood__stddev(const double *x, size_t n, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return n > 0 ? sqrt(sum / (double)n) : 0;
}

void mood__sort(double *x, size_t n)
{
    /* Shell's sort with Ciura's gaps: the C library's qsort may allocate. */
    static const size_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < n; i++) {
            double value = x[i];
            size_t at = i;
            for (; at >= gap && x[at - gap] > value; at -= gap)
                x[at] = x[at - gap];
            x[at] = value;
        }
    }
}

double mood__percentile(const double *sorted, size_t n, double percent)
{
    if (n == 0)
        return 0;
    double at = percent / 100 * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}
