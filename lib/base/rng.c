/* SPDX-License-Identifier: MIT
 *
 * rng.c — The sequence form of the random numbers. */
#include "base/rng.h"

#include <math.h>

struct mood__rng mood__rng_make(uint64_t seed, uint64_t stream)
{
    return (struct mood__rng){mood__hash64(mood__mix64(seed), stream)};
}

uint64_t mood__rng_u64(struct mood__rng *r)
{
    r->state += 0x9e3779b97f4a7c15u;
    return mood__mix64(r->state);
}

float mood__rng_float(struct mood__rng *r)
{
    return (float)(mood__rng_u64(r) >> 40) * 0x1p-24f;
}

double mood__rng_double(struct mood__rng *r)
{
    return (double)(mood__rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t mood__rng_below(struct mood__rng *r, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n: no value is favoured */
    uint64_t x;
    do
        x = mood__rng_u64(r);
    while (x >= limit);
    return x % n;
}

double mood__rng_normal(struct mood__rng *r)
{
    double u = 1.0 - mood__rng_double(r); /* (0, 1]: the logarithm is finite */
    double v = mood__rng_double(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void mood__rng_shuffle(struct mood__rng *r, int64_t *index, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)mood__rng_below(r, (uint64_t)i + 1);
        int64_t t = index[i];
        index[i] = index[j];
        index[j] = t;
    }
}
