/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "guest.h"
#include "move_domain.h"
#include "open_advice.h"
#include "plans/host_change.h"
#include "text/units.h"
#include "views/advise_view.h"

struct run {
    struct cmd_line *line;
    const struct apply_limits *limits;
    struct supervised *self;
    struct open_advice *now;    /* the host as it is */
    struct advise_fixed fixed;  /* moves that were tried, and domains that stay
                                   where they are */
    bool has_shadow;            /* Xen can tell which pages PV domains write
                                 * to */
    uint64_t left_bytes;        /* of the limit */
    unsigned nr_moved, nr_left;
    uint64_t moved_bytes;
    int code;
};

/* Keep the worst. */
static void note_code(struct run *r, int code)
{
    static const int order[] = {
        EXIT_SUCCESS, EXIT_RELAXED, EXIT_NOTHING_FITS, EXIT_FAILURE,
    };
    unsigned was = 0, is = 0;

    while (was < 3 && order[was] != r->code)
        was++;
    while (is < 3 && order[is] != code)
        is++;
    r->code = order[is > was ? is : was];
}

static const struct advice *advice_of(const struct run *r)
{
    return r->now->advice.advice;
}

/* ---- what is left where it is ---- */

static const char *name_of(const struct advise_guest *guest, char number[16])
{
    snprintf(number, 16, "%" PRIu32, guest->domid);
    return guest->name ? guest->name : number;
}

/* Whether Xen itself says that it cannot be moved live; what else hinders that
 * only a move can find out. */
static const char *state_that_hinders(const struct run *r,
                                      const struct advise_guest *guest)
{
    xc_domaininfo_t info;

    if (guest->kind.type == LIBXL_DOMAIN_TYPE_PV && !r->has_shadow)
        return "this Xen cannot move PV domains live";
    if (xc_domain_getinfolist(r->line->xch, guest->domid, 1, &info) != 1 ||
        info.domain != guest->domid)
        return NULL;
    return info.flags & XEN_DOMINF_shutdown ? "it has shut down or is suspended"
           : info.flags & XEN_DOMINF_paused ? "it is paused"
                                            : NULL;
}

/* `before_bytes`: copied by the moves before it. True: it printed why. */
static bool must_stay(const struct run *r, const struct advise_move *move,
                      uint64_t before_bytes)
{
    uint64_t left_bytes = r->left_bytes > before_bytes
                              ? r->left_bytes - before_bytes : 0;
    const char *hindrance = state_that_hinders(r, move->guest);
    char number[16];

    if (hindrance)
        complain("'%s' stays where it is: %s", name_of(move->guest, number),
                 hindrance);
    else if (!r->now->wanted && move->bytes > left_bytes)
        complain("'%s' stays where it is: it has %" PRIu64 " MiB, and the "
                 "limit leaves %" PRIu64 " MiB to copy", name_of(move->guest, number),
                 IN_MIB(move->bytes), IN_MIB(left_bytes));
    else
        return false;
    return true;
}

static bool fix(struct run *r, const struct advise_guest *guest)
{
    int rc = advise_fix(&r->fixed, guest->uuid);

    cmd_complain_of(r->line, rc);
    return !rc;
}

/* Make new advice before each move. The earlier advice assumed that the
 * domains which stay had been moved. False: it printed why. */
static bool settle(struct run *r)
{
    uint64_t before_bytes = 0;
    unsigned i = 0;

    while (i < advice_of(r)->nr) {
        const struct advise_move *move = &advice_of(r)->moves[i++];

        if (!must_stay(r, move, before_bytes)) {
            before_bytes += move->bytes;
            continue;
        }
        r->nr_left++;
        if (!fix(r, move->guest) ||
            !open_advice_without(r->line, &r->fixed, r->now))
            return false;
        before_bytes = i = 0;
    }
    return true;
}

/* All moves together make room, or none is made. False: it printed why. */
static bool keeps_to_limit(const struct run *r)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < advice_of(r)->nr; i++)
        bytes += advice_of(r)->moves[i].bytes;
    if (!r->now->wanted || bytes <= r->left_bytes)
        return true;
    complain("no %sdomain is moved: the moves that make room for '%s' copy "
             "%" PRIu64 " MiB, and the limit leaves %" PRIu64 " MiB",
             r->nr_moved ? "more " : "", r->now->wanted->config->name,
             IN_MIB(bytes), IN_MIB(r->left_bytes));
    return false;
}

/* ---- the moves ---- */

static bool is_stopped(const struct run *r)
{
    if (!supervised_stops(r->self))
        return false;
    complain("stopped: no more domains are moved");
    return true;
}

/* A domain that left the choice to xl does so afterwards too. One that makes
 * room would choose the node that it is to leave. */
static int format_nodes(const struct run *r, const struct advise_move *move,
                        char **nodes_r)
{
    const struct xln_request *request = move->guest->request;

    if (r->now->wanted || request->nodes || request->all_nodes ||
        request->mem_nodes)
        return xln_nodemap_format(move->nodes, nodes_r);
    *nodes_r = strdup("auto");
    return *nodes_r ? 0 : -ENOMEM;
}

/* What was copied counts, also if the move failed. */
static bool carry_out(struct run *r, const struct advise_move *move)
{
    struct move_terms terms = r->limits->terms;
    char domid[16], *nodes;
    int rc = format_nodes(r, move, &nodes), code;

    cmd_complain_of(r->line, rc);
    if (rc)
        return false;
    if (!fix(r, move->guest)) {
        free(nodes);
        return false;
    }
    terms.to = move->nodes;
    snprintf(domid, sizeof(domid), "%" PRIu32, move->guest->domid);
    code = move_domain(r->line, domid, nodes, &terms, r->self);
    fflush(stdout);
    free(nodes);
    note_code(r, code);
    r->left_bytes -= move->bytes < r->left_bytes ? move->bytes : r->left_bytes;
    if (code == EXIT_SUCCESS || code == EXIT_RELAXED) {
        r->nr_moved++;
        r->moved_bytes += move->bytes;
    }
    return true;
}

/* Report what others changed meanwhile. False: it printed why it moves no more
 * domains. */
static bool compare(const struct run *r, const struct advise_guest *moved,
                    const struct open_advice *next)
{
    struct host_change change;
    char number[16];
    int rc = host_change_find(r->now->planner.snapshot,
                              next->planner.snapshot, moved->uuid, &change);

    cmd_complain_of(r->line, rc);
    if (rc)
        return false;
    if (change.other_host)
        complain("stopped: while '%s' was moved, the host changed: %s",
                 name_of(moved, number), change.text);
    else if (change.text && next->advice.advice->nr)
        complain("while '%s' was moved, the host changed: %s: the next moves "
                 "are planned anew", name_of(moved, number), change.text);
    free(change.text);
    return !change.other_host;
}

/* The next move starts from the host that this move leaves. */
static bool look_again(struct run *r, const struct advise_guest *moved,
                       struct open_advice *spare)
{
    struct open_advice *before = r->now;
    bool good = open_advice_running(r->line, &r->fixed, true, spare) &&
                compare(r, moved, spare);

    r->now = spare;
    close_advice(before);
    return good;
}

static void make_moves(struct run *r, struct open_advice *spare)
{
    struct open_advice *before;

    while (settle(r)) {
        const struct advise_move *move = advice_of(r)->moves;

        if (!advice_of(r)->nr)
            return;
        if (!keeps_to_limit(r)) {
            note_code(r, EXIT_NOTHING_FITS);
            return;
        }
        before = r->now;
        if (is_stopped(r) || !carry_out(r, move) || is_stopped(r) ||
            !look_again(r, move->guest, spare))
            break;
        spare = before;
    }
    note_code(r, EXIT_FAILURE);
}

/* ---- the run ---- */

/* A list that has ended says that no more moves help, and what stays remote. */
static void tell_end(struct run *r)
{
    const struct advice *advice = advice_of(r);
    struct table *table = NULL;

    if (r->nr_moved)
        printf("%u domain%s moved: %" PRIu64 " MiB\n", r->nr_moved,
               r->nr_moved == 1 ? " was" : "s were", IN_MIB(r->moved_bytes));
    if (!advice || advice->nr || (!r->now->wanted && (r->nr_left || r->code)))
        return;
    if (r->now->wanted && !r->now->advice.plan)
        note_code(r, EXIT_NOTHING_FITS);
    note_code(r, cmd_show_table(r->line, table,
                                advise_view_table(&r->now->advice,
                                                  r->now->wanted, &table)));
}

static int show(struct run *r)
{
    struct table *table = NULL;
    int rc, code;

    if (!settle(r))
        return EXIT_FAILURE;
    if (!keeps_to_limit(r))
        return EXIT_NOTHING_FITS;
    rc = advise_view_table(&r->now->advice, r->now->wanted, &table);
    code = cmd_show_table(r->line, table, rc);
    return code || !r->now->wanted || r->now->advice.plan ? code
                                                          : EXIT_NOTHING_FITS;
}

static int run(struct run *r, struct open_advice *spare)
{
    if (r->line->dry_run)
        return show(r);
    make_moves(r, spare);
    if (!cmd_value(r->line, OPT_JSON))
        tell_end(r);
    return r->code;
}

static bool read_abilities(struct run *r)
{
    xc_physinfo_t info;

    if (xc_physinfo(r->line->xch, &info)) {
        complain("cannot read the host: %s", strerror(errno));
        return false;
    }
    r->has_shadow = info.capabilities & XEN_SYSCTL_PHYSCAP_shadow;
    return true;
}

static int open_and_run(struct cmd_line *line,
                        const struct apply_limits *limits,
                        struct supervised *self, int code_before)
{
    struct open_advice looks[2];
    struct run r = {
        .line = line, .limits = limits, .self = self, .now = &looks[0],
        .left_bytes = limits->most_bytes, .code = code_before,
    };
    int code = EXIT_FAILURE;

    if (read_abilities(&r)) {
        if (open_advice_running(line, &r.fixed, false, r.now))
            code = run(&r, &looks[1]);
        close_advice(r.now);
    }
    free(r.fixed.uuids);
    return code;
}

/* Domain-0 is never moved, so its lock can stand for all domains. */
static bool lock(int *fd_r)
{
    static const uint8_t uuid[16];
    int rc = move_lock(uuid, fd_r);

    if (rc == -EBUSY)
        complain("another 'xl numa-move --advise --apply' moves domains: "
                 "nothing was done");
    else if (rc)
        complain("cannot lock the moves of this host: %s", strerror(-rc));
    return !rc;
}

int apply_advice(struct cmd_line *line, const struct apply_limits *limits,
                 struct supervised *self)
{
    int code, fd;

    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    if (line->dry_run)
        return open_and_run(line, limits, NULL, EXIT_SUCCESS);
    if (!lock(&fd))
        return EXIT_FAILURE;
    code = recovery_repair_all(line, true);
    code = open_and_run(line, limits, self, code);
    close(fd);
    return code;
}
