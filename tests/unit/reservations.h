/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reservations in a directory of our own; domains are a table. */
#ifndef RESERVATIONS_H
#define RESERVATIONS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-alloc.h"
#include "reservation.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIB_PAGES 256
#define TIMEOUT_MS 20000

static inline void need_call(int r)
{
    must(r < 0 ? errno : 0);
}

/* ---- domains ---- */

static struct {
    unsigned nr;
    struct domain {
        uint32_t domid;
        uint8_t uuid;           /* its first byte; the rest is 0 */
        uint64_t pages;
        bool dying;
    } all[16];
    int fail;                   /* errno of the next call; 0: none */
} domains;

/* Stands in for libxenctrl's: domains in the order of their numbers. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned i, nr = 0;

    (void)xch;
    if (domains.fail) {
        errno = domains.fail;
        return -1;
    }
    for (i = 0; i < domains.nr && nr < max; i++) {
        const struct domain *d = &domains.all[i];

        if (d->domid < first)
            continue;
        memset(&info[nr], 0, sizeof(info[nr]));
        info[nr].domain = d->domid;
        info[nr].handle[0] = d->uuid;
        info[nr].tot_pages = d->pages;
        info[nr].flags = d->dying ? XEN_DOMINF_dying : 0;
        nr++;
    }
    return nr;
}

static inline struct domain *add_domain(uint32_t domid, uint8_t uuid,
                                        uint64_t pages)
{
    struct domain *d = &domains.all[domains.nr++];

    *d = (struct domain){ domid, uuid, pages, false };
    return d;
}

/* ---- a directory ---- */

static char dir[256];
static uint64_t reserved[XLN_MAX_NODES];

/* The records that this process holds. */
static int held_fds[64];
static unsigned nr_held;

static inline void path_of(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", dir, name);
}

static inline void make_dir(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%.200s/xln-XXXXXX", tmp ? tmp : "/tmp");
    must(mkdtemp(dir) ? 0 : errno);
    memset(&domains, 0, sizeof(domains));
}

static inline void drop_records(void)
{
    while (nr_held)
        close(held_fds[--nr_held]);
}

static inline void remove_dir(void)
{
    char path[512];
    struct dirent *entry;
    DIR *d = opendir(dir);

    drop_records();
    while (d && (entry = readdir(d))) {
        path_of(path, sizeof(path), entry->d_name);
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            unlink(path))
            rmdir(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static inline bool exists(const char *name)
{
    char path[512];
    struct stat st;

    path_of(path, sizeof(path), name);
    return !lstat(path, &st);
}

static inline struct xln_reservations *lock(void)
{
    struct xln_reservations *held;

    must(xln_reservations_lock(dir, TIMEOUT_MS, &held));
    return held;
}

static inline int read_outstanding(void)
{
    struct xln_reservations *held = lock();
    int rc = xln_reservations_outstanding(held, NULL, reserved);

    xln_reservations_unlock(held);
    return rc;
}

/* On all nodes; ~0: it can't be read. */
static inline uint64_t outstanding(void)
{
    uint64_t bytes = 0;
    unsigned i;

    if (read_outstanding())
        return ~UINT64_C(0);
    for (i = 0; i < XLN_MAX_NODES; i++)
        bytes += reserved[i];
    return bytes;
}

static inline void add(uint32_t domid, uint8_t uuid,
                       const struct xln_share *shares, unsigned nr_shares)
{
    const uint8_t full[16] = { uuid };
    struct xln_reservations *held = lock();

    must(xln_reservations_add(held, domid, full, shares, nr_shares, NULL,
                              0, NULL, &held_fds[nr_held++]));
    xln_reservations_unlock(held);
}

static inline void add_one(uint32_t domid, uint8_t uuid, unsigned node,
                           uint64_t mib)
{
    const struct xln_share share = { node, mib * MIB };

    add(domid, uuid, &share, 1);
}

static inline void write_file(const char *name, const char *text, size_t size)
{
    char path[512];
    int fd;

    path_of(path, sizeof(path), name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need_call(fd);
    must(write(fd, text, size) == (ssize_t)size ? 0 : EIO);
    close(fd);
}

static inline size_t read_file(const char *name, char *text, size_t size)
{
    char path[512];
    ssize_t length;
    int fd;

    path_of(path, sizeof(path), name);
    fd = open(path, O_RDONLY);
    need_call(fd);
    length = read(fd, text, size - 1);
    need_call(length < 0 ? -1 : 0);
    close(fd);
    text[length] = '\0';
    return length;
}

/* A process that runs `create`, reports that, and waits to be killed. It is
 * killed also if this program ends early. */
static inline pid_t start_creator(void (*create)(int number), int number,
                                  int ready_fd)
{
    pid_t pid = fork();

    need_call(pid);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    create(number);
    if (write(ready_fd, "x", 1) == 1)
        for (;;)
            pause();
    _exit(1);
}

static inline void await_byte(int fd)
{
    char byte;

    must(read(fd, &byte, 1) == 1 ? 0 : EIO);
}

static inline void create_one(int number)
{
    add_one(number, number, 0, 100);
}

static inline pid_t start_one(int number)
{
    int ready[2];
    pid_t pid;

    need_call(pipe(ready));
    pid = start_creator(create_one, number, ready[1]);
    close(ready[1]);
    await_byte(ready[0]);
    close(ready[0]);
    return pid;
}

static inline unsigned nr_descriptors(void)
{
    unsigned nr = 0;
    DIR *d = opendir("/proc/self/fd");

    while (d && readdir(d))
        nr++;
    if (d)
        closedir(d);
    return nr;
}

#endif /* RESERVATIONS_H */
