/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports of debug key 'u', whole, cut and worse. */
#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "host.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD                                                                  \
    "'u' pressed -> dumping numa info (now = 60466530137)\n"                  \
    "NODE0 start->0 size->262144 free->61952\n"                               \
    "NODE1 start->262144 size->262144 free->191952\n"                         \
    "NODE3 start->524288 size->262144 free->191952\n"                         \
    "CPU0...1 -> NODE0\n"                                                     \
    "CPU2 -> NODE1\n"                                                         \
    "Memory location of each domain:\n"

/* Xen 4.17's wording, then that of 4.18; the numbers are the same. */
static const char report_417[] = HEAD
    "Domain 0 (total: 131072):\n"
    "    Node 0: 131000\n"
    "    Node 1: 72\n"
    "    Node 3: 0\n"
    "Domain 13 (total: 40960):\n"
    "    Node 0: 0\n"
    "    Node 1: 40000\n"
    "    Node 3: 960\n"
    "     2 vnodes, 4 vcpus, guest physical layout:\n"
    "         0: pnode   1, vcpus 0-1 \n"
    "           0000000000000000 - 0000000005000000\n"
    "         1: pnode ???, vcpus 2-3 \n"
    "           0000000005000000 - 000000000a000000\n"
    "Domain 7 (total: 11):\n"
    "    Node 0: 11\n"
    "    Node 1: 0\n"
    "    Node 3: 0\n";
static const char report_418[] = HEAD
    "d0 (total: 131072):\n"
    "    Node 0: 131000\n"
    "    Node 1: 72\n"
    "    Node 3: 0\n"
    "d13 (total: 40960):\n"
    "    Node 0: 0\n"
    "    Node 1: 40000\n"
    "    Node 3: 960\n"
    "     2 vnodes, 4 vcpus, guest physical layout:\n"
    "         0: pnode   1, vcpus 0-1 \n"
    "           0000000000000000 - 0000000005000000\n"
    "         1: pnode ???, vcpus 2-3 \n"
    "           0000000005000000 - 000000000a000000\n"
    "d7 (total: 11):\n"
    "    Node 0: 11\n"
    "    Node 1: 0\n"
    "    Node 3: 0\n";

static const struct expected {
    uint32_t domid;
    uint64_t pages[4];
} expected[] = {
    { 0, { 131000, 72, 0, 0 } },
    { 7, { 11, 0, 0, 0 } },
    { 13, { 0, 40000, 0, 960 } },
};

/* Each line after a prefix, malloc'd. */
static char *prefixed(const char *text, const char *prefix)
{
    char *all = NULL;
    bool at_start = true;
    size_t size;
    FILE *f = open_memstream(&all, &size);

    must(f ? 0 : ENOMEM);
    for (; *text; text++) {
        if (at_start)
            fputs(prefix, f);
        fputc(*text, f);
        at_start = *text == '\n';
    }
    must(fclose(f) ? ENOMEM : 0);
    return all;
}

/* NULL: there is no report in it. */
static struct xln_residency *parse(const char *text, size_t size)
{
    struct xln_residency *residency = NULL;
    char *copy = malloc(size ? size : 1);
    int rc;

    must(copy ? 0 : ENOMEM);
    /* Without a byte after it, so that a sanitizer sees one that is read. */
    memcpy(copy, text, size);
    rc = xln_residency_parse(copy, size, &residency);
    free(copy);
    if (rc && (rc != -ENOENT || residency))
        must(rc);
    return residency;
}

static const struct expected *find_expected(uint32_t domid)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(expected); i++)
        if (expected[i].domid == domid)
            return &expected[i];
    return NULL;
}

/* Every domain in it is as expected, and they are in order. */
static bool is_right(const struct xln_residency *r)
{
    uint64_t sum;
    unsigned i, node;

    for (i = 0; i < r->nr_domains; i++) {
        const struct xln_residency_domain *d = &r->domains[i];
        const struct expected *e = find_expected(d->domid);

        if (!e || (i && d->domid <= r->domains[i - 1].domid))
            return false;
        for (node = 0, sum = 0; node < r->nr_nodes; node++) {
            if (d->pages[node] != (node < 4 ? e->pages[node] : 0))
                return false;
            sum += d->pages[node];
        }
        if (sum != d->total_pages)
            return false;
    }
    return true;
}

static bool is_all(const struct xln_residency *r)
{
    return r && is_right(r) && r->complete && r->nr_domains == 3 &&
           r->nr_nodes == 4;
}

static void test_whole(const char *text, const char *what)
{
    struct xln_residency *r = parse(text, strlen(text));
    char *xen = prefixed(text, "(XEN) "), *timed, *cr;
    const struct xln_residency_domain *d;

    ok(is_all(r), "%s: each domain has its pages on each node", what);
    d = r ? xln_residency_domain(r, 13) : NULL;
    ok(d && d->domid == 13 && d->pages[1] == 40000 && d->total_pages == 40960,
       "%s: a domain is found by its number", what);
    ok(r && !xln_residency_domain(r, 12),
       "%s: a domain that does not exist is not found", what);
    xln_residency_free(r);

    r = parse(xen, strlen(xen));
    ok(is_all(r), "%s: lines that begin with \"(XEN) \" give the same", what);
    xln_residency_free(r);

    timed = prefixed(text, "(XEN) [2022-12-17 12:34:56.789] ");
    r = parse(timed, strlen(timed));
    ok(is_all(r), "%s: lines that begin with times give the same", what);
    xln_residency_free(r);
    free(timed);

    cr = prefixed(text, "\r");
    r = parse(cr, strlen(cr));
    ok(is_all(r), "%s: a serial line's carriage returns change nothing",
       what);
    xln_residency_free(r);
    free(cr);
    free(xen);
}

/* ---- one text of many parts ---- */

static struct xln_residency *parse_parts(const char *a, const char *b,
                                         const char *c)
{
    struct xln_residency *r;
    char *text;

    must(asprintf(&text, "%s%s%s", a, b, c) < 0 ? ENOMEM : 0);
    r = parse(text, strlen(text));
    free(text);
    return r;
}

#define EARLIER                                                               \
    HEAD "Domain 0 (total: 5):\n    Node 0: 5\n    Node 1: 0\n"              \
    "    Node 3: 0\nDomain 99 (total: 4):\n    Node 0: 4\n"

static void test_several(void)
{
    struct xln_residency *r = parse_parts(EARLIER, "(XEN) noise\n",
                                          report_417);

    ok(is_all(r), "of two reports the last counts");
    xln_residency_free(r);
    r = parse_parts(EARLIER, EARLIER, report_418);
    ok(is_all(r), "of three reports the last counts");
    xln_residency_free(r);
    r = parse_parts("boot\n\n(XEN) Node 0: 7\nDomain 3 (total: 9)\n",
                    report_417,
                    "(XEN) *** Serial input to DOM0\n(d13) hello\n");
    ok(is_all(r), "lines before and after the report do not belong to it");
    xln_residency_free(r);
    r = parse_parts(report_417, HEAD, "");
    ok(r && r->nr_domains == 0, "a last report without domains has no domain");
    xln_residency_free(r);
}

/* ---- cut ---- */

static void test_cut_at_the_front(const char *text, const char *what)
{
    size_t size = strlen(text), cut;
    unsigned nr_wrong = 0, nr_complete = 0, nr_none = 0, nr_last = 0;
    struct xln_residency *r;

    for (cut = 1; cut <= size; cut++) {
        r = parse(text + cut, size - cut);
        nr_none += !r;
        if (!r)
            continue;
        nr_wrong += !is_right(r) || !r->nr_domains;
        nr_complete += r->complete && cut > strlen("(XEN) ");
        nr_last = r->nr_domains;
        xln_residency_free(r);
    }
    ok(!nr_wrong, "%s cut at the front: a domain is right or absent", what);
    ok(!nr_complete, "%s cut at the front: a report is never complete", what);
    ok(nr_last == 1 && nr_none >= strlen("omain 7 (total: 11):"),
       "%s cut at the front: it is a report while it has a domain", what);
}

static void test_cut_at_the_end(const char *text, const char *what)
{
    size_t size = strlen(text), cut;
    unsigned nr_wrong = 0;
    struct xln_residency *r;

    for (cut = 0; cut < size; cut++) {
        r = parse(text, cut);
        nr_wrong += r && !is_right(r);
        xln_residency_free(r);
    }
    ok(!nr_wrong, "%s cut at the end: a domain is right or absent", what);
}

/* Bytes lost in the middle, as where a second CPU writes to the console. */
static void test_hole(const char *text, const char *what)
{
    size_t size = strlen(text), at, length;
    unsigned nr_wrong = 0;
    char *rest = malloc(size);
    struct xln_residency *r;

    must(rest ? 0 : ENOMEM);
    for (at = 0; at < size; at++)
        for (length = 1; length < 40 && at + length <= size; length += 6) {
            memcpy(rest, text, at);
            memcpy(rest + at, text + at + length, size - at - length);
            r = parse(rest, size - length);
            /* A missing digit makes another domain: only sums are checked. */
            if (r && length == 1 && !is_right(r) && r->nr_domains == 3)
                nr_wrong += !!find_expected(r->domains[0].domid) &&
                            !!find_expected(r->domains[1].domid) &&
                            !!find_expected(r->domains[2].domid);
            xln_residency_free(r);
        }
    ok(!nr_wrong, "%s with a hole: no count is wrong", what);
    free(rest);
}

static void test_missing_lines(void)
{
    struct xln_residency *r;

    r = parse_parts(HEAD, "Domain 1 (total: 10):\n    Node 0: 4\n",
                    "Domain 2 (total: 3):\n    Node 0: 3\n");
    ok(r && r->nr_domains == 1 && r->domains[0].domid == 2 && !r->complete,
       "a domain whose nodes do not add up is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 1 (total: 10):\n    Node 0: 10\n",
                    "    Node 1: 10\n");
    ok(r && r->nr_domains == 0 && !r->complete,
       "a domain whose nodes have more than all is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 1 (total: 10):\n    Node 0: 4\n",
                    "    Node 0: 6\n");
    ok(r && r->nr_domains == 0 && !r->complete,
       "a domain with the same node twice is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 1 (total: 10):\n    Node 0: 4\n",
                    "    Node 4294967297: 6\n");
    ok(r && r->nr_domains == 0 && !r->complete,
       "a domain with a node number above 2^32 is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 1 (total: 10):\n    Node 0: 4\n",
                    "    Node 1024: 6\n");
    ok(r && r->nr_domains == 0 && !r->complete && r->nr_nodes <= 1024,
       "a domain with a node beyond all limits is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 4294967299 (total: 0):\n", "");
    ok(r && r->nr_domains == 0,
       "a domain with a number above 2^32 is left out");
    xln_residency_free(r);

    r = parse_parts(HEAD, "Domain 4 (total: 0):\n    Node 0: 0\n", "");
    ok(r && r->nr_domains == 1 && r->complete,
       "a domain without a page is in the report");
    xln_residency_free(r);
}

/* ---- large, and nonsense ---- */

static void test_64_nodes(void)
{
    char *text = NULL;
    struct xln_residency *r;
    unsigned domid, node, nr_wrong = 0;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    must(f ? 0 : ENOMEM);
    fputs("(XEN) 'u' pressed -> dumping numa info (now = 1)\n", f);
    for (domid = 200; domid-- > 0;) {
        fprintf(f, "(XEN) d%u (total: %u):\n", domid, 64 * domid + 2016);
        for (node = 0; node < 64; node++)
            fprintf(f, "(XEN)     Node %u: %u\n", node, domid + node);
    }
    must(fclose(f) ? ENOMEM : 0);
    r = parse(text, size);
    ok(r && r->complete && r->nr_nodes == 64 && r->nr_domains == 200,
       "a report of 200 domains on 64 nodes is read");
    for (domid = 0; r && domid < 200; domid++) {
        const struct xln_residency_domain *d = xln_residency_domain(r, domid);

        for (node = 0; node < 64; node++)
            nr_wrong += !d || d->pages[node] != domid + node;
    }
    ok(!nr_wrong, "each of 200 domains is found, with its pages");
    xln_residency_free(r);
    free(text);
}

static void test_nonsense(void)
{
    static const char *const texts[] = {
        "", "\n", "\n\n\n", "(XEN) ", "Node 0: 5\n", "Domain\n",
        "Domain 3 (total:\n", "d\n", "d3 (total: 5\n", "Domain x (total: 5):\n",
        "'u' pressed -> dumping numa inf",
    };
    unsigned i, nr_found = 0, nr_crashed = 0, round;
    uint32_t state = 1;
    char text[256];

    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        struct xln_residency *r = parse(texts[i], strlen(texts[i]));

        nr_found += !!r;
        xln_residency_free(r);
    }
    ok(!nr_found, "a text without a report gives no domains");
    i = xln_residency_parse("", 0, &(struct xln_residency *){ NULL });
    ok(i == (unsigned)-ENOENT, "a text without a report is marked so");

    for (round = 0; round < 2000; round++) {
        struct xln_residency *r;

        for (i = 0; i < sizeof(text); i++) {
            state = state * 1103515245 + 12345;
            text[i] = "d3Node :(total)\n\r 019\0'u"[(state >> 16) % 24];
        }
        r = parse(text, sizeof(text));
        nr_crashed += r && r->complete;
        xln_residency_free(r);
    }
    ok(!nr_crashed, "rubbish is not a complete report");

}

/* bsearch() would find sometimes the one and sometimes the other. */
static void test_twice(void)
{
    static const char text[] = HEAD
        "d1 (total: 4):\n    Node 0: 1\n    Node 3: 3\n"
        "d1 (total: 5):\n    Node 0: 5\n"
        "d2 (total: 6):\n    Node 1: 6\n";
    struct xln_residency *r = parse(text, strlen(text));

    ok(r && !r->complete && r->nr_domains == 2 &&
       xln_residency_domain(r, 1)->total_pages == 4 &&
       xln_residency_domain(r, 2)->pages[1] == 6,
       "a domain that appears twice counts once, and the report is not "
       "complete");
    xln_residency_free(r);
}

static void test_too_many_pages(void)
{
    static const char text[] = HEAD
        "d1 (total: 0):\n    Node 0: 18446744073709551615\n"
        "    Node 1: 1\n";
    struct xln_residency *r = parse(text, strlen(text));

    ok(r && !r->complete && !r->nr_domains,
       "a node has at most the total, whatever the lines say");
    xln_residency_free(r);
}

static void test_nul_bytes(void)
{
    char *text = malloc(sizeof(report_417) + 8);
    struct xln_residency *r;

    must(text ? 0 : ENOMEM);
    memcpy(text, "boot\0\0\n\n", 8);
    memcpy(text + 8, report_417, strlen(report_417));
    r = parse(text, 8 + strlen(report_417));
    ok(is_all(r), "a report after NUL bytes is read");
    xln_residency_free(r);
    xln_residency_free(NULL);
    free(text);
}

static void test_no_memory(void)
{
    struct xln_residency *r;
    unsigned nth, nr_wrong = 0;
    int rc = -ENOMEM;

    for (nth = 1; rc && nth < 100; nth++) {
        r = NULL;
        fake_alloc_fail(nth);
        rc = xln_residency_parse(report_417, strlen(report_417), &r);
        fake_alloc_fail(0);
        nr_wrong += rc ? rc != -ENOMEM || r : !is_all(r);
        xln_residency_free(r);
    }
    ok(!nr_wrong && nth > 5 && nth < 100, "running out of memory is -ENOMEM");
}

/* ---- asking the hypervisor ---- */

/* A console ring of `size` bytes; key 'u' writes a report to it. */
static struct {
    char text[8192];
    size_t end;                 /* written so far, as the index counts */
    size_t size;
    const char *report;
    unsigned nr_reads, nr_keys;
    unsigned fail_read, fail_keys;      /* which call; 0: none */
} ring;

static void ring_write(const char *text)
{
    while (*text)
        ring.text[ring.end++ % ring.size] = *text++;
}

static void ring_new(size_t size, const char *before, const char *report)
{
    memset(&ring, 0, sizeof(ring));
    ring.size = size;
    ring.report = report;
    ring_write(before);
}

/* Both stand in for libxenctrl's. As Xen does, from *index on, or from the
 * oldest byte that is left. */
int xc_readconsolering(xc_interface *xch, char *buffer, unsigned *nr_chars,
                       int clear, int incremental, uint32_t *index)
{
    size_t oldest = ring.end > ring.size ? ring.end - ring.size : 0;
    size_t from = incremental && *index > oldest ? *index : oldest;
    unsigned nr = 0;

    (void)xch;
    if (++ring.nr_reads == ring.fail_read || clear) {
        errno = EPERM;
        return -1;
    }
    while (nr < *nr_chars && from < ring.end)
        buffer[nr++] = ring.text[from++ % ring.size];
    *nr_chars = nr;
    *index = from;
    return 0;
}

int xc_send_debug_keys(xc_interface *xch, const char *keys)
{
    (void)xch;
    if (++ring.nr_keys == ring.fail_keys || strcmp(keys, "u")) {
        errno = EACCES;
        return -1;
    }
    ring_write(ring.report);
    return 0;
}

static void test_read(void)
{
    struct xln_residency *r = NULL;
    unsigned nth, nr_wrong = 0;
    int rc = 1;

    ring_new(8192, EARLIER, report_418);
    ok(xln_residency_read(NULL, &r) == 0 && is_all(r) && ring.nr_keys == 1,
       "the report is asked for once and read");
    xln_residency_free(r);

    ring_new(strlen(report_417), EARLIER, report_417);
    r = NULL;
    ok(xln_residency_read(NULL, &r) == 0 && is_all(r),
       "a ring that just holds the report gives all of it");
    xln_residency_free(r);

    ring_new(strlen(report_417) / 2, EARLIER, report_417);
    r = NULL;
    ok(xln_residency_read(NULL, &r) == 0 && r && !r->complete && is_right(r) &&
           r->nr_domains,
       "a ring that holds half of the report gives its domains, not complete");
    xln_residency_free(r);

    ring_new(30, "", report_417);
    r = NULL;
    ok(xln_residency_read(NULL, &r) == -ENOENT && !r,
       "a ring that holds nothing of the report gives an error");

    /* The report from before must not be taken for the answer. */
    ring_new(8192, report_417, "");
    r = NULL;
    ok(xln_residency_read(NULL, &r) == -ENOENT && !r,
       "an older report is not taken for the answer");

    for (nth = 1; rc && nth < 20; nth++) {
        ring_new(8192, EARLIER, report_418);
        ring.fail_read = nth;
        r = NULL;
        rc = xln_residency_read(NULL, &r);
        nr_wrong += rc && (rc != -EPERM || r);
        xln_residency_free(r);
    }
    ok(!nr_wrong && nth > 4 && nth < 20, "a refused read is reported");
    ring_new(8192, EARLIER, report_418);
    ring.fail_keys = 1;
    r = NULL;
    ok(xln_residency_read(NULL, &r) == -EACCES && !r,
       "a refused debug key is reported");
}

/* ---- how much room it takes ---- */

#define NR_NODES 64
#define NR_DOMAINS 300

static struct xln_host *make_host(void)
{
    struct xln_host *host;
    unsigned node;

    must(xln__host_new(2 * NR_NODES, NR_NODES, 0, &host));
    for (node = 0; node < NR_NODES; node++)
        xln_nodemap_set(host->exists, node);
    must(xln__host_finish(host));
    return host;
}

/* Xen's report where every number is as long as can be. */
static size_t report_bytes(const struct xln_domains *domains,
                           const char *prefix)
{
    size_t size, line;
    char *text = NULL;
    unsigned i, node;
    FILE *f = open_memstream(&text, &size);

    must(f ? 0 : ENOMEM);
    fprintf(f, HEAD);
    for (node = 0; node < NR_NODES; node++)
        fprintf(f, "NODE%u start->1099511627776 size->1099511627776 "
                "free->1099511627776\nCPU%u -> NODE%u\nCPU%u -> NODE%u\n",
                node, 2 * node, node, 2 * node + 1, node);
    for (i = 0; i < domains->nr; i++) {
        uint64_t pages = domains->list[i].memory_bytes >> 12;

        fprintf(f, "Domain %u (total: %llu):\n", domains->list[i].domid,
                (unsigned long long)pages);
        for (node = 0; node < NR_NODES; node++)
            fprintf(f, "    Node %u: %llu\n", node, (unsigned long long)pages);
    }
    must(fclose(f) ? ENOMEM : 0);
    for (i = 0, line = 0; text[i]; i++)
        line += text[i] == '\n';
    free(text);
    return size + line * strlen(prefix);
}

static void test_ring_bytes(void)
{
    struct xln_host *host = make_host();
    struct xln_domain list[NR_DOMAINS] = { 0 };
    struct xln_domains domains = { .list = list };
    uint64_t bytes;
    unsigned i, nr_short = 0, nr_long = 0;

    for (i = 0; i < NR_DOMAINS; i++) {
        list[i].domid = i ? 32700 + i % 60 : 0;
        list[i].memory_bytes = i % 7 == 0 ? UINT64_C(1) << 44 : i << 20;
    }
    for (domains.nr = 0; domains.nr < NR_DOMAINS; domains.nr++) {
        bytes = xln_residency_ring_bytes(host, &domains);
        nr_short += bytes < report_bytes(&domains,
                                         "(XEN) [2022-12-17 12:34:56.789] ");
        nr_long += bytes > 4 * report_bytes(&domains, "(XEN) ");
    }
    ok(!nr_short, "the ring's size is enough for a report with times");
    ok(!nr_long,
       "the ring's size is less than four times that for a report without "
       "times");
    xln_host_free(host);
}

int main(void)
{
    char *xen = prefixed(report_417, "(XEN) ");

    test_whole(report_417, "4.17");
    test_whole(report_418, "4.18");
    test_several();
    test_cut_at_the_front(report_417, "4.17");
    test_cut_at_the_front(report_418, "4.18");
    test_cut_at_the_front(xen, "4.17 behind (XEN)");
    test_cut_at_the_end(report_417, "4.17");
    test_cut_at_the_end(report_418, "4.18");
    test_cut_at_the_end(xen, "4.17 behind (XEN)");
    test_hole(report_417, "4.17");
    test_hole(report_418, "4.18");
    test_missing_lines();
    test_64_nodes();
    test_nonsense();
    test_twice();
    test_too_many_pages();
    test_nul_bytes();
    test_no_memory();
    test_read();
    test_ring_bytes();
    free(xen);
    return tap_done();
}
