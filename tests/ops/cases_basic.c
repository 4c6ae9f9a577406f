/* SPDX-License-Identifier: MIT
 *
 * cases_basic.c — Cases of the ops that map, move and reduce elements. What the golden ones
 * mean is in tests/golden/make_ops.py. */
#include "cases.h"

/* ---- element by element ---- */

static mood_node *add(mood_node *const *in)
{
    return mood_add(in[0], in[1]);
}

static mood_node *sub(mood_node *const *in)
{
    return mood_sub(in[0], in[1]);
}

static mood_node *mul(mood_node *const *in)
{
    return mood_mul(in[0], in[1]);
}

static mood_node *add_self(mood_node *const *in)
{
    return mood_add(in[0], in[0]);
}

static mood_node *sub_self(mood_node *const *in)
{
    return mood_sub(in[0], in[0]);
}

static mood_node *mul_self(mood_node *const *in)
{
    return mood_mul(in[0], in[0]);
}

static mood_node *scale(mood_node *const *in)
{
    return mood_scale(in[0], -1.5f);
}

static mood_node *exponential(mood_node *const *in)
{
    return mood_exp(in[0]);
}

static mood_node *logarithm(mood_node *const *in)
{
    return mood_log(in[0]);
}

/* For the cases without golden values, whose inputs may be negative. */
static mood_node *log_of_square(mood_node *const *in)
{
    return mood_log(mood_exp(in[0]));
}

static mood_node *hyperbolic_tangent(mood_node *const *in)
{
    return mood_tanh(in[0]);
}

static mood_node *sigmoid(mood_node *const *in)
{
    return mood_sigmoid(in[0]);
}

static mood_node *relu(mood_node *const *in)
{
    return mood_relu(in[0]);
}

static mood_node *gelu(mood_node *const *in)
{
    return mood_gelu(in[0]);
}

static mood_node *clamp(mood_node *const *in)
{
    return mood_clamp(in[0], -0.5f, 0.25f);
}

static mood_node *dropout(mood_node *const *in)
{
    return mood_dropout(in[0], 0.3f);
}

/* ---- shape ---- */

static mood_node *reshape(mood_node *const *in)
{
    return mood_reshape(in[0], 2, (int64_t[]){-1, 6});
}

static mood_node *reshape_scalar(mood_node *const *in)
{
    return mood_reshape(in[0], 0, NULL);
}

static mood_node *transpose_2d(mood_node *const *in)
{
    return mood_transpose(in[0], (int[]){1, 0});
}

static mood_node *transpose_4d(mood_node *const *in)
{
    return mood_transpose(in[0], (int[]){2, 0, 3, 1});
}

static mood_node *slice_first(mood_node *const *in)
{
    return mood_slice(in[0], 0, 1, 4);
}

static mood_node *slice_middle(mood_node *const *in)
{
    return mood_slice(in[0], -2, 2, 5);
}

static mood_node *slice_last(mood_node *const *in)
{
    return mood_slice(in[0], -1, 6, 7);
}

static mood_node *concat_first(mood_node *const *in)
{
    return mood_concat(in, 2, 0);
}

static mood_node *concat_middle(mood_node *const *in)
{
    return mood_concat(in, 3, 1);
}

static mood_node *concat_last(mood_node *const *in)
{
    return mood_concat(in, 2, -1);
}

static mood_node *concat_one(mood_node *const *in)
{
    return mood_concat(in, 1, 0);
}

/* ---- reductions ---- */

static mood_node *sum_first(mood_node *const *in)
{
    return mood_sum(in[0], 0);
}

static mood_node *sum_middle(mood_node *const *in)
{
    return mood_sum(in[0], 1);
}

static mood_node *sum_last(mood_node *const *in)
{
    return mood_sum(in[0], -1);
}

static mood_node *sum_all(mood_node *const *in)
{
    return mood_sum(in[0], MOOD_ALL_AXES);
}

static mood_node *mean_first(mood_node *const *in)
{
    return mood_mean(in[0], 0);
}

static mood_node *mean_middle(mood_node *const *in)
{
    return mood_mean(in[0], 1);
}

static mood_node *mean_last(mood_node *const *in)
{
    return mood_mean(in[0], -1);
}

static mood_node *mean_all(mood_node *const *in)
{
    return mood_mean(in[0], MOOD_ALL_AXES);
}

static mood_node *global_avg_pool(mood_node *const *in)
{
    return mood_global_avg_pool(in[0]);
}

/* clang-format off */
const struct op_case basic_cases[] = {
    TRUTH("add.same", "add", "xx", add, BOTH_MODES),
    TRUTH("add.row", "add", "xw", add, BOTH_MODES),
    TRUTH("add.rowleft", "add", "wx", add, BOTH_MODES),
    TRUTH("add.channel", "add", "xw", add, BOTH_MODES),
    TRUTH("add.both", "add", "xw", add, BOTH_MODES),
    TRUTH("add.scalar", "add", "xw", add, BOTH_MODES),
    TRUTH("add.self", "add", "x", add_self, BOTH_MODES),
    MANNERS("add", "xw", add, "64x17x65 65", BOTH_MODES),
    MANNERS("add", "xx", add, "64x17x65 64x17x65", BOTH_MODES),
    TRUTH("sub.same", "sub", "xx", sub, BOTH_MODES),
    TRUTH("sub.row", "sub", "xw", sub, BOTH_MODES),
    TRUTH("sub.rowleft", "sub", "wx", sub, BOTH_MODES),
    TRUTH("sub.channel", "sub", "xw", sub, BOTH_MODES),
    TRUTH("sub.both", "sub", "xw", sub, BOTH_MODES),
    TRUTH("sub.scalar", "sub", "xw", sub, BOTH_MODES),
    TRUTH("sub.self", "sub", "x", sub_self, BOTH_MODES),
    MANNERS("sub", "xw", sub, "64x17x65 17x1", BOTH_MODES),
    TRUTH("mul.same", "mul", "xx", mul, BOTH_MODES),
    TRUTH("mul.row", "mul", "xw", mul, BOTH_MODES),
    TRUTH("mul.rowleft", "mul", "wx", mul, BOTH_MODES),
    TRUTH("mul.channel", "mul", "xw", mul, BOTH_MODES),
    TRUTH("mul.both", "mul", "xw", mul, BOTH_MODES),
    TRUTH("mul.scalar", "mul", "xw", mul, BOTH_MODES),
    TRUTH("mul.self", "mul", "x", mul_self, BOTH_MODES),
    MANNERS("mul", "xw", mul, "64x17x65 64x1x65", BOTH_MODES),
    TRUTH("scale", "scale", "x", scale, BOTH_MODES),
    MANNERS("scale", "x", scale, "331x199", BOTH_MODES),
    TRUTH("exp", "exp", "x", exponential, BOTH_MODES),
    MANNERS("exp", "x", exponential, "331x199", BOTH_MODES),
    TRUTH("log", "log", "x", logarithm, BOTH_MODES),
    MANNERS("log", "x", log_of_square, "331x199", BOTH_MODES),
    TRUTH("tanh", "tanh", "x", hyperbolic_tangent, BOTH_MODES),
    MANNERS("tanh", "x", hyperbolic_tangent, "331x199", BOTH_MODES),
    TRUTH("sigmoid", "sigmoid", "x", sigmoid, BOTH_MODES),
    MANNERS("sigmoid", "x", sigmoid, "331x199", BOTH_MODES),
    TRUTH("relu", "relu", "x", relu, BOTH_MODES),
    MANNERS("relu", "x", relu, "331x199", BOTH_MODES),
    TRUTH("gelu", "gelu", "x", gelu, BOTH_MODES),
    MANNERS("gelu", "x", gelu, "331x199", BOTH_MODES),
    TRUTH("clamp", "clamp", "x", clamp, BOTH_MODES),
    MANNERS("clamp", "x", clamp, "331x199", BOTH_MODES),
    MANNERS("dropout", "x", dropout, "7x5", TRAINING),
    MANNERS("dropout", "x", dropout, "331x199", TRAINING),

    TRUTH("reshape", "reshape", "x", reshape, BOTH_MODES),
    TRUTH("reshape.scalar", "reshape", "x", reshape_scalar, BOTH_MODES),
    TRUTH("transpose.2d", "transpose", "x", transpose_2d, BOTH_MODES),
    TRUTH("transpose.4d", "transpose", "x", transpose_4d, BOTH_MODES),
    MANNERS("transpose", "x", transpose_4d, "31x17x13x11", BOTH_MODES),
    TRUTH("slice.first", "slice", "x", slice_first, BOTH_MODES),
    TRUTH("slice.middle", "slice", "x", slice_middle, BOTH_MODES),
    TRUTH("slice.last", "slice", "x", slice_last, BOTH_MODES),
    MANNERS("slice", "x", slice_middle, "149x7x97", BOTH_MODES),
    TRUTH("concat.first", "concat", "xw", concat_first, BOTH_MODES),
    TRUTH("concat.middle", "concat", "xwx", concat_middle, BOTH_MODES),
    TRUTH("concat.last", "concat", "xw", concat_last, BOTH_MODES),
    TRUTH("concat.one", "concat", "x", concat_one, BOTH_MODES),
    MANNERS("concat", "xw", concat_last, "331x64 331x131", BOTH_MODES),

    TRUTH("sum.first", "sum", "x", sum_first, BOTH_MODES),
    TRUTH("sum.middle", "sum", "x", sum_middle, BOTH_MODES),
    TRUTH("sum.last", "sum", "x", sum_last, BOTH_MODES),
    TRUTH("sum.vector", "sum", "x", sum_first, BOTH_MODES),
    TRUTH("sum.all", "sum", "x", sum_all, BOTH_MODES),
    MANNERS("sum", "x", sum_all, "331x199", BOTH_MODES),
    MANNERS("sum", "x", sum_first, "331x199", BOTH_MODES),
    MANNERS("sum", "x", sum_middle, "31x149x33", BOTH_MODES),
    TRUTH("mean.first", "mean", "x", mean_first, BOTH_MODES),
    TRUTH("mean.middle", "mean", "x", mean_middle, BOTH_MODES),
    TRUTH("mean.last", "mean", "x", mean_last, BOTH_MODES),
    TRUTH("mean.vector", "mean", "x", mean_first, BOTH_MODES),
    TRUTH("mean.all", "mean", "x", mean_all, BOTH_MODES),
    MANNERS("mean", "x", mean_last, "331x199", BOTH_MODES),
    TRUTH("global_avg_pool.1d", "global_avg_pool", "x", global_avg_pool, BOTH_MODES),
    TRUTH("global_avg_pool.2d", "global_avg_pool", "x", global_avg_pool, BOTH_MODES),
    MANNERS("global_avg_pool", "x", global_avg_pool, "32x37x64", BOTH_MODES),
};
/* clang-format on */

const int n_basic_cases = (int)(sizeof(basic_cases) / sizeof(basic_cases[0]));
