/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placement: a table of hosts, requests and plans, and what a plan says. */
#include "place-cases.h"

/* ------------------------------------------------------------------ */
/* The table                                                           */
/* ------------------------------------------------------------------ */

static const struct node_spec one[] = { NODE(1000, 4), END };
static const struct node_spec even[] = {
    NODE(1000, 2), NODE(1000, 2), NODE(1000, 2), NODE(1000, 2), END
};
static const struct node_spec uneven[] = {
    NODE(800, 2), NODE(600, 2), NODE(1000, 2), NODE(600, 2), END
};
/* Node 1 has CPUs only, node 2 memory only. */
static const struct node_spec odd[] = {
    NODE(1000, 2), NODE(0, 2), NODE(1000, 0), NODE(900, 2), END
};
/* Nodes 1 and 3 of five are not there. */
static const struct node_spec sparse[] = {
    NODE(500, 2), { .absent = true }, NODE(600, 2), { .absent = true },
    NODE(700, 2), END
};
static const struct node_spec with_dma[] = {
    NODE(1000, 2, .dma = 400), NODE(700, 2), END
};
static const struct node_spec full[] = {
    NODE(0, 4, .total = 1000), NODE(1000, 2), END
};
static const struct node_spec reserved[] = {
    NODE(1000, 2, .reserved = 900), NODE(500, 2), END
};
static const struct node_spec large[] = {
    NODE(24 << 20, 2), NODE(21 << 20, 2), NODE(24 << 20, 2), END
};
static const struct node_spec dark[] = { NODE(0, 2), NODE(0, 2), END };
static const struct node_spec single_bytes[] = {
    NODE(10, 1), NODE(200, 1), NODE(31, 1), END
};

/* 0-1 and 2-3 are near, 0 and 3 nearest. */
static const unsigned pairs[] = {
    10, 16, 30, 15,
    16, 10, 30, 30,
    30, 30, 10, 16,
    15, 30, 16, 10,
};
/* A chain; the outer ends can't reach each other. */
static const unsigned chain[] = {
    10, 20, 30, XLN_NONE,
    20, 10, 20, 30,
    30, 20, 10, 20,
    XLN_NONE, 30, 20, 10,
};
/* 0 and 1 are near one way only. */
static const unsigned one_way[] = {
    10, 12, 20, 20,
    40, 10, 20, 20,
    20, 20, 10, 20,
    20, 20, 20, 10,
};
/* All equally far at the most, 1 and 3 nearer one way. */
static const unsigned mean[] = {
    10, 20, 20, 20,
    20, 10, 20, 15,
    20, 20, 10, 20,
    20, 15, 20, 10,
};
static const unsigned near_one_way[] = {
    10, 20, 20, 20,
    20, 10, 20, 15,
    20, 20, 10, 20,
    20, 20, 20, 10,
};
static const unsigned unreachable[] = {
    10, XLN_NONE, XLN_NONE, XLN_NONE,
    XLN_NONE, 10, XLN_NONE, XLN_NONE,
    XLN_NONE, XLN_NONE, 10, 255,
    XLN_NONE, XLN_NONE, 255, 10,
};

static const struct case_spec policy_cases[] = {
    { "balanced without load is best fit on one node", uneven, .need = 500,
      .policy = "balanced", .plan = "fits 1: 1=500 cpus 2-3" },
    { "first fit takes the lowest node that fits", uneven, .need = 500,
      .policy = "first", .plan = "fits 0: 0=500 cpus 0-1" },
    { "first fit skips a node that is too small", uneven, .need = 900,
      .policy = "first", .plan = "fits 2: 2=900 cpus 4-5" },
    { "best fit leaves least, and takes the lowest node on a tie",
      uneven, .need = 600,
      .policy = "best", .plan = "fits 1: 1=600 cpus 2-3" },
    { "best fit skips a node that is too small", uneven, .need = 601,
      .policy = "best", .plan = "fits 0: 0=601 cpus 0-1" },
    { "worst fit leaves most", uneven, .need = 500, .policy = "worst",
      .plan = "fits 2: 2=500 cpus 4-5" },
    { "worst fit on equal nodes takes the lowest", even, .need = 500,
      .policy = "worst", .plan = "fits 0: 0=500 cpus 0-1" },
    { "best fit on equal nodes takes the lowest", even, .need = 500,
      .policy = "best", .plan = "fits 0: 0=500 cpus 0-1" },
    { "the policies have their second names, too",
      uneven, .need = 500, .policy = "spread",
      .plan = "fits 2: 2=500 cpus 4-5" },
    { "differences of 3 TiB are compared right", large, .need = 1000,
      .plan = "fits 1: 1=1000 cpus 2-3" },
    { "worst fit takes the lowest of equal nodes of 24 TiB",
      large, .need = 1000,
      .policy = "worst", .plan = "fits 0: 0=1000 cpus 0-1" },
    { "a guest of 60 TiB is spread", large, .need = 60 << 20,
      .plan = "fits 0-2: 0=20971520 1=20971520 2=20971520 cpus 0-5" },
    { "reserved memory is not free", reserved, .need = 400, .policy = "first",
      .plan = "fits 1: 1=400 cpus 2-3" },
    { "a host may have one node", one, .need = 1000, .vcpus = 4,
      .plan = "fits 0: 0=1000 cpus 0-3" },
    { "sparse node numbers are kept", sparse, .need = 650,
      .plan = "fits 4: 4=650 cpus 4-5" },
    { "several nodes with gaps in their numbers can be used",
      sparse, .need = 1300,
      .plan = "fits 2,4: 2=600 4=700 cpus 2-5" },
};

static const struct case_spec set_cases[] = {
    { "two nodes are used if one is too small", even, .need = 1500,
      .plan = "fits 0-1: 0=750 1=750 cpus 0-3" },
    { "fewer nodes come before nearer ones",
      uneven, .slit = pairs, .need = 1000,
      .plan = "fits 2: 2=1000 cpus 4-5" },
    { "the nearest two nodes are used", even, .slit = pairs, .need = 1500,
      .plan = "fits 0,3: 0=750 3=750 cpus 0-1,6-7" },
    { "distance comes before the policy", uneven, .slit = pairs, .need = 1100,
      .policy = "worst", .plan = "fits 0,3: 0=550 3=550 cpus 0-1,6-7" },
    { "among equally near pairs the policy decides", uneven, .need = 1100,
      .policy = "worst", .plan = "fits 0,2: 0=550 2=550 cpus 0-1,4-5" },
    { "the lowest of equal pairs is used: 0,3 before 1,2", uneven,
      .slit = (const unsigned[]){ 10, 30, 30, 20, 30, 10, 20, 30,
                                  30, 20, 10, 30, 20, 30, 30, 10 },
      .need = 1100, .policy = "first",
      .plan = "fits 0,3: 0=550 3=550 cpus 0-1,6-7" },
    { "the longer direction of a distance counts", even, .slit = one_way,
      .need = 1500, .plan = "fits 0,2: 0=750 2=750 cpus 0-1,4-5" },
    { "at equal largest distances the mean decides", even, .slit = mean,
      .need = 2500, .plan = "fits 0-1,3: 0=832 1=834 3=834 cpus 0-3,6-7" },
    { "the longer direction counts in the mean, too", even,
      .slit = near_one_way, .need = 1500,
      .plan = "fits 0-1: 0=750 1=750 cpus 0-3" },
    { "a node that cannot be reached is the farthest", even,
      .slit = unreachable, .need = 1500,
      .plan = "fits 2-3: 2=750 3=750 cpus 4-7" },
    { "unreachable nodes are used if nothing else fits", even,
      .slit = unreachable, .need = 2500,
      .plan = "fits 0,2-3: 0=832 2=834 3=834 cpus 0-1,4-7" },
    { "three nodes in a chain are used", even, .slit = chain, .need = 2500,
      .plan = "fits 0-2: 0=832 1=834 2=834 cpus 0-5" },
    { "more vCPUs than a node has CPUs need two nodes", even, .need = 100,
      .vcpus = 3, .plan = "fits 0-1: 0=50 1=50 cpus 0-3" },
    { "more vCPUs than the host has CPUs need all its CPUs", even,
      .need = 100, .vcpus = 99,
      .plan = "fits 0-3: 0=24 1=24 2=26 3=26 cpus 0-7" },
    { "a full node may provide CPUs", full, .need = 500, .vcpus = 6,
      .plan = "fits 0-1: 1=500 cpus 0-5" },
    { "nodes_max limits the set, and the rest comes from the nearest node",
      even,
      .slit = pairs, .need = 2500, .max_nodes = 2,
      .plan = "relaxed(memory) 0-1: 0=1000 1=1000 + 3=500 cpus 0-3" },
    { "with nodes_max and strict nothing fits", even, .need = 2500,
      .max_nodes = 2, .mode = XLN_MODE_STRICT,
      .plan = "nothing 0-1: 0=1000 1=1000 cpus 0-3" },
    { "with nodes_max CPUs are relaxed before memory", even, .need = 1500,
      .vcpus = 5, .max_nodes = 2,
      .plan = "relaxed(cpus) 0-1: 0=750 1=750 cpus 0-3" },
};

static const struct case_spec memory_cases[] = {
    { "a node without memory is never chosen",
      odd, .need = 10, .policy = "best",
      .plan = "fits 3: 3=10 cpus 4-5" },
    { "a node without CPUs is never chosen",
      odd, .need = 950, .policy = "worst",
      .plan = "fits 0: 0=950 cpus 0-3" },
    { "a node without CPUs provides what does not fit", odd, .need = 2000,
      .plan = "relaxed(memory) 0,3: 0=1000 3=900 + 2=100 cpus 0-5" },
    { "nothing fits if the host has too little memory", odd, .need = 5000,
      .plan = "nothing(memory) 0,3: 0=1000 3=900 + 2=1000 cpus 0-5" },
    { "strict takes nothing from other nodes", odd, .need = 2000,
      .mode = XLN_MODE_STRICT,
      .plan = "nothing 0,3: 0=1000 3=900 cpus 0-5" },
    { "the DMA zone stays out while another node fits", with_dma, .need = 650,
      .policy = "first", .plan = "fits 1: 1=650 cpus 2-3" },
    { "the DMA zone stays out while two nodes fit", with_dma, .need = 900,
      .plan = "fits 0-1: 0=450 1=450 cpus 0-3" },
    { "the DMA zone is used before nothing fits", with_dma, .need = 1500,
      .plan = "fits(dma) 0-1: 0=800 1=700 cpus 0-3" },
    { "the DMA zone is used before nodes_max is exceeded", with_dma,
      .need = 900, .max_nodes = 1, .plan = "fits(dma) 0: 0=900 cpus 0-1" },
    { "a part of the DMA zone always stays out", with_dma, .need = 1637,
      .plan = "nothing(dma) 0-1: 0=936 1=700 cpus 0-3" },
    { "a named node provides its DMA zone, and that is not relaxed", with_dma,
      .need = 900, .named = "0", .plan = "fits 0: 0=900 cpus 0-1" },
    { "the DMA zone of other nodes is used last",
      with_dma, .need = 1400, .named = "1",
      .plan = "relaxed(dma,memory) 1: 1=700 + 0=700 cpus 2-3" },
    { "other nodes are used before their DMA zone",
      with_dma, .need = 1300, .named = "1",
      .plan = "relaxed(memory) 1: 1=700 + 0=600 cpus 2-3" },
    { "a small node gives what it has, and the others share the rest equally",
      single_bytes,
      .need = 100, .named = "0-2",
      .plan = "fits 0-2: 0=10 1=60 2=30 cpus 0-2" },
    { "the last byte is used though it is less than an extent", single_bytes,
      .need = 241, .named = "0-2",
      .plan = "fits 0-2: 0=10 1=200 2=31 cpus 0-2" },
    { "nothing fits on a host without memory", dark, .need = 10, 
      .plan = "nothing(cpus) : cpus 0-1" },
    { "a need of no memory fits", even, .need = 0, .plan = "fits 0: cpus 0-1" },
};

static const struct case_spec named_cases[] = {
    { "named nodes share equally", even, .need = 300, .named = "1-2",
      .plan = "fits 1-2: 1=150 2=150 cpus 2-5" },
    { "the last node has what is not a whole extent", even, .need = 301,
      .named = "1-2", .plan = "fits 1-2: 1=150 2=151 cpus 2-5" },
    { "a named node is taken even if another fits better", uneven,
      .need = 160, .named = "2", .plan = "fits 2: 2=160 cpus 4-5" },
    { "memory that does not fit comes from the nearest node",
      even, .slit = pairs,
      .need = 2500, .named = "0",
      .plan = "relaxed(memory) 0: 0=1000 + 3=1000 1=500 cpus 0-1" },
    { "the lowest of equally near nodes is used",
      even, .need = 1500, .named = "2",
      .plan = "relaxed(memory) 2: 2=1000 + 0=500 cpus 4-5" },
    { "a node is near if it is near any node of the set, in the longer "
      "direction", even, .slit = one_way,
      .need = 1500, .named = "1",
      .plan = "relaxed(memory) 1: 1=1000 + 2=500 cpus 2-3" },
    { "strict fails if a named node is too small",
      even, .need = 1500, .named = "2",
      .mode = XLN_MODE_STRICT, .plan = "nothing 2: 2=1000 cpus 4-5" },
    { "strict fits if the named node is large enough",
      even, .need = 1000, .named = "2",
      .mode = XLN_MODE_STRICT, .plan = "fits 2: 2=1000 cpus 4-5" },
    { "all uses every node with memory, also without CPUs", odd, .need = 300,
      .named = "all", .plan = "fits 0,2-3: 0=100 2=100 3=100 cpus 0-5" },
    { "a named full node stays in the affinity", full, .need = 300,
      .named = "0-1", .plan = "fits 0-1: 1=300 cpus 0-5" },
    { "a named node without memory takes it from the nearest node",
      odd, .need = 300,
      .named = "1", .plan = "relaxed(memory) 1: + 0=300 cpus 2-3" },
    { "strict fails with a named node without memory",
      odd, .need = 300, .named = "1",
      .mode = XLN_MODE_STRICT, .plan = "nothing 1: cpus 2-3" },
    { "more vCPUs than CPUs on a named node is not relaxed", even, .need = 300,
      .vcpus = 8, .named = "1", .plan = "fits 1: 1=300 cpus 2-3" },
    { "a node that does not exist is refused",
      sparse, .need = 300, .named = "0-1",
      .plan = "Invalid argument" },
    { "a node number beyond the last is refused",
      even, .need = 300, .named = "4",
      .plan = "Invalid argument" },
    { "an empty set of nodes is refused", even, .need = 300, .named = "",
      .plan = "Invalid argument" },
    { "a node for memory that does not exist is refused",
      even, .need = 300, .mem = "9",
      .plan = "Invalid argument" },
    { "nodes_max takes the best of the named nodes", uneven, .need = 500,
      .named = "0,2-3", .max_nodes = 1, .plan = "fits 3: 3=500 cpus 6-7" },
    { "nodes_max takes the nearest pair of the named nodes",
      even, .slit = pairs,
      .need = 1500, .named = "1-3", .max_nodes = 2,
      .plan = "fits 2-3: 2=750 3=750 cpus 4-7" },
    { "all named nodes are used if nodes_max allows them", uneven, .need = 400,
      .named = "0,3", .max_nodes = 2,
      .plan = "fits 0,3: 0=200 3=200 cpus 0-1,6-7" },
    { "nodes_max accounts for the CPUs of named nodes",
      even, .need = 100, .vcpus = 4,
      .named = "all", .max_nodes = 3,
      .plan = "fits 0-1: 0=50 1=50 cpus 0-3" },
    { "nodes_max with too few CPUs on named nodes is not relaxed",
      even, .need = 100,
      .vcpus = 8, .named = "all", .max_nodes = 3,
      .plan = "fits 0: 0=100 cpus 0-1" },
    { "nodes_max takes the named node with most memory if none has enough",
      uneven, .need = 1900,
      .named = "0-2", .max_nodes = 2,
      .plan = "relaxed(memory) 0,2: 0=800 2=1000 + 1=100 cpus 0-1,4-5" },
};

static const struct case_spec cpu_cases[] = {
    { "cpus= decides the node", even, .need = 100, .hard = { "6-7" },
      .plan = "fits 3: 3=100 cpus 6-7" },
    { "cpus= of two nodes leaves the choice", uneven, .need = 100,
      .hard = { "0-3" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "vCPUs with their CPUs on two nodes need both", even, .need = 100,
      .vcpus = 2, .hard = { "1", "6" },
      .plan = "fits 0,3: 0=50 3=50 cpus 0-1,6-7" },
    { "one node that serves two masks is enough", even, .need = 100,
      .vcpus = 2, .hard = { "1-3", "3-5" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "a vCPU without a mask may run anywhere", even, .need = 100, .vcpus = 3,
      .hard = { "6", "6" }, .plan = "fits 0,3: 0=50 3=50 cpus 0-1,6-7" },
    { "masks of vCPUs that are not there do not count", even, .need = 100,
      .vcpus = 1, .hard = { "2", "6" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "only CPUs that cpus= allows count", even, .need = 100, .vcpus = 4,
      .hard = { "1", "1", "1", "1" }, .plan = "fits 0: 0=100 cpus 0-1" },
    { "the cpupool decides the node", even, .need = 100, .pool = "4-7",
      .plan = "fits 2: 2=100 cpus 4-5" },
    { "a cpupool may have half of a node",
      even, .need = 100, .vcpus = 2, .pool = "3-5",
      .plan = "fits 2: 2=100 cpus 4-5" },
    { "vCPUs prefer CPUs of their cpupool only", even, .need = 100, .pool = "3",
      .plan = "fits 1: 1=100 cpus 3" },
    { "cpus= outside the cpupool is not refused here", even, .need = 100,
      .pool = "4-7", .hard = { "0-1" }, .plan = "fits 2: 2=100 cpus 4-5" },
    { "the cpus= of one vCPU outside the cpupool is ignored",
      even, .need = 100, .vcpus = 2,
      .pool = "4-7", .hard = { "0", "6" }, .plan = "fits 3: 3=100 cpus 6-7" },
    { "a cpupool without CPUs is not refused here",
      even, .need = 100, .pool = "",
      .plan = "fits 0: 0=100 cpus -" },
    { "cpus= on a node without memory takes memory from the nearest node",
      odd, .need = 100,
      .hard = { "2-3" }, .slit = pairs, .plan = "fits 0: 0=100 cpus 0-3" },
    { "the cpus= of one vCPU on such a node asks for the nearest node", odd,
      .need = 100, .vcpus = 2, .hard = { "2", "4" },
      .plan = "fits 0,3: 0=50 3=50 cpus 0-5" },
    { "cpus= on a node that is too full takes the rest from the nearest node",
      even,
      .slit = pairs, .need = 1500, .hard = { "2-3" },
      .plan = "relaxed(memory) 1: 1=1000 + 0=500 cpus 2-3" },
    { "nodes= without a CPU of cpus= applies as configured", even, .need = 100,
      .named = "1", .hard = { "6-7" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "nodes= outside the cpupool leaves the vCPUs as configured",
      even, .need = 100,
      .named = "1", .pool = "6-7", .plan = "fits 1: 1=100 cpus -" },
    { "vCPUs prefer CPUs of the named nodes in the cpupool",
      even, .need = 100, .named = "1,3",
      .pool = "6-7", .plan = "fits 1,3: 1=50 3=50 cpus 6-7" },
};

static const struct case_spec vcpu_cases[] = {
    { "nodes_cpus=none leaves the vCPUs as configured", even, .need = 100,
      .vcpus_mode = XLN_VCPUS_NONE, .plan = "fits 0: 0=100 cpus -" },
    { "nodes_cpus=hard uses the same CPUs as soft", even, .need = 100,
      .vcpus_mode = XLN_VCPUS_HARD, .plan = "fits 0: 0=100 cpus 0-1" },
    { "CPUs on nodes without memory count for the nearest node", odd,
      .need = 100, .vcpus = 5, .plan = "fits 0,3: 0=50 3=50 cpus 0-5" },
    { "nodes_mem= decides the memory, and nodes= the vCPUs", odd, .need = 100,
      .named = "3", .mem = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "nodes_mem= with nodes=all lets vCPUs prefer all nodes",
      odd, .need = 100, .named = "all",
      .mem = "2", .plan = "fits 2: 2=100 cpus 0-5" },
    { "vCPUs prefer the node nearest to a node without CPUs", odd, .need = 100,
      .slit = pairs, .mem = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "vCPUs prefer as many of the nearest nodes as they need", odd,
      .need = 100, .slit = pairs, .vcpus = 3, .mem = "2",
      .plan = "fits 2: 2=100 cpus 0-5" },
    { "vCPUs prefer the nearest nodes with CPUs that cpus= allows",
      odd, .need = 100, .slit = pairs,
      .vcpus = 2, .hard = { "0-3", "0-3" }, .mem = "2",
      .plan = "fits 2: 2=100 cpus 0-3" },
    { "nodes= may name a node without CPUs", odd, .need = 100,
      .slit = pairs, .named = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "the nodes of nodes_mem= need no CPUs", odd, .need = 100, .vcpus = 2,
      .mem = "2-3", .max_nodes = 1, .plan = "fits 3: 3=100 cpus 4-5" },
    { "nodes_max limits the nodes of nodes_mem=", odd, .need = 950, .vcpus = 2,
      .mem = "2-3", .max_nodes = 1, .slit = pairs,
      .plan = "fits 2: 2=950 cpus 4-5" },
    { "a vCPU may have cpus= while another may run anywhere", even, .need = 100,
      .vcpus = 2, .hard = { "-", "4-5" }, .plan = "fits 2: 2=100 cpus 4-5" },
    { "cpus_soft= asks for the nodes of its CPUs",
      uneven, .need = 100, .soft = { "4-7" },
      .plan = "fits 2-3: 2=50 3=50 cpus -" },
    { "cpus_soft= counts within cpus=", even, .need = 100, .hard = { "0-5" },
      .soft = { "4-7" }, .plan = "fits 2: 2=100 cpus -" },
    { "cpus_soft= outside cpus= does not count", even, .need = 100,
      .hard = { "0-3" }, .soft = { "6" },
      .plan = "fits 0: 0=100 cpus -" },
    { "a vCPU without cpus_soft= prefers all CPUs",
      even, .need = 80, .vcpus = 2,
      .soft = { "6" }, .plan = "fits 0-3: 0=20 1=20 2=20 3=20 cpus -" },
    { "cpus_soft= counts within the cpupool", even, .need = 100, .pool = "2-5",
      .soft = { "5-7" }, .plan = "fits 2: 2=100 cpus -" },
    { "with nodes= and cpus_soft= the memory follows nodes=", even, .need = 100,
      .named = "1", .soft = { "6" }, .plan = "fits 1: 1=100 cpus -" },
    { "nodes_max chooses among the nodes of cpus_soft=",
      uneven, .need = 100, .soft = { "4-7" },
      .max_nodes = 1, .plan = "fits 3: 3=100 cpus -" },
    { "the policy chooses if cpus_soft= has no CPU of the cpupool", even,
      .need = 100, .pool = "", .soft = { "6" },
      .plan = "fits 0: 0=100 cpus -" },
};

/* ------------------------------------------------------------------ */
/* Balanced                                                            */
/* ------------------------------------------------------------------ */

static void add_vcpus(struct xln_host *host, unsigned node, uint64_t nr)
{
    unsigned cpu, nr_cpus = xln_cpumap_count(host->nodes[node].cpus);

    XLN_FOREACH(xln_cpumap, cpu, host->nodes[node].cpus)
        host->cpus[cpu].load += nr * (XLN_LOAD_ONE / nr_cpus);
}

/* `vcpus` by node; "" if it is as planned, else what the plan is. */
static void run_balanced(const char *what, const struct case_spec *c,
                         const uint64_t *vcpus)
{
    struct xln_host *host = case_host(c);
    struct xln_plan *plan;
    char text[400];

    for (unsigned node = 0; node < host->nr_nodes; node++) {
        if (xln_nodemap_test(host->exists, node))
            add_vcpus(host, node, vcpus[node]);
    }
    must(place_case(c, host, &plan));
    describe(plan, text, sizeof(text));
    is_str(text, c->plan, what);
    xln_plan_free(plan);
    xln_host_free(host);
}

static const struct node_spec wide[] = {
    NODE(15 << 10, 10, .total = 100 << 10),
    NODE(70 << 10, 10, .total = 100 << 10),
    NODE(75 << 10, 10, .total = 100 << 10),
    NODE(80 << 10, 10, .total = 100 << 10), END
};

static void test_balanced(void)
{
    struct case_spec c = {
        .nodes = wide, .need = 10 << 10, .vcpus = 4, .policy = "balanced",
        .plan = "fits 1: 1=10240 cpus 10-19",
    };
    struct case_spec far = {
        .nodes = even, .slit = pairs, .need = 1500, .policy = "balanced",
        .plan = "fits 0,3: 0=750 3=750 cpus 0-1,6-7",
    };
    struct case_spec pool = {
        .nodes = even, .need = 100, .policy = "balanced", .pool = "0,2,4,6",
        .plan = "fits 0: 0=100 cpus 0",
    };
    struct case_spec mem = {
        .nodes = wide, .need = 10 << 10, .policy = "balanced", .mem = "0-1",
        .max_nodes = 1, .plan = "fits 0: 0=10240 cpus 0-9",
    };

    run_balanced("a crowded node is left for a larger gap", &c,
                 (const uint64_t[]){ 8, 0, 8, 4 });
    c.plan = "fits 0: 0=10240 cpus 0-9";
    run_balanced("balanced is best fit below the fair share", &c,
                 (const uint64_t[]){ 3, 0, 8, 9 });
    run_balanced("a million vCPUs on each node make it best fit", &c,
                 (const uint64_t[]){ 1000000, 1000000, 1000000, 1000000 });
    c.plan = "fits 1: 1=10240 cpus 10-19";
    run_balanced("a million vCPUs go to the node with the best gap", &c,
                 (const uint64_t[]){ 1000000, 100000, 100000, 100000 });
    run_balanced("distance comes before load", &far,
                 (const uint64_t[]){ 50, 0, 0, 50 });
    run_balanced("load on CPUs outside the cpupool does not count", &pool,
                 (const uint64_t[]){ 0, 8, 8, 8 });
    run_balanced(
                 "balanced is best fit for nodes_mem=, where nothing "
                 "runs", &mem,
                 (const uint64_t[]){ 100, 0, 0, 0 });
}

/* Small domains, one after the other, each on the host as it is then: how many
 * vCPUs the fullest node gets. */
static uint64_t pile(const char *policy, unsigned nr)
{
    struct case_spec c = {
        .nodes = wide, .need = 1 << 10, .vcpus = 2, .policy = policy
    };
    struct xln_host *host = case_host(&c);
    uint64_t vcpus[4] = { 0 }, most = 0;

    while (nr--) {
        struct xln_plan *plan;
        unsigned node;

        must(place_case(&c, host, &plan));
        node = xln_nodemap_next(plan->nodes, 0);
        vcpus[node] += 2;
        add_vcpus(host, node, 2);
        host->nodes[node].reserved_bytes += c.need * MIB;
        xln_plan_free(plan);
        if (vcpus[node] > most)
            most = vcpus[node];
    }
    xln_host_free(host);
    return most;
}

static void test_piles(void)
{
    ok(pile("best", 12) == 24,
       "best fit collects 12 small domains on one node");
    ok(pile("first", 12) == 24,
       "first fit collects 12 small domains on one node");
    ok(pile("balanced", 12) <= 8,
       "balanced spreads 12 small domains over the nodes");
}

/* ------------------------------------------------------------------ */
/* What a plan has in addition to that */
/* ------------------------------------------------------------------ */

static struct xln_plan *plan_of(const struct case_spec *c)
{
    struct xln_host *host = case_host(c);
    struct xln_plan *plan;

    must(place_case(c, host, &plan));
    xln_host_free(host);        /* the plan keeps nothing of it */
    return plan;
}

static bool is_only(const struct xln_nodemap *nodes, unsigned node)
{
    return nodes && xln_nodemap_count(nodes) == 1 &&
           xln_nodemap_test(nodes, node);
}

static void test_reasons(void)
{
    static const struct case_spec single = {
        .nodes = uneven, .need = 700
    };
    static const struct case_spec last = { .nodes = uneven, .need = 900 };
    static const struct case_spec pair = {
        .nodes = even, .slit = pairs, .need = 1500
    };
    static const struct case_spec by_name = {
        .nodes = even, .need = 100, .named = "1"
    };
    struct xln_plan *plan = plan_of(&single);

    ok(plan->nr_fitting == 2, "two sets of nodes fit");
    ok(is_only(plan->chosen.nodes, 0) &&
       plan->chosen.usable_bytes == 800 * MIB && plan->chosen.nr_cpus == 2 &&
       plan->chosen.distance_max == 0 && plan->chosen.distance_sum == 0,
       "the chosen one is shown with its figures");
    ok(is_only(plan->next.nodes, 2) && plan->next.usable_bytes == 1000 * MIB,
       "the next best set is shown with its figures");
    ok(!plan->named, "the plan says that no node was named");
    xln_plan_free(plan);

    plan = plan_of(&last);
    ok(plan->nr_fitting == 1 && !plan->next.nodes,
       "no next best set is shown if one node fits");
    xln_plan_free(plan);

    plan = plan_of(&pair);
    ok(plan->chosen.distance_max == 15 && plan->chosen.distance_sum == 30 &&
       plan->next.distance_max == 16 &&
       xln_nodemap_test(plan->next.nodes, 0) &&
       xln_nodemap_test(plan->next.nodes, 1),
       "two nodes are shown with their distance, and the next nearest as next "
       "best");
    xln_plan_free(plan);

    plan = plan_of(&by_name);
    ok(plan->named && !plan->nr_fitting && !plan->chosen.nodes &&
       !plan->next.nodes, "a named node needs no reason");
    xln_plan_free(plan);
}

static void test_nearest(void)
{
    static const struct case_spec c = {
        .nodes = odd, .slit = pairs, .need = 100, .named = "0"
    };
    static const struct case_spec cut_off = {
        .nodes = even, .slit = chain, .need = 100, .named = "3"
    };
    struct xln_plan *plan = plan_of(&c);

    ok(plan->nr_nearest == 2 && plan->nearest[0] == 3 && plan->nearest[1] == 2,
       "all other nodes with memory are listed, nearest first");
    xln_plan_free(plan);
    plan = plan_of(&cut_off);
    ok(plan->nr_nearest == 3 && plan->nearest[0] == 2 &&
       plan->nearest[2] == 0, "an unreachable node is the last resort");
    xln_plan_free(plan);
}

static void test_need(void)
{
    struct xln_need need = { .memory_bytes = 300 * MIB, .nr_vcpus = 0 };
    struct xln_host *host = make_host(even, 4, NULL);
    struct xln_plan *plan = NULL;
    struct xln_request *request;

    must(xln_request_new(&request));
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "a need without a vCPU is refused");
    need.nr_vcpus = 1;
    need.reserved[15] = 1;
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "a need with an unknown member is refused");
    need.reserved[15] = 0;
    request->reserved[0] = 1;
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "a request with an unknown member is refused");
    request->reserved[0] = 0;
    need.overhead_bytes = 701 * MIB;
    must(xln_place(host, request, &need, &plan));
    ok(plan->need_bytes == 1001 * MIB && xln_nodemap_count(plan->nodes) == 2,
       "overhead counts as memory does");
    xln_plan_free(plan);
    need.memory_bytes = UINT64_MAX;
    must(xln_place(host, request, &need, &plan));
    ok(plan->verdict == XLN_NOTHING_FITS && plan->nr_shares == 4,
       "a need beyond all numbers does not wrap");
    xln_plan_free(plan);
    xln_plan_free(NULL);
    xln_request_free(request);
    xln_host_free(host);
}

static void test_request(void)
{
    struct xln_request *request, *copy;

    must(xln_request_new(&request));
    ok(!request->all_nodes && !request->nodes && !request->mem_nodes &&
       request->policy == xln_policy_default() &&
       request->mode == XLN_MODE_PREFERRED &&
       request->vcpus_mode == XLN_VCPUS_SOFT && !request->max_nodes &&
       request->dma_reserve_bytes == 64 * MIB,
       "a new request is auto, balanced, preferred and soft");
    must(xln_request_copy(request, &copy));
    ok(!copy->nodes && !copy->mem_nodes,
       "a copy of a request has the same values");
    xln_request_free(copy);

    request->nodes = nodes_of("1-2");
    request->mem_nodes = nodes_of("3");
    request->max_nodes = 7;
    must(xln_request_copy(request, &copy));
    ok(copy->max_nodes == 7 && copy->nodes != request->nodes &&
       xln_nodemap_equal(copy->nodes, request->nodes) &&
       xln_nodemap_equal(copy->mem_nodes, request->mem_nodes),
       "a copy has its own nodes");
    xln_request_free(request);
    xln_request_free(copy);
    xln_request_free(NULL);
}

static void test_policies(void)
{
    const char *const *names = xln_policy_names();
    bool found = true;
    unsigned nr;

    for (nr = 0; names[nr]; nr++) {
        const struct xln_policy *policy = xln_policy_by_name(names[nr]);

        found &= policy && !strcmp(xln_policy_name(policy), names[nr]);
    }
    ok(nr == 4 && found, "every policy is found by its name");
    is_str(xln_policy_name(xln_policy_default()), "balanced",
           "balanced is the default");
    ok(xln_policy_uses_load(xln_policy_by_name("balanced")) &&
       !xln_policy_uses_load(xln_policy_by_name("first")) &&
       !xln_policy_uses_load(xln_policy_by_name("best")) &&
       !xln_policy_uses_load(xln_policy_by_name("worst")),
       "only balanced uses the load");
    ok(xln_policy_by_name("greedy") == xln_policy_by_name("first") &&
       xln_policy_by_name("packed") == xln_policy_by_name("best") &&
       xln_policy_by_name("spread") == xln_policy_by_name("worst"),
       "every policy is found by its second name");
    ok(!xln_policy_by_name("bset") && !xln_policy_by_name("") &&
       !xln_policy_by_name("First"), "other words are no policies");
}

int main(void)
{
    test_request();
    test_policies();
    run_cases(policy_cases, ARRAY_SIZE(policy_cases));
    test_balanced();
    test_piles();
    run_cases(set_cases, ARRAY_SIZE(set_cases));
    run_cases(memory_cases, ARRAY_SIZE(memory_cases));
    run_cases(named_cases, ARRAY_SIZE(named_cases));
    run_cases(cpu_cases, ARRAY_SIZE(cpu_cases));
    run_cases(vcpu_cases, ARRAY_SIZE(vcpu_cases));
    test_reasons();
    test_nearest();
    test_need();
    return tap_done();
}
