/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placement where nodes have CPUs and no memory. */
#include "place-cases.h"

/* Two sockets of four nodes, with memory on one node of each. */
static const struct node_spec bare[] = {
    NODE(0, 4), NODE(900, 4), NODE(0, 4), NODE(0, 4),
    NODE(0, 4), NODE(800, 4), NODE(0, 4), NODE(0, 4), END
};
static const unsigned two_sockets[] = {
    10, 16, 16, 16, 32, 32, 32, 32,
    16, 10, 16, 16, 32, 32, 32, 32,
    16, 16, 10, 16, 32, 32, 32, 32,
    16, 16, 16, 10, 32, 32, 32, 32,
    32, 32, 32, 32, 10, 16, 16, 16,
    32, 32, 32, 32, 16, 10, 16, 16,
    32, 32, 32, 32, 16, 16, 10, 16,
    32, 32, 32, 32, 16, 16, 16, 10,
};
/* Memory on nodes 0 and 2; the others are as near to one as to the other. */
static const struct node_spec halves[] = {
    NODE(1000, 2), NODE(0, 2), NODE(1000, 2), NODE(0, 2), END
};
/* Node 1 is nearer to node 2 one way only, and so nearer to node 0. */
static const unsigned nearer_back[] = {
    10, 16, 30, 30,
    16, 10, 12, 30,
    30, 40, 10, 16,
    30, 30, 16, 10,
};

static const struct case_spec home_cases[] = {
    { "12 vCPUs on the CPUs around the memory, not on the other socket", bare,
      .slit = two_sockets, .need = 500, .vcpus = 12, .policy = "first",
      .plan = "fits 1: 1=500 cpus 0-15" },
    { "more than one socket has", bare, .slit = two_sockets, .need = 500,
      .vcpus = 17, .plan = "fits 1,5: 1=250 5=250 cpus 0-31" },
    { "core: those around the memory are cores too", bare,
      .slit = two_sockets, .need = 500, .vcpus = 4,
      .vcpus_mode = XLN_VCPUS_CORE, .policy = "first",
      .plan = "fits 1: 1=500 cpus 0-15" },
    { "core: nearest to the memory first", bare, .slit = two_sockets,
      .need = 500, .vcpus_mode = XLN_VCPUS_CORE, .policy = "worst",
      .plan = "fits 1: 1=500 cpus 4-7" },
    { "strict with all CPUs on nodes without memory", bare,
      .slit = two_sockets, .need = 500, .mode = XLN_MODE_STRICT,
      .hard = { "24-31" }, .plan = "fits 5: 5=500 cpus 16-31" },
    { "a pool without a CPU beside memory", bare, .slit = two_sockets,
      .need = 500, .vcpus = 4, .mode = XLN_MODE_STRICT, .pool = "8-15",
      .plan = "fits 1: 1=500 cpus 8-15" },
    { "cpus_soft= on a node without memory: from the nearest", bare,
      .slit = two_sockets, .need = 500, .mode = XLN_MODE_STRICT,
      .soft = { "28-31" }, .plan = "fits 5: 5=500 cpus -" },
    { "a named node has the CPUs around it", bare, .slit = two_sockets,
      .need = 500, .named = "5", .plan = "fits 5: 5=500 cpus 16-31" },
    { "a named node without memory has its own", bare, .slit = two_sockets,
      .need = 500, .named = "2",
      .plan = "relaxed(memory) 2: + 1=500 cpus 8-11" },
    { "named together they have what both have", bare, .slit = two_sockets,
      .need = 500, .named = "2,5", .plan = "fits 5: 5=500 cpus 8-11,16-31" },
    { "equally near to both: half for each", halves, .need = 1500,
      .vcpus = 4, .named = "2", .mode = XLN_MODE_PREFERRED,
      .plan = "relaxed(memory) 2: 2=1000 + 0=500 cpus 4-7" },
    { "equally near to both: the lower for the lower", halves, .need = 100,
      .vcpus = 4, .plan = "fits 0: 0=100 cpus 0-3" },
    { "of two directions the longer counts for these too", halves,
      .slit = nearer_back, .need = 100, .vcpus = 3, .policy = "first",
      .plan = "fits 0: 0=100 cpus 0-3" },
};

int main(void)
{
    run_cases(home_cases, ARRAY_SIZE(home_cases));
    return tap_done();
}
