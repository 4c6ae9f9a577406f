/* SPDX-License-Identifier: MIT
 *
 * golden.c — The reader. Offsets follow from the shapes, so the header is all there is to parse. */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { MAX_NAME = 96, MAX_FILE_BYTES = 1 << 20 };

struct entry {
    char name[MAX_NAME];
    mood_tensor tensor;
};

struct golden {
    int n;
    struct entry *entries;
    float *numbers;
};

/* One line of the header into `e`, without data. Returns what follows the line, or NULL. */
static char *parse_entry(char *p, struct entry *e)
{
    int used = 0, rank;
    int64_t dim[MOOD_MAX_RANK] = {0};
    if (sscanf(p, "%95s %d%n", e->name, &rank, &used) != 2 || rank < 0 || rank > MOOD_MAX_RANK)
        return NULL;
    p += used;
    for (int i = 0; i < rank; i++)
        dim[i] = strtoll(p, &p, 10);
    if (*p != '\n' || mood_tensor_make(&e->tensor, NULL, MOOD_F32, rank, dim) != MOOD_OK)
        return NULL;
    return p + 1;
}

/* The whole file; `text` ends with a zero byte. */
static bool parse(struct golden *g, char *text, size_t n_bytes)
{
    int used = 0;
    if (sscanf(text, "libmood-golden 1\n%d\n%n", &g->n, &used) != 1 || g->n < 1 || g->n > 10000)
        return false;
    g->entries = mood__calloc((size_t)g->n, sizeof(*g->entries));
    char *p = text + used;
    size_t n_numbers = 0;
    for (int i = 0; g->entries && p && i < g->n; i++) {
        p = parse_entry(p, &g->entries[i]);
        n_numbers += p ? (size_t)mood_tensor_elements(&g->entries[i].tensor) : 0;
    }
    if (!g->entries || !p || (size_t)(p - text) + n_numbers * sizeof(float) != n_bytes)
        return false;
    g->numbers = mood__alloc_aligned(n_numbers * sizeof(float));
    if (!g->numbers)
        return false;
    memcpy(g->numbers, p, n_numbers * sizeof(float));
    float *at = g->numbers;
    for (int i = 0; i < g->n; i++) {
        g->entries[i].tensor.data = at;
        at += mood_tensor_elements(&g->entries[i].tensor);
    }
    return true;
}

struct golden *golden_open(const char *path)
{
    unsigned char *bytes = NULL;
    size_t n_bytes = 0;
    if (mood__file_read(path, MAX_FILE_BYTES, &bytes, &n_bytes) != MOOD_OK) {
        fprintf(stderr, "%s: %s\n", path, mood_error_detail());
        return NULL;
    }
    struct golden *g = mood__calloc(1, sizeof(*g));
    if (g && !parse(g, (char *)bytes, n_bytes)) {
        fprintf(stderr, "%s: not a golden file\n", path);
        golden_close(&g);
    }
    mood__free(bytes);
    return g;
}

void golden_close(struct golden **g)
{
    if (*g) {
        mood__free((*g)->entries);
        mood__free((*g)->numbers);
        mood__free(*g);
    }
    *g = NULL;
}

const mood_tensor *golden_find(const struct golden *g, const char *case_name, const char *part)
{
    char name[2 * MAX_NAME];
    snprintf(name, sizeof(name), "%s/%s", case_name, part);
    for (int i = 0; i < g->n; i++)
        if (strcmp(g->entries[i].name, name) == 0)
            return &g->entries[i].tensor;
    return NULL;
}

double golden_largest(const mood_tensor *t)
{
    double largest = 0;
    for (int64_t i = 0; i < mood_tensor_elements(t); i++)
        largest = fmax(largest, fabs((double)((const float *)t->data)[i]));
    return largest;
}

double golden_error(const mood_tensor *got, const mood_tensor *want, double floor)
{
    if (!mood_tensor_same_shape(got, want))
        return INFINITY;
    const float *a = got->data, *b = want->data;
    double worst = 0;
    for (int64_t i = 0; i < mood_tensor_elements(want); i++) {
        double off = fabs((double)a[i] - (double)b[i]);
        if (!isfinite(off))
            return INFINITY;
        worst = fmax(worst, off);
    }
    double scale = fmax(golden_largest(want), floor);
    return worst == 0 ? 0 : worst / scale;
}
