/* SPDX-License-Identifier: MIT
 *
 * inspect.c — What a file is, without building what it holds. */
#include "mood/inspect.h"

#include <string.h>

#include "base/error.h"
#include "store/store.h"

enum { N_DTYPES = MOOD_I8 + 1 };

mood_status mood_file_inspect(mood_file_info *out, const char *path)
{
    struct mood__reader *r;
    *out = (mood_file_info){0};
    MOOD__TRY(mood__reader_map(&r, path, NULL));
    const struct mood__header *h = mood__reader_header(r);
    mood_file_info info = {.major = h->major, .minor = h->minor};
    int64_t of_type[N_DTYPES] = {0};
    memcpy(info.kind, h->kind, sizeof(info.kind));
    for (size_t i = 0; i < mood__reader_count(r); i++) {
        const struct mood__entry *e = mood__reader_at(r, i);
        if (e->text)
            continue;
        info.n_tensors++;
        info.n_numbers += mood_tensor_elements(&e->tensor);
        of_type[e->tensor.dtype] += mood_tensor_elements(&e->tensor);
        if (of_type[e->tensor.dtype] > of_type[info.dtype])
            info.dtype = e->tensor.dtype;
    }
    mood__reader_close(&r);
    *out = info;
    return MOOD_OK;
}
