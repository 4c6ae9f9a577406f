/* SPDX-License-Identifier: MIT
 *
 * statistics.h — Mean, spread, percentiles. Of no values at all everything is 0. */
#ifndef MOOD_AUDIO_STATISTICS_H
#define MOOD_AUDIO_STATISTICS_H

#include <stddef.h>

double mood__mean(const double *x, size_t n);

/* Standard deviation of the values themselves (divisor n) around their mean. */
double mood__stddev(const double *x, size_t n, double mean);

/* Ascending, in place and without memory. */
void mood__sort(double *x, size_t n);

/* The value below which `percent` of n sorted values lie, linear between two of them. */
double mood__percentile(const double *sorted, size_t n, double percent);

#endif
