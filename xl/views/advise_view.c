/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "advise_view.h"
#include "placement/domain_word.h"

enum { NAME, ID, MEMORY, FROM, TO, DISTANCE, THEN, COMMAND };

const struct table_column advise_view_columns[] = {
    [NAME] = { "NAME", "the domain to move", false, true, 0 },
    [ID] = { "ID", "its number", true, true, 0 },
    [MEMORY] = { "MEMORY", "MiB that are copied: all it has", true, true, TABLE_BYTES },
    [FROM] = { "FROM", "the nodes that it has memory on", false, true, 0 },
    [TO] = { "TO", "the nodes to move it to", false, true, 0 },
    [DISTANCE] = { "DISTANCE", "mean, from its vCPUs to its memory", true,
                   true, 0 },
    [THEN] = { "THEN", "the same after the move", true, true, 0 },
    [COMMAND] = { "COMMAND", "what to type for it", false, false, 0 },
    { 0 }
};

static void put_from(const struct xln_host *host,
                     const struct advise_guest *guest, struct table *table)
{
    struct xln_nodemap *from;
    unsigned node;
    int rc;

    rc = xln_nodemap_new(xln_host_nr_nodes(host), &from);
    if (rc) {
        table_fail(table, rc);
        return;
    }
    for (node = 0; node < xln_host_nr_nodes(host); node++)
        if (guest->pages[node])
            xln_nodemap_set(from, node);
    table_set(table, FROM, xln_nodemap_bits(from));
    xln_nodemap_free(from);
}

static void put_distance(struct table *table, unsigned column,
                         unsigned thousandths)
{
    if (thousandths != XLN_NONE)
        table_real(table, column, thousandths / 1000.0, "%u.%u",
                   thousandths / 1000, thousandths / 100 % 10);
}

/* Under the table too, to be pasted as it stands. */
static void put_command(const struct advise_move *move, struct table *table)
{
    char word[DOMAIN_WORD_MAX], *nodes = NULL, *command = NULL;
    int rc = xln_nodemap_format(move->nodes, &nodes);

    if (!rc && asprintf(&command, "xl numa-move %s %s",
                        domain_word(move->guest->name, move->guest->domid,
                                    word),
                        nodes) < 0) {
        command = NULL;
        rc = -ENOMEM;
    }
    if (rc)
        table_fail(table, rc);
    else
        table_text(table, COMMAND, command);
    if (!rc)
        table_below(table, "%s", command);
    free(nodes);
    free(command);
}

static void put_move(const struct xln_host *host,
                     const struct advise_move *move, struct table *table)
{
    const struct advise_guest *guest = move->guest;

    table_row(table);
    table_text(table, NAME, guest->name);
    table_count(table, ID, guest->domid);
    table_mib(table, MEMORY, move->bytes);
    put_from(host, guest, table);
    table_set(table, TO, xln_nodemap_bits(move->nodes));
    put_distance(table, DISTANCE, move->before);
    put_distance(table, THEN, move->after);
    put_command(move, table);
}

static void put_outcome(const struct advice *advice, const struct planned *d,
                        const struct xln_plan *plan, struct table *table)
{
    char *nodes;
    int rc;

    if (!d && advice->nr)
        return;
    if (!d) {
        table_below(table, "no move would bring memory nearer to its vCPUs");
        return;
    }
    if (!plan) {
        table_below(table, "no moves make room for '%s' on one node",
                    d->config->name);
        return;
    }
    rc = xln_nodemap_format(plan->nodes, &nodes);
    if (rc) {
        table_fail(table, rc);
        return;
    }
    table_below(table, "'%s' %sfits on node %s", d->config->name,
                advice->nr ? "then " : "", nodes);
    free(nodes);
}

int advise_view_table(const struct host_advice *a, const struct planned *d,
                      struct table **table_r)
{
    unsigned i;
    int rc;

    rc = table_new(advise_view_columns, "moves", table_r);
    if (rc)
        return rc;
    for (i = 0; i < a->advice->nr; i++)
        put_move(a->host, &a->advice->moves[i], *table_r);
    put_outcome(a->advice, d, a->plan, *table_r);
    return 0;
}
