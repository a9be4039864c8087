/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans, candidates, virtual nodes and affinities: part of libxl_numa.h. */
#ifndef LIBXL_NUMA_PLACE_H
#define LIBXL_NUMA_PLACE_H

#include <libxl.h>

#include <libxl_numa/host.h>
#include <libxl_numa/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- plans ---- */

enum xln_verdict {
    XLN_FITS,
    XLN_FITS_RELAXED,       /* see xln_plan.relaxed */
    XLN_NOTHING_FITS,       /* too little memory, or too few cores */
};

/* What the plan could not satisfy; it gives these up in this order. */
#define XLN_RELAXED_DMA 1u      /* it uses the DMA zone, unasked */
#define XLN_RELAXED_CPUS 2u     /* fewer CPUs than vCPUs on the nodes */
#define XLN_RELAXED_MEMORY 4u   /* memory from other nodes than asked for */

/* A set of nodes, and the figures by which sets are compared. */
struct xln_candidate {
    struct xln_nodemap *nodes;
    uint64_t usable_bytes;      /* of all of them, see xln_host_node_usable() */
    unsigned nr_cpus;           /* that the domain may use; cores, if the
                                 * request is for whole_cores */
    uint64_t load;              /* of these CPUs, without the domain's own */
    uint64_t crowding;          /* load for each such CPU of the most crowded
                                 * node; 0 if there is none */
    uint64_t cost;              /* by the need's preferences: less is better */
    unsigned distance_max;      /* between two of them; XLN_NONE: unreachable.
                                 * 0 for one node */
    uint64_t distance_sum;      /* over all ordered pairs; of the two
                                 * directions the larger counts for both */

    uint64_t reserved[4];       /* 0; see libxl_numa.h */
};

/* What is known about all sets that fit. */
struct xln_bound {
    unsigned nr_nodes;          /* none of fewer nodes fits */
    /* Of this many nodes, none is nearer; 0: unknown. */
    unsigned distance_max;
    uint64_t distance_sum;
};

/* Some bytes of a node. */
struct xln_share {
    unsigned node;
    uint64_t bytes;
};

struct xln_plan {
    enum xln_verdict verdict;
    unsigned relaxed;           /* XLN_RELAXED_*; for XLN_FITS at most _DMA,
                                 * which violates no request */
    uint64_t need_bytes;        /* memory and overhead */
    bool named;                 /* the user named the nodes */

    /* Memory: the domain's node affinity, and how much comes from each node,
     * in the order in which they are filled. The shares add up to need_bytes,
     * or less if the host does not have that much. Those after the first
     * nr_own are outside `nodes`, nearest first. */
    struct xln_nodemap *nodes;
    struct xln_share *shares;
    unsigned nr_shares, nr_own;

    /* Where to continue when a node has less than its share: all other nodes
     * with memory, nearest first. */
    unsigned *nearest;
    unsigned nr_nearest;

    /* vCPUs: where they may run by the cpupool and the user's hard affinities;
     * and the nodes and CPUs to prefer or be bound to, within the cpupool. The
     * last two are empty if the user's affinities stay as they are. */
    struct xln_cpumap *allowed_cpus;
    struct xln_nodemap *vcpu_nodes;
    struct xln_cpumap *vcpu_cpus;

    /* XLN_VCPUS_CORE: for each vCPU the CPUs of its core that it may run on;
     * XLN_VCPUS_THREAD: its thread, or with core scheduling its scheduling
     * unit. vcpu_cpus has all of them, and allowed_cpus has only free ones. If
     * there are too few cores (lacks_cores), no vCPU has one, the verdict is
     * XLN_NOTHING_FITS, and the nodes in vcpu_nodes have nr_free_cores; with
     * XLN_VCPUS_THREAD this is the number of threads, or of units. */
    unsigned nr_vcpu_cores;         /* 0, or all vCPUs */
    struct xln_cpumap **vcpu_cores;
    bool lacks_cores;
    unsigned nr_free_cores;

    /* Why: how many sets of this many nodes fit, the chosen one, and the next
     * best one (next.nodes NULL: there is none). All 0 if the user named the
     * nodes. counted_all is false if the search skipped sets that could be
     * neither, so that more may fit. With more than 16 candidates `next` is
     * the next best that the search saw. */
    unsigned nr_fitting;
    bool counted_all;
    struct xln_candidate chosen, next;

    /* Whether it is proven that no set is better; see xln_place(). If not,
     * `bound` says what a better set could have; else it describes the chosen
     * set. A set that the user named is exact. */
    bool exact;
    struct xln_bound bound;

    uint64_t reserved[32];      /* 0; see libxl_numa.h */
};

/*
 * Decide where a domain goes. The constraints come first: enough usable memory;
 * as many CPUs, or cores, as vCPUs, if the host has that many; a CPU for the
 * hard affinity of each vCPU. Then, in this order: fewest nodes, the need's
 * preferences, least distance between the nodes (largest, then mean), the
 * policy, lowest numbers.
 *
 * The search is exact with up to 24 candidate nodes. With more it is exact if
 * the distances form a hierarchy (of any three nodes, the two largest distances
 * are equal), or if few steps suffice. With more than 256 nodes it is also exact
 * if one or two nodes are enough. Otherwise it ends after a fixed number of steps (some tens of
 * milliseconds), and returns the best set found, the same one each time. This
 * may happen in a hierarchy too: best fit of many nodes among more than about
 * 24 at equal distances, where many sums of memory are nearly right.
 *
 * That nothing fits is a result, XLN_NOTHING_FITS, not an error.
 *
 *   host: the host
 *   request: what the user asks for
 *   need: what the domain is
 *   plan_r: the plan; free it with xln_plan_free()
 *
 * Returns 0; -EINVAL: a named node is not on this host, a set of named nodes
 * is empty, need->nr_vcpus is 0, or a `reserved` is not 0; -ENOMEM.
 * Since: 0.1
 */
int xln_place(const struct xln_host *host, const struct xln_request *request,
              const struct xln_need *need, struct xln_plan **plan_r);

/*
 * Place equal domains, one after another, until one does not fit as it asks.
 * Each is placed as xln_place() does, and then its memory and its load count on
 * the host, see xln_host_reserve() and xln_load_of_plan(). This takes much less
 * time than these functions. With more than 256 nodes, a sixteenth of the effort
 * of xln_place() is spent on a domain that needs several nodes, so it can get
 * others.
 *
 *   host: the host
 *   request: what the user asks for: no named nodes, and neither XLN_VCPUS_CORE nor
 *       XLN_VCPUS_THREAD
 *   need: what each domain is
 *   max_nr: how many domains to place at most
 *   by_nodes: [xln_host_nr_nodes() + 1]: the number of domains on so many nodes
 *       is added to each
 *   host_r: the host with all these domains; free it with xln_host_free()
 *
 * Returns 0; -ENOTSUP: the request cannot be placed in this way; and as
 * xln_place(). The content of by_nodes is then undefined.
 * Since: 0.1
 */
int xln_place_equal(const struct xln_host *host,
                    const struct xln_request *request,
                    const struct xln_need *need, unsigned max_nr,
                    unsigned *by_nodes, struct xln_host **host_r);

/*
 * Free a plan.
 *
 *   plan: the plan, or NULL
 *
 * Since: 0.1
 */
void xln_plan_free(struct xln_plan *plan);

/*
 * Add the load of a planned domain.
 *
 *   plan: the plan
 *   need: the need that it was made for
 *   host: the host
 *   load: the array to add to, see xln_load_add()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_load_of_plan(const struct xln_plan *plan, const struct xln_need *need,
                     const struct xln_host *host, uint64_t *load);

/*
 * Find the cores that a planned domain will hold, see xln_cores_of_domains().
 *
 *   plan: the plan
 *   mode: the vcpus_mode of its request
 *   need: the need that it was made for
 *   host: the host
 *   taken: the set to add the CPUs of these cores to, as wide as the host has
 *       CPUs
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_cores_of_plan(const struct xln_plan *plan, enum xln_vcpus_mode mode,
                      const struct xln_need *need,
                      const struct xln_host *host, struct xln_cpumap *taken);

/* ---- candidates: what a plan was chosen from ---- */

/* The verdict on a set of nodes. Those from _MEMORY on do not fit. */
enum xln_candidate_verdict {
    XLN_CANDIDATE_CHOSEN,
    XLN_CANDIDATE_NUMBERS,      /* equal, but with higher node numbers */
    XLN_CANDIDATE_POLICY,       /* as few, as near; worse by the policy */
    XLN_CANDIDATE_FARTHER,      /* as few nodes, farther from each other */
    XLN_CANDIDATE_PREFERENCE,   /* as few nodes, but others are preferred */
    XLN_CANDIDATE_MORE_NODES,
    XLN_CANDIDATE_MEMORY,       /* too little memory */
    XLN_CANDIDATE_CPUS,         /* fewer CPUs than vCPUs */
    XLN_CANDIDATE_AFFINITY,     /* no CPU of a vCPU's hard affinity */
    XLN_NR_CANDIDATE_VERDICTS
};

struct xln_candidates {
    uint64_t need_bytes;
    /* The chosen set; then the other sets that fit, the best first by the
     * order of xln_place(); then those that do not fit, in that order too. */
    unsigned nr;
    struct xln_judged {
        struct xln_candidate set;
        enum xln_candidate_verdict verdict;
    } *list;
    uint64_t nr_others[XLN_NR_CANDIDATE_VERDICTS];  /* not in the list */
    /* There are too many sets of more nodes than this, so they were not
     * examined. 0: all possible sets were. */
    unsigned max_nodes_seen;
    /* Nodes that are in no set: without memory; with memory, but without a
     * CPU that the domain may use, or not among the named ones. */
    struct xln_nodemap *without_memory, *left_out;
};

/*
 * List the sets that xln_place() chooses from with the same arguments. If the
 * plan has fewer CPUs than vCPUs, no set is rejected for its CPUs. Named nodes
 * are one set. The function examines up to 2^16 sets. These are all sets of up
 * to 16 nodes; with more nodes, only the smaller sets.
 *
 *   host: the host
 *   request: what the user asks for
 *   need: what the domain is
 *   max_nr: how many sets to list; 0: all
 *   candidates_r: the sets; free them with xln_candidates_free()
 *
 * Returns 0; -EINVAL: as for xln_place(); -ENOMEM.
 * Since: 0.1
 */
int xln_candidates_find(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need, unsigned max_nr,
                        struct xln_candidates **candidates_r);

/*
 * Free a list of candidates.
 *
 *   candidates: the list, or NULL
 *
 * Since: 0.1
 */
void xln_candidates_free(struct xln_candidates *candidates);

/* ---- virtual nodes ---- */

/* Xen stores the table of their distances in one page. */
#define XLN_VNUMA_MAX_NODES 32

struct xln_vnode {
    unsigned node;              /* the host node of its memory */
    uint64_t bytes;
    struct xln_cpumap *vcpus;   /* as wide as the domain has vCPUs */
    /* The CPUs that these vCPUs prefer, or are bound to; empty if the user's
     * affinities stay as they are. */
    struct xln_cpumap *cpus;
    unsigned *distances;        /* to each virtual node: 10 to itself */
};

struct xln_vnuma {
    unsigned nr;                /* 2 to XLN_VNUMA_MAX_NODES */
    struct xln_vnode *list;
};

/*
 * Prepare a request with XLN_VNUMA_HOST for xln_place(). The request then names
 * the nodes that have memory and CPUs for the domain; of the nodes that it
 * named, if it named any. It also binds the vCPUs to them, unless vcpus_mode is
 * XLN_VCPUS_NONE. Any other request stays as it is.
 *
 *   host: the host
 *   need: what the domain is
 *   request: the request that changes
 *
 * Returns 0; -ENOENT: there is no such node; -ENOMEM.
 * Since: 0.1
 */
int xln_vnuma_prepare(const struct xln_host *host, const struct xln_need *need,
                      struct xln_request *request);

/*
 * Make the virtual nodes that a request asks for: one for each share of the
 * plan (auto), or one of equal size for each node of the plan (host). Their
 * sizes add up to the domain's memory; if that is whole MiB, they are too.
 *
 *   host: the host
 *   request: what the user asks for, after xln_vnuma_prepare()
 *   need: what the domain is
 *   plan: the plan
 *   vnuma_r: the virtual nodes; free them with xln_vnuma_free(). NULL: the
 *       request asks for none, or there would be only one
 *
 * Returns 0; -ENOSPC: the plan does not have the memory that they need;
 * -E2BIG: there would be more than XLN_VNUMA_MAX_NODES; -ENOMEM.
 * Since: 0.1
 */
int xln_vnuma_new(const struct xln_host *host,
                  const struct xln_request *request,
                  const struct xln_need *need, const struct xln_plan *plan,
                  struct xln_vnuma **vnuma_r);

/*
 * Free virtual nodes.
 *
 *   vnuma: the virtual nodes, or NULL
 *
 * Since: 0.1
 */
void xln_vnuma_free(struct xln_vnuma *vnuma);

/* ---- affinity: a plan as libxl takes it ---- */

struct xln_affinity;

/*
 * Convert the node affinity and the vCPU affinity of a plan for libxl. If the
 * user gave a hard affinity (need->hard), the result is what both allow, or the
 * user's alone if they have no CPU in common. With XLN_VCPUS_CORE each vCPU's
 * hard affinity is its core, and with XLN_VCPUS_THREAD its thread.
 *
 *   ctx: an open libxl context
 *   plan: the plan
 *   mode: the vcpus_mode of its request
 *   need: the need that it was made for
 *   affinity_r: the affinities; free them with xln_affinity_free()
 *
 * Returns 0; -EINVAL: the hypervisor cannot express the number of a node;
 * -ENOMEM.
 * Since: 0.1
 */
int xln_affinity_new(libxl_ctx *ctx, const struct xln_plan *plan,
                     enum xln_vcpus_mode mode, const struct xln_need *need,
                     struct xln_affinity **affinity_r);

/*
 * Make the affinities of a domain that keeps its memory (a soft reset). libxl
 * then sets none and does not place the domain itself, so that its node
 * affinity, vCPU affinity and virtual nodes stay as they are.
 *
 *   affinity_r: the affinities; free them with xln_affinity_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_affinity_new_kept(struct xln_affinity **affinity_r);

/*
 * Add virtual nodes. Each vCPU with an affinity from the plan then has that of
 * its virtual node.
 *
 *   ctx: an open libxl context
 *   vnuma: the virtual nodes
 *   need: the need that they were made for
 *   affinity: what to add to; after a failure it can only be freed
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_affinity_add_vnuma(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                           const struct xln_need *need,
                           struct xln_affinity *affinity);

/*
 * Follow virtual nodes that the domain has already (a restore). Each vCPU with
 * an affinity from the plan then has that of its virtual node. While they are
 * swapped, the configuration has no virtual nodes of its own.
 *
 *   ctx: an open libxl context
 *   vnuma: the virtual nodes
 *   need: the need that they were made for
 *   affinity: what to change; after a failure it can only be freed
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_affinity_keep_vnuma(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                            const struct xln_need *need,
                            struct xln_affinity *affinity);

/*
 * Exchange the placement in a domain's configuration with another one. A second
 * call restores both. Between the two calls libxl's own placement is off, and
 * `info` must not be disposed of.
 *
 *   affinity: the other placement
 *   info: the configuration
 *
 * Since: 0.1
 */
void xln_affinity_swap(struct xln_affinity *affinity,
                       libxl_domain_build_info *info);

/*
 * Free affinities.
 *
 *   affinity: the affinities, or NULL
 *
 * Since: 0.1
 */
void xln_affinity_free(struct xln_affinity *affinity);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_PLACE_H */
