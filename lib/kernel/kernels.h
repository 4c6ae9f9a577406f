/* SPDX-License-Identifier: MIT
 *
 * kernels.h — The inner loops, on raw pointers. One table of functions per processor tier.
 *
 * Contract of every entry: pointers may be unaligned, n, rows and C may be 0, outputs do not
 * overlap inputs unless said ("in place": y == x exactly). NaN and infinity propagate as the
 * formula says. No threads, no allocation, no errors: those are the caller's.
 *
 * All tiers are compiled from one source, loops.h, without contraction and with explicit lanes in
 * sums, so that every tier gives the same bytes; tests/kernels compares them, and the tier c with
 * results in double precision. What an entry may be off by is said beside it, with U = 2^-24, what
 * one operation is off by, relative to its result; where nothing is said, nothing but the rounding
 * of the operations of the formula, or none where it has none. How entries are tested, and a new
 * one is: tests/kernels/kernel_cases.h.
 *
 * `add` arguments: true adds to the output, false sets it. */
#ifndef MOOD_KERNEL_KERNELS_H
#define MOOD_KERNEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y[i] = f(x[i]); in place allowed. */
typedef void mood__map(float *y, const float *x, ptrdiff_t n);
/* dx[i] (+)= dy[i] * f'(..), where s is the op's saved tensor: its input, or its output. dx == dy
 * allowed when not adding. */
typedef void mood__map_grad(float *dx, const float *dy, const float *s, ptrdiff_t n, bool add);

struct mood__adam_step {
    float lr;           /* already divided by the first moment's bias correction */
    float beta1, beta2; /* decay of the moments */
    float one_minus_beta1, one_minus_beta2; /* rounded from double: 1 - 0.999f has lost 4 digits */
    float eps;                              /* outside the root, as PyTorch's */
    float inv_sqrt_bc2;                     /* 1 / sqrt(second moment's bias correction) */
    float weight_decay;                     /* L2, added to the gradient */
};

/* Columns of a panel, the form in which products read their right side: row k of a panel is at
 * panel + k * MOOD__PANEL, whatever it was cut from. */
enum { MOOD__PANEL = 32 };

/* Panels to be made, side by side from `rows` rows of `width` numbers, `ld` apart: of all panels
 * one row, then the next, for the numbers of a row lie together in memory. The panels begin
 * panel_step apart. What is beyond the width stays as it is in the last. Where `panel` is NULL,
 * the rows are only asked for, so that they are near when they are read. */
struct mood__pack {
    float *panel;
    const float *from;
    ptrdiff_t ld, rows, width, panel_step;
};

/* Strips of vectors of n numbers, n a multiple of 16: vector i of strip s is at x + s * x_next + i
 * * x_step. In place is allowed: y == x, with the same steps. */
struct mood__strips {
    float *y;
    ptrdiff_t y_step, y_next;
    const float *x;
    ptrdiff_t x_step, x_next;
    ptrdiff_t n, count;
};

typedef void mood__strip_map(const struct mood__strips *s);

struct mood__kernels {
    /* y = a + b, a - b, a * b; y may be a or b. */
    void (*add)(float *y, const float *a, const float *b, ptrdiff_t n);
    void (*sub)(float *y, const float *a, const float *b, ptrdiff_t n);
    void (*mul)(float *y, const float *a, const float *b, ptrdiff_t n);
    /* y += a * b. */
    void (*mul_add)(float *y, const float *a, const float *b, ptrdiff_t n);
    /* y (+)= a * x; in place allowed. */
    void (*scale)(float *y, float a, const float *x, ptrdiff_t n, bool add);

    /* n_rows rows of `width` floats, y_ld and x_ld apart (y_ld >= width). */
    void (*copy_rows)(float *y, ptrdiff_t y_ld, const float *x, ptrdiff_t x_ld, ptrdiff_t n_rows,
                      ptrdiff_t width);

    /* c (M, n) = a (M, K) b (K, n) + (add ? c : 0), n <= MOOD__PANEL, b a panel, all of which is
     * read. Off by K U times the sum of |a b|. Rows of c and a are c_ld and a_ld apart; those of a
     * may overlap (a_ld < K). An element is one chain of fused multiply-adds in the order of k,
     * which begins with c or 0. Meanwhile `next` is packed; NULL: nothing is. */
    void (*product)(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                    ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool add, const struct mood__pack *next);
    /* The same of a's transpose, a (K, M) with rows a_ld apart. */
    void (*product_t)(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld, const float *b,
                      ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool add);

    /* The maps of Winograd's convolution (kernel/winograd.h), each strip by itself: B^T from 6 to 6
     * vectors, A^T from 6 to 4, A from 4 to 6, G from 3 to 6, G^T from 6 to 3. */
    mood__strip_map *wino_input, *wino_output, *wino_output_grad, *wino_weight, *wino_weight_grad;

    /* Off, relative to the result: exp 1.4 U, log 2 U, tanh 4 U, sigmoid 3.4 U; gelu 1.2 U |x| + U.
     */
    mood__map *exp, *log, *tanh, *sigmoid, *relu, *gelu;
    /* Saved tensor: the output for exp, tanh, sigmoid and relu; the input for log and gelu. */
    mood__map_grad *exp_grad, *log_grad, *tanh_grad, *sigmoid_grad, *relu_grad, *gelu_grad;

    /* Sums over n elements, in 16 lanes that are added pairwise at the end: off by (n / 16 + 5) U
     * times the sum of the magnitudes, dot by one U more, sum_sq_dev by three. */
    float (*sum)(const float *x, ptrdiff_t n);
    float (*dot)(const float *x, const float *y, ptrdiff_t n);
    float (*max)(const float *x, ptrdiff_t n); /* -infinity for n = 0; NaN if any is NaN */
    /* sum of (x[i] - c)^2. */
    float (*sum_sq_dev)(const float *x, float c, ptrdiff_t n);

    /* y = softmax(scale * x) over n >= 1 numbers, scale > 0: e^(scale (x[i] - largest)), divided by
     * their sum. In place allowed; NaN makes all NaN. */
    void (*softmax)(float *y, const float *x, ptrdiff_t n, float scale);

    /* x is (rows, C), contiguous. out[c] (+)= sum over rows, one after the other: off by rows * U
     * times the sum of the magnitudes; the other two sums of columns by (rows + 3) U. */
    void (*col_sum)(float *out, const float *x, ptrdiff_t rows, ptrdiff_t C, bool add);
    /* Mean and sum of squared deviations from it, per column. */
    void (*col_moments)(float *mean, float *m2, const float *x, ptrdiff_t rows, ptrdiff_t C);
    /* y = x * a[c] + b[c], then max(., 0) if relu; in place allowed. */
    void (*affine_rows)(float *y, const float *x, const float *a, const float *b, ptrdiff_t rows,
                        ptrdiff_t C, bool relu);
    /* With g = dy, or 0 where x * a[c] + b[c] <= 0 if relu: sum_g[c] = sum of g, sum_gx[c] = sum of
     * g * (x - mean[c]). */
    void (*norm_grad_sums)(float *sum_g, float *sum_gx, const float *dy, const float *x,
                           const float *a, const float *b, const float *mean, ptrdiff_t rows,
                           ptrdiff_t C, bool relu);
    /* dx (+)= g * k1[c] + (x - mean[c]) * k2[c] + k3[c]; dx == dy allowed when not adding. */
    void (*norm_grad_rows)(float *dx, const float *dy, const float *x, const float *a,
                           const float *b, const float *mean, const float *k1, const float *k2,
                           const float *k3, ptrdiff_t rows, ptrdiff_t C, bool relu, bool add);

    /* The largest of wf x wt positions, each C wide, for one row of outputs (n_out, C): position
     * (i, j) of output t is at x + i * row_stride + (t * wt + j) * C. which[t, c] = i * wt + j of
     * the first largest. wf * wt <= 255. */
    void (*max_pool_row)(float *y, uint8_t *which, const float *x, ptrdiff_t n_out, ptrdiff_t C,
                         int wf, int wt, ptrdiff_t row_stride);
    /* The reverse: every position of the windows gets (+)= dy where it was the largest, 0
     * elsewhere. */
    void (*max_pool_row_grad)(float *dx, const float *dy, const uint8_t *which, ptrdiff_t n_out,
                              ptrdiff_t C, int wf, int wt, ptrdiff_t row_stride, bool add);

    /* y = x / (1 - p) where the hash of (key, first + i) is at least p, else 0; in place allowed.
     * `threshold` is p in units of 2^-32, `factor` 1 / (1 - p). */
    void (*dropout)(float *y, const float *x, ptrdiff_t n, uint64_t key, uint64_t first,
                    uint32_t threshold, float factor, bool add);

    /* One step of Adam (Kingma and Ba, arXiv 1412.6980) with PyTorch's semantics. */
    void (*adam)(float *w, const float *g, float *m, float *v, ptrdiff_t n,
                 const struct mood__adam_step *s);
    /* One step of SGD with momentum, PyTorch's semantics: g' = g + decay w; m = mu m + g' (m = g'
     * at the first step); w -= lr m. */
    void (*sgd)(float *w, const float *g, float *m, ptrdiff_t n, float lr, float momentum,
                float weight_decay, bool first);
};

/* The table of the tier in use (base/cpu.h). */
const struct mood__kernels *mood__kernels(void);

/* The tables themselves, for tests; a tier that this build does not have is NULL. */
const struct mood__kernels *mood__kernels_of(int tier);

#endif
