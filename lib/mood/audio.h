/* SPDX-License-Identifier: MIT
 *
 * audio.h — From a sound file to what the networks hear: decoding to mono 16 kHz, windows, the
 * speech gate, the log-mel plane, and augmentation for training.
 *
 * One clip's way through it:
 *
 *     mood_audio *audio;
 *     if (mood_audio_read(&audio, "clip.wav", NULL) != MOOD_OK)
 *         return complain("clip.wav: %s", mood_error_detail());
 *     mood_windows w;
 *     if (mood_windows_plan(&w, mood_audio_length(audio), NULL) != MOOD_OK) ...
 *     for (size_t i = 0; i < w.count; i++) {
 *         mood_window_cut(x, w.length, mood_audio_samples(audio), w.n_samples,
 *                         mood_windows_start(&w, i));
 *         bool speech = mood_speech_heard(x, w.length);   (the gate hears the recorded level)
 *         mood_peak_normalise(x, w.length);               (the networks do not)
 *         if (mood_mel_run(mel, plane, x, w.length) != MOOD_OK) ...
 *     }
 *
 * Samples are float, nominally in [-1, 1]. Functions without a status cannot fail. */
#ifndef MOOD_AUDIO_H
#define MOOD_AUDIO_H

#include <stdbool.h>

#include "mood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What everything behind the decoder works at, in Hz. */
enum { MOOD_SAMPLE_RATE = 16000 };

/* --- Reading ---------------------------------------------------------------------------------
 *
 * Accepted: WAV (also RF64) and AIFF/AIFC with 8, 16, 24 or 32-bit integers, 32 or 64-bit floats;
 * FLAC; Ogg Vorbis; Ogg Opus; MPEG audio (MP3). At most 8 channels, 8000 to 192000 Hz.
 *
 * The header is read by our own code first, and only what is on this list goes on to a decoder.
 * A file that promises more frames than it holds is an error, with one exception: a WAV whose data
 * size is a placeholder (0, or about 2 or 4 GiB), as recorders write that cannot seek back or were
 * killed, is read to its end. (Ogg and MPEG streams promise nothing: what is there is read.)
 *
 * Error texts name the reason, never the path: the caller knows that, and puts it in front. */

/* A recording, decoded: mono float at MOOD_SAMPLE_RATE, and what it was before.
 *
 * Thread-safety: Safe (it never changes). */
typedef struct mood_audio mood_audio;

typedef struct mood_audio_params {
    double max_duration_s; /* longest recording accepted; 0: 14400 (four hours) */
    size_t max_bytes;      /* largest file accepted; 0: 2 GiB */
} mood_audio_params;

/* The recording as it was stored. */
typedef struct mood_audio_info {
    const char *format; /* container and coding: "WAV, 16-bit", "FLAC". Borrowed, never freed */
    int channels;
    int sample_rate;   /* Hz */
    uint64_t n_frames; /* samples per channel */
    double duration_s; /* n_frames / sample_rate */
} mood_audio_info;

/* Decode a file: every channel weighs the same in the mono signal, which is then resampled.
 *   path  a regular file; not kept
 * Owned by the caller; free with mood_audio_destroy.
 * Errors: E_IO (cannot be read; a directory, pipe or device); E_FORMAT (not audio, damaged,
 * truncated, no samples); E_UNSUPPORTED (a coding or size outside the list above, or over the
 * limits in params); E_NUMERIC (a sample is NaN, infinite or beyond 2^31, detail says which);
 * E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_audio_read(mood_audio **out, const char *path,
                                     const mood_audio_params *params);

/* The same for a file that is in memory already (an upload, standard input).
 *   data  n_bytes bytes; not kept */
MOOD_NODISCARD
MOOD_API mood_status mood_audio_read_memory(mood_audio **out, const void *data, size_t n_bytes,
                                            const mood_audio_params *params);

/* The same for samples, as from a microphone; info.format is "samples".
 *   pcm  (n_frames, n_channels), interleaved; not kept
 * Errors: E_INVALID (channels or rate outside the list above, or no frames); E_UNSUPPORTED (longer
 * than params allow); E_NUMERIC; E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_audio_from_samples(mood_audio **out, const float *pcm, size_t n_frames,
                                             int n_channels, int sample_rate,
                                             const mood_audio_params *params);

MOOD_API void mood_audio_destroy(mood_audio **audio);

/* The mono signal; borrowed until `audio` is destroyed. Its length is at least 1:
 * n_frames * MOOD_SAMPLE_RATE / sample_rate, rounded up. */
MOOD_API const float *mood_audio_samples(const mood_audio *audio);
MOOD_API size_t mood_audio_length(const mood_audio *audio);

MOOD_API mood_audio_info mood_audio_describe(const mood_audio *audio);

/* --- Windows ---------------------------------------------------------------------------------
 *
 * A recording is heard in windows of equal length. The last one is aligned to the end, so that it
 * is full of sound; a recording shorter than one window is followed by zeros. */

typedef struct mood_window_params {
    size_t length; /* samples; 0: 48000 (3 s) */
    size_t hop;    /* samples from one start to the next, at most `length`; 0: half of it */
} mood_window_params;

/* Where the windows of one recording lie. Plain data. */
typedef struct mood_windows {
    size_t length, hop; /* samples, as in the params, without zeros */
    size_t n_samples;   /* of the recording */
    size_t count;       /* of windows; at least 1 */
} mood_windows;

/* Errors: E_INVALID (n_samples is 0, or hop is above length). */
MOOD_NODISCARD
MOOD_API mood_status mood_windows_plan(mood_windows *out, size_t n_samples,
                                       const mood_window_params *params);

/* The first sample of window `index`, which is below w->count. */
MOOD_API size_t mood_windows_start(const mood_windows *w, size_t index);

/* Copy pcm[start, start + length) to out, with zeros for what lies behind the recording's end.
 * `start` is free: training also cuts at places that are not in the plan. */
MOOD_API void mood_window_cut(float *out, size_t length, const float *pcm, size_t n_samples,
                              size_t start);

/* Scale x so that its largest magnitude is 1. All zeros stay zeros. */
MOOD_API void mood_peak_normalise(float *x, size_t n);

/* --- Speech gate -----------------------------------------------------------------------------
 *
 * Tells a recording from a muted microphone by its level alone: it rejects digital silence and the
 * noise floor of converters and quiet rooms, and never a voice that was recorded faintly. It does
 * not tell speech from music or from loud noise. */

/* mood_speech_heard's threshold, dB relative to a full-scale constant. The faintest windows with
 * speech in the corpora we measured (actors recorded with peaks of 150 of 32768) are at -59; the
 * rounding noise of 16 bits is at -101. */
#define MOOD_SPEECH_MIN_DBFS (-65.0f)

/* The level of the loudest parts of x: the root mean square, in dBFS, of its tenth loudest 20 ms,
 * so that at least 0.2 s have it and a click has not. The mean of each 20 ms is removed first, as
 * an offset of the converter is no sound. Shorter than 0.2 s: the softest 20 ms counts.
 *   x  n samples at MOOD_SAMPLE_RATE, as recorded: before mood_peak_normalise
 * -200 for digital silence and for less than 20 ms. */
MOOD_API float mood_speech_level(const float *x, size_t n);

/* Whether mood_speech_level(x, n) >= MOOD_SPEECH_MIN_DBFS. */
MOOD_API bool mood_speech_heard(const float *x, size_t n);

/* --- Log-mel ---------------------------------------------------------------------------------
 *
 *   S[f, t] = ln(1e-6 + sum over k of W[f, k] |X[k, t]|^2)
 *
 * X is the discrete Fourier transform of frame t, which is centred at sample t * hop (the signal is
 * mirrored at both ends) and weighted by a periodic Hann window of n_fft samples. W are triangles
 * of height 1, equally spaced from 0 to 8000 Hz on the HTK mel scale, 2595 log10(1 + f / 700).
 * These are the defaults of torchaudio's MelSpectrogram, and its numbers to 1e-3. */

/* Tables and scratch memory for one kind of plane.
 *
 * Thread-safety: Unsafe. Make one per thread. */
typedef struct mood_mel mood_mel;

typedef struct mood_mel_params {
    int n_fft;  /* samples per frame, a power of two, 16 to 65536; 0: 1024 (64 ms) */
    int hop;    /* samples from frame to frame, at most n_fft; 0: 512 (32 ms) */
    int n_mels; /* bands, 1 to 1024; 0: 64 */
} mood_mel_params;

/* Owned by the caller; free with mood_mel_destroy.
 * Errors: E_INVALID (a field outside its range), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_mel_create(mood_mel **out, const mood_mel_params *params);
MOOD_API void mood_mel_destroy(mood_mel **mel);

/* F, the number of bands. */
MOOD_API int mood_mel_bands(const mood_mel *mel);

/* T, the number of frames for n samples: 1 + n / hop (94 for a window of 3 s). */
MOOD_API size_t mood_mel_frames(const mood_mel *mel, size_t n_samples);

/* Compute one plane.
 *   out  (F, T), row-major: one row per band, as the 2D branch takes it
 *   pcm  n_samples samples at MOOD_SAMPLE_RATE; not kept. NaN in gives NaN out
 * Errors: E_INVALID (n_samples is not above n_fft / 2: too short to mirror). */
MOOD_NODISCARD
MOOD_API mood_status mood_mel_run(mood_mel *mel, float *out, const float *pcm, size_t n_samples);

/* --- Augmentation ----------------------------------------------------------------------------
 *
 * Makes a training window a little different each time. Applied to a window that is already
 * peak-normalised, and not normalised again, or gain would do nothing. */

/* The kinds. A bit never changes its meaning: it also names the kind's stream of random numbers, so
 * that switching one on does not change what the others draw. */
enum {
    MOOD_AUGMENT_NOISE = 1 << 0,     /* add white noise */
    MOOD_AUGMENT_GAIN = 1 << 1,      /* scale by a constant */
    MOOD_AUGMENT_SHIFT = 1 << 2,     /* move in time; zeros fill the gap */
    MOOD_AUGMENT_SPEED = 1 << 3,     /* play faster or slower, the pitch with it */
    MOOD_AUGMENT_PITCH = 1 << 4,     /* raise or lower the pitch, as long as before */
    MOOD_AUGMENT_ROOM = 1 << 5,      /* add the reverberation of a made-up room */
    MOOD_AUGMENT_LOW_PASS = 1 << 6,  /* take high frequencies away, as telephones do */
    MOOD_AUGMENT_TIME_MASK = 1 << 7, /* of the log-mel plane: frames become its mean */
    MOOD_AUGMENT_FREQ_MASK = 1 << 8  /* and bands (SpecAugment, Park et al., arXiv 1904.08779) */
};

/* What to do and how strongly. Each value is drawn uniformly from its range, anew for each seed. */
typedef struct mood_augment_params {
    unsigned kinds;         /* MOOD_AUGMENT_*, added up; 0: leave the samples alone */
    float noise_snr_min_db; /* power of the window over power of the noise, lowest; 0: 10 */
    float noise_snr_max_db; /* and highest; 0: 40 */
    float gain_db;          /* gain in [-gain_db, +gain_db]; 0: 6 */
    float shift_s;          /* shift in [-shift_s, +shift_s], seconds; 0: 0.2 */
    float speed;            /* times as fast: in [1 - speed, 1 + speed], at most 0.5; 0: 0.1 */
    float pitch;            /* semitones up or down: in [-pitch, +pitch], at most 12; 0: 2 */
    float room_s;           /* until it has fallen by 60 dB: in [0.1, room_s]; 0: 0.5 */
    float room_db;          /* its energy over that of the sound: in [-20, room_db]; 0: -3 */
    float low_pass_hz;      /* -3 dB there: in [low_pass_hz, 7000]; 0: 2000 */
    int time_masks;         /* how many; 0: 2 */
    int time_mask;          /* frames of each: 0 to time_mask; 0: 16 */
    int freq_masks;         /* how many; 0: 2 */
    int freq_mask;          /* bands of each: 0 to freq_mask; 0: 10 */
} mood_augment_params;

/* Read names separated by commas ("noise,gain,shift") into params->kinds; the other fields stay.
 * "" means none.
 * Errors: E_INVALID (an unknown name; the detail lists the known ones). */
MOOD_NODISCARD
MOOD_API mood_status mood_augment_parse(mood_augment_params *params, const char *names);

/* Every known name, separated by commas, for help texts. */
MOOD_API const char *mood_augment_names(void);

/* Change n samples at MOOD_SAMPLE_RATE in place. The result depends on the samples, the params and
 * the seed, and on nothing else. NULL params: nothing happens.
 * Errors: E_INVALID (a range is upside down, negative where it is a width, or not finite), E_NOMEM.
 */
MOOD_NODISCARD
MOOD_API mood_status mood_augment_run(float *x, size_t n, const mood_augment_params *params,
                                      uint64_t seed);

/* The same for what is done to a plane (F, T) after it was computed: the masks. Give the seed of
 * the samples. Errors: E_INVALID, as above. */
MOOD_NODISCARD
MOOD_API mood_status mood_augment_plane(float *plane, int F, size_t T,
                                        const mood_augment_params *params, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
