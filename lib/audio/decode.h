/* SPDX-License-Identifier: MIT
 *
 * decode.h — From sniffed bytes to interleaved float samples, block by block. */
#ifndef MOOD_AUDIO_DECODE_H
#define MOOD_AUDIO_DECODE_H

#include "audio/sniff.h"

struct mood__decoder;

/* `s->bytes` are borrowed until the decoder is closed.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_NOMEM. */
mood_status mood__decoder_open(struct mood__decoder **out, const struct mood__sniff *s);
void mood__decoder_close(struct mood__decoder **d);

/* What comes out; checked against the limits. */
int mood__decoder_channels(const struct mood__decoder *d);
int mood__decoder_rate(const struct mood__decoder *d);

/* Decode up to n_frames frames to out (n_frames, channels) and set *got; 0 is the end.
 * Errors: E_FORMAT (the stream is damaged). */
mood_status mood__decoder_read(struct mood__decoder *d, float *out, size_t n_frames, size_t *got);

#endif
