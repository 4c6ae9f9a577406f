/* SPDX-License-Identifier: MIT
 *
 * calibration.c — Whether a probability means what it says, the temperature that mends it, and what
 * a threshold on it does. */
#include <math.h>

#include "base/rng.h"
#include "mood/figures.h"
#include "tensor/tensor.h"

/* The answer to clip i. */
static int answer(const mood_predictions *p, size_t i, double *confidence)
{
    const float *row = p->prob + i * (size_t)p->n_labels;
    int best = mood__argmax(row, p->n_labels);
    *confidence = (double)row[best];
    return best;
}

void mood_confusion_of(mood_confusion *out, const mood_predictions *p)
{
    double confidence;
    *out = (mood_confusion){.n_labels = p->n_labels};
    for (size_t i = 0; i < p->n; i++)
        mood_confusion_add(out, p->label[i], answer(p, i, &confidence));
}

/* ---- reliability ---- */

static int bin_of(double confidence)
{
    int b = (int)ceil(confidence * MOOD_N_BINS) - 1;
    return b < 0 ? 0 : b >= MOOD_N_BINS ? MOOD_N_BINS - 1 : b;
}

/* From sums to means, and their distance. */
static void conclude(mood_reliability *r)
{
    r->ece = 0;
    for (int b = 0; b < MOOD_N_BINS; b++) {
        double n = (double)r->bin[b].n;
        if (r->bin[b].n == 0)
            continue;
        r->ece += fabs(r->bin[b].accuracy - r->bin[b].confidence) / (double)r->n;
        r->bin[b].accuracy /= n;
        r->bin[b].confidence /= n;
    }
}

/* The logarithm of a probability that may have vanished in float. */
static double log_of(double prob)
{
    return log(fmax(prob, 1e-30));
}

void mood_reliability_of(mood_reliability *out, const mood_predictions *p)
{
    *out = (mood_reliability){.n = p->n};
    for (size_t i = 0; i < p->n; i++) {
        double confidence;
        int best = answer(p, i, &confidence), b = bin_of(confidence);
        out->bin[b].n++;
        out->bin[b].confidence += confidence;
        out->bin[b].accuracy += best == p->label[i];
        out->nll -= log_of((double)p->prob[i * (size_t)p->n_labels + (size_t)p->label[i]]);
    }
    out->nll = p->n ? out->nll / (double)p->n : 0;
    conclude(out);
}

double mood_ece_of_perfect(const mood_predictions *p, int rounds, uint64_t seed)
{
    double sum = 0;
    for (int r = 0; r < rounds; r++) {
        struct mood__rng rng = mood__rng_make(seed, (uint64_t)r);
        mood_reliability drawn = {.n = p->n};
        for (size_t i = 0; i < p->n; i++) {
            double confidence;
            (void)answer(p, i, &confidence);
            int b = bin_of(confidence);
            drawn.bin[b].n++;
            drawn.bin[b].confidence += confidence;
            drawn.bin[b].accuracy += mood__rng_double(&rng) < confidence;
        }
        conclude(&drawn);
        sum += drawn.ece;
    }
    return rounds > 0 ? sum / rounds : 0;
}

/* ---- temperature ---- */

static const double LOWEST = 0.05, HIGHEST = 20;

struct fit {
    const float *prob;
    const size_t *windows;
    const int *label;
    size_t n;
    int V;
};

/* softmax(ln(row) / T) at the true label. */
static double tempered(const float *row, int V, int label, double temperature)
{
    double top = log_of((double)row[mood__argmax(row, V)]), sum = 0;
    for (int v = 0; v < V; v++)
        sum += exp((log_of((double)row[v]) - top) / temperature);
    return exp((log_of((double)row[label]) - top) / temperature) / sum;
}

/* What is to be small, as a function of u = ln T. */
static double loss(const struct fit *f, double u)
{
    double total = u * u / 2;
    const float *row = f->prob;
    for (size_t i = 0; i < f->n; i++) {
        size_t n = f->windows ? f->windows[i] : 1;
        double mean = 0;
        for (size_t w = 0; w < n; w++, row += f->V)
            mean += tempered(row, f->V, f->label[i], exp(u)) / (double)n;
        total -= log(fmax(mean, 1e-300));
    }
    return total;
}

/* Over single windows the loss has one minimum, over means of windows it need not: so first a look
 * all over, then golden sections around the best. */
double mood_fit_temperature(const float *prob, const size_t *windows, const int *label, size_t n,
                            int n_labels)
{
    enum { LOOKS = 48, SECTIONS = 40 };
    const struct fit f = {prob, windows, label, n, n_labels};
    const double step = log(HIGHEST / LOWEST) / LOOKS, golden = (sqrt(5.0) - 1) / 2;
    if (n == 0)
        return 1;
    int best = 0;
    double least = loss(&f, log(LOWEST));
    for (int i = 1; i <= LOOKS; i++) {
        double l = loss(&f, log(LOWEST) + i * step);
        if (l < least) {
            least = l;
            best = i;
        }
    }
    double a = log(LOWEST) + (best > 0 ? best - 1 : 0) * step;
    double b = log(LOWEST) + (best < LOOKS ? best + 1 : LOOKS) * step;
    double x = b - golden * (b - a), y = a + golden * (b - a);
    double lx = loss(&f, x), ly = loss(&f, y);
    for (int i = 0; i < SECTIONS; i++) {
        if (lx < ly) {
            b = y;
            y = x;
            ly = lx;
            x = b - golden * (b - a);
            lx = loss(&f, x);
        } else {
            a = x;
            x = y;
            lx = ly;
            y = a + golden * (b - a);
            ly = loss(&f, y);
        }
    }
    return exp((a + b) / 2);
}

/* ---- thresholds ---- */

void mood_select(mood_selected *out, const mood_predictions *p, double threshold)
{
    *out = (mood_selected){.threshold = threshold};
    for (size_t i = 0; i < p->n; i++) {
        double confidence;
        int best = answer(p, i, &confidence);
        if (confidence >= threshold) {
            out->n++;
            out->n_right += best == p->label[i];
        }
    }
    out->coverage = p->n ? (double)out->n / (double)p->n : 0;
    out->accuracy = out->n ? (double)out->n_right / (double)out->n : 0;
}
