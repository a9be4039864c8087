/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/from_errno.h"
#include "predecessor.h"

#define BATCH 256               /* number of domains in the answer of one
                                   hypercall */
#define FEW_PAGES 256
#define LOOK_MS 20
#define IDLE_MS 2000            /* without a page less */
#define TOTAL_MS 5000

static uint64_t pages_of(const xc_domaininfo_t *info, const uint8_t uuid[16])
{
    if (!(info->flags & XEN_DOMINF_dying) ||
        memcmp(info->handle, uuid, sizeof(info->handle)))
        return 0;
    return info->tot_pages;
}

/* The pages of all domains that are being destroyed and had this uuid. */
static int held_pages(xc_interface *xch, xc_domaininfo_t *info,
                      const uint8_t uuid[16], uint64_t *pages_r)
{
    uint64_t pages = 0;
    uint32_t next = 0;
    int nr, i;

    do {
        nr = xc_domain_getinfolist(xch, next, BATCH, info);
        if (nr < 0)
            return xln__from_errno();
        for (i = 0; i < nr; i++)
            pages += pages_of(&info[i], uuid);
        if (nr > 0)
            next = info[nr - 1].domain + 1;
    } while (nr == BATCH);
    *pages_r = pages < FEW_PAGES ? 0 : pages;
    return 0;
}

/* Hypercalls take their time too, so pauses are not counted: the clock is. */
static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

int predecessor_await(xc_interface *xch, const uint8_t uuid[16],
                      uint64_t *pages_r)
{
    const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
    xc_domaininfo_t *info = calloc(BATCH, sizeof(*info));
    uint64_t pages, least = UINT64_MAX, start = now_ms(), now, freed = start;
    int rc;

    if (!info)
        return -ENOMEM;
    while (!(rc = held_pages(xch, info, uuid, &pages)) && pages) {
        now = now_ms();
        if (pages < least) {
            least = pages;
            freed = now;
        }
        if (now - freed >= IDLE_MS || now - start >= TOTAL_MS)
            break;
        nanosleep(&pause, NULL);
    }
    free(info);
    if (!rc)
        *pages_r = pages;
    return rc;
}
