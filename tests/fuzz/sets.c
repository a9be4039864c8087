/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPULISTs and node lists, against a naive reader of the same grammar, and
 * what the commands make of NODES|auto.
 *
 * The first byte of an input says how wide the set is, and its other bits
 * what else is asked for; the rest is the text.
 */
#include "commands/cmd.h"
#include "fuzz.h"
#include "host.h"
#include "commands/node_list.h"

#define MAX_WIDTH 300
#define NR_NODES 6

static const unsigned widths[] = { 1, 8, 63, 64, 65, 128, 299, 300 };

/* The first CPU of a node, and how many it has. Node 2 does not exist. */
static const struct {
    bool exists;
    unsigned first, nr;
} nodes[NR_NODES] = {
    { true, 0, 4 }, { true, 4, 4 }, { false, 0, 0 }, { true, 0, 0 },
    { true, 60, 11 }, { true, 128, 172 },
};

static struct xln_host *host;

static void make_host(void)
{
    if (host)
        return;
    need(!xln__host_new(MAX_WIDTH, NR_NODES, 0, &host), "a host");
    for (unsigned node = 0; node < NR_NODES; node++) {
        if (!nodes[node].exists)
            continue;
        xln_nodemap_set(host->exists, node);
        for (unsigned i = 0; i < nodes[node].nr; i++) {
            unsigned cpu = nodes[node].first + i;

            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = node;
        }
    }
    need(!xln__host_finish(host), "a host");
}

/* ---- a naive reader ---- */

struct expected {
    int rc;
    size_t start, end;          /* of the element that is wrong */
    bool in[MAX_WIDTH];
    unsigned width;
    bool has_nodes, skip;
};

/* -1: it is no number; large ones are all the same. */
static long read_number(const char **s)
{
    long number = 0;

    *s += strspn(*s, " \t\n\v\f\r");
    *s += **s == '+';
    if (!isdigit((unsigned char)**s))
        return -1;
    for (; isdigit((unsigned char)**s); ++*s) {
        number = number * 10 + (**s - '0');
        if (number > INT32_MAX)
            return -1;
    }
    return number;
}

static bool put(struct expected *e, long cpu, bool add)
{
    if (cpu >= (long)e->width)
        return false;
    e->in[cpu] = add;
    return true;
}

static bool put_node(struct expected *e, long node, bool add)
{
    bool all = true;

    if (node >= NR_NODES || !nodes[node].exists)
        return false;
    for (unsigned i = 0; i < nodes[node].nr; i++)
        all &= put(e, nodes[node].first + i, add);
    return all;
}

static int read_elem(struct expected *e, const char *s)
{
    bool add = *s != '^', of_node, all = true;
    long first, last, i;

    s += !add;
    of_node = !strncmp(s, "node:", 5) || !strncmp(s, "nodes:", 6);
    if (of_node && !e->has_nodes)
        return -EINVAL;
    if (of_node)
        s = strchr(s, ':') + 1;
    if (!strcmp(s, "all")) {
        for (i = 0; i < (long)e->width; i++)
            e->in[i] = true;
        return add ? 0 : -EINVAL;
    }
    last = first = read_number(&s);
    if (first >= 0 && *s == '-') {
        s++;
        last = read_number(&s);
    }
    if (first < 0 || last < first || *s)
        return -EINVAL;
    /* One number beyond the width is enough to test them all. */
    for (i = first; i <= last && (i == first || i <= MAX_WIDTH); i++)
        all &= of_node ? put_node(e, i, add) : put(e, i, add);
    return all || e->skip ? 0 : -ERANGE;
}

/* Stops at what is wrong. */
static void read_list(struct expected *e, const char *text)
{
    char *copy = strdup(text), *rest = copy, *elem;

    need(copy, "strdup");
    while (!e->rc && (elem = strsep(&rest, ","))) {
        e->start = elem - copy;
        e->end = e->start + strlen(elem);
        if (*elem)
            e->rc = read_elem(e, elem);
    }
    free(copy);
}

/* ---- the library ---- */

static void claim_as_expected(const struct expected *e, const char *text,
                              const struct xln_bitmap *set, int rc, size_t end)
{
    claim(rc == e->rc, "'%s': %d, expected %d", text, rc, e->rc);
    if (rc) {
        claim(end >= e->start && end <= e->end, "'%s': wrong at %zu, expected "
              "within %zu to %zu", text, end, e->start, e->end);
        return;
    }
    claim(end == strlen(text), "'%s': ends at %zu", text, end);
    for (unsigned i = 0; i < e->width; i++)
        claim(xln_bitmap_test(set, i) == e->in[i], "'%s': %u", text, i);
}

/* Its text is read back as the same set, and is the shortest one. */
static void claim_same(const struct xln_bitmap *set)
{
    struct xln_bitmap *again;
    unsigned nr = 0;
    char *text;

    need(!xln_bitmap_new(xln_bitmap_nr_bits(set), &again), "a set");
    need(!xln_bitmap_format(set, &text), "a text");
    claim(!xln_nodemap_parse(text, 0, (struct xln_nodemap *)again, NULL),
          "'%s' can't be read", text);
    claim(xln_bitmap_equal(set, again), "'%s' is another set", text);
    for (unsigned i = 0; i < xln_bitmap_nr_bits(set); i++)
        nr += xln_bitmap_test(set, i) &&
              (!i || !xln_bitmap_test(set, i - 1));
    for (const char *s = text; *s; s++)
        nr -= *s == ',';
    claim(nr == (*text != '\0'), "'%s' has ranges that touch", text);
    free(text);
    xln_bitmap_free(again);
}

static void try_text(const char *text, unsigned width, bool of_cpus,
                     bool with_nodes, unsigned flags)
{
    struct expected e = {
        .width = width, .has_nodes = of_cpus && with_nodes,
        .skip = flags & XLN_PARSE_SKIP_ABSENT,
    };
    size_t end = SIZE_MAX;
    struct xln_bitmap *set;
    int rc;

    need(!xln_bitmap_new(width, &set), "a set");
    rc = of_cpus ? xln_cpumap_parse(text,
                                    with_nodes ? xln_host_node_cpus(host)
                                               : NULL,
                                    flags, (struct xln_cpumap *)set, &end)
                 : xln_nodemap_parse(text, flags, (struct xln_nodemap *)set,
                                     &end);
    read_list(&e, text);
    claim_as_expected(&e, text, set, rc, end);
    if (!rc)
        claim_same(set);
    xln_bitmap_free(set);
}

/* ---- NODES|auto of a command ---- */

static unsigned nr_complaints;

void complain(const char *fmt, ...)
{
    (void)fmt;
    nr_complaints++;
}

/* All are here; "all" stands for those that are, with whatever it is. */
static bool has_nodes(const struct expected *e, const char *text)
{
    bool any = false;

    if (e->rc)
        return false;
    for (unsigned i = 0; i < NR_NODES; i++) {
        if (e->in[i] && !nodes[i].exists && !strstr(text, "all"))
            return false;
        any |= e->in[i] && nodes[i].exists;
    }
    return any;
}

static void try_command(const char *text)
{
    struct expected e = { .width = NR_NODES };
    struct xln_nodemap *read = UNTOUCHED;
    bool good;

    nr_complaints = 0;
    good = nodes_read(host, text, &read);
    if (!strcmp(text, "auto")) {
        claim(good && !read, "auto");
        return;
    }
    read_list(&e, text);
    claim(good == has_nodes(&e, text), "'%s' for a command", text);
    claim(nr_complaints == !good, "'%s': %u complaints", text, nr_complaints);
    for (unsigned i = 0; good && i < NR_NODES; i++)
        claim(xln_nodemap_test(read, i) == (e.in[i] && nodes[i].exists),
              "'%s' for a command: %u", text, i);
    xln_nodemap_free(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!size)
        return 0;
    make_host();
    text = text_of(data + 1, size - 1);
    try_text(text, widths[data[0] & 7], data[0] & 8, data[0] & 16,
             data[0] & 32 ? XLN_PARSE_SKIP_ABSENT : 0);
    try_command(text);
    free(text);
    return 0;
}
