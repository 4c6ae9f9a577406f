/* SPDX-License-Identifier: MIT
 *
 * binary.c — add, sub and mul of two tensors, one of which may be repeated along some axes
 * (broadcast). */
#include "mood/ops.h"

#include <string.h>

#include "ops/op_list.h"

/* How the three shapes go together: axes aligned at the last, `stride` 0 where an input is
 * repeated. */
struct broadcast {
    int64_t dim[MOOD_MAX_RANK];
    int64_t stride[2][MOOD_MAX_RANK];
    bool plain; /* nothing is repeated: one loop over all elements */
};

static mood_status binary_shape(mood_node *n)
{
    MOOD__TRY(mood__need_f32(n));
    const mood_tensor *t[2] = {&n->in[0]->value, &n->in[1]->value};
    struct broadcast *bc = n->attr;
    int rank = t[0]->rank > t[1]->rank ? t[0]->rank : t[1]->rank;
    int64_t dim[MOOD_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        dim[i] = 1;
        for (int k = 0; k < 2; k++) {
            int axis = i - (rank - t[k]->rank);
            int64_t d = axis < 0 ? 1 : t[k]->dim[axis];
            if (d != 1 && dim[i] != 1 && d != dim[i]) {
                char a[MOOD__SHAPE_BYTES], b[MOOD__SHAPE_BYTES];
                return mood__node_fail(n, MOOD_E_SHAPE, "%s and %s do not broadcast",
                                       mood__shape_text(a, t[0]->rank, t[0]->dim),
                                       mood__shape_text(b, t[1]->rank, t[1]->dim));
            }
            dim[i] = d != 1 ? d : dim[i];
        }
    }
    MOOD__TRY(mood__set_shape(n, rank, dim));
    bc->plain = true;
    for (int i = 0; i < MOOD_MAX_RANK; i++) /* right-aligned, ones in front */
        bc->dim[i] = i < MOOD_MAX_RANK - rank ? 1 : dim[i - (MOOD_MAX_RANK - rank)];
    for (int k = 0; k < 2; k++) {
        bc->plain = bc->plain && mood_tensor_elements(t[k]) == mood__count(n);
        for (int i = 0; i < MOOD_MAX_RANK; i++) {
            int axis = i - (MOOD_MAX_RANK - t[k]->rank);
            bc->stride[k][i] = axis < 0 || t[k]->dim[axis] == 1 ? 0 : t[k]->stride[axis];
        }
    }
    return MOOD_OK;
}

/* One pass; which pointers are used depends on the function that walks. */
struct pass {
    const struct mood__kernels *k;
    const struct broadcast *bc;
    void (*plain)(float *, const float *, const float *, ptrdiff_t);
    float *y;
    const float *a, *b;
    char op; /* '+', '-', '*' */
};

static float apply(char op, float a, float b)
{
    return op == '+' ? a + b : op == '-' ? a - b : a * b;
}

static void plain_range(void *ctx, int64_t begin, int64_t end)
{
    const struct pass *p = ctx;
    p->plain(p->y + begin, p->a + begin, p->b + begin, end - begin);
}

/* Offsets of row `row` (all axes but the last) in the two inputs. */
static void row_offsets(const struct broadcast *bc, int64_t row, int64_t offset[2])
{
    offset[0] = offset[1] = 0;
    for (int i = MOOD_MAX_RANK - 2; i >= 0; i--) {
        int64_t at = row % bc->dim[i];
        row /= bc->dim[i];
        offset[0] += at * bc->stride[0][i];
        offset[1] += at * bc->stride[1][i];
    }
}

static void broadcast_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct pass *p = ctx;
    const struct broadcast *bc = p->bc;
    int64_t C = bc->dim[MOOD_MAX_RANK - 1];
    int64_t sa = bc->stride[0][MOOD_MAX_RANK - 1], sb = bc->stride[1][MOOD_MAX_RANK - 1];
    for (int64_t row = begin; row < end; row++) {
        int64_t o[2];
        row_offsets(bc, row, o);
        const float *a = p->a + o[0], *b = p->b + o[1];
        float *y = p->y + row * C;
        if (sa == 1 && sb == 1)
            p->plain(y, a, b, C);
        else
            for (int64_t c = 0; c < C; c++)
                y[c] = apply(p->op, a[c * sa], b[c * sb]);
    }
}

static void run_binary(struct mood__run *r, mood_node *n, char op,
                       void (*plain)(float *, const float *, const float *, ptrdiff_t))
{
    const struct broadcast *bc = n->attr;
    struct pass p = {r->k, bc, plain, mood__out(n), mood__in(n, 0), mood__in(n, 1), op};
    int64_t C = bc->dim[MOOD_MAX_RANK - 1];
    if (bc->plain)
        mood__each_range(r, mood__count(n), MOOD__GRAIN, plain_range, &p);
    else
        mood__each_range(r, mood__count(n) / C, 1 + MOOD__GRAIN / C, broadcast_rows, &p);
}

/* Add `sign` * dy (times the other input, for mul) to the gradient of input k, summing over the
 * axes along which it was repeated. Such gradients are small (biases, scales), so one thread walks
 * them in order. */
static void reduce_grad(const struct mood__run *r, mood_node *n, int k, float sign,
                        const float *other)
{
    const struct broadcast *bc = n->attr;
    int64_t C = bc->dim[MOOD_MAX_RANK - 1];
    int64_t s_own = bc->stride[k][MOOD_MAX_RANK - 1],
            s_other = bc->stride[1 - k][MOOD_MAX_RANK - 1];
    float *dx = mood__din(n, k);
    if (!mood__adds(n, k))
        memset(dx, 0, mood_tensor_bytes(&n->in[k]->value));
    for (int64_t row = 0; row < mood__count(n) / C; row++) {
        const float *dy = mood__dout(n) + row * C;
        int64_t o[2];
        row_offsets(bc, row, o);
        float *d = dx + o[k];
        const float *m = other ? other + o[1 - k] : NULL;
        if (s_own == 1 && !m)
            r->k->scale(d, sign, dy, C, true);
        else if (s_own == 1 && s_other == 1)
            r->k->mul_add(d, dy, m, C);
        else if (s_own == 0 && !m)
            *d += sign * r->k->sum(dy, C);
        else if (s_own == 0 && s_other == 1)
            *d += r->k->dot(dy, m, C);
        else
            for (int64_t c = 0; c < C; c++)
                d[c * s_own] += dy[c] * m[c * s_other];
    }
}

struct grad_pass {
    const struct mood__kernels *k;
    float *dx, sign;
    const float *dy, *other;
    bool add;
};

static void grad_range(void *ctx, int64_t begin, int64_t end)
{
    const struct grad_pass *p = ctx;
    float *dx = p->dx + begin;
    const float *dy = p->dy + begin;
    int64_t n = end - begin;
    if (!p->other)
        p->k->scale(dx, p->sign, dy, n, p->add);
    else if (p->add)
        p->k->mul_add(dx, dy, p->other + begin, n);
    else
        p->k->mul(dx, dy, p->other + begin, n);
}

static void backward_to(struct mood__run *r, mood_node *n, int k, float sign, const float *other)
{
    if (!mood__wants(n, k))
        return;
    const struct broadcast *bc = n->attr;
    if (!bc->plain) {
        /* In place only input 0 of the output's shape is possible: plain along every axis of it. */
        if (mood_tensor_elements(&n->in[k]->value) != mood__count(n) || other) {
            reduce_grad(r, n, k, sign, other);
            return;
        }
    }
    if (mood__din(n, k) == mood__dout(n) && sign == 1.0f && !other)
        return; /* in place: it is there already */
    struct grad_pass p = {r->k, mood__din(n, k), sign, mood__dout(n), other, mood__adds(n, k)};
    mood__each_range(r, mood__count(n), MOOD__GRAIN, grad_range, &p);
}

static void add_forward(struct mood__run *r, mood_node *n)
{
    run_binary(r, n, '+', r->k->add);
}

/* Input 1 first everywhere: in place, input 0's gradient overwrites dy. */
static void add_backward(struct mood__run *r, mood_node *n)
{
    backward_to(r, n, 1, 1.0f, NULL);
    backward_to(r, n, 0, 1.0f, NULL);
}

const struct mood__op mood__op_add = {
    .name = "add",
    .flags = MOOD__IN_PLACE,
    .shape = binary_shape,
    .forward = add_forward,
    .backward = add_backward,
};

static void sub_forward(struct mood__run *r, mood_node *n)
{
    run_binary(r, n, '-', r->k->sub);
}

static void sub_backward(struct mood__run *r, mood_node *n)
{
    backward_to(r, n, 1, -1.0f, NULL);
    backward_to(r, n, 0, 1.0f, NULL);
}

const struct mood__op mood__op_sub = {
    .name = "sub",
    .flags = MOOD__IN_PLACE,
    .shape = binary_shape,
    .forward = sub_forward,
    .backward = sub_backward,
};

static void mul_forward(struct mood__run *r, mood_node *n)
{
    run_binary(r, n, '*', r->k->mul);
}

static void mul_backward(struct mood__run *r, mood_node *n)
{
    backward_to(r, n, 1, 1.0f, mood__in(n, 0));
    backward_to(r, n, 0, 1.0f, mood__in(n, 1));
}

const struct mood__op mood__op_mul = {
    .name = "mul",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = binary_shape,
    .forward = mul_forward,
    .backward = mul_backward,
};

static mood_node *binary(const struct mood__op *op, mood_node *a, mood_node *b)
{
    struct broadcast bc = {.plain = false};
    return mood__node(op, (mood_node *[]){a, b}, 2, &bc, sizeof(bc));
}

mood_node *mood_add(mood_node *a, mood_node *b)
{
    return binary(&mood__op_add, a, b);
}

mood_node *mood_sub(mood_node *a, mood_node *b)
{
    return binary(&mood__op_sub, a, b);
}

mood_node *mood_mul(mood_node *a, mood_node *b)
{
    return binary(&mood__op_mul, a, b);
}
