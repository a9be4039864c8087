/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What follows from the arguments of xln_place() alone, for the files that
 * find the plan.
 */
#ifndef XLN_PROBLEM_H
#define XLN_PROBLEM_H

#include "gaps.h"

/* What follows from the arguments alone. */
struct problem {
    const struct xln_host *host;
    const struct xln_request *request;
    const struct xln_need *need;
    uint64_t need_bytes;

    /* How many CPUs, and so vCPUs, the scheduler treats as one unit; and the
     * hard and soft affinities of the need in whole units, see host_units.c. */
    unsigned unit_size;
    const struct xln_cpumap *const *hard, *const *soft;
    unsigned nr_hard, nr_soft;
    struct xln_cpumap **own_hard, **own_soft;   /* NULL: those of the need */

    /* vCPUs that get one core, if each has a core or a thread of its own: those
     * of a scheduling unit; or as many as a core has threads. */
    unsigned group_size;

    struct xln_cpumap *pool;        /* online CPUs of the domain's cpupool */
    struct xln_cpumap *allowed;     /* those that some vCPU may run on; of
                                     * free cores, if each is to have one */
    unsigned *nr_allowed;           /* of these, near each node (see
                                     * xln_host_near_cpus()): [node]; or, if
                                     * the request is for whole cores, cores
                                     * with one */
    uint64_t *load;                 /* of these CPUs, [node] */
    unsigned need_cpus;

    /* Of all nodes, each CPU counted once; and the most of one. */
    unsigned nr_home_cpus;
    uint64_t home_load, most_crowding;

    /* What a policy measures sets by: vCPUs for each of nr_allowed once the
     * domain is there (xln__problem_density()); those of the most crowded node
     * before that; and a node's memory on average. */
    uint64_t fair_density, most_density;
    uint64_t mean_bytes;
    struct xln__gaps gaps;          /* that the running guests could use */

    /* What counts against a set of nodes, added up over its nodes: of sets of
     * equally many nodes the one with least is best, before distances are
     * looked at. [node]; NULL: nothing does. */
    uint64_t *costs;

    /* For a vCPU's hard affinity, the homes of the CPUs in it: the domain
     * needs one of each. */
    struct xln_nodemap **spots;
    unsigned nr_spots;

    struct xln_nodemap *named;      /* NULL: the policy chooses */
    bool own_dma;                   /* the chosen nodes' DMA zone counts */
    bool own_cpus;                  /* so do their CPUs: they are not relaxed */
    unsigned set_cpus;              /* how many CPUs a set must have in that
                                       case */
};

/* 0 or a negative errno; clear it in either case. */
int xln__problem_init(struct problem *problem, const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need);
void xln__problem_clear(struct problem *problem);

/* Some CPUs near these nodes have more load than before: count it anew. */
void xln__problem_add_load(struct problem *problem,
                           const struct xln_nodemap *nodes);

/* The number of scheduling units that the vCPUs make, and of groups of group_size. */
unsigned xln__problem_nr_units(const struct problem *problem);
unsigned xln__problem_nr_groups(const struct problem *problem);

/* Whether each vCPU has a free core, or a thread of one, of its own; and
 * whether it is a thread. */
bool xln__problem_binds_each(const struct problem *problem);
bool xln__problem_by_threads(const struct problem *problem);

/* The load for each of a node's nr_allowed CPUs; 0 if it has none. */
uint64_t xln__problem_crowding(const struct problem *problem, unsigned node);

/* The vCPUs for each of `nr_cpus` CPUs with this load each, the domain's own
 * included, in parts of XLN__DENSITY_ONE; 0 if there are none. */
#define XLN__DENSITY_ONE (UINT64_C(1) << 24)
uint64_t xln__problem_density(const struct problem *problem, uint64_t crowding,
                              unsigned nr_cpus);

/* The memory of one node that a plan can use. */
uint64_t xln__problem_usable(const struct problem *problem, unsigned node,
                             bool with_dma);

/* Sets of the host's width: an empty one, one with what `nodes` has of it, and
 * the nodes that have memory. */
int xln__problem_new_nodes(const struct problem *problem,
                           struct xln_nodemap **nodes_r);
int xln__problem_copy_nodes(const struct problem *problem,
                            const struct xln_nodemap *nodes,
                            struct xln_nodemap **copy_r);
int xln__problem_nodes_with_memory(const struct problem *problem,
                                   struct xln_nodemap **nodes_r);

/* Whether more nodes are named than the domain may have. */
bool xln__problem_is_limited(const struct problem *problem);

/* The nodes that sets are made of: those that the policy may choose from, or
 * that are named; with memory in any case. (In place.c.) */
int xln__problem_candidates(const struct problem *problem,
                            struct xln_nodemap **nodes_r);

/* The plan on nodes that were chosen among these: what xln_place() makes of
 * them, but without `nearest` if they have all the memory. (In place.c.) */
int xln__problem_plan(const struct problem *problem,
                      const struct xln_nodemap *nodes,
                      struct xln_plan **plan_r);

#endif /* XLN_PROBLEM_H */
