/* SPDX-License-Identifier: MIT
 *
 * sha256.h — SHA-256 (FIPS 180-4), for recognising damaged files and comparing identities.
 *
 *     struct mood__sha256 s;
 *     mood__sha256_start(&s);
 *     mood__sha256_add(&s, data, bytes);           // as often as needed
 *     mood__sha256_finish(&s, digest); */
#ifndef MOOD_BASE_SHA256_H
#define MOOD_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum {
    MOOD__SHA256_BYTES = 32,
    MOOD__SHA256_HEX_BYTES = 65 /* as hexadecimal text, the final zero included */
};

/* Takes n blocks of 64 bytes into the hash. */
typedef void mood__sha256_blocks(uint32_t h[8], const unsigned char *blocks, size_t n);

struct mood__sha256 {
    mood__sha256_blocks *take; /* for this processor */
    uint32_t h[8];             /* the hash of all full blocks so far */
    uint64_t n_bytes;          /* added so far */
    unsigned char block[64];   /* its first n_bytes % 64 bytes wait for more */
};

/* Uses the processor's instructions for SHA-256 where mood__cpu_has_sha() allows it. */
void mood__sha256_start(struct mood__sha256 *s);
void mood__sha256_add(struct mood__sha256 *s, const void *data, size_t bytes);

/* `s` has to be started again before it is used again. */
void mood__sha256_finish(struct mood__sha256 *s, unsigned char digest[MOOD__SHA256_BYTES]);

/* All three in one. */
void mood__sha256_of(const void *data, size_t bytes, unsigned char digest[MOOD__SHA256_BYTES]);

/* The digest as 64 lower-case hexadecimal digits. Returns `hex`. */
const char *mood__sha256_hex(char hex[MOOD__SHA256_HEX_BYTES],
                             const unsigned char digest[MOOD__SHA256_BYTES]);

/* ---- for the files of SHA-256 itself, and its test ------------------------------------------ */

/* The constants K_0 ... K_63 of the standard. */
extern const uint32_t mood__sha256_k[64];

/* The same with the instructions of x86 (sha256_x86.c); only where mood__cpu_has_sha(). */
#ifdef MOOD_HAVE_X86_TIERS
mood__sha256_blocks mood__sha256_blocks_x86;
#endif

#endif
