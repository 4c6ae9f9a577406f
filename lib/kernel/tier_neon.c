/* SPDX-License-Identifier: MIT
 *
 * tier_neon.c — The kernels for the vectors that every AArch64 processor has. The compiler uses
 * them in tier_c.c too, but for the products (tile.h). */
#ifndef __ARM_NEON
#error "tier_neon.c is for AArch64"
#endif
#define TIER_NEON
#define TIER_TABLE mood__kernels_neon
#include "kernel/loops.h"
