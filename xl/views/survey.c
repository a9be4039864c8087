/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plans/locality.h"
#include "text/units.h"
#include "vcpu_samples.h"
#include "survey.h"

const struct table_column survey_columns[] = {
    { "NAME", "of the domain", false, true, 0 },
    { "ID", "its number", true, true, 0 },
    { "NODE<N>", "MiB on node N; a column for each node", true, true,
      TABLE_PART },
    { "TOTAL", "MiB on all nodes", true, true, TABLE_BYTES },
    { "LOCAL", "share of it on the nodes of its vCPUs", true, true, 0 },
    { "NOW_LOCAL", "share of it on the nodes where they run now", true,
      true, 0 },
    { "DISTANCE", "mean distance from its vCPUs' nodes to it", true, true, 0 },
    { "ON_NODE", "share of samples with a vCPU on a node of its memory",
      true, false, 0 },
    { "APART", "less than half of it is local", false, true, TABLE_SPARE },
    { "NOW_NODES", "the nodes where its vCPUs run now, or ran last", false,
      true, 0 },
    { "SOURCE", "where the numbers come from", false, true, TABLE_SPARE },
    { "AGE", "how old they are", true, false, TABLE_S },
    { "VCPU_NODES", "the nodes of its vCPUs", false, false, 0 },
    { "NODES", "MiB on each node, in one column", false, false, TABLE_WHOLE },
    { 0 }
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
    int rc = xln_host_read(xch, NULL, &s->first_host);

    s->host = s->first_host;
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

int survey_finish(struct survey *s, xc_interface *xch, libxl_ctx *ctx)
{
    int rc = residents_read_host(xch, ctx, s->ask_xen, &s->snapshot,
                                 &s->report_s);

    if (rc)
        return rc;
    /* The columns are those of the nodes that there were before. */
    if (!xln_nodemap_equal(xln_host_nodes(s->host),
                           xln_host_nodes(s->snapshot->host)))
        return -EAGAIN;
    s->host = s->snapshot->host;
    return residents_new(s->snapshot, &s->residents);
}

int survey_load(struct survey *s, struct xln_snapshot *snapshot)
{
    int rc;

    s->saved = true;
    s->oldest_s = -1;
    s->snapshot = snapshot;
    s->host = snapshot->host;
    rc = new_columns(s);
    return rc ? rc : residents_new(snapshot, &s->residents);
}

bool survey_has(const struct survey *s, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < s->residents->nr; i++)
        if (s->residents->list[i].domain->domid == domid)
            return true;
    return false;
}

void survey_dispose(struct survey *s)
{
    residents_free(s->residents);
    samples_free(s->samples);
    xln_snapshot_free(s->snapshot);
    xln_host_free(s->first_host);
    free(s->columns);
    free(s->sums);
}

/* ---- the table ---- */

static void set_pages(struct survey *s, unsigned col, uint64_t pages)
{
    table_mib(s->table, col, pages << PAGE_SHIFT);
}

/* A cell for each node, one for all of them, and the total. */
static void set_memory(struct survey *s, const uint64_t *pages)
{
    struct xln_share shares[XLN_MAX_NODES];
    unsigned nr = 0, node;
    uint64_t total = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->host)) {
        set_pages(s, COL_NODE + nr, pages[node]);
        shares[nr++] = (struct xln_share){
            .node = node, .bytes = pages[node] << PAGE_SHIFT,
        };
        total += pages[node];
    }
    table_shares(s->table, column(s, COL_NODES), shares, nr);
    set_pages(s, column(s, COL_TOTAL), total);
}

/* Xen reports in any case how much memory the domain has. */
static void set_unknown_memory(struct survey *s, const struct resident *r)
{
    unsigned i;

    for (i = 0; i < nr_node_columns(s); i++)
        table_null(s->table, COL_NODE + i, "?");
    table_null(s->table, column(s, COL_NODES), "?");
    table_null(s->table, column(s, COL_SOURCE), "?");
    table_null(s->table, column(s, COL_APART), "");
    table_mib(s->table, column(s, COL_TOTAL), r->domain->memory_bytes);
}

static void set_share(struct survey *s, unsigned col, unsigned permille)
{
    table_real(s->table, column(s, col), permille / 1000.0, "%u%%",
               permille / 10);
}

static void alarm_if(struct survey *s, bool apart, unsigned col)
{
    if (!apart)
        return;
    table_alarm(s->table, COL_NAME);
    table_alarm(s->table, column(s, col));
}

static void set_now_local(struct survey *s, const struct resident *r)
{
    if (!r->now.known)
        return;
    set_share(s, COL_NOW_LOCAL, r->now.local_permille);
    alarm_if(s, r->now.apart, COL_NOW_LOCAL);
}

static void set_locality(struct survey *s, const struct resident *r)
{
    const struct locality *l = &r->may;

    if (!l->known)
        return;
    s->nr_apart += l->apart;
    set_share(s, COL_LOCAL, l->local_permille);
    alarm_if(s, l->apart, COL_LOCAL);
    table_mark(s->table, column(s, COL_APART), l->apart, "*");
    if (l->has_distance)
        table_real(s->table, column(s, COL_DISTANCE),
                   l->distance_thousandths / 1000.0, "%u.%u",
                   l->distance_thousandths / 1000,
                   l->distance_thousandths / 100 % 10);
}

static void set_on_node(struct survey *s, const struct resident *r)
{
    const uint64_t *seen = NULL;
    unsigned permille = XLN_NONE;

    if (s->samples)
        seen = samples_of(s->samples, r->domain->domid);
    if (seen)
        permille = locality_on_node(xln_host_nr_nodes(s->host), r->pages,
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

static void set_source(struct survey *s, const struct resident *r)
{
    bool counted = r->source == XLN_MEMORY_COUNTED;
    char age[32];

    table_text(s->table, column(s, COL_SOURCE),
               !counted ? "at build" : s->saved ? "counted" : "now");
    if (r->age_s < 0)
        return;
    if (r->age_s > s->oldest_s)
        s->oldest_s = r->age_s;
    format_age(r->age_s, age, sizeof(age));
    table_number(s->table, column(s, COL_AGE), r->age_s, "%s", age);
}

static void add_to_sums(struct survey *s, const struct resident *r)
{
    unsigned node;

    for (node = 0; node < xln_host_nr_nodes(s->host); node++)
        s->sums[node] += r->pages[node];
}

static void show_row(struct survey *s, const struct resident *r)
{
    table_row(s->table);
    table_text(s->table, COL_NAME, r->name);
    table_count(s->table, COL_ID, r->domain->domid);
    if (r->may_nodes)
        table_set(s->table, column(s, COL_VCPU_NODES),
                  xln_nodemap_bits(r->may_nodes));
    table_set(s->table, column(s, COL_NOW_NODES),
              xln_nodemap_bits(r->now_nodes));
    s->nr_shown++;
    if (r->source == XLN_MEMORY_UNKNOWN) {
        s->nr_unknown++;
        set_unknown_memory(s, r);
        return;
    }
    add_to_sums(s, r);
    set_memory(s, r->pages);
    set_locality(s, r);
    set_now_local(s, r);
    set_on_node(s, r);
    set_source(s, r);
}

static bool is_wanted(const struct survey *s, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < s->nr_wanted; i++)
        if (s->wanted[i] == domid)
            return true;
    return !s->nr_wanted;
}

static void show_domains(struct survey *s)
{
    const struct resident *r = s->residents->list;
    const struct resident *end = r + s->residents->nr;

    for (; r < end; r++)
        if (is_wanted(s, r->domain->domid))
            show_row(s, r);
}

static void show_sums(struct survey *s)
{
    table_foot(s->table);
    table_text(s->table, COL_NAME, "Total");
    set_memory(s, s->sums);
}

/* ---- the lines around it ---- */

static const char *unit(const struct survey *s)
{
    return s->human ? "" : " in MiB";
}

/* "on 'xen1', 2026-11-29 16:04:05 UTC": what is known of it. */
static void show_origin(struct survey *s)
{
    const struct xln_snapshot *snapshot = s->snapshot;
    time_t t = snapshot->time_s;
    struct tm tm;
    char text[64] = "";

    if (t > 0 && gmtime_r(&t, &tm))
        strftime(text, sizeof(text), ", %Y-%m-%d %H:%M:%S UTC", &tm);
    if (snapshot->host_name)
        table_above(s->table, "Memory%s, as saved on '%s'%s", unit(s),
                    snapshot->host_name, text);
    else
        table_above(s->table, "Memory%s, as saved%s", unit(s), text);
}

static void show_source(struct survey *s)
{
    char age[32];

    if (s->saved) {
        show_origin(s);
    } else if (s->ask_xen) {
        table_above(s->table, "Memory%s, counted by Xen just now, in "
                    "%.3f s", unit(s), s->report_s);
    } else if (s->oldest_s < 0) {
        table_above(s->table, "Memory%s, as granted at build", unit(s));
    } else {
        format_age(s->oldest_s, age, sizeof(age));
        table_above(s->table, "Memory%s, as granted at build (oldest: %s ago)",
                    unit(s), age);
    }
}

static void show_legend(struct survey *s)
{
    if (s->nr_unknown)
        table_below(s->table, "?: %s; not in the total%s",
                    s->saved ? "not in the file" :
                    s->ask_xen ? "not in Xen's report" :
                    "no record from its build",
                    s->saved || s->ask_xen ? "" :
                    ": --pages has Xen count it");
    if (s->nr_apart)
        table_note(s->table, column(s, COL_APART), "*: less than half of its "
                   "memory is on the nodes of its vCPUs");
}

int survey_table(struct survey *s, struct table **table_r)
{
    int rc;

    s->sums = calloc(xln_host_nr_nodes(s->host), sizeof(*s->sums));
    if (!s->sums)
        return -ENOMEM;
    rc = table_new(s->columns, "domains", &s->table);
    if (rc)
        return rc;
    show_domains(s);
    show_sums(s);
    show_source(s);
    show_legend(s);
    *table_r = s->table;
    s->table = NULL;
    return 0;
}
