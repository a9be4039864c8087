/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The virtual nodes of a domain that is saved or migrated. Xen's stream does
 * not have them, so they travel in the configuration's xsdata, as numa/vnodes.
 * The restore sets them in Xen before it allocates memory. Bytes are in
 * hexadecimal, and the end of a range does not belong to it:
 *
 *     vcpus=0-1 memory=0-9600000 distances=10,21 node=1;
 *     vcpus=2 memory=9600000-12e00000,100000000-140000000 distances=21,10
 */
#ifndef VNUMA_RECORD_H
#define VNUMA_RECORD_H

#include <libxl.h>
#include <xenctrl.h>

#include <libxl_numa.h>

#include "cells.h"

/* As many as Xen stores in one page. */
#define VNUMA_RANGES_MAX 170

struct vnuma_record {
    unsigned nr_vnodes, nr_ranges, nr_vcpus;
    xen_vmemrange_t *ranges;
    unsigned *distances;        /* [nr_vnodes * nr_vnodes] */
    unsigned *vnodes;           /* of each vCPU */
    unsigned *nodes;            /* where each is to be; XLN_NONE: anywhere */
};

/* One of which nothing is known; NULL: no memory. */
struct vnuma_record *vnuma_record_new(unsigned nr_vnodes, unsigned nr_ranges,
                                      unsigned nr_vcpus);

/* What Xen has of a domain. -ENOENT: it has no virtual nodes; -EINVAL: more
 * than Xen allows; -ENOMEM; or what the hypercall says. */
int vnuma_record_read(xc_interface *xch, uint32_t domid,
                      struct vnuma_record **record_r);

/* Give them to a domain, on these host nodes. */
int vnuma_record_set(xc_interface *xch, uint32_t domid,
                     const struct vnuma_record *record,
                     const unsigned *node_of);

/* The text, to be freed, and back. -EINVAL: it is not of our form, or no domain
 * could have such virtual nodes, and *error_r is a malloc'd line; -ENOMEM. */
int vnuma_record_format(const struct vnuma_record *record, char **text_r);
int vnuma_record_parse(const char *text, struct vnuma_record **record_r,
                       char **error_r);

/* Put it, or its malloc'd text, which is then the configuration's, into xsdata that
 * has none; or take it out. NULL in *record_r: there is none. It is taken out also
 * if it is refused. */
int vnuma_record_put(const struct vnuma_record *record,
                     libxl_key_value_list *xsdata);
int vnuma_record_put_text(char *text, libxl_key_value_list *xsdata);
int vnuma_record_take(libxl_key_value_list *xsdata,
                      struct vnuma_record **record_r, char **error_r);

/* Whether a domain of this configuration can have them. -EINVAL, and a malloc'd
 * line in *error_r; or -ENOMEM. */
int vnuma_record_check(const struct vnuma_record *record,
                       const libxl_domain_config *config, char **error_r);

/* The same as cells. The first has what is in no range too, of the domain's
 * `memory_bytes`. */
int vnuma_record_cells(const struct vnuma_record *record,
                       uint64_t memory_bytes, struct cells **cells_r);

void vnuma_record_free(struct vnuma_record *record);

#endif /* VNUMA_RECORD_H */
