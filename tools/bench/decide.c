/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a decision takes, on hosts of 2 to 1024 nodes; against a plain
 * enumeration of all combinations of nodes, as libxl does it, in the same run:
 * of k nodes each, k from the least that can have enough CPUs upwards until
 * something fits; for each the CPUs are walked; fewest vCPUs first, then most
 * free memory.
 *
 * Each time is the shortest of several runs, as whatever else the machine does
 * only adds to it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../tests/unit/random.h"
#include "host.h"
#include "text/units.h"

#define NR_RUNS 5
#define MAX_ENUMERATED 16
#define PLOT_WIDTH 60

static void check(int rc)
{
    if (rc) {
        fprintf(stderr, "decide: %s\n", strerror(-rc));
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- hosts ---- */

/* Sockets of 4 nodes on boards of 4 sockets; or distances as they fall. */
static unsigned distance(unsigned a, unsigned b, bool hierarchy)
{
    if (a == b)
        return 10;
    if (!hierarchy)
        return 11 + (a * b * 7919 + (a + b) * 104729) % 89;
    return a / 4 == b / 4 ? 12 : a / 16 == b / 16 ? 20 : 32;
}

/* Nodes of 128 GiB of which guests have left some. */
static struct xln_host *make_host(unsigned nr, unsigned nr_cpus,
                                  bool hierarchy)
{
    struct xln_host *host;

    check(xln__host_new(nr_cpus, nr, 0, &host));
    for (unsigned node = 0; node < nr; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = 128 * GIB;
        host->nodes[node].free_bytes =
            (32 + random_below(96)) * GIB + random_below(1 << 18) * 4096;
        for (unsigned to = 0; to < nr; to++)
            host->distances[(size_t)node * nr + to] =
                distance(node, to, hierarchy);
    }
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        host->cpu_exists[cpu] = host->cpus[cpu].online = true;
        host->cpus[cpu].node = cpu / (nr_cpus / nr);
    }
    check(xln__host_finish(host));
    return host;
}

static uint64_t total_bytes(const struct xln_host *host)
{
    uint64_t total = 0;

    for (unsigned node = 0; node < host->nr_nodes; node++)
        total += host->nodes[node].free_bytes;
    return total;
}

/* ---- the two ways ---- */

struct timing {
    double seconds;
    bool exact;
};

static struct timing decide(const struct xln_host *host, uint64_t bytes)
{
    struct xln_need need = { .memory_bytes = bytes, .nr_vcpus = 4 };
    struct timing best = { .seconds = 1e9 };
    struct xln_request *request;

    check(xln_request_new(&request));
    for (unsigned run = 0; run < NR_RUNS; run++) {
        struct xln_plan *plan;
        double start = now(), seconds;

        check(xln_place(host, request, &need, &plan));
        seconds = now() - start;
        if (seconds < best.seconds)
            best.seconds = seconds;
        best.exact = plan->exact;
        xln_plan_free(plan);
    }
    xln_request_free(request);
    return best;
}

struct combination {
    unsigned nr, nodes[MAX_ENUMERATED];
    unsigned nr_cpus, nr_vcpus;
    uint64_t free_bytes;
};

static void judge(const struct xln_host *host, const unsigned *nr_vcpus,
                  struct combination *c)
{
    bool in[MAX_ENUMERATED] = { false };

    c->nr_cpus = c->nr_vcpus = 0;
    c->free_bytes = 0;
    for (unsigned i = 0; i < c->nr; i++) {
        in[c->nodes[i]] = true;
        c->nr_vcpus += nr_vcpus[c->nodes[i]];
        c->free_bytes += host->nodes[c->nodes[i]].free_bytes;
    }
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        c->nr_cpus += in[host->cpus[cpu].node];
}

/* The next combination in order; false: that was the last. */
static bool advance(struct combination *c, unsigned nr_nodes)
{
    unsigned i = c->nr;

    while (i && c->nodes[i - 1] == nr_nodes - c->nr + i - 1)
        i--;
    if (!i)
        return false;
    c->nodes[i - 1]++;
    for (; i < c->nr; i++)
        c->nodes[i] = c->nodes[i - 1] + 1;
    return true;
}

static bool enumerate(const struct xln_host *host, uint64_t bytes,
                      unsigned vcpus, struct combination *best)
{
    unsigned nr_vcpus[MAX_ENUMERATED] = { 0 };
    unsigned per_node = host->nr_cpus / host->nr_nodes;
    struct combination c;
    bool found = false;

    for (c.nr = (vcpus + per_node - 1) / per_node;
         c.nr <= host->nr_nodes && !found; c.nr++) {
        for (unsigned i = 0; i < c.nr; i++)
            c.nodes[i] = i;
        do {
            judge(host, nr_vcpus, &c);
            if (c.nr_cpus < vcpus || c.free_bytes < bytes)
                continue;
            if (!found || c.nr_vcpus < best->nr_vcpus ||
                (c.nr_vcpus == best->nr_vcpus &&
                 c.free_bytes > best->free_bytes))
                *best = c;
            found = true;
        } while (advance(&c, host->nr_nodes));
    }
    return found;
}

static double time_enumeration(const struct xln_host *host, uint64_t bytes)
{
    double best = 1e9;

    for (unsigned run = 0; run < NR_RUNS; run++) {
        double start = now(), seconds;
        struct combination found;

        enumerate(host, bytes, 4, &found);
        seconds = now() - start;
        if (seconds < best)
            best = seconds;
    }
    return best;
}

/* ---- the table ---- */

enum { ONE, PART, HALF, NOTHING, CHAOS, NR_CASES };

static const char *const cases[NR_CASES] = {
    [ONE] = "ONE", [PART] = "PART", [HALF] = "HALF", [NOTHING] = "NOTHING",
    [CHAOS] = "CHAOS"
};

static const struct {
    unsigned nr, nr_cpus;
} sizes[] = {
    { 2, 8 },      { 4, 32 },     { 8, 128 },     { 16, 512 },
    { 24, 768 },   { 32, 1024 },  { 64, 4096 },   { 128, 4096 },
    { 256, 8192 }, { 512, 8192 }, { 1024, 16384 },
};
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void print_time(struct timing timing)
{
    printf(" %9.3f%c", timing.seconds * 1e3, timing.exact ? ' ' : '*');
}

static void measure(unsigned row, struct timing *timings)
{
    unsigned nr = sizes[row].nr, nr_cpus = sizes[row].nr_cpus;
    struct xln_host *host = make_host(nr, nr_cpus, true);
    struct xln_host *chaos = make_host(nr, nr_cpus, false);
    uint64_t total = total_bytes(host);

    timings[ONE] = decide(host, 30 * GIB);
    timings[PART] = decide(host, total / 8);
    timings[HALF] = decide(host, total / 2);
    timings[NOTHING] = decide(host, total + 1);
    timings[CHAOS] = decide(chaos, total_bytes(chaos) / 2);
    printf("%5u %6u", nr, nr_cpus);
    for (unsigned i = 0; i < NR_CASES; i++)
        print_time(timings[i]);
    if (nr <= MAX_ENUMERATED) {
        double seconds = time_enumeration(host, total + 1);

        printf(" %9.3f %8.0f", seconds * 1e3,
               seconds / timings[NOTHING].seconds);
    } else {
        printf(" %9s %8s", "-", "-");
    }
    putchar('\n');
    fflush(stdout);
    xln_host_free(host);
    xln_host_free(chaos);
}

/* A bar for each size; three characters are a factor of two. */
static void plot(unsigned which, struct timing (*timings)[NR_CASES])
{
    printf("\n%s, from 0.001 ms on, each # twice the time\n", cases[which]);
    for (unsigned row = 0; row < NR_SIZES; row++) {
        double seconds = timings[row][which].seconds;
        int length = (int)(log2(seconds * 1e6) * 3);

        if (length < 1)
            length = 1;
        if (length > PLOT_WIDTH)
            length = PLOT_WIDTH;
        printf("%5u ", sizes[row].nr);
        for (int i = 0; i < length; i++)
            putchar(i % 3 == 2 ? '#' : '=');
        printf(" %.3f\n", seconds * 1e3);
    }
}

int main(void)
{
    static struct timing timings[NR_SIZES][NR_CASES];

    puts("Milliseconds for a decision. ONE: it fits on one node; PART, HALF: it");
    puts("needs an eighth, half of the host; NOTHING: a byte more than there is.");
    puts("Sockets of 4 nodes on boards of 16; CHAOS: as HALF, distances as they");
    puts("fall. *: heuristic. ENUM: all combinations, for NOTHING; RATIO to it.\n");
    printf("NODES   CPUS");
    for (unsigned i = 0; i < NR_CASES; i++)
        printf(" %9s ", cases[i]);
    printf(" %9s %8s\n", "ENUM", "RATIO");
    for (unsigned row = 0; row < NR_SIZES; row++)
        measure(row, timings[row]);
    plot(HALF, timings);
    plot(NOTHING, timings);
    plot(CHAOS, timings);
    return 0;
}
