/* SPDX-License-Identifier: MIT
 *
 * i8_loops.h — The loops of the 8-bit products, included once by each i8_*.c, which first says how
 * its processor multiplies bytes:
 *
 *     I8_TABLE      its table, of the name I8_NAME
 *     ROWS, LINES   a tile is ROWS rows of A by LINES vectors of columns
 *     PARTS         1 when bytes are multiplied as they are. 2 when they are widened to 16 bits
 *                   first: part 0 is then values 0 and 2 of each step, part 1 values 1 and 3
 *     OFFSET        0; or 128 when bytes of A have to be signed: then values and the row's zero are
 *                   lower by so much, which leaves what they mean, and the result, as it is
 *     vec, LANES    a vector of LANES sums of 32 bits
 *     part_of(w,p)  part p of a vector of weights: of LANES columns, four values of k each
 *     spread(a)     the four bytes at `a` in every lane
 *     add_products(sum, a, w)   sum + the products of a lane's values, added up
 *
 * Where I8_TABLE is not defined, it is the table of the tier c, which has no vectors. With
 * I8_OWN_TILE, whoever includes this has a tile of another kind, and makes the table. */
#include <string.h>

#include "kernel/i8_kernels.h"

enum { STEP = MOOD__I8_STEP, COLUMNS = MOOD__I8_COLUMNS, TOP = 255, BLOCK = 256 };

/* Lanes of what runs over a row. With 16, gcc takes them apart into single numbers, and rounding a
 * row takes five times as long. */
enum { N_SUMS = 64 };

#ifndef I8_TABLE
#define I8_PLAIN
#define I8_TABLE mood__i8_kernels_c
#define I8_NAME  "c"
enum { ROWS = 1, PARTS = 1, OFFSET = 0 };
#endif

struct panel {
    const float *scale;
    const int32_t *sum;
    const char *q; /* steps of COLUMNS * STEP bytes */
};

static struct panel open_panel(const char *p)
{
    const size_t column = sizeof(float); /* and of an int32_t */
    return (struct panel){(const float *)(const void *)p,
                          (const int32_t *)(const void *)(p + COLUMNS * column),
                          p + 2 * COLUMNS * column};
}

/* ---- rounding a row ---- */

struct range {
    float low, high; /* 0 is always within */
    float poison;    /* 0, or NaN when a value is not finite */
};

static struct range range_of(const float *x, int64_t k)
{
    float low[N_SUMS] = {0}, high[N_SUMS] = {0}, poison[N_SUMS] = {0};
    int64_t i = 0;
    for (; i + N_SUMS <= k; i += N_SUMS) {
        for (int j = 0; j < N_SUMS; j++) {
            float v = x[i + j];
            low[j] = v < low[j] ? v : low[j];
            high[j] = v > high[j] ? v : high[j];
            poison[j] += v - v;
        }
    }
    for (int j = 0; i < k; i++, j++) {
        low[j] = x[i] < low[j] ? x[i] : low[j];
        high[j] = x[i] > high[j] ? x[i] : high[j];
        poison[j] += x[i] - x[i];
    }
    struct range r = {0, 0, 0};
    for (int j = 0; j < N_SUMS; j++) {
        r.low = low[j] < r.low ? low[j] : r.low;
        r.high = high[j] > r.high ? high[j] : r.high;
        r.poison += poison[j];
    }
    return r;
}

/* q = x * inv + zero, to the nearest, halves to the even one: adding 1.5 * 2^23 leaves no room for
 * a fraction, and the integer in the lowest bits. A value out of 0 to TOP, which rounding of inv
 * may give, becomes the nearest of these; NaN, whose row is NaN whatever it becomes, some byte.
 * Then OFFSET is taken from each. */
static void round_values(uint8_t *q, const float *x, int64_t n, float inv, float zero)
{
    for (int64_t i = 0; i < n; i++) {
        float t = x[i] * inv + zero;
        t = t < 0.0f ? 0.0f : t;
        t = t > (float)TOP ? (float)TOP : t;
        t += 12582912.0f;
        uint32_t bits;
        memcpy(&bits, &t, sizeof(bits));
        q[i] = (uint8_t)(bits ^ OFFSET);
    }
}

/* Bytes to PARTS values of 16 bits each: little-endian, as all that has vectors. */
static void widen(uint32_t *restrict out, const uint8_t *restrict q, int n_steps)
{
    for (int i = 0; i < n_steps; i++) {
        uint32_t v;
        memcpy(&v, q + i * STEP, sizeof(v));
        out[2 * i] = v & 0x00ff00ff;
        out[2 * i + 1] = v >> 8 & 0x00ff00ff;
    }
}

static struct mood__i8_row round_row(void *q, const float *x, int64_t k)
{
    const float nothing = 1e-30f; /* TOP / nothing is still finite */
    struct range r = range_of(x, k);
    float width = r.high - r.low, inv = width > nothing ? (float)TOP / width : 0.0f;
    bool finite =
        width <= 3.40282347e+38f; /* if not, low may be infinite too, and zero no number */
    float zero = finite ? r.low * -inv + 12582912.0f - 12582912.0f : 0.0f;
    uint8_t block[BLOCK], *bytes = q;
    for (int64_t i = 0; i < k; i += BLOCK) {
        int64_t n = k - i < BLOCK ? k - i : BLOCK, n_steps = (n + STEP - 1) / STEP;
        uint8_t *to = PARTS == 1 && n == BLOCK ? bytes + i : block;
        round_values(to, x + i, n, inv, zero);
        memset(to + n, 0, (size_t)(n_steps * STEP - n));
        if (PARTS == 2)
            widen((uint32_t *)q + i / STEP * PARTS, to, (int)n_steps);
        else if (to == block)
            memcpy(bytes + i, block, (size_t)(n_steps * STEP));
    }
    struct mood__i8_row row = {(width > nothing ? width / (float)TOP : 0.0f) + r.poison,
                               (int32_t)zero - OFFSET};
    if (!finite) /* infinity less itself is NaN */
        row.scale = width - width;
    return row;
}

/* ---- products ---- */

static inline __attribute__((always_inline)) void finish_columns(
    float *restrict y, const int32_t *restrict sum, const struct mood__i8_row *row,
    const float *restrict scale, const int32_t *restrict column_sum, const float *restrict bias,
    const int n)
{
    const uint32_t zero = (uint32_t)row->zero;
    const float row_scale = row->scale;
    for (int j = 0; j < n; j++) {
        uint32_t above_zero = (uint32_t)sum[j] - zero * (uint32_t)column_sum[j];
        float v = (float)(int32_t)above_zero * (row_scale * scale[j]);
        y[j] = bias ? v + bias[j] : v;
    }
}

/* Whole panels are what there is, nearly always: with a constant for n no vector is left over. */
static void finish_row(float *y, const int32_t *sum, const struct mood__i8_row *row,
                       const float *scale, const int32_t *column_sum, const float *bias, int n)
{
    if (n == COLUMNS && bias)
        finish_columns(y, sum, row, scale, column_sum, bias, COLUMNS);
    else if (n == COLUMNS)
        finish_columns(y, sum, row, scale, column_sum, NULL, COLUMNS);
    else
        finish_columns(y, sum, row, scale, column_sum, bias, n);
}

#ifndef I8_OWN_TILE
#ifdef I8_PLAIN

static void sum_row(int32_t *sum, const uint8_t *a, const char *w, int64_t n_steps)
{
    memset(sum, 0, COLUMNS * sizeof(*sum));
    for (int64_t s = 0; s < n_steps; s++, a += STEP, w += COLUMNS * STEP) {
        const int8_t *q = (const int8_t *)w;
        for (int j = 0; j < COLUMNS; j++) {
            for (int i = 0; i < STEP; i++)
                sum[j] += a[i] * q[j * STEP + i];
        }
    }
}

static void tile(float *y, int64_t ldy, int64_t m, int n, const char *q, int64_t row_bytes,
                 const struct mood__i8_row *row, const char *panel, int64_t k, const float *bias)
{
    struct panel p = open_panel(panel);
    for (int64_t i = 0; i < m; i++) {
        int32_t sum[COLUMNS];
        sum_row(sum, (const uint8_t *)q + i * row_bytes, p.q, (k + STEP - 1) / STEP);
        finish_row(y + i * ldy, sum, &row[i], p.scale, p.sum, bias, n);
    }
}

#else

enum { STRIP = LINES * LANES, STEP_BYTES = STEP * PARTS };

/* `rows` rows by STRIP columns. It is a constant where this is inlined, so that the sums stay in
 * registers. */
static inline __attribute__((always_inline)) void sum_strip(int32_t (*out)[STRIP], const int rows,
                                                            const char *const *row, const char *w,
                                                            int64_t n_steps)
{
    vec sum[ROWS][LINES];
    const char *a[ROWS];
    for (int r = 0; r < rows; r++) {
        a[r] = row[r];
        for (int l = 0; l < LINES; l++)
            sum[r][l] = (vec){0};
    }
    for (int64_t s = 0; s < n_steps; s++, w += COLUMNS * STEP) {
        for (int p = 0; p < PARTS; p++) {
            vec line[LINES];
            for (int l = 0; l < LINES; l++)
                line[l] = part_of(w + l * LANES * STEP, p);
            for (int r = 0; r < rows; r++) {
                vec v = spread(a[r] + s * STEP_BYTES + p * STEP);
                for (int l = 0; l < LINES; l++)
                    sum[r][l] = add_products(sum[r][l], v, line[l]);
            }
        }
    }
    for (int r = 0; r < rows; r++)
        for (int l = 0; l < LINES; l++)
            memcpy(&out[r][l * LANES], &sum[r][l], sizeof(vec));
}

static void tile(float *y, int64_t ldy, int64_t m, int n, const char *q, int64_t row_bytes,
                 const struct mood__i8_row *row, const char *panel, int64_t k, const float *bias)
{
    struct panel p = open_panel(panel);
    int64_t n_steps = (k + STEP - 1) / STEP;
    for (int64_t i = 0; i < m; i += ROWS) {
        int rows = m - i < ROWS ? (int)(m - i) : ROWS;
        const char *a[ROWS]; /* beyond the last row, that row again */
        for (int r = 0; r < ROWS; r++)
            a[r] = q + (i + (r < rows ? r : rows - 1)) * row_bytes;
        for (int j = 0; j < n; j += STRIP) {
            int32_t sum[ROWS][STRIP];
            if (rows > ROWS / 2)
                sum_strip(sum, ROWS, a, p.q + j * STEP, n_steps);
            else
                sum_strip(sum, ROWS / 2, a, p.q + j * STEP, n_steps);
            for (int r = 0; r < rows; r++)
                finish_row(y + (i + r) * ldy + j, sum[r], &row[i + r], p.scale + j, p.sum + j,
                           bias ? bias + j : NULL, n - j < STRIP ? n - j : STRIP);
        }
    }
}

#endif

const struct mood__i8_kernels I8_TABLE = {I8_NAME, ROWS, STEP *PARTS, round_row, tile};
#endif
