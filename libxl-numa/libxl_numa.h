/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl-numa: NUMA placement for Xen domains.
 *
 *      request            host            plain values, never changed once made
 *            \            /
 *             place --> plan            same input, same plan, always
 *
 * Include this file. It consists of these parts:
 *
 *     libxl_numa/bitmap.h     sets of CPUs and of nodes
 *     libxl_numa/host.h       hosts, the load of their CPUs, taken cores
 *     libxl_numa/request.h    policies, requests, what a domain needs
 *     libxl_numa/place.h      plans, candidates, virtual nodes, affinities
 *     libxl_numa/domain.h     running domains, reservations, residency
 *     libxl_numa/snapshot.h   a host with its domains, from Xen or from a file
 *
 * libxl_numa_foreign.h, which is not part of it, belongs to a second library,
 * libxl-numa-foreign: it reads the host descriptions of hwloc and libvirt.
 *
 * Conventions for all functions:
 *
 *  - Sizes are uint64_t bytes. CPU and node numbers are the hypervisor's own,
 *    as `xl info -n` prints them. Distances are ACPI SLIT values (local: 10).
 *  - A function that can fail returns 0 or a negative errno value. It writes
 *    its results through parameters whose names end in `_r`, and only if it
 *    succeeds, unless its comment says otherwise.
 *  - The caller owns what a function allocates, and frees it with the function
 *    that the comment names. Every `free` function accepts NULL. A `const`
 *    pointer that an accessor returns is borrowed: it stays valid as long as
 *    the object that it belongs to. No function takes ownership of a parameter.
 *  - No parameter may be NULL unless its comment allows it.
 *  - Hosts and plans do not change after they are returned, so threads may
 *    share them. Two threads must not use any other object at the same time.
 *  - The library has no state, prints nothing and never exits.
 *
 * Comments for functions have a fixed order: what the function does; each
 * parameter, with its unit and range; the result, with each errno value;
 * the version that introduced the function.
 *
 * Compatibility. The structures below are of two kinds:
 *
 *  - Those that end in `reserved` may grow: struct xln_request, xln_need,
 *    xln_plan, xln_candidate, xln_domain, xln_snapshot and
 *    xln_snapshot_domain. A new member takes room from `reserved`, and 0 means
 *    what it meant before. So neither sizes nor offsets change, and a program
 *    works with an older library and with a newer one. A program must set
 *    `reserved` to 0, which `= { 0 }` and designated initialisers do, and must
 *    not use it. xln_place() fails with -EINVAL if it is not 0: the program
 *    uses a member that this library does not know.
 *  - The others are complete and do not change.
 *
 * The structures without members here can only be used through functions.
 */
#ifndef LIBXL_NUMA_H
#define LIBXL_NUMA_H

#include <libxl_numa/bitmap.h>
#include <libxl_numa/host.h>
#include <libxl_numa/request.h>
#include <libxl_numa/place.h>
#include <libxl_numa/domain.h>
#include <libxl_numa/snapshot.h>

#endif /* LIBXL_NUMA_H */
