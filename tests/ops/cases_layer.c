/* SPDX-License-Identifier: MIT
 *
 * cases_layer.c — Cases of the ops that layers and losses are made of. What the golden ones
 * mean is in tests/golden/make_ops.py. */
#include "cases.h"

/* ---- linear algebra ---- */

static mood_node *matmul(mood_node *const *in)
{
    return mood_matmul(in[0], in[1], NULL);
}

static mood_node *matmul_ta(mood_node *const *in)
{
    return mood_matmul(in[0], in[1], &(mood_matmul_params){.transpose_a = true});
}

static mood_node *matmul_tb(mood_node *const *in)
{
    return mood_matmul(in[0], in[1], &(mood_matmul_params){.transpose_b = true});
}

static mood_node *matmul_tab(mood_node *const *in)
{
    return mood_matmul(in[0], in[1],
                       &(mood_matmul_params){.transpose_a = true, .transpose_b = true});
}

static mood_node *dense(mood_node *const *in)
{
    return mood_dense(in[0], in[1], in[2]);
}

static mood_node *dense_nobias(mood_node *const *in)
{
    return mood_dense(in[0], in[1], NULL);
}

/* ---- convolution and pooling ---- */

static mood_node *conv1d(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], NULL);
}

static mood_node *conv1d_nobias(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], NULL, NULL);
}

static mood_node *conv1d_same(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.padding = 1});
}

static mood_node *conv1d_stride(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.stride = 2, .padding = 2});
}

static mood_node *conv1d_wave(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.stride = 5});
}

static mood_node *conv1d_gaps(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.stride = 3});
}

static mood_node *conv1d_groups(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.padding = 1, .groups = 2});
}

static mood_node *conv1d_positional(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.padding = 2, .groups = 4});
}

static mood_node *conv1d_depthwise(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.padding = 1, .groups = 4});
}

static mood_node *conv1d_groupstride(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2],
                       &(mood_conv1d_params){.stride = 2, .padding = 1, .groups = 2});
}

static mood_node *conv1d_wide(mood_node *const *in)
{
    return mood_conv1d(in[0], in[1], in[2], &(mood_conv1d_params){.padding = 3});
}

static mood_node *conv2d(mood_node *const *in)
{
    return mood_conv2d(in[0], in[1], in[2], NULL);
}

static mood_node *conv2d_nobias(mood_node *const *in)
{
    return mood_conv2d(in[0], in[1], NULL, NULL);
}

static mood_node *conv2d_same(mood_node *const *in)
{
    return mood_conv2d(in[0], in[1], in[2], &(mood_conv2d_params){.padding_f = 1, .padding_t = 1});
}

static mood_node *conv2d_oblong(mood_node *const *in)
{
    return mood_conv2d(in[0], in[1], in[2],
                       &(mood_conv2d_params){.stride_f = 2, .stride_t = 1, .padding_f = 1});
}

static mood_node *conv2d_gaps(mood_node *const *in)
{
    return mood_conv2d(in[0], in[1], in[2],
                       &(mood_conv2d_params){.stride_f = 3, .stride_t = 2, .padding_t = 2});
}

static mood_node *max_pool1d_2(mood_node *const *in)
{
    return mood_max_pool1d(in[0], 2);
}

static mood_node *max_pool1d_3(mood_node *const *in)
{
    return mood_max_pool1d(in[0], 3);
}

static mood_node *max_pool2d_2x2(mood_node *const *in)
{
    return mood_max_pool2d(in[0], 2, 2);
}

static mood_node *max_pool2d_1x3(mood_node *const *in)
{
    return mood_max_pool2d(in[0], 1, 3);
}

/* ---- normalisation ---- */

static mood_node *batch_norm(mood_node *const *in)
{
    return mood_batch_norm(in[0], in[1], in[2], in[3], in[4], NULL);
}

static mood_node *batch_norm_settings(mood_node *const *in)
{
    return mood_batch_norm(in[0], in[1], in[2], in[3], in[4],
                           &(mood_batch_norm_params){.eps = 1e-2f, .momentum = 0.3f});
}

static mood_node *batch_norm_relu(mood_node *const *in)
{
    return mood_batch_norm(in[0], in[1], in[2], in[3], in[4],
                           &(mood_batch_norm_params){.relu = true});
}

static mood_node *batch_norm_infer_relu(mood_node *const *in)
{
    return mood_batch_norm(in[0], in[1], in[2], in[3], in[4],
                           &(mood_batch_norm_params){.eps = 1e-3f, .relu = true});
}

static mood_node *layer_norm(mood_node *const *in)
{
    return mood_layer_norm(in[0], in[1], in[2], 0);
}

static mood_node *layer_norm_eps(mood_node *const *in)
{
    return mood_layer_norm(in[0], in[1], in[2], 1e-2f);
}

static mood_node *group_norm_1(mood_node *const *in)
{
    return mood_group_norm(in[0], in[1], in[2], 1, 0);
}

static mood_node *group_norm_2(mood_node *const *in)
{
    return mood_group_norm(in[0], in[1], in[2], 2, 0);
}

static mood_node *group_norm_3(mood_node *const *in)
{
    return mood_group_norm(in[0], in[1], in[2], 3, 0);
}

static mood_node *group_norm_5(mood_node *const *in)
{
    return mood_group_norm(in[0], in[1], in[2], 5, 0);
}

static mood_node *group_norm_eps(mood_node *const *in)
{
    return mood_group_norm(in[0], in[1], in[2], 2, 1e-2f);
}

/* ---- probabilities and losses ---- */

static mood_node *softmax(mood_node *const *in)
{
    return mood_softmax(in[0]);
}

static mood_node *log_softmax(mood_node *const *in)
{
    return mood_log_softmax(in[0]);
}

static mood_node *attention_1(mood_node *const *in)
{
    return mood_attention(in[0], in[1], in[2], 1);
}

static mood_node *attention_2(mood_node *const *in)
{
    return mood_attention(in[0], in[1], in[2], 2);
}

static mood_node *attention_3(mood_node *const *in)
{
    return mood_attention(in[0], in[1], in[2], 3);
}

static mood_node *mse(mood_node *const *in)
{
    return mood_mse(in[0], in[1]);
}

static const float class_weights[] = {1.0f, 2.0f, 0.5f, 0.25f, 3.0f};

static mood_node *cross_entropy(mood_node *const *in)
{
    return mood_cross_entropy(in[0], in[1], NULL);
}

static mood_node *cross_entropy_weights(mood_node *const *in)
{
    return mood_cross_entropy(in[0], in[1],
                              &(mood_cross_entropy_params){.class_weights = class_weights});
}

static mood_node *cross_entropy_smooth(mood_node *const *in)
{
    return mood_cross_entropy(in[0], in[1], &(mood_cross_entropy_params){.label_smoothing = 0.1f});
}

static mood_node *cross_entropy_both(mood_node *const *in)
{
    return mood_cross_entropy(
        in[0], in[1],
        &(mood_cross_entropy_params){.class_weights = class_weights, .label_smoothing = 0.25f});
}

/* clang-format off */
const struct op_case layer_cases[] = {
    TRUTH("matmul", "matmul", "xw", matmul, BOTH_MODES),
    TRUTH("matmul.batch", "matmul", "xx", matmul, BOTH_MODES),
    TRUTH("matmul.shared", "matmul", "xw", matmul, BOTH_MODES),
    TRUTH("matmul.ta", "matmul", "xx", matmul_ta, BOTH_MODES),
    TRUTH("matmul.tb", "matmul", "xw", matmul_tb, BOTH_MODES),
    TRUTH("matmul.tab", "matmul", "xx", matmul_tab, BOTH_MODES),
    TRUTH("matmul.row", "matmul", "xw", matmul, BOTH_MODES),
    MANNERS("matmul", "xx", matmul_tb, "4x149x64 4x131x64", BOTH_MODES),
    TRUTH("dense", "dense", "xww", dense, BOTH_MODES),
    TRUTH("dense.nobias", "dense", "xw", dense_nobias, BOTH_MODES),
    TRUTH("dense.tails", "dense", "xww", dense, BOTH_MODES),
    MANNERS("dense", "xww", dense, "32x11328 11328x48 48", BOTH_MODES),
    MANNERS("dense", "xww", dense, "4x149x96 96x131 131", BOTH_MODES),

    TRUTH("conv1d.same", "conv1d", "xww", conv1d_same, BOTH_MODES),
    TRUTH("conv1d.point", "conv1d", "xww", conv1d, BOTH_MODES),
    TRUTH("conv1d.stride", "conv1d", "xww", conv1d_stride, BOTH_MODES),
    TRUTH("conv1d.wave", "conv1d", "xww", conv1d_wave, BOTH_MODES),
    TRUTH("conv1d.gaps", "conv1d", "xww", conv1d_gaps, BOTH_MODES),
    TRUTH("conv1d.groups", "conv1d", "xww", conv1d_groups, BOTH_MODES),
    TRUTH("conv1d.positional", "conv1d", "xww", conv1d_positional, BOTH_MODES),
    TRUTH("conv1d.depthwise", "conv1d", "xww", conv1d_depthwise, BOTH_MODES),
    TRUTH("conv1d.groupstride", "conv1d", "xww", conv1d_groupstride, BOTH_MODES),
    TRUTH("conv1d.wide", "conv1d", "xww", conv1d_wide, BOTH_MODES),
    TRUTH("conv1d.winograd", "conv1d", "xww", conv1d_same, BOTH_MODES),
    TRUTH("conv1d.nobias", "conv1d", "xw", conv1d_nobias, BOTH_MODES),
    MANNERS("conv1d", "xww", conv1d_same, "8x149x96 3x96x64 64", BOTH_MODES),
    MANNERS("conv1d", "xww", conv1d_positional, "3x149x64 16x16x64 64", BOTH_MODES),
    MANNERS("conv1d", "xww", conv1d_wave, "3x4000x1 10x1x64 64", BOTH_MODES),
    TRUTH("conv2d.same", "conv2d", "xww", conv2d_same, BOTH_MODES),
    TRUTH("conv2d.one", "conv2d", "xww", conv2d_same, BOTH_MODES),
    TRUTH("conv2d.winograd", "conv2d", "xww", conv2d_same, BOTH_MODES),
    TRUTH("conv2d.point", "conv2d", "xww", conv2d, BOTH_MODES),
    TRUTH("conv2d.oblong", "conv2d", "xww", conv2d_oblong, BOTH_MODES),
    TRUTH("conv2d.gaps", "conv2d", "xww", conv2d_gaps, BOTH_MODES),
    TRUTH("conv2d.nobias", "conv2d", "xw", conv2d_nobias, BOTH_MODES),
    MANNERS("conv2d", "xww", conv2d_same, "5x64x94x1 3x3x1x32 32", BOTH_MODES),
    MANNERS("conv2d", "xww", conv2d_same, "3x32x47x32 3x3x32x24 24", BOTH_MODES),
    TRUTH("max_pool1d.2", "max_pool1d", "x", max_pool1d_2, BOTH_MODES),
    TRUTH("max_pool1d.3", "max_pool1d", "x", max_pool1d_3, BOTH_MODES),
    MANNERS("max_pool1d", "x", max_pool1d_2, "8x149x64", BOTH_MODES),
    TRUTH("max_pool2d.2x2", "max_pool2d", "x", max_pool2d_2x2, BOTH_MODES),
    TRUTH("max_pool2d.1x3", "max_pool2d", "x", max_pool2d_1x3, BOTH_MODES),
    MANNERS("max_pool2d", "x", max_pool2d_2x2, "5x33x47x19", BOTH_MODES),

    TRUTH("batch_norm.train", "batch_norm", "xwwss", batch_norm, TRAINING),
    TRUTH("batch_norm.plane", "batch_norm", "xwwss", batch_norm, TRAINING),
    TRUTH("batch_norm.settings", "batch_norm", "xwwss", batch_norm_settings, TRAINING),
    TRUTH("batch_norm.relu", "batch_norm", "xwwss", batch_norm_relu, TRAINING),
    TRUTH("batch_norm.infer", "batch_norm", "xwwss", batch_norm, INFERENCE),
    TRUTH("batch_norm.infer_relu", "batch_norm", "xwwss", batch_norm_infer_relu, INFERENCE),
    MANNERS("batch_norm", "xwwss", batch_norm, "8x149x65 65 65 65 65", BOTH_MODES),
    MANNERS("batch_norm", "xwwss", batch_norm_relu, "3x64x94x32 32 32 32 32", BOTH_MODES),
    TRUTH("layer_norm", "layer_norm", "xww", layer_norm, BOTH_MODES),
    TRUTH("layer_norm.eps", "layer_norm", "xww", layer_norm_eps, BOTH_MODES),
    MANNERS("layer_norm", "xww", layer_norm, "3x149x97 97 97", BOTH_MODES),
    TRUTH("group_norm.1d", "group_norm", "xww", group_norm_3, BOTH_MODES),
    TRUTH("group_norm.2d", "group_norm", "xww", group_norm_2, BOTH_MODES),
    TRUTH("group_norm.one", "group_norm", "xww", group_norm_1, BOTH_MODES),
    TRUTH("group_norm.channel", "group_norm", "xww", group_norm_5, BOTH_MODES),
    TRUTH("group_norm.eps", "group_norm", "xww", group_norm_eps, BOTH_MODES),
    MANNERS("group_norm", "xww", group_norm_2, "5x149x66 66 66", BOTH_MODES),

    TRUTH("softmax", "softmax", "x", softmax, BOTH_MODES),
    TRUTH("softmax.far", "softmax", "x", softmax, BOTH_MODES),
    MANNERS("softmax", "x", softmax, "331x149", BOTH_MODES),
    TRUTH("log_softmax", "log_softmax", "x", log_softmax, BOTH_MODES),
    TRUTH("log_softmax.far", "log_softmax", "x", log_softmax, BOTH_MODES),
    MANNERS("log_softmax", "x", log_softmax, "331x149", BOTH_MODES),
    TRUTH("attention", "attention", "xxx", attention_2, BOTH_MODES),
    TRUTH("attention.one", "attention", "xxx", attention_1, BOTH_MODES),
    TRUTH("attention.cross", "attention", "xxx", attention_3, BOTH_MODES),
    TRUTH("attention.long", "attention", "xxx", attention_2, BOTH_MODES),
    TRUTH("attention.sharp", "attention", "xxx", attention_2, BOTH_MODES),
    MANNERS("attention", "xxx", attention_2, "3x149x32 3x149x32 3x149x32", BOTH_MODES),

    TRUTH("mse", "mse", "xx", mse, BOTH_MODES),
    MANNERS("mse", "xx", mse, "331x199 331x199", BOTH_MODES),
    TRUTH("cross_entropy", "cross_entropy", "xl", cross_entropy, BOTH_MODES),
    TRUTH("cross_entropy.weights", "cross_entropy", "xl", cross_entropy_weights, BOTH_MODES),
    TRUTH("cross_entropy.smooth", "cross_entropy", "xl", cross_entropy_smooth, BOTH_MODES),
    TRUTH("cross_entropy.both", "cross_entropy", "xl", cross_entropy_both, BOTH_MODES),
    TRUTH("cross_entropy.rows", "cross_entropy", "xl", cross_entropy, BOTH_MODES),
    TRUTH("cross_entropy.far", "cross_entropy", "xl", cross_entropy, BOTH_MODES),
    MANNERS("cross_entropy", "xl", cross_entropy_both, "4001x5 4001", BOTH_MODES),
};
/* clang-format on */

const int n_layer_cases = (int)(sizeof(layer_cases) / sizeof(layer_cases[0]));
