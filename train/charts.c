/* SPDX-License-Identifier: MIT
 *
 * charts.c — Lines, bars and points in SVG. Sizes are in the units of the viewBox, which a browser
 * shows at about one pixel each. */
#include <math.h>

#include "html.h"

enum {
    WIDTH = 360,
    HEIGHT = 230,
    LEFT = 46, /* the margins around the plot */
    RIGHT = 10,
    TOP = 8,
    BOTTOM = 36
};

static double at_x(const struct chart *c, double x)
{
    return LEFT + (x - c->left) / (c->right - c->left) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct chart *c, double y)
{
    return HEIGHT - BOTTOM - (y - c->bottom) / (c->top - c->bottom) * (HEIGHT - TOP - BOTTOM);
}

/* ---- axes ---- */

/* A step of 1, 2 or 5 times a power of ten that makes three to six ticks of a span. */
static double tick_step(double span)
{
    double ten = pow(10, floor(log10(span)));
    double rest = span / ten; /* 1 to 10 */
    return ten * (rest < 1.5 ? 0.25 : rest < 3 ? 0.5 : rest < 6 ? 1 : 2);
}

/* What stands at a tick: small numbers as 5e-4, which fits into the margin. */
static void put_tick(FILE *f, double value)
{
    int ten = value > 0 ? (int)floor(log10(value) + 1e-9) : 0;
    if (ten < -2)
        fprintf(f, "%ge%d", value / pow(10, ten), ten);
    else
        fprintf(f, "%g", value + 0.0); /* never -0 */
}

static void axis_x(const struct chart *c, const char *name)
{
    double step = tick_step(c->right - c->left);
    for (double i = ceil(c->left / step - 1e-9); i * step <= c->right + 1e-9 * step; i++) {
        fprintf(c->f, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                at_x(c, i * step), HEIGHT - BOTTOM + 14);
        put_tick(c->f, i * step);
        fputs("</text>\n", c->f);
    }
    fprintf(c->f, "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
            WIDTH - RIGHT, HEIGHT - 6, name);
}

static void axis_y(const struct chart *c)
{
    double step = tick_step(c->top - c->bottom);
    for (double i = ceil(c->bottom / step - 1e-9); i * step <= c->top + 1e-9 * step; i++) {
        double y = at_y(c, i * step);
        fprintf(c->f,
                "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4);
        put_tick(c->f, i * step);
        fputs("</text>\n", c->f);
    }
}

static void widen(double *low, double *high)
{
    if (*high > *low)
        return;
    double by = *low != 0 ? fabs(*low) / 2 : 0.5;
    *low -= by;
    *high += by;
}

/* ---- the figure ---- */

void chart_begin(struct chart *c, const char *title, const struct chart_key *keys,
                 const char *x_name, const char *y_name)
{
    widen(&c->left, &c->right);
    widen(&c->bottom, &c->top);
    fprintf(c->f, "<figure class=\"chart\">\n<h3>%s</h3>\n", title);
    fprintf(c->f, "<p class=\"keys\"><span>%s</span>", y_name);
    for (; keys && keys->style; keys++)
        fprintf(c->f, " <span><i class=\"key %s\"></i>%s</span>", keys->style, keys->name);
    fprintf(c->f,
            "</p>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" "
            "xmlns=\"http://www.w3.org/2000/svg\">\n",
            WIDTH, HEIGHT, title);
    axis_y(c);
    axis_x(c, x_name);
}

void chart_line(const struct chart *c, const char *style, const double *x, const double *y,
                size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t begin = i;
        while (i < n && isfinite(y[i]))
            i++;
        if (i - begin == 1)
            chart_point(c, style, x[begin], y[begin], NULL, false);
        if (i - begin > 1) {
            fprintf(c->f, "<polyline class=\"line %s\" points=\"", style);
            for (size_t k = begin; k < i; k++)
                fprintf(c->f, "%s%.1f,%.1f", k > begin ? " " : "", at_x(c, x[k]), at_y(c, y[k]));
            fputs("\"/>\n", c->f);
        }
        i += i < n;
    }
}

void chart_bar(const struct chart *c, const char *style, double x0, double x1, double y,
               double strength)
{
    double top = at_y(c, y), bottom = at_y(c, c->bottom);
    fprintf(c->f,
            "<rect class=\"bar %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "fill-opacity=\"%.2f\"/>\n",
            style, at_x(c, x0) + 0.5, top, at_x(c, x1) - at_x(c, x0) - 1, bottom - top, strength);
}

void chart_point(const struct chart *c, const char *style, double x, double y, const char *word,
                 bool below)
{
    double px = at_x(c, x), py = at_y(c, y);
    fprintf(c->f, "<circle class=\"point %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", style, px, py);
    if (word)
        fprintf(c->f, "<text class=\"word\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
                px < LEFT + 14 ? LEFT + 14 : px, below || py < TOP + 16 ? py + 16 : py - 8, word);
    fputc('\n', c->f);
}

void chart_rule(const struct chart *c, double x0, double y0, double x1, double y1)
{
    fprintf(c->f, "<line class=\"rule\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            at_x(c, x0), at_y(c, y0), at_x(c, x1), at_y(c, y1));
}

void chart_end(const struct chart *c, const char *caption)
{
    fputs("</svg>\n", c->f);
    if (caption)
        fprintf(c->f, "<figcaption>%s</figcaption>\n", caption);
    fputs("</figure>\n", c->f);
}
