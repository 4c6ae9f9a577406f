/* SPDX-License-Identifier: MIT
 *
 * entry.h — One named thing in a file: numbers, or text.
 *
 * Names are "part" or "folder/part" ("params/heads.mel.conv1.weight"); a part is 1 to 255 visible
 * ASCII characters other than '/', and is neither "." nor "..". HDF5 would allow more, but then
 * not every name could be printed, or would mean the same in every tool. */
#ifndef MOOD_STORE_ENTRY_H
#define MOOD_STORE_ENTRY_H

#include "mood/tensor.h"

enum {
    MOOD__ENTRY_NAME_BYTES = 512, /* room for a name, the final zero included */
    MOOD__ENTRY_PART_BYTES = 256  /* and for one of its parts */
};

struct mood__entry {
    const char *name;   /* "part" or "folder/part" */
    const char *text;   /* UTF-8; NULL when the entry is a tensor */
    mood_tensor tensor; /* of an entry without text */
    mood_dtype stored;  /* its type in the file: the tensor's own, or f16 or i8 for one of f32 */
};

bool mood__entry_name_is_valid(const char *name);
bool mood__entry_part_is_valid(const char *part);

/* Whether two names cannot be in one file: equal, or one the folder of the other. */
bool mood__entry_names_clash(const char *a, const char *b);

#endif
