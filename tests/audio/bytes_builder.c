/* SPDX-License-Identifier: MIT
 *
 * bytes_builder.c — Little and big-endian numbers, and WAV headers. */
#include "bytes_builder.h"

#include <stdlib.h>
#include <string.h>

void builder_free(struct builder *b)
{
    free(b->p);
    *b = (struct builder){0};
}

void put_bytes(struct builder *b, const void *p, size_t n)
{
    if (n == 0)
        return; /* there may be no array yet, and NULL + 0 is undefined */
    if (b->n + n > b->capacity) {
        b->capacity = 2 * (b->n + n) + 256;
        b->p = realloc(b->p, b->capacity);
        if (!b->p)
            abort();
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

void put_tag(struct builder *b, const char *tag)
{
    put_bytes(b, tag, strlen(tag));
}

void put_le(struct builder *b, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        unsigned char byte = (unsigned char)(value >> 8 * i);
        put_bytes(b, &byte, 1);
    }
}

void put_be(struct builder *b, uint64_t value, int n_bytes)
{
    for (int i = n_bytes - 1; i >= 0; i--)
        put_le(b, value >> 8 * i, 1);
}

void put_float(struct builder *b, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    put_le(b, bits, 4);
}

void put_double(struct builder *b, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    put_le(b, bits, 8);
}

void put_wav_header(struct builder *b, struct wav w)
{
    w.tag = w.tag ? w.tag : 1;
    w.channels = w.channels ? w.channels : 1;
    w.rate = w.rate ? w.rate : 16000;
    w.bits = w.bits ? w.bits : 16;
    unsigned frame = w.channels * (w.bits / 8);

    put_tag(b, "RIFF");
    put_le(b, w.riff_bytes, 4);
    put_tag(b, "WAVEfmt ");
    put_le(b, 16, 4);
    put_le(b, w.tag, 2);
    put_le(b, w.channels, 2);
    put_le(b, w.rate, 4);
    put_le(b, (uint64_t)w.rate * frame, 4);
    put_le(b, frame, 2);
    put_le(b, w.bits, 2);
    put_tag(b, "data");
    put_le(b, w.data_bytes, 4);
}

void put_wav(struct builder *b, unsigned channels, unsigned rate, size_t n_frames, int step)
{
    uint32_t data = (uint32_t)(n_frames * channels * 2);
    put_wav_header(
        b, (struct wav){
               .channels = channels, .rate = rate, .data_bytes = data, .riff_bytes = 36 + data});
    for (size_t t = 0; t < n_frames; t++) {
        for (unsigned c = 0; c < channels; c++)
            put_le(b, (uint64_t)((int)(c + 1) * step * (t % 2 ? -1 : 1)), 2);
    }
}
