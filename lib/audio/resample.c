/* SPDX-License-Identifier: MIT
 *
 * resample.c — soxr. The only file that includes <soxr.h>. */
#include "audio/resample.h"

#include <math.h>

#include <soxr.h>

#include "base/error.h"
#include "base/mem.h"
#include "mood/audio.h"

struct mood__resampler {
    soxr_t soxr;
    int from_hz, to_hz;
};

mood_status mood__resampler_create(struct mood__resampler **out, int from_hz, int to_hz)
{
    *out = NULL;
    struct mood__resampler *r = mood__calloc(1, sizeof(*r));
    if (!r)
        return mood__nomem();
    r->from_hz = from_hz;
    r->to_hz = to_hz;

    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1); /* one thread: the same bytes everywhere */
    soxr_error_t error;
    r->soxr = soxr_create(from_hz, to_hz, 1, &error, &io, &quality, &runtime);
    if (!r->soxr || error) {
        mood__resampler_destroy(&r);
        return mood__fail(MOOD_E_NOMEM, "no resampler from %d to %d Hz", from_hz, to_hz);
    }
    *out = r;
    return MOOD_OK;
}

void mood__resampler_destroy(struct mood__resampler **r)
{
    if (!*r)
        return;
    if ((*r)->soxr)
        soxr_delete((*r)->soxr);
    mood__free(*r);
    *r = NULL;
}

mood_status mood__resampler_run(struct mood__resampler *r, const float *in, size_t n_in,
                                size_t *used, float *out, size_t n_out, size_t *made)
{
    size_t taken = 0;
    soxr_error_t error = soxr_process(r->soxr, in, n_in, &taken, out, n_out, made);
    *used = taken;
    if (error)
        return mood__fail(MOOD_E_NOMEM, "resampling from %d to %d Hz: %s", r->from_hz, r->to_hz,
                          error);
    return MOOD_OK;
}

/* Feed `in`, and then what is left inside: all that comes out is in x[0 .. *n_out). */
static mood_status resample_all(struct mood__resampler *r, const float *in, size_t n, float *x,
                                size_t room, size_t *n_out)
{
    size_t used, made = 1;
    *n_out = 0;
    while (n > 0) {
        MOOD__TRY(mood__resampler_run(r, in, n, &used, x + *n_out, room - *n_out, &made));
        in += used;
        n -= used;
        *n_out += made;
    }
    for (made = 1; made > 0; *n_out += made)
        MOOD__TRY(mood__resampler_run(r, NULL, 0, &used, x + *n_out, room - *n_out, &made));
    return MOOD_OK;
}

mood_status mood__resample_speed(float **out, size_t *n_out, const float *in, size_t n,
                                 double speed)
{
    enum { SPARE = 64 }; /* samples: rounding of the rate, and of the end */
    struct mood__resampler *r = NULL;
    size_t room = (size_t)ceil((double)n / speed * 1.001) + SPARE;
    float *x = mood__calloc(room, sizeof(*x));
    mood_status status = x ? MOOD_OK : mood__nomem();
    if (!status)
        status =
            mood__resampler_create(&r, (int)lround(speed * MOOD_SAMPLE_RATE), MOOD_SAMPLE_RATE);
    if (!status)
        status = resample_all(r, in, n, x, room, n_out);
    mood__resampler_destroy(&r);
    if (status)
        mood__free(x);
    *out = status ? NULL : x;
    return status;
}
