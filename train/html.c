/* SPDX-License-Identifier: MIT
 *
 * html.c — Text from outside, made harmless. */
#include "html.h"

#include "base/text.h"

void html_text(FILE *f, const char *text)
{
    bool utf8 = mood__is_utf8(text);
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        case '\'':
            fputs("&#39;", f);
            break;
        default:
            fputc(mood__is_control(*text) || (!utf8 && (unsigned char)*text > 127) ? '?' : *text,
                  f);
        }
    }
}
