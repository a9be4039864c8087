/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gaps that "balanced" keeps for guests like the running ones. The formula is
 * computed again here with floating point numbers, guest by guest, from the
 * words of xl-numa-plan(1).
 */
#include "gaps.h"
#include "place-cases.h"
#include "problem.h"

#define MAX_GUESTS 200
#define NR_PARTS 32

/* ---- the formula ---- */

struct guests {
    unsigned nr;                /* the domain included */
    double gib[MAX_GUESTS];
};

/* What a guest counts as: the largest guest of its part. 0: as none. */
static double counts_as(const struct guests *guests, unsigned i, double largest)
{
    double part = largest / NR_PARTS, most = 0, steps = 0;

    if (guests->gib[i] > largest || guests->gib[i] < part)
        return 0;
    while (steps * part < guests->gib[i])
        steps++;
    for (unsigned j = 0; j < guests->nr; j++) {
        double gib = guests->gib[j];

        if (gib > (steps - 1) * part && gib <= steps * part && gib > most)
            most = gib;
    }
    return most;
}

static double room(double gib, double guest)
{
    double nr = 0;

    while ((nr + 1) * guest <= gib)
        nr++;
    return nr;
}

static double chance(double nr_guests, double nr_gaps)
{
    double result = 1;

    while (nr_gaps-- > 0)
        result *= nr_guests / (nr_guests + 1);
    return result;
}

/* The part of the guests' memory that is split because of node `at`. */
static double expected_loss(const struct guests *guests, const double *nodes,
                            unsigned nr_nodes, double largest, unsigned at,
                            double need)
{
    double loss = 0, all = 0;

    for (unsigned i = 0; i < guests->nr; i++) {
        double size = counts_as(guests, i, largest), nr = 0, before = 0, lost;

        if (!size)
            continue;
        for (unsigned j = 0; j < guests->nr; j++)
            nr += counts_as(guests, j, largest) >= size;
        for (unsigned node = 0; node < nr_nodes; node++)
            before += room(nodes[node], size);
        lost = room(nodes[at], size) - room(nodes[at] - need, size);
        all += guests->gib[i];
        loss += guests->gib[i] *
                (chance(nr, before - lost) - chance(nr, before));
    }
    return all > 0 ? loss / all : 0;
}

static bool is_near(uint64_t loss, double expected)
{
    double difference = (double)loss / XLN__LOSS_ONE - expected;

    return difference < 1e-3 && difference > -1e-3;
}

/* Sizes that machines have, and any. */
static double random_gib(double largest)
{
    static const double usual[] = { 0.75, 1.75, 3.5, 7, 14, 28, 56, 64 };

    return random_below(2) ? usual[random_below(ARRAY_SIZE(usual))]
                     : largest * (1 + random_below(1200)) / 1024;
}

static bool is_right(unsigned seed)
{
    unsigned nr_nodes, at, nr_right = 0;
    struct node_spec specs[12];
    double nodes[12], largest = 64;
    struct guests guests = { 0 };
    uint64_t bytes[MAX_GUESTS];
    struct xln_request *request;
    struct xln_host *host, *with;
    struct xln_need need = { .nr_vcpus = 1 };
    struct problem problem;

    random_state = seed;
    random_below(2);
    nr_nodes = 1 + random_below(12);
    for (unsigned i = 0; i < nr_nodes; i++) {
        specs[i] = (struct node_spec)NODE(random_below(65) << 10, 2,
                                          .total = 64 << 10);
        nodes[i] = (double)specs[i].mib / 1024;
    }
    host = make_host(specs, nr_nodes, NULL);
    guests.nr = random_below(MAX_GUESTS) / (1 + random_below(20));
    for (unsigned i = 0; i <= guests.nr; i++) {
        guests.gib[i] = random_gib(largest);
        bytes[i] = (uint64_t)(guests.gib[i] * (double)GIB);
    }
    need.memory_bytes = bytes[guests.nr];
    must(xln_host_add_guests(host, bytes, guests.nr, &with));
    guests.nr++;
    must(xln_request_new(&request));
    must(xln__problem_init(&problem, with, request, &need));
    for (at = 0; at < nr_nodes; at++) {
        double gib = guests.gib[guests.nr - 1];

        nr_right += nodes[at] < gib ||
                    is_near(xln__gaps_loss(&problem.gaps, specs[at].mib * MIB),
                            expected_loss(&guests, nodes, nr_nodes, largest, at,
                                          gib));
    }
    xln__problem_clear(&problem);
    xln_request_free(request);
    xln_host_free(with);
    xln_host_free(host);
    return nr_right == nr_nodes;
}

static void test_formula(void)
{
    unsigned nr_right = 0;

    for (unsigned seed = 0; seed < 400; seed++)
        nr_right += is_right(seed);
    ok(nr_right == 400, "the lost gaps of %u of 400 hosts cost what the formula "
       "says", nr_right);
}

/* ---- what a user sees ---- */

static const struct node_spec four[] = {
    NODE(40 << 10, 16, .total = 64 << 10),
    NODE(57 << 10, 16, .total = 64 << 10),
    NODE(57 << 10, 16, .total = 64 << 10),
    NODE(20 << 10, 16, .total = 64 << 10), END
};

/* A guest of 2 GiB and one vCPU, if node 0 has so many vCPUs and node 3 has 4
 * more. nr_guests XLN_NONE: the guests are unknown. */
static void goes_to(const uint64_t *guests, unsigned nr_guests, uint64_t vcpus,
                    unsigned node, const char *what)
{
    struct case_spec c = {
        .nodes = four, .need = 2 << 10, .vcpus = 1, .policy = "balanced",
    };
    struct xln_host *host = case_host(&c), *with = NULL;
    struct xln_plan *plan;

    for (unsigned cpu = 0; cpu < 16; cpu++) {
        host->cpus[cpu].load = vcpus * (XLN_LOAD_ONE / 16);
        host->cpus[48 + cpu].load = (vcpus + 4) * (XLN_LOAD_ONE / 16);
    }
    if (nr_guests == XLN_NONE)
        must(xln_host_copy(host, &with));
    else
        must(xln_host_add_guests(host, guests, nr_guests, &with));
    must(place_case(&c, with, &plan));
    ok(xln_nodemap_count(plan->nodes) == 1 &&
           xln_nodemap_test(plan->nodes, node),
       "%s", what);
    xln_plan_free(plan);
    xln_host_free(with);
    xln_host_free(host);
}

static void test_choice(void)
{
    static const uint64_t large[] = { 56 * GIB, 56 * GIB, 2 * GIB, 2 * GIB };
    static const uint64_t small[] = { 2 * GIB, 2 * GIB, 2 * GIB, 2 * GIB };
    static const uint64_t huge[] = { 200 * GIB, 200 * GIB, 2 * GIB };

    goes_to(NULL, XLN_NONE, 10, 1,
            "if the guests are unknown, a small guest leaves the crowded node");
    goes_to(small, 4, 10, 1,
            "if only small guests run, it leaves the crowded node");
    goes_to(large, 4, 10, 0,
            "if large guests run, it keeps the gap that only these need");
    goes_to(huge, 3, 10, 1, "no gap is kept for guests that no node can hold");
    goes_to(NULL, 0, 10, 1, "no gap is kept if no guest runs");
}

/* ---- the host ---- */

static void test_host(void)
{
    static const uint64_t some[] = { GIB, 2 * GIB };
    struct case_spec c = { .nodes = four };
    struct xln_host *host = case_host(&c), *none, *two, *copy, *wrong = NULL;

    ok(!xln_host_guests_known(host), "the guests of a new host are unknown");
    must(xln_host_add_guests(host, NULL, 0, &none));
    ok(xln_host_guests_known(none) && !xln_host_guests_known(host),
       "no guests are known on the copy alone");
    must(xln_host_add_guests(none, some, 2, &two));
    must(xln_host_add_guests(two, some, 1, &copy));
    ok(copy->nr_guests == 3 && copy->guests[0] == GIB &&
           copy->guests[1] == 2 * GIB && copy->guests[2] == GIB,
       "guests are added to those before");
    ok(two->nr_guests == 2, "the host of which it is a copy does not change");
    ok(xln_host_add_guests(two, some, XLN_NONE, &wrong) == -EINVAL && !wrong,
       "too many guests are refused");
    xln_host_free(copy);
    xln_host_free(two);
    xln_host_free(none);
    xln_host_free(host);
}

static void test_domains(void)
{
    struct xln_domain list[] = {
        { .domid = 0, .memory_bytes = 4 * GIB },
        { .domid = 3, .memory_bytes = 2 * GIB },
        { .domid = 5, .memory_bytes = 7 * GIB, .dying = true },
        { .domid = 6, .memory_bytes = GIB, .claimed_bytes = 3 * GIB },
    };
    const struct xln_domains domains = { ARRAY_SIZE(list), list };
    uint64_t bytes[ARRAY_SIZE(list)];

    ok(xln_guests_of_domains(&domains, bytes) == 2 && bytes[0] == 2 * GIB &&
           bytes[1] == 4 * GIB,
       "Domain-0 and what is being destroyed are no guests, and claimed memory "
       "counts");
}

int main(void)
{
    test_formula();
    test_choice();
    test_host();
    test_domains();
    return tap_done();
}
