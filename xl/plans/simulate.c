/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "locality.h"
#include "placement/decide_pool.h"
#include "simulate.h"
#include "stock_placement.h"
#include "text/units.h"

#define NS 1e9

/* A guest that is there. */
struct visit {
    uint64_t end_ns;
    unsigned number;            /* by arrival */
    unsigned nr_vcpus;
    uint64_t bytes;
    struct xln_share *shares;
    unsigned nr_shares;
    struct xln_nodemap *nodes;
    struct xln_cpumap *cpus;    /* that its vCPUs prefer */
};

struct sim {
    const struct xln_host *base;
    const struct trace *trace;
    struct xln_request *request;
    bool stock;
    struct outcome *out;
    uint64_t *decision_ns;      /* [trace->nr] */

    /* The guests that are there, as a heap: the first to leave is first. */
    struct visit **guests;
    unsigned nr_guests;

    /* The resources that they hold. */
    struct xln_share *used;     /* [nr_nodes], by node */
    uint64_t *load;             /* [nr_cpus]; as xln_place() is to see it */
    uint64_t *node_load;        /* [nr_nodes]; all of it, the host's too */
    uint64_t *stock_vcpus;      /* [nr_nodes]; as stock.h counts */
    uint64_t *change;           /* [nr_cpus]; to work with */
    uint64_t used_bytes, split_bytes, total_bytes;

    unsigned *node_cpus;        /* [nr_nodes]; how many */
    unsigned nr_cpus;           /* of all nodes */

    /* Up to here everything is added up. */
    uint64_t now_ns;
    double balance_seconds, waiting_sum, load_sum;
    double point_seconds[NR_POINTS];
};

/* ---- time passes ---- */

struct moment {
    double balance, waiting, load;
};

static struct moment look(const struct sim *s)
{
    struct moment m = { 0 };
    double most = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->base)) {
        double load = (double)s->node_load[node] / (double)XLN_LOAD_ONE;
        unsigned nr_cpus = s->node_cpus[node];

        if (!nr_cpus)
            continue;
        m.load += load;
        if (load > nr_cpus)
            m.waiting += load - nr_cpus;
        if (load / nr_cpus > most)
            most = load / nr_cpus;
    }
    if (m.load > 0)
        m.balance = most * s->nr_cpus / m.load;
    return m;
}

/* Add what holds from `from` to `to`, in parts of NR_POINTS, to the curves. */
static void draw(struct sim *s, double from, double to,
                 const double values[NR_CURVES])
{
    while (from < to) {
        unsigned point = from < NR_POINTS ? (unsigned)from : NR_POINTS - 1;
        double end = point + 1 < to && point + 1 < NR_POINTS ? point + 1 : to;

        for (unsigned i = 0; i < NR_CURVES; i++)
            s->out->curves[i][point] += values[i] * (end - from);
        s->point_seconds[point] += end - from;
        from = end;
    }
}

static void pass(struct sim *s, uint64_t until_ns)
{
    double seconds = (double)(until_ns - s->now_ns) / NS;
    double unit = s->out->end_seconds / NR_POINTS;
    struct moment m;

    if (until_ns == s->now_ns)
        return;
    m = look(s);
    if (m.load > 0) {
        s->out->balance += m.balance * seconds;
        s->balance_seconds += seconds;
        s->waiting_sum += m.waiting * seconds;
        s->load_sum += m.load * seconds;
    }
    draw(s, (double)s->now_ns / NS / unit, (double)until_ns / NS / unit,
         (const double[NR_CURVES]){
             [CURVE_MEMORY] = (double)s->used_bytes / (double)s->total_bytes,
             [CURVE_SPLIT] = (double)s->split_bytes / (double)s->total_bytes,
             [CURVE_BALANCE] = m.balance,
         });
    s->now_ns = until_ns;
}

/* ---- guests come and go ---- */

static void guest_free(struct visit *g)
{
    if (!g)
        return;
    free(g->shares);
    xln_nodemap_free(g->nodes);
    xln_cpumap_free(g->cpus);
    free(g);
}

static bool leaves_before(const struct visit *a, const struct visit *b)
{
    if (a->end_ns != b->end_ns)
        return a->end_ns < b->end_ns;
    return a->number < b->number;
}

static void heap_add(struct sim *s, struct visit *g)
{
    unsigned i = s->nr_guests++, parent;

    for (; i; i = parent) {
        parent = (i - 1) / 2;
        if (!leaves_before(g, s->guests[parent]))
            break;
        s->guests[i] = s->guests[parent];
    }
    s->guests[i] = g;
}

static struct visit *heap_take(struct sim *s)
{
    struct visit *first = s->guests[0], *g = s->guests[--s->nr_guests];
    unsigned i = 0, child;

    while ((child = 2 * i + 1) < s->nr_guests) {
        if (child + 1 < s->nr_guests &&
            leaves_before(s->guests[child + 1], s->guests[child]))
            child++;
        if (leaves_before(g, s->guests[child]))
            break;
        s->guests[i] = s->guests[child];
        i = child;
    }
    s->guests[i] = g;
    return first;
}

/* Unsigned numbers wrap, so that adding `0 - x` takes x away. */
static uint64_t signed_by(uint64_t x, bool add)
{
    return add ? x : 0 - x;
}

static void change_load(struct sim *s, const struct visit *g, bool add)
{
    unsigned nr_cpus = xln_host_nr_cpus(s->base), cpu;
    bool keeps = xln_cpumap_count(g->cpus) < s->nr_cpus;

    memset(s->change, 0, nr_cpus * sizeof(*s->change));
    xln_load_add(g->cpus, g->nr_vcpus, nr_cpus, s->change);
    XLN_FOREACH(xln_cpumap, cpu, g->cpus) {
        uint64_t change = signed_by(s->change[cpu], add);

        s->node_load[xln_host_cpu(s->base, cpu)->node] += change;
        if (keeps)
            s->load[cpu] += change;
    }
}

static void change_all(struct sim *s, const struct visit *g, bool add)
{
    unsigned i;

    for (i = 0; i < g->nr_shares; i++)
        s->used[g->shares[i].node].bytes += signed_by(g->shares[i].bytes, add);
    XLN_FOREACH(xln_nodemap, i, g->nodes)
        s->stock_vcpus[i] += signed_by(g->nr_vcpus, add);
    change_load(s, g, add);
    s->used_bytes += signed_by(g->bytes, add);
    if (g->nr_shares > 1)
        s->split_bytes += signed_by(g->bytes, add);
}

static void leave(struct sim *s)
{
    struct visit *g = heap_take(s);

    pass(s, g->end_ns);
    change_all(s, g, false);
    guest_free(g);
}

static int guest_new(const struct sim *s, const struct arrival *a,
                     const struct xln_plan *plan, struct visit **guest_r)
{
    size_t size = plan->nr_shares * sizeof(*plan->shares);
    struct visit *g = calloc(1, sizeof(*g));
    int rc = -ENOMEM;

    if (!g)
        return rc;
    g->number = a - s->trace->list;
    g->end_ns = a->lifetime_ns == TRACE_STAYS ? UINT64_MAX
                                              : a->time_ns + a->lifetime_ns;
    g->nr_vcpus = a->nr_vcpus;
    g->bytes = a->bytes;
    g->shares = malloc(size + 1);
    if (!g->shares)
        goto out;
    memcpy(g->shares, plan->shares, size);
    g->nr_shares = plan->nr_shares;
    rc = xln_nodemap_copy(plan->nodes, &g->nodes);
    if (rc)
        goto out;
    /* Nodes without CPUs alone: they run anywhere. */
    if (xln_cpumap_is_empty(plan->vcpu_cpus))
        rc = xln_cpumap_copy(plan->allowed_cpus, &g->cpus);
    else
        rc = xln_cpumap_copy(plan->vcpu_cpus, &g->cpus);
    if (rc)
        goto out;
    *guest_r = g;
    g = NULL;
 out:
    guest_free(g);
    return rc;
}

/* ---- deciding ---- */

/* Those of the trace, and those that are there from the start. */
static int add_guests(const struct sim *s, const struct xln_host *host,
                      struct xln_host **host_r)
{
    uint64_t *bytes = calloc(s->nr_guests + 1, sizeof(*bytes));
    int rc = -ENOMEM;

    if (!bytes)
        return rc;
    for (unsigned i = 0; i < s->nr_guests; i++)
        bytes[i] = s->guests[i]->bytes;
    rc = xln_host_add_guests(host, bytes, s->nr_guests, host_r);
    free(bytes);
    return rc;
}

/* The host with all that is on it. */
static int host_now(const struct sim *s, struct xln_host **host_r)
{
    struct xln_host *loaded, *reserved = NULL;
    unsigned node, nr = 0;
    struct xln_share *shares;
    int rc;

    shares = calloc(xln_host_nr_nodes(s->base), sizeof(*shares));
    if (!shares)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->base))
        shares[nr++] = s->used[node];
    rc = xln_host_add_load(s->base, s->load, &loaded);
    if (!rc) {
        rc = xln_host_reserve(loaded, shares, nr, &reserved);
        xln_host_free(loaded);
    }
    free(shares);
    if (rc)
        return rc;
    rc = add_guests(s, reserved, host_r);
    xln_host_free(reserved);
    return rc;
}

/* Stock's nodes, as if they were named. */
static int choose_stock(struct sim *s, const struct xln_host *host,
                        const struct xln_need *need)
{
    struct xln_request *request = s->request;
    uint64_t *bytes;
    unsigned node;
    int rc;

    bytes = calloc(xln_host_nr_nodes(host), sizeof(*bytes));
    if (!bytes)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        bytes[node] = xln_host_node_usable(xln_host_node(host, node), true, 0);
    xln_nodemap_free(request->nodes);
    request->nodes = NULL;
    rc = xln_nodemap_new(xln_host_nr_nodes(host), &request->nodes);
    if (!rc)
        stock_choose(host, bytes, s->stock_vcpus, need, request->nodes);
    free(bytes);
    if (rc || !xln_nodemap_is_empty(request->nodes)) {
        request->all_nodes = false;
        return rc;
    }
    xln_nodemap_free(request->nodes);
    request->nodes = NULL;
    request->all_nodes = true;
    return 0;
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What the guests of a trace are. */
static const struct decide_guest kind = { .type = LIBXL_DOMAIN_TYPE_PV };

static int decide_arrival(struct sim *s, const struct xln_host *host,
                          const struct xln_need *need, uint64_t *ns_r,
                          struct decision **decision_r)
{
    uint64_t begin = clock_ns();
    int rc = 0;

    if (s->stock)
        rc = choose_stock(s, host, need);
    if (!rc)
        rc = decide(host, s->request, need, &kind, decision_r);
    *ns_r = clock_ns() - begin;
    return rc;
}

/* ---- what became of it ---- */

static void weigh_distance(const struct sim *s, const struct xln_plan *plan,
                           uint64_t *pages)
{
    struct locality locality;
    unsigned i;

    memset(pages, 0, xln_host_nr_nodes(s->base) * sizeof(*pages));
    for (i = 0; i < plan->nr_shares; i++)
        pages[plan->shares[i].node] += plan->shares[i].bytes >> PAGE_SHIFT;
    locality_of(s->base, pages, plan->vcpu_nodes, &locality);
    if (locality.has_distance)
        s->out->distance += locality.distance_thousandths / 1000.0 *
                            (double)plan->need_bytes;
}

/* The CPUs of a socket, in `cpus`; false: it has none. */
static bool cpus_of_socket(const struct xln_host *host, unsigned socket,
                           struct xln_cpumap *cpus)
{
    unsigned cpu;

    xln_cpumap_zero(cpus);
    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online && c->node != XLN_NONE && c->socket == socket)
            xln_cpumap_set(cpus, cpu);
    }
    return !xln_cpumap_is_empty(cpus);
}

/* Whether the guest would have had all it asks for on the CPUs of `cpus` and
 * their nodes, `max_nodes` of them at most. */
static int fits_on(const struct xln_host *host, const struct xln_cpumap *cpus,
                   const struct xln_need *need, unsigned max_nodes,
                   bool *fits_r)
{
    struct xln_need part = *need;
    struct decision *decision = NULL;
    struct xln_request *request;
    int rc;

    *fits_r = false;
    if (xln_cpumap_count(cpus) < need->nr_vcpus)
        return 0;
    rc = xln_request_new(&request);
    if (rc)
        return rc;
    part.pool_cpus = cpus;
    request->max_nodes = max_nodes;
    rc = decide(host, request, &part, &kind, &decision);
    *fits_r = !rc && decision->status == DECIDE_FITS;
    decision_free(decision);
    xln_request_free(request);
    return rc;
}

/* The highest number of a socket, and whether these CPUs are of several. */
static unsigned look_at_sockets(const struct xln_host *host,
                                const struct xln_cpumap *cpus, bool *several_r)
{
    unsigned cpu, last = 0, socket = XLN_NONE;

    *several_r = false;
    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (!c || c->socket == XLN_NONE)
            continue;
        if (c->socket > last)
            last = c->socket;
        if (!xln_cpumap_test(cpus, cpu))
            continue;
        if (socket != XLN_NONE && c->socket != socket)
            *several_r = true;
        socket = c->socket;
    }
    return last;
}

static int look_for_socket(struct sim *s, const struct xln_host *host,
                           const struct xln_need *need,
                           const struct xln_plan *plan, unsigned last)
{
    unsigned nr = xln_nodemap_count(plan->nodes), socket;
    struct xln_cpumap *cpus = NULL;
    bool fits = false;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(host), &cpus);
    for (socket = 0; !rc && !fits && socket <= last; socket++) {
        if (cpus_of_socket(host, socket, cpus))
            rc = fits_on(host, cpus, need, nr, &fits);
    }
    if (!rc)
        s->out->nr_avoidable += fits;
    xln_cpumap_free(cpus);
    return rc;
}

static int count_sockets(struct sim *s, const struct xln_host *host,
                         const struct xln_need *need,
                         const struct xln_plan *plan)
{
    struct xln_cpumap *cpus;
    unsigned last;
    bool several;
    int rc;

    rc = xln_host_near_cpus_of_nodes(host, plan->nodes, &cpus);
    if (rc)
        return rc;
    last = look_at_sockets(host, cpus, &several);
    xln_cpumap_free(cpus);
    if (!several)
        return 0;
    s->out->nr_cross++;
    return look_for_socket(s, host, need, plan, last);
}

static int count_placed(struct sim *s, const struct xln_host *host,
                        const struct xln_need *need,
                        const struct xln_plan *plan)
{
    struct outcome *out = s->out;

    out->nr_placed++;
    out->bytes += plan->need_bytes;
    out->nr_relaxed += !!(plan->relaxed & XLN_RELAXED_CPUS);
    if (plan->nr_shares > 1) {
        out->nr_split++;
        out->split_bytes += plan->need_bytes;
    }
    weigh_distance(s, plan, s->change);
    return count_sockets(s, host, need, plan);
}

/* ---- one after the other ---- */

static void count_refused(struct sim *s, const struct arrival *a)
{
    if (!s->out->nr_refused++)
        s->out->first_refused = a;
}

static int settle(struct sim *s, const struct arrival *a,
                  const struct xln_host *host, const struct xln_need *need,
                  const struct decision *decision)
{
    const struct xln_plan *plan = decision->plan;
    struct visit *g;
    int rc;

    if (decision->status == DECIDE_NOTHING_FITS) {
        count_refused(s, a);
        return 0;
    }
    rc = count_placed(s, host, need, plan);
    if (!rc)
        rc = guest_new(s, a, plan, &g);
    if (rc)
        return rc;
    change_all(s, g, true);
    heap_add(s, g);
    return 0;
}

static int arrive(struct sim *s, const struct arrival *a)
{
    struct xln_need need = {
        .memory_bytes = a->bytes, .nr_vcpus = a->nr_vcpus,
    };
    struct decision *decision = NULL;
    struct xln_host *host;
    int rc;

    while (s->nr_guests && s->guests[0]->end_ns <= a->time_ns)
        leave(s);
    pass(s, a->time_ns);
    rc = host_now(s, &host);
    if (rc)
        return rc;
    rc = decide_arrival(s, host, &need, &s->decision_ns[a - s->trace->list],
                        &decision);
    if (!rc)
        rc = settle(s, a, host, &need, decision);
    decision_free(decision);
    xln_host_free(host);
    return rc;
}

/* ---- beginning and end ---- */

static int compare_times(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Sums become means. */
static void finish(struct sim *s)
{
    struct outcome *out = s->out;
    unsigned nr = s->trace->nr;

    if (out->bytes)
        out->distance /= (double)out->bytes;
    if (s->balance_seconds > 0)
        out->balance /= s->balance_seconds;
    if (s->load_sum > 0)
        out->waiting = s->waiting_sum / s->load_sum;
    for (unsigned i = 0; i < NR_CURVES; i++) {
        for (unsigned point = 0; point < NR_POINTS; point++) {
            if (s->point_seconds[point] > 0)
                out->curves[i][point] /= s->point_seconds[point];
        }
    }
    if (!nr)
        return;
    qsort(s->decision_ns, nr, sizeof(*s->decision_ns), compare_times);
    out->median_ns = s->decision_ns[nr / 2];
    out->p99_ns = s->decision_ns[nr - 1 - nr / 100];
}

static int sim_alloc(struct sim *s)
{
    unsigned nr_nodes = xln_host_nr_nodes(s->base);
    unsigned nr_cpus = xln_host_nr_cpus(s->base);
    unsigned nr_work = nr_cpus > nr_nodes ? nr_cpus : nr_nodes;

    s->decision_ns = calloc(s->trace->nr + 1, sizeof(*s->decision_ns));
    s->guests = calloc(s->trace->nr + 1, sizeof(struct visit *));
    s->used = calloc(nr_nodes, sizeof(*s->used));
    s->load = calloc(nr_cpus, sizeof(*s->load));
    s->node_load = calloc(nr_nodes, sizeof(*s->node_load));
    s->stock_vcpus = calloc(nr_nodes, sizeof(*s->stock_vcpus));
    s->change = calloc(nr_work, sizeof(*s->change));
    s->node_cpus = calloc(nr_nodes, sizeof(*s->node_cpus));
    if (!s->decision_ns || !s->guests || !s->used || !s->load ||
        !s->node_load || !s->stock_vcpus || !s->change || !s->node_cpus)
        return -ENOMEM;
    return xln_request_new(&s->request);
}

static void sim_free(struct sim *s)
{
    while (s->nr_guests)
        guest_free(s->guests[--s->nr_guests]);
    free(s->guests);
    free(s->decision_ns);
    free(s->used);
    free(s->load);
    free(s->node_load);
    free(s->stock_vcpus);
    free(s->change);
    free(s->node_cpus);
    xln_request_free(s->request);
}

/* The domains that the host has from the start. */
static void look_at_host(struct sim *s)
{
    unsigned node, cpu;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(s->base)) {
        const struct xln_host_node *n = xln_host_node(s->base, node);

        s->used[node].node = node;
        s->total_bytes += n->total_bytes;
        s->node_cpus[node] = xln_cpumap_count(n->cpus);
        s->nr_cpus += s->node_cpus[node];
        XLN_FOREACH(xln_cpumap, cpu, n->cpus)
            s->node_load[node] += xln_host_cpu(s->base, cpu)->load;
    }
}

int simulate(const struct xln_host *host, const struct xln_domains *domains,
             const struct trace *trace, const struct xln_policy *policy,
             const struct work *work, struct outcome *outcome)
{
    struct sim *s = calloc(1, sizeof(*s));
    unsigned i;
    int rc;

    if (!s)
        return -ENOMEM;
    *outcome = (struct outcome){
        .policy = policy ? xln_policy_name(policy) : STOCK_NAME,
        .nr_guests = trace->nr,
    };
    if (trace->nr)
        outcome->end_seconds = (double)trace->list[trace->nr - 1].time_ns / NS;
    s->base = host;
    s->trace = trace;
    s->stock = !policy;
    s->out = outcome;
    rc = sim_alloc(s);
    if (rc)
        goto out;
    if (policy)
        s->request->policy = policy;
    look_at_host(s);
    rc = stock_count(host, domains, s->stock_vcpus);
    for (i = 0; i < trace->nr && !rc; i++) {
        work_tell(work, i, trace->nr);
        rc = arrive(s, &trace->list[i]);
    }
    if (!rc)
        finish(s);
 out:
    sim_free(s);
    free(s);
    return rc;
}
