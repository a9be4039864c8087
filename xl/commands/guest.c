/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "guest.h"
#include "placement/creator.h"
#include "placement/monitor.h"
#include "placement/process.h"
#include "placement/record.h"
#include "text/units.h"

/* ---- reading ---- */

int guest_refresh(const struct cmd_line *line, struct guest *guest)
{
    const struct xln_host_pool *pool;
    struct xln_domains *domains;
    int rc;

    rc = xln_domains_read(line->xch, guest->domid, &domains);
    if (rc)
        return rc;
    pool = xln_host_pool(guest->host, domains->list[0].pool_id);
    if (domains->list[0].dying || !pool) {
        xln_domains_free(domains);
        return -ESRCH;
    }
    xln_domains_free(guest->domains);
    guest->domains = domains;
    guest->domain = &domains->list[0];
    guest->pool_cpus = pool->cpus;
    return 0;
}

static int read_record(struct guest *guest)
{
    unsigned nr_nodes = xln_host_nr_nodes(guest->host), node;
    uint64_t *pages = calloc(nr_nodes, sizeof(*pages));
    int rc;

    if (!pages)
        return -ENOMEM;
    rc = record_read_pages(NULL, guest->domid, pages, nr_nodes);
    if (rc) {
        free(pages);
        return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
    }
    for (node = 0; node < nr_nodes; node++) {
        pages[node] <<= PAGE_SHIFT;
        guest->total_bytes += pages[node];
    }
    guest->bytes = pages;
    return 0;
}

static int read_name(struct cmd_line *line, struct guest *guest)
{
    guest->name = libxl_domid_to_name(line->ctx, guest->domid);
    if (guest->name)
        return 0;
    return asprintf(&guest->name, "%" PRIu32, guest->domid) < 0 ? -ENOMEM : 0;
}

bool guest_open(struct cmd_line *line, const char *word, struct guest *guest)
{
    int rc;

    memset(guest, 0, sizeof(*guest));
    if (!cmd_find_domain(line, word, &guest->domid))
        return false;
    rc = xln_host_read(line->xch, NULL, &guest->host);
    if (!rc)
        rc = read_name(line, guest);
    if (rc) {
        complain("cannot read the host: %s", strerror(-rc));
        goto fail;
    }
    rc = guest_refresh(line, guest);
    if (rc == -ESRCH) {
        complain("no domain '%s', or it is being destroyed", word);
        goto fail;
    }
    if (!rc)
        rc = read_record(guest);
    if (!rc)
        rc = xln_nodemap_copy(guest->domain->nodes, &guest->first_nodes);
    if (!rc)
        return true;
    complain("cannot read domain '%s': %s", word, strerror(-rc));

 fail:
    guest_close(guest);
    return false;
}

void guest_close(struct guest *guest)
{
    free(guest->name);
    xln_host_free(guest->host);
    xln_domains_free(guest->domains);
    free(guest->bytes);
    xln_nodemap_free(guest->first_nodes);
    memset(guest, 0, sizeof(*guest));
}

/* ---- its memory ---- */

/* The memory on `node`, if that is outside `nodes`. */
static uint64_t outside(const struct guest *guest, unsigned node,
                        const struct xln_nodemap *nodes)
{
    return nodes && xln_nodemap_test(nodes, node) ? 0 : guest->bytes[node];
}

uint64_t guest_bytes_outside(const struct guest *guest,
                             const struct xln_nodemap *nodes)
{
    unsigned node, nr_nodes = xln_host_nr_nodes(guest->host);
    uint64_t bytes = 0;

    for (node = 0; guest->bytes && node < nr_nodes; node++)
        bytes += outside(guest, node, nodes);
    return bytes;
}

void guest_print_bytes(const struct guest *guest,
                       const struct xln_nodemap *nodes, FILE *f)
{
    unsigned node, nr_nodes = xln_host_nr_nodes(guest->host);
    const char *separator = "";
    uint64_t bytes;

    for (node = 0; node < nr_nodes; node++) {
        bytes = outside(guest, node, nodes);
        if (!IN_MIB(bytes))
            continue;
        fprintf(f, "%s%" PRIu64 " MiB on node %u", separator, IN_MIB(bytes),
                node);
        separator = ", ";
    }
}

/* ---- how far it is ---- */

struct range {
    unsigned least, most;
};

static struct range distances(const struct xln_host *host,
                              const struct xln_nodemap *from,
                              const struct xln_nodemap *to)
{
    struct range range = {XLN_NONE, 0};
    unsigned i, j, distance;

    XLN_FOREACH (xln_nodemap, i, from)
        XLN_FOREACH (xln_nodemap, j, to) {
            distance = xln_host_distance(host, i, j);
            if (distance < range.least)
                range.least = distance;
            if (distance > range.most)
                range.most = distance;
        }
    return range;
}

static void append_distance(FILE *f, struct range range)
{
    if (range.most == XLN_NONE)
        fputs("an unknown distance", f);
    else if (range.least == range.most)
        fprintf(f, "distance %u", range.most);
    else
        fprintf(f, "distances %u to %u", range.least, range.most);
}

static void append_nodes(FILE *f, const struct xln_nodemap *nodes)
{
    char *set;

    if (xln_nodemap_format(nodes, &set))
        return;
    fprintf(f, "node%s %s", xln_nodemap_count(nodes) == 1 ? "" : "s", set);
    free(set);
}

/* Removes what the record says has next to nothing: less than one MiB is not a
 * reason to warn. */
static void keep_recorded(const struct guest *guest, struct xln_nodemap *nodes)
{
    unsigned node;

    for (node = 0; node < xln_host_nr_nodes(guest->host); node++)
        if (!IN_MIB(guest->bytes[node]))
            xln_nodemap_clear(nodes, node);
}

/* Removes nodes that can have no memory of it. Where node affinity was every
 * node with CPUs, as without any placement, it says nothing. */
static void keep_likely(const struct guest *guest,
                        const struct xln_nodemap *cpu_nodes,
                        struct xln_nodemap *nodes)
{
    const struct xln_host_node *n;
    bool everywhere = true;
    unsigned node;

    XLN_FOREACH (xln_nodemap, node, xln_host_nodes(guest->host)) {
        n = xln_host_node(guest->host, node);
        if (!xln_nodemap_test(guest->first_nodes, node))
            everywhere &= xln_cpumap_is_empty(n->cpus);
        if (!n->total_bytes)
            xln_nodemap_clear(nodes, node);
    }
    xln_nodemap_and(nodes, guest->first_nodes);
    if (everywhere || xln_nodemap_intersects(nodes, cpu_nodes))
        xln_nodemap_zero(nodes);
}

/* The nodes whose memory is near to `cpu_nodes`: these, and the nearest with
 * memory to those without. */
static int near_nodes(const struct guest *guest,
                      const struct xln_nodemap *cpu_nodes,
                      struct xln_nodemap **near_r)
{
    unsigned node;
    int rc = xln_nodemap_copy(cpu_nodes, near_r);

    if (rc)
        return rc;
    XLN_FOREACH (xln_nodemap, node, cpu_nodes)
        xln_nodemap_set(*near_r, xln_host_home(guest->host, node));
    return 0;
}

/* The nodes with memory that is remote to all of `cpu_nodes`. */
static int remote_nodes(const struct guest *guest,
                        const struct xln_nodemap *cpu_nodes,
                        struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *near;
    int rc = near_nodes(guest, cpu_nodes, &near);

    if (rc)
        return rc;
    rc = xln_nodemap_copy(xln_host_nodes(guest->host), nodes_r);
    if (!rc) {
        if (guest->bytes)
            keep_recorded(guest, *nodes_r);
        else
            keep_likely(guest, near, *nodes_r);
        xln_nodemap_andnot(*nodes_r, near);
    }
    xln_nodemap_free(near);
    return rc;
}

static void append_memory(FILE *f, const struct guest *guest,
                          const struct xln_nodemap *nodes)
{
    unsigned node;
    uint64_t bytes = 0;

    XLN_FOREACH (xln_nodemap, node, nodes)
        bytes += guest->bytes ? guest->bytes[node] : 0;
    if (bytes < guest->total_bytes)
        fprintf(f, "%" PRIu64 " of its %" PRIu64 " MiB %s on ", IN_MIB(bytes),
                IN_MIB(guest->total_bytes), IN_MIB(bytes) == 1 ? "is" : "are");
    else if (guest->bytes)
        fputs("its memory is on ", f);
    else
        fputs("its memory is, by its node affinity, on ", f);
    append_nodes(f, nodes);
}

/* "its memory is on node 2, at distance 31 from CPUs 0-1" */
static void append_remote(FILE *f, const struct guest *guest,
                          const struct xln_nodemap *nodes,
                          const struct xln_nodemap *cpu_nodes,
                          const struct xln_cpumap *cpus)
{
    char *set;

    append_memory(f, guest, nodes);
    fputs(", at ", f);
    append_distance(f, distances(guest->host, cpu_nodes, nodes));
    if (xln_cpumap_format(cpus, &set))
        return;
    fprintf(f, " from CPU%s %s", xln_cpumap_count(cpus) == 1 ? "" : "s", set);
    free(set);
}

/* `vcpus` NULL: all that it has. False: none of its memory is remote to all of
 * these CPUs. */
static bool warn_remote(const struct guest *guest,
                        const struct xln_cpumap *cpus,
                        const struct xln_bitmap *vcpus)
{
    struct xln_nodemap *cpu_nodes = NULL, *nodes = NULL;
    char *text = NULL, *set = NULL;
    size_t size;
    FILE *f = NULL;
    bool remote;

    remote = !xln_host_nodes_of_cpus(guest->host, cpus, &cpu_nodes) &&
             !xln_nodemap_is_empty(cpu_nodes) &&
             !remote_nodes(guest, cpu_nodes, &nodes) &&
             !xln_nodemap_is_empty(nodes);
    if (remote)
        f = open_memstream(&text, &size);
    if (f && vcpus && !xln_bitmap_format(vcpus, &set))
        fprintf(f, "vCPU%s %s: ", xln_bitmap_count(vcpus) == 1 ? "" : "s", set);
    if (f) {
        append_remote(f, guest, nodes, cpu_nodes, cpus);
        if (!fclose(f) && text)
            complain("warning: '%s': %s", guest->name, text);
    }
    xln_nodemap_free(cpu_nodes);
    xln_nodemap_free(nodes);
    free(set);
    free(text);
    return remote;
}

/* Whether all of its memory is remote to these CPUs. */
static bool has_none_near(const struct guest *guest,
                          const struct xln_cpumap *cpus)
{
    struct xln_nodemap *cpu_nodes = NULL, *nodes = NULL;
    bool none = false;
    unsigned node;

    if (!xln_host_nodes_of_cpus(guest->host, cpus, &cpu_nodes) &&
        !xln_nodemap_is_empty(cpu_nodes) &&
        !remote_nodes(guest, cpu_nodes, &nodes)) {
        none = !xln_nodemap_is_empty(nodes);
        for (node = 0; guest->bytes && none &&
                       node < xln_host_nr_nodes(guest->host); node++)
            none = !IN_MIB(guest->bytes[node]) || xln_nodemap_test(nodes, node);
    }
    xln_nodemap_free(cpu_nodes);
    xln_nodemap_free(nodes);
    return none;
}

/* The CPUs that this vCPU may use, soft affinity regarded. */
static int cpus_of_vcpu(const struct guest *guest, const struct xln_vcpu *v,
                        struct xln_cpumap **cpus_r)
{
    struct xln_vcpu vcpu = *v;
    const struct xln_domain one = { .nr_vcpus = 1, .vcpus = &vcpu };

    return xln_domain_cpus(&one, guest->pool_cpus, true, cpus_r);
}

/* The vCPUs that are apart from all memory, and their CPUs. */
static int find_apart(const struct guest *guest, struct xln_bitmap *vcpus,
                      struct xln_cpumap *cpus)
{
    struct xln_cpumap *its;
    unsigned vcpu;
    int rc = 0;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus && !rc; vcpu++) {
        const struct xln_vcpu *v = &guest->domain->vcpus[vcpu];

        if (!v->exists)
            continue;
        rc = cpus_of_vcpu(guest, v, &its);
        if (rc)
            break;
        if (has_none_near(guest, its)) {
            rc = xln_bitmap_set(vcpus, vcpu);
            xln_cpumap_or(cpus, its);
        }
        xln_cpumap_free(its);
    }
    return rc;
}

static void warn_apart(const struct guest *guest)
{
    struct xln_bitmap *vcpus = NULL;
    struct xln_cpumap *cpus = NULL;

    if (!xln_bitmap_new(guest->domain->nr_vcpus, &vcpus) &&
        !xln_cpumap_new(xln_host_nr_cpus(guest->host), &cpus) &&
        !find_apart(guest, vcpus, cpus) && !xln_bitmap_is_empty(vcpus))
        warn_remote(guest, cpus, vcpus);
    xln_bitmap_free(vcpus);
    xln_cpumap_free(cpus);
}

void guest_warn_remote(const struct guest *guest)
{
    struct xln_cpumap *cpus;

    if (xln_domain_cpus(guest->domain, guest->pool_cpus, true, &cpus))
        return;
    /* One line for all vCPUs, or one for those that are apart. */
    if (!warn_remote(guest, cpus, NULL))
        warn_apart(guest);
    xln_cpumap_free(cpus);
}

/* ---- what is kept ---- */

int guest_note_pool(const struct cmd_line *line, const struct guest *guest,
                    struct keep *keep)
{
    char *name = libxl_cpupoolid_to_name(line->ctx, guest->domain->pool_id);
    int rc = keep_set_pool(keep, name);

    free(name);
    return rc;
}

static int note_under_lock(const struct cmd_line *line,
                           const struct guest *guest, guest_note_fn *note,
                           const void *what)
{
    struct xln_reservations *lock;
    struct keep *keep = NULL;
    int rc;

    rc = xln_reservations_lock(RESERVATIONS, LOCK_TIMEOUT_MS, &lock);
    if (rc)
        return rc;
    rc = keep_read(line->ctx, guest->domid, &keep);
    if (!rc)
        rc = guest_note_pool(line, guest, keep);
    if (!rc)
        rc = note(keep, guest, what);
    if (!rc)
        rc = keep_write(line->ctx, guest->domid, keep);
    keep_free(keep);
    xln_reservations_unlock(lock);
    return rc;
}

/* `xl config-update` leaves the new configuration there, until a reboot. */
static bool is_updated(const struct cmd_line *line, const struct guest *guest)
{
    int size;

    return !libxl_userdata_retrieve(line->ctx, guest->domid, "xl", NULL,
                                    &size) && size;
}

/* The reason why it will not apply at the next reboot. */
static void warn_not_at_reboot(const struct cmd_line *line,
                               const struct guest *guest)
{
    pid_t xl = monitor_find(guest->domid);

    if (is_updated(line, guest))
        complain("warning: '%s': its next reboot takes the configuration of 'xl "
                 "config-update', and ignores what is kept", guest->name);
    else if (!xl)
        complain("warning: '%s': no xl waits for it to reboot: what is kept "
                 "applies only if it is saved or migrated", guest->name);
    else if (!process_has_loaded(xl, "/xl-placement.so"))
        complain("warning: '%s': the installed xl waits for it to reboot, and "
                 "does not know what is kept: this applies only if it is "
                 "saved or migrated", guest->name);
}

bool guest_can_keep(const struct cmd_line *line, const struct guest *guest)
{
    if (!guest->domid) {
        complain("Domain-0 cannot keep anything: see dom0_vcpus_pin= and "
                 "dom0_nodes= of Xen");
        return false;
    }
    if (creator_is_libvirt(line->ctx, guest->domid)) {
        complain("--keep does not apply to '%s', which libvirt created: its "
                 "XML decides where it is after a reboot: see 'virsh edit'",
                 guest->name);
        return false;
    }
    warn_not_at_reboot(line, guest);
    return true;
}

bool guest_keep(const struct cmd_line *line, const struct guest *guest,
                guest_note_fn *note, const void *what)
{
    int rc = note_under_lock(line, guest, note, what);

    if (!rc)
        return true;
    complain("'%s' is changed, but the change cannot be kept: %s", guest->name,
             strerror(-rc));
    return false;
}

static int format_affinity(const struct xln_cpumap *cpus, char **text_r)
{
    *text_r = NULL;
    if (!cpus)
        return 0;
    if (xln_cpumap_count(cpus) < xln_cpumap_nr_bits(cpus))
        return xln_cpumap_format(cpus, text_r);
    *text_r = strdup("all");
    return *text_r ? 0 : -ENOMEM;
}

int guest_note_vcpu(struct keep *keep, unsigned vcpu,
                    const struct xln_cpumap *hard,
                    const struct xln_cpumap *soft)
{
    char *hard_text, *soft_text = NULL;
    int rc;

    rc = format_affinity(hard, &hard_text);
    if (!rc)
        rc = format_affinity(soft, &soft_text);
    if (!rc)
        rc = keep_set_vcpu(keep, vcpu, hard_text, soft_text);
    free(hard_text);
    free(soft_text);
    return rc;
}

const char *guest_reason(int rc)
{
    switch (rc) {
    case -EBUSY:
        return "Xen has pinned it for a while: 'xl vcpu-pin -f' ends that";
    case -ESRCH:
        return "it has gone";
    default:
        return strerror(-rc);
    }
}
