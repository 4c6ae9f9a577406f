/* SPDX-License-Identifier: MIT
 *
 * op_list.h — Every op, once. The declarations below and the array in registry.c are made from it,
 * and the tests walk it: an op without a test case fails the suite. */
#ifndef MOOD_OPS_OP_LIST_H
#define MOOD_OPS_OP_LIST_H

#include "graph/node.h"

#define MOOD__OP_LIST(X)                                                                           \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(scale)                                                                                       \
    X(clamp)                                                                                       \
    X(exp)                                                                                         \
    X(log)                                                                                         \
    X(tanh)                                                                                        \
    X(sigmoid)                                                                                     \
    X(relu)                                                                                        \
    X(gelu)                                                                                        \
    X(dropout)                                                                                     \
    X(reshape)                                                                                     \
    X(transpose)                                                                                   \
    X(slice)                                                                                       \
    X(concat)                                                                                      \
    X(sum)                                                                                         \
    X(mean)                                                                                        \
    X(global_avg_pool)                                                                             \
    X(matmul)                                                                                      \
    X(dense)                                                                                       \
    X(conv1d)                                                                                      \
    X(conv2d)                                                                                      \
    X(max_pool1d)                                                                                  \
    X(max_pool2d)                                                                                  \
    X(batch_norm)                                                                                  \
    X(layer_norm)                                                                                  \
    X(group_norm)                                                                                  \
    X(softmax)                                                                                     \
    X(log_softmax)                                                                                 \
    X(attention)                                                                                   \
    X(mse)                                                                                         \
    X(cross_entropy)

#define MOOD__OP_DECLARE(name) extern const struct mood__op mood__op_##name;
MOOD__OP_LIST(MOOD__OP_DECLARE)
#undef MOOD__OP_DECLARE

/* All ops, in the order of the list. */
extern const struct mood__op *const mood__ops[];
extern const int mood__n_ops;

#endif
