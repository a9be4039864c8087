/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings of a running domain that are not in its configuration: its cpupool,
 * and the CPUs that its vCPUs are bound to. A copy of the domain, which is
 * built from the configuration, gets them too.
 */
#ifndef CARRY_H
#define CARRY_H

#include "guest.h"

/*
 * Note it in `keep`. Hard affinities that follow from the nodes of the domain
 * (nodes_cpus "hard", "core" and "thread") are not noted: those of the copy
 * follow from its own. 0 or -errno.
 */
int carry_note(struct cmd_line *line, const struct guest *guest,
               struct keep *keep);

/* Whether a vCPU could then use a CPU of `nodes`; NULL: of any. False: said
 * that all are bound elsewhere, and what to type. */
bool carry_check(const struct guest *guest, const struct keep *keep,
                 const struct xln_nodemap *nodes);

#endif /* CARRY_H */
