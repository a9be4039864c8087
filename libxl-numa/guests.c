/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory each running guest has. Domain-0 does not count: no other one
 * like it will come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "text/from_errno.h"
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

static bool counts(const xc_domaininfo_t *info, const uint8_t *self)
{
    return info->domain && !(info->flags & XEN_DOMINF_dying) &&
           (!self || memcmp(info->handle, self, sizeof(info->handle)));
}

/* Read domains from *next up; *next becomes XLN_NONE after the last one. */
static int read_batch(xc_interface *xch, const uint8_t *self,
                      xc_domaininfo_t *info, uint32_t *next, uint64_t *bytes,
                      unsigned *nr)
{
    int found = xc_domain_getinfolist(xch, *next, XLN__DOMAIN_BATCH, info);

    if (found < 0)
        return xln__from_errno();
    for (int i = 0; i < found; i++) {
        if (counts(&info[i], self))
            bytes[(*nr)++] = (info[i].tot_pages + info[i].outstanding_pages)
                             << PAGE_SHIFT;
    }
    *next = XLN_NONE;
    if (found == XLN__DOMAIN_BATCH)
        *next = info[found - 1].domain + 1;
    return 0;
}

/* Make room for one more batch. */
static int grow(uint64_t **bytes, unsigned nr)
{
    size_t size = (nr + (size_t)XLN__DOMAIN_BATCH) * sizeof(**bytes);
    uint64_t *more = realloc(*bytes, size);

    if (!more)
        return -ENOMEM;
    *bytes = more;
    return 0;
}

int xln_guests_read(xc_interface *xch, const uint8_t *self,
                    uint64_t **bytes_r, unsigned *nr_r)
{
    xc_domaininfo_t *info = calloc(XLN__DOMAIN_BATCH, sizeof(*info));
    uint64_t *bytes = NULL;
    unsigned nr = 0;
    uint32_t next = 0;
    int rc = info ? 0 : -ENOMEM;

    while (next != XLN_NONE && !rc) {
        rc = grow(&bytes, nr);
        if (!rc)
            rc = read_batch(xch, self, info, &next, bytes, &nr);
    }
    free(info);
    if (rc) {
        free(bytes);
        return rc;
    }
    *bytes_r = bytes;
    *nr_r = nr;
    return 0;
}
