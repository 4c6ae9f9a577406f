/* SPDX-License-Identifier: MIT
 *
 * weights.c — The named tensors that are learned, and their initial values. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "graph/graph.h"

struct weight {
    char *name;
    mood_tensor value, grad;
    bool trainable;
    bool borrowed;  /* the value's memory is somebody else's */
    bool read_only; /* and may be that of a mapped file */
};

struct mood_weights {
    struct weight **list; /* each allocated by itself, so that views stay valid as the list grows */
    size_t count, capacity;
    uint64_t seed;
    bool sealed, blank, outline;
};

mood_status mood_weights_create(mood_weights **out, uint64_t seed)
{
    *out = mood__calloc(1, sizeof(**out));
    if (!*out)
        return mood__nomem();
    (*out)->seed = seed;
    return MOOD_OK;
}

static void free_weight(struct weight *x)
{
    if (!x)
        return;
    if (!x->borrowed)
        mood__free(x->value.data);
    mood__free(x->grad.data);
    mood__free(x->name);
    mood__free(x);
}

void mood_weights_destroy(mood_weights **w)
{
    if (*w) {
        for (size_t i = 0; i < (*w)->count; i++)
            free_weight((*w)->list[i]);
        mood__free((*w)->list);
        mood__free(*w);
    }
    *w = NULL;
}

static uint64_t hash_name(const char *name)
{
    uint64_t h = 0;
    for (; *name; name++)
        h = mood__hash64(h, (unsigned char)*name);
    return h;
}

static void draw(mood_tensor *t, mood_init init, uint64_t seed, const char *name)
{
    struct mood__rng rng = mood__rng_make(seed, hash_name(name));
    float *x = mood__f32(t);
    int64_t n = mood_tensor_elements(t);
    for (int64_t i = 0; i < n; i++) {
        switch (init.kind) {
        case MOOD_INIT_CONSTANT:
            x[i] = init.value;
            break;
        case MOOD_INIT_UNIFORM:
            x[i] = init.value * (2.0f * mood__rng_float(&rng) - 1.0f);
            break;
        case MOOD_INIT_NORMAL:
            x[i] = init.value * (float)mood__rng_normal(&rng);
            break;
        }
    }
}

/* Whether a weight of this name can be added now. */
static mood_status check_name(const mood_weights *w, const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length >= MOOD__NAME_BYTES)
        return mood__fail(MOOD_E_INVALID, "weight '%.40s': a name has 1 to %d bytes", name,
                          MOOD__NAME_BYTES - 1);
    if (w->sealed)
        return mood__fail(MOOD_E_INVALID, "weight '%s': the set of weights is sealed", name);
    if (mood_weights_find(w, name) >= 0)
        return mood__fail(MOOD_E_INVALID, "weight '%s' is there already", name);
    return MOOD_OK;
}

/* Add a weight of this shape; its numbers are t's, if it has any, and else new memory, if this is
 * no outline. */
static struct weight *append(mood_weights *w, const char *name, const mood_tensor *t)
{
    if (!mood__reserve((void **)&w->list, &w->capacity, w->count + 1, sizeof(struct weight *)))
        return NULL;
    struct weight *x = mood__calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->name = mood__strdup(name);
    x->value = x->grad = *t;
    x->grad.data = NULL;
    x->borrowed = t->data != NULL;
    if (!x->borrowed && !w->outline)
        x->value.data = mood__alloc_aligned(mood_tensor_bytes(t));
    if (!x->name || (!x->value.data && !w->outline)) {
        free_weight(x);
        return NULL;
    }
    w->list[w->count++] = x;
    return x;
}

mood_status mood_weights_add(mood_weights *w, const char *name, int rank, const int64_t *dim,
                             mood_init init)
{
    MOOD__TRY(check_name(w, name));
    mood_tensor shape;
    mood_status status = mood_tensor_make(&shape, NULL, MOOD_F32, rank, dim);
    if (status)
        return mood__fail_in(status, "weight '%s'", name);
    struct weight *x = append(w, name, &shape);
    if (!x)
        return mood__nomem();
    x->trainable = !init.frozen;
    if (!w->outline)
        draw(&x->value, w->blank ? (mood_init){0} : init, w->seed, name);
    return MOOD_OK;
}

mood_status mood__weights_add_borrowed(mood_weights *w, const char *name, const mood_tensor *value)
{
    MOOD__TRY(check_name(w, name));
    if ((value->dtype != MOOD_F32 && value->dtype != MOOD_I8 && value->dtype != MOOD_F32_PANELS) ||
        !mood_tensor_is_contiguous(value) || !value->data ||
        (uintptr_t)value->data % MOOD__ALIGN != 0)
        return mood__fail(
            MOOD_E_INVALID,
            "weight '%s': what is borrowed has to be contiguous and aligned f32 or i8", name);
    mood_tensor t; /* the same, but for strides of axes of size 1, which may be anything */
    mood_status status = mood_tensor_make(&t, value->data, value->dtype, value->rank, value->dim);
    if (status)
        return mood__fail_in(status, "weight '%s'", name);
    struct weight *x = append(w, name, &t);
    if (!x)
        return mood__nomem();
    x->read_only = true;
    return MOOD_OK;
}

void mood__weights_are_panels(mood_weights *w)
{
    w->list[w->count - 1]->value.dtype = MOOD_F32_PANELS;
}

mood_status mood__weights_share(mood_weights *w, const mood_weights *src)
{
    for (size_t i = 0; i < src->count; i++) {
        const struct weight *x = src->list[i];
        if (x->read_only)
            continue;
        MOOD__TRY(check_name(w, x->name));
        struct weight *mine = append(w, x->name, &x->value);
        if (!mine)
            return mood__nomem();
        mine->trainable = x->trainable;
    }
    return MOOD_OK;
}

bool mood__is_read_only(const mood_node *n)
{
    return n->weight >= 0 && n->graph->weights->list[n->weight]->read_only;
}

void mood_weights_seal(mood_weights *w)
{
    w->sealed = true;
}

void mood__weights_start_blank(mood_weights *w)
{
    w->blank = true;
}

void mood__weights_start_outline(mood_weights *w)
{
    w->outline = true;
}

bool mood__weights_sealed(const mood_weights *w)
{
    return w->sealed;
}

int mood_weights_count(const mood_weights *w)
{
    return (int)w->count;
}

int mood_weights_find(const mood_weights *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->list[i]->name, name) == 0)
            return (int)i;
    return -1;
}

const char *mood_weights_name(const mood_weights *w, int i)
{
    return w->list[i]->name;
}

bool mood_weights_trainable(const mood_weights *w, int i)
{
    return w->list[i]->trainable;
}

const mood_tensor *mood_weights_value(const mood_weights *w, int i)
{
    return &w->list[i]->value;
}

const mood_tensor *mood_weights_grad(const mood_weights *w, int i)
{
    return &w->list[i]->grad;
}

int64_t mood_weights_trainable_elements(const mood_weights *w)
{
    int64_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->list[i]->trainable)
            n += mood_tensor_elements(&w->list[i]->value);
    return n;
}

mood_status mood__weights_need_grad(mood_weights *w, int i)
{
    struct weight *x = w->list[i];
    if (x->grad.data)
        return MOOD_OK;
    x->grad.data = mood__alloc_aligned(mood_tensor_bytes(&x->grad));
    if (!x->grad.data)
        return mood__nomem();
    memset(x->grad.data, 0, mood_tensor_bytes(&x->grad));
    return MOOD_OK;
}

void mood_weights_zero_grad(mood_weights *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->list[i]->grad.data)
            memset(w->list[i]->grad.data, 0, mood_tensor_bytes(&w->list[i]->grad));
}

mood_status mood_weights_copy(mood_weights *dst, const mood_weights *src)
{
    for (size_t i = 0; i < dst->count; i++) {
        const char *name = dst->list[i]->name;
        int j = mood_weights_find(src, name);
        if (dst->list[i]->read_only)
            return mood__fail(MOOD_E_INVALID, "copy of weights: '%s' is read-only", name);
        if (j < 0)
            return mood__fail(MOOD_E_MISSING, "copy of weights: the source has no '%s'", name);
        if (!mood_tensor_same_shape(&dst->list[i]->value, &src->list[j]->value))
            return mood__fail(MOOD_E_SHAPE, "copy of weights: '%s' has another shape", name);
        if (src->list[j]->value.dtype != MOOD_F32)
            return mood__fail(MOOD_E_INVALID, "copy of weights: '%s' is %s", name,
                              mood_dtype_name(src->list[j]->value.dtype));
    }
    for (size_t i = 0; i < src->count; i++)
        if (mood_weights_find(dst, src->list[i]->name) < 0)
            return mood__fail(MOOD_E_MISSING, "copy of weights: the target has no '%s'",
                              src->list[i]->name);
    for (size_t i = 0; i < dst->count; i++) {
        const mood_tensor *from =
            mood_weights_value(src, mood_weights_find(src, dst->list[i]->name));
        memcpy(dst->list[i]->value.data, from->data, mood_tensor_bytes(from));
    }
    return MOOD_OK;
}

mood_status mood_weights_clone(mood_weights **out, const mood_weights *src)
{
    MOOD__TRY(mood_weights_create(out, src->seed));
    mood_status status = MOOD_OK;
    for (size_t i = 0; i < src->count && !status; i++) {
        const struct weight *x = src->list[i];
        status = mood_weights_add(*out, x->name, x->value.rank, x->value.dim,
                                  (mood_init){.frozen = !x->trainable});
    }
    if (!status)
        status = mood_weights_copy(*out, src);
    if (status)
        mood_weights_destroy(out);
    return status;
}
