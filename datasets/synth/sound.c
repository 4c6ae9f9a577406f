/* SPDX-License-Identifier: MIT
 *
 * sound.c — From frames to samples: glottal pulses and breath through a cascade of formant
 * resonators (Klatt, "Software for a cascade/parallel formant synthesizer", 1980), and noise made
 * at the teeth and lips beside it. */
#include "parts.h"

#include <math.h>

static const double two_pi = 6.283185307179586;

/* y[t] = a x[t] + b y[t-1] + c y[t-2]; a makes the gain 1 at 0 Hz. */
struct resonator {
    double a, b, c;
    double y1, y2;
};

static void tune(struct resonator *r, double hz, double bandwidth_hz)
{
    double radius = exp(-0.5 * two_pi * bandwidth_hz / VOICE_RATE);
    r->c = -radius * radius;
    r->b = 2.0 * radius * cos(two_pi * hz / VOICE_RATE);
    r->a = 1.0 - r->b - r->c;
}

static double resonate(struct resonator *r, double x)
{
    double y = r->a * x + r->b * r->y1 + r->c * r->y2;
    r->y2 = r->y1;
    r->y1 = y;
    return y;
}

/* The glottis: one pulse per period. */
struct glottis {
    double phase;      /* place in the period, 0..1; open while below `open` */
    double open;       /* open quotient */
    double stretch;    /* this period relative to the frame's pitch */
    double height;     /* of this pulse */
    double flow;       /* last sample's */
    double tilt_state; /* last output of the tilt filter */
};

/* Air flow through the glottis, of height 1: u^2 (1 - u) over the open phase, the polynomial of
 * Rosenberg (1971) and of Klatt and Klatt (1990). */
static double flow_at(double phase, double open)
{
    double u = phase / open;
    return u < 1.0 ? 6.75 * u * u * (1.0 - u) : 0.0;
}

/* One sample of the flow's derivative, which is what the lips radiate. It is taken as the
 * difference of two exact flows, the mean over the sample, so that a pulse may close between two
 * samples. */
static double pulse(struct glottis *g, double pitch_hz, const double *cues, struct mood__rng *r)
{
    double step = pitch_hz / VOICE_RATE * g->stretch;
    g->phase += step;
    if (g->phase >= 1.0) {
        g->phase -= 1.0;
        g->stretch = 1.0 + 0.01 * cues[VOICE_CUE_JITTER] * mood__rng_normal(r);
        g->height = pow(10.0, cues[VOICE_CUE_SHIMMER] * mood__rng_normal(r) / 20.0);
    }
    double flow = g->height * flow_at(g->phase, g->open);
    double slope = (flow - g->flow) * g->open / step; /* steepest slope 6.75 at any pitch */
    g->flow = flow;
    return slope / 6.75;
}

/* The coefficient k of y = (1 - k) x + k y[t-1] that takes `loss_db` at 3 kHz: the smaller root of
 * |H|^2 = 10^(-loss/10). */
static double tilt_coefficient(double loss_db)
{
    double g = pow(10.0, -loss_db / 10.0);
    double s = 1.0 - g;
    if (s < 1e-6)
        return 0.0;
    double m = 1.0 - g * cos(two_pi * 3000.0 / VOICE_RATE);
    return (m - sqrt(m * m - s * s)) / s;
}

/* Formants above the third hardly move: resonances of a uniform tube, as far as Nyquist allows. */
enum { N_MOVING = 3, N_FORMANTS = 8 };

static int tune_tract(struct resonator *tract, const struct voice__frame *f,
                      const struct voice__speaker *speaker)
{
    static const double bandwidth[N_FORMANTS] = {70, 90, 140, 200, 250, 300, 350, 400};
    int n = 0;
    for (int k = 0; k < N_FORMANTS; k++) {
        double hz = k < N_MOVING ? f->formant[k] : (k + 0.5) * 1000.0 * speaker->tract;
        if (hz > 7700.0)
            break;
        tune(&tract[k], hz, bandwidth[k] * speaker->bandwidth);
        n++;
    }
    return n;
}

/* Band-pass noise: a resonator with zeros at 0 Hz and Nyquist, gain 1 at its centre. */
static double hiss(struct resonator *r, double x, double *x1, double *x2)
{
    double y = 0.5 * (1.0 + r->c) * (x - *x2) + r->b * r->y1 + r->c * r->y2;
    r->y2 = r->y1;
    r->y1 = y;
    *x2 = *x1;
    *x1 = x;
    return y;
}

void voice__sound(const struct voice_take *take, const double cues[VOICE_N_CUES],
                  const struct voice__speaker *speaker, const struct voice__frame *frames,
                  int n_frames, double *out)
{
    struct mood__rng r = voice__rng(take, VOICE__SOURCE);
    struct resonator tract[N_FORMANTS] = {{0}}, teeth = {0};
    struct glottis g = {.open = speaker->open, .stretch = 1.0, .height = 1.0};
    double x1 = 0.0, x2 = 0.0;
    for (int i = 0; i < n_frames; i++) {
        const struct voice__frame *f = &frames[i];
        const struct voice__frame *next = &frames[i + 1 < n_frames ? i + 1 : i];
        int n_formants = tune_tract(tract, f, speaker);
        double k = tilt_coefficient(f->tilt);
        tune(&teeth, f->hiss_hz, f->hiss_bw);
        for (int j = 0; j < VOICE__HOP; j++) {
            double w = (double)j / VOICE__HOP;
            double noise = 2.0 * mood__rng_double(&r) - 1.0;
            double pitch = f->pitch_hz + w * (next->pitch_hz - f->pitch_hz);
            double p = pulse(&g, pitch, cues, &r) * (f->voice + w * (next->voice - f->voice));
            double breath = f->breath + w * (next->breath - f->breath);
            /* Breath is strongest while the glottis is open. */
            g.tilt_state = (1.0 - k) * p + k * g.tilt_state;
            double y = g.tilt_state + breath * noise * (0.4 + 0.6 * (g.phase < g.open));
            for (int q = 0; q < n_formants; q++)
                y = resonate(&tract[q], y);
            y += (f->hiss + w * (next->hiss - f->hiss)) * hiss(&teeth, noise, &x1, &x2) * 4.0;
            out[(size_t)i * VOICE__HOP + (size_t)j] += y;
        }
    }
}
