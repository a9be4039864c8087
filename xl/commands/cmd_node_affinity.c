/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl node-affinity: which nodes a running domain is given memory from. That
 * moves nothing that it has already, so each answer says where that is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "guest.h"
#include "guest_json.h"
#include "node_list.h"
#include "text/units.h"

#define OPT_CPUS (OPT_OWN + 0)
#define OPT_KEEP (OPT_OWN + 1)

/* The arguments of the command line. */
struct change {
    struct xln_nodemap *nodes;      /* NULL: auto */
    enum xln_vcpus_mode vcpus_mode;
    struct xln_cpumap *cpus;        /* for the vCPUs, if they move along */
};

/* ---- showing ---- */

/* "node 2", "nodes 0-1", "all nodes". NULL: it printed that memory ran out. */
static char *nodes_text(const struct guest *guest,
                        const struct xln_nodemap *nodes)
{
    char *set = NULL, *text = NULL;

    if (xln_nodemap_is_subset(xln_host_nodes(guest->host), nodes))
        text = strdup("all nodes");
    else if (!xln_nodemap_format(nodes, &set) &&
             asprintf(&text, "node%s %s",
                      xln_nodemap_count(nodes) == 1 ? "" : "s", set) < 0)
        text = NULL;
    free(set);
    if (!text)
        complain("cannot read the nodes of '%s': %s", guest->name,
                 strerror(ENOMEM));
    return text;
}

static int show(const struct cmd_line *line, const struct guest *guest)
{
    const struct xln_nodemap *nodes = guest->domain->nodes;
    uint64_t away = guest_bytes_outside(guest, nodes);
    char *text;

    if (cmd_value(line, OPT_JSON))
        return guest_print_json(line, guest, NULL);
    text = nodes_text(guest, nodes);
    if (!text)
        return EXIT_FAILURE;
    printf("node affinity  : %s\nmemory at build: ", text);
    free(text);
    if (guest->bytes)
        guest_print_bytes(guest, NULL, stdout);
    else
        fputs("not recorded", stdout);
    fputs("\nelsewhere      : ", stdout);
    if (guest->bytes)
        printf("%" PRIu64 " of %" PRIu64 " MiB\n", IN_MIB(away),
               IN_MIB(guest->total_bytes));
    else
        puts("not known");
    return EXIT_SUCCESS;
}

static void tell_of_memory(const struct guest *guest,
                           const struct xln_nodemap *nodes)
{
    uint64_t away = guest_bytes_outside(guest, nodes);

    printf("'%s': its present memory stays where it is: ", guest->name);
    if (!guest->bytes) {
        puts("that was not recorded");
    } else if (!IN_MIB(away)) {
        puts("when it was built, all of it was there");
    } else {
        printf("when it was built, %" PRIu64 " of %" PRIu64 " MiB were "
               "elsewhere: ", IN_MIB(away), IN_MIB(guest->total_bytes));
        guest_print_bytes(guest, nodes, stdout);
        puts("");
    }
}

/* Print what was done, and what that does not do. `nodes` NULL: auto in a dry
 * run, which cannot know the nodes. Returns the exit code. */
static int tell(const struct guest *guest, const struct change *change,
                const struct xln_nodemap *nodes)
{
    char *text = nodes ? nodes_text(guest, nodes) : NULL;

    if (nodes && !text)
        return EXIT_FAILURE;
    printf("'%s': memory that it allocates from now on comes from %s",
           guest->name, text ? text : "");
    if (!change->nodes)
        printf("%swhere its vCPUs' affinity is", nodes ? ", " : "");
    puts("");
    if (nodes)
        tell_of_memory(guest, nodes);
    free(text);
    return EXIT_SUCCESS;
}

/* ---- what is asked for ---- */

static void warn_no_memory(const struct guest *guest,
                           const struct xln_nodemap *nodes)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, nodes)
        if (xln_host_node(guest->host, node)->total_bytes)
            return;
    complain("warning: '%s': these nodes have no memory: new memory will come "
             "from others", guest->name);
}

/* ---- the vCPUs ---- */

/* A soft affinity apart from the hard one would do nothing. */
static bool check_soft(const struct guest *guest, const struct change *change)
{
    const struct xln_vcpu *v;
    unsigned vcpu;
    char *set;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus; vcpu++) {
        v = &guest->domain->vcpus[vcpu];
        if (!v->exists || xln_cpumap_intersects(v->hard, change->cpus))
            continue;
        if (!xln_cpumap_format(v->hard, &set)) {
            complain("vCPU %u of '%s' is bound to CPUs %s: expected "
                     "--cpus=hard, which ends that", vcpu, guest->name, set);
            free(set);
        }
        return false;
    }
    return true;
}

static bool choose_cpus(const struct guest *guest, struct change *change)
{
    int rc;

    if (change->vcpus_mode == XLN_VCPUS_NONE)
        return true;
    rc = xln_host_near_cpus_of_nodes(guest->host, change->nodes,
                                     &change->cpus);
    if (rc) {
        complain("%s", strerror(-rc));
        return false;
    }
    xln_cpumap_and(change->cpus, guest->pool_cpus);
    if (xln_cpumap_is_empty(change->cpus)) {
        complain("these nodes have no CPU in the cpupool of '%s': expected "
                 "--cpus=none, or other nodes", guest->name);
        return false;
    }
    return change->vcpus_mode == XLN_VCPUS_HARD || check_soft(guest, change);
}

/* ---- changing ---- */

static int move_vcpu(const struct cmd_line *line, const struct guest *guest,
                     unsigned vcpu, enum xln_vcpus_mode mode,
                     const struct xln_cpumap *cpus)
{
    bool hard = mode == XLN_VCPUS_HARD;

    return xln_vcpu_pin(line->xch, guest->domid, vcpu, hard ? cpus : NULL,
                        hard ? NULL : cpus, false);
}

/* The first `nr` vCPUs. */
static void move_back(const struct cmd_line *line, const struct guest *guest,
                      unsigned nr, enum xln_vcpus_mode mode)
{
    const struct xln_vcpu *v;
    unsigned vcpu;
    int rc = 0;

    for (vcpu = 0; vcpu < nr; vcpu++) {
        v = &guest->domain->vcpus[vcpu];
        if (v->exists && !rc)
            rc = move_vcpu(line, guest, vcpu, mode,
                           mode == XLN_VCPUS_HARD ? v->hard : v->soft);
    }
    if (rc)
        complain("cannot put back the affinity of the vCPUs of '%s': %s",
                 guest->name, guest_reason(rc));
    else
        complain("'%s' is unchanged", guest->name);
}

/* The domain's own node affinity last: what it was before cannot be put back
 * if it was auto, which Xen does not tell. */
static bool apply(const struct cmd_line *line, const struct guest *guest,
                  const struct change *change)
{
    unsigned nr = change->cpus ? guest->domain->nr_vcpus : 0, vcpu;
    int rc = 0;

    for (vcpu = 0; vcpu < nr; vcpu++) {
        if (!guest->domain->vcpus[vcpu].exists)
            continue;
        rc = move_vcpu(line, guest, vcpu, change->vcpus_mode, change->cpus);
        if (rc) {
            complain("cannot move vCPU %u of '%s': %s", vcpu, guest->name,
                     guest_reason(rc));
            break;
        }
    }
    if (!rc) {
        rc = xln_domain_set_nodes(line->xch, guest->domid, change->nodes);
        if (rc)
            complain("cannot set the node affinity of '%s': %s", guest->name,
                     guest_reason(rc));
    }
    if (rc && rc != -ESRCH)
        move_back(line, guest, vcpu, change->vcpus_mode);
    return !rc;
}

static int note(struct keep *keep, const struct guest *guest, const void *what)
{
    const struct change *change = what;
    bool hard = change->vcpus_mode == XLN_VCPUS_HARD;
    char *nodes = NULL;
    unsigned vcpu;
    int rc = 0;

    if (change->nodes)
        rc = xln_nodemap_format(change->nodes, &nodes);
    if (!rc)
        rc = keep_set_nodes(keep, change->nodes ? nodes : "auto");
    free(nodes);
    for (vcpu = 0; vcpu < guest->domain->nr_vcpus && !rc; vcpu++)
        if (change->cpus && guest->domain->vcpus[vcpu].exists)
            rc = guest_note_vcpu(keep, vcpu, hard ? change->cpus : NULL,
                                 hard ? NULL : change->cpus);
    return rc;
}

static int set(struct cmd_line *line, struct guest *guest,
               struct change *change)
{
    bool keep = cmd_value(line, OPT_KEEP);
    int rc, code;

    if (keep && !guest_can_keep(line, guest))
        return EXIT_FAILURE;
    if (!nodes_read(guest->host, line->args[1], &change->nodes) ||
        !choose_cpus(guest, change))
        return EXIT_FAILURE;
    if (change->nodes)
        warn_no_memory(guest, change->nodes);
    if (line->dry_run)
        return tell(guest, change, change->nodes);
    if (!apply(line, guest, change))
        return EXIT_FAILURE;
    if (keep && !guest_keep(line, guest, note, change))
        return EXIT_FAILURE;
    rc = guest_refresh(line, guest);
    if (rc) {
        complain("'%s' is changed, but cannot be read: %s", guest->name,
                 guest_reason(rc));
        return EXIT_FAILURE;
    }
    code = cmd_value(line, OPT_JSON)
               ? guest_print_json(line, guest, NULL)
               : tell(guest, change, guest->domain->nodes);
    if (change->cpus)
        guest_warn_remote(guest);
    return code;
}

/* ---- the command line ---- */

static bool read_mode(const char *word, enum xln_vcpus_mode *mode_r)
{
    if (!word || !strcmp(word, "none"))
        *mode_r = XLN_VCPUS_NONE;
    else if (!strcmp(word, "soft"))
        *mode_r = XLN_VCPUS_SOFT;
    else if (!strcmp(word, "hard"))
        *mode_r = XLN_VCPUS_HARD;
    else
        return false;
    return true;
}

static int run(struct cmd_line *line)
{
    const char *mode = cmd_value(line, OPT_CPUS);
    struct change change = { 0 };
    struct guest guest;
    int code;

    if (!read_mode(mode, &change.vcpus_mode))
        return cmd_usage(line, "--cpus='%s': expected soft, hard or none",
                         mode);
    if (change.vcpus_mode != XLN_VCPUS_NONE &&
        (line->nr_args < 2 || !strcmp(line->args[1], "auto")))
        return cmd_usage(line, "--cpus=%s needs nodes", mode);
    if (cmd_value(line, OPT_KEEP) && line->nr_args < 2)
        return cmd_usage(line, "--keep needs nodes or 'auto'");
    code = guest_check_json(line);
    if (code)
        return code;
    if (!cmd_open_xen(line) || !guest_open(line, line->args[0], &guest))
        return EXIT_FAILURE;
    code = line->nr_args == 1 ? show(line, &guest)
                             : set(line, &guest, &change);
    xln_nodemap_free(change.nodes);
    xln_cpumap_free(change.cpus);
    guest_close(&guest);
    return code;
}

static const struct cmd_option options[] = {
    { "cpus", OPT_CPUS, "soft|hard|none", "also change the vCPUs' affinity "
                                          "(none)" },
    { "keep", OPT_KEEP, NULL, "keep it when the domain reboots or migrates" },
    JSON_OPTION,
    { 0 }
};

const struct cmd cmd_node_affinity = {
    .name = "node-affinity",
    .args = "[OPTIONS] DOMAIN [NODES|auto]",
    .summary = "show or set where the next memory of a domain comes from",
    .examples =
        "  xl node-affinity web\n"
        "  xl node-affinity --cpus=soft --keep web 2-3\n",
    .min_args = 1,
    .max_args = 2,
    .options = options,
    .run = run,
};
