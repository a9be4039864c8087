/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "placement/explain.h"
#include "plans/need.h"
#include "json_set.h"
#include "plan_view.h"
#include "text/units.h"
#include "vnuma_view.h"

enum { NODES, NEED, USABLE, CPUS, VCPUS, DISTANCE, MEAN, LEFT, LOAD,
       VERDICT, REASON };

const struct table_column plan_view_columns[] = {
    [NODES] = { "NODES", "the set of nodes", false, true, 0 },
    [NEED] = { "NEED", "MiB that the domain needs, overhead included", true,
               true, TABLE_BYTES },
    [USABLE] = { "USABLE", "MiB of the set that a plan can use", true, true,
                 TABLE_BYTES },
    [CPUS] = { "CPUS", "number of CPUs there that the domain may use", true,
               true, 0 },
    [VCPUS] = { "VCPUS", "number of vCPUs that prefer some of these nodes",
                true, true, 0 },
    [DISTANCE] = { "DISTANCE", "the largest distance between two of them", true,
                   true, 0 },
    [MEAN] = { "MEAN", "the mean distance between two of them", true, false,
               0 },
    [LEFT] = { "LEFT", "MiB left over, what best and worst fit compare", true,
               true, TABLE_BYTES },
    [LOAD] = { "LOAD", "vCPUs with affinity for each CPU, on average", true,
               false, 0 },
    [VERDICT] = { "VERDICT", "chosen, or why not", false, true, 0 },
    [REASON] = { "REASON", "the verdict in a word, for programs", false,
                 false, 0 },
    { 0 }
};

/* ---- verdicts ---- */

/* For programs, and for people. */
static const struct {
    const char *key, *text;
} judgements[XLN_NR_CANDIDATE_VERDICTS] = {
    [XLN_CANDIDATE_CHOSEN] = { "chosen", "chosen" },
    [XLN_CANDIDATE_NUMBERS] = { "numbers", "as good, but higher numbers" },
    [XLN_CANDIDATE_POLICY] = { "policy", "fits, but not by the policy" },
    [XLN_CANDIDATE_FARTHER] = { "farther", "fits, but farther apart" },
    [XLN_CANDIDATE_PREFERENCE] = { "preference",
                                   "fits, but others are preferred" },
    [XLN_CANDIDATE_MORE_NODES] = { "more_nodes", "fits, but more nodes" },
    [XLN_CANDIDATE_MEMORY] = { "memory", "too little memory" },
    [XLN_CANDIDATE_CPUS] = { "cpus", "fewer CPUs than vCPUs" },
    [XLN_CANDIDATE_AFFINITY] = { "affinity", "no CPU of a vCPU's cpus=" },
};

/* ---- lines ---- */

/* What the plan relaxes; "": nothing, NULL: memory ran out. */
static char *given_up(const struct planned *d)
{
    const struct xln_plan *plan = d->decision->plan;

    if (plan->relaxed & XLN_RELAXED_MEMORY)
        return explain_overflow(plan);
    if (plan->relaxed & XLN_RELAXED_CPUS)
        return strdup(d->decision->request->whole_cores
                          ? "fewer cores on the nodes than vCPUs, or no CPU of "
                            "a vCPU's cpus="
                          : "fewer CPUs on the nodes than vCPUs, or none of a "
                            "vCPU's cpus=");
    return strdup("");
}

/* Lines of one domain, and the first error of them. */
struct lines {
    const struct planned *d;
    FILE *f;
    int rc;
};

/* Takes the line; "": there is nothing to say, NULL: no memory. */
static void print_line(struct lines *lines, const char *what, char *line)
{
    if (!line)
        lines->rc = -ENOMEM;
    else if (*line)
        fprintf(lines->f, "%s: %s%s\n", lines->d->config->name, what, line);
    free(line);
}

/* Virtual nodes of its own leave nothing to choose, and no reason. */
static void print_choice(struct lines *lines)
{
    const struct planned *d = lines->d;
    const struct xln_request *request = d->decision->request;
    const struct xln_plan *plan = d->decision->plan;

    if (d->guest.cells)
        return;
    print_line(lines, "", explain_plan(request, &d->need, plan));
    print_line(lines, "", explain_reason(request, plan));
    print_line(lines, "", explain_preferred(d->host, request, &d->need, plan));
    print_line(lines, "", explain_far_cpus(d->host, &d->need, plan));
    print_line(lines, "", explain_units(d->host, &d->need));
    print_line(lines, "", explain_search(plan));
}

static void print_lines(struct lines *lines)
{
    const struct decision *decision = lines->d->decision;
    unsigned i;

    print_choice(lines);
    print_line(lines, "", explain_pool(decision->pool));
    if (decision->vnuma)
        print_line(lines, "", explain_vnuma(decision->vnuma));
    if (decision->status == DECIDE_RELAXED)
        print_line(lines, "fits only after relaxing: ", given_up(lines->d));
    for (i = 0; i < decision->nr_warnings; i++)
        fprintf(lines->f, "%s: warning: %s\n", lines->d->config->name,
                decision->warnings[i]);
}

int plan_view_print(const struct planned *d, FILE *f)
{
    struct lines lines = { .d = d, .f = f };

    if (d->decision->status == DECIDE_NOTHING_FITS)
        fprintf(f, "%s: nothing fits: %s\n", d->config->name,
                d->decision->reason);
    else
        print_lines(&lines);
    print_line(&lines, "", need_text(d->config));
    return lines.rc;
}

/* ---- vCPUs that are there already ---- */

/* The nodes that each vCPU of the domains prefers to others. */
struct homes {
    unsigned nr;
    struct xln_nodemap **nodes;
};

static void free_homes(struct homes *homes)
{
    unsigned i;

    for (i = 0; i < homes->nr; i++)
        xln_nodemap_free(homes->nodes[i]);
    free(homes->nodes);
}

/* NULL in *nodes_r: it has no preference. */
static int home_of(const struct xln_host *host, const struct xln_vcpu *vcpu,
                   struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes = NULL, *all = NULL;
    struct xln_cpumap *cpus = NULL;
    int rc;

    *nodes_r = NULL;
    rc = xln_cpumap_copy(vcpu->hard, &cpus);
    if (rc)
        return rc;
    if (xln_cpumap_intersects(cpus, vcpu->soft))
        xln_cpumap_and(cpus, vcpu->soft);
    rc = xln_host_homes_of_cpus(host, cpus, &nodes);
    xln_cpumap_fill(cpus);
    if (!rc)
        rc = xln_host_homes_of_cpus(host, cpus, &all);
    if (!rc && !xln_nodemap_is_subset(all, nodes)) {
        *nodes_r = nodes;
        nodes = NULL;
    }
    xln_nodemap_free(nodes);
    xln_nodemap_free(all);
    xln_cpumap_free(cpus);
    return rc;
}

static int find_homes(const struct xln_host *host,
                      const struct xln_domains *domains, struct homes *homes)
{
    unsigned i, v, nr = 0;
    int rc = 0;

    for (i = 0; domains && i < domains->nr; i++)
        nr += domains->list[i].nr_vcpus;
    homes->nr = 0;
    homes->nodes = calloc(nr + 1, sizeof(struct xln_nodemap *));
    if (!homes->nodes)
        return -ENOMEM;
    for (i = 0; domains && i < domains->nr; i++) {
        const struct xln_domain *d = &domains->list[i];

        for (v = 0; v < d->nr_vcpus && !rc; v++) {
            if (!d->vcpus[v].exists || !d->vcpus[v].online)
                continue;
            rc = home_of(host, &d->vcpus[v], &homes->nodes[homes->nr]);
            homes->nr += homes->nodes[homes->nr] != NULL;
        }
    }
    return rc;
}

static unsigned count_homes(const struct homes *homes,
                            const struct xln_nodemap *nodes)
{
    unsigned i, nr = 0;

    for (i = 0; i < homes->nr; i++)
        nr += xln_nodemap_intersects(homes->nodes[i], nodes);
    return nr;
}

/* ---- the table ---- */

/* One node has no distance to others. */
static void put_distances(const struct xln_candidate *set, struct table *table)
{
    uint64_t nr = xln_nodemap_count(set->nodes);
    double mean;

    if (nr < 2)
        return;
    if (set->distance_max == XLN_NONE) {
        table_null(table, DISTANCE, "cut off");
        table_null(table, MEAN, "cut off");
        return;
    }
    mean = (double)set->distance_sum / (double)(nr * (nr - 1));
    table_count(table, DISTANCE, set->distance_max);
    table_real(table, MEAN, mean, "%.1f", mean);
}

/* In words; what is short is the one figure that is worth repeating. */
static void put_verdict(const struct xln_judged *judged, uint64_t need,
                        struct table *table)
{
    const char *text = judgements[judged->verdict].text;
    uint64_t usable = judged->set.usable_bytes;
    char *full;

    if (usable >= need) {
        table_text(table, VERDICT, text);
        return;
    }
    if (asprintf(&full, "%s: %" PRIu64 " MiB short", text,
                 IN_MIB(need - usable + MIB - 1)) < 0) {
        table_fail(table, -ENOMEM);
        return;
    }
    table_text(table, VERDICT, full);
    free(full);
}

static void put_load(const struct xln_candidate *set, struct table *table)
{
    double load;

    if (!set->nr_cpus)
        return;
    load = (double)set->load / (double)XLN_LOAD_ONE / set->nr_cpus;
    table_real(table, LOAD, load, "%.2f", load);
}

static void put_row(const struct xln_judged *judged, uint64_t need,
                    const struct homes *homes, struct table *table)
{
    const struct xln_candidate *set = &judged->set;

    table_row(table);
    table_set(table, NODES, xln_nodemap_bits(set->nodes));
    table_mib(table, NEED, need);
    table_mib(table, USABLE, set->usable_bytes);
    table_count(table, CPUS, set->nr_cpus);
    if (homes)
        table_count(table, VCPUS, count_homes(homes, set->nodes));
    put_distances(set, table);
    if (set->usable_bytes >= need)
        table_mib(table, LEFT, set->usable_bytes - need);
    put_load(set, table);
    put_verdict(judged, need, table);
    table_text(table, REASON, judgements[judged->verdict].key);
}

static void put_rows(const struct planned *d, const struct xln_domains *domains,
                     const struct xln_candidates *c, struct table *table)
{
    struct homes homes;
    unsigned i;
    int rc = find_homes(d->host, domains, &homes);

    if (rc)
        table_fail(table, rc);
    for (i = 0; i < c->nr && !rc; i++)
        put_row(&c->list[i], c->need_bytes, domains ? &homes : NULL, table);
    free_homes(&homes);
}

/* ---- what is not in it ---- */

static void note_others(const struct xln_candidates *c, struct table *table)
{
    uint64_t nr = 0;
    unsigned v;

    for (v = 0; v < XLN_NR_CANDIDATE_VERDICTS; v++)
        nr += c->nr_others[v];
    if (nr)
        table_below(table, "Not shown: %" PRIu64 " set%s of nodes", nr,
                    nr == 1 ? "" : "s");
    for (v = 0; v < XLN_NR_CANDIDATE_VERDICTS; v++)
        if (c->nr_others[v])
            table_below(table, "%8" PRIu64 "  %s", c->nr_others[v],
                        judgements[v].text);
    if (c->max_nodes_seen)
        table_below(table, "Sets of more than %u nodes were not looked at: "
                    "there are too many", c->max_nodes_seen);
}

static void note_nodes(const struct xln_nodemap *nodes, const char *why,
                       struct table *table)
{
    char *set;
    int rc;

    if (xln_nodemap_is_empty(nodes))
        return;
    rc = xln_nodemap_format(nodes, &set);
    if (rc) {
        table_fail(table, rc);
        return;
    }
    table_below(table, "Left out: node%s %s, %s",
                xln_nodemap_count(nodes) == 1 ? "" : "s", set, why);
    free(set);
}

static void add_notes(const struct planned *d, const struct xln_candidates *c,
                      struct table *table)
{
    note_others(c, table);
    note_nodes(c->without_memory, "without memory", table);
    note_nodes(c->left_out,
               d->decision->plan->named ? "not named" : "without a CPU that "
                                                        "the domain may use",
               table);
}

/* None, where there was nothing to choose. */
static int no_candidates(struct xln_candidates **candidates_r)
{
    struct xln_candidates *c = calloc(1, sizeof(*c));
    int rc = c ? xln_nodemap_new(XLN_MAX_NODES, &c->without_memory) : -ENOMEM;

    if (!rc)
        rc = xln_nodemap_new(XLN_MAX_NODES, &c->left_out);
    if (rc)
        xln_candidates_free(c);
    else
        *candidates_r = c;
    return rc;
}

static int make_table(const struct planned *d,
                      const struct xln_domains *domains, unsigned max_nr,
                      struct xln_candidates **candidates_r,
                      struct table **table_r)
{
    struct xln_candidates *c = NULL;
    int rc;

    rc = d->guest.cells ? no_candidates(&c)
                        : xln_candidates_find(d->host, d->decision->request,
                                              &d->need, max_nr, &c);
    if (!rc)
        rc = table_new(plan_view_columns, "candidates", table_r);
    if (rc) {
        xln_candidates_free(c);
        return rc;
    }
    put_rows(d, domains, c, *table_r);
    *candidates_r = c;
    return 0;
}

int plan_view_table(const struct planned *d, const struct xln_domains *domains,
                    unsigned max_nr, struct table **table_r)
{
    struct xln_candidates *c;
    int rc;

    rc = make_table(d, domains, max_nr, &c, table_r);
    if (rc)
        return rc;
    add_notes(d, c, *table_r);
    xln_candidates_free(c);
    return 0;
}

/* ---- JSON ---- */

/* A line that explain.c made; takes it. */
static void add_line(struct xln__json *json, const char *key, char *line)
{
    if (!line)
        xln__json_fail(json, -ENOMEM);
    xln__json_add_text(json, key, line && *line ? line : NULL);
    free(line);
}

static void add_relaxed(struct xln__json *json, unsigned relaxed)
{
    xln__json_key(json, "relaxed");
    xln__json_array(json);
    if (relaxed & XLN_RELAXED_DMA)
        xln__json_text(json, "dma");
    if (relaxed & XLN_RELAXED_CPUS)
        xln__json_text(json, "cpus");
    if (relaxed & XLN_RELAXED_MEMORY)
        xln__json_text(json, "memory");
    xln__json_array_end(json);
}

static void add_shares(struct xln__json *json, const struct xln_plan *plan)
{
    unsigned i;

    xln__json_key(json, "shares");
    xln__json_array(json);
    for (i = 0; i < plan->nr_shares; i++) {
        xln__json_object(json);
        xln__json_add_number(json, "node", plan->shares[i].node);
        xln__json_add_number(json, "bytes", plan->shares[i].bytes);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

/* The nodes are those of the CPUs if a vCPU's own are not among the plan's. */
static int add_cpu_sets(struct xln__json *json, const struct planned *d,
                        const struct xln_cpumap *cpus)
{
    const struct xln_plan *plan = d->decision->plan;
    struct xln_nodemap *nodes = NULL;
    bool planned = xln_cpumap_is_subset(cpus, plan->vcpu_cpus);
    int rc = planned ? 0 : xln_host_nodes_of_cpus(d->host, cpus, &nodes);

    if (rc)
        return rc;
    json_add_set(json, "vcpu_nodes",
                 xln_nodemap_bits(nodes ? nodes : plan->vcpu_nodes));
    json_add_set(json, "vcpu_cpus", xln_cpumap_bits(cpus));
    xln_nodemap_free(nodes);
    return 0;
}

static void add_cpus(struct xln__json *json, const struct planned *d)
{
    struct xln_cpumap *cpus = NULL;
    bool apart;
    int rc = explain_cpus(&d->need, d->decision->plan, &cpus, &apart);

    if (!rc)
        rc = add_cpu_sets(json, d, cpus);
    if (rc)
        xln__json_fail(json, rc);
    xln_cpumap_free(cpus);
}

/* The cores of each vCPU, if each has its own. */
static void add_cores(struct xln__json *json, const struct xln_plan *plan)
{
    unsigned i;

    xln__json_key(json, "vcpu_cores");
    xln__json_array(json);
    for (i = 0; i < plan->nr_vcpu_cores; i++)
        json_set(json, xln_cpumap_bits(plan->vcpu_cores[i]));
    xln__json_array_end(json);
}

/* XLN_NONE: unreachable; 0: not known. */
static void add_distance(struct xln__json *json, const char *key,
                         unsigned distance)
{
    xln__json_key(json, key);
    if (distance == XLN_NONE)
        xln__json_text(json, "cut off");
    else if (distance)
        xln__json_number(json, distance);
    else
        xln__json_text(json, NULL);
}

/* How it was found, and what cannot be beaten. */
static void add_search(struct xln__json *json, const struct xln_plan *plan)
{
    xln__json_add_text(json, "search", plan->exact ? "exact" : "heuristic");
    xln__json_key(json, "bound");
    xln__json_object(json);
    xln__json_add_number(json, "nodes", plan->bound.nr_nodes);
    add_distance(json, "distance", plan->bound.distance_max);
    xln__json_object_end(json);
}

static void add_others(struct xln__json *json, const struct xln_candidates *c)
{
    unsigned v;

    xln__json_key(json, "others");
    xln__json_object(json);
    for (v = XLN_CANDIDATE_NUMBERS; v < XLN_NR_CANDIDATE_VERDICTS; v++)
        xln__json_add_number(json, judgements[v].key, c->nr_others[v]);
    xln__json_object_end(json);
    xln__json_key(json, "max_nodes_seen");
    if (c->max_nodes_seen)
        xln__json_number(json, c->max_nodes_seen);
    else
        xln__json_text(json, NULL);
    json_add_set(json, "without_memory", xln_nodemap_bits(c->without_memory));
    json_add_set(json, "left_out", xln_nodemap_bits(c->left_out));
}

/* For programs that read it elsewhere. */
static void add_config(struct xln__json *json, const char *source)
{
    char *path = realpath(source, NULL);

    if (!path && errno == ENOMEM)
        xln__json_fail(json, -ENOMEM);
    xln__json_add_text(json, "config", path ? path : source);
    free(path);
}

/* The lines that people read. */
static void add_lines(struct xln__json *json, const struct planned *d)
{
    const struct decision *decision = d->decision;
    const struct xln_request *request = decision->request;
    const struct xln_plan *plan = decision->plan;
    bool fits = decision->status != DECIDE_NOTHING_FITS;
    unsigned i;

    add_line(json, "plan", explain_plan(request, &d->need, plan));
    if (!fits)
        xln__json_add_text(json, "reason", decision->reason);
    else if (d->guest.cells)
        xln__json_add_text(json, "reason", NULL);
    else
        add_line(json, "reason", explain_reason(request, plan));
    add_line(json, "preferred",
             explain_preferred(d->host, request, &d->need, plan));
    add_line(json, "far_cpus", explain_far_cpus(d->host, &d->need, plan));
    add_line(json, "units", explain_units(d->host, &d->need));
    add_line(json, "given_up", fits ? given_up(d) : strdup(""));
    add_line(json, "warning",
             explain_remote(d->host, request, &d->need, plan, true));
    xln__json_key(json, "warnings");
    xln__json_array(json);
    for (i = 0; i < decision->nr_warnings; i++)
        xln__json_text(json, decision->warnings[i]);
    xln__json_array_end(json);
}

static const char *verdict_of(const struct planned *d)
{
    switch (d->decision->status) {
    case DECIDE_FITS:    return "fits";
    case DECIDE_RELAXED: return "relaxed";
    default:             return "nothing fits";
    }
}

/* null: it was not chosen, or has no name. */
static void add_pool(struct xln__json *json, const struct xln_host_pool *pool)
{
    xln__json_add_text(json, "pool", pool ? pool->name : NULL);
}

static void add_plan(struct xln__json *json, const struct planned *d)
{
    const struct decision *decision = d->decision;
    const struct xln_plan *plan = decision->plan;

    xln__json_add_text(json, "name", d->config->name);
    add_config(json, d->config->source);
    xln__json_add_text(json, "verdict", verdict_of(d));
    add_relaxed(json, plan->relaxed);
    xln__json_add_number(json, "need_bytes", plan->need_bytes);
    xln__json_add_number(json, "overhead_bytes", d->need.overhead_bytes);
    xln__json_add_number(json, "vcpus", d->need.nr_vcpus);
    xln__json_add_bool(json, "named", plan->named);
    xln__json_add_text(json, "policy",
                       xln_policy_name(decision->request->policy));
    json_add_set(json, "nodes", xln_nodemap_bits(plan->nodes));
    add_shares(json, plan);
    add_cpus(json, d);
    add_cores(json, plan);
    add_pool(json, decision->pool);
    add_search(json, plan);
    xln__json_key(json, "vnuma");
    vnuma_view_json(decision->vnuma, json);
    add_lines(json, d);
}

void plan_view_json(const struct planned *d, const struct xln_domains *domains,
                    unsigned max_nr, struct xln__json *json)
{
    struct xln_candidates *c;
    struct table *table;
    int rc;

    rc = make_table(d, domains, max_nr, &c, &table);
    if (rc) {
        xln__json_fail(json, rc);
        return;
    }
    xln__json_object(json);
    add_plan(json, d);
    table_add_json(table, json);
    add_others(json, c);
    xln__json_object_end(json);
    table_free(table);
    xln_candidates_free(c);
}
