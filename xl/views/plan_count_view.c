/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "plan_count_view.h"
#include "text/units.h"

static void print_sizes(const struct plan_count *c, FILE *f)
{
    const char *separator = ": ";
    unsigned i;

    for (i = 1; i <= c->nr_nodes; i++) {
        if (!c->by_size[i])
            continue;
        fprintf(f, "%s%u on %u node%s%s", separator, c->by_size[i], i,
                i == 1 ? "" : "s", c->by_size[i] == 1 ? "" : " each");
        separator = ", ";
    }
    fputc('\n', f);
}

int plan_count_view_print(const struct planned *d, const struct plan_count *c,
                          FILE *f)
{
    const char *name = d->config->name;

    fprintf(f, "%s: %u more fit%s as asked", name, c->nr_fit,
            c->nr_fit == 1 ? "s" : "");
    print_sizes(c, f);
    if (!c->full) {
        fprintf(f, "%s: Xen cannot run more domains\n", name);
        return 0;
    }
    if (c->of_cpus)
        fprintf(f, "%s: CPUs run out first\n", name);
    else
        fprintf(f, "%s: memory runs out first: %" PRIu64 " MiB needed, %" PRIu64
                " MiB left, at most %" PRIu64 " MiB of it on one node\n", name,
                IN_MIB(d->decision->plan->need_bytes), IN_MIB(c->left_bytes),
                IN_MIB(c->most_bytes));
    if (c->nr_relaxed)
        fprintf(f, "%s: %u more after relaxing\n", name, c->nr_relaxed);
    return 0;
}

void plan_count_view_json(const struct planned *d, const struct plan_count *c,
                          struct xln__json *json)
{
    xln__json_add_text(json, "name", d->config->name);
    xln__json_add_number(json, "fit", c->nr_fit);
    xln__json_add_number(json, "relaxed", c->nr_relaxed);
    xln__json_add_text(json, "short_of",
                       !c->full ? NULL : c->of_cpus ? "cpus" : "memory");
    xln__json_add_number(json, "left_bytes", c->left_bytes);
    xln__json_add_number(json, "left_on_one_node_bytes", c->most_bytes);
}
