/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of virtual nodes, which comes from a file or from another host. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "text/refuse.h"
#include "text/units.h"
#include "vnuma_record.h"

#define TEXT_MAX 65536
#define DISTANCE_MIN 10
#define DISTANCE_MAX 255

/* A text while it is read: first into this, which has room for any. */
struct reading {
    struct vnuma_record *record;
    struct xln_cpumap *vcpus;   /* seen so far */
    char **error_r;
};

__attribute__((format(printf, 3, 4)))
static int wrong(const struct reading *r, unsigned vnode, const char *fmt, ...)
{
    char where[64];
    va_list ap;
    int rc;

    snprintf(where, sizeof(where), "recorded virtual node %u", vnode);
    va_start(ap, fmt);
    rc = xln__refuse_at(r->error_r, where, fmt, ap);
    va_end(ap);
    return rc;
}

/* Digits of that base, and no more; moves *text behind them. */
static bool read_number(const char **text, int base, uint64_t max,
                        uint64_t *number_r)
{
    char *end;

    if (base == 10 ? !isdigit((unsigned char)**text)
                   : !isxdigit((unsigned char)**text))
        return false;
    errno = 0;
    *number_r = strtoull(*text, &end, base);
    *text = end;
    return !errno && *number_r <= max;
}

/* ---- the fields ---- */

static int add_vcpus(struct reading *r, unsigned vnode, const char *value,
                     const struct xln_cpumap *vcpus)
{
    struct vnuma_record *record = r->record;
    unsigned vcpu;

    if (xln_cpumap_intersects(vcpus, r->vcpus))
        return wrong(r, vnode, "vcpus=%.*s: one of them is in two virtual "
                     "nodes", VALUE_MAX, value);
    XLN_FOREACH(xln_cpumap, vcpu, vcpus) {
        record->vnodes[vcpu] = vnode;
        if (vcpu >= record->nr_vcpus)
            record->nr_vcpus = vcpu + 1;
    }
    xln_cpumap_or(r->vcpus, vcpus);
    return 0;
}

static int read_vcpus(struct reading *r, unsigned vnode, const char *value)
{
    struct xln_cpumap *vcpus;
    int rc;

    if (!strcmp(value, "-"))
        return 0;
    rc = xln_cpumap_new(VCPUS_MAX, &vcpus);
    if (rc)
        return rc;
    rc = xln_cpumap_parse(value, NULL, 0, vcpus, NULL);
    if (!rc)
        rc = add_vcpus(r, vnode, value, vcpus);
    else if (rc != -ENOMEM)
        rc = wrong(r, vnode, "vcpus=%.*s: expected vCPUs such as 0-1,4",
                   VALUE_MAX, value);
    xln_cpumap_free(vcpus);
    return rc;
}

static bool overlaps(const struct vnuma_record *record, uint64_t start,
                     uint64_t end)
{
    unsigned i;

    for (i = 0; i < record->nr_ranges; i++)
        if (start < record->ranges[i].end && record->ranges[i].start < end)
            return true;
    return false;
}

static int read_memory(struct reading *r, unsigned vnode, const char *value)
{
    struct vnuma_record *record = r->record;
    const char *at = value;
    uint64_t start, end;

    do {
        if (!read_number(&at, 16, MEMORY_MAX_BYTES, &start) || *at++ != '-' ||
            !read_number(&at, 16, MEMORY_MAX_BYTES, &end) || start >= end ||
            (*at && *at != ',') || overlaps(record, start, end))
            return wrong(r, vnode, "memory=%.*s: expected ranges that do not "
                         "overlap, such as 0-9600000", VALUE_MAX, value);
        if (record->nr_ranges == VNUMA_RANGES_MAX)
            return wrong(r, vnode, "memory=%.*s: expected %d ranges in all, at "
                         "most", VALUE_MAX, value, VNUMA_RANGES_MAX);
        record->ranges[record->nr_ranges++] = (xen_vmemrange_t){
            .start = start, .end = end, .nid = vnode,
        };
    } while (*at++);
    return 0;
}

static int read_distances(struct reading *r, unsigned vnode, const char *value)
{
    struct vnuma_record *record = r->record;
    const char *at = value;
    uint64_t distance;
    unsigned nr = 0;

    while (nr < record->nr_vnodes &&
           read_number(&at, 10, DISTANCE_MAX, &distance) &&
           distance >= DISTANCE_MIN) {
        record->distances[vnode * record->nr_vnodes + nr++] = distance;
        if (*at != ',')
            break;
        at++;
    }
    if (nr == record->nr_vnodes && !*at && at[-1] != ',')
        return 0;
    return wrong(r, vnode, "distances=%.*s: expected %u, each %d to %d",
                 VALUE_MAX, value, record->nr_vnodes, DISTANCE_MIN,
                 DISTANCE_MAX);
}

static int read_node(struct reading *r, unsigned vnode, const char *value)
{
    const char *at = value;
    uint64_t node;

    if (!read_number(&at, 10, XLN_MAX_NODES - 1, &node) || *at)
        return wrong(r, vnode, "node=%.*s: expected the number of a node",
                     VALUE_MAX, value);
    r->record->nodes[vnode] = node;
    return 0;
}

/* ---- the virtual nodes ---- */

typedef int field_fn(struct reading *r, unsigned vnode, const char *value);

static const struct field {
    const char *name;
    bool needed;
    field_fn *read;
} fields[] = {
    { "vcpus", true, read_vcpus },
    { "memory", true, read_memory },
    { "distances", true, read_distances },
    { "node", false, read_node },
};

#define NR_FIELDS (sizeof(fields) / sizeof(*fields))

/* "vcpus=0-1" */
static int read_field(struct reading *r, unsigned vnode, char *word,
                      bool seen[NR_FIELDS])
{
    char *value = strchr(word, '=');
    size_t i = NR_FIELDS;

    if (value) {
        *value++ = '\0';
        for (i = 0; i < NR_FIELDS && strcmp(word, fields[i].name); i++)
            ;
    }
    if (i == NR_FIELDS || seen[i])
        return wrong(r, vnode, "%.*s: expected vcpus=, memory=, distances= and "
                     "node=, each once", VALUE_MAX, word);
    seen[i] = true;
    return fields[i].read(r, vnode, value);
}

static int read_vnode(struct reading *r, unsigned vnode, char *text)
{
    bool seen[NR_FIELDS] = { false };
    char *word;
    size_t i;
    int rc = 0;

    while (!rc && (word = strsep(&text, " ")))
        if (*word)
            rc = read_field(r, vnode, word, seen);
    for (i = 0; i < NR_FIELDS && !rc; i++)
        if (fields[i].needed && !seen[i])
            rc = wrong(r, vnode, "no %s=", fields[i].name);
    return rc;
}

static int check_vcpus(const struct reading *r)
{
    const struct vnuma_record *record = r->record;

    if (xln_cpumap_count(r->vcpus) == record->nr_vcpus && record->nr_vcpus)
        return 0;
    return xln__refuse(r->error_r, "recorded virtual nodes: expected vCPUs "
                       "from 0 on, each in one of them");
}

static int read_all(struct reading *r, char *text)
{
    unsigned vnode;
    int rc = 0;

    for (vnode = 0; vnode < r->record->nr_vnodes && !rc; vnode++)
        rc = read_vnode(r, vnode, strsep(&text, ";"));
    return rc ? rc : check_vcpus(r);
}

static unsigned count_vnodes(const char *text)
{
    unsigned nr = 1;

    for (; *text; text++)
        nr += *text == ';';
    return nr;
}

static int read_copy(struct reading *r, unsigned nr_vnodes, char *text)
{
    int rc = -ENOMEM;

    r->record = vnuma_record_new(nr_vnodes, VNUMA_RANGES_MAX, VCPUS_MAX);
    if (r->record) {
        r->record->nr_ranges = r->record->nr_vcpus = 0;
        rc = xln_cpumap_new(VCPUS_MAX, &r->vcpus);
    }
    if (!rc)
        rc = read_all(r, text);
    xln_cpumap_free(r->vcpus);
    return rc;
}

int vnuma_record_parse(const char *text, struct vnuma_record **record_r,
                       char **error_r)
{
    struct reading r = { .error_r = error_r };
    unsigned nr_vnodes = 0;
    char *copy;
    int rc;

    if (strlen(text) <= TEXT_MAX)
        nr_vnodes = count_vnodes(text);
    if (!nr_vnodes || nr_vnodes > XLN_VNUMA_MAX_NODES)
        return xln__refuse(error_r, "recorded virtual nodes: expected 1 to %d "
                           "of them, in %d characters at most",
                           XLN_VNUMA_MAX_NODES, TEXT_MAX);
    copy = strdup(text);
    rc = copy ? read_copy(&r, nr_vnodes, copy) : -ENOMEM;
    free(copy);
    if (rc)
        vnuma_record_free(r.record);
    else
        *record_r = r.record;
    return rc;
}
