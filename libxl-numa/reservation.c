/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DIR/lock is what flock() is held on. DIR/<domid> is a record:
 *
 *     domain 12 2a2f4e4c-7c4b-4a2e-9d5e-0a1b2c3d4e5f
 *     creator 4711                  (a process, as it knows itself)
 *     node 2 171966464
 *     load 4-7 4294967296           (of its vCPUs, on each of these CPUs)
 *     core 4-5                      (CPUs of the cores that some will hold)
 *
 * It is written under another name and renamed, so whoever sees it sees all
 * of it. Its creator keeps it open with a lock of flock(), which ends with the
 * process: so who can take that lock knows that the creator is dead, also from
 * a container where processes have other numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reservation.h"
#include "text/from_errno.h"
#include "text/units.h"

#define LOCK_RETRY_MS 2
/* 1 PiB: no domain has that much. */
#define SHARES_MAX_BYTES (UINT64_C(1) << 50)
/* Two million vCPUs on one CPU. */
#define LOAD_MAX (XLN_LOAD_ONE << 21)
/* Each CPU may have another load; of cores there are as many lines as gaps
 * between them, at most. */
#define RECORD_MAX                                                            \
    (64 + 128 + XLN_MAX_NODES * 32 + XLN_MAX_CPUS * 40 + XLN_MAX_CPUS / 2 * 24)

struct xln_reservations {
    int dir_fd;
    int lock_fd;
    unsigned nr_promises;
    struct xln__promise *promises;
};

struct record {
    uint32_t domid;
    uint8_t uuid[16];
    pid_t creator;
    unsigned nr_shares;
    struct xln_share shares[XLN_MAX_NODES];
    uint64_t shares_bytes;      /* the sum of all shares */
    unsigned nr_runs;
    struct xln__load_run *runs;         /* NULL: none */
    uint64_t load;                      /* of all of them, once each */
    bool has_cores;
    uint8_t cores[XLN_MAX_CPUS / 8];    /* a bit for each CPU */

    /* The state now; it is not in the file. */
    bool creator_lives;
    uint64_t used_bytes;        /* the domain's memory */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

static int lock_within(int fd, unsigned timeout_ms)
{
    const struct timespec pause = { .tv_nsec = LOCK_RETRY_MS * 1000000 };
    uint64_t end = now_ms() + timeout_ms;

    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (now_ms() >= end)
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
    return 0;
}

int xln_reservations_lock(const char *dir, unsigned timeout_ms,
                          struct xln_reservations **held_r)
{
    struct xln_reservations *held = calloc(1, sizeof(*held));
    int rc;

    if (!held)
        return -ENOMEM;
    held->dir_fd = held->lock_fd = -1;
    if (mkdir(dir, 0700) && errno != EEXIST) {
        rc = -errno;
        goto out;
    }
    held->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (held->dir_fd < 0) {
        rc = -errno;
        goto out;
    }
    held->lock_fd = openat(held->dir_fd, "lock",
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (held->lock_fd < 0) {
        rc = -errno;
        goto out;
    }
    rc = lock_within(held->lock_fd, timeout_ms);
    if (rc)
        goto out;
    *held_r = held;
    held = NULL;

 out:
    xln_reservations_unlock(held);
    return rc;
}

static void forget_promise(struct xln__promise *promise)
{
    free(promise->runs);
    xln_cpumap_free(promise->cores);
}

static void forget_promises(struct xln_reservations *held)
{
    while (held->nr_promises)
        forget_promise(&held->promises[--held->nr_promises]);
}

void xln_reservations_unlock(struct xln_reservations *held)
{
    if (!held)
        return;
    if (held->lock_fd >= 0) {
        /* A thread may have forked meanwhile; until its child has called
         * exec() that has the file open too. */
        flock(held->lock_fd, LOCK_UN);
        close(held->lock_fd);
    }
    if (held->dir_fd >= 0)
        close(held->dir_fd);
    forget_promises(held);
    free(held->promises);
    free(held);
}

#define UUID_FMT                                                              \
    "%02hhx%02hhx%02hhx%02hhx-%02hhx%02hhx-%02hhx%02hhx-%02hhx%02hhx-"        \
    "%02hhx%02hhx%02hhx%02hhx%02hhx%02hhx"
#define UUID_ARGS(op, u)                                                      \
    op u[0], op u[1], op u[2], op u[3], op u[4], op u[5], op u[6], op u[7],   \
        op u[8], op u[9], op u[10], op u[11], op u[12], op u[13], op u[14],   \
        op u[15]

/* "4-5" or "4-4". */
static int record_parse_core(const char *text, struct record *record)
{
    unsigned first, last;

    if (sscanf(text, "%u-%u", &first, &last) != 2 || first > last ||
        last >= XLN_MAX_CPUS)
        return -EINVAL;
    for (; first <= last; first++)
        record->cores[first / 8] |= 1u << first % 8;
    record->has_cores = true;
    return 0;
}

/* "4-7 4294967296" */
static int record_parse_load(const char *text, struct record *record)
{
    struct xln__load_run run, *runs;

    if (sscanf(text, "%u-%u %" SCNu64, &run.first, &run.last, &run.load) != 3 ||
        run.first > run.last || run.last >= XLN_MAX_CPUS ||
        !run.load || run.load > LOAD_MAX - record->load)
        return -EINVAL;
    /* Room for as many again whenever it is full, at a power of two. */
    if (!(record->nr_runs & (record->nr_runs - 1))) {
        runs = realloc(record->runs,
                       2 * (record->nr_runs + 1) * sizeof(*runs));
        if (!runs)
            return -ENOMEM;
        record->runs = runs;
    }
    record->runs[record->nr_runs++] = run;
    record->load += run.load;
    return 0;
}

/* "node 2 171966464" */
static int record_parse_share(const char *line, struct record *record)
{
    struct xln_share share;

    if (sscanf(line, "node %u %" SCNu64, &share.node, &share.bytes) != 2 ||
        share.node >= XLN_MAX_NODES || record->nr_shares == XLN_MAX_NODES ||
        share.bytes > SHARES_MAX_BYTES - record->shares_bytes)
        return -EINVAL;
    record->shares[record->nr_shares++] = share;
    record->shares_bytes += share.bytes;
    return 0;
}

/* "node", "load" or "core". */
static int record_parse_plan(const char *line, struct record *record)
{
    if (!strncmp(line, "core ", 5))
        return record_parse_core(line + 5, record);
    if (!strncmp(line, "load ", 5))
        return record_parse_load(line + 5, record);
    return record_parse_share(line, record);
}

/* A line that is missing or not understood makes the whole record void. */
static int record_parse(char *text, struct record *record)
{
    char *line, *rest;
    uint8_t *uuid = record->uuid;
    bool has_domain = false;
    long creator;
    int rc;

    for (line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "domain %" SCNu32 " " UUID_FMT, &record->domid,
                   UUID_ARGS(&, uuid)) == 17) {
            has_domain = true;
            continue;
        }
        if (sscanf(line, "creator %ld", &creator) == 1) {
            record->creator = creator;
            continue;
        }
        rc = record_parse_plan(line, record);
        if (rc)
            return rc;
    }
    return has_domain && record->creator > 0 ? 0 : -EINVAL;
}

/* If this is not known, the creator counts as alive. */
static bool is_held(int fd)
{
    return flock(fd, LOCK_SH | LOCK_NB);
}

/* The caller frees record->runs in any case. */
static int record_read(int dir_fd, const char *name, struct record *record)
{
    char *text = NULL;
    ssize_t size;
    int fd, rc;

    memset(record, 0, sizeof(*record));
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    text = malloc(RECORD_MAX);
    if (!text) {
        rc = -ENOMEM;
        goto out;
    }
    size = read(fd, text, RECORD_MAX - 1);
    if (size < 0) {
        rc = -errno;
        goto out;
    }
    text[size] = '\0';
    rc = record_parse(text, record);
    record->creator_lives = is_held(fd);

 out:
    free(text);
    close(fd);
    return rc;
}

static uint64_t mib_up(uint64_t bytes)
{
    return IN_MIB(bytes) + (bytes % MIB != 0);
}

/*
 * A domain's pages come from its nodes in proportion to its shares, so what is
 * left of each share is in proportion too. Counted in MiB, rounded up: the
 * product then fits 64 bits.
 */
static void add_outstanding(const struct record *record,
                            uint64_t *reserved_bytes)
{
    uint64_t total_mib = 0, left_mib, used_mib = IN_MIB(record->used_bytes);
    unsigned i;

    if (!record->creator_lives)
        return;
    for (i = 0; i < record->nr_shares; i++)
        total_mib += mib_up(record->shares[i].bytes);
    if (used_mib >= total_mib)
        return;
    left_mib = total_mib - used_mib;
    for (i = 0; i < record->nr_shares; i++) {
        uint64_t mib = mib_up(record->shares[i].bytes);

        reserved_bytes[record->shares[i].node] +=
            (mib * left_mib + total_mib - 1) / total_mib * MIB;
    }
}

/* Whether it is something other than a record, such as a symlink or a
 * directory, so that it may be removed. Otherwise it exists, and cannot be
 * read now. */
static bool is_no_record(int rc)
{
    return rc == -EINVAL || rc == -ENOENT || rc == -ELOOP || rc == -EISDIR ||
           rc == -ENXIO;
}

/*
 * Read a record of a domain that exists. -ENOENT: it is not a record; other
 * errors: that is not known. A domain that is being destroyed takes no more
 * memory. What it releases is free for others, and not reserved again.
 */
static int record_check(int dir_fd, const char *name, xc_interface *xch,
                        struct record *record)
{
    xc_domaininfo_t info;
    int rc, r;

    rc = record_read(dir_fd, name, record);
    if (rc && !is_no_record(rc))
        return rc;
    if (rc || strtoul(name, NULL, 10) != record->domid)
        return -ENOENT;
    r = xc_domain_getinfolist(xch, record->domid, 1, &info);
    if (r < 0)
        return -errno;
    if (r == 0 || info.domain != record->domid ||
        info.flags & XEN_DOMINF_dying ||
        memcmp(info.handle, record->uuid, sizeof(record->uuid)))
        return -ENOENT;
    record->used_bytes = (uint64_t)info.tot_pages << PAGE_SHIFT;
    return 0;
}

/* The work for each record; `rc` and `record` come from record_check(). */
typedef int record_fn(void *arg, int dir_fd, const char *name, int rc,
                      const struct record *record);

static int walk_entries(DIR *dir, xc_interface *xch, record_fn *fn, void *arg)
{
    struct record *record = malloc(sizeof(*record));
    struct dirent *entry;
    int rc = 0;

    if (!record)
        return -ENOMEM;
    while (!rc && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "lock"))
            continue;
        rc = record_check(dirfd(dir), entry->d_name, xch, record);
        if (!rc || rc == -ENOENT)
            rc = fn(arg, dirfd(dir), entry->d_name, rc, record);
        free(record->runs);
    }
    free(record);
    return rc;
}

static int walk(int dir_fd, xc_interface *xch, record_fn *fn, void *arg)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
    DIR *dir;

    if (fd < 0)
        return -errno;
    dir = fdopendir(fd);
    if (!dir) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = walk_entries(dir, xch, fn, arg);
    closedir(dir);
    return rc;
}

/* Note what is reserved for its vCPUs, for xln_load_read(). */
static int keep_promise(struct xln_reservations *held,
                        const struct record *record)
{
    size_t size = record->nr_runs * sizeof(*record->runs);
    struct xln__promise *list, *p;
    unsigned cpu;
    int rc;

    if (!record->creator_lives || (!record->nr_runs && !record->has_cores))
        return 0;
    list = realloc(held->promises, (held->nr_promises + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    held->promises = list;
    p = &list[held->nr_promises];
    p->domid = record->domid;
    p->nr_runs = record->nr_runs;
    p->runs = malloc(size + 1);     /* never 0 bytes */
    if (!p->runs)
        return -ENOMEM;
    rc = xln_cpumap_new(XLN_MAX_CPUS, &p->cores);
    if (rc) {
        free(p->runs);
        return rc;
    }
    if (size)
        memcpy(p->runs, record->runs, size);
    for (cpu = 0; cpu < XLN_MAX_CPUS; cpu++)
        if (record->cores[cpu / 8] & 1u << cpu % 8)
            xln_cpumap_set(p->cores, cpu);
    held->nr_promises++;
    return 0;
}

const struct xln__promise *xln__reservations_promise(
    const struct xln_reservations *held, uint32_t domid)
{
    unsigned i;

    for (i = 0; held && i < held->nr_promises; i++)
        if (held->promises[i].domid == domid)
            return &held->promises[i];
    return NULL;
}

struct count {
    struct xln_reservations *held;
    uint64_t *reserved_bytes;
};

/* The record of a dead creator stays while its half-built domain exists,
 * because nothing else shows that. */
static int count_record(void *arg, int dir_fd, const char *name, int rc,
                        const struct record *record)
{
    struct count *count = arg;

    if (rc) {
        unlinkat(dir_fd, name, 0);
        return 0;
    }
    add_outstanding(record, count->reserved_bytes);
    return keep_promise(count->held, record);
}

int xln_reservations_outstanding(struct xln_reservations *held,
                                 xc_interface *xch, uint64_t *reserved_bytes)
{
    struct count count = { held, reserved_bytes };

    memset(reserved_bytes, 0, XLN_MAX_NODES * sizeof(*reserved_bytes));
    forget_promises(held);
    return walk(held->dir_fd, xch, count_record, &count);
}

/* ---- reading them, without the lock ---- */

void xln_reservation_list_free(struct xln_reservation_list *list)
{
    unsigned i;

    if (!list)
        return;
    for (i = 0; i < list->nr; i++)
        free(list->list[i].shares);
    free(list->list);
    free(list);
}

static int list_record(void *arg, int dir_fd, const char *name, int rc,
                       const struct record *record)
{
    struct xln_reservation_list *all = arg;
    struct xln_reservation *list, *r;
    size_t size = record->nr_shares * sizeof(*record->shares);

    (void)dir_fd;
    (void)name;
    if (rc)
        return 0;
    list = realloc(all->list, (all->nr + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    all->list = list;
    r = &list[all->nr];
    r->shares = malloc(size + 1);   /* never 0 bytes */
    if (!r->shares)
        return -ENOMEM;
    memcpy(r->shares, record->shares, size);
    r->nr_shares = record->nr_shares;
    r->domid = record->domid;
    memcpy(r->uuid, record->uuid, sizeof(r->uuid));
    r->creator = record->creator;
    r->creator_lives = record->creator_lives;
    all->nr++;
    add_outstanding(record, all->outstanding_bytes);
    return 0;
}

int xln_reservation_list_read(const char *dir, xc_interface *xch,
                              struct xln_reservation_list **list_r)
{
    struct xln_reservation_list *list = calloc(1, sizeof(*list));
    int fd, rc = 0;

    if (!list)
        return -ENOMEM;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        rc = walk(fd, xch, list_record, list);
        close(fd);
    } else if (errno != ENOENT) {
        rc = -errno;
    }
    if (rc) {
        xln_reservation_list_free(list);
        return rc;
    }
    *list_r = list;
    return 0;
}

/* ---- writing one ---- */

static void write_cores(FILE *f, const struct xln_cpumap *cores)
{
    unsigned first, last;

    for (first = xln_cpumap_next(cores, 0); first != XLN_NONE;
         first = xln_cpumap_next(cores, last + 1)) {
        for (last = first; xln_cpumap_test(cores, last + 1); last++)
            ;
        fprintf(f, "core %u-%u\n", first, last);
    }
}

static void write_load(FILE *f, const uint64_t *load, unsigned nr_cpus)
{
    unsigned first, last;

    for (first = 0; first < nr_cpus; first = last + 1) {
        for (last = first; last + 1 < nr_cpus && load[last + 1] == load[first];
             last++)
            ;
        if (load[first])
            fprintf(f, "load %u-%u %" PRIu64 "\n", first, last, load[first]);
    }
}

static int print_record(FILE *f, uint32_t domid, const uint8_t uuid[16],
                        const struct xln_share *shares, unsigned nr_shares,
                        const uint64_t *load, unsigned nr_cpus,
                        const struct xln_cpumap *cores)
{
    unsigned i;

    fprintf(f, "domain %" PRIu32 " " UUID_FMT "\n", domid, UUID_ARGS(, uuid));
    fprintf(f, "creator %ld\n", (long)getpid());
    for (i = 0; i < nr_shares; i++)
        fprintf(f, "node %u %" PRIu64 "\n", shares[i].node, shares[i].bytes);
    if (load)
        write_load(f, load, nr_cpus);
    if (cores)
        write_cores(f, cores);
    return fflush(f) ? -errno : 0;
}

/* A stream for `fd`, which stays open when the stream is closed. */
static int open_stream(int fd, FILE **f_r)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), rc;

    if (copy < 0)
        return xln__from_errno();
    *f_r = fdopen(copy, "w");
    if (*f_r)
        return 0;
    rc = xln__from_errno();
    close(copy);
    return rc;
}

int xln_reservations_add(struct xln_reservations *held, uint32_t domid,
                         const uint8_t uuid[16],
                         const struct xln_share *shares, unsigned nr_shares,
                         const uint64_t *load, unsigned nr_cpus,
                         const struct xln_cpumap *cores, int *fd_r)
{
    char name[16];
    FILE *f;
    int fd, rc;

    snprintf(name, sizeof(name), "%" PRIu32, domid);
    /* We hold the lock, so no other process has a file of this name open. */
    unlinkat(held->dir_fd, ".new", 0);
    fd = openat(held->dir_fd, ".new",
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = flock(fd, LOCK_EX | LOCK_NB) ? xln__from_errno()
                                      : open_stream(fd, &f);
    if (!rc) {
        rc = print_record(f, domid, uuid, shares, nr_shares, load, nr_cpus,
                          cores);
        if (fclose(f) && !rc)
            rc = -errno;
    }
    if (!rc && renameat(held->dir_fd, ".new", held->dir_fd, name))
        rc = -errno;
    if (rc) {
        unlinkat(held->dir_fd, ".new", 0);
        close(fd);
        return rc;
    }
    *fd_r = fd;
    return 0;
}

void xln_reservations_remove(const char *dir, uint32_t domid)
{
    char path[512];

    if (snprintf(path, sizeof(path), "%s/%" PRIu32, dir, domid) <
        (int)sizeof(path))
        unlink(path);
}
