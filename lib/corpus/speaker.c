/* SPDX-License-Identifier: MIT
 *
 * speaker.c — When two speaker keys are the same person, and the order of speakers. */
#include <string.h>

#include "corpus/source.h"

/* The digits without leading zeros, or NULL when the key is not a number. */
static const char *number(const char *key)
{
    if (!*key || key[strspn(key, "0123456789")])
        return NULL;
    return key + strspn(key, "0");
}

int mood__speaker_compare(const char *a, const char *b)
{
    const char *na = number(a), *nb = number(b);
    if (!na != !nb)
        return na ? -1 : 1;
    if (na && strlen(na) != strlen(nb)) /* without leading zeros, the longer number is larger */
        return strlen(na) < strlen(nb) ? -1 : 1;
    return na ? strcmp(na, nb) : strcmp(a, b);
}
