/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "environment.h"
#include "helper_path.h"
#include "restore.h"

#define LIBXL_SAVE_HELPER "LIBXL_SAVE_HELPER"
#define NAME_SIZE 64

/* Both processes have the same build of this module loaded. Behind the nodes,
 * of each virtual node if there are any, are its ranges. */
struct shared {
    uint32_t domid;
    uint32_t nr_nodes, nr_vnodes, nr_ranges;
    bool short_of_memory;
    struct populate_node nodes[];
};

struct restore {
    int fd;
    size_t size;
    struct shared *shared;
    struct restored view;       /* of what is shared */
    bool told;                  /* the environment names our helper ... */
    char *user_helper;          /* ... where LIBXL_SAVE_HELPER was this */
};

/* By this the helper knows it among its parent's files. A parent of another
 * version, which has a helper of this one after an upgrade, is not
 * understood. */
static void name_shared(uint32_t domid, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "xl-numa-" VERSION "-%" PRIu32, domid);
}

static struct restore *new_restore(int fd, size_t size)
{
    struct restore *restore = calloc(1, sizeof(*restore));

    if (!restore)
        return NULL;
    restore->fd = fd;
    restore->size = size;
    restore->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                           0);
    if (restore->shared == MAP_FAILED) {
        free(restore);
        return NULL;
    }
    return restore;
}

static void free_restore(struct restore *restore)
{
    munmap(restore->shared, restore->size);
    close(restore->fd);
    free(restore->user_helper);
    free(restore);
}

/* ---- in xl, or libvirtd ---- */

/* Any function of libxl that no module defines will do. */
static const char *find_libxl(void)
{
    void *function = dlsym(RTLD_DEFAULT, "libxl_domid_to_name");
    Dl_info libxl;

    return function && dladdr(function, &libxl) ? libxl.dli_fname : NULL;
}

/* For libxl, which looks when it starts the helper; and for our helper, which
 * one it is to become. NULL: it finds that itself. */
static int set_helper(const char *helper)
{
    if ((helper && setenv(MODULE_SAVE_HELPER, helper, 1)) ||
        setenv(LIBXL_SAVE_HELPER, SAVE_HELPER_PATH, 1))
        return -errno;
    return 0;
}

int restore_tell_all(void)
{
    const char *user_helper = getenv(LIBXL_SAVE_HELPER);

    if (access(SAVE_HELPER_PATH, X_OK) ||
        (user_helper && access(user_helper, X_OK)))
        return -ENOENT;
    return set_helper(user_helper);
}

int restore_tell(struct restore *restore)
{
    const char *user_helper = getenv(LIBXL_SAVE_HELPER);
    char *helper;
    int rc;

    if (access(SAVE_HELPER_PATH, X_OK))
        return -ENOENT;
    if (user_helper) {
        restore->user_helper = strdup(user_helper);
        if (!restore->user_helper)
            return -ENOMEM;
        restore->told = true;
        return set_helper(restore->user_helper);
    }
    rc = helper_path_of(find_libxl(), &helper);
    if (rc)
        return rc;
    restore->told = true;
    rc = set_helper(helper);
    free(helper);
    return rc;
}

static void forget(const struct restore *restore)
{
    if (!restore->told)
        return;
    unsetenv(MODULE_SAVE_HELPER);
    if (restore->user_helper)
        setenv(LIBXL_SAVE_HELPER, restore->user_helper, 1);
    else
        unsetenv(LIBXL_SAVE_HELPER);
}

/* The sum over all virtual nodes. */
static size_t nr_nodes_of(const struct shared *s)
{
    return (size_t)s->nr_nodes * (s->nr_vnodes ? s->nr_vnodes : 1);
}

static size_t size_of(const struct shared *s)
{
    return sizeof(*s) + nr_nodes_of(s) * sizeof(struct populate_node) +
           s->nr_ranges * sizeof(struct populate_range);
}

static struct populate_range *ranges_of(struct shared *s)
{
    return (struct populate_range *)(s->nodes + nr_nodes_of(s));
}

static void fill_shared(struct shared *s, const struct restored *from)
{
    const struct populate_vnodes *v = &from->vnodes;

    memcpy(s->nodes, v->nr_vnodes ? v->nodes : from->built.nodes,
           nr_nodes_of(s) * sizeof(s->nodes[0]));
    if (s->nr_ranges)
        memcpy(ranges_of(s), v->ranges, s->nr_ranges * sizeof(*v->ranges));
}

static struct restore *make_shared(const struct restored *from, uint32_t domid)
{
    const struct populate_vnodes *v = &from->vnodes;
    const struct shared head = {
        .domid = domid,
        .nr_nodes = v->nr_vnodes ? v->nr_nodes : from->built.nr_nodes,
        .nr_vnodes = v->nr_vnodes,
        .nr_ranges = v->nr_ranges,
    };
    size_t size = size_of(&head);
    struct restore *restore;
    char name[NAME_SIZE];
    int fd;

    name_shared(domid, name);
    fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    restore = ftruncate(fd, size) ? NULL : new_restore(fd, size);
    if (!restore) {
        close(fd);
        return NULL;
    }
    *restore->shared = head;
    fill_shared(restore->shared, from);
    return restore;
}

int restore_share(const struct restored *from, uint32_t domid,
                  struct restore **restore_r)
{
    struct restore *restore;

    errno = ENOMEM;
    restore = make_shared(from, domid);
    if (!restore)
        return -errno;
    *restore_r = restore;
    return 0;
}

static void add_granted(const struct shared *s, struct restored *to)
{
    struct populate_node *nodes = to->vnodes.nr_vnodes ? to->vnodes.nodes
                                                       : to->built.nodes;
    unsigned nr = to->vnodes.nr_vnodes
                      ? to->vnodes.nr_vnodes * to->vnodes.nr_nodes
                      : to->built.nr_nodes;
    unsigned i;

    for (i = 0; i < nr; i++)
        nodes[i].granted_pages += s->nodes[i].granted_pages;
    populate_vnodes_note(&to->vnodes, &to->built);
}

bool restore_collect(struct restore *restore, struct restored *to)
{
    bool short_of_memory;

    if (!restore)
        return false;
    add_granted(restore->shared, to);
    short_of_memory = restore->shared->short_of_memory;
    forget(restore);
    free_restore(restore);
    return short_of_memory;
}

/* ---- in the helper ---- */

static bool is_whole(const struct restore *restore)
{
    const struct shared *s = restore->shared;

    return restore->size >= sizeof(*s) && s->nr_nodes <= XLN_MAX_NODES &&
           s->nr_vnodes <= XLN_VNUMA_MAX_NODES &&
           s->nr_ranges <= VNUMA_RANGES_MAX && restore->size == size_of(s);
}

static void view_shared(struct shared *s, struct restored *view)
{
    if (s->nr_vnodes)
        view->vnodes = (struct populate_vnodes){
            .nr_vnodes = s->nr_vnodes, .nr_nodes = s->nr_nodes,
            .nr_ranges = s->nr_ranges, .nodes = s->nodes,
            .ranges = ranges_of(s),
        };
    else
        view->built = (struct populate){ s->nr_nodes, s->nodes };
}

/* Whether the file behind a descriptor is `wanted`; the kernel shows a memfd as
 * a file that was removed. */
static bool is_shared(int dir_fd, const char *name, const char *wanted)
{
    char path[NAME_SIZE + 32], link[NAME_SIZE + 32];
    ssize_t size = readlinkat(dir_fd, name, link, sizeof(link) - 1);

    if (size < 0)
        return false;
    link[size] = '\0';
    snprintf(path, sizeof(path), "/memfd:%s (deleted)", wanted);
    return !strcmp(link, path);
}

static int open_shared(DIR *dir, const char *wanted)
{
    struct dirent *entry;

    while ((entry = readdir(dir)))
        if (is_shared(dirfd(dir), entry->d_name, wanted))
            return openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
    return -1;
}

static int find_shared(pid_t sharer, uint32_t domid)
{
    char path[64], name[NAME_SIZE];
    DIR *dir;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)sharer);
    dir = opendir(path);
    if (!dir)
        return -1;
    name_shared(domid, name);
    fd = open_shared(dir, name);
    closedir(dir);
    return fd;
}

struct restore *restore_attach(pid_t sharer, uint32_t domid)
{
    int fd = find_shared(sharer, domid);
    struct restore *restore = NULL;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && st.st_size > 0)
        restore = new_restore(fd, st.st_size);
    if (!restore) {
        close(fd);
        return NULL;
    }
    if (!is_whole(restore)) {
        free_restore(restore);
        return NULL;
    }
    view_shared(restore->shared, &restore->view);
    return restore;
}

struct restored *restore_of(struct restore *restore, uint32_t domid)
{
    return restore && restore->shared->domid == domid ? &restore->view : NULL;
}

void restore_note_shortage(struct restore *restore, bool short_of_memory)
{
    restore->shared->short_of_memory = short_of_memory;
}
