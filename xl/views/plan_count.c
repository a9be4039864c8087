/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan_count.h"
#include "plan_view.h"
#include "text/units.h"

/* Xen has no more numbers for domains. */
#define MAX_DOMAINS DOMID_FIRST_RESERVED

struct count {
    unsigned nr_fit, nr_relaxed;
    unsigned *by_size;          /* of those that fit, by number of nodes */
    int first_code;             /* of the first one */

    /* When one does not fit as asked any more: whether it is for the CPUs;
     * what is left then, and how much of it on one node. */
    bool full, of_cpus;
    uint64_t left_bytes, most_bytes;
};

static void look_at_rest(const struct planned *d, struct count *c)
{
    uint64_t bytes;
    unsigned node;

    c->full = true;
    c->of_cpus = d->decision->status == DECIDE_RELAXED &&
                 !(d->decision->plan->relaxed & XLN_RELAXED_MEMORY);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(d->host)) {
        bytes = xln_host_node_usable(xln_host_node(d->host, node), true,
                                     d->decision->request->dma_reserve_bytes);
        c->left_bytes += bytes;
        if (bytes > c->most_bytes)
            c->most_bytes = bytes;
    }
}

/* Another one. False: it does not fit, or something failed. */
static bool take(const struct planned *d, struct count *c)
{
    bool first = !c->nr_fit && !c->nr_relaxed && !c->full;

    if (first)
        c->first_code = plan_view_code(d);
    if (d->decision->status != DECIDE_FITS && !c->full)
        look_at_rest(d, c);
    if (d->decision->status == DECIDE_NOTHING_FITS)
        return false;
    if (c->full) {
        c->nr_relaxed++;
    } else {
        c->nr_fit++;
        c->by_size[xln_nodemap_count(d->decision->plan->nodes)]++;
    }
    return true;
}

static bool count_all(struct planned *d, const struct xln_host *host,
                      struct count *c)
{
    struct xln_host *next = NULL;
    bool good;

    do {
        good = planner_place(d, next ? next : host);
        xln_host_free(next);
        next = NULL;
        if (!good || !take(d, c))
            break;
        good = planner_next_host(d, &next);
    } while (good && c->nr_fit + c->nr_relaxed < MAX_DOMAINS);
    xln_host_free(next);
    return good;
}

static void print_count(const struct planned *d, const struct count *c,
                        unsigned nr_nodes)
{
    const char *separator = ": ";
    unsigned i;

    printf("%s: %u more fit%s as asked", d->config->name, c->nr_fit,
           c->nr_fit == 1 ? "s" : "");
    for (i = 1; i <= nr_nodes; i++) {
        if (!c->by_size[i])
            continue;
        printf("%s%u on %u node%s%s", separator, c->by_size[i], i,
               i == 1 ? "" : "s", c->by_size[i] == 1 ? "" : " each");
        separator = ", ";
    }
    putchar('\n');
    if (!c->full) {
        printf("%s: Xen has no more domains than that\n", d->config->name);
        return;
    }
    if (c->of_cpus)
        printf("%s: CPUs are what is short\n", d->config->name);
    else
        printf("%s: memory runs out first: %" PRIu64 " MiB needed, %" PRIu64
               " MiB left, at most %" PRIu64 " MiB of it on one node\n",
               d->config->name, IN_MIB(d->decision->plan->need_bytes),
               IN_MIB(c->left_bytes), IN_MIB(c->most_bytes));
    if (c->nr_relaxed)
        printf("%s: %u more after relaxing\n", d->config->name, c->nr_relaxed);
}

static int print_json(const struct planned *d, const struct count *c)
{
    struct xln__json *json = xln__json_new();

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", 1);
    xln__json_add_text(json, "name", d->config->name);
    xln__json_add_number(json, "fit", c->nr_fit);
    xln__json_add_number(json, "relaxed", c->nr_relaxed);
    xln__json_add_text(json, "short_of",
                       !c->full ? NULL : c->of_cpus ? "cpus" : "memory");
    xln__json_add_number(json, "left", c->left_bytes);
    xln__json_add_number(json, "left_on_one_node", c->most_bytes);
    xln__json_object_end(json);
    return xln__json_print(json, stdout);
}

int plan_count(struct planned *d, const struct xln_host *host, bool json)
{
    unsigned nr_nodes = xln_host_nr_nodes(host);
    struct count c = { .by_size = calloc(nr_nodes + 1, sizeof(unsigned)) };
    int rc = c.by_size ? 0 : -ENOMEM;

    if (!rc && !count_all(d, host, &c)) {
        free(c.by_size);
        return EXIT_FAILURE;
    }
    if (!rc && json)
        rc = print_json(d, &c);
    else if (!rc)
        print_count(d, &c, nr_nodes);
    free(c.by_size);
    if (!rc)
        return c.first_code;
    notes_add_error(d->notes, "numa-plan", rc, NULL);
    return EXIT_FAILURE;
}
