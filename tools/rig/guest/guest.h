/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A guest that costs next to nothing: it says one line on its console and
 * blocks, or spins on all its virtual CPUs, and obeys control/shutdown in
 * xenstore. It boots as PV, as PVH and as HVM, and can be saved and migrated
 * (as PV with up to 1 GiB); as HVM it can be reset softly.
 * There are no interrupts: whoever waits polls an event channel, which takes no
 * handler.
 */

#ifndef RIG_GUEST_H
#define RIG_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

#define PAGE_SIZE 4096
#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))

/* shared_info has room for as many; further virtual CPUs are left alone. */
#define MAX_VCPUS XEN_LEGACY_MAX_VCPUS

/* What pv.c and pvh.c find, each in its own way. */
struct machine {
    volatile struct shared_info *shared;
    volatile struct xencons_interface *console;
    volatile struct xenstore_domain_interface *store;
    evtchn_port_t console_port;
    evtchn_port_t store_port;
    const char *command_line;
    /* Makes vcpu start at vcpu_start with this stack; 0 or -errno. */
    long (*vcpu_init)(unsigned int vcpu, uintptr_t stack);
    /* Called before it is saved; returns what Xen needs to know. NULL: nothing
     * to do. */
    uintptr_t (*let_go)(void);
    /* All that is above but the command line, after it was saved and restored,
     * or goes on as the same domain. NULL: it can't be saved. */
    void (*find_again)(struct machine *machine, bool same_domain);
};

/* start.S */
extern char hypercall_page[PAGE_SIZE], page_map[], vcpu_start[];

/* Called by start.S; these never return. */
struct start_info;
void pv_main(struct start_info *info);
void pvh_main(uintptr_t info);
void vcpu_main(unsigned int vcpu);

/* main.c: never returns either. */
void guest_main(struct machine *machine);

/* event.c */
void event_notify(evtchn_port_t port);
void event_clear(const struct machine *machine, evtchn_port_t port);
void event_wait(evtchn_port_t port);
void event_wait_forever(void);

/* store.c */
void store_watch(const struct machine *machine, const char *path);
bool store_changed(const struct machine *machine);
size_t store_read(const struct machine *machine, const char *path, char *value,
                  size_t size);
void store_clear(const struct machine *machine, const char *path);
void store_wait(const struct machine *machine);

/* Compiler only: x86 keeps loads and stores of RAM in the order we need. */
static inline void barrier(void)
{
    asm volatile("" : : : "memory");
}

/* Xen may change the registers of the arguments. */
static inline long hypercall(unsigned int nr, uintptr_t a, uintptr_t b,
                             uintptr_t c)
{
    long ret;

    asm volatile("call *%[entry]"
                 : "=a"(ret), "+D"(a), "+S"(b), "+d"(c)
                 : [entry] "r"(hypercall_page + nr * 32)
                 : "rcx", "r8", "r9", "r10", "r11", "memory");
    return ret;
}

#endif
