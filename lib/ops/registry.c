/* SPDX-License-Identifier: MIT
 *
 * registry.c — The array of all ops. */
#include "ops/op_list.h"

#define OP_POINTER(name) &mood__op_##name,
const struct mood__op *const mood__ops[] = {MOOD__OP_LIST(OP_POINTER)};
#undef OP_POINTER

const int mood__n_ops = (int)(sizeof(mood__ops) / sizeof(mood__ops[0]));
