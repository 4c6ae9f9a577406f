/* SPDX-License-Identifier: MIT
 *
 * sha256.c — SHA-256 in portable C, after FIPS 180-4; letters and names are the standard's.
 * sha256_x86.c does the same to whole blocks with the processor's own instructions. */
#include "base/sha256.h"

#include <string.h>

#include "base/cpu.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
const uint32_t mood__sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One round (6.2.2, step 3). The standard moves all eight letters on by one place; here the caller
 * moves the arguments instead, and only d and h change. `kw` is K_t + W_t. */
static inline void step(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                        uint32_t g, uint32_t *h, uint32_t kw)
{
    uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    uint32_t ch = g ^ (e & (f ^ g));
    uint32_t sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    uint32_t maj = (a & b) | (c & (a | b));
    uint32_t t1 = *h + sum1 + ch + kw;
    *d += t1;
    *h = t1 + sum0 + maj;
}

static void hash_block(uint32_t state[8], const unsigned char *block)
{
    const uint32_t *K = mood__sha256_k;
    uint32_t w[64];
    for (int t = 0; t < 16; t++)
        w[t] = load_be32(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t += 8) {
        step(a, b, c, &d, e, f, g, &h, K[t] + w[t]);
        step(h, a, b, &c, d, e, f, &g, K[t + 1] + w[t + 1]);
        step(g, h, a, &b, c, d, e, &f, K[t + 2] + w[t + 2]);
        step(f, g, h, &a, b, c, d, &e, K[t + 3] + w[t + 3]);
        step(e, f, g, &h, a, b, c, &d, K[t + 4] + w[t + 4]);
        step(d, e, f, &g, h, a, b, &c, K[t + 5] + w[t + 5]);
        step(c, d, e, &f, g, h, a, &b, K[t + 6] + w[t + 6]);
        step(b, c, d, &e, f, g, h, &a, K[t + 7] + w[t + 7]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

static void hash_blocks(uint32_t state[8], const unsigned char *blocks, size_t n)
{
    for (; n; n--, blocks += 64)
        hash_block(state, blocks);
}

static mood__sha256_blocks *blocks_of_this_processor(void)
{
#ifdef MOOD_HAVE_X86_TIERS
    if (mood__cpu_has_sha())
        return mood__sha256_blocks_x86;
#endif
    return hash_blocks;
}

void mood__sha256_start(struct mood__sha256 *s)
{
    /* The same of the square roots of the first 8 primes (5.3.3). */
    *s = (struct mood__sha256){.take = blocks_of_this_processor(),
                               .h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void mood__sha256_add(struct mood__sha256 *s, const void *data, size_t bytes)
{
    if (bytes == 0) /* `data` may then be NULL, which memcpy must not see */
        return;
    const unsigned char *p = data;
    size_t waiting = s->n_bytes % 64;
    s->n_bytes += bytes;
    if (waiting) {
        size_t n = bytes < 64 - waiting ? bytes : 64 - waiting;
        memcpy(s->block + waiting, p, n);
        if (waiting + n < 64)
            return;
        s->take(s->h, s->block, 1);
        p += n;
        bytes -= n;
    }
    s->take(s->h, p, bytes / 64);
    if (bytes % 64)
        memcpy(s->block, p + bytes / 64 * 64, bytes % 64);
}

void mood__sha256_finish(struct mood__sha256 *s, unsigned char digest[MOOD__SHA256_BYTES])
{
    /* Padding (5.1.1): a one bit, zeros, and the length in bits, to the end of a block. */
    uint64_t n_bits = s->n_bytes * 8;
    unsigned char tail[72] = {0x80};
    size_t n = 64 - (size_t)((s->n_bytes + 8) % 64);
    for (int i = 0; i < 8; i++)
        tail[n + (size_t)i] = (unsigned char)(n_bits >> (56 - 8 * i));
    mood__sha256_add(s, tail, n + 8);
    for (int i = 0; i < MOOD__SHA256_BYTES; i++)
        digest[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void mood__sha256_of(const void *data, size_t bytes, unsigned char digest[MOOD__SHA256_BYTES])
{
    struct mood__sha256 s;
    mood__sha256_start(&s);
    mood__sha256_add(&s, data, bytes);
    mood__sha256_finish(&s, digest);
}

const char *mood__sha256_hex(char hex[MOOD__SHA256_HEX_BYTES],
                             const unsigned char digest[MOOD__SHA256_BYTES])
{
    for (int i = 0; i < MOOD__SHA256_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[MOOD__SHA256_HEX_BYTES - 1] = '\0';
    return hex;
}
