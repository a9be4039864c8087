/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our keys, through libxlutil's own parser. */
#include "key-texts.h"

static const struct {
    const char *config, *expected;
} canonical_cases[] = {
    { "", "" },
    { "name = \"g\"", "" },
    { "nodes = \"auto\"", "numa/nodes=auto" },
    { "nodes = \"all\"", "numa/nodes=all" },
    { "nodes = \"2\"", "numa/nodes=2" },
    { "nodes = '2'", "numa/nodes=2" },
    { "nodes = 2", "numa/nodes=2" },
    { "nodes = 007", "numa/nodes=7" },
    { "nodes = \"0-3,^2\"", "numa/nodes=0-1,3" },
    { "nodes = \"3,1,2,,0\"", "numa/nodes=0-3" },
    { "nodes = \"1023\"", "numa/nodes=1023" },
    { "nodes = [0]", "numa/nodes=0" },
    { "nodes = [0, 2]", "numa/nodes=0,2" },
    { "nodes = [\"0-1\", \"3\"]", "numa/nodes=0-1,3" },
    { "nodes = [2, \"0-3,^2\"]", "numa/nodes=0-3" },
    { "nodes = [2, 2, 2,]", "numa/nodes=2" },
    { "nodes_policy = \"first\"", "numa/nodes_policy=first" },
    { "nodes_policy = \"best\"", "numa/nodes_policy=best" },
    { "nodes_policy = \"worst\"", "numa/nodes_policy=worst" },
    { "nodes_policy = \"greedy\"", "numa/nodes_policy=first" },
    { "nodes_policy = \"packed\"", "numa/nodes_policy=best" },
    { "nodes_policy = \"balanced\"", "numa/nodes_policy=balanced" },
    { "nodes_policy = \"spread\"", "numa/nodes_policy=worst" },
    { "nodes_mode = \"preferred\"", "numa/nodes_mode=preferred" },
    { "nodes_mode = \"strict\"", "numa/nodes_mode=strict" },
    { "nodes_cpus = \"soft\"", "numa/nodes_cpus=soft" },
    { "nodes_cpus = \"hard\"", "numa/nodes_cpus=hard" },
    { "nodes_cpus = \"core\"", "numa/nodes_cpus=core" },
    { "nodes_cpus = \"thread\"", "numa/nodes_cpus=thread" },
    { "nodes_cpus = \"none\"", "numa/nodes_cpus=none" },
    { "nodes_mem = \"3,4\"", "numa/nodes_mem=3-4" },
    { "nodes_mem = [3]", "numa/nodes_mem=3" },
    { "nodes_mem = \" 5 : 25%, 0:75% \"", "numa/nodes_mem=5:25%,0:75%" },
    { "nodes_max = 2", "numa/nodes_max=2" },
    { "nodes_smt = \"cores\"", "numa/nodes_smt=cores" },
    { "nodes_with = \"db 1\"", "numa/nodes_with=db 1" },
    { "nodes_apart = \"db\"; nodes_with = \"web\"",
      "numa/nodes_with=web|numa/nodes_apart=db" },
    { "nodes_max = \"002\"", "numa/nodes_max=2" },
    { "nodes_max = 1024", "numa/nodes_max=1024" },
    { "nodes = \"1\"; nodes += \",2\"", "numa/nodes=1-2" },
    { "nodes = [1]; nodes += [3, \"5-6\"]", "numa/nodes=1,3,5-6" },
    { "nodes += [1]", "numa/nodes=1" },
    { "nodes = \"1\"; nodes = \"2\"", "numa/nodes=2" },
    { "nodes_max=3; nodes_mem=\"1\"; nodes_cpus=\"hard\"; "
      "nodes_mode=\"strict\"; nodes_policy=\"worst\"; nodes=\"0-1\"",
      "numa/nodes=0-1|numa/nodes_policy=worst|numa/nodes_mode=strict|"
      "numa/nodes_cpus=hard|numa/nodes_mem=1|numa/nodes_max=3" },
    { "pool = \"auto\"", "numa/pool=auto" },
    /* Every other cpupool is xl's to know. */
    { "pool = \"qa\"", "" },
    { "pool = [1]", "" },
    /* A host's key is none of a domain's. */
    { "dma_reserve = 128", "" },
};

static void test_canonical(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(canonical_cases); i++)
        is_canonical(canonical_cases[i].config, canonical_cases[i].expected);
}

static const struct {
    const char *config, *expected;
} error_cases[] = {
    { "nodes=\"a\"", "nodes=\"a\": expected " NODES_TEXT },
    { "nodes=\"1-\"", "nodes=\"1-\": expected " NODES_TEXT },
    { "nodes=\"0--2\"", "nodes=\"0--2\": expected " NODES_TEXT },
    { "nodes=\"3-1\"", "nodes=\"3-1\": expected " NODES_TEXT },
    { "nodes=\"\"", "nodes=\"\": expected " NODES_TEXT },
    { "nodes=\",\"", "nodes=\",\": expected " NODES_TEXT },
    { "nodes=\"^1\"", "nodes=\"^1\": expected " NODES_TEXT },
    { "nodes=\"1,^1\"", "nodes=\"1,^1\": expected " NODES_TEXT },
    { "nodes=\"-1\"", "nodes=\"-1\": expected " NODES_TEXT },
    { "nodes=\"1024\"", "nodes=\"1024\": expected " NODES_TEXT },
    { "nodes=\"4294967297\"",
      "nodes=\"4294967297\": expected " NODES_TEXT },
    { "nodes=\"ALL\"", "nodes=\"ALL\": expected " NODES_TEXT },
    { "nodes=\"all,^1\"", "nodes=\"all,^1\": expected " NODES_TEXT },
    { "nodes=\"node:1\"", "nodes=\"node:1\": expected " NODES_TEXT },
    { "nodes=\"1 \"", "nodes=\"1 \": expected " NODES_TEXT },
    { "nodes=0x1", "nodes=\"0x1\": expected " NODES_TEXT },
    { "nodes=[]", "nodes=[]: expected " NODES_TEXT },
    { "nodes=[[\"1\"]]",
      "nodes: item 1 is a list: expected " NODES_TEXT },
    { "nodes=[0, []]", "nodes: item 2 is a list: expected " NODES_TEXT },
    { "nodes=[0, 1, \"x\"]",
      "nodes: item 3, \"x\": expected " NODES_TEXT },
    { "nodes=[\"auto\"]",
      "nodes: item 1, \"auto\": expected " NODES_TEXT },
    { "nodes=[\"all\"]", "nodes: item 1, \"all\": expected " NODES_TEXT },
    { "nodes=[1, \"\"]", "nodes: item 2, \"\": expected " NODES_TEXT },
    { "nodes=\"1\"; nodes+=\",x\"",
      "nodes=\"1,x\": expected " NODES_TEXT },
    { "nodes_policy=\"bset\"",
      "nodes_policy=\"bset\": expected " POLICIES },
    { "nodes_policy=\"\"",
      "nodes_policy=\"\": expected " POLICIES },
    { "nodes_policy=\"Best\"",
      "nodes_policy=\"Best\": expected " POLICIES },
    { "nodes_policy=1",
      "nodes_policy=\"1\": expected " POLICIES },
    { "nodes_policy=[\"best\"]",
      "nodes_policy=[...]: expected " POLICIES },
    { "nodes_policy=[]",
      "nodes_policy=[]: expected " POLICIES },
    { "nodes_mode=\"prefered\"",
      "nodes_mode=\"prefered\": expected \"preferred\" or \"strict\"" },
    { "nodes_mode=[]",
      "nodes_mode=[]: expected \"preferred\" or \"strict\"" },
    { "nodes_cpus=\"cores\"",
      "nodes_cpus=\"cores\": expected " CPUS },
    { "nodes_cpus=[[1]]", "nodes_cpus=[...]: expected " CPUS },
    { "nodes_mem=\"auto\"", "nodes_mem=\"auto\": expected " MEM_TEXT },
    { "nodes_mem=\"all\"", "nodes_mem=\"all\": expected " MEM_TEXT },
    { "nodes_mem=\"\"", "nodes_mem=\"\": expected " MEM_TEXT },
    { "nodes_mem=[]", "nodes_mem=[]: expected " MEM_TEXT },
    { "nodes_mem=\"0:75%,5:26%\"",
      "nodes_mem=\"0:75%,5:26%\": expected " MEM_TEXT },
    { "nodes_mem=\"0:50%,0:50%\"",
      "nodes_mem=\"0:50%,0:50%\": expected " MEM_TEXT },
    { "nodes_mem=\"0:100%,\"",
      "nodes_mem=\"0:100%,\": expected " MEM_TEXT },
    { "nodes_mem=\"0,5:100%\"",
      "nodes_mem=\"0,5:100%\": expected " MEM_TEXT },
    { "nodes_mem=\"4294967296:100%\"",
      "nodes_mem=\"4294967296:100%\": expected " MEM_TEXT },
    { "nodes_mem=\"0:7 5%,5:25%\"",
      "nodes_mem=\"0:7 5%,5:25%\": expected " MEM_TEXT },
    { "nodes_mem=\"1 0:100%\"",
      "nodes_mem=\"1 0:100%\": expected " MEM_TEXT },
    { "nodes_mem=[\"0:75%\"]",
      "nodes_mem: item 1, \"0:75%\": expected " MEM_TEXT },
    { "nodes_smt=\"core\"",
      "nodes_smt=\"core\": expected \"any\" or \"cores\"" },
    { "nodes_with=\"\"",
      "nodes_with=\"\": expected the name of a domain" },
    { "nodes_apart=[\"db\"]",
      "nodes_apart=[...]: expected the name of a domain" },
    { "nodes_max=0",
      "nodes_max=\"0\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=\"00\"",
      "nodes_max=\"00\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=1025",
      "nodes_max=\"1025\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=\"-1\"",
      "nodes_max=\"-1\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=\"\"",
      "nodes_max=\"\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=\"18446744073709551617\"",
      "nodes_max=\"18446744073709551617\": expected a number of nodes, "
      "1 to 1024" },
    { "nodes_max=0x2",
      "nodes_max=\"0x2\": expected a number of nodes, 1 to 1024" },
    { "nodes_max=[1]",
      "nodes_max=[...]: expected a number of nodes, 1 to 1024" },
};

static void test_errors(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(error_cases); i++) {
        char *error, full[512], what[128];
        struct keys *keys = read_text(error_cases[i].config, false, &error);

        snprintf(full, sizeof(full), "g.cfg: %s", error_cases[i].expected);
        snprintf(what, sizeof(what), "%s is refused", error_cases[i].config);
        is_str(error, full, what);
        free(error);
        keys_free(keys);
    }
}

static void test_long_values(void)
{
    static char config[1 << 20];
    struct keys *keys;
    char *error;

    memset(config, '1', sizeof(config));
    memcpy(config, "nodes=\"", 7);
    config[sizeof(config) - 2] = '"';
    config[sizeof(config) - 1] = '\0';
    keys = read_text(config, false, &error);
    ok(!keys && error && strlen(error) < 2048,
       "a value of a megabyte is refused with one readable line");
    free(error);
    keys_free(keys);
}

/* ---- a host's defaults ---- */

static void test_host(void)
{
    struct xln_request *request;
    struct keys *keys;
    char *error;

    must(xln_request_new(&request));
    keys = read_text("dma_reserve=128; nodes_policy=\"worst\"", true, &error);
    ok(keys && keys_apply(keys, request) == 0 &&
           request->dma_reserve_bytes == 128 << 20 &&
           request->policy == xln_policy_by_name("worst"),
       "a host's defaults may have the same keys, and dma_reserve");
    keys_free(keys);
    keys = read_text("dma_reserve=0", true, &error);
    ok(keys && keys_apply(keys, request) == 0 &&
           request->dma_reserve_bytes == 0,
       "dma_reserve may be 0");
    keys_free(keys);
    keys = read_text("dma_reserve=4096", true, &error);
    ok(keys && keys_apply(keys, request) == 0 &&
           request->dma_reserve_bytes == UINT64_C(4) << 30,
       "dma_reserve may be all of a DMA zone");
    keys_free(keys);
    xln_request_free(request);

    keys = read_text("dma_reserve=4097", true, &error);
    is_str(error, "g.cfg: dma_reserve=\"4097\": expected MiB, 0 to 4096",
           "a dma_reserve that is larger than any DMA zone is refused");
    free(error);
    keys_free(keys);
    keys = read_text("dma_reserve=\"64M\"", true, &error);
    is_str(error, "g.cfg: dma_reserve=\"64M\": expected MiB, 0 to 4096",
           "a dma_reserve with a unit is refused");
    free(error);
    keys_free(keys);
}

/* ---- applying ---- */

static struct xln_request *request_of(const char *config)
{
    struct xln_request *request;
    struct keys *keys = good_text(config);

    must(xln_request_new(&request));
    must(keys_apply(keys, request));
    keys_free(keys);
    return request;
}

static void test_apply(void)
{
    struct xln_request *r = request_of("");

    ok(!r->nodes && !r->all_nodes && !r->mem_nodes && !r->max_nodes &&
           r->policy == xln_policy_default() &&
           r->mode == XLN_MODE_PREFERRED && r->vcpus_mode == XLN_VCPUS_SOFT &&
           r->dma_reserve_bytes == XLN_DMA_RESERVE_DEFAULT,
       "no key leaves the defaults");
    xln_request_free(r);

    r = request_of("nodes=\"0-3,^2\"; nodes_mem=[5]; nodes_max=3; "
                   "nodes_policy=\"first\"; nodes_mode=\"strict\"; "
                   "nodes_cpus=\"hard\"");
    ok(nodes_are(r->nodes, "0-1,3") && !r->all_nodes &&
           nodes_are(r->mem_nodes, "5") && r->max_nodes == 3 &&
           r->policy == xln_policy_by_name("first") &&
           r->mode == XLN_MODE_STRICT && r->vcpus_mode == XLN_VCPUS_HARD,
       "each key is in the request");
    xln_request_free(r);

    r = request_of("nodes=\"all\"; nodes_cpus=\"none\"");
    ok(!r->nodes && r->all_nodes && r->vcpus_mode == XLN_VCPUS_NONE,
       "nodes=all asks for all nodes");
    xln_request_free(r);
}

/* The domain's keys override the host's, in either order. A domain that names
 * nodes does not get the host's default for memory. */
static void test_apply_over(void)
{
    static const char *const texts[] = {
        "nodes=\"auto\"; nodes_cpus=\"soft\"; nodes_mode=\"preferred\"",
        "nodes=\"all\"; nodes_cpus=\"hard\"; nodes_mode=\"strict\"",
        "nodes=\"1,2\"; nodes_cpus=\"none\"; nodes_mem=\"3\"",
    };
    static const char *const nodes[] = { NULL, NULL, "1-2" };
    unsigned i, j, nr_wrong = 0;

    for (i = 0; i < ARRAY_SIZE(texts); i++)
        for (j = 0; j < ARRAY_SIZE(texts); j++) {
            struct xln_request *r = request_of(texts[i]);
            struct keys *keys = good_text(texts[j]);

            must(keys_apply(keys, r));
            nr_wrong += !nodes_are(r->nodes, nodes[j]) ||
                        r->all_nodes != (j == 1) ||
                        !nodes_are(r->mem_nodes,
                                   j == 2 ? "3" : NULL) ||
                        r->vcpus_mode != (j == 0   ? XLN_VCPUS_SOFT
                                          : j == 1 ? XLN_VCPUS_HARD
                                                   : XLN_VCPUS_NONE);
            keys_free(keys);
            xln_request_free(r);
        }
    ok(!nr_wrong, "a domain's key replaces the host's default of that name");
}

/* ---- xsdata ---- */

/* ---- our keys and xl's own ---- */

static void is_refused(const char *config, const char *expected,
                       const char *what)
{
    char *error;
    struct keys *keys = read_text(config, false, &error);

    is_str(error, expected, what);
    free(error);
    keys_free(keys);
}

#define IS_ACCEPTED(config, what) is_refused(config, NULL, what)

static void test_vnuma(void)
{
    const char *const list = "type = \"hvm\"\n"
                             "vnuma = [ [ \"pnode=0\", \"size=64\", "
                             "\"vcpus=0\" ] ]\n";
    char config[256];

    snprintf(config, sizeof(config), "%snodes=\"1\"", list);
    is_refused(config,
               "g.cfg: nodes=\"1\" and a vnuma= list: expected one of the "
               "two, as the list names its nodes",
               "a vnuma= list with nodes= is refused");
    snprintf(config, sizeof(config), "%snodes_mem=[2]", list);
    is_refused(config,
               "g.cfg: nodes_mem=\"2\" and a vnuma= list: expected one of the "
               "two, as the list names its nodes",
               "a vnuma= list with nodes_mem= is refused");
    snprintf(config, sizeof(config), "%snodes_policy=\"best\"", list);
    IS_ACCEPTED(config, "a vnuma= list without nodes= is accepted");
    IS_ACCEPTED("vnuma = []\nnodes = \"1\"",
                "an empty vnuma= list names no node, as in xl");
}

#define ITEM(options) "[ \"pnode=0\", \"size=64\"" options " ]"
#define DISTANCES ", \"vdistances=10,20\""
#define LIST(a, b) "type=\"hvm\"; vnuma = [ " a ", " b " ]"

/* Lists that xl accepts without a message, or on which it ends. */
static void test_vnuma_list(void)
{
    IS_ACCEPTED(LIST(ITEM(", \"vcpus= 0 - 1, 3\", \"vdistances=10, 20\""),
                     ITEM(", \"vcpus=2\", \"vdistances=20,10\"")),
                "a vnuma= list");
    is_refused(LIST(ITEM(DISTANCES ", \"vcpus=0-2\""),
                    ITEM(", \"vcpus=2\", \"vdistances=20,10\"")),
               "g.cfg: vnuma: item 2: vcpus=\"2\": vCPU 2 is in two virtual "
               "nodes, or twice in one",
               "a vCPU in two virtual nodes is refused");
    is_refused(LIST(ITEM(DISTANCES ", \"vcpus=a\""), ITEM(DISTANCES)),
               "g.cfg: vnuma: item 1: vcpus=\"a\": expected vCPUs such as "
               "\"0-1,4\"", "vcpus= without vCPU numbers is refused");
    is_refused(LIST(ITEM(DISTANCES ", \"vcpus=3-1\""), ITEM(DISTANCES)),
               "g.cfg: vnuma: item 1: vcpus=\"3-1\": expected vCPUs such as "
               "\"0-1,4\"", "a range of vCPUs that runs downwards is refused");
    is_refused(LIST(ITEM(", \"vdistances=10,20,30\""), ITEM(DISTANCES)),
               "g.cfg: vnuma: item 1: vdistances=\"10,20,30\": expected 2 "
               "distances, each 10 to 255",
               "more distances than virtual nodes are refused");
    is_refused(LIST(ITEM(", \"vdistances=10\""), ITEM(DISTANCES)),
               "g.cfg: vnuma: item 1: vdistances=\"10\": expected 2 "
               "distances, each 10 to 255",
               "fewer distances than virtual nodes are refused");
    is_refused(LIST(ITEM(DISTANCES), ITEM(DISTANCES)),
               "g.cfg: vnuma: item 2: vdistances=\"10,20\": expected none "
               "below its own, which is 20",
               "a node that is nearer than the node itself is refused");
    is_refused(LIST(ITEM(DISTANCES), ITEM("")),
               "g.cfg: vnuma: item 2: no vdistances=: expected pnode=, size= "
               "and vdistances=",
               "a virtual node without distances is refused");
    is_refused("type=\"hvm\"; vnuma = [ [ \"size=3\" ] ]",
               "g.cfg: vnuma: item 1: no pnode=: expected pnode=, size= and "
               "vdistances=", "a virtual node without pnode= is refused");
    is_refused("type=\"hvm\"; vnuma = [ [ \"pnode=0\", \"size=0\" ] ]",
               "g.cfg: vnuma: item 1: size=\"0\": expected MiB",
               "a virtual node without size= is refused");
    is_refused("type=\"hvm\"; vnuma = [ [ \"pnode=-1\" ] ]",
               "g.cfg: vnuma: item 1: pnode=\"-1\": expected the number of a "
               "node", "a pnode= that is not a number is refused");
    is_refused("type=\"hvm\"; vnuma = [ [ \"nodes=1\" ] ]",
               "g.cfg: vnuma: item 1: nodes=: expected pnode=, size=, vcpus= "
               "or vdistances=",
               "an unknown option of a virtual node is refused");
    is_refused("type=\"hvm\"; vnuma = [ \"pnode=1\" ]",
               "g.cfg: vnuma: item 1: expected a list of pnode=, size=, vcpus= "
               "and vdistances=", "an item that is not a list is refused");
    is_refused("type=\"hvm\"; vnuma = [ [ \"size=3\", \"size=4\" ] ]",
               "g.cfg: vnuma: item 1: size= is given twice: expected one",
               "a second size of a virtual node is refused");
}

/* Lists that xl or libxl would refuse later as a whole. */
static void test_vnuma_whole(void)
{
#define WHOLE(first, second) LIST(ITEM(DISTANCES ", \"vcpus=" first "\""), \
                                  ITEM(", \"vdistances=20,10\"" second))
    IS_ACCEPTED(WHOLE("0-1", ", \"vcpus=2\"") "; maxvcpus=3; maxmem=128",
                "vCPUs and MiB as in the list are accepted");
    IS_ACCEPTED(WHOLE("0-1", "") "; vcpus=1; memory=128",
                "vCPUs and MiB within those of the list are accepted");
    is_refused(WHOLE("0,2", ""),
               "g.cfg: vnuma: vCPU 1 is in no virtual node",
               "a vCPU without a virtual node is refused");
    is_refused(LIST(ITEM(DISTANCES), ITEM(", \"vdistances=20,10\"")),
               "g.cfg: vnuma: vCPU 0 is in no virtual node",
               "virtual nodes without any vCPU are refused");
    is_refused(WHOLE("0-1", "") "; maxvcpus=3",
               "g.cfg: vnuma: maxvcpus=3, but 2 vCPUs in virtual nodes: "
               "expected all",
               "maxvcpus= above the vCPUs of the list is refused");
    is_refused(WHOLE("0-1", "") "; vcpus=3",
               "g.cfg: vnuma: vcpus=3, but 2 vCPUs in virtual nodes: expected "
               "all", "vcpus= above the vCPUs of the list is refused");
    is_refused(WHOLE("0-1", "") "; maxmem=129",
               "g.cfg: vnuma: maxmem=129, but virtual nodes of 128 MiB: "
               "expected the same",
               "a sum of sizes other than memory= is refused");
    is_refused(WHOLE("0-1", "") "; memory=127",
               "g.cfg: vnuma: memory=127, but virtual nodes of 128 MiB: "
               "expected the same",
               "virtual nodes with memory less than maxmem are refused");
}

static void test_vnuma_cores(void)
{
    is_refused("type=\"hvm\"; vnuma=\"auto\"; nodes_cpus=\"thread\"; "
               "vnuma_vcpus=\"siblings\"",
               "g.cfg: nodes_cpus=\"thread\" and vnuma_vcpus=\"siblings\": "
               "expected one of the two", "nodes_cpus=thread with vnuma_vcpus= is refused");
    is_refused("type=\"hvm\"; nodes_cpus=\"core\"; vnuma=[[\"pnode=0\","
               "\"size=1\"]]",
               "g.cfg: nodes_cpus=\"core\" and vnuma=[...]: expected one of the "
               "two", "nodes_cpus=core with a vnuma= list is refused");
    is_refused("type=\"hvm\"; nodes_cpus=\"thread\"; vnuma=[[\"pnode=0\","
               "\"size=1\"]]",
               "g.cfg: nodes_cpus=\"thread\" and vnuma=[...]: expected one of "
               "the two", "nodes_cpus=thread with a vnuma= list is refused");
    IS_ACCEPTED("vnuma=\"none\"; nodes_cpus=\"core\"", "vnuma=none with nodes_cpus=core is accepted");
    IS_ACCEPTED("type=\"hvm\"; vnuma=\"auto\"; nodes_cpus=\"core\"",
                "vnuma=auto with nodes_cpus=core is accepted");
    IS_ACCEPTED("type=\"hvm\"; vnuma=\"host\"; nodes_cpus=\"thread\"",
                "vnuma=host with nodes_cpus=thread is accepted");
}

static void test_vnuma_words(void)
{
    is_refused("vnuma=\"auto\"",
               "g.cfg: vnuma=\"auto\": only HVM guests can have virtual nodes, "
               "and this one is type=\"pv\"",
               "virtual nodes of a PV domain are refused");
    is_refused("type=\"pvh\"; vnuma=\"host\"",
               "g.cfg: vnuma=\"host\": only HVM guests can have virtual nodes, "
               "and this one is type=\"pvh\"",
               "virtual nodes of a PVH domain are refused");
    is_refused("type=\"hvm\"; memory=100; maxmem=200; vnuma=\"host\"",
               "g.cfg: vnuma=\"host\": virtual nodes need memory = maxmem, here "
               "memory=100 and maxmem=200",
               "vnuma= with memory less than maxmem is refused");
    is_refused("builder=\"hvm\"; nodes_migratable=1; vnuma=[[\"pnode=0\","
               "\"size=1\"]]",
               "g.cfg: vnuma=[...] and nodes_migratable=1: expected one of the "
               "two, as an xl without libxl-numa cannot save or migrate a guest "
               "with virtual nodes",
               "nodes_migratable with a vnuma= list is refused");
    is_refused("vnuma=\"yes\"",
               "g.cfg: vnuma=\"yes\": expected \"auto\", \"host\", \"none\" or "
               "xl's own list", "an unknown word for vnuma= is refused");
    is_refused("vnuma_vcpus=\"x\"",
               "g.cfg: vnuma_vcpus=\"x\": expected \"round-robin\", "
               "\"contiguous\", \"siblings\" or \"proportional\"",
               "an unknown word for vnuma_vcpus= is refused");
}

static void test_no_vnuma(void)
{
    struct xln_request *request;
    struct keys *keys, *defaults;
    char *error;

    IS_ACCEPTED("vnuma=\"none\"; nodes_migratable=1",
                "vnuma=none with nodes_migratable is accepted");

    defaults = read_text("vnuma=\"host\"; vnuma_vcpus=\"siblings\"", true,
                         &error);
    keys = read_text("nodes_migratable=1", false, &error);
    if (!keys || !defaults || xln_request_new(&request)) {
        ok(false, "the keys can be read");
        return;
    }
    ok(!keys_apply(defaults, request) && request->vnuma == XLN_VNUMA_HOST &&
           request->vnuma_vcpus == XLN_VNUMA_VCPUS_SIBLINGS,
       "the host's defaults may ask for virtual nodes");
    ok(!keys_apply(keys, request) && request->vnuma == XLN_VNUMA_NONE,
       "a guest with nodes_migratable gets no virtual nodes");
    xln_request_free(request);
    keys_free(keys);
    keys_free(defaults);
}

static void test_strict(void)
{
    IS_ACCEPTED("type=\"pvh\"; nodes_mode=\"strict\"; memory=512; maxmem=512",
                "strict with memory = maxmem is accepted");
    IS_ACCEPTED("type=\"hvm\"; nodes_mode=\"strict\"; memory=512",
                "strict without maxmem is accepted");
    is_refused("type=\"pvh\"; nodes_mode=\"strict\"; memory=512; maxmem=1024",
               "g.cfg: nodes_mode=\"strict\": strict needs memory = maxmem, "
               "here memory=512 and maxmem=1024: memory that is populated on "
               "demand does not follow the plan",
               "strict is refused for PVH with memory that is populated on "
               "demand");
    is_refused("builder=\"hvm\"; nodes_mode=\"strict\"; memory=1; maxmem=2",
               "g.cfg: nodes_mode=\"strict\": strict needs memory = maxmem, "
               "here memory=1 and maxmem=2: memory that is populated on "
               "demand does not follow the plan",
               "strict is refused for HVM, under its old name, with populate "
               "on demand");
    IS_ACCEPTED("nodes_mode=\"strict\"; memory=512; maxmem=1024",
                "strict is accepted for PV, which has no populate on demand");
    IS_ACCEPTED("builder=\"generic\"; nodes_mode=\"strict\"; memory=1; "
                "maxmem=2", "strict is accepted for PV under its old name");
    IS_ACCEPTED("type=\"pvh\"; nodes_mode=\"preferred\"; memory=1; maxmem=2",
                "populate on demand is accepted without strict");
}

/* ---- nodes that the host has ---- */

static void check(const char *config, const char *host, const char *expected,
                  const char *what)
{
    struct keys *keys = good_text(config);
    struct xln_nodemap *nodes;
    char *error = NULL;
    int rc;

    must(xln_nodemap_new(64, &nodes));
    must(xln_nodemap_parse(host, 0, nodes, NULL));
    rc = keys_check_nodes(keys, "g.cfg", nodes, &error);
    is_str(error, expected, what);
    if (rc != (expected ? -EINVAL : 0))
        ok(false, "%s: parsing it returns %d", what, rc);
    free(error);
    xln_nodemap_free(nodes);
    keys_free(keys);
}

static void test_check_nodes(void)
{
    struct keys *keys;

    check("", "0-3", NULL, "a configuration without nodes is accepted");
    check("nodes=\"auto\"", "0-3", NULL, "auto is accepted on any host");
    check("nodes=\"all\"", "0-3", NULL, "all is accepted on any host");
    check("nodes=\"0,3\"; nodes_mem=\"2\"", "0-3", NULL,
          "nodes of this host are accepted");
    check("nodes=\"7\"", "0-3",
          "g.cfg: nodes=\"7\": no node 7 here: this host has 0-3",
          "a node that the host does not have is refused");
    check("nodes=\"0-1023\"", "0,2-3",
          "g.cfg: nodes=\"0-1023\": no node 1,4-1023 here: this host has "
          "0,2-3",
          "more nodes than the host has are refused");
    check("nodes_mem=\"1:90%,4:10%\"", "0-3",
          "g.cfg: nodes_mem=\"1:90%,4:10%\": no node 4 here: this host has "
          "0-3", "a part from a node that does not exist is refused");
    check("nodes=\"1\"; nodes_mem=\"1,4\"", "0-3",
          "g.cfg: nodes_mem=\"1,4\": no node 4 here: this host has 0-3",
          "a node for memory that does not exist is refused");

    keys = good_text("nodes_policy=\"best\"");
    ok(!keys_name_nodes(keys), "nodes_policy= names no nodes");
    keys_free(keys);
    keys = good_text("nodes_mem=\"1\"");
    ok(keys_name_nodes(keys), "nodes_mem= names nodes");
    keys_free(keys);
    keys_free(NULL);
}

/* ---- no memory ---- */

/* Everything once; the first error, which can only be -ENOMEM. */
static int use_all(const XLU_Config *config, libxl_key_value_list *xsdata,
                   struct xln_request *request, const struct xln_nodemap *host)
{
    struct keys *keys = NULL, *back = NULL;
    char *error = NULL;
    int rc;

    rc = keys_read_domain(config, "g.cfg", NULL, &keys, NULL, &error);
    if (!rc)
        rc = keys_write_xsdata(keys, xsdata);
    if (!rc)
        rc = keys_read_xsdata(*xsdata, &back, &error);
    if (!rc)
        rc = keys_apply(back, request);
    if (!rc && keys_check_nodes(back, "g.cfg", host, &error) == -ENOMEM)
        rc = -ENOMEM;
    free(error);
    keys_free(keys);
    keys_free(back);
    return rc;
}

static void test_no_memory(void)
{
    static const char *const other[] = { "other", "x", "numa/nodes", "1" };
    XLU_Config *config = config_of("nodes=[1, \"3-4\"]; nodes_mem=\"5\"; "
                                   "nodes_policy=\"best\"; nodes_max=3");
    unsigned nth, nr_wrong = 0;
    struct xln_nodemap *host;
    int rc = -ENOMEM;

    must(xln_nodemap_new(4, &host));
    xln_nodemap_fill(host);
    for (nth = 1; rc && nth < 1000; nth++) {
        libxl_key_value_list xsdata = make_xsdata(other, 2);
        struct xln_request *request;

        must(xln_request_new(&request));
        fake_alloc_fail(nth);
        rc = use_all(config, &xsdata, request, host);
        fake_alloc_fail(0);
        nr_wrong += rc && rc != -ENOMEM;
        xln_request_free(request);
        libxl_key_value_list_dispose(&xsdata);
    }
    ok(!nr_wrong && nth > 20 && nth < 1000,
       "running out of memory at any point is -ENOMEM and nothing worse");
    xln_nodemap_free(host);
    xlu_cfg_destroy(config);
}

int main(void)
{
    test_canonical();
    test_errors();
    test_long_values();
    test_host();
    test_apply();
    test_apply_over();
    test_vnuma();
    test_vnuma_list();
    test_vnuma_whole();
    test_vnuma_words();
    test_no_vnuma();
    test_vnuma_cores();
    test_strict();
    test_check_nodes();
    test_no_memory();
    return tap_done();
}
