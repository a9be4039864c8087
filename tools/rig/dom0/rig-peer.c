/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs commands in the dom0 of another rig, as ssh does, without its keys and
 * its cost: tens of MiB a second in an emulated machine.
 *
 * rig-peer HOST COMMAND [ARG...] - the arguments are joined by blanks and given
 *   to a shell there. Standard input, output and error are passed on. Ends with
 *   the status of the command, or 255 if the connection fails or breaks,
 *   which takes a minute to be noticed if the wire is cut.
 * rig-peer --await HOST - waits until HOST answers.
 * rig-peer --serve - runs what others ask for.
 *
 * What goes over the connection is frames: a type, a length, the data. Each
 * direction has a process of its own, so that none waits for the other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT "2222"
#define FAILED 255              /* what ssh ends with, too */
#define SILENCE_S 60              /* without an answer a connection is broken */

enum type {
    COMMAND,
    INPUT,                      /* of length 0: its end */
    OUTPUT,
    ERRORS,
    STATUS,
};

struct frame {
    uint32_t type, length;
    char data[1 << 16];
};

#define HEAD offsetof(struct frame, data)

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "rig-peer: %s: %s\n", what, strerror(errno));
    exit(FAILED);
}

/* ---- frames ---- */

static bool write_all(int fd, const void *data, size_t length)
{
    const char *at = data;
    ssize_t n;

    for (; length; at += n, length -= n) {
        n = write(fd, at, length);
        if (n <= 0)
            return false;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t length)
{
    char *at = data;
    ssize_t n;

    for (; length; at += n, length -= n) {
        n = read(fd, at, length);
        if (n <= 0)
            return false;
    }
    return true;
}

static bool put_frame(int fd, struct frame *f)
{
    return write_all(fd, f, HEAD + f->length);
}

static bool get_frame(int fd, struct frame *f)
{
    return read_all(fd, f, HEAD) && f->length <= sizeof(f->data) &&
           read_all(fd, f->data, f->length);
}

/* Send what can be read from FD as a frame. False: that was its end. */
static bool forward(int fd, enum type type, int connection)
{
    struct frame f = { .type = type };
    ssize_t n = read(fd, f.data, sizeof(f.data));

    f.length = n > 0 ? n : 0;
    if (!f.length && type != INPUT)
        return false;
    if (!put_frame(connection, &f))
        exit(FAILED);
    return f.length;
}

/* ---- the connection ---- */

/* A wire that is cut says nothing: both ends notice it after a while. */
static void watch(int fd)
{
    static const int on = 1, each_s = 1, tries = SILENCE_S;
    static const unsigned limit_ms = SILENCE_S * 1000;

    check(!setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) &&
          !setsockopt(fd, SOL_TCP, TCP_KEEPIDLE, &each_s, sizeof(each_s)) &&
          !setsockopt(fd, SOL_TCP, TCP_KEEPINTVL, &each_s, sizeof(each_s)) &&
          !setsockopt(fd, SOL_TCP, TCP_KEEPCNT, &tries, sizeof(tries)) &&
          !setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on)) &&
          !setsockopt(fd, SOL_TCP, TCP_USER_TIMEOUT, &limit_ms,
                      sizeof(limit_ms)), "setsockopt");
}

static struct addrinfo *look_up(const char *host)
{
    struct addrinfo hints = {
        .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = host ? 0 : AI_PASSIVE,
    }, *at;
    int r = getaddrinfo(host, PORT, &hints, &at);

    if (!r)
        return at;
    fprintf(stderr, "rig-peer: %s: %s\n", host ? host : "this host",
            gai_strerror(r));
    exit(FAILED);
}

static int connect_to(const char *host)
{
    struct addrinfo *at = look_up(host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check(fd >= 0, "socket");
    watch(fd);
    if (connect(fd, at->ai_addr, at->ai_addrlen)) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(at);
    return fd;
}

/* ---- the side that asks ---- */

static void put_command(int connection, char **argv)
{
    struct frame f = { .type = COMMAND };

    for (; *argv; argv++) {
        size_t length = strlen(*argv);

        errno = E2BIG;
        check(f.length + length + 1 < sizeof(f.data), "command");
        memcpy(f.data + f.length, *argv, length);
        f.length += length;
        f.data[f.length++] = argv[1] ? ' ' : '\0';
    }
    check(put_frame(connection, &f), "connection");
}

/* The process that hands on our standard input ends with this one. */
static void pass_input(int connection)
{
    pid_t parent = getpid(), pid = fork();

    check(pid >= 0, "fork");
    if (pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        exit(0);
    while (forward(0, INPUT, connection))
        ;
    exit(0);
}

static int ask(const char *host, char **argv)
{
    int connection = connect_to(host);
    struct frame f;

    check(connection >= 0, host);
    put_command(connection, argv);
    pass_input(connection);
    while (get_frame(connection, &f) && f.type != STATUS)
        if (!write_all(f.type == OUTPUT ? 1 : 2, f.data, f.length))
            return 128 + SIGPIPE;   /* then the command cannot write either */
    errno = ECONNRESET;
    check(f.type == STATUS && f.length == 1, "connection");
    return (unsigned char)*f.data;
}

static void await_host(const char *host)
{
    int fd;

    while ((fd = connect_to(host)) < 0)
        usleep(100000);
    close(fd);
}

/* ---- the side that serves ---- */

struct command {
    int in, out, err;           /* our ends of its pipes */
    pid_t pid;
};

static void start(struct command *c, const char *text)
{
    int in[2], out[2], err[2];

    check(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC) &&
          !pipe2(err, O_CLOEXEC), "pipe");
    c->pid = fork();
    check(c->pid >= 0, "fork");
    if (!c->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        signal(SIGPIPE, SIG_DFL);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    c->in = in[1];
    c->out = out[0];
    c->err = err[0];
}

/* In a process of its own, until the connection ends. */
static void feed(struct command *c, int connection)
{
    struct frame f;

    close(c->out);
    close(c->err);
    while (get_frame(connection, &f) && f.type == INPUT) {
        if (!f.length || !write_all(c->in, f.data, f.length)) {
            close(c->in);
            c->in = -1;
        }
    }
    exit(0);
}

/* Until both have ended: what the command has started may hold them open. */
static void send_output(const struct command *c, int connection)
{
    struct pollfd fds[2] = {
        { .fd = c->out, .events = POLLIN }, { .fd = c->err, .events = POLLIN },
    };

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        check(poll(fds, 2, -1) > 0, "poll");
        if (fds[0].revents && !forward(c->out, OUTPUT, connection))
            fds[0].fd = -1;
        if (fds[1].revents && !forward(c->err, ERRORS, connection))
            fds[1].fd = -1;
    }
}

static void serve_one(int connection)
{
    struct frame f = { .type = STATUS, .length = 1 }, asked;
    struct command c;
    pid_t feeder;
    int status;

    if (!get_frame(connection, &asked) || asked.type != COMMAND)
        exit(0);                /* it only looked whether we are there */
    asked.data[sizeof(asked.data) - 1] = '\0';
    start(&c, asked.data);
    feeder = fork();
    check(feeder >= 0, "fork");
    if (!feeder)
        feed(&c, connection);
    close(c.in);
    send_output(&c, connection);
    check(waitpid(c.pid, &status, 0) == c.pid, "waitpid");
    *f.data = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    put_frame(connection, &f);
    kill(feeder, SIGKILL);
    exit(0);
}

static void serve(void)
{
    static const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;
    struct addrinfo *at = look_up(NULL);

    check(fd >= 0 &&
          !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
          !bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, 16), "listen");
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        check(connection >= 0 || errno == ECONNABORTED, "accept");
        if (connection < 0)
            continue;
        if (!fork()) {
            signal(SIGCHLD, SIG_DFL);
            close(fd);
            watch(connection);
            serve_one(connection);
        }
        close(connection);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 2 && !strcmp(argv[1], "--serve")) {
        serve();
    } else if (argc == 3 && !strcmp(argv[1], "--await")) {
        await_host(argv[2]);
        return 0;
    } else if (argc >= 3 && *argv[1] != '-') {
        return ask(argv[1], argv + 2);
    }
    fprintf(stderr, "usage: rig-peer HOST COMMAND [ARG...]\n"
            "       rig-peer --await HOST\n"
            "       rig-peer --serve\n");
    return FAILED;
}
