/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Creates in libvirtd, with libvirt-placement.so in it: each call fails in
 * turn. What libvirt's hook hands over comes from here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "fake-xen.h"
#include "fault-creates.h"
#include "faults.h"
#include "libvirt/handover.h"

#define OLD_DOMID 6

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

static void ignore_event(void *user, libxl_event *event)
{
    (void)user;
    (void)event;
}

/* libxl says that the domain wants to reboot, and libvirt makes it anew. */
static int run_reboot(libxl_ctx *ctx, libxl_domain_config *config,
                      char **text_r)
{
    static const libxl_event_hooks hooks = {
        .event_occurs_mask = LIBXL_EVENTMASK_ALL,
        .event_occurs = ignore_event,
    };
    libxl_event event = {
        .type = LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN,
        .domid = OLD_DOMID,
        .u.domain_shutdown.shutdown_reason = LIBXL_SHUTDOWN_REASON_REBOOT,
    };

    /* If memory runs out just there, the domain looks like a new one. */
    faults_pause();
    libxl_event_register_callbacks(ctx, &hooks, NULL);
    fake_xen_add(OLD_DOMID, "g", config->c_info.uuid.uuid);
    fault_creates_event(&event);
    libxl_domain_destroy(ctx, OLD_DOMID, NULL);
    faults_resume();
    return run_create(ctx, config, text_r);
}

/* The configuration of domain 1, with its virtual nodes. */
static int run_save(libxl_ctx *ctx, libxl_domain_config *config,
                    char **text_r)
{
    char text[256] = "";
    FILE *f;
    int r;

    (void)config;
    faults_pause();
    f = tmpfile();
    faults_resume();
    fake_xen_give_vnodes();
    r = libxl_domain_suspend(ctx, 1, fileno(f), 0, NULL);
    faults_pause();
    /* The bytes before it are zero. */
    if (r || fseek(f, 24, SEEK_SET) || !fread(text, 1, sizeof(text) - 1, f))
        strcpy(text, "not saved");
    fclose(f);
    *text_r = strdup(text);
    faults_resume();
    return 0;
}

/* Virtual nodes as they come from a file; reports where they are set. If they
 * cannot be read, the file still has the domain. */
static int run_vnodes(libxl_ctx *ctx, libxl_domain_config *config,
                      char **text_r)
{
    static const char text[] =
        "vcpus=0 memory=0-2000000 distances=10,21;"
        "vcpus=1 memory=2000000-4000000 distances=21,10";
    FILE *f;
    uint32_t domid;
    int r;

    faults_pause();
    f = tmpfile();
    fwrite("LibxlFmt\0\0\0\2\200\0\0\0\1\0\0\0\0\0\0\0", 1, 24, f);
    fprintf(f, "libxl-numa vnodes %6zu\n%s", strlen(text), text);
    fflush(f);
    rewind(f);
    faults_resume();
    r = libxl_domain_create_restore(ctx, config, &domid, fileno(f), -1, NULL,
                                    NULL, NULL);
    faults_pause();
    fclose(f);
    *text_r = calloc(1, 32);
    if (*text_r)
        fake_xen_vnodes(*text_r, 32);
    faults_resume();
    return fault_creates_restored() ? r : 0;
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
    /* Only in libvirtd libxl-save-helper gets its plan. */
    { .name = "what is wrong with its XML", .may_fail = true, .warns = true,
      .keys = HANDOVER_WRONG "g: line 2: '8 apples': expected a number\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a wrong value", .may_fail = true, .warns = true,
      .keys = "nodes_policy=\"bset\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "CPUs that are not there", .may_fail = true, .warns = true,
      .keys = "cpus=\"100\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a reboot with a wrong value", .warns = true,
      .keys = "nodes_policy=\"bset\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_reboot },
    { .name = "a reboot with CPUs and nodes that are not there",
      .keys = "cpus=\"100\"\nnodes=\"2,40\"\n", .warns = true,
      .is_kept = true, .type = LIBXL_DOMAIN_TYPE_PV, .run = run_reboot },
    { .name = "a restore", .keys = "nodes=\"3\"\n",
      .xsdata = recorded, .warns = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_restore },
    { .name = "a save of virtual nodes",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_save },
    { .name = "a restore with virtual nodes, on nodes that its XML names",
      .keys = "cell_nodes=[\"3\",\"1\"]\n", .has_vnodes = true,
      .warns = true, .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_vnodes },
    { .name = "a restore with virtual nodes alone", .keys = "", .warns = true,
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_vnodes },
    { .name = "a soft reset",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_reset },
};

int main(void)
{
    return fault_creates(scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
