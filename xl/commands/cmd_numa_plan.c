/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-plan: where domains would go, and why. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "open_planner.h"
#include "progress.h"
#include "views/fleet_view.h"
#include "views/json_set.h"
#include "views/plan_count_view.h"
#include "views/plan_emit.h"
#include "views/plan_view.h"

#define BEST 10

enum { OPT_HOST = OPT_OWN, OPT_DEFAULTS, OPT_ALL, OPT_OPTIMISE, OPT_COUNT,
       OPT_EMIT };

static const struct cmd_option options[] = {
    { "host", OPT_HOST, "FILE", "plan for a saved host; for several, "
                                "choose one" },
    { "defaults", OPT_DEFAULTS, "FILE", "read this file instead of "
                                        "xl-numa.conf" },
    { "all", OPT_ALL, NULL, "show all sets of nodes, not the best ten" },
    { "optimise", OPT_OPTIMISE, NULL, "find an order in which more "
                                      "domains fit" },
    { "count", OPT_COUNT, NULL, "count how many more domains like CONFIG fit" },
    { "emit", OPT_EMIT, "[=libvirt]", "print keys to paste, or libvirt's XML" },
    TABLE_OPTIONS,
    { 0 }
};

/* The domains of one command line, in its order. */
struct plans {
    struct notes notes;
    struct planner planner;
    char *const *words;         /* KEY=VALUEs, for all of them */
    unsigned nr_words;
    unsigned nr;
    struct planned *list;
    unsigned max_nr;            /* candidates to show; 0: all */
    const struct fleet *fleet;  /* of which this is the best host, or NULL */
};

/* ---- reading ---- */

/* As xl create tells them apart. */
static bool is_key(const char *word)
{
    return strchr(word, '=') != NULL;
}

/* The KEY=VALUEs and the CONFIGs, each in their order. */
static char **split_words(const struct cmd_line *line, unsigned *nr_keys_r)
{
    char **words = calloc(line->nr_args + 1, sizeof(*words));
    unsigned nr = 0;
    int i;

    if (!words)
        return NULL;
    for (i = 0; i < line->nr_args; i++)
        if (is_key(line->args[i]))
            words[nr++] = line->args[i];
    *nr_keys_r = nr;
    for (i = 0; i < line->nr_args; i++)
        if (!is_key(line->args[i]))
            words[nr++] = line->args[i];
    return words;
}

static bool read_configs(struct plans *plans, char **words, unsigned nr_keys,
                         unsigned nr_configs)
{
    bool good = true;

    plans->list = calloc(nr_configs, sizeof(*plans->list));
    if (!plans->list) {
        complain("numa-plan: %s", strerror(ENOMEM));
        return false;
    }
    for (; good && plans->nr < nr_configs; plans->nr++)
        good = planner_read(&plans->planner, words[nr_keys + plans->nr], words,
                            nr_keys, &plans->list[plans->nr]);
    return print_notes(&plans->notes, good);
}

/* ---- showing ---- */

/* The choice, and the hosts to choose from. */
static void add_fleet(const struct fleet *fleet, struct xln__json *json)
{
    const struct offer *choice = fleet_choice(fleet);
    struct table *table;
    int rc = fleet_view_table(fleet, &table);

    if (rc) {
        xln__json_fail(json, rc);
        return;
    }
    xln__json_add_text(json, "host", choice ? choice->host : NULL);
    table_add_json(table, json);
    table_free(table);
}

static int show_json(const struct cmd_line *line, const struct plans *plans)
{
    struct xln__json *json = cmd_new_json(line);
    unsigned i;

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", JSON_VERSION);
    xln__json_key(json, "words");
    xln__json_array(json);
    for (i = 0; i < plans->nr_words; i++)
        xln__json_text(json, plans->words[i]);
    xln__json_array_end(json);
    if (plans->fleet)
        add_fleet(plans->fleet, json);
    xln__json_key(json, "plans");
    xln__json_array(json);
    for (i = 0; i < plans->nr; i++)
        plan_view_json(&plans->list[i], plans->planner.snapshot->domains,
                       plans->max_nr, json);
    xln__json_array_end(json);
    xln__json_object_end(json);
    return xln__json_print(json, stdout);
}

/* One domain, with the table of its candidates. A domain with virtual nodes of
 * its own has no table. Returns the exit code. */
static int show_one(struct cmd_line *line, const struct plans *plans)
{
    struct table *table = NULL;
    int rc;

    rc = plan_view_table(plans->list, plans->planner.snapshot->domains,
                         plans->max_nr, &table);
    if (!rc)
        rc = plan_view_print(plans->list, stdout);
    return cmd_show_table(line, table, rc);
}

static int show_all(const struct plans *plans)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < plans->nr && !rc; i++)
        rc = plan_view_print(&plans->list[i], stdout);
    return rc;
}

static int emit_all(const struct cmd_line *line, const struct plans *plans)
{
    bool libvirt = *cmd_value(line, OPT_EMIT);
    unsigned i;
    int rc = 0;

    for (i = 0; i < plans->nr && !rc; i++)
        rc = libvirt ? plan_emit_libvirt(&plans->list[i], stdout)
                     : plan_emit_keys(&plans->list[i], stdout);
    return rc;
}

static int show(struct cmd_line *line, const struct plans *plans)
{
    int rc;

    if (!cmd_value(line, OPT_JSON) && !cmd_value(line, OPT_EMIT) &&
        plans->nr == 1 && !plans->list->guest.cells)
        return show_one(line, plans);
    rc = cmd_value(line, OPT_JSON)   ? show_json(line, plans)
         : cmd_value(line, OPT_EMIT) ? emit_all(line, plans)
                                     : show_all(plans);
    cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The worst status of several domains. */
static int code_of(const struct plans *plans)
{
    int code = EXIT_SUCCESS, one;
    unsigned i;

    for (i = 0; i < plans->nr; i++) {
        one = plans->list[i].decision->status;
        if (one == EXIT_NOTHING_FITS || code == EXIT_SUCCESS)
            code = one;
    }
    return code;
}

/* ---- several hosts ---- */

/* The plans of the best host, or of the host that comes nearest if none fits;
 * and the ranking. */
static int show_best(struct cmd_line *line, const struct plans *best)
{
    struct table *table = NULL;
    int rc;

    if (cmd_value(line, OPT_JSON)) {
        rc = show_json(line, best);
        cmd_complain_of(line, rc);
        return rc ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    rc = fleet_view_table(best->fleet, &table);
    if (!rc)
        rc = show_all(best);
    return cmd_show_table(line, table, rc);
}

static int show_fleet(struct cmd_line *line, const struct fleet *fleet,
                      char *const *words, unsigned nr_keys)
{
    const struct offer *offer = fleet->offers;
    const struct plans best = {
        .planner = offer->planner,
        .words = words,
        .nr_words = nr_keys,
        .nr = fleet->nr_configs,
        .list = offer->list,
        .max_nr = cmd_value(line, OPT_ALL) ? 0 : BEST,
        .fleet = fleet,
    };
    int code = show_best(line, &best);

    return code ? code : code_of(&best);
}

static int run_fleet(struct cmd_line *line, const char *const *hosts,
                     unsigned nr_hosts, char **words, unsigned nr_keys)
{
    struct progress progress;
    struct work work = { progress_tell, &progress };
    const struct fleet_query what = {
        .hosts = hosts,
        .nr_hosts = nr_hosts,
        .defaults = cmd_value(line, OPT_DEFAULTS),
        .words = words,
        .nr_keys = nr_keys,
        .nr_configs = line->nr_args - nr_keys,
        .optimise = cmd_value(line, OPT_OPTIMISE),
        .work = &work,
    };
    int code = EXIT_FAILURE;
    struct notes notes = { 0 };
    struct fleet fleet;
    bool good;

    progress_begin(&progress, "optimisation");
    good = fleet_plan(&fleet, &notes, &what);
    progress_end(&progress);
    if (print_notes(&notes, good))
        code = show_fleet(line, &fleet, words, nr_keys);
    fleet_dispose(&fleet);
    return code;
}

/* ---- the command ---- */

static bool place(struct cmd_line *line, struct plans *plans)
{
    const struct xln_host *host = plans->planner.snapshot->host;
    struct progress progress;
    struct work work = { progress_tell, &progress };
    bool good;

    progress_begin(&progress, "optimisation");
    good = cmd_value(line, OPT_OPTIMISE)
               ? planner_optimise(plans->list, plans->nr, host, &work)
               : planner_place_all(plans->list, plans->nr, NULL, host);
    progress_end(&progress);
    return print_notes(&plans->notes, good);
}

static int count_json(const struct cmd_line *line, const struct planned *d,
                      const struct plan_count *c)
{
    struct xln__json *json = cmd_new_json(line);

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", JSON_VERSION);
    plan_count_view_json(d, c, json);
    xln__json_object_end(json);
    return xln__json_print(json, stdout);
}

/* Ends as a plan of the first of them does. */
static int count(const struct cmd_line *line, struct plans *plans)
{
    struct plan_count c;
    int rc, code = EXIT_FAILURE;

    if (print_notes(&plans->notes,
                    plan_count(plans->list, plans->planner.snapshot->host,
                               &c))) {
        rc = cmd_value(line, OPT_JSON)
                 ? count_json(line, plans->list, &c)
                 : plan_count_view_print(plans->list, &c, stdout);
        cmd_complain_of(line, rc);
        code = rc ? EXIT_FAILURE : (int)c.first;
    }
    plan_count_dispose(&c);
    return code;
}

static int run_plans(struct cmd_line *line, struct plans *plans, char **words,
                     unsigned nr_keys)
{
    int code;

    plans->words = words;
    plans->nr_words = nr_keys;
    if (!open_planner(line, &plans->planner, &plans->notes,
                      cmd_value(line, OPT_HOST),
                      cmd_value(line, OPT_DEFAULTS)) ||
        !read_configs(plans, words, nr_keys, line->nr_args - nr_keys))
        return EXIT_FAILURE;
    if (cmd_value(line, OPT_COUNT))
        return count(line, plans);
    if (!place(line, plans))
        return EXIT_FAILURE;
    code = show(line, plans);
    return code ? code : code_of(plans);
}

/* False: it printed that a column is unknown, before any line is shown. */
static bool has_columns(const struct cmd_line *line, unsigned nr_hosts)
{
    return cmd_check_table(line, nr_hosts > 1 ? fleet_view_columns
                                              : plan_view_columns);
}

/* With several hosts the table lists the hosts. */
static int check_number(const struct cmd_line *line, unsigned nr_configs,
                        unsigned nr_hosts)
{
    bool json = cmd_value(line, OPT_JSON), all = cmd_value(line, OPT_ALL);

    if (nr_hosts > 1 && cmd_value(line, OPT_COUNT))
        return cmd_usage(line, "--count works with one --host only");
    if (nr_hosts > 1 && cmd_value(line, OPT_EMIT))
        return cmd_usage(line, "--emit works with one --host only");
    if (nr_hosts > 1 && all && !json)
        return cmd_usage(line, "--all works with one --host only");
    if (nr_configs > 1 && nr_hosts < 2 && cmd_value(line, 'o'))
        return cmd_usage(line, "-o works with one CONFIG only");
    if (nr_configs > 1 && all && !json)
        return cmd_usage(line, "--all works with one CONFIG only");
    if (nr_configs > 1 && cmd_value(line, OPT_COUNT))
        return cmd_usage(line, "--count works with one CONFIG only");
    return EXIT_SUCCESS;
}

static int check_usage(const struct cmd_line *line, unsigned nr_configs,
                       unsigned nr_hosts)
{
    const char *emit = cmd_value(line, OPT_EMIT);
    int code;

    if (!nr_configs)
        return cmd_usage(line, "needs a CONFIG");
    code = check_number(line, nr_configs, nr_hosts);
    if (code)
        return code;
    if (cmd_value(line, OPT_OPTIMISE) && cmd_value(line, OPT_COUNT))
        return cmd_usage(line, "--count and --optimise exclude each other");
    if ((emit != NULL) + (cmd_value(line, OPT_COUNT) != NULL) +
        (cmd_value(line, 'o') || cmd_value(line, OPT_ALL)) > 1)
        return cmd_usage(line, "--count, --emit and the options of the table "
                               "exclude each other");
    if (emit && cmd_value(line, OPT_JSON))
        return cmd_usage(line, "--emit and --json exclude each other");
    return has_columns(line, nr_hosts) ? EXIT_SUCCESS : EXIT_USAGE;
}

static int run_one(struct cmd_line *line, char **words, unsigned nr_keys)
{
    struct plans plans = {
        .max_nr = cmd_value(line, OPT_ALL) ? 0 : BEST,
    };
    int code = run_plans(line, &plans, words, nr_keys);
    unsigned i;

    for (i = 0; i < plans.nr; i++)
        planned_dispose(&plans.list[i]);
    free(plans.list);
    planner_end(&plans.planner);
    notes_dispose(&plans.notes);
    return code;
}

static int run(struct cmd_line *line)
{
    unsigned nr_hosts = cmd_values(line, OPT_HOST, NULL, 0), nr_keys = 0;
    const char **hosts = calloc(nr_hosts + 1, sizeof(*hosts));
    char **words = split_words(line, &nr_keys);
    int code = EXIT_FAILURE;

    if (!hosts || !words) {
        complain("numa-plan: %s", strerror(ENOMEM));
        goto out;
    }
    cmd_values(line, OPT_HOST, hosts, nr_hosts);
    code = check_usage(line, line->nr_args - nr_keys, nr_hosts);
    if (!code)
        code = nr_hosts > 1 ? run_fleet(line, hosts, nr_hosts, words, nr_keys)
                            : run_one(line, words, nr_keys);
 out:
    free(hosts);
    free(words);
    return code;
}

const struct cmd cmd_numa_plan = {
    .name = "numa-plan",
    .args = "[OPTIONS] [KEY=VALUE...] CONFIG...",
    .summary = "show where domains would go, and why",
    .examples =
        "  xl numa-plan web.cfg\n"
        "  xl numa-plan --host host.json web.cfg nodes_policy=worst\n"
        "  xl numa-plan --host a.json --host b.json web.cfg db.cfg\n",
    .min_args = 1,
    .max_args = -1,
    .takes_keys = true, .options = options,
    .columns = plan_view_columns,
    .more_columns = fleet_view_columns,
    .more = " with several hosts",
    .run = run,
};
