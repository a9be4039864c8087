/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A trace: guests that come and go, as lines of a CSV file
 *
 *     time,name,vcpus,mib,lifetime
 *     0.25,web1,2,4096,3600
 *     12,db,8,65536,
 *
 * in ascending order of their time. Times are seconds, with up to nine digits
 * behind the point; a guest without a lifetime stays. The first line may be
 * these names; empty lines and those that begin with '#' are skipped.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>
#include <stdio.h>

#define TRACE_MAX_GUESTS 1000000
#define TRACE_STAYS UINT64_MAX

struct arrival {
    uint64_t time_ns;
    uint64_t lifetime_ns;       /* or TRACE_STAYS */
    char *name;
    unsigned nr_vcpus;
    uint64_t bytes;
};

struct trace {
    unsigned nr;
    struct arrival *list;
};

/*
 * Read all of it; the caller frees it. -EINVAL with a malloc'd line in
 * *error_r that names `source`, line, column, value and what was expected;
 * -EFBIG, also with a line: too many guests; -ENOMEM; -errno of reading.
 */
int trace_read(FILE *f, const char *source, struct trace **trace_r,
               char **error_r);
void trace_free(struct trace *trace);

#endif /* TRACE_H */
