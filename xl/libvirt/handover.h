/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libvirt's hook has made of a domain's XML, for the module in libvirtd:
 * an xl configuration, in a file of the domain's uuid; or, behind the word
 * HANDOVER_WRONG, the line that says what is wrong with the XML. It is there
 * from the hook to the create that follows it, and is for that alone.
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

/* Read it, and remove it. The text ends with '\0' too. -ENOENT: there is none;
 * -EFBIG: it is none of ours, it is too large; other -errno of reading it. */
int handover_take(const char *dir, const char *uuid, char **text_r,
                  size_t *size_r);

/* Remove it, if there is one. */
void handover_remove(const char *dir, const char *uuid);

/* Remove all: a daemon that starts has been handed nothing yet, and one that
 * was killed took nothing any more. */
void handover_remove_all(const char *dir);

#endif /* HANDOVER_H */
