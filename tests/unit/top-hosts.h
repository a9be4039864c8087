/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts of any size with any number of domains, some of them remote. */
#ifndef TOP_HOSTS_H
#define TOP_HOSTS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_numa.h"
#include "text/units.h"

struct top_host {
    unsigned nr_nodes, nr_domains;
    unsigned step;              /* vCPUs have run 0.1 s for each of them */
    unsigned first;             /* the domid of the first one after Domain-0 */
    unsigned shift;             /* another one has its number, if it differs */
    const char *name;           /* of the first one, as JSON; or NULL */
};

#define GIB (UINT64_C(1) << 30)

enum { TOP_HOST_CPUS = 8, TOP_HOST_SOCKET = 4 };

static void print_top_nodes(const struct top_host *h, FILE *f)
{
    unsigned i, j;

    fputs("\"cpus\": [", f);
    for (i = 0; i < h->nr_nodes * TOP_HOST_CPUS; i++)
        fprintf(f, "%s{\"cpu\": %u, \"node\": %u, \"socket\": %u, "
                "\"core\": %u, \"online\": true}\n", i ? "," : "", i, i / TOP_HOST_CPUS,
                i / TOP_HOST_CPUS / TOP_HOST_SOCKET,
                i % (TOP_HOST_CPUS * TOP_HOST_SOCKET));
    fputs("], \"nodes\": [", f);
    for (i = 0; i < h->nr_nodes; i++)
        fprintf(f, "%s{\"node\": %u, \"total_bytes\": %" PRIu64 ", "
                "\"free_bytes\": %" PRIu64 ", \"dma_bytes\": 0, "
                "\"reserved_bytes\": 0}\n", i ? "," : "", i, 256 * GIB,
                (i % 3 == 2 ? 0 : 32) * GIB);
    fputs("], \"distances\": [", f);
    for (i = 0; i < h->nr_nodes; i++) {
        fputs(i ? ", [" : "[", f);
        for (j = 0; j < h->nr_nodes; j++)
            fprintf(f, "%s%d", j ? "," : "", i == j ? 10 :
                    i / TOP_HOST_SOCKET == j / TOP_HOST_SOCKET ? 16 : 32);
        fputs("]\n", f);
    }
    fputs("], \"pools\": [{\"pool\": 0, \"cpus\": \"all\"}],", f);
}

/* Every fifth has its memory elsewhere. */
static void print_top_memory(const struct top_host *h, unsigned i, FILE *f)
{
    unsigned home = i * 7 % h->nr_nodes;
    unsigned away = (home + 1 + i / 5) % h->nr_nodes;

    if (!i || i % 11 == 10)
        fputs("\"memory\": null, ", f);
    else
        fprintf(f, "\"memory\": {\"source\": \"build\", \"time_s\": null, "
                "\"nodes\": [{\"node\": %u, \"bytes\": %" PRIu64 "}]}, ",
                i % 5 == 1 ? away : home, (1 + i % 4) * GIB);
}

static void print_top_domain(const struct top_host *h, unsigned i, FILE *f)
{
    unsigned home = i * 7 % h->nr_nodes, cpu = home * TOP_HOST_CPUS, v;
    unsigned domid = i ? h->first + i - 1 : 0;

    fprintf(f, "%s{\"domid\": %u, \"uuid\": \"00000000-0000-0000-%04u-%012u\", "
            "\"dying\": false, \"pv\": true, \"pool\": 0, \"memory_bytes\": %"
            PRIu64 ", \"claimed_bytes\": 0, \"nodes\": \"all\", ", i ? "," : "",
            domid, h->shift, domid, (1 + i % 4) * GIB);
    if (i == 1 && h->name)
        fprintf(f, "\"name\": \"%s\", ", h->name);
    else
        fprintf(f, "\"name\": \"%s%u\", ", i ? "guest" : "Domain-", i);
    print_top_memory(h, i, f);
    fputs("\"vcpus\": [", f);
    for (v = 0; v < 1 + i % 4; v++)
        fprintf(f, "%s{\"online\": true, \"blocked\": %s, \"running\": %s, "
                "\"cpu\": %u, \"time_ns\": %" PRIu64 ", \"hard\": \"all\", "
                "\"soft\": \"%u-%u\"}", v ? ", " : "", v % 3 ? "true" : "false",
                v % 3 ? "false" : "true", cpu + (i + v) % TOP_HOST_CPUS,
                UINT64_C(100000000) * h->step, cpu, cpu + TOP_HOST_CPUS - 1);
    fputs("]}\n", f);
}

static inline struct xln_snapshot *make_top_host(const struct top_host *h)
{
    struct xln_snapshot *snapshot;
    char *text, *error;
    size_t size;
    unsigned i;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        abort();
    fputs("{\"version\": 2, \"xen\": \"4.17\", \"host_name\": \"big\", "
          "\"time_s\": 1795968245, ", f);
    print_top_nodes(h, f);
    fputs("\"domains\": [", f);
    for (i = 0; i <= h->nr_domains; i++)
        print_top_domain(h, i, f);
    fputs("]}\n", f);
    fclose(f);
    f = fmemopen(text, size, "r");
    if (!f || xln_snapshot_load(f, "host", &snapshot, &error))
        abort();
    fclose(f);
    free(text);
    return snapshot;
}

#endif /* TOP_HOSTS_H */
