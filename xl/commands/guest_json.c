/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "guest_json.h"
#include "views/json_set.h"

/* The memory that it got on each node when it was built. */
static void add_memory(struct xln__json *json, const struct guest *guest)
{
    unsigned node, nr_nodes = xln_host_nr_nodes(guest->host);

    xln__json_key(json, "nodes");
    if (!guest->bytes) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_array(json);
    for (node = 0; node < nr_nodes; node++) {
        if (!guest->bytes[node])
            continue;
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "node", node);
        xln__json_add_number(json, "bytes", guest->bytes[node]);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void add_vcpus(struct xln__json *json, const struct xln_domain *domain)
{
    unsigned vcpu;

    xln__json_key(json, "vcpus");
    xln__json_array(json);
    for (vcpu = 0; vcpu < domain->nr_vcpus; vcpu++) {
        if (!domain->vcpus[vcpu].exists)
            continue;
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "vcpu", vcpu);
        json_add_set(json, "hard",
                     xln_cpumap_bits(domain->vcpus[vcpu].hard));
        json_add_set(json, "soft",
                     xln_cpumap_bits(domain->vcpus[vcpu].soft));
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void add_domain(struct xln__json *json, const struct guest *guest)
{
    const struct xln_domain *domain = guest->domain;

    xln__json_key(json, "domain");
    xln__json_object(json);
    xln__json_add_text(json, "name", guest->name);
    xln__json_add_number(json, "id", guest->domid);
    json_add_set(json, "node_affinity", xln_nodemap_bits(domain->nodes));
    add_memory(json, guest);
    xln__json_key(json, "elsewhere_bytes");
    if (guest->bytes)
        xln__json_number(json, guest_bytes_outside(guest, domain->nodes));
    else
        xln__json_text(json, NULL);
    add_vcpus(json, domain);
    xln__json_object_end(json);
}

static void add_moved(struct xln__json *json, const struct guest_moved *moved)
{
    xln__json_add_number(json, "previous_id", moved->previous_domid);
    xln__json_key(json, "paused_s");
    if (moved->paused_s >= 0)
        xln__json_real(json, moved->paused_s);
    else
        xln__json_text(json, NULL);
}

int guest_print_json(const struct cmd_line *line, const struct guest *guest,
                     const struct guest_moved *moved)
{
    struct xln__json *json = cmd_new_json(line);
    int rc = json ? 0 : -ENOMEM;

    if (json) {
        xln__json_object(json);
        xln__json_add_number(json, "version", JSON_VERSION);
        add_domain(json, guest);
        if (moved)
            add_moved(json, moved);
        xln__json_object_end(json);
        rc = xln__json_print(json, stdout);
    }
    cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int guest_check_json(const struct cmd_line *line)
{
    if (line->dry_run && cmd_value(line, OPT_JSON))
        return cmd_usage(line, "--json prints the domain after a change: it "
                               "cannot be used with -N");
    return EXIT_SUCCESS;
}
