/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-move: the memory of a running domain to other nodes. Xen moves no
 * page, so the domain migrates to the host that it is on, with a request for
 * these nodes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "views/advise_view.h"
#include "cmd.h"
#include "guest.h"
#include "placement/keep.h"
#include "migration.h"
#include "node_list.h"
#include "placement/placement.h"
#include "placement/record.h"

enum { OPT_LIVE = OPT_OWN, OPT_ADVISE, OPT_HOST };

#define MIB(bytes) ((bytes) >> 20)

/* ---- whether it can be had ---- */

/* "node 1 has 60 MiB to plan with, node 2 has ..." */
static char *usable_text(const struct placement *p)
{
    const struct xln_nodemap *nodes =
        p->plan->named ? p->plan->nodes : xln_host_nodes(p->host);
    const char *separator = "";
    char *text = NULL;
    unsigned node;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    XLN_FOREACH(xln_nodemap, node, nodes) {
        fprintf(f, "%snode %u has %" PRIu64 " MiB to plan with", separator, node,
                MIB(xln_host_node_usable(xln_host_node(p->host, node), true,
                                         p->request->dma_reserve_bytes)));
        separator = ", ";
    }
    if (!fclose(f))
        return text;
    free(text);
    return NULL;
}

/* The plan is for the copy, beside the domain as it is. Gives the exit code. */
static int check_plan(const struct guest *guest, const struct placement *p)
{
    char *usable;

    if (!p->plan) {
        complain("'%s' has a vnuma= list, or this host one node: there is "
                 "nothing to move", guest->name);
        return EXIT_FAILURE;
    }
    if (!(p->plan->relaxed & XLN_RELAXED_MEMORY) &&
        p->plan->verdict != XLN_NOTHING_FITS)
        return EXIT_SUCCESS;
    usable = usable_text(p);
    complain("'%s' stays where it is: its copy needs %" PRIu64 " MiB: %s",
             guest->name, MIB(p->plan->need_bytes),
             usable ? usable : strerror(ENOMEM));
    free(usable);
    return EXIT_NOTHING_FITS;
}

/* Gives the exit code. */
static int check(struct cmd_line *line, const struct guest *guest,
                 const struct keep *keep)
{
    int code = EXIT_FAILURE, rc = -EIO;
    struct placement *p = NULL;
    libxl_domain_config config;

    libxl_domain_config_init(&config);
    if (!libxl_retrieve_domain_configuration(line->ctx, guest->domid, &config,
                                             NULL))
        rc = keep_apply(keep, line->ctx, &config);
    if (!rc)
        rc = placement_begin(line->ctx, line->lg, &config, NULL, &p);
    if (!rc) {
        /* A strict request that can't be had: its end says so. */
        rc = placement_plan(p, line->xch, XLN_NONE);
        code = rc == -ENOSPC ? EXIT_NOTHING_FITS : check_plan(guest, p);
        placement_end(p, rc == -ENOSPC);
    } else {
        complain("cannot plan for '%s': %s", guest->name, strerror(-rc));
    }
    libxl_domain_config_dispose(&config);
    return code;
}

/* ---- what is kept ---- */

static int note(struct keep *keep, const struct guest *guest, const void *nodes)
{
    (void)guest;
    return keep_set_nodes(keep, nodes);
}

static int put_back(struct keep *keep, const struct guest *guest,
                    const void *before)
{
    const struct keep *old = before;

    (void)guest;
    free(keep->nodes);
    keep->nodes = old->nodes ? strdup(old->nodes) : NULL;
    return old->nodes && !keep->nodes ? -ENOMEM : 0;
}

/* ---- moving ---- */

static void print_said(const struct migration *m)
{
    if (m->said)
        fputs(m->said, stderr);
}

static bool migrate(const struct cmd_line *line, const struct guest *guest,
                    struct migration *m)
{
    bool live_only = cmd_value(line, OPT_LIVE);

    m->live = true;
    m->show_progress = isatty(STDERR_FILENO);
    if (migrate_here(line, guest, m))
        return true;
    if (live_only || !guest->domain->is_pv) {
        print_said(m);
        complain("'%s' could not be migrated, see above", guest->name);
        return false;
    }
    complain("'%s', a PV domain, can't be moved live here: it is paused while "
             "its memory is copied", guest->name);
    free(m->said);
    m->live = false;
    if (migrate_here(line, guest, m))
        return true;
    print_said(m);
    complain("'%s' could not be migrated, see above", guest->name);
    return false;
}

static int tell(struct cmd_line *line, const struct guest *guest,
                const struct migration *m)
{
    struct guest copy;
    char domid[16];
    uint32_t id;
    int code = EXIT_SUCCESS;

    if (libxl_name_to_domid(line->ctx, guest->name, &id)) {
        complain("'%s' was moved, and has gone since", guest->name);
        return EXIT_FAILURE;
    }
    snprintf(domid, sizeof(domid), "%" PRIu32, id);
    if (!guest_open(line, domid, &copy))
        return EXIT_FAILURE;
    printf("'%s' is domain %" PRIu32 " now: ", guest->name, id);
    if (copy.bytes)
        guest_print_bytes(&copy, NULL, stdout);
    else
        fputs("where its memory is was not recorded", stdout);
    if (m->paused_s >= 0)
        printf("; it was paused for %.2f s", m->paused_s);
    puts("");
    if (MIB(guest_bytes_outside(&copy, copy.domain->nodes)))
        code = EXIT_RELAXED;
    guest_close(&copy);
    return code;
}

/* `nodes`: as the request has it. */
static int move(struct cmd_line *line, const struct guest *guest,
                const char *nodes)
{
    struct migration m = { 0 };
    struct keep *before = NULL, *keep = NULL;
    int code, rc;

    rc = keep_read(line->ctx, guest->domid, &before);
    if (!rc)
        rc = keep_read(line->ctx, guest->domid, &keep);
    if (!rc)
        rc = keep_set_nodes(keep, nodes);
    if (rc) {
        complain("cannot move '%s': %s", guest->name, strerror(-rc));
        code = EXIT_FAILURE;
        goto out;
    }
    code = check(line, guest, keep);
    if (code || line->dry_run)
        goto out;
    code = EXIT_FAILURE;
    if (!guest_keep(line, guest, note, nodes))
        goto out;
    if (migrate(line, guest, &m))
        code = tell(line, guest, &m);
    else
        guest_keep(line, guest, put_back, before);
    free(m.said);

 out:
    keep_free(before);
    keep_free(keep);
    return code;
}

/* ---- the command line ---- */

static int read_and_move(struct cmd_line *line, const struct guest *guest)
{
    const char *word = line->nr_args > 1 ? line->args[1] : "auto";
    struct xln_nodemap *nodes = NULL;
    char *text = NULL;
    int code = EXIT_FAILURE;

    if (!guest->domid) {
        complain("Domain-0 can't be moved: see dom0_nodes= of Xen");
        return EXIT_FAILURE;
    }
    if (guest_is_libvirts(line, guest)) {
        complain("'%s' stays where it is: libvirt, which has made it, would "
                 "lose it: its XML says where it is after a reboot",
                 guest->name);
        return EXIT_FAILURE;
    }
    if (!nodes_read(guest->host, word, &nodes))
        return EXIT_FAILURE;
    if (nodes && xln_nodemap_format(nodes, &text))
        complain("%s", strerror(ENOMEM));
    else
        code = move(line, guest, text ? text : "auto");
    xln_nodemap_free(nodes);
    free(text);
    return code;
}

/* ---- advice ---- */

static int show_advice(struct cmd_line *line, const struct planner *planner,
                       const struct planned *d)
{
    struct table *table = NULL;
    bool fits = true;
    int code, rc = advise_view_table(planner, d, &table, &fits);

    code = cmd_show_table(line, table, rc);
    return code || fits ? code : EXIT_NOTHING_FITS;
}

static int advise_on(struct cmd_line *line, struct planner *planner)
{
    struct planned d = { 0 };
    int code = EXIT_FAILURE;

    if (!planner->snapshot->domains) {
        complain("numa-move: nothing is known of the domains of this host");
        return EXIT_FAILURE;
    }
    if (!line->nr_args)
        return show_advice(line, planner, NULL);
    if (planner_read(planner, line->args[0], line->args + 1,
                     line->nr_args - 1, &d))
        code = show_advice(line, planner, &d);
    planned_dispose(&d);
    return code;
}

static int advise(struct cmd_line *line)
{
    struct planner planner;
    int code = EXIT_FAILURE;

    if (planner_begin(&planner, line, cmd_value(line, OPT_HOST), NULL))
        code = advise_on(line, &planner);
    planner_end(&planner);
    return code;
}

static int check_usage(const struct cmd_line *line)
{
    bool advise = cmd_value(line, OPT_ADVISE);

    if (advise && cmd_value(line, OPT_LIVE))
        return cmd_usage(line, "--advise moves nothing: --live is not for it");
    if (advise)
        return EXIT_SUCCESS;
    if (!line->nr_args)
        return cmd_usage(line, "needs a DOMAIN");
    if (line->nr_args > 2)
        return cmd_usage(line, "takes a DOMAIN and NODES, no more");
    if (cmd_value(line, OPT_HOST) || cmd_value(line, OPT_JSON) ||
        cmd_value(line, 'o'))
        return cmd_usage(line, "--host, -o and --json are for --advise");
    return EXIT_SUCCESS;
}

static int run(struct cmd_line *line)
{
    struct guest guest;
    int code = check_usage(line);

    if (code)
        return code;
    if (cmd_value(line, OPT_ADVISE))
        return advise(line);

    if (!cmd_open_xen(line) || !guest_open(line, line->args[0], &guest))
        return EXIT_FAILURE;
    code = read_and_move(line, &guest);
    guest_close(&guest);
    return code;
}

static const struct cmd_option options[] = {
    { "live", OPT_LIVE, NULL, "not if it would be paused for the whole time" },
    { "advise", OPT_ADVISE, NULL, "which moves would help, or make room" },
    { "host", OPT_HOST, "FILE", "--advise: of a saved host" },
    TABLE_OPTIONS,
    { 0 }
};

const struct cmd cmd_numa_move = {
    .name = "numa-move",
    .args = "[OPTIONS] DOMAIN [NODES|auto]|--advise [CONFIG]",
    .summary = "bring a running domain's memory to other nodes",
    .min_args = 0,
    .max_args = -1,
    .options = options,
    .columns = advise_view_columns,
    .run = run,
};
