/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The virtual nodes of a domain that libvirt saves or sends. libvirt's XML has
 * their sizes, and nothing of their ranges, so they go before libxl's own stream,
 * as the text of vnuma_record.h:
 *
 *     virsh save v FILE
 *       libvirt                  its header, and the domain's XML
 *       libxl_domain_suspend     a header like libxl's, "libxl-numa vnodes SIZE\n",
 *                                the text, and then what libxl writes
 *
 * Where there is no module in front of libxl, libxl-save-helper refuses a stream
 * that begins so. It would place the memory of all virtual nodes together, while
 * the guest still sees separate nodes.
 */
#ifndef STREAM_VNODES_H
#define STREAM_VNODES_H

#include "placement/vnuma_record.h"

/* -E2BIG, -ENOMEM, or the -errno of write(). */
int stream_put_vnodes(int fd, const struct vnuma_record *record);

/*
 * Take the text, to be freed, from the stream; what follows it is libxl's. NULL:
 * there is none, and nothing was taken. -EINVAL: it is cut off; -ENOMEM, or the
 * -errno of read().
 */
int stream_take_vnodes(int fd, char **text_r);

#endif /* STREAM_VNODES_H */
