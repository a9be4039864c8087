/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots in files: out and back in, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake-alloc.h"
#include "host.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static void need(bool fine, const char *what)
{
    if (fine)
        return;
    printf("Bail out! %s\n", what);
    exit(1);
}

/* ---- files in memory ---- */

static int load(const char *text, size_t size, struct xln_snapshot **snapshot,
                char **error)
{
    FILE *f = fmemopen((char *)(uintptr_t)text, size, "r");
    int rc;

    need(f, "fmemopen");
    rc = xln_snapshot_load(f, "h.json", snapshot, error);
    fclose(f);
    return rc;
}

static char *saved(const struct xln_snapshot *snapshot)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    need(f && !xln_snapshot_save(snapshot, f), "save");
    fclose(f);
    return text;
}

static struct xln_snapshot *loaded(const char *text)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;

    if (load(text, strlen(text), &snapshot, &error))
        printf("# %s\n", error ? error : "no memory");
    free(error);
    return snapshot;
}

/* ---- hosts ---- */

static void add_node(struct xln_host *host, unsigned node, uint64_t total,
                     uint64_t free_bytes)
{
    xln_nodemap_set(host->exists, node);
    host->nodes[node].total_bytes = total;
    host->nodes[node].free_bytes = free_bytes;
}

static void add_cpu(struct xln_host *host, unsigned cpu, unsigned node)
{
    host->cpu_exists[cpu] = true;
    host->cpus[cpu] = (struct xln_host_cpu){
        .online = true, .node = node, .socket = node == XLN_NONE ? 7 : node,
        .core = cpu / 2,
    };
}

static void set_distances(struct xln_host *host, unsigned remote)
{
    unsigned from, to;

    for (from = 0; from < host->nr_nodes; from++)
        for (to = 0; to < host->nr_nodes; to++)
            host->distances[from * host->nr_nodes + to] =
                from == to ? 10 : remote + (from + to) % 3;
}

static struct xln_host *new_host(unsigned nr_cpus, unsigned nr_nodes,
                                 unsigned nr_pools)
{
    struct xln_host *host;

    need(!xln__host_new(nr_cpus, nr_nodes, nr_pools, &host), "host");
    set_distances(host, 20);
    return host;
}

static struct xln_host *even_host(unsigned nr_cpus, unsigned nr_nodes,
                                  uint64_t node_bytes)
{
    struct xln_host *host = new_host(nr_cpus, nr_nodes, 0);
    unsigned i;

    for (i = 0; i < nr_nodes; i++)
        add_node(host, i, node_bytes, node_bytes - i * MIB);
    for (i = 0; i < nr_cpus; i++)
        add_cpu(host, i, i / (nr_cpus / nr_nodes));
    return host;
}

static struct xln_host *one_node(void)
{
    return even_host(1, 1, GIB);
}

static struct xln_host *four_nodes(void)
{
    struct xln_host *host = even_host(16, 4, 4 * GIB);

    host->nodes[0].dma_bytes = 900 * MIB;
    host->nodes[2].reserved_bytes = 3 * GIB;
    return host;
}

/* As POWER numbers them. */
static struct xln_host *sparse_ids(void)
{
    static const unsigned nodes[] = { 0, 8, 252, 253, 255 };
    struct xln_host *host = new_host(100, 256, 0);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(nodes); i++) {
        add_node(host, nodes[i], GIB << i, GIB);
        add_cpu(host, 3 + 24 * i, nodes[i]);
    }
    host->cpus[3].online = false;
    return host;
}

static struct xln_host *sixty_four_nodes(void)
{
    return even_host(128, 64, 2 * GIB);
}

static struct xln_host *large(void)
{
    return even_host(8192, 64, 384 * GIB);
}

/* Node 1 has no memory, node 2 no CPU, node 3 nothing. */
static struct xln_host *uneven(void)
{
    struct xln_host *host = new_host(8, 5, 0);
    unsigned i;

    add_node(host, 0, 2 * GIB, GIB);
    add_node(host, 1, 0, 0);
    add_node(host, 2, 24 * TIB, 24 * TIB);
    add_node(host, 3, 0, 0);
    add_node(host, 4, 2 * GIB, GIB + 1);
    for (i = 0; i < 8; i++)
        add_cpu(host, i, i < 3 ? 0 : i < 5 ? 1 : i < 7 ? 4 : XLN_NONE);
    return host;
}

static struct xln_host *offline(void)
{
    struct xln_host *host = even_host(16, 2, GIB);

    host->cpus[3].online = host->cpus[15].online = false;
    host->cpu_exists[7] = false;
    return host;
}

static struct xln_host *unreachable(void)
{
    struct xln_host *host = even_host(8, 4, GIB);

    host->distances[0 * 4 + 3] = XLN_NONE;
    host->distances[3 * 4 + 0] = 4294967294u;
    host->distances[1 * 4 + 2] = XLN_NONE;
    return host;
}

static void fill_pool(struct xln_host *host, unsigned pool, unsigned id,
                      unsigned first, unsigned last)
{
    struct xln_cpumap *cpus;

    need(!xln_cpumap_new(host->nr_cpus, &cpus), "pool");
    for (; first <= last; first++)
        xln_cpumap_set(cpus, first);
    host->pools[pool].id = id;
    host->pools[pool].cpus = cpus;
}

static struct xln_host *pools(void)
{
    struct xln_host *host = new_host(8, 2, 3);
    unsigned i;

    for (i = 0; i < 8; i++)
        add_cpu(host, i, i / 4);
    add_node(host, 0, GIB, GIB);
    add_node(host, 1, GIB, GIB);
    fill_pool(host, 0, 0, 0, 5);
    fill_pool(host, 1, 3, 6, 6);
    fill_pool(host, 2, 4000000000u, 1, 0);
    return host;
}

static const struct {
    const char *name;
    struct xln_host *(*make)(void);
} hosts[] = {
    { "one node", one_node },
    { "four nodes, DMA, a create in flight", four_nodes },
    { "sparse numbers", sparse_ids },
    { "64 nodes", sixty_four_nodes },
    { "8192 CPUs, 24 TiB", large },
    { "nodes without memory, without CPUs, without both", uneven },
    { "CPUs offline and not there", offline },
    { "nodes that can't be reached", unreachable },
    { "pools", pools },
};

/* ---- plans are the same ---- */

static void print_set(FILE *f, const struct xln_bitmap *set)
{
    char *text = NULL;

    need(!set || !xln_bitmap_format(set, &text), "format");
    fprintf(f, " {%s}", text ? text : "-");
    free(text);
}

static void print_plan(FILE *f, const struct xln_plan *plan)
{
    unsigned i;

    fprintf(f, "%d %u %d", plan->verdict, plan->relaxed, plan->named);
    print_set(f, xln_nodemap_bits(plan->nodes));
    for (i = 0; i < plan->nr_shares; i++)
        fprintf(f, " %u:%llu", plan->shares[i].node,
                (unsigned long long)plan->shares[i].bytes);
    for (i = 0; i < plan->nr_nearest; i++)
        fprintf(f, " %u", plan->nearest[i]);
    print_set(f, xln_cpumap_bits(plan->allowed_cpus));
    print_set(f, xln_nodemap_bits(plan->vcpu_nodes));
    print_set(f, xln_cpumap_bits(plan->vcpu_cpus));
    fprintf(f, " %u %llu %u\n", plan->nr_fitting,
            (unsigned long long)plan->chosen.usable_bytes,
            plan->chosen.distance_max);
}

/* By each policy, domains of different sizes, in any pool. */
static char *plans(const struct xln_host *host)
{
    static const uint64_t sizes[] = { 64 * MIB, 700 * MIB, 3 * GIB, 2 * TIB };
    const char *const *name = xln_policy_names();
    const struct xln_host_pool *pool = xln_host_pool(host, 0);
    struct xln_request *request;
    struct xln_plan *plan;
    char *text = NULL;
    size_t size, i;
    FILE *f = open_memstream(&text, &size);

    need(f && !xln_request_new(&request), "request");
    for (; *name; name++) {
        request->policy = xln_policy_by_name(*name);
        for (i = 0; i < ARRAY_SIZE(sizes); i++) {
            struct xln_need wanted = {
                .memory_bytes = sizes[i], .nr_vcpus = 1 + 2 * i,
                .pool_cpus = pool ? pool->cpus : NULL,
            };

            need(!xln_place(host, request, &wanted, &plan), "place");
            print_plan(f, plan);
            xln_plan_free(plan);
        }
    }
    xln_request_free(request);
    fclose(f);
    return text;
}

/* ---- out and in again ---- */

static void test_round_trip(const struct xln_snapshot *snapshot,
                            const char *name)
{
    struct xln_snapshot *again;
    char *text = saved(snapshot), *text_again, *before, *after;

    again = loaded(text);
    if (!ok(again, "%s: what is saved can be loaded", name)) {
        free(text);
        return;
    }
    text_again = saved(again);
    ok(!strcmp(text, text_again), "%s: and is saved the same", name);
    before = plans(snapshot->host);
    after = plans(again->host);
    ok(!strcmp(before, after), "%s: and plans the same", name);
    xln_snapshot_free(again);
    free(text);
    free(text_again);
    free(before);
    free(after);
}

static void test_hosts(void)
{
    struct xln_snapshot snapshot = { 0 };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(hosts); i++) {
        snapshot.host = hosts[i].make();
        need(!xln__host_finish(snapshot.host), hosts[i].name);
        test_round_trip(&snapshot, hosts[i].name);
        xln_host_free(snapshot.host);
    }
}

/* All that a file can have; it is small, for the tests below. */
static const char full[] =
    "{\n"
    "    \"version\": 2,\n"
    "    \"xen\": \"4.17\",\n"
    "    \"host_name\": \"xen1\",\n"
    "    \"time_s\": 1795996800,\n"
    "    \"cpus\": [\n"
    "        { \"cpu\": 0, \"node\": 0, \"socket\": 0, \"core\": 0, "
    "\"online\": true },\n"
    "        { \"cpu\": 2, \"node\": null, \"socket\": 1, \"core\": 4, "
    "\"online\": false }\n"
    "    ],\n"
    "    \"nodes\": [\n"
    "        { \"node\": 0, \"total_bytes\": 1073741824, "
    "\"free_bytes\": 4096000, \"dma_bytes\": 4096, \"reserved_bytes\": 0 },\n"
    "        { \"node\": 3, \"total_bytes\": 4096, \"free_bytes\": 0, "
    "\"dma_bytes\": 0, \"reserved_bytes\": 8192 }\n"
    "    ],\n"
    "    \"distances\": [\n"
    "        [ 10, null ],\n"
    "        [ 21, 10 ]\n"
    "    ],\n"
    "    \"pools\": [\n"
    "        { \"pool\": 0, \"cpus\": \"0,2\" }\n"
    "    ],\n"
    "    \"pci_devices\": [\n"
    "        { \"device\": \"0000:00:1f.2\", \"node\": 0 },\n"
    "        { \"device\": \"ffff:ff:00.0\", \"node\": null }\n"
    "    ],\n"
    "    \"domains\": [\n"
    "        {\n"
    "            \"domid\": 0,\n"
    "            \"name\": \"Domain-0\",\n"
    "            \"uuid\": \"00000000-0000-0000-0000-000000000000\",\n"
    "            \"dying\": false,\n"
    "            \"pv\": true,\n"
    "            \"pool\": 0,\n"
    "            \"memory_bytes\": 4096,\n"
    "            \"claimed_bytes\": 0,\n"
    "            \"memory\": { \"source\": \"count\", \"time_s\": "
    "1795996799, \"nodes\": [ { \"node\": 0, \"bytes\": 4096 }, "
    "{ \"node\": 3, \"bytes\": 8192 } ] },\n"
    "            \"request\": { \"nodes\": \"0-1\", \"nodes_policy\": "
    "\"best\" },\n"
    "            \"nodes\": \"0-3\",\n"
    "            \"vcpus\": [\n"
    "                { \"online\": true, \"blocked\": false, \"running\": "
    "true, \"cpu\": 2, \"time_ns\": 18446744073709551615, \"hard\": \"0-2\", "
    "\"soft\": \"\" },\n"
    "                null\n"
    "            ]\n"
    "        },\n"
    "        {\n"
    "            \"domid\": 7,\n"
    "            \"name\": null,\n"
    "            \"uuid\": \"01234567-89ab-cdef-0123-456789abcdef\",\n"
    "            \"dying\": true,\n"
    "            \"pv\": false,\n"
    "            \"pool\": 4294967295,\n"
    "            \"memory_bytes\": 0,\n"
    "            \"claimed_bytes\": 0,\n"
    "            \"memory\": null,\n"
    "            \"request\": null,\n"
    "            \"nodes\": null,\n"
    "            \"vcpus\": [\n"
    "            ]\n"
    "        }\n"
    "    ]\n"
    "}\n";

static void test_full(void)
{
    struct xln_snapshot *snapshot = loaded(full);
    const struct xln_domain *d;
    char *text;

    need(snapshot, "full");
    text = saved(snapshot);
    is_str(text, full, "all that a file can have is saved as it was");
    free(text);
    test_round_trip(snapshot, "domains and devices");
    is_str(snapshot->xen, "4.17", "the release of Xen");
    ok(snapshot->devices_known && snapshot->nr_devices == 2 &&
       snapshot->devices[0].device == 0x1f &&
       snapshot->devices[0].function == 2 &&
       snapshot->devices[1].segment == 0xffff &&
       snapshot->devices[1].node == XLN_NONE, "the devices");
    ok(snapshot->domains->nr == 2, "the domains");
    d = &snapshot->domains->list[0];
    ok(d->is_pv && d->nr_vcpus == 2 && d->vcpus[0].exists &&
       d->vcpus[0].time_ns == UINT64_MAX && !d->vcpus[1].exists &&
       xln_cpumap_count(d->vcpus[0].hard) == 3, "the vCPUs of one");
    is_str(snapshot->host_name, "xen1", "the host's name");
    ok(snapshot->time_s == 1795996800, "when it was taken");
    ok(snapshot->more[0].memory_source == XLN_MEMORY_COUNTED &&
       snapshot->more[0].memory_time_s == 1795996799 &&
       snapshot->more[0].nr_memory == 2 &&
       snapshot->more[0].memory[1].node == 3 &&
       snapshot->more[0].memory[1].bytes == 8192, "where its memory is");
    ok(snapshot->more[1].memory_source == XLN_MEMORY_UNKNOWN &&
       !snapshot->more[1].memory, "another one's is unknown");
    is_str(snapshot->more[0].request[2], "nodes_policy", "its request");
    is_str(snapshot->more[0].request[3], "best", "with the texts");
    ok(!snapshot->more[0].request[4], "to the end");
    ok(d[1].dying && !d[1].nodes && !d[1].nr_vcpus && !snapshot->more[1].name &&
       !snapshot->more[1].request && d[1].uuid[15] == 0xef,
       "another one, dying");
    xln_snapshot_free(snapshot);
}

/* Something else instead of the first `old`. */
static char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    char *copy;

    need(at, old);
    need(asprintf(&copy, "%.*s%s%s", (int)(at - text), text, new,
                  at + strlen(old)) >= 0, "asprintf");
    return copy;
}

static char *changed(const char *old, const char *new)
{
    return replaced(full, old, new);
}

/* A file of the first version has less in it. */
static void test_first_version(void)
{
    static const char *const gone[] = {
        "    \"host_name\": \"xen1\",\n", "    \"time_s\": 1795996800,\n",
        "            \"memory\": null,\n",
    };
    char *text = changed("\"version\": 2", "\"version\": 1"), *less;
    struct xln_snapshot *snapshot;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(gone); i++) {
        less = replaced(text, gone[i], "");
        free(text);
        text = less;
    }
    snapshot = loaded(text);
    ok(snapshot && !snapshot->host_name && !snapshot->time_s &&
       snapshot->domains->nr == 2, "a file of version 1 is read");
    xln_snapshot_free(snapshot);
    free(text);
}

/* What Xen counts replaces what was known before. */
static void test_residency(void)
{
    static const char report[] =
        "(XEN) 'u' pressed -> dumping numa info (now = 1)\n"
        "(XEN) d0 (total: 7):\n"
        "(XEN)     Node 0: 3\n(XEN)     Node 1: 0\n(XEN)     Node 2: 0\n"
        "(XEN)     Node 3: 4\n(XEN)     Node 4: 0\n";
    struct xln_snapshot *snapshot = loaded(full);
    const struct xln_snapshot_domain *more = snapshot->more;
    struct xln_residency *residency;

    need(!xln_residency_parse(report, strlen(report), &residency), "report");
    ok(!xln_snapshot_add_residency(snapshot, residency),
       "a report of Xen's is added");
    ok(more[0].memory_source == XLN_MEMORY_COUNTED && more[0].nr_memory == 2 &&
       more[0].memory[0].node == 0 && more[0].memory[0].bytes == 3 * 4096 &&
       more[0].memory[1].node == 3 && more[0].memory[1].bytes == 4 * 4096 &&
       more[0].memory_time_s == snapshot->time_s,
       "a domain has its pages from it");
    ok(more[1].memory_source == XLN_MEMORY_UNKNOWN,
       "one that the report lacks has none");
    xln_residency_free(residency);
    test_round_trip(snapshot, "with a report");
    xln_snapshot_free(snapshot);
}

/* Names are the guests' administrators' affair. */
static void test_odd_names(void)
{
    static const char *const names[][2] = {
        { "two words", "two words" },
        { "\"quoted\" \\ {,[", "\"quoted\" \\ {,[" },
        { "    ", "    " },
        { "{", "{" },
        { "tab\there\nline\x7f", "tab\there\nline\x7f" },
        { "\xc3\xa9 \xf0\x9f\x90\xa7", "\xc3\xa9 \xf0\x9f\x90\xa7" },
        { "caf\xe9", "caf\xef\xbf\xbd" },
        { "", "" },
    };
    struct xln_snapshot *snapshot = loaded(full), *again;
    char *text, *old;
    size_t i;

    need(snapshot, "full");
    old = snapshot->more[0].name;
    for (i = 0; i < ARRAY_SIZE(names); i++) {
        snapshot->more[0].name = (char *)(uintptr_t)names[i][0];
        text = saved(snapshot);
        again = loaded(text);
        need(again, "odd name");
        is_str(again->more[0].name, names[i][1], "a name comes back");
        snapshot->more[0].name = old;
        test_round_trip(again, "its domain");
        xln_snapshot_free(again);
        free(text);
    }
    xln_snapshot_free(snapshot);
}

/* Sets of Xen's are as wide as it could have CPUs. */
static void test_wide_sets(void)
{
    struct xln_snapshot *snapshot = loaded(full);
    struct xln_vcpu *v = &snapshot->domains->list[0].vcpus[0];
    char *text;

    xln_cpumap_free(v->hard);
    need(!xln_cpumap_new(128, &v->hard), "set");
    xln_cpumap_fill(v->hard);
    text = saved(snapshot);
    is_str(text, full, "a set ends where the host does");
    free(text);
    xln_snapshot_free(snapshot);
}

/* ---- files ---- */

static FILE *open_source(const char *name)
{
    const char *dir = getenv("top_srcdir");
    char *path;
    FILE *f;

    need(asprintf(&path, "%s/%s", dir ? dir : ".", name) >= 0, "asprintf");
    f = fopen(path, "r");
    need(f, path);
    free(path);
    return f;
}

/* It comes back from `text` byte by byte, too. */
static void test_text(const char *text, const char *name)
{
    struct xln_snapshot *snapshot = loaded(text);
    char *again;

    if (!ok(snapshot, "%s: it can be loaded", name))
        return;
    again = saved(snapshot);
    is_str(again, text, name);
    free(again);
    test_round_trip(snapshot, name);
    xln_snapshot_free(snapshot);
}

/* One that a running host has written. */
static void test_rig(void)
{
    char text[16384];
    FILE *f = open_source("tests/hosts/rig-4node.json");
    size_t size = fread(text, 1, sizeof(text) - 1, f);
    struct xln_snapshot *snapshot;

    fclose(f);
    text[size] = '\0';
    test_text(text, "a host of the rig");
    snapshot = loaded(text);
    need(snapshot, "rig");
    ok(xln_nodemap_count(xln_host_nodes(snapshot->host)) == 4 &&
       xln_host_nr_cpus(snapshot->host) == 8 &&
       xln_host_distance(snapshot->host, 0, 3) == 31,
       "it has the topology of the rig");
    ok(snapshot->domains->nr == 4, "and its domains");
    xln_snapshot_free(snapshot);
}

/* The page shows a file, four blanks to the right. */
static void test_page(void)
{
    FILE *f = open_source("docs/xl-numa-snapshot.5.pod"), *out;
    char line[512], *text = NULL;
    bool shown = false;
    size_t size;

    out = open_memstream(&text, &size);
    need(out, "memory");
    while (fgets(line, sizeof(line), f)) {
        if (*line == '=')
            shown = !strcmp(line, "=head1 EXAMPLE\n");
        else if (shown && *line == ' ')
            fputs(line + 4, out);
    }
    fclose(out);
    fclose(f);
    test_text(text, "the example of the manual");
    free(text);
}

/* ---- what is refused ---- */

static const struct {
    const char *old, *new, *line;
} refusals[] = {
    { "1073741824, \"free_bytes\": 4096000",
      "1073741824, \"free_bytes\": \"x\"",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not \"x\"" },
    { "\"free_bytes\": 4096000", "\"free_bytes\": 1073741825",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not 1073741825" },
    { "\"dma_bytes\": 4096", "\"dma_bytes\": 4096001",
      "11: nodes[0].dma_bytes: expected a number up to free_bytes (4096000), "
      "not 4096001" },
    { "1073741824", "4503599627370497",
      "11: nodes[0].total_bytes: expected a number up to 4503599627370496, "
      "not 4503599627370497" },
    { "4096000", "-1", "11: nodes[0].free_bytes: expected a number up to "
      "total_bytes (1073741824), not -1" },
    { "4096000", "1e3", "11: nodes[0].free_bytes: expected a number up to "
      "total_bytes (1073741824), not 1e3" },
    { "4096000", "18446744073709551616", "11: nodes[0].free_bytes: expected "
      "a number up to total_bytes (1073741824), not 18446744073709551616" },
    { "4096000", "111111111111111111111111111111111111111111111",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not 1111111111111111111111111111111111111111..." },
    { "\"reserved_bytes\": 0", "\"reserved\": 0",
      "11: nodes[0].reserved_bytes: expected a number up to 4503599627370496, "
      "but it is not there" },
    { "\"node\": 3", "\"node\": 0", "12: nodes[1].node: expected each number "
      "once, but 0 is there twice" },
    { "\"node\": 3", "\"node\": 1024", "12: nodes[1].node: expected a number "
      "up to 1023, not 1024" },
    { "\"cpu\": 2", "\"cpu\": 65536", "8: cpus[1].cpu: expected a number up "
      "to 65535, not 65536" },
    { "\"node\": null", "\"node\": 1", "8: cpus[1].node: expected the number "
      "of one of the nodes, not 1" },
    { "\"node\": null", "\"node\": 4", "8: cpus[1].node: expected a number up "
      "to 3, or null, not 4" },
    { "\"online\": false", "\"online\": 0", "8: cpus[1].online: expected true "
      "or false, not 0" },
    { ", \"online\": false", "", "8: cpus[1].online: expected true or false, "
      "but it is not there" },
    { "{ \"cpu\": 0, \"node\": 0, \"socket\": 0, \"core\": 0, \"online\": "
      "true }", "[ ]", "7: cpus[0]: expected an object, not an empty list" },
    { "\"pools\": [", "\"pools\": null, \"p\": [", "18: pools: expected a "
      "list, not null" },
    { "\"pools\"", "\"pool\"", "1: pools: expected a list, but it is not "
      "there" },
    { "[ 21, 10 ]", "[ 21, 10, 20 ]", "16: distances[1]: expected 2 "
      "distances, one for each node, not 3" },
    { "[ 21, 10 ]", "{ }", "16: distances[1]: expected a list of 2 distances, "
      "not an object" },
    { "[ 10, null ],\n", "", "14: distances: expected 2 rows, one for each "
      "node, not 1" },
    { "[ 21, 10 ]", "[ 4294967295, 10 ]", "16: distances[1][0]: expected a "
      "number up to 4294967294, or null, not 4294967295" },
    { "\"0,2\"", "\"0,3\"", "19: pools[0].cpus: expected CPU numbers up to 2, "
      "such as \"0-3,8\", not \"0,3\"" },
    { "\"0,2\"", "[ 0, 2 ]", "19: pools[0].cpus: expected CPU numbers such as "
      "\"0-3,8\", not a list" },
    { "\"0,2\"", "\"node:0\"", "19: pools[0].cpus: expected CPU numbers up to "
      "2, such as \"0-3,8\", not \"node:0\"" },
    { "00:1f.2", "00:20.0", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:20.0\"" },
    { "00:1f.2", "00:1F.2", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:1F.2\"" },
    { "00:1f.2", "00:1f.2x", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:1f.2x\"" },
    { "\"domid\": 7", "\"domid\": 32752", "44: domains[1].domid: expected a "
      "number from 1 to 32751, not 32752" },
    { "\"01234567-", "\"0123456-", "46: domains[1].uuid: expected a UUID such "
      "as \"01234567-89ab-cdef-0123-456789abcdef\", not \"0123456-89ab-cdef-"
      "0123-456789abcdef\"" },
    { "\"nodes\": null", "\"nodes\": \"\"", "54: domains[1].nodes: expected "
      "null for a dying domain, not \"\"" },
    { "\"vcpus\": [\n            ]", "\"vcpus\": [ null ]",
      "55: domains[1].vcpus: expected no vCPU of a dying domain, not a list" },
    { "\"nodes\": \"0-3\"", "\"nodes\": \"0-4\"", "37: domains[0].nodes: "
      "expected node numbers up to 3, such as \"0-3,8\", not \"0-4\"" },
    { "\"hard\": \"0-2\"", "\"hard\": \"0-\"", "39: domains[0].vcpus[0].hard: "
      "expected CPU numbers up to 2, such as \"0-3,8\", not \"0-\"" },
    { "\"best\"", "5", "36: domains[0].request.nodes_policy: expected a text, "
      "not 5" },
    { "\"Domain-0\"", "[ 1 ]", "28: domains[0].name: expected a text or null, "
      "not a list" },
    { "18446744073709551615", "18446744073709551616", "39: domains[0].vcpus[0]"
      ".time_ns: expected a number up to 18446744073709551615, not "
      "18446744073709551616" },
    { "\"4.17\"", "\"4\"", "3: xen: expected a release such as \"4.17\", or "
      "null, not \"4\"" },
    { "\"version\": 2", "\"version\": 3", "2: version: expected 1 to 2, not "
      "3: the file needs a newer libxl-numa than " PACKAGE_VERSION },
    { "\"version\": 2", "\"version\": 0", "2: version: expected a number from "
      "1 to 4294967295, not 0" },
    { "\"version\": 2", "\"version\": \"1\"", "2: version: expected a number "
      "from 1 to 4294967295, not \"1\"" },
    { "\"xen1\"", "1", "4: host_name: expected a text or null, not 1" },
    { "1795996800", "\"now\"", "5: time_s: expected a number from 1 to "
      "1099511627776, not \"now\"" },
    { "1795996800", "0", "5: time_s: expected a number from 1 to "
      "1099511627776, not 0" },
    { "\"memory\": null", "\"memory\": 5", "52: domains[1].memory: expected an "
      "object or null, not 5" },
    { "\"count\"", "\"guess\"", "35: domains[0].memory.source: expected "
      "\"build\" or \"count\", not \"guess\"" },
    { "1795996799", "-1", "35: domains[0].memory.time_s: expected a number "
      "from 1 to 1099511627776, not -1" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 2, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected the number of one of the "
      "nodes, not 2" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 0, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected a number from 1 to 1023, "
      "not 0" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 4, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected a number up to 3, not 4" },
    { "\"bytes\": 8192", "\"bytes\": 0",
      "35: domains[0].memory.nodes[1].bytes: expected a number from 1 to "
      "4503599627370496, not 0" },
    { "\"socket\": 1", "\"cpu\": 1", "8: cpus[1].cpu: expected once, but it "
      "is there twice" },
    { "\"Domain-0\"", "\"a\\u0000b\"", "28: domains[0].name: expected UTF-8 "
      "without a zero" },
    { "\"Domain-0\"", "\"\\ude00\"", "28: domains[0].name: expected UTF-8 "
      "without a zero" },
    { "\"Domain-0\"", "\"\xed\xa0\x80\"", "28: domains[0].name: expected "
      "UTF-8 without a zero" },
    { "\"nodes\": \"0-1\"", "\"\\u0000\": \"0-1\"", "36: expected a key of "
      "UTF-8 without a zero" },
    { "\"nodes\": \"0-1\"", "\"a\\u001bb\": 1, \"c\": \"0-1\"",
      "36: domains[0].request.a?b: expected a text, not 1" },
    { "\"Domain-0\"", "Domain-0", "28: expected JSON: lexical error: invalid "
      "char in json text" },
    { "\"nodes_policy\": ", "", "36: expected JSON: parse error: object key "
      "and value must be separated by a colon (':')" },
    { "]\n}\n", "]\n", "59: expected JSON: parse error: premature EOF" },
    { "]\n}\n", "]\n}\n7\n", "60: expected JSON: parse error: trailing "
      "garbage" },
};

static void is_refused(const char *text, int expected_rc, const char *line,
                       const char *what)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;
    int rc;

    rc = load(text, strlen(text), &snapshot, &error);
    ok(rc == expected_rc && !snapshot, "%s: refused", what);
    is_str(error, line, "in this line");
    xln_snapshot_free(snapshot);
    free(error);
}

static void test_refusals(void)
{
    char line[256], *text;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(refusals); i++) {
        text = changed(refusals[i].old, refusals[i].new);
        snprintf(line, sizeof(line), "h.json:%s", refusals[i].line);
        is_refused(text, -EINVAL, line, refusals[i].line);
        free(text);
    }
    is_refused("[ ]", -EINVAL, "h.json:1: expected an object, not an empty "
               "list", "a list");
    is_refused("\n5", -EINVAL, "h.json:2: expected an object, not 5",
               "a number");
    is_refused("{ }", -EINVAL, "h.json:1: version: expected a number from 1 "
               "to 4294967295, but it is not there", "an empty object");
    is_refused("\n\n ", -EINVAL, "h.json:3: expected JSON: parse error: "
               "premature EOF", "nothing");
}

/* What may be there and what may be missing. */
static void test_open_form(void)
{
    static const char *const changes[][2] = {
        { "\"xen\": \"4.17\",", "" },
        { "\"xen\": \"4.17\",", "\"xen\": null," },
        { "\"name\": null,", "" },
        { "\"request\": null,", "" },
        { "\"version\": 2,", "\"version\": 2, \"made_by\": [ { } ]," },
        { "\"host_name\": \"xen1\",", "" },
        { "\"time_s\": 1795996800,", "\"time_s\": null," },
        { "\"memory\": null,", "" },
        { "\"core\": 4", "\"core\": 4, \"thread\": { \"node\": \"x\" }" },
        { "\"0,2\"", "\"all,^1\"" },
        { "\"pci_devices\"", "\"devices\"" },
        { "\"domains\"", "\"guests\"" },
    };
    struct xln_snapshot *snapshot;
    size_t i;
    char *text;

    for (i = 0; i < ARRAY_SIZE(changes); i++) {
        text = changed(changes[i][0], changes[i][1]);
        snapshot = loaded(text);
        ok(snapshot, "%s instead of %s", changes[i][1], changes[i][0]);
        if (snapshot)
            ok(snapshot->devices_known == (i != 10) &&
               !!snapshot->domains == (i != 11), "what is there is known");
        xln_snapshot_free(snapshot);
        free(text);
    }
}

/* ---- what is bounded ---- */

static char *repeated(const char *start, const char *part, unsigned nr,
                      const char *end)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    need(f, "memory");
    fputs(start, f);
    while (nr--)
        fputs(part, f);
    fputs(end, f);
    fclose(f);
    return text;
}

static ssize_t blanks(void *cookie, char *buffer, size_t size)
{
    (void)cookie;
    memset(buffer, ' ', size);
    return size;
}

static ssize_t broken(void *cookie, char *buffer, size_t size)
{
    (void)cookie;
    (void)buffer;
    (void)size;
    errno = EIO;
    return -1;
}

static int load_stream(cookie_read_function_t *read_some, char **error)
{
    struct xln_snapshot *snapshot;
    FILE *f = fopencookie(NULL, "r",
                          (cookie_io_functions_t){ .read = read_some });
    int rc;

    need(f, "fopencookie");
    rc = xln_snapshot_load(f, "h.json", &snapshot, error);
    fclose(f);
    return rc;
}

static void test_streams(void)
{
    char *error = NULL;

    ok(load_stream(blanks, &error) == -EFBIG, "a file without end is refused");
    is_str(error, "h.json: expected no more than 64 MiB", "in a line");
    free(error);
    error = NULL;
    ok(load_stream(broken, &error) == -EIO && !error,
       "a file that can't be read is an error");
}

static void test_bounds(void)
{
    char *text, *part, keys[65 * 8 + 1] = "";
    unsigned i;

    text = repeated("", "[", 100000, "");
    is_refused(text, -EINVAL, "h.json:1: [0][0][0][0][0][0][0][0][0][0][0][0]"
               "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: "
               "expected no more than 32 levels", "deep nesting");
    free(text);
    text = repeated("[\n7", ",7", 1u << 22, "]");
    is_refused(text, -EFBIG, "h.json:2: [4194303]: expected no more than "
               "4194304 values in a file", "many values");
    free(text);
    for (i = 0; i < 65; i++)
        sprintf(keys + strlen(keys), "%s\"k%u\":1", i ? "," : "", i);
    text = repeated("{", keys, 1, "}");
    is_refused(text, -EINVAL, "h.json:1: k64: expected no more than 64 keys",
               "many keys");
    free(text);

    part = repeated("\"vcpus\": [ null", ", null", 20000, "], \"v\": [");
    text = changed("\"vcpus\": [", part);
    free(part);
    part = replaced(text, "\"cpu\": 2", "\"cpu\": 65535");
    is_refused(part, -EFBIG, "h.json:38: domains[0].vcpus: expected no more "
               "than 16384 vCPUs in a file with 65536 CPUs",
               "large sets for many vCPUs");
    free(text);
    free(part);
}

/* ---- damage ---- */

/* An error with a line, or a host that can be used. */
static bool is_survived(const char *text, size_t size)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL, *again;
    int rc = load(text, size, &snapshot, &error);

    if (rc) {
        bool fine = (rc == -EINVAL || rc == -EFBIG) && error && !snapshot;

        free(error);
        return fine;
    }
    again = saved(snapshot);
    xln_snapshot_free(snapshot);
    snapshot = loaded(again);
    free(again);
    xln_snapshot_free(snapshot);
    return snapshot;
}

static void test_damage(void)
{
    size_t size = strlen(full), i, nr = 0;
    char *text = strdup(full);

    need(text, "memory");
    /* Without the newline it is all there. */
    for (i = 1; i < size - 1; i++) {
        struct xln_snapshot *snapshot = NULL;
        char *error = NULL;

        nr += load(full, i, &snapshot, &error) == -EINVAL && error;
        free(error);
        xln_snapshot_free(snapshot);
    }
    ok(nr == size - 2, "a file cut short anywhere is refused");
    for (i = nr = 0; i < 8 * size; i++) {
        text[i / 8] ^= 1 << i % 8;
        nr += is_survived(text, size);
        text[i / 8] ^= 1 << i % 8;
    }
    ok(nr == 8 * size, "with any bit flipped it is refused, or a host");
    free(text);
}

static void test_no_memory(void)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;
    unsigned nth = 0, nr = 0;
    FILE *f;
    int rc;

    do {
        FILE *in = fmemopen((char *)(uintptr_t)full, strlen(full), "r");

        need(in, "fmemopen");
        fake_alloc_fail(++nth);
        rc = xln_snapshot_load(in, "h.json", &snapshot, &error);
        fake_alloc_fail(0);
        fclose(in);
        nr += rc == -ENOMEM && !snapshot && !error;
    } while (rc && nth < 1000);
    ok(!rc && nth > 20 && nr == nth - 1, "load: each of %u allocations may "
       "fail", nr);

    f = fopen("/dev/null", "w");
    need(f, "/dev/null");
    nth = nr = 0;
    do {
        fake_alloc_fail(++nth);
        rc = xln_snapshot_save(snapshot, f);
        fake_alloc_fail(0);
        nr += rc == -ENOMEM;
    } while (rc && nth < 1000);
    ok(!rc && nth > 20 && nr == nth - 1, "save: each of %u allocations may "
       "fail", nr);
    fclose(f);
    xln_snapshot_free(snapshot);
    xln_snapshot_free(NULL);
}

int main(void)
{
    test_hosts();
    test_full();
    test_first_version();
    test_residency();
    test_odd_names();
    test_wide_sets();
    test_rig();
    test_page();
    test_refusals();
    test_open_form();
    test_streams();
    test_bounds();
    test_damage();
    test_no_memory();
    return tap_done();
}
