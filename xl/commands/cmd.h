/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command of ours. Its record has its name, its options, its --help and the
 * function that runs it. Each command has a file cmd_*.c, which ends with the
 * record.
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>

#include "libxl_numa.h"
#include "placement/layout.h"
#include "release/complain.h"
#include "views/table.h"

/* Exit codes, in addition to EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2
#define EXIT_NOTHING_FITS 3
#define EXIT_RELAXED 4
#define EXIT_REMOTE 5

#define MAX_OPTIONS 24

struct cmd_option {
    const char *name;           /* the long one; NULL ends the list */
    int code;                   /* its letter; from 256 up: it has none */
    const char *arg;            /* what its argument is called; NULL: it takes
                                   none; "[=WORD]": an optional one after "=";
                                   a name in capitals stands for a value */
    const char *help;
};

/* The options of each command that prints a table. A command's own codes are
 * letters, or start at OPT_OWN. */
#define OPT_HUMAN 'H'
#define OPT_JSON 256
#define OPT_SORT 257
#define OPT_COLOR 258
#define OPT_OWN 259
#define TABLE_OPTIONS \
    { "output", 'o', "COLUMNS", "these columns; +COLUMNS: these too" }, \
    { "sort", OPT_SORT, "COLUMN", "order by it; -COLUMN: the largest first" }, \
    { "human-readable", OPT_HUMAN, NULL, "sizes such as 1.5G, not in MiB" }, \
    { "width", 'w', "N", "fit into N columns; 0: cut nothing" }, \
    { "color", OPT_COLOR, "auto|always|never", "colours (auto)" }, \
    JSON_OPTION
#define JSON_OPTION \
    { "json", OPT_JSON, "[=lists]", "as JSON; lists: sets as lists of numbers" }

struct cmd_line;

struct cmd {
    const char *name;
    const char *args;           /* "[OPTIONS] DOMAIN" */
    const char *summary;        /* one line, no full stop */
    const char *examples;       /* lines */
    int min_args, max_args;     /* max_args < 0: any number */
    const struct cmd_option *options;
    bool takes_keys;            /* of a configuration */
    bool options_first;         /* what starts with "-" behind the first
                                 * argument is an argument too */
    const struct table_column *columns; /* of its table; NULL: prints none */
    const struct table_column *more_columns;    /* of another one, or NULL, */
    const char *more;           /* and when that is printed instead */
    int (*run)(struct cmd_line *line);  /* gives the exit code */
};

/* A command line that was read. */
struct cmd_line {
    const struct cmd *cmd;
    bool dry_run;               /* xl -N */
    bool force;                 /* xl -f */
    int nr_args;
    char **args;
    const char *values[MAX_OPTIONS];    /* as the record has the options */
    int argc;                   /* all of it, options first */
    char **argv;
    xentoollog_logger *lg;

    /* Open after cmd_open_xen(), for main to close. */
    xc_interface *xch;
    libxl_ctx *ctx;
};

/* Read the words after the command's name. False: it is over, with the exit
 * code in *exit_r; a usage error or --help was printed. */
bool cmd_parse(struct cmd_line *line, int argc, char **argv, int *exit_r);

/* "xl-numa 0.1" and the licence. */
void cmd_print_version(void);

/* The value of an option, "" if it takes none; NULL: not given. Given several
 * times it is the last one. */
const char *cmd_value(const struct cmd_line *line, int code);

/* All values of such an option, in their order. How many there are; at most
 * `max` of them are put into `values`. */
unsigned cmd_values(const struct cmd_line *line, int code, const char **values,
                    unsigned max);

/* Says what is wrong with the command line; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3)))
int cmd_usage(const struct cmd_line *line, const char *fmt, ...);

/* Open xch and ctx. False: it printed why. */
bool cmd_open_xen(struct cmd_line *line);
void cmd_close_xen(struct cmd_line *line);

/* A configuration for libxl to fill in, to be freed by layout_free_config(),
 * and where it has its fields. NULL: it printed why. */
libxl_domain_config *cmd_new_config(const struct cmd_line *line,
                                    struct layout *layout_r);

/* The host that --host names, see xln_snapshot_open(). False: it printed
 * why. */
bool cmd_load_host(const char *word, struct xln_snapshot **snapshot_r);

/* The same, of one with a list of domains. */
bool cmd_load_domains(const char *word, struct xln_snapshot **snapshot_r);

/* The running host with its domains and where their memory is, see
 * residents_read_host(); opens Xen. False: it printed why. */
bool cmd_read_residents(struct cmd_line *line, bool count,
                        struct xln_snapshot **snapshot_r);

/* A domain of such a host, by its name, or else its number; NULL: it printed
 * why. */
const struct xln_domain *cmd_find_saved(const struct xln_snapshot *saved,
                                        const char *word);

/* The domid of a domain given by name or number. False: it printed why. */
bool cmd_find_domain(struct cmd_line *line, const char *word,
                     uint32_t *domid_r);

/* Says what went wrong with a command's output, if anything did. That it cannot
 * be written main says at the end, once. */
void cmd_complain_of(const struct cmd_line *line, int rc);

/* Show the columns that -o names, in the order of --sort. -EINVAL: it printed
 * that one is unknown; or -ENOMEM. */
int cmd_arrange(const struct cmd_line *line, struct table *table);

/* Whether the values of TABLE_OPTIONS are right. A command calls this before it
 * takes samples for an hour. False: it printed what is wrong. */
bool cmd_check_table(const struct cmd_line *line,
                     const struct table_column *columns);

/* JSON for standard output, as --json has it: compact, but on a terminal. NULL:
 * no memory. */
struct xln__json *cmd_new_json(const struct cmd_line *line);

/* Print a table as TABLE_OPTIONS say, and free it. Gives the exit code;
 * rc: an error from filling it. */
int cmd_show_table(struct cmd_line *line, struct table *table, int rc);

/* The same; with `screen`, on a terminal, in place of what is there, and not
 * longer than it. */
int cmd_show_screen(struct cmd_line *line, struct table *table, int rc,
                    bool screen);

/* Seconds as "1" or "0.5", between these. */
bool cmd_seconds(const char *text, double least_s, double most_s,
                 double *seconds_r);

/* A whole decimal number up to `max`, and nothing else. */
bool cmd_number(const char *text, unsigned long max, unsigned long *number_r);

extern const struct cmd *const commands[];      /* ends with NULL */

#endif /* CMD_H */
