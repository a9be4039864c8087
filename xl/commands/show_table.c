/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables as the options of the command line want them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "views/terminal.h"

#define CLEAR_SCREEN "\033[H\033[2J"
#define WIDTH_MAX 100000

/* EXIT_SUCCESS, or EXIT_USAGE after printing why. */
static int read_colour(const struct cmd_line *line, bool *colour_r)
{
    const char *word = cmd_value(line, OPT_COLOR);

    if (!word || !strcmp(word, "auto"))
        *colour_r = terminal_has_colour();
    else if (!strcmp(word, "always") || !strcmp(word, "never"))
        *colour_r = *word == 'a';
    else
        return cmd_usage(line, "--color takes auto, always or never, not '%s'",
                         word);
    return EXIT_SUCCESS;
}

/* Likewise. A pipe or a file gets the whole table, unless the user asks for a
 * width. */
static int read_style(const struct cmd_line *line, bool screen,
                      struct table_style *style_r)
{
    const char *word = cmd_value(line, 'w');
    unsigned long width = terminal_is_there() ? terminal_width() : 0;

    *style_r = (struct table_style){ .human = cmd_value(line, OPT_HUMAN) };
    if (word && !cmd_number(word, WIDTH_MAX, &width))
        return cmd_usage(line, "--width takes a number from 0 to %d, not '%s'",
                         WIDTH_MAX, word);
    style_r->width = width;
    if (screen && terminal_is_there())
        style_r->height = terminal_height();
    return read_colour(line, &style_r->colour);
}

int cmd_arrange(const struct cmd_line *line, struct table *table)
{
    const char *names = cmd_value(line, 'o'), *by = cmd_value(line, OPT_SORT);
    char *error = NULL;
    int rc = names ? table_choose(table, names, &error) : 0;

    if (!rc && by)
        rc = table_sort(table, by, &error);
    if (error)
        complain("%s", error);
    free(error);
    return rc;
}

bool cmd_check_table(const struct cmd_line *line,
                     const struct table_column *columns)
{
    struct table_style style;
    struct table *table;
    bool good;

    if (read_style(line, false, &style))
        return false;
    if (table_new(columns, "", &table))
        return true;
    good = cmd_arrange(line, table) != -EINVAL;
    table_free(table);
    return good;
}

struct xln__json *cmd_new_json(const struct cmd_line *line)
{
    struct xln__json *json = terminal_is_there() ? xln__json_new()
                                                 : xln__json_new_compact();

    if (json)
        xln__json_want_lists(json, *cmd_value(line, OPT_JSON));
    return json;
}

static int print(const struct cmd_line *line, const struct table *table,
                 const struct table_style *style)
{
    if (style->height)
        fputs(CLEAR_SCREEN, stdout);
    return cmd_value(line, OPT_JSON)
               ? table_print_json(table, cmd_new_json(line), stdout)
               : table_print(table, style, stdout);
}

int cmd_show_screen(struct cmd_line *line, struct table *table, int rc,
                    bool screen)
{
    struct table_style style;
    int code = rc ? EXIT_FAILURE : read_style(line, screen, &style);

    if (!code) {
        rc = cmd_arrange(line, table);
        code = rc == -EINVAL ? EXIT_USAGE : EXIT_SUCCESS;
    }
    if (!rc && !code)
        rc = print(line, table, &style);
    if (code != EXIT_USAGE)
        cmd_complain_of(line, rc);
    table_free(table);
    return code ? code : rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_show_table(struct cmd_line *line, struct table *table, int rc)
{
    return cmd_show_screen(line, table, rc, false);
}
