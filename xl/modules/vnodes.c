/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <xenctrl.h>

#include "hidden_vnodes.h"
#include "interpose.h"
#include "placement/record.h"
#include "placement/vnuma_record.h"
#include "vnodes.h"

static struct {
    bool put;                   /* the record of this domain is on its way */
    uint32_t domid;
    bool received;
} state;

/* ---- the configuration ---- */

/* The virtual nodes that are recorded for the running domain; otherwise those
 * of its create. */
static void set_list(uint32_t domid, libxl_domain_build_info *info)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES];
    char *text;
    int i, nr;

    if (!info->num_vnuma_nodes || record_read_vnodes(domid, &text))
        return;
    nr = record_parse_vnodes(text, nodes, XLN_VNUMA_MAX_NODES);
    for (i = 0; nr == info->num_vnuma_nodes && i < nr; i++)
        info->vnuma_nodes[i].pnode = nodes[i];
    free(text);
}

/* The node of each virtual node: as a move asks; otherwise those of a list
 * stay, and others are planned anew. */
static void set_wanted(const struct keep *keep, bool moves,
                       const libxl_domain_build_info *info,
                       struct vnuma_record *record)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES], nr, i;

    if (keep && keep->vnodes) {
        nr = record_parse_vnodes(keep->vnodes, nodes, XLN_VNUMA_MAX_NODES);
        for (i = 0; nr == record->nr_vnodes && i < nr; i++)
            record->nodes[i] = nodes[i];
        return;
    }
    for (i = 0; !moves && i < record->nr_vnodes &&
                record->nr_vnodes == (unsigned)info->num_vnuma_nodes; i++)
        record->nodes[i] = info->vnuma_nodes[i].pnode;
}

int vnodes_put(xentoollog_logger *lg, uint32_t domid, const struct keep *keep,
               bool sends, bool moves, libxl_domain_config *config)
{
    struct vnuma_record *record;
    int rc;

    set_list(domid, &config->b_info);
    if (!sends)
        return 0;
    rc = vnodes_read(lg, domid, &record);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    set_wanted(keep, moves, &config->b_info, record);
    rc = vnuma_record_put(record, &config->c_info.xsdata);
    vnuma_record_free(record);
    state.put = !rc;
    state.domid = domid;
    return rc;
}

/* ---- the header of a saved domain ---- */

/*
 * As xl writes it before a saved domain, whether that goes to a file or to
 * another host. Each xl refuses a file with a mandatory flag that it does not
 * know: so does one without this module, which would place the memory of all
 * virtual nodes together while the guest still sees separate nodes.
 */
struct header {
    char magic[32];
    uint32_t byteorder;
    uint32_t mandatory_flags;
    uint32_t optional_flags;
    uint32_t optional_data_len;
};

#define MAGIC "Xen saved domain, xl format\n \0 \r"
#define HAS_VNODES (UINT32_C(1) << 31)

static bool is_header(const void *data, ssize_t size)
{
    return size == sizeof(struct header) &&
           !memcmp(data, MAGIC, sizeof(((struct header *)NULL)->magic));
}

EXPORT int libxl_write_exactly(libxl_ctx *ctx, int fd, const void *data,
                               ssize_t sz, const char *filename,
                               const char *what)
{
    struct header header;

    if (state.put && is_header(data, sz)) {
        memcpy(&header, data, sizeof(header));
        header.mandatory_flags |= HAS_VNODES;
        data = &header;
    }
    return REAL(libxl_write_exactly)(ctx, fd, data, sz, filename, what);
}

EXPORT int libxl_read_exactly(libxl_ctx *ctx, int fd, void *data, ssize_t sz,
                              const char *filename, const char *what)
{
    int r = REAL(libxl_read_exactly)(ctx, fd, data, sz, filename, what);
    struct header header;

    if (r || !is_header(data, sz))
        return r;
    memcpy(&header, data, sizeof(header));
    state.received = header.mandatory_flags & HAS_VNODES;
    header.mandatory_flags &= ~HAS_VNODES;
    memcpy(data, &header, sizeof(header));
    return 0;
}

bool vnodes_are_received(void)
{
    return state.received;
}

bool vnodes_begin_suspend(xentoollog_logger *lg, uint32_t domid)
{
    struct vnuma_record *record;

    if (state.put && state.domid == domid) {
        vnodes_hide(domid);
        return true;
    }
    if (vnodes_read(lg, domid, &record))
        return true;
    vnuma_record_free(record);
    xtl_log(lg, XTL_ERROR, -1, "numa", "domain %u has virtual nodes: it can "
                                       "be saved with its own configuration "
                                       "only", domid);
    return false;
}
