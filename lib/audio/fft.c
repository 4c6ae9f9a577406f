/* SPDX-License-Identifier: MIT
 *
 * fft.c — The discrete Fourier transform of a real frame whose length is a power of two.
 *
 * Ours, because the transforms that distributions package under a free enough licence are in single
 * precision. Their error is relative to the loudest bin of a frame, and speech has 60 dB between
 * its bins: kissfft's put 2 of 5094 windows of real voices (and any pure tone) outside the bound of
 * 1e-3 on the log-mel. In double the transform adds no error at all, and it takes no longer.
 *
 * Method: n real samples are n / 2 complex ones, transformed by Stockham's variant of the Cooley
 * and Tukey algorithm (each pass sorts as it goes, from one buffer to the other, so there is no bit
 * reversal); then the two interleaved transforms are taken apart. See Van Loan, "Computational
 * Frameworks for the Fast Fourier Transform" (1992), sections 1.7 and 4.3. */
#include "audio/fft.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

struct complex {
    double re, im;
};

struct mood__fft {
    size_t n;
    struct complex *twiddle; /* exp(-2 pi j k / n), k < n / 2 */
    struct complex *frame;   /* n / 2: the even samples are real, the odd ones imaginary */
    struct complex *other;   /* n / 2: where every second pass ends */
};

mood_status mood__fft_create(struct mood__fft **out, size_t n)
{
    *out = NULL;
    struct mood__fft *f = mood__calloc(1, sizeof(*f));
    if (!f)
        return mood__nomem();
    f->n = n;
    f->twiddle = mood__calloc(n / 2, sizeof(*f->twiddle));
    f->frame = mood__calloc(n / 2, sizeof(*f->frame));
    f->other = mood__calloc(n / 2, sizeof(*f->other));
    if (!f->twiddle || !f->frame || !f->other) {
        mood__fft_destroy(&f);
        return mood__nomem();
    }
    for (size_t k = 0; k < n / 2; k++) {
        double angle = -2 * 3.14159265358979323846 * (double)k / (double)n;
        f->twiddle[k] = (struct complex){cos(angle), sin(angle)};
    }
    *out = f;
    return MOOD_OK;
}

void mood__fft_destroy(struct mood__fft **f)
{
    if (!*f)
        return;
    mood__free((*f)->twiddle);
    mood__free((*f)->frame);
    mood__free((*f)->other);
    mood__free(*f);
    *f = NULL;
}

double *mood__fft_frame(struct mood__fft *f)
{
    return &f->frame[0].re;
}

static inline struct complex add(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.re, a.im + b.im};
}

static inline struct complex sub(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.re, a.im - b.im};
}

static inline struct complex mul(struct complex a, struct complex b)
{
    return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static inline struct complex mul_minus_j(struct complex a)
{
    return (struct complex){a.im, -a.re};
}

/* One pass over `stride` interleaved transforms of `length` points each: it leaves four times as
 * many of a quarter of the length. step: the distance in `w` of the twiddles for `length` points.
 */
static void pass4(struct complex *restrict y, const struct complex *restrict x, size_t length,
                  size_t stride, const struct complex *w, size_t step)
{
    size_t quarter = length / 4;
    for (size_t p = 0; p < quarter; p++) {
        struct complex w1 = w[p * step], w2 = w[2 * p * step], w3 = mul(w1, w2);
        const struct complex *in = x + stride * p;
        struct complex *out = y + stride * 4 * p;
        for (size_t q = 0; q < stride; q++) {
            struct complex a = in[q], b = in[q + stride * quarter];
            struct complex c = in[q + 2 * stride * quarter], d = in[q + 3 * stride * quarter];
            struct complex ac = add(a, c), amc = sub(a, c);
            struct complex bd = add(b, d), jbd = mul_minus_j(sub(b, d));
            out[q] = add(ac, bd);
            out[q + stride] = mul(w1, add(amc, jbd));
            out[q + 2 * stride] = mul(w2, sub(ac, bd));
            out[q + 3 * stride] = mul(w3, sub(amc, jbd));
        }
    }
}

/* The last pass where the length is no power of four: transforms of two points. */
static void pass2(struct complex *restrict y, const struct complex *restrict x, size_t stride)
{
    for (size_t q = 0; q < stride; q++) {
        y[q] = add(x[q], x[q + stride]);
        y[q + stride] = sub(x[q], x[q + stride]);
    }
}

/* Transform the frame as n / 2 complex points. The result is in one of the two buffers. */
static const struct complex *transform(struct mood__fft *f)
{
    size_t length = f->n / 2, stride = 1;
    struct complex *x = f->frame, *y = f->other;
    while (length > 1) {
        if (length >= 4)
            pass4(y, x, length, stride, f->twiddle, 2 * stride);
        else
            pass2(y, x, stride);
        size_t radix = length >= 4 ? 4 : 2;
        length /= radix;
        stride *= radix;
        struct complex *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

/* 2 X[k] for 0 < k < n / 2. x[k] = E[k] + j O[k], the transforms of the even and the odd samples.
 * Both are of real signals, so conj(x[half - k]) = E[k] - j O[k]; and
 * X[k] = E[k] + exp(-2 pi j k / n) O[k]. */
static inline struct complex take_apart(const struct mood__fft *f, const struct complex *x,
                                        size_t k)
{
    size_t half = f->n / 2;
    struct complex a = x[k], b = {x[half - k].re, -x[half - k].im};
    struct complex even = add(a, b), odd = mul_minus_j(sub(a, b)); /* both doubled */
    return add(even, mul(f->twiddle[k], odd));
}

void mood__fft_power(struct mood__fft *f, double *power)
{
    size_t half = f->n / 2;
    const struct complex *x = transform(f);
    double first = x[0].re + x[0].im, last = x[0].re - x[0].im;
    power[0] = first * first;
    power[half] = last * last;
    for (size_t k = 1; k < half; k++) {
        struct complex sum = take_apart(f, x, k);
        power[k] = 0.25 * (sum.re * sum.re + sum.im * sum.im);
    }
}

void mood__fft_autocorrelation(struct mood__fft *f, const double *power, double *r, size_t n_lags)
{
    /* The power is real and even, so its transform is too, forward or backward alike. */
    size_t n = f->n, half = n / 2;
    double *frame = mood__fft_frame(f);
    frame[0] = power[0];
    frame[half] = power[half];
    for (size_t k = 1; k < half; k++)
        frame[k] = frame[n - k] = power[k];
    const struct complex *x = transform(f);
    r[0] = (x[0].re + x[0].im) / (double)n;
    for (size_t k = 1; k < n_lags; k++)
        r[k] = 0.5 * take_apart(f, x, k).re / (double)n;
}
