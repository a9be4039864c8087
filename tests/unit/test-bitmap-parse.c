/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser of sets, by examples and against a simple one. */
#include <regex.h>

#include "bitmaps.h"

#define SKIP XLN_PARSE_SKIP_ABSENT

/* ------------------------------------------------------------------ */
/* By examples                                                         */
/* ------------------------------------------------------------------ */

/*
 * Eight CPUs, dealt to the nodes in turns. Node 2 does not exist, node 3 has
 * memory only, and node 4 has a CPU that a set of eight can't hold.
 */
#define NR_NODES 5

static const char *const node_texts[NR_NODES] = {"0,2,4,6", "1,3,5,7", NULL, "",
                                                 "7-8"};
static struct xln_cpumap *node_sets[NR_NODES];
static const struct xln_node_cpus node_cpus = {
    NR_NODES, (const struct xln_cpumap *const *)node_sets};

static void make_nodes(void)
{
    unsigned node;

    for (node = 0; node < NR_NODES; node++)
        if (node_texts[node])
            node_sets[node] = cpus_of(16, node_texts[node]);
}

static void free_nodes(void)
{
    unsigned node;

    for (node = 0; node < NR_NODES; node++)
        xln_cpumap_free(node_sets[node]);
}

static const struct {
    const char *text, *expected;
} accepted[] = {
    /* Lists and their empty elements. */
    {"", ""},
    {",", ""},
    {",,,", ""},
    {"1,,2", "1-2"},
    {",1,", "1"},
    {"0-3,5", "0-3,5"},
    {"5,0-3", "0-3,5"},
    {"2,2,1-3", "1-3"},
    {"7-7", "7"},
    {"0-7", "0-7"},
    /* From left to right. */
    {"0-3,^1", "0,2-3"},
    {"^1,0-3", "0-3"},
    {"^1", ""},
    {"^0-7", ""},
    {"0-7,^2-5,3", "0-1,3,6-7"},
    {"all", "0-7"},
    {"all,^0", "1-7"},
    {"^1,all", "0-7"},
    /* Numbers are read as strtoul() reads them. */
    {" 3", "3"},
    {"+3", "3"},
    {"03", "3"},
    {"00000000000000000000003", "3"},
    {"1- 3", "1-3"},
    {"1-+3", "1-3"},
    {"^ 1", ""},
    {"1, 2", "1-2"},
    {"07", "7"},
    /* Nodes. */
    {"node:0", "0,2,4,6"},
    {"nodes:0", "0,2,4,6"},
    {"node:0-1", "0-7"},
    {"nodes:0-1", "0-7"},
    {"node:0,1", "0-2,4,6"},
    {"node:1,0", "0-1,3,5,7"},
    {"node: 1", "1,3,5,7"},
    {"node:+01", "1,3,5,7"},
    {"^node:1", ""},
    {"all,^node:1", "0,2,4,6"},
    {"all,^nodes:0,0", "0-1,3,5,7"},
    {"0-3,^node:1", "0,2"},
    {"node:3", ""},
    {"node:1,node:3", "1,3,5,7"},
    {"node:all", "0-7"},
    {"nodes:all", "0-7"},
    {"node:all,^node:0", "1,3,5,7"},
};

static void test_accepted(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "0-7");
    unsigned i, flags;

    for (i = 0; i < ARRAY_SIZE(accepted); i++) {
        const char *text = accepted[i].text;
        size_t end = 99;
        bool pass = true;

        for (flags = 0; flags <= SKIP; flags++)
            pass = !xln_cpumap_parse(text, &node_cpus, flags, cpus, &end) &&
                   prints_as(xln_cpumap_bits(cpus), accepted[i].expected) &&
                   end == strlen(text) && pass;
        ok(pass, "\"%s\" is {%s}", text, accepted[i].expected);
    }
    ok(!xln_cpumap_parse(" \t\n\v\f\r+003", NULL, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "3"),
       "every blank of isspace() may stand before a number");
    ok(xln_cpumap_parse("\2403", NULL, 0, cpus, NULL) == -EINVAL,
       "what is a blank in some locales only is none");
    xln_cpumap_free(cpus);
}

/* Offset and what is wrong there. Absent numbers don't change any of it. */
static const struct {
    const char *text;
    size_t end;
} malformed[] = {
    /* No number. */
    {"^", 1},
    {"^^1", 1},
    {"ALL", 0},
    {"x", 0},
    {" ", 1},
    {"+", 0},
    {"++1", 0},
    {"+ 1", 0},
    {"1-", 2},
    {"1-,2", 2},
    {"1,^,2", 3},
    {"1-x", 2},
    {"0-all", 2},
    {"node", 0},
    {"node:", 5},
    {"node:x", 5},
    {"node:^1", 5},
    {"node:node:1", 5},
    {"NODE:1", 0},
    {" node:1", 1},
    {"^ node:1", 2},
    {" all", 1},
    {"node: all", 6},
    {" ^1", 1},
    {";", 0},
    /* A sign. */
    {"-1", 0},
    {"-2", 0},
    {"-0", 0},
    {" -1", 1},
    {"^-1", 1},
    {"+-1", 0},
    {"0--2", 2},
    {"0-+-2", 2},
    {"node:-1", 5},
    {"node:0--1", 7},
    /* Junk after a number, or after "all". */
    {"3 ", 1},
    {"3 ,4", 1},
    {"0 -3", 1},
    {"0x3", 1},
    {"1.5", 1},
    {"0-3-5", 3},
    {"0-3,5;", 5},
    {"1^2", 1},
    {"node:1 ", 6},
    {"node:0-1-1", 8},
    {"allx", 3},
    {"all ", 3},
    {"all-1", 3},
    {"1,node:allx", 10},
    /* Ranges that go down. */
    {"5-3", 2},
    {"0,5- 3", 5},
    {"node:1-0", 7},
    {"99-5", 3},
    /* "^all". */
    {"^all", 1},
    {"0,^all,x", 3},
    {"^node:all", 6},
    {"^nodes:all", 7},
    /* 2^31, 2^32 and its neighbour that xl takes for CPU 1, 2^64 and + 1. */
    {"2147483648", 0},
    {"4294967296", 0},
    {"4294967297", 0},
    {"18446744073709551616", 0},
    {"18446744073709551617", 0},
    {"99999999999999999999999999999999999999", 0},
    {"0,1-4294967297", 4},
    {"node:4294967297", 5},
    /* The grammar of an element comes before its numbers' existence. */
    {"99x", 2},
    {"node:99x", 7},
};

static void test_malformed(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    unsigned i, flags;

    for (i = 0; i < ARRAY_SIZE(malformed); i++) {
        bool pass = true;

        for (flags = 0; flags <= SKIP; flags++) {
            size_t end = 99;
            int rc = xln_cpumap_parse(malformed[i].text, &node_cpus, flags,
                                      cpus, &end);

            if (rc != -EINVAL || end != malformed[i].end) {
                printf("# rc %d, offset %zu\n", rc, end);
                pass = false;
            }
        }
        ok(pass, "\"%s\" is malformed at %zu", malformed[i].text,
           malformed[i].end);
    }
    xln_cpumap_free(cpus);
}

/* What a set of eight, or the nodes, lack; and the result if that is skipped.
 */
static const struct {
    const char *text;
    size_t end;
    const char *skipped;
} absent[] = {
    {"8", 0, ""},
    {"99", 0, ""},
    {" +99", 1, ""},
    {"0,8", 2, "0"},
    {"6-8", 2, "6-7"},
    {"8-9", 0, ""},
    {"^8", 1, ""},
    {"all,^6-99", 7, "0-5"},
    {"2147483647", 0, ""},
    {"0-2147483647", 2, "0-7"},
    {"all,^0-2147483647", 7, ""},
    {"2147483646-2147483647", 0, ""},
    /* Node 2 does not exist. */
    {"node:2", 5, ""},
    {"node:5", 5, ""},
    {"node:7", 5, ""},
    {"^node:7", 6, ""},
    {"node:1-2", 7, "1,3,5,7"},
    {"node:1-3", 7, "1,3,5,7"},
    {"node:2-3", 5, ""},
    {"all,^node:1-3", 12, "0,2,4,6"},
    {"nodes:0-2147483647", 8, "0-7"},
    {"nodes:2147483647", 6, ""},
    {"nodes:5-2147483647", 6, ""},
    /* Node 4 has CPU 8. */
    {"node:4", 5, "7"},
    {"all,^node:4", 10, "0-6"},
    /* The first thing wrong counts, from left to right. */
    {"8,9", 0, ""},
};

static void test_absent(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(absent); i++) {
        const char *text = absent[i].text;
        size_t end = 99;
        int rc = xln_cpumap_parse(text, &node_cpus, 0, cpus, &end);

        if (!ok(rc == -ERANGE && end == absent[i].end,
                "\"%s\" names an absent one at %zu", text, absent[i].end))
            printf("# rc %d, offset %zu\n", rc, end);
        rc = xln_cpumap_parse(text, &node_cpus, SKIP, cpus, &end);
        ok(!rc && end == strlen(text) &&
               prints_as(xln_cpumap_bits(cpus), absent[i].skipped),
           "\"%s\" without absent numbers is {%s}", text, absent[i].skipped);
    }
    ok(xln_cpumap_parse("8,x", &node_cpus, 0, cpus, NULL) == -ERANGE &&
           xln_cpumap_parse("x,8", &node_cpus, 0, cpus, NULL) == -EINVAL,
       "of two errors the left one is reported");
    xln_cpumap_free(cpus);
}

/* xl takes a turn for every number of a range. Here that'd be many seconds. */
static void test_absent_is_not_walked(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    int rc = xln_cpumap_parse("0-2147483647,^0-2147483647,1-2147483647,"
                              "node:0-2147483647,^node:0-2147483647,"
                              "node:5-2147483647,^node:9-2147483647,"
                              "node:0-2147483647,^node:1-2147483647",
                              &node_cpus, SKIP, cpus, NULL);

    ok(!rc && prints_as(xln_cpumap_bits(cpus), "0,2,4,6"),
       "ranges up to 2147483647 are read");
    xln_cpumap_free(cpus);
}

/* Where "node:" means nothing. */
static void test_without_nodes(void)
{
    static const struct xln_node_cpus none = {0, NULL};
    struct xln_cpumap *cpus = cpus_of(8, "");
    struct xln_nodemap *nodes;
    size_t end;

    must(xln_nodemap_new(8, &nodes));
    ok(xln_cpumap_parse("1,^node:1", NULL, SKIP, cpus, &end) == -EINVAL &&
           end == 3,
       "\"node:\" is malformed where no nodes are given");
    ok(xln_cpumap_parse("node:all", NULL, 0, cpus, &end) == -EINVAL && !end,
       "\"node:all\" is malformed where no nodes are given");
    ok(xln_nodemap_parse("nodes:0-1", 0, nodes, &end) == -EINVAL && !end,
       "\"nodes:\" is malformed in a list of nodes");
    ok(xln_cpumap_parse("node:0", &none, 0, cpus, &end) == -ERANGE &&
           end == 5 && !xln_cpumap_parse("node:0-9", &none, SKIP, cpus, &end),
       "a host without nodes lacks every node");

    ok(!xln_nodemap_parse("all,^1-2", 0, nodes, &end) && end == 8 &&
           prints_as(xln_nodemap_bits(nodes), "0,3-7"),
       "a list of nodes is otherwise like one of CPUs");
    ok(xln_nodemap_parse("0,8", 0, nodes, &end) == -ERANGE && end == 2,
       "a list of nodes names an absent node");
    ok(!xln_nodemap_parse("5-8", SKIP, nodes, &end) &&
           prints_as(xln_nodemap_bits(nodes), "5-7"),
       "absent nodes are skipped if asked for");
    xln_nodemap_free(nodes);
    xln_cpumap_free(cpus);
}

static void test_result(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "0-7");
    size_t end = 99;

    ok(!xln_cpumap_parse("1", &node_cpus, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "1"),
       "what the set had before is gone");
    ok(xln_cpumap_parse("x", &node_cpus, 0, cpus, NULL) == -EINVAL,
       "a failure without end_r is reported, too");
    ok(xln_cpumap_parse("1", NULL, SKIP << 1, cpus, &end) == -EINVAL && !end,
       "an unknown flag is refused");
    xln_cpumap_free(cpus);
}

/* xl reads "node:1" through a set as wide as there are nodes: 64 bits. */
static void test_cpus_above_64(void)
{
    struct xln_cpumap *low = cpus_of(128, "0-63");
    struct xln_cpumap *high = cpus_of(128, "64-127");
    const struct xln_cpumap *sets[] = {low, high};
    struct xln_node_cpus two = {2, sets};
    struct xln_cpumap *cpus = cpus_of(128, "");
    struct xln_cpumap *narrow = cpus_of(64, "");

    ok(!xln_cpumap_parse("node:1", &two, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "64-127"),
       "on 128 CPUs and 2 nodes, \"node:1\" is 64-127");
    ok(!xln_cpumap_parse("all,^node:1", &two, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "0-63"),
       "on 128 CPUs and 2 nodes, \"all,^node:1\" is 0-63");
    ok(xln_cpumap_parse("node:1", &two, 0, narrow, NULL) == -ERANGE,
       "an error is returned if a set cannot hold all CPUs of a node");
    xln_cpumap_free(narrow);
    xln_cpumap_free(cpus);
    xln_cpumap_free(high);
    xln_cpumap_free(low);
}

static void test_parsed_edges(unsigned width)
{
    struct xln_cpumap *cpus = cpus_of(width, "");
    char text[48];
    size_t end;

    ok(!xln_cpumap_parse("all", NULL, 0, cpus, NULL) &&
           xln_cpumap_count(cpus) == width,
       "width %u: \"all\" is every number", width);
    snprintf(text, sizeof(text), "0-%u,^%u", width - 1, width - 1);
    ok(!xln_cpumap_parse(text, NULL, 0, cpus, NULL) &&
           xln_cpumap_count(cpus) == width - 1 &&
           !xln_cpumap_test(cpus, width - 1),
       "width %u: \"%s\" lacks the last number", width, text);
    snprintf(text, sizeof(text), "0-%u", width);
    ok(xln_cpumap_parse(text, NULL, 0, cpus, &end) == -ERANGE && end == 2,
       "width %u: \"%s\" names a number beyond the width", width, text);
    ok(!xln_cpumap_parse(text, NULL, SKIP, cpus, &end) &&
           xln_cpumap_count(cpus) == width &&
           xln_cpumap_next(cpus, width) == XLN_NONE,
       "width %u: \"%s\" can be cut to the width", width, text);
    xln_cpumap_free(cpus);
}

/* ------------------------------------------------------------------ */
/* The parser, against the grammar                                     */
/* ------------------------------------------------------------------ */

/*
 * A second parser, written from the grammar in libxl_numa.h with no thought
 * of speed: an element is what a regular expression says, and every number of
 * the set is asked whether the element means it.
 */
#define NAIVE_CPUS 8
#define NUMBER "[[:space:]]*[+]?([0-9]+)"

static int naive_change(bool *members, unsigned long long first,
                        unsigned long long last, bool nodes, bool add,
                        unsigned flags)
{
    unsigned limit = nodes ? NR_NODES : NAIVE_CPUS, i, cpu;
    bool lacking = last >= limit;

    for (i = 0; i < limit; i++) {
        if (i < first || i > last)
            continue;
        if (!nodes)
            members[i] = add;
        else if (!node_sets[i])
            lacking = true;
        else
            for (cpu = 0; cpu < xln_cpumap_nr_bits(node_sets[i]); cpu++) {
                bool member = xln_cpumap_test(node_sets[i], cpu);

                if (member && cpu < NAIVE_CPUS)
                    members[cpu] = add;
                lacking = lacking || (member && cpu >= NAIVE_CPUS);
            }
    }
    return lacking && !(flags & SKIP) ? -ERANGE : 0;
}

static int naive_elem(const regex_t *regex, const char *elem, bool have_nodes,
                      unsigned flags, bool *members)
{
    regmatch_t match[7];
    unsigned long long first, last;
    bool nodes, add;

    if (regexec(regex, elem, ARRAY_SIZE(match), match, 0))
        return -EINVAL;
    add = match[1].rm_so < 0;
    nodes = match[2].rm_so >= 0;
    if (nodes && !have_nodes)
        return -EINVAL;
    if (match[4].rm_so < 0) {
        memset(members, true, NAIVE_CPUS);
        return add ? 0 : -EINVAL;
    }
    first = last = strtoull(elem + match[4].rm_so, NULL, 10);
    if (match[6].rm_so >= 0)
        last = strtoull(elem + match[6].rm_so, NULL, 10);
    if (first > INT_MAX || last > INT_MAX || last < first)
        return -EINVAL;
    return naive_change(members, first, last, nodes, add, flags);
}

/* Returns which byte the wrong element starts at, in *elem_r. */
static int naive_parse(const regex_t *regex, const char *text, bool have_nodes,
                       unsigned flags, bool *members, size_t *elem_r)
{
    char elem[128];
    size_t at = 0, len;
    int rc = 0;

    memset(members, false, NAIVE_CPUS);
    for (;;) {
        len = strcspn(text + at, ",");
        snprintf(elem, sizeof(elem), "%.*s", (int)len, text + at);
        if (len)
            rc = naive_elem(regex, elem, have_nodes, flags, members);
        *elem_r = at;
        if (rc || !text[at + len])
            return rc;
        at += len + 1;
    }
}

/* Half of the texts are of whole tokens, as few others would be lists. */
static void random_text(char *text, size_t size)
{
    static const char alphabet[] = "0123456789,-^ +nodes:al";
    static const char *const tokens[] = {
        "node:", "nodes:", "all", ",", ",", ",",          ",",          "^",
        "-",     "-",      "+",   " ", "0", "1",          "2",          "3",
        "4",     "5",      "6",   "7", "8", "2147483647", "4294967297",
    };
    bool by_token = random_below(2);
    unsigned left = random_below(by_token ? 10 : 8);
    size_t len = 0;

    text[0] = '\0';
    while (left--) {
        char letter[2] = {alphabet[random_below(sizeof(alphabet) - 1)]};

        len += snprintf(text + len, size - len, "%s",
                        by_token ? tokens[random_below(ARRAY_SIZE(tokens))]
                                 : letter);
    }
}

/* Same result, same members, and an offset within the wrong element. */
static bool agree(const regex_t *regex, const char *text,
                  struct xln_cpumap *cpus, bool have_nodes, unsigned flags,
                  int *rc_r)
{
    bool members[NAIVE_CPUS];
    size_t elem, end = SIZE_MAX;
    int expected = naive_parse(regex, text, have_nodes, flags, members, &elem);
    int rc = xln_cpumap_parse(text, have_nodes ? &node_cpus : NULL, flags, cpus,
                              &end);

    *rc_r = rc;
    if (rc != expected)
        return false;
    if (rc)
        return end >= elem && end <= elem + strcspn(text + elem, ",");
    return end == strlen(text) && has_members(xln_cpumap_bits(cpus), members);
}

static void test_random_texts(unsigned nr_texts)
{
    struct xln_cpumap *cpus = cpus_of(NAIVE_CPUS, "");
    unsigned i, nr_valid = 0, nr_malformed = 0, nr_absent = 0, nr_wrong = 0;
    regex_t regex;

    must(regcomp(&regex, "^(\\^)?(nodes?:)?(all|" NUMBER "(-" NUMBER ")?)$",
                 REG_EXTENDED)
             ? -EINVAL
             : 0);
    for (i = 0; i < nr_texts; i++) {
        char text[128];
        bool have_nodes = random_below(4);
        unsigned flags = random_below(2) ? SKIP : 0;
        int rc;

        random_text(text, sizeof(text));
        if (!agree(&regex, text, cpus, have_nodes, flags, &rc)) {
            nr_wrong++;
            printf("# \"%s\", flags %u, %s nodes: %d\n", text, flags,
                   have_nodes ? "with" : "without", rc);
        }
        nr_valid += !rc;
        nr_malformed += rc == -EINVAL;
        nr_absent += rc == -ERANGE;
    }
    ok(!nr_wrong, "%u random texts are read as the grammar has it", nr_texts);
    if (!ok(nr_valid > nr_texts / 10 && nr_malformed > nr_texts / 10 &&
                nr_absent > nr_texts / 100,
            "the random texts are of every kind"))
        printf("# %u valid, %u malformed, %u absent\n", nr_valid, nr_malformed,
               nr_absent);
    regfree(&regex);
    xln_cpumap_free(cpus);
}

int main(void)
{
    static const unsigned widths[] = {1, 63, 64, 65, 128, 1000, 65536};
    unsigned i;

    make_nodes();
    for (i = 0; i < ARRAY_SIZE(widths); i++)
        test_parsed_edges(widths[i]);
    test_accepted();
    test_malformed();
    test_absent();
    test_absent_is_not_walked();
    test_without_nodes();
    test_result();
    test_cpus_above_64();
    test_random_texts(20000);
    free_nodes();
    return tap_done();
}
