/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record is text, a line for each thing that is kept:
 *
 *     pool=Pool-0
 *     nodes=2
 *     vnodes=2,3              of a move: the node of each virtual node
 *     vcpu=0 4-5 -            number, hard and soft affinity; "-": not kept
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include <libxl_numa.h>

#include "cpu_map.h"
#include "keep.h"
#include "keys.h"
#include "bounds.h"

#define USERDATA "xl-numa"

/* ---- what is kept ---- */

static int set_text(char **text, const char *value)
{
    char *copy;

    if (!value)
        return 0;
    copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

int keep_set_nodes(struct keep *keep, const char *nodes)
{
    return set_text(&keep->nodes, nodes);
}

int keep_set_vnodes(struct keep *keep, const char *vnodes)
{
    return set_text(&keep->vnodes, vnodes);
}

int keep_set_pool(struct keep *keep, const char *pool)
{
    if (pool && (!*pool || strchr(pool, '\n')))
        return -EINVAL;
    return set_text(&keep->pool, pool);
}

static int add_vcpus(struct keep *keep, unsigned nr)
{
    struct keep_vcpu *vcpus;

    if (nr <= keep->nr_vcpus)
        return 0;
    if (nr > VCPUS_MAX)
        return -ERANGE;
    vcpus = realloc(keep->vcpus, nr * sizeof(*vcpus));
    if (!vcpus)
        return -ENOMEM;
    memset(vcpus + keep->nr_vcpus, 0, (nr - keep->nr_vcpus) * sizeof(*vcpus));
    keep->vcpus = vcpus;
    keep->nr_vcpus = nr;
    return 0;
}

int keep_set_vcpu(struct keep *keep, unsigned vcpu, const char *hard,
                  const char *soft)
{
    int rc = vcpu < VCPUS_MAX ? add_vcpus(keep, vcpu + 1) : -ERANGE;

    if (!rc)
        rc = set_text(&keep->vcpus[vcpu].hard, hard);
    return rc ? rc : set_text(&keep->vcpus[vcpu].soft, soft);
}

void keep_free(struct keep *keep)
{
    unsigned i;

    if (!keep)
        return;
    for (i = 0; i < keep->nr_vcpus; i++) {
        free(keep->vcpus[i].hard);
        free(keep->vcpus[i].soft);
    }
    free(keep->vcpus);
    free(keep->pool);
    free(keep->nodes);
    free(keep->vnodes);
    free(keep);
}

/* ---- the record ---- */

static const char *unless_dash(const char *text)
{
    return strcmp(text, "-") ? text : NULL;
}

/* "0 4-5 -" */
static int read_vcpu(struct keep *keep, char *text)
{
    char *hard, *soft;
    unsigned long vcpu;

    vcpu = strtoul(text, &hard, 10);
    if (hard == text || *hard != ' ' || vcpu >= VCPUS_MAX)
        return -EINVAL;
    soft = strchr(++hard, ' ');
    if (!soft)
        return -EINVAL;
    *soft++ = '\0';
    return keep_set_vcpu(keep, vcpu, unless_dash(hard), unless_dash(soft));
}

static int read_line(struct keep *keep, char *line)
{
    char *value = strchr(line, '=');

    if (!value)
        return -EINVAL;
    *value++ = '\0';
    if (!strcmp(line, "pool"))
        return keep_set_pool(keep, value);
    if (!strcmp(line, "nodes"))
        return keep_set_nodes(keep, value);
    if (!strcmp(line, "vnodes"))
        return keep_set_vnodes(keep, value);
    if (!strcmp(line, "vcpu"))
        return read_vcpu(keep, value);
    return -EINVAL;
}

static int read_lines(struct keep *keep, char *text)
{
    char *line;
    int rc = 0;

    while (!rc && (line = strsep(&text, "\n")))
        if (*line)
            rc = read_line(keep, line);
    return rc;
}

int keep_parse(const char *text, size_t size, struct keep **keep_r)
{
    struct keep *keep = calloc(1, sizeof(*keep));
    char *copy = strndup(text, size);
    int rc = keep && copy ? read_lines(keep, copy) : -ENOMEM;

    free(copy);
    if (rc)
        keep_free(keep);
    else
        *keep_r = keep;
    return rc;
}

int keep_read(libxl_ctx *ctx, uint32_t domid, struct keep **keep_r)
{
    uint8_t *data = NULL;
    int size = 0, rc;

    if (libxl_userdata_retrieve(ctx, domid, USERDATA, &data, &size))
        return -EIO;
    rc = keep_parse(data ? (const char *)data : "", size > 0 ? size : 0,
                    keep_r);
    free(data);
    return rc;
}

static void write_lines(const struct keep *keep, FILE *f)
{
    const struct keep_vcpu *v;
    unsigned i;

    if (keep->pool)
        fprintf(f, "pool=%s\n", keep->pool);
    if (keep->nodes)
        fprintf(f, "nodes=%s\n", keep->nodes);
    if (keep->vnodes)
        fprintf(f, "vnodes=%s\n", keep->vnodes);
    for (i = 0; i < keep->nr_vcpus; i++) {
        v = &keep->vcpus[i];
        if (v->hard || v->soft)
            fprintf(f, "vcpu=%u %s %s\n", i, v->hard ? v->hard : "-",
                    v->soft ? v->soft : "-");
    }
}

/*
 * libxl removes a domain that it destroys from xenstore, and then its
 * userdata. So libxl removes a record that was written before. A record that
 * was written later would stay.
 */
static int check_domain(libxl_ctx *ctx, uint32_t domid)
{
    char *name = libxl_domid_to_name(ctx, domid);

    free(name);
    if (name)
        return 0;
    libxl_userdata_unlink(ctx, domid, USERDATA);
    return -ESRCH;
}

int keep_format(const struct keep *keep, char **text_r)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -ENOMEM;
    write_lines(keep, f);
    if (fclose(f) || !text) {
        free(text);
        return -ENOMEM;
    }
    *text_r = text;
    return 0;
}

int keep_write(libxl_ctx *ctx, uint32_t domid, const struct keep *keep)
{
    char *text;
    int rc = keep_format(keep, &text);

    if (rc)
        return rc;
    rc = libxl_userdata_store(ctx, domid, USERDATA, (uint8_t *)text,
                              strlen(text))
             ? -EIO : check_domain(ctx, domid);
    free(text);
    return rc;
}

/* ---- into a configuration ---- */

static int apply_nodes(const struct keep *keep, libxl_domain_config *config)
{
    libxl_key_value_list *xsdata = &config->c_info.xsdata;
    struct keys *keys = NULL;
    char *error = NULL;
    int rc;

    if (!keep->nodes)
        return 0;
    rc = keys_read_xsdata(*xsdata, &keys, &error);
    /* The request of its create may no longer apply to this host. */
    if (rc == -EINVAL)
        rc = keys_read_xsdata(NULL, &keys, NULL);
    if (!rc)
        rc = keys_set_nodes(keys, keep->nodes);
    if (!rc)
        rc = keys_write_xsdata(keys, xsdata);
    free(error);
    keys_free(keys);
    return rc;
}

/* At least `nr` maps; new ones are full, which is not an affinity. */
static int add_maps(libxl_ctx *ctx, libxl_bitmap **maps, int *nr_maps, int nr)
{
    libxl_bitmap *more;
    int rc = 0;

    if (nr <= *nr_maps)
        return 0;
    more = realloc(*maps, nr * sizeof(*more));
    if (!more)
        return -ENOMEM;
    *maps = more;
    for (; *nr_maps < nr && !rc; (*nr_maps)++) {
        libxl_bitmap_init(&more[*nr_maps]);
        rc = cpu_map_fill(ctx, &more[*nr_maps]);
    }
    return rc;
}

/* `text` NULL: nothing is kept. */
static int apply_map(libxl_ctx *ctx, const char *text, int vcpu,
                     libxl_bitmap **maps, int *nr_maps)
{
    int rc;

    if (!text)
        return 0;
    rc = add_maps(ctx, maps, nr_maps, vcpu + 1);
    return rc ? rc : cpu_map_parse(ctx, text, &(*maps)[vcpu]);
}

int keep_apply(const struct keep *keep, libxl_ctx *ctx,
               libxl_domain_config *config)
{
    libxl_domain_build_info *info = &config->b_info;
    int nr = keep->nr_vcpus, i, rc;

    if (nr > info->max_vcpus)
        nr = info->max_vcpus;
    rc = set_text(&config->c_info.pool_name, keep->pool);
    if (!rc)
        rc = apply_nodes(keep, config);
    for (i = 0; i < nr && !rc; i++) {
        rc = apply_map(ctx, keep->vcpus[i].hard, i, &info->vcpu_hard_affinity,
                       &info->num_vcpu_hard_affinity);
        if (!rc)
            rc = apply_map(ctx, keep->vcpus[i].soft, i,
                           &info->vcpu_soft_affinity,
                           &info->num_vcpu_soft_affinity);
    }
    return rc;
}
