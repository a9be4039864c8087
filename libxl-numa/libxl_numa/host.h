/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts, the load of their CPUs and taken cores: part of libxl_numa.h. */
#ifndef LIBXL_NUMA_HOST_H
#define LIBXL_NUMA_HOST_H

#include <libxl_numa/bitmap.h>

#include <xenctrl.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xln_host;
struct xln_domains;
struct xln_reservations;
struct xln_share;

/* ---- what a host has ---- */

struct xln_host_cpu {
    bool online;        /* present, and the scheduler uses it */
    unsigned node;      /* XLN_NONE: unknown */
    unsigned socket;
    unsigned core;      /* within its socket */
    uint64_t load;      /* in units of 1/XLN_LOAD_ONE vCPU, see below */
    bool taken;         /* with its core, see xln_cores_of_domains() */
};

struct xln_host_node {
    uint64_t total_bytes;
    uint64_t free_bytes;        /* includes the next two */
    uint64_t dma_bytes;         /* free, in the DMA zone */
    uint64_t reserved_bytes;    /* free, but reserved for creates in flight and
                                 * for domains that balloon up */
    const struct xln_cpumap *cpus;      /* online CPUs; may be empty */
};

/* What Xen's scheduler deals with as one unit: sched-gran= on its command
 * line. */
enum xln_sched_gran {
    XLN_SCHED_CPU,      /* each CPU */
    XLN_SCHED_CORE,     /* all threads of a core */
    XLN_SCHED_SOCKET,   /* all CPUs of a socket */
};

struct xln_host_pool {
    unsigned id;
    const struct xln_cpumap *cpus;
    const char *name;           /* NULL: not known; Xen has but the number */
    enum xln_sched_gran sched_gran;
};

/*
 * Get the range of CPU numbers, node numbers or cpupool indices of a host.
 *
 *   host: the host
 *
 * Returns 1 more than the largest CPU number, or node number; or the number
 * of cpupools.
 * Since: 0.1
 */
unsigned xln_host_nr_cpus(const struct xln_host *host);
unsigned xln_host_nr_nodes(const struct xln_host *host);
unsigned xln_host_nr_pools(const struct xln_host *host);

/*
 * Look up a CPU.
 *
 *   host: the host
 *   cpu: any number
 *
 * Returns the CPU, borrowed; NULL: the host has no such CPU.
 * Since: 0.1
 */
const struct xln_host_cpu *xln_host_cpu(const struct xln_host *host,
                                        unsigned cpu);

/*
 * Look up a node.
 *
 *   host: the host
 *   node: any number
 *
 * Returns the node, borrowed; NULL: the host has no such node.
 * Since: 0.1
 */
const struct xln_host_node *xln_host_node(const struct xln_host *host,
                                          unsigned node);

/*
 * Look up a cpupool by its id.
 *
 *   host: the host
 *   pool: any id
 *
 * Returns the cpupool, borrowed; NULL: the host does not have it.
 * Since: 0.1
 */
const struct xln_host_pool *xln_host_pool(const struct xln_host *host,
                                          unsigned pool);

/*
 * Get one of the cpupools, to look at all of them in turn.
 *
 *   host: the host
 *   index: 0 to xln_host_nr_pools() - 1; this is not the id of the cpupool
 *
 * Returns the cpupool, borrowed; NULL: the index is out of range.
 * Since: 0.1
 */
const struct xln_host_pool *xln_host_pool_at(const struct xln_host *host,
                                             unsigned index);

/*
 * Get the set of nodes that the host has.
 *
 *   host: the host
 *
 * Returns the set, borrowed.
 * Since: 0.1
 */
const struct xln_nodemap *xln_host_nodes(const struct xln_host *host);

/*
 * Get the CPUs of each node, as xln_cpumap_parse() takes them.
 *
 *   host: the host
 *
 * Returns the table, borrowed.
 * Since: 0.1
 */
const struct xln_node_cpus *xln_host_node_cpus(const struct xln_host *host);

/*
 * Get the distance between two nodes. The two directions may differ.
 *
 *   host: the host
 *   from, to: any node numbers
 *
 * Returns the SLIT distance; XLN_NONE: the host does not have one
 * of the nodes, or the firmware says that it is unreachable.
 * Since: 0.1
 */
unsigned xln_host_distance(const struct xln_host *host, unsigned from,
                           unsigned to);

/*
 * Find the nodes that have at least one of these CPUs online.
 *
 *   host: the host
 *   cpus: the CPUs, a set of any width
 *   nodes_r: the nodes, a set of the host's width; free it with
 *       xln_nodemap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_nodes_of_cpus(const struct xln_host *host,
                           const struct xln_cpumap *cpus,
                           struct xln_nodemap **nodes_r);

/*
 * Find the online CPUs of nodes.
 *
 *   host: the host
 *   nodes: the nodes, a set of any width
 *   cpus_r: the CPUs, a set of the host's width; free it with
 *       xln_cpumap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_cpus_of_nodes(const struct xln_host *host,
                           const struct xln_nodemap *nodes,
                           struct xln_cpumap **cpus_r);

/*
 * With units of several CPUs, as many vCPUs of a domain, beginning at its
 * first, run on the CPUs of one unit at the same time. They have one affinity,
 * which is that of the vCPU that is set last. It has a unit if it has the
 * unit's first CPU.
 */

/*
 * Get the number of CPUs in a scheduling unit.
 *
 *   host: the host
 *   cpus: the CPUs of a cpupool; NULL: of the whole host
 *
 * Returns the number of CPUs, 1 or more.
 * Since: 0.1
 */
unsigned xln_host_unit_size(const struct xln_host *host,
                            const struct xln_cpumap *cpus);

/*
 * Change a set of CPUs to what it means as an affinity: all CPUs of each unit
 * whose first CPU is in the set.
 *
 *   host: the host
 *   cpus: the set, as wide as the host has CPUs
 *
 * Since: 0.1
 */
void xln_host_whole_units(const struct xln_host *host,
                          struct xln_cpumap *cpus);

/*
 * CPUs on nodes without memory belong to a node with memory, their home: the
 * nearest, where the larger of the two directions counts. Of equally near nodes
 * it is one with CPUs of its own, then the one with the fewest CPUs, then the
 * lowest. Placement counts these CPUs as CPUs of that node.
 */

/*
 * Find the node that the CPUs of a node belong to.
 *
 *   host: the host
 *   node: any number
 *
 * Returns the node itself if it has memory or no CPU, or if no node has memory;
 * else its home. XLN_NONE: the host has no such node.
 * Since: 0.1
 */
unsigned xln_host_home(const struct xln_host *host, unsigned node);

/*
 * Look up the online CPUs of a node, and those that belong to it.
 *
 *   host: the host
 *   node: any number
 *
 * Returns the CPUs, borrowed; NULL: the host has no such node.
 * Since: 0.1
 */
const struct xln_cpumap *xln_host_near_cpus(const struct xln_host *host,
                                            unsigned node);

/*
 * Find the online CPUs of nodes, and those that belong to them.
 *
 *   host: the host
 *   nodes: the nodes, a set of any width
 *   cpus_r: the CPUs, a set of the host's width; free it with
 *       xln_cpumap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_near_cpus_of_nodes(const struct xln_host *host,
                                const struct xln_nodemap *nodes,
                                struct xln_cpumap **cpus_r);

/*
 * Find the nodes that these CPUs belong to, as far as they are online.
 *
 *   host: the host
 *   cpus: the CPUs, a set of any width
 *   nodes_r: the nodes, a set of the host's width; free it with
 *       xln_nodemap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_homes_of_cpus(const struct xln_host *host,
                           const struct xln_cpumap *cpus,
                           struct xln_nodemap **nodes_r);

/*
 * Calculate how much memory of a node a plan may use: what is free, less what
 * is reserved, less the DMA zone.
 *
 *   node: the node
 *   with_dma: use the DMA zone too, except for dma_reserve_bytes
 *   dma_reserve_bytes: how much of the DMA zone stays unused, in bytes
 *
 * Returns the number of bytes.
 * Since: 0.1
 */
uint64_t xln_host_node_usable(const struct xln_host_node *node, bool with_dma,
                              uint64_t dma_reserve_bytes);

/*
 * Free a host.
 *
 *   host: the host, or NULL
 *
 * Since: 0.1
 */
void xln_host_free(struct xln_host *host);

/* ---- hosts from Xen, and from other hosts ---- */

/*
 * One node as the hypervisor reports it. (The patches of 2012 had this
 * function; libxl adopted its form later.)
 */
struct xln_numainfo {
    bool online;                /* if false, the rest is 0 */
    uint64_t size_bytes;        /* spanned, including memory holes */
    uint64_t free_bytes;
    unsigned *distances;        /* to node 0 ... nr - 1, XLN_NONE: unknown */
};

/*
 * Read what the hypervisor knows about its nodes: xc_numainfo() and
 * xc_physinfo().
 *
 *   xch: an open libxc handle
 *   info_r: the nodes, info_r[0] to info_r[nr - 1]; free it with
 *       xln_numainfo_free()
 *   nr_r: how many; unused numbers in between have online = false
 *
 * Returns 0; -EPROTO: more nodes than XLN_MAX_NODES; -ENOMEM; the -errno of a
 * hypercall.
 * Since: 0.1
 */
int xln_get_numainfo(xc_interface *xch, struct xln_numainfo **info_r,
                     unsigned *nr_r);

/*
 * Free what xln_get_numainfo() returned.
 *
 *   info: the nodes, or NULL
 *
 * Since: 0.1
 */
void xln_numainfo_free(struct xln_numainfo *info);

/*
 * Read the running host. Its CPUs have no load and none is taken: see
 * xln_load_read().
 *
 *   xch: an open libxc handle
 *   reserved_bytes: how much of each node's free memory is reserved, in bytes,
 *       XLN_MAX_NODES entries; NULL: none. See xln_reservations_outstanding()
 *       and xln_ballooning_outstanding()
 *   host_r: the host; free it with xln_host_free()
 *
 * Returns 0; -EACCES or -EPERM: the caller is not root; -ENOMEM; the -errno of
 * a hypercall.
 * Since: 0.1
 */
int xln_host_read(xc_interface *xch, const uint64_t *reserved_bytes,
                  struct xln_host **host_r);

/*
 * Copy a host.
 *
 *   host: the host
 *   copy_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_copy(const struct xln_host *host, struct xln_host **copy_r);

/*
 * Copy a host and reserve memory on the copy. Domains that are planned together
 * are planned on such copies: each reserves the shares of its plan for the
 * next.
 *
 *   host: the host
 *   shares: how many bytes to reserve on which node; NULL if nr_shares is 0
 *   nr_shares: the number of shares
 *   host_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -EINVAL: a share is on a node that the host does not have;
 * -ENOMEM.
 * Since: 0.1
 */
int xln_host_reserve(const struct xln_host *host,
                     const struct xln_share *shares, unsigned nr_shares,
                     struct xln_host **host_r);

/*
 * Copy a host and release memory on the copy: what a domain holds now is free
 * there, as after its end. No node has more free memory than it has memory.
 *
 *   host: the host
 *   shares: how many bytes to release on which node; NULL if nr_shares is 0
 *   nr_shares: the number of shares
 *   host_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -EINVAL: a share is on a node that the host does not have;
 * -ENOMEM.
 * Since: 0.1
 */
int xln_host_release(const struct xln_host *host,
                     const struct xln_share *shares, unsigned nr_shares,
                     struct xln_host **host_r);

/*
 * Copy a host and add load to the CPUs of the copy.
 *
 *   host: the host
 *   load: what to add to each CPU, xln_host_nr_cpus() entries, in units of
 *       1/XLN_LOAD_ONE vCPU
 *   host_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_add_load(const struct xln_host *host, const uint64_t *load,
                      struct xln_host **host_r);

/*
 * Copy a host and add running guests to the copy. Only the size of each one is
 * added: that its memory is not free is in the host already. The policy
 * "balanced" keeps room for guests of these sizes.
 *
 *   host: the host
 *   bytes: the memory of each guest, in bytes; NULL if nr_guests is 0
 *   nr_guests: the number of guests; 0: the guests are known, but there are no
 *       more
 *   host_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -EINVAL: these are too many guests; -ENOMEM.
 * Since: 0.1
 */
int xln_host_add_guests(const struct xln_host *host, const uint64_t *bytes,
                        unsigned nr_guests, struct xln_host **host_r);

/*
 * Test whether the running guests of a host are known.
 *
 *   host: the host
 *
 * Returns the answer; false until xln_host_add_guests() has made a copy.
 * Since: 0.1
 */
bool xln_host_guests_known(const struct xln_host *host);

/*
 * Copy a host and mark more CPUs of the copy as taken.
 *
 *   host: the host
 *   taken: the CPUs, whole cores; a set of any width
 *   host_r: the copy; free it with xln_host_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_host_take_cores(const struct xln_host *host,
                        const struct xln_cpumap *taken,
                        struct xln_host **host_r);

/* ---- load and cores ---- */

/*
 * The load of a CPU is the number of vCPUs that stay near it, in units of
 * 1/XLN_LOAD_ONE vCPU, so that parts of a vCPU can be counted. Functions that
 * count load add to an array of xln_host_nr_cpus() entries.
 *
 * A vCPU counts in equal parts on the CPUs that it prefers (soft affinity) of
 * those where it may run (hard affinity and cpupool); if it prefers none of
 * them, on all where it may run. If these are all CPUs of its cpupool, as for
 * an unpinned Domain-0, the vCPU counts nowhere: the scheduler moves it to idle
 * CPUs. Blocked vCPUs count like running ones. Dying domains do not count.
 */
#define XLN_LOAD_ONE (UINT64_C(1) << 32)

/*
 * Add the load of vCPUs that stay on these CPUs.
 *
 *   cpus: the CPUs
 *   nr_vcpus: how many vCPUs
 *   nr_cpus: the number of entries of `load`
 *   load: the array to add to
 *
 * Since: 0.1
 */
void xln_load_add(const struct xln_cpumap *cpus, unsigned nr_vcpus,
                  unsigned nr_cpus, uint64_t *load);

/*
 * Add the load of domains.
 *
 *   domains: the domains
 *   host: the host that they run on
 *   load: the array to add to
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_load_of_domains(const struct xln_domains *domains,
                        const struct xln_host *host, uint64_t *load);

/*
 * Add the load of the running domains, and the cores that they hold. This takes
 * a hypercall for each 256 domains and one for each vCPU.
 *
 * A create in flight counts by its record: its vCPUs get their affinity only
 * after the lock is released.
 *
 *   xch: an open libxc handle
 *   held: the lock, after xln_reservations_outstanding(); NULL: no creates in
 *       flight
 *   host: the running host
 *   load: the array to add to
 *   taken: the set to add the CPUs of held cores to, as wide as the host has
 *       CPUs; NULL: none. See xln_cores_of_domains()
 *   self: the uuid, 16 bytes, of the domain that is being placed, so that its
 *       predecessor holds no cores; NULL: none
 *
 * Returns 0; -ENOMEM; the -errno of a hypercall.
 * Since: 0.1
 */
int xln_load_read(xc_interface *xch, const struct xln_reservations *held,
                  const struct xln_host *host, uint64_t *load,
                  struct xln_cpumap *taken, const uint8_t *self);

/*
 * Find the cores that domains hold. A vCPU holds a core if it can run nowhere
 * else: if its hard affinity, within its cpupool, has CPUs of this core only. A
 * vCPU that may run on several cores holds none of them. The vCPUs of a dying
 * domain hold none.
 *
 *   domains: the domains
 *   host: the host that they run on
 *   taken: the set to add the CPUs of these cores to, siblings included; as
 *       wide as the host has CPUs
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_cores_of_domains(const struct xln_domains *domains,
                         const struct xln_host *host,
                         struct xln_cpumap *taken);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_HOST_H */
