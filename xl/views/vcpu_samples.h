/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sample where the vCPUs of domains run. In each sample a vCPU counts once if
 * it is online and has run since the previous sample. It counts for the node of
 * the CPU that it runs on, or ran on last. What it does between two samples is
 * not known.
 */
#ifndef VCPU_SAMPLES_H
#define VCPU_SAMPLES_H

#include "libxl_numa.h"

struct samples;

/* Takes the first look, after which every vCPU may count. `host` is kept, not
 * copied; `domains` are not kept. */
int samples_new(xc_interface *xch, const struct xln_host *host,
                const struct xln_domains *domains, struct samples **samples_r);
void samples_free(struct samples *samples);

/* Take a sample. A vCPU or a domain that has ended no longer counts. */
int samples_take(struct samples *samples, xc_interface *xch);

/* How often a vCPU of the domain counted for each node of the host, borrowed;
 * NULL: the domain was not there at the first look. */
const uint64_t *samples_of(const struct samples *samples, uint32_t domid);

#endif /* VCPU_SAMPLES_H */
