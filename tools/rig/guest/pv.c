/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine as a PV guest finds it: machine frames, named in start_info. */

#include "guest.h"

#include <xen/vcpu.h>

#define FRAMES_PER_PAGE (PAGE_SIZE / sizeof(xen_pfn_t))

static struct start_info *start_info;

/* Where Xen's page of that name is mapped while we run. */
static char shared_page[PAGE_SIZE] PAGE_ALIGNED;

/* The frames of the pages of mfn_list, and the frame of that list: so the
 * toolstack finds the memory of a guest that it saves. One list is enough for
 * 1 GiB. */
static xen_pfn_t map_frames[FRAMES_PER_PAGE] PAGE_ALIGNED;
static xen_pfn_t lists[FRAMES_PER_PAGE] PAGE_ALIGNED;

/* The builder maps all pages it makes at their pseudo-physical address. */
static void *map_frame(xen_pfn_t mfn)
{
    return (void *)(machine_to_phys_mapping[mfn] * PAGE_SIZE);
}

static xen_pfn_t frame_of(uintptr_t address)
{
    const xen_pfn_t *mfn_list = (const xen_pfn_t *)start_info->mfn_list;

    return mfn_list[address / PAGE_SIZE];
}

static volatile struct shared_info *map_shared_page(uint64_t address)
{
    const uint64_t present_and_writable = 3;

    hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)shared_page,
              address | present_and_writable, UVMF_INVLPG);
    return (volatile struct shared_info *)shared_page;
}

static bool can_be_saved(void)
{
    return start_info->nr_pages <= FRAMES_PER_PAGE * FRAMES_PER_PAGE;
}

static void show_memory(volatile struct shared_info *shared)
{
    unsigned long i;

    for (i = 0; i * FRAMES_PER_PAGE < start_info->nr_pages; i++)
        map_frames[i] = frame_of(start_info->mfn_list + i * PAGE_SIZE);
    lists[0] = frame_of((uintptr_t)map_frames);
    shared->arch.pfn_to_mfn_frame_list_list = frame_of((uintptr_t)lists);
    shared->arch.max_pfn = start_info->nr_pages;
}

static void find(struct machine *machine)
{
    machine->shared = map_shared_page(start_info->shared_info);
    machine->console = map_frame(start_info->console.domU.mfn);
    machine->console_port = start_info->console.domU.evtchn;
    machine->store = map_frame(start_info->store_mfn);
    machine->store_port = start_info->store_evtchn;
    if (can_be_saved())
        show_memory(machine->shared);
}

/* A saved guest names pages by their number, and has mapped none of Xen's. The
 * toolstack makes frames of the numbers when it restores it. */
static uintptr_t let_go(void)
{
    start_info->console.domU.mfn =
        machine_to_phys_mapping[start_info->console.domU.mfn];
    start_info->store_mfn = machine_to_phys_mapping[start_info->store_mfn];
    map_shared_page(frame_of((uintptr_t)shared_page) * PAGE_SIZE);
    return frame_of((uintptr_t)start_info);
}

static void find_again(struct machine *machine, bool same_domain)
{
    if (same_domain) {
        start_info->console.domU.mfn =
            frame_of(start_info->console.domU.mfn * PAGE_SIZE);
        start_info->store_mfn = frame_of(start_info->store_mfn * PAGE_SIZE);
    }
    find(machine);
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

void pv_main(struct start_info *info)
{
    struct machine machine = {
        .command_line = (const char *)info->cmd_line,
        .vcpu_init = vcpu_init,
        .let_go = let_go,
    };

    start_info = info;
    if (can_be_saved())
        machine.find_again = find_again;
    find(&machine);
    guest_main(&machine);
}
