/* SPDX-License-Identifier: MIT
 *
 * rng.h — Random numbers, in two forms that need no more state than one 64-bit word:
 * a sequence (splitmix64) for shuffles and initial weights, and a hash of a position for
 * dropout and noise, where element i must not depend on which thread computes it. */
#ifndef MOOD_BASE_RNG_H
#define MOOD_BASE_RNG_H

#include <stdint.h>

struct mood__rng {
    uint64_t state;
};

/* A well-mixed function of x (the finaliser of splitmix64: Steele, Lea and Flood, "Fast
 * splittable pseudorandom number generators", 2014). */
static inline uint64_t mood__mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Random bits that belong to the pair (key, i); keys are made with mood__mix64. */
static inline uint64_t mood__hash64(uint64_t key, uint64_t i)
{
    return mood__mix64(key + (i + 1) * 0x9e3779b97f4a7c15u);
}

/* A generator whose sequence belongs to `seed` and `stream`: different streams of one seed
 * (weights, shuffles, dropout, ...) are independent. */
struct mood__rng mood__rng_make(uint64_t seed, uint64_t stream);

uint64_t mood__rng_u64(struct mood__rng *r);

/* Uniform in [0, 1), with 24 (float) or 53 (double) random bits. */
float mood__rng_float(struct mood__rng *r);
double mood__rng_double(struct mood__rng *r);

/* Uniform in [0, n), without bias; n >= 1. */
uint64_t mood__rng_below(struct mood__rng *r, uint64_t n);

/* Standard normal (Box and Muller, 1958; one of the pair). */
double mood__rng_normal(struct mood__rng *r);

/* Put index[0..n) into random order (Fisher and Yates). */
void mood__rng_shuffle(struct mood__rng *r, int64_t *index, int64_t n);

#endif
