/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A size of memory as the XML of libvirt has it: a number, and a unit. */
#ifndef XLN_XML_MEMORY_H
#define XLN_XML_MEMORY_H

#include <stdint.h>

#include "xml.h"

/* In begin() only: the bytes of unit=, KiB where there is none. -EINVAL: it is
 * refused. */
int xln__xml_memory_unit(struct xln__xml *xml, uint64_t *bytes_r);

/* `text`, a number of that unit, rounded up to whole `step` bytes. -EINVAL: it is
 * refused. */
int xln__xml_memory_size(struct xln__xml *xml, const char *text,
                         uint64_t unit_bytes, uint64_t step, uint64_t *bytes_r);

#endif /* XLN_XML_MEMORY_H */
