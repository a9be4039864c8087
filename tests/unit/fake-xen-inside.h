/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of the made-up Xen, for the functions that replace its libraries.
 */
#ifndef FAKE_XEN_INSIDE_H
#define FAKE_XEN_INSIDE_H

#include <libxl_utils.h>
#include <xenstore.h>

#include "fake-xen.h"
#include "text/units.h"

#define PAGES_PER_MIB 256
#define NODE_MIB 1024
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NR_VCPUS 2
#define ALL_CPUS 0xff

/* For the caller; a module that is linked in has its own function of this
 * name. */
#define FAKE_FOR(name)                                                        \
    __typeof__(name) name __attribute__((weak, alias("fake_" #name)))

struct domain {
    uint32_t domid;
    char name[32];
    uint8_t uuid[16];
    bool is_hvm, is_there;
    uint64_t max_pages;
    uint64_t pages[FAKE_NODES];
    unsigned hard[NR_VCPUS], soft[NR_VCPUS];
    uint64_t nodes;
    struct fake_state state;
};

struct entry {
    char path[64], text[64];
};

extern struct fake_xen {
    struct domain domains[5];
    struct entry store[24];
    struct entry pending;       /* what a transaction has written */
    uint64_t free_pages[FAKE_NODES];
    char kept[256];             /* what keep.c has stored of any domain */
    unsigned nr_open;
    bool has_report;
    unsigned pool_cpus;         /* of cpupool 0 */
    uint32_t libvirts;          /* a domain that libvirt created; 0: none */
    bool has_vnodes;            /* domain 1 */
    char vnodes[16];            /* those that were set */
} xen;

/* Memory of the made-up Xen itself: this never fails. */
void *fake_xen_give(size_t size);
char *fake_xen_give_text(const char *text);

/* NULL: no such domain, and errno is ESRCH. */
struct domain *fake_xen_find(uint32_t domid);

#endif /* FAKE_XEN_INSIDE_H */
