/* SPDX-License-Identifier: MIT
 *
 * i8_c.c — 8-bit products in portable C: the specification of all others. */
#include "kernel/i8_loops.h"
