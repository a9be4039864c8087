/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host_assume.h"

#define LOCAL 10
#define REMOTE 20

int xln__note(char **note, const char *fmt, ...)
{
    char *part, *both;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&part, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -ENOMEM;
    if (!*note) {
        *note = part;
        return 0;
    }
    n = asprintf(&both, "%s; %s", *note, part);
    free(part);
    if (n < 0)
        return -ENOMEM;
    free(*note);
    *note = both;
    return 0;
}

int xln__assume_pool(struct xln_host *host)
{
    struct xln_cpumap *cpus;
    int rc = xln_cpumap_new(host->nr_cpus, &cpus);

    if (rc)
        return rc;
    host->pools[0] = (struct xln_host_pool){ .id = 0, .cpus = cpus };
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        if (host->cpu_exists[cpu] && host->cpus[cpu].online)
            xln_cpumap_set(cpus, cpu);
    }
    return 0;
}

int xln__assume_free(struct xln_host *host, char **note)
{
    uint64_t total_bytes = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        total_bytes += host->nodes[node].total_bytes;
        host->nodes[node].free_bytes = host->nodes[node].total_bytes;
    }
    return xln__note(note, total_bytes ? "all memory is assumed to be free"
                                       : "it has no sizes of memory");
}

int xln__assume_distances(struct xln_host *host, const bool *known,
                          char **note)
{
    unsigned from, to, nr_missing = 0;

    XLN_FOREACH(xln_nodemap, from, host->exists) {
        XLN_FOREACH(xln_nodemap, to, host->exists) {
            size_t i = (size_t)from * host->nr_nodes + to;

            if (known[i])
                continue;
            /* The distance of a node to itself is known anyway. */
            nr_missing += from != to;
            host->distances[i] = from == to ? LOCAL : REMOTE;
        }
    }
    if (!nr_missing)
        return 0;
    return xln__note(note, "missing distances are assumed to be %u and %u",
                     LOCAL, REMOTE);
}

int xln__note_offline(const struct xln_host *host, char **note)
{
    unsigned nr = 0;

    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        nr += host->cpu_exists[cpu] && !host->cpus[cpu].online;
    if (!nr)
        return 0;
    return xln__note(note, "%u CPU%s offline or not allowed", nr,
                     nr == 1 ? " is" : "s are");
}

int xln__note_homeless(const struct xln_host *host, char **note)
{
    unsigned nr = 0;

    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        nr += host->cpu_exists[cpu] && host->cpus[cpu].online &&
              host->cpus[cpu].node == XLN_NONE;
    if (!nr)
        return 0;
    return xln__note(note, "%u CPU%s on no NUMA node: no plan uses them", nr,
                     nr == 1 ? " is" : "s are");
}
