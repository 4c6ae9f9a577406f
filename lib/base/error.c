/* SPDX-License-Identifier: MIT
 *
 * error.c — Status names and texts, and the thread-local error detail. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config.h"

static _Thread_local char detail[MOOD__DETAIL_BYTES];

const char *mood_status_name(mood_status status)
{
    switch (status) {
#define MOOD_STATUS_NAME(name, value, text)                                                        \
    case MOOD_##name:                                                                              \
        return "MOOD_" #name;
        MOOD_STATUS_LIST(MOOD_STATUS_NAME)
#undef MOOD_STATUS_NAME
    }
    return "unknown";
}

const char *mood_status_text(mood_status status)
{
    switch (status) {
#define MOOD_STATUS_TEXT(name, value, text)                                                        \
    case MOOD_##name:                                                                              \
        return text;
        MOOD_STATUS_LIST(MOOD_STATUS_TEXT)
#undef MOOD_STATUS_TEXT
    }
    return "unknown status";
}

const char *mood_error_detail(void)
{
    return detail;
}

const char *mood_version(void)
{
    return MOOD_VERSION;
}

/* A detail is one line whatever it quotes: the name of a file may hold a line break, or what steers
 * a terminal. */
static void make_one_line(char *text)
{
    for (; *text; text++)
        if (mood__is_control(*text))
            *text = '?';
}

mood_status mood__fail(mood_status status, const char *fmt, ...)
{
    char text[MOOD__DETAIL_BYTES] = ""; /* the arguments may point into the old detail */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    make_one_line(text);
    memcpy(detail, text, sizeof(detail));
    return status;
}

mood_status mood__fail_in(mood_status status, const char *prefix_fmt, ...)
{
    char inner[2 + MOOD__DETAIL_BYTES] = ": ";
    memcpy(inner + 2, detail, sizeof(detail));

    va_list args;
    va_start(args, prefix_fmt);
    int n = vsnprintf(detail, sizeof(detail), prefix_fmt, args);
    va_end(args);
    make_one_line(detail);
    if (n >= 0 && (size_t)n < sizeof(detail)) {
        memcpy(detail + n, inner, sizeof(detail) - (size_t)n);
        detail[sizeof(detail) - 1] = '\0';
    }
    return status;
}
