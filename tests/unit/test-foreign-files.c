/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of tests/hosts, each read, cut off and damaged; and the words that
 * name a host. test-hosts.sh has what is in the files.
 */
#include "foreign-hosts.h"

/* ---- files ---- */

struct file {
    char *name, *text;
    size_t size;
};

static struct file load(const char *dir, const char *name)
{
    struct file file = { NULL, calloc(1, 1 << 20), 0 };
    FILE *f;

    if (asprintf(&file.name, "%s/%s", dir, name) < 0 || !file.text)
        abort();
    f = fopen(file.name, "r");
    if (!f)
        abort();
    file.size = fread(file.text, 1, 1 << 20, f);
    fclose(f);
    return file;
}

/* The result is a host or a line; sanitizers see the rest. */
static void try_text(reader *from, const char *text, size_t size)
{
    char *error;

    xln_host_free(read_host(from, text, size, &error));
    free(error);
}

static void test_cut_off(reader *from, const struct file *file)
{
    const char *last = memrchr(file->text, '>', file->size);
    size_t end = last ? last - file->text : 0;

    /* In a block of exactly its size, so that a sanitizer sees a read beyond
     * the end. */
    for (size_t size = 0; size < end; size += 1 + file->size / 200) {
        char *text = malloc(size + 1), *error;
        struct xln_host *host;

        memcpy(text, file->text, size);
        text = realloc(text, size ? size : 1);
        host = read_host(from, text, size, &error);
        free(text);
        free(error);
        if (host) {
            ok(false,
               "%s, %zu bytes of it: part of a file is "
               "refused", file->name, size);
            xln_host_free(host);
            return;
        }
    }
    ok(true, "%s: part of a file is refused", file->name);
}

static void test_damaged(reader *from, const struct file *file)
{
    unsigned random = 1;
    char *text = malloc(file->size);

    for (unsigned i = 0; i < 500; i++) {
        memcpy(text, file->text, file->size);
        for (unsigned flips = 1 + i % 3; flips; flips--) {
            random = random * 1103515245 + 12345;
            text[(random >> 8) % file->size] ^= 1 << random % 8;
        }
        try_text(from, text, file->size);
    }
    free(text);
    ok(true, "%s: damaged files do no harm", file->name);
}

/* Each allocation fails once. */
static void test_no_memory(reader *from, const struct file *file)
{
    struct xln_host *host = NULL;
    char *note = NULL, *error = NULL;
    unsigned nth;
    int rc = -ENOMEM;

    for (nth = 1; rc == -ENOMEM; nth++) {
        fake_alloc_fail(nth);
        rc = from(file->text, file->size, &host, &note, &error);
        fake_alloc_fail(0);
        if (rc && error)
            break;
    }
    ok(rc == 0 && nth > 5, "%s: running out of memory is -ENOMEM", file->name);
    xln_host_free(host);
    free(note);
    free(error);
}

static bool is_same_cpu(const struct xln_host_cpu *a,
                        const struct xln_host_cpu *b)
{
    if (!a || !b)
        return a == b;
    return a->online == b->online && a->node == b->node &&
           a->socket == b->socket && a->core == b->core;
}

static bool is_same_node(const struct xln_host *a, const struct xln_host *b,
                         unsigned node)
{
    for (unsigned to = 0; to < xln_host_nr_nodes(a); to++)
        if (xln_host_distance(a, node, to) != xln_host_distance(b, node, to))
            return false;
    return xln_host_node(a, node)->total_bytes ==
               xln_host_node(b, node)->total_bytes &&
           xln_cpumap_equal(xln_host_node(a, node)->cpus,
                            xln_host_node(b, node)->cpus);
}

/* Except for free memory. `online`: except for CPUs that are offline. */
static bool is_same(const struct xln_host *a, const struct xln_host *b,
                    bool online)
{
    unsigned node, cpu;

    if (!xln_nodemap_equal(xln_host_nodes(a), xln_host_nodes(b)))
        return false;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(a))
        if (!is_same_node(a, b, node))
            return false;
    for (cpu = 0; cpu < xln_host_nr_cpus(a); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(a, cpu);

        if (!(online && c && !c->online) &&
            !is_same_cpu(c, xln_host_cpu(b, cpu)))
            return false;
    }
    return online || xln_host_nr_cpus(a) == xln_host_nr_cpus(b);
}

/* Out in one form, and in again. */
static void test_round_trip(const struct xln_host *host, const char *name,
                            int (*print)(const struct xln_host *, FILE *),
                            reader *from, bool online)
{
    struct xln_host *again;
    char *text, *error;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (print(host, f) || fclose(f))
        abort();
    again = read_host(from, text, size, &error);
    ok(again && is_same(host, again, online),
       "%s: a host that is written as %s is read back the same",
       name, from == xln__host_from_hwloc ? "hwloc's XML" : "libvirt's XML");
    xln_host_free(again);
    free(error);
    free(text);
}

static bool has_homeless(const struct xln_host *host)
{
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online && c->node == XLN_NONE)
            return true;
    }
    return false;
}

static void test_file(reader *from, const char *dir, const char *name)
{
    struct file file = load(dir, name);
    struct xln_host *host;
    char *error;

    host = read_host(from, file.text, file.size, &error);
    if (ok(host, "%s: the file is read as a host", file.name)) {
        test_round_trip(host, name, xln_host_save_hwloc,
                        xln__host_from_hwloc, false);
        /* libvirt has no word for CPUs on no node. */
        if (!has_homeless(host))
            test_round_trip(host, name, virsh_print_topology,
                            xln__host_from_capabilities, true);
    }
    xln_host_free(host);
    free(error);
    /* The first lines of a text may well be a host. */
    if (from != read_printed)
        test_cut_off(from, &file);
    test_damaged(from, &file);
    test_no_memory(from, &file);
    free(file.name);
    free(file.text);
}

static void test_files(reader *from, const char *kind, const char *ending)
{
    const char *top = getenv("top_srcdir");
    struct dirent **entries;
    char *dir;
    int nr;

    if (asprintf(&dir, "%s/tests/hosts/%s", top ? top : ".", kind) < 0)
        abort();
    nr = scandir(dir, &entries, NULL, alphasort);
    ok(nr > 4, "%s: the directory has files", dir);
    for (int i = 0; i < nr; i++) {
        const char *name = entries[i]->d_name, *dot = strrchr(name, '.');

        if (dot && !strcmp(dot, ending))
            test_file(from, dir, name);
        free(entries[i]);
    }
    free(nr < 0 ? NULL : entries);
    free(dir);
}

/* ---- sources ---- */

static void source_is(const char *word, int expected_rc, const char *expected)
{
    struct xln_snapshot *snapshot = NULL;
    char *note = NULL, *error = NULL, what[200];
    int rc;

    rc = xln_snapshot_open(word, &snapshot, &note, &error);
    snprintf(what, sizeof(what), "%s: the %s is right", word,
             rc ? "error" : "note");
    is_str(rc ? error : note, expected, what);
    ok(rc == expected_rc, "%s: opening it returns %d", word, rc);
    xln_snapshot_free(snapshot);
    free(note);
    free(error);
}

static void file_is(const char *text, int expected_rc, const char *expected)
{
    char name[] = "test-foreign-XXXXXX", *line;
    int fd = mkstemp(name);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    close(fd);
    if (asprintf(&line, "%s%s%s", expected_rc ? name : "",
                 expected_rc ? ": " : "", expected) < 0)
        abort();
    source_is(name, expected_rc, line);
    unlink(name);
    free(line);
}

static void test_large_file(void)
{
    char name[] = "test-foreign-XXXXXX", *line;
    int fd = mkstemp(name);

    if (fd < 0 || write(fd, "<", 1) != 1 ||
        ftruncate(fd, XLN__XML_MAX_BYTES + 1) ||
        asprintf(&line, "%s: it is larger than 64 MiB", name) < 0)
        abort();
    close(fd);
    source_is(name, -EFBIG, line);
    unlink(name);
    free(line);
}

#define NO_KIND "expected JSON of xl numa-snapshot, XML of hwloc or libvirt, " \
                "or output of numactl -H, xl info -n or lscpu -p"

static void test_sources(void)
{
    file_is("<topology><object type='Machine'>" PU0 "</object></topology>", 0,
            "it has no NUMA node: all is assumed to be node 0; it has no sizes "
            "of memory");
    file_is("<topology><cells><cell id='0'><memory>4</memory>" CPU0
            "</cell></cells></topology>", 0,
            "it has no cores: each CPU is assumed to be a core; all memory is "
            "assumed to be free");
    file_is("<capabilities>\n<host/></capabilities>", -EINVAL,
            "it has no <topology> with a <cell>");
    file_is("<domain><name/></domain>", -EINVAL,
            "<domain> with <name>: expected <topology> of hwloc, or "
            "<capabilities> or <topology> of libvirt");
    file_is("<topology>\n<object type='Machine'>\n<object", -EINVAL,
            "line 3: not XML: unclosed token");
    file_is("memory = 512", -EINVAL, NO_KIND);
    file_is("", -EINVAL, NO_KIND);
    test_large_file();
    source_is("nosuch.json", -ENOENT, "nosuch.json: No such file or directory");
    source_is("./node:4", -ENOENT, "./node:4: No such file or directory");
    source_is("/", -EISDIR, "/: Is a directory");
}

#if HAVE_HWLOC
static void test_synthetic(void)
{
    struct xln_host *host;
    char *note, *error = NULL;

    ok(!xln__host_from_synthetic("node:4 core:8 pu:2", &host, &note, &error) &&
       xln_host_nr_nodes(host) == 4 && xln_host_nr_cpus(host) == 64 &&
       xln_cpumap_count(xln_host_node(host, 3)->cpus) == 16 &&
       xln_host_cpu(host, 62)->core == xln_host_cpu(host, 63)->core &&
       xln_host_cpu(host, 61)->core != xln_host_cpu(host, 62)->core,
       "node:4 core:8 pu:2 is read as hwloc reads it");
    is_str(note, "all memory is assumed to be free; missing distances are "
           "assumed to be 10 and 20; each node is assumed to have 1 GiB",
           "a note names what a synthetic description leaves out");
    xln_host_free(host);
    free(note);

    source_is("node:64 core:128 pu:1", 0, "all memory is assumed to be free; "
              "missing distances are assumed to be 10 and 20; each node is "
              "assumed to have 1 GiB");
    source_is("node:2(memory=4GiB) core:2 pu:1", 0, "all memory is assumed to "
              "be free; missing distances are assumed to be 10 and 20");
    source_is("node:64 core:128 pu:2", -EINVAL, "node:64 core:128 pu:2: "
              "expected at most 8192 CPUs and 32768 objects");
    source_is("node:4 core:18446744073709551615 pu:2", -EINVAL,
              "node:4 core:18446744073709551615 pu:2: expected at most 8192 "
              "CPUs and 32768 objects");
    source_is("pu:8192 l1:1 l1:1 l1:1 l1:1", -EINVAL,
              "pu:8192 l1:1 l1:1 l1:1 l1:1: expected at most 8192 CPUs and "
              "32768 objects");
    source_is("apple:2 pu:2", -EINVAL, "apple:2 pu:2: hwloc rejects it: "
                                       "expected a string such as \"node:4 "
                                       "core:8 pu:2\"");
    source_is("numa:3(indexes=2,2,7) pu:2", -EINVAL, "numa:3(indexes=2,2,7) "
              "pu:2: NUMANode 2 appears twice");
}
#else
static void test_synthetic(void)
{
    source_is("node:4 core:8 pu:2", -ENOSYS, "node:4 core:8 pu:2: synthetic "
              "strings need hwloc, and this was built without it");
}
#endif

int main(void)
{
    test_files(xln__host_from_hwloc, "hwloc", ".xml");
    test_files(xln__host_from_capabilities, "libvirt", ".xml");
    test_files(read_printed, "printed", ".txt");
    test_sources();
    test_synthetic();
    return tap_done();
}
