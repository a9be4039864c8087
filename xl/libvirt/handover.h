/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libvirt's hook makes of a domain's XML, for the module in libvirtd. It
 * is a file with the name of the domain's uuid. It has an xl configuration, or
 * the word HANDOVER_WRONG and a line that says what is wrong with the XML. The
 * hook writes it, and the create that follows reads and removes it.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>

#define HANDOVERS XEN_RUN_DIR "/numa-libvirt"

/* No configuration of the hook's begins so. */
#define HANDOVER_WRONG "wrong: "

/* Put `text` into the file of `uuid`, as libvirt writes one; what there was is
 * replaced. -EINVAL: not a uuid; other -errno of writing it. */
int handover_write(const char *dir, const char *uuid, const char *text,
                   size_t size);

/* Read it, and remove it. The text ends with '\0', too. -ENOENT: there is
 * none; -EFBIG: it is not one of our files, or too large; other -errno of
 * reading it. */
int handover_take(const char *dir, const char *uuid, char **text_r,
                  size_t *size_r);

/* Remove it, if there is one. */
void handover_remove(const char *dir, const char *uuid);

/* Remove all: a daemon that starts has been handed nothing yet, and one that
 * was killed took nothing any more. */
void handover_remove_all(const char *dir);

#endif /* HANDOVER_H */
