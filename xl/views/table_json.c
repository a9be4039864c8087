/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table as JSON. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "json_set.h"
#include "table_inside.h"

static void print_list(struct xln__json *json, const struct cell *cell)
{
    unsigned i;

    xln__json_array(json);
    for (i = 0; i < cell->nr; i++)
        if (cell->type == CELL_TEXTS)
            xln__json_text(json, cell->texts[i]);
        else
            xln__json_id(json, cell->numbers[i]);
    xln__json_array_end(json);
}

/* `wanted`: of these nodes' parts alone; NULL: of all. */
static void print_shares(struct xln__json *json, const struct cell *cell,
                         const bool *wanted)
{
    unsigned i;

    xln__json_array(json);
    for (i = 0; i < cell->nr; i++) {
        if (wanted ? !wanted[i] : !cell->shares[i].bytes)
            continue;
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "node", cell->shares[i].node);
        xln__json_add_number(json, "bytes", cell->shares[i].bytes);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void print_cell(struct xln__json *json, const struct cell *cell,
                       const bool *wanted)
{
    switch (cell->type) {
    case CELL_NOTHING: xln__json_text(json, NULL); break;
    case CELL_TEXT:    xln__json_text(json, cell->text); break;
    case CELL_NUMBER:
    case CELL_SIZE:    xln__json_number(json, cell->number); break;
    case CELL_REAL:    xln__json_real(json, cell->real); break;
    case CELL_BOOL:    xln__json_bool(json, cell->truth); break;
    case CELL_SET:     json_set(json, cell->set); break;
    case CELL_NUMBERS:
    case CELL_TEXTS:   print_list(json, cell); break;
    case CELL_SHARES:  print_shares(json, cell, wanted); break;
    }
}

static void print_key(struct xln__json *json, const struct table_column *c)
{
    static const struct { unsigned flag; const char *suffix; } units[] = {
        { TABLE_BYTES, "_bytes" }, { TABLE_S, "_s" }, { TABLE_US, "_us" },
        { TABLE_NS, "_ns" }, { TABLE_PERCENT, "_percent" }, { 0, "" },
    };
    char key[64];
    unsigned i, unit;

    for (unit = 0; units[unit].flag && !(c->flags & units[unit].flag); unit++)
        ;
    for (i = 0; i < sizeof(key) - 16 && c->name[i]; i++)
        key[i] = tolower((unsigned char)c->name[i]);
    snprintf(key + i, sizeof(key) - i, "%s", units[unit].suffix);
    xln__json_key(json, key);
}

/* ---- which columns ---- */

/* Columns in their order, and, where -o has parts of the whole, which. */
struct selection {
    unsigned *columns, nr;
    bool *parts;                /* NULL: all of them */
};

static unsigned first_part(const struct table *table)
{
    unsigned i;

    for (i = 0; !(table->columns[i].flags & TABLE_PART); i++)
        ;
    return i;
}

/* -o may have one twice, a key may not. */
static void select_column(struct selection *s, unsigned column)
{
    unsigned i;

    for (i = 0; i < s->nr; i++)
        if (s->columns[i] == column)
            return;
    s->columns[s->nr++] = column;
}

static int select_part(const struct table *table, struct selection *s,
                       unsigned column)
{
    if (!s->parts)
        s->parts = calloc(table->nr_columns, sizeof(*s->parts));
    if (!s->parts)
        return -ENOMEM;
    s->parts[column - first_part(table)] = true;
    select_column(s, table__find_whole(table));
    return 0;
}

static int select_columns(const struct table *table, struct selection *s)
{
    unsigned nr = table->chosen ? table->nr_shown : table->nr_columns, i, c;
    int rc = 0;

    s->columns = calloc(nr + 1, sizeof(*s->columns));
    if (!s->columns)
        return -ENOMEM;
    for (i = 0; i < nr && !rc; i++) {
        c = table->chosen ? table->order[i] : i;
        if (!(table->columns[c].flags & TABLE_PART))
            select_column(s, c);
        else if (table->chosen)
            rc = select_part(table, s, c);
    }
    if (table->chosen && table__find_whole(table) != XLN_NONE &&
        table_shows(table, table__find_whole(table))) {
        free(s->parts);
        s->parts = NULL;
    }
    return rc;
}

/* ---- rows ---- */

static void print_row(const struct table *table, unsigned row,
                      const struct selection *s, struct xln__json *json)
{
    const struct cell *cells = table->cells + row * table->nr_columns;
    unsigned i;

    xln__json_object(json);
    for (i = 0; i < s->nr; i++) {
        print_key(json, &table->columns[s->columns[i]]);
        print_cell(json, &cells[s->columns[i]], s->parts);
    }
    xln__json_object_end(json);
}

void table_add_json(const struct table *table, struct xln__json *json)
{
    struct selection s = { 0 };
    unsigned row;
    int rc = table->rc ? table->rc : select_columns(table, &s);

    if (rc)
        xln__json_fail(json, rc);
    if (!rc) {
        xln__json_key(json, table->rows_name);
        xln__json_array(json);
        for (row = 0; row < table->nr_rows - table->nr_feet; row++)
            print_row(table, row, &s, json);
        xln__json_array_end(json);
    }
    free(s.columns);
    free(s.parts);
}

int table_print_json(const struct table *table, struct xln__json *json,
                     FILE *f)
{
    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", JSON_VERSION);
    table_add_json(table, json);
    xln__json_object_end(json);
    return xln__json_print(json, f);
}
