/* SPDX-License-Identifier: MIT
 *
 * sniff_ogg.c — The header packets of Vorbis and Opus in Ogg.
 *
 * All pages up to the end of the last header packet are checked, their sums included: libsndfile
 * (1.2.0) loses memory when it fails inside these, so a damaged upload must not get there.
 *
 * Sources: RFC 3533 (Ogg); Vorbis I specification, sections 4.2.1 and 4.2.2; RFC 7845 (Opus). */
#include "audio/sniff.h"

#include "base/bytes.h"
#include "base/error.h"

enum {
    PAGE_HEADER_BYTES = 27, /* followed by one byte for the length of each segment */
    PAGE_CONTINUES = 1,     /* flags: begins inside a packet; */
    PAGE_BEGINS = 2         /* begins a stream */
};

struct page {
    unsigned flags;
    uint32_t serial, sequence;
    unsigned n_segments;
    const unsigned char *segments; /* n_segments lengths */
    const unsigned char *body;
    size_t bytes; /* header, lengths and body */
};

/* The page's sum: the remainder by x^32 + x^26 + ... (0x04c11db7), most significant bit first, the
 * four bytes of the sum itself taken as zero. */
static uint32_t page_sum(const unsigned char *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum ^= (uint32_t)(i >= 22 && i < 26 ? 0 : p[i]) << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7 : 0);
    }
    return sum;
}

/* Read the page at p; false when there is none, or its sum is wrong. */
static bool read_page(struct page *page, const unsigned char *p, size_t n)
{
    if (n < PAGE_HEADER_BYTES || !has_tag(p, "OggS") || p[4] != 0)
        return false;
    page->flags = p[5];
    page->serial = le32(p + 14);
    page->sequence = le32(p + 18);
    page->n_segments = p[26];
    page->segments = p + PAGE_HEADER_BYTES;
    page->bytes = PAGE_HEADER_BYTES + page->n_segments;
    if (n < page->bytes)
        return false;
    page->body = p + page->bytes;
    for (unsigned i = 0; i < page->n_segments; i++)
        page->bytes += page->segments[i];
    return n >= page->bytes && page_sum(p, page->bytes) == le32(p + 22);
}

/* Whether the stream's first `wanted` packets are there, whole, one after another from its first
 * page on, and with no other stream between them. A packet ends with the first segment below 255
 * bytes. */
static bool has_packets(const unsigned char *p, size_t n, int wanted)
{
    struct page page;
    uint32_t serial = 0;
    bool inside = false; /* a packet that has begun on an earlier page */
    for (uint32_t sequence = 0; wanted > 0; sequence++) {
        if (!read_page(&page, p, n))
            return false;
        if (sequence == 0)
            serial = page.serial;
        bool begins = page.flags & PAGE_BEGINS, continues = page.flags & PAGE_CONTINUES;
        if (page.serial != serial || page.sequence != sequence || begins != (sequence == 0) ||
            continues != inside)
            return false;
        for (unsigned i = 0; i < page.n_segments; i++) {
            inside = page.segments[i] == 255;
            wanted -= !inside;
        }
        p += page.bytes;
        n -= page.bytes;
    }
    return true;
}

/* The Vorbis identification header: version, channels, rate, three bit rates, two block sizes as
 * powers of two, and a last bit that is set. */
static bool is_vorbis_header(const unsigned char *packet, size_t n)
{
    if (n < 30 || le32(packet + 7) != 0)
        return false;
    unsigned small = packet[28] & 15, large = packet[28] >> 4;
    return small >= 6 && small <= large && large <= 13 && packet[29] & 1;
}

mood_status mood__sniff_ogg(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    struct page first;
    if (!read_page(&first, p, n) || !(first.flags & PAGE_BEGINS) || first.n_segments == 0)
        return mood__fail(MOOD_E_FORMAT, "damaged Ogg: its first page is not whole");
    const unsigned char *packet = first.body;
    size_t packet_bytes = first.segments[0];

    struct mood__sniff s = {.bytes = p, .n_bytes = n};
    int n_headers;
    if (packet_bytes >= 16 && has_tag(packet, "\x01vorbis")) {
        MOOD__TRY(mood__check_layout(packet[11], le32(packet + 12), MOOD_E_UNSUPPORTED));
        if (!is_vorbis_header(packet, packet_bytes))
            return mood__fail(MOOD_E_FORMAT, "damaged Ogg Vorbis: its first header is not valid");
        s.format = "Ogg Vorbis";
        s.coding = MOOD__CODING_VORBIS;
        s.channels = packet[11];
        s.sample_rate = (int)le32(packet + 12);
        n_headers = 3; /* identification, comments, code books */
    } else if (packet_bytes >= 19 && has_tag(packet, "OpusHead")) {
        /* The rate in this header is a remark about the source; the decoder chooses. */
        MOOD__TRY(mood__check_layout(packet[9], 48000, MOOD_E_UNSUPPORTED));
        s.format = "Ogg Opus";
        s.coding = MOOD__CODING_OPUS;
        s.channels = packet[9];
        s.sample_rate = 48000;
        n_headers = 2; /* identification, comments */
    } else {
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "this coding inside Ogg is not supported; Vorbis and Opus are");
    }
    if (!has_packets(p, n, n_headers))
        return mood__fail(MOOD_E_FORMAT, "damaged %s: its headers are not whole", s.format);
    *out = s;
    return MOOD_OK;
}
