/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.so - shows a process other nodes than Xen has. To be preloaded:
 *
 *   LD_PRELOAD=/usr/lib/rig/memory.so RIG_MEMORY=4096,1024,512 stock-xl ...
 *
 *   RIG_MEMORY=GIB[,GIB...]   Memory and free memory of nodes 0, 1 and so on, in
 *                 GiB. Other nodes are shown as they are.
 *
 * Only xc_numainfo() of libxenctrl is replaced, with which libxl reads the nodes.
 * What libxl and xl make of it is their own code.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <xenctrl.h>

static void show(xc_meminfo_t *nodes, unsigned int nr_nodes)
{
    const char *text = getenv("RIG_MEMORY");
    char *end;

    for (unsigned int i = 0; text && i < nr_nodes; i++) {
        nodes[i].memsize = strtoull(text, &end, 10) << 30;
        nodes[i].memfree = nodes[i].memsize;
        text = *end == ',' ? end + 1 : NULL;
    }
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    int (*real)(xc_interface *, unsigned *, xc_meminfo_t *, uint32_t *);
    int r;

    real = (__typeof__(real))dlsym(RTLD_NEXT, "xc_numainfo");
    if (!real)
        abort();
    r = real(xch, max_nodes, meminfo, distance);
    if (!r && meminfo)
        show(meminfo, *max_nodes);
    return r;
}
