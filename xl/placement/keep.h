/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `--keep` records for a running domain: its cpupool, and affinities and
 * nodes that apply when it is built again by a reboot, a restore or a
 * migration. They are libxl userdata of the domain, which ends with it. So they
 * are put into its configuration when xl asks libxl for that, just before.
 * adapt.c drops those that are no longer possible.
 */
#ifndef KEEP_H
#define KEEP_H

#include <libxl.h>

/* Texts as a configuration has them; NULL: nothing to keep. */
struct keep {
    char *pool, *nodes;
    char *vnodes;               /* of each virtual node the node, "1,2" */
    struct keep_vcpu {
        char *hard, *soft;
    } *vcpus;
    unsigned nr_vcpus;
};

/*
 * Read what is kept for a domain; the caller frees it. It is empty if nothing
 * was noted. -EINVAL: the record does not have our form; -EIO: libxl cannot
 * read it; -ENOMEM.
 */
int keep_read(libxl_ctx *ctx, uint32_t domid, struct keep **keep_r);

/* The record as text, to be freed, and back. -EINVAL: it is not of our form;
 * -ENOMEM. */
int keep_format(const struct keep *keep, char **text_r);
int keep_parse(const char *text, size_t size, struct keep **keep_r);

/* Replace what is kept for it. -EIO: libxl cannot write it; -ESRCH: the domain
 * has ended meanwhile, and nothing of this stays; -ENOMEM. */
int keep_write(libxl_ctx *ctx, uint32_t domid, const struct keep *keep);

/* Replace what is kept; NULL: that stays. 0 or -ENOMEM; -EINVAL: a name that
 * cannot be noted; -ERANGE: no domain has so many vCPUs. */
int keep_set_pool(struct keep *keep, const char *pool);
int keep_set_nodes(struct keep *keep, const char *nodes);
int keep_set_vnodes(struct keep *keep, const char *vnodes);
int keep_set_vcpu(struct keep *keep, unsigned vcpu, const char *hard,
                  const char *soft);

/* Put it into the domain's configuration. -ENOMEM; -EINVAL: some of it is not
 * what that takes. */
int keep_apply(const struct keep *keep, libxl_ctx *ctx,
               libxl_domain_config *config);

void keep_free(struct keep *keep);

#endif /* KEEP_H */
