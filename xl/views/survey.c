/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxl_utils.h>

#include "plans/locality.h"
#include "placement/record.h"
#include "text/units.h"
#include "vcpu_samples.h"
#include "survey.h"

const struct table_column survey_columns[] = {
    { "NAME", "of the domain", false, true },
    { "ID", "its number", true, true },
    { "NODE<N>", "MiB on node N; a column for each node", true, true },
    { "TOTAL", "MiB on all nodes", true, true },
    { "LOCAL", "share of it on the nodes of its vCPUs", true, true },
    { "DISTANCE", "mean distance from its vCPUs' nodes to it", true, true },
    { "ON_NODE", "share of samples with a vCPU on a node of its memory",
      true, false },
    { "APART", "less than half of it is local", false, true },
    { "SOURCE", "where the numbers come from", false, true },
    { "AGE", "how old they are", true, false },
    { "VCPU_NODES", "the nodes of its vCPUs", false, false },
    { 0 }
};

/* What is known of one domain. */
struct row {
    const struct xln_domain *domain;
    char *name;                 /* NULL: it has none */
    uint64_t *pages;            /* by node */
    bool has_pages;
    int64_t age_s;              /* -1: not known */
    struct xln_nodemap *vcpu_nodes;     /* NULL: its pool is gone */
};

/* ---- the columns ---- */

static unsigned nr_node_columns(const struct survey *s)
{
    return xln_nodemap_count(xln_host_nodes(s->host));
}

static unsigned column(const struct survey *s, unsigned col)
{
    return col < COL_NODE ? col : col + nr_node_columns(s) - 1;
}

/* The columns of this host, and the names of its nodes' behind them. */
static int new_columns(struct survey *s)
{
    enum { NR = sizeof(survey_columns) / sizeof(*survey_columns),
           NAME_SIZE = 16 };
    unsigned nr_nodes = nr_node_columns(s), node;
    struct table_column *c;
    char *name;

    c = s->columns = calloc(NR + nr_nodes, sizeof(*c) + NAME_SIZE);
    if (!c)
        return -ENOMEM;
    name = (char *)(c + NR + nr_nodes);
    memcpy(c, survey_columns, COL_NODE * sizeof(*c));
    c += COL_NODE;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->host)) {
        snprintf(name, NAME_SIZE, "NODE%u", node);
        *c = survey_columns[COL_NODE];
        c++->name = name;
        name += NAME_SIZE;
    }
    memcpy(c, survey_columns + COL_TOTAL, (NR - COL_TOTAL) * sizeof(*c));
    s->columns[column(s, COL_ON_NODE)].shown = s->sampling;
    return 0;
}

/* ---- reading ---- */

double survey_now_s(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int begin_samples(struct survey *s, xc_interface *xch)
{
    struct xln_domains *domains;
    int rc = xln_domains_read(xch, XLN_NONE, &domains);

    if (rc)
        return rc;
    rc = samples_new(xch, s->host, domains, &s->samples);
    xln_domains_free(domains);
    return rc;
}

int survey_begin(struct survey *s, xc_interface *xch)
{
    int rc = xln_host_read(xch, NULL, &s->host);

    s->oldest_s = -1;
    if (!rc)
        rc = new_columns(s);
    if (!rc && s->sampling)
        rc = begin_samples(s, xch);
    return rc;
}

int survey_look(struct survey *s, xc_interface *xch)
{
    return samples_take(s->samples, xch);
}

static int read_report(struct survey *s, xc_interface *xch)
{
    double start = survey_now_s(CLOCK_MONOTONIC);
    int rc = xln_residency_read(xch, &s->residency);

    s->report_s = survey_now_s(CLOCK_MONOTONIC) - start;
    /* Not one domain fitted into the ring. */
    return rc == -ENOENT ? 0 : rc;
}

int survey_finish(struct survey *s, xc_interface *xch)
{
    int rc = 0;

    if (s->ask_xen)
        rc = read_report(s, xch);
    /* After the report, so that it has every domain that is listed here, but
     * for those that are quite new. */
    return rc ? rc : xln_domains_read(xch, XLN_NONE, &s->domains);
}

bool survey_has(const struct survey *s, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < s->domains->nr; i++)
        if (s->domains->list[i].domid == domid)
            return !s->domains->list[i].dying;
    return false;
}

void survey_dispose(struct survey *s)
{
    xln_domains_free(s->domains);
    xln_residency_free(s->residency);
    samples_free(s->samples);
    xln_host_free(s->host);
    free(s->columns);
    free(s->sums);
}

/* ---- what a domain has ---- */

/* Which Xen says of it, or what it wrote down. */
static int read_pages(struct survey *s, struct row *row)
{
    const struct xln_residency_domain *r = NULL;
    unsigned nr_nodes = xln_host_nr_nodes(s->host);
    int rc;

    row->pages = calloc(nr_nodes, sizeof(*row->pages));
    if (!row->pages)
        return -ENOMEM;
    if (s->ask_xen) {
        if (s->residency)
            r = xln_residency_domain(s->residency, row->domain->domid);
        if (r)
            memcpy(row->pages, r->pages, sizeof(*row->pages) *
                   (s->residency->nr_nodes < nr_nodes ?
                    s->residency->nr_nodes : nr_nodes));
        row->has_pages = r;
        return 0;
    }
    rc = record_read_pages(row->domain->domid, row->pages, nr_nodes);
    row->has_pages = !rc;
    return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

static int read_age(struct survey *s, struct row *row)
{
    int64_t start;
    int rc = 0;

    row->age_s = -1;
    if (!row->has_pages)
        return 0;
    if (s->ask_xen)
        row->age_s = 0;
    else
        rc = record_read_start(row->domain->uuid, &start);
    if (!s->ask_xen && !rc)
        row->age_s = survey_now_s(CLOCK_REALTIME) - start;
    /* Someone has set the clock back. */
    if (row->age_s < 0)
        row->age_s = -1;
    if (row->age_s > s->oldest_s)
        s->oldest_s = row->age_s;
    return rc == -ENOENT ? 0 : rc;
}

static int read_vcpu_nodes(struct survey *s, struct row *row)
{
    const struct xln_host_pool *pool = xln_host_pool(s->host,
                                                     row->domain->pool_id);
    struct xln_cpumap *cpus;
    int rc;

    if (!pool)
        return 0;
    rc = xln_domain_cpus(row->domain, pool->cpus, true, &cpus);
    if (rc)
        return rc;
    rc = xln_host_nodes_of_cpus(s->host, cpus, &row->vcpu_nodes);
    xln_cpumap_free(cpus);
    return rc;
}

static int read_row(struct survey *s, libxl_ctx *ctx,
                    const struct xln_domain *domain, struct row *row)
{
    int rc;

    memset(row, 0, sizeof(*row));
    row->domain = domain;
    row->name = libxl_domid_to_name(ctx, domain->domid);
    rc = read_pages(s, row);
    if (!rc)
        rc = read_age(s, row);
    return rc ? rc : read_vcpu_nodes(s, row);
}

static void row_dispose(struct row *row)
{
    free(row->name);
    free(row->pages);
    xln_nodemap_free(row->vcpu_nodes);
}

/* ---- the table ---- */

static void set_pages(struct survey *s, unsigned col, uint64_t pages)
{
    table_mib(s->table, col, pages << PAGE_SHIFT);
}

/* A cell for each node, and the total. */
static void set_memory(struct survey *s, const uint64_t *pages)
{
    unsigned col = COL_NODE, node;
    uint64_t total = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->host)) {
        set_pages(s, col++, pages[node]);
        total += pages[node];
    }
    set_pages(s, column(s, COL_TOTAL), total);
}

static void set_unknown_memory(struct survey *s)
{
    unsigned col;

    for (col = COL_NODE; col <= column(s, COL_AGE); col++)
        table_null(s->table, col, "?");
}

static void set_share(struct survey *s, unsigned col, unsigned permille)
{
    table_real(s->table, column(s, col), permille / 1000.0, "%u%%",
               permille / 10);
}

static void set_locality(struct survey *s, const struct row *row)
{
    struct locality l;

    if (!row->vcpu_nodes)
        return;
    locality_of(s->host, row->pages, row->vcpu_nodes, &l);
    if (!l.known)
        return;
    s->nr_apart += l.apart;
    set_share(s, COL_LOCAL, l.local_permille);
    table_mark(s->table, column(s, COL_APART), l.apart, "*");
    if (l.has_distance)
        table_real(s->table, column(s, COL_DISTANCE),
                   l.distance_thousandths / 1000.0, "%u.%u",
                   l.distance_thousandths / 1000,
                   l.distance_thousandths / 100 % 10);
}

static void set_on_node(struct survey *s, const struct row *row)
{
    const uint64_t *seen = NULL;
    unsigned permille = XLN_NONE;

    if (s->samples)
        seen = samples_of(s->samples, row->domain->domid);
    if (seen)
        permille = locality_on_node(xln_host_nr_nodes(s->host), row->pages,
                                    seen);
    if (permille != XLN_NONE)
        set_share(s, COL_ON_NODE, permille);
}

/* "40 s", "3 h", "12 days" */
static void format_age(int64_t age_s, char *text, size_t size)
{
    static const struct { int64_t s; const char *unit; } units[] = {
        { 2 * 86400, "days" }, { 2 * 3600, "h" }, { 2 * 60, "min" },
        { 0, "s" },
    };
    static const unsigned lengths[] = { 86400, 3600, 60, 1 };
    unsigned i;

    for (i = 0; age_s < units[i].s; i++)
        ;
    snprintf(text, size, "%" PRId64 " %s", age_s / lengths[i], units[i].unit);
}

static void set_source(struct survey *s, const struct row *row)
{
    char age[32];

    table_text(s->table, column(s, COL_SOURCE),
               s->ask_xen ? "now" : "at build");
    if (row->age_s < 0)
        return;
    format_age(row->age_s, age, sizeof(age));
    table_number(s->table, column(s, COL_AGE), row->age_s, "%s", age);
}

static void add_to_sums(struct survey *s, const struct row *row)
{
    unsigned node;

    for (node = 0; node < xln_host_nr_nodes(s->host); node++)
        s->sums[node] += row->pages[node];
}

static void show_row(struct survey *s, const struct row *row)
{
    table_row(s->table);
    table_text(s->table, COL_NAME, row->name);
    table_count(s->table, COL_ID, row->domain->domid);
    if (row->vcpu_nodes)
        table_set(s->table, column(s, COL_VCPU_NODES),
                  xln_nodemap_bits(row->vcpu_nodes));
    s->nr_shown++;
    if (!row->has_pages) {
        s->nr_unknown++;
        set_unknown_memory(s);
        return;
    }
    add_to_sums(s, row);
    set_memory(s, row->pages);
    set_locality(s, row);
    set_on_node(s, row);
    set_source(s, row);
}

static bool is_wanted(const struct survey *s, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < s->nr_wanted; i++)
        if (s->wanted[i] == domid)
            return true;
    return !s->nr_wanted;
}

/* A row for each domain. One that goes away meanwhile has no name or no record
 * any more, which says nothing of it: it is left out. */
static int show_domains(struct survey *s, xc_interface *xch, libxl_ctx *ctx)
{
    struct xln_domain *domain = s->domains->list;
    struct xln_domain *end = domain + s->domains->nr;
    struct row row;
    int rc = 0;

    for (; domain < end && !rc; domain++) {
        if (domain->dying || !is_wanted(s, domain->domid))
            continue;
        rc = read_row(s, ctx, domain, &row);
        if (!row.name || !row.has_pages)
            domain->dying = !xln_domain_lives(xch, domain->domid);
        if (!rc && !domain->dying)
            show_row(s, &row);
        row_dispose(&row);
    }
    return rc;
}

static void show_sums(struct survey *s)
{
    static const unsigned none[] = {
        COL_LOCAL, COL_DISTANCE, COL_ON_NODE, COL_APART, COL_SOURCE, COL_AGE,
        COL_VCPU_NODES,
    };
    unsigned i;

    table_row(s->table);
    table_text(s->table, COL_NAME, "Total");
    table_null(s->table, COL_ID, "");
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        table_null(s->table, column(s, none[i]), "");
    set_memory(s, s->sums);
}

/* ---- the lines around it ---- */

static void show_source(struct survey *s)
{
    char age[32];

    if (s->ask_xen) {
        table_above(s->table, "Memory in MiB, counted by Xen just now, in "
                    "%.3f s", s->report_s);
    } else if (s->oldest_s < 0) {
        table_above(s->table, "Memory in MiB, as granted at build");
    } else {
        format_age(s->oldest_s, age, sizeof(age));
        table_above(s->table, "Memory in MiB, as granted at build (oldest: %s "
                    "ago)", age);
    }
}

static void show_legend(struct survey *s)
{
    if (s->nr_unknown)
        table_below(s->table, s->ask_xen ?
            "?: not in Xen's report; not in the total" :
            "?: no record from its build; not in the total: "
            "--pages has Xen count it");
    if (s->nr_apart)
        table_below(s->table, "*: less than half of its memory is on the nodes "
                    "of its vCPUs");
}

int survey_table(struct survey *s, xc_interface *xch, libxl_ctx *ctx,
                 struct table **table_r)
{
    int rc;

    s->sums = calloc(xln_host_nr_nodes(s->host), sizeof(*s->sums));
    if (!s->sums)
        return -ENOMEM;
    rc = table_new(s->columns, "domains", &s->table);
    if (rc)
        return rc;
    rc = show_domains(s, xch, ctx);
    if (rc) {
        table_free(s->table);
        s->table = NULL;
        return rc;
    }
    if (s->totals)
        show_sums(s);
    show_source(s);
    show_legend(s);
    *table_r = s->table;
    s->table = NULL;
    return 0;
}
