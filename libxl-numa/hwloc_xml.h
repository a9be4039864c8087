/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept of hwloc's XML, for the file that reads it (hwloc_xml.c) and the
 * one that makes a host of it (host_hwloc.c). */
#ifndef XLN_HWLOC_XML_H
#define XLN_HWLOC_XML_H

#include "host.h"
#include "text/xml.h"

#define HWLOC_MATRICES 16

/* The value that stands for the least latency of hwloc 1, "1.000000". */
#define LATENCY_LEAST 1000000

struct pu {
    bool exists;
    unsigned package, core;         /* counted as they come; XLN_NONE */
    unsigned package_os, core_os;   /* os_index, or XLN_NONE */
};

struct memory {
    unsigned os;                /* os_index */
    uint64_t bytes;
    bool special;               /* HBM and the like: second choice for CPUs */
    unsigned depth;
    unsigned within;            /* the number of the object that it is in */
    bool in_group;              /* which is a Group */
    bool has_objects;           /* it has objects in it, as in hwloc 1 */
    struct xln_cpumap *cpus;    /* local ones */
    unsigned nr_cpus;
};

struct matrix {
    unsigned nr;
    bool of_kernel;             /* by its name */
    unsigned depth;             /* hwloc 1: of what it is between; else 0 */
    unsigned nr_indexes;
    unsigned *indexes;          /* [nr]: os_index of a node */
    size_t nr_values;
    uint64_t *values;           /* [nr * nr], of whatever unit */
};

/* The values of the elements around one. */
struct level {
    unsigned package, package_os, core, core_os;
    struct memory *memory;
    unsigned object;            /* its number */
    bool is_group;
};

struct hwloc {
    struct xln__xml *xml;
    struct pu *pus;             /* [XLN_MAX_CPUS] */
    unsigned nr_pus;            /* one more than the largest */
    struct memory memories[XLN_MAX_NODES];
    unsigned nr_memories;
    uint64_t other_bytes;       /* on no NUMANode, as in hwloc 1 */
    unsigned nr_roots, nr_machines, nr_packages, nr_cores, nr_objects;
    struct xln_cpumap *allowed_cpus, *online_cpus;  /* NULL: all */
    struct xln_cpumap *allowed_nodes;   /* NULL: all */
    struct matrix matrices[HWLOC_MATRICES];
    unsigned nr_matrices;
    struct matrix *matrix;      /* the one that is being read, or NULL */
    struct level levels[XLN__XML_MAX_DEPTH + 1];
};

/* -EINVAL: with a malloc'd line in *error_r. */
int xln__hwloc_read(const char *text, size_t size, struct hwloc **hwloc_r,
                    char **error_r);
void xln__hwloc_free(struct hwloc *hwloc);

#endif /* XLN_HWLOC_XML_H */
