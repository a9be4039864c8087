/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory each running guest has. Domain-0 does not count: no other one
 * like it will come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "text/units.h"

/* ---- of domains that were read ---- */

unsigned xln_guests_of_domains(const struct xln_domains *domains,
                               uint64_t *bytes)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < domains->nr; i++) {
        const struct xln_domain *d = &domains->list[i];

        if (d->domid && !d->dying)
            bytes[nr++] = d->memory_bytes + d->claimed_bytes;
    }
    return nr;
}

/* ---- of the running host ---- */

struct reading {
    const uint8_t *self;
    uint64_t *bytes;
    unsigned nr, size;
};

static int grow(struct reading *r)
{
    unsigned size = r->size ? 2 * r->size : 256;
    uint64_t *bytes = realloc(r->bytes, size * sizeof(*bytes));

    if (!bytes)
        return -ENOMEM;
    r->bytes = bytes;
    r->size = size;
    return 0;
}

static int add_guest(void *arg, const xc_domaininfo_t *info)
{
    struct reading *r = arg;
    int rc = 0;

    if (!info->domain || info->flags & XEN_DOMINF_dying ||
        (r->self && !memcmp(info->handle, r->self, sizeof(info->handle))))
        return 0;
    if (r->nr == r->size)
        rc = grow(r);
    if (!rc)
        r->bytes[r->nr++] = (info->tot_pages + info->outstanding_pages)
                            << PAGE_SHIFT;
    return rc;
}

int xln_guests_read(xc_interface *xch, const uint8_t *self,
                    uint64_t **bytes_r, unsigned *nr_r)
{
    struct reading r = { .self = self };
    int rc = xln__each_domain(xch, add_guest, &r);

    if (rc) {
        free(r.bytes);
        return rc;
    }
    *bytes_r = r.bytes;
    *nr_r = r.nr;
    return 0;
}
