/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command reads from its command line, and what it prints. */
#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

#include <yajl/yajl_tree.h>

#include "commands/cmd.h"
#include "fake-alloc.h"
#include "tap.h"

/* ---- what is said meanwhile ---- */

static FILE *said;
static int real_stdout, real_stderr;

static void listen_in(void)
{
    fflush(stdout);
    said = tmpfile();
    real_stdout = dup(STDOUT_FILENO);
    real_stderr = dup(STDERR_FILENO);
    if (!said || real_stdout < 0 || real_stderr < 0)
        must(errno);
    dup2(fileno(said), STDOUT_FILENO);
    dup2(fileno(said), STDERR_FILENO);
}

/* All that was printed on both; good until the next call. */
static const char *heard(void)
{
    static char text[8192];
    size_t n;

    fflush(stdout);
    dup2(real_stdout, STDOUT_FILENO);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stdout);
    close(real_stderr);
    rewind(said);
    n = fread(text, 1, sizeof(text) - 1, said);
    text[n] = '\0';
    fclose(said);
    return text;
}

/* ---- a command ---- */

enum { NAME, SIZE, SHARE, LOCAL, NODES };

static const struct table_column columns[] = {
    [NAME] = { "NAME", "the name of it", false, true, 0 },
    [SIZE] = { "SIZE", "its size", true, true, TABLE_BYTES },
    [SHARE] = { "SHARE", "its share", true, false, 0 },
    [LOCAL] = { "LOCAL", "whether it is near", false, false, 0 },
    [NODES] = { "NODES", "where it is", false, true, 0 },
    { 0 }
};

#define OPT_WATCH OPT_OWN

static const struct cmd_option options[] = {
    TABLE_OPTIONS,
    { "keep", 'k', NULL, "keep it" },
    { "watch", OPT_WATCH, NULL, "watch it" },
    { "a-rather-long-name", OPT_OWN + 1, "NUMBER", "what it is for" },
    { 0 }
};

static const struct cmd two_args = {
    .name = "try", .args = "[OPTIONS] A [B]", .summary = "try it",
    .min_args = 1, .max_args = 2, .options = options, .columns = columns,
};

static const struct cmd any_args = {
    .name = "any", .args = "[A...]", .summary = "try it",
    .min_args = 0, .max_args = -1, .options = options,
};

/* ---- tables ---- */

static struct xln_nodemap *some_nodes(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(8, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

static void add_row(struct table *table, const char *name, uint64_t mib,
                    const struct xln_nodemap *nodes)
{
    table_row(table);
    table_text(table, NAME, name);
    table_mib(table, SIZE, mib << 20);
    table_real(table, SHARE, mib / 7.0, "%.1f", mib / 7.0);
    table_bool(table, LOCAL, mib < 100);
    table_set(table, NODES, xln_nodemap_bits(nodes));
}

static struct table *some_table(void)
{
    struct xln_nodemap *nodes = some_nodes("0-2,5"), *none = some_nodes("");
    struct table *table;

    must(table_new(columns, "things", &table));
    add_row(table, "a b", 7, nodes);
    add_row(table, "c", 1000, none);
    table_row(table);
    xln_nodemap_free(nodes);
    xln_nodemap_free(none);
    return table;
}

static int print_whole(const struct table *table, FILE *f)
{
    static const struct table_style whole;

    return table_print(table, &whole, f);
}

static int print_json(const struct table *table, FILE *f)
{
    return table_print_json(table, xln__json_new_compact(), f);
}

static int print_lists(const struct table *table, FILE *f)
{
    struct xln__json *json = xln__json_new();

    xln__json_want_lists(json, true);
    return table_print_json(table, json, f);
}

/* Malloc'd: what `print` makes of it. */
static char *printed(const struct table *table,
                     int (*print)(const struct table *, FILE *))
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        must(errno);
    must(print(table, f));
    fclose(f);
    return text;
}

static void looks(const char *names, const char *expected, const char *what)
{
    struct table *table = some_table();
    char *text, *error;

    ok(!names || !table_choose(table, names, &error), "-o %s is accepted",
       names ? names : "(none)");
    text = printed(table, print_whole);
    is_str(text, expected, what);
    free(text);
    table_free(table);
}

static void test_text(void)
{
    looks(NULL,
          "NAME SIZE NODES\n"
          "a b     7 0-2,5\n"
          "c    1000 none\n"
          "-       - -\n",
          "a table has the default columns, and - for what is not known");
    looks("share,Name",
          "SHARE NAME\n"
          "  1.0 a b\n"
          "142.9 c\n"
          "    - -\n",
          "-o prints columns by name, in this order, in any case");
    looks("+LOCAL",
          "NAME SIZE NODES LOCAL\n"
          "a b     7 0-2,5 yes\n"
          "c    1000 none  no\n"
          "-       - -     -\n",
          "-o + prints a column in addition to the default ones");
}

static void is_refused(const char *names, const char *wrong)
{
    struct table *table = some_table();
    char expected[200], what[80], *error = NULL;

    snprintf(expected, sizeof(expected), "unknown column '%s': expected "
             "some of NAME, SIZE, SHARE, LOCAL, NODES", wrong);
    ok(table_choose(table, names, &error) == -EINVAL, "-o '%s' is refused",
       names);
    snprintf(what, sizeof(what), "the error of -o '%s' lists the columns",
             names);
    is_str(error, expected, what);
    free(error);
    table_free(table);
}

static void test_wrong_columns(void)
{
    is_refused("NAMES", "NAMES");
    is_refused("NAM", "NAM");
    is_refused("", "");
    is_refused("+", "");
    is_refused("NAME,", "");
    is_refused("NAME, SIZE", " SIZE");
    is_refused("SIZE,bad,NAME", "bad");
}

static void test_affinity(void)
{
    struct xln_nodemap *all = some_nodes("0-7"), *some = some_nodes("1,6-7"),
                       *existing = some_nodes("0-6");
    struct table *table;
    char *text;

    must(table_new(columns, "things", &table));
    table_row(table);
    table_affinity(table, NAME, xln_nodemap_bits(all),
                        xln_nodemap_bits(existing));
    table_affinity(table, NODES, xln_nodemap_bits(some),
                        xln_nodemap_bits(existing));
    text = printed(table, print_whole);
    is_str(strchr(text, '\n'), "\nall     - 1,6-7\n",
           "an affinity is as the installed xl writes it");
    free(text);
    text = printed(table, print_json);
    ok(strstr(text, "\"0-6\"") && strstr(text, "\"1,6\""),
       "in JSON an affinity has existing CPUs only");
    free(text);
    table_free(table);
    xln_nodemap_free(all);
    xln_nodemap_free(some);
    xln_nodemap_free(existing);
}

static void test_many_rows(void)
{
    struct xln_nodemap *nodes = some_nodes("1");
    struct table *table;
    unsigned i, lines = 0;
    char *text, *s;

    must(table_new(columns, "things", &table));
    for (i = 0; i < 1000; i++)
        add_row(table, "x", i, nodes);
    text = printed(table, print_whole);
    for (s = text; *s; s++)
        lines += *s == '\n';
    ok(lines == 1001, "a table of a thousand rows is printed");
    free(text);
    table_free(table);
    xln_nodemap_free(nodes);
}

/* ---- JSON ---- */

static void is_json(const char *names, int (*print)(const struct table *,
                                                    FILE *),
                    const char *expected, const char *what)
{
    struct table *table = some_table();
    char *text, *error;

    if (names)
        must(table_choose(table, names, &error));
    text = printed(table, print);
    is_str(text, expected, what);
    free(text);
    table_free(table);
}

static void test_json(void)
{
    is_json(NULL, print_json,
            "{\"version\":2,\"things\":["
            "{\"name\":\"a b\",\"size_bytes\":7340032,\"share\":1.000,"
            "\"local\":true,\"nodes\":\"0-2,5\"},"
            "{\"name\":\"c\",\"size_bytes\":1048576000,\"share\":142.857,"
            "\"local\":false,\"nodes\":\"\"},"
            "{\"name\":null,\"size_bytes\":null,\"share\":null,"
            "\"local\":null,\"nodes\":null}]}\n",
            "JSON has the version first, then all columns, and null for what "
            "is not known");
    is_json("NODES,name,Nodes", print_json,
            "{\"version\":2,\"things\":["
            "{\"nodes\":\"0-2,5\",\"name\":\"a b\"},"
            "{\"nodes\":\"\",\"name\":\"c\"},"
            "{\"nodes\":null,\"name\":null}]}\n",
            "JSON has the columns that -o names, each once");
    is_json("NODES", print_lists,
            "{\n    \"version\": 2,\n    \"things\": [\n"
            "        {\n            \"nodes\": [\n                0,\n"
            "                1,\n                2,\n                5\n"
            "            ]\n        },\n"
            "        {\n            \"nodes\": [\n            ]\n        },\n"
            "        {\n            \"nodes\": null\n        }\n    ]\n}\n",
            "JSON for people has lines, and sets as lists");
}

/* The name that a reader of our JSON gets; NULL: none. */
static char *read_back(const char *name)
{
    static const char *const things[] = { "things", NULL },
                             *const key[] = { "name", NULL };
    struct xln_nodemap *nodes = some_nodes("1");
    struct table *table;
    char *text, *copy = NULL;
    yajl_val tree, list, value;

    must(table_new(columns, "things", &table));
    add_row(table, name, 1, nodes);
    text = printed(table, print_json);
    tree = yajl_tree_parse(text, NULL, 0);
    list = tree ? yajl_tree_get(tree, (const char **)things, yajl_t_array)
                : NULL;
    value = list ? yajl_tree_get(YAJL_GET_ARRAY(list)->values[0],
                                 (const char **)key, yajl_t_string)
                 : NULL;
    if (value)
        copy = strdup(value->u.string);
    yajl_tree_free(tree);
    free(text);
    table_free(table);
    xln_nodemap_free(nodes);
    return copy;
}

static void comes_back_as(const char *name, const char *expected,
                          const char *what)
{
    char *back = read_back(name);

    is_str(back, expected, what);
    free(back);
}

#define UNKNOWN "\xef\xbf\xbd"          /* U+FFFD */

static void test_odd_names(void)
{
    static const char *const same[] = {
        "a\"b\\c/d", "tab\tline\nreturn\r\b\f\x01\x1f\x7f", "g\u00e4st",
        "\u6771\u4eac", "\U0001f427", "", "\ud7ff\ue000\uffff",
    };
    unsigned i;

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        comes_back_as(same[i], same[i], "JSON keeps an odd name");
    comes_back_as("a\xff" "b", "a" UNKNOWN "b",
                  "JSON has U+FFFD for bytes that are not UTF-8");
    comes_back_as("\xe4s", UNKNOWN "s", "JSON has U+FFFD for Latin-1");
    comes_back_as("a\xe6\x9d", "a" UNKNOWN UNKNOWN,
                  "JSON has U+FFFD for a cut character");
    comes_back_as("\xc0\x80", UNKNOWN UNKNOWN,
                  "JSON has U+FFFD for a zero of two bytes");
    comes_back_as("\xed\xa0\x80", UNKNOWN UNKNOWN UNKNOWN,
                  "JSON has U+FFFD for half of a pair");
    comes_back_as("\xe0\x9f\xbf\xf0\x8f\xbf\xbf",
                  UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN,
                  "JSON has U+FFFD for a character with too many bytes");
    comes_back_as("\xf4\x90\x80\x80", UNKNOWN UNKNOWN UNKNOWN UNKNOWN,
                  "JSON has U+FFFD for a number that no character has");
}

/* ---- what fails ---- */

static void test_full_disk(void)
{
    struct table *table = some_table();
    FILE *full = fopen("/dev/full", "w");
    int rc;

    if (!full) {
        ok(true, "# SKIP no /dev/full");
        table_free(table);
        return;
    }
    setvbuf(full, NULL, _IONBF, 0);
    rc = print_json(table, full);
    ok(rc == -ENOSPC, "a full disk is -ENOSPC");
    fclose(full);
    table_free(table);
}

/* yajl and libsmartcols have memory of their own. */
static void test_no_memory(void)
{
    FILE *nowhere = fopen("/dev/null", "w");
    struct table *table;
    unsigned nth, nr_wrong = 0;
    int rc = -1;

    for (nth = 1; rc && nth < 100; nth++) {
        struct xln_nodemap *nodes = some_nodes("0-2");

        table = NULL;
        fake_alloc_fail(nth);
        rc = table_new(columns, "things", &table);
        if (!rc) {
            add_row(table, "a", 7, nodes);
            table_row(table);
            table_affinity(table, NAME, xln_nodemap_bits(nodes),
                           xln_nodemap_bits(nodes));
        }
        fake_alloc_fail(0);
        if (!rc)
            rc = print_whole(table, nowhere);
        nr_wrong += rc && rc != -ENOMEM;
        table_free(table);
        xln_nodemap_free(nodes);
    }
    ok(!nr_wrong && nth > 5 && nth < 100,
       "running out of memory while printing is -ENOMEM");
    fclose(nowhere);
}

/* ---- command lines ---- */

/* The words are reordered, not written to. */
static bool parse(const struct cmd *cmd, struct cmd_line *line, int *exit_r,
                  const char **words)
{
    int nr = 0;

    while (words[nr])
        nr++;
    *line = (struct cmd_line){ .cmd = cmd };
    *exit_r = -1;
    return cmd_parse(line, nr, (char **)(uintptr_t)words, exit_r);
}

#define PARSE(cmd, line, ...) \
    parse(cmd, line, &status, (const char *[]){ __VA_ARGS__, NULL })

static void test_options(void)
{
    struct cmd_line line;
    int status;

    ok(PARSE(&two_args, &line, "try", "x", "-k", "--watch", "y", "-o",
             "A,B") &&
           line.nr_args == 2 && !strcmp(line.args[0], "x") &&
           !strcmp(line.args[1], "y"),
       "options may stand between arguments");
    is_str(cmd_value(&line, 'o'), "A,B", "the value of an option is read");
    ok(cmd_value(&line, 'k') && cmd_value(&line, OPT_WATCH) &&
           !cmd_value(&line, OPT_JSON) && !cmd_value(&line, OPT_OWN + 1),
       "the command sees which options were given");
    ok(PARSE(&two_args, &line, "try", "--output=A", "--js", "--", "-k") &&
           line.nr_args == 1 && !strcmp(line.args[0], "-k") &&
           !cmd_value(&line, 'k') && cmd_value(&line, OPT_JSON),
       "long options may be shortened, and -- ends the options");
    is_str(cmd_value(&line, 'o'), "A", "the value of a long option is read");
    ok(PARSE(&two_args, &line, "try", "-ko", "", "") && line.nr_args == 1 &&
           !*cmd_value(&line, 'o'),
       "a value and an argument may be empty");
    ok(PARSE(&any_args, &line, "any", "1", "2", "3", "4") &&
           line.nr_args == 4 && PARSE(&any_args, &line, "any") &&
           line.nr_args == 0,
       "a command may take any number of arguments");
}

#define IS_WRONG(cmd, message, ...)                                        \
    do {                                                                   \
        struct cmd_line line;                                              \
        int status;                                                        \
        bool good;                                                         \
        listen_in();                                                          \
        good = PARSE(cmd, &line, __VA_ARGS__);                             \
        is_str(heard(), "xl: " message ": see 'xl try --help'\n",          \
               "an error reports " message);                               \
        ok(!good && status == EXIT_USAGE, "a wrong option is status 2");     \
    } while (0)

static void test_wrong_options(void)
{
    IS_WRONG(&two_args, "try: unknown option '-x'", "try", "a", "-kx");
    IS_WRONG(&two_args, "try: unknown option '--what'", "try", "a", "--what");
    IS_WRONG(&two_args, "try: option '-o' needs an argument", "try", "a",
             "-o");
    IS_WRONG(&two_args, "try: option '--output' needs an argument", "try",
             "a", "--output");
    IS_WRONG(&two_args, "try: option '--keep' takes no argument", "try", "a",
             "--keep=1");
    IS_WRONG(&two_args, "try: --json='list': expected --json or --json=lists",
             "try", "a", "--json=list");
    IS_WRONG(&two_args, "try: option '--help' takes no argument", "try",
             "--help=a");
    IS_WRONG(&two_args, "try: needs at least 1 argument, not 0", "try", "-k");
    IS_WRONG(&two_args, "try: one argument too many: 'c'", "try", "a", "b",
             "c", "d");
}

static void test_help(void)
{
    const struct cmd_option *o;
    const struct table_column *c;
    struct cmd_line line;
    const char *text;
    char word[80];
    int status;
    bool good;

    listen_in();
    good = PARSE(&two_args, &line, "try", "--what-is-this", "--help");
    heard();
    ok(!good && status == EXIT_USAGE, "an error comes before --help");
    listen_in();
    good = PARSE(&two_args, &line, "try", "-h");
    text = heard();
    ok(!good && status == EXIT_SUCCESS, "-h does nothing but print the help");
    ok(!strncmp(text, "Usage: xl [-vfN] try [OPTIONS] A [B]\n\nTry it.\n", 45),
       "--help begins with the arguments and what the command does");
    for (o = options; o->name; o++) {
        snprintf(word, sizeof(word), "--%s%s%s", o->name,
                 o->arg && *o->arg != '[' ? "=" : "", o->arg ? o->arg : "");
        ok(strstr(text, word) && strstr(text, o->help),
           "--help has the option %s", word);
    }
    ok(strstr(text, "  -k, --keep "), "--help has the short form of an option");
    for (c = columns; c->name; c++) {
        snprintf(word, sizeof(word), "  %c %s ", c->shown ? '*' : ' ',
                 c->name);
        ok(strstr(text, word) && strstr(text, c->help),
           "--help has the column %s",
           c->name);
    }
}

static void shows(int expected, int rc, const char *names, const char *says,
                  const char *what)
{
    struct cmd_line line;
    struct table *table = some_table();
    const char *text;
    int status, got;

    must(!PARSE(&two_args, &line, "try", "a", "-o", names));
    listen_in();
    got = cmd_show_table(&line, table, rc);
    text = heard();
    if (!ok(got == expected && strstr(text, says), "%s", what))
        printf("# status %d: %s\n", got, text);
}

static void test_show(void)
{
    shows(EXIT_SUCCESS, 0, "NAME", "NAME\na b\n", "a table is shown");
    shows(EXIT_USAGE, 0, "bad", "unknown column 'bad'",
          "a wrong column is a usage error");
    shows(EXIT_FAILURE, -EPERM, "NAME",
          "xl: try: Operation not permitted\n",
          "no table is shown after an error in filling it");
}

/* More than fits into the stream's buffer. */
static struct table *long_table(void)
{
    struct table *table;
    unsigned i;

    must(table_new(columns, "things", &table));
    for (i = 0; i < 1000; i++)
        table_row(table);
    return table;
}

static void test_show_on_full_disk(void)
{
    struct table *table = long_table();
    int full = open("/dev/full", O_WRONLY), status, got;
    struct cmd_line line;

    if (full < 0) {
        ok(true, "# SKIP no /dev/full");
        table_free(table);
        return;
    }
    must(!PARSE(&two_args, &line, "try", "a", "--json"));
    listen_in();
    dup2(full, STDOUT_FILENO);
    got = cmd_show_table(&line, table, 0);
    __fpurge(stdout);
    clearerr(stdout);
    is_str(heard(), "", "a full disk is left for main() to report");
    ok(got == EXIT_FAILURE, "a full disk makes the command fail");
    close(full);
}

static void test_numbers(void)
{
    static const char *const wrong[] = { "", "-1", "+1", " 1", "1 ", "x",
                                         "3x", "0x1", "101",
                                         "4294967297",
                                         "99999999999999999999" };
    unsigned long number = 0;
    unsigned i, nr_wrong = 0;

    ok(cmd_number("0", 100, &number) && number == 0 &&
           cmd_number("100", 100, &number) && number == 100 &&
           cmd_number("007", 100, &number) && number == 7,
       "whole numbers are read");
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (cmd_number(wrong[i], 100, &number)) {
            printf("# '%s' is taken\n", wrong[i]);
            nr_wrong++;
        }
    ok(!nr_wrong, "other texts are refused as numbers");
}

int main(void)
{
    test_text();
    test_wrong_columns();
    test_affinity();
    test_many_rows();
    test_json();
    test_odd_names();
    test_full_disk();
    test_no_memory();
    test_options();
    test_wrong_options();
    test_help();
    test_show();
    test_show_on_full_disk();
    test_numbers();
    return tap_done();
}
