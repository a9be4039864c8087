/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read here and not by hwloc: what comes from anywhere is to be bounded and
 * refused with a line number, and hwloc's own parser does neither.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_assume.h"
#include "host_hwloc.h"
#include "text/refuse.h"
#include "text/xml.h"

/* A SLIT: a node's distance to itself, and the first value that is none. */
#define SLIT_LOCAL 10
#define SLIT_UNREACHABLE 255

/* enum hwloc_distances_kind_e */
#define KIND_MEANS_LATENCY 4

#define MAX_MATRICES 16

struct pu {
    bool exists;
    unsigned package, core;         /* counted as they come; XLN_NONE */
    unsigned package_os, core_os;   /* os_index, or XLN_NONE */
};

struct memory {
    unsigned os;                /* os_index */
    uint64_t bytes;
    bool special;               /* HBM and the like: second choice for CPUs */
    unsigned depth;
    unsigned within;            /* the number of the object that it is in */
    bool in_group;              /* which is a Group */
    bool has_objects;           /* it has objects in it, as hwloc 1 has it */
    struct xln_cpumap *cpus;    /* local ones */
    unsigned nr_cpus;
};

struct matrix {
    unsigned nr;
    bool of_kernel;             /* by its name */
    unsigned depth;             /* hwloc 1: of what it is between; else 0 */
    unsigned nr_indexes;
    unsigned *indexes;          /* [nr]: os_index of a node */
    size_t nr_values;
    uint64_t *values;           /* [nr * nr], of whatever unit */
};

/* What the elements around one say. */
struct level {
    unsigned package, package_os, core, core_os;
    struct memory *memory;
    unsigned object;            /* its number */
    bool is_group;
};

struct hwloc {
    struct xln__xml *xml;
    struct pu *pus;             /* [XLN_MAX_CPUS] */
    unsigned nr_pus;            /* one more than the largest */
    struct memory memories[XLN_MAX_NODES];
    unsigned nr_memories;
    uint64_t other_bytes;       /* on no NUMANode, as hwloc 1 has it */
    unsigned nr_roots, nr_machines, nr_packages, nr_cores, nr_objects;
    struct xln_cpumap *allowed_cpus, *online_cpus;  /* NULL: all */
    struct xln_cpumap *allowed_nodes;   /* NULL: all */
    struct matrix matrices[MAX_MATRICES];
    unsigned nr_matrices;
    struct matrix *matrix;      /* the one that is being read, or NULL */
    struct level levels[XLN__XML_MAX_DEPTH + 1];
};

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
    /* As wide as that of the CPUs: of hwloc 1 it may end in "0xf...f". */
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
            return xln__xml_refuse(h->xml, "NUMANode %u is there twice", os);
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
    /* No two of them have the same number, so they are no more than fit. */
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
        return xln__xml_refuse(h->xml, "PU %u is there twice", os);
    pu->exists = true;
    pu->package = level->package;
    pu->package_os = level->package_os;
    /* Without a core around it is one. */
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

/* Of what is not asked for nothing is kept. */
static int begin_matrix(struct hwloc *h, bool usable)
{
    struct matrix *m = &h->matrices[h->nr_matrices];
    uint64_t nr;
    int rc;

    h->matrix = NULL;
    if (!usable || h->nr_matrices == MAX_MATRICES)
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

/* Those of hwloc 1 are between all objects of a level, some levels below the
 * object that they are in. Only the outermost object's are for us. */
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

/* "1.500000" of hwloc 1, kept as millionths: the unit is nothing to us. */
#define LATENCY_LEAST 1000000

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

/* ---- the host ---- */

/* A number of the firmware's, and what it is the number of. */
struct number {
    unsigned within, os, own;
};

static int compare_numbers(const void *a, const void *b)
{
    const struct number *x = a, *y = b;

    if (x->within != y->within)
        return x->within < y->within ? -1 : 1;
    if (x->os != y->os)
        return x->os < y->os ? -1 : 1;
    return (x->own > y->own) - (x->own < y->own);
}

static bool are_unique(struct number *numbers, unsigned nr)
{
    qsort(numbers, nr, sizeof(*numbers), compare_numbers);
    for (unsigned i = 0; i < nr; i++) {
        const struct number *n = &numbers[i];

        if (n->os == XLN_NONE || n->own == XLN_NONE)
            return false;
        if (i && n->within == n[-1].within && n->os == n[-1].os &&
            n->own != n[-1].own)
            return false;
    }
    return true;
}

/*
 * Sockets and cores have the numbers that the file has for them, if all have
 * one that no other has; else they are counted. (Cores of several dies, and
 * sockets of several machines, often share numbers.)
 */
static int number_cpus(const struct hwloc *h, struct xln_host *host)
{
    bool by_package, by_core;
    struct number *numbers;
    unsigned nr = 0, cpu;

    numbers = calloc(h->nr_pus, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    for (cpu = 0; cpu < h->nr_pus; cpu++)
        if (h->pus[cpu].exists)
            numbers[nr++] = (struct number){ 0, h->pus[cpu].package_os,
                                             h->pus[cpu].package };
    by_package = are_unique(numbers, nr);
    nr = 0;
    for (cpu = 0; cpu < h->nr_pus; cpu++)
        if (h->pus[cpu].exists)
            numbers[nr++] = (struct number){ h->pus[cpu].package,
                                             h->pus[cpu].core_os,
                                             h->pus[cpu].core };
    by_core = are_unique(numbers, nr);
    free(numbers);

    for (cpu = 0; cpu < h->nr_pus; cpu++) {
        const struct pu *pu = &h->pus[cpu];
        unsigned package = by_package ? pu->package_os : pu->package;

        if (!pu->exists)
            continue;
        host->cpus[cpu].socket = package == XLN_NONE ? h->nr_packages
                                                     : package;
        host->cpus[cpu].core = by_core ? pu->core_os : pu->core;
    }
    return 0;
}

static bool is_better(const struct memory *a, const struct memory *b)
{
    if (a->special != b->special)
        return b->special;
    if (a->nr_cpus != b->nr_cpus)
        return a->nr_cpus < b->nr_cpus;
    return a->os < b->os;
}

static int fill_cpus(const struct hwloc *h, struct xln_host *host)
{
    const struct memory **best;
    unsigned cpu;

    best = calloc(h->nr_pus, sizeof(struct memory *));
    if (!best)
        return -ENOMEM;
    for (const struct memory *m = h->memories;
         m < h->memories + h->nr_memories; m++)
        XLN_FOREACH(xln_cpumap, cpu, m->cpus)
            if (cpu < h->nr_pus && (!best[cpu] || is_better(m, best[cpu])))
                best[cpu] = m;

    for (cpu = 0; cpu < h->nr_pus; cpu++) {
        if (!h->pus[cpu].exists)
            continue;
        host->cpu_exists[cpu] = true;
        host->cpus[cpu].online =
            (!h->allowed_cpus || xln_cpumap_test(h->allowed_cpus, cpu)) &&
            (!h->online_cpus || xln_cpumap_test(h->online_cpus, cpu));
        if (!h->nr_memories)
            host->cpus[cpu].node = 0;
        else if (best[cpu])
            host->cpus[cpu].node = best[cpu]->os;
    }
    free(best);
    return number_cpus(h, host);
}

static void fill_nodes(const struct hwloc *h, struct xln_host *host)
{
    for (unsigned i = 0; i < h->nr_memories; i++) {
        const struct memory *m = &h->memories[i];

        xln_nodemap_set(host->exists, m->os);
        host->nodes[m->os].total_bytes = m->bytes;
    }
    if (!h->nr_memories) {
        xln_nodemap_set(host->exists, 0);
        host->nodes[0].total_bytes = h->other_bytes;
    }
}

/* Nothing is planned on a node that may not be used. */
static int take_not_allowed(const struct hwloc *h, struct xln_host *host,
                            char **note)
{
    unsigned node, nr = 0;

    if (!h->allowed_nodes || !h->nr_memories)
        return 0;
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        if (xln_cpumap_test(h->allowed_nodes, node))
            continue;
        host->nodes[node].free_bytes = 0;
        nr++;
    }
    if (!nr)
        return 0;
    return xln__note(note, "the memory of %u node%s is not allowed", nr,
                     nr == 1 ? "" : "s");
}

/* In units of the first node's distance to itself, which all must have. */
static bool has_local(const struct matrix *m)
{
    for (unsigned i = 0; i < m->nr; i++)
        if (m->values[(size_t)i * m->nr + i] != m->values[0])
            return false;
    return m->values[0];
}

static unsigned to_slit(uint64_t value, uint64_t local)
{
    if (value / local >= SLIT_UNREACHABLE / SLIT_LOCAL + 1)
        return XLN_NONE;
    /* Below 26 times `local`: one that is large needs no tenths. */
    if (local > UINT32_MAX) {
        value >>= 16;
        local >>= 16;
    }
    value = (value * SLIT_LOCAL + local / 2) / local;
    if (value >= SLIT_UNREACHABLE)
        return XLN_NONE;
    return value < SLIT_LOCAL ? SLIT_LOCAL : value;
}

/* Where hwloc 2 has several nodes on one object, it writes a Group around
 * them, and the object within the first one. */
static bool is_group_added(const struct hwloc *h)
{
    const struct memory *first = h->memories;

    return h->nr_memories > 1 && first->in_group &&
           first[1].within == first->within && !first[1].has_objects;
}

/*
 * hwloc 1 says at which level of the file the objects are, and has all values
 * as parts of the least one. hwloc 2 (lstopo --export-xml-flags 1) writes
 * values as they are, and counts its own levels, on which there are no nodes:
 * what it says of them is one level below the objects that have them. These
 * are in the nodes of the file, so that level is one below the nodes there.
 *
 * Example: four nodes in the Machine, a Socket in each. A matrix "1" of hwloc
 * 1 is between the nodes and "2" between the sockets; a "1" of hwloc 2 is
 * between the sockets and "2" between the nodes.
 */
static unsigned depth_of_nodes(const struct hwloc *h, const struct matrix *m)
{
    unsigned depth = h->memories[0].depth;

    if (m->values[0] == LATENCY_LEAST || is_group_added(h))
        return depth;
    return depth + 1;
}

/* Those of hwloc 1 may be between anything. */
static bool is_between_nodes(const struct hwloc *h, const struct matrix *m)
{
    if (!m->depth)
        return true;
    return m->nr == h->nr_memories && m->depth == depth_of_nodes(h, m);
}

/* The kernel's own, else the first one. */
static const struct matrix *choose_matrix(const struct hwloc *h)
{
    const struct matrix *first = NULL;

    for (unsigned i = 0; i < h->nr_matrices; i++) {
        const struct matrix *m = &h->matrices[i];

        if (!is_between_nodes(h, m) || !has_local(m))
            continue;
        if (m->of_kernel)
            return m;
        if (!first)
            first = m;
    }
    return first;
}

static unsigned node_of(const struct hwloc *h, const struct matrix *m,
                        unsigned i)
{
    return m->depth ? h->memories[i].os : m->indexes[i];
}

static void fill_distances(const struct hwloc *h, const struct matrix *m,
                           struct xln_host *host, bool *known)
{
    for (unsigned i = 0; i < m->nr; i++) {
        for (unsigned j = 0; j < m->nr; j++) {
            unsigned from = node_of(h, m, i), to = node_of(h, m, j);
            size_t at = (size_t)from * host->nr_nodes + to;

            if (from >= host->nr_nodes || to >= host->nr_nodes)
                continue;
            host->distances[at] = to_slit(m->values[(size_t)i * m->nr + j],
                                          m->values[0]);
            known[at] = true;
        }
    }
}

static int note_unused(const struct hwloc *h, char **note)
{
    for (unsigned i = 0; i < h->nr_matrices; i++)
        if (is_between_nodes(h, &h->matrices[i]))
            return xln__note(note, "its distances are not used: those from "
                             "nodes to themselves differ");
    if (!h->nr_matrices)
        return 0;
    return xln__note(note, "its distances are not used: they are not between "
                     "all NUMA nodes");
}

static int set_distances(const struct hwloc *h, struct xln_host *host,
                         char **note)
{
    const struct matrix *m = choose_matrix(h);
    bool *known;
    int rc = 0;

    known = calloc((size_t)host->nr_nodes * host->nr_nodes, sizeof(*known));
    if (!known)
        return -ENOMEM;
    if (m)
        fill_distances(h, m, host, known);
    else
        rc = note_unused(h, note);
    if (!rc)
        rc = xln__assume_distances(host, known, note);
    free(known);
    return rc;
}

static int note_no_node(const struct hwloc *h, char **note)
{
    if (h->nr_memories)
        return 0;
    return xln__note(note, "it has no NUMA node: all is taken as node 0");
}

static int fill_host(const struct hwloc *h, struct xln_host *host,
                     char **note)
{
    int rc;

    fill_nodes(h, host);
    rc = fill_cpus(h, host);
    if (!rc)
        rc = xln__assume_pool(host);
    if (!rc)
        rc = note_no_node(h, note);
    if (!rc)
        rc = xln__assume_free(host, note);
    if (!rc)
        rc = take_not_allowed(h, host, note);
    if (!rc)
        rc = set_distances(h, host, note);
    if (!rc)
        rc = xln__note_offline(host, note);
    if (!rc)
        rc = xln__note_homeless(host, note);
    return rc ? rc : xln__host_finish(host);
}

static int make_host(const struct hwloc *h, struct xln_host **host_r,
                     char **note_r, char **error_r)
{
    unsigned nr_nodes = 1;
    struct xln_host *host = NULL;
    char *note = NULL;
    int rc;

    if (!h->nr_pus)
        return xln__refuse(error_r, "it has no PU");
    for (unsigned i = 0; i < h->nr_memories; i++)
        if (h->memories[i].os >= nr_nodes)
            nr_nodes = h->memories[i].os + 1;
    rc = xln__host_new(h->nr_pus, nr_nodes, 1, &host);
    if (!rc)
        rc = fill_host(h, host, &note);
    if (rc)
        goto out;
    *host_r = host;
    *note_r = note;
    return 0;

 out:
    xln_host_free(host);
    free(note);
    return rc;
}

static void hwloc_free(struct hwloc *h)
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

int xln__host_from_hwloc(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
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
    if (!rc)
        rc = make_host(h, host_r, note_r, error_r);
    hwloc_free(h);
    return rc;
}
