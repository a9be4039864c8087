/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of debug key 'u' (xen/arch/x86/numa.c, dump_numa), as far as
 * memory goes:
 *
 *     'u' pressed -> dumping numa info (now = 1234)
 *     NODE0 start->0 size->262144 free->61952
 *     Memory location of each domain:
 *     Domain 3 (total: 40960):            4.18 and later: d3 (total: 40960):
 *         Node 0: 0
 *         Node 1: 40960
 *
 * Each line may begin with "(XEN) ", and a time "[...] " where Xen was booted
 * with console_timestamps=. The ring keeps the newest bytes, so a
 * report that does not fit loses its beginning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/from_errno.h"
#include "libxl_numa.h"
#include "text/units.h"

#define REPORT_START "'u' pressed -> dumping numa info"
/* Bounds what is read; 64 MiB is more than conring_size= can usefully be. */
#define RING_MAX (64u << 20)
#define RING_CHUNK 16384
/* A page takes Xen some 10 ns. */
#define CHEAP_BYTES (UINT64_C(64) << 30)

struct parser {
    struct xln_residency *residency;
    unsigned nr_allocated;
    bool open;                  /* a domain is being read */
    uint64_t *pages;            /* its counts, in residency->domains[] */
    uint64_t sum;
    unsigned next_node;         /* they come in ascending order */
    bool wrong;
    uint8_t seen[(UINT16_MAX + 1) / 8];     /* a bit for each domid */
};

/* Whether this domain did not appear before. */
static bool is_new(struct parser *p, unsigned long domid)
{
    uint8_t bit;

    if (domid > UINT16_MAX)
        return false;
    bit = 1u << domid % 8;
    if (p->seen[domid / 8] & bit)
        return false;
    p->seen[domid / 8] |= bit;
    return true;
}

static int new_domain(struct parser *p, uint32_t domid, uint64_t total)
{
    struct xln_residency *r = p->residency;
    struct xln_residency_domain *domain;

    if (r->nr_domains == p->nr_allocated) {
        unsigned nr = p->nr_allocated ? 2 * p->nr_allocated : 16;

        domain = realloc(r->domains, nr * sizeof(*domain));
        if (!domain)
            return -ENOMEM;
        r->domains = domain;
        p->nr_allocated = nr;
    }
    p->pages = calloc(XLN_MAX_NODES, sizeof(*p->pages));
    if (!p->pages)
        return -ENOMEM;
    domain = &r->domains[r->nr_domains++];
    domain->domid = domid;
    domain->total_pages = total;
    domain->pages = p->pages;
    p->sum = 0;
    p->next_node = 0;
    p->wrong = false;
    p->open = true;
    return 0;
}

/* The domain that was read last stays only if no line of it is missing. */
static void end_domain(struct parser *p)
{
    struct xln_residency *r = p->residency;

    if (!p->open)
        return;
    p->open = false;
    if (!p->wrong && p->sum == r->domains[r->nr_domains - 1].total_pages)
        return;
    free(p->pages);
    r->nr_domains--;
    r->complete = false;
}

static void add_node(struct parser *p, unsigned long node, uint64_t pages)
{
    uint64_t total = p->residency->domains[p->residency->nr_domains - 1]
                         .total_pages;

    if (node < p->next_node || node >= XLN_MAX_NODES ||
        pages > total - p->sum) {
        p->wrong = true;
        return;
    }
    p->next_node = node + 1;
    p->pages[node] = pages;
    p->sum += pages;
    if (p->next_node > p->residency->nr_nodes)
        p->residency->nr_nodes = p->next_node;
}

static int parse_line(struct parser *p, const char *line)
{
    unsigned long domid, node;
    unsigned long long pages;
    const char *after;
    char colon;

    if (!strncmp(line, "(XEN) ", 6))
        line += 6;
    if (*line == '[' && (after = strstr(line, "] ")))
        line = after + 2;
    if (sscanf(line, "Domain %lu (total: %llu)%c",
               &domid, &pages, &colon) == 3 ||
        sscanf(line, "d%lu (total: %llu)%c", &domid, &pages, &colon) == 3) {
        end_domain(p);
        if (!is_new(p, domid)) {
            p->residency->complete = false;
            return 0;
        }
        return new_domain(p, domid, pages);
    }
    if (p->open && sscanf(line, " Node %lu: %llu", &node, &pages) == 2)
        add_node(p, node, pages);
    return 0;
}

/* The first line of the last report. If the ring lost it, all of `text`. */
static const char *find_report(const char *text, bool *whole)
{
    const char *start = NULL, *next = text;

    while ((next = strstr(next, REPORT_START)))
        start = next++;
    *whole = start;
    return start ? start : text;
}

/* `text` is a string and is cut into lines. */
static int parse(char *text, struct parser *p)
{
    char *line, *rest;
    int rc = 0;

    for (line = strtok_r(text, "\r\n", &rest); line && !rc;
         line = strtok_r(NULL, "\r\n", &rest))
        rc = parse_line(p, line);
    end_domain(p);
    return rc;
}

static int compare_domains(const void *a, const void *b)
{
    uint32_t x = ((const struct xln_residency_domain *)a)->domid;
    uint32_t y = ((const struct xln_residency_domain *)b)->domid;

    return x < y ? -1 : x > y;
}

int xln_residency_parse(const char *text, size_t size,
                        struct xln_residency **residency_r)
{
    struct parser p = { 0 };
    char *copy = NULL;
    bool whole;
    size_t i;
    int rc;

    p.residency = calloc(1, sizeof(*p.residency));
    copy = malloc(size + 1);
    if (!p.residency || !copy) {
        rc = -ENOMEM;
        goto out;
    }
    for (i = 0; i < size; i++)
        copy[i] = text[i] ? text[i] : ' ';
    copy[size] = '\0';

    text = find_report(copy, &whole);
    p.residency->complete = whole;
    rc = parse(copy + (text - copy), &p);
    if (rc)
        goto out;
    if (!whole && !p.residency->nr_domains) {
        rc = -ENOENT;
        goto out;
    }
    if (p.residency->nr_domains)
        qsort(p.residency->domains, p.residency->nr_domains,
              sizeof(*p.residency->domains), compare_domains);
    *residency_r = p.residency;
    p.residency = NULL;

 out:
    free(copy);
    xln_residency_free(p.residency);
    return rc;
}

/* The ring from *index on, as a malloc'd block. */
static int read_ring(xc_interface *xch, uint32_t *index, char **text_r,
                     size_t *size_r)
{
    char *text = NULL, *more;
    size_t size = 0;
    unsigned nr;

    do {
        more = realloc(text, size + RING_CHUNK);
        if (!more) {
            free(text);
            return -ENOMEM;
        }
        text = more;
        nr = RING_CHUNK;
        if (xc_readconsolering(xch, text + size, &nr, 0, 1, index)) {
            int rc = xln__from_errno();

            free(text);
            return rc;
        }
        size += nr;
    } while (nr && size < RING_MAX);
    *text_r = text;
    *size_r = size;
    return 0;
}

int xln_residency_read(xc_interface *xch, struct xln_residency **residency_r)
{
    char *text = NULL;
    uint32_t index = 0;
    size_t size = 0;
    int rc;

    /* Read to the end of the ring, so that only the report follows. */
    rc = read_ring(xch, &index, &text, &size);
    if (rc)
        return rc;
    free(text);
    text = NULL;
    if (xc_send_debug_keys(xch, "u"))
        return -errno;
    rc = read_ring(xch, &index, &text, &size);
    if (rc)
        return rc;
    rc = xln_residency_parse(text, size, residency_r);
    free(text);
    return rc;
}

bool xln_residency_is_cheap(const struct xln_host *host)
{
    const struct xln_host_node *n;
    uint64_t used = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        n = xln_host_node(host, node);
        used += n->total_bytes - n->free_bytes;
    }
    return used <= CHEAP_BYTES;
}

const struct xln_residency_domain *xln_residency_domain(
    const struct xln_residency *residency, uint32_t domid)
{
    struct xln_residency_domain key = { .domid = domid };

    if (!residency->nr_domains)
        return NULL;
    return bsearch(&key, residency->domains, residency->nr_domains,
                   sizeof(key), compare_domains);
}

/* ---- how much room it takes ---- */

/* "(XEN) [2022-12-17 12:34:56.789] ": not every host prints times. */
#define PREFIX_BYTES 32

static unsigned nr_digits(uint64_t number)
{
    unsigned nr = 1;

    for (; number > 9; number /= 10)
        nr++;
    return nr;
}

/* The lines of a domain. No node may have more pages than the total. */
static uint64_t domain_bytes(const struct xln_domain *domain,
                             unsigned nr_nodes)
{
    unsigned digits = nr_digits(domain->memory_bytes >> PAGE_SHIFT);
    size_t first = PREFIX_BYTES + strlen("Domain 12345 (total: ):\n");
    size_t other = PREFIX_BYTES + strlen("    Node 12: \n");

    return first + digits + nr_nodes * (uint64_t)(other + digits);
}

uint64_t xln_residency_ring_bytes(const struct xln_host *host,
                                  const struct xln_domains *domains)
{
    unsigned nr_nodes = xln_nodemap_count(xln_host_nodes(host)), i;
    /* The first lines, one for each node, and at worst one for each CPU. */
    uint64_t bytes = 4096 + nr_nodes * UINT64_C(128) +
                     xln_host_nr_cpus(host) * UINT64_C(64);

    for (i = 0; i < domains->nr; i++)
        bytes += domain_bytes(&domains->list[i], nr_nodes);
    return bytes;
}

void xln_residency_free(struct xln_residency *residency)
{
    unsigned i;

    if (!residency)
        return;
    for (i = 0; i < residency->nr_domains; i++)
        free((uint64_t *)(uintptr_t)residency->domains[i].pages);
    free(residency->domains);
    free(residency);
}
