/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Find the libxl-save-helper that a libxl starts. libxl has the path compiled
 * in: Debian's is in /usr/lib/xen-RELEASE/bin, upstream's below /usr/local. It
 * is one string in the library, and this code searches the library for it. So
 * it is the path of the libxl that runs, not of the one that this was built
 * with.
 */
#ifndef HELPER_PATH_H
#define HELPER_PATH_H

#include <sys/types.h>

/*
 * The helper of the libxl in the file `libxl`; if that does not tell, the one
 * of the libxl that this was built with. *path_r is to be freed. -ENOENT: it is
 * not there, or not to be run; or -ENOMEM.
 */
int helper_path_of(const char *libxl, char **path_r);

/* The same of the libxl that the process `pid` has loaded. */
int helper_path_of_process(pid_t pid, char **path_r);

#endif /* HELPER_PATH_H */
