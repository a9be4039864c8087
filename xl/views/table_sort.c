/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of a table's rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_inside.h"

/* A row, and the cell by which it is ordered. */
struct item {
    const struct cell *cells, *key;
    unsigned row;
    bool descending;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t sum_of(const struct cell *cell)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < cell->nr; i++)
        sum += cell->shares[i].bytes;
    return sum;
}

static int compare_lists(const struct cell *a, const struct cell *b)
{
    unsigned i;
    int order;

    for (i = 0; i < a->nr && i < b->nr; i++) {
        order = a->type == CELL_TEXTS
                    ? strverscmp(a->texts[i], b->texts[i])
                    : compare_numbers(a->numbers[i], b->numbers[i]);
        if (order)
            return order;
    }
    return compare_numbers(a->nr, b->nr);
}

/* Both are known, and of one type. */
static int compare_cells(const struct cell *a, const struct cell *b)
{
    switch (a->type) {
    case CELL_NOTHING: return 0;
    case CELL_TEXT:    return strverscmp(a->text, b->text);
    case CELL_NUMBER:
    case CELL_SIZE:    return compare_numbers(a->number, b->number);
    case CELL_REAL:    return (a->real > b->real) - (a->real < b->real);
    case CELL_BOOL:    return a->truth - b->truth;
    case CELL_SET:     return strverscmp(a->text, b->text);
    case CELL_NUMBERS:
    case CELL_TEXTS:   return compare_lists(a, b);
    case CELL_SHARES:  return compare_numbers(sum_of(a), sum_of(b));
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct item *i = a, *j = b;
    bool known_i = i->key->type != CELL_NOTHING,
         known_j = j->key->type != CELL_NOTHING;
    int order = 0;

    if (known_i != known_j)
        return known_i ? -1 : 1;
    if (i->key->type == j->key->type)
        order = compare_cells(i->key, j->key);
    if (order)
        return i->descending ? -order : order;
    return compare_numbers(i->row, j->row);
}

static int sort_by(struct table *table, unsigned column, bool descending)
{
    unsigned nr = table->nr_rows - table->nr_feet, i;
    size_t row_size = table->nr_columns * sizeof(*table->cells);
    struct item *items = calloc(nr + 1, sizeof(*items));
    struct cell *cells = calloc(nr + 1, row_size);

    if (!items || !cells) {
        free(items);
        free(cells);
        return -ENOMEM;
    }
    for (i = 0; i < nr; i++) {
        items[i].cells = table->cells + i * table->nr_columns;
        items[i].key = items[i].cells + column;
        items[i].row = i;
        items[i].descending = descending;
    }
    qsort(items, nr, sizeof(*items), compare);
    for (i = 0; i < nr; i++)
        memcpy(cells + i * table->nr_columns, items[i].cells, row_size);
    if (nr)
        memcpy(table->cells, cells, nr * row_size);
    free(items);
    free(cells);
    return 0;
}

int table_sort(struct table *table, const char *name, char **error_r)
{
    bool descending = *name == '-';
    unsigned column;

    name += descending;
    column = table__find(table, name, strlen(name));
    if (column != XLN_NONE)
        return table->rc ? table->rc : sort_by(table, column, descending);
    *error_r = table__unknown_column(table, name, strlen(name));
    return *error_r ? -EINVAL : -ENOMEM;
}
