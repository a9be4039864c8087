/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advice that is carried out: one move after the other, within limits. */
#ifndef APPLY_H
#define APPLY_H

#include "migration.h"

struct apply_limits {
    uint64_t most_bytes;        /* that are copied in all; UINT64_MAX: any */
    struct move_terms terms;    /* of each move */
};

/*
 * Make the first move of the advice, look at the host again, and so on, until
 * no move is left that helps and is within the limits. A domain is tried once.
 * In a dry run print the moves; `self` is not used then. Gives the exit code.
 */
int apply_advice(struct cmd_line *line, const struct apply_limits *limits,
                 struct supervised *self);

#endif /* APPLY_H */
