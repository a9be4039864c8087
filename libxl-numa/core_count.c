/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "core_count.h"

static int compare_cores(const void *a, const void *b)
{
    const struct xln_host_cpu *x = *(const struct xln_host_cpu *const *)a;
    const struct xln_host_cpu *y = *(const struct xln_host_cpu *const *)b;

    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->socket != y->socket)
        return x->socket < y->socket ? -1 : 1;
    return (x->core > y->core) - (x->core < y->core);
}

unsigned xln__count_cores(const struct xln_host *host,
                          const struct xln_cpumap *a,
                          const struct xln_cpumap *b,
                          const struct xln_host_cpu **list,
                          unsigned *most_threads)
{
    unsigned cpu, nr = 0, nr_cores = 0, nr_threads = 0;

    XLN_FOREACH(xln_cpumap, cpu, a) {
        if (xln_cpumap_test(b, cpu))
            list[nr++] = xln_host_cpu(host, cpu);
    }
    qsort(list, nr, sizeof(*list), compare_cores);
    for (unsigned i = 0; i < nr; i++) {
        bool begins = !i || compare_cores(&list[i - 1], &list[i]);

        nr_cores += begins;
        nr_threads = begins ? 1 : nr_threads + 1;
        if (nr_threads > *most_threads)
            *most_threads = nr_threads;
    }
    return nr_cores;
}
