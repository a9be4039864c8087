/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Macros of headers that cppcheck does not read, for tools/analyze. */
#define libxl_for_each_set_bit(v, m) for (v = 0; v < (m).size; v++)
#define ElfW(type) Elf64_##type
