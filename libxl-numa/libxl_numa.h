/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl-numa: NUMA placement for Xen domains.
 *
 *      request            host            plain values, never changed once made
 *            \            /
 *             place --> plan            same input, same plan, always
 *
 * Conventions that hold for every declaration below:
 *
 *  - Sizes are uint64_t bytes. CPU and node numbers are the hypervisor's own,
 *    as `xl info -n` prints them. Distances are ACPI SLIT values (local: 10).
 *  - A function that can fail returns 0 or a negative errno value. What it
 *    hands out goes through a pointer whose name ends in `_r`, written only
 *    on success.
 *  - What `new` or `read` made belongs to the caller, who gives it to the
 *    matching `free`; every `free` takes NULL. A `const` pointer that an
 *    accessor returns is borrowed and lives as long as its object. Arguments
 *    are never adopted.
 *  - Hosts and plans don't change once they are returned, so threads may
 *    share them. Nothing else here may be used by two threads at once.
 *  - The library keeps no state, prints nothing and never exits. Any function
 *    with an `_r` output may fail with -ENOMEM; this is not repeated below.
 */
#ifndef LIBXL_NUMA_H
#define LIBXL_NUMA_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <libxl.h>
#include <xenctrl.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Bounds on what a host may have; a description that says more is refused.
 * Xen 4.17 itself ends at 64 nodes (MAX_NUMNODES).
 */
#define XLN_MAX_NODES 1024
#define XLN_MAX_CPUS 65536

/* "No such number": after the last member of a set, or an unknown node. */
#define XLN_NONE UINT_MAX

/* ------------------------------------------------------------------ */
/* Sets of CPUs and sets of nodes                                      */
/* ------------------------------------------------------------------ */

/*
 * A set of small numbers, 0 to nr_bits - 1. The width is fixed when the set
 * is made, and is at most XLN_MAX_CPUS.
 *
 * struct xln_cpumap and struct xln_nodemap are such sets, of CPUs and of
 * nodes; they have the functions xln_cpumap_VERB and xln_nodemap_VERB, one for
 * each xln_bitmap_VERB, and the compiler keeps the two apart. (Where libxl
 * has one type for both, `cpus="node:1"` loses CPUs from 64 up.)
 */
struct xln_bitmap;
struct xln_cpumap;
struct xln_nodemap;

/*
 * Make an empty set that can hold 0 to `nr_bits` - 1, 1 <= nr_bits.
 * -EINVAL: nr_bits is 0 or above XLN_MAX_CPUS.  Since: 0.1
 */
int xln_bitmap_new(unsigned nr_bits, struct xln_bitmap **set_r);

/* Make a set of the same width with the same members.  Since: 0.1 */
int xln_bitmap_copy(const struct xln_bitmap *set, struct xln_bitmap **copy_r);

/* Since: 0.1 */
void xln_bitmap_free(struct xln_bitmap *set);

/* The width: one more than the largest number it can hold.  Since: 0.1 */
unsigned xln_bitmap_nr_bits(const struct xln_bitmap *set);

/* Whether `bit` is a member; false for what is beyond the width. Since: 0.1 */
bool xln_bitmap_test(const struct xln_bitmap *set, unsigned bit);

/* Add or remove one number. -ERANGE: beyond the width.  Since: 0.1 */
int xln_bitmap_set(struct xln_bitmap *set, unsigned bit);
int xln_bitmap_clear(struct xln_bitmap *set, unsigned bit);

/* Add every number of the width; remove every number.  Since: 0.1 */
void xln_bitmap_fill(struct xln_bitmap *set);
void xln_bitmap_zero(struct xln_bitmap *set);

/*
 * `set` becomes the union with, the intersection with, or the difference from
 * `other`. Members of `other` beyond the width of `set` are not added.
 * Since: 0.1
 */
void xln_bitmap_or(struct xln_bitmap *set, const struct xln_bitmap *other);
void xln_bitmap_and(struct xln_bitmap *set, const struct xln_bitmap *other);
void xln_bitmap_andnot(struct xln_bitmap *set, const struct xln_bitmap *other);

/* These compare members; the widths may differ.  Since: 0.1 */
bool xln_bitmap_equal(const struct xln_bitmap *a, const struct xln_bitmap *b);
bool xln_bitmap_intersects(const struct xln_bitmap *a,
                           const struct xln_bitmap *b);
bool xln_bitmap_is_subset(const struct xln_bitmap *part,
                          const struct xln_bitmap *whole);
bool xln_bitmap_is_empty(const struct xln_bitmap *set);
unsigned xln_bitmap_count(const struct xln_bitmap *set);

/* The smallest member >= from, or XLN_NONE.  Since: 0.1 */
unsigned xln_bitmap_next(const struct xln_bitmap *set, unsigned from);

/*
 * The set as text, in the compact form that every parser here takes back:
 * "0-3,5"; "" for the empty set. *text_r is malloc'd.  Since: 0.1
 */
int xln_bitmap_format(const struct xln_bitmap *set, char **text_r);

/* Generates the typed functions; `part` is the word for one member. */
#define XLN_BITMAP_TYPE(type, part)                                           \
    static inline struct xln_bitmap *xln_##type##_bits(                       \
        const struct xln_##type *set)                                         \
    {                                                                         \
        return (struct xln_bitmap *)(uintptr_t)set;                           \
    }                                                                         \
    static inline int xln_##type##_new(unsigned nr_##part##s,                 \
                                       struct xln_##type **set_r)             \
    {                                                                         \
        struct xln_bitmap *set;                                               \
        int rc = xln_bitmap_new(nr_##part##s, &set);                          \
        if (!rc)                                                              \
            *set_r = (struct xln_##type *)set;                                \
        return rc;                                                            \
    }                                                                         \
    static inline int xln_##type##_copy(const struct xln_##type *set,         \
                                        struct xln_##type **copy_r)           \
    {                                                                         \
        struct xln_bitmap *copy;                                              \
        int rc = xln_bitmap_copy(xln_##type##_bits(set), &copy);              \
        if (!rc)                                                              \
            *copy_r = (struct xln_##type *)copy;                              \
        return rc;                                                            \
    }                                                                         \
    static inline void xln_##type##_free(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_free(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline unsigned xln_##type##_nr_bits(const struct xln_##type *set) \
    {                                                                         \
        return xln_bitmap_nr_bits(xln_##type##_bits(set));                    \
    }                                                                         \
    static inline bool xln_##type##_test(const struct xln_##type *set,        \
                                         unsigned part)                       \
    {                                                                         \
        return xln_bitmap_test(xln_##type##_bits(set), part);                 \
    }                                                                         \
    static inline int xln_##type##_set(struct xln_##type *set, unsigned part) \
    {                                                                         \
        return xln_bitmap_set(xln_##type##_bits(set), part);                  \
    }                                                                         \
    static inline int xln_##type##_clear(struct xln_##type *set,              \
                                         unsigned part)                       \
    {                                                                         \
        return xln_bitmap_clear(xln_##type##_bits(set), part);                \
    }                                                                         \
    static inline void xln_##type##_fill(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_fill(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline void xln_##type##_zero(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_zero(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline void xln_##type##_or(struct xln_##type *set,                \
                                       const struct xln_##type *other)        \
    {                                                                         \
        xln_bitmap_or(xln_##type##_bits(set), xln_##type##_bits(other));      \
    }                                                                         \
    static inline void xln_##type##_and(struct xln_##type *set,               \
                                        const struct xln_##type *other)       \
    {                                                                         \
        xln_bitmap_and(xln_##type##_bits(set), xln_##type##_bits(other));     \
    }                                                                         \
    static inline void xln_##type##_andnot(struct xln_##type *set,            \
                                           const struct xln_##type *other)    \
    {                                                                         \
        xln_bitmap_andnot(xln_##type##_bits(set), xln_##type##_bits(other));  \
    }                                                                         \
    static inline bool xln_##type##_equal(const struct xln_##type *a,         \
                                          const struct xln_##type *b)         \
    {                                                                         \
        return xln_bitmap_equal(xln_##type##_bits(a), xln_##type##_bits(b));  \
    }                                                                         \
    static inline bool xln_##type##_intersects(const struct xln_##type *a,    \
                                               const struct xln_##type *b)    \
    {                                                                         \
        return xln_bitmap_intersects(xln_##type##_bits(a),                    \
                                     xln_##type##_bits(b));                   \
    }                                                                         \
    static inline bool xln_##type##_is_subset(                                \
        const struct xln_##type *inner, const struct xln_##type *outer)       \
    {                                                                         \
        return xln_bitmap_is_subset(xln_##type##_bits(inner),                 \
                                    xln_##type##_bits(outer));                \
    }                                                                         \
    static inline bool xln_##type##_is_empty(const struct xln_##type *set)    \
    {                                                                         \
        return xln_bitmap_is_empty(xln_##type##_bits(set));                   \
    }                                                                         \
    static inline unsigned xln_##type##_count(const struct xln_##type *set)   \
    {                                                                         \
        return xln_bitmap_count(xln_##type##_bits(set));                      \
    }                                                                         \
    static inline unsigned xln_##type##_next(const struct xln_##type *set,    \
                                             unsigned from)                   \
    {                                                                         \
        return xln_bitmap_next(xln_##type##_bits(set), from);                 \
    }                                                                         \
    static inline int xln_##type##_format(const struct xln_##type *set,       \
                                          char **text_r)                      \
    {                                                                         \
        return xln_bitmap_format(xln_##type##_bits(set), text_r);             \
    }

XLN_BITMAP_TYPE(cpumap, cpu)
XLN_BITMAP_TYPE(nodemap, node)

/*
 * Walk a set upwards; `set` is evaluated at every step:
 *     XLN_FOREACH(xln_nodemap, node, nodes)
 *         printf("%u\n", node);
 */
#define XLN_FOREACH(type, member, set)                               \
    for ((member) = type##_next(set, 0); (member) != XLN_NONE;       \
         (member) = type##_next(set, (member) + 1))

/*
 * Where `node:` in a CPULIST finds CPUs: cpus[node] is the set of node's CPUs,
 * NULL where there is no such node.
 */
struct xln_node_cpus {
    unsigned nr_nodes;
    const struct xln_cpumap *const *cpus;
};

/* Numbers that the host does not have are skipped, as xl's own parser does,
 * instead of being -ERANGE. */
#define XLN_PARSE_SKIP_ABSENT 1u

/*
 * Read a set from text: xl's CPULIST grammar, applied from left to right onto
 * the empty set.
 *
 *     list  = [ elem ] { "," [ elem ] }
 *     elem  = [ "^" ] [ "node:" | "nodes:" ] ( "all" | number [ "-" number ] )
 *
 * "^" removes. "node:" (CPULISTs only, and only where `node_cpus` is not
 * NULL) stands for the CPUs of these nodes; it binds to its own element:
 * "node:0,1" is node 0's CPUs and CPU 1. Numbers are decimal; blanks, a "+"
 * and zeros may stand before one. A sign "-", a number that does not fit 31
 * bits, a range that goes down and "^all" are errors. The empty text is the
 * empty set. "all", also as "node:all", is the whole width of the set.
 *
 * `set` gives the width and receives the result; on failure its members are
 * undefined. `flags`: 0 or XLN_PARSE_SKIP_ABSENT. `end_r` (may be NULL) is
 * written on failure too: the offset in `text` of what was wrong; on success
 * the length of the text.
 *
 * -EINVAL: not of this grammar, or other flags. -ERANGE: a number beyond the
 * width of the set, a node that is not in `node_cpus`, or one with CPUs beyond
 * the width of the set.  Since: 0.1
 */
int xln_cpumap_parse(const char *text, const struct xln_node_cpus *node_cpus,
                     unsigned flags, struct xln_cpumap *set, size_t *end_r);
int xln_nodemap_parse(const char *text, unsigned flags,
                      struct xln_nodemap *set, size_t *end_r);

/* ------------------------------------------------------------------ */
/* Hosts                                                               */
/* ------------------------------------------------------------------ */

struct xln_host;
struct xln_domains;
struct xln_reservations;

struct xln_host_cpu {
    bool online;        /* present and usable by the scheduler */
    unsigned node;      /* XLN_NONE: unknown */
    unsigned socket;
    unsigned core;      /* within its socket */
    uint64_t load;      /* vCPUs that keep to it, in parts of XLN_LOAD_ONE */
    bool taken;         /* with its core, see xln_cores_of_domains() */
};

struct xln_host_node {
    uint64_t total_bytes;
    uint64_t free_bytes;        /* includes the two below */
    uint64_t dma_bytes;         /* free, but in the DMA zone */
    uint64_t reserved_bytes;    /* free, but promised to creates in flight, or
                                 * to domains that balloon up */
    const struct xln_cpumap *cpus;      /* online CPUs; may be empty */
};

struct xln_host_pool {
    unsigned id;
    const struct xln_cpumap *cpus;
};

/* One more than the largest CPU, or node, number.  Since: 0.1 */
unsigned xln_host_nr_cpus(const struct xln_host *host);
unsigned xln_host_nr_nodes(const struct xln_host *host);

/* Borrowed; NULL: the host has none of this number.  Since: 0.1 */
const struct xln_host_cpu *xln_host_cpu(const struct xln_host *host,
                                        unsigned cpu);
const struct xln_host_node *xln_host_node(const struct xln_host *host,
                                          unsigned node);
const struct xln_host_pool *xln_host_pool(const struct xln_host *host,
                                          unsigned pool);

/* The nodes that the host has, borrowed.  Since: 0.1 */
const struct xln_nodemap *xln_host_nodes(const struct xln_host *host);

/* For xln_cpumap_parse(); lives as long as the host.  Since: 0.1 */
const struct xln_node_cpus *xln_host_node_cpus(const struct xln_host *host);

/*
 * SLIT distance; it may differ in the two directions. XLN_NONE: one of the
 * nodes does not exist, or the firmware says that it can't be reached.
 * Since: 0.1
 */
unsigned xln_host_distance(const struct xln_host *host, unsigned from,
                           unsigned to);

/*
 * The nodes with at least one of `cpus`, as a set of the host's width.
 * Since: 0.1
 */
int xln_host_nodes_of_cpus(const struct xln_host *host,
                           const struct xln_cpumap *cpus,
                           struct xln_nodemap **nodes_r);

/* The online CPUs of `nodes`, as a set of the host's width.  Since: 0.1 */
int xln_host_cpus_of_nodes(const struct xln_host *host,
                           const struct xln_nodemap *nodes,
                           struct xln_cpumap **cpus_r);

/* Since: 0.1 */
void xln_host_free(struct xln_host *host);

/*
 * One node as the hypervisor reports it. The 2012 call of this name, in the
 * shape that libxl later took over.
 */
struct xln_numainfo {
    bool online;                /* the rest is 0 where it is not */
    uint64_t size_bytes;        /* spanned: a memory hole counts */
    uint64_t free_bytes;
    unsigned *distances;        /* to node 0 ... nr - 1, XLN_NONE: unknown */
};

/*
 * What the hypervisor knows of its nodes, from xc_numainfo() and
 * xc_physinfo(). info_r[0] to info_r[*nr_r - 1]; a number in between that is
 * not in use has online = false. Free it with xln_numainfo_free().
 * -errno of the hypercall; -EPROTO: more than XLN_MAX_NODES.  Since: 0.1
 */
int xln_get_numainfo(xc_interface *xch, struct xln_numainfo **info_r,
                     unsigned *nr_r);
void xln_numainfo_free(struct xln_numainfo *info);

/*
 * The running host. `reserved_bytes` (NULL: nothing) has XLN_MAX_NODES
 * entries: what is promised on each node, see xln_reservations_outstanding().
 * -errno of the hypercall that failed (-EACCES or -EPERM: not root).
 * Since: 0.1
 */
int xln_host_read(xc_interface *xch, const uint64_t *reserved_bytes,
                  struct xln_host **host_r);

/* ------------------------------------------------------------------ */
/* Load: which CPUs the vCPUs keep to                                  */
/* ------------------------------------------------------------------ */

/* A vCPU, where parts of one are counted. */
#define XLN_LOAD_ONE (UINT64_C(1) << 32)

/*
 * Load is counted for each CPU, in an array of xln_host_nr_cpus() entries. A
 * vCPU counts in equal parts on the CPUs that it prefers among those where it
 * may run (soft affinity; hard affinity and pool), or on all of the latter if
 * it prefers none. One that so keeps to nothing less than its pool, as those
 * of an unpinned Domain-0, counts nowhere: the scheduler takes it to where
 * there is room. All vCPUs of a domain count, whether they run or not, and
 * those of a domain that is dying do not.
 */

/* Add `nr_vcpus` that keep to `cpus`; load[nr_cpus].  Since: 0.1 */
void xln_load_add(const struct xln_cpumap *cpus, unsigned nr_vcpus,
                  unsigned nr_cpus, uint64_t *load);

/* Add that of domains that were read.  Since: 0.1 */
int xln_load_of_domains(const struct xln_domains *domains,
                        const struct xln_host *host, uint64_t *load);

/*
 * Add that of the running domains: a hypercall for each 256 domains and one
 * for each vCPU. A create in flight counts by its record, if the outstanding
 * ones of `held` were added up before (NULL: none): its vCPUs get their
 * affinity only after the lock was released. The cores that they hold are
 * added to `taken` (NULL: not asked for), as by xln_cores_of_domains(): what a
 * vCPU may run on is had with what it prefers. A domain with the uuid `self`
 * (NULL: none) holds none: it is the one that is placed, as it was before it
 * reboots or moves. -errno of the hypercall.  Since: 0.1
 */
int xln_load_read(xc_interface *xch, const struct xln_reservations *held,
                  const struct xln_host *host, uint64_t *load,
                  struct xln_cpumap *taken, const uint8_t *self);

/* A copy of the host with this load beside what it has.  Since: 0.1 */
int xln_host_add_load(const struct xln_host *host, const uint64_t *load,
                      struct xln_host **host_r);

/*
 * A core is taken if a vCPU can run nowhere else: if that one's hard affinity,
 * within its pool, has CPUs of this core alone. Who may run on several cores
 * holds none of them. Those of a domain that is dying hold none either.
 *
 * Add the CPUs of the cores that are taken, siblings included, to a set as
 * wide as the host has CPUs.  Since: 0.1
 */
int xln_cores_of_domains(const struct xln_domains *domains,
                         const struct xln_host *host,
                         struct xln_cpumap *taken);

/* A copy of the host with these CPUs taken as well.  Since: 0.1 */
int xln_host_take_cores(const struct xln_host *host,
                        const struct xln_cpumap *taken,
                        struct xln_host **host_r);

/* ------------------------------------------------------------------ */
/* Requests                                                            */
/* ------------------------------------------------------------------ */

/*
 * How `auto` chooses among the node sets that are equally few and equally
 * near: a name and an order. first: lowest numbers. best: least memory left
 * over. worst: most memory left over. balanced: as best, but away from where
 * vCPUs crowd; see policy.c for the measure.
 */
struct xln_policy;

/* By name or by its name of 2012 (greedy, packed, spread); NULL: none such.
 * Since: 0.1 */
const struct xln_policy *xln_policy_by_name(const char *name);

/* The one that a request has from the start: balanced.  Since: 0.1 */
const struct xln_policy *xln_policy_default(void);

/* Whether it looks at the load of the host's CPUs.  Since: 0.1 */
bool xln_policy_uses_load(const struct xln_policy *policy);

/* Its name; static.  Since: 0.1 */
const char *xln_policy_name(const struct xln_policy *policy);

/* All names, in the order they are documented; NULL ends it.  Since: 0.1 */
const char *const *xln_policy_names(void);

enum xln_mode {
    XLN_MODE_PREFERRED,     /* what does not fit goes to the nearest others */
    XLN_MODE_STRICT,        /* what does not fit makes the create fail */
};

enum xln_vcpus_mode {
    XLN_VCPUS_SOFT,         /* the vCPUs prefer the CPUs of the nodes */
    XLN_VCPUS_HARD,         /* the vCPUs run nowhere else */
    XLN_VCPUS_NONE,         /* their affinity is left alone */
    XLN_VCPUS_CORE,         /* each runs on a free core of its own alone */
};

/* Whether the guest is told of the nodes. */
enum xln_vnuma_mode {
    XLN_VNUMA_NONE,
    XLN_VNUMA_AUTO,         /* a virtual node for each node of the plan */
    XLN_VNUMA_HOST,         /* one for each node with CPUs and memory */
};

/* How virtual nodes are dealt their vCPUs, of which there are n. */
enum xln_vnuma_vcpus {
    XLN_VNUMA_VCPUS_DEFAULT,        /* auto: proportional; host: the next */
    XLN_VNUMA_VCPUS_ROUND_ROBIN,    /* vCPU i to node i mod n */
    XLN_VNUMA_VCPUS_CONTIGUOUS,     /* a row of vCPUs each, as many for each */
    XLN_VNUMA_VCPUS_SIBLINGS,       /* round robin by cores: 0-1, 2-3, ... */
    XLN_VNUMA_VCPUS_PROPORTIONAL,   /* a row each, as the nodes have CPUs, by
                                     * whole cores */
};

/* What a user asks for; it names no property of any host but node numbers. */
struct xln_request {
    bool all_nodes;                 /* every node that has memory */
    struct xln_nodemap *nodes;      /* these; NULL: the policy chooses */
    struct xln_nodemap *mem_nodes;  /* memory from these instead, or NULL */
    /* [XLN_MAX_NODES]: how much of it from each; NULL: from each as much. */
    uint8_t *mem_percent;
    const struct xln_policy *policy;
    enum xln_mode mode;
    enum xln_vcpus_mode vcpus_mode;
    bool whole_cores;               /* a core is one CPU, whatever threads it
                                     * has, where vCPUs are to have enough */
    unsigned max_nodes;             /* 0: no bound */
    /* Names of domains to be together with, or apart from; or NULL. Their
     * nodes are in struct xln_need. */
    char *with, *apart;
    uint64_t dma_reserve_bytes;     /* of the DMA zone, never planned with */
    enum xln_vnuma_mode vnuma;
    enum xln_vnuma_vcpus vnuma_vcpus;
};

#define XLN_DMA_RESERVE_DEFAULT (UINT64_C(64) << 20)

/* The defaults: auto, balanced, preferred, soft.  Since: 0.1 */
int xln_request_new(struct xln_request **request_r);
int xln_request_copy(const struct xln_request *request,
                     struct xln_request **copy_r);
void xln_request_free(struct xln_request *request);

/* What the domain is. The masks are borrowed. */
struct xln_need {
    uint64_t memory_bytes;      /* what the domain builder populates */
    uint64_t overhead_bytes;    /* what libxl and Xen allocate beside it */
    unsigned nr_vcpus;
    /* The CPUs of its cpupool; NULL: all. */
    const struct xln_cpumap *pool_cpus;
    /* The user's affinities: hard[i] of vCPU i. vCPUs without one may run on
     * the whole pool. */
    unsigned nr_hard, nr_soft;
    const struct xln_cpumap *const *hard;
    const struct xln_cpumap *const *soft;
    /* What is preferred among sets of equally many nodes, in this order: most
     * of its PCI devices; nodes of the domain that it is to be with, and not
     * those of the one that it is to be apart from; near to its devices. NULL:
     * it has none of these. */
    const struct xln_nodemap *device_nodes, *with_nodes, *apart_nodes;
    /* How many devices are on each node: [xln_host_nr_nodes()]. NULL: one on
     * each of device_nodes. */
    const unsigned *nr_devices;
};

/* ------------------------------------------------------------------ */
/* Plans                                                               */
/* ------------------------------------------------------------------ */

enum xln_verdict {
    XLN_FITS,
    XLN_FITS_RELAXED,       /* see xln_plan.relaxed */
    XLN_NOTHING_FITS,       /* memory, or cores: no plan within the request */
};

/* What had to be given up, in this order. */
#define XLN_RELAXED_DMA 1u      /* the DMA zone is used, unasked */
#define XLN_RELAXED_CPUS 2u     /* fewer pCPUs than vCPUs on the nodes */
#define XLN_RELAXED_MEMORY 4u   /* memory from other nodes than asked for */

/* A set of nodes and the figures by which sets are compared. */
struct xln_candidate {
    struct xln_nodemap *nodes;
    uint64_t usable_bytes;      /* what can be planned with, together */
    unsigned nr_cpus;           /* that the domain may use; cores, if the
                                 * request is for whole_cores */
    uint64_t load;              /* of these, without the domain's own */
    uint64_t crowding;          /* load for each such CPU of the most crowded
                                 * node; 0 if there is none */
    uint64_t cost;              /* by what the need prefers: less is better */
    unsigned distance_max;      /* between two of them; XLN_NONE: unreachable.
                                 * 0 for one node */
    uint64_t distance_sum;      /* over all ordered pairs; of the two
                                 * directions the larger counts for both */
};

/* What no set can beat that fits. */
struct xln_bound {
    unsigned nr_nodes;          /* none of fewer nodes fits */
    /* Of so many, none is nearer; 0: that is not known. */
    unsigned distance_max;
    uint64_t distance_sum;
};

struct xln_share {
    unsigned node;
    uint64_t bytes;
};

struct xln_plan {
    enum xln_verdict verdict;
    unsigned relaxed;           /* XLN_RELAXED_*; for XLN_FITS at most _DMA,
                                 * which breaks no promise */
    uint64_t need_bytes;        /* memory and overhead */
    bool named;                 /* the user named the nodes */

    /* Memory: the domain's node affinity, and what comes from each node, in
     * the order that they are filled. The shares add up to need_bytes (less
     * if the host has not that much); those after the first nr_own are
     * outside `nodes`, nearest first. */
    struct xln_nodemap *nodes;
    struct xln_share *shares;
    unsigned nr_shares, nr_own;

    /* Where to go when a node has less than it promised: all other nodes with
     * memory, nearest first. */
    unsigned *nearest;
    unsigned nr_nearest;

    /* vCPUs: where they may run by the pool and the user's hard affinities,
     * and the CPUs to prefer or be bound to, within the pool. These are empty
     * where the user's affinities stand alone. */
    struct xln_cpumap *allowed_cpus;
    struct xln_nodemap *vcpu_nodes;
    struct xln_cpumap *vcpu_cpus;

    /* XLN_VCPUS_CORE: for each vCPU the CPUs of its core that it may run on;
     * vcpu_cpus has them all. allowed_cpus are free ones. If the cores do not
     * suffice (lacks_cores) there are none, the verdict is XLN_NOTHING_FITS,
     * and vcpu_nodes are those where nr_free_cores were found. */
    unsigned nr_vcpu_cores;         /* 0, or all vCPUs */
    struct xln_cpumap **vcpu_cores;
    bool lacks_cores;
    unsigned nr_free_cores;

    /* Why: how many sets of this many nodes fit, the one that was chosen, and
     * the next best one (next.nodes NULL: there is none). Zero where the user
     * named the nodes. Sets that could be neither were not all looked at: if
     * some that fit may be among them, not all are counted. With more than 16
     * candidates `next` is the next best of those that were looked at. */
    unsigned nr_fitting;
    bool counted_all;
    struct xln_candidate chosen, next;

    /* Whether there is no better set: this is proven, always with up to 24
     * candidates, and see xln_place(). If not, `bound` says what could be;
     * else it is the chosen set's. Nodes that the user named are exact. */
    bool exact;
    struct xln_bound bound;
};

/*
 * Decide where a domain goes. In this order: the constraints (enough usable
 * memory; as many pCPUs, or cores, as vCPUs, where the host has them; a CPU for
 * every vCPU's hard affinity), fewest nodes, what the need prefers, least distance
 * between them (largest, then mean), the policy, lowest numbers.
 *
 * The search is exact with up to 24 candidates, whatever the distances are;
 * beyond, if the distances form a hierarchy (of any three nodes, the two
 * largest distances are equal), or if few steps are enough. Else it ends after
 * a fixed number of steps (some tens of ms), and the best set found so far
 * stands, the same one each time: see xln_plan.exact. Of a hierarchy too
 * there are such hosts: best fit of many among more than about 24 nodes that
 * are all equally far apart, where many sums of memory are nearly right.
 *
 * -EINVAL: a named node is not on this host, a set of named nodes is empty,
 * or need->nr_vcpus is 0.
 * Since: 0.1
 */
int xln_place(const struct xln_host *host, const struct xln_request *request,
              const struct xln_need *need, struct xln_plan **plan_r);

/* Since: 0.1 */
void xln_plan_free(struct xln_plan *plan);

/*
 * Bytes of `node` that can be planned with: free, less what is reserved, less
 * the DMA zone. `with_dma`: of that zone only `dma_reserve_bytes` stay out.
 * Since: 0.1
 */
uint64_t xln_host_node_usable(const struct xln_host_node *node, bool with_dma,
                              uint64_t dma_reserve_bytes);

/* Add the load of a domain that is planned, to load[xln_host_nr_cpus()].
 * Since: 0.1 */
int xln_load_of_plan(const struct xln_plan *plan, const struct xln_need *need,
                     const struct xln_host *host, uint64_t *load);

/* Add the cores that a domain will hold by its plan and its own affinities, see
 * xln_cores_of_domains(); `mode` is that of its request.  Since: 0.1 */
int xln_cores_of_plan(const struct xln_plan *plan, enum xln_vcpus_mode mode,
                      const struct xln_need *need,
                      const struct xln_host *host, struct xln_cpumap *taken);

/*
 * A copy of the host on which these shares are promised too: what the next
 * plan is made for, where several domains are planned together.
 * -EINVAL: a share is on a node that the host has not got.  Since: 0.1
 */
int xln_host_reserve(const struct xln_host *host,
                     const struct xln_share *shares, unsigned nr_shares,
                     struct xln_host **host_r);

/* ------------------------------------------------------------------ */
/* Virtual nodes                                                        */
/* ------------------------------------------------------------------ */

/* Xen keeps a table of their distances in one page. */
#define XLN_VNUMA_MAX_NODES 32

struct xln_vnode {
    unsigned node;              /* that its memory is from */
    uint64_t bytes;
    struct xln_cpumap *vcpus;   /* as wide as the domain has vCPUs */
    /* The CPUs for these to prefer, or be bound to; empty where the user's
     * affinities stand alone. */
    struct xln_cpumap *cpus;
    unsigned *distances;        /* to each of them: itself 10, others more */
};

struct xln_vnuma {
    unsigned nr;                /* at least 2 */
    struct xln_vnode *list;
};

/*
 * For a copy of the host's topology: make `request` one for the nodes that
 * have CPUs for the domain and memory (of those it names, if any), with the
 * vCPUs bound to them, unless their affinity is to be left alone. To be called before xln_place(); leaves any other request as it is.
 * -ENOENT: there is no such node.  Since: 0.1
 */
int xln_vnuma_prepare(const struct xln_host *host, const struct xln_need *need,
                      struct xln_request *request);

/*
 * The virtual nodes that `request` asks for and the guest of this plan gets:
 * one for each share, or for each node of the plan as many bytes (host); their
 * sizes are whole MiB if the memory is, and add up to it. NULL in *vnuma_r: none
 * are asked for, or there would be but one.
 * -ENOSPC: the plan has not the memory that they need; -E2BIG: there would be
 * more than XLN_VNUMA_MAX_NODES.  Since: 0.1
 */
int xln_vnuma_new(const struct xln_host *host,
                  const struct xln_request *request,
                  const struct xln_need *need, const struct xln_plan *plan,
                  struct xln_vnuma **vnuma_r);

/* Since: 0.1 */
void xln_vnuma_free(struct xln_vnuma *vnuma);

/* ------------------------------------------------------------------ */
/* Candidates: what a plan was chosen from                              */
/* ------------------------------------------------------------------ */

/* What became of a set of nodes. Those from _MEMORY on do not fit. */
enum xln_candidate_verdict {
    XLN_CANDIDATE_CHOSEN,
    XLN_CANDIDATE_NUMBERS,      /* as good; the chosen has lower numbers */
    XLN_CANDIDATE_POLICY,       /* as few, as near; by the policy */
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
    /* The chosen one; then those that fit, the best first by the order of
     * xln_place(); then those that don't, in that order too. */
    unsigned nr;
    struct xln_judged {
        struct xln_candidate set;
        enum xln_candidate_verdict verdict;
    } *list;
    uint64_t nr_others[XLN_NR_CANDIDATE_VERDICTS];  /* not in the list */
    /* Sets of more nodes than these were not looked at: there are too many.
     * 0: all were that may be chosen. */
    unsigned max_nodes_seen;
    /* Nodes that are in no set: without memory; with memory, but without a
     * CPU that the domain may use, or not among those that are named. */
    struct xln_nodemap *without_memory, *left_out;
};

/*
 * The sets that xln_place() chooses from with the same arguments, judged by
 * what it had to give up: where CPUs were, they are not asked for. Where the
 * nodes are named there is one set. `max_nr`: how many to list; 0: all.
 * Up to 2^16 sets are looked at, which is all with up to 16 nodes; of more
 * nodes the small ones. Errors as of xln_place().  Since: 0.1
 */
int xln_candidates_find(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need, unsigned max_nr,
                        struct xln_candidates **candidates_r);

/* Since: 0.1 */
void xln_candidates_free(struct xln_candidates *candidates);

/* ------------------------------------------------------------------ */
/* Affinity: a plan as libxl and the hypervisor take it                 */
/* ------------------------------------------------------------------ */

struct xln_affinity;

/*
 * The plan's node affinity and vCPU affinity, ready for libxl. `mode` says
 * which of the two vCPU affinities is meant. Where the user gave a hard
 * affinity (need->hard) a hard one is what both allow, or the user's alone if
 * they have nothing in common. XLN_VCPUS_CORE: each vCPU's hard affinity is its
 * core.
 * -EINVAL: a node is beyond what the hypervisor can name.  Since: 0.1
 */
int xln_affinity_new(libxl_ctx *ctx, const struct xln_plan *plan,
                     enum xln_vcpus_mode mode, const struct xln_need *need,
                     struct xln_affinity **affinity_r);

/*
 * Of a domain that keeps its memory (a soft reset): nothing for libxl to set,
 * and no placement of its own, so that the hypervisor's node affinity, vCPU
 * affinity and virtual nodes stay what they are.  Since: 0.1
 */
int xln_affinity_new_kept(struct xln_affinity **affinity_r);

/*
 * Add virtual nodes to what is exchanged. Each vCPU that has an affinity from
 * the plan has that of its virtual node from then on. On failure `affinity`
 * can only be freed.  Since: 0.1
 */
int xln_affinity_add_vnuma(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                           const struct xln_need *need,
                           struct xln_affinity *affinity);

/*
 * Exchange what is in `info` with what is in `affinity`; the same call again
 * restores both. libxl's own placement is off in between. `info` must
 * not be disposed of while the two are exchanged.  Since: 0.1
 */
void xln_affinity_swap(struct xln_affinity *affinity,
                       libxl_domain_build_info *info);

/* Since: 0.1 */
void xln_affinity_free(struct xln_affinity *affinity);

/* ------------------------------------------------------------------ */
/* Domains that run                                                     */
/* ------------------------------------------------------------------ */

struct xln_vcpu {
    bool exists;                /* the rest is 0 where it does not */
    bool online, blocked, running;
    unsigned cpu;               /* it runs there, or ran there last */
    uint64_t time_ns;           /* that it has run */
    struct xln_cpumap *hard, *soft;
};

/* A domain that is dying has neither nodes nor vcpus. */
struct xln_domain {
    uint32_t domid;
    uint8_t uuid[16];
    bool dying, is_pv;
    uint32_t pool_id;
    uint64_t memory_bytes;      /* that it has */
    uint64_t claimed_bytes;       /* claimed for it, not allocated yet */
    struct xln_nodemap *nodes;  /* its node affinity */
    unsigned nr_vcpus;
    struct xln_vcpu *vcpus;     /* by number */
};

struct xln_domains {
    unsigned nr;
    struct xln_domain *list;    /* by domid, ascending */
};

/*
 * Read all domains, or only `domid` if that is not XLN_NONE. A domain that goes
 * away meanwhile is left out. -ESRCH: no such domain; -errno of the hypercall.
 * Since: 0.1
 */
int xln_domains_read(xc_interface *xch, uint32_t domid,
                     struct xln_domains **domains_r);

/*
 * Whether a domain still exists and is not being destroyed. Call it after
 * something of the domain was found missing: a domain that goes away loses its
 * name and its records first. True if the hypervisor does not answer.
 * Since: 0.1
 */
bool xln_domain_lives(xc_interface *xch, uint32_t domid);

/* Since: 0.1 */
void xln_domains_free(struct xln_domains *domains);

/*
 * The CPUs that any vCPU of a domain may run on: its hard affinity within
 * its pool; `soft`: that it prefers there, if it prefers any. Since: 0.1
 */
int xln_domain_cpus(const struct xln_domain *domain,
                    const struct xln_cpumap *pool_cpus, bool soft,
                    struct xln_cpumap **cpus_r);

/*
 * Set the hard and the soft affinity of one vCPU; NULL leaves one as it is.
 * `force` also ends a temporary pinning that the hypervisor is stuck with.
 * -EINVAL: no such vCPU, or no CPU of `hard` is in the domain's pool; -EBUSY:
 * the vCPU is pinned temporarily; -ESRCH: the domain is gone; other -errno of
 * the hypercall. Nothing is changed then.  Since: 0.1
 */
int xln_vcpu_pin(xc_interface *xch, uint32_t domid, unsigned vcpu,
                 const struct xln_cpumap *hard, const struct xln_cpumap *soft,
                 bool force);

/*
 * Set the node affinity of a domain, which steers what it is given from now
 * on; NULL: to where its vCPUs may run, and Xen keeps it up to date.
 * -EINVAL: not one of the nodes is on this host, or the hypervisor can't name
 * one of them; -ESRCH: the domain is gone; other -errno of the hypercall.
 * Since: 0.1
 */
int xln_domain_set_nodes(xc_interface *xch, uint32_t domid,
                         const struct xln_nodemap *nodes);

/* ------------------------------------------------------------------ */
/* Snapshots: a host and what is on it, at one moment                   */
/* ------------------------------------------------------------------ */

struct xln_pci_device {
    uint16_t segment;
    uint8_t bus, device, function;
    unsigned node;              /* XLN_NONE: the firmware does not say */
};

/* What is known of a domain beside struct xln_domain. */
struct xln_snapshot_domain {
    char *name;                 /* NULL: it has none */
    /* The keys of its request and their texts, "nodes" and "0-1", one after
     * the other; NULL ends it, and NULL: it carries none. They are as they
     * came from outside. */
    char **request;
};

struct xln_snapshot {
    char *xen;                  /* its release, "4.17"; NULL: not known */
    struct xln_host *host;
    bool devices_known;         /* false: there may be some, but none here */
    unsigned nr_devices;
    struct xln_pci_device *devices;
    struct xln_domains *domains;    /* NULL: not known */
    struct xln_snapshot_domain *more;   /* [domains->nr], in their order */
};

/*
 * The running host, what creates in flight have promised included, and what
 * domains are still to balloon up to. Creates in flight are those in
 * `reservations` (see xln_reservation_list_read()). -errno of whatever could
 * not be read.  Since: 0.1
 */
int xln_snapshot_read(xc_interface *xch, libxl_ctx *ctx,
                      const char *reservations,
                      struct xln_snapshot **snapshot_r);

/*
 * From and to the form of xl-numa-snapshot(5). Reading: `source` is what the
 * file is called in messages; -EINVAL with a malloc'd line in *error_r that
 * names source, line, the path of the key and what was expected; -EFBIG, also
 * with a line: it is larger than any host; -errno of read(). Writing: -errno
 * of the stream.  Since: 0.1
 */
int xln_snapshot_load(FILE *f, const char *source,
                      struct xln_snapshot **snapshot_r, char **error_r);
int xln_snapshot_save(const struct xln_snapshot *snapshot, FILE *f);

/* Since: 0.1 */
void xln_snapshot_free(struct xln_snapshot *snapshot);

/* ------------------------------------------------------------------ */
/* Residency: which node holds how many pages of which domain          */
/* ------------------------------------------------------------------ */

struct xln_residency {
    bool complete;              /* false: the console ring cut it short */
    unsigned nr_nodes;
    unsigned nr_domains;
    struct xln_residency_domain {
        uint32_t domid;
        uint64_t total_pages;
        const uint64_t *pages;  /* [nr_nodes] */
    } *domains;                 /* by domid, ascending */
};

/*
 * Read the last report of debug key 'u' that is in `text`, `size` bytes of
 * hypervisor console, in Xen 4.17's wording or that of 4.18 and later. A
 * domain whose lines don't add up to its total was cut and is left out.
 * -ENOENT: no report in it.  Since: 0.1
 */
int xln_residency_parse(const char *text, size_t size,
                        struct xln_residency **residency_r);

/*
 * Ask the hypervisor for a report and read it. Xen walks every page of
 * every domain under a lock for it, and prints it to its console ring.
 * -errno of the hypercall; -ENOENT: the ring did not keep it.  Since: 0.1
 */
int xln_residency_read(xc_interface *xch, struct xln_residency **residency_r);

/*
 * Whether asking is no burden on this host: not more than 64 GiB are in use,
 * which Xen walks in less than a second.  Since: 0.1
 */
bool xln_residency_is_cheap(const struct xln_host *host);

/* NULL: the domain is not in it. Borrowed.  Since: 0.1 */
const struct xln_residency_domain *xln_residency_domain(
    const struct xln_residency *residency, uint32_t domid);

/*
 * The bytes that the console ring has to hold for a report on this host with
 * these domains, with room to spare but for the lines about virtual nodes. Xen
 * rounds conring_size= up to a power of two.  Since: 0.1
 */
uint64_t xln_residency_ring_bytes(const struct xln_host *host,
                                  const struct xln_domains *domains);

/* Since: 0.1 */
void xln_residency_free(struct xln_residency *residency);

/* ------------------------------------------------------------------ */
/* Reservations: what creates in flight have promised to use            */
/* ------------------------------------------------------------------ */

/*
 * A directory holds a lock and one record for each create in flight: the
 * domain, its creator, and its shares. While the lock is held a creator reads
 * what is outstanding, reads the host, plans and adds its own record; then it
 * builds beside the others. What of a record is still outstanding follows
 * from the domain's pages; a record counts no more once its domain is gone or
 * its creator is dead. That of a dead creator stays while the domain does.
 */
struct xln_reservations;

/*
 * Make `dir` if it is not there, and take its lock, waiting up to
 * `timeout_ms`. -ETIMEDOUT: somebody holds it longer than that. -EACCES or
 * -EPERM: not root. Other -errno values of mkdir() and open().  Since: 0.1
 */
int xln_reservations_lock(const char *dir, unsigned timeout_ms,
                          struct xln_reservations **held_r);

/*
 * Add up what is outstanding on each node into reserved_bytes[XLN_MAX_NODES],
 * and remove the records of no domain. Read the host after this, not before:
 * a page that moves from promised to used in between is then counted twice,
 * never not at all. -errno of the hypercall.  Since: 0.1
 */
int xln_reservations_outstanding(struct xln_reservations *held,
                                 xc_interface *xch, uint64_t *reserved_bytes);

/*
 * Record the shares of a domain that this process builds, the nodes that its
 * vCPUs will keep to, and the CPUs of the cores that they will hold (NULL or
 * empty: none).  Since: 0.1
 */
int xln_reservations_add(struct xln_reservations *held, uint32_t domid,
                         const uint8_t uuid[16],
                         const struct xln_share *shares, unsigned nr_shares,
                         unsigned nr_vcpus, const struct xln_nodemap *nodes,
                         const struct xln_cpumap *cores);

/* Release the lock; NULL is fine.  Since: 0.1 */
void xln_reservations_unlock(struct xln_reservations *held);

/* Remove the record of a domain; needs no lock.  Since: 0.1 */
void xln_reservations_remove(const char *dir, uint32_t domid);

/* A record of a domain that there is. */
struct xln_reservation {
    uint32_t domid;
    uint8_t uuid[16];
    pid_t creator;              /* a process */
    bool creator_lives;         /* false: nobody will finish the domain */
    struct xln_share *shares;   /* what was promised when it was planned */
    unsigned nr_shares;
};

struct xln_reservation_list {
    unsigned nr;
    struct xln_reservation *list;   /* in no order */
    uint64_t outstanding_bytes[XLN_MAX_NODES];
};

/*
 * Read all records, and what is outstanding on each node, as creators count
 * it. Takes no lock, so that nobody waits for it, and changes nothing; here
 * too the host is read after this. A directory that is not there has no
 * records. -EACCES: not root; other -errno of open() and of the hypercall.
 * Since: 0.1
 */
int xln_reservation_list_read(const char *dir, xc_interface *xch,
                              struct xln_reservation_list **list_r);

/* Since: 0.1 */
void xln_reservation_list_free(struct xln_reservation_list *list);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_H */
