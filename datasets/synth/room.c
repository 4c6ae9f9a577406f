/* SPDX-License-Identifier: MIT
 *
 * room.c — Where a clip was recorded: some echoes, a microphone that colours the sound, and a
 * background noise. All are drawn per clip and know nothing of the emotion; they keep a clip's
 * average spectrum from telling it. */
#include "parts.h"

#include <math.h>

static const double two_pi = 6.283185307179586;

/* y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2] */
struct biquad {
    double b0, b1, b2, a1, a2;
};

static void filter(const struct biquad *q, double *x, size_t n)
{
    double x1 = 0.0, x2 = 0.0, y1 = 0.0, y2 = 0.0;
    for (size_t i = 0; i < n; i++) {
        double y = q->b0 * x[i] + q->b1 * x1 + q->b2 * x2 - q->a1 * y1 - q->a2 * y2;
        x2 = x1;
        x1 = x[i];
        y2 = y1;
        y1 = y;
        x[i] = y;
    }
}

/* A bell of gain_db around hz, `octaves` wide, 0 dB elsewhere (bilinear transform of
 * (s^2 + s A / Q + 1) / (s^2 + s / (A Q) + 1)). */
static struct biquad bell(double hz, double gain_db, double octaves)
{
    double w = two_pi * hz / VOICE_RATE;
    double a = pow(10.0, gain_db / 40.0);
    double alpha = sin(w) * sinh(0.5 * log(2.0) * octaves * w / sin(w));
    double scale = 1.0 / (1.0 + alpha / a);
    return (struct biquad){scale * (1.0 + alpha * a), scale * -2.0 * cos(w),
                           scale * (1.0 - alpha * a), scale * -2.0 * cos(w),
                           scale * (1.0 - alpha / a)};
}

static double between(struct mood__rng *r, double low, double high)
{
    return low + (high - low) * mood__rng_double(r);
}

/* Four recirculating echoes (Schroeder 1962) of incommensurable lengths, mixed in under the voice.
 */
static void echo(struct mood__rng *r, double *x, size_t n)
{
    enum { N_COMBS = 4, LONGEST = 800 }; /* 50 ms */
    double line[N_COMBS][LONGEST] = {{0}};
    size_t length[N_COMBS], at[N_COMBS] = {0};
    double feedback[N_COMBS];
    double decay_s = between(r, 0.12, 0.35); /* to -60 dB */
    double wet = pow(10.0, between(r, -26.0, -14.0) / 20.0);
    for (int k = 0; k < N_COMBS; k++) {
        length[k] = 250 + 120 * (size_t)k + (size_t)mood__rng_below(r, 110);
        feedback[k] = pow(10.0, -3.0 * (double)length[k] / VOICE_RATE / decay_s);
    }
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int k = 0; k < N_COMBS; k++) {
            double y = line[k][at[k]];
            line[k][at[k]] = x[i] + feedback[k] * y;
            at[k] = at[k] + 1 == length[k] ? 0 : at[k] + 1;
            sum += k % 2 == 0 ? y : -y;
        }
        x[i] += wet * sum;
    }
}

static double rms(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum / (double)n);
}

/* Noise whose spectrum falls by a drawn amount, 25 to 42 dB under the speech. */
static void background(const struct voice_take *take, struct mood__rng *r, double *x, size_t n)
{
    double level = rms(x, n) * pow(10.0, -between(r, 25.0, 42.0) / 20.0);
    double k = between(r, 0.3, 0.95);                /* pole of the low-pass */
    double gain = level * sqrt(3.0 * (1.0 - k * k)); /* uniform noise has variance 1/3 */
    struct mood__rng noise = voice__rng(take, VOICE__NOISE);
    double y = 0.0;
    for (size_t i = 0; i < n; i++) {
        y = k * y + 2.0 * mood__rng_double(&noise) - 1.0;
        x[i] += gain * y;
    }
}

void voice__room(const struct voice_take *take, double *x, size_t n)
{
    struct mood__rng r = voice__rng(take, VOICE__ROOM);
    echo(&r, x, n);
    for (int k = 0; k < 3; k++) {
        double hz = 120.0 * exp2(between(&r, 0.0, 5.7)); /* to 6.2 kHz */
        struct biquad q = bell(hz, between(&r, -8.0, 8.0), between(&r, 1.0, 3.0));
        filter(&q, x, n);
    }
    background(take, &r, x, n);
}
