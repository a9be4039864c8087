/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every host in tests/hosts, changed in many ways, the same each time: there
 * is a clear error, or a host, which then is planned for and written in both
 * forms, and read again. And files that would be large in memory. All of it
 * with little memory, and an end: neither is left to the machine.
 *
 *   HOSTILE_ROUNDS=N    so many changes of each host, instead of 100
 *   HOSTILE_SEED=N      others
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host_hwloc.h"
#include "libxl_numa_foreign.h"
#include "libxl_numa.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_BYTES (1u << 16)    /* of a host that is changed */
#define MEMORY_LIMIT (1024 * MIB)
#define SECONDS_LIMIT 600       /* of the CPU: what hangs is ended */

static void check(bool good, const char *what)
{
    if (good)
        return;
    printf("Bail out! %s\n", what);
    exit(1);
}

static unsigned number_from(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* ------------------------------------------------------------------ */
/* Changes                                                              */
/* ------------------------------------------------------------------ */

struct text {
    char *bytes;
    size_t size, room;
};

/* Instead of `old_size` bytes at `at`; as far as there is room. */
static void replace(struct text *t, size_t at, size_t old_size,
                    const char *new, size_t size)
{
    if (t->size - old_size + size > t->room)
        return;
    memmove(t->bytes + at + size, t->bytes + at + old_size,
            t->size - at - old_size);
    memcpy(t->bytes + at, new, size);
    t->size += size - old_size;
}

static void flip(struct text *t)
{
    t->bytes[random_below(t->size)] ^= 1 << random_below(8);
}

static void cut(struct text *t)
{
    t->size = random_below(t->size) + 1;
}

/* Something that means something, where it does not belong. */
static void insert(struct text *t)
{
    static const char *const words[] = {
        "{", "}", "[", "]", "<", ">", "/", "\"", "'", ",", ":", "&", "%", "-",
        "null", "true", "\\u0000", "\\ud800", "\"version\": 2,", "]]>",
        "<!--", "<![CDATA[", "<?xml?>", "&#0;", "&#x110000;", "\xff\xfe",
        "\x1b[2J", "0xffffffff", "all", "^", "0-65535",
    };
    const char *word = words[random_below(ARRAY_SIZE(words))];

    replace(t, random_below(t->size), 0, word, strlen(word));
}

/* One that is at a bound of some type, or beyond it. */
static void change_number(struct text *t)
{
    static const char *const numbers[] = {
        "0", "-1", "1", "2", "255", "256", "1023", "1024", "65535", "65536",
        "2147483647", "2147483648", "4294967295", "4294967296",
        "4503599627370496", "4503599627370497", "9223372036854775807",
        "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "1e3", "1e999", "0.5", "00", "",
        "99999999999999999999999999999999999999999999999999",
    };
    const char *number = numbers[random_below(ARRAY_SIZE(numbers))];
    size_t at = random_below(t->size), end;

    while (at < t->size && !strchr("0123456789", t->bytes[at]))
        at++;
    for (end = at; end < t->size && strchr("0123456789", t->bytes[end]); end++)
        ;
    replace(t, at, end - at, number, strlen(number));
}

/* From the start of the line with a random place, to that of another. */
static void some_lines(const struct text *t, size_t *at_r, size_t *size_r)
{
    size_t at = random_below(t->size), end;
    unsigned lines = 1 + random_below(8);

    while (at && t->bytes[at - 1] != '\n')
        at--;
    for (end = at; end < t->size && lines; end++)
        lines -= t->bytes[end] == '\n';
    *at_r = at;
    *size_r = end - at;
}

static void drop_lines(struct text *t)
{
    size_t at, size;

    some_lines(t, &at, &size);
    if (size < t->size)
        replace(t, at, size, "", 0);
}

/* Elements that appear twice, or in another place. */
static void copy_lines(struct text *t)
{
    size_t from, size, at, ignored;
    char *lines;

    some_lines(t, &from, &size);
    some_lines(t, &at, &ignored);
    lines = malloc(size + 1);
    check(lines, "no memory");
    memcpy(lines, t->bytes + from, size);
    replace(t, at, 0, lines, size);
    free(lines);
}

static void (*const changes[])(struct text *t) = {
    flip, cut, insert, change_number, change_number, drop_lines, copy_lines,
};

static void change(struct text *t)
{
    unsigned nr = 1 + random_below(3);

    while (nr--)
        changes[random_below(ARRAY_SIZE(changes))](t);
}

/* ------------------------------------------------------------------ */
/* Results */
/* ------------------------------------------------------------------ */

/* Files in memory: most are written for one look. */
static char path[64], again[64];

static void new_file(char *name)
{
    int fd = memfd_create("host", 0);

    check(fd >= 0, "memfd_create");
    sprintf(name, "/proc/self/fd/%d", fd);
}

static void write_file(const char *file, const char *bytes, size_t size)
{
    FILE *f = fopen(file, "w");

    check(f && fwrite(bytes, 1, size, f) == size && !fclose(f), file);
}

/* One line, of the file, for a terminal. */
static const char *wrong_with_error(int rc, const char *error)
{
    if (rc != -EINVAL && rc != -EFBIG)
        return strerror(-rc);
    if (!error || strncmp(error, path, strlen(path)) ||
        error[strlen(path)] != ':')
        return "no error that names the file";
    for (; *error; error++)
        if ((unsigned char)*error < ' ' || *error == 0x7f)
            return "what a terminal would obey";
    return NULL;
}

static const char *wrong_with_plans(const struct xln_host *host)
{
    struct xln_need need = { .memory_bytes = 600 * MIB, .nr_vcpus = 3 };
    const char *const *name;

    for (name = xln_policy_names(); *name; name++) {
        struct xln_request *request;
        struct xln_plan *plan;
        uint64_t bytes = 0;
        int rc;

        check(!xln_request_new(&request), "no memory");
        request->policy = xln_policy_by_name(*name);
        rc = xln_place(host, request, &need, &plan);
        xln_request_free(request);
        if (rc)
            return "no plan can be made for it";
        for (unsigned i = 0; i < plan->nr_shares; i++)
            bytes += plan->shares[i].bytes;
        rc = plan->verdict != XLN_NOTHING_FITS && bytes != 600 * MIB;
        xln_plan_free(plan);
        if (rc)
            return "a plan has another size";
    }
    return NULL;
}

/* In the one form or the other: read again it is a host. */
static const char *wrong_with_copy(const struct xln_snapshot *snapshot,
                                   bool for_lstopo)
{
    struct xln_snapshot *copy = NULL;
    char *note = NULL, *error = NULL;
    FILE *f = fopen(again, "w");
    int rc;

    check(f, again);
    rc = for_lstopo ? xln_host_save_hwloc(snapshot->host, f)
                    : xln_snapshot_save(snapshot, f);
    check(!fclose(f), again);
    if (rc)
        return "it cannot be written";
    rc = xln_snapshot_open(again, &copy, &note, &error);
    if (rc)
        printf("# %s\n", error);
    xln_snapshot_free(copy);
    free(note);
    free(error);
    return rc ? "the written text cannot be read" : NULL;
}

static const char *wrong_with_host(const struct xln_snapshot *snapshot)
{
    const char *wrong = wrong_with_plans(snapshot->host);

    if (!wrong)
        wrong = wrong_with_copy(snapshot, false);
    return wrong ? wrong : wrong_with_copy(snapshot, true);
}

/* Reads `path`. NULL: as it should be. */
static const char *wrong_with(bool *read_r)
{
    struct xln_snapshot *snapshot = NULL;
    char *note = NULL, *error = NULL;
    const char *wrong;
    int rc;

    rc = xln_snapshot_open(path, &snapshot, &note, &error);
    *read_r = !rc;
    wrong = rc ? wrong_with_error(rc, error) : wrong_with_host(snapshot);
    if (wrong && error)
        printf("# %s\n", error);
    free(note);
    free(error);
    xln_snapshot_free(snapshot);
    return wrong;
}

/* ------------------------------------------------------------------ */
/* The hosts                                                            */
/* ------------------------------------------------------------------ */

static unsigned nr_read;        /* changed, and still a host */

static const char *try_change(const struct text *host, struct text *t)
{
    const char *wrong;
    bool was_read;

    memcpy(t->bytes, host->bytes, host->size);
    t->size = host->size;
    change(t);
    write_file(path, t->bytes, t->size);
    wrong = wrong_with(&was_read);
    nr_read += was_read;
    return wrong;
}

static void test_text(const struct text *host, const char *name)
{
    unsigned rounds = number_from("HOSTILE_ROUNDS", 100), i;
    struct text t = { .room = 2 * MAX_BYTES };
    const char *wrong = NULL;

    random_state = number_from("HOSTILE_SEED", 1);
    t.bytes = malloc(t.room);
    check(t.bytes, "no memory");
    for (i = 0; i < rounds && !wrong; i++)
        wrong = try_change(host, &t);
    if (wrong) {
        printf("# change %u: %s; see test-hostile.kept\n", i, wrong);
        write_file("test-hostile.kept", t.bytes, t.size);
    }
    ok(!wrong, "%s: any change makes an error or a valid host", name);
    free(t.bytes);
}

static void test_host(const char *file)
{
    struct text host = { .bytes = malloc(MAX_BYTES) };
    FILE *f = fopen(file, "r");

    check(f && host.bytes, file);
    host.size = fread(host.bytes, 1, MAX_BYTES, f);
    fclose(f);
    if (host.size < MAX_BYTES)
        test_text(&host, strrchr(file, '/') + 1);
    free(host.bytes);
}

static void test_hosts(const char *pattern)
{
    const char *top = getenv("top_srcdir");
    char all[4096];
    glob_t files;

    snprintf(all, sizeof(all), "%s/tests/hosts/%s", top ? top : ".", pattern);
    check(!glob(all, 0, NULL, &files), all);
    for (size_t i = 0; i < files.gl_pathc; i++)
        test_host(files.gl_pathv[i]);
    globfree(&files);
}

/* ------------------------------------------------------------------ */
/* Files that are large, or would be                                    */
/* ------------------------------------------------------------------ */

/* `begin`, as many of `part` as the file has room for, `end`. */
static void test_large(const char *begin, const char *part, const char *end,
                       size_t size, const char *what)
{
    FILE *f = fopen(path, "w");
    const char *wrong;
    bool was_read;

    check(f, path);
    fputs(begin, f);
    for (size_t at = strlen(begin); at < size; at += strlen(part))
        fputs(part, f);
    fputs(end, f);
    check(!fclose(f), path);
    wrong = wrong_with(&was_read);
    ok(!wrong && !was_read, "%s: the file is refused", what);
    if (wrong)
        printf("# %s\n", wrong);
}

#define XML_CPU "<object type='PU' os_index='0'/>"

static void test_all_large(void)
{
    const size_t most = 24 * MIB;

    test_large("", "[", "", most, "lists in lists");
    test_large("", "{\"a\":", "", most, "objects in objects");
    test_large("{\"cpus\":[", "0,", "0]}", most, "a long list");
    test_large("{\"cpus\":[", "{\"cpu\":0},", "{}]}", most,
               "many objects");
    test_large("{\"xen\":\"", "4.17", "\"}", most, "a long text");
    test_large("{\"xen\":", "4", "}", most, "a long number");
    test_large("{\"", "cpus", "\":1}", most, "a long key");
    test_large("{\"version\":1", "        ", "", most, "much space");
    test_large("{\"distances\":[[", "10,", "10]]}", most, "a long row");
    test_large("{", " ", "}", 70 * MIB, "more than a file may have");
    test_large("", "<a>", "", most, "elements in elements");
    test_large("<topology>", "<object type='Machine'>", "", most,
               "objects of hwloc in objects");
    test_large("<topology><object type='Machine'>", XML_CPU,
               "</object></topology>", most, "the same CPU again and again");
    test_large("<topology><object type='Machine' cpuset='", "0xffffffff,",
               "0x1'/></topology>", most, "a long set");
    test_large("<topology><object type='Machine'><info name='", "name",
               "'/></object></topology>", most, "a long attribute");
    test_large("<topology><cells><cell id='0'><memory>", "1",
               "</memory></cell></cells></topology>", most, "a long size");
    test_large("<topology><!--", "comment", "--></topology>", most,
               "a long comment");
    test_large("<topology><cells>", "<cell id='0'/>", "</cells></topology>",
               most, "the same cell again and again");
    test_large("<topology><cells><cell id='0'>", "&amp;", "</cell>", most,
               "many references");
    test_large("<", "topology", "/>", most, "a long name");
    test_large("<!DOCTYPE ", "topology", ">", most, "a long DOCTYPE");
    test_large("<?", "pi", "?><topology/>", most, "a long instruction");
}

/* ------------------------------------------------------------------ */

#ifndef __has_feature
#define __has_feature(name) 0
#endif

/* Sanitizers take terabytes of addresses. */
static void limit(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
    const struct rlimit memory = { MEMORY_LIMIT, MEMORY_LIMIT };

    check(!setrlimit(RLIMIT_AS, &memory), "setrlimit");
#endif
    const struct rlimit seconds = { SECONDS_LIMIT, SECONDS_LIMIT };

    check(!setrlimit(RLIMIT_CPU, &seconds), "setrlimit");
}

int main(void)
{
    new_file(path);
    new_file(again);
    limit();
    test_hosts("*.json");
    test_hosts("*/*.json");
    test_hosts("*/*.xml");
    ok(nr_read, "some of the changed files are valid hosts");
    test_all_large();
    return tap_done();
}
