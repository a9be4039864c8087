/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine as a PV guest finds it: machine frames, named in start_info. */

#include "guest.h"

#include <xen/vcpu.h>

static const struct start_info *start_info;

/* Its place in our address space; what was here before is lost. */
static char shared_page[PAGE_SIZE] PAGE_ALIGNED;

/* The builder maps all pages it makes at their pseudo-physical address. */
static void *map_frame(xen_pfn_t mfn)
{
    return (void *)(machine_to_phys_mapping[mfn] * PAGE_SIZE);
}

static uint64_t frame_of(uintptr_t address)
{
    const xen_pfn_t *mfn_list = (const xen_pfn_t *)start_info->mfn_list;

    return mfn_list[address / PAGE_SIZE];
}

static volatile struct shared_info *map_shared_info(uint64_t address)
{
    const uint64_t present_and_writable = 3;

    hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)shared_page,
              address | present_and_writable, UVMF_INVLPG);
    return (volatile struct shared_info *)shared_page;
}

static long vcpu_init(unsigned int vcpu, uintptr_t stack)
{
    static struct vcpu_guest_context context;

    context.flags = VGCF_in_kernel;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rip = (uintptr_t)vcpu_start;
    context.user_regs.rsp = stack;
    context.user_regs.rdi = vcpu;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = stack;
    context.ctrlreg[3] = xen_pfn_to_cr3(frame_of(start_info->pt_base));
    return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, vcpu,
                     (uintptr_t)&context);
}

void pv_main(const struct start_info *info)
{
    struct machine machine = {
        .command_line = (const char *)info->cmd_line,
        .vcpu_init = vcpu_init,
    };

    start_info = info;
    machine.shared = map_shared_info(info->shared_info);
    machine.console = map_frame(info->console.domU.mfn);
    machine.console_port = info->console.domU.evtchn;
    machine.store = map_frame(info->store_mfn);
    machine.store_port = info->store_evtchn;
    guest_main(&machine);
}
