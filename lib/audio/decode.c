/* SPDX-License-Identifier: MIT
 *
 * decode.c — Choosing a decoder, and what the decoders share. */
#include "audio/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

mood_status mood__decoder_open(struct mood__decoder **out, const struct mood__sniff *s)
{
    *out = NULL;
    struct mood__decoder *d = NULL;
    MOOD__TRY(s->coding == MOOD__CODING_MPEG ? mood__decoder_open_mpg123(&d, s)
                                             : mood__decoder_open_sndfile(&d, s));
    mood_status status;
    if (d->channels < 1 || d->sample_rate < 1)
        status = mood__fail(MOOD_E_FORMAT, "damaged %s: no channels or no rate", s->format);
    else
        status =
            mood__check_layout((uint64_t)d->channels, (uint64_t)d->sample_rate, MOOD_E_UNSUPPORTED);
    if (status == MOOD_OK)
        *out = d;
    else
        d->close(d);
    return status;
}

size_t mood__memory_read(struct mood__memory *m, void *to, size_t n)
{
    if (n > m->n_bytes - m->at)
        n = m->n_bytes - m->at;
    if (n)
        memcpy(to, m->bytes + m->at, n);
    m->at += n;
    return n;
}

int64_t mood__memory_seek(struct mood__memory *m, int64_t offset, int whence)
{
    int64_t size = (int64_t)m->n_bytes;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)m->at : size;
    if (offset < -base)
        return -1;
    m->at = (size_t)(offset > size - base ? size : base + offset);
    return (int64_t)m->at;
}
