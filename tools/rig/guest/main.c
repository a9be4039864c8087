/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the guest does, once pv.c or pvh.c has found the machine. */

#include "guest.h"

#include <xen/sched.h>
#include <xen/vcpu.h>

#define SHUTDOWN_PATH "control/shutdown"

static bool spinning;

/* How often each virtual CPU went round; a cache line each. */
static struct {
    volatile uint64_t rounds;
    char pad[56];
} count[MAX_VCPUS];

static char stacks[MAX_VCPUS + 1][1024] __attribute__((aligned(16)));

static void print(const struct machine *machine, const char *text)
{
    volatile struct xencons_interface *console = machine->console;

    /* All that we ever print fits the ring: it is never full. */
    while (*text) {
        console->out[MASK_XENCONS_IDX(console->out_prod, console->out)] =
            *text++;
        barrier();
        console->out_prod++;
    }
    event_notify(machine->console_port);
}

static void print_number(const struct machine *machine, unsigned int number)
{
    char text[11], *p = text + sizeof(text) - 1;

    *p = '\0';
    do {
        *--p = '0' + number % 10;
        number /= 10;
    } while (number);
    print(machine, p);
}

/* Is the word one of those, separated by spaces, of the line? */
static bool has_word(const char *line, const char *word)
{
    const char *w;

    while (*line) {
        for (w = word; *w && *line == *w; line++)
            w++;
        if (!*w && (!*line || *line == ' '))
            return true;
        while (*line && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    return false;
}

static bool word_is(const char *text, const char *word)
{
    while (*text && *text == *word) {
        text++;
        word++;
    }
    return *text == *word;
}

/* Xen knows every virtual CPU that may ever be, and no other. */
static bool vcpu_exists(unsigned int vcpu)
{
    return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, vcpu, 0) >= 0;
}

/* Returns how many there are, the boot processor included. */
static unsigned int start_vcpus(const struct machine *machine)
{
    unsigned int vcpu;

    for (vcpu = 1; vcpu < MAX_VCPUS && vcpu_exists(vcpu); vcpu++) {
        if (machine->vcpu_init(vcpu, (uintptr_t)stacks[vcpu + 1]))
            break;
        hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, vcpu, 0);
    }
    return vcpu;
}

void vcpu_main(unsigned int vcpu)
{
    while (spinning)
        count[vcpu].rounds++;
    event_wait_forever();
}

/* True: it was suspended, and goes on as the same domain. */
static bool shutdown(const struct machine *machine, unsigned int reason)
{
    struct sched_shutdown arg = {.reason = reason};
    uintptr_t told = 0;

    if (reason == SHUTDOWN_suspend && machine->let_go)
        told = machine->let_go();
    return hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&arg,
                     told);
}

/* The toolstack takes an emptied node for the answer that we obey. We come back
 * from being suspended, and from a soft reset, which keeps our memory too. No
 * xl asks for that, nor for a crash: these words are ours. */
static void obey(struct machine *machine)
{
    char value[16];
    unsigned int reason;
    bool same_domain;

    store_read(machine, SHUTDOWN_PATH, value, sizeof(value));
    if (word_is(value, "reboot"))
        reason = SHUTDOWN_reboot;
    else if (word_is(value, "poweroff") || word_is(value, "halt"))
        reason = SHUTDOWN_poweroff;
    else if (word_is(value, "crash"))
        reason = SHUTDOWN_crash;
    else if (word_is(value, "suspend") && machine->find_again)
        reason = SHUTDOWN_suspend;
    else if (word_is(value, "soft-reset") && machine->find_again)
        reason = SHUTDOWN_soft_reset;
    else
        return;
    store_clear(machine, SHUTDOWN_PATH);
    same_domain = shutdown(machine, reason);
    machine->find_again(machine, same_domain);
    print(machine, reason == SHUTDOWN_suspend ? "resumed\r\n" : "reset\r\n");
    store_watch(machine, SHUTDOWN_PATH);
}

static void spin_a_while(void)
{
    unsigned int i;

    for (i = 0; i < 1000000; i++)
        count[0].rounds++;
}

void guest_main(struct machine *machine)
{
    unsigned int nr_vcpus;

    spinning = has_word(machine->command_line, "spin");
    nr_vcpus = start_vcpus(machine);
    print(machine, spinning ? "spin: up, " : "idle: up, ");
    print_number(machine, nr_vcpus);
    print(machine, " vcpus\r\n");

    store_watch(machine, SHUTDOWN_PATH);
    for (;;) {
        if (store_changed(machine))
            obey(machine);
        if (spinning)
            spin_a_while();
        else
            store_wait(machine);
    }
}
