/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover.h"

#define UUID_LENGTH 36
#define MAX_BYTES (1u << 20)

/* The uuid becomes the name of a file. */
static bool is_uuid(const char *text)
{
    static const char digits[] = "0123456789abcdef-";

    return strlen(text) == UUID_LENGTH && strspn(text, digits) == UUID_LENGTH;
}

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *text, size_t size)
{
    ssize_t n;

    for (; size; text += n, size -= n) {
        n = write(fd, text, size);
        if (n < 0)
            return -errno;
    }
    return 0;
}

/* Write it under another name first, so that a reader sees all of it or
 * nothing. libvirt has one operation at a time on a domain, so the other name
 * is ours, too. */
static int write_file(int dir_fd, const char *uuid, const char *text,
                      size_t size)
{
    char name[UUID_LENGTH + 8];
    int fd, rc;

    snprintf(name, sizeof(name), ".%s", uuid);
    unlinkat(dir_fd, name, 0);
    fd = openat(dir_fd, name,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, text, size);
    if (close(fd) && !rc)
        rc = -errno;
    if (!rc && renameat(dir_fd, name, dir_fd, uuid))
        rc = -errno;
    if (rc)
        unlinkat(dir_fd, name, 0);
    return rc;
}

int handover_write(const char *dir, const char *uuid, const char *text,
                   size_t size)
{
    int fd, rc;

    if (!is_uuid(uuid))
        return -EINVAL;
    if (mkdir(dir, 0700) && errno != EEXIST)
        return -errno;
    fd = open_dir(dir);
    if (fd < 0)
        return fd;
    rc = write_file(fd, uuid, text, size);
    close(fd);
    return rc;
}

static int read_file(int fd, char **text_r, size_t *size_r)
{
    char *text;
    struct stat st;
    ssize_t size;

    if (fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_BYTES)
        return -EFBIG;
    text = malloc(st.st_size + 1);
    if (!text)
        return -ENOMEM;
    size = read(fd, text, st.st_size);
    if (size != st.st_size) {
        free(text);
        return size < 0 ? -errno : -EIO;
    }
    text[size] = '\0';
    *text_r = text;
    *size_r = size;
    return 0;
}

int handover_take(const char *dir, const char *uuid, char **text_r,
                  size_t *size_r)
{
    int dir_fd, fd, rc;

    if (!is_uuid(uuid))
        return -EINVAL;
    dir_fd = open_dir(dir);
    if (dir_fd < 0)
        return dir_fd;
    fd = openat(dir_fd, uuid, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    rc = fd < 0 ? -errno : read_file(fd, text_r, size_r);
    if (fd >= 0) {
        unlinkat(dir_fd, uuid, 0);
        close(fd);
    }
    close(dir_fd);
    return rc;
}

void handover_remove(const char *dir, const char *uuid)
{
    int fd;

    if (!is_uuid(uuid))
        return;
    fd = open_dir(dir);
    if (fd < 0)
        return;
    unlinkat(fd, uuid, 0);
    close(fd);
}

void handover_remove_all(const char *dir)
{
    int fd = open_dir(dir);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (list && (entry = readdir(list))) {
        if (is_uuid(entry->d_name) ||
            (*entry->d_name == '.' && is_uuid(entry->d_name + 1)))
            unlinkat(fd, entry->d_name, 0);
    }
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}
