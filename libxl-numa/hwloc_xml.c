/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read here and not by hwloc: what comes from anywhere is to be bounded and
 * refused with a line number, and hwloc's own parser does neither.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hwloc_xml.h"

/* enum hwloc_distances_kind_e */
#define KIND_MEANS_LATENCY 4

/* ---- sets ---- */

static int set_word(struct xln_cpumap *set, unsigned word, uint32_t bits)
{
    for (unsigned bit = 0; bits; bit++, bits >>= 1)
        if (bits & 1 && xln_cpumap_set(set, word * 32 + bit))
            return -ERANGE;
    return 0;
}

/* "0x0000000f", or nothing for 0; *s moves behind it. */
static bool parse_word(const char **s, uint32_t *bits_r)
{
    unsigned long long bits;
    char *end;

    *bits_r = 0;
    if (!**s || **s == ',')
        return true;
    if (strncmp(*s, "0x", 2) || !isxdigit((unsigned char)(*s)[2]))
        return false;
    bits = strtoull(*s, &end, 16);
    if (bits > UINT32_MAX || (*end && *end != ','))
        return false;
    *s = end;
    *bits_r = bits;
    return true;
}

/* "0xf...f" at the front: all above the words that follow. */
static const char *parse_rest(const char *s, struct xln_cpumap *set)
{
    static const char all[] = "0xf...f";
    unsigned nr_words = 0;

    if (strncmp(s, all, strlen(all)))
        return s;
    s += strlen(all);
    for (const char *c = s; *c; c++)
        nr_words += *c == ',';
    for (unsigned i = nr_words * 32; i < XLN_MAX_CPUS; i++)
        xln_cpumap_set(set, i);
    return s + (*s == ',');
}

/* Words of 32 bits, the highest first: "0x00000003,,0x0000000f". */
static int parse_set(const char *text, struct xln_cpumap *set)
{
    const char *s = parse_rest(text, set);
    unsigned word = 0;
    uint32_t bits;
    int rc;

    for (const char *c = s; *c; c++)
        word += *c == ',';
    for (;; word--, s++) {
        if (!parse_word(&s, &bits))
            return -EINVAL;
        rc = set_word(set, word, bits);
        if (rc || !*s)
            return rc;
    }
}

static int read_set(struct hwloc *h, const char *name,
                    struct xln_cpumap **set_r)
{
    const char *text = xln__xml_attr(h->xml, name);
    int rc;

    rc = xln_cpumap_new(XLN_MAX_CPUS, set_r);
    if (rc || !text)
        return rc;
    rc = parse_set(text, *set_r);
    if (rc == -ERANGE)
        return xln__xml_refuse(h->xml, "%s=\"%.40s\": expected nothing above "
                               "%u", name, text, XLN_MAX_CPUS - 1);
    if (rc)
        return xln__xml_refuse(h->xml, "%s=\"%.40s\": expected words like "
                               "0x0000000f", name, text);
    return 0;
}

static int read_set_if_there(struct hwloc *h, const char *name,
                             struct xln_cpumap **set)
{
    return xln__xml_attr(h->xml, name) ? read_set(h, name, set) : 0;
}

/* ---- objects ---- */

static int read_os_index(struct hwloc *h, unsigned *os_r)
{
    const char *text = xln__xml_attr(h->xml, "os_index");
    uint64_t os = XLN_NONE;
    int rc = 0;

    if (text && strcmp(text, "-1"))
        rc = xln__xml_number(h->xml, "os_index", UINT32_MAX, XLN_NONE, &os);
    *os_r = os;
    return rc;
}

/* The outermost object says which CPUs and nodes may be used. */
static int begin_machine(struct hwloc *h)
{
    int rc;

    if (h->nr_roots++)
        return xln__xml_refuse(h->xml, "a second outermost <object>: expected "
                               "one");
    rc = read_set_if_there(h, "allowed_cpuset", &h->allowed_cpus);
    if (!rc)
        rc = read_set_if_there(h, "online_cpuset", &h->online_cpus);
    /* As wide as that of the CPUs: in hwloc 1 it may end in "0xf...f". */
    if (!rc)
        rc = read_set_if_there(h, "allowed_nodeset", &h->allowed_nodes);
    return rc;
}

static int check_node(struct hwloc *h, unsigned os)
{
    if (os >= XLN_MAX_NODES)
        return xln__xml_refuse(h->xml, "a NUMANode: expected os_index= of at "
                               "most %u", XLN_MAX_NODES - 1);
    for (unsigned i = 0; i < h->nr_memories; i++)
        if (h->memories[i].os == os)
            return xln__xml_refuse(h->xml, "NUMANode %u appears twice", os);
    return 0;
}

static int begin_node(struct hwloc *h, struct level *level, unsigned os)
{
    struct memory *memory = &h->memories[h->nr_memories];
    const char *subtype = xln__xml_attr(h->xml, "subtype");
    int rc;

    rc = check_node(h, os);
    if (rc)
        return rc;
    /* No two of them have the same number, so they fit. */
    h->nr_memories++;
    memory->os = os;
    memory->depth = xln__xml_depth(h->xml);
    memory->within = level[-1].object;
    memory->in_group = level[-1].is_group;
    memory->special = subtype && strcmp(subtype, "DRAM");
    level->memory = memory;
    rc = xln__xml_number(h->xml, "local_memory", XLN__MAX_NODE_BYTES, 0,
                         &memory->bytes);
    if (!rc)
        rc = read_set(h, "cpuset", &memory->cpus);
    if (!rc)
        memory->nr_cpus = xln_cpumap_count(memory->cpus);
    return rc;
}

static int begin_pu(struct hwloc *h, const struct level *level, unsigned os)
{
    struct pu *pu;

    if (os >= XLN_MAX_CPUS)
        return xln__xml_refuse(h->xml, "a PU: expected os_index= of at most "
                               "%u", XLN_MAX_CPUS - 1);
    pu = &h->pus[os];
    if (pu->exists)
        return xln__xml_refuse(h->xml, "PU %u appears twice", os);
    pu->exists = true;
    pu->package = level->package;
    pu->package_os = level->package_os;
    /* A PU without a core around it counts as a core. */
    pu->core = level->core == XLN_NONE ? h->nr_cores++ : level->core;
    pu->core_os = level->core_os;
    if (os >= h->nr_pus)
        h->nr_pus = os + 1;
    return 0;
}

static int begin_other(struct hwloc *h)
{
    uint64_t bytes;
    int rc;

    rc = xln__xml_number(h->xml, "local_memory",
                         XLN__MAX_NODE_BYTES - h->other_bytes, 0, &bytes);
    if (!rc)
        h->other_bytes += bytes;
    return rc;
}

static int begin_type(struct hwloc *h, const char *type, unsigned os)
{
    struct level *level = &h->levels[xln__xml_depth(h->xml)];

    /* The second names are those of hwloc 1. */
    if (!strcmp(type, "NUMANode") || !strcmp(type, "Node"))
        return begin_node(h, level, os);
    if (!strcmp(type, "PU"))
        return begin_pu(h, level, os);
    if (!strcmp(type, "Package") || !strcmp(type, "Socket")) {
        level->package = h->nr_packages++;
        level->package_os = os;
    } else if (!strcmp(type, "Core")) {
        level->core = h->nr_cores++;
        level->core_os = os;
    }
    return begin_other(h);
}

static int begin_object(struct hwloc *h)
{
    const char *type = xln__xml_attr(h->xml, "type");
    unsigned depth = xln__xml_depth(h->xml), os;
    int rc;

    if (!type)
        return xln__xml_refuse(h->xml, "<object> without type=");
    if (h->levels[depth - 1].memory)
        h->levels[depth - 1].memory->has_objects = true;
    h->levels[depth] = h->levels[depth - 1];
    h->levels[depth].object = h->nr_objects++;
    h->levels[depth].is_group = !strcmp(type, "Group");
    if (!strcmp(type, "Machine") && h->nr_machines++)
        return xln__xml_refuse(h->xml, "a second Machine: expected one");
    if (depth == 2) {
        rc = begin_machine(h);
        if (rc)
            return rc;
    }
    rc = read_os_index(h, &os);
    return rc ? rc : begin_type(h, type, os);
}

/* Memory that Linux got from a device (CXL, persistent memory) has no CPUs
 * there. */
static void begin_info(struct hwloc *h)
{
    struct memory *memory = h->levels[xln__xml_depth(h->xml) - 1].memory;
    const char *name = xln__xml_attr(h->xml, "name");

    if (memory && name && (!strcmp(name, "DAXDevice") ||
                           !strcmp(name, "CXLDevice")))
        memory->special = true;
}

/* ---- distances ---- */

/* Nothing is kept of elements that are not needed. */
static int begin_matrix(struct hwloc *h, bool usable)
{
    struct matrix *m = &h->matrices[h->nr_matrices];
    uint64_t nr;
    int rc;

    h->matrix = NULL;
    if (!usable || h->nr_matrices == HWLOC_MATRICES)
        return 0;
    rc = xln__xml_need_number(h->xml, "nbobjs", XLN_MAX_NODES, &nr);
    if (rc)
        return rc;
    if (!nr)
        return xln__xml_refuse(h->xml, "nbobjs=\"0\"");
    h->nr_matrices++;
    m->nr = nr;
    m->indexes = calloc(nr, sizeof(*m->indexes));
    m->values = calloc(nr * nr, sizeof(*m->values));
    h->matrix = m;
    return m->indexes && m->values ? 0 : -ENOMEM;
}

static bool attr_is(struct hwloc *h, const char *name, const char *value)
{
    const char *is = xln__xml_attr(h->xml, name);

    return is && !strcmp(is, value);
}

static int begin_distances2(struct hwloc *h)
{
    uint64_t kind;
    int rc;

    rc = xln__xml_number(h->xml, "kind", UINT32_MAX, 0, &kind);
    if (rc)
        return rc;
    rc = begin_matrix(h, attr_is(h, "type", "NUMANode") &&
                      attr_is(h, "indexing", "os") &&
                      kind & KIND_MEANS_LATENCY);
    if (!rc && h->matrix)
        h->matrix->of_kernel = attr_is(h, "name", "NUMALatency");
    return rc;
}

/* Distances of hwloc 1 are between all objects of a level, some levels below
 * the object that they are in. Only those of the outermost object are used. */
static int begin_distances1(struct hwloc *h)
{
    unsigned depth = xln__xml_depth(h->xml);
    uint64_t down;
    int rc;

    rc = xln__xml_number(h->xml, "relative_depth", XLN__XML_MAX_DEPTH, 0,
                         &down);
    if (!rc)
        rc = begin_matrix(h, depth == 3);
    if (!rc && h->matrix)
        h->matrix->depth = depth - 1 + down;
    return rc;
}

static int add_value(struct hwloc *h, uint64_t value)
{
    struct matrix *m = h->matrix;

    if (m->nr_values == (size_t)m->nr * m->nr)
        return xln__xml_refuse(h->xml, "expected %zu distances",
                               m->nr_values);
    m->values[m->nr_values++] = value;
    return 0;
}

static int add_index(struct hwloc *h, uint64_t index)
{
    struct matrix *m = h->matrix;

    if (m->nr_indexes == m->nr)
        return xln__xml_refuse(h->xml, "expected %u indexes", m->nr);
    m->indexes[m->nr_indexes++] = index;
    return 0;
}

/* A list of numbers, given one by one to `add`. */
static int end_list(struct hwloc *h, const char *text, uint64_t max,
                    int (*add)(struct hwloc *h, uint64_t number))
{
    uint64_t number;
    int rc;

    while (*text) {
        if (!xln__xml_parse_number(&text, max, &number))
            return xln__xml_refuse(h->xml, "\"%.20s\": expected a number",
                                   text);
        rc = add(h, number);
        if (rc)
            return rc;
    }
    return 0;
}

/* "1.500000" of hwloc 1, kept as millionths. The unit does not matter. */
static int begin_latency(struct hwloc *h)
{
    const char *text = xln__xml_attr(h->xml, "value"), *s = text;
    unsigned digits = 0;
    uint64_t value;

    if (!text || !xln__xml_parse_number(&s, UINT32_MAX, &value))
        return xln__xml_refuse(h->xml, "<latency>: expected value= with a "
                               "number");
    s += *s == '.';
    for (; digits < 6; digits++) {
        value *= 10;
        if (*s >= '0' && *s <= '9')
            value += *s++ - '0';
    }
    return add_value(h, value);
}

static int end_matrix(struct hwloc *h)
{
    struct matrix *m = h->matrix;

    h->matrix = NULL;
    if (m->nr_values != (size_t)m->nr * m->nr)
        return xln__xml_refuse(h->xml, "%zu distances between %u nodes",
                               m->nr_values, m->nr);
    if (!m->depth && m->nr_indexes != m->nr)
        return xln__xml_refuse(h->xml, "%u indexes of %u nodes",
                               m->nr_indexes, m->nr);
    return 0;
}

/* ---- elements ---- */

static int begin(void *priv, struct xln__xml *xml)
{
    struct hwloc *h = priv;
    const char *name = strrchr(xln__xml_path(xml), '/') + 1;

    h->xml = xml;
    if (!strcmp(name, "object"))
        return begin_object(h);
    if (!strcmp(name, "info"))
        begin_info(h);
    else if (!strcmp(name, "distances2"))
        return begin_distances2(h);
    else if (!strcmp(name, "distances"))
        return begin_distances1(h);
    else if (!strcmp(name, "latency") && h->matrix)
        return begin_latency(h);
    return 0;
}

static int end(void *priv, struct xln__xml *xml, const char *text)
{
    struct hwloc *h = priv;
    const char *name = strrchr(xln__xml_path(xml), '/') + 1;

    if (!h->matrix)
        return 0;
    if (!strcmp(name, "indexes"))
        return end_list(h, text, XLN_NONE - 1, add_index);
    if (!strcmp(name, "u64values"))
        return end_list(h, text, UINT64_MAX, add_value);
    if (!strcmp(name, "distances2") || !strcmp(name, "distances"))
        return end_matrix(h);
    return 0;
}

static const struct xln__xml_events events = { begin, end };

void xln__hwloc_free(struct hwloc *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->nr_memories; i++)
        xln_cpumap_free(h->memories[i].cpus);
    for (unsigned i = 0; i < h->nr_matrices; i++) {
        free(h->matrices[i].indexes);
        free(h->matrices[i].values);
    }
    xln_cpumap_free(h->allowed_cpus);
    xln_cpumap_free(h->online_cpus);
    xln_cpumap_free(h->allowed_nodes);
    free(h->pus);
    free(h);
}

int xln__hwloc_read(const char *text, size_t size, struct hwloc **hwloc_r,
                    char **error_r)
{
    struct hwloc *h;
    int rc = -ENOMEM;

    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->levels[1] = (struct level){
        .package = XLN_NONE, .package_os = XLN_NONE,
        .core = XLN_NONE, .core_os = XLN_NONE,
    };
    h->pus = calloc(XLN_MAX_CPUS, sizeof(*h->pus));
    if (h->pus)
        rc = xln__xml_read(text, size, &events, h, error_r);
    if (rc) {
        xln__hwloc_free(h);
        return rc;
    }
    *hwloc_r = h;
    return 0;
}
