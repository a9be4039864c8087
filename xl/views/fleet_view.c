/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "fleet_view.h"

enum { HOST, NR_NODES, DISTANCE, LEFT, HOST_LEFT, UNFIT, RELAXED, AWAY,
       VERDICT, REASON };

const struct table_column fleet_view_columns[] = {
    [HOST] = { "HOST", "the value of --host", false, true, 0 },
    [NR_NODES] = { "NR_NODES", "how many nodes the domains have, added up",
                   true, true, 0 },
    [DISTANCE] = { "DISTANCE", "the largest distance between nodes of one "
                               "domain", true, true, 0 },
    [LEFT] = { "LEFT", "MiB left on the nodes that they use", true, true,
               TABLE_BYTES },
    [HOST_LEFT] = { "HOST_LEFT", "MiB left on the host", true, true,
                    TABLE_BYTES },
    [UNFIT] = { "UNFIT", "domains that do not fit", true, false, 0 },
    [RELAXED] = { "RELAXED", "domains that fit only after relaxing", true,
                  false, 0 },
    [AWAY] = { "AWAY", "MiB that are not on the nodes of their domain", true,
               false, TABLE_BYTES },
    [VERDICT] = { "VERDICT", "chosen, or why not", false, true, 0 },
    [REASON] = { "REASON", "the verdict in a word, for programs", false,
                 false, 0 },
    { 0 }
};

/* For programs, and for people: why it is not the first one. */
static const struct {
    const char *key, *text;
} reasons[] = {
    [FLEET_LEFT_OUT] = { "left_out", "left out" },
    [FLEET_UNFIT] = { "unfit", "does not fit" },
    [FLEET_RELAXED] = { "relaxed", "fits only after relaxing" },
    [FLEET_AWAY] = { "away", "more memory is on other nodes" },
    [FLEET_MORE_NODES] = { "more_nodes", "fits, but more nodes" },
    [FLEET_FARTHER] = { "farther", "fits, but farther apart" },
    [FLEET_LEFT] = { "left", "fits, but leaves more memory" },
    [FLEET_ORDER] = { "order", "as good, but named later" },
};

static void put_distance(struct table *table, unsigned distance)
{
    if (distance == XLN_NONE)
        table_null(table, DISTANCE, "cut off");
    else if (distance)
        table_count(table, DISTANCE, distance);
}

/* If some domains do not fit, the nodes of the others mean little. */
static void put_figures(const struct offer *offer, struct table *table)
{
    const struct planned_cost *cost = &offer->cost;

    table_count(table, UNFIT, cost->nr_unfit);
    table_count(table, RELAXED, cost->nr_relaxed);
    if (cost->nr_unfit)
        return;
    table_mib(table, AWAY, cost->away_bytes);
    table_count(table, NR_NODES, cost->nr_nodes);
    put_distance(table, offer->distance);
    table_mib(table, LEFT, offer->left_bytes);
    table_mib(table, HOST_LEFT, offer->host_left_bytes);
}

static void put_part(struct table *table, unsigned nr, unsigned of,
                     const char *what)
{
    char text[64];

    snprintf(text, sizeof(text), "%u of %u %s", nr, of, what);
    table_text(table, VERDICT, text);
}

/* With the first one, or by itself where there is nothing to choose. */
static void put_verdict(const struct fleet *fleet, const struct offer *offer,
                        struct table *table)
{
    enum fleet_reason reason = fleet_compare(fleet->offers, offer);
    unsigned nr = fleet->nr_configs;

    if (offer == fleet_choice(fleet)) {
        table_text(table, VERDICT, offer->cost.nr_relaxed
                                       ? "chosen, after relaxing" : "chosen");
        table_text(table, REASON, "chosen");
        return;
    }
    if (offer->good && offer->cost.nr_unfit)
        reason = FLEET_UNFIT;
    if (reason == FLEET_UNFIT && nr > 1)
        put_part(table, offer->cost.nr_unfit, nr, "do not fit");
    else if (reason == FLEET_RELAXED && nr > 1)
        put_part(table, offer->cost.nr_relaxed, nr, "fit only after relaxing");
    else
        table_text(table, VERDICT, reasons[reason].text);
    table_text(table, REASON, reasons[reason].key);
}

static void put_row(const struct fleet *fleet, const struct offer *offer,
                    struct table *table)
{
    table_row(table);
    table_text(table, HOST, offer->host);
    if (offer->good)
        put_figures(offer, table);
    put_verdict(fleet, offer, table);
}

int fleet_view_table(const struct fleet *fleet, struct table **table_r)
{
    unsigned i;
    int rc = table_new(fleet_view_columns, "hosts", table_r);

    for (i = 0; i < fleet->nr && !rc; i++)
        put_row(fleet, &fleet->offers[i], *table_r);
    return rc;
}
