/* SPDX-License-Identifier: MIT
 *
 * winograd.h — Convolution with three taps, four outputs at a time, by six multiplications in place
 * of twelve: Winograd's F(4, 3) ("Arithmetic Complexity of Computations", 1980). Input and kernel
 * are taken as polynomials whose product is known from its values at 0, a, -a, b, -b and infinity:
 *
 *     y = A^T ((G w) * (B^T x)),   dw = G^T ((A dy) * (B^T x))
 *
 * with x of 6 numbers, w of 3, y of 4. The usual points 0, +-1, +-2 lose two digits in 2-D; with
 * a = 1 / sqrt 2 and b = sqrt 2 the constants are near 1, and it is less than one (numerics.md).
 *
 * Here a number is a vector of channels, and each function maps so many of them to so many. No
 * multiplication is fused with an addition, so that all tiers agree. */
#include "kernel/tile.h"

static const float WINO_A = 0.70710678f, WINO_B = 1.41421356f; /* squares: 1/2, 2 */

/* y[i] and x[j] of one vector. */
typedef void wino_map(vec *y, const vec *x);

static inline __attribute__((always_inline)) void wino_input_of(vec *y, const vec *x)
{
    vec a = vec_of(WINO_A), b = vec_of(WINO_B), half = vec_of(0.5f), two = vec_of(2.0f);
    vec both = vec_of(2.5f);
    vec even_a = x[4] - two * x[2], odd_a = a * (x[3] - two * x[1]);
    vec even_b = x[4] - half * x[2], odd_b = b * (x[3] - half * x[1]);
    y[0] = x[0] - both * x[2] + x[4];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = x[1] - both * x[3] + x[5];
}

static inline __attribute__((always_inline)) void wino_output_of(vec *y, const vec *x)
{
    vec a = vec_of(WINO_A), b = vec_of(WINO_B), half = vec_of(0.5f), two = vec_of(2.0f);
    vec even_a = x[1] + x[2], odd_a = a * (x[1] - x[2]);
    vec even_b = x[3] + x[4], odd_b = b * (x[3] - x[4]);
    y[0] = x[0] + even_a + even_b;
    y[1] = odd_a + odd_b;
    y[2] = half * even_a + two * even_b;
    y[3] = half * odd_a + two * odd_b + x[5];
}

static inline __attribute__((always_inline)) void wino_output_grad_of(vec *y, const vec *x)
{
    vec a = vec_of(WINO_A), b = vec_of(WINO_B), half = vec_of(0.5f), two = vec_of(2.0f);
    vec even_a = x[0] + half * x[2], odd_a = a * (x[1] + half * x[3]);
    vec even_b = x[0] + two * x[2], odd_b = b * (x[1] + two * x[3]);
    y[0] = x[0];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = x[3];
}

static inline __attribute__((always_inline)) void wino_weight_of(vec *y, const vec *x)
{
    vec a = vec_of(WINO_A), b = vec_of(WINO_B), half = vec_of(0.5f), two = vec_of(2.0f);
    vec third = vec_of(-2.0f / 3), sixth = vec_of(1.0f / 6);
    vec even_a = third * (x[0] + half * x[2]), odd_a = third * (a * x[1]);
    vec even_b = sixth * (x[0] + two * x[2]), odd_b = sixth * (b * x[1]);
    y[0] = x[0];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = x[2];
}

static inline __attribute__((always_inline)) void wino_weight_grad_of(vec *y, const vec *x)
{
    vec a = vec_of(WINO_A), b = vec_of(WINO_B), half = vec_of(0.5f), two = vec_of(2.0f);
    vec third = vec_of(-2.0f / 3), sixth = vec_of(1.0f / 6);
    vec even_a = third * (x[1] + x[2]), odd_a = third * (a * (x[1] - x[2]));
    vec even_b = sixth * (x[3] + x[4]), odd_b = sixth * (b * (x[3] - x[4]));
    y[0] = x[0] + even_a + even_b;
    y[1] = odd_a + odd_b;
    y[2] = half * even_a + two * even_b + x[5];
}

/* All strips, by a map from n_in vectors to n_out, which are constants where this is called. */
static inline __attribute__((always_inline)) void strips(const struct mood__strips *s,
                                                         wino_map *map, const int n_out,
                                                         const int n_in)
{
    for (ptrdiff_t strip = 0; strip < s->count; strip++)
        for (ptrdiff_t c = 0; c < s->n; c += VEC) {
            const float *x = s->x + strip * s->x_next + c;
            float *y = s->y + strip * s->y_next + c;
            vec in[6], out[6];
            UNROLL
            for (int i = 0; i < n_in; i++)
                in[i] = vec_load(x + i * s->x_step);
            map(out, in);
            UNROLL
            for (int i = 0; i < n_out; i++)
                vec_store(y + i * s->y_step, out[i]);
        }
}

static void wino_input(const struct mood__strips *s)
{
    strips(s, wino_input_of, 6, 6);
}

static void wino_output(const struct mood__strips *s)
{
    strips(s, wino_output_of, 4, 6);
}

static void wino_output_grad(const struct mood__strips *s)
{
    strips(s, wino_output_grad_of, 6, 4);
}

static void wino_weight(const struct mood__strips *s)
{
    strips(s, wino_weight_of, 6, 3);
}

static void wino_weight_grad(const struct mood__strips *s)
{
    strips(s, wino_weight_grad_of, 3, 6);
}
