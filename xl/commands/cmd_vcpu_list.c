/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl vcpu-list with an option of ours: what the installed xl's has, and where
 * each vCPU runs now. Without one the xl in front leaves it to the installed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <xenstore.h>

#include "cmd.h"
#include "placement/record.h"
#include "text/from_errno.h"

enum { OPT_HOST = OPT_OWN, OPT_CPUSET };

enum { NAME, ID, VCPU, CPU, NODE, STATE, TIME, HARD, SOFT, ON_PLAN, POOL };

/* Shown without -o: what the installed xl has, in its order. */
static const struct table_column columns[] = {
    [NAME] = { "NAME", "the domain", false, true, 0 },
    [ID] = { "ID", "its number", true, true, 0 },
    [VCPU] = { "VCPU", "the number of the vCPU", true, true, 0 },
    [CPU] = { "CPU", "where it runs, or ran last; not if offline", true, true,
              0 },
    [NODE] = { "NODE", "the node of this CPU", true, false, 0 },
    [STATE] = { "STATE", "running, runnable, blocked or offline", false,
                true, 0 },
    [TIME] = { "TIME", "seconds that it has run; JSON: nanoseconds", true,
               true, TABLE_NS },
    [HARD] = { "HARD", "the CPUs that it may run on", false, true, 0 },
    [SOFT] = { "SOFT", "the CPUs that it prefers", false, true, 0 },
    [ON_PLAN] = { "ON_PLAN", "whether NODE is one of its plan", false,
                  false, 0 },
    [POOL] = { "POOL", "the cpupool of the domain", false, false, 0 },
    { 0 }
};

struct listing {
    struct cmd_line *line;
    struct xln_snapshot *saved; /* NULL: the running host */
    struct xln_host *host;      /* that of `saved`, or its own */
    struct xln_cpumap *cpus;    /* that the host has */
    struct xs_handle *xs;       /* NULL: a saved host */
    struct table *table;
    bool incomplete;            /* the reason was printed */
};

/* The values that all rows of a domain share. */
struct owner {
    const struct xln_domain *domain;
    char *name, *pool;          /* NULL: not known */
    struct xln_nodemap *plan;   /* NULL: there is no record */
};

/* ---- one vCPU ---- */

/* The words of `virsh vcpuinfo`. It has none for a vCPU that waits for a CPU,
 * or whose domain is paused. */
static const char *state_of(const struct xln_vcpu *vcpu)
{
    if (!vcpu->online)
        return "offline";
    if (vcpu->running)
        return "running";
    return vcpu->blocked ? "blocked" : "runnable";
}

static unsigned node_of(const struct xln_host *host,
                        const struct xln_vcpu *vcpu)
{
    const struct xln_host_cpu *cpu = xln_host_cpu(host, vcpu->cpu);

    return vcpu->online && cpu ? cpu->node : XLN_NONE;
}

static void add_place(struct listing *l, const struct owner *owner,
                      const struct xln_vcpu *vcpu)
{
    unsigned node = node_of(l->host, vcpu);
    unsigned home = xln_host_home(l->host, node);

    if (vcpu->online)
        table_count(l->table, CPU, vcpu->cpu);
    if (node == XLN_NONE)
        return;
    table_count(l->table, NODE, node);
    if (owner->plan)
        table_bool(l->table, ON_PLAN, xln_nodemap_test(owner->plan, node) ||
                                      xln_nodemap_test(owner->plan, home));
}

static void add_vcpu(struct listing *l, const struct owner *owner,
                     unsigned number)
{
    const struct xln_vcpu *vcpu = &owner->domain->vcpus[number];
    const struct xln_bitmap *cpus = xln_cpumap_bits(l->cpus);

    table_row(l->table);
    table_text(l->table, NAME, owner->name);
    table_count(l->table, ID, owner->domain->domid);
    table_count(l->table, VCPU, number);
    add_place(l, owner, vcpu);
    table_text(l->table, STATE, state_of(vcpu));
    table_number(l->table, TIME, vcpu->time_ns, "%.1f", vcpu->time_ns / 1e9);
    table_affinity(l->table, HARD, xln_cpumap_bits(vcpu->hard), cpus);
    table_affinity(l->table, SOFT, xln_cpumap_bits(vcpu->soft), cpus);
    table_text(l->table, POOL, owner->pool);
}

/* ---- one domain ---- */

/* The nodes that the module has recorded; NULL: none, or no list of nodes. */
static int read_plan(const struct listing *l, uint32_t domid,
                     struct xln_nodemap **plan_r)
{
    char *nodes = NULL, *pages = NULL;
    struct xln_nodemap *plan = NULL;
    int rc = record_read(l->xs, domid, &nodes, &pages);

    *plan_r = NULL;
    if (!rc)
        rc = xln_nodemap_new(xln_host_nr_nodes(l->host), &plan);
    if (!rc && !xln_nodemap_parse(nodes, 0, plan, NULL)) {
        *plan_r = plan;
        plan = NULL;
    }
    xln_nodemap_free(plan);
    free(nodes);
    free(pages);
    return rc == -ENOENT ? 0 : rc;
}

/* -ESRCH: the domain has ended since it was read, and its name with it. */
static int find_owner(const struct listing *l, struct owner *owner)
{
    const struct xln_domain *domain = owner->domain;
    libxl_ctx *ctx = l->line->ctx;
    int rc = read_plan(l, domain->domid, &owner->plan);

    if (rc)
        return rc;
    owner->name = libxl_domid_to_name(ctx, domain->domid);
    owner->pool = libxl_cpupoolid_to_name(ctx, domain->pool_id);
    return owner->name || xln_domain_lives(l->line->xch, domain->domid)
               ? 0 : -ESRCH;
}

static const char *saved_name(const struct xln_snapshot *saved,
                              const struct xln_domain *domain)
{
    return saved->more[domain - saved->domains->list].name;
}

/* There are no records of plans, and no names of cpupools in older snapshots. */
static int find_saved_owner(const struct listing *l, struct owner *owner)
{
    const struct xln_host_pool *pool = xln_host_pool(l->host,
                                                     owner->domain->pool_id);
    const char *name = saved_name(l->saved, owner->domain);

    if (name && !(owner->name = strdup(name)))
        return -ENOMEM;
    if (pool && pool->name) {
        owner->pool = strdup(pool->name);
        return owner->pool ? 0 : -ENOMEM;
    }
    if (asprintf(&owner->pool, "%" PRIu32, owner->domain->pool_id) >= 0)
        return 0;
    owner->pool = NULL;
    return -ENOMEM;
}

static int add_domain(struct listing *l, const struct xln_domain *domain)
{
    struct owner owner = { .domain = domain };
    unsigned i;
    int rc;

    rc = l->saved ? find_saved_owner(l, &owner) : find_owner(l, &owner);
    for (i = 0; i < domain->nr_vcpus && !rc; i++)
        if (domain->vcpus[i].exists)
            add_vcpu(l, &owner, i);
    free(owner.name);
    free(owner.pool);
    xln_nodemap_free(owner.plan);
    return rc;
}

/* ---- which domains ---- */

/* NULL: it printed why. */
static struct xln_domains *read_named(struct cmd_line *line, const char *word)
{
    struct xln_domains *domains = NULL;
    uint32_t domid;
    int rc;

    if (!cmd_find_domain(line, word, &domid))
        return NULL;
    rc = xln_domains_read(line->xch, domid, &domains);
    if (rc == -ESRCH) {
        complain("no domain '%s'", word);
    } else if (rc) {
        complain("cannot read domain '%s': %s", word, strerror(-rc));
    } else if (domains->list[0].dying) {
        complain("domain '%s' is being destroyed", word);
        xln_domains_free(domains);
        domains = NULL;
    }
    return domains;
}

static int list_one(struct listing *l, const char *word)
{
    struct xln_domains *domains = read_named(l->line, word);
    int rc = domains ? add_domain(l, &domains->list[0]) : 0;

    if (rc == -ESRCH)
        complain("no domain '%s'", word);
    if (!domains || rc == -ESRCH) {
        l->incomplete = true;
        rc = 0;
    }
    xln_domains_free(domains);
    return rc;
}

static int list_one_saved(struct listing *l, const char *word)
{
    const struct xln_domain *domain = cmd_find_saved(l->saved, word);

    l->incomplete |= !domain;
    return domain ? add_domain(l, domain) : 0;
}

static int list_named(struct listing *l)
{
    int i, rc = 0;

    for (i = 0; i < l->line->nr_args && !rc; i++)
        rc = l->saved ? list_one_saved(l, l->line->args[i])
                      : list_one(l, l->line->args[i]);
    return rc;
}

/* A dying domain no longer has vCPUs. */
static int list_these(struct listing *l, const struct xln_domains *domains)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < domains->nr && !rc; i++)
        if (!domains->list[i].dying) {
            rc = add_domain(l, &domains->list[i]);
            if (rc == -ESRCH)
                rc = 0;
        }
    return rc;
}

static int list_all(struct listing *l)
{
    struct xln_domains *domains;
    int rc;

    if (l->saved)
        return list_these(l, l->saved->domains);
    rc = xln_domains_read(l->line->xch, XLN_NONE, &domains);
    if (rc)
        return rc;
    rc = list_these(l, domains);
    xln_domains_free(domains);
    return rc;
}

/* ---- the host ---- */

static int cpus_of(const struct xln_host *host, struct xln_cpumap **cpus_r)
{
    unsigned nr = xln_host_nr_cpus(host), i;
    int rc = xln_cpumap_new(nr, cpus_r);

    for (i = 0; i < nr && !rc; i++)
        if (xln_host_cpu(host, i))
            rc = xln_cpumap_set(*cpus_r, i);
    return rc;
}

static int open_host(struct listing *l)
{
    l->xs = xs_open(0);
    return l->xs ? xln_host_read(l->line->xch, NULL, &l->host)
                 : xln__from_errno();
}

static int run_list(struct cmd_line *line, struct xln_snapshot *saved)
{
    struct listing l = { .line = line, .saved = saved };
    int rc = 0, code;

    if (saved)
        l.host = saved->host;
    else
        rc = open_host(&l);
    if (!rc)
        rc = cpus_of(l.host, &l.cpus);
    if (!rc)
        rc = table_new(columns, "vcpus", &l.table);
    if (!rc)
        rc = line->nr_args ? list_named(&l) : list_all(&l);
    code = cmd_show_table(line, l.table, rc);
    xln_cpumap_free(l.cpus);
    xs_close(l.xs);
    if (!saved)
        xln_host_free(l.host);
    return code == EXIT_SUCCESS && l.incomplete ? EXIT_FAILURE : code;
}

/* ---- --cpuset ---- */

static int print_cpuset(const struct xln_cpumap *cpus)
{
    char *text;
    int rc = xln_cpumap_format(cpus, &text);

    if (rc)
        return rc;
    printf("%s\n", text);
    free(text);
    return 0;
}

/* -ENODATA: it has no vCPU; -EAGAIN: it got into another cpupool meanwhile. */
static int show_cpuset(const struct xln_host *host,
                       const struct xln_domain *domain)
{
    const struct xln_host_pool *pool = xln_host_pool(host, domain->pool_id);
    struct xln_cpumap *cpus;
    int rc;

    if (!pool)
        return -EAGAIN;
    rc = xln_domain_cpus(domain, pool->cpus, false, &cpus);
    if (rc)
        return rc;
    rc = xln_cpumap_is_empty(cpus) ? -ENODATA : print_cpuset(cpus);
    xln_cpumap_free(cpus);
    return rc;
}

static int end_cpuset(const struct cmd_line *line, int rc)
{
    if (rc == -ENODATA)
        complain("domain '%s' has no vCPU yet", line->args[0]);
    else if (rc)
        complain("cannot tell the CPUs of domain '%s': %s", line->args[0],
                 strerror(-rc));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_cpuset(struct cmd_line *line)
{
    struct xln_domains *domains = read_named(line, line->args[0]);
    struct xln_host *host = NULL;
    int rc;

    if (!domains)
        return EXIT_FAILURE;
    rc = xln_host_read(line->xch, NULL, &host);
    if (!rc)
        rc = show_cpuset(host, &domains->list[0]);
    xln_host_free(host);
    xln_domains_free(domains);
    return end_cpuset(line, rc);
}

static int run_saved_cpuset(const struct cmd_line *line,
                            const struct xln_snapshot *saved)
{
    const struct xln_domain *domain = cmd_find_saved(saved, line->args[0]);

    if (!domain)
        return EXIT_FAILURE;
    return end_cpuset(line, show_cpuset(saved->host, domain));
}

/* ---- the command ---- */

static int run_saved(struct cmd_line *line, const char *word, bool cpuset)
{
    struct xln_snapshot *saved;
    int code;

    if (!cmd_load_domains(word, &saved))
        return EXIT_FAILURE;
    code = cpuset ? run_saved_cpuset(line, saved) : run_list(line, saved);
    xln_snapshot_free(saved);
    return code;
}

static int run(struct cmd_line *line)
{
    bool cpuset = cmd_value(line, OPT_CPUSET);
    const char *word = cmd_value(line, OPT_HOST);

    if (cpuset && (cmd_value(line, 'o') || cmd_value(line, OPT_JSON)))
        return cmd_usage(line, "--cpuset is one line of text, not a table");
    if (cpuset && line->nr_args != 1)
        return cmd_usage(line, "--cpuset needs one domain, not %d",
                         line->nr_args);
    if (word)
        return run_saved(line, word, cpuset);
    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    return cpuset ? run_cpuset(line) : run_list(line, NULL);
}

static const struct cmd_option options[] = {
    TABLE_OPTIONS,
    { "host", OPT_HOST, "FILE", "of a saved host" },
    { "cpuset", OPT_CPUSET, NULL, "print the CPUs of a domain, in the form of "
                                  "cpus=" },
    { 0 }
};

const struct cmd cmd_vcpu_list = {
    .name = "vcpu-list", .args = "[OPTIONS] [DOMAIN...]",
    .summary = "list vCPUs, where they run and where they may",
    .examples =
        "  xl vcpu-list web\n"
        "  xl vcpu-list -o NAME,VCPU,NODE,ON_PLAN\n",
    .min_args = 0, .max_args = -1,
    .options = options, .columns = columns, .run = run,
};
