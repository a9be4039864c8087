/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving each vCPU a free core of its own. What a core is, and when it is
 * taken: cores.c. */
#include <errno.h>
#include <stdlib.h>

#include "cores.h"

struct thread {
    unsigned cpu;
    const struct xln_host_cpu *at;
};

struct core {
    const struct thread *threads;
    unsigned nr_threads;
    unsigned rank;              /* among the free cores of its node */
    unsigned vcpu;              /* that has it; XLN_NONE: none */
    bool out;                   /* of this game */
    bool seen;                  /* in this search */
};

struct xln__deck {
    const struct xln_need *need;
    unsigned nr_threads, nr_cores;
    struct thread *threads;
    struct core *cores;
};

static int compare_numbers(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_threads(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    int r = compare_numbers(x->at->node, y->at->node);

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

/* Threads that stand together become a core. */
static void group_threads(struct xln__deck *deck)
{
    struct core *core = NULL;

    for (unsigned i = 0; i < deck->nr_threads; i++) {
        const struct thread *thread = &deck->threads[i];

        if (!core || !xln__cores_same(core->threads->at, thread->at)) {
            const struct core *last = core;

            core = &deck->cores[deck->nr_cores++];
            core->threads = thread;
            if (last && last->threads->at->node == thread->at->node)
                core->rank = last->rank + 1;
        }
        core->nr_threads++;
    }
}

/*
 * The free cores of `homes`. In front, as many as there are vCPUs, as equally
 * from each node as these have them, as memory is too: a row from each, so
 * that neighbouring vCPUs are on one node.
 */
static int make_deck(const struct problem *problem,
                     const struct xln_nodemap *homes, struct xln__deck *deck)
{
    const struct xln_host *host = problem->host;
    unsigned cpu;

    deck->need = problem->need;
    deck->threads = calloc(xln_host_nr_cpus(host), sizeof(*deck->threads));
    deck->cores = calloc(xln_host_nr_cpus(host), sizeof(*deck->cores));
    if (!deck->threads || !deck->cores)
        return -ENOMEM;
    XLN_FOREACH(xln_cpumap, cpu, problem->allowed) {
        const struct xln_host_cpu *at = xln_host_cpu(host, cpu);

        if (at && xln_nodemap_test(homes, at->node))
            deck->threads[deck->nr_threads++] = (struct thread){ cpu, at };
    }
    qsort(deck->threads, deck->nr_threads, sizeof(*deck->threads),
          compare_threads);
    group_threads(deck);
    qsort(deck->cores, deck->nr_cores, sizeof(*deck->cores), compare_ranks);
    if (deck->need->nr_vcpus <= deck->nr_cores)
        qsort(deck->cores, deck->need->nr_vcpus, sizeof(*deck->cores),
              compare_cores);
    return 0;
}

static bool may_use(const struct xln__deck *deck, unsigned vcpu, unsigned cpu)
{
    const struct xln_need *need = deck->need;

    return vcpu >= need->nr_hard || !need->hard[vcpu] ||
           xln_cpumap_test(need->hard[vcpu], cpu);
}

static bool suits(const struct xln__deck *deck, unsigned vcpu,
                  const struct core *core)
{
    for (unsigned i = 0; i < core->nr_threads; i++) {
        if (may_use(deck, vcpu, core->threads[i].cpu))
            return true;
    }
    return false;
}

/*
 * A free core if one suits; or one that another vCPU has and can do without,
 * as a different one suits that as well (an augmenting path, as for any
 * matching of two sides). False: there is no way to serve this one too.
 */
static bool find_core(struct xln__deck *deck, unsigned vcpu)
{
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[(vcpu + i) % deck->nr_cores];

        if (core->vcpu == XLN_NONE && !core->out && suits(deck, vcpu, core)) {
            core->vcpu = vcpu;
            return true;
        }
    }
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[i];

        if (core->seen || core->out || !suits(deck, vcpu, core))
            continue;
        core->seen = true;
        if (find_core(deck, core->vcpu)) {
            core->vcpu = vcpu;
            return true;
        }
    }
    return false;
}

static bool deal(struct xln__deck *deck)
{
    unsigned nr_vcpus = deck->need->nr_vcpus;

    if (nr_vcpus > deck->nr_cores)
        return false;
    for (unsigned i = 0; i < deck->nr_cores; i++)
        deck->cores[i].vcpu = XLN_NONE;
    for (unsigned vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        for (unsigned i = 0; i < deck->nr_cores; i++)
            deck->cores[i].seen = false;
        if (!find_core(deck, vcpu))
            return false;
    }
    return true;
}

static int note_core(const struct problem *problem,
                     const struct xln__deck *deck, const struct core *core,
                     struct xln_plan *plan)
{
    struct xln_cpumap *cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &cpus);
    if (rc)
        return rc;
    for (unsigned i = 0; i < core->nr_threads; i++) {
        if (may_use(deck, core->vcpu, core->threads[i].cpu))
            xln_cpumap_set(cpus, core->threads[i].cpu);
    }
    plan->vcpu_cores[core->vcpu] = cpus;
    xln_cpumap_or(plan->vcpu_cpus, cpus);
    xln_nodemap_set(plan->vcpu_nodes, core->threads->at->node);
    return 0;
}

static int note_cores(const struct problem *problem,
                      const struct xln__deck *deck, struct xln_plan *plan)
{
    unsigned nr_vcpus = problem->need->nr_vcpus;
    int rc = 0;

    plan->vcpu_cores = calloc(nr_vcpus, sizeof(struct xln_cpumap *));
    if (!plan->vcpu_cores)
        return -ENOMEM;
    plan->nr_vcpu_cores = nr_vcpus;
    for (unsigned i = 0; i < deck->nr_cores && !rc; i++) {
        if (deck->cores[i].vcpu != XLN_NONE)
            rc = note_core(problem, deck, &deck->cores[i], plan);
    }
    return rc;
}

/* Whether some vCPU may run on other cores than the first one. */
static bool have_own_affinities(const struct xln_need *need)
{
    for (unsigned vcpu = 1; vcpu < need->nr_vcpus; vcpu++) {
        const struct xln_cpumap *hard =
            vcpu < need->nr_hard ? need->hard[vcpu] : NULL;
        const struct xln_cpumap *first = need->nr_hard ? need->hard[0] : NULL;

        if (hard != first &&
            (!hard || !first || !xln_cpumap_equal(hard, first)))
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
    if (problem->request->vcpus_mode != XLN_VCPUS_CORE ||
        !have_own_affinities(problem->need))
        return 0;
    deck = calloc(1, sizeof(*deck));
    if (!deck)
        return -ENOMEM;
    rc = make_deck(problem, nodes, deck);
    if (rc)
        xln__deck_free(deck);
    else
        *deck_r = deck;
    return rc;
}

void xln__deck_free(struct xln__deck *deck)
{
    if (!deck)
        return;
    free(deck->threads);
    free(deck->cores);
    free(deck);
}

bool xln__deck_suffices(struct xln__deck *deck,
                        const struct xln_nodemap *nodes)
{
    for (unsigned i = 0; i < deck->nr_cores; i++) {
        struct core *core = &deck->cores[i];

        core->out = !xln_nodemap_test(nodes, core->threads->at->node);
    }
    return deal(deck);
}

int xln__cores_deal(const struct problem *problem,
                    const struct xln_nodemap *homes, struct xln_plan *plan)
{
    struct xln__deck deck = { 0 };
    int rc;

    rc = make_deck(problem, homes, &deck);
    if (rc)
        goto out;
    plan->nr_free_cores = deck.nr_cores;
    if (deal(&deck)) {
        rc = note_cores(problem, &deck, plan);
    } else {
        plan->lacks_cores = true;
        plan->verdict = XLN_NOTHING_FITS;
        xln_nodemap_or(plan->vcpu_nodes, homes);
    }
 out:
    free(deck.threads);
    free(deck.cores);
    return rc;
}
