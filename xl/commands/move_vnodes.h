/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The virtual nodes of a domain that is moved. */
#ifndef MOVE_VNODES_H
#define MOVE_VNODES_H

#include "guest.h"
#include "placement/keep.h"
#include "placement/placement.h"

/* Whether NODES of the command line is VNODE:NODE[,...]. */
bool move_vnodes_given(const char *word);

/* Read that: the nodes of all virtual nodes go to `keep`, and each of them to
 * *nodes_r, to be freed. False: it printed why. */
bool move_vnodes_read(const struct cmd_line *line, const struct guest *guest,
                      const char *word, struct keep *keep,
                      struct xln_nodemap **nodes_r);

/* Give a placement that plans the copy the virtual nodes that it will have.
 * 0, -errno. */
int move_vnodes_plan(const struct cmd_line *line, const struct guest *guest,
                     const struct keep *keep, struct placement *p);

/* Whether each virtual node is where `keep` has it. False: it printed which is
 * not. */
bool move_vnodes_check(const struct guest *guest, const struct keep *keep,
                       const struct xln_vnuma *vnuma);

#endif /* MOVE_VNODES_H */
