/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is written as a whole or not at all. */
#ifndef REPLACE_FILE_H
#define REPLACE_FILE_H

#include <stdio.h>

/* 0 or -errno. It does not flush or close `f`. */
typedef int replace_file_print(const void *what, FILE *f);

/*
 * Write what `print` prints of `what` to the file `path`. Whoever reads the file
 * meanwhile has the old one or the new one. After a failure the old one is
 * there. A device or a pipe is written to. 0 or -errno.
 */
int replace_file(const char *path, replace_file_print *print,
                 const void *what);

#endif /* REPLACE_FILE_H */
