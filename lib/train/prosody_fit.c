/* SPDX-License-Identifier: MIT
 *
 * prosody_fit.c — Standardisation, centres, and a regression onto labels (ridge.c). What the
 * network computes of a row is asked of the network itself, by a graph over the weights that are
 * made here. */
#include "train/prosody_fit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/rng.h"
#include "kernel/gemm.h"
#include "tensor/tensor.h"

enum {
    F = MOOD_N_FUNCTIONALS,
    BLOCK = 512,         /* rows that go through the network at a time */
    BACKGROUND_PART = 8, /* one centre of so many is a background row */
    STREAM_CENTRES = 0x63656e74
};

/* What a regression gives is within 0 and 1, and softmax wants logits: by this they are about as
 * sure as they are right. The temperature, fitted on other speakers, says it exactly. */
static const double SHARPNESS = 6;

/* On the diagonal of the centres' similarities: two that are the same recording would else leave it
 * without an inverse. */
static const double NUGGET = 1e-6;

static float *weight_named(const struct mood__prosody_fit *fit, const char *name)
{
    const mood_weights *w = fit->p.weights;
    return mood__f32(mood_weights_value(w, mood_weights_find(w, name)));
}

static bool is_background(const struct mood__fit_row *row)
{
    return row->label == MOOD__BACKGROUND;
}

/* ---- standardisation ---- */

/* Mean, and one over the standard deviation, of each functional of the voices; what does not vary
 * says nothing, and gets a scale of 0. */
static mood_status standardise(struct mood__prosody_fit *fit)
{
    float *mean = weight_named(fit, "prosody.mean"), *scale = weight_named(fit, "prosody.scale");
    double *sums = mood__calloc(2 * F, sizeof(*sums)), n = 0;
    if (!sums)
        return mood__nomem();
    double *squares = sums + F;
    for (size_t i = 0; i < fit->p.n_rows; i++) {
        const struct mood__fit_row *row = &fit->p.rows[i];
        n += !is_background(row);
        for (int k = 0; k < F && !is_background(row); k++)
            sums[k] += (double)row->x[k];
    }
    for (size_t i = 0; i < fit->p.n_rows; i++) {
        const struct mood__fit_row *row = &fit->p.rows[i];
        for (int k = 0; k < F && !is_background(row); k++) {
            double d = (double)row->x[k] - sums[k] / n;
            squares[k] += d * d;
        }
    }
    for (int k = 0; k < F; k++) {
        double deviation = sqrt(squares[k] / n), size = fabs(sums[k] / n);
        mean[k] = (float)(sums[k] / n);
        scale[k] = deviation > 1e-6 * size && deviation > 1e-12 ? (float)(1 / deviation) : 0;
    }
    mood__free(sums);
    return MOOD_OK;
}

/* ---- centres ---- */

/* Put up to `most` of the rows that may be centres, of the background or not, behind those chosen.
 */
static mood_status choose(struct mood__prosody_fit *fit, bool background, int64_t most)
{
    int64_t n = 0, *index = mood__calloc(fit->p.n_rows, sizeof(*index));
    if (!index)
        return mood__nomem();
    for (size_t i = 0; i < fit->p.n_rows; i++)
        if (is_background(&fit->p.rows[i]) == background && (background || fit->p.rows[i].plain))
            index[n++] = (int64_t)i;
    struct mood__rng rng = mood__rng_make(fit->p.seed, STREAM_CENTRES + background);
    mood__rng_shuffle(&rng, index, n);
    for (int64_t i = 0; i < n && i < most; i++)
        fit->centres[fit->n_centres++] = (size_t)index[i];
    mood__free(index);
    return MOOD_OK;
}

/* Centre m is row `row`, as the network standardises it, in 16 bits: so it lies in the file, and
 * the fit should know no better. */
static void set_centre(const struct mood__prosody_fit *fit, int64_t m, const float *row)
{
    const float *mean = weight_named(fit, "prosody.mean");
    const float *scale = weight_named(fit, "prosody.scale");
    float *c = weight_named(fit, "prosody.centres.weight");
    double length = 0;
    for (int k = 0; k < F; k++) {
        float z = (row[k] - mean[k]) * scale[k];
        uint16_t half;
        z = fminf(fmaxf(z, -MOOD_PROSODY_CLAMP), MOOD_PROSODY_CLAMP);
        mood__f32_to_f16(&half, &z, 1);
        mood__f16_to_f32(&z, &half, 1);
        c[k * fit->p.net->n_centres + m] = z;
        length += (double)z * (double)z;
    }
    weight_named(fit, "prosody.centres.bias")[m] = (float)(-length / 2);
}

static mood_status make_centres(struct mood__prosody_fit *fit)
{
    int64_t M = fit->p.net->n_centres;
    fit->centres = mood__calloc((size_t)M, sizeof(*fit->centres));
    if (!fit->centres)
        return mood__nomem();
    int64_t background = fit->p.net->no_gate ? 0 : M / BACKGROUND_PART;
    MOOD__TRY(choose(fit, false, M - background));
    MOOD__TRY(choose(fit, true, background));
    for (int64_t m = 0; m < fit->n_centres; m++)
        set_centre(fit, m, fit->p.rows[fit->centres[m]].x);
    for (int64_t m = fit->n_centres; m < M; m++) {
        for (int64_t k = 0; k < F; k++)
            weight_named(fit, "prosody.centres.weight")[k * M + m] = 0;
        weight_named(fit, "prosody.centres.bias")[m] = 0;
    }
    return MOOD_OK;
}

/* ---- rows ---- */

static mood_status take_memory(struct mood__prosody_fit *fit)
{
    size_t M = (size_t)fit->n_centres, square;
    if (!mood__mul_size(M, M, &square))
        return mood__nomem();
    fit->penalty = mood__calloc(square, sizeof(double));
    fit->k = mood__calloc(BLOCK, M * sizeof(double));
    fit->y = mood__calloc(BLOCK, (size_t)fit->n_out * sizeof(double));
    fit->weight = mood__calloc(BLOCK, sizeof(double));
    fit->solution = mood__calloc(M, (size_t)fit->n_out * sizeof(double));
    if (!fit->penalty || !fit->k || !fit->y || !fit->weight || !fit->solution)
        return mood__nomem();
    MOOD__TRY(mood__ridge_create(&fit->ridge, fit->n_centres, fit->n_out, fit->p.pool));
    MOOD__TRY(mood_graph_create(
        &fit->graph, &(mood_graph_params){.weights = fit->p.weights, .pool = fit->p.pool}));
    fit->in = mood_input(fit->graph, "functionals", MOOD_F32, 2, (int64_t[]){BLOCK, F});
    fit->similarity = mood_prosody_similarity(fit->in, fit->p.net);
    return mood_graph_compile(fit->graph, &fit->similarity, 1);
}

/* The similarities of n <= BLOCK rows to the centres, to fit->k. */
static mood_status compare(struct mood__prosody_fit *fit, size_t first, int64_t n)
{
    int64_t M = fit->p.net->n_centres;
    float *in = mood__f32(mood_node_value(fit->in));
    for (int64_t i = 0; i < n; i++)
        memcpy(in + i * F, fit->p.rows[first + (size_t)i].x, F * sizeof(*in));
    MOOD__TRY(mood_graph_forward(fit->graph));
    const float *k = mood__f32(mood_node_value(fit->similarity));
    for (int64_t i = 0; i < n; i++)
        for (int64_t m = 0; m < fit->n_centres; m++)
            fit->k[i * fit->n_centres + m] = (double)k[i * M + m];
    return MOOD_OK;
}

/* The centres' similarities to each other, in double: rounded as the network rounds, their matrix
 * would have negative eigenvalues. */
static mood_status compare_centres(struct mood__prosody_fit *fit)
{
    int64_t n = fit->n_centres, M = fit->p.net->n_centres;
    const float *c = weight_named(fit, "prosody.centres.weight");
    const float *b = weight_named(fit, "prosody.centres.bias");
    double *wide = mood__calloc((size_t)n, F * sizeof(*wide));
    if (!wide)
        return mood__nomem();
    for (int64_t k = 0; k < F; k++)
        for (int64_t m = 0; m < n; m++)
            wide[k * n + m] = (double)c[k * M + m];
    mood__blas_begin();
    mood__gemm_f64_tn(n, n, F, wide, n, wide, n, fit->penalty, n);
    mood__blas_end();
    mood__free(wide);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t m = 0; m < n; m++)
            fit->penalty[i * n + m] =
                exp((fit->penalty[i * n + m] + (double)b[i] + (double)b[m]) / F);
        fit->penalty[i * n + i] += NUGGET;
    }
    return MOOD_OK;
}

static void set_targets(struct mood__prosody_fit *fit, size_t first, int64_t n)
{
    int V = fit->p.net->n_labels;
    for (int64_t i = 0; i < n; i++) {
        const struct mood__fit_row *row = &fit->p.rows[first + (size_t)i];
        double *y = fit->y + i * fit->n_out;
        for (int v = 0; v < V; v++)
            y[v] = is_background(row) ? 0 : (v == row->label) - 1.0 / V;
        if (fit->n_out > V)
            y[V] = is_background(row) ? -1 : 1;
        fit->weight[i] = row->weight;
    }
}

static mood_status add_rows(struct mood__prosody_fit *fit)
{
    int64_t n_rows = (int64_t)fit->p.n_rows, total = (n_rows + BLOCK - 1) / BLOCK;
    for (int64_t b = 0; b < total; b++) {
        int64_t first = b * BLOCK, n = n_rows - first < BLOCK ? n_rows - first : BLOCK;
        MOOD__TRY(compare(fit, (size_t)first, n));
        set_targets(fit, (size_t)first, n);
        mood__ridge_add(&fit->ridge, n, fit->k, fit->y, fit->weight);
        if (fit->p.on_block && fit->p.on_block(fit->p.user, b + 1, total))
            return mood__fail(MOOD_E_STOPPED, "training was stopped");
    }
    return MOOD_OK;
}

/* ---- the whole ---- */

mood_status mood__prosody_fit_begin(struct mood__prosody_fit *fit,
                                    const struct mood__prosody_fit_params *params)
{
    *fit = (struct mood__prosody_fit){.p = *params};
    fit->n_out = params->net->n_labels + !params->net->no_gate;
    MOOD__TRY(standardise(fit));
    MOOD__TRY(make_centres(fit));
    MOOD__TRY(take_memory(fit));
    MOOD__TRY(compare_centres(fit));
    return add_rows(fit);
}

mood_status mood__prosody_fit_solve(struct mood__prosody_fit *fit, double lambda)
{
    int V = fit->p.net->n_labels;
    int64_t M = fit->p.net->n_centres;
    float *out = weight_named(fit, "prosody.out.weight");
    float *gate = fit->n_out > V ? weight_named(fit, "prosody.gate.weight") : NULL;
    MOOD__TRY(mood__ridge_solve(&fit->ridge, lambda, fit->penalty, fit->solution));
    for (int64_t m = 0; m < M; m++) {
        const double *x = m < fit->n_centres ? fit->solution + m * fit->n_out : NULL;
        for (int v = 0; v < V; v++)
            out[m * V + v] = x ? (float)(SHARPNESS * x[v]) : 0;
        if (gate)
            gate[m] = x ? (float)x[V] : 0;
    }
    return MOOD_OK;
}

void mood__prosody_fit_free(struct mood__prosody_fit *fit)
{
    mood_graph_destroy(&fit->graph);
    mood__ridge_free(&fit->ridge);
    mood__free(fit->centres);
    mood__free(fit->penalty);
    mood__free(fit->k);
    mood__free(fit->y);
    mood__free(fit->weight);
    mood__free(fit->solution);
    *fit = (struct mood__prosody_fit){0};
}
