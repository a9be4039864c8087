/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "advise.h"
#include "locality.h"
#include "placement/decide_pool.h"
#include "text/units.h"

void advice_free(struct advice *advice)
{
    unsigned i;

    if (!advice)
        return;
    for (i = 0; i < advice->nr; i++)
        xln_nodemap_free(advice->moves[i].nodes);
    free(advice->moves);
    free(advice->stays);
    free(advice);
}

static struct advice *new_advice(unsigned nr)
{
    struct advice *advice = calloc(1, sizeof(*advice));

    if (!advice)
        return NULL;
    advice->moves = calloc(nr + 1, sizeof(*advice->moves));
    advice->stays = calloc(nr + 1, sizeof(*advice->stays));
    if (advice->moves && advice->stays)
        return advice;
    advice_free(advice);
    return NULL;
}

static uint64_t bytes_of(const struct advise_guest *guest, unsigned nr_nodes)
{
    uint64_t pages = 0;
    unsigned node;

    for (node = 0; node < nr_nodes; node++)
        pages += guest->pages[node];
    return pages << PAGE_SHIFT;
}

static bool is_moved(const struct advice *advice,
                     const struct advise_guest *guest)
{
    unsigned i;

    for (i = 0; i < advice->nr; i++)
        if (advice->moves[i].guest == guest)
            return true;
    return false;
}

static bool may_move(const struct advice *advice,
                     const struct advise_guest *guest)
{
    return !guest->asks_absent && !guest->libvirts && !guest->fixed &&
           !is_moved(advice, guest);
}

/* ---- one move ---- */

static struct advise_wish wish_of(const struct advise_guest *guest)
{
    return (struct advise_wish){
        .request = guest->request, .need = &guest->need, .kind = &guest->kind,
    };
}

/* A place that keeps the request, and does not overflow. */
static bool is_good(const struct decision *d)
{
    return !d->reason &&
           !(d->plan->relaxed & (XLN_RELAXED_MEMORY | XLN_RELAXED_CPUS));
}

/* *plan_r is NULL where there is no good place. */
static int find_place(const struct xln_host *host,
                      const struct advise_wish *wish, struct xln_plan **plan_r)
{
    struct decision *d;
    int rc = decide(host, wish->request, wish->need, wish->kind, &d);

    *plan_r = NULL;
    if (rc)
        return rc;
    if (is_good(d)) {
        *plan_r = d->plan;
        d->plan = NULL;
    }
    decision_free(d);
    return 0;
}

/* About what the hypervisor will have granted: the shares. */
static uint64_t *pages_of_plan(const struct xln_host *host,
                               const struct xln_plan *plan)
{
    uint64_t *pages = calloc(xln_host_nr_nodes(host), sizeof(*pages));
    unsigned i;

    for (i = 0; pages && i < plan->nr_shares; i++)
        pages[plan->shares[i].node] += plan->shares[i].bytes >> PAGE_SHIFT;
    return pages;
}

static unsigned distance_of(const struct xln_host *host, const uint64_t *pages,
                            const struct xln_nodemap *vcpu_nodes)
{
    struct locality l;

    locality_of(host, pages, vcpu_nodes, &l);
    return l.known && l.has_distance ? l.distance_thousandths : XLN_NONE;
}

/* vCPUs that are bound stay where they are. */
static int fill_move(const struct xln_host *host,
                     const struct advise_guest *guest,
                     const struct xln_plan *plan, struct advise_move *move)
{
    uint64_t *pages = pages_of_plan(host, plan);

    if (!pages)
        return -ENOMEM;
    move->guest = guest;
    move->bytes = bytes_of(guest, xln_host_nr_nodes(host));
    move->before = distance_of(host, guest->pages, guest->vcpu_nodes);
    move->after = distance_of(host, pages,
                              xln_nodemap_is_empty(plan->vcpu_nodes)
                                  ? guest->vcpu_nodes
                                  : plan->vcpu_nodes);
    free(pages);
    return xln_nodemap_copy(plan->nodes, &move->nodes);
}

/* A copy of the host without what the guest holds. */
static int release_guest(const struct xln_host *host,
                         const struct advise_guest *guest,
                         struct xln_host **host_r)
{
    unsigned node, nr = 0;
    struct xln_share *shares;
    int rc;

    shares = calloc(xln_host_nr_nodes(host), sizeof(*shares));
    if (!shares)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        shares[nr++] = (struct xln_share){
            .node = node,
            .bytes = guest->pages[node] << PAGE_SHIFT,
        };
    rc = xln_host_release(host, shares, nr, host_r);
    free(shares);
    return rc;
}

/* The host after the copy has its memory and the old domain has ended. */
static int host_after(const struct xln_host *host,
                      const struct advise_guest *guest,
                      const struct xln_plan *plan, struct xln_host **after_r)
{
    struct xln_host *both;
    int rc;

    rc = xln_host_reserve(host, plan->shares, plan->nr_shares, &both);
    if (rc)
        return rc;
    rc = release_guest(both, guest, after_r);
    xln_host_free(both);
    return rc;
}

/* ---- healing ---- */

static unsigned won(const struct advise_move *move)
{
    if (move->before == XLN_NONE || move->after == XLN_NONE ||
        move->after >= move->before ||
        move->before - move->after < move->before / 10)
        return 0;
    return move->before - move->after;
}

/* All of a domain is copied, so what is won for each byte is what its mean
 * distance gets less. Of equal ones the smaller. */
static bool is_better(const struct advise_move *a, const struct advise_move *b)
{
    if (won(a) != won(b))
        return won(a) > won(b);
    return won(a) && a->bytes < b->bytes;
}

struct step {
    struct advise_move move;
    struct xln_plan *plan;
};

static void step_clear(struct step *step)
{
    xln_nodemap_free(step->move.nodes);
    xln_plan_free(step->plan);
    *step = (struct step){ .plan = NULL };
}

/* All of its memory is on these nodes. */
static bool is_there(const struct xln_host *host,
                     const struct advise_guest *guest,
                     const struct xln_nodemap *nodes)
{
    unsigned node;

    for (node = 0; node < xln_host_nr_nodes(host); node++)
        if ((guest->pages[node] > 0) != xln_nodemap_test(nodes, node))
            return false;
    return true;
}

/* If its memory is already where it would go, it may still be far from its
 * vCPUs. Then the vCPUs should move (xl vcpu-pin), not the memory. */
static int try_guest(const struct xln_host *host,
                     const struct advise_guest *guest, struct step *best)
{
    const struct advise_wish wish = wish_of(guest);
    struct step step = { .plan = NULL };
    int rc = find_place(host, &wish, &step.plan);

    if (!rc && step.plan && !is_there(host, guest, step.plan->nodes)) {
        rc = fill_move(host, guest, step.plan, &step.move);
        if (!rc && won(&step.move) &&
            (!best->plan || is_better(&step.move, &best->move))) {
            step_clear(best);
            *best = step;
            return 0;
        }
    }
    step_clear(&step);
    return rc;
}

/* Advise this step, and go on from the host that it leaves. */
static int take_step(struct xln_host **host, struct step *step,
                     struct advice *advice)
{
    struct xln_host *after;
    int rc = host_after(*host, step->move.guest, step->plan, &after);

    if (rc)
        return rc;
    advice->moves[advice->nr++] = step->move;
    step->move.nodes = NULL;
    xln_host_free(*host);
    *host = after;
    return 0;
}

/* One more move. *host is replaced by what it leaves; unchanged: none is worth
 * it. */
static int heal_step(struct xln_host **host, const struct advise_guest *guests,
                     unsigned nr, struct advice *advice)
{
    struct step best = { .plan = NULL };
    unsigned i;
    int rc = 0;

    for (i = 0; i < nr && !rc; i++)
        if (may_move(advice, &guests[i]))
            rc = try_guest(*host, &guests[i], &best);
    if (!rc && best.plan)
        rc = take_step(host, &best, advice);
    step_clear(&best);
    return rc;
}

/* On the host that the moves leave behind. */
static int find_reason(const struct xln_host *host,
                       const struct advise_guest *guest,
                       enum advise_reason *reason_r)
{
    const struct advise_wish wish = wish_of(guest);
    struct xln_plan *plan = NULL;
    int rc = 0;

    if (!guest->libvirts && !guest->asks_absent)
        rc = find_place(host, &wish, &plan);
    *reason_r = guest->libvirts      ? ADVISE_LIBVIRTS
                : guest->asks_absent ? ADVISE_ABSENT
                : !plan              ? ADVISE_NO_ROOM
                : is_there(host, guest, plan->nodes) ? ADVISE_REQUESTED
                                                     : ADVISE_NO_NEARER;
    xln_plan_free(plan);
    return rc;
}

static int find_stays(const struct xln_host *host,
                      const struct advise_guest *guests, unsigned nr,
                      struct advice *advice)
{
    struct advise_stay *stay;
    struct locality l;
    unsigned i;
    int rc = 0;

    for (i = 0; i < nr && !rc; i++) {
        locality_of(host, guests[i].pages, guests[i].vcpu_nodes, &l);
        if (!l.known || !l.apart || guests[i].fixed ||
            is_moved(advice, &guests[i]))
            continue;
        stay = &advice->stays[advice->nr_stays++];
        stay->guest = &guests[i];
        rc = find_reason(host, &guests[i], &stay->reason);
    }
    return rc;
}

int advise_heal(const struct xln_host *host, const struct advise_guest *guests,
                unsigned nr, struct advice **advice_r)
{
    struct advice *advice = new_advice(nr);
    struct xln_host *now = NULL;
    unsigned before;
    int rc;

    if (!advice)
        return -ENOMEM;
    rc = xln_host_reserve(host, NULL, 0, &now);
    if (!rc) {
        do {
            before = advice->nr;
            rc = heal_step(&now, guests, nr, advice);
        } while (!rc && advice->nr > before);
    }
    if (!rc)
        rc = find_stays(now, guests, nr, advice);
    xln_host_free(now);
    if (rc)
        advice_free(advice);
    else
        *advice_r = advice;
    return rc;
}

/* ---- making room ---- */

/* The other domain, where that node is all it may have. */
static int place_on(const struct xln_host *host,
                    const struct advise_wish *wish, unsigned node,
                    struct xln_plan **plan_r)
{
    struct advise_wish on_it = *wish;
    struct xln_request *there = NULL;
    struct xln_nodemap *nodes = NULL;
    int rc;

    *plan_r = NULL;
    rc = xln_request_copy(wish->request, &there);
    if (!rc)
        rc = xln_nodemap_new(xln_host_nr_nodes(host), &nodes);
    if (!rc) {
        xln_nodemap_set(nodes, node);
        xln_nodemap_free(there->nodes);
        there->nodes = nodes;
        nodes = NULL;
        there->all_nodes = false;
        on_it.request = there;
        rc = find_place(host, &on_it, plan_r);
    }
    xln_nodemap_free(nodes);
    xln_request_free(there);
    return rc;
}

/* If the request names nodes, the target must be one of them. Otherwise it
 * must have a CPU for each vCPU, and one that the first vCPU may use. */
static bool may_use(const struct xln_host *host,
                    const struct advise_wish *wish, unsigned node)
{
    const struct xln_request *request = wish->request;
    const struct xln_need *need = wish->need;
    const struct xln_cpumap *cpus = xln_host_near_cpus(host, node);
    unsigned cpu, nr = 0;

    if (request->mem_nodes)
        return false;
    if (request->nodes)
        return xln_nodemap_test(request->nodes, node);
    XLN_FOREACH(xln_cpumap, cpu, cpus)
        nr += xln_host_cpu(host, cpu)->online &&
              (!need->pool_cpus || xln_cpumap_test(need->pool_cpus, cpu));
    return nr >= need->nr_vcpus &&
           (!need->nr_hard || !need->hard[0] ||
            xln_cpumap_intersects(cpus, need->hard[0]));
}

/* Placed as if `node` were full: so it goes elsewhere or stays. */
static int place_off(const struct xln_host *host,
                     const struct advise_guest *guest, unsigned node,
                     struct xln_plan **plan_r)
{
    const struct xln_share all = {
        node, xln_host_node(host, node)->total_bytes
    };
    const struct advise_wish wish = wish_of(guest);
    struct xln_host *without;
    int rc;

    rc = xln_host_reserve(host, &all, 1, &without);
    if (rc)
        return rc;
    rc = find_place(without, &wish, plan_r);
    xln_host_free(without);
    return rc;
}

/* The least that frees as much as is missing; else the most. */
static bool suits_better(uint64_t a, uint64_t b, uint64_t missing)
{
    if ((a >= missing) != (b >= missing))
        return a >= missing;
    return a >= missing ? a < b : a > b;
}

static uint64_t missing_on(const struct xln_host *host,
                           const struct advise_wish *wish, unsigned node)
{
    uint64_t bytes = wish->need->memory_bytes + wish->need->overhead_bytes;
    uint64_t usable = xln_host_node_usable(xln_host_node(host, node), true,
                                           wish->request->dma_reserve_bytes);

    return bytes > usable ? bytes - usable : 0;
}

/* Move one domain off the node. */
static int clear_step(struct xln_host **host, const struct advise_guest *guests,
                      unsigned nr, unsigned node, uint64_t missing,
                      struct advice *advice)
{
    struct step best = { .plan = NULL }, step = { .plan = NULL };
    unsigned i;
    int rc = 0;

    for (i = 0; i < nr && !rc; i++) {
        const struct advise_guest *g = &guests[i];

        if (!may_move(advice, g) || !g->pages[node] ||
            (best.plan &&
             !suits_better(g->pages[node] << PAGE_SHIFT,
                           best.move.guest->pages[node] << PAGE_SHIFT,
                           missing)))
            continue;
        rc = place_off(*host, g, node, &step.plan);
        if (!rc && step.plan && !xln_nodemap_test(step.plan->nodes, node))
            rc = fill_move(*host, g, step.plan, &step.move);
        if (!rc && step.move.nodes) {
            step_clear(&best);
            best = step;
            step = (struct step){ .plan = NULL };
        }
        step_clear(&step);
    }
    if (!rc && best.plan)
        rc = take_step(host, &best, advice);
    step_clear(&best);
    return rc;
}

/* *plan_r stays NULL where moves do not do it. */
static int clear_node(const struct xln_host *host,
                      const struct advise_guest *guests, unsigned nr,
                      const struct advise_wish *wish, unsigned node,
                      struct advice *advice, struct xln_plan **plan_r)
{
    struct xln_host *now = NULL;
    struct xln_plan *plan = NULL;
    unsigned before;
    int rc;

    rc = xln_host_reserve(host, NULL, 0, &now);
    while (!rc) {
        rc = place_on(now, wish, node, &plan);
        if (rc || plan)
            break;
        before = advice->nr;
        rc = clear_step(&now, guests, nr, node,
                        missing_on(now, wish, node), advice);
        if (advice->nr == before)
            break;
    }
    xln_host_free(now);
    if (rc)
        xln_plan_free(plan);
    else
        *plan_r = plan;
    return rc;
}

static uint64_t all_bytes(const struct advice *advice)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < advice->nr; i++)
        bytes += advice->moves[i].bytes;
    return bytes;
}

/* Plan like a create. *plan_r stays NULL if the plan is not on one node. */
static int place_now(const struct xln_host *host,
                     const struct advise_wish *wish, struct xln_plan **plan_r)
{
    struct xln_plan *plan;
    int rc = find_place(host, wish, &plan);

    if (rc)
        return rc;
    if (plan && xln_nodemap_count(plan->nodes) == 1)
        *plan_r = plan;
    else
        xln_plan_free(plan);
    return 0;
}

int advise_room(const struct xln_host *host, const struct advise_guest *guests,
                unsigned nr, const struct advise_wish *wish,
                struct advice **advice_r, struct xln_plan **plan_r)
{
    struct advice *best = new_advice(nr), *advice;
    struct xln_plan *best_plan = NULL, *plan;
    unsigned node;
    int rc = best ? place_now(host, wish, &best_plan) : -ENOMEM;
    bool now = best_plan;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        if (rc || now || !may_use(host, wish, node))
            continue;
        advice = new_advice(nr);
        plan = NULL;
        rc = advice ? clear_node(host, guests, nr, wish, node, advice, &plan)
                    : -ENOMEM;
        if (!rc && plan &&
            (!best_plan || all_bytes(advice) < all_bytes(best))) {
            advice_free(best);
            xln_plan_free(best_plan);
            best = advice;
            best_plan = plan;
        } else {
            advice_free(advice);
            xln_plan_free(plan);
        }
    }
    if (rc) {
        advice_free(best);
        xln_plan_free(best_plan);
        return rc;
    }
    *advice_r = best;
    *plan_r = best_plan;
    return 0;
}
