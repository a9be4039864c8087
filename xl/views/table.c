/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "commands/cmd.h"
#include "table.h"

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

void table_print_columns(FILE *f, const struct table_column *columns)
{
    const char *separator = "";

    for (; columns->name; columns++, separator = ", ")
        fprintf(f, "%s%s", separator, columns->name);
}

int table_choose(struct table *table, const char *names)
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
            fprintf(stderr, "xl: unknown column '%.*s': expected some of ",
                    (int)(end - names), names);
            table_print_columns(stderr, table->columns);
            fputc('\n', stderr);
            return -EINVAL;
        }
        rc = show_column(table, column);
        if (rc || !*end)
            return rc;
    }
}

/* ---- cells ---- */

int table_row(struct table *table)
{
    unsigned size = table->size_rows ? 2 * table->size_rows : 16;
    size_t row_size = table->nr_columns * sizeof(*table->cells);
    struct cell *cells;

    if (table->nr_rows == table->size_rows) {
        cells = realloc(table->cells, size * row_size);
        if (!cells)
            return -ENOMEM;
        table->cells = cells;
        table->size_rows = size;
    }
    memset(table->cells + table->nr_rows * table->nr_columns, 0, row_size);
    table->nr_rows++;
    return 0;
}

static struct cell *cell_of(struct table *table, unsigned column)
{
    return &table->cells[(table->nr_rows - 1) * table->nr_columns + column];
}

__attribute__((format(printf, 3, 0)))
static int set_text(struct cell *cell, enum cell_type type, const char *fmt,
                    va_list ap)
{
    if (vasprintf(&cell->text, fmt, ap) < 0) {
        cell->text = NULL;
        return -ENOMEM;
    }
    cell->type = type;
    return 0;
}

int table_text(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = cell_of(table, column);

    if (!text)
        return 0;
    cell->text = strdup(text);
    if (!cell->text)
        return -ENOMEM;
    cell->type = CELL_TEXT;
    return 0;
}

int table_null(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = cell_of(table, column);

    cell->text = strdup(text);
    return cell->text ? 0 : -ENOMEM;
}

int table_number(struct table *table, unsigned column, uint64_t number,
                 const char *fmt, ...)
{
    struct cell *cell = cell_of(table, column);
    va_list ap;
    int rc;

    cell->number = number;
    va_start(ap, fmt);
    rc = set_text(cell, CELL_NUMBER, fmt, ap);
    va_end(ap);
    return rc;
}

int table_real(struct table *table, unsigned column, double number,
               const char *fmt, ...)
{
    struct cell *cell = cell_of(table, column);
    va_list ap;
    int rc;

    cell->real = number;
    va_start(ap, fmt);
    rc = set_text(cell, CELL_REAL, fmt, ap);
    va_end(ap);
    return rc;
}

static int set_bool(struct table *table, unsigned column, bool value,
                    const char *text)
{
    int rc = table_text(table, column, text);
    struct cell *cell = cell_of(table, column);

    if (rc)
        return rc;
    cell->type = CELL_BOOL;
    cell->truth = value;
    return 0;
}

int table_bool(struct table *table, unsigned column, bool value)
{
    return set_bool(table, column, value, value ? "yes" : "no");
}

int table_mark(struct table *table, unsigned column, bool value,
               const char *mark)
{
    return set_bool(table, column, value, value ? mark : "");
}

int table_set(struct table *table, unsigned column,
              const struct xln_bitmap *set)
{
    struct cell *cell = cell_of(table, column);
    int rc = xln_bitmap_copy(set, &cell->set);

    if (rc)
        return rc;
    cell->type = CELL_SET;
    if (!xln_bitmap_is_empty(set))
        return xln_bitmap_format(set, &cell->text);
    cell->text = strdup("none");
    return cell->text ? 0 : -ENOMEM;
}

int table_affinity(struct table *table, unsigned column,
                   const struct xln_bitmap *set,
                   const struct xln_bitmap *existing)
{
    struct cell *cell = cell_of(table, column);
    bool full = xln_bitmap_count(set) == xln_bitmap_nr_bits(set);
    int rc = table_set(table, column, set);

    if (rc)
        return rc;
    xln_bitmap_and(cell->set, existing);
    if (!full)
        return 0;
    free(cell->text);
    cell->text = strdup("all");
    return cell->text ? 0 : -ENOMEM;
}

int table_numbers(struct table *table, unsigned column,
                  const unsigned *numbers, unsigned nr)
{
    struct cell *cell = cell_of(table, column);
    size_t size;
    unsigned i;
    FILE *f;

    cell->numbers = calloc(nr + 1, sizeof(*numbers));
    if (!cell->numbers)
        return -ENOMEM;
    cell->type = CELL_NUMBERS;
    cell->nr = nr;
    memcpy(cell->numbers, numbers, nr * sizeof(*numbers));
    f = open_memstream(&cell->text, &size);
    if (!f)
        return -ENOMEM;
    for (i = 0; i < nr; i++)
        if (numbers[i] == XLN_NONE)
            fprintf(f, "%s-", i ? "," : "");
        else
            fprintf(f, "%s%u", i ? "," : "", numbers[i]);
    return fclose(f) || !cell->text ? -ENOMEM : 0;
}

int table_texts(struct table *table, unsigned column, char *const *texts,
                unsigned nr)
{
    struct cell *cell = cell_of(table, column);
    size_t size;
    FILE *f;

    cell->texts = calloc(nr + 1, sizeof(*cell->texts));
    if (!cell->texts)
        return -ENOMEM;
    cell->type = CELL_TEXTS;
    f = open_memstream(&cell->text, &size);
    if (!f)
        return -ENOMEM;
    if (!nr)
        fputs("none", f);
    for (; cell->nr < nr; cell->nr++) {
        cell->texts[cell->nr] = strdup(texts[cell->nr]);
        if (!cell->texts[cell->nr])
            break;
        fprintf(f, "%s%s", cell->nr ? "," : "", texts[cell->nr]);
    }
    return fclose(f) || !cell->text || cell->nr < nr ? -ENOMEM : 0;
}

/* ---- around it ---- */

__attribute__((format(printf, 2, 0)))
static int add_line(char **lines, const char *fmt, va_list ap)
{
    char *line, *more;
    int r;

    if (vasprintf(&line, fmt, ap) < 0)
        return -ENOMEM;
    r = asprintf(&more, "%s%s\n", *lines ? *lines : "", line);
    free(line);
    if (r < 0)
        return -ENOMEM;
    free(*lines);
    *lines = more;
    return 0;
}

int table_above(struct table *table, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = add_line(&table->above, fmt, ap);
    va_end(ap);
    return rc;
}

int table_below(struct table *table, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = add_line(&table->below, fmt, ap);
    va_end(ap);
    return rc;
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

    if (!out)
        return -ENOMEM;
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
        else if (cell->numbers[i] == XLN_NONE)
            xln__json_text(json, NULL);
        else
            xln__json_number(json, cell->numbers[i]);
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
    case CELL_SET:     xln__json_set(json, cell->set); break;
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
    xln__json_key(json, "version");
    xln__json_number(json, 1);
    table_add_json(table, json);
    xln__json_object_end(json);
    return xln__json_print(json, f);
}
