/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open_advice.h"
#include "open_planner.h"

/* Room is made on one node. */
static bool can_be_advised(const struct planned *d)
{
    if (d->config->cells)
        complain("%s: a domain with virtual nodes of its own: numa-move cannot "
                 "advise on it", d->config->source);
    return !d->config->cells;
}

/* Only an error is printed again. */
static bool tell(struct open_advice *a, bool again, bool good)
{
    if (!again || !good)
        return print_notes(&a->notes, good);
    notes_dispose(&a->notes);
    return true;
}

static bool read_config(const struct cmd_line *line, bool again,
                        struct open_advice *a)
{
    bool good;

    if (!line->nr_args)
        return true;
    good = planner_read(&a->planner, line->args[0], line->args + 1,
                        line->nr_args - 1, &a->config) &&
           planner_place(&a->config, a->planner.snapshot->host);
    a->wanted = &a->config;
    return tell(a, again, good) && can_be_advised(&a->config);
}

static bool ask(const struct cmd_line *line, const struct advise_fixed *fixed,
                struct open_advice *a)
{
    int rc = advise_host(&a->planner, a->wanted, fixed, &a->advice);

    cmd_complain_of(line, rc);
    return !rc;
}

bool open_advice(struct cmd_line *line, const char *host_file,
                 struct open_advice *a)
{
    *a = (struct open_advice){ .wanted = NULL };
    if (!open_planner(line, &a->planner, &a->notes, host_file, NULL))
        return false;
    if (!a->planner.snapshot->domains) {
        complain("numa-move: this host has no list of domains");
        return false;
    }
    return read_config(line, false, a) && ask(line, NULL, a);
}

bool open_advice_running(struct cmd_line *line,
                         const struct advise_fixed *fixed, bool again,
                         struct open_advice *a)
{
    *a = (struct open_advice){ .wanted = NULL };
    return tell(a, again, planner_begin_running(&a->planner, &a->notes,
                                                line->xch, line->ctx, NULL)) &&
           read_config(line, again, a) && ask(line, fixed, a);
}

bool open_advice_without(struct cmd_line *line,
                         const struct advise_fixed *fixed,
                         struct open_advice *a)
{
    host_advice_dispose(&a->advice);
    return ask(line, fixed, a);
}

void close_advice(struct open_advice *a)
{
    host_advice_dispose(&a->advice);
    planned_dispose(&a->config);
    planner_end(&a->planner);
}
