/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <string.h>

#include "xen_layout.h"

/*
 * libxenctrl copies as many bytes as its structure has: over a pattern they
 * can be counted. Two patterns, as the last byte may happen to have either
 * value.
 *
 *     a5 a5 a5 a5 a5 a5 a5 a5      before
 *     00 00 02 00 00 00 a5 a5      after: 6 bytes
 */
union answer {
    xc_domaininfo_t domain;
    xc_vcpuinfo_t vcpu;
    xc_physinfo_t host;
    xc_cputopo_t cpu;
    struct {
        xc_meminfo_t node;
        uint32_t distance;
    } memory;
    unsigned char room[1024];
};

typedef bool ask_fn(xc_interface *xch, union answer *answer);

static bool ask_domain(xc_interface *xch, union answer *answer)
{
    return xc_domain_getinfolist(xch, 0, 1, &answer->domain) == 1;
}

static bool ask_vcpu(xc_interface *xch, union answer *answer)
{
    return !xc_vcpu_getinfo(xch, 0, 0, &answer->vcpu);
}

static bool ask_host(xc_interface *xch, union answer *answer)
{
    return !xc_physinfo(xch, &answer->host);
}

static bool ask_cpu(xc_interface *xch, union answer *answer)
{
    unsigned nr = 1;

    return !xc_cputopoinfo(xch, &nr, &answer->cpu);
}

static bool ask_node(xc_interface *xch, union answer *answer)
{
    unsigned nr = 1;
    uint32_t distance;

    return !xc_numainfo(xch, &nr, &answer->memory.node, &distance);
}

/* Bytes that were filled in; 0: it failed. */
static size_t measure(xc_interface *xch, ask_fn *ask, int pattern)
{
    union answer answer;
    size_t size = sizeof(answer.room);

    memset(&answer, pattern, sizeof(answer));
    if (!ask(xch, &answer))
        return 0;
    while (size && answer.room[size - 1] == pattern)
        size--;
    return size;
}

const char *xen_layout_find_odd(xc_interface *xch)
{
    static const struct {
        ask_fn *ask;
        size_t size;
        const char *name;
    } structures[] = {
        { ask_domain, sizeof(xc_domaininfo_t), "xc_domaininfo_t" },
        { ask_vcpu, sizeof(xc_vcpuinfo_t), "xc_vcpuinfo_t" },
        { ask_host, sizeof(xc_physinfo_t), "xc_physinfo_t" },
        { ask_cpu, sizeof(xc_cputopo_t), "xc_cputopo_t" },
        { ask_node, sizeof(xc_meminfo_t), "xc_meminfo_t" },
    };
    size_t i, a, b;

    for (i = 0; i < sizeof(structures) / sizeof(structures[0]); i++) {
        a = measure(xch, structures[i].ask, 0xa5);
        b = measure(xch, structures[i].ask, 0x5a);
        if ((a > b ? a : b) != structures[i].size)
            return structures[i].name;
    }
    return NULL;
}
