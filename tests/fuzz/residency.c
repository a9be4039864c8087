/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hypervisor's report. What was read of it is printed as Xen would, in
 * both wordings, and must be read the same; cut, it may tell less, and nothing
 * else.
 */
#include <inttypes.h>

#include "fuzz.h"
#include "libxl_numa.h"

static const char head[] = "'u' pressed -> dumping numa info";

struct wording {
    const char *prefix, *domain;
};

static const struct wording wordings[] = {
    { "", "Domain " },
    { "(XEN) ", "d" },
    { "(XEN) [2026-11-21 12:34:56.789] ", "d" },
};

#define MAX_LINES 20000
#define NR_WORDINGS (sizeof(wordings) / sizeof(wordings[0]))

static void claim_sound(const struct xln_residency *r)
{
    for (unsigned i = 0; i < r->nr_domains; i++) {
        const struct xln_residency_domain *d = &r->domains[i];
        uint64_t left = d->total_pages;

        claim(!i || d[-1].domid < d->domid, "d%u is twice, or not in order",
              d->domid);
        claim(xln_residency_domain(r, d->domid) == d, "d%u is not found",
              d->domid);
        for (unsigned node = 0; node < r->nr_nodes; node++) {
            claim(d->pages[node] <= left, "d%u: more than its total",
                  d->domid);
            left -= d->pages[node];
        }
        claim(!left, "d%u: not all of its total", d->domid);
    }
    claim(r->nr_nodes <= XLN_MAX_NODES, "%u nodes", r->nr_nodes);
}

/* ---- printed and read ---- */

static char *print(const struct xln_residency *r, const struct wording *w,
                   size_t *size_r)
{
    char *text;
    FILE *f = open_memstream(&text, size_r);

    need(f, "open_memstream");
    fprintf(f, "%s%s (now = 1234)\n", w->prefix, head);
    for (unsigned i = 0; i < r->nr_domains; i++) {
        const struct xln_residency_domain *d = &r->domains[i];

        fprintf(f, "%s%s%u (total: %" PRIu64 "):\n", w->prefix, w->domain,
                d->domid, d->total_pages);
        for (unsigned node = 0; node < r->nr_nodes; node++)
            fprintf(f, "%s    Node %u: %" PRIu64 "\n", w->prefix, node,
                    d->pages[node]);
    }
    need(!fclose(f), "fclose");
    return text;
}

/* One has as many nodes as some domain has a line for. */
static void claim_same_domain(const struct xln_residency *a,
                              const struct xln_residency_domain *x,
                              const struct xln_residency *b,
                              const struct xln_residency_domain *y)
{
    claim(y && x->total_pages == y->total_pages, "d%u: another total",
          x->domid);
    for (unsigned node = 0; node < a->nr_nodes || node < b->nr_nodes; node++)
        claim((node < a->nr_nodes ? x->pages[node] : 0) ==
              (node < b->nr_nodes ? y->pages[node] : 0),
              "d%u: other pages on node %u", x->domid, node);
}

static void claim_same(const struct xln_residency *r, const char *text,
                       size_t size)
{
    struct xln_residency *again;

    claim(!xln_residency_parse(text, size, &again), "printed: no report");
    claim(again->complete, "printed: not complete");
    claim(again->nr_domains == r->nr_domains, "printed: %u domains, not %u",
          again->nr_domains, r->nr_domains);
    for (unsigned i = 0; i < r->nr_domains; i++)
        claim_same_domain(r, &r->domains[i], again,
                          xln_residency_domain(again, r->domains[i].domid));
    xln_residency_free(again);
}

/* ---- cut ---- */

static void claim_part(const struct xln_residency *r, const char *text,
                       size_t size)
{
    bool whole = memmem(text, size, head, strlen(head));
    struct xln_residency *part;

    if (xln_residency_parse(text, size, &part))
        return;
    claim(whole || !part->complete, "without its head, yet complete");
    claim_sound(part);
    for (unsigned i = 0; i < part->nr_domains; i++)
        claim_same_domain(part, &part->domains[i], r,
                          xln_residency_domain(r, part->domains[i].domid));
    xln_residency_free(part);
}

static void claim_parts(const struct xln_residency *r, char *text, size_t size,
                        size_t at)
{
    char *end = malloc(size - at + 1);

    need(end, "malloc");
    memcpy(end, text + at, size - at);
    claim_part(r, end, size - at);
    free(end);
    claim_part(r, text, at);
}

/* ---- behind whatever was there ---- */

static void claim_last(const struct xln_residency *r, const uint8_t *data,
                       size_t size, const char *report, size_t report_size)
{
    char *text = malloc(size + 1 + report_size);

    need(text, "malloc");
    memcpy(text, data, size);
    text[size] = '\n';
    memcpy(text + size + 1, report, report_size);
    claim_same(r, text, size + 1 + report_size);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xln_residency *r = UNTOUCHED;
    int rc = xln_residency_parse((const char *)data, size, &r);

    if (rc) {
        claim(rc == -ENOENT && r == UNTOUCHED, "%d, and an output", rc);
        return 0;
    }
    claim_sound(r);
    /* Few domains with a line on a high node print as a long text. */
    for (unsigned i = 0; i < NR_WORDINGS &&
                         r->nr_domains * r->nr_nodes < MAX_LINES; i++) {
        size_t printed;
        char *text = print(r, &wordings[i], &printed);

        claim_same(r, text, printed);
        claim_parts(r, text, printed, size ? data[0] * 37u % printed : 0);
        claim_last(r, data, size, text, printed);
        free(text);
    }
    xln_residency_free(r);
    return 0;
}
