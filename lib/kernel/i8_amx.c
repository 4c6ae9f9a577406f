/* SPDX-License-Identifier: MIT
 *
 * i8_amx.c — 8-bit products for AMX (Intel's of 2023 and later): one instruction multiplies 16 rows
 * of 64 bytes of A by 64 rows of 16 columns of W, whose panels happen to lie as it wants them. Four
 * such products are under way at once, of 32 rows and a whole panel. */
#include <immintrin.h>

enum { ROWS = 32, PARTS = 1, OFFSET = 0 };
#define I8_TABLE mood__i8_kernels_amx
#define I8_NAME  "amx-int8"
#define I8_OWN_TILE
#include "kernel/i8_loops.h"

enum { TILE = 16, TILE_BYTES = 64, W_BYTES = COLUMNS * STEP, TILE_STEPS = TILE_BYTES / STEP };

/* What a tile register holds: rows, and bytes of each. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Sums in tiles 0 to 3, rows of A in 4 and 5, of which the first has `upper` and the second `lower`
 * of them, columns of W in 6 and 7. */
static void configure(int upper, int lower)
{
    const int rows[] = {upper, upper, lower, lower, upper, lower, TILE, TILE};
    struct tile_config c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.rows[i] = (uint8_t)rows[i];
        c.row_bytes[i] = rows[i] ? TILE_BYTES : 0;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(c)); /* gcc's own may not see all of c */
}

/* Have written what is at `p`: the compiler does not know that a tile is loaded from it. */
static inline void settle(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* Add TILE_BYTES of depth to all sums; below 17 rows there is no lower half. */
static inline __attribute__((always_inline)) void multiply(const char *a, int64_t row_bytes,
                                                           const char *w, const bool lower)
{
    _tile_loadd(6, w, W_BYTES);
    _tile_loadd(4, a, row_bytes);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, w + TILE_BYTES, W_BYTES);
    _tile_dpbusd(1, 4, 7);
    if (lower) {
        _tile_loadd(5, a + TILE * row_bytes, row_bytes);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
    }
}

/* What is left of the depth, filled up with zeros. */
static void multiply_rest(const char *a, int64_t row_bytes, int rows, const char *w, int64_t steps)
{
    char last_a[ROWS][TILE_BYTES] = {{0}}, last_w[TILE_STEPS][W_BYTES] = {{0}};
    for (int r = 0; r < rows; r++)
        memcpy(last_a[r], a + r * row_bytes, (size_t)(steps * STEP));
    memcpy(last_w, w, (size_t)(steps * W_BYTES));
    settle(last_a);
    settle(last_w);
    if (rows > TILE)
        multiply(last_a[0], TILE_BYTES, last_w[0], true);
    else
        multiply(last_a[0], TILE_BYTES, last_w[0], false);
}

static void sum_block(int32_t (*sum)[COLUMNS], int rows, const char *a, int64_t row_bytes,
                      const char *w, int64_t n_steps)
{
    const int64_t whole = n_steps / TILE_STEPS, rest = n_steps % TILE_STEPS;
    const int64_t sum_bytes = sizeof(sum[0]);
    _tile_zero(0);
    _tile_zero(1);
    if (rows > TILE) {
        _tile_zero(2);
        _tile_zero(3);
        for (int64_t i = 0; i < whole; i++)
            multiply(a + i * TILE_BYTES, row_bytes, w + i * TILE_STEPS * W_BYTES, true);
    } else {
        for (int64_t i = 0; i < whole; i++)
            multiply(a + i * TILE_BYTES, row_bytes, w + i * TILE_STEPS * W_BYTES, false);
    }
    if (rest)
        multiply_rest(a + whole * TILE_BYTES, row_bytes, rows, w + whole * TILE_STEPS * W_BYTES,
                      rest);
    _tile_stored(0, sum[0], sum_bytes);
    _tile_stored(1, &sum[0][TILE], sum_bytes);
    if (rows > TILE) {
        _tile_stored(2, sum[TILE], sum_bytes);
        _tile_stored(3, &sum[TILE][TILE], sum_bytes);
    }
}

static void tile(float *y, int64_t ldy, int64_t m, int n, const char *q, int64_t row_bytes,
                 const struct mood__i8_row *row, const char *panel, int64_t k, const float *bias)
{
    struct panel p = open_panel(panel);
    int64_t n_steps = (k + STEP - 1) / STEP;
    int configured = 0;
    for (int64_t i = 0; i < m; i += ROWS) {
        int32_t sum[ROWS][COLUMNS];
        int rows = m - i < ROWS ? (int)(m - i) : ROWS;
        if (rows != configured)
            configure(rows < TILE ? rows : TILE, rows > TILE ? rows - TILE : 0);
        configured = rows;
        sum_block(sum, rows, q + i * row_bytes, row_bytes, p.q, n_steps);
        for (int r = 0; r < rows; r++)
            finish_row(y + (i + r) * ldy, sum[r], &row[i + r], p.scale, p.sum, bias, n);
    }
    _tile_release();
}

const struct mood__i8_kernels I8_TABLE = {I8_NAME, ROWS, STEP *PARTS, round_row, tile};
