/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts in output of numactl -H, xl info -n and lscpu -p: what is wrong with it
 * is said and where. test-hosts.sh has what is in whole files, test-foreign.c
 * cuts them off and damages them.
 */
#include <errno.h>

#include "host_text.h"
#include "tap.h"

typedef int reader(const char *text, size_t size, struct xln_host **host_r,
                   char **note_r, char **error_r);

static void refuses(reader *read, const char *text, const char *expected,
                    const char *what)
{
    struct xln_host *host = NULL;
    char *note = NULL, *error = NULL, name[300];
    int rc = read(text, strlen(text), &host, &note, &error);

    snprintf(name, sizeof(name), "the error is: %s", what);
    if (rc != -EINVAL || host || note)
        ok(false, "%s: reading it returns %d", what, rc);
    else
        is_str(error, expected, name);
    xln_host_free(host);
    free(note);
    free(error);
}

#define NUMACTL "node 0 cpus: 0-1\nnode 0 size: 4 MB\nnode 0 free: 4 MB\n"

static void test_numactl_errors(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "available: 1 nodes (0)\n",
          "it has no node: expected lines such as \"node 0 size: 4096 MB\"" },
        { "node 0 size: 4 MB\n",
          "no node has a CPU: expected lines such as \"node 0 cpus: 0 1\"" },
        { "node 0 cpus: 0\n", "node 0 has no size: expected a line such as "
                              "\"node 0 "
                              "size: 4096 MB\"" },
        { "node 0 cpus: 0 x\n",
          "line 1: \"x\": expected CPUs, numbers up to 65535" },
        { "\nnode 0 cpus: 3-1\n",
          "line 2: \"\": expected a CPU from 3 to 65535" },
        { "node 0 cpus: 0 0\n", "line 1: CPU 0 appears twice" },
        { "node 0 cpus: 0\nnode 1 cpus: 0\n", "line 2: CPU 0 appears twice" },
        { "node 1024 cpus: 0\n", "line 1: expected nodes up to 1023" },
        { "node 0 size: 4 GB\n",
          "line 1: \" GB\": expected memory such as \"4096 MB\"" },
        { NUMACTL "node 0 size: 4 MB\n",
          "line 4: the size of node 0 appears twice" },
        { NUMACTL "node 0 free: 4 MB\n",
          "line 4: the free memory of node 0 appears twice" },
        { "node 0 cpus: 0\nnode 0 size: 4 MB\nnode 0 free: 5 MB\n",
          "line 3: node 0 has more memory free than it has: expected at most 4 "
          "MiB" },
        { NUMACTL "node distances:\nnode 0 1\n",
          "line 5: \"\": expected the numbers of its nodes" },
        { NUMACTL "node distances:\nnode 0\n  0: 9\n",
          "line 6: expected 1 distances, each from 10 to 255" },
        { NUMACTL "node distances:\nnode 0\n  0: 10 20\n",
          "line 6: \" 20\": expected no more than 1 distances" },
        { NUMACTL "node distances:\nnode 0\n  1: 10\n",
          "line 6: distances of node 1: expected one of its nodes" },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        refuses(xln__host_from_numactl, cases[i].text, cases[i].expected,
                cases[i].expected);
}

#define XL_CPUS "cpu:    core    socket     node\n" \
                "  0:       0        0        0\n"
#define XL_NODES "node:    memsize    memfree    distances\n"

static void test_xl_info_errors(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { XL_NODES "0: 4 4 10\n",
          "it has no cpu_topology: expected output of 'xl info -n'" },
        { XL_CPUS, "node 0 has CPUs, but is not in numa_info: expected output "
                   "of 'xl info -n'" },
        { XL_CPUS "  0:       0        0        0\n",
          "line 3: CPU 0 appears twice" },
        { XL_CPUS "  1:       0        0     1024\n",
          "line 3: expected the CPU's core, its socket and its node, up to "
          "1023" },
        { XL_CPUS XL_NODES "0: 4\n",
          "line 4: expected the node's memory, what of it is free, in MiB, and "
          "its distances" },
        { XL_CPUS XL_NODES "0: 4 5 10\n",
          "line 4: node 0 has more memory free than it has: expected at most 4 "
          "MiB" },
        { XL_CPUS XL_NODES "0: 4 4 10,x\n",
          "line 4: \"x\": expected distances such as \"10,20\", each from 10" },
        { XL_CPUS XL_NODES "0: 4 4 10 20\n",
          "line 4: \" 20\": expected a comma" },
        { XL_CPUS XL_NODES "0: 4 4 10\n0: 4 4 10\n",
          "line 5: node 0 appears twice" },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        refuses(xln__host_from_xl_info, cases[i].text, cases[i].expected,
                cases[i].expected);
}

static void test_lscpu_errors(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "# CPU,Core,Socket,Node\n",
          "it has no CPU: expected rows of 'lscpu -p', such as \"0,0,0,0\"" },
        { "# CPU,Node\n0,x\n", "line 2: Node: \"x\": expected a number up to "
                               "1023, \"-\" or nothing" },
        { "0,0,0,1024\n", "line 1: Node: \"1024\": expected a number up to "
                          "1023, \"-\" or nothing" },
        { "0,0,0,0\n0,0,0,0\n", "line 2: CPU 0 appears twice" },
        { "# Node,CPU\n0,0\n0\n",
          "line 3: expected a row of 'lscpu -p', such as \"0,0,0,0\"" },
        { "0,0,0,0\nhello\n",
          "line 2: expected a row of 'lscpu -p', such as \"0,0,0,0\"" },
        { "65536,0,0,0\n", "line 1: CPU: \"65536\": expected a number up to "
                           "65535, \"-\" or nothing" },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        refuses(xln__host_from_lscpu, cases[i].text, cases[i].expected,
                cases[i].expected);
}

static void test_zero_byte(void)
{
    static const char text[] = "0,0,0,0\n\0";
    struct xln_host *host = NULL;
    char *note = NULL, *error = NULL;
    int rc = xln__host_from_lscpu(text, sizeof(text) - 1, &host, &note, &error);

    ok(rc == -EINVAL && !host && !note, "a zero byte is refused");
    is_str(error, "expected text, not a zero byte",
           "a note names the zero byte");
    free(error);
}

int main(void)
{
    test_numactl_errors();
    test_xl_info_errors();
    test_lscpu_errors();
    test_zero_byte();
    return tap_done();
}
