/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of reservations that did not come from us, or not whole. */
#include "reservations.h"

/* ---- files that did not come from us ---- */

/* Somebody has it open and locked, as a creator would. */
static int hold_file(const char *name)
{
    char path[512];
    int fd;

    path_of(path, sizeof(path), name);
    fd = open(path, O_RDONLY);
    need_call(fd);
    need_call(flock(fd, LOCK_EX));
    return fd;
}

static uint64_t count_file(const char *text, size_t size)
{
    uint64_t bytes;
    int fd;

    write_file("5", text, size);
    fd = hold_file("5");
    bytes = outstanding();
    close(fd);
    return bytes;
}

static void does_not_count(const char *text, size_t size, const char *what)
{
    ok(count_file(text, size) == 100 * MIB, "%s does not count", what);
}

#define DOMAIN_5 "domain 5 05000000-0000-0000-0000-000000000000\n"

/* One record that counts. `start`: its line that names the creator, this
 * process. */
static void begin_corrupt(char start[64])
{
    char text[512];

    make_dir();
    add_domain(5, 5, 0);
    add_domain(6, 6, 0);
    add_one(6, 6, 0, 100);
    read_file("6", text, sizeof(text));
    must(sscanf(text, "%*[^\n]\n%63[^\n]", start) == 1 ? 0 : EIO);
}

static void test_rubbish(void)
{
    static char big[2 << 20];
    char start[64], text[512];
    size_t length;
    unsigned i;

    begin_corrupt(start);
    does_not_count("", 0, "an empty file");
    does_not_count("\0\0\0\0", 4, "a file of zeros");
    does_not_count("rubbish\n", 8, "rubbish");
    does_not_count("\xff\xfe\n\xff", 4, "rubbish that is no text");
    for (i = 0; i < sizeof(big); i++)
        big[i] = "node 0 1\n"[i % 9];
    does_not_count(big, sizeof(big), "a file of megabytes");
    length = snprintf(text, sizeof(text), DOMAIN_5 "%s\n", start);
    memcpy(big, text, length);
    for (i = 0; length + 9 * i + 9 < sizeof(big); i++)
        memcpy(big + length + 9 * i, "node 1 9\n", 9);
    does_not_count(big, sizeof(big), "a record with too many nodes");
    remove_dir();
}

static void test_corrupt(void)
{
    char start[64], text[512];
    size_t length;

    begin_corrupt(start);
    does_not_count(DOMAIN_5, strlen(DOMAIN_5), "a record without a creator");
    length = snprintf(text, sizeof(text), "%s\nnode 0 104857600\n", start);
    does_not_count(text, length, "a record without a domain");
    length = snprintf(text, sizeof(text), DOMAIN_5 "creator 1\nnode 0 %llu\n",
                      50ull << 20);
    ok(count_file(text, length) == 150 * MIB,
       "the record of another process counts while that process holds it");
    length = snprintf(text, sizeof(text), DOMAIN_5 "creator 0\nnode 0 %llu\n",
                      5ull << 30);
    does_not_count(text, length, "a record of process 0");
    length = snprintf(text, sizeof(text),
                      DOMAIN_5 "creator -1\nnode 0 %llu\n", 5ull << 30);
    does_not_count(text, length, "a record of process -1");
    length = snprintf(text, sizeof(text), DOMAIN_5 "%s\nnode 1024 1048576\n",
                      start);
    does_not_count(text, length, "a record with a node beyond all bounds");
    length = snprintf(text, sizeof(text), DOMAIN_5 "%s\nnode -1 1048576\n",
                      start);
    does_not_count(text, length, "a record with node -1");
    length = snprintf(text, sizeof(text), DOMAIN_5 "%s\nnode 1\n", start);
    does_not_count(text, length, "a record with a node and no size");
    length = snprintf(text, sizeof(text),
                      DOMAIN_5 "%s\nnode 1 1048576\nmore\n", start);
    does_not_count(text, length, "a record with a line that we don't know");
    /* What a creator would read if it counted: sums that no uint64_t holds. */
    length = snprintf(text, sizeof(text),
                      DOMAIN_5 "%s\nnode 1 18446744073709551615\n"
                               "node 1 18446744073709551615\n", start);
    does_not_count(text, length, "a record with absurd sizes");
    length = snprintf(text, sizeof(text),
                      DOMAIN_5 "%s\nnode 1 1125899906842624\n"
                               "node 1 1048576\n", start);
    does_not_count(text, length, "a record of more than 1 PiB");
    remove_dir();
}

static void test_truncated(void)
{
    static const struct xln_share shares[] = { { 0, 64 * MIB },
                                               { 1, 32 * MIB } };
    unsigned nr_wrong = 0;
    char text[512];
    size_t length, size;
    int fd;

    make_dir();
    add_domain(5, 5, 0);
    add(5, 5, shares, 2);
    length = read_file("5", text, sizeof(text));
    drop_records();
    for (size = 0; size < length; size++) {
        write_file("5", text, size);
        fd = hold_file("5");
        nr_wrong += read_outstanding() || reserved[0] > 64 * MIB ||
                    reserved[1] > 32 * MIB;
        close(fd);
    }
    ok(!nr_wrong, "a record cut anywhere never counts for more than it was");
    ok(count_file(text, length) == 96 * MIB, "the whole record counts");
    remove_dir();
}

static void test_odd_entries(void)
{
    char path[512], target[512];
    int fd;

    make_dir();
    add_domain(5, 5, 0);
    add_domain(6, 6, 0);
    add_domain(7, 7, 0);
    add_domain(8, 8, 0);
    add_domain(9, 9, 0);
    add_one(5, 5, 0, 100);
    read_file("5", target, sizeof(target));
    path_of(path, sizeof(path), "6");
    need_call(mkdir(path, 0700));
    path_of(path, sizeof(path), "7");
    need_call(mkfifo(path, 0600));
    path_of(path, sizeof(path), "8");
    need_call(symlink("5", path));
    path_of(path, sizeof(path), "9");
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    need_call(fd);
    need_call(ftruncate(fd, INT64_C(1) << 40));
    close(fd);
    write_file(".new", target, strlen(target));
    write_file(".hidden", target, strlen(target));
    path_of(path, sizeof(path), "loop");
    need_call(symlink("loop", path));

    ok(outstanding() == 100 * MIB,
       "directories, FIFOs, links, files of a TiB and hidden ones do not count");
    ok(exists("5") && !exists("7") && !exists("8") && !exists("9"),
       "such files are removed, and the record is kept");
    add_one(5, 5, 0, 50);
    ok(outstanding() == 50 * MIB,
       "a half-written record of a dead creator does no harm");
    remove_dir();
}

static void test_no_directory(void)
{
    const struct xln_share share = { 0, MIB };
    const uint8_t uuid[16] = { 1 };
    struct xln_reservations *held;
    int fd = -1;

    make_dir();
    held = lock();
    remove_dir();
    ok(xln_reservations_add(held, 1, uuid, &share, 1, NULL, 0, NULL, &fd) ==
           -ENOENT && fd == -1,
       "a directory that vanishes under the lock is reported");
    ok(xln_reservations_outstanding(held, NULL, reserved) == 0,
       "a directory that vanished holds no records");
    xln_reservations_unlock(held);
    xln_reservations_remove("/a/path/that/is/not/there", 1);
}

int main(void)
{
    unsigned nr_before = nr_descriptors();

    test_rubbish();
    test_corrupt();
    test_truncated();
    test_odd_entries();
    test_no_directory();
    ok(nr_descriptors() == nr_before, "no file is left open");
    return tap_done();
}
