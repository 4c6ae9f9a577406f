/* SPDX-License-Identifier: MIT
 *
 * tier_c.c — The kernels compiled for the build's baseline: the specification of all others. */
#define TIER_TABLE mood__kernels_c
#include "kernel/loops.h"
