/* SPDX-License-Identifier: MIT
 *
 * entry.c — Which names are possible in a file. */
#include "store/entry.h"

#include <string.h>

bool mood__entry_part_is_valid(const char *part)
{
    size_t n = 0;
    for (; part[n]; n++) {
        if (part[n] <= ' ' || part[n] > '~' || part[n] == '/')
            return false;
    }
    return n > 0 && n < MOOD__ENTRY_PART_BYTES && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

bool mood__entry_name_is_valid(const char *name)
{
    char folder[MOOD__ENTRY_PART_BYTES];
    const char *slash = strchr(name, '/');
    if (!slash)
        return mood__entry_part_is_valid(name);
    size_t n = (size_t)(slash - name);
    if (n >= sizeof(folder))
        return false;
    memcpy(folder, name, n);
    folder[n] = '\0';
    return mood__entry_part_is_valid(folder) && mood__entry_part_is_valid(slash + 1);
}

bool mood__entry_names_clash(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (!*a && (!*b || *b == '/')) || (!*b && *a == '/');
}
