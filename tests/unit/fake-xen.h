/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hypervisor, its xenstore and libxl, of which every call can fail (see
 * faults.h): four nodes of two CPUs and a GiB, Domain-0 and two guests. It
 * stands in for libxenctrl's, libxenstore's and libxenlight's functions; what
 * only works on libxl's data structures is libxl's own.
 */
#ifndef FAKE_XEN_H
#define FAKE_XEN_H

#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>

#define FAKE_NODES 4
#define FAKE_CPUS 8

/* Bring it into its first state, whatever was done to it. */
void fake_xen_begin(void);

/* How many handles of libxenctrl and of libxenstore are open. */
unsigned fake_xen_nr_open(void);

/* A new domain without memory; false: there is no room for it. */
bool fake_xen_add(uint32_t domid, const char *name, const uint8_t uuid[16]);
void fake_xen_remove(uint32_t domid);

/* The state of a domain; at first all of them run. */
struct fake_state {
    bool paused, suspended;
    bool has_run;               /* for as long as Xen counts */
    bool rebooting;             /* it has shut down, to be made again */
};
void fake_xen_set_state(uint32_t domid, struct fake_state state);

/* The domains of a uuid, as "1 web suspended, 7 web--incoming paused". */
void fake_xen_tell(const uint8_t uuid[16], char *text, size_t size);

/* Pages that were granted from nodes, as "1:512 2:512". */
void fake_xen_pages(uint32_t domid, char *text, size_t size);

/* The free memory of a node. */
void fake_xen_set_free(unsigned node, unsigned mib);

/* xc_domain_populate_physmap(). */
int fake_xen_populate(xc_interface *xch, uint32_t domid, unsigned long nr,
                      unsigned order, unsigned mem_flags, xen_pfn_t *extents);

/* Domain 1 has two virtual nodes from now on. */
void fake_xen_give_vnodes(void);

/* Where those of a domain were set, as "1,2"; "": they were not. */
void fake_xen_vnodes(char *text, size_t size);

/* What a module calls by the names of its own functions. */
__typeof__(xc_domain_getvnuma) fake_xc_domain_getvnuma;
__typeof__(xs_write) fake_xs_write;
__typeof__(libxl_domain_destroy) fake_libxl_domain_destroy;
__typeof__(libxl_domain_resume) fake_libxl_domain_resume;
__typeof__(libxl_domain_need_memory) fake_libxl_domain_need_memory;

/* The configuration of a PV guest of 64 MiB and 2 vCPUs. */
void fake_xen_config(libxl_domain_config *config, libxl_domain_type type);

#endif /* FAKE_XEN_H */
