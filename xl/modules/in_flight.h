/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The creates in flight of this process, for a module that is loaded into xl or
 * libvirtd.
 */
#ifndef IN_FLIGHT_H
#define IN_FLIGHT_H

#include <stdbool.h>

#include "placement/placement.h"

struct create;

/* Takes over `p`. NULL: there is no memory, and `p` was ended. */
struct create *inflight_enter(struct placement *p);

/* Gives the placement back. */
struct placement *inflight_leave(struct create *create);

/* Whether a domain is being made. */
bool inflight_any(void);

/* The first placement that `makes` what is asked for; NULL: none does. It is
 * borrowed from the create, which is still running. */
struct placement *inflight_find(bool (*makes)(const struct placement *p,
                                              const void *what),
                                const void *what);

#endif /* IN_FLIGHT_H */
