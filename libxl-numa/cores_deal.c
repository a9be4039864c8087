/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving each vCPU a free core of its own, or a thread of a free core. What a
 * core is, and when it is taken: cores.c.
 *
 * For threads, the vCPUs are in groups of as many as a core has threads, from
 * vCPU 0 on, and each group gets a core.
 *
 * Example: cores of two threads, CPUs 0-1, 2-3. Of three vCPUs, 0 and 1 get
 * CPUs 0 and 1, and 2 gets CPU 2. No other domain gets CPU 3, as its core is
 * taken.
 */
#include <errno.h>
#include <stdlib.h>

#include "cores.h"
#include "host.h"

struct thread {
    unsigned cpu;
    const struct xln_host_cpu *at;
    unsigned home, distance;    /* the node with the nearest memory */
};

struct core {
    const struct thread *threads;
    unsigned nr_threads;
    unsigned rank;              /* among the free cores of its home; small ones
                                 * are the last choice */
    unsigned taker;             /* the group that has it; XLN_NONE: none */
    bool out;                   /* of this game */
    bool seen;                  /* in this search */
};

/* The one that takes a core: a group of vCPUs, see struct problem. */
struct xln__deck {
    const struct problem *problem;
    unsigned group_size, nr_takers;
    bool has_masks;             /* vCPUs differ in what they may use */
    unsigned nr_threads, nr_cores;
    struct thread *threads;
    struct core *cores;
    unsigned *seats;            /* the vCPU on each thread of a core */
    bool *seen;                 /* those threads, in this search */
};

static int compare_numbers(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_threads(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    int r = compare_numbers(x->home, y->home);

    if (!r)
        r = compare_numbers(x->distance, y->distance);
    if (!r)
        r = compare_numbers(x->at->node, y->at->node);
    if (!r)
        r = compare_numbers(x->at->socket, y->at->socket);
    if (!r)
        r = compare_numbers(x->at->core, y->at->core);
    return r ? r : compare_numbers(x->cpu, y->cpu);
}

static int compare_ranks(const void *a, const void *b)
{
    const struct core *x = a, *y = b;
    int r = compare_numbers(x->rank, y->rank);

    return r ? r : compare_threads(x->threads, y->threads);
}

static int compare_cores(const void *a, const void *b)
{
    const struct core *x = a, *y = b;

    return compare_threads(x->threads, y->threads);
}

/* Whether each vCPU of a group has a thread of its own. */
static bool gives_threads(const struct xln__deck *deck)
{
    return deck->problem->unit_size == 1 &&
           xln__problem_by_threads(deck->problem);
}

static unsigned nr_members(const struct xln__deck *deck, unsigned taker)
{
    unsigned first = taker * deck->group_size;
    unsigned left = deck->problem->need->nr_vcpus - first;

    return left < deck->group_size ? left : deck->group_size;
}

/* Whether it is of use for the last vCPUs alone. */
static bool is_small(const struct xln__deck *deck, const struct core *core)
{
    return gives_threads(deck) && core->nr_threads < nr_members(deck, 0);
}

/* Threads that are neighbours in the list become a core. */
static void group_threads(struct xln__deck *deck)
{
    const struct xln_host *host = deck->problem->host;
    struct core *core = NULL;

    for (unsigned i = 0; i < deck->nr_threads; i++) {
        const struct thread *thread = &deck->threads[i];

        if (!core ||
            !xln__cores_same(host, core->threads->cpu, thread->cpu)) {
            const struct core *last = core;

            core = &deck->cores[deck->nr_cores++];
            core->threads = thread;
            if (last && last->threads->home == thread->home)
                core->rank = last->rank + 1;
        }
        core->nr_threads++;
    }
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        if (is_small(deck, &deck->cores[i]))
            deck->cores[i].rank += deck->nr_cores;
    }
}

/* Whether a CPU is on one of these nodes, or belongs to one. */
static bool is_on(const struct xln_host *host, const struct xln_host_cpu *at,
                  const struct xln_nodemap *nodes)
{
    return xln_nodemap_test(nodes, at->node) ||
           xln_nodemap_test(nodes, xln_host_home(host, at->node));
}

static struct thread thread_of(const struct xln_host *host, unsigned cpu,
                               const struct xln_host_cpu *at)
{
    unsigned home;

    /* The CPUs of a scheduling unit stay together, wherever they are. */
    if (host->units)
        at = xln_host_cpu(host, host->units[cpu]);
    home = xln_host_home(host, at->node);
    return (struct thread){ cpu, at, home,
                            xln_host_distance(host, at->node, home) };
}

/* Whether some vCPU may run on other cores than the first one. */
static bool have_own_affinities(const struct problem *p)
{
    for (unsigned vcpu = 1; vcpu < p->need->nr_vcpus; vcpu++) {
        const struct xln_cpumap *hard =
            vcpu < p->nr_hard ? p->hard[vcpu] : NULL;
        const struct xln_cpumap *first = p->nr_hard ? p->hard[0] : NULL;

        if (hard != first &&
            (!hard || !first || !xln_cpumap_equal(hard, first)))
            return true;
    }
    return false;
}

/*
 * The free cores near `homes`. In front, as many as there are vCPUs, as equally
 * from each home as these have them, as memory is too: a row from each, so
 * that neighbouring vCPUs are on one node. The nearest of a home come first.
 */
static int make_deck(const struct problem *problem,
                     const struct xln_nodemap *homes, struct xln__deck *deck)
{
    const struct xln_host *host = problem->host;
    unsigned cpu;

    deck->problem = problem;
    deck->group_size = problem->group_size;
    deck->nr_takers = xln__problem_nr_groups(problem);
    deck->has_masks = have_own_affinities(problem);
    deck->threads = calloc(xln_host_nr_cpus(host), sizeof(*deck->threads));
    deck->cores = calloc(xln_host_nr_cpus(host), sizeof(*deck->cores));
    deck->seats = calloc(xln_host_nr_cpus(host), sizeof(*deck->seats));
    deck->seen = calloc(xln_host_nr_cpus(host), sizeof(*deck->seen));
    if (!deck->threads || !deck->cores || !deck->seats || !deck->seen)
        return -ENOMEM;
    XLN_FOREACH(xln_cpumap, cpu, problem->allowed) {
        const struct xln_host_cpu *at = xln_host_cpu(host, cpu);

        if (at && is_on(host, at, homes))
            deck->threads[deck->nr_threads++] = thread_of(host, cpu, at);
    }
    qsort(deck->threads, deck->nr_threads, sizeof(*deck->threads),
          compare_threads);
    group_threads(deck);
    qsort(deck->cores, deck->nr_cores, sizeof(*deck->cores), compare_ranks);
    if (deck->nr_takers <= deck->nr_cores)
        qsort(deck->cores, deck->nr_takers, sizeof(*deck->cores),
              compare_cores);
    return 0;
}

static bool may_use(const struct problem *problem, unsigned vcpu, unsigned cpu)
{
    return vcpu >= problem->nr_hard || !problem->hard[vcpu] ||
           xln_cpumap_test(problem->hard[vcpu], cpu);
}

/* As find_core(), of threads in one core. */
static bool find_seat(struct xln__deck *deck, const struct core *core,
                      unsigned vcpu)
{
    unsigned first = vcpu % deck->group_size, nr = core->nr_threads;

    for (unsigned i = 0; i < nr; i++) {
        unsigned at = (first + i) % nr;

        if (deck->seats[at] == XLN_NONE &&
            may_use(deck->problem, vcpu, core->threads[at].cpu)) {
            deck->seats[at] = vcpu;
            return true;
        }
    }
    for (unsigned i = 0; i < nr; i++) {
        if (deck->seen[i] ||
            !may_use(deck->problem, vcpu, core->threads[i].cpu))
            continue;
        deck->seen[i] = true;
        if (find_seat(deck, core, deck->seats[i])) {
            deck->seats[i] = vcpu;
            return true;
        }
    }
    return false;
}

/* Find a thread of this core for each vCPU of a group: deck->seats. */
static bool seat(struct xln__deck *deck, unsigned taker,
                 const struct core *core)
{
    unsigned first = taker * deck->group_size, nr = nr_members(deck, taker);

    if (core->nr_threads < nr)
        return false;
    for (unsigned i = 0; i < core->nr_threads; i++)
        deck->seats[i] = XLN_NONE;
    for (unsigned v = 0; v < nr; v++) {
        for (unsigned i = 0; i < core->nr_threads; i++)
            deck->seen[i] = false;
        if (!find_seat(deck, core, first + v))
            return false;
    }
    return true;
}

static bool suits(struct xln__deck *deck, unsigned taker,
                  const struct core *core)
{
    if (gives_threads(deck))
        return deck->has_masks ? seat(deck, taker, core)
                               : core->nr_threads >= nr_members(deck, taker);
    for (unsigned i = 0; i < core->nr_threads; i++) {
        if (may_use(deck->problem, taker * deck->group_size,
                    core->threads[i].cpu))
            return true;
    }
    return false;
}

/*
 * A free core if one suits; or one that another taker has and can do without,
 * as a different one suits that as well (an augmenting path, as for any
 * matching of two sides). False: there is no way to serve this one too.
 */
static bool find_core(struct xln__deck *deck, unsigned taker)
{
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[(taker + i) % deck->nr_cores];

        if (core->taker == XLN_NONE && !core->out &&
            suits(deck, taker, core)) {
            core->taker = taker;
            return true;
        }
    }
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[i];

        if (core->seen || core->out || !suits(deck, taker, core))
            continue;
        core->seen = true;
        if (find_core(deck, core->taker)) {
            core->taker = taker;
            return true;
        }
    }
    return false;
}

static bool deal(struct xln__deck *deck)
{
    if (deck->nr_takers > deck->nr_cores)
        return false;
    for (unsigned i = 0; i < deck->nr_cores; i++)
        deck->cores[i].taker = XLN_NONE;
    for (unsigned taker = 0; taker < deck->nr_takers; taker++) {
        for (unsigned i = 0; i < deck->nr_cores; i++)
            deck->cores[i].seen = false;
        if (!find_core(deck, taker))
            return false;
    }
    return true;
}

static int note_core(const struct xln__deck *deck, const struct core *core,
                     unsigned vcpu, struct xln_plan *plan)
{
    const struct problem *problem = deck->problem;
    struct xln_cpumap *cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &cpus);
    if (rc)
        return rc;
    for (unsigned i = 0; i < core->nr_threads; i++) {
        if (gives_threads(deck)
                ? deck->seats[i] == vcpu
                : may_use(problem, vcpu, core->threads[i].cpu))
            xln_cpumap_set(cpus, core->threads[i].cpu);
    }
    plan->vcpu_cores[vcpu] = cpus;
    xln_cpumap_or(plan->vcpu_cpus, cpus);
    xln_nodemap_set(plan->vcpu_nodes, core->threads->at->node);
    return 0;
}

static int note_cores(struct xln__deck *deck, struct xln_plan *plan)
{
    unsigned nr_vcpus = deck->problem->need->nr_vcpus;
    int rc = 0;

    plan->vcpu_cores = calloc(nr_vcpus, sizeof(struct xln_cpumap *));
    if (!plan->vcpu_cores)
        return -ENOMEM;
    plan->nr_vcpu_cores = nr_vcpus;
    for (unsigned i = 0; i < deck->nr_cores && !rc; i++) {
        const struct core *core = &deck->cores[i];

        if (core->taker == XLN_NONE)
            continue;
        if (gives_threads(deck))
            seat(deck, core->taker, core);
        for (unsigned v = 0; v < nr_members(deck, core->taker) && !rc; v++)
            rc = note_core(deck, core, core->taker * deck->group_size + v,
                           plan);
    }
    return rc;
}

/* Whether some free core has too few threads for a group. */
static bool has_small_cores(const struct xln__deck *deck)
{
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        if (is_small(deck, &deck->cores[i]))
            return true;
    }
    return false;
}

int xln__deck_new(const struct problem *problem,
                  const struct xln_nodemap *nodes, struct xln__deck **deck_r)
{
    struct xln__deck *deck;
    int rc;

    *deck_r = NULL;
    if (!xln__problem_binds_each(problem))
        return 0;
    deck = calloc(1, sizeof(*deck));
    if (!deck)
        return -ENOMEM;
    rc = make_deck(problem, nodes, deck);
    if (!rc && (deck->has_masks || has_small_cores(deck))) {
        *deck_r = deck;
        deck = NULL;
    }
    xln__deck_free(deck);
    return rc;
}

static void clear_deck(struct xln__deck *deck)
{
    free(deck->threads);
    free(deck->cores);
    free(deck->seats);
    free(deck->seen);
}

void xln__deck_free(struct xln__deck *deck)
{
    if (!deck)
        return;
    clear_deck(deck);
    free(deck);
}

/* The same as deal(), where the vCPUs do not differ. */
static bool count(const struct xln__deck *deck)
{
    unsigned last = nr_members(deck, deck->nr_takers - 1), nr = 0;
    bool for_last = false;

    for (unsigned i = 0; i < deck->nr_cores; i++) {
        const struct core *core = &deck->cores[i];

        nr += !core->out && !is_small(deck, core);
        for_last |= !core->out && is_small(deck, core) &&
                    core->nr_threads >= last;
    }
    return nr + for_last >= deck->nr_takers;
}

bool xln__deck_suffices(struct xln__deck *deck,
                        const struct xln_nodemap *nodes)
{
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[i];

        const struct thread *thread = core->threads;

        core->out = !xln_nodemap_test(nodes, thread->at->node) &&
                    !xln_nodemap_test(nodes, thread->home);
    }
    return deck->has_masks ? deal(deck) : count(deck);
}

int xln__cores_deal(const struct problem *problem,
                    const struct xln_nodemap *homes, struct xln_plan *plan)
{
    struct xln__deck deck = { 0 };
    int rc;

    rc = make_deck(problem, homes, &deck);
    if (rc)
        goto out;
    plan->nr_free_cores = gives_threads(&deck) ? deck.nr_threads
                                               : deck.nr_cores;
    if (deal(&deck)) {
        rc = note_cores(&deck, plan);
    } else {
        plan->lacks_cores = true;
        plan->verdict = XLN_NOTHING_FITS;
        xln_nodemap_or(plan->vcpu_nodes, homes);
    }
 out:
    clear_deck(&deck);
    return rc;
}
