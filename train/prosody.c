/* SPDX-License-Identifier: MIT
 *
 * prosody.c — Training on prosody: its options, and those that have no meaning for it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train.h"

/* What only the heads have: an option that would be without effect is a mistake. */
static const char *const of_heads[] = {
    "epochs",   "batch",          "lr",         "optimiser",     "weight-decay", "schedule",
    "warmup",   "average",        "accumulate", "class-weights", "dropout",      "label-smoothing",
    "mixup",    "clip-norm",      "early-stop", "encoder",       "cache",        "encoder-layer",
    "finetune", "encoder-config", "encoder-lr", "embed-encoder", "trace",        "resume",
};
static const char *const of_prosody[] = {"ridge", "speeds", "centres", "background"};

/* "0.1,1,10": at least one number, each within low to high. False, and said, when it is not so. */
static bool read_numbers(struct cli *c, const char *name, const char *text, double low, double high,
                         int room, struct numbers *out)
{
    out->n = 0;
    for (const char *at = text;; at++) {
        char *end = NULL;
        size_t n = strspn(at, "+-.eE0123456789");
        double x = strtod(at, &end);
        if (n == 0 || end != at + n || (*end != ',' && *end != '\0') || !(x >= low && x <= high))
            return cli_usage(c, "--%s: '%s' is not a list of numbers from %g to %g", name, text,
                             low, high);
        if (out->n == room)
            return cli_usage(c, "--%s: more than %d numbers", name, room);
        out->x[out->n++] = x;
        if (*end == '\0')
            return true;
        at = end;
    }
}

static bool refuse(struct cli *c, const char *const *names, size_t n, const char *other)
{
    for (size_t i = 0; i < n; i++)
        if (cli_given(c, names[i]))
            return cli_usage(c, "--%s has no meaning for --network %s", names[i], other);
    return true;
}

bool prosody_check(struct cli *c, struct options *o)
{
    if (o->network != NETWORK_PROSODY)
        return refuse(c, of_prosody, sizeof(of_prosody) / sizeof(of_prosody[0]), "heads");
    const unsigned masks = MOOD_AUGMENT_TIME_MASK | MOOD_AUGMENT_FREQ_MASK;
    if (o->augmentation.kinds & masks)
        return cli_usage(
            c, "--augment: masks have no meaning for --network prosody, which hears no log-mel");
    return refuse(c, of_heads, sizeof(of_heads) / sizeof(of_heads[0]), "prosody") &&
           read_numbers(c, "ridge", o->ridge, 1e-9, 1e9, MOOD_MAX_RIDGES, &o->ridges) &&
           read_numbers(c, "speeds", o->speed, 0.5, 2, MOOD_MAX_SPEEDS, &o->speeds);
}

bool is_prosody(const struct run *r)
{
    return r->o->network == NETWORK_PROSODY;
}

mood_prosody_params prosody_params(const struct run *r)
{
    const struct options *o = r->o;
    return (mood_prosody_params){.ridges = o->ridges.x,
                                 .n_ridges = o->ridges.n,
                                 .speeds = o->speeds.x,
                                 .n_speeds = o->speeds.n,
                                 .n_background = o->background,
                                 .bank = r->bank};
}

double prosody_ridge(const struct run *r)
{
    int best = r->result.best_epoch;
    return best > 0 ? r->result.epochs[best - 1].ridge : 0;
}

void prosody_middle(const struct run *runs, int n, double *ridge, double *temperature)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        int below = 0, equal = 0;
        for (int k = 0; k < n; k++) {
            below += prosody_ridge(&runs[k]) < prosody_ridge(&runs[i]);
            equal += prosody_ridge(&runs[k]) == prosody_ridge(&runs[i]);
        }
        if (below <= n / 2 && below + equal > n / 2)
            *ridge = prosody_ridge(&runs[i]);
        sum += log(run_temperature(&runs[i]));
    }
    *temperature = exp(sum / n);
}
