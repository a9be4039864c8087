/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table as JSON. */
#include <ctype.h>
#include <errno.h>

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

static void print_shares(struct xln__json *json, const struct cell *cell)
{
    unsigned i;

    xln__json_array(json);
    for (i = 0; i < cell->nr; i++) {
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "node", cell->shares[i].node);
        xln__json_add_number(json, "bytes", cell->shares[i].bytes);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void print_cell(struct xln__json *json, const struct cell *cell)
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
    case CELL_SHARES:  print_shares(json, cell); break;
    }
}

static void print_key(struct xln__json *json, const char *name)
{
    char key[64];
    unsigned i;

    for (i = 0; i < sizeof(key) - 1 && name[i]; i++)
        key[i] = tolower((unsigned char)name[i]);
    key[i] = '\0';
    xln__json_key(json, key);
}

void table_add_json(const struct table *table, struct xln__json *json)
{
    unsigned row, i;

    if (table->rc) {
        xln__json_fail(json, table->rc);
        return;
    }
    xln__json_key(json, table->rows_name);
    xln__json_array(json);
    for (row = 0; row < table->nr_rows - table->nr_feet; row++) {
        xln__json_object(json);
        for (i = 0; i < table->nr_columns; i++) {
            if (table->columns[i].flags & TABLE_WHOLE)
                continue;
            print_key(json, table->columns[i].name);
            print_cell(json, &table->cells[row * table->nr_columns + i]);
        }
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

int table_print_json(const struct table *table, FILE *f)
{
    struct xln__json *json = xln__json_new();

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", 1);
    table_add_json(table, json);
    xln__json_object_end(json);
    return xln__json_print(json, f);
}
