/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host from a hypervisor that is made of tables. */
#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "libxl_numa.h"
#include "sets.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_CPUS 128
#define MAX_NODES 8
#define FAILED EFAULT

/* ---- the hypervisor ---- */

static struct {
    int max_cpus;
    unsigned nr_cpus;           /* in the topology */
    xc_cputopo_t cpus[MAX_CPUS];
    uint32_t max_node_id;
    unsigned nr_nodes;          /* the last one that is online, plus one */
    xc_meminfo_t nodes[MAX_NODES];
    uint32_t distances[MAX_NODES][MAX_NODES];
    uint64_t dma_bytes[MAX_NODES];
    unsigned nr_pools;
    struct {
        uint32_t id;
        uint8_t cpus[MAX_CPUS / 8];
    } pools[3];
    uint8_t unassigned[MAX_CPUS / 8];
    const char *command_line;

    unsigned nr_calls, fail_at;
    const char *failed;         /* the name of the call that did */
    int dma_width;              /* the last width that the library asked for;
                                   0: none */
} xen;

static bool fails(const char *name)
{
    if (++xen.nr_calls != xen.fail_at)
        return false;
    xen.failed = name;
    errno = FAILED;
    return true;
}

/* These stand in for libxenctrl's. */

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : xen.max_cpus;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    if (fails(__func__))
        return -1;
    memset(info, 0, sizeof(*info));
    info->max_node_id = xen.max_node_id;
    return 0;
}

/* Rows of distances are as long as the number that is returned. */
int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    unsigned nr = *max_nodes < xen.nr_nodes ? *max_nodes : xen.nr_nodes, i, j;

    (void)xch;
    if (fails(__func__))
        return -1;
    for (i = 0; i < nr; i++) {
        meminfo[i] = xen.nodes[i];
        for (j = 0; j < nr; j++)
            distance[i * nr + j] = xen.distances[i][j];
    }
    *max_nodes = nr;
    return 0;
}

int xc_cputopoinfo(xc_interface *xch, unsigned *max_cpus,
                   xc_cputopo_t *cputopo)
{
    unsigned nr = *max_cpus < xen.nr_cpus ? *max_cpus : xen.nr_cpus;

    (void)xch;
    if (fails(__func__))
        return -1;
    memcpy(cputopo, xen.cpus, nr * sizeof(*cputopo));
    *max_cpus = nr;
    return 0;
}

static uint8_t *map_of(const uint8_t *cpus)
{
    size_t size = (xen.max_cpus + 7) / 8;
    uint8_t *map = malloc(size);

    if (map)
        memcpy(map, cpus, size);
    return map;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
    xc_cpupoolinfo_t *info;
    unsigned i;

    (void)xch;
    if (fails(__func__))
        return NULL;
    for (i = 0; i < xen.nr_pools && xen.pools[i].id < poolid; i++)
        ;
    if (i == xen.nr_pools) {
        errno = ENOENT;
        return NULL;
    }
    info = calloc(1, sizeof(*info));
    if (!info)
        return NULL;
    info->cpupool_id = xen.pools[i].id;
    info->cpumap = map_of(xen.pools[i].cpus);
    if (!info->cpumap) {
        free(info);
        return NULL;
    }
    return info;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
    (void)xch;
    free(info->cpumap);
    free(info);
}

xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? NULL : map_of(xen.unassigned);
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    unsigned i;

    (void)xch;
    if (fails(__func__))
        return -1;
    if (min_width || (xen.dma_width && xen.dma_width != max_width)) {
        errno = EDOM;
        return -1;
    }
    xen.dma_width = max_width;
    for (i = 0, *bytes = 0; i < MAX_NODES; i++)
        if (node < 0 || (unsigned)node == i)
            *bytes += xen.dma_bytes[i];
    return 0;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    if (fails(__func__))
        return -1;
    if (cmd != XENVER_commandline) {
        errno = ENOSYS;
        return -1;
    }
    memset(arg, 0, sizeof(xen_commandline_t));
    strncpy(arg, xen.command_line, sizeof(xen_commandline_t));
    return 0;
}

/* ---- hosts ---- */

static void set_bit(uint8_t *map, unsigned cpu)
{
    map[cpu / 8] |= 1u << cpu % 8;
}

static void set_cpu(unsigned cpu, unsigned node)
{
    xen.cpus[cpu] = (xc_cputopo_t){ .core = cpu / 2, .socket = node,
                                    .node = node };
    if (cpu >= xen.nr_cpus)
        xen.nr_cpus = cpu + 1;
}

static void set_node(unsigned node, uint64_t size, uint64_t free)
{
    xen.nodes[node] = (xc_meminfo_t){ .memsize = size, .memfree = free };
    if (node >= xen.nr_nodes)
        xen.nr_nodes = node + 1;
}

/* No CPU and no node yet. */
static void nothing(void)
{
    unsigned i, j;

    memset(&xen, 0, sizeof(xen));
    xen.max_cpus = MAX_CPUS;
    xen.max_node_id = 63;
    xen.nr_pools = 1;
    xen.command_line = "placeholder console=com1";
    for (i = 0; i < MAX_CPUS; i++)
        xen.cpus[i] = (xc_cputopo_t){ XEN_INVALID_CORE_ID,
                                      XEN_INVALID_SOCKET_ID,
                                      XEN_INVALID_NODE_ID };
    for (i = 0; i < MAX_NODES; i++) {
        xen.nodes[i].memsize = XEN_INVALID_MEM_SZ;
        xen.nodes[i].memfree = XEN_INVALID_MEM_SZ;
        for (j = 0; j < MAX_NODES; j++)
            xen.distances[i][j] = i == j ? 10 : 20 + i + j;
    }
}

/* Four nodes of two CPUs and a GiB, all CPUs in Pool-0. */
static void four_nodes(void)
{
    unsigned i;

    nothing();
    for (i = 0; i < 4; i++)
        set_node(i, GIB, (100 + i) * MIB);
    for (i = 0; i < 8; i++) {
        set_cpu(i, i / 2);
        set_bit(xen.pools[0].cpus, i);
    }
    xen.dma_bytes[0] = 30 * MIB;
}

/* NULL and *rc_r if it can't be read. */
static struct xln_host *try_read(const uint64_t *reserved, int *rc_r)
{
    struct xln_host *host = NULL;

    *rc_r = xln_host_read(NULL, reserved, &host);
    return host;
}

static struct xln_host *read_host(void)
{
    int rc;
    struct xln_host *host = try_read(NULL, &rc);

    must(rc);
    return host;
}

static void test_plain(void)
{
    uint64_t reserved[XLN_MAX_NODES] = { 0, 7 * MIB };
    struct xln_host *host;
    const struct xln_host_node *node;
    const struct xln_host_cpu *cpu;
    int rc;

    four_nodes();
    host = try_read(reserved, &rc);
    must(rc);
    ok(nodes_are(xln_host_nodes(host), "0-3") && xln_host_nr_nodes(host) == 4 &&
           xln_host_nr_cpus(host) == 8,
       "a host of four nodes and eight CPUs is read");
    node = xln_host_node(host, 1);
    ok(node && node->total_bytes == GIB && node->free_bytes == 101 * MIB &&
           node->reserved_bytes == 7 * MIB && node->dma_bytes == 0 &&
           cpus_are(node->cpus, "2-3"),
       "a node has its memory, the reserved part of it, and its CPUs");
    ok(xln_host_node(host, 0)->dma_bytes == 30 * MIB,
       "the first node has the DMA zone");
    cpu = xln_host_cpu(host, 5);
    ok(cpu && cpu->online && cpu->node == 2 && cpu->socket == 2 &&
           cpu->core == 2, "a CPU has its node, socket and core");
    ok(xln_host_distance(host, 1, 3) == 24 &&
           xln_host_distance(host, 2, 2) == 10, "the distances are read");
    ok(xln_host_pool(host, 0) && cpus_are(xln_host_pool(host, 0)->cpus, "0-7"),
       "the cpupool has all CPUs");
    xln_host_free(host);

    host = read_host();
    ok(xln_host_node(host, 1)->reserved_bytes == 0,
       "without reservations nothing is reserved");
    xln_host_free(host);
}

static void test_sparse(void)
{
    struct xln_numainfo *info;
    struct xln_host *host;
    unsigned nr;

    nothing();
    set_node(0, GIB, MIB);
    set_node(2, 2 * GIB, 2 * MIB);
    set_node(5, 3 * GIB, 3 * MIB);
    set_cpu(0, 0);
    set_cpu(3, 5);
    set_bit(xen.pools[0].cpus, 0);
    set_bit(xen.pools[0].cpus, 3);
    host = read_host();
    ok(nodes_are(xln_host_nodes(host), "0,2,5") && !xln_host_node(host, 1) &&
           !xln_host_node(host, 6),
       "numbers without a node are no nodes");
    ok(xln_host_node(host, 5)->total_bytes == 3 * GIB &&
           cpus_are(xln_host_node(host, 5)->cpus, "3"),
       "a node keeps Xen's number");
    ok(xln_host_distance(host, 2, 5) == 27 &&
           xln_host_distance(host, 5, 0) == 25 &&
           xln_host_distance(host, 0, 1) == XLN_NONE,
       "distances keep Xen's numbers of nodes");
    ok(!xln_host_cpu(host, 1) && xln_host_cpu(host, 3),
       "numbers without a CPU are no CPUs");
    xln_host_free(host);

    must(xln_get_numainfo(NULL, &info, &nr));
    ok(nr == 6 && info[0].online && !info[1].online && info[5].online &&
           info[5].size_bytes == 3 * GIB && info[5].free_bytes == 3 * MIB &&
           info[1].size_bytes == 0 && info[1].free_bytes == 0,
       "xln_get_numainfo() has an entry for every number up to the last");
    ok(info[5].distances[2] == 27 && info[0].distances[5] == 25,
       "xln_get_numainfo() has a row of distances for each node");
    xln_numainfo_free(info);
    xln_numainfo_free(NULL);
}

static void test_odd_nodes(void)
{
    struct xln_host *host;

    four_nodes();
    set_node(1, 0, 0);
    host = read_host();
    ok(nodes_are(xln_host_nodes(host), "0-3") &&
           xln_host_node(host, 1)->total_bytes == 0 &&
           cpus_are(xln_host_node(host, 1)->cpus, "2-3"),
       "a node without memory is a node");
    xln_host_free(host);

    four_nodes();
    set_node(4, GIB, MIB);
    host = read_host();
    ok(nodes_are(xln_host_nodes(host), "0-4") &&
           cpus_are(xln_host_node(host, 4)->cpus, ""),
       "a node without CPUs is a node");
    xln_host_free(host);
}

static void test_odd_cpus(void)
{
    struct xln_host *host;

    four_nodes();
    xen.pools[0].cpus[0] &= ~(1u << 3);
    host = read_host();
    ok(xln_host_cpu(host, 3) && !xln_host_cpu(host, 3)->online &&
           xln_host_cpu(host, 3)->node == 1 &&
           cpus_are(xln_host_node(host, 1)->cpus, "2"),
       "a CPU that Xen does not use is offline, and on no node");
    xln_host_free(host);

    set_bit(xen.unassigned, 3);
    host = read_host();
    ok(xln_host_cpu(host, 3)->online &&
           cpus_are(xln_host_node(host, 1)->cpus, "2-3") &&
           cpus_are(xln_host_pool(host, 0)->cpus, "0-2,4-7"),
       "a CPU in no cpupool is online");
    xln_host_free(host);

    xen.cpus[3].node = XEN_INVALID_NODE_ID;
    host = read_host();
    ok(xln_host_cpu(host, 3)->node == XLN_NONE &&
           cpus_are(xln_host_node(host, 1)->cpus, "2"),
       "a CPU may be on an unknown node");
    xln_host_free(host);

    set_cpu(100, 3);
    set_bit(xen.pools[0].cpus, 100);
    host = read_host();
    ok(xln_host_nr_cpus(host) == 101 &&
           cpus_are(xln_host_node(host, 3)->cpus, "6-7,100"),
       "CPUs beyond 64 are read");
    xln_host_free(host);
}

static void test_pools(void)
{
    struct xln_host *host;

    four_nodes();
    xen.nr_pools = 3;
    memset(xen.pools[0].cpus, 0, sizeof(xen.pools[0].cpus));
    set_bit(xen.pools[0].cpus, 0);
    set_bit(xen.pools[0].cpus, 1);
    xen.pools[1].id = 5;
    set_bit(xen.pools[1].cpus, 4);
    xen.pools[2].id = 77;
    host = read_host();
    ok(cpus_are(xln_host_pool(host, 0)->cpus, "0-1") &&
           cpus_are(xln_host_pool(host, 5)->cpus, "4") &&
           cpus_are(xln_host_pool(host, 77)->cpus, "") &&
           !xln_host_pool(host, 1),
       "cpupools with gaps in their numbers, and one without CPUs, are read");
    ok(cpus_are(xln_host_node(host, 2)->cpus, "4"),
       "the CPUs of all cpupools are online");
    xln_host_free(host);
}

static void test_distances(void)
{
    struct xln_host *host;

    four_nodes();
    xen.distances[0][1] = XEN_INVALID_NODE_DIST;
    xen.distances[1][0] = 31;
    xen.distances[2][3] = 254;
    host = read_host();
    ok(xln_host_distance(host, 0, 1) == XLN_NONE &&
           xln_host_distance(host, 1, 0) == 31,
       "a distance that the firmware does not report is unknown");
    ok(xln_host_distance(host, 2, 3) == 254, "the largest distance is read");
    xln_host_free(host);
}

/* ---- the DMA zone ---- */

/* arch_get_dma_bitsize(), as Xen has it; the node begins at 0. */
static int xen_dma_width(uint64_t spanned_bytes)
{
    uint64_t last = (spanned_bytes >> 12) / 4 - 1;
    int bits = 12;

    for (; last; last >>= 1)
        bits++;
    return bits < 32 ? bits : 32;
}

static void test_dma_width(void)
{
    static const uint64_t mib[] = { 1, 2, 3, 64, 127, 128, 129, 512, 1000,
                                    1024, 1025, 2048, 3072, 4096, 8192,
                                    16384, 16385, 1 << 20 };
    struct xln_host *host;
    unsigned i, nr_wrong = 0;

    for (i = 0; i < ARRAY_SIZE(mib); i++) {
        four_nodes();
        set_node(0, mib[i] * MIB, MIB / 2);
        xln_host_free(read_host());
        if (xen.dma_width != xen_dma_width(mib[i] * MIB))
            printf("# %llu MiB: %d bits\n", (unsigned long long)mib[i],
                   xen.dma_width);
        nr_wrong += xen.dma_width != xen_dma_width(mib[i] * MIB);
    }
    ok(!nr_wrong, "the DMA zone is as wide as Xen makes it");
    four_nodes();
    xln_host_free(read_host());
    ok(xen.dma_width == 28,
       "the DMA zone has 28 bits for a first node of a GiB");

    four_nodes();
    set_node(0, 0, 0);
    set_node(1, 2 * GIB, MIB);
    xen.dma_bytes[0] = 0;
    xen.dma_bytes[1] = MIB / 2;
    host = read_host();
    ok(xen.dma_width == 29 && xln_host_node(host, 1)->dma_bytes == MIB / 2,
       "the DMA zone follows the next node if the first one has no memory");
    xln_host_free(host);
}

static void has_width(const char *command_line, int width)
{
    four_nodes();
    xen.command_line = command_line;
    xln_host_free(read_host());
    if (!ok(xen.dma_width == width,
            "the width of the DMA zone is read from Xen's command line "
            "\"%s\"", command_line))
        printf("# %d bits, expected %d\n", xen.dma_width, width);
}

static void has_gran(const char *command_line, enum xln_sched_gran gran)
{
    struct xln_host *host;

    four_nodes();
    xen.command_line = command_line;
    host = read_host();
    ok(xln_host_pool_at(host, 0)->sched_gran == gran,
       "Xen's command line '%s' gives this granularity: %s",
       command_line, gran == XLN_SCHED_CPU    ? "each CPU on its own"
                     : gran == XLN_SCHED_CORE ? "each core"
                                              : "each socket");
    xln_host_free(host);
    xen.command_line = "";
}

/* The host has as many CPUs on each core, and on each socket. */
static void test_sched_gran(void)
{
    has_gran("sched-gran=core", XLN_SCHED_CORE);
    has_gran("sched-gran=socket dom0_mem=4G", XLN_SCHED_SOCKET);
    has_gran("sched-gran=core sched-gran=cpu", XLN_SCHED_CPU);
    has_gran("sched-gran=cores", XLN_SCHED_CPU);
    has_gran("xsched-gran=core", XLN_SCHED_CPU);
}

static void test_dma_bits(void)
{
    has_width("", 28);
    has_width("dma_bits=30", 30);
    has_width("console=com1 dma_bits=24 numa=on", 24);
    has_width("xdma_bits=24 no-dma_bits", 28);
    has_width("xdma_bits=24 dma_bits=25", 25);
    has_width("dma_bits=0", 28);
    has_width("dma_bits=24 dma_bits=26", 26);
    has_width("dma_bits=0x1a", 26);
}

static void test_dma_free(void)
{
    struct xln_host *host;

    four_nodes();
    xen.dma_bytes[0] = 10 * MIB;
    xen.dma_bytes[2] = 5 * MIB;
    host = read_host();
    ok(xln_host_node(host, 0)->dma_bytes == 10 * MIB &&
           xln_host_node(host, 1)->dma_bytes == 0 &&
           xln_host_node(host, 2)->dma_bytes == 5 * MIB,
       "a DMA zone may reach over several nodes");
    xln_host_free(host);

    xen.dma_bytes[0] = 500 * MIB;
    host = read_host();
    ok(xln_host_node(host, 0)->dma_bytes == 100 * MIB,
       "memory that is freed meanwhile never makes the zone larger than the "
       "free memory");
    xln_host_free(host);

    nothing();
    set_node(0, GIB, 100 * MIB);
    set_cpu(0, 0);
    set_bit(xen.pools[0].cpus, 0);
    xen.dma_bytes[0] = 50 * MIB;
    host = read_host();
    ok(xln_host_node(host, 0)->dma_bytes == 0,
       "a host with one node has no DMA memory to keep");
    xln_host_free(host);
}

/* ---- what fails ---- */

static void test_failing_calls(void)
{
    struct xln_host *host;
    unsigned nth;
    int rc = -1;

    for (nth = 1; rc && nth < 40; nth++) {
        four_nodes();
        xen.nr_pools = 2;
        xen.pools[1].id = 5;
        xen.fail_at = nth;
        host = try_read(NULL, &rc);
        if (!xen.failed)
            break;
        /* Without the command line the zone is as wide as it is without
         * the option. */
        if (!strcmp(xen.failed, "xc_version"))
            ok(rc == 0 && host && xen.dma_width == 28,
               "if call %u, %s, fails, the host is read without Xen's "
               "options", nth, xen.failed);
        else
            ok(rc == -FAILED && !host,
               "if call %u, %s, fails, its errno is returned", nth,
               xen.failed);
        rc = -1;
        xln_host_free(host);
    }
    ok(!xen.failed && rc == 0 && host && nth > 9,
       "the host is read once no call fails");
    xln_host_free(host);
}

static void test_no_memory(void)
{
    struct xln_host *host;
    unsigned nth, nr_wrong = 0;
    int rc = -1;

    for (nth = 1; rc && nth < 200; nth++) {
        four_nodes();
        fake_alloc_fail(nth);
        host = try_read(NULL, &rc);
        fake_alloc_fail(0);
        nr_wrong += rc && (rc != -ENOMEM || host);
        if (rc && rc != -ENOMEM)
            printf("# allocation %u: %s\n", nth, strerror(-rc));
        if (!rc && !cpus_are(xln_host_node(host, 1)->cpus, "2-3"))
            nr_wrong++;
        xln_host_free(host);
    }
    ok(!nr_wrong && nth > 15 && nth < 200, "running out of memory is -ENOMEM");
}

static void is_refused(int expected, const char *what)
{
    struct xln_host *host;
    int rc;

    host = try_read(NULL, &rc);
    ok(rc == expected && !host, "%s", what);
    xln_host_free(host);
}

static void test_absurd(void)
{
    struct xln_numainfo *info = NULL;
    unsigned nr;

    four_nodes();
    xen.max_node_id = XLN_MAX_NODES;
    is_refused(-EPROTO, "more nodes than the library allows are refused");
    ok(xln_get_numainfo(NULL, &info, &nr) == -EPROTO && !info,
       "xln_get_numainfo() refuses as many nodes, too");
    four_nodes();
    xen.max_node_id = UINT32_MAX;
    is_refused(-EPROTO, "the largest possible node number is refused");
    four_nodes();
    xen.max_cpus = 0;
    is_refused(-EPROTO, "a host without a CPU number is refused");
    four_nodes();
    xen.max_cpus = XLN_MAX_CPUS + 1;
    is_refused(-EPROTO, "more CPUs than the library allows are refused");
    four_nodes();
    set_node(1, MIB, 2 * MIB);
    is_refused(-EINVAL, "a node with more free memory than memory is refused");
    four_nodes();
    set_cpu(8, 7);
    is_refused(-EINVAL, "a CPU on a node that does not exist is refused");
    four_nodes();
    xen.nr_pools = 0;
    is_refused(-ENOENT, "a host without a cpupool is refused");
}

int main(void)
{
    test_plain();
    test_sparse();
    test_odd_nodes();
    test_odd_cpus();
    test_pools();
    test_distances();
    test_dma_width();
    test_dma_bits();
    test_sched_gran();
    test_dma_free();
    test_failing_calls();
    test_no_memory();
    test_absurd();
    return tap_done();
}
