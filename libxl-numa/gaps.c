/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests that come are like those that run. So of each size as many come,
 * in the time that a guest runs, as there are now. If n of this size or larger
 * are there, and the nodes have room for g of them, then the chance that all
 * of this room is used when the next one comes is
 *
 *     (n / (n + 1))^g
 *
 * This is the geometric distribution with the mean n, which assumes nothing
 * else about how many come. A domain that is put on a node may use room of
 * some sizes. What it costs is the growth of this chance, summed over all
 * guests, each by its memory. The result is a part of the memory of all.
 *
 * Example: one guest of 56 GiB runs, and 14 of 4 GiB, the domain among these:
 * half of the memory each. Three nodes of 64 GiB are free: room for three of
 * 56 GiB. On one of these nodes, the domain would leave two. The chance for
 * 56 GiB grows from 1/8 to 1/4: the loss is 1/2 * 1/8. The small ones have room
 * for 48, and then for 47: (15 / 16)^48 grows from 0.045 to 0.048.
 *
 * Guests are taken together in classes, by a 32nd of the largest node; what is
 * smaller than that always finds a gap. Those that are larger than the largest
 * node are split in any case.
 */
#include <string.h>

#include "gaps.h"
#include "host.h"

#define CHANCE_ONE (UINT64_C(1) << 30)
#define WEIGHT_ONE (UINT64_C(1) << 15)

static uint64_t find_largest(const struct xln_host *host)
{
    uint64_t bytes = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        if (host->nodes[node].total_bytes > bytes)
            bytes = host->nodes[node].total_bytes;
    }
    return bytes;
}

/* XLN_NONE: it is in none. */
static unsigned class_of(const struct xln__gaps *gaps, uint64_t bytes)
{
    uint64_t parts;

    if (!bytes || bytes > gaps->largest_bytes)
        return XLN_NONE;
    parts = bytes * XLN__GAP_CLASSES;
    if (parts < gaps->largest_bytes)
        return XLN_NONE;
    return (parts + gaps->largest_bytes - 1) / gaps->largest_bytes - 1;
}

static void add_guest(struct xln__gaps *gaps, unsigned at, uint64_t bytes)
{
    struct xln__gap_class *class;

    if (at == XLN_NONE)
        return;
    class = &gaps->classes[at];
    if (bytes > class->bytes)
        class->bytes = bytes;
    class->nr++;
    class->mib += IN_MIB(bytes);
}

/* Keep only the classes that have guests. */
static void drop_empty(struct xln__gaps *gaps)
{
    for (unsigned i = 0; i < XLN__GAP_CLASSES; i++) {
        if (i == gaps->own)
            gaps->own = gaps->nr_classes;
        if (gaps->classes[i].nr)
            gaps->classes[gaps->nr_classes++] = gaps->classes[i];
    }
}

static void count_guests(struct xln__gaps *gaps, const struct xln_host *host)
{
    for (unsigned i = 0; i < host->nr_guests; i++)
        add_guest(gaps, class_of(gaps, host->guests[i]), host->guests[i]);
    gaps->own = class_of(gaps, gaps->need_bytes);
    add_guest(gaps, gaps->own, gaps->need_bytes);
    drop_empty(gaps);
}

/* Count, or no longer count, the gap of a node on which a guest could be. */
static void change_gap(struct xln__gaps *gaps, const struct xln_host *host,
                       unsigned node, bool add)
{
    uint64_t bytes = xln_host_node_usable(&host->nodes[node], false, 0);

    if (xln_host_home(host, node) != node ||
        xln_cpumap_is_empty(xln_host_near_cpus(host, node)))
        return;
    for (unsigned i = 0; i < gaps->nr_classes; i++) {
        struct xln__gap_class *class = &gaps->classes[i];

        if (add)
            class->nr_gaps += bytes / class->bytes;
        else
            class->nr_gaps -= bytes / class->bytes;
    }
}

static void change_gaps(struct xln__gaps *gaps, const struct xln_host *host,
                        const struct xln_nodemap *nodes, bool add)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, nodes)
        change_gap(gaps, host, node, add);
}

/* base^exponent, both as parts of CHANCE_ONE. */
static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t result = CHANCE_ONE;

    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = result * base / CHANCE_ONE;
        base = base * base / CHANCE_ONE;
    }
    return result;
}

/* Derive what loss_of() needs. */
static void settle(struct xln__gaps *gaps)
{
    uint64_t all_mib = 0, nr = 0;

    for (unsigned i = 0; i < gaps->nr_classes; i++)
        all_mib += gaps->classes[i].mib;
    for (unsigned i = gaps->nr_classes; i-- > 0;) {
        struct xln__gap_class *class = &gaps->classes[i];

        nr += class->nr;
        class->ratio = CHANCE_ONE * nr / (nr + 1);
        class->chance = power(class->ratio, class->nr_gaps);
        class->loss_of_one =
            class->nr_gaps
                ? power(class->ratio, class->nr_gaps - 1) - class->chance
                : 0;
        class->weight = all_mib ? class->mib * WEIGHT_ONE / all_mib : 0;
    }
}

void xln__gaps_init(struct xln__gaps *gaps, const struct xln_host *host,
                    uint64_t need_bytes)
{
    *gaps = (struct xln__gaps){
        .known = host->guests,
        .need_bytes = need_bytes,
    };
    if (!gaps->known)
        return;
    gaps->largest_bytes = find_largest(host);
    count_guests(gaps, host);
    change_gaps(gaps, host, host->exists, true);
    settle(gaps);
}

void xln__gaps_drop(struct xln__gaps *gaps, const struct xln_host *host,
                    const struct xln_nodemap *nodes)
{
    if (gaps->known)
        change_gaps(gaps, host, nodes, false);
}

void xln__gaps_add(struct xln__gaps *gaps, const struct xln_host *host,
                   const struct xln_nodemap *nodes)
{
    if (!gaps->known)
        return;
    change_gaps(gaps, host, nodes, true);
    add_guest(gaps, gaps->own, gaps->need_bytes);
    settle(gaps);
}

/* How much less room a node with so much usable memory has for such guests. A
 * domain that is not larger than one of these can only use a part of one gap. */
static uint64_t lost_by(const struct xln__gap_class *class, uint64_t need_bytes,
                        uint64_t usable_bytes)
{
    uint64_t rest_bytes =
        usable_bytes > need_bytes ? usable_bytes - need_bytes : 0;

    if (usable_bytes < class->bytes)
        return 0;
    if (need_bytes <= class->bytes)
        return usable_bytes % class->bytes < need_bytes;
    return usable_bytes / class->bytes - rest_bytes / class->bytes;
}

static uint64_t loss_of(const struct xln__gap_class *class, uint64_t need_bytes,
                        uint64_t usable_bytes)
{
    uint64_t lost = lost_by(class, need_bytes, usable_bytes);

    if (!lost)
        return 0;
    if (lost == 1)
        return class->loss_of_one;
    if (lost > class->nr_gaps)
        lost = class->nr_gaps;
    return power(class->ratio, class->nr_gaps - lost) - class->chance;
}

uint64_t xln__gaps_loss(const struct xln__gaps *gaps, uint64_t usable_bytes)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < gaps->nr_classes; i++) {
        const struct xln__gap_class *class = &gaps->classes[i];

        sum += class->weight * loss_of(class, gaps->need_bytes, usable_bytes);
    }
    return sum / (WEIGHT_ONE * CHANCE_ONE / XLN__LOSS_ONE);
}
