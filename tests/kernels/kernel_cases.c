/* SPDX-License-Identifier: MIT
 *
 * kernel_cases.c — The kernels: how each is called, what it computes, and how exact it has to be.
 *
 * Bounds are derived as usual (Higham, "Accuracy and Stability of Numerical Algorithms", 2002):
 * each operation is off by at most U relative to its result; a sum of n terms by n U times the sum
 * of their magnitudes; products of small quantities U^2 are covered by a factor of 1.01. Functions
 * of the C library have the errors that the GNU C library's manual lists for x86_64: logf 1 ulp,
 * which is 2 U; tanhf 2 ulp. Those of our own, EXP and PHI, were found by trying every float, and
 * test_kernels.c looks at one in a thousand again. */
#include "kernel_cases.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/rng.h"

static const double U = 0x1p-24, SECOND_ORDER = 1.01;
static const double EXP = KERNEL_EXP, PHI = 1.2 * 0x1p-24; /* of itself; absolute */
enum {
    LANES = 16, /* of sums, as kernels.h says */
    GAP = KERNEL_GAP
};

/* What the functions below pass beside their buffers. */
static const float FACTOR = -0.7f, CENTRE = 0.25f, LR = 0.01f, MOMENTUM = 0.9f, DECAY = 0.02f;
static const uint64_t KEY = 0x123456789abcdef0u, FIRST = 1000003;
static const uint32_t THRESHOLD = 0x40000000u;
static const float DROPOUT_FACTOR = 4.0f / 3.0f;
const struct mood__adam_step kernel_adam = {.lr = 0.01f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.999f,
                                            .one_minus_beta1 = 0.1f,
                                            .one_minus_beta2 = 0.001f,
                                            .eps = 1e-8f,
                                            .inv_sqrt_bc2 = 2.0f,
                                            .weight_decay = 0.02f};

ptrdiff_t kernel_size(const struct kernel_call *c, char letter)
{
    switch (letter) {
    case 'n':
        return c->rows * c->C;
    case 'c':
        return c->C;
    case 's':
        return c->rows > 0 ? (c->rows - 1) * (c->C + GAP) + c->C : 0;
    case 'k':
        return c->C * MOOD__PANEL;
    case 'w':
        return kernel_strips_size(c);
    case 't':
        return c->rows > 0 ? (c->rows - 1) * (c->wt + GAP) + c->wt : 0;
    case 'p':
        return c->rows > 0 ? (c->wf - 1) * c->row_stride + c->rows * c->wt * c->C : 0;
    default:
        return 1;
    }
}

static double in(const struct kernel_call *c, int k, ptrdiff_t i)
{
    return (double)c->in[k][i];
}

static double before(const struct kernel_call *c, int o, ptrdiff_t i)
{
    return (double)c->out[o][i];
}

/* ---- element by element ---- */

static void run_add(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->add(c->out[0], c->in[0], c->in[1], c->C);
}

static double exact_add(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = in(c, 0, i) + in(c, 1, i);
    *bound = U * fabs(y);
    return y;
}

static void run_sub(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->sub(c->out[0], c->in[0], c->in[1], c->C);
}

static double exact_sub(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = in(c, 0, i) - in(c, 1, i);
    *bound = U * fabs(y);
    return y;
}

static void run_mul(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->mul(c->out[0], c->in[0], c->in[1], c->C);
}

static double exact_mul(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = in(c, 0, i) * in(c, 1, i);
    *bound = U * fabs(y);
    return y;
}

static void run_mul_add(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->mul_add(c->out[0], c->in[0], c->in[1], c->C);
}

/* y (+)= x, where x is off by `bound` already; the sum rounds once more. */
static double accumulated(const struct kernel_call *c, ptrdiff_t i, double x, bool add,
                          double *bound)
{
    double y = (add ? before(c, 0, i) : 0) + x;
    if (add)
        *bound = (*bound + U * fabs(y)) * SECOND_ORDER;
    return y;
}

static double exact_mul_add(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    return accumulated(c, i, exact_mul(c, o, i, bound), true, bound);
}

static void run_scale(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->scale(c->out[0], FACTOR, c->in[0], c->C, c->a);
}

static double exact_scale(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = (double)FACTOR * in(c, 0, i);
    *bound = U * fabs(y);
    return accumulated(c, i, y, c->a, bound);
}

/* All maps are called alike, and so are their gradients: the case says where in the table they are.
 */
static void run_map(const struct mood__kernels *k, const struct kernel_call *c)
{
    mood__map *map;
    memcpy(&map, (const char *)k + c->field, sizeof(map));
    map(c->out[0], c->in[0], c->C);
}

static void run_map_grad(const struct mood__kernels *k, const struct kernel_call *c)
{
    mood__map_grad *grad;
    memcpy(&grad, (const char *)k + c->field, sizeof(grad));
    grad(c->out[0], c->in[0], c->in[1], c->C, c->a);
}

static double exact_exp(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = exp(in(c, 0, i));
    *bound = EXP * y;
    return y;
}

static double exact_log(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = log(in(c, 0, i));
    *bound = 2 * U * fabs(y);
    return y;
}

static double exact_tanh(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = tanh(in(c, 0, i));
    *bound = 4 * U * fabs(y);
    return y;
}

/* e^-x, 1 + that U, the quotient U. */
static double exact_sigmoid(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = 1 / (1 + exp(-in(c, 0, i)));
    *bound = (EXP + 2 * U) * y * SECOND_ORDER;
    return y;
}

static double exact_relu(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    *bound = 0;
    return fmax(in(c, 0, i), 0);
}

static double normal_cdf(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* x Phi(x): Phi, and a product. */
static double exact_gelu(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double x = in(c, 0, i), y = x * normal_cdf(x);
    *bound = (fabs(x) * PHI + U * fabs(y)) * SECOND_ORDER;
    return y;
}

/* dy times a slope that is off by `slope_bound`. */
static double sloped(const struct kernel_call *c, ptrdiff_t i, double slope, double slope_bound,
                     double *bound)
{
    double dx = in(c, 0, i) * slope;
    *bound = (fabs(in(c, 0, i)) * slope_bound + U * fabs(dx)) * SECOND_ORDER;
    return accumulated(c, i, dx, c->a, bound);
}

static double exact_exp_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return sloped(c, i, in(c, 1, i), 0, bound);
}

static double exact_log_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return sloped(c, i, 1 / in(c, 1, i), 0, bound); /* one quotient, no product */
}

static double exact_tanh_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double s = in(c, 1, i);
    return sloped(c, i, 1 - s * s, U * (s * s + fabs(1 - s * s)), bound);
}

static double exact_sigmoid_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double s = in(c, 1, i);
    return sloped(c, i, s * (1 - s), 2 * U * fabs(s * (1 - s)), bound);
}

static double exact_relu_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    *bound = 0;
    return accumulated(c, i, in(c, 1, i) > 0 ? in(c, 0, i) : 0, c->a, bound);
}

/* Phi; x phi: e^-q EXP, its argument q = x^2 / 2 off by 3 U, which e^-q sees q-fold, and three
 * products and a rounded constant; their sum. */
static double exact_gelu_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double x = in(c, 1, i), q = x * x / 2, Phi = normal_cdf(x);
    double phi = x * exp(-q) / sqrt(2 * acos(-1.0));
    double slope_bound = PHI + fabs(phi) * (EXP + (3 * q + 4) * U) + U * fabs(Phi + phi);
    return sloped(c, i, Phi + phi, slope_bound * SECOND_ORDER, bound);
}

/* ---- sums ---- */

/* The longest chain of additions in a sum by lanes. */
static double chain(ptrdiff_t n)
{
    return (double)((n + LANES - 1) / LANES) + 4;
}

static void run_sum(const struct mood__kernels *k, const struct kernel_call *c)
{
    c->out[0][0] = k->sum(c->in[0], c->C);
}

static double exact_sum(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o, (void)i;
    double y = 0, size = 0;
    for (ptrdiff_t e = 0; e < c->C; e++) {
        y += in(c, 0, e);
        size += fabs(in(c, 0, e));
    }
    *bound = chain(c->C) * U * size * SECOND_ORDER;
    return y;
}

static void run_dot(const struct mood__kernels *k, const struct kernel_call *c)
{
    c->out[0][0] = k->dot(c->in[0], c->in[1], c->C);
}

static double exact_dot(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o, (void)i;
    double y = 0, size = 0;
    for (ptrdiff_t e = 0; e < c->C; e++) {
        y += in(c, 0, e) * in(c, 1, e);
        size += fabs(in(c, 0, e) * in(c, 1, e));
    }
    *bound = (chain(c->C) + 1) * U * size * SECOND_ORDER;
    return y;
}

static void run_max(const struct mood__kernels *k, const struct kernel_call *c)
{
    c->out[0][0] = k->max(c->in[0], c->C);
}

static double exact_max(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o, (void)i;
    double y = -INFINITY;
    for (ptrdiff_t e = 0; e < c->C; e++)
        y = fmax(y, in(c, 0, e));
    *bound = 0;
    return y;
}

static void run_sum_sq_dev(const struct mood__kernels *k, const struct kernel_call *c)
{
    c->out[0][0] = k->sum_sq_dev(c->in[0], CENTRE, c->C);
}

static double exact_sum_sq_dev(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o, (void)i;
    double y = 0;
    for (ptrdiff_t e = 0; e < c->C; e++)
        y += pow(in(c, 0, e) - (double)CENTRE, 2);
    *bound = (chain(c->C) + 3) * U * y * SECOND_ORDER;
    return y;
}

/* ---- rows of channels ---- */

static void run_col_sum(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->col_sum(c->out[0], c->in[0], c->rows, c->C, c->a);
}

static double exact_col_sum(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = c->a ? before(c, 0, i) : 0, size = fabs(y);
    for (ptrdiff_t r = 0; r < c->rows; r++) {
        y += in(c, 0, r * c->C + i);
        size += fabs(in(c, 0, r * c->C + i));
    }
    *bound = (double)c->rows * U * size * SECOND_ORDER;
    return y;
}

static void run_col_moments(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->col_moments(c->out[0], c->out[1], c->in[0], c->rows, c->C);
}

/* Squares are taken from the computed mean, which adds rows * (its error)^2 to the exact ones. */
static double exact_col_moments(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    double mean = 0, size = 0, m2 = 0, n = c->rows > 0 ? (double)c->rows : 1;
    for (ptrdiff_t r = 0; r < c->rows; r++) {
        mean += in(c, 0, r * c->C + i) / n;
        size += fabs(in(c, 0, r * c->C + i)) / n;
    }
    double mean_bound = (n + 2) * U * size * SECOND_ORDER;
    for (ptrdiff_t r = 0; r < c->rows; r++)
        m2 += pow(in(c, 0, r * c->C + i) - mean, 2);
    double shift = n * mean_bound * mean_bound;
    *bound = o == 0 ? mean_bound : ((n + 3) * U * (m2 + shift) + shift) * SECOND_ORDER;
    return o == 0 ? mean : m2;
}

static void run_affine_rows(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->affine_rows(c->out[0], c->in[0], c->in[1], c->in[2], c->rows, c->C, c->a);
}

static double exact_affine_rows(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double x = in(c, 0, i) * in(c, 1, i % c->C), y = x + in(c, 2, i % c->C);
    *bound = U * (fabs(x) + fabs(y)) * SECOND_ORDER;
    return c->a ? fmax(y, 0) : y;
}

/* dy, or 0 where the ReLU is off. That is decided in float, so here too. */
static double behind_relu(const struct kernel_call *c, ptrdiff_t i, bool relu)
{
    float product = c->in[1][i] * c->in[2][i % c->C];
    return relu && !(product + c->in[3][i % c->C] > 0.0f) ? 0 : in(c, 0, i);
}

static void run_norm_grad_sums(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->norm_grad_sums(c->out[0], c->out[1], c->in[0], c->in[1], c->in[2], c->in[3], c->in[4],
                      c->rows, c->C, c->a);
}

static double exact_norm_grad_sums(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    double sum = 0, size = 0;
    for (ptrdiff_t r = 0; r < c->rows; r++) {
        double g = behind_relu(c, r * c->C + i, c->a);
        g *= o == 0 ? 1 : in(c, 1, r * c->C + i) - in(c, 4, i);
        sum += g;
        size += fabs(g);
    }
    *bound = ((double)c->rows + 2 * o) * U * size * SECOND_ORDER;
    return sum;
}

static void run_norm_grad_rows(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->norm_grad_rows(c->out[0], c->in[0], c->in[1], c->in[2], c->in[3], c->in[4], c->in[5],
                      c->in[6], c->in[7], c->rows, c->C, c->b, c->a);
}

static double exact_norm_grad_rows(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    ptrdiff_t ch = i % c->C;
    double g = behind_relu(c, i, c->b) * in(c, 5, ch);
    double x = (in(c, 1, i) - in(c, 4, ch)) * in(c, 6, ch), dx = g + x + in(c, 7, ch);
    *bound = U * (fabs(g) + 2 * fabs(x) + fabs(g + x) + fabs(dx)) * SECOND_ORDER;
    return accumulated(c, i, dx, c->a, bound);
}

/* ---- pooling ---- */

static void run_max_pool_row(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->max_pool_row(c->out[0], c->bytes, c->in[0], c->rows, c->C, c->wf, c->wt, c->row_stride);
}

static double exact_max_pool_row(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double y = -INFINITY;
    for (int p = 0; p < c->wf * c->wt; p++)
        y = fmax(
            y,
            in(c, 0, p / c->wt * c->row_stride + (i / c->C * c->wt + p % c->wt) * c->C + i % c->C));
    *bound = 0;
    return y;
}

static void run_max_pool_row_grad(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->max_pool_row_grad(c->out[0], c->in[0], c->bytes, c->rows, c->C, c->wf, c->wt, c->row_stride,
                         c->a);
}

static double exact_max_pool_row_grad(const struct kernel_call *c, int o, ptrdiff_t i,
                                      double *bound)
{
    (void)o;
    ptrdiff_t row = i / c->row_stride, in_row = i % c->row_stride, t = in_row / c->C;
    *bound = 0;
    if (t / c->wt >= c->rows) /* no window covers it */
        return before(c, 0, i);
    ptrdiff_t from = t / c->wt * c->C + in_row % c->C;
    double dy = c->bytes[from] == row * c->wt + t % c->wt ? in(c, 0, from) : 0;
    return accumulated(c, i, dy, c->a, bound);
}

/* ---- dropout and optimisers ---- */

static void run_dropout(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->dropout(c->out[0], c->in[0], c->C, KEY, FIRST, THRESHOLD, DROPOUT_FACTOR, c->a);
}

static double exact_dropout(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    bool kept = (mood__hash64(KEY, FIRST + (uint64_t)i) >> 32) >= THRESHOLD;
    double y = kept ? in(c, 0, i) * (double)DROPOUT_FACTOR : 0;
    *bound = U * fabs(y);
    return accumulated(c, i, y, c->a, bound);
}

static void run_adam(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->adam(c->out[0], c->in[0], c->out[1], c->out[2], c->C, &kernel_adam);
}

/* Outputs: weight, first moment, second moment (which is not negative). */
static double exact_adam(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    const struct mood__adam_step *s = &kernel_adam;
    double w = before(c, 0, i), decay = (double)s->weight_decay * w, g = in(c, 0, i) + decay;
    double g_bound = U * (fabs(decay) + fabs(g));
    double kept = (double)s->beta1 * before(c, 1, i), new = (double)s->one_minus_beta1 *g;
    double m = kept + new;
    double m_bound = U * (fabs(kept) + fabs(new) + fabs(m)) + (double)s->one_minus_beta1 * g_bound;
    double v = (double)s->beta2 * before(c, 2, i) + (double)s->one_minus_beta2 * g * g;
    double v_bound = 3 * U * v + 2 * (double)s->one_minus_beta2 * fabs(g) * g_bound;
    if (o > 0) {
        *bound = (o == 1 ? m_bound : v_bound) * SECOND_ORDER;
        return o == 1 ? m : v;
    }
    double root = sqrt(v) * (double)s->inv_sqrt_bc2, below = root + (double)s->eps;
    double root_bound = (v > 0 ? v_bound / (2 * v) : 0) * root + 2 * U * root + U * below;
    double step = (double)s->lr * m / below;
    double step_bound = (double)s->lr * m_bound / below + fabs(step) * (root_bound / below + 2 * U);
    *bound = (step_bound + U * fabs(w - step)) * SECOND_ORDER;
    return w - step;
}

static void run_sgd(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->sgd(c->out[0], c->in[0], c->out[1], c->C, LR, MOMENTUM, DECAY, c->a);
}

/* Outputs: weight, momentum. */
static double exact_sgd(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    double w = before(c, 0, i), decay = (double)DECAY * w, g = in(c, 0, i) + decay;
    double kept = c->a ? 0 : (double)MOMENTUM * before(c, 1, i), m = kept + g;
    double m_bound = U * (fabs(decay) + fabs(g) + fabs(kept) + fabs(m)) * SECOND_ORDER;
    *bound = m_bound;
    if (o == 1)
        return m;
    double step = (double)LR * m;
    *bound = ((double)LR * m_bound + U * fabs(step) + U * fabs(w - step)) * SECOND_ORDER;
    return w - step;
}

/* ---- the table ---- */

#define CASE(field) #field, offsetof(struct mood__kernels, field)

const struct kernel_case kernel_cases[] = {
    {CASE(add), "nn", "n", 0, 'v', 0, 0, 0, run_add, exact_add},
    {CASE(sub), "nn", "n", 0, 'v', 0, 1, 0, run_sub, exact_sub},
    {CASE(mul), "nn", "n", 0, 'v', 0, 0, 0, run_mul, exact_mul},
    {CASE(mul_add), "nn", "n", 0, 'v', 0, -1, 0, run_mul_add, exact_mul_add},
    {CASE(scale), "n", "n", 0, 'v', 1, 0, 0, run_scale, exact_scale},
    {CASE(copy_rows), "n", "s", 0, 'r', 0, -1, 0, kernel_run_copy_rows, kernel_exact_copy_rows},
    {CASE(product), "nkk", "tk", 0, 't', 2, -1, 0, kernel_run_product, kernel_exact_product},
    {CASE(product_t), "nk", "t", 0, 't', 1, -1, 0, kernel_run_product_t, kernel_exact_product_t},
    {CASE(wino_input), "w", "w", 0, 'r', 0, 0, 0, kernel_run_strips, kernel_exact_wino_input},
    {CASE(wino_output), "w", "w", 0, 'r', 0, -1, 0, kernel_run_strips, kernel_exact_wino_output},
    {CASE(wino_output_grad), "w", "w", 0, 'r', 0, 0, 0, kernel_run_strips,
     kernel_exact_wino_output_grad},
    {CASE(wino_weight), "w", "w", 0, 'r', 0, 0, 0, kernel_run_strips, kernel_exact_wino_weight},
    {CASE(wino_weight_grad), "w", "w", 0, 'r', 0, -1, 0, kernel_run_strips,
     kernel_exact_wino_weight_grad},
    {CASE(exp), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_exp},
    {CASE(log), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_log},
    {CASE(tanh), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_tanh},
    {CASE(sigmoid), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_sigmoid},
    {CASE(relu), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_relu},
    {CASE(gelu), "n", "n", 0, 'v', 0, 0, 0, run_map, exact_gelu},
    {CASE(exp_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_exp_grad},
    {CASE(log_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_log_grad},
    {CASE(tanh_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_tanh_grad},
    {CASE(sigmoid_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_sigmoid_grad},
    {CASE(relu_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_relu_grad},
    {CASE(gelu_grad), "nn", "n", 0, 'v', 1, 0, 1, run_map_grad, exact_gelu_grad},
    {CASE(sum), "n", "1", 0, 'v', 0, -1, 0, run_sum, exact_sum},
    {CASE(dot), "nn", "1", 0, 'v', 0, -1, 0, run_dot, exact_dot},
    {CASE(max), "n", "1", 0, 'v', 0, -1, 0, run_max, exact_max},
    {CASE(sum_sq_dev), "n", "1", 0, 'v', 0, -1, 0, run_sum_sq_dev, exact_sum_sq_dev},
    {CASE(softmax), "n", "n", 0, 'v', 0, 0, 0, kernel_run_softmax, kernel_exact_softmax},
    {CASE(col_sum), "n", "c", 0, 'r', 1, -1, 0, run_col_sum, exact_col_sum},
    {CASE(col_moments), "n", "cc", 0, 'r', 0, -1, 0, run_col_moments, exact_col_moments},
    {CASE(affine_rows), "ncc", "n", 0, 'r', 1, 0, 0, run_affine_rows, exact_affine_rows},
    {CASE(norm_grad_sums), "nnccc", "cc", 0, 'r', 1, -1, 0, run_norm_grad_sums,
     exact_norm_grad_sums},
    {CASE(norm_grad_rows), "nncccccc", "n", 0, 'r', 2, 0, 1, run_norm_grad_rows,
     exact_norm_grad_rows},
    {CASE(max_pool_row), "p", "n", 'o', 'p', 0, -1, 0, run_max_pool_row, exact_max_pool_row},
    {CASE(max_pool_row_grad), "n", "p", 'i', 'p', 1, -1, 0, run_max_pool_row_grad,
     exact_max_pool_row_grad},
    {CASE(dropout), "n", "n", 0, 'v', 1, 0, 0, run_dropout, exact_dropout},
    {CASE(adam), "n", "nnn", 0, 'v', 0, -1, 0, run_adam, exact_adam},
    {CASE(sgd), "n", "nn", 0, 'v', 1, -1, 0, run_sgd, exact_sgd},
};

const int n_kernel_cases = (int)(sizeof(kernel_cases) / sizeof(kernel_cases[0]));
