/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl-numa: the commands of ours. The xl in front runs it, with the words of
 * its own command line, for a command that is in this table.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "placement/misspelt.h"
#include "release/libraries.h"

#define NEAR 3                  /* letters, to be taken for a command */

extern const struct cmd cmd_create;
extern const struct cmd cmd_info;
extern const struct cmd cmd_node_affinity;
extern const struct cmd cmd_numa_info;
extern const struct cmd cmd_numa_map;
extern const struct cmd cmd_numa_move;
extern const struct cmd cmd_numa_plan;
extern const struct cmd cmd_numa_simulate;
extern const struct cmd cmd_numa_snapshot;
extern const struct cmd cmd_numa_stat;
extern const struct cmd cmd_numa_top;
extern const struct cmd cmd_vcpu_list;
extern const struct cmd cmd_vcpu_pin;

const struct cmd *const commands[] = {
    &cmd_create,
    &cmd_info,
    &cmd_node_affinity,
    &cmd_numa_info,
    &cmd_numa_map,
    &cmd_numa_move,
    &cmd_numa_plan,
    &cmd_numa_simulate,
    &cmd_numa_snapshot,
    &cmd_numa_stat,
    &cmd_numa_top,
    &cmd_vcpu_list,
    &cmd_vcpu_pin,
    NULL
};

static int run(struct cmd_line *line, int argc, char **argv)
{
    int code;

    if (!cmd_parse(line, argc, argv, &code))
        return code;
    code = line->cmd->run(line);
    cmd_close_xen(line);
    return code;
}

/* Output that does not reach its file is an error, also on a full disk. */
static int check_output(int code)
{
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    complain("cannot write the output: %s", strerror(errno));
    return EXIT_FAILURE;
}

/* The options of xl itself are as the xl in front has seen them already. */
static int read_global_options(int argc, char **argv, struct cmd_line *line)
{
    int level = XTL_PROGRESS, opt;

    /* A word that is not an option of xl is taken for a command. */
    opterr = 0;
    while (optind < argc && strcmp(argv[optind], "-h") &&
           strncmp(argv[optind], "--", 2) &&
           (opt = getopt(argc, argv, "+vftTN")) >= 0) {
        switch (opt) {
        case 'v': level -= level > XTL_DEBUG; break;
        case 'f': line->force = true; break;
        case 'N': line->dry_run = true; break;
        }
    }
    line->lg = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, level,
                                                                 0);
    return optind;
}

/* In the form of `xl help` of the installed xl. */
static int list_commands(void)
{
    int i;

    puts("NUMA commands of xl:\n");
    for (i = 0; commands[i]; i++)
        printf(" %-19s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'xl COMMAND --help' has the options, and xl-numa(1) the rest.");
    return EXIT_SUCCESS;
}

static const char *nearest_command(const char *word)
{
    const char *nearest = NULL;
    unsigned least = NEAR + 1, distance;
    int i;

    for (i = 0; commands[i]; i++) {
        distance = misspelt_distance(word, commands[i]->name);
        if (distance >= least)
            continue;
        least = distance;
        nearest = commands[i]->name;
    }
    return nearest;
}

/* "numa-s" is the beginning of several; "numa-stta" may be meant for one. */
static int refuse_command(const char *word)
{
    const char *nearest = nearest_command(word);

    if (nearest)
        complain("unknown command '%s': did you mean %s?", word, nearest);
    else
        complain("unknown command '%s': 'xl numa' lists those for NUMA", word);
    return EXIT_USAGE;
}

static bool asks_for_list(const char *word)
{
    return !strcmp(word, "numa") || !strcmp(word, "help") ||
           !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* `command`: its name and what follows it. */
static int run_command(struct cmd_line *line, int argc, char **command)
{
    int i;

    if (!argc) {
        complain("xl-numa is run by xl: see 'xl help'");
        return EXIT_USAGE;
    }
    if (asks_for_list(*command))
        return check_output(list_commands());
    if (!strcmp(*command, "--version")) {
        cmd_print_version();
        return check_output(EXIT_SUCCESS);
    }
    for (i = 0; commands[i] && strcmp(commands[i]->name, *command); i++)
        ;
    line->cmd = commands[i];
    if (!line->cmd)
        return refuse_command(*command);
    return check_output(run(line, argc, command));
}

/* Must come before the first call of a function of Xen's libraries. */
static bool open_libraries(void)
{
    char *error;
    int rc = libraries_open(&error);

    if (rc)
        complain("%s", error ? error : strerror(-rc));
    free(error);
    return !rc;
}

int main(int argc, char **argv)
{
    struct cmd_line line = { 0 };
    int first, code;

    if (!open_libraries())
        return EXIT_FAILURE;
    first = read_global_options(argc, argv, &line);
    /* Names are shown as they are, numbers with a dot. */
    setlocale(LC_CTYPE, "");
    if (!line.lg) {
        complain("%s", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    code = run_command(&line, argc - first, argv + first);
    xtl_logger_destroy(line.lg);
    return code;
}
