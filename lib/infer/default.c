/* SPDX-License-Identifier: MIT
 *
 * default.c — The model that is used when none is named, and where it is looked for. */
#include "infer/default.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config.h"

enum { PATH_BYTES = 4096, N_PLACES = 3 };

/* The folder above that of the running program: "/usr" for /usr/bin/mood-infer. "" where the system
 * does not tell. */
static void program_prefix(char out[PATH_BYTES])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_BYTES);
    out[n > 0 && n < PATH_BYTES ? n : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (slash)
            *slash = '\0';
        else
            out[0] = '\0';
    }
}

static mood_status answer(char *path, size_t bytes, const char *found)
{
    if (strlen(found) >= bytes)
        return mood__fail(MOOD_E_INVALID,
                          "the path of the model has more than %zu bytes: %.100s...", bytes, found);
    memcpy(path, found, strlen(found) + 1);
    return MOOD_OK;
}

mood_status mood__model_find_default(char *path, size_t bytes, const struct mood__model_places *p)
{
    char place[N_PLACES][PATH_BYTES + 256], said[MOOD__DETAIL_BYTES] = "";
    int n = 0;
    if (p->named && p->named[0] != '\0')
        return answer(path, bytes, p->named);
    if (p->prefix[0] != '\0') {
        if (p->below[0] != '\0')
            snprintf(place[n++], sizeof(place[0]), "%s/%s/mood.h5", p->prefix, p->below);
        snprintf(place[n++], sizeof(place[0]), "%s/models/mood.h5", p->prefix);
    }
    snprintf(place[n++], sizeof(place[0]), "%s/mood.h5", p->folder);

    for (int i = 0; i < n; i++) {
        if (mood__file_exists(place[i])) /* what is there, and is no model, is not passed over */
            return answer(path, bytes, place[i]);
        size_t used = strlen(said);
        if (i == 0 || strcmp(place[i], place[0]) != 0)
            snprintf(said + used, sizeof(said) - used, "%s%.120s", i ? ", " : "", place[i]);
    }
    return mood__fail(MOOD_E_MISSING, "no model: $MOOD_MODEL is not set, and nothing is at %s",
                      said);
}

mood_status mood_model_find_default(char *path, size_t bytes)
{
    char prefix[PATH_BYTES];
    program_prefix(prefix);
    return mood__model_find_default(path, bytes,
                                    &(struct mood__model_places){getenv("MOOD_MODEL"), prefix,
                                                                 MOOD_DATA_BELOW_PREFIX,
                                                                 MOOD_DATA_FOLDER});
}
