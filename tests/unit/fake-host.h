/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hypervisor made from a description of a host: what it has is asked through
 * libxenctrl's functions, its memory is granted as Xen grants it, and domains
 * can be added. It stands in for libxenctrl, libxenstore and what of libxenlight
 * needs them, so that a create runs in a test on any host in a file.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>

#include <libxl_numa.h>

/* From now on this is the host, as it is in the snapshot; it is borrowed.
 * `defaults` is the text of its xl-numa.conf. */
void fake_host_begin(const struct xln_snapshot *snapshot, const char *defaults);

/* A new domain without memory, in place of the last one. */
void fake_host_add(uint32_t domid, const uint8_t uuid[16]);

/* xc_domain_populate_physmap(). */
int fake_host_populate(xc_interface *xch, uint32_t domid, unsigned long nr,
                       unsigned order, unsigned mem_flags,
                       xen_pfn_t *extents);

/* libxl_domain_need_memory(). */
__typeof__(libxl_domain_need_memory) fake_host_need_memory;

/* xs_write(). */
bool fake_host_write(struct xs_handle *h, xs_transaction_t t, const char *path,
                     const void *data, unsigned int len);

/* The nodes of its record in xenstore, "0-1"; NULL: it has none. */
const char *fake_host_recorded(void);

/* The cpupool of the new domain. */
unsigned fake_host_pool(void);

/* How often the host was read, and the file of its defaults. */
unsigned fake_host_nr_reads(void);
unsigned fake_host_nr_defaults(void);

#endif /* FAKE_HOST_H */
