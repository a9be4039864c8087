/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a move would do, for a dry run. */
#ifndef MOVE_PREVIEW_H
#define MOVE_PREVIEW_H

#include "guest.h"

/* How long a domain is suspended. */
struct move_pause {
    double rate_mib_s;          /* that memory is copied with; 0: unknown */
    double least_s, most_s;     /* it writes nothing meanwhile, or to all of
                                 * its memory; the same: it is not live */
};

/* An estimate for this host, from what a pipe carries. */
void move_pause_estimate(uint64_t bytes, bool live, struct move_pause *pause);

/*
 * The lines, to be freed: from where to where, how much, for how long the domain
 * would be suspended, what stays and what changes. `config`: of the copy, with
 * its plan in it; `to`: the nodes of that. 0 or -ENOMEM.
 */
int move_preview(const struct guest *guest, const struct xln_nodemap *to,
                 const libxl_domain_config *config, const struct keep *keep,
                 bool only_live, char **text_r);

#endif /* MOVE_PREVIEW_H */
