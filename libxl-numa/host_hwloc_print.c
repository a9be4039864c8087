/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hwloc wants a tree of objects, and can be given one only as XML: CPUs in
 * cores in packages, and the nodes inside of the packages or around them,
 * whichever way they are on this host.
 *
 *     Machine                      Machine
 *       Package                      Group with NUMANode 0
 *         Group with NUMANode 0        Package
 *           Core                         Core
 *             PU                           PU
 *         Group with NUMANode 1        Package
 *
 * A group that is the same as what is around it is dropped by hwloc.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text/from_errno.h"
#include "host.h"
#include "libxl_numa_foreign.h"

#define UNREACHABLE 255         /* in SLIT */
#define NR_LEVELS 4

struct cpu {
    unsigned keys[NR_LEVELS];   /* the objects that it is in, outermost first */
    unsigned firsts[NR_LEVELS]; /* the lowest CPU of each */
    unsigned number, node;
};

enum level { AT_NODE, AT_PACKAGE, AT_CORE, AT_PU };

static const enum level nodes_inside[] = { AT_PACKAGE, AT_NODE, AT_CORE,
                                           AT_PU };
static const enum level nodes_around[] = { AT_NODE, AT_PACKAGE, AT_CORE,
                                           AT_PU };

struct out {
    const struct xln_host *host;
    FILE *f;
    const enum level *levels;
    struct cpu *cpus;           /* sorted, those of an object side by side */
    unsigned nr_cpus;
    uint32_t *words;            /* of a set, being printed */
    const struct xln_hwloc_note *notes;
    unsigned nr_notes;
    unsigned gp_index;          /* of the last object */
};

/* ---- the order ---- */

/* Whether each node has CPUs of only one socket. Any number may be one of a
 * socket. */
static int are_nodes_inside(const struct xln_host *host, bool *inside_r)
{
    const struct xln_host_cpu **firsts, *c;
    bool inside = true;

    firsts = calloc(host->nr_nodes, sizeof(*firsts));
    if (!firsts)
        return -ENOMEM;
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        c = xln_host_cpu(host, cpu);
        if (!c || c->node == XLN_NONE)
            continue;
        if (!firsts[c->node])
            firsts[c->node] = c;
        inside = inside && firsts[c->node]->socket == c->socket;
    }
    free(firsts);
    *inside_r = inside;
    return 0;
}

static unsigned key_of(const struct xln_host_cpu *cpu, unsigned number,
                       enum level level)
{
    switch (level) {
    case AT_NODE:
        return cpu->node;
    case AT_PACKAGE:
        return cpu->socket;
    case AT_CORE:
        return cpu->core;
    default:
        return number;
    }
}

static int compare(const unsigned *a, const unsigned *b)
{
    for (unsigned i = 0; i < NR_LEVELS; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return compare(((const struct cpu *)a)->keys,
                   ((const struct cpu *)b)->keys);
}

static int compare_firsts(const void *a, const void *b)
{
    return compare(((const struct cpu *)a)->firsts,
                   ((const struct cpu *)b)->firsts);
}

static void fill_cpus(struct out *out)
{
    for (unsigned number = 0; number < out->host->nr_cpus; number++) {
        const struct xln_host_cpu *c = xln_host_cpu(out->host, number);
        struct cpu *cpu = &out->cpus[out->nr_cpus];

        if (!c)
            continue;
        for (unsigned i = 0; i < NR_LEVELS; i++)
            cpu->keys[i] = key_of(c, number, out->levels[i]);
        cpu->number = number;
        cpu->node = c->node;
        out->nr_cpus++;
    }
}

/* How many from `cpus` on are in the same object as the first. */
static unsigned count_same(const struct cpu *cpus, unsigned nr, unsigned depth)
{
    unsigned len;

    for (len = 1; len < nr; len++)
        if (memcmp(cpus[len].keys, cpus->keys, (depth + 1) * sizeof(unsigned)))
            break;
    return len;
}

static void set_firsts(struct out *out, unsigned depth)
{
    unsigned at, len, first;

    for (at = 0; at < out->nr_cpus; at += len) {
        struct cpu *cpus = &out->cpus[at];

        len = count_same(cpus, out->nr_cpus - at, depth);
        first = XLN_NONE;
        for (unsigned i = 0; i < len; i++)
            if (cpus[i].number < first)
                first = cpus[i].number;
        for (unsigned i = 0; i < len; i++)
            cpus[i].firsts[depth] = first;
    }
}

/* hwloc wants objects side by side in the order of their lowest CPUs. */
static void sort_cpus(struct out *out)
{
    qsort(out->cpus, out->nr_cpus, sizeof(*out->cpus), compare_keys);
    for (unsigned depth = 0; depth < NR_LEVELS; depth++)
        set_firsts(out, depth);
    qsort(out->cpus, out->nr_cpus, sizeof(*out->cpus), compare_firsts);
}

/* ---- sets ---- */

static void add(struct out *out, unsigned bit)
{
    out->words[bit / 32] |= UINT32_C(1) << bit % 32;
}

/* Prints the set, and empties it: "0x00000003,,0x0000000f". */
static void print_set(struct out *out, const char *name, unsigned nr_bits)
{
    unsigned word = (nr_bits + 31) / 32;

    while (word > 1 && !out->words[word - 1])
        word--;
    fprintf(out->f, " %s=\"", name);
    while (word--) {
        if (out->words[word])
            fprintf(out->f, "0x%08" PRIx32, out->words[word]);
        else if (!word)
            fputs("0x0", out->f);
        if (word)
            putc(',', out->f);
        out->words[word] = 0;
    }
    putc('"', out->f);
}

static void print_cpus(struct out *out, const char *name,
                       const struct cpu *cpus, unsigned nr, bool only_online)
{
    for (unsigned i = 0; i < nr; i++)
        if (!only_online || out->host->cpus[cpus[i].number].online)
            add(out, cpus[i].number);
    print_set(out, name, out->host->nr_cpus);
}

static void print_nodes(struct out *out, const char *name,
                        const struct cpu *cpus, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (cpus[i].node != XLN_NONE)
            add(out, cpus[i].node);
    print_set(out, name, out->host->nr_nodes);
}

static void print_all_nodes(struct out *out, const char *name)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, out->host->exists)
        add(out, node);
    print_set(out, name, out->host->nr_nodes);
}

/* ---- objects ---- */

static void open_object(struct out *out, const char *type, unsigned os_index)
{
    fprintf(out->f, "<object type=\"%s\"", type);
    if (os_index != XLN_NONE)
        fprintf(out->f, " os_index=\"%u\"", os_index);
    fprintf(out->f, " gp_index=\"%u\"", ++out->gp_index);
}

static void print_node(struct out *out, unsigned node, const struct cpu *cpus,
                       unsigned nr)
{
    open_object(out, "NUMANode", node);
    print_cpus(out, "cpuset", cpus, nr, false);
    print_cpus(out, "complete_cpuset", cpus, nr, false);
    add(out, node);
    print_set(out, "nodeset", out->host->nr_nodes);
    add(out, node);
    print_set(out, "complete_nodeset", out->host->nr_nodes);
    fprintf(out->f, " local_memory=\"%" PRIu64 "\"/>\n",
            out->host->nodes[node].total_bytes);
}

static void print_text(struct out *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out->f); break;
        case '>': fputs("&gt;", out->f); break;
        case '&': fputs("&amp;", out->f); break;
        case '"': fputs("&quot;", out->f); break;
        default: putc(*text, out->f); break;
        }
    }
}

/* lstopo draws them with the objects next to them. */
static void print_notes(struct out *out, unsigned node)
{
    unsigned i;

    for (i = 0; i < out->nr_notes; i++) {
        const struct xln_hwloc_note *note = &out->notes[i];

        if (note->node != node)
            continue;
        fprintf(out->f, "<object type=\"Misc\" gp_index=\"%u\" "
                "subtype=\"Domain\" name=\"", ++out->gp_index);
        print_text(out, note->text);
        fputs("\"><info name=\"lstopoStyle\" value=\"Background=", out->f);
        print_text(out, note->colour);
        fputs("\"/></object>\n", out->f);
    }
}

static void open_level(struct out *out, enum level level,
                       const struct cpu *cpus, unsigned nr, unsigned key)
{
    static const char *const types[] = { "Group", "Package", "Core", "PU" };

    open_object(out, types[level], level == AT_NODE ? XLN_NONE : key);
    print_cpus(out, "cpuset", cpus, nr, false);
    print_cpus(out, "complete_cpuset", cpus, nr, false);
    print_nodes(out, "nodeset", cpus, nr);
    print_nodes(out, "complete_nodeset", cpus, nr);
    fputs(level == AT_PU ? "/>\n" : ">\n", out->f);
    /* CPUs whose node is not known have a group as well. */
    if (level == AT_NODE && key != XLN_NONE)
        print_node(out, key, cpus, nr);
}

static void print_objects(struct out *out, unsigned depth,
                          const struct cpu *cpus, unsigned nr);

static void print_object(struct out *out, unsigned depth,
                         const struct cpu *cpus, unsigned nr)
{
    enum level level = out->levels[depth];

    open_level(out, level, cpus, nr, cpus->keys[depth]);
    if (level == AT_PU)
        return;
    print_objects(out, depth + 1, cpus, nr);
    if (level == AT_NODE && cpus->keys[depth] != XLN_NONE)
        print_notes(out, cpus->keys[depth]);
    fputs("</object>\n", out->f);
}

static void print_objects(struct out *out, unsigned depth,
                          const struct cpu *cpus, unsigned nr)
{
    unsigned len;

    for (; nr; cpus += len, nr -= len) {
        len = count_same(cpus, nr, depth);
        print_object(out, depth, cpus, len);
    }
}

/* Nodes without any CPU are at the machine; or their notes are. */
static void print_far_nodes(struct out *out, bool notes)
{
    unsigned node, i;

    XLN_FOREACH(xln_nodemap, node, out->host->exists) {
        for (i = 0; i < out->nr_cpus; i++)
            if (out->cpus[i].node == node)
                break;
        if (i < out->nr_cpus)
            continue;
        if (notes)
            print_notes(out, node);
        else
            print_node(out, node, NULL, 0);
    }
}

static void print_machine(struct out *out)
{
    open_object(out, "Machine", 0);
    print_cpus(out, "cpuset", out->cpus, out->nr_cpus, false);
    print_cpus(out, "complete_cpuset", out->cpus, out->nr_cpus, false);
    print_cpus(out, "allowed_cpuset", out->cpus, out->nr_cpus, true);
    print_all_nodes(out, "nodeset");
    print_all_nodes(out, "complete_nodeset");
    print_all_nodes(out, "allowed_nodeset");
    fputs(">\n<info name=\"Backend\" value=\"Xen\"/>\n", out->f);
    print_far_nodes(out, false);
    print_objects(out, 0, out->cpus, out->nr_cpus);
    print_far_nodes(out, true);
    fputs("</object>\n", out->f);
}

/* ---- distances ---- */

/* hwloc counts the characters between the tags, and expects few in one. */
static void print_numbers(struct out *out, const char *tag,
                          const unsigned *numbers, size_t nr)
{
    char text[256];
    size_t len;

    while (nr) {
        for (len = 0; nr && len < sizeof(text) - 16; nr--)
            len += sprintf(text + len, "%u ", *numbers++);
        fprintf(out->f, "<%s length=\"%zu\">%s</%s>\n", tag, len, text, tag);
    }
}

static int print_distances(struct out *out)
{
    const struct xln_nodemap *nodes = out->host->exists;
    unsigned nr = xln_nodemap_count(nodes), from, to, i = 0;
    unsigned *numbers;

    /* hwloc has no distances of a single object. */
    if (nr < 2)
        return 0;
    numbers = calloc((size_t)nr * nr, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    fprintf(out->f, "<distances2 type=\"NUMANode\" nbobjs=\"%u\" kind=\"5\" "
            "name=\"NUMALatency\" indexing=\"os\">\n", nr);
    XLN_FOREACH(xln_nodemap, from, nodes)
        numbers[i++] = from;
    print_numbers(out, "indexes", numbers, nr);
    i = 0;
    XLN_FOREACH(xln_nodemap, from, nodes) {
        XLN_FOREACH(xln_nodemap, to, nodes) {
            unsigned distance = xln_host_distance(out->host, from, to);

            numbers[i++] = distance == XLN_NONE ? UNREACHABLE : distance;
        }
    }
    print_numbers(out, "u64values", numbers, (size_t)nr * nr);
    fputs("</distances2>\n", out->f);
    free(numbers);
    return 0;
}

static int print_all(struct out *out)
{
    int rc;

    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
          "<topology version=\"2.0\">\n", out->f);
    print_machine(out);
    rc = print_distances(out);
    fputs("</topology>\n", out->f);
    if (rc)
        return rc;
    if (fflush(out->f))
        return xln__from_errno();
    return ferror(out->f) ? -EIO : 0;
}

int xln_host_save_hwloc_notes(const struct xln_host *host,
                              const struct xln_hwloc_note *notes,
                              unsigned nr_notes, FILE *f)
{
    unsigned nr_bits =
        host->nr_cpus > host->nr_nodes ? host->nr_cpus : host->nr_nodes;
    struct out out = {
        .host = host, .f = f, .notes = notes, .nr_notes = nr_notes,
    };
    bool inside;
    int rc = are_nodes_inside(host, &inside);

    if (rc)
        return rc;
    out.levels = inside ? nodes_inside : nodes_around;
    out.cpus = calloc(host->nr_cpus + 1, sizeof(*out.cpus));
    out.words = calloc(nr_bits / 32 + 1, sizeof(*out.words));
    rc = -ENOMEM;
    if (out.cpus && out.words) {
        fill_cpus(&out);
        sort_cpus(&out);
        rc = print_all(&out);
    }
    free(out.cpus);
    free(out.words);
    return rc;
}

int xln_host_save_hwloc(const struct xln_host *host, FILE *f)
{
    return xln_host_save_hwloc_notes(host, NULL, 0, f);
}
