/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that a domain carries with it in its xsdata. */
#include "key-texts.h"

static void test_round_trip(void)
{
    struct keys *keys = good_text(
        "nodes=[\"0-2\", 5]; nodes_policy=\"spread\"; nodes_mode=\"strict\"; "
        "nodes_cpus=\"none\"; nodes_mem=\"7\"; nodes_max=6");
    libxl_key_value_list xsdata = xsdata_of(keys), again;
    struct xln_request *request;
    char *error = NULL, *a, *b;

    keys_free(keys);
    must(keys_read_xsdata(xsdata, &keys, &error));
    again = xsdata_of(keys);
    a = show(xsdata);
    b = show(again);
    is_str(b, a, "what is written to xsdata is read back");
    must(xln_request_new(&request));
    must(keys_apply(keys, request));
    ok(nodes_are(request->nodes, "0-2,5") &&
           nodes_are(request->mem_nodes, "7") && request->max_nodes == 6 &&
           request->mode == XLN_MODE_STRICT &&
           request->vcpus_mode == XLN_VCPUS_NONE &&
           request->policy == xln_policy_by_name("worst"),
       "what was read from xsdata asks for the same as the configuration");
    xln_request_free(request);
    free(a);
    free(b);
    libxl_key_value_list_dispose(&xsdata);
    libxl_key_value_list_dispose(&again);
    keys_free(keys);
}

/* A value that a create accepts is accepted again at the next reboot. */
static void round_trips(const char *config, const char *what)
{
    struct keys *keys = NULL, *back = NULL;
    libxl_key_value_list xsdata;
    char *error;
    int rc;

    keys = read_text(config, false, &error);
    if (!keys) {
        ok(true, "%s, or is refused", what);
        free(error);
        return;
    }
    xsdata = xsdata_of(keys);
    rc = keys_read_xsdata(xsdata, &back, &error);
    if (!ok(rc == 0, "%s", what) && error) {
        printf("# %.200s\n", error);
        free(error);
    }
    keys_free(back);
    keys_free(keys);
    libxl_key_value_list_dispose(&xsdata);
}

static void test_long_round_trip(void)
{
    char config[8192];
    int length, node;

    length = sprintf(config, "nodes = [");
    for (node = 0; node < XLN_MAX_NODES; node += 2)
        length += sprintf(config + length, "%d,", node);
    sprintf(config + length, "]");
    round_trips(config, "every other node of 1024 survives xsdata");

    length = sprintf(config, "nodes = \"0-1023");
    for (node = 101; length < 1000; node += 3)
        length += sprintf(config + length, ",^%d", node);
    sprintf(config + length, "\"");
    round_trips(config, "a long text that is accepted survives xsdata");

    length = sprintf(config, "nodes = [");
    for (node = 0; node < 64; node += 2)
        length += sprintf(config + length, "%d,", node);
    sprintf(config + length, "]");
    round_trips(config, "every other node of 64 survives xsdata");
}

static void test_others_xsdata(void)
{
    static const char *const before[] = {
        "vm-data/a", "1",       "numa/nodes", "7",       "numa/old", "x",
        "empty",     NULL,      "numax",      "y",       "vm/numa/nodes", "3",
    };
    libxl_key_value_list xsdata = make_xsdata(before, ARRAY_SIZE(before) / 2);
    struct keys *keys = good_text("nodes=\"1\"");
    char *text;

    must(keys_write_xsdata(keys, &xsdata));
    text = show(xsdata);
    is_str(text,
           "numa/version=1|numa/nodes=1|vm-data/a=1|numa/old=x|empty=(null)|"
           "numax=y|vm/numa/nodes=3",
           "xsdata of others and of later versions is kept, and ours is "
           "replaced");
    free(text);
    must(keys_write_xsdata(keys, &xsdata));
    text = show(xsdata);
    is_str(text,
           "numa/version=1|numa/nodes=1|vm-data/a=1|numa/old=x|empty=(null)|"
           "numax=y|vm/numa/nodes=3",
           "writing it again changes nothing");
    free(text);
    libxl_key_value_list_dispose(&xsdata);
    keys_free(keys);
}

static void is_read_as(const char *const *entries, unsigned nr,
                       const char *expected, const char *what)
{
    libxl_key_value_list xsdata = make_xsdata(entries, nr), again;
    struct keys *keys = NULL;
    char *error = NULL, *text;

    if (keys_read_xsdata(xsdata, &keys, &error)) {
        is_str(error, expected, what);
    } else {
        again = xsdata_of(keys);
        text = show(again);
        is_str(text, expected, what);
        free(text);
        libxl_key_value_list_dispose(&again);
    }
    free(error);
    keys_free(keys);
    libxl_key_value_list_dispose(&xsdata);
}

#define READ_AS(expected, what, ...)                                          \
    do {                                                                      \
        static const char *const entries_[] = { __VA_ARGS__ };                \
        is_read_as(entries_, ARRAY_SIZE(entries_) / 2, expected, what);       \
    } while (0)

static void test_hostile_xsdata(void)
{
    struct keys *keys = NULL;
    char *error = NULL;

    ok(keys_read_xsdata(NULL, &keys, &error) == 0 && !keys_name_nodes(keys),
       "a domain without xsdata has no request");
    keys_free(keys);

    READ_AS("numa/version=1", "unknown keys of ours and of others are ignored",
            "numa/", "1", "numa/nodesx", "a", "numa/node", "b", "NUMA/nodes",
            "c", "", "d", "nodes", "7", "numa/dma_reserve", "1");
    READ_AS("numa/version=1|numa/nodes=2", "the first of two equal keys counts",
            "numa/nodes", "2", "numa/nodes", "3", "numa/nodes", "rubbish");
    READ_AS("numa/version=1|numa/nodes=2",
            "a request of a later version is read as far as it is known",
            "numa/version", "99", "numa/nodes_later", "x", "numa/nodes", "2");
    READ_AS("numa/version=1|numa/nodes_max=2",
            "a key without a value is skipped, and the rest read",
            "numa/nodes", NULL, "other", NULL, "numa/nodes_max", "2");
    READ_AS("recorded request: nodes=\"x\": expected " NODES_TEXT,
            "an error says that a wrong value is recorded", "numa/nodes", "x");
    READ_AS("recorded request: nodes=\"\": expected " NODES_TEXT,
            "an empty value is refused", "numa/nodes", "");
    READ_AS("recorded request: nodes_max=\"-1\": expected a number of nodes, "
            "1 to 1024",
            "a wrong number is "
            "refused", "numa/nodes_policy", "best", "numa/nodes_max",
            "-1");
}

static void test_huge_xsdata(void)
{
    const size_t size = 3 << 20;
    char *huge = need_block(malloc(size + 1));
    const char *const value[] = { "numa/nodes", huge };
    const char *const key[] = { huge, "1" };
    libxl_key_value_list xsdata;
    struct keys *keys = NULL;
    char *error = NULL;

    memset(huge, '1', size);
    huge[size] = '\0';
    xsdata = make_xsdata(value, 1);
    ok(keys_read_xsdata(xsdata, &keys, &error) == -EINVAL && error &&
           strlen(error) < 2048,
       "a value of megabytes is refused with one readable line");
    free(error);
    libxl_key_value_list_dispose(&xsdata);

    memcpy(huge, "numa/", 5);
    xsdata = make_xsdata(key, 1);
    ok(keys_read_xsdata(xsdata, &keys, &error) == 0,
       "a key of megabytes is ignored");
    libxl_key_value_list_dispose(&xsdata);
    keys_free(keys);
    free(huge);
}

int main(void)
{
    test_round_trip();
    test_long_round_trip();
    test_others_xsdata();
    test_hostile_xsdata();
    test_huge_xsdata();
    return tap_done();
}
