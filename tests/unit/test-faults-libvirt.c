/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Creates in libvirtd, with libvirt-placement.so in it: each call fails in
 * turn. What libvirt's hook hands over comes from here.
 */
#include <stdio.h>
#include <string.h>

#include <libxl_utils.h>

#include "fault-creates.h"
#include "faults.h"
#include "handover.h"

/* The hook is another process, and is tried elsewhere. */
int give_keys(const char *keys)
{
    static const char uuid[] = "07000000-0000-0000-0000-000000000000";
    int rc;

    faults_pause();
    rc = handover_write(HANDOVERS, uuid, keys, strlen(keys));
    faults_resume();
    return rc;
}

/* The builder asks for what is in the configuration by then. */
static int run_cells(libxl_ctx *ctx, libxl_domain_config *config,
                     char **text_r)
{
    const libxl_vnode_info *vnodes = config->b_info.vnuma_nodes;
    int r = run_create(ctx, config, text_r);

    faults_pause();
    if (asprintf(text_r, "%u %u", vnodes[0].pnode, vnodes[1].pnode) < 0)
        *text_r = NULL;
    faults_resume();
    return r;
}

static const char *const recorded[] = {
    "numa/version", "1", "numa/nodes", "2", NULL,
};

static const struct scenario scenarios[] = {
    { .name = "nothing asked for", .keys = "",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "no hook", .warns = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "<numatune>",
      .keys = "nodes=\"1-2\"\nnodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PVH, .run = run_create },
    { .name = "<vcpu cpuset>", .keys = "cpus=\"6-7\"\n", .is_kept = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "<vcpupin>", .keys = "cpus=[\"2\",\"3\"]\n", .is_kept = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "<cell>s", .keys = "cell_nodes=[\"3\",\"\"]\n",
      .has_vnodes = true, .is_kept = true,
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_cells },
    { .name = "a create beside another create",
      .keys = "nodes_policy=\"best\"\n", .beside = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "what can't be had", .may_fail = true, .warns = true,
      .keys = "nodes=\"0\"\nnodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a node that is not there", .may_fail = true, .warns = true,
      .keys = "nodes=\"40\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    /* libxl-save-helper is told its plan in libvirtd alone. */
    { .name = "a restore", .keys = "nodes=\"3\"\n",
      .xsdata = recorded, .warns = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_restore },
    { .name = "a soft reset",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_reset },
};

int main(void)
{
    return fault_creates(scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
