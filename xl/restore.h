/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a domain that is restored, or migrates in. Another process
 * asks for it, libxl-save-helper, which libxl starts. libxl lets
 * LIBXL_SAVE_HELPER name another one in its place: ours, which becomes the real
 * one with the placement module loaded. It finds what each node owes in memory
 * that it shares with xl, and counts there what it was granted.
 *
 *     xl                                  libxl-save-helper
 *       restore_share()
 *       libxl starts the helper
 *                                           restore_attach()
 *                                           populate_extents()...
 *       restore_collect()
 */
#ifndef RESTORE_H
#define RESTORE_H

#include "populate.h"

struct restore;

/*
 * Share a copy of `built` with the helper that libxl will start for `domid`,
 * and tell it by the environment. -ENOENT: no libxl-save-helper was found
 * beside this xl; other -errno values of memfd_create(), mmap() and setenv().
 */
int restore_share(const struct populate *built, uint32_t domid,
                  struct restore **restore_r);

/*
 * The helper has ended: what it was granted is added to `built`, the
 * environment is as it was, and `restore` is freed; NULL is fine. True: the
 * last that it asked for was not to be had.
 */
bool restore_collect(struct restore *restore, struct populate *built);

/* In the helper: what its parent shares with it; NULL: nothing. */
struct restore *restore_attach(void);

/* In the helper: what to populate `domid` from; NULL: not what was shared. */
struct populate *restore_of(struct restore *restore, uint32_t domid);

/* In the helper: whether what was asked for last was not to be had. */
void restore_note_shortage(struct restore *restore, bool short_of_memory);

#endif /* RESTORE_H */
