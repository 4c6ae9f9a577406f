/* SPDX-License-Identifier: MIT
 *
 * schedule.c — ReduceLROnPlateau, warm-up and cosine, early stop. */
#include <math.h>

#include "mood/train.h"

/* The semantics of torch.optim.lr_scheduler.ReduceLROnPlateau, its smallest change (eps) included.
 */
static const double smallest_change = 1e-8;

static bool better(mood_goal goal, double metric, double best, double threshold)
{
    return goal == MOOD_MAXIMISE ? metric > best * (1 + threshold)
                                 : metric < best * (1 - threshold);
}

double mood_plateau_step(mood_plateau *p, double metric, double lr)
{
    double factor = p->factor > 0 ? p->factor : 0.5;
    double threshold = p->threshold > 0 ? p->threshold : 1e-4;
    int patience = p->patience > 0 ? p->patience : 3;
    if (!p->started) {
        p->started = true;
        p->best = p->goal == MOOD_MAXIMISE ? -INFINITY : INFINITY;
    }
    if (better(p->goal, metric, p->best, threshold)) {
        p->best = metric;
        p->n_bad = 0;
    } else {
        p->n_bad++;
    }
    if (p->n_cooldown > 0) {
        p->n_cooldown--;
        p->n_bad = 0;
    }
    if (p->n_bad > patience) {
        double lower = lr * factor > p->min_lr ? lr * factor : p->min_lr;
        if (lr - lower > smallest_change)
            lr = lower;
        p->n_cooldown = p->cooldown;
        p->n_bad = 0;
    }
    return lr;
}

double mood_warmup(int64_t step, int64_t warmup)
{
    return step < warmup ? (double)(step + 1) / (double)warmup : 1;
}

double mood_warmup_cosine(int64_t step, int64_t warmup, int64_t total)
{
    static const double pi = 3.14159265358979323846;
    if (step < warmup)
        return mood_warmup(step, warmup);
    if (step >= total)
        return 0;
    return (1 + cos(pi * (double)(step - warmup) / (double)(total - warmup))) / 2;
}

bool mood_early_stop_step(mood_early_stop *s, double metric)
{
    if (!s->started) {
        s->started = true;
        s->best = s->goal == MOOD_MAXIMISE ? -INFINITY : INFINITY;
    }
    if (better(s->goal, metric, s->best, 0)) {
        s->best = metric;
        s->n_bad = 0;
    } else {
        s->n_bad++;
    }
    return s->patience > 0 && s->n_bad >= s->patience;
}
