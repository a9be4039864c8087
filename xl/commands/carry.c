/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "placement/decide.h"
#include "placement/placement.h"
#include "placement/record.h"
#include "placement/domain_word.h"

/* ---- what the plan has bound ---- */

/* The request of the domain, over the defaults of the host. */
static int read_mode(const struct cmd_line *line,
                     const libxl_domain_config *config,
                     enum xln_vcpus_mode *mode_r)
{
    struct keys *defaults = NULL, *keys = NULL;
    struct xln_request *request = NULL;
    int rc;

    rc = placement_host_defaults(line->ctx, line->lg, &defaults);
    if (rc == -EINVAL)
        rc = keys_read_xsdata(NULL, &defaults, NULL);
    if (!rc)
        rc = keys_read_xsdata(config->c_info.xsdata, &keys, NULL);
    if (rc == -EINVAL)
        rc = keys_read_xsdata(NULL, &keys, NULL);
    if (!rc)
        rc = decide_request(defaults, keys, NULL, &request);
    if (!rc) {
        *mode_r = request->vcpus_mode;
        /* A copy of the host binds its vCPUs. */
        if (request->vnuma == XLN_VNUMA_HOST && *mode_r == XLN_VCPUS_SOFT)
            *mode_r = XLN_VCPUS_HARD;
    }
    xln_request_free(request);
    keys_free(defaults);
    keys_free(keys);
    return rc;
}

/* The CPUs of the nodes that it was planned for. NULL: these are not known, or
 * have no CPU. */
static int planned_cpus(const struct guest *guest, struct xln_cpumap **cpus_r)
{
    struct xln_nodemap *planned = NULL;
    char *nodes = NULL, *pages = NULL;
    int rc = record_read(NULL, guest->domid, &nodes, &pages);

    *cpus_r = NULL;
    if (!rc)
        rc = xln_nodemap_new(xln_host_nr_nodes(guest->host), &planned);
    if (!rc)
        rc = xln_nodemap_parse(nodes, 0, planned, NULL);
    if (!rc)
        rc = xln_host_near_cpus_of_nodes(guest->host, planned, cpus_r);
    if (!rc && xln_cpumap_is_empty(*cpus_r)) {
        xln_cpumap_free(*cpus_r);
        *cpus_r = NULL;
    }
    xln_nodemap_free(planned);
    free(nodes);
    free(pages);
    return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

/* ---- its pins ---- */

static bool is_bound(const struct xln_vcpu *v)
{
    return xln_cpumap_count(v->hard) < xln_cpumap_nr_bits(v->hard);
}

static bool any_bound(const struct guest *guest)
{
    unsigned vcpu;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus; vcpu++)
        if (guest->domain->vcpus[vcpu].exists &&
            is_bound(&guest->domain->vcpus[vcpu]))
            return true;
    return false;
}

/* All but those within `planned`; NULL: all. */
static int note_pins(const struct guest *guest,
                     const struct xln_cpumap *planned, struct keep *keep)
{
    unsigned vcpu;
    int rc = 0;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus && !rc; vcpu++) {
        const struct xln_vcpu *v = &guest->domain->vcpus[vcpu];

        if (v->exists && !(planned && xln_cpumap_is_subset(v->hard, planned)))
            rc = guest_note_vcpu(keep, vcpu, v->hard, NULL);
    }
    return rc;
}

static int note_pins_of(struct cmd_line *line, const struct guest *guest,
                        const libxl_domain_config *config, struct keep *keep)
{
    enum xln_vcpus_mode mode = XLN_VCPUS_NONE;
    struct xln_cpumap *planned = NULL;
    int rc;

    if (!any_bound(guest) && !config->b_info.num_vcpu_hard_affinity)
        return 0;
    rc = read_mode(line, config, &mode);
    if (!rc && (mode == XLN_VCPUS_HARD || decide_binds_each(mode))) {
        rc = planned_cpus(guest, &planned);
        if (!rc && !planned)
            return 0;
    }
    if (!rc)
        rc = note_pins(guest, planned, keep);
    xln_cpumap_free(planned);
    return rc;
}

int carry_note(struct cmd_line *line, const struct guest *guest,
               struct keep *keep)
{
    struct layout layout;
    libxl_domain_config *config = cmd_new_config(line, &layout);
    int rc = config ? guest_note_pool(line, guest, keep) : -EIO;

    if (!rc && libxl_retrieve_domain_configuration(line->ctx, guest->domid,
                                                   config, NULL))
        rc = -EIO;
    if (!rc)
        rc = note_pins_of(line, guest, config, keep);
    layout_free_config(config);
    return rc;
}

/* ---- whether it can have both ---- */

/* Whether vCPU `vcpu` of the copy is bound away from `cpus`. */
static bool is_apart(const struct guest *guest, const struct keep *keep,
                     unsigned vcpu, const struct xln_cpumap *cpus)
{
    return vcpu < keep->nr_vcpus && keep->vcpus[vcpu].hard &&
           !xln_cpumap_intersects(guest->domain->vcpus[vcpu].hard, cpus);
}

static bool all_apart(const struct guest *guest, const struct keep *keep,
                      const struct xln_cpumap *cpus)
{
    unsigned vcpu;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus; vcpu++)
        if (guest->domain->vcpus[vcpu].exists &&
            !is_apart(guest, keep, vcpu, cpus))
            return false;
    return true;
}

/* `cpus`: those that it could be bound to. */
static void complain_of_pins(const struct guest *guest,
                             const struct xln_nodemap *nodes,
                             const struct xln_cpumap *cpus)
{
    struct xln_cpumap *bound = NULL;
    char buffer[DOMAIN_WORD_MAX], *bound_set = NULL, *set = NULL, *there = NULL;
    const char *word = domain_word(guest->name, guest->domid, buffer);

    if (!xln_domain_cpus(guest->domain, guest->pool_cpus, false, &bound) &&
        !xln_cpumap_format(bound, &bound_set) &&
        !xln_nodemap_format(nodes, &set) && !xln_cpumap_format(cpus, &there))
        complain("'%s' is not moved: its vCPUs are bound to CPUs %s, none of "
                 "them on node%s %s: first bind them there: 'xl vcpu-pin %s "
                 "all %s', or unbind them: 'xl vcpu-pin %s all all'",
                 guest->name, bound_set,
                 xln_nodemap_count(nodes) == 1 ? "" : "s", set, word, there,
                 word);
    xln_cpumap_free(bound);
    free(bound_set);
    free(set);
    free(there);
}

bool carry_check(const struct guest *guest, const struct keep *keep,
                 const struct xln_nodemap *nodes)
{
    struct xln_cpumap *cpus = NULL;
    bool good;

    if (!nodes)
        return true;
    if (xln_host_near_cpus_of_nodes(guest->host, nodes, &cpus)) {
        complain("cannot move '%s': %s", guest->name, strerror(ENOMEM));
        return false;
    }
    xln_cpumap_and(cpus, guest->pool_cpus);
    /* On nodes where it may have no CPU anyway, only its memory counts. */
    good = xln_cpumap_is_empty(cpus) || !all_apart(guest, keep, cpus);
    if (!good)
        complain_of_pins(guest, nodes, cpus);
    xln_cpumap_free(cpus);
    return good;
}
