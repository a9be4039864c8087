/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The <cell>s of a domain of libvirt, which are its virtual nodes, while its XML
 * is read. */
#ifndef DOMAIN_CELLS_H
#define DOMAIN_CELLS_H

#include <stdio.h>

#include "cells.h"
#include "text/xml.h"

#define DOMAIN_CELLS_MAX XLN_MAX_NODES

/* One cell. Elements may come in any order, so their values are kept here. */
struct domain_cell {
    bool given;
    uint64_t bytes;
    char *cpus;                 /* its vCPUs; NULL: none */
    char *nodes;                /* of its <memnode>; NULL: none */
    uint8_t *distances;         /* [DOMAIN_CELLS_MAX], 0: not given; NULL */
};

struct domain_cells {
    unsigned nr;                /* that are given */
    unsigned last;              /* the one that is being read */
    struct domain_cell *list;   /* [DOMAIN_CELLS_MAX]; NULL: none */
};

/* Each at the begin of its element. 0, -ENOMEM, or -EINVAL: it is refused. */
int domain_cells_begin(struct domain_cells *d, struct xln__xml *xml);
int domain_cells_sibling(struct domain_cells *d, struct xln__xml *xml);
int domain_cells_memnode(struct domain_cells *d, struct xln__xml *xml);

/*
 * Make cells of what was read. NULL in *cells_r: it has none. 0, -ENOMEM, or
 * -EINVAL with a malloc'd line in *error_r.
 */
int domain_cells_make(const struct domain_cells *d, struct cells **cells_r,
                      char **error_r);

/* Print the nodes of each cell, as a key for libvirt's module. xl does not
 * have this key. 0 or -ENOMEM. */
int domain_cells_print(const struct cells *cells, FILE *f);

void domain_cells_dispose(struct domain_cells *d);

#endif /* DOMAIN_CELLS_H */
