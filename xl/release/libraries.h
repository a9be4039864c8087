/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBRARIES_H
#define LIBRARIES_H

#include <stddef.h>

/*
 * Open the libraries of the running Xen, for forward.c to find their
 * functions. These are the ones that the installed xl is linked to, wherever
 * they are. So an older Xen is served by its own when a newer one is installed
 * too. Where no xl is installed: those of the running release by their name;
 * where no Xen is running, any: libxlutil reads configurations on a laptop.
 *
 * libxlutil needs libxenlight, which needs all others, so it is opened alone.
 *
 * 0, or -ENOENT: there are none, and *error_r, to be freed, says what was
 * looked for; or -ENOMEM.
 */
int libraries_open(char **error_r);

/* The name of a library of an ELF program that begins with `start`, and the
 * directories that the program looks for it in first, "" for none. -ENOENT:
 * it needs none, or is not such a program. */
int libraries_of_program(const char *path, const char *start, char *name,
                         char *dirs, size_t size);

#endif /* LIBRARIES_H */
