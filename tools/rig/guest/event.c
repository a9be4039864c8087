/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Event channels without interrupts. */

#include "guest.h"

#include <xen/sched.h>

void event_notify(evtchn_port_t port)
{
    struct evtchn_send send = {.port = port};

    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (uintptr_t)&send,
              0);
}

/* Call it before looking for what the event announces. */
void event_clear(const struct machine *machine, evtchn_port_t port)
{
    asm volatile("lock btrq %1, %0"
                 : "+m"(machine->shared->evtchn_pending[port / 64])
                 : "r"((uint64_t)port % 64)
                 : "memory");
}

/* Blocks until the port is pending: at once, if it is. */
void event_wait(evtchn_port_t port)
{
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &port);
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&poll, 0);
}

void event_wait_forever(void)
{
    struct sched_poll poll = {.nr_ports = 0};

    for (;;)
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&poll, 0);
}
