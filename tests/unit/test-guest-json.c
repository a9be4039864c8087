/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What node-affinity, vcpu-pin and numa-move print with --json. What is defined
 * here stands in for the rest of xl-numa.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "commands/guest_json.h"
#include "tap.h"
#include "text/json.h"
#include "text/units.h"

#define NR_NODES 3
#define NR_CPUS 70

static uint64_t bytes[NR_NODES];
static int complaint;
static bool no_memory;

uint64_t guest_bytes_outside(const struct guest *guest,
                             const struct xln_nodemap *nodes)
{
    uint64_t outside = 0;
    unsigned node;

    for (node = 0; node < NR_NODES; node++)
        if (!xln_nodemap_test(nodes, node))
            outside += guest->bytes[node];
    return outside;
}

struct xln__json *cmd_new_json(const struct cmd_line *line)
{
    (void)line;
    return no_memory ? NULL : xln__json_new_compact();
}

void cmd_complain_of(const struct cmd_line *line, int rc)
{
    (void)line;
    complaint = rc;
}

static const char *json_word;

const char *cmd_value(const struct cmd_line *line, int code)
{
    (void)line;
    return code == OPT_JSON ? json_word : NULL;
}

int cmd_usage(const struct cmd_line *line, const char *fmt, ...)
{
    (void)line;
    (void)fmt;
    return EXIT_USAGE;
}

/* ---- a guest with a hole among its vCPUs ---- */

static struct xln_cpumap *cpus_of(const char *text)
{
    struct xln_cpumap *cpus;
    size_t end;

    if (xln_cpumap_new(NR_CPUS, &cpus) ||
        xln_cpumap_parse(text, NULL, 0, cpus, &end))
        abort();
    return cpus;
}

static void print(const struct guest *guest, const struct guest_moved *moved,
                  char *text, size_t size)
{
    FILE *f = tmpfile();
    int saved = dup(STDOUT_FILENO), code;

    fflush(stdout);
    dup2(fileno(f), STDOUT_FILENO);
    code = guest_print_json(NULL, guest, moved);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(f);
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
    ok(code == (complaint ? EXIT_FAILURE : EXIT_SUCCESS),
       "the exit code is %d", code);
}

#define VCPUS "\"vcpus\":[{\"vcpu\":0,\"hard\":\"0-3,69\",\"soft\":\"69\"}," \
              "{\"vcpu\":2,\"hard\":\"0-69\",\"soft\":\"\"}]}"

static void test_guest(struct guest *guest)
{
    struct guest_moved moved = { 7, 0.25 };
    char text[1024];

    print(guest, NULL, text, sizeof(text));
    is_str(text, "{\"version\":2,\"domain\":{\"name\":\"a \\\"b\\\"\",\"id\":9,"
           "\"node_affinity\":\"1-2\",\"nodes\":null,\"elsewhere_bytes\":null,"
           VCPUS "}\n", "memory that is not recorded is null");
    guest->bytes = bytes;
    bytes[0] = MIB;
    bytes[2] = 3 * GIB;
    print(guest, NULL, text, sizeof(text));
    is_str(text, "{\"version\":2,\"domain\":{\"name\":\"a \\\"b\\\"\",\"id\":9,"
           "\"node_affinity\":\"1-2\",\"nodes\":[{\"node\":0,\"bytes\":1048576},"
           "{\"node\":2,\"bytes\":3221225472}],\"elsewhere_bytes\":1048576,"
           VCPUS "}\n",
           "memory on two nodes is listed, one of them outside the plan");
    print(guest, &moved, text, sizeof(text));
    ok(strstr(text, "]},\"previous_id\":7,\"paused_s\":0.250}\n"),
       "a move is printed as JSON: %s",
       text);
    moved.paused_s = -1;
    print(guest, &moved, text, sizeof(text));
    ok(strstr(text, ",\"paused_s\":null}\n"),
       "a move with an unknown pause is printed as JSON: %s", text);
    no_memory = true;
    print(guest, NULL, text, sizeof(text));
    ok(complaint == -ENOMEM, "running out of memory is reported");
    is_str(text, "", "nothing is printed if memory runs out");
}

static void test_check(void)
{
    struct cmd_line line = { .dry_run = true };

    ok(guest_check_json(&line) == EXIT_SUCCESS, "a dry run is accepted");
    json_word = "";
    ok(guest_check_json(&line) == EXIT_USAGE,
       "a dry run together with --json is refused");
    line.dry_run = false;
    ok(guest_check_json(&line) == EXIT_SUCCESS, "--json alone is accepted");
}

int main(void)
{
    struct xln_vcpu vcpus[3] = { { .exists = true }, { 0 }, { .exists = true } };
    struct xln_domain domain = { .nr_vcpus = 3, .vcpus = vcpus };
    struct guest guest = {
        .domid = 9, .name = (char *)"a \"b\"", .domain = &domain,
    };

    vcpus[0].hard = cpus_of("0-3,69");
    vcpus[0].soft = cpus_of("69");
    vcpus[2].hard = cpus_of("0-69");
    if (xln_cpumap_new(NR_CPUS, &vcpus[2].soft) ||
        xln_nodemap_new(NR_NODES, &domain.nodes) ||
        xln__host_new(NR_CPUS, NR_NODES, 0, &guest.host))
        return 1;
    xln_nodemap_set(domain.nodes, 1);
    xln_nodemap_set(domain.nodes, 2);
    test_guest(&guest);
    test_check();
    xln_host_free(guest.host);
    xln_nodemap_free(domain.nodes);
    xln_cpumap_free(vcpus[0].hard);
    xln_cpumap_free(vcpus[0].soft);
    xln_cpumap_free(vcpus[2].hard);
    xln_cpumap_free(vcpus[2].soft);
    return tap_done();
}
