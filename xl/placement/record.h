/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record of a domain in xenstore, under /libxl/<domid>/numa/: `nodes` has
 * the planned nodes, "1-2", and `pages` what Xen allocated, "1:20480,2:20480".
 * Only the control domain can read it, and libxl removes it with the domain.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

/* What creates in flight have reserved, see xln_reservations_lock(). Planning
 * takes milliseconds; whoever holds the lock longer is stuck. The second is for
 * a lock that was free just now, where others wait for whoever waits for it. */
#define RESERVATIONS XEN_RUN_DIR "/numa"
#define LOCK_TIMEOUT_MS 10000
#define LOCK_SHORT_TIMEOUT_MS 1000

/* `pages` NULL: not known. A record that cannot be written is not a reason
 * to fail. */
void record_write(uint32_t domid, const char *nodes, const char *pages);

/* The node of each virtual node, "1,2", as `vnodes`; to be freed. -ENOENT: the
 * domain has none, or they are not known; or what xenstore says. NULL: out of
 * memory. */
void record_write_vnodes(uint32_t domid, const char *vnodes);
int record_read_vnodes(uint32_t domid, char **vnodes_r);

/* The text as numbers: how many, at most `max`; 0: it does not have this form.
 */
char *record_vnodes_text(const unsigned *nodes, unsigned nr);
unsigned record_parse_vnodes(const char *text, unsigned *nodes, unsigned max);

/*
 * libxl writes a domain's request where the guest may read it, in
 * /local/domain/<domid>/numa; it can name other domains. From now on only the
 * control domain can read it. To be called before the guest runs. What xenstore
 * says; 0 too where there is no request.
 */
int record_hide_request(uint32_t domid);

/* `xs` below: a connection to xenstore; NULL, where that may be: one for this
 * call alone. To read the records of all domains, make one for them: a
 * connection costs as much as a few reads. */
struct xs_handle;

/* Two malloc'd texts; *pages_r is NULL where these are not known. -ENOENT:
 * the domain has no record; or what xenstore says: it cannot be told, and both
 * are NULL. `xs` may be NULL. */
int record_read(struct xs_handle *xs, uint32_t domid, char **nodes_r,
                char **pages_r);

/* The text of `pages` as a number for each node. -EINVAL: it is not of its
 * form, or names a node from nr_nodes up. */
int record_parse_pages(const char *text, unsigned nr_nodes, uint64_t *pages_r);

/* The same of a domain. -ENOENT: they are not known; or as record_read(). `xs`
 * may be NULL. */
int record_read_pages(struct xs_handle *xs, uint32_t domid, uint64_t *pages,
                      unsigned nr_nodes);

/* When libxl last built the domain, in seconds since 1970; it writes that down
 * itself. -ENOENT: it did not (the control domain); or what xenstore says. */
int record_read_start(struct xs_handle *xs, const uint8_t uuid[16],
                      int64_t *start_r);

#endif /* RECORD_H */
