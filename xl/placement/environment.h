/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The variables by which xl and its module pass information to each other. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

/* A string with our version, by which our module and our xl are recognized. */
#define MODULE_RELEASE_SYMBOL "xl_placement_release"

/* Set for the installed xl when its create is a dry run. */
#define MODULE_DRY_RUN "XL_NUMA_DRY_RUN"

/* Set for the installed xl to the nodes that a plan has for the domain that it
 * is to create: they hold for this one create. */
#define MODULE_NODES "XL_NUMA_NODES"

/* Set to the process id of our xl around its exec. An xl that starts with its
 * own process id in it is being called in a circle. */
#define MODULE_GUARD "XL_NUMA_EXEC"

/* Set for the installed xl when its migrate shall not be live: the domain is
 * paused while it is copied. */
#define MODULE_PAUSED "XL_NUMA_PAUSED"

/* Set for the installed xl whose command saves a domain or sends it on: it
 * locks the domain, see move_journal.h. */
#define MODULE_SENDS "XL_NUMA_SENDS"

/* Set for the installed xl that migrates a domain for numa-move: the
 * descriptor that holds the domain's lock; and what the copy is to have, as
 * keep_format() gives it. */
#define MODULE_MOVE "XL_NUMA_MOVE"
#define MODULE_MOVE_KEEP "XL_NUMA_MOVE_KEEP"

/* Set for the installed xl whose create makes nothing, but waits for this
 * domain in the background, to make it anew when it reboots. */
#define MODULE_ADOPT "XL_NUMA_ADOPT"

/* Set while a domain is restored: which libxl-save-helper ours shall become.
 * Not set: the one that the libxl of its parent would start. */
#define MODULE_SAVE_HELPER "XL_NUMA_SAVE_HELPER"

#endif /* ENVIRONMENT_H */
