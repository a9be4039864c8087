/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running domains, their memory on each node, and reservations for domains that
 * are being created: part of libxl_numa.h. */
#ifndef LIBXL_NUMA_DOMAIN_H
#define LIBXL_NUMA_DOMAIN_H

#include <sys/types.h>

#include <libxl_numa/host.h>
#include <libxl_numa/place.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- running domains ---- */

struct xln_vcpu {
    bool exists;                /* if false, the rest is 0 */
    bool online, blocked, running;
    unsigned cpu;               /* it runs there, or ran there last */
    uint64_t time_ns;           /* how long it has run */
    struct xln_cpumap *hard, *soft;
};

/* A dying domain has neither nodes nor vcpus. */
struct xln_domain {
    uint32_t domid;
    uint8_t uuid[16];
    bool dying, is_pv;
    uint32_t pool_id;
    uint64_t memory_bytes;      /* that it has */
    uint64_t claimed_bytes;     /* claimed for it, not allocated yet */
    struct xln_nodemap *nodes;  /* its node affinity */
    unsigned nr_vcpus;
    struct xln_vcpu *vcpus;     /* by number */

    uint64_t reserved[8];       /* 0; see libxl_numa.h */
};

struct xln_domains {
    unsigned nr;
    struct xln_domain *list;    /* by domid, ascending */
};

/*
 * Read the running domains. A domain that ends meanwhile is left out.
 *
 *   xch: an open libxc handle
 *   domid: the only domain to read; XLN_NONE: all
 *   domains_r: the domains; free them with xln_domains_free()
 *
 * Returns 0; -ESRCH: there is no such domain; -ENOMEM; the -errno of a
 * hypercall.
 * Since: 0.1
 */
int xln_domains_read(xc_interface *xch, uint32_t domid,
                     struct xln_domains **domains_r);

/*
 * Test whether a domain exists and is not being destroyed. Call this after
 * something of the domain was missing: a domain that is destroyed loses its
 * name and its records first.
 *
 *   xch: an open libxc handle
 *   domid: the domain
 *
 * Returns the answer; true if the hypervisor does not answer.
 * Since: 0.1
 */
bool xln_domain_lives(xc_interface *xch, uint32_t domid);

/*
 * List the memory of guests: of all domains but Domain-0 and those that are being
 * destroyed. See xln_host_add_guests().
 *
 *   domains: the domains
 *   bytes: the array to fill, domains->nr entries
 *
 * Returns the number of guests.
 * Since: 0.1
 */
unsigned xln_guests_of_domains(const struct xln_domains *domains,
                               uint64_t *bytes);

/*
 * Read the memory of the running guests, as xln_guests_of_domains() lists it. This
 * takes a hypercall for each 256 domains.
 *
 *   xch: an open libxc handle
 *   self: the uuid of a domain to leave out; NULL: none
 *   bytes_r: the memory of each guest; free it with free()
 *   nr_r: the number of guests
 *
 * Returns 0; -ENOMEM; the -errno of a hypercall.
 * Since: 0.1
 */
int xln_guests_read(xc_interface *xch, const uint8_t *self, uint64_t **bytes_r,
                    unsigned *nr_r);

/*
 * Free domains.
 *
 *   domains: the domains, or NULL
 *
 * Since: 0.1
 */
void xln_domains_free(struct xln_domains *domains);

/*
 * Find the CPUs that any vCPU of a domain may run on: its hard affinity within
 * its cpupool.
 *
 *   domain: the domain
 *   pool_cpus: the CPUs of its cpupool
 *   soft: of these CPUs, only those that a vCPU prefers, if it prefers any
 *   cpus_r: the CPUs; free them with xln_cpumap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_domain_cpus(const struct xln_domain *domain,
                    const struct xln_cpumap *pool_cpus, bool soft,
                    struct xln_cpumap **cpus_r);

/*
 * Set the affinity of one vCPU of a running domain.
 *
 *   xch: an open libxc handle
 *   domid: the domain
 *   vcpu: the vCPU
 *   hard, soft: the new affinities; NULL: this one does not change
 *   force: also end a temporary pinning that the hypervisor did not end
 *
 * Returns 0; after a failure nothing has changed. -EINVAL: there is no such
 * vCPU, or no CPU of `hard` is in its cpupool; -EBUSY: the vCPU is pinned
 * temporarily; -ESRCH: there is no such domain; -ENOMEM; the -errno of a
 * hypercall.
 * Since: 0.1
 */
int xln_vcpu_pin(xc_interface *xch, uint32_t domid, unsigned vcpu,
                 const struct xln_cpumap *hard, const struct xln_cpumap *soft,
                 bool force);

/*
 * Set the node affinity of a running domain, from which its next memory comes.
 *
 *   xch: an open libxc handle
 *   domid: the domain
 *   nodes: the nodes; NULL: the nodes where its vCPUs may run, which Xen keeps
 *       up to date
 *
 * Returns 0; -EINVAL: none of the nodes is on this host, or the hypervisor
 * cannot express the number of one; -ESRCH: there is no such domain; -ENOMEM;
 * the -errno of a hypercall.
 * Since: 0.1
 */
int xln_domain_set_nodes(xc_interface *xch, uint32_t domid,
                         const struct xln_nodemap *nodes);

/* ---- residency: how many pages of which domain each node has ---- */

struct xln_residency {
    bool complete;              /* false: the console ring lost a part */
    unsigned nr_nodes;
    unsigned nr_domains;
    struct xln_residency_domain {
        uint32_t domid;
        uint64_t total_pages;
        const uint64_t *pages;  /* [nr_nodes] */
    } *domains;                 /* by domid, ascending */
};

/*
 * Parse the last report of debug key 'u' in a text from the hypervisor console,
 * in the form of Xen 4.17 or of 4.18 and later. A domain whose lines do not add
 * up to its total is left out: the console lost a part.
 *
 *   text: the text
 *   size: its length in bytes
 *   residency_r: the report; free it with xln_residency_free()
 *
 * Returns 0; -ENOENT: the text has no report; -ENOMEM.
 * Since: 0.1
 */
int xln_residency_parse(const char *text, size_t size,
                        struct xln_residency **residency_r);

/*
 * Ask the hypervisor for a report and parse it. For this, Xen walks all pages
 * of all domains under a lock, and prints the report to its console ring.
 *
 *   xch: an open libxc handle
 *   residency_r: the report; free it with xln_residency_free()
 *
 * Returns 0; -ENOENT: the console ring is too small for the report; -ENOMEM;
 * the -errno of a hypercall.
 * Since: 0.1
 */
int xln_residency_read(xc_interface *xch, struct xln_residency **residency_r);

/*
 * Test whether xln_residency_read() is harmless on a host: at most 64 GiB are
 * in use, which Xen walks in less than a second.
 *
 *   host: the host
 *
 * Returns the answer.
 * Since: 0.1
 */
bool xln_residency_is_cheap(const struct xln_host *host);

/*
 * Find a domain in a report.
 *
 *   residency: the report
 *   domid: the domain
 *
 * Returns the domain, borrowed; NULL: the report does not have it.
 * Since: 0.1
 */
const struct xln_residency_domain *xln_residency_domain(
    const struct xln_residency *residency, uint32_t domid);

/*
 * Calculate the size of the console ring that a report needs (conring_size=,
 * which Xen rounds up to a power of two). It has some margin, but does not
 * include the lines about virtual nodes.
 *
 *   host: the host
 *   domains: the domains on it
 *
 * Returns the size in bytes.
 * Since: 0.1
 */
uint64_t xln_residency_ring_bytes(const struct xln_host *host,
                                  const struct xln_domains *domains);

/*
 * Free a report.
 *
 *   residency: the report, or NULL
 *
 * Since: 0.1
 */
void xln_residency_free(struct xln_residency *residency);

/* ---- reservations: memory for domains that are being created ---- */

/*
 * A directory has a lock, and a record for each create in flight: the domain,
 * its creator and its shares. A creator takes the lock, reads what is
 * outstanding, reads the host, plans, adds its record and releases the lock. It
 * then builds the domain while others do the same.
 *
 * What is outstanding of a record follows from the domain's pages. A record no
 * longer counts when its domain has ended or its creator is dead. The record of
 * a dead creator stays as long as the domain exists.
 */
struct xln_reservations;

/*
 * Take the lock of a directory; make the directory if necessary.
 *
 *   dir: the path of the directory
 *   timeout_ms: how long to wait for the lock, in milliseconds
 *   held_r: the lock; release it with xln_reservations_unlock()
 *
 * Returns 0; -ETIMEDOUT: another process holds the lock for longer; -EACCES or
 * -EPERM: the caller is not root; -ENOMEM; another -errno of mkdir() or open().
 * Since: 0.1
 */
int xln_reservations_lock(const char *dir, unsigned timeout_ms,
                          struct xln_reservations **held_r);

/*
 * Add up what is outstanding on each node, and remove records of domains that
 * have ended. Read the host after this, not before: a page that is allocated in
 * between then counts twice, and never not at all.
 *
 *   held: the lock
 *   xch: an open libxc handle
 *   reserved_bytes: the array to add to, XLN_MAX_NODES entries, in bytes
 *
 * Returns 0; -ENOMEM; the -errno of a hypercall.
 * Since: 0.1
 */
int xln_reservations_outstanding(struct xln_reservations *held,
                                 xc_interface *xch, uint64_t *reserved_bytes);

/*
 * Record a domain that this process builds. The record holds as long as the
 * file *fd_r is open: until the caller closes it, after
 * xln_reservations_remove(), or the process ends. A process that it forks must
 * close it too, as exec() does.
 *
 *   held: the lock
 *   domid: the domain
 *   uuid: its uuid, 16 bytes
 *   shares: how many bytes on which node
 *   nr_shares: the number of shares
 *   load: the load of its vCPUs on each CPU, see xln_load_of_plan(); NULL: its
 *       vCPUs stay near no CPU
 *   nr_cpus: the number of entries of `load`
 *   cores: the CPUs of the cores that they will hold; NULL or empty: none
 *   fd_r: receives an open file, for the caller to close
 *
 * Returns 0; -ENOMEM; the -errno of writing the record.
 * Since: 0.1
 */
int xln_reservations_add(struct xln_reservations *held, uint32_t domid,
                         const uint8_t uuid[16],
                         const struct xln_share *shares, unsigned nr_shares,
                         const uint64_t *load, unsigned nr_cpus,
                         const struct xln_cpumap *cores, int *fd_r);

/*
 * Release the lock.
 *
 *   held: the lock, or NULL; it is freed
 *
 * Since: 0.1
 */
void xln_reservations_unlock(struct xln_reservations *held);

/*
 * Remove the record of a domain. This needs no lock.
 *
 *   dir: the path of the directory
 *   domid: the domain
 *
 * Since: 0.1
 */
void xln_reservations_remove(const char *dir, uint32_t domid);

/* The record of a domain that exists. */
struct xln_reservation {
    uint32_t domid;
    uint8_t uuid[16];
    pid_t creator;              /* a process */
    bool creator_lives;         /* false: the domain will not be completed */
    struct xln_share *shares;   /* as planned */
    unsigned nr_shares;
};

struct xln_reservation_list {
    unsigned nr;
    struct xln_reservation *list;   /* in no order */
    uint64_t outstanding_bytes[XLN_MAX_NODES];
};

/*
 * Read all records, and what is outstanding on each node, as
 * xln_reservations_outstanding() counts it. The function takes no lock and
 * changes nothing. Read the host after this. A directory that does not exist
 * has no records.
 *
 *   dir: the path of the directory
 *   xch: an open libxc handle
 *   list_r: the records; free them with xln_reservation_list_free()
 *
 * Returns 0; -EACCES: the caller is not root; -ENOMEM; another -errno of
 * open(), or of a hypercall.
 * Since: 0.1
 */
int xln_reservation_list_read(const char *dir, xc_interface *xch,
                              struct xln_reservation_list **list_r);

/*
 * Free records.
 *
 *   list: the records, or NULL
 *
 * Since: 0.1
 */
void xln_reservation_list_free(struct xln_reservation_list *list);

/* ---- ballooning: memory that running domains will still take ---- */

/*
 * Add up what running domains will still take, because `xl mem-set` raised
 * their targets and they balloon up in their own time. For each it is the
 * difference between target and size, in equal parts on the nodes of its node
 * affinity, from which Xen will allocate it. A domain that is being created has
 * no target yet; xln_reservations_outstanding() counts it. Read the host after
 * this.
 *
 *   xch: an open libxc handle
 *   reserved_bytes: the array to add to, XLN_MAX_NODES entries, in bytes; it
 *       may have changed after a failure
 *
 * Returns 0; -ENOMEM; the -errno of a hypercall or of xenstore.
 * Since: 0.1
 */
int xln_ballooning_outstanding(xc_interface *xch, uint64_t *reserved_bytes);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_DOMAIN_H */
