/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes are in bytes. These units are for other programs' sizes, and for what
 * people read. */
#ifndef XLN_UNITS_H
#define XLN_UNITS_H

#include <stdint.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Of x86 and of Arm as Xen runs on it. */
#define PAGE_SHIFT 12
#define PAGE_BYTES (UINT64_C(1) << PAGE_SHIFT)

/* More than any x86 physical address can reach. */
#define MEMORY_MAX_BYTES (UINT64_C(1) << 52)

/* Whole MiB, rounded down, as people read them. */
#define IN_MIB(bytes) ((bytes) / MIB)

#endif /* XLN_UNITS_H */
