/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots in files: out and back in. */
#include "snapshots.h"

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

/* Node numbers as on POWER. */
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
    if (!ok(again, "%s: a saved file can be loaded", name)) {
        free(text);
        return;
    }
    text_again = saved(again);
    ok(!strcmp(text, text_again), "%s: a loaded file is saved the same", name);
    before = plans(snapshot->host);
    after = plans(again->host);
    ok(!strcmp(before, after), "%s: a loaded file gives the same plan", name);
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

static void test_full(void)
{
    struct xln_snapshot *snapshot = loaded(full);
    const struct xln_domain *d;
    char *text;

    need(snapshot, "full");
    text = saved(snapshot);
    is_str(text, full, "all that a file can have is saved as it was read");
    free(text);
    test_round_trip(snapshot, "domains and devices");
    is_str(snapshot->xen, "4.17", "the release of Xen is read");
    ok(snapshot->devices_known && snapshot->nr_devices == 2 &&
       snapshot->devices[0].device == 0x1f &&
       snapshot->devices[0].function == 2 &&
       snapshot->devices[1].segment == 0xffff &&
       snapshot->devices[1].node == XLN_NONE, "the devices are read");
    ok(snapshot->domains->nr == 2, "the domains are read");
    d = &snapshot->domains->list[0];
    ok(d->is_pv && d->nr_vcpus == 2 && d->vcpus[0].exists &&
       d->vcpus[0].time_ns == UINT64_MAX && !d->vcpus[1].exists &&
       xln_cpumap_count(d->vcpus[0].hard) == 3,
       "the vCPUs of a domain are read");
    is_str(snapshot->host_name, "xen1", "the host's name is read");
    ok(snapshot->time_s == 1795996800, "the time is read");
    ok(snapshot->more[0].memory_source == XLN_MEMORY_COUNTED &&
       snapshot->more[0].memory_time_s == 1795996799 &&
       snapshot->more[0].nr_memory == 2 &&
       snapshot->more[0].memory[1].node == 3 &&
       snapshot->more[0].memory[1].bytes == 8192,
       "the nodes of a domain's memory are read");
    ok(snapshot->more[1].memory_source == XLN_MEMORY_UNKNOWN &&
       !snapshot->more[1].memory, "the memory of another domain is not known");
    is_str(snapshot->more[0].request[2], "nodes_policy",
           "the request of a domain is read");
    is_str(snapshot->more[0].request[3], "best",
           "the request has the texts of its keys");
    ok(!snapshot->more[0].request[4], "the request has no further key");
    ok(d[1].dying && !d[1].nodes && !d[1].nr_vcpus && !snapshot->more[1].name &&
       !snapshot->more[1].request && d[1].uuid[15] == 0xef,
       "a dying domain is read");
    xln_snapshot_free(snapshot);
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

/* Xen's count replaces what was known before. */
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
       "Xen's report of pages can be added");
    ok(more[0].memory_source == XLN_MEMORY_COUNTED && more[0].nr_memory == 2 &&
       more[0].memory[0].node == 0 && more[0].memory[0].bytes == 3 * 4096 &&
       more[0].memory[1].node == 3 && more[0].memory[1].bytes == 4 * 4096 &&
       more[0].memory_time_s == snapshot->time_s,
       "a domain has its pages from the report");
    ok(more[1].memory_source == XLN_MEMORY_UNKNOWN,
       "a domain that is not in the report has no pages");
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
        is_str(again->more[0].name, names[i][1],
               "a name is read back as it was saved");
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
    is_str(text, full, "a set is cut at the end of the host");
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

    if (!ok(snapshot, "%s: the file can be loaded", name))
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
       "the example has the topology of the rig");
    ok(snapshot->domains->nr == 4, "the example has the domains of the rig");
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
    ok(!rc && nth > 20 && nr == nth - 1,
       "loading survives the failure of each of %u allocations", nr);

    f = fopen("/dev/null", "w");
    need(f, "/dev/null");
    nth = nr = 0;
    do {
        fake_alloc_fail(++nth);
        rc = xln_snapshot_save(snapshot, f);
        fake_alloc_fail(0);
        nr += rc == -ENOMEM;
    } while (rc && nth < 1000);
    ok(!rc && nth > 20 && nr == nth - 1,
       "saving survives the failure of each of %u allocations", nr);
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
    test_no_memory();
    return tap_done();
}
