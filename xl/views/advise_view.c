/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "advise_view.h"
#include "label.h"
#include "placement/domain_word.h"
#include "text/units.h"

#define NAME_LENGTH 60           /* characters of a name in a line */

enum { NAME, ID, MEMORY, FROM, TO, DISTANCE, THEN, COMMAND };

const struct table_column advise_view_columns[] = {
    [NAME] = { "NAME", "the domain to move", false, true, 0 },
    [ID] = { "ID", "its number", true, true, 0 },
    [MEMORY] = { "MEMORY", "MiB to copy: all that it has", true, true,
                 TABLE_BYTES },
    [FROM] = { "FROM", "the nodes that it has memory on", false, true, 0 },
    [TO] = { "TO", "the nodes to move it to", false, true, 0 },
    [DISTANCE] = { "DISTANCE", "mean, from its vCPUs to its memory", true,
                   true, 0 },
    [THEN] = { "THEN", "the same after the move", true, true, 0 },
    [COMMAND] = { "COMMAND", "the command that makes the move", false, false,
                  0 },
    { 0 }
};

/* The nodes that have some of its memory. NULL: memory ran out. */
static struct xln_nodemap *nodes_of(const struct xln_host *host,
                                    const struct advise_guest *guest)
{
    struct xln_nodemap *nodes;
    unsigned node;

    if (xln_nodemap_new(xln_host_nr_nodes(host), &nodes))
        return NULL;
    for (node = 0; node < xln_host_nr_nodes(host); node++)
        if (guest->pages[node])
            xln_nodemap_set(nodes, node);
    return nodes;
}

static void put_from(const struct xln_host *host,
                     const struct advise_guest *guest, struct table *table)
{
    struct xln_nodemap *from = nodes_of(host, guest);

    if (from)
        table_set(table, FROM, xln_nodemap_bits(from));
    else
        table_fail(table, -ENOMEM);
    xln_nodemap_free(from);
}

static void put_distance(struct table *table, unsigned column,
                         unsigned thousandths)
{
    if (thousandths != XLN_NONE)
        table_real(table, column, thousandths / 1000.0, "%u.%u",
                   thousandths / 1000, thousandths / 100 % 10);
}

/* The commands come below the table, too, to be pasted as they are. */
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

/* Which vCPUs to move instead of the memory. NULL: no memory. */
static char *pin_command(const struct xln_host *host,
                         const struct advise_guest *guest)
{
    char word[DOMAIN_WORD_MAX], *set = NULL, *command = NULL;
    struct xln_nodemap *nodes = nodes_of(host, guest);

    if (nodes && !xln_nodemap_format(nodes, &set) &&
        asprintf(&command, "xl vcpu-pin %s all %snodes:%s",
                 domain_word(guest->name, guest->domid, word),
                 guest->need.nr_hard ? "" : "- ", set) < 0)
        command = NULL;
    xln_nodemap_free(nodes);
    free(set);
    return command;
}

static void put_stay(const struct xln_host *host,
                     const struct advise_stay *stay, struct table *table)
{
    const struct advise_guest *guest = stay->guest;
    char name[LABEL_SIZE(NAME_LENGTH)], *command;

    label_put(guest->name ? guest->name : "", NAME_LENGTH, name);
    switch (stay->reason) {
    case ADVISE_NO_ROOM:
        table_below(table, "'%s' stays remote: the nodes that its request "
                           "allows have no room for a copy of %" PRIu64
                           " MiB", name,
                    IN_MIB(guest->need.memory_bytes +
                           guest->need.overhead_bytes));
        return;
    case ADVISE_ABSENT:
        table_below(table, "'%s' stays remote: it asks for nodes that are not "
                    "on this host", name);
        return;
    case ADVISE_NO_NEARER:
        table_below(table, "'%s' stays remote: the nodes that its request "
                           "allows are not nearer", name);
        return;
    case ADVISE_LIBVIRTS:
        table_below(table, "'%s' stays remote: libvirt created it, and would "
                           "lose it: its XML decides where it is after a reboot",
                    name);
        return;
    case ADVISE_REQUESTED:
        break;
    }
    command = pin_command(host, guest);
    if (command)
        table_below(table, "'%s' stays remote: its memory is on the nodes "
                           "that it asks for; to move its vCPUs: %s",
                    name, command);
    else
        table_fail(table, -ENOMEM);
    free(command);
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
    for (i = 0; i < a->advice->nr_stays; i++)
        put_stay(a->host, &a->advice->stays[i], *table_r);
    return 0;
}
