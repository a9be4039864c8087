/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_numa.h>

#include "bounds.h"
#include "text/refuse.h"
#include "text/units.h"
#include "vnode_list.h"

/* A list while it is read. */
struct list {
    const XLU_Config *config;
    const char *source;
    char **error_r;
    int nr, item;               /* of the list; being read, from 1 */
    struct xln_cpumap *vcpus;   /* seen so far */
    struct cells *cells;        /* read so far */
    bool pnode, size, distances;
};

__attribute__((format(printf, 2, 3)))
static int explain(const struct list *r, const char *fmt, ...)
{
    char *where;
    va_list ap;
    int rc;

    if (r->item ? asprintf(&where, "%s: vnuma: item %d", r->source, r->item) < 0
                : asprintf(&where, "%s: vnuma", r->source) < 0)
        return -ENOMEM;
    va_start(ap, fmt);
    rc = xln__refuse_at(r->error_r, where, fmt, ap);
    va_end(ap);
    free(where);
    return rc;
}

static struct cell *cell_of(const struct list *r)
{
    return &r->cells->list[r->item - 1];
}

static int wrong(const struct list *r, const char *option, const char *value,
                 const char *expected)
{
    return explain(r, "%s=\"%.*s\": expected %s", option, VALUE_MAX, value,
                   expected);
}

/* Digits, between blanks; moves *text behind them. */
static bool read_number(const char **text, unsigned long max,
                        unsigned long *number_r)
{
    char *end;

    *text += strspn(*text, " \t");
    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    *number_r = strtoul(*text, &end, 10);
    *text = end + strspn(end, " \t");
    return !errno && *number_r <= max;
}

static bool is_number(const char *text, unsigned long max,
                      unsigned long *number_r)
{
    return read_number(&text, max, number_r) && !*text;
}

/* ---- the parts ---- */

static int add_vcpus(struct list *r, const char *value, unsigned long first,
                     unsigned long last)
{
    for (; first <= last; first++) {
        if (xln_cpumap_test(r->vcpus, first))
            return explain(r, "vcpus=\"%.*s\": vCPU %lu is in two virtual "
                           "nodes, or twice in one", VALUE_MAX, value, first);
        xln_cpumap_set(r->vcpus, first);
        xln_cpumap_set(cell_of(r)->vcpus, first);
    }
    return 0;
}

static int read_vcpus(struct list *r, const char *value)
{
    const char *const expected = "vCPUs such as \"0-1,4\"";
    unsigned long first, last;
    const char *at = value;
    int rc;

    for (;;) {
        if (!read_number(&at, VCPUS_MAX - 1, &first))
            return wrong(r, "vcpus", value, expected);
        last = first;
        if (*at == '-' && (at++, !read_number(&at, VCPUS_MAX - 1, &last)))
            return wrong(r, "vcpus", value, expected);
        if (last < first)
            return wrong(r, "vcpus", value, expected);
        rc = add_vcpus(r, value, first, last);
        if (rc || !*at)
            return rc;
        if (*at++ != ',')
            return wrong(r, "vcpus", value, expected);
    }
}

/* xl has room for as many as there are virtual nodes, and writes on. */
static int read_distances(struct list *r, const char *value)
{
    unsigned long distances[XLN_VNUMA_MAX_NODES];
    const char *at = value;
    char expected[64];
    int i, nr = 0;

    snprintf(expected, sizeof(expected),
             "%d distance%s, each 10 to 255", r->nr, r->nr == 1 ? "" : "s");
    while (nr < r->nr && read_number(&at, 255, &distances[nr]) &&
           distances[nr] >= 10 && (nr++, *at == ','))
        at++;
    if (nr != r->nr || *at)
        return wrong(r, "vdistances", value, expected);
    for (i = 0; i < nr; i++)
        if (distances[i] < distances[r->item - 1])
            return explain(r, "vdistances=\"%.*s\": expected none below its "
                           "own, which is %lu", VALUE_MAX, value,
                           distances[r->item - 1]);
    for (i = 0; i < nr; i++)
        cell_of(r)->distances[i] = distances[i];
    r->distances = true;
    return 0;
}

static int read_pnode(struct list *r, const char *value)
{
    unsigned long node;

    if (!is_number(value, XLN_MAX_NODES - 1, &node))
        return wrong(r, "pnode", value, "the number of a node");
    r->pnode = true;
    xln_nodemap_zero(cell_of(r)->nodes);
    return xln_nodemap_set(cell_of(r)->nodes, node);
}

static int read_size(struct list *r, const char *value)
{
    unsigned long mib;

    if (!is_number(value, IN_MIB(MEMORY_MAX_BYTES), &mib) || !mib)
        return wrong(r, "size", value, "MiB");
    if (r->size)
        return explain(r, "size= is given twice: expected one");
    r->size = true;
    cell_of(r)->bytes = mib * MIB;
    return 0;
}

static int read_option(struct list *r, const char *option, const char *value)
{
    if (!strcmp(option, "vcpus"))
        return read_vcpus(r, value);
    if (!strcmp(option, "vdistances"))
        return read_distances(r, value);
    if (!strcmp(option, "pnode"))
        return read_pnode(r, value);
    if (!strcmp(option, "size"))
        return read_size(r, value);
    return explain(r, "%.*s=: expected pnode=, size=, vcpus= or vdistances=",
                   VALUE_MAX, option);
}

/* "pnode = 0" */
static int read_text(struct list *r, const char *text)
{
    const char *equals = strchr(text, '=');
    char *option;
    size_t length;
    int rc;

    if (!equals)
        return explain(r, "\"%.*s\": expected an OPTION=VALUE", VALUE_MAX,
                       text);
    text += strspn(text, " \t");
    length = equals - text;
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    option = strndup(text, length);
    if (!option)
        return -ENOMEM;
    rc = read_option(r, option, equals + 1);
    free(option);
    return rc;
}

/* ---- the list ---- */

static int begin_cell(struct list *r)
{
    struct cell *cell = cell_of(r);
    int rc = xln_cpumap_new(VCPUS_MAX, &cell->vcpus);

    if (!rc)
        rc = xln_nodemap_new(XLN_MAX_NODES, &cell->nodes);
    if (rc)
        return rc;
    cell->distances = calloc(r->nr, sizeof(*cell->distances));
    return cell->distances ? 0 : -ENOMEM;
}

static int read_item(struct list *r, const XLU_ConfigValue *item)
{
    XLU_ConfigList *options;
    XLU_ConfigValue *option;
    char *text;
    int i, rc;

    if (xlu_cfg_value_type(item) != XLU_LIST ||
        xlu_cfg_value_get_list(r->config, (XLU_ConfigValue *)(uintptr_t)item,
                               &options, 1))
        return explain(r, "expected a list of pnode=, size=, vcpus= and "
                       "vdistances=");
    r->pnode = r->size = r->distances = false;
    rc = begin_cell(r);
    for (i = 0; !rc && (option = xlu_cfg_get_listitem2(options, i)); i++) {
        if (xlu_cfg_value_get_string(r->config, option, &text, 1))
            return explain(r, "expected a list of pnode=, size=, vcpus= and "
                           "vdistances=");
        rc = read_text(r, text);
    }
    if (rc || (r->pnode && r->size && (r->distances || r->nr == 1)))
        return rc;
    return explain(r, "no %s=: expected pnode=, size= and vdistances=",
                   !r->pnode ? "pnode" : !r->size ? "size" : "vdistances");
}

static int read_list(struct list *r, const XLU_ConfigList *list)
{
    int i, rc = 0;

    for (i = 0; i < r->nr && !rc; i++) {
        r->item = i + 1;
        rc = read_item(r, xlu_cfg_get_listitem2(list, i));
    }
    return rc;
}

/* ---- the list and the other keys ---- */

/* As many as xl gives the domain: all of them are in virtual nodes. */
static int check_vcpus(struct list *r)
{
    unsigned nr = xln_cpumap_count(r->vcpus), vcpu;
    long maxvcpus = nr, vcpus = 0;

    xlu_cfg_get_long(r->config, "maxvcpus", &maxvcpus, 1);
    xlu_cfg_get_long(r->config, "vcpus", &vcpus, 1);
    for (vcpu = 0; vcpu < nr && xln_cpumap_test(r->vcpus, vcpu); vcpu++)
        ;
    if (vcpu < nr || !nr)
        return explain(r, "vCPU %u is in no virtual node", vcpu);
    if (maxvcpus != (long)nr)
        return explain(r, "maxvcpus=%ld, but %u vCPUs in virtual nodes: "
                       "expected all", maxvcpus, nr);
    if (vcpus > (long)nr)
        return explain(r, "vcpus=%ld, but %u vCPUs in virtual nodes: expected "
                       "all", vcpus, nr);
    return 0;
}

static int check_memory(struct list *r)
{
    long mib = IN_MIB(cells_bytes(r->cells)), memory = mib, maxmem = mib;

    xlu_cfg_get_long(r->config, "memory", &memory, 1);
    xlu_cfg_get_long(r->config, "maxmem", &maxmem, 1);
    if (maxmem != mib)
        return explain(r, "maxmem=%ld, but virtual nodes of %ld MiB: expected "
                       "the same", maxmem, mib);
    /* Populating on demand knows no virtual nodes. */
    if (memory < mib)
        return explain(r, "memory=%ld, but virtual nodes of %ld MiB: expected "
                       "the same", memory, mib);
    return 0;
}

static int read_all(struct list *r, const XLU_ConfigList *list)
{
    int rc = read_list(r, list);

    r->item = 0;
    if (!rc)
        rc = check_vcpus(r);
    if (!rc)
        rc = check_memory(r);
    return rc;
}

static XLU_ConfigList *find_list(const XLU_Config *config, int *nr_r)
{
    XLU_ConfigList *list;

    return xlu_cfg_get_list(config, "vnuma", &list, nr_r, 1) ? NULL : list;
}

bool vnode_list_given(const XLU_Config *config)
{
    int nr;

    return find_list(config, &nr) && nr > 0;
}

int vnode_list_read(const XLU_Config *config, const char *source,
                    struct cells **cells_r, char **error_r)
{
    struct list r = {
        .config = config, .source = source, .error_r = error_r,
    };
    const XLU_ConfigList *list = find_list(config, &r.nr);
    int rc;

    *cells_r = NULL;
    if (!list || !r.nr)
        return 0;
    if (r.nr > XLN_VNUMA_MAX_NODES)
        return explain(&r, "%d virtual nodes: expected %d at most", r.nr,
                       XLN_VNUMA_MAX_NODES);
    rc = cells_new(r.nr, &r.cells);
    if (!rc)
        rc = xln_cpumap_new(VCPUS_MAX, &r.vcpus);
    if (!rc)
        rc = read_all(&r, list);
    xln_cpumap_free(r.vcpus);
    if (rc) {
        cells_free(r.cells);
        return rc;
    }
    r.cells->listed = true;
    *cells_r = r.cells;
    return 0;
}
