/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a domain that is restored, or migrates in. Another process asks
 * for it: libxl-save-helper, which libxl starts. LIBXL_SAVE_HELPER can name
 * another program instead. It names ours, which loads the placement module and
 * becomes the real helper. The module finds each node's share in memory that it
 * shares with xl or libvirtd, and counts there what Xen allocated. The shared
 * memory is found by its domain, so several restores can run at once.
 *
 *     xl                                  libxl-save-helper
 *       restore_share(), restore_tell()
 *       libxl starts the helper
 *                                           restore_attach()
 *                                           populate_extents()...
 *       restore_collect()
 */
#ifndef RESTORE_H
#define RESTORE_H

#include <sys/types.h>

#include "populate_vnodes.h"

struct restore;

/* What a helper populates a domain from: a plan, or virtual nodes if there are
 * any. */
struct restored {
    struct populate built;
    struct populate_vnodes vnodes;
};

/* Which helper libxl starts: ours if restore_tell() is called, always ours,
 * or its own, with which nothing can be shared. */
enum restore_helper {
    RESTORE_HELPER_TO_TELL,
    RESTORE_HELPER_IS_OURS,
    RESTORE_HELPER_IS_LIBXLS,
};

/*
 * Share a copy of `from` with the helper that libxl will start for `domid`.
 * -errno of memfd_create() and mmap().
 */
int restore_share(const struct restored *from, uint32_t domid,
                  struct restore **restore_r);

/*
 * Have libxl start our helper, by the environment, until restore_collect():
 * where there is one thread, and one domain is restored at a time. -ENOENT: the
 * libxl-save-helper of this process's libxl is not there, or ours is not; or
 * -errno of setenv().
 */
int restore_tell(struct restore *restore);

/*
 * The same permanently, and for all domains: before there is a second thread,
 * and maybe before there is a libxl in this process. So our helper finds out which
 * one that libxl would start. -ENOENT: our helper, or the one that
 * LIBXL_SAVE_HELPER names, is not there.
 */
int restore_tell_all(void);

/*
 * The helper has ended: what it was granted is added to `to`, the
 * environment is as it was, and `restore` is freed; NULL is fine. True: the
 * last that it asked for was not available.
 */
bool restore_collect(struct restore *restore, struct restored *to);

/* In the helper: what process `sharer`, its parent, shares with it for `domid`;
 * NULL: nothing. */
struct restore *restore_attach(pid_t sharer, uint32_t domid);

/* In the helper: what to populate `domid` from; NULL: not what was shared. */
struct restored *restore_of(struct restore *restore, uint32_t domid);

/* In the helper: whether the last memory that it asked for was not available.
 */
void restore_note_shortage(struct restore *restore, bool short_of_memory);

#endif /* RESTORE_H */
