/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots that are refused: wrong, too large, cut off or damaged. */
#include "snapshots.h"

/* ---- what is refused ---- */

static const struct {
    const char *old, *new, *line;
} refusals[] = {
    { "1073741824, \"free_bytes\": 4096000",
      "1073741824, \"free_bytes\": \"x\"",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not \"x\"" },
    { "\"free_bytes\": 4096000", "\"free_bytes\": 1073741825",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not 1073741825" },
    { "\"dma_bytes\": 4096", "\"dma_bytes\": 4096001",
      "11: nodes[0].dma_bytes: expected a number up to free_bytes (4096000), "
      "not 4096001" },
    { "1073741824", "4503599627370497",
      "11: nodes[0].total_bytes: expected a number up to 4503599627370496, "
      "not 4503599627370497" },
    { "4096000", "-1", "11: nodes[0].free_bytes: expected a number up to "
      "total_bytes (1073741824), not -1" },
    { "4096000", "1e3", "11: nodes[0].free_bytes: expected a number up to "
      "total_bytes (1073741824), not 1e3" },
    { "4096000", "18446744073709551616", "11: nodes[0].free_bytes: expected "
      "a number up to total_bytes (1073741824), not 18446744073709551616" },
    { "4096000", "111111111111111111111111111111111111111111111",
      "11: nodes[0].free_bytes: expected a number up to total_bytes "
      "(1073741824), not 1111111111111111111111111111111111111111..." },
    { "\"reserved_bytes\": 0", "\"reserved\": 0",
      "11: nodes[0].reserved_bytes: expected a number up to 4503599627370496, "
      "but it is missing" },
    { "\"node\": 3", "\"node\": 0", "12: nodes[1].node: expected each number "
      "once, but 0 appears twice" },
    { "\"node\": 3", "\"node\": 1024", "12: nodes[1].node: expected a number "
      "up to 1023, not 1024" },
    { "\"cpu\": 2", "\"cpu\": 65536", "8: cpus[1].cpu: expected a number up "
      "to 65535, not 65536" },
    { "\"node\": null", "\"node\": 1", "8: cpus[1].node: expected the number "
      "of one of the nodes, not 1" },
    { "\"node\": null", "\"node\": 4", "8: cpus[1].node: expected a number up "
      "to 3, or null, not 4" },
    { "\"online\": false", "\"online\": 0", "8: cpus[1].online: expected true "
      "or false, not 0" },
    { ", \"online\": false", "", "8: cpus[1].online: expected true or false, "
      "but it is missing" },
    { "{ \"cpu\": 0, \"node\": 0, \"socket\": 0, \"core\": 0, \"online\": "
      "true }", "[ ]", "7: cpus[0]: expected an object, not an empty list" },
    { "\"pools\": [", "\"pools\": null, \"p\": [", "18: pools: expected a "
      "list, not null" },
    { "\"pools\"", "\"pool\"", "1: pools: expected a list, but it is missing" },
    { "[ 21, 10 ]", "[ 21, 10, 20 ]", "16: distances[1]: expected 2 "
      "distances, one for each node, not 3" },
    { "[ 21, 10 ]", "{ }", "16: distances[1]: expected a list of 2 distances, "
      "not an object" },
    { "[ 10, null ],\n", "", "14: distances: expected 2 rows, one for each "
      "node, not 1" },
    { "[ 21, 10 ]", "[ 4294967295, 10 ]", "16: distances[1][0]: expected a "
      "number up to 4294967294, or null, not 4294967295" },
    { "\"0,2\"", "\"0,3\"", "19: pools[0].cpus: expected CPU numbers up to 2, "
      "such as \"0-3,8\", not \"0,3\"" },
    { "\"0,2\"", "[ 0, 2 ]", "19: pools[0].cpus: expected CPU numbers such as "
      "\"0-3,8\", not a list" },
    { "\"0,2\"", "\"node:0\"", "19: pools[0].cpus: expected CPU numbers up to "
      "2, such as \"0-3,8\", not \"node:0\"" },
    { "00:1f.2", "00:20.0", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:20.0\"" },
    { "00:1f.2", "00:1F.2", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:1F.2\"" },
    { "00:1f.2", "00:1f.2x", "22: pci_devices[0].device: expected an address "
      "such as \"0000:03:00.1\", not \"0000:00:1f.2x\"" },
    { "\"domid\": 7", "\"domid\": 32752", "44: domains[1].domid: expected a "
      "number from 1 to 32751, not 32752" },
    { "\"01234567-", "\"0123456-", "46: domains[1].uuid: expected a UUID such "
      "as \"01234567-89ab-cdef-0123-456789abcdef\", not \"0123456-89ab-cdef-"
      "0123-456789abcdef\"" },
    { "\"nodes\": null", "\"nodes\": \"\"", "54: domains[1].nodes: expected "
      "null for a dying domain, not \"\"" },
    { "\"vcpus\": [\n            ]", "\"vcpus\": [ null ]",
      "55: domains[1].vcpus: expected no vCPU of a dying domain, not a list" },
    { "\"nodes\": \"0-3\"", "\"nodes\": \"0-4\"", "37: domains[0].nodes: "
      "expected node numbers up to 3, such as \"0-3,8\", not \"0-4\"" },
    { "\"hard\": \"0-2\"", "\"hard\": \"0-\"", "39: domains[0].vcpus[0].hard: "
      "expected CPU numbers up to 2, such as \"0-3,8\", not \"0-\"" },
    { "\"best\"", "5", "36: domains[0].request.nodes_policy: expected a text, "
      "not 5" },
    { "\"Domain-0\"", "[ 1 ]", "28: domains[0].name: expected a text or null, "
      "not a list" },
    { "18446744073709551615", "18446744073709551616", "39: domains[0].vcpus[0]"
      ".time_ns: expected a number up to 18446744073709551615, not "
      "18446744073709551616" },
    { "\"4.17\"", "\"4\"", "3: xen: expected a release such as \"4.17\", or "
      "null, not \"4\"" },
    { "\"version\": 2", "\"version\": 3", "2: version: expected 1 to 2, not "
      "3: the file needs a newer libxl-numa than " PACKAGE_VERSION },
    { "\"version\": 2", "\"version\": 0", "2: version: expected a number from "
      "1 to 4294967295, not 0" },
    { "\"version\": 2", "\"version\": \"1\"", "2: version: expected a number "
      "from 1 to 4294967295, not \"1\"" },
    { "\"xen1\"", "1", "4: host_name: expected a text or null, not 1" },
    { "1795996800", "\"now\"", "5: time_s: expected a number from 1 to "
      "1099511627776, not \"now\"" },
    { "1795996800", "0", "5: time_s: expected a number from 1 to "
      "1099511627776, not 0" },
    { "\"memory\": null", "\"memory\": 5", "52: domains[1].memory: expected an "
      "object or null, not 5" },
    { "\"count\"", "\"guess\"", "35: domains[0].memory.source: expected "
      "\"build\" or \"count\", not \"guess\"" },
    { "1795996799", "-1", "35: domains[0].memory.time_s: expected a number "
      "from 1 to 1099511627776, not -1" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 2, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected the number of one of the "
      "nodes, not 2" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 0, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected a number from 1 to 1023, "
      "not 0" },
    { "{ \"node\": 3, \"bytes\"", "{ \"node\": 4, \"bytes\"",
      "35: domains[0].memory.nodes[1].node: expected a number up to 3, not 4" },
    { "\"bytes\": 8192", "\"bytes\": 0",
      "35: domains[0].memory.nodes[1].bytes: expected a number from 1 to "
      "4503599627370496, not 0" },
    { "\"socket\": 1", "\"cpu\": 1", "8: cpus[1].cpu: expected once, but it "
      "appears twice" },
    { "\"Domain-0\"", "\"a\\u0000b\"", "28: domains[0].name: expected UTF-8 "
      "without a zero" },
    { "\"Domain-0\"", "\"\\ude00\"", "28: domains[0].name: expected UTF-8 "
      "without a zero" },
    { "\"Domain-0\"", "\"\xed\xa0\x80\"", "28: domains[0].name: expected "
      "UTF-8 without a zero" },
    { "\"nodes\": \"0-1\"", "\"\\u0000\": \"0-1\"", "36: expected a key of "
      "UTF-8 without a zero" },
    { "\"nodes\": \"0-1\"", "\"a\\u001bb\": 1, \"c\": \"0-1\"",
      "36: domains[0].request.a?b: expected a text, not 1" },
    { "\"Domain-0\"", "Domain-0", "28: expected JSON: lexical error: invalid "
      "char in json text" },
    { "\"nodes_policy\": ", "", "36: expected JSON: parse error: object key "
      "and value must be separated by a colon (':')" },
    { "]\n}\n", "]\n", "59: expected JSON: parse error: premature EOF" },
    { "]\n}\n", "]\n}\n7\n", "60: expected JSON: parse error: trailing "
      "garbage" },
};

static void is_refused(const char *text, int expected_rc, const char *line,
                       const char *what)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;
    int rc;

    rc = load(text, strlen(text), &snapshot, &error);
    ok(rc == expected_rc && !snapshot, "%s: the file is refused", what);
    is_str(error, line, "the error names this line");
    xln_snapshot_free(snapshot);
    free(error);
}

static void test_refusals(void)
{
    char line[256], *text;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(refusals); i++) {
        text = changed(refusals[i].old, refusals[i].new);
        snprintf(line, sizeof(line), "h.json:%s", refusals[i].line);
        is_refused(text, -EINVAL, line, refusals[i].line);
        free(text);
    }
    is_refused("[ ]", -EINVAL, "h.json:1: expected an object, not an empty "
               "list", "a list");
    is_refused("\n5", -EINVAL, "h.json:2: expected an object, not 5",
               "a number");
    is_refused("{ }", -EINVAL, "h.json:1: version: expected a number from 1 "
               "to 4294967295, but it is missing",
               "an empty object");
    is_refused("\n\n ", -EINVAL, "h.json:3: expected JSON: parse error: "
               "premature EOF", "an empty file");
}

/* What may be in a file, and what may be missing. */
static void test_open_form(void)
{
    static const char *const changes[][2] = {
        { "\"xen\": \"4.17\",", "" },
        { "\"xen\": \"4.17\",", "\"xen\": null," },
        { "\"name\": null,", "" },
        { "\"request\": null,", "" },
        { "\"version\": 2,", "\"version\": 2, \"made_by\": [ { } ]," },
        { "\"host_name\": \"xen1\",", "" },
        { "\"time_s\": 1795996800,", "\"time_s\": null," },
        { "\"memory\": null,", "" },
        { "\"core\": 4", "\"core\": 4, \"thread\": { \"node\": \"x\" }" },
        { "\"0,2\"", "\"all,^1\"" },
        { "\"pci_devices\"", "\"devices\"" },
        { "\"domains\"", "\"guests\"" },
    };
    struct xln_snapshot *snapshot;
    size_t i;
    char *text;

    for (i = 0; i < ARRAY_SIZE(changes); i++) {
        text = changed(changes[i][0], changes[i][1]);
        snapshot = loaded(text);
        ok(snapshot,
           "a file with %s instead of %s is "
           "read", changes[i][1], changes[i][0]);
        if (snapshot)
            ok(snapshot->devices_known == (i != 10) &&
               !!snapshot->domains == (i != 11),
               "the rest of such a file is known");
        xln_snapshot_free(snapshot);
        free(text);
    }
}

/* ---- what is bounded ---- */

static char *repeated(const char *start, const char *part, unsigned nr,
                      const char *end)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    need(f, "memory");
    fputs(start, f);
    while (nr--)
        fputs(part, f);
    fputs(end, f);
    fclose(f);
    return text;
}

static ssize_t blanks(void *cookie, char *buffer, size_t size)
{
    (void)cookie;
    memset(buffer, ' ', size);
    return size;
}

static ssize_t broken(void *cookie, char *buffer, size_t size)
{
    (void)cookie;
    (void)buffer;
    (void)size;
    errno = EIO;
    return -1;
}

static int load_stream(cookie_read_function_t *read_some, char **error)
{
    struct xln_snapshot *snapshot;
    FILE *f = fopencookie(NULL, "r",
                          (cookie_io_functions_t){ .read = read_some });
    int rc;

    need(f, "fopencookie");
    rc = xln_snapshot_load(f, "h.json", &snapshot, error);
    fclose(f);
    return rc;
}

static void test_streams(void)
{
    char *error = NULL;

    ok(load_stream(blanks, &error) == -EFBIG, "a file without end is refused");
    is_str(error, "h.json: expected no more than 64 MiB",
           "the error says why a file without an end is refused");
    free(error);
    error = NULL;
    ok(load_stream(broken, &error) == -EIO && !error,
       "a file that cannot be read is an error");
}

static void test_bounds(void)
{
    char *text, *part, keys[65 * 8 + 1] = "";
    unsigned i;

    text = repeated("", "[", 100000, "");
    is_refused(text, -EINVAL, "h.json:1: [0][0][0][0][0][0][0][0][0][0][0][0]"
               "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: "
               "expected no more than 32 levels", "deep nesting");
    free(text);
    text = repeated("[\n7", ",7", 1u << 22, "]");
    is_refused(text, -EFBIG, "h.json:2: [4194303]: expected no more than "
               "4194304 values in a file", "too many values");
    free(text);
    for (i = 0; i < 65; i++)
        sprintf(keys + strlen(keys), "%s\"k%u\":1", i ? "," : "", i);
    text = repeated("{", keys, 1, "}");
    is_refused(text, -EINVAL, "h.json:1: k64: expected no more than 64 keys",
               "too many keys");
    free(text);

    part = repeated("\"vcpus\": [ null", ", null", 20000, "], \"v\": [");
    text = changed("\"vcpus\": [", part);
    free(part);
    part = replaced(text, "\"cpu\": 2", "\"cpu\": 65535");
    is_refused(part, -EFBIG, "h.json:38: domains[0].vcpus: expected no more "
               "than 16384 vCPUs in a file with 65536 CPUs",
               "large sets for many vCPUs");
    free(text);
    free(part);
}

/* ---- damage ---- */

/* An error with a line, or a host that can be used. */
static bool is_survived(const char *text, size_t size)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL, *again;
    int rc = load(text, size, &snapshot, &error);

    if (rc) {
        bool fine = (rc == -EINVAL || rc == -EFBIG) && error && !snapshot;

        free(error);
        return fine;
    }
    again = saved(snapshot);
    xln_snapshot_free(snapshot);
    snapshot = loaded(again);
    free(again);
    xln_snapshot_free(snapshot);
    return snapshot;
}

static void test_damage(void)
{
    size_t size = strlen(full), i, nr = 0;
    char *text = strdup(full);

    need(text, "memory");
    /* Without the newline it is all there. */
    for (i = 1; i < size - 1; i++) {
        struct xln_snapshot *snapshot = NULL;
        char *error = NULL;

        nr += load(full, i, &snapshot, &error) == -EINVAL && error;
        free(error);
        xln_snapshot_free(snapshot);
    }
    ok(nr == size - 2, "a file cut short anywhere is refused");
    for (i = nr = 0; i < 8 * size; i++) {
        text[i / 8] ^= 1 << i % 8;
        nr += is_survived(text, size);
        text[i / 8] ^= 1 << i % 8;
    }
    ok(nr == 8 * size,
       "a file with any bit flipped is refused, or is a valid host");
    free(text);
}

int main(void)
{
    test_refusals();
    test_open_form();
    test_streams();
    test_bounds();
    test_damage();
    return tap_done();
}
