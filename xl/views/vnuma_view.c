/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "json_set.h"
#include "text/units.h"
#include "vnuma_view.h"

static void add_vnode(const struct xln_vnuma *vnuma, unsigned i,
                      struct xln__json *json)
{
    const struct xln_vnode *vnode = &vnuma->list[i];
    unsigned j;

    xln__json_object(json);
    xln__json_add_number(json, "node", vnode->node);
    xln__json_add_number(json, "bytes", vnode->bytes);
    json_add_set(json, "vcpus", xln_cpumap_bits(vnode->vcpus));
    xln__json_key(json, "distances");
    xln__json_array(json);
    for (j = 0; j < vnuma->nr; j++)
        xln__json_number(json, vnode->distances[j]);
    xln__json_array_end(json);
    xln__json_object_end(json);
}

void vnuma_view_json(const struct xln_vnuma *vnuma, struct xln__json *json)
{
    unsigned i;

    if (!vnuma) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_array(json);
    for (i = 0; i < vnuma->nr; i++)
        add_vnode(vnuma, i, json);
    xln__json_array_end(json);
}

static int print_item(const struct xln_vnuma *vnuma, unsigned i, FILE *f)
{
    const struct xln_vnode *vnode = &vnuma->list[i];
    char *vcpus;
    unsigned j;
    int rc = xln_cpumap_format(vnode->vcpus, &vcpus);

    if (rc)
        return rc;
    fprintf(f, "    [ \"pnode=%u\", \"size=%" PRIu64 "\", ", vnode->node,
            IN_MIB(vnode->bytes));
    if (*vcpus)
        fprintf(f, "\"vcpus=%s\", ", vcpus);
    free(vcpus);
    fputs("\"vdistances=", f);
    for (j = 0; j < vnuma->nr; j++)
        fprintf(f, "%s%u", j ? "," : "", vnode->distances[j]);
    fputs("\" ],\n", f);
    return 0;
}

int vnuma_view_keys(const struct xln_vnuma *vnuma, FILE *f)
{
    unsigned i;
    int rc = 0;

    fputs("vnuma = [\n", f);
    for (i = 0; i < vnuma->nr && !rc; i++)
        rc = print_item(vnuma, i, f);
    fputs("]\n", f);
    return rc;
}

static int print_cell(const struct xln_vnuma *vnuma, unsigned i, FILE *f)
{
    const struct xln_vnode *vnode = &vnuma->list[i];
    char *vcpus;
    unsigned j;
    int rc = xln_cpumap_format(vnode->vcpus, &vcpus);

    if (rc)
        return rc;
    fprintf(f, "    <cell id='%u'", i);
    if (*vcpus)
        fprintf(f, " cpus='%s'", vcpus);
    fprintf(f, " memory='%" PRIu64 "' unit='KiB'>\n      <distances>\n",
            vnode->bytes / KIB);
    free(vcpus);
    for (j = 0; j < vnuma->nr; j++)
        fprintf(f, "        <sibling id='%u' value='%u'/>\n", j,
                vnode->distances[j]);
    fputs("      </distances>\n    </cell>\n", f);
    return 0;
}

int vnuma_view_cells(const struct xln_vnuma *vnuma, FILE *f)
{
    unsigned i;
    int rc = 0;

    fputs("<cpu>\n  <numa>\n", f);
    for (i = 0; i < vnuma->nr && !rc; i++)
        rc = print_cell(vnuma, i, f);
    fputs("  </numa>\n</cpu>\n", f);
    return rc;
}

int vnuma_view_memnodes(const struct xln_vnuma *vnuma, FILE *f)
{
    unsigned i;

    for (i = 0; i < vnuma->nr; i++)
        fprintf(f, "  <memnode cellid='%u' mode='strict' nodeset='%u'/>\n", i,
                vnuma->list[i].node);
    return 0;
}
