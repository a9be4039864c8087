/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "text/units.h"
#include "guest.h"
#include "carry.h"
#include "guest_json.h"
#include "placement/adapt.h"
#include "placement/creator.h"
#include "placement/domain_word.h"
#include "placement/explain.h"
#include "placement/keep.h"
#include "migration.h"
#include "move_domain.h"
#include "move_preview.h"
#include "move_vnodes.h"
#include "node_list.h"
#include "placement/placement.h"
#include "placement/process.h"
#include "placement/record.h"

/* ---- whether there is room ---- */

static bool has_one_node(const struct guest *guest)
{
    return xln_nodemap_count(xln_host_nodes(guest->host)) < 2;
}

/* No plan was made. The error was printed. */
static void complain_of_none(const struct guest *guest)
{
    if (has_one_node(guest))
        complain("'%s' is not moved: this host has one node", guest->name);
    else
        complain("'%s' is not moved: there is no plan for its copy, see "
                 "above", guest->name);
}

static void complain_of_room(const struct guest *guest,
                             const struct placement *p)
{
    const struct decision *d = p->decision;
    char *usable;

    if (p->vnodes && d->reason) {
        complain("'%s' is not moved: its copy needs memory besides what it has: "
                 "%s", guest->name, d->reason);
        return;
    }
    usable = explain_rooms(p->host, d->plan->named ? d->plan->nodes
                                                   : xln_host_nodes(p->host),
                           d->request);
    complain("'%s' is not moved: its copy needs %" PRIu64 " MiB: %s",
             guest->name, IN_MIB(d->plan->need_bytes),
             usable ? usable : strerror(ENOMEM));
    free(usable);
}

static void complain_of_other_nodes(const struct guest *guest,
                                    const struct xln_nodemap *nodes,
                                    const struct xln_nodemap *wanted)
{
    char word[DOMAIN_WORD_MAX], *is = NULL, *was = NULL;

    if (!xln_nodemap_format(nodes, &is) && !xln_nodemap_format(wanted, &was))
        complain("'%s' is not moved: its copy would go to node%s %s, and the "
                 "advice is node%s %s: 'xl numa-move %s %s' moves it there",
                 guest->name, xln_nodemap_count(nodes) == 1 ? "" : "s", is,
                 xln_nodemap_count(wanted) == 1 ? "" : "s", was,
                 domain_word(guest->name, guest->domid, word), was);
    free(is);
    free(was);
}

/* Plan for the copy, while the domain exists. Returns the exit code. */
static int check_plan(const struct guest *guest, const struct keep *keep,
                      const struct placement *p,
                      const struct move_terms *terms)
{
    const struct decision *d = p->decision;

    if (!d || has_one_node(guest) ||
        (!p->affinity && d->status != DECIDE_NOTHING_FITS)) {
        complain_of_none(guest);
        return EXIT_FAILURE;
    }
    if (d->status == DECIDE_NOTHING_FITS ||
        d->plan->relaxed & XLN_RELAXED_MEMORY) {
        complain_of_room(guest, p);
        return EXIT_NOTHING_FITS;
    }
    if (terms->to && !xln_nodemap_equal(d->plan->nodes, terms->to)) {
        complain_of_other_nodes(guest, d->plan->nodes, terms->to);
        return EXIT_FAILURE;
    }
    return move_vnodes_check(guest, keep, d->vnuma) ? EXIT_SUCCESS
                                                    : EXIT_NOTHING_FITS;
}

/* The configuration as the copy will have it: what does not hold, and is
 * dropped, is warned about. */
static int read_config(struct cmd_line *line, const struct guest *guest,
                       const struct keep *keep, const struct layout *layout,
                       libxl_domain_config *config)
{
    int rc;

    if (libxl_retrieve_domain_configuration(line->ctx, guest->domid, config,
                                            NULL))
        return -EIO;
    rc = keep_apply(keep, line->ctx, config);
    return rc ? rc
              : adapt_config(line->ctx, line->lg, layout, config, false);
}

/* The config has the plan in it until the placement ends. Gives the exit
 * code. */
static int preview(const struct guest *guest, const struct keep *keep,
                   const struct placement *p,
                   const struct move_terms *terms)
{
    char *text;

    if (move_preview(guest, p->decision->plan->nodes, p->config, keep,
                     terms->only_live, &text)) {
        complain("cannot show the move of '%s': %s", guest->name,
                 strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    fputs(text, stdout);
    free(text);
    if (p->decision->vnuma) {
        text = explain_vnuma(p->decision->vnuma);
        printf("'%s': %s\n", guest->name, text ? text : strerror(ENOMEM));
        free(text);
    }
    return EXIT_SUCCESS;
}

static int check_and_preview(const struct cmd_line *line,
                             const struct guest *guest,
                             const struct keep *keep,
                             const struct placement *p,
                             const struct move_terms *terms)
{
    int code = check_plan(guest, keep, p, terms);

    return code || !line->dry_run ? code : preview(guest, keep, p, terms);
}

/* Gives the exit code. */
static int check(struct cmd_line *line, const struct guest *guest,
                 const struct keep *keep, const struct move_terms *terms)
{
    int code = EXIT_FAILURE, rc;
    libxl_domain_config *config;
    struct placement *p = NULL;
    struct layout layout;

    config = cmd_new_config(line, &layout);
    if (!config)
        return EXIT_FAILURE;
    rc = read_config(line, guest, keep, &layout, config);
    if (!rc)
        rc = placement_begin(line->ctx, line->lg, &layout, config, NULL, NULL,
                             &p);
    if (!rc)
        rc = move_vnodes_plan(line, guest, keep, p);
    if (!rc) {
        placement_prepare(p);
        /* placement_end() reports why a strict request fails. */
        rc = placement_plan(p, line->xch, XLN_NONE);
        code = rc == -ENOSPC ? EXIT_NOTHING_FITS
                             : check_and_preview(line, guest, keep, p, terms);
        placement_end(p, rc == -ENOSPC);
    } else {
        complain("cannot plan for '%s': %s", guest->name, strerror(-rc));
        if (p)
            placement_end(p, false);
    }
    layout_free_config(config);
    return code;
}

/* ---- whether it may be touched ---- */

/* The copy of another migration, under way or dead. False: it printed why. */
static bool check_copies(const struct cmd_line *line,
                         const struct guest *guest)
{
    struct xln_domains *domains;
    bool good = true;
    unsigned i;
    char *name;
    int rc;

    rc = xln_domains_read(line->xch, XLN_NONE, &domains);
    if (rc) {
        complain("cannot read the domains: %s", strerror(-rc));
        return false;
    }
    for (i = 0; i < domains->nr && good; i++) {
        if (domains->list[i].domid == guest->domid || domains->list[i].dying ||
            memcmp(domains->list[i].uuid, guest->domain->uuid, 16))
            continue;
        good = false;
        name = libxl_domid_to_name(line->ctx, domains->list[i].domid);
        complain("'%s' is being migrated, or was: domain %" PRIu32 " ('%s') is "
                 "its copy; if nobody migrates it: 'xl destroy %" PRIu32 "'",
                 guest->name, domains->list[i].domid, name ? name : "",
                 domains->list[i].domid);
        free(name);
    }
    xln_domains_free(domains);
    return good;
}

/* Whether it runs, so that it can suspend itself. False: it printed why. */
static bool check_state(const struct cmd_line *line, const struct guest *guest)
{
    char word[DOMAIN_WORD_MAX];
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(line->xch, guest->domid, 1, &info) != 1 ||
        info.domain != guest->domid) {
        complain("cannot tell the state of '%s'", guest->name);
    } else if (info.flags & XEN_DOMINF_shutdown) {
        complain("'%s' has shut down, or is suspended, as by a save or a "
                 "migration: nothing was done", guest->name);
    } else if (info.flags & XEN_DOMINF_paused) {
        complain("'%s' is paused, and could not suspend itself: 'xl unpause "
                 "%s' first", guest->name,
                 domain_word(guest->name, guest->domid, word));
    } else if (process_find_saver(guest->domid)) {
        complain("'%s' is being saved or migrated by another xl: nothing was "
                 "done", guest->name);
    } else {
        return check_copies(line, guest);
    }
    return false;
}

/* ---- moving ---- */

/* Xen cannot tell which pages some PV domains write to. */
static bool cannot_be_live(const struct migration *m)
{
    return m->said && strcasestr(m->said, "logdirty");
}

static void migrate(const struct cmd_line *line, const struct guest *guest,
                    struct migration *m)
{
    m->live = true;
    m->recovered = RECOVERED_NOT;
    if (!migrate_here(line, guest, m) || m->recovered != RECOVERED_SOURCE ||
        m->stopped || m->too_long || m->terms->only_live ||
        !guest->domain->is_pv || !cannot_be_live(m))
        return;
    complain("'%s', a PV domain, cannot be moved live here: it is paused while "
             "its memory is copied", guest->name);
    free(m->said);
    m->live = false;
    m->recovered = RECOVERED_NOT;
    migrate_here(line, guest, m);
}

static void print_moved(const struct guest *copy, const struct migration *m)
{
    printf("'%s' is domain %" PRIu32 " now: ", copy->name, m->domid);
    if (copy->bytes)
        guest_print_bytes(copy, NULL, stdout);
    else
        fputs("where its memory is was not recorded", stdout);
    if (m->paused_s >= 0)
        printf("; it was paused for %.2f s", m->paused_s);
    puts("");
}

/* The copy. Gives the exit code. */
static int tell_moved(struct cmd_line *line, const struct guest *guest,
                      const struct migration *m)
{
    struct guest_moved moved = { guest->domid, m->paused_s };
    struct guest copy;
    char domid[16];
    int code = EXIT_SUCCESS;

    snprintf(domid, sizeof(domid), "%" PRIu32, m->domid);
    if (!guest_open(line, domid, &copy))
        return EXIT_FAILURE;
    if (cmd_value(line, OPT_JSON))
        code = guest_print_json(line, &copy, &moved);
    else
        print_moved(&copy, m);
    if (!code && IN_MIB(guest_bytes_outside(&copy, copy.domain->nodes)))
        code = EXIT_RELAXED;
    guest_warn_remote(&copy);
    guest_close(&copy);
    return code;
}

static void tell_not_moved(const struct guest *guest,
                           const struct migration *m)
{
    struct move move = { .name = guest->name };

    if (m->said && !m->stopped && !m->too_long)
        fputs(m->said, stderr);
    if (m->recovered == RECOVERED_NONE || m->recovered == RECOVERED_ENDED)
        recovery_tell(&move, m->recovered, m->domid);
    else if (m->recovered == RECOVERED_SOURCE && m->too_long)
        complain("'%s' was paused for longer than %g s: the move was stopped, "
                 "it (domain %" PRIu32 ") runs on where it was", guest->name,
                 m->terms->most_paused_s, guest->domid);
    else if (m->recovered == RECOVERED_SOURCE && m->stopped)
        complain("stopped: '%s' (domain %" PRIu32 ") runs on where it was",
                 guest->name, m->domid);
    else if (m->recovered == RECOVERED_SOURCE)
        complain("'%s' could not be migrated, see above: it (domain %" PRIu32
                 ") runs on where it was", guest->name, m->domid);
}

/* Note what the copy gets: these nodes, and what the domain was given while it
 * ran. False: it printed why. */
static bool note_wanted(struct cmd_line *line, const struct guest *guest,
                        const struct xln_nodemap *nodes, struct keep *keep)
{
    char *text = NULL;
    int rc = nodes ? xln_nodemap_format(nodes, &text) : 0;

    if (!rc)
        rc = keep_set_nodes(keep, nodes ? text : "auto");
    if (!rc)
        rc = carry_note(line, guest, keep);
    free(text);
    if (rc)
        complain("cannot move '%s': %s", guest->name, strerror(-rc));
    return !rc && carry_check(guest, keep, nodes);
}

/* In addition to what is kept already. `word`: NODES, or VNODE:NODE. */
static bool read_wanted(struct cmd_line *line, const struct guest *guest,
                        const char *word, struct keep **keep_r)
{
    struct xln_nodemap *nodes = NULL;
    bool good;
    int rc = keep_read(line->ctx, guest->domid, keep_r);

    if (rc) {
        complain("cannot move '%s': %s", guest->name, strerror(-rc));
        return false;
    }
    good = move_vnodes_given(word)
               ? move_vnodes_read(line, guest, word, *keep_r, &nodes)
               : nodes_read(guest->host, word, &nodes);
    if (good)
        good = note_wanted(line, guest, nodes, *keep_r);
    xln_nodemap_free(nodes);
    return good;
}

static int migrate_and_tell(struct cmd_line *line, const struct guest *guest,
                            const struct keep *keep, struct migration *m)
{
    char *text;
    int code = EXIT_FAILURE, rc = keep_format(keep, &text);

    if (rc) {
        complain("cannot move '%s': %s", guest->name, strerror(-rc));
        return code;
    }
    m->keep = text;
    migrate(line, guest, m);
    if (m->recovered == RECOVERED_COPY)
        code = tell_moved(line, guest, m);
    if (code == EXIT_FAILURE)
        tell_not_moved(guest, m);
    free(m->said);
    free(text);
    return code;
}

static int move(struct cmd_line *line, const struct guest *guest,
                const char *word, struct migration *m)
{
    struct keep *keep = NULL;
    int code = EXIT_FAILURE;

    if (read_wanted(line, guest, word, &keep)) {
        code = check(line, guest, keep, m->terms);
        if (!code && !line->dry_run)
            code = migrate_and_tell(line, guest, keep, m);
    }
    keep_free(keep);
    return code;
}

/* Held until this process ends. */
static bool lock(const struct guest *guest, int *fd_r)
{
    int rc = move_lock(guest->domain->uuid, fd_r);

    if (rc == -EBUSY)
        complain("'%s' is being moved, saved or migrated by another xl: "
                 "nothing was done", guest->name);
    else if (rc)
        complain("cannot lock '%s': %s", guest->name, strerror(-rc));
    return !rc;
}

static int lock_and_move(struct cmd_line *line, const struct guest *guest,
                         const char *word, const struct move_terms *terms,
                         struct supervised *self)
{
    struct migration m = { .self = self, .terms = terms };
    int code = EXIT_FAILURE;

    if (!lock(guest, &m.lock_fd))
        return EXIT_FAILURE;
    if (check_state(line, guest))
        code = move(line, guest, word, &m);
    close(m.lock_fd);
    return code;
}

static int read_and_move(struct cmd_line *line, const struct guest *guest,
                         const char *nodes, const struct move_terms *terms,
                         struct supervised *self)
{
    if (!guest->domid) {
        complain("Domain-0 cannot be moved: see dom0_nodes= of Xen");
        return EXIT_FAILURE;
    }
    if (creator_is_libvirt(line->ctx, guest->domid)) {
        complain("'%s' is not moved: libvirt created it, and would lose it: "
                 "its XML decides where it is after a reboot",
                 guest->name);
        return EXIT_FAILURE;
    }
    return lock_and_move(line, guest, nodes, terms, self);
}

static int open_and_move(struct cmd_line *line, const char *word,
                         const char *nodes, const struct move_terms *terms,
                         struct supervised *self)
{
    struct guest guest;
    int code;

    if (!guest_open(line, word, &guest))
        return EXIT_FAILURE;
    code = read_and_move(line, &guest, nodes, terms, self);
    guest_close(&guest);
    return code;
}

int move_domain(struct cmd_line *line, const char *word, const char *nodes,
                const struct move_terms *terms, struct supervised *self)
{
    char number[16];
    struct move *dead;
    uint32_t domid;
    int code = EXIT_SUCCESS;

    dead = line->dry_run ? NULL : recovery_find(line, word);
    if (dead) {
        code = recovery_repair(line, dead, &domid);
        snprintf(number, sizeof(number), "%" PRIu32, domid);
        word = domid ? number : dead->name;
    }
    if (!code)
        code = open_and_move(line, word, nodes, terms, self);
    move_free(dead);
    return code;
}
