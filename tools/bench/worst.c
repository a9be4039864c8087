/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A search for hosts and guests on which a decision takes long. Each round
 * begins with a random host, flat, in groups, in groups of groups, or with
 * distances as they fall; then one thing of it is changed at a time, and the
 * change stays if the decision took more CPU time.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../tests/unit/random.h"
#include "host.h"
#include "text/units.h"

#define PAGE UINT64_C(4096)
#define MAX_NR 1024

enum shape { FLAT, GROUPS, BOARDS, CHAOS, NR_SHAPES };

static const char *const shapes[NR_SHAPES] = {
    [FLAT] = "flat", [GROUPS] = "groups", [BOARDS] = "boards",
    [CHAOS] = "chaos",
};

/* A host and a guest. */
struct task {
    unsigned nr;
    enum shape shape;
    unsigned group, spread;     /* nodes in one; kinds of chaotic distances */
    uint64_t seed;              /* of these distances */
    uint64_t bytes[MAX_NR];
    unsigned nr_cpus[MAX_NR];
    unsigned load[MAX_NR];      /* tenths of a vCPU, of each CPU */

    uint64_t need_bytes;
    unsigned nr_vcpus, policy, max_nodes;
};

struct options {
    unsigned least, most;       /* nodes */
    unsigned rounds, steps;
    const char *policy;
    int shape;
};

static void check(int rc)
{
    if (rc) {
        fprintf(stderr, "worst: %s\n", strerror(-rc));
        exit(1);
    }
}

/* ---- a task ---- */

static uint64_t random_bytes(unsigned kind)
{
    switch (kind) {
    case 0:
        return 64 * GIB;
    case 1:
        return (1 + random_below(64)) * GIB;
    case 2:
        return (60 + random_below(8)) * GIB;
    default:
        return (1 + random_below(1 << 24)) * PAGE;
    }
}

static uint64_t total_bytes(const struct task *t)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < t->nr; i++)
        total += t->bytes[i];
    return total;
}

/* Some whole nodes, more or less. */
static void random_need(struct task *t)
{
    uint64_t mean = total_bytes(t) / t->nr;
    unsigned parts = 1 + random_below(16 * t->nr);

    t->need_bytes = mean / 16 * parts;
    if (random_below(2))
        t->need_bytes -= mean / 1024 * random_below(200);
    if (!t->need_bytes)
        t->need_bytes = mean;
    t->nr_vcpus = 1 + random_below(4 * t->nr);
}

static unsigned policy_of(const struct options *options)
{
    const char *const *names = xln_policy_names();
    unsigned nr = 0, i;

    for (i = 0; names[i]; i++)
        nr++;
    for (i = 0; options->policy && i < nr; i++) {
        if (!strcmp(names[i], options->policy))
            return i;
    }
    return random_below(nr);
}

static void random_task(const struct options *options, struct task *t)
{
    unsigned kind = random_below(4), cpus = random_below(3);

    memset(t, 0, sizeof(*t));
    t->nr = options->least + random_below(options->most - options->least + 1);
    t->shape = options->shape >= 0 ? (enum shape)options->shape
                                   : (enum shape)random_below(NR_SHAPES);
    t->group = 2 + random_below(7);
    t->spread = 1 + random_below(40);
    t->seed = random_below(1 << 30);
    for (unsigned i = 0; i < t->nr; i++) {
        t->bytes[i] = random_bytes(kind);
        t->nr_cpus[i] = !cpus ? 4 : cpus == 1 ? 3 + random_below(2)
                                              : 1 + random_below(8);
        t->load[i] = random_below(3) ? random_below(40) : 0;
    }
    t->policy = policy_of(options);
    random_need(t);
    if (!random_below(8))
        t->max_nodes = 1 + random_below(t->nr);
}

/* Make one thing of it another. */
static void change(struct task *t)
{
    unsigned i = random_below(t->nr);

    switch (random_below(8)) {
    case 0:
        t->bytes[i] = random_bytes(random_below(4));
        break;
    case 1:
        t->bytes[i] = t->bytes[random_below(t->nr)];
        break;
    case 2:
        t->nr_cpus[i] = 1 + random_below(8);
        break;
    case 3:
        t->load[i] = random_below(40);
        break;
    case 4:
        t->need_bytes += t->need_bytes / 64 * random_below(3);
        t->need_bytes -= t->need_bytes / 64 * random_below(3);
        break;
    case 5:
        random_need(t);
        break;
    case 6:
        t->nr_vcpus = 1 + random_below(4 * t->nr);
        break;
    default:
        t->seed = random_below(1 << 30);
        t->spread = 1 + random_below(40);
        t->group = 2 + random_below(7);
        break;
    }
}

/* ---- the time that it takes ---- */

static unsigned distance(const struct task *t, unsigned a, unsigned b)
{
    uint64_t mix;

    if (a == b)
        return 10;
    switch (t->shape) {
    case FLAT:
        return 20;
    case GROUPS:
        return a / t->group == b / t->group ? 12 : 21;
    case BOARDS:
        return a / t->group == b / t->group               ? 12
               : a / t->group / 2 == b / t->group / 2     ? 20
                                                          : 32;
    default:
        mix = (t->seed + (a < b ? a * 1031 + b : b * 1031 + a)) *
              UINT64_C(6364136223846793005);
        return 11 + (unsigned)(mix >> 40) % t->spread;
    }
}

static struct xln_host *host_of(const struct task *t)
{
    unsigned nr_cpus = 0, cpu = 0;
    struct xln_host *host;

    for (unsigned i = 0; i < t->nr; i++)
        nr_cpus += t->nr_cpus[i];
    check(xln__host_new(nr_cpus, t->nr, 0, &host));
    for (unsigned i = 0; i < t->nr; i++) {
        xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = host->nodes[i].total_bytes = t->bytes[i];
        for (unsigned end = cpu + t->nr_cpus[i]; cpu < end; cpu++) {
            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = i;
            host->cpus[cpu].load = XLN_LOAD_ONE / 10 * t->load[i];
        }
        for (unsigned to = 0; to < t->nr; to++)
            host->distances[(size_t)i * t->nr + to] = distance(t, i, to);
    }
    check(xln__host_finish(host));
    return host;
}

static double cpu_time(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* In ms: of two runs the shorter. */
static double time_of(const struct task *t, bool *exact)
{
    struct xln_need need = { .memory_bytes = t->need_bytes,
                             .nr_vcpus = t->nr_vcpus };
    struct xln_host *host = host_of(t);
    struct xln_request *request;
    double least = 1e9;

    check(xln_request_new(&request));
    request->policy = xln_policy_by_name(xln_policy_names()[t->policy]);
    request->max_nodes = t->max_nodes;
    for (unsigned run = 0; run < 2; run++) {
        struct xln_plan *plan;
        double start = cpu_time(), taken;

        check(xln_place(host, request, &need, &plan));
        taken = cpu_time() - start;
        *exact = plan->exact;
        xln_plan_free(plan);
        if (taken < least)
            least = taken;
    }
    xln_request_free(request);
    xln_host_free(host);
    return least;
}

/* ---- the search ---- */

struct found {
    struct task task;
    double ms;
    bool exact;
};

static void print_found(const char *what, const struct found *f)
{
    const struct task *t = &f->task;

    printf("%-8s %8.3f%c %5u %-7s %-8s %8" PRIu64 " %5u %5u\n", what, f->ms,
           f->exact ? ' ' : '*', t->nr, shapes[t->shape],
           xln_policy_names()[t->policy], t->need_bytes >> 20, t->nr_vcpus,
           t->max_nodes);
    fflush(stdout);
}

static void climb(const struct options *options, struct found *f)
{
    static struct found next;

    random_task(options, &f->task);
    f->ms = time_of(&f->task, &f->exact);
    for (unsigned step = 0; step < options->steps; step++) {
        next.task = f->task;
        change(&next.task);
        next.ms = time_of(&next.task, &next.exact);
        if (next.ms > f->ms)
            *f = next;
    }
}

/* Prints nodes: number, MiB, CPUs, load. */
static void print_nodes(const struct task *t)
{
    puts("\nThe host of the worst: NODE MIB CPUS LOAD");
    for (unsigned i = 0; i < t->nr; i++)
        printf("%u %" PRIu64 " %u %u.%u\n", i, t->bytes[i] >> 20,
               t->nr_cpus[i], t->load[i] / 10, t->load[i] % 10);
}

static void search(const struct options *options)
{
    static struct found f, worst, of_policy[8];
    unsigned i, nr_exact = 0;
    double sum = 0;

    for (i = 0; i < options->rounds; i++) {
        climb(options, &f);
        sum += f.ms;
        nr_exact += f.exact;
        if (f.ms > of_policy[f.task.policy].ms)
            of_policy[f.task.policy] = f;
        if (f.ms > worst.ms) {
            worst = f;
            print_found("so far", &worst);
        }
    }
    for (i = 0; xln_policy_names()[i]; i++) {
        if (of_policy[i].ms > 0)
            print_found("worst", &of_policy[i]);
    }
    printf("\n%u rounds: the worst took %.1f times the mean, %.0f %% of the "
           "plans are exact\n", options->rounds,
           worst.ms / (sum / options->rounds),
           100.0 * nr_exact / options->rounds);
    if (worst.task.nr <= 64)
        print_nodes(&worst.task);
}

/* ---- the command line ---- */

static const char usage[] =
    "Usage: worst [--nodes LEAST-MOST] [--rounds NR] [--steps NR]\n"
    "             [--seed NR] [--policy NAME] [--shape flat|groups|boards|chaos]\n"
    "Search for hosts and guests on which a decision takes long. Print the\n"
    "CPU time in ms of the worst that were found (*: the plan is not proven to\n"
    "be the best one).\n";

static void wrong(void)
{
    fputs(usage, stderr);
    exit(2);
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end || n < least || n > most)
        wrong();
    return (unsigned)n;
}

static void read_nodes(char *text, struct options *options)
{
    char *dash = strchr(text, '-');

    if (dash)
        *dash++ = '\0';
    options->least = number(text, 1, MAX_NR);
    options->most = number(dash ? dash : text, options->least, MAX_NR);
}

static int shape_by_name(const char *name)
{
    int shape = 0;

    while (shape < NR_SHAPES && strcmp(shapes[shape], name))
        shape++;
    if (shape == NR_SHAPES)
        wrong();
    return shape;
}

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' },
    { "nodes", required_argument, NULL, 'n' },
    { "policy", required_argument, NULL, 'p' },
    { "rounds", required_argument, NULL, 'r' },
    { "seed", required_argument, NULL, 's' },
    { "shape", required_argument, NULL, 'd' },
    { "steps", required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 },
};

static void read_option(int opt, struct options *options)
{
    switch (opt) {
    case 'n':
        read_nodes(optarg, options);
        break;
    case 'p':
        if (!xln_policy_by_name(optarg))
            wrong();
        options->policy = optarg;
        break;
    case 'r':
        options->rounds = number(optarg, 1, 1000000);
        break;
    case 's':
        random_state = number(optarg, 0, UINT32_MAX);
        break;
    case 'd':
        options->shape = shape_by_name(optarg);
        break;
    case 't':
        options->steps = number(optarg, 0, 1000000);
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        wrong();
    }
}

int main(int argc, char **argv)
{
    struct options options = { .least = 2, .most = 64, .rounds = 100,
                               .steps = 50, .shape = -1 };
    int opt;

    while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
        read_option(opt, &options);
    if (optind < argc)
        wrong();
    puts("WHAT        MS     NODES SHAPE   POLICY        MIB VCPUS   MAX");
    search(&options);
    return 0;
}
