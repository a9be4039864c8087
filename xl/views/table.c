/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "json_set.h"
#include "table.h"
#include "text/units.h"

enum cell_type { CELL_NOTHING, CELL_TEXT, CELL_NUMBER, CELL_REAL, CELL_BOOL,
                 CELL_SET, CELL_NUMBERS, CELL_TEXTS };

struct cell {
    enum cell_type type;
    char *text;
    union {
        uint64_t number;
        double real;
        bool truth;
        struct xln_bitmap *set;
        unsigned *numbers;
        char **texts;
    };
    unsigned nr;                /* of the last two */
};

struct table {
    const struct table_column *columns;
    const char *rows_name;
    unsigned nr_columns;
    unsigned *order, nr_shown;
    struct cell *cells;         /* row by row */
    unsigned nr_rows, size_rows;
    char *above, *below;        /* lines of text, or NULL */
    int rc;                     /* the first error, kept until it is printed */
};

static int show_column(struct table *table, unsigned column)
{
    unsigned *order = realloc(table->order,
                              (table->nr_shown + 1) * sizeof(*order));

    if (!order)
        return -ENOMEM;
    order[table->nr_shown++] = column;
    table->order = order;
    return 0;
}

int table_new(const struct table_column *columns, const char *rows,
              struct table **table_r)
{
    struct table *table = calloc(1, sizeof(*table));
    unsigned i;

    if (!table)
        return -ENOMEM;
    table->columns = columns;
    table->rows_name = rows;
    for (i = 0; columns[i].name; i++) {
        if (columns[i].shown && show_column(table, i)) {
            table_free(table);
            return -ENOMEM;
        }
    }
    table->nr_columns = i;
    *table_r = table;
    return 0;
}

static void dispose_cell(struct cell *cell)
{
    unsigned i;

    free(cell->text);
    if (cell->type == CELL_SET)
        xln_bitmap_free(cell->set);
    if (cell->type == CELL_NUMBERS)
        free(cell->numbers);
    if (cell->type == CELL_TEXTS) {
        for (i = 0; i < cell->nr; i++)
            free(cell->texts[i]);
        free(cell->texts);
    }
}

void table_free(struct table *table)
{
    unsigned i;

    if (!table)
        return;
    for (i = 0; i < table->nr_rows * table->nr_columns; i++)
        dispose_cell(&table->cells[i]);
    free(table->cells);
    free(table->order);
    free(table->above);
    free(table->below);
    free(table);
}

/* ---- columns ---- */

static unsigned find_column(const struct table *table, const char *name,
                            size_t length)
{
    unsigned i;

    for (i = 0; i < table->nr_columns; i++)
        if (strlen(table->columns[i].name) == length &&
            !strncasecmp(table->columns[i].name, name, length))
            return i;
    return XLN_NONE;
}

/* "unknown column 'X': expected some of A, B, C"; NULL: no memory. */
static char *unknown_column(const struct table *table, const char *name,
                            size_t length)
{
    const struct table_column *c;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, "unknown column '%.*s': expected some of ", (int)length, name);
    for (c = table->columns; c->name; c++)
        fprintf(f, "%s%s", c == table->columns ? "" : ", ", c->name);
    if (!fclose(f))
        return text;
    free(text);
    return NULL;
}

int table_choose(struct table *table, const char *names, char **error_r)
{
    const char *end;
    unsigned column;
    int rc;

    if (*names == '+')
        names++;
    else
        table->nr_shown = 0;
    for (;; names = end + 1) {
        end = strchrnul(names, ',');
        column = find_column(table, names, end - names);
        if (column == XLN_NONE) {
            *error_r = unknown_column(table, names, end - names);
            return *error_r ? -EINVAL : -ENOMEM;
        }
        rc = show_column(table, column);
        if (rc || !*end)
            return rc;
    }
}

/* ---- errors ---- */

void table_fail(struct table *table, int rc)
{
    if (!table->rc)
        table->rc = rc;
}

/* Whether it is there. */
static bool keep(struct table *table, const void *memory)
{
    if (!memory)
        table_fail(table, -ENOMEM);
    return memory;
}

/* ---- cells ---- */

void table_row(struct table *table)
{
    unsigned size = table->size_rows ? 2 * table->size_rows : 16;
    size_t row_size = table->nr_columns * sizeof(*table->cells);
    struct cell *cells;

    if (table->rc)
        return;
    if (table->nr_rows == table->size_rows) {
        cells = realloc(table->cells, size * row_size);
        if (!keep(table, cells))
            return;
        table->cells = cells;
        table->size_rows = size;
    }
    memset(table->cells + table->nr_rows * table->nr_columns, 0, row_size);
    table->nr_rows++;
}

/* NULL: the table has failed. */
static struct cell *cell_of(struct table *table, unsigned column)
{
    if (table->rc)
        return NULL;
    return &table->cells[(table->nr_rows - 1) * table->nr_columns + column];
}

/* A cell with this text; its type follows. NULL: the table has failed. */
static struct cell *put(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return NULL;
    cell->text = strdup(text);
    return keep(table, cell->text) ? cell : NULL;
}

__attribute__((format(printf, 3, 0)))
static struct cell *put_formatted(struct table *table, unsigned column,
                                  const char *fmt, va_list ap)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return NULL;
    if (vasprintf(&cell->text, fmt, ap) < 0)
        cell->text = NULL;
    return keep(table, cell->text) ? cell : NULL;
}

void table_text(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = text ? put(table, column, text) : NULL;

    if (cell)
        cell->type = CELL_TEXT;
}

void table_null(struct table *table, unsigned column, const char *text)
{
    put(table, column, text);
}

void table_number(struct table *table, unsigned column, uint64_t number,
                  const char *fmt, ...)
{
    struct cell *cell;
    va_list ap;

    va_start(ap, fmt);
    cell = put_formatted(table, column, fmt, ap);
    va_end(ap);
    if (!cell)
        return;
    cell->type = CELL_NUMBER;
    cell->number = number;
}

void table_count(struct table *table, unsigned column, unsigned number)
{
    table_number(table, column, number, "%u", number);
}

void table_mib(struct table *table, unsigned column, uint64_t bytes)
{
    table_number(table, column, bytes, "%" PRIu64, IN_MIB(bytes));
}

void table_real(struct table *table, unsigned column, double number,
                const char *fmt, ...)
{
    struct cell *cell;
    va_list ap;

    va_start(ap, fmt);
    cell = put_formatted(table, column, fmt, ap);
    va_end(ap);
    if (!cell)
        return;
    cell->type = CELL_REAL;
    cell->real = number;
}

static void put_bool(struct table *table, unsigned column, bool value,
                     const char *text)
{
    struct cell *cell = put(table, column, text);

    if (!cell)
        return;
    cell->type = CELL_BOOL;
    cell->truth = value;
}

void table_bool(struct table *table, unsigned column, bool value)
{
    put_bool(table, column, value, value ? "yes" : "no");
}

void table_mark(struct table *table, unsigned column, bool value,
                const char *mark)
{
    put_bool(table, column, value, value ? mark : "");
}

/* `text` replaces the list of numbers; NULL: it does not. */
static void put_set(struct table *table, unsigned column,
                    const struct xln_bitmap *set, const char *text)
{
    struct cell *cell = cell_of(table, column);
    int rc;

    if (!cell)
        return;
    rc = xln_bitmap_copy(set, &cell->set);
    if (!rc)
        cell->type = CELL_SET;
    if (!rc && !text && !xln_bitmap_is_empty(set))
        rc = xln_bitmap_format(set, &cell->text);
    else if (!rc)
        keep(table, cell->text = strdup(text ? text : "none"));
    if (rc)
        table_fail(table, rc);
}

void table_set(struct table *table, unsigned column,
               const struct xln_bitmap *set)
{
    put_set(table, column, set, NULL);
}

void table_affinity(struct table *table, unsigned column,
                    const struct xln_bitmap *set,
                    const struct xln_bitmap *existing)
{
    bool full = xln_bitmap_count(set) == xln_bitmap_nr_bits(set);
    struct cell *cell;

    put_set(table, column, set, full ? "all" : NULL);
    cell = cell_of(table, column);
    if (cell)
        xln_bitmap_and(cell->set, existing);
}

/* The text of a list: "1,2" from what `print` writes for each item. */
static void put_list(struct table *table, struct cell *cell,
                     void (*print)(FILE *f, const struct cell *cell,
                                   unsigned i))
{
    size_t size;
    unsigned i;
    FILE *f = open_memstream(&cell->text, &size);

    if (!keep(table, f))
        return;
    if (!cell->nr && cell->type == CELL_TEXTS)
        fputs("none", f);
    for (i = 0; i < cell->nr; i++) {
        if (i)
            fputc(',', f);
        print(f, cell, i);
    }
    if (fclose(f))
        table_fail(table, -ENOMEM);
    keep(table, cell->text);
}

static void print_number(FILE *f, const struct cell *cell, unsigned i)
{
    if (cell->numbers[i] == XLN_NONE)
        fputc('-', f);
    else
        fprintf(f, "%u", cell->numbers[i]);
}

void table_numbers(struct table *table, unsigned column,
                   const unsigned *numbers, unsigned nr)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->numbers = calloc(nr + 1, sizeof(*numbers));
    if (!keep(table, cell->numbers))
        return;
    cell->type = CELL_NUMBERS;
    cell->nr = nr;
    memcpy(cell->numbers, numbers, nr * sizeof(*numbers));
    put_list(table, cell, print_number);
}

static void print_text(FILE *f, const struct cell *cell, unsigned i)
{
    fputs(cell->texts[i], f);
}

void table_texts(struct table *table, unsigned column, char *const *texts,
                 unsigned nr)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->texts = calloc(nr + 1, sizeof(*cell->texts));
    if (!keep(table, cell->texts))
        return;
    cell->type = CELL_TEXTS;
    for (; cell->nr < nr; cell->nr++) {
        cell->texts[cell->nr] = strdup(texts[cell->nr]);
        if (!keep(table, cell->texts[cell->nr]))
            return;
    }
    put_list(table, cell, print_text);
}

/* ---- around it ---- */

__attribute__((format(printf, 3, 0)))
static void add_line(struct table *table, char **lines, const char *fmt,
                     va_list ap)
{
    char *line, *more;

    if (vasprintf(&line, fmt, ap) < 0)
        line = NULL;
    if (!keep(table, line))
        return;
    if (asprintf(&more, "%s%s\n", *lines ? *lines : "", line) < 0)
        more = NULL;
    free(line);
    if (!keep(table, more))
        return;
    free(*lines);
    *lines = more;
}

void table_above(struct table *table, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line(table, &table->above, fmt, ap);
    va_end(ap);
}

void table_below(struct table *table, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line(table, &table->below, fmt, ap);
    va_end(ap);
}

/* ---- printing ---- */

static int fill_line(const struct table *table, unsigned row,
                     struct libscols_line *line)
{
    const struct cell *cell;
    unsigned i;
    int rc = 0;

    for (i = 0; i < table->nr_shown && !rc; i++) {
        cell = &table->cells[row * table->nr_columns + table->order[i]];
        rc = scols_line_set_data(line, i, cell->text ? cell->text : "-");
    }
    return rc;
}

int table_print(const struct table *table, FILE *f)
{
    struct libscols_table *out = scols_new_table();
    struct libscols_line *line;
    unsigned i;
    int rc = 0;

    if (table->rc || !out) {
        scols_unref_table(out);
        return table->rc ? table->rc : -ENOMEM;
    }
    scols_table_set_stream(out, f);
    for (i = 0; i < table->nr_shown; i++) {
        const struct table_column *c = &table->columns[table->order[i]];

        if (!scols_table_new_column(out, c->name, 0,
                                    c->right ? SCOLS_FL_RIGHT : 0))
            rc = -ENOMEM;
    }
    /* A pipe has no width to fit into. */
    scols_table_set_termforce(out, SCOLS_TERMFORCE_NEVER);
    for (i = 0; i < table->nr_rows && !rc; i++) {
        line = scols_table_new_line(out, NULL);
        rc = line ? fill_line(table, i, line) : -ENOMEM;
    }
    if (table->above)
        fputs(table->above, f);
    if (!rc)
        rc = scols_print_table(out);
    if (table->below)
        fputs(table->below, f);
    scols_unref_table(out);
    return rc;
}

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

static void print_cell(struct xln__json *json, const struct cell *cell)
{
    switch (cell->type) {
    case CELL_NOTHING: xln__json_text(json, NULL); break;
    case CELL_TEXT:    xln__json_text(json, cell->text); break;
    case CELL_NUMBER:  xln__json_number(json, cell->number); break;
    case CELL_REAL:    xln__json_real(json, cell->real); break;
    case CELL_BOOL:    xln__json_bool(json, cell->truth); break;
    case CELL_SET:     json_set(json, cell->set); break;
    case CELL_NUMBERS:
    case CELL_TEXTS:   print_list(json, cell); break;
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
    for (row = 0; row < table->nr_rows; row++) {
        xln__json_object(json);
        for (i = 0; i < table->nr_columns; i++) {
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
