/* SPDX-License-Identifier: MIT
 *
 * bytes.h — Numbers out of bytes, for readers of foreign files. A position is checked by its
 * caller. */
#ifndef MOOD_BASE_BYTES_H
#define MOOD_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const unsigned char *p)
{
    return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint64_t le64(const unsigned char *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static inline uint16_t be16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const unsigned char *p)
{
    return (uint32_t)be16(p) << 16 | (uint32_t)be16(p + 2);
}

static inline uint64_t be64(const unsigned char *p)
{
    return (uint64_t)be32(p) << 32 | (uint64_t)be32(p + 4);
}

/* Whether the bytes at p are those of the text `tag`. */
static inline bool has_tag(const unsigned char *p, const char *tag)
{
    return memcmp(p, tag, strlen(tag)) == 0;
}

#endif
