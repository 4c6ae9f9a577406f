/* SPDX-License-Identifier: MIT
 *
 * sha256_x86.c — The blocks of SHA-256 with the SHA instructions of x86, which do two rounds, or
 * half the work of four schedule words, at a time. sha256.c is the specification; both give the
 * same.
 *
 * The instructions want the eight letters in two registers, from the highest lane to the lowest:
 * A B E F and C D G H. */
#ifndef __SHA__
#error "sha256_x86.c has to be compiled with -msha"
#endif
#include <immintrin.h>

#include "base/sha256.h"

struct letters {
    __m128i abef, cdgh;
};

static inline __m128i load(const void *p)
{
    return _mm_loadu_si128(p);
}

/* From the order A B C D, E F G H in memory, and back. */
static inline struct letters load_letters(const uint32_t h[8])
{
    __m128i badc = _mm_shuffle_epi32(load(h), _MM_SHUFFLE(2, 3, 0, 1)); /* lanes B A D C */
    __m128i fehg = _mm_shuffle_epi32(load(h + 4), _MM_SHUFFLE(2, 3, 0, 1));
    return (struct letters){_mm_unpacklo_epi64(fehg, badc), _mm_unpackhi_epi64(fehg, badc)};
}

static inline void store_letters(uint32_t h[8], struct letters s)
{
    __m128i badc = _mm_unpackhi_epi64(s.abef, s.cdgh);
    __m128i fehg = _mm_unpacklo_epi64(s.abef, s.cdgh);
    _mm_storeu_si128((__m128i *)h, _mm_shuffle_epi32(badc, _MM_SHUFFLE(2, 3, 0, 1)));
    _mm_storeu_si128((__m128i *)(h + 4), _mm_shuffle_epi32(fehg, _MM_SHUFFLE(2, 3, 0, 1)));
}

/* Rounds t to t + 3, for w = W_t ... W_t+3 (6.2.2, step 3). Two rounds turn A B E F into C D G H,
 * so each instruction writes the half that is two rounds old, and four rounds later the names fit
 * again. */
static inline struct letters rounds(struct letters s, __m128i w, int t)
{
    __m128i kw = _mm_add_epi32(w, load(mood__sha256_k + t));
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, kw);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_unpackhi_epi64(kw, kw));
    return s;
}

/* W_t ... W_t+3 from the sixteen words before, oldest first (6.2.2, step 1). */
static inline __m128i schedule(__m128i w16, __m128i w12, __m128i w8, __m128i w4)
{
    __m128i w7 = _mm_alignr_epi8(w4, w8, 4); /* W_t-7 ... W_t-4 */
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w16, w12), w7), w4);
}

static inline __m128i load_be32(const unsigned char *p)
{
    const __m128i reversed = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(load(p), reversed);
}

void mood__sha256_blocks_x86(uint32_t h[8], const unsigned char *blocks, size_t n)
{
    struct letters s = load_letters(h);
    for (; n; n--, blocks += 64) {
        struct letters before = s;
        __m128i w0 = load_be32(blocks), w1 = load_be32(blocks + 16);
        __m128i w2 = load_be32(blocks + 32), w3 = load_be32(blocks + 48);
        for (int t = 0; t < 48; t += 16) {
            s = rounds(s, w0, t);
            w0 = schedule(w0, w1, w2, w3);
            s = rounds(s, w1, t + 4);
            w1 = schedule(w1, w2, w3, w0);
            s = rounds(s, w2, t + 8);
            w2 = schedule(w2, w3, w0, w1);
            s = rounds(s, w3, t + 12);
            w3 = schedule(w3, w0, w1, w2);
        }
        s = rounds(rounds(rounds(rounds(s, w0, 48), w1, 52), w2, 56), w3, 60);
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    store_letters(h, s);
}
