/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host_assume.h"
#include "host_text.h"
#include "text/refuse.h"
#include "text/units.h"

#define MAX_BYTES (16u << 20)

/* ---- lines ---- */

static const char *skip_mark(const char *text, size_t *size)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (*size < strlen(mark) || memcmp(text, mark, strlen(mark)))
        return text;
    *size -= strlen(mark);
    return text + strlen(mark);
}

static int copy_text(struct xln__text *t, const char *text, size_t size)
{
    if (size > MAX_BYTES)
        return xln__refuse(t->error_r, "it is larger than %u MiB",
                           MAX_BYTES >> 20);
    text = skip_mark(text, &size);
    if (memchr(text, '\0', size))
        return xln__refuse(t->error_r, "expected text, not a zero byte");
    t->copy = t->next = strndup(text, size);
    return t->copy ? 0 : -ENOMEM;
}

int xln__text_new(const char *text, size_t size, char **error_r,
                  struct xln__text **text_r)
{
    struct xln__text *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    t->error_r = error_r;
    t->cpus = calloc(XLN_MAX_CPUS, sizeof(*t->cpus));
    t->cpu_exists = calloc(XLN_MAX_CPUS, sizeof(*t->cpu_exists));
    t->distances = calloc(XLN_MAX_NODES, sizeof(*t->distances));
    rc = t->cpus && t->cpu_exists && t->distances ? copy_text(t, text, size)
                                                  : -ENOMEM;
    if (rc)
        xln__text_free(t);
    else
        *text_r = t;
    return rc;
}

void xln__text_free(struct xln__text *t)
{
    if (!t)
        return;
    free(t->copy);
    free(t->cpus);
    free(t->cpu_exists);
    free(t->distances);
    free(t);
}

char *xln__text_line(struct xln__text *t)
{
    char *line = strsep(&t->next, "\n"), *end;

    if (!line)
        return NULL;
    t->line_nr++;
    line += strspn(line, " \t");
    end = line + strlen(line);
    while (end > line && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return line;
}

int xln__text_refuse(struct xln__text *t, const char *fmt, ...)
{
    char where[32];
    va_list ap;
    int rc;

    snprintf(where, sizeof(where), "line %u", t->line_nr);
    va_start(ap, fmt);
    rc = xln__refuse_at(t->error_r, where, fmt, ap);
    va_end(ap);
    return rc;
}

bool xln__text_number(const char **s, uint64_t max, uint64_t *number_r)
{
    const char *p = *s + strspn(*s, " \t");
    uint64_t number = 0;

    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        unsigned digit = *p - '0';

        if (number > max / 10 || number * 10 > max - digit)
            return false;
        number = number * 10 + digit;
    }
    *s = p;
    *number_r = number;
    return true;
}

size_t xln__text_begins_at(const char *text, size_t size)
{
    size_t left = size, at = skip_mark(text, &left) - text;

    while (at < size && isspace((unsigned char)text[at]))
        at++;
    return at;
}

bool xln__text_has_line(const char *text, size_t size, const char *begin)
{
    const char *end, *rest = skip_mark(text, &size);
    size_t length = strlen(begin);

    for (end = rest + size; rest; rest++) {
        while (rest < end && (*rest == ' ' || *rest == '\t'))
            rest++;
        if ((size_t)(end - rest) >= length && !memcmp(rest, begin, length))
            return true;
        rest = rest < end ? memchr(rest, '\n', end - rest) : NULL;
        if (!rest)
            break;
    }
    return false;
}

/* ---- what they say ---- */

int xln__text_add_node(struct xln__text *t, uint64_t node)
{
    if (node >= XLN_MAX_NODES)
        return xln__text_refuse(t, "expected nodes up to %u",
                                XLN_MAX_NODES - 1);
    t->nodes[node].exists = true;
    if (node >= t->nr_nodes)
        t->nr_nodes = node + 1;
    return 0;
}

int xln__text_add_cpu(struct xln__text *t, uint64_t cpu,
                      const struct xln_host_cpu *what)
{
    if (cpu >= XLN_MAX_CPUS)
        return xln__text_refuse(t, "expected CPUs up to %u", XLN_MAX_CPUS - 1);
    if (t->cpu_exists[cpu])
        return xln__text_refuse(t, "CPU %u appears twice", (unsigned)cpu);
    t->cpu_exists[cpu] = true;
    t->cpus[cpu] = *what;
    if (cpu >= t->nr_cpus)
        t->nr_cpus = cpu + 1;
    return what->node == XLN_NONE ? 0 : xln__text_add_node(t, what->node);
}

int xln__text_set_free(struct xln__text *t, unsigned node, uint64_t bytes)
{
    struct xln__text_node *n = &t->nodes[node];

    if (n->has_free)
        return xln__text_refuse(t, "the free memory of node %u appears twice",
                                node);
    n->has_free = true;
    n->free_bytes = bytes;
    n->line = t->line_nr;
    return 0;
}

/* ---- the host ---- */

static int fill_nodes(struct xln__text *t, struct xln_host *host)
{
    for (unsigned node = 0; node < t->nr_nodes; node++) {
        const struct xln__text_node *n = &t->nodes[node];

        if (!n->exists)
            continue;
        if (n->has_free && n->free_bytes > n->total_bytes) {
            t->line_nr = n->line;
            return xln__text_refuse(t, "node %u has more memory free than it "
                                    "has: expected at most %u MiB", node,
                                    (unsigned)(IN_MIB(n->total_bytes)));
        }
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = n->total_bytes;
        host->nodes[node].free_bytes = n->has_free ? n->free_bytes
                                                   : n->total_bytes;
    }
    return 0;
}

static void fill_cpus(const struct xln__text *t, struct xln_host *host)
{
    for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++) {
        if (!t->cpu_exists[cpu])
            continue;
        host->cpu_exists[cpu] = true;
        host->cpus[cpu] = t->cpus[cpu];
    }
}

static int fill_distances(const struct xln__text *t, struct xln_host *host,
                          char **note)
{
    bool *known = calloc((size_t)t->nr_nodes * t->nr_nodes, sizeof(*known));
    int rc;

    if (!known)
        return -ENOMEM;
    for (unsigned from = 0; from < t->nr_nodes; from++) {
        for (unsigned to = 0; to < t->nr_nodes; to++) {
            size_t at = (size_t)from * t->nr_nodes + to;
            unsigned distance = t->distances[from][to];

            known[at] = distance != XLN__TEXT_UNTOLD;
            if (known[at] && distance != XLN__TEXT_UNREACHABLE)
                host->distances[at] = distance;
        }
    }
    rc = xln__assume_distances(host, known, note);
    free(known);
    return rc;
}

int xln__text_make_host(struct xln__text *t, struct xln_host **host_r,
                        char **note)
{
    struct xln_host *host = NULL;
    int rc;

    rc = xln__host_new(t->nr_cpus, t->nr_nodes, 1, &host);
    if (!rc)
        rc = fill_nodes(t, host);
    if (!rc) {
        fill_cpus(t, host);
        rc = xln__assume_pool(host);
    }
    if (!rc)
        rc = fill_distances(t, host, note);
    if (!rc)
        rc = xln__note_offline(host, note);
    if (!rc)
        rc = xln__note_homeless(host, note);
    if (!rc)
        rc = xln__host_finish(host);
    if (rc)
        xln_host_free(host);
    else
        *host_r = host;
    return rc;
}
