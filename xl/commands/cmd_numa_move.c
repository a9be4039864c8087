/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-move: the command line of moves, of advice, and of what repairs them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/units.h"
#include "views/advise_view.h"
#include "apply.h"
#include "cmd.h"
#include "guest_json.h"
#include "move_domain.h"
#include "open_advice.h"

enum {
    OPT_LIVE = OPT_OWN, OPT_ADVISE, OPT_HOST, OPT_RECOVER, OPT_APPLY,
    OPT_MAX_COPY, OPT_MAX_PAUSE, OPT_MAX_CPU,
};

#define COPY_MIN_GIB 0.001
#define COPY_MAX_GIB 1000000
#define PAUSE_MIN_S 0.01
#define PAUSE_MAX_S 3600
#define CPU_MIN_PERCENT 10
#define CPU_MAX_PERCENT 10000

/* The task of the worker; `limits` are those of --apply. */
struct task {
    struct cmd_line *line;
    struct apply_limits limits;
};

/* ---- advice ---- */

static int show_advice(struct cmd_line *line, const struct open_advice *a)
{
    struct table *table = NULL;
    int rc = advise_view_table(&a->advice, a->wanted, &table);
    int code = cmd_show_table(line, table, rc);

    return code || !a->wanted || a->advice.plan ? code : EXIT_NOTHING_FITS;
}

static int advise(struct cmd_line *line)
{
    struct open_advice a;
    int code = EXIT_FAILURE;

    if (open_advice(line, cmd_value(line, OPT_HOST), &a))
        code = show_advice(line, &a);
    close_advice(&a);
    return code;
}

/* ---- dead moves ---- */

static int recover(struct cmd_line *line)
{
    struct move *move;
    uint32_t domid;
    int code;

    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    if (!line->nr_args)
        return recovery_repair_all(line, false);
    move = recovery_find(line, line->args[0]);
    if (!move)
        return EXIT_SUCCESS;
    code = recovery_repair(line, move, &domid);
    move_free(move);
    return code;
}

/* ---- the command line ---- */

/* False: `*code_r` has the exit code of what is wrong. */
static bool read_limits(const struct cmd_line *line,
                        struct apply_limits *limits, int *code_r)
{
    const char *copy = cmd_value(line, OPT_MAX_COPY),
               *pause = cmd_value(line, OPT_MAX_PAUSE),
               *cpu = cmd_value(line, OPT_MAX_CPU);
    double gib = 0, percent = 0;

    *limits = (struct apply_limits){
        .most_bytes = UINT64_MAX,
        .terms.only_live = cmd_value(line, OPT_APPLY) ||
                           cmd_value(line, OPT_LIVE),
    };
    *code_r = EXIT_SUCCESS;
    if (copy && !cmd_seconds(copy, COPY_MIN_GIB, COPY_MAX_GIB, &gib))
        *code_r = cmd_usage(line, "--max-copy takes GiB from %g to %d, not "
                            "'%s'", COPY_MIN_GIB, COPY_MAX_GIB, copy);
    else if (pause && !cmd_seconds(pause, PAUSE_MIN_S, PAUSE_MAX_S,
                                   &limits->terms.most_paused_s))
        *code_r = cmd_usage(line, "--max-pause takes seconds from %g to %d, "
                            "not '%s'", PAUSE_MIN_S, PAUSE_MAX_S, pause);
    else if (cpu && !cmd_seconds(cpu, CPU_MIN_PERCENT, CPU_MAX_PERCENT,
                                 &percent))
        *code_r = cmd_usage(line, "--max-cpu takes percent of a CPU from %d to "
                            "%d, not '%s'", CPU_MIN_PERCENT, CPU_MAX_PERCENT,
                            cpu);
    limits->terms.cpu_share = percent / 100;
    if (copy)
        limits->most_bytes = gib * 1024 * MIB;
    return !*code_r;
}

static bool shows_table(const struct cmd_line *line)
{
    return cmd_value(line, OPT_ADVISE) &&
           (!cmd_value(line, OPT_APPLY) || line->dry_run);
}

static int check_apply(const struct cmd_line *line)
{
    if (!cmd_value(line, OPT_ADVISE))
        return cmd_usage(line, "--apply needs --advise");
    if (cmd_value(line, OPT_HOST))
        return cmd_usage(line, "--apply is for the running host: not with "
                         "--host");
    if (!shows_table(line) && cmd_value(line, 'o'))
        return cmd_usage(line, "--apply prints no table: -o needs -N");
    return EXIT_SUCCESS;
}

static int check_advise(const struct cmd_line *line)
{
    if (cmd_value(line, OPT_LIVE))
        return cmd_usage(line, cmd_value(line, OPT_APPLY)
                                   ? "--apply always moves live: --live has no "
                                     "meaning"
                                   : "--advise moves nothing: --live has no "
                                     "meaning");
    return EXIT_SUCCESS;
}

static int check_move(const struct cmd_line *line)
{
    if (!line->nr_args)
        return cmd_usage(line, "needs a DOMAIN");
    if (line->nr_args > 2)
        return cmd_usage(line, "takes a DOMAIN and NODES at most");
    if (cmd_value(line, OPT_HOST) || cmd_value(line, 'o'))
        return cmd_usage(line, "--host and -o need --advise");
    return guest_check_json(line);
}

static bool limits_a_move(const struct cmd_line *line)
{
    return cmd_value(line, OPT_MAX_PAUSE) || cmd_value(line, OPT_MAX_CPU);
}

static int check_usage(const struct cmd_line *line)
{
    bool advise = cmd_value(line, OPT_ADVISE),
         recover = cmd_value(line, OPT_RECOVER),
         apply = cmd_value(line, OPT_APPLY);
    int code = apply ? check_apply(line) : EXIT_SUCCESS;

    if (code)
        return code;
    if (!apply && cmd_value(line, OPT_MAX_COPY))
        return cmd_usage(line, "--max-copy needs --apply");
    if (recover && (advise || cmd_value(line, OPT_LIVE) ||
                    limits_a_move(line) || cmd_value(line, OPT_JSON) ||
                    line->nr_args > 1))
        return cmd_usage(line, "--recover takes one DOMAIN at most");
    if (advise && !apply && limits_a_move(line))
        return cmd_usage(line, "--advise moves nothing: --max-pause and "
                         "--max-cpu have no meaning");
    if (advise)
        return check_advise(line);
    return recover ? EXIT_SUCCESS : check_move(line);
}

/* ---- the command ---- */

static int move(struct task *t, struct supervised *self)
{
    struct cmd_line *line = t->line;

    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    return move_domain(line, line->args[0],
                       line->nr_args > 1 ? line->args[1] : "auto",
                       &t->limits.terms, self);
}

static int work(struct supervised *self, void *arg)
{
    struct task *t = arg;

    return cmd_value(t->line, OPT_APPLY)
               ? apply_advice(t->line, &t->limits, self)
               : move(t, self);
}

static int repair_run(struct cmd_line *line, int signal)
{
    if (signal)
        complain("the process that moves domains was killed by signal %d",
                 signal);
    else
        complain("cannot start a process to move domains");
    if (cmd_open_xen(line))
        recovery_repair_all(line, true);
    return EXIT_FAILURE;
}

static int repair_move(struct cmd_line *line, int signal)
{
    struct move *dead;
    uint32_t domid;
    int code = EXIT_FAILURE;

    complain(signal ? "the process that moves '%s' was killed by signal %d"
                    : "cannot start a process to move '%s'", line->args[0],
             signal);
    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    dead = recovery_find(line, line->args[0]);
    if (dead)
        recovery_repair(line, dead, &domid);
    else
        complain("there is no interrupted move to repair");
    move_free(dead);
    return code;
}

/* The process that did it was killed: this one repairs what is left. */
static int after_kill(struct cmd_line *line, int signal)
{
    return cmd_value(line, OPT_APPLY) ? repair_run(line, signal)
                                      : repair_move(line, signal);
}

static int run(struct cmd_line *line)
{
    struct task t = { .line = line };
    int code = check_usage(line), signal;

    if (code || !read_limits(line, &t.limits, &code))
        return code;
    if (cmd_value(line, OPT_RECOVER))
        return recover(line);
    if (cmd_value(line, OPT_ADVISE) && !cmd_value(line, OPT_APPLY))
        return advise(line);
    if (line->dry_run)
        return work(NULL, &t);
    code = supervise(work, &t, &signal);
    return code < 0 ? after_kill(line, signal) : code;
}

static const struct cmd_option options[] = {
    { "live", OPT_LIVE, NULL, "fail if it would be paused for the whole copy" },
    { "recover", OPT_RECOVER, NULL, "repair what an interrupted move left" },
    { "advise", OPT_ADVISE, NULL, "list moves that help, or that make room" },
    { "host", OPT_HOST, "FILE", "with --advise: for a saved host" },
    { "apply", OPT_APPLY, NULL, "with --advise: make the moves, one by one" },
    { "max-copy", OPT_MAX_COPY, "GIB", "with --apply: copy at most this in all" },
    { "max-pause", OPT_MAX_PAUSE, "SECONDS",
      "stop a move that pauses its domain for longer" },
    { "max-cpu", OPT_MAX_CPU, "PERCENT",
      "copy with at most this share of one CPU" },
    TABLE_OPTIONS,
    { 0 }
};

const struct cmd cmd_numa_move = {
    .name = "numa-move",
    .args = "[OPTIONS] [DOMAIN [NODES|VNODE:NODE]]",
    .summary = "bring a running domain's memory to other nodes",
    .examples =
        "  xl numa-move --advise\n"
        "  xl numa-move --advise --apply --max-copy=64 --max-pause=2\n"
        "  xl -N numa-move web 2\n"
        "  xl numa-move --live web 2\n"
        "  xl numa-move db 1:3\n",
    .min_args = 0,
    .max_args = -1,
    .options = options,
    .columns = advise_view_columns,
    .run = run,
};
