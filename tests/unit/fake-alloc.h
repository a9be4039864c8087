/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that runs out on demand. A program that links fake-alloc.c with
 * $(FAKE_ALLOC_LDFLAGS) has its own and our static code call it.
 */
#ifndef FAKE_ALLOC_H
#define FAKE_ALLOC_H

/* The nth allocation from now on fails, alone; 0: none does. */
void fake_alloc_fail(unsigned nth);

#endif /* FAKE_ALLOC_H */
