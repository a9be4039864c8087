/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "move_vnodes.h"
#include "placement/record.h"
#include "placement/vnuma_record.h"
#include "text/units.h"

bool move_vnodes_given(const char *word)
{
    return strchr(word, ':');
}

/* ---- where they are to be ---- */

/* Read from the record where they are. False: it printed why. */
static bool read_current(const struct cmd_line *line,
                         const struct guest *guest, unsigned *nodes,
                         unsigned *nr_r)
{
    struct vnuma_record *record = NULL;
    char *text = NULL;
    int rc = vnuma_record_read(line->xch, guest->domid, &record);

    if (rc == -ENOENT) {
        complain("'%s' is not moved: it has no virtual nodes", guest->name);
        return false;
    }
    if (!rc)
        rc = record_read_vnodes(guest->domid, &text);
    *nr_r = text ? record_parse_vnodes(text, nodes, XLN_VNUMA_MAX_NODES) : 0;
    if (!rc && *nr_r != record->nr_vnodes)
        rc = -EINVAL;
    if (rc)
        complain("'%s' is not moved: where its virtual nodes are is not "
                 "recorded (%s): name the nodes for all of them", guest->name,
                 strerror(-rc));
    vnuma_record_free(record);
    free(text);
    return !rc;
}

static bool read_number(const char **text, unsigned long *number_r)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    *number_r = strtoul(*text, &end, 10);
    *text = end;
    return !errno;
}

/* "0:2,1:3" over what they are. */
static bool read_pairs(const struct guest *guest, const char *word,
                       unsigned *nodes, unsigned nr)
{
    unsigned long vnode, node;
    const char *at = word;

    do {
        if (!read_number(&at, &vnode) || *at++ != ':' ||
            !read_number(&at, &node) || (*at && *at != ',')) {
            complain("'%s': expected VNODE:NODE, as in '0:2' or '0:2,1:3'",
                     word);
            return false;
        }
        if (vnode >= nr) {
            complain("'%s': '%s' has virtual nodes 0-%u", word, guest->name,
                     nr - 1);
            return false;
        }
        if (node >= XLN_MAX_NODES || !xln_host_node(guest->host, node)) {
            complain("'%s': node %lu is not on this host", word, node);
            return false;
        }
        nodes[vnode] = node;
    } while (*at++);
    return true;
}

static int note_nodes(const struct guest *guest, const unsigned *nodes,
                      unsigned nr, struct keep *keep,
                      struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *set;
    char *text = record_vnodes_text(nodes, nr);
    unsigned i;
    int rc = text ? keep_set_vnodes(keep, text) : -ENOMEM;

    free(text);
    if (!rc)
        rc = xln_nodemap_new(xln_host_nr_nodes(guest->host), &set);
    if (rc)
        return rc;
    for (i = 0; i < nr; i++)
        xln_nodemap_set(set, nodes[i]);
    *nodes_r = set;
    return 0;
}

bool move_vnodes_read(const struct cmd_line *line, const struct guest *guest,
                      const char *word, struct keep *keep,
                      struct xln_nodemap **nodes_r)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES], nr;
    int rc;

    if (!read_current(line, guest, nodes, &nr) ||
        !read_pairs(guest, word, nodes, nr))
        return false;
    rc = note_nodes(guest, nodes, nr, keep, nodes_r);
    if (rc)
        complain("cannot move '%s': %s", guest->name, strerror(-rc));
    return !rc;
}

/* ---- whether they can be there ---- */

int move_vnodes_plan(const struct cmd_line *line, const struct guest *guest,
                     const struct keep *keep, struct placement *p)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES], nr = 0, i;
    int rc = vnuma_record_read(line->xch, guest->domid, &p->vnodes);

    if (rc)
        return rc == -ENOENT ? 0 : rc;
    p->restoring = true;
    if (keep->vnodes)
        nr = record_parse_vnodes(keep->vnodes, nodes, XLN_VNUMA_MAX_NODES);
    for (i = 0; nr == p->vnodes->nr_vnodes && i < nr; i++)
        p->vnodes->nodes[i] = nodes[i];
    return 0;
}

bool move_vnodes_check(const struct guest *guest, const struct keep *keep,
                       const struct xln_vnuma *vnuma)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES], nr = 0, i;

    if (keep->vnodes && vnuma)
        nr = record_parse_vnodes(keep->vnodes, nodes, XLN_VNUMA_MAX_NODES);
    for (i = 0; i < nr && i < vnuma->nr; i++) {
        if (vnuma->list[i].node == nodes[i])
            continue;
        complain("'%s' is not moved: its copy needs %" PRIu64 " MiB on node %u "
                 "for virtual node %u, besides what it has there now",
                 guest->name, IN_MIB(vnuma->list[i].bytes), nodes[i], i);
        return false;
    }
    return true;
}
