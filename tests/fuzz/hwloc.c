/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hwloc's XML, and its synthetic strings (what does not begin with '<'). A
 * host that was read is printed as hwloc XML, and must be read the same.
 */
#include "fuzz.h"
#include "host_hwloc.h"
#include "hosts.h"
#include "libxl_numa_foreign.h"

static struct xln_host *finish(int rc, struct xln_host *host, char *note,
                               char *error, const char *text, size_t size)
{
    if (!rc) {
        claim(!error, "well, but '%s'", error);
        if (note)
            claim_error(note, "");
        free(note);
        return host;
    }
    claim((rc == -EINVAL || rc == -ENOSYS) && host == UNTOUCHED &&
          note == UNTOUCHED, "%d, and an output", rc);
    if (error && !strncmp(error, "line ", 5))
        claim_line(error, "line ", text, size);
    else
        claim_error(error, "");
    free(error);
    return NULL;
}

static struct xln_host *read_xml(const char *text, size_t size)
{
    struct xln_host *host = UNTOUCHED;
    char *note = UNTOUCHED, *error = NULL;
    int rc = xln__host_from_hwloc(text, size, &host, &note, &error);

    return finish(rc, host, note, error, text, size);
}

static struct xln_host *read_synthetic(const char *text)
{
    struct xln_host *host = UNTOUCHED;
    char *note = UNTOUCHED, *error = NULL;
    int rc = xln__host_from_synthetic(text, &host, &note, &error);

    return finish(rc, host, note, error, text, strlen(text));
}

/* ---- what was read ---- */

static void claim_sound(const struct xln_host *host)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        claim(n->free_bytes == n->total_bytes || !n->free_bytes,
              "node %u: its memory", node);
        claim(xln_host_distance(host, node, node) == 10, "node %u: not 10 to "
              "itself", node);
        claim_distances(host, node);
    }
}

static bool same_core(const struct xln_host_cpu *a,
                      const struct xln_host_cpu *b)
{
    return a->node == b->node && a->socket == b->socket && a->core == b->core;
}

/* The numbers of sockets and cores may change, but not which CPUs share one. */
static void claim_same_cpus(const struct xln_host *a, const struct xln_host *b)
{
    const struct xln_host_cpu *last = NULL, *last_again = NULL;

    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(a); cpu++) {
        const struct xln_host_cpu *x = xln_host_cpu(a, cpu);
        const struct xln_host_cpu *y = xln_host_cpu(b, cpu);

        claim(!x == !y, "CPU %u is there once", cpu);
        if (!x)
            continue;
        claim(x->online == y->online && x->node == y->node, "CPU %u differs",
              cpu);
        claim(!last || same_core(last, x) == same_core(last_again, y),
              "CPU %u is in another core", cpu);
        last = x;
        last_again = y;
    }
}

static void claim_same_nodes(const struct xln_host *a,
                             const struct xln_host *b)
{
    unsigned node;

    claim(xln_nodemap_equal(xln_host_nodes(a), xln_host_nodes(b)),
          "other nodes");
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(a)) {
        claim(xln_host_node(a, node)->total_bytes ==
              xln_host_node(b, node)->total_bytes, "node %u: other memory",
              node);
        claim_same_distances(a, b, node);
    }
}

static void claim_same(const struct xln_host *host)
{
    struct xln_host *again;
    size_t size;
    char *text;
    FILE *f = open_memstream(&text, &size);

    need(f, "open_memstream");
    claim(!xln_host_save_hwloc(host, f), "it can't be printed");
    need(!fclose(f), "fclose");
    again = read_xml(text, size);
    claim(again, "what was printed can't be read");
    claim_same_cpus(host, again);
    claim_same_nodes(host, again);
    xln_host_free(again);
    free(text);
}

/* ---- as many CPUs as a synthetic string says ---- */

/* The product, where there is nothing but levels: "node:4 core:8 pu:2"; 0:
 * there is more. */
static uint64_t count_cpus(const char *text)
{
    uint64_t product = 1;
    const char *s = text;

    while (*s) {
        unsigned long nr;
        char *end;

        s += strspn(s, " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (*s != ':' || !isdigit((unsigned char)s[1]))
            return 0;
        nr = strtoul(s + 1, &end, 0);
        if (nr > XLN__SYNTHETIC_MAX_CPUS)
            return 0;
        product *= nr;
        s = end;
        if (*s && *s != ' ')
            return 0;
    }
    return s > text ? product : 0;
}

/* hwloc's time grows with the square of the CPUs: no more than a thousand, as
 * numbers outside of parentheses may make them. */
static bool is_fast(const char *text)
{
    uint64_t product = 1, number;
    char *end;

    for (; *text; text = end) {
        end = (char *)(uintptr_t)text + 1;
        if (*text == '(') {
            end += strcspn(end, ")");
        } else if (isdigit((unsigned char)*text)) {
            number = strtoull(text, &end, 0);
            product *= number && number < 1001 ? number : number ? 1001 : 1;
        }
        if (product > 1000)
            return false;
    }
    return true;
}

static struct xln_host *try_synthetic(const char *text)
{
    struct xln_host *host = read_synthetic(text);
    uint64_t nr = host ? count_cpus(text) : 0;

    claim(!nr || xln_host_nr_cpus(host) == nr, "'%s': %u CPUs, expected %lu",
          text, xln_host_nr_cpus(host), (unsigned long)nr);
    return host;
}

/* hwloc forgets parts of a synthetic string that it refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhwloc\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    struct xln_host *host = NULL;

    if (*text == '<')
        host = read_xml((const char *)data, size);
    else if (is_fast(text))
        host = try_synthetic(text);
    if (host) {
        claim_sound(host);
        claim_same(host);
    }
    xln_host_free(host);
    free(text);
    return 0;
}
