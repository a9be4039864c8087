/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Move the memory of a running domain to other nodes. Xen cannot move single
 * pages, so the domain migrates to the host that it is on, with a request for
 * these nodes.
 */
#ifndef MOVE_DOMAIN_H
#define MOVE_DOMAIN_H

#include "migration.h"

/*
 * Move the domain called `word` to `nodes` ("auto", a list, or VNODE:NODE); in
 * a dry run print what that would do. What a dead move left of the domain is
 * repaired first. What came of it is printed. Gives the exit code.
 */
int move_domain(struct cmd_line *line, const char *word, const char *nodes,
                const struct move_terms *terms, struct supervised *self);

#endif /* MOVE_DOMAIN_H */
