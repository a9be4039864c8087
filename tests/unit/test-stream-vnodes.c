/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual nodes in front of what libxl saves: files, sockets and pipes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libvirt/stream_vnodes.h"
#include "tap.h"

#define LIBXLS "LibxlFmt\0\0\0\2\0\0\0\0 and what follows"

/* The beginning of our own part of a stream. */
#define BEGINNING "LibxlFmt\0\0\0\2\200\0\0\0\1\0\0\0\0\0\0\0"
#define BEGINNING_SIZE (sizeof(BEGINNING) - 1)

static const char example[] =
    "vcpus=0 memory=0-2000000 distances=10,21;"
    "vcpus=1 memory=2000000-4000000 distances=21,10";

static struct vnuma_record *record;

/* Where a stream is written to, and read from. */
struct channel {
    const char *name;
    int (*open)(int fds[2]);
};

static int open_file(int fds[2])
{
    char path[] = "/tmp/stream-XXXXXX";

    fds[1] = mkstemp(path);
    fds[0] = open(path, O_RDONLY);
    return unlink(path);
}

static int open_sockets(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static const struct channel channels[] = {
    { "a file", open_file },
    { "a socket", open_sockets },
    { "a pipe", pipe },
};

#define NR_CHANNELS (sizeof(channels) / sizeof(*channels))

static void put(int fd, const void *data, size_t size)
{
    if (write(fd, data, size) != (ssize_t)size)
        abort();
}

static bool follows(int fd)
{
    char data[sizeof(LIBXLS)] = "";

    return read(fd, data, sizeof(LIBXLS)) == sizeof(LIBXLS) &&
           !memcmp(data, LIBXLS, sizeof(LIBXLS));
}

static void test_there_and_back(const struct channel *c)
{
    char *text = NULL;
    int fds[2];

    ok(!c->open(fds) && !stream_put_vnodes(fds[1], record),
       "%s: virtual nodes are written", c->name);
    put(fds[1], LIBXLS, sizeof(LIBXLS));
    ok(!stream_take_vnodes(fds[0], &text) && text && !strcmp(text, example),
       "%s: virtual nodes are read", c->name);
    ok(follows(fds[0]), "%s: the stream of libxl follows", c->name);
    free(text);
    close(fds[0]);
    close(fds[1]);
}

static void test_none(const struct channel *c)
{
    char *text;
    int fds[2];

    c->open(fds);
    put(fds[1], LIBXLS, sizeof(LIBXLS));
    ok(!stream_take_vnodes(fds[0], &text) && !text,
       "%s: libxl's own stream has none", c->name);
    ok(follows(fds[0]),
       "%s: nothing is taken from libxl's own stream", c->name);
    close(fds[0]);
    close(fds[1]);
}

/* Behind what libvirt writes itself. */
static void test_in_the_middle(void)
{
    char *text = NULL, before[6];
    int fds[2];

    open_file(fds);
    put(fds[1], "<xml/>", 6);
    stream_put_vnodes(fds[1], record);
    ok(read(fds[0], before, 6) == 6 && !stream_take_vnodes(fds[0], &text) &&
           text && !strcmp(text, example),
       "the stream is read from the position of the file");
    free(text);
    close(fds[0]);
    close(fds[1]);
}

/* From a pipe that is closed behind `rest`. */
static int take_from(const char *beginning, size_t size, const char *rest)
{
    char *text;
    int fds[2], rc;

    if (pipe(fds))
        abort();
    put(fds[1], beginning, size);
    put(fds[1], rest, strlen(rest));
    close(fds[1]);
    rc = stream_take_vnodes(fds[0], &text);
    free(text);
    close(fds[0]);
    return rc;
}

static void test_spoilt(void)
{
    static const char *const spoilt[] = {
        "", "libxl-", "libxl-numa vnodez      4\nvcpu", "libxl-numa vnodes ",
        "libxl-numa vnodes      4\nvcp", "libxl-numa vnodes    4x\nvcpu",
        "libxl-numa vnodes       vcpu", "libxl-numa vnodes     -1\nvcpu",
        "libxl-numa vnodes 1234567\nvcpu",
    };
    unsigned i;

    for (i = 0; i < sizeof(spoilt) / sizeof(*spoilt); i++)
        ok(take_from(BEGINNING, BEGINNING_SIZE, spoilt[i]) == -EINVAL,
           "the stream is refused: "
           "'%.*s'", (int)strcspn(spoilt[i], "\n"), spoilt[i]);
    ok(!take_from(BEGINNING, 8, ""),
       "a stream that ends earlier is left to libxl");
    ok(!take_from("", 0, ""), "an empty stream is left to libxl");
}

/* Its header, and then a byte at a time. */
static void *write_slowly(void *arg)
{
    int fd = *(int *)arg, copy[2];
    char data[4096];
    ssize_t size, i;

    if (pipe(copy))
        abort();
    stream_put_vnodes(copy[1], record);
    size = read(copy[0], data, sizeof(data));
    put(fd, data, BEGINNING_SIZE);
    for (i = BEGINNING_SIZE; i < size; i++)
        put(fd, data + i, 1);
    close(copy[0]);
    close(copy[1]);
    return NULL;
}

static void test_slow(void)
{
    pthread_t thread;
    char *text = NULL;
    int fds[2];

    open_sockets(fds);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    pthread_create(&thread, NULL, write_slowly, &fds[1]);
    ok(!stream_take_vnodes(fds[0], &text) && text && !strcmp(text, example),
       "a socket that delivers a byte at a time is read");
    pthread_join(thread, NULL);
    free(text);
    close(fds[0]);
    close(fds[1]);
}

static void test_unwritable(void)
{
    int fd = open("/dev/full", O_WRONLY);

    ok(stream_put_vnodes(fd, record) == -ENOSPC, "no space is an error");
    close(fd);
}

int main(void)
{
    char *error = NULL;
    unsigned i;

    if (vnuma_record_parse(example, &record, &error))
        abort();
    for (i = 0; i < NR_CHANNELS; i++) {
        test_there_and_back(&channels[i]);
        test_none(&channels[i]);
    }
    test_in_the_middle();
    test_spoilt();
    test_slow();
    test_unwritable();
    vnuma_record_free(record);
    return tap_done();
}
