/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NODES|auto, as commands for a running host take it. */
#ifndef NODE_LIST_H
#define NODE_LIST_H

#include "cmd.h"

/*
 * Reads "0-3,^2", "all" or "auto", for which *nodes_r is NULL. All of them are
 * nodes of the host, and there is one at least. False: it printed why.
 */
bool nodes_read(const struct xln_host *host, const char *text,
                struct xln_nodemap **nodes_r);

#endif /* NODE_LIST_H */
