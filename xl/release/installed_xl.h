/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running Xen, and the xl that belongs to it: for our xl, which becomes
 * that xl, and for xl-numa, which uses its libraries.
 */
#ifndef INSTALLED_XL_H
#define INSTALLED_XL_H

#include <stdbool.h>
#include <stddef.h>

#define SYSFS_VERSION "/sys/hypervisor/version/"

/* The release of the running Xen, "4.17". False: none is to be seen. */
bool running_release(char *release, size_t size);

/* The xl of a release, NULL: any, that is not ours. False: there is none. */
bool find_installed_xl(const char *release, char *path, size_t size);

#endif /* INSTALLED_XL_H */
