/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node_list.h"

#define EXPECTED "expected nodes such as '0-3,^2', 'all' or 'auto'"

static void complain_of_absent(const struct xln_host *host, const char *text,
                               const char *absent)
{
    char *here;

    if (xln_nodemap_format(xln_host_nodes(host), &here))
        return;
    complain("'%s': node %s is not on this host: it has nodes %s", text, absent,
             here);
    free(here);
}

/* Numbers between those of nodes may be in no use. */
static bool check_nodes(const struct xln_host *host, const char *text,
                        struct xln_nodemap *nodes)
{
    const struct xln_nodemap *here = xln_host_nodes(host);
    char *absent;

    if (strstr(text, "all"))
        xln_nodemap_and(nodes, here);
    if (xln_nodemap_is_empty(nodes)) {
        complain("'%s' is not a node: " EXPECTED, text);
        return false;
    }
    if (xln_nodemap_is_subset(nodes, here))
        return true;
    xln_nodemap_andnot(nodes, here);
    if (!xln_nodemap_format(nodes, &absent)) {
        complain_of_absent(host, text, absent);
        free(absent);
    }
    return false;
}

/* Report what the parser found at an offset of the text. */
static void complain_of_text(const struct xln_host *host, const char *text,
                             size_t at, int rc)
{
    char number[24];

    if (rc == -ERANGE) {
        snprintf(number, sizeof(number), "%lu", strtoul(text + at, NULL, 10));
        complain_of_absent(host, text, number);
    } else if (rc == -EINVAL) {
        complain("'%s': wrong at offset %zu: " EXPECTED, text, at);
    } else {
        complain("%s", strerror(-rc));
    }
}

bool nodes_read(const struct xln_host *host, const char *text,
                struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes = NULL;
    size_t at = 0;
    int rc;

    *nodes_r = NULL;
    if (!strcmp(text, "auto"))
        return true;
    rc = xln_nodemap_new(xln_host_nr_nodes(host), &nodes);
    if (!rc)
        rc = xln_nodemap_parse(text, 0, nodes, &at);
    if (rc)
        complain_of_text(host, text, at, rc);
    if (!rc && check_nodes(host, text, nodes)) {
        *nodes_r = nodes;
        return true;
    }
    xln_nodemap_free(nodes);
    return false;
}
