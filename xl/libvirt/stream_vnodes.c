/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream_vnodes.h"

/*
 * libxl's header, with an option that it does not know and ignores, and the record
 * that says that libxc's part follows. Where that ends with an error, all that is
 * made so far is removed; a libxl that finds an error before that calls a
 * function at 0 (seen on Xen 4.17 and 4.20).
 */
#define LIBXLS "LibxlFmt" "\0\0\0\2" "\200\0\0\0"
#define LIBXLS_SIZE (sizeof(LIBXLS) - 1)
#define IDENT LIBXLS "\1\0\0\0" "\0\0\0\0" "libxl-numa vnodes "
#define IDENT_SIZE (sizeof(IDENT) - 1)
#define SIZE_DIGITS 6
#define HEADER_SIZE (IDENT_SIZE + SIZE_DIGITS + 1)
#define MAX_SIZE 999999

/* ---- files that may be sockets, and not wait ---- */

/* Whether it is worth another try. */
static bool may_go_on(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    return poll(&p, 1, -1) > 0 || errno == EINTR;
}

static int write_all(int fd, const char *data, size_t size)
{
    ssize_t done;

    while (size) {
        done = write(fd, data, size);
        if (done < 0 && !may_go_on(fd, POLLOUT))
            return -errno;
        if (done > 0) {
            data += done;
            size -= done;
        }
    }
    return 0;
}

/* -EINVAL: it ends before. */
static int read_all(int fd, char *data, size_t size)
{
    ssize_t done;

    while (size) {
        done = read(fd, data, size);
        if (!done)
            return -EINVAL;
        if (done < 0 && !may_go_on(fd, POLLIN))
            return -errno;
        if (done > 0) {
            data += done;
            size -= done;
        }
    }
    return 0;
}

/* ---- what comes next, and stays ---- */

static ssize_t peek_file(int fd, char *data, size_t size)
{
    off_t at = lseek(fd, 0, SEEK_CUR);

    return at < 0 ? -1 : pread(fd, data, size, at);
}

static ssize_t peek_socket(int fd, char *data, size_t size)
{
    ssize_t done;

    do
        done = recv(fd, data, size, MSG_PEEK | MSG_WAITALL);
    while (done < 0 && may_go_on(fd, POLLIN));
    return done;
}

static ssize_t peek_pipe(int fd, char *data, size_t size)
{
    ssize_t done;
    int copy[2];

    if (pipe2(copy, O_CLOEXEC))
        return -1;
    do
        done = tee(fd, copy[1], size, 0);
    while (done < 0 && may_go_on(fd, POLLIN));
    if (done > 0)
        done = read(copy[0], data, done);
    close(copy[0]);
    close(copy[1]);
    return done;
}

/* libxl writes the header at once, and so do we. An error is libxl's to
 * find. */
static bool comes_next(int fd)
{
    static ssize_t (*const peek[])(int, char *, size_t) = {
        peek_file, peek_socket, peek_pipe,
    };
    char data[LIBXLS_SIZE];
    ssize_t size = -1;
    unsigned i;

    for (i = 0; i < sizeof(peek) / sizeof(*peek) && size < 0; i++)
        size = peek[i](fd, data, sizeof(data));
    return size == sizeof(data) && !memcmp(data, LIBXLS, sizeof(data));
}

/* ---- the text ---- */

static int write_ident(int fd, size_t size)
{
    char header[HEADER_SIZE + 1];

    memcpy(header, IDENT, IDENT_SIZE);
    snprintf(header + IDENT_SIZE, sizeof(header) - IDENT_SIZE, "%*zu\n",
             SIZE_DIGITS, size);
    return write_all(fd, header, HEADER_SIZE);
}

int stream_put_vnodes(int fd, const struct vnuma_record *record)
{
    size_t size;
    char *text;
    int rc;

    rc = vnuma_record_format(record, &text);
    if (rc)
        return rc;
    size = strlen(text);
    rc = size > MAX_SIZE ? -E2BIG : write_ident(fd, size);
    if (!rc)
        rc = write_all(fd, text, size);
    free(text);
    return rc;
}

static int read_size(int fd, size_t *size_r)
{
    char header[HEADER_SIZE + 1] = "", *end;
    int rc = read_all(fd, header, HEADER_SIZE);

    if (rc)
        return rc;
    *size_r = strtoul(header + IDENT_SIZE, &end, 10);
    return !memcmp(header, IDENT, IDENT_SIZE) && *end == '\n' &&
           end == header + HEADER_SIZE - 1 && *size_r <= MAX_SIZE
               ? 0 : -EINVAL;
}

int stream_take_vnodes(int fd, char **text_r)
{
    char *text;
    size_t size;
    int rc;

    *text_r = NULL;
    if (!comes_next(fd))
        return 0;
    rc = read_size(fd, &size);
    if (rc)
        return rc;
    text = calloc(1, size + 1);
    if (!text)
        return -ENOMEM;
    rc = read_all(fd, text, size);
    if (rc)
        free(text);
    else
        *text_r = text;
    return rc;
}
