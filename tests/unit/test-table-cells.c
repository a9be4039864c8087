/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the cells of a table are written, and cut where they do not fit. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>

#include "views/table_inside.h"
#include "tap.h"

/* The first cell of the row, fitted into so many columns. */
static void is_cut(const char *name, unsigned width, const char *expected)
{
    static const struct table_column one[] = {
        { "A", "its name", false, true, 0 }, { 0 }
    };
    struct table_style style = { .width = width };
    struct table *table;
    char *text = NULL, what[200];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    must(f ? 0 : errno);
    must(table_new(one, "things", &table));
    table_row(table);
    table_text(table, 0, name);
    must(table_print(table, &style, f));
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    text[strlen(text) + 1 + strcspn(text + strlen(text) + 1, " \n")] = '\0';
    snprintf(what, sizeof(what), "a name of %zu bytes is cut to '%s'",
             strlen(name), expected);
    is_str(text + strlen(text) + 1, expected, what);
    free(text);
    table_free(table);
}

static void test_cuts(void)
{
    static char long_name[251];
    static const char *const odd[] = {
        "", "\033[31mred", "\xff\xfe\xe6\x9d", "\\x\\x\\x\\x",
        "e\u0301e\u0301e\u0301", "\U0001f427\u6771\u4eac", long_name,
    };
    unsigned i, width;
    char *text;

    memset(long_name, 'x', sizeof(long_name) - 1);
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        ok(true, "# SKIP no C.UTF-8");
        return;
    }
    is_cut("long-name-of-a-guest", 20, "long-name-of-a-guest");
    is_cut("long-name-of-a-guest", 12, "long-name-o\u2026");
    is_cut("long-name-of-a-guest", 2, "long-na\u2026");
    is_cut("\u6771\u4eac\u6771\u4eac\u6771\u4eac", 9,
           "\u6771\u4eac\u6771\u4eac\u2026");
    is_cut("\u6771\u4eac\u6771\u4eac\u6771\u4eac", 10,
           "\u6771\u4eac\u6771\u4eac\u2026");
    is_cut("\033[31mred", 10, "\\x1b[31mr\u2026");
    for (i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        for (width = 1; width < 40; width++) {
            text = strdup(odd[i]);
            must(!text || table__cut(&text, width, width % 2));
            if (table__width(text) > width && width > 0)
                ok(false, "no line is wider than %u columns: %s", width, text);
            free(text);
        }
    ok(true, "odd names are cut to each width");
    setlocale(LC_CTYPE, "C");
}

static void sizes_are(uint64_t bytes, const char *expected)
{
    const struct cell cell = { .type = CELL_SIZE, .number = bytes };
    char *text = table__cell_text(&cell, (struct cell_form){ .human = true }),
         what[100];

    snprintf(what, sizeof(what), "%" PRIu64 " bytes are printed as '%s'",
             bytes, expected);
    is_str(text, expected, what);
    free(text);
}

static void test_sizes(void)
{
    sizes_are(0, "0");
    sizes_are(1, "0.0K");
    sizes_are(4096, "4.0K");
    sizes_are((UINT64_C(1) << 20) - 1, "1023K");
    sizes_are(UINT64_C(1) << 20, "1.0M");
    sizes_are(UINT64_C(1536) << 20, "1.5G");
    sizes_are((UINT64_C(10) << 30) - 1, "9.9G");
    sizes_are(UINT64_C(10) << 30, "10G");
    sizes_are(UINT64_C(24) << 40, "24T");
    sizes_are(UINT64_MAX, "16383P");
}

int main(void)
{
    test_cuts();
    test_sizes();
    return tap_done();
}
