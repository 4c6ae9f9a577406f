/* SPDX-License-Identifier: MIT
 *
 * input.c — The bytes of a foreign file. */
#include "store/input.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

mood_status mood__input_open(struct mood__input *out, const char *path)
{
    int fd = -1;
    size_t n_bytes = 0;
    MOOD__TRY(mood__file_open(path, &fd, &n_bytes));
    *out = (struct mood__input){.fd = fd, .n_bytes = n_bytes};
    return MOOD_OK;
}

void mood__input_close(struct mood__input *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}

struct mood__input mood__input_of(const void *bytes, size_t n_bytes)
{
    return (struct mood__input){.fd = -1, .memory = bytes, .n_bytes = n_bytes};
}

static mood_status check_range(const struct mood__input *in, uint64_t offset, size_t n_bytes)
{
    if (offset > in->n_bytes || n_bytes > in->n_bytes - offset)
        return mood__fail(MOOD_E_FORMAT,
                          "is cut off: has %zu bytes, where %zu are needed from %llu", in->n_bytes,
                          n_bytes, (unsigned long long)offset);
    return MOOD_OK;
}

mood_status mood__input_read(const struct mood__input *in, uint64_t offset, void *buf,
                             size_t n_bytes)
{
    MOOD__TRY(check_range(in, offset, n_bytes));
    if (in->fd >= 0)
        return mood__file_read_at(in->fd, offset, buf, n_bytes);
    if (n_bytes > 0)
        memcpy(buf, in->memory + offset, n_bytes);
    return MOOD_OK;
}

mood_status mood__input_load(const struct mood__input *in, uint64_t offset, size_t n_bytes,
                             unsigned char **bytes)
{
    MOOD__TRY(check_range(in, offset, n_bytes));
    unsigned char *buf = n_bytes < SIZE_MAX ? mood__alloc_aligned(n_bytes + 1) : NULL;
    if (!buf)
        return mood__nomem();
    mood_status status = mood__input_read(in, offset, buf, n_bytes);
    if (status != MOOD_OK) {
        mood__free(buf);
        return status;
    }
    buf[n_bytes] = 0;
    *bytes = buf;
    return MOOD_OK;
}
