/* SPDX-License-Identifier: MIT
 *
 * page_corpora.c — The tables of a report about corpora: whose voices these are, under which
 * licence, and how well one corpus prepares for another. */
#include "html.h"
#include "page.h"

static void cell(FILE *out, const char *class, const char *text)
{
    fprintf(out, "<td class=\"%s\">", class);
    html_text(out, text);
    fputs("</td>", out);
}

void page_put_corpora(FILE *out, const struct findings *f)
{
    const mood_corpus *corpus = f->runs[0].corpus;
    fputs("<table>\n<tr><th class=\"t\">corpus</th><th>clips</th><th>speakers</th><th class=\"t\">"
          "licence</th></tr>\n",
          out);
    for (int i = 0; i < mood_corpus_n_collections(corpus); i++) {
        const mood_collection *k = mood_corpus_collection(corpus, i);
        fputs("<tr>", out);
        cell(out, "t", k->name);
        fprintf(out, "<td>%zu</td><td>%d</td>", k->n_clips, k->n_speakers);
        cell(out, "long", k->licence);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

void page_put_crossings(FILE *out, const struct findings *f)
{
    if (!f->crossings)
        return;
    fputs(
        "<h2>Across corpora</h2>\n<p class=\"note\">Each row is a network that was trained on "
        "some corpora and tested on the whole of another: other people, rooms and microphones, "
        "and often another language. A class of the test that training had no clip of counts as "
        "missed in the UAR; the last column is over the classes of both.</p>\n"
        "<div class=\"wide\">\n<table>\n<tr><th class=\"t\">trained on</th><th class=\"t\">tested "
        "on</th><th>clips</th><th>accuracy</th><th>UAR</th><th>95 %</th><th>classes of both</th>"
        "<th>UAR of these</th><th>95 %</th></tr>\n",
        out);
    for (int i = 0; i < f->n_runs; i++) {
        const struct crossing *x = &f->crossings[i];
        const mood_confusion *test = &f->runs[i].result.test;
        fputs("<tr>", out);
        cell(out, "long", x->trained);
        cell(out, "t", x->tested);
        fprintf(out,
                "<td>%lld</td><td>%.3f</td><td>%.3f</td><td>%.3f to %.3f</td><td>%d of %d</td>"
                "<td>%.3f</td><td>%.3f to %.3f</td></tr>\n",
                (long long)mood_confusion_total(test), mood_accuracy(test), x->uar, x->interval.low,
                x->interval.high, x->n_both, x->n_tested, x->uar_both, x->interval_both.low,
                x->interval_both.high);
    }
    fputs("</table>\n</div>\n", out);
}
