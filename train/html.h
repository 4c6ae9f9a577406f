/* SPDX-License-Identifier: MIT
 *
 * html.h — Writing the page of a report: text that cannot break out of its place (html.c), charts
 * in SVG (charts.c), the style sheet (style.c).
 *
 * The page is one file: no script, nothing fetched. It is written as XML that HTML reads too, so
 * that a strict parser can check it. */
#ifndef MOOD_TRAIN_HTML_H
#define MOOD_TRAIN_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A text from outside (a path, a label), with everything that HTML or XML could take for its own
 * escaped; what is no UTF-8, or no printable character, becomes '?'. Also right inside "...". */
void html_text(FILE *f, const char *text);

void html_style(FILE *f);

/* ---- charts ---------------------------------------------------------------------------------- */

/* A chart of fixed size with two axes, drawn in data units. */
struct chart {
    FILE *f;
    double left, right, bottom, top; /* the data that the axes span */
};

/* Begin a figure: its title, what a line or bar of each class is (NULL ends the list), and the
 * axes. left < right and bottom < top, or the span is widened. */
struct chart_key {
    const char *style, *name; /* class of the style sheet: "a", "b", "c" or "quiet" */
};
void chart_begin(struct chart *c, const char *title, const struct chart_key *keys,
                 const char *x_name, const char *y_name);

/* A line through n points; where y is NaN it is broken. */
void chart_line(const struct chart *c, const char *style, const double *x, const double *y,
                size_t n);

/* A bar from the bottom to `y`, between two x; `strength` 0 to 1 is how opaque it is. */
void chart_bar(const struct chart *c, const char *style, double x0, double x1, double y,
               double strength);

/* A point with a word above or below it, or NULL; a dashed line between two points. */
void chart_point(const struct chart *c, const char *style, double x, double y, const char *word,
                 bool below);
void chart_rule(const struct chart *c, double x0, double y0, double x1, double y1);

/* End it, with a sentence below; NULL: none. The sentence is HTML. */
void chart_end(const struct chart *c, const char *caption);

#endif
