/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies, requests, and what a domain needs: part of libxl_numa.h. */
#ifndef LIBXL_NUMA_REQUEST_H
#define LIBXL_NUMA_REQUEST_H

#include <libxl_numa/bitmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- policies ---- */

/*
 * A policy chooses among sets of equally few and equally near nodes. first:
 * the lowest numbers. best: the least memory left over. worst: the most memory
 * left over. balanced: as best, but away from crowded CPUs;
 * xl-numa-policy(7) describes the measure.
 */
struct xln_policy;

/*
 * Find a policy by its name, or by its name of 2012: greedy, packed, spread.
 *
 *   name: the name
 *
 * Returns the policy, static; NULL: there is none of this name.
 * Since: 0.1
 */
const struct xln_policy *xln_policy_by_name(const char *name);

/*
 * Get the default policy, balanced.
 *
 * Returns the policy, static.
 * Since: 0.1
 */
const struct xln_policy *xln_policy_default(void);

/*
 * Test whether a policy uses the load of the host's CPUs. If not, a plan does
 * not need xln_load_read().
 *
 *   policy: the policy
 *
 * Returns the answer.
 * Since: 0.1
 */
bool xln_policy_uses_load(const struct xln_policy *policy);

/*
 * Get the name of a policy.
 *
 *   policy: the policy
 *
 * Returns the name, static.
 * Since: 0.1
 */
const char *xln_policy_name(const struct xln_policy *policy);

/*
 * Get the names of all policies, in the order of the documentation.
 *
 * Returns the list, static; NULL ends it.
 * Since: 0.1
 */
const char *const *xln_policy_names(void);

/* ---- requests ---- */

enum xln_mode {
    XLN_MODE_PREFERRED,     /* what does not fit goes to the nearest others */
    XLN_MODE_STRICT,        /* if it does not fit, the create fails */
};

/* What vCPU affinity follows from the nodes. */
enum xln_vcpus_mode {
    XLN_VCPUS_SOFT,         /* the vCPUs prefer the CPUs of the nodes */
    XLN_VCPUS_HARD,         /* the vCPUs run only on the CPUs of the nodes */
    XLN_VCPUS_NONE,         /* none */
    XLN_VCPUS_CORE,         /* each vCPU runs only on a free core of its own */
    /* Each vCPU runs only on a thread of its own, of a free core. As many vCPUs
     * as a core has threads, from vCPU 0 on, are on the threads of one core. */
    XLN_VCPUS_THREAD,
};

/* Which virtual nodes the guest sees. */
enum xln_vnuma_mode {
    XLN_VNUMA_NONE,
    XLN_VNUMA_AUTO,         /* one for each node of the plan */
    XLN_VNUMA_HOST,         /* one for each host node with CPUs and memory */
};

/* How the vCPUs are distributed over n virtual nodes. */
enum xln_vnuma_vcpus {
    XLN_VNUMA_VCPUS_DEFAULT,        /* auto: proportional; host: the next */
    XLN_VNUMA_VCPUS_ROUND_ROBIN,    /* vCPU i to node i mod n */
    XLN_VNUMA_VCPUS_CONTIGUOUS,     /* a contiguous range for each, of equal
                                     * size */
    XLN_VNUMA_VCPUS_SIBLINGS,       /* round robin by cores: 0-1, 2-3, ... */
    XLN_VNUMA_VCPUS_PROPORTIONAL,   /* a contiguous range for each, in
                                     * proportion to the nodes' CPUs, by whole
                                     * cores */
};

/*
 * What the user asks for. Make it with xln_request_new() only. The request owns
 * what its pointers point to, except for the policy: allocate it with malloc()
 * or as the type says, and free what you replace.
 */
struct xln_request {
    bool all_nodes;                 /* every node that has memory */
    struct xln_nodemap *nodes;      /* these; NULL: the policy chooses */
    struct xln_nodemap *mem_nodes;  /* memory from these instead, or NULL */
    /* [XLN_MAX_NODES]: how many percent of the memory come from each node of
     * mem_nodes; NULL: equal parts. */
    uint8_t *mem_percent;
    const struct xln_policy *policy;
    enum xln_mode mode;
    enum xln_vcpus_mode vcpus_mode;
    bool whole_cores;               /* count cores instead of CPUs: as many as
                                     * the domain has vCPUs */
    unsigned max_nodes;             /* 0: no limit */
    /* Names of domains to be together with, or apart from; or NULL. Their
     * nodes are in struct xln_need. */
    char *with, *apart;
    uint64_t dma_reserve_bytes;     /* of the DMA zone, never used */
    enum xln_vnuma_mode vnuma;
    enum xln_vnuma_vcpus vnuma_vcpus;

    uint64_t reserved[16];          /* 0; see libxl_numa.h */
};

#define XLN_DMA_RESERVE_DEFAULT (UINT64_C(64) << 20)    /* bytes */

/*
 * Make a request with the defaults: the policy balanced chooses the nodes,
 * preferred, soft affinity, no virtual nodes.
 *
 *   request_r: the request; free it with xln_request_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_request_new(struct xln_request **request_r);

/*
 * Copy a request and all that it owns.
 *
 *   request: the request
 *   copy_r: the copy; free it with xln_request_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_request_copy(const struct xln_request *request,
                     struct xln_request **copy_r);

/*
 * Free a request and all that it owns.
 *
 *   request: the request, or NULL
 *
 * Since: 0.1
 */
void xln_request_free(struct xln_request *request);

/*
 * What the domain is. Initialise it with `= { 0 }` or with designated
 * initialisers. The pointers are borrowed.
 */
struct xln_need {
    uint64_t memory_bytes;      /* what the domain builder populates */
    uint64_t overhead_bytes;    /* what libxl and Xen allocate in addition */
    unsigned nr_vcpus;          /* at least 1 */
    /* The CPUs of its cpupool; NULL: all. */
    const struct xln_cpumap *pool_cpus;
    /* The user's affinities: hard[i] and soft[i] of vCPU i. A vCPU beyond
     * nr_hard, or with NULL, may run on the whole cpupool. */
    unsigned nr_hard, nr_soft;
    const struct xln_cpumap *const *hard;
    const struct xln_cpumap *const *soft;
    /* Preferences among sets of equally many nodes, in this order: most of its
     * PCI devices; the nodes of the domain to be together with, and not those
     * of the domain to be apart from; near to its devices. NULL: none. */
    const struct xln_nodemap *device_nodes, *with_nodes, *apart_nodes;
    /* How many devices are on each node: [xln_host_nr_nodes()]. NULL: one on
     * each of device_nodes. */
    const unsigned *nr_devices;

    uint64_t reserved[16];      /* 0; see libxl_numa.h */
};

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_REQUEST_H */
