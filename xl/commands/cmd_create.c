/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl create --plan: the domains of a plan, each on the nodes that the plan has
 * for it. Every other xl create is the installed xl's. With the nodes known no
 * create has to wait for another: several run at once, in the plan's order.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "open_planner.h"
#include "placement/environment.h"
#include "plans/plan_file.h"
#include "text/units.h"

#define OPT_PLAN OPT_OWN

static const struct cmd_option options[] = {
    { "plan", OPT_PLAN, "FILE", "from 'xl numa-plan --json'; '-': standard "
                                "input" },
    { 0 }
};

/* ---- whether the plan holds ---- */

/* "nodes 0-1" */
static const char *node_word(const struct plan_file_item *item)
{
    return strpbrk(item->nodes, ",-") ? "nodes" : "node";
}

static bool nodes_are_here(const struct plan_file_item *item,
                           const struct planned *d,
                           const struct xln_host *host)
{
    const struct xln_nodemap *nodes =
        d->request->mem_nodes ? d->request->mem_nodes : d->request->nodes;

    if (xln_nodemap_is_subset(nodes, xln_host_nodes(host)))
        return true;
    complain("'%s' is planned on %s %s, which this host does not have: nothing "
             "is created", item->name, node_word(item), item->nodes);
    return false;
}

static bool read_planned(struct planner *planner, const struct plan_file *file,
                         const struct plan_file_item *item, struct planned *d)
{
    int rc;

    if (!item->nodes) {
        complain("the plan has no place for '%s': nothing is created",
                 item->name);
        return false;
    }
    if (!print_notes(planner->notes,
                     planner_read(planner, item->config, file->words,
                                  file->nr_words, d)))
        return false;
    rc = keys_apply_plan(item->nodes, d->request);
    if (!rc)
        return nodes_are_here(item, d, planner->snapshot->host);
    complain("'%s': %s", item->name, strerror(-rc));
    return false;
}

static bool holds(const struct plan_file_item *item, const struct planned *d)
{
    const struct decision *decision = d->decision;
    const struct xln_plan *plan = decision->plan;

    if (decision->status != DECIDE_NOTHING_FITS &&
        (item->spills || !(plan->relaxed & XLN_RELAXED_MEMORY)))
        return true;
    if (decision->reason && !decision->lacks_memory) {
        complain("the plan no longer holds: '%s': %s: nothing is "
                 "created", item->name, decision->reason);
        return false;
    }
    complain("the plan no longer holds: '%s' needs %" PRIu64
             " MiB, and does not fit on %s %s: nothing is created",
             item->name, IN_MIB(plan->need_bytes), node_word(item),
             item->nodes);
    return false;
}

/* All of them together, on the host as it is. Gives the exit code. */
static int check_list(struct planner *planner, const struct plan_file *file,
                      struct planned *list, unsigned *nr_read)
{
    unsigned i;

    for (i = 0; i < file->nr_items; i++) {
        *nr_read = i + 1;
        if (!read_planned(planner, file, &file->items[i], &list[i]))
            return EXIT_FAILURE;
    }
    if (!print_notes(planner->notes,
                     planner_place_all(list, file->nr_items, NULL,
                                       planner->snapshot->host)))
        return EXIT_FAILURE;
    for (i = 0; i < file->nr_items; i++)
        if (!holds(&file->items[i], &list[i]))
            return EXIT_NOTHING_FITS;
    return EXIT_SUCCESS;
}

static int check(struct cmd_line *line, const struct plan_file *file)
{
    struct planned *list = calloc(file->nr_items + 1, sizeof(*list));
    struct notes notes = { 0 };
    struct planner planner;
    int code = EXIT_FAILURE;
    unsigned nr = 0, i;

    if (!list) {
        complain("create: %s", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    if (open_planner(line, &planner, &notes, NULL, NULL))
        code = check_list(&planner, file, list, &nr);
    for (i = 0; i < nr; i++)
        planned_dispose(&list[i]);
    planner_end(&planner);
    free(list);
    return code;
}

/* ---- creating them ---- */

/* Does not return. */
static void become_xl(const struct plan_file *file,
                      const struct plan_file_item *item)
{
    char **argv = calloc(file->nr_words + 4, sizeof(*argv));

    if (argv && !setenv(MODULE_NODES, item->nodes, 1)) {
        argv[0] = (char *)(uintptr_t)XL_PATH;
        argv[1] = (char *)(uintptr_t)"create";
        argv[2] = item->config;
        memcpy(argv + 3, file->words, file->nr_words * sizeof(*argv));
        execv(XL_PATH, argv);
    }
    complain("cannot run '" XL_PATH "': %s", strerror(errno));
    _exit(EXIT_FAILURE);
}

/* One of our processes has ended; false: none is left. */
static bool reap(const struct plan_file *file, const pid_t *pids, bool *good)
{
    unsigned i;
    int status;
    pid_t pid = wait(&status);

    if (pid < 0)
        return errno == EINTR;
    for (i = 0; i < file->nr_items && pids[i] != pid; i++)
        ;
    if (i < file->nr_items && status) {
        complain("'%s' could not be created, see above", file->items[i].name);
        *good = false;
    }
    return true;
}

/* As many at once as Domain-0 has CPUs to build them. */
static bool create_all(const struct plan_file *file, pid_t *pids)
{
    long most = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned running = 0, i;
    bool good = true;

    for (i = 0; i < file->nr_items; i++) {
        if (running >= (most > 0 ? most : 1) && reap(file, pids, &good))
            running--;
        pids[i] = fork();
        if (!pids[i])
            become_xl(file, &file->items[i]);
        if (pids[i] < 0) {
            complain("cannot create '%s': %s", file->items[i].name,
                     strerror(errno));
            good = false;
        } else {
            running++;
        }
    }
    while (reap(file, pids, &good))
        ;
    return good;
}

static int create(const struct plan_file *file)
{
    pid_t *pids = calloc(file->nr_items + 1, sizeof(*pids));
    bool good;

    if (!pids) {
        complain("create: %s", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    fflush(NULL);
    good = create_all(file, pids);
    free(pids);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the command ---- */

static int run(struct cmd_line *line)
{
    const char *path = cmd_value(line, OPT_PLAN);
    struct plan_file *file;
    char *error;
    int code, rc;

    if (!path)
        return cmd_usage(line, "needs --plan: without it this is the command "
                               "of the installed xl");
    rc = plan_file_read(path, &file, &error);
    if (rc) {
        complain("%s%s%s", error ? "" : path, error ? "" : ": ",
                 error ? error : strerror(-rc));
        free(error);
        return EXIT_FAILURE;
    }
    code = check(line, file);
    if (!code && !line->dry_run)
        code = create(file);
    plan_file_free(file);
    return code;
}

const struct cmd cmd_create = {
    .name = "create",
    .args = "--plan FILE",
    .summary = "create the domains of a plan, on its nodes",
    .examples =
        "  xl create --plan plan.json\n",
    .min_args = 0,
    .max_args = 0,
    .options = options,
    .run = run,
};
