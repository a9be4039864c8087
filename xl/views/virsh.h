/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Print what libvirt's virsh prints about a host, in the same form, for scripts
 * that read it. virsh ends some of these with an empty line, and so does this.
 */
#ifndef VIRSH_H
#define VIRSH_H

#include <stdio.h>

#include "libxl_numa.h"

/* virsh freecell; virsh freecell NODE; virsh freecell --all. */
int virsh_print_free(const struct xln_host *host, FILE *f);
int virsh_print_free_of_node(const struct xln_host *host, unsigned node,
                             FILE *f);
int virsh_print_free_of_all(const struct xln_host *host, FILE *f);

/* virsh nodeinfo; `model` is the machine's name as uname() has it. */
int virsh_print_nodeinfo(const xc_physinfo_t *info, const char *model,
                         FILE *f);

/* The <topology> element of virsh capabilities. */
int virsh_print_topology(const struct xln_host *host, FILE *f);

#endif /* VIRSH_H */
