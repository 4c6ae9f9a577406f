/* SPDX-License-Identifier: MIT
 *
 * ops.h — The operations that graphs are made of. Each has a forward and a backward pass.
 *
 * Every builder adds one node to the graph of its first input and returns it; NULL in gives NULL
 * out, and a mistake gives NULL and is kept by the graph (graph.h). Inputs must belong to one
 * graph. Values are float32 unless said. "E_SHAPE" below is always a sticky error.
 *
 * Axes count from 0; negative ones count from the end (-1 is the last). */
#ifndef MOOD_OPS_H
#define MOOD_OPS_H

#include "mood/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element by element -------------------------------------------------------------------- */

/* a + b, a - b, a * b. Shapes broadcast from the right: axes are aligned at the last one, and a
 * missing axis, or one of size 1, of either side is repeated, as in NumPy. */
MOOD_API mood_node *mood_add(mood_node *a, mood_node *b);
MOOD_API mood_node *mood_sub(mood_node *a, mood_node *b);
MOOD_API mood_node *mood_mul(mood_node *a, mood_node *b);

/* factor * x. */
MOOD_API mood_node *mood_scale(mood_node *x, float factor);

MOOD_API mood_node *mood_exp(mood_node *x);
MOOD_API mood_node *mood_log(mood_node *x); /* natural */
MOOD_API mood_node *mood_tanh(mood_node *x);
MOOD_API mood_node *mood_sigmoid(mood_node *x); /* 1 / (1 + exp(-x)) */
MOOD_API mood_node *mood_relu(mood_node *x);    /* max(x, 0); the gradient at 0 is 0 */

/* x/2 * (1 + erf(x / sqrt 2)), the exact form (Hendrycks and Gimpel, arXiv 1606.08415). */
MOOD_API mood_node *mood_gelu(mood_node *x);

/* x, but not below `low` nor above `high` (low <= high). The gradient of what was cut off is 0. */
MOOD_API mood_node *mood_clamp(mood_node *x, float low, float high);

/* In training: each element is zero with the given probability, 0 <= probability < 1, and divided
 * by (1 - probability) otherwise. Outside training: x itself, no node. */
MOOD_API mood_node *mood_dropout(mood_node *x, float probability);

/* ---- shape ---------------------------------------------------------------------------------- */

/* The same elements in the same order under another shape. One size may be -1: what is left. Free:
 * no copy, shares x's memory. */
MOOD_API mood_node *mood_reshape(mood_node *x, int rank, const int64_t *dim);

/* Axis i of the result is axis order[i] of x. Copies. */
MOOD_API mood_node *mood_transpose(mood_node *x, const int *order);

/* start <= index < stop along `axis`. Copies. */
MOOD_API mood_node *mood_slice(mood_node *x, int axis, int64_t start, int64_t stop);

/* The n inputs, 1 to 8, one after the other along `axis`; their other sizes agree. */
MOOD_API mood_node *mood_concat(mood_node *const *x, int n, int axis);

/* ---- reductions ----------------------------------------------------------------------------- */

#define MOOD_ALL_AXES 99 /* in place of an axis: over all of them, to a scalar (rank 0) */

/* Over one axis, which disappears, or over MOOD_ALL_AXES. */
MOOD_API mood_node *mood_sum(mood_node *x, int axis);
MOOD_API mood_node *mood_mean(mood_node *x, int axis);

/* ---- linear algebra -------------------------------------------------------------------------- */

typedef struct mood_matmul_params {
    bool transpose_a; /* a is (..., K, M) */
    bool transpose_b; /* b is (..., N, K) */
} mood_matmul_params;

/* y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]
 *   a (..., M, K)   b (..., K, N) with the same leading axes, or (K, N) for all   y (..., M, N) */
MOOD_API mood_node *mood_matmul(mood_node *a, mood_node *b, const mood_matmul_params *params);

/* y = x w + bias on the last axis.
 *   x (..., Cin)   w (Cin, Cout)   bias (Cout), or NULL   y (..., Cout) */
MOOD_API mood_node *mood_dense(mood_node *x, mood_node *w, mood_node *bias);

/* ---- convolution and pooling ----------------------------------------------------------------- */

typedef struct mood_conv1d_params {
    int stride;  /* 0: 1 */
    int padding; /* zeros on each side */
    int groups;  /* 0: 1 */
} mood_conv1d_params;

/* 1-D convolution over time (cross-correlation: the kernel is not flipped, as in PyTorch).
 *
 *   y[b,t,o] = bias[o] + sum over k,c of w[k,c,o] * x[b, t*stride + k - padding, g*Cin/groups + c]
 *
 *   x (B, T, Cin)   w (K, Cin / groups, Cout)   bias (Cout), or NULL
 *   y (B, Ty, Cout), Ty = (T + 2 padding - K) / stride + 1; g = the group of output o */
MOOD_API mood_node *mood_conv1d(mood_node *x, mood_node *w, mood_node *bias,
                                const mood_conv1d_params *params);

typedef struct mood_conv2d_params {
    int stride_f, stride_t;   /* 0: 1 */
    int padding_f, padding_t; /* zeros on each side */
} mood_conv2d_params;

/* 2-D convolution (cross-correlation).
 *
 *   y[b,f,t,o] = bias[o] + sum over i,j,c of
 *                w[i,j,c,o] * x[b, f*stride_f + i - padding_f, t*stride_t + j - padding_t, c]
 *
 *   x (B, F, T, Cin)   w (Kf, Kt, Cin, Cout)   bias (Cout), or NULL   y (B, Fy, Ty, Cout) */
MOOD_API mood_node *mood_conv2d(mood_node *x, mood_node *w, mood_node *bias,
                                const mood_conv2d_params *params);

/* The largest of each `window` neighbours (1 to 255 in all), windows side by side (stride =
 * window), an incomplete last window dropped. A tie's gradient goes to the first.
 *
 *   max_pool1d   x (B, T, C) -> (B, T / window, C)
 *
 *   max_pool2d   x (B, F, T, C) -> (B, F / window_f, T / window_t, C) */
MOOD_API mood_node *mood_max_pool1d(mood_node *x, int window);
MOOD_API mood_node *mood_max_pool2d(mood_node *x, int window_f, int window_t);

/* The mean over all axes between the first and the last: (B, ..., C) -> (B, C). */
MOOD_API mood_node *mood_global_avg_pool(mood_node *x);

/* ---- normalisation --------------------------------------------------------------------------- */

typedef struct mood_batch_norm_params {
    float eps;      /* 0: 1e-5 */
    float momentum; /* weight of the new batch in the running statistics; 0: 0.1 */
    bool relu;      /* y = max(.., 0): one pass over memory instead of two */
} mood_batch_norm_params;

/* Per channel over all other axes (Ioffe and Szegedy, arXiv 1502.03167):
 *   y = (x - mean) / sqrt(variance + eps) * gamma + beta
 * In training mean and variance (biased) are the batch's, and the running ones move towards them
 * (variance unbiased, as PyTorch's); otherwise they are the running ones.
 *   x (..., C)   gamma, beta, running_mean, running_var (C); the last two are frozen weights */
MOOD_API mood_node *mood_batch_norm(mood_node *x, mood_node *gamma, mood_node *beta,
                                    mood_node *running_mean, mood_node *running_var,
                                    const mood_batch_norm_params *params);

/* Over the last axis, per row (Ba et al., arXiv 1607.06450). eps 0: 1e-5.
 *   x (..., C)   gamma, beta (C) */
MOOD_API mood_node *mood_layer_norm(mood_node *x, mood_node *gamma, mood_node *beta, float eps);

/* Per sample and group of channels, over all positions (Wu and He, arXiv 1803.08494). `groups`
 * divides C. eps 0: 1e-5. x (B, ..., C)   gamma, beta (C) */
MOOD_API mood_node *mood_group_norm(mood_node *x, mood_node *gamma, mood_node *beta, int groups,
                                    float eps);

/* ---- attention and probabilities ------------------------------------------------------------- */

/* exp(x_i) / sum over j of exp(x_j), or its logarithm, over the last axis. */
MOOD_API mood_node *mood_softmax(mood_node *x);
MOOD_API mood_node *mood_log_softmax(mood_node *x);

/* Multi-head scaled dot-product attention (Vaswani et al., arXiv 1706.03762); each head has
 * D = C / n_heads channels of its own.
 *
 *   y = softmax(q k^T / sqrt(D)) v
 *
 *   q (B, Tq, C)   k, v (B, Tk, C)   y (B, Tq, C) */
MOOD_API mood_node *mood_attention(mood_node *q, mood_node *k, mood_node *v, int n_heads);

/* ---- losses ---------------------------------------------------------------------------------- */

/* The mean over all elements of (x - target)^2; a scalar. Shapes are equal. Differentiable in both.
 */
MOOD_API mood_node *mood_mse(mood_node *x, mood_node *target);

typedef struct mood_cross_entropy_params {
    const float *class_weights; /* V of them, above 0, copied; NULL: all 1 */
    float label_smoothing;      /* s in [0, 1): the target is (1 - s) one-hot + s / V */
} mood_cross_entropy_params;

/* Cross entropy of softmax(logits) against class labels, averaged with the weights of the labels,
 * as PyTorch's; a scalar. A label outside [0, V) makes the run fail (E_INVALID).
 *
 *   logits (..., V)   labels (...) i32 */
MOOD_API mood_node *mood_cross_entropy(mood_node *logits, mood_node *labels,
                                       const mood_cross_entropy_params *params);

#ifdef __cplusplus
}
#endif
#endif
