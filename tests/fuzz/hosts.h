/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claims about every host, wherever it was read from. */
#ifndef FUZZ_HOSTS_H
#define FUZZ_HOSTS_H

#include <libxl_numa.h>

#include "fuzz.h"

typedef int host_reader(const char *text, size_t size, struct xln_host **host_r,
                        char **note_r, char **error_r);

/* NULL: it is refused, and nothing is wrong with that. */
static inline struct xln_host *read_as(host_reader *read, const char *text,
                                       size_t size)
{
    struct xln_host *host = UNTOUCHED;
    char *note = UNTOUCHED, *error = NULL;
    int rc = read(text, size, &host, &note, &error);

    if (!rc) {
        claim(!error, "well, but '%s'", error);
        if (note)
            claim_error(note, "");
        free(note);
        return host;
    }
    claim(rc == -EINVAL && host == UNTOUCHED && note == UNTOUCHED,
          "%d, and an output", rc);
    if (error && !strncmp(error, "line ", 5))
        claim_line(error, "line ", text, size);
    else
        claim_error(error, "");
    free(error);
    return NULL;
}

static inline void claim_distances(const struct xln_host *host, unsigned node)
{
    unsigned other, distance;

    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(host)) {
        distance = xln_host_distance(host, node, other);
        claim(distance == XLN_NONE || (distance >= 10 && distance < 255),
              "a distance of %u", distance);
    }
}

static inline void claim_same_distances(const struct xln_host *a,
                                        const struct xln_host *b,
                                        unsigned node)
{
    unsigned other;

    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(a))
        claim(xln_host_distance(a, node, other) ==
              xln_host_distance(b, node, other), "another distance from %u "
              "to %u", node, other);
}

#endif /* FUZZ_HOSTS_H */
