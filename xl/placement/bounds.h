/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounds for the values in a configuration or a record. */
#ifndef BOUNDS_H
#define BOUNDS_H

/* Limits of a domain. Xen gives an HVM guest at most 128, and a PV guest far
 * fewer than this on any host of today. */
#define VCPUS_MAX 4096

/* Characters of a wrong value that a message repeats. */
#define VALUE_MAX 200

#endif /* BOUNDS_H */
