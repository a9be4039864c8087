/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copy with no more than a share of a CPU: the process that reads the domain's
 * memory is stopped while it has used more. */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct throttle {
    double share;               /* share of one CPU; 0: no limit */
    pid_t session;              /* of the processes that copy, this one too */
    uint32_t domid;

    /* private; 0 at first */
    bool has_begun;
    double began_s, used_s;     /* by then */
    pid_t held;                 /* that is stopped; 0: none */
    double held_s;              /* since then */
};

/* Call it about once a second, because it reads all processes. `now_s`: from a
 * clock that only goes forward. */
void throttle_look(struct throttle *t, double now_s);

/* Nothing is held any more, as while the domain is suspended. */
void throttle_release(struct throttle *t);

#endif /* THROTTLE_H */
