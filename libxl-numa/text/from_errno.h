/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxc, libxenstore and libc return -1 or NULL, and set errno. We return the
 * negative errno.
 */
#ifndef XLN_FROM_ERRNO_H
#define XLN_FROM_ERRNO_H

#include <errno.h>

/* The -errno of what has just failed; -EIO if it has set none. Never 0, also
 * for analysers, which cannot know that errno is positive. */
static inline int xln__from_errno(void)
{
    int rc = -errno;

    return rc < 0 ? rc : -EIO;
}

#endif /* XLN_FROM_ERRNO_H */
