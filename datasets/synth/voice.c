/* SPDX-License-Identifier: MIT
 *
 * voice.c — The made-up voice as a whole: checks the take, calls the parts, sets the level. */
#include "voice.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "mood/emotion.h"
#include "parts.h"

static mood_status check(const char *what, int value, int lowest, int highest)
{
    if (value < lowest || value > highest)
        return mood__fail(MOOD_E_INVALID, "voice: %s is %d, must be %d to %d", what, value, lowest,
                          highest);
    return MOOD_OK;
}

static mood_status check_take(const struct voice_take *take)
{
    MOOD__TRY(check("speaker", take->speaker, 1, VOICE_MAX_SPEAKER));
    MOOD__TRY(check("emotion", take->emotion, 0, MOOD_N_EMOTIONS - 1));
    MOOD__TRY(check("intensity", take->intensity, 1, take->emotion == 0 ? 1 : 2));
    MOOD__TRY(check("statement", take->statement, 1, VOICE_N_STATEMENTS));
    return check("repetition", take->repetition, 1, VOICE_MAX_REPETITION);
}

struct voice_take voice_nth_take(uint64_t seed, int speaker, int emotion, int i)
{
    int n_intensities = emotion == 0 ? 1 : 2;
    return (struct voice_take){
        .seed = seed,
        .speaker = speaker,
        .emotion = emotion,
        .intensity = 1 + i / VOICE_N_STATEMENTS % n_intensities,
        .statement = 1 + i % VOICE_N_STATEMENTS,
        .repetition = 1 + i / (VOICE_N_STATEMENTS * n_intensities),
    };
}

void voice_name(const struct voice_take *take, char name[VOICE_NAME_BYTES])
{
    snprintf(name, VOICE_NAME_BYTES, "03-01-%02d-%02d-%02d-%02d-%02d", take->emotion + 1,
             take->intensity, take->statement, take->repetition, take->speaker);
}

/* Scale to a drawn peak and round to the steps of a 16-bit file. */
static void set_level(const struct voice_take *take, double *x, float *pcm, size_t n)
{
    struct mood__rng r = voice__rng(take, VOICE__LEVEL);
    double peak = 0.0;
    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, fabs(x[i]));
    double gain = pow(10.0, -(0.5 + 15.0 * mood__rng_double(&r)) / 20.0) / peak;
    for (size_t i = 0; i < n; i++)
        pcm[i] = (float)(rint(32768.0 * gain * x[i]) / 32768.0);
}

mood_status voice_render(const struct voice_take *take, float **pcm, size_t *n)
{
    MOOD__TRY(check_take(take));
    double cues[VOICE_N_CUES];
    struct voice__speaker speaker;
    voice_cues(take, cues);
    voice__speaker_draw(take, &speaker);

    struct voice__frame *frames = mood__calloc(VOICE__MAX_FRAMES, sizeof *frames);
    double *x = mood__calloc((size_t)VOICE__MAX_FRAMES * VOICE__HOP, sizeof *x);
    float *samples = NULL;
    size_t count = 0;
    if (frames && x) {
        int n_frames = voice__score(take, cues, &speaker, frames);
        count = (size_t)n_frames * VOICE__HOP;
        samples = mood__calloc(count, sizeof *samples);
    }
    if (samples) {
        voice__sound(take, cues, &speaker, frames, (int)(count / VOICE__HOP), x);
        voice__room(take, x, count);
        set_level(take, x, samples, count);
        *pcm = samples;
        *n = count;
    }
    mood__free(x);
    mood__free(frames);
    return samples ? MOOD_OK : mood__nomem();
}

void voice_free(float **pcm)
{
    mood__free(*pcm);
    *pcm = NULL;
}
