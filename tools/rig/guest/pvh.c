/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine as a PVH guest finds it: frames that are parameters of it. */

#include "guest.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

/* Its place in our address space; what was here before is lost. */
static char shared_page[PAGE_SIZE] PAGE_ALIGNED;

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
    asm volatile("cpuid"
                 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
                 : "a"(leaf), "c"(0));
}

static void write_msr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr"
                 :
                 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                 : "memory");
}

/* Xen's leaves start at one of 0x40000000, 0x40000100, ... */
static void set_hypercall_page(void)
{
    uint32_t base, regs[4];

    for (base = 0x40000000; base < 0x40010000; base += 0x100) {
        cpuid(base, regs);
        if (regs[1] == 0x566e6558 && regs[2] == 0x65584d4d &&
            regs[3] == 0x4d4d566e) { /* XenVMMXenVMM */
            cpuid(base + 2, regs);
            write_msr(regs[1], (uintptr_t)hypercall_page);
            return;
        }
    }
}

static uint64_t parameter(unsigned int index)
{
    struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};

    hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (uintptr_t)&param, 0);
    return param.value;
}

/* The first 4 GiB are mapped onto themselves, and these pages are there. */
static void *map_parameter(unsigned int index)
{
    return (void *)(parameter(index) * PAGE_SIZE);
}

static volatile struct shared_info *map_shared_info(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = (uintptr_t)shared_page / PAGE_SIZE,
    };

    hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uintptr_t)&map,
              0);
    return (volatile struct shared_info *)shared_page;
}

static long vcpu_init(unsigned int vcpu, uintptr_t stack)
{
    struct vcpu_hvm_context context = {
        .mode = VCPU_HVM_MODE_64B,
        .cpu_regs.x86_64 =
            {
                .rip = (uintptr_t)vcpu_start,
                .rsp = stack,
                .rdi = vcpu,
                .rflags = 2,       /* always set */
                .cr0 = 0x80000011, /* PG, ET, PE: Xen restores none without ET */
                .cr3 = (uintptr_t)page_map,
                .cr4 = 0x20,   /* PAE */
                .efer = 0x500, /* LMA, LME */
            },
    };

    return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, vcpu,
                     (uintptr_t)&context);
}

/* Another domain, with other event channels, after each restore. */
static void find(struct machine *machine)
{
    machine->shared = map_shared_info();
    machine->console = map_parameter(HVM_PARAM_CONSOLE_PFN);
    machine->console_port = parameter(HVM_PARAM_CONSOLE_EVTCHN);
    machine->store = map_parameter(HVM_PARAM_STORE_PFN);
    machine->store_port = parameter(HVM_PARAM_STORE_EVTCHN);
}

static void find_again(struct machine *machine, bool same_domain)
{
    (void)same_domain;
    find(machine);
}

void pvh_main(uintptr_t address)
{
    const struct hvm_start_info *info = (const struct hvm_start_info *)address;
    struct machine machine = {
        .command_line =
            info->cmdline_paddr ? (const char *)info->cmdline_paddr : "",
        .vcpu_init = vcpu_init,
        .find_again = find_again,
    };

    set_hypercall_page();
    find(&machine);
    guest_main(&machine);
}
