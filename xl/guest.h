/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running domain that a command is about: what it is, on its host, and
 * where its memory is, as far as that is known.
 */
#ifndef GUEST_H
#define GUEST_H

#include "cmd.h"

struct guest {
    uint32_t domid;
    char *name;                         /* for messages; its number if it has
                                         * none */
    struct xln_host *host;
    struct xln_domains *domains;        /* of one */
    const struct xln_domain *domain;    /* it */
    const struct xln_cpumap *pool_cpus; /* of its cpupool */
    /* What it got on each node of the host when it was built; NULL: that was
     * not recorded. */
    uint64_t *bytes;
    uint64_t total_bytes;               /* of these */
    struct xln_nodemap *first_nodes;    /* its node affinity at guest_open() */
};

/* Reads the domain called `word` and its host. False: said why not. */
bool guest_open(struct cmd_line *line, const char *word, struct guest *guest);
void guest_close(struct guest *guest);

/* Read the domain anew, after a change. False: it has gone, or can't be read;
 * nothing was said. */
bool guest_refresh(const struct cmd_line *line, struct guest *guest);

/* Of what it got when it was built, what is outside `nodes`. */
uint64_t guest_bytes_outside(const struct guest *guest,
                             const struct xln_nodemap *nodes);

/* "80 MiB on node 0, 80 MiB on node 2": of what is outside `nodes` (NULL: of
 * all). */
void guest_print_bytes(const struct guest *guest,
                       const struct xln_nodemap *nodes, FILE *f);

/* One line on stderr if memory is on other nodes than the CPUs that the vCPUs
 * may use. What is not recorded is taken to be where node affinity first sent
 * it. */
void guest_warn_remote(const struct guest *guest);

/* Why xln_vcpu_pin() or xln_domain_set_nodes() failed, as the end of a line. */
const char *guest_reason(int rc);

#endif /* GUEST_H */
