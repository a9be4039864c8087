/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "map.h"
#include "text/units.h"

/* ---- domains ---- */

/* Whether its vCPUs may run on all nodes that have CPUs. */
static bool keeps_to_none(const struct xln_host *host,
                          const struct resident *r)
{
    unsigned node;

    if (!r->may_nodes)
        return true;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (!xln_cpumap_is_empty(xln_host_node(host, node)->cpus) &&
            !xln_nodemap_test(r->may_nodes, node))
            return false;
    return true;
}

/* NULL: its vCPUs are nowhere. */
static const struct xln_nodemap *home_of(const struct xln_host *host,
                                         const struct resident *r)
{
    const struct xln_nodemap *home = r->may_nodes;

    if (keeps_to_none(host, r) && !xln_nodemap_is_empty(r->now_nodes))
        home = r->now_nodes;
    return home && !xln_nodemap_is_empty(home) ? home : NULL;
}

/* The node of its vCPUs that is nearest to most of the remote memory. */
static void find_ends(const struct xln_host *host, struct map_domain *d)
{
    uint64_t most = 0;
    unsigned node, distance;

    d->memory_node = d->vcpu_node = d->distance = XLN_NONE;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        if (xln_nodemap_test(d->home, node) || d->r->pages[node] <= most)
            continue;
        most = d->r->pages[node];
        d->memory_node = node;
    }
    XLN_FOREACH(xln_nodemap, node, d->home) {
        distance = xln_host_distance(host, node, d->memory_node);
        if (d->vcpu_node != XLN_NONE && distance >= d->distance)
            continue;
        d->vcpu_node = node;
        d->distance = distance;
    }
}

static void fill_domain(const struct xln_host *host, const struct resident *r,
                       struct map_domain *d)
{
    char number[16];
    unsigned node;

    d->r = r;
    d->home = home_of(host, r);
    snprintf(number, sizeof(number), "(%" PRIu32 ")", r->domain->domid);
    label_put(r->name ? r->name : number, MAP_LABEL_MAX, d->label);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        uint64_t bytes = r->pages[node] << PAGE_SHIFT;

        d->total_bytes += bytes;
        if (d->home && !xln_nodemap_test(d->home, node))
            d->remote_bytes += bytes;
    }
    d->is_remote = r->domain->domid && d->remote_bytes &&
                   d->remote_bytes >= d->total_bytes / 100;
    if (d->is_remote)
        find_ends(host, d);
}

double map_cost(const struct map_domain *d)
{
    double extra = d->distance == XLN_NONE ? 255 : d->distance - 10.0;

    return d->is_remote ? d->remote_bytes * (extra > 1 ? extra : 1) : -1;
}

static int compare_domains(const void *a, const void *b)
{
    const struct map_domain *x = a, *y = b;
    double cost_x = map_cost(x), cost_y = map_cost(y);

    if (cost_x != cost_y)
        return cost_x > cost_y ? -1 : 1;
    return x->r->domain->domid < y->r->domain->domid ? -1 : 1;
}

static int fill_domains(struct map *map)
{
    const struct residents *all = map->residents;
    unsigned i;

    map->domains = calloc(all->nr + 1, sizeof(*map->domains));
    if (!map->domains)
        return -ENOMEM;
    for (i = 0; i < all->nr; i++) {
        struct map_domain *d = &map->domains[map->nr_domains++];

        fill_domain(map->snapshot->host, &all->list[i], d);
        if (!all->list[i].domain->domid)
            continue;
        map->nr_guests++;
        map->nr_remote += d->is_remote;
        map->nr_unknown += d->r->source == XLN_MEMORY_UNKNOWN;
    }
    qsort(map->domains, map->nr_domains, sizeof(*map->domains),
          compare_domains);
    return 0;
}

/* ---- nodes ---- */

static int compare_parts(const void *a, const void *b)
{
    const struct map_part *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->domain < y->domain ? -1 : x->domain > y->domain;
}

static enum map_kind kind_of(const struct map_domain *d, unsigned node)
{
    if (!d->r->domain->domid)
        return MAP_DOM0;
    return d->home && !xln_nodemap_test(d->home, node) ? MAP_REMOTE
                                                       : MAP_LOCAL;
}

/* What is neither free nor known to be a domain's is Xen's, or that of domains
 * whose memory is unknown. */
static void add_rest(struct map_node *n)
{
    uint64_t used = n->total_bytes - n->free_bytes, known = 0;
    unsigned i;

    for (i = 0; i < n->nr_parts; i++)
        known += n->parts[i].bytes;
    if (used > known)
        n->parts[n->nr_parts++] = (struct map_part){
            .kind = MAP_REST, .bytes = used - known,
        };
}

static int fill_parts(const struct map *map, struct map_node *n)
{
    const struct map_domain *d = map->domains;
    const struct map_domain *end = d + map->nr_domains;

    n->parts = calloc(map->nr_domains + 1, sizeof(*n->parts));
    if (!n->parts)
        return -ENOMEM;
    for (; d < end; d++)
        if (d->r->pages[n->node])
            n->parts[n->nr_parts++] = (struct map_part){
                .kind = kind_of(d, n->node), .domain = d, .nr_domains = 1,
                .bytes = d->r->pages[n->node] << PAGE_SHIFT,
            };
    add_rest(n);
    qsort(n->parts, n->nr_parts, sizeof(*n->parts), compare_parts);
    return 0;
}

/* The vCPUs of a dying domain were not read. */
static void count_vcpus(const struct map *map, struct map_node *n)
{
    const struct xln_domains *domains = map->snapshot->domains;
    const struct xln_host_cpu *cpu;
    unsigned i, v;

    for (i = 0; i < domains->nr; i++) {
        if (domains->list[i].dying)
            continue;
        for (v = 0; v < domains->list[i].nr_vcpus; v++) {
            const struct xln_vcpu *vcpu = &domains->list[i].vcpus[v];

            if (!vcpu->exists || !vcpu->online)
                continue;
            cpu = xln_host_cpu(map->snapshot->host, vcpu->cpu);
            n->nr_vcpus += cpu && cpu->node == n->node;
        }
    }
}

static int fill_node(const struct map *map, unsigned node, struct map_node *n)
{
    const struct xln_host *host = map->snapshot->host;
    const struct xln_host_node *h = xln_host_node(host, node);
    unsigned cpu;

    n->node = node;
    n->socket = XLN_NONE;
    n->total_bytes = h->total_bytes;
    n->free_bytes = h->free_bytes;
    n->nr_cpus = xln_cpumap_count(h->cpus);
    XLN_FOREACH(xln_cpumap, cpu, h->cpus) {
        n->socket = xln_host_cpu(host, cpu)->socket;
        break;
    }
    count_vcpus(map, n);
    return fill_parts(map, n);
}

static int compare_nodes(const void *a, const void *b)
{
    const struct map_node *x = a, *y = b;

    if (x->socket != y->socket)
        return x->socket < y->socket ? -1 : 1;
    return x->node < y->node ? -1 : 1;
}

static int fill_nodes(struct map *map)
{
    const struct xln_nodemap *nodes = xln_host_nodes(map->snapshot->host);
    unsigned node, i;
    int rc = 0;

    map->nodes = calloc(xln_nodemap_count(nodes) + 1, sizeof(*map->nodes));
    if (!map->nodes)
        return -ENOMEM;
    map->largest_bytes = 1;
    XLN_FOREACH(xln_nodemap, node, nodes) {
        struct map_node *n = &map->nodes[map->nr_nodes++];

        rc = fill_node(map, node, n);
        if (rc)
            return rc;
        map->total_bytes += n->total_bytes;
        map->free_bytes += n->free_bytes;
        if (n->total_bytes > map->largest_bytes)
            map->largest_bytes = n->total_bytes;
    }
    qsort(map->nodes, map->nr_nodes, sizeof(*map->nodes), compare_nodes);
    for (i = 0; i < map->nr_nodes; i++)
        map->nr_sockets += map->nodes[i].socket != XLN_NONE &&
            (!i || map->nodes[i].socket != map->nodes[i - 1].socket);
    return 0;
}

/* ---- all of it ---- */

void map_free(struct map *map)
{
    unsigned i;

    if (!map)
        return;
    for (i = 0; i < map->nr_nodes; i++)
        free(map->nodes[i].parts);
    free(map->domains);
    free(map->nodes);
    residents_free(map->residents);
    free(map);
}

int map_new(const struct xln_snapshot *snapshot, struct map **map_r)
{
    struct map *map = calloc(1, sizeof(*map));
    int rc;

    if (!map)
        return -ENOMEM;
    map->snapshot = snapshot;
    rc = residents_new(snapshot, &map->residents);
    if (!rc)
        rc = fill_domains(map);
    if (!rc)
        rc = fill_nodes(map);
    if (rc)
        map_free(map);
    else
        *map_r = map;
    return rc;
}

/* ---- small parts ---- */

int map_merge(const struct map_node *node, uint64_t least_bytes,
              struct map_part **parts_r, unsigned *nr_r)
{
    struct map_part *parts = calloc(node->nr_parts + 1, sizeof(*parts));
    struct map_part *last = NULL;
    unsigned i, nr = 0;

    if (!parts)
        return -ENOMEM;
    for (i = 0; i < node->nr_parts; i++) {
        const struct map_part *part = &node->parts[i];

        if (part->bytes >= least_bytes) {
            parts[nr++] = *part;
            continue;
        }
        if (!last || last->kind != part->kind) {
            last = &parts[nr++];
            *last = *part;
            continue;
        }
        last->bytes += part->bytes;
        last->nr_domains += part->nr_domains;
        last->domain = NULL;
    }
    *parts_r = parts;
    *nr_r = nr;
    return 0;
}

/* ---- in words ---- */

#define REMOTE_SIZE (LABEL_SIZE(MAP_LABEL_MAX) + 16)

/* "d" or "e (66 %)", or " (all)" where the next one does not have it all. */
static void remote_text(const struct map *map, unsigned i,
                        char text[REMOTE_SIZE])
{
    const struct map_domain *d = &map->domains[i];
    unsigned percent = d->remote_bytes / (d->total_bytes / 100.0);
    bool last = i + 1 == map->nr_remote || d[1].remote_bytes < d[1].total_bytes;

    if (d->remote_bytes < d->total_bytes)
        snprintf(text, REMOTE_SIZE, "%s (%u %%)", d->label,
                 percent ? percent : 1);
    else
        snprintf(text, REMOTE_SIZE, "%s%s", d->label, last ? " (all)" : "");
}

static void print_remote(const struct map *map, unsigned max, FILE *f)
{
    char text[REMOTE_SIZE];
    unsigned used = 0, i;

    for (i = 0; i < map->nr_remote; i++) {
        remote_text(map, i, text);
        used += label_length(text) + 2;
        if (i && used > max) {
            fprintf(f, " and %u more", map->nr_remote - i);
            break;
        }
        fprintf(f, "%s%s", i ? ", " : "", text);
    }
}

void map_print_headline(const struct map *map, unsigned max, FILE *f)
{
    unsigned known = map->nr_guests - map->nr_unknown;

    if (!map->nr_guests) {
        fputs("no domain but Domain-0", f);
    } else if (map->nr_remote) {
        fprintf(f, "%u of %u domains %s remote: ", map->nr_remote,
                map->nr_guests, map->nr_remote == 1 ? "is" : "are");
        print_remote(map, max > 54 ? max - 44 : 10, f);
    } else if (known) {
        fprintf(f, "no domain is remote, of %u", known);
    }
    if (map->nr_unknown)
        fprintf(f, "%sthe memory of %u is not known", known ? "; " : "",
                map->nr_unknown);
}

void map_print_origin(const struct map *map, FILE *f)
{
    const struct xln_snapshot *s = map->snapshot;
    time_t t = s->time_s;
    struct tm tm;
    char name[LABEL_SIZE(MAP_LABEL_MAX)], text[64];

    label_put(s->host_name ? s->host_name : "host", MAP_LABEL_MAX, name);
    fputs(name, f);
    if (t > 0 && gmtime_r(&t, &tm) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm))
        fprintf(f, ", %s", text);
    if (s->xen)
        fprintf(f, ", Xen %s", s->xen);
}

/* Where the numbers come from: what most of the domains have. */
static const char *source_of(const struct map *map)
{
    unsigned nr[XLN_MEMORY_COUNTED + 1] = { 0 }, i;

    for (i = 0; i < map->nr_domains; i++)
        nr[map->domains[i].r->source]++;
    return nr[XLN_MEMORY_COUNTED] > nr[XLN_MEMORY_AT_BUILD]
               ? "counted by Xen" : "as granted at build";
}

void map_print_size(const struct map *map, FILE *f)
{
    unsigned nr_cpus = 0, i;

    for (i = 0; i < map->nr_nodes; i++)
        nr_cpus += map->nodes[i].nr_cpus;
    fprintf(f, "%u socket%s, %u node%s, %u CPUs, %" PRIu64 " MiB, %" PRIu64
            " free; memory %s", map->nr_sockets,
            map->nr_sockets == 1 ? "" : "s", map->nr_nodes,
            map->nr_nodes == 1 ? "" : "s", nr_cpus, map->total_bytes >> 20,
            map->free_bytes >> 20, source_of(map));
}
