/* SPDX-License-Identifier: MIT
 *
 * test_build.c — What a builder says to inputs that do not fit: nothing is built, the graph keeps
 * the first mistake with the name of the op in front, and compile reports it. And what a run says
 * to labels out of range. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mood/ops.h"
#include "ops/op_list.h"

/* Inputs to choose from: their shapes are their names. */
struct shelf {
    mood_graph *g;
    mood_node *scalar, *v5, *m35, *m53, *m37, *b235, *b245, *w353, *w3353, *p2353, *labels3,
        *labels5, *stat5, *weight5, *one5;
};

static mood_node *take(mood_graph *g, const char *name, mood_dtype dtype, int rank,
                       const int64_t *dim)
{
    return mood_input(g, name, dtype, rank, dim);
}

static void stock(struct shelf *s, mood_weights *w)
{
    mood_graph *g = NULL;
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}),
                     MOOD_OK);
    *s = (struct shelf){
        .g = g,
        .scalar = take(g, "scalar", MOOD_F32, 0, NULL),
        .v5 = take(g, "v5", MOOD_F32, 1, (int64_t[]){5}),
        .m35 = take(g, "m35", MOOD_F32, 2, (int64_t[]){3, 5}),
        .m53 = take(g, "m53", MOOD_F32, 2, (int64_t[]){5, 3}),
        .m37 = take(g, "m37", MOOD_F32, 2, (int64_t[]){3, 7}),
        .b235 = take(g, "b235", MOOD_F32, 3, (int64_t[]){2, 3, 5}),
        .b245 = take(g, "b245", MOOD_F32, 3, (int64_t[]){2, 4, 5}),
        .w353 = take(g, "w353", MOOD_F32, 3, (int64_t[]){3, 5, 3}),
        .w3353 = take(g, "w3353", MOOD_F32, 4, (int64_t[]){3, 3, 5, 3}),
        .p2353 = take(g, "p2353", MOOD_F32, 4, (int64_t[]){2, 3, 5, 3}),
        .labels3 = take(g, "labels3", MOOD_I32, 1, (int64_t[]){3}),
        .labels5 = take(g, "labels5", MOOD_I32, 1, (int64_t[]){5}),
        .one5 = take(g, "one5", MOOD_F32, 2, (int64_t[]){1, 5}),
        .stat5 = mood_weight(g, "stat5", 1, (int64_t[]){5}, (mood_init){.frozen = true}),
        .weight5 = mood_weight(g, "weight5", 1, (int64_t[]){5}, (mood_init){0}),
    };
    assert_non_null(s->one5);
}

/* ---- wrong calls, one function per op ------------------------------------------------------- */

/* Make wrong call number i of an op; false when there are no more. */
typedef bool wrong_calls(const struct shelf *s, int i, mood_node **out);

#define WRONG(number, call)                                                                        \
    case number:                                                                                   \
        *out = call;                                                                               \
        return true

static bool wrong_binary(mood_node *(*op)(mood_node *, mood_node *), const struct shelf *s, int i,
                         mood_node **out)
{
    switch (i) {
        WRONG(0, op(s->m35, s->m53));
        WRONG(1, op(s->b235, s->b245));
        WRONG(2, op(s->labels5, s->v5));
        WRONG(3, op(s->v5, s->labels5));
    }
    return false;
}

static bool wrong_add(const struct shelf *s, int i, mood_node **out)
{
    return wrong_binary(mood_add, s, i, out);
}

static bool wrong_sub(const struct shelf *s, int i, mood_node **out)
{
    return wrong_binary(mood_sub, s, i, out);
}

static bool wrong_mul(const struct shelf *s, int i, mood_node **out)
{
    return wrong_binary(mood_mul, s, i, out);
}

static bool wrong_scale(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_scale(s->labels5, 2);
    return i == 0;
}

static bool wrong_exp(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_exp(s->labels5);
    return i == 0;
}

static bool wrong_log(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_log(s->labels5);
    return i == 0;
}

static bool wrong_tanh(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_tanh(s->labels5);
    return i == 0;
}

static bool wrong_sigmoid(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_sigmoid(s->labels5);
    return i == 0;
}

static bool wrong_relu(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_relu(s->labels5);
    return i == 0;
}

static bool wrong_gelu(const struct shelf *s, int i, mood_node **out)
{
    *out = mood_gelu(s->labels5);
    return i == 0;
}

static bool wrong_clamp(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_clamp(s->v5, 1, -1));
        WRONG(1, mood_clamp(s->v5, NAN, 1));
        WRONG(2, mood_clamp(s->labels5, -1, 1));
    }
    return false;
}

static bool wrong_dropout(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_dropout(s->v5, -0.1f));
        WRONG(1, mood_dropout(s->v5, 1.0f));
        WRONG(2, mood_dropout(s->labels5, 0.5f));
    }
    return false;
}

static bool wrong_reshape(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_reshape(s->m35, 2, (int64_t[]){4, 4}));
        WRONG(1, mood_reshape(s->m35, 2, (int64_t[]){-1, 4}));
        WRONG(2, mood_reshape(s->m35, 2, (int64_t[]){-1, -1}));
        WRONG(3, mood_reshape(s->m35, 2, (int64_t[]){0, 15}));
        WRONG(4, mood_reshape(s->m35, 2, (int64_t[]){-3, -5}));
        WRONG(5, mood_reshape(s->m35, 7, (int64_t[]){15, 1, 1, 1, 1, 1, 1}));
        WRONG(6, mood_reshape(s->m35, -1, NULL));
    }
    return false;
}

static bool wrong_transpose(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_transpose(s->m35, (int[]){0, 0}));
        WRONG(1, mood_transpose(s->m35, (int[]){1, 2}));
        WRONG(2, mood_transpose(s->m35, (int[]){5, 0}));
    }
    return false;
}

static bool wrong_slice(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_slice(s->m35, 2, 0, 1));
        WRONG(1, mood_slice(s->m35, -3, 0, 1));
        WRONG(2, mood_slice(s->m35, 0, -1, 2));
        WRONG(3, mood_slice(s->m35, 0, 2, 2));
        WRONG(4, mood_slice(s->m35, 1, 0, 6));
        WRONG(5, mood_slice(s->scalar, 0, 0, 1));
    }
    return false;
}

static bool wrong_concat(const struct shelf *s, int i, mood_node **out)
{
    mood_node *nine[9] = {s->v5, s->v5, s->v5, s->v5, s->v5, s->v5, s->v5, s->v5, s->v5};
    switch (i) {
        WRONG(0, mood_concat((mood_node *[]){s->m35, s->m37}, 2, 0));
        WRONG(1, mood_concat((mood_node *[]){s->m35, s->v5}, 2, 0));
        WRONG(2, mood_concat((mood_node *[]){s->m35, s->m35}, 2, 2));
        WRONG(3, mood_concat(nine, 9, 0));
    }
    return false;
}

static bool wrong_sum(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_sum(s->m35, 2));
        WRONG(1, mood_sum(s->m35, -3));
    }
    return false;
}

static bool wrong_mean(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_mean(s->m35, 2));
        WRONG(1, mood_mean(s->m35, -3));
    }
    return false;
}

static bool wrong_global_avg_pool(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_global_avg_pool(s->scalar));
        WRONG(1, mood_global_avg_pool(s->v5));
    }
    return false;
}

static bool wrong_matmul(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_matmul(s->m35, s->m35, NULL));
        WRONG(1, mood_matmul(s->m35, s->m53, &(mood_matmul_params){.transpose_b = true}));
        WRONG(2, mood_matmul(s->v5, s->m53, NULL));
        WRONG(3, mood_matmul(s->m35, s->b235, NULL));
        WRONG(4, mood_matmul(s->m35, s->v5, NULL));
    }
    return false;
}

static bool wrong_dense(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_dense(s->m35, s->m35, NULL));
        WRONG(1, mood_dense(s->m35, s->v5, NULL));
        WRONG(2, mood_dense(s->m35, s->m53, s->v5));
        WRONG(3, mood_dense(s->scalar, s->m53, NULL));
    }
    return false;
}

static bool wrong_conv1d(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_conv1d(s->m35, s->w353, NULL, NULL));
        WRONG(1, mood_conv1d(s->b235, s->m53, NULL, NULL));
        WRONG(2, mood_conv1d(s->w353, s->w353, NULL, NULL)); /* 3 channels, 5 wanted */
        WRONG(3, mood_conv1d(s->b235, s->w353, s->v5, NULL));
        WRONG(4, mood_conv1d(s->b235, s->w353, NULL, &(mood_conv1d_params){.groups = 2}));
        WRONG(5, mood_conv1d(s->b235, s->w353, NULL, &(mood_conv1d_params){.stride = -1}));
        WRONG(6, mood_conv1d(s->b235, s->w353, NULL, &(mood_conv1d_params){.padding = -1}));
        WRONG(7, mood_conv1d(mood_slice(s->b235, 1, 0, 2), s->w353, NULL, NULL)); /* too short */
    }
    return false;
}

static bool wrong_conv2d(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_conv2d(s->b235, s->w3353, NULL, NULL));
        WRONG(1, mood_conv2d(s->p2353, s->w353, NULL, NULL));
        WRONG(2, mood_conv2d(s->p2353, s->w3353, NULL, NULL)); /* 3 channels, 5 wanted */
        WRONG(3, mood_conv2d(s->w3353, s->w3353, s->v5,
                             &(mood_conv2d_params){.padding_f = 1, .padding_t = 1}));
        WRONG(4, mood_conv2d(mood_reshape(s->p2353, 4, (int64_t[]){2, 3, 3, 5}), s->w3353, NULL,
                             &(mood_conv2d_params){.stride_t = -2}));
        WRONG(5, mood_conv2d(mood_reshape(s->p2353, 4, (int64_t[]){9, 1, 2, 5}), s->w3353, NULL,
                             NULL)); /* too small */
    }
    return false;
}

static bool wrong_max_pool1d(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_max_pool1d(s->m35, 2));
        WRONG(1, mood_max_pool1d(s->b235, 0));
        WRONG(2, mood_max_pool1d(s->b235, 4));
    }
    return false;
}

static bool wrong_max_pool2d(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_max_pool2d(s->b235, 2, 2));
        WRONG(1, mood_max_pool2d(s->p2353, 2, 0));
        WRONG(2, mood_max_pool2d(s->p2353, 4, 2));
    }
    return false;
}

static bool wrong_batch_norm(const struct shelf *s, int i, mood_node **out)
{
    mood_node *w = s->v5, *r = s->stat5;
    switch (i) {
        WRONG(0, mood_batch_norm(s->m37, w, w, r, r, NULL));
        WRONG(1, mood_batch_norm(s->v5, w, w, r, r, NULL));
        WRONG(2, mood_batch_norm(s->m35, s->m35, w, r, r, NULL));
        WRONG(3, mood_batch_norm(s->m35, w, w, r, w, NULL));          /* no weight */
        WRONG(4, mood_batch_norm(s->one5, w, w, r, r, NULL));         /* one row has no variance */
        WRONG(5, mood_batch_norm(s->m35, w, w, s->weight5, r, NULL)); /* not frozen */
    }
    return false;
}

static bool wrong_layer_norm(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_layer_norm(s->m37, s->v5, s->v5, 0));
        WRONG(1, mood_layer_norm(s->m35, s->v5, s->m35, 0));
        WRONG(2, mood_layer_norm(s->scalar, s->v5, s->v5, 0));
    }
    return false;
}

static bool wrong_group_norm(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_group_norm(s->b235, s->v5, s->v5, 2, 0));
        WRONG(1, mood_group_norm(s->b235, s->v5, s->v5, 0, 0));
        WRONG(2, mood_group_norm(s->w353, s->v5, s->v5, 1, 0));
        WRONG(3, mood_group_norm(s->v5, s->v5, s->v5, 1, 0));
    }
    return false;
}

static bool wrong_softmax(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_softmax(s->scalar));
        WRONG(1, mood_softmax(s->labels5));
    }
    return false;
}

static bool wrong_log_softmax(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_log_softmax(s->scalar));
        WRONG(1, mood_log_softmax(s->labels5));
    }
    return false;
}

static bool wrong_attention(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_attention(s->b235, s->b235, s->b245, 1)); /* Tk differs */
        WRONG(1, mood_attention(s->b235, s->w353, s->w353, 1)); /* B and C differ */
        WRONG(2, mood_attention(s->b235, s->b235, s->b235, 2));
        WRONG(3, mood_attention(s->b235, s->b235, s->b235, 0));
        WRONG(4, mood_attention(s->m35, s->m35, s->m35, 1));
    }
    return false;
}

static bool wrong_mse(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_mse(s->m35, s->m53));
        WRONG(1, mood_mse(s->m35, s->v5)); /* no broadcasting here */
    }
    return false;
}

static bool wrong_cross_entropy(const struct shelf *s, int i, mood_node **out)
{
    switch (i) {
        WRONG(0, mood_cross_entropy(s->m35, s->labels5, NULL));
        WRONG(1, mood_cross_entropy(s->m53, s->v5, NULL)); /* labels are integers */
        WRONG(2, mood_cross_entropy(s->m35, s->labels3,
                                    &(mood_cross_entropy_params){.label_smoothing = 1.0f}));
        WRONG(3, mood_cross_entropy(s->m35, s->labels3,
                                    &(mood_cross_entropy_params){.label_smoothing = -0.1f}));
        WRONG(4, mood_cross_entropy(
                     s->m35, s->labels3,
                     &(mood_cross_entropy_params){.class_weights = (float[]){1, 1, 0, 1, 1}}));
        WRONG(5, mood_cross_entropy(
                     s->m35, s->labels3,
                     &(mood_cross_entropy_params){.class_weights = (float[]){1, NAN, 1, 1, 1}}));
    }
    return false;
}

#define WRONG_CALLS(name) {#name, wrong_##name},
static const struct {
    const char *op;
    wrong_calls *calls;
} table[] = {MOOD__OP_LIST(WRONG_CALLS)};
#undef WRONG_CALLS

/* ---- the tests ------------------------------------------------------------------------------ */

static void expect_refused(const char *op, int i, const struct shelf *s, const mood_node *node)
{
    size_t n = strlen(op);
    mood_status status = mood_graph_compile(s->g, (mood_node *[]){s->v5}, 1);
    const char *detail = mood_error_detail();
    if (node || (status != MOOD_E_SHAPE && status != MOOD_E_INVALID))
        fail_msg("%s, wrong call %d: accepted (%s)", op, i, mood_status_name(status));
    if (strncmp(detail, op, n) != 0 || (detail[n] != ' ' && detail[n] != ':'))
        fail_msg("%s, wrong call %d: does not begin with its name: %s", op, i, detail);

    /* Sticky: what is built on it is NULL, and a later mistake does not replace the first. */
    char first[512];
    snprintf(first, sizeof(first), "%s", detail);
    assert_null(mood_relu((mood_node *)(uintptr_t)node));
    assert_null(mood_reshape(s->m35, 1, (int64_t[]){16}));
    assert_int_equal(mood_graph_compile(s->g, (mood_node *[]){s->v5}, 1), status);
    assert_string_equal(mood_error_detail(), first);
}

static void test_wrong_calls(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(table) / sizeof(*table); k++)
        for (int i = 0;; i++) {
            struct shelf s;
            mood_weights *w;
            mood_node *node = NULL;
            assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
            stock(&s, w);
            bool more = table[k].calls(&s, i, &node);
            if (more)
                expect_refused(table[k].op, i, &s, node);
            mood_graph_destroy(&s.g);
            mood_weights_destroy(&w);
            if (!more) {
                assert_true(i > 0);
                break;
            }
        }
}

static void test_label_out_of_range(void **state)
{
    (void)state;
    static const int32_t wrong[] = {-1, 5, INT32_MAX, INT32_MIN};
    struct shelf s;
    mood_weights *w;
    assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
    stock(&s, w);
    mood_node *loss = mood_cross_entropy(mood_want_grad(s.m35), s.labels3, NULL);
    assert_int_equal(mood_graph_compile(s.g, &loss, 1), MOOD_OK);
    assert_int_equal(mood_graph_forward(s.g), MOOD_OK);
    int32_t *labels = mood_node_value(s.labels3)->data;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        labels[2] = wrong[i];
        assert_int_equal(mood_graph_forward(s.g), MOOD_E_INVALID);
        assert_non_null(strstr(mood_error_detail(), "row 2"));
    }
    labels[2] = 4;
    assert_int_equal(mood_graph_forward(s.g), MOOD_OK);
    mood_graph_destroy(&s.g);
    mood_weights_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_calls),
        cmocka_unit_test(test_label_out_of_range),
    };
    return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
