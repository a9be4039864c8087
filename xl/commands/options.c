/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "placement/key_values.h"

#define CODE_HELP 'h'
#define CODE_VERSION 255        /* no letter: stock commands have -V for others */
#define HELP_COLUMN 28
#define WIDTH 80

int cmd_usage(const struct cmd_line *line, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "xl: %s: ", line->cmd->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, ": see 'xl %s --help'\n", line->cmd->name);
    return EXIT_USAGE;
}

/* ---- help ---- */

static bool is_optional(const struct cmd_option *o)
{
    return o->arg && *o->arg == '[';
}

static void print_option(const struct cmd_option *o)
{
    char text[80] = "    ";
    int n;

    if (o->code < CODE_VERSION)
        snprintf(text, sizeof(text), "-%c, ", o->code);
    n = strlen(text);
    snprintf(text + n, sizeof(text) - n, "--%s%s%s", o->name,
             o->arg && !is_optional(o) ? "=" : "", o->arg ? o->arg : "");
    n = strlen(text);
    if (n > HELP_COLUMN - 4)
        printf("  %s\n%*s%s\n", text, HELP_COLUMN, "", o->help);
    else
        printf("  %-*s%s\n", HELP_COLUMN - 2, text, o->help);
}

static void print_columns(const struct table_column *columns,
                          const char *when)
{
    const struct table_column *c;

    printf("\nColumns%s (*: shown without -o):\n", when);
    for (c = columns; c->name; c++)
        printf("  %c %-*s%s\n", c->shown ? '*' : ' ', HELP_COLUMN - 4, c->name,
               c->help);
}

/* Print from HELP_COLUMN on, in lines that fit a terminal. */
static void print_wrapped(const char *text)
{
    int column = HELP_COLUMN, length;

    for (; *text; text += length + (text[length] == ' ')) {
        length = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + length > WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += printf("%s%.*s", column > HELP_COLUMN ? " " : "", length,
                         text);
    }
    puts("");
}

/* With all that each may have. */
static void print_keys(void)
{
    unsigned i;

    puts("\nKeys, in a CONFIG or as KEY=VALUE:");
    for (i = 0; i < NR_KEYS; i++) {
        if (key_table[i].host_only)
            continue;
        printf("  %-*s", HELP_COLUMN - 2, key_table[i].name);
        print_wrapped(key_table[i].expected);
    }
}

static void print_help(const struct cmd *cmd)
{
    static const struct cmd_option help = {
        "help", CODE_HELP, NULL, "show this"
    };
    static const struct cmd_option version = {
        "version", CODE_VERSION, NULL, "show the version"
    };
    const struct cmd_option *o;

    printf("Usage: xl [-vfN] %s %s\n\n%c%s.\n\nOptions:\n", cmd->name,
           cmd->args, toupper(cmd->summary[0]), cmd->summary + 1);
    for (o = cmd->options; o->name; o++)
        print_option(o);
    print_option(&help);
    print_option(&version);
    if (cmd->columns)
        print_columns(cmd->columns, "");
    if (cmd->more_columns)
        print_columns(cmd->more_columns, cmd->more);
    if (cmd->takes_keys)
        print_keys();
    printf("\nExamples:\n%s\nxl-%s(1) has the details.\n", cmd->examples,
           cmd->name);
}

void cmd_print_version(void)
{
    puts("xl-numa (" PACKAGE_NAME ") " PACKAGE_VERSION);
}

/* ---- reading ---- */

/* In the forms that getopt_long() takes. */
static void list_options(const struct cmd *cmd, char *letters,
                         struct option *words)
{
    const struct cmd_option *o;

    if (cmd->options_first)
        *letters++ = '+';
    *letters++ = ':';
    for (o = cmd->options; o->name; o++) {
        if (o->code < 256) {
            *letters++ = o->code;
            if (o->arg)
                *letters++ = ':';
        }
        *words++ = (struct option){
            o->name,
            is_optional(o) ? optional_argument
            : o->arg       ? required_argument
                           : no_argument,
            NULL, o->code
        };
    }
    *letters++ = CODE_HELP;
    *letters = '\0';
    *words++ = (struct option){ "help", no_argument, NULL, CODE_HELP };
    *words++ = (struct option){ "version", no_argument, NULL, CODE_VERSION };
    *words = (struct option){ 0 };
}

static bool check_number_of_args(const struct cmd_line *line)
{
    const struct cmd *cmd = line->cmd;

    if (line->nr_args < cmd->min_args) {
        cmd_usage(line, "needs %s%d argument%s, not %d",
                  cmd->max_args == cmd->min_args ? "" : "at least ",
                  cmd->min_args, cmd->min_args == 1 ? "" : "s",
                  line->nr_args);
        return false;
    }
    if (cmd->max_args >= 0 && line->nr_args > cmd->max_args) {
        cmd_usage(line, "one argument too many: '%s'",
                  line->args[cmd->max_args]);
        return false;
    }
    return true;
}

/* Whether getopt_long() found this option, given a value that it has no use
 * for: that is all that can be wrong with an existing one. */
static bool has_option(const struct cmd *cmd, int code)
{
    const struct cmd_option *o;

    for (o = cmd->options; o->name; o++)
        if (o->code == code)
            return true;
    return code == CODE_HELP || code == CODE_VERSION;
}

static void complain_of_option(const struct cmd_line *line, const char *word)
{
    if (has_option(line->cmd, optopt))
        cmd_usage(line, "option '%.*s' takes no argument",
                  (int)strcspn(word, "="), word);
    else if (optopt > 0 && optopt < 256)
        cmd_usage(line, "unknown option '-%c'", optopt);
    else
        cmd_usage(line, "unknown option '%s'", word);
}

/* "[=word]" takes this word, or none; "[=FILE]" takes any. False: it printed
 * why. */
static bool check_optional(const struct cmd_line *line,
                           const struct cmd_option *o, const char *value)
{
    const char *word = is_optional(o) ? o->arg + strlen("[=") : "";
    size_t length = strcspn(word, "]");

    if (!*word || !*value || isupper((unsigned char)*word) ||
        (strlen(value) == length && !strncmp(value, word, length)))
        return true;
    cmd_usage(line, "--%s='%s': expected --%s or --%s=%.*s", o->name, value,
              o->name, o->name, (int)length, word);
    return false;
}

bool cmd_parse(struct cmd_line *line, int argc, char **argv, int *exit_r)
{
    struct option words[MAX_OPTIONS + 3];
    char letters[2 * MAX_OPTIONS + 4];
    int opt, i;

    list_options(line->cmd, letters, words);
    optind = 0;
    opterr = 0;
    *exit_r = EXIT_USAGE;
    while ((opt = getopt_long(argc, argv, letters, words, NULL)) >= 0) {
        switch (opt) {
        case CODE_HELP:
            print_help(line->cmd);
            *exit_r = EXIT_SUCCESS;
            return false;
        case CODE_VERSION:
            cmd_print_version();
            *exit_r = EXIT_SUCCESS;
            return false;
        case ':':
            cmd_usage(line, "option '%s' needs an argument", argv[optind - 1]);
            return false;
        case '?':
            complain_of_option(line, argv[optind - 1]);
            return false;
        }
        for (i = 0; line->cmd->options[i].code != opt; i++)
            ;
        line->values[i] = optarg ? optarg : "";
        if (!check_optional(line, &line->cmd->options[i], line->values[i]))
            return false;
    }
    line->argc = argc;
    line->argv = argv;
    line->nr_args = argc - optind;
    line->args = argv + optind;
    return check_number_of_args(line);
}

const char *cmd_value(const struct cmd_line *line, int code)
{
    int i;

    for (i = 0; line->cmd->options[i].name; i++)
        if (line->cmd->options[i].code == code)
            return line->values[i];
    return NULL;
}

/* Parse the command line again; it is known to be well-formed. */
unsigned cmd_values(const struct cmd_line *line, int code, const char **values,
                    unsigned max)
{
    struct option words[MAX_OPTIONS + 3];
    char letters[2 * MAX_OPTIONS + 4];
    unsigned nr = 0;
    int opt;

    list_options(line->cmd, letters, words);
    optind = 0;
    while ((opt = getopt_long(line->argc, line->argv, letters, words,
                              NULL)) >= 0)
        if (opt == code && nr++ < max)
            values[nr - 1] = optarg ? optarg : "";
    return nr;
}

void cmd_complain_of(const struct cmd_line *line, int rc)
{
    if (rc && !ferror(stdout))
        complain("%s: %s", line->cmd->name, strerror(-rc));
}

bool cmd_number(const char *text, unsigned long max, unsigned long *number_r)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number_r = strtoul(text, &end, 10);
    return !errno && !*end && *number_r <= max;
}

bool cmd_seconds(const char *text, double least_s, double most_s,
                 double *seconds_r)
{
    char *end;

    if (strspn(text, "0123456789.") != strlen(text))
        return false;
    *seconds_r = strtod(text, &end);
    return end > text && !*end && *seconds_r >= least_s &&
           *seconds_r <= most_s;
}
