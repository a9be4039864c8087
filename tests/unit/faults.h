/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that fail on demand, one after the other: the first time that
 * something is run its first call fails, then its second, until none is left
 * to fail. What counts as a call is every allocation that our code makes, or
 * libc or expat for it, and whatever asks fault() itself: fake-xen.c's
 * hypervisor, and the wrappers of fault-calls.h.
 *
 *     do {
 *         faults_arm(++nth);
 *         ... run it ...
 *     } while (faults_disarm(NULL));
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Each call fails, from the first on in steps of one. With FAULTS_PART="N/M" in
 * the environment, from the Nth on in steps of M: for a sanitizer, with which a
 * process takes long to begin.
 */
unsigned faults_first(void);
unsigned faults_step(void);

/* The nth call from now on fails, alone. */
void faults_arm(unsigned nth);

/* From the nth allocation on there is no memory; no other call fails. */
void faults_arm_memory(unsigned nth);

/* From now on no call fails. NULL: none did; otherwise the name of the call
 * that did, or "memory". *where_r gets the address of its caller, unless
 * where_r is NULL. */
const char *faults_disarm(void **where_r);

/* Whether this call is to fail. Then errno is EIO. */
bool fault(const char *name);

/* Between these two nothing fails: what happens there is another's. */
void faults_pause(void);
void faults_resume(void);

/* Blocks of memory in use, in the whole process; 0 under a sanitizer. */
long faults_nr_blocks(void);

/* The number that the next open file would get: the same as before, unless
 * one was left open since. */
int faults_next_file(void);

#endif /* FAULTS_H */
