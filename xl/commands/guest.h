/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running domain that a command is about, its host, and the nodes of its
 * memory, if these are known.
 */
#ifndef GUEST_H
#define GUEST_H

#include "cmd.h"
#include "placement/keep.h"

struct guest {
    uint32_t domid;
    char *name;                         /* for messages; its number if it has
                                         * none */
    struct xln_host *host;
    struct xln_domains *domains;        /* of one */
    const struct xln_domain *domain;    /* it */
    const struct xln_cpumap *pool_cpus; /* of its cpupool */
    /* The memory that it got on each node of the host when it was built; NULL:
     * that was not recorded. */
    uint64_t *bytes;
    uint64_t total_bytes;               /* of these */
    struct xln_nodemap *first_nodes;    /* its node affinity at guest_open() */
};

/* Reads the domain called `word` and its host. False: it printed why. */
bool guest_open(struct cmd_line *line, const char *word, struct guest *guest);
void guest_close(struct guest *guest);

/* Read the domain anew, after a change. -ESRCH: it has ended, or is about to;
 * or why it cannot be read. Prints nothing. */
int guest_refresh(const struct cmd_line *line, struct guest *guest);

/* The memory that it got outside `nodes` when it was built. */
uint64_t guest_bytes_outside(const struct guest *guest,
                             const struct xln_nodemap *nodes);

/* "80 MiB on node 0, 80 MiB on node 2": of what is outside `nodes` (NULL: of
 * all). */
void guest_print_bytes(const struct guest *guest,
                       const struct xln_nodemap *nodes, FILE *f);

/* Print one line on stderr if memory is on other nodes than the CPUs that the
 * vCPUs may use. Memory without a record is assumed to be where node affinity
 * first sent it. */
void guest_warn_remote(const struct guest *guest);

/* Whether something of it can be kept at all. False: it printed why. A warning
 * says that it will not hold at the next reboot. */
bool guest_can_keep(const struct cmd_line *line, const struct guest *guest);

/* For each change with `--keep`: note it in `keep`. 0 or -errno. */
typedef int guest_note_fn(struct keep *keep, const struct guest *guest,
                          const void *what);

/* Keep what `note` notes, in addition to what is kept already. False: printed
 * why not. */
bool guest_keep(const struct cmd_line *line, const struct guest *guest,
                guest_note_fn *note, const void *what);

/* Note the cpupool that it is in. One without a name, as it goes away, is not
 * noted. */
int guest_note_pool(const struct cmd_line *line, const struct guest *guest,
                    struct keep *keep);

/* Note the affinities of one vCPU; NULL: the kept one stays. */
int guest_note_vcpu(struct keep *keep, unsigned vcpu,
                    const struct xln_cpumap *hard,
                    const struct xln_cpumap *soft);

/* Why xln_vcpu_pin() or xln_domain_set_nodes() failed, as the end of a line. */
const char *guest_reason(int rc);

#endif /* GUEST_H */
