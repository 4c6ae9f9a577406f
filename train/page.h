/* SPDX-License-Identifier: MIT
 *
 * page.h — report.html: what metrics.json says, for people. */
#ifndef MOOD_TRAIN_PAGE_H
#define MOOD_TRAIN_PAGE_H

#include "findings.h"

/* Write the page. Errors of the stream are the caller's to look for. */
void page_put(FILE *out, const struct findings *f);

/* ---- page_corpora.c: what was heard ---- */

void page_put_corpora(FILE *out, const struct findings *f);
void page_put_crossings(FILE *out, const struct findings *f); /* nothing where there are none */

/* ---- page_charts.c: the parts of it that are drawn ---- */

void page_put_curves(FILE *out, const struct findings *f); /* nothing of a single epoch */
void page_put_ridges(FILE *out, const struct findings *f);
void page_put_calibration(FILE *out, const struct findings *f);

#endif
