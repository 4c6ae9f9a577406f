/* SPDX-License-Identifier: MIT
 *
 * loops.h — The kernels in plain C, included once by each tier file, which is compiled for its
 * instruction set: the compiler's vectoriser does the rest. Loops are written so that it can: no
 * calls in hot ones, independent iterations, sums in LANES explicit lanes (a fixed order of
 * additions, so the result does not depend on the width of a register).
 *
 * The including file defines TIER_TABLE, the name of its table. */
#include <math.h>
#include <string.h>

#include "kernel/kernels.h"
#include "kernel/maths.h"
#include "kernel/winograd.h"

enum { LANES = 16 };

/* ---- element by element ---- */

static void add(float *y, const float *a, const float *b, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void sub(float *y, const float *a, const float *b, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = a[i] - b[i];
}

static void mul(float *y, const float *a, const float *b, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

static void mul_add(float *y, const float *a, const float *b, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] += a[i] * b[i];
}

static void scale(float *y, float a, const float *x, ptrdiff_t n, bool acc)
{
    if (acc) {
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] += a * x[i];
    } else {
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = a * x[i];
    }
}

static inline void copy_rows_of(float *y, ptrdiff_t y_ld, const float *x, ptrdiff_t x_ld,
                                ptrdiff_t n_rows, int width)
{
    for (ptrdiff_t r = 0; r < n_rows; r++)
        memcpy(y + r * y_ld, x + r * x_ld, (size_t)width * sizeof(float));
}

/* Convolutions copy very many short rows: with a constant width the copy is a few moves, not a
 * call. */
static void copy_rows(float *y, ptrdiff_t y_ld, const float *x, ptrdiff_t x_ld, ptrdiff_t n_rows,
                      ptrdiff_t width)
{
    if (width == 3) {
        copy_rows_of(y, y_ld, x, x_ld, n_rows, 3);
        return;
    }
    ptrdiff_t done = 0;
    for (; done + 32 <= width && width % 32 == 0; done += 32)
        copy_rows_of(y + done, y_ld, x + done, x_ld, n_rows, 32);
    for (ptrdiff_t r = 0; r < n_rows && done < width; r++)
        memcpy(y + r * y_ld + done, x + r * x_ld + done, (size_t)(width - done) * sizeof(float));
}

static void map_exp(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = exp_of(x[i]);
}

static void map_log(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = logf(x[i]);
}

static void map_tanh(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

static void map_sigmoid(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + exp_of(-x[i]));
}

static void map_relu(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0f ? 0.0f : x[i]; /* keeps NaN */
}

static void map_gelu(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = x[i] * normal_cdf(x[i]);
}

/* dx[i] (+)= `expr` of g = dy[i] and s[i]. */
#define GRAD_LOOP(expr)                                                                            \
    if (acc) {                                                                                     \
        for (ptrdiff_t i = 0; i < n; i++)                                                          \
            dx[i] += (expr);                                                                       \
    } else {                                                                                       \
        for (ptrdiff_t i = 0; i < n; i++)                                                          \
            dx[i] = (expr);                                                                        \
    }

static void exp_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(dy[i] * s[i])
}

static void log_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(dy[i] / s[i])
}

static void tanh_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(dy[i] * (1.0f - s[i] * s[i]))
}

static void sigmoid_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(dy[i] * (s[i] * (1.0f - s[i])))
}

static void relu_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(s[i] > 0.0f ? dy[i] : 0.0f)
}

/* Phi(x) + x phi(x), with the normal distribution's Phi and density phi. */
static inline float gelu_slope(float x)
{
    return normal_cdf(x) + x * 0.39894228f * exp_of(-0.5f * x * x);
}

static void gelu_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool acc)
{
    GRAD_LOOP(dy[i] * gelu_slope(s[i]))
}

/* ---- sums ---- */

static float add_lanes(float lane[LANES])
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static float sum(const float *x, ptrdiff_t n)
{
    float lane[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += x[i + j];
    for (int j = 0; i < n; i++, j++)
        lane[j] += x[i];
    return add_lanes(lane);
}

static float dot(const float *x, const float *y, ptrdiff_t n)
{
    float lane[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += x[i + j] * y[i + j];
    for (int j = 0; i < n; i++, j++)
        lane[j] += x[i] * y[i];
    return add_lanes(lane);
}

static float max(const float *x, ptrdiff_t n)
{
    float m = -INFINITY;
    for (ptrdiff_t i = 0; i < n; i++)
        m = x[i] > m || isnan(x[i]) ? x[i] : m; /* a NaN stays: nothing is greater than it */
    return m;
}

static float sum_sq_dev(const float *x, float c, ptrdiff_t n)
{
    float lane[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) {
            float d = x[i + j] - c;
            lane[j] += d * d;
        }
    for (int j = 0; i < n; i++, j++) {
        float d = x[i] - c;
        lane[j] += d * d;
    }
    return add_lanes(lane);
}

static void softmax(float *y, const float *x, ptrdiff_t n, float factor)
{
    float top = max(x, n);
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = exp_of((x[i] - top) * factor);
    scale(y, 1.0f / sum(y, n), y, n, false);
}

/* ---- rows of C channels ---- */

/* Sums per channel are kept in local arrays, BLOCK channels at a time, which the compiler turns
 * into registers when the number of channels is a constant: hence the inline bodies that are called
 * with the constant BLOCK for whole blocks. */
enum { BLOCK = 32 };

static inline void col_sum_block(float *out, const float *x, ptrdiff_t rows, ptrdiff_t C, int n,
                                 bool acc)
{
    float s[BLOCK];
    for (int c = 0; c < n; c++)
        s[c] = acc ? out[c] : 0.0f;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (int c = 0; c < n; c++)
            s[c] += x[r * C + c];
    for (int c = 0; c < n; c++)
        out[c] = s[c];
}

static void col_sum(float *out, const float *x, ptrdiff_t rows, ptrdiff_t C, bool acc)
{
    ptrdiff_t c = 0;
    for (; c + BLOCK <= C; c += BLOCK)
        col_sum_block(out + c, x + c, rows, C, BLOCK, acc);
    if (c < C)
        col_sum_block(out + c, x + c, rows, C, (int)(C - c), acc);
}

static inline void sq_dev_block(float *m2, const float *mean, const float *x, ptrdiff_t rows,
                                ptrdiff_t C, int n)
{
    float m[BLOCK], s[BLOCK];
    for (int c = 0; c < n; c++) {
        m[c] = mean[c];
        s[c] = 0.0f;
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        for (int c = 0; c < n; c++) {
            float d = x[r * C + c] - m[c];
            s[c] += d * d;
        }
    for (int c = 0; c < n; c++)
        m2[c] = s[c];
}

static void col_moments(float *mean, float *m2, const float *x, ptrdiff_t rows, ptrdiff_t C)
{
    float inv = rows > 0 ? 1.0f / (float)rows : 0.0f;
    col_sum(mean, x, rows, C, false);
    scale(mean, inv, mean, C, false);
    ptrdiff_t c = 0;
    for (; c + BLOCK <= C; c += BLOCK)
        sq_dev_block(m2 + c, mean + c, x + c, rows, C, BLOCK);
    if (c < C)
        sq_dev_block(m2 + c, mean + c, x + c, rows, C, (int)(C - c));
}

static void affine_rows(float *y, const float *x, const float *a, const float *b, ptrdiff_t rows,
                        ptrdiff_t C, bool relu)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *xr = x + r * C;
        float *yr = y + r * C;
        if (relu) {
            for (ptrdiff_t c = 0; c < C; c++) {
                float v = xr[c] * a[c] + b[c];
                yr[c] = v < 0.0f ? 0.0f : v;
            }
        } else {
            for (ptrdiff_t c = 0; c < C; c++)
                yr[c] = xr[c] * a[c] + b[c];
        }
    }
}

static inline void norm_grad_sums_block(float *sum_g, float *sum_gx, const float *dy,
                                        const float *x, const float *a, const float *b,
                                        const float *mean, ptrdiff_t rows, ptrdiff_t C, int n,
                                        bool relu)
{
    float sg[BLOCK], sgx[BLOCK], ka[BLOCK], kb[BLOCK], m[BLOCK];
    for (int c = 0; c < n; c++) {
        sg[c] = sgx[c] = 0.0f;
        ka[c] = a[c];
        kb[c] = b[c];
        m[c] = mean[c];
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        for (int c = 0; c < n; c++) {
            float v = x[r * C + c], g = dy[r * C + c];
            g = relu && !(v * ka[c] + kb[c] > 0.0f) ? 0.0f : g;
            sg[c] += g;
            sgx[c] += g * (v - m[c]);
        }
    for (int c = 0; c < n; c++) {
        sum_g[c] = sg[c];
        sum_gx[c] = sgx[c];
    }
}

static void norm_grad_sums(float *sum_g, float *sum_gx, const float *dy, const float *x,
                           const float *a, const float *b, const float *mean, ptrdiff_t rows,
                           ptrdiff_t C, bool relu)
{
    ptrdiff_t c = 0;
    for (; c + BLOCK <= C; c += BLOCK) {
        if (relu)
            norm_grad_sums_block(sum_g + c, sum_gx + c, dy + c, x + c, a + c, b + c, mean + c, rows,
                                 C, BLOCK, true);
        else
            norm_grad_sums_block(sum_g + c, sum_gx + c, dy + c, x + c, a + c, b + c, mean + c, rows,
                                 C, BLOCK, false);
    }
    if (c < C)
        norm_grad_sums_block(sum_g + c, sum_gx + c, dy + c, x + c, a + c, b + c, mean + c, rows, C,
                             (int)(C - c), relu);
}

static void norm_grad_rows(float *dx, const float *dy, const float *x, const float *a,
                           const float *b, const float *mean, const float *k1, const float *k2,
                           const float *k3, ptrdiff_t rows, ptrdiff_t C, bool relu, bool acc)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *xr = x + r * C, *gr = dy + r * C;
        float *dr = dx + r * C;
        if (relu && !acc) { /* the case of every convolution block */
            for (ptrdiff_t c = 0; c < C; c++) {
                float g = xr[c] * a[c] + b[c] > 0.0f ? gr[c] : 0.0f;
                dr[c] = g * k1[c] + (xr[c] - mean[c]) * k2[c] + k3[c];
            }
        } else {
            for (ptrdiff_t c = 0; c < C; c++) {
                float g = relu && !(xr[c] * a[c] + b[c] > 0.0f) ? 0.0f : gr[c];
                float d = g * k1[c] + (xr[c] - mean[c]) * k2[c] + k3[c];
                dr[c] = acc ? dr[c] + d : d;
            }
        }
    }
}

/* ---- pooling ---- */

static inline void max_pool_block(float *y, uint8_t *which, const float *first, ptrdiff_t C, int n,
                                  int wf, int wt, ptrdiff_t row_stride)
{
    float best[BLOCK];
    int32_t at[BLOCK];
    for (int c = 0; c < n; c++) {
        best[c] = first[c];
        at[c] = 0;
    }
    for (int i = 0, p = 0; i < wf; i++)
        for (int j = 0; j < wt; j++, p++) {
            const float *x = first + i * row_stride + j * C;
            for (int c = 0; c < n; c++) {
                bool larger = x[c] > best[c] || isnan(x[c]); /* a NaN wins, and stays */
                at[c] = larger ? p : at[c];
                best[c] = larger ? x[c] : best[c];
            }
        }
    for (int c = 0; c < n; c++) {
        y[c] = best[c];
        which[c] = (uint8_t)at[c];
    }
}

static void max_pool_row(float *y, uint8_t *which, const float *x, ptrdiff_t n_out, ptrdiff_t C,
                         int wf, int wt, ptrdiff_t row_stride)
{
    for (ptrdiff_t t = 0; t < n_out; t++) {
        ptrdiff_t c = 0, to = t * C;
        const float *from = x + t * wt * C;
        for (; c + BLOCK <= C; c += BLOCK)
            max_pool_block(y + to + c, which + to + c, from + c, C, BLOCK, wf, wt, row_stride);
        if (c < C)
            max_pool_block(y + to + c, which + to + c, from + c, C, (int)(C - c), wf, wt,
                           row_stride);
    }
}

static void max_pool_row_grad(float *dx, const float *dy, const uint8_t *which, ptrdiff_t n_out,
                              ptrdiff_t C, int wf, int wt, ptrdiff_t row_stride, bool acc)
{
    for (ptrdiff_t t = 0; t < n_out; t++) {
        const float *g = dy + t * C;
        const uint8_t *w = which + t * C;
        for (int p = 0; p < wf * wt; p++) {
            float *d = dx + (p / wt) * row_stride + (t * wt + p % wt) * C;
            if (acc) {
                for (ptrdiff_t c = 0; c < C; c++)
                    d[c] += w[c] == p ? g[c] : 0.0f;
            } else {
                for (ptrdiff_t c = 0; c < C; c++)
                    d[c] = w[c] == p ? g[c] : 0.0f;
            }
        }
    }
}

/* ---- dropout and optimisers ---- */

/* mood__hash64 of base/rng.h, repeated here because a tier file must not share code with files that
 * are compiled for another instruction set. */
static inline uint32_t hash_high(uint64_t key, uint64_t i)
{
    uint64_t x = key + (i + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ (x >> 31)) >> 32);
}

static void dropout(float *y, const float *x, ptrdiff_t n, uint64_t key, uint64_t first,
                    uint32_t threshold, float factor, bool acc)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        float v = hash_high(key, first + (uint64_t)i) >= threshold ? x[i] * factor : 0.0f;
        y[i] = acc ? y[i] + v : v;
    }
}

static void adam(float *w, const float *g, float *m, float *v, ptrdiff_t n,
                 const struct mood__adam_step *s)
{
    float lr = s->lr, b1 = s->beta1, b2 = s->beta2, eps = s->eps, root = s->inv_sqrt_bc2;
    float c1 = s->one_minus_beta1, c2 = s->one_minus_beta2, decay = s->weight_decay;
    for (ptrdiff_t i = 0; i < n; i++) {
        float gi = g[i] + decay * w[i];
        m[i] = b1 * m[i] + c1 * gi;
        v[i] = b2 * v[i] + c2 * gi * gi;
        w[i] -= lr * m[i] / (sqrtf(v[i]) * root + eps);
    }
}

static void sgd(float *w, const float *g, float *m, ptrdiff_t n, float lr, float momentum,
                float weight_decay, bool first)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        float gi = g[i] + weight_decay * w[i];
        m[i] = first ? gi : momentum * m[i] + gi;
        w[i] -= lr * m[i];
    }
}

extern const struct mood__kernels TIER_TABLE;
const struct mood__kernels TIER_TABLE = {
    .add = add,
    .sub = sub,
    .mul = mul,
    .mul_add = mul_add,
    .scale = scale,
    .copy_rows = copy_rows,
    .product = product,
    .product_t = product_t,
    .wino_input = wino_input,
    .wino_output = wino_output,
    .wino_output_grad = wino_output_grad,
    .wino_weight = wino_weight,
    .wino_weight_grad = wino_weight_grad,
    .exp = map_exp,
    .log = map_log,
    .tanh = map_tanh,
    .sigmoid = map_sigmoid,
    .relu = map_relu,
    .gelu = map_gelu,
    .exp_grad = exp_grad,
    .log_grad = log_grad,
    .tanh_grad = tanh_grad,
    .sigmoid_grad = sigmoid_grad,
    .relu_grad = relu_grad,
    .gelu_grad = gelu_grad,
    .sum = sum,
    .dot = dot,
    .max = max,
    .sum_sq_dev = sum_sq_dev,
    .softmax = softmax,
    .col_sum = col_sum,
    .col_moments = col_moments,
    .affine_rows = affine_rows,
    .norm_grad_sums = norm_grad_sums,
    .norm_grad_rows = norm_grad_rows,
    .max_pool_row = max_pool_row,
    .max_pool_row_grad = max_pool_row_grad,
    .dropout = dropout,
    .adam = adam,
    .sgd = sgd,
};
