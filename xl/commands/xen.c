/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The running Xen and its domains, or a host in a file, for the commands. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "cmd.h"
#include "libxl_numa_foreign.h"
#include "placement/xen_layout.h"
#include "views/residents.h"

#define PRIVCMD "/dev/xen/privcmd"

/* Whether the command shows saved hosts too. */
static bool has_host(const struct cmd *cmd)
{
    const struct cmd_option *o;

    for (o = cmd->options; o->name; o++)
        if (!strcmp(o->name, "host"))
            return true;
    return false;
}

bool cmd_open_xen(struct cmd_line *line)
{
    const char *odd;

    /* libxc would say it in three lines. */
    if (access(PRIVCMD, R_OK | W_OK)) {
        complain("cannot open '%s': %s: expected root in dom0%s", PRIVCMD,
                 strerror(errno), has_host(line->cmd) ?
                 ", or a saved host: --host FILE" : "");
        return false;
    }
    line->xch = xc_interface_open(line->lg, NULL, 0);
    if (!line->xch ||
        libxl_ctx_alloc(&line->ctx, LIBXL_VERSION, 0, line->lg)) {
        complain("cannot reach the hypervisor: %s", strerror(errno));
        return false;
    }
    odd = xen_layout_find_odd(line->xch);
    if (odd)
        complain("cannot read %s of this Xen: its layout is not known: "
                 "install a newer libxl-numa", odd);
    return !odd;
}

libxl_domain_config *cmd_new_config(const struct cmd_line *line,
                                    struct layout *layout_r)
{
    libxl_domain_config *config;
    const char *field;
    int rc = layout_learn(line->ctx, layout_r, &field);

    if (rc) {
        complain("cannot learn the layout of libxl: %s",
                 field ? field : strerror(-rc));
        return NULL;
    }
    config = layout_new_config(layout_r);
    if (!config)
        complain("%s", strerror(ENOMEM));
    return config;
}

void cmd_close_xen(struct cmd_line *line)
{
    libxl_ctx_free(line->ctx);
    if (line->xch)
        xc_interface_close(line->xch);
}

bool cmd_load_host(const char *word, struct xln_snapshot **snapshot_r)
{
    char *note = NULL, *error = NULL;
    int rc = xln_snapshot_open(word, snapshot_r, &note, &error);

    if (rc && error)
        complain("%s", error);
    else if (rc)
        complain("%s: %s", word, strerror(-rc));
    else if (note)
        complain("%s: %s", word, note);
    free(error);
    free(note);
    return !rc;
}

bool cmd_load_domains(const char *word, struct xln_snapshot **snapshot_r)
{
    struct xln_snapshot *snapshot;

    if (!cmd_load_host(word, &snapshot))
        return false;
    if (snapshot->domains) {
        *snapshot_r = snapshot;
        return true;
    }
    complain("%s: it has no list of domains", word);
    xln_snapshot_free(snapshot);
    return false;
}

bool cmd_read_residents(struct cmd_line *line, bool count,
                        struct xln_snapshot **snapshot_r)
{
    double report_s;
    int rc;

    if (!cmd_open_xen(line))
        return false;
    rc = residents_read_host(line->xch, line->ctx, count, snapshot_r,
                             &report_s);
    if (rc)
        complain("cannot read the host: %s", strerror(-rc));
    return !rc;
}

const struct xln_domain *cmd_find_saved(const struct xln_snapshot *saved,
                                        const char *word)
{
    const struct xln_domain *d = saved->domains->list;
    unsigned long number;
    bool is_number = cmd_number(word, UINT32_MAX, &number);
    unsigned i;

    for (i = 0; i < saved->domains->nr; i++, d++) {
        const char *name = saved->more[i].name;

        if (is_number ? d->domid == number : name && !strcmp(name, word))
            break;
    }
    if (i < saved->domains->nr && !d->dying)
        return d;
    if (i < saved->domains->nr)
        complain("domain '%s' is being destroyed", word);
    else
        complain("no domain '%s'", word);
    return NULL;
}

/* libxl itself would take "" for domain 0, and 4294967296 too. */
static bool find_domain(libxl_ctx *ctx, const char *word, uint32_t *domid_r)
{
    unsigned long number;

    if (!*word)
        return false;
    if (word[strspn(word, "0123456789")])
        return !libxl_name_to_domid(ctx, word, domid_r);
    if (!cmd_number(word, DOMID_FIRST_RESERVED - 1, &number))
        return false;
    *domid_r = number;
    return true;
}

bool cmd_find_domain(struct cmd_line *line, const char *word,
                     uint32_t *domid_r)
{
    if (find_domain(line->ctx, word, domid_r))
        return true;
    complain("no domain '%s'", word);
    return false;
}
