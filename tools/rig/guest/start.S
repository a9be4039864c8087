/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the guest is entered: Xen's notes, and from there to C. */

#include <xen/elfnote.h>

#define PAGE_SIZE 4096

.macro note type, desc:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 2f - 1f, 4f - 3f, \type
1:  .asciz "Xen"
2:  .balign 4
3:  \desc
4:  .balign 4
    .popsection
.endm

note XEN_ELFNOTE_GUEST_OS,       .asciz "rig"
note XEN_ELFNOTE_XEN_VERSION,    .asciz "xen-3.0"
note XEN_ELFNOTE_LOADER,         .asciz "generic"
note XEN_ELFNOTE_PAE_MODE,       .asciz "yes"
note XEN_ELFNOTE_VIRT_BASE,      .quad 0
note XEN_ELFNOTE_ENTRY,          .quad pv_start
note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
note XEN_ELFNOTE_PHYS32_ENTRY,   .quad pvh_start

    .text

/* PV: 64-bit mode, paging on, %rsi = struct start_info. */
    .code64
    .globl pv_start
pv_start:
    cld
    lea     stack_top, %rsp
    mov     %rsi, %rdi
    call    pv_main
    ud2

/* PVH: 32-bit mode, no paging, %ebx = struct hvm_start_info. */
    .code32
pvh_start:
    cld
    mov     %cr4, %eax
    or      $0x20, %eax                 /* PAE */
    mov     %eax, %cr4
    mov     $page_map, %eax
    mov     %eax, %cr3
    mov     $0xc0000080, %ecx           /* EFER */
    rdmsr
    or      $0x100, %eax                /* LME */
    wrmsr
    mov     %cr0, %eax
    or      $0x80000001, %eax           /* PG, PE */
    mov     %eax, %cr0
    lgdt    gdt_pointer
    ljmp    $8, $1f
    .code64
1:  xor     %eax, %eax
    mov     %eax, %ss
    mov     %eax, %ds
    mov     %eax, %es
    lea     stack_top, %rsp
    mov     %ebx, %edi
    call    pvh_main
    ud2

/* Further virtual CPUs of either kind: the stack and %rdi are set. */
    .globl vcpu_start
vcpu_start:
    cld
    call    vcpu_main
    ud2

/* Xen (PV) or pvh_main() writes the calls. */
    .balign PAGE_SIZE
    .globl hypercall_page
hypercall_page:
    .fill PAGE_SIZE, 1, 0x90

    .section .rodata
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9a000000ffff            /* 64-bit code */
gdt_pointer:
    .word . - gdt - 1
    .long gdt

/* PVH: the first 4 GiB, mapped onto themselves by 2 MiB pages. */
    .data
    .balign PAGE_SIZE
    .globl page_map
page_map:
    .quad page_map_l3 + 3
    .balign PAGE_SIZE
page_map_l3:
    .quad page_map_l2 + 3
    .quad page_map_l2 + PAGE_SIZE + 3
    .quad page_map_l2 + 2 * PAGE_SIZE + 3
    .quad page_map_l2 + 3 * PAGE_SIZE + 3
    .balign PAGE_SIZE
page_map_l2:
    .set i, 0
    .rept 4 * 512
    .quad (i << 21) | 0x83
    .set i, i + 1
    .endr

    .bss
    .balign 16
    .skip PAGE_SIZE
stack_top:
