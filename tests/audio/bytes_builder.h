/* SPDX-License-Identifier: MIT
 *
 * bytes_builder.h — Sound files put together byte by byte, right ones and wrong ones. */
#ifndef TEST_BYTES_BUILDER_H
#define TEST_BYTES_BUILDER_H

#include <stddef.h>
#include <stdint.h>

struct builder {
    unsigned char *p;
    size_t n, capacity;
};

void builder_free(struct builder *b);
void put_bytes(struct builder *b, const void *p, size_t n);
void put_tag(struct builder *b, const char *tag);
void put_le(struct builder *b, uint64_t value, int n_bytes);
void put_be(struct builder *b, uint64_t value, int n_bytes);

/* IEEE numbers, little-endian. */
void put_float(struct builder *b, float x);
void put_double(struct builder *b, double x);

/* What a WAV header says; whether it is true is up to the test. */
struct wav {
    unsigned tag;      /* 0: 1, PCM */
    unsigned channels; /* 0: 1 */
    unsigned rate;     /* 0: 16000 */
    unsigned bits;     /* 0: 16 */
    uint32_t data_bytes, riff_bytes;
};

/* Everything up to and including the data chunk's size. */
void put_wav_header(struct builder *b, struct wav w);

/* A whole 16-bit WAV of `n_frames` frames in which channel c holds sample (c + 1) * step at every
 * second frame and minus that between. */
void put_wav(struct builder *b, unsigned channels, unsigned rate, size_t n_frames, int step);

#endif
