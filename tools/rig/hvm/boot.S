/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Linux in an HVM guest without a boot loader. To have QEMU load it through
 * SeaBIOS, and then unpack itself, takes minutes of emulated time.
 *
 * The toolstack loads this file instead of hvmloader: hvmloader itself, an
 * unpacked kernel and its initramfs, each where it is to be. hvmloader runs as
 * ever, sets up the devices and writes the ACPI tables, and then enters the
 * BIOS, which is the few bytes of the section .bios. These go on to here, and
 * the kernel is entered as from any boot loader.
 *
 * What is known of hvmloader: it does not use what is from 15 MiB on; a BIOS
 * of any size is copied to below 1 MiB and entered at ffff0; and the BIOS
 * finds, at 1000, a struct that ends in the addresses of the firmware's tables
 * and of the memory map, each followed by their number.
 *
 * libxl takes no command line for a guest without a kernel: it is in here, with
 * OPTIONS from the outside.
 */

#define PAGE_SIZE 4096
#define BIOS_IP   0xff80                /* of 128 bytes below 1 MiB */
#define INFO_TABLES   0x1010            /* of what hvmloader leaves at 1000 */
#define INFO_E820     0x1018

/* Offsets in struct boot_params (Documentation/arch/x86/boot.rst). */
#define BP_E820_ENTRIES 0x1e8
#define BP_BOOT_FLAG    0x1fe
#define BP_MAGIC        0x202
#define BP_VERSION      0x206
#define BP_LOADER       0x210
#define BP_LOADFLAGS    0x211
#define BP_RAMDISK      0x218
#define BP_RAMDISK_SIZE 0x21c
#define BP_COMMAND_LINE 0x228
#define BP_E820         0x2d0

    .section .hvmloader, "awx"
    .globl hvmloader
hvmloader:                              /* its entry is its beginning */
    .incbin "hvmloader.bin"

    .section .kernel, "awx"
    .incbin "kernel.bin"

    .section .initramfs, "aw"
initramfs:
    .incbin "initramfs"
initramfs_end:

/* ---- the BIOS: from real mode to protected mode ---- */

    .section .bios, "awx"
    .code16
bios:
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff            /* 8: 32-bit code */
    .quad 0x00cf92000000ffff            /* 16: data */
    .quad 0x00af9a000000ffff            /* 24: 64-bit code */
gdt_pointer:
    .word . - gdt - 1
    .long gdt
from_reset:
    cli
    lgdtl   %cs:(gdt_pointer - bios + BIOS_IP)
    mov     %cr0, %eax
    or      $1, %eax
    mov     %eax, %cr0
    ljmpl   $8, $from_bios
    .balign 16
rsdp:                                   /* Linux looks for it here */
    .skip 36
    .org bios + 0x70
    jmp     from_reset                  /* the reset vector */
    .balign 16

/* ---- from there to the kernel ---- */

    .text
    .code32
from_bios:
    mov     $16, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    cld

    movw    $0xaa55, boot_params + BP_BOOT_FLAG
    movl    $0x53726448, boot_params + BP_MAGIC         /* "HdrS" */
    movw    $0x20f, boot_params + BP_VERSION
    movb    $0xff, boot_params + BP_LOADER
    movb    $1, boot_params + BP_LOADFLAGS
    movl    $initramfs, boot_params + BP_RAMDISK
    movl    $(initramfs_end - initramfs), boot_params + BP_RAMDISK_SIZE
    movl    $command_line, boot_params + BP_COMMAND_LINE

    /* The map's entries are 20 bytes both here and there. */
    mov     INFO_E820, %esi
    mov     INFO_E820 + 4, %ecx
    mov     %cl, boot_params + BP_E820_ENTRIES
    imul    $5, %ecx
    lea     boot_params + BP_E820, %edi
    rep movsl

    /* Of the tables, that of ACPI begins with "RSD PTR ". It is in memory
     * where Linux, as Xen's guest, has a page of Xen's before it looks. */
    mov     INFO_TABLES, %esi
    mov     INFO_TABLES + 4, %ecx
1:  lodsl
    cmpl    $0x20445352, (%eax)
    je      2f
    loop    1b
    ud2
2:  mov     %eax, %esi
    mov     $rsdp, %edi
    mov     $9, %ecx
    rep movsl

    /* 64-bit mode, the first 4 GiB mapped onto themselves by 2 MiB pages. */
    lea     page_map_l2, %edi
    mov     $0x83, %eax
    mov     $(4 * 512), %ecx
3:  mov     %eax, (%edi)
    add     $0x200000, %eax
    add     $8, %edi
    loop    3b
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
    ljmp    $24, $4f
    .code64
4:  mov     $boot_params, %esi
    mov     $kernel_entry, %eax
    jmp     *%rax

    .data
    .balign PAGE_SIZE
page_map:
    .long page_map_l3 + 3, 0
    .balign PAGE_SIZE
page_map_l3:
    .set i, 0
    .rept 4
    .long page_map_l2 + i * PAGE_SIZE + 3, 0
    .set i, i + 1
    .endr
    .balign PAGE_SIZE
page_map_l2:
    .skip 4 * PAGE_SIZE
boot_params:
    .skip PAGE_SIZE
command_line:
    .asciz "console=hvc0 loglevel=7 mitigations=off " OPTIONS
