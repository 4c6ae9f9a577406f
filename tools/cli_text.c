/* SPDX-License-Identifier: MIT
 *
 * cli_text.c — Text from anywhere, made fit for a terminal or for JSON. */
#include <string.h>

#include "cli.h"

int cli_character(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    int n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2
            : (s[0] & 0xf0) == 0xe0      ? 3
            : (s[0] & 0xf8) == 0xf0      ? 4
                                         : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)))
        return 0;
    if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || s[0] > 0xf4 || (s[0] == 0xf4 && s[1] >= 0x90)))
        return 0;
    return n;
}

/* Whether the character at s, of n bytes, is a control character: C0, DEL, or C1. */
static bool is_control(const unsigned char *s, int n)
{
    return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

char *cli_printable(char *out, size_t capacity, const char *text)
{
    size_t used = 0;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        char piece[8];
        int n = cli_character((const char *)s), length;
        if (is_control(s, n))
            n = 0;
        if (n > 0) {
            memcpy(piece, s, (size_t)n);
            length = n;
        } else if (*s == '\n' || *s == '\t') {
            length = snprintf(piece, sizeof(piece), "\\%c", *s == '\n' ? 'n' : 't');
        } else {
            length = snprintf(piece, sizeof(piece), "\\x%02x", *s);
        }
        if (used + (size_t)length >= capacity)
            break;
        memcpy(out + used, piece, (size_t)length);
        used += (size_t)length;
        s += n > 0 ? n : 1;
    }
    out[used] = '\0';
    return out;
}

void cli_json_text(FILE *f, const char *text)
{
    putc('"', f);
    while (*text) {
        int n = cli_character(text);
        unsigned char c = (unsigned char)*text;
        if (n == 0)
            fprintf(f, "\\\\x%02x", c);
        else if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (n == 1 && (c < 0x20 || c == 0x7f))
            fprintf(f, "\\u%04x", c);
        else
            fwrite(text, 1, (size_t)n, f);
        text += n > 0 ? n : 1;
    }
    putc('"', f);
}
