/* SPDX-License-Identifier: MIT
 *
 * fuzz_audio.c — Any bytes given to the sound reader: no crash, and what it accepts keeps its word.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mood/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Set the sums of Ogg pages right: no fuzzer guesses them, and behind them is code to be tried. */
static void repair_ogg(uint8_t *p, size_t n)
{
    while (n >= 27 && memcmp(p, "OggS", 4) == 0) {
        size_t bytes = 27 + (size_t)p[26];
        for (size_t i = 27; i < 27 + (size_t)p[26] && i < n; i++)
            bytes += p[i];
        if (bytes > n)
            return;
        uint32_t sum = 0;
        memset(p + 22, 0, 4);
        for (size_t i = 0; i < bytes; i++) {
            sum ^= (uint32_t)p[i] << 24;
            for (int bit = 0; bit < 8; bit++)
                sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7 : 0);
        }
        for (int i = 0; i < 4; i++)
            p[22 + i] = (uint8_t)(sum >> 8 * i);
        p += bytes;
        n -= bytes;
    }
}

static void read_one(const uint8_t *data, size_t size)
{
    /* Limits as small as they may be: a fuzzer that decodes an hour of silence finds nothing. */
    const mood_audio_params params = {.max_duration_s = 10, .max_bytes = 1 << 20};
    mood_audio *audio;
    mood_status status = mood_audio_read_memory(&audio, data, size, &params);
    if (status != MOOD_OK) {
        require(audio == NULL);
        require(mood_error_detail()[0] != 0 && !strchr(mood_error_detail(), '\n'));
        return;
    }
    mood_audio_info info = mood_audio_describe(audio);
    require(info.channels >= 1 && info.channels <= 8);
    require(info.sample_rate >= 8000 && info.sample_rate <= 192000);
    require(info.n_frames >= 1 && info.duration_s <= 10);
    uint64_t rate = (uint64_t)info.sample_rate;
    require(mood_audio_length(audio) == (info.n_frames * MOOD_SAMPLE_RATE + rate - 1) / rate);
    for (size_t i = 0; i < mood_audio_length(audio); i++)
        require(isfinite(mood_audio_samples(audio)[i]));
    mood_audio_destroy(&audio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    repair_ogg(copy, size);
    read_one(copy, size);
    free(copy);
    return 0;
}
