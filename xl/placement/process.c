/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define LOOK_MS 5
#define PATIENCE_MS 10000
/* An environment or an end of a log that is longer is read in part. */
#define TEXT_MAX (128 << 10)
#ifndef LOG_PREFIX
#define LOG_PREFIX "/var/log/xen/xl-"
#endif

struct process {
    pid_t pid, session;
    unsigned long long start;
    unsigned long user_ticks, system_ticks;     /* of CPU time */
    char name[32];
};

/* ---- reading /proc ---- */

/* /proc/PID/FILE, `size` bytes at most and a 0. -ENOENT: there is no such
 * process any more; -errno. */
static ssize_t read_file(pid_t pid, const char *file, char *text, size_t size)
{
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    got = read(fd, text, size - 1);
    if (got < 0)
        got = errno == ESRCH ? -ENOENT : -errno;
    close(fd);
    if (got >= 0)
        text[got] = '\0';
    return got;
}

/* The name is in parentheses, and may contain some. -ENOENT: the process is
 * dead; -errno: that is not known. */
static int read_process(pid_t pid, struct process *p)
{
    char stat[1024], state, *name, *end;
    ssize_t size = read_file(pid, "stat", stat, sizeof(stat));
    int session;

    if (size < 0)
        return size;
    name = strchr(stat, '(');
    end = strrchr(stat, ')');
    if (!name || !end ||
        sscanf(end + 1, " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu"
               " %*d %*d %*d %*d %*d %*d %llu", &state, &session,
               &p->user_ticks, &p->system_ticks, &p->start) != 5 || state == 'Z' || state == 'X')
        return -ENOENT;
    *end = '\0';
    snprintf(p->name, sizeof(p->name), "%s", name + 1);
    p->pid = pid;
    p->session = session;
    return 0;
}

unsigned long long process_start(pid_t pid)
{
    struct process p;
    int rc = pid > 0 ? read_process(pid, &p) : -ENOENT;

    if (!rc)
        return p.start;
    return rc == -ENOENT ? 0 : PROCESS_UNKNOWN;
}

/* Calls for each process but this one, until it is true for one, which is
 * returned. *unsure_r: some could not be read. */
static pid_t find_process(bool (*is_it)(const struct process *p, void *arg),
                          void *arg, bool *unsure_r)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    struct process p;
    pid_t found = 0, pid;
    int rc;

    *unsure_r = !dir;
    while (dir && !found && (entry = readdir(dir))) {
        pid = isdigit((unsigned char)*entry->d_name) ? atol(entry->d_name) : 0;
        if (pid <= 0 || pid == getpid())
            continue;
        rc = read_process(pid, &p);
        *unsure_r |= rc && rc != -ENOENT;
        if (!rc && is_it(&p, arg))
            found = pid;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* ---- ending ---- */

void process_pause(unsigned ms)
{
    const struct timespec pause = { .tv_nsec = ms * 1000000L };

    nanosleep(&pause, NULL);
}

struct session {
    pid_t leader;
    unsigned long long start;
    unsigned nr_alive;
};

static bool has_mark(pid_t pid, pid_t session)
{
    char *text = malloc(TEXT_MAX), mark[64], *s;
    bool found = false;
    ssize_t size;

    snprintf(mark, sizeof(mark), SESSION_MARK "=%ld", (long)session);
    size = text ? read_file(pid, "environ", text, TEXT_MAX) : 0;
    for (s = text; size > 0 && s < text + size && !found; s += strlen(s) + 1)
        found = !strcmp(s, mark);
    free(text);
    return found;
}

/* It has given back its memory, and so its mark, but may still hold files. */
static bool is_ending(pid_t pid)
{
    char path[64], target;

    snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
    return readlink(path, &target, 1) < 0 && errno == ENOENT;
}

/* What the leader has forked, and not become another program, has its name
 * and not yet the mark. */
static bool is_of_session(const struct process *p, const struct session *s)
{
    unsigned long long leader = process_start(s->leader);

    if (p->session != s->leader || p->start < s->start)
        return false;
    if (leader && leader != PROCESS_UNKNOWN)
        return leader == s->start;
    return !strcmp(p->name, "xl-numa") || has_mark(p->pid, s->leader) ||
           is_ending(p->pid);
}

static bool kill_member(const struct process *p, void *arg)
{
    struct session *s = arg;

    if (is_of_session(p, s)) {
        s->nr_alive++;
        kill(p->pid, SIGKILL);
    }
    return false;
}

bool process_end_session(pid_t session, unsigned long long start)
{
    struct session s = { .leader = session, .start = start };
    unsigned waited_ms;
    bool unsure;

    for (waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_MS) {
        s.nr_alive = 0;
        find_process(kill_member, &s, &unsure);
        if (!s.nr_alive && !unsure)
            return true;
        process_pause(LOOK_MS);
    }
    return false;
}

bool process_end(pid_t pid)
{
    unsigned long long start = process_start(pid);
    unsigned waited_ms;

    for (waited_ms = 0; start && process_start(pid) == start;
         waited_ms += LOOK_MS) {
        if (waited_ms >= PATIENCE_MS)
            return false;
        kill(pid, SIGKILL);
        process_pause(LOOK_MS);
    }
    return true;
}

/* ---- of a domain ---- */

/* libxl-save-helper --save-domain STREAM BACK-CHANNEL DOMID ... */
static bool saves_domain(const struct process *p, void *arg)
{
    const uint32_t *domid = arg;
    char text[512], *s, *words[5] = { NULL };
    ssize_t size = read_file(p->pid, "cmdline", text, sizeof(text));
    unsigned i;

    for (s = text, i = 0; size > 0 && s < text + size && i < 5; i++) {
        words[i] = s;
        s += strlen(s) + 1;
    }
    return words[4] && !strcmp(words[1], "--save-domain") &&
           strtoul(words[4], NULL, 10) == *domid;
}

pid_t process_find_saver(uint32_t domid)
{
    bool unsure;

    return find_process(saves_domain, &domid, &unsure);
}

struct consumers {
    pid_t session, saver;
    uint32_t domid;
    unsigned long ticks;
};

static bool add_consumer(const struct process *p, void *arg)
{
    struct consumers *c = arg;

    if (p->session != c->session)
        return false;
    c->ticks += p->user_ticks + p->system_ticks;
    if (saves_domain(p, &c->domid))
        c->saver = p->pid;
    return false;
}

double process_session_cpu_s(pid_t session, uint32_t domid, pid_t *saver_r)
{
    struct consumers c = { .session = session, .domid = domid };
    struct process itself;
    bool unsure;

    find_process(add_consumer, &c, &unsure);
    if (!read_process(getpid(), &itself))
        add_consumer(&itself, &c);
    *saver_r = c.saver;
    return c.ticks / (double)sysconf(_SC_CLK_TCK);
}

/* The end of the file that is open as its standard output. */
static char *read_log(pid_t pid)
{
    char path[64], *text = malloc(TEXT_MAX);
    ssize_t got = -1;
    off_t size;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/fd/1", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (text && fd >= 0) {
        size = lseek(fd, 0, SEEK_END);
        got = pread(fd, text, TEXT_MAX - 1,
                    size < TEXT_MAX ? 0 : size - TEXT_MAX + 1);
    }
    if (fd >= 0)
        close(fd);
    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    return text;
}

/* "Waiting for domain g (domid 5) to die [pid 1234]": its last line of this
 * form has the domain that it waits for now. */
static bool waits_for(const char *log, pid_t pid, uint32_t domid)
{
    const char *s = log, *last = NULL;
    char tail[64];

    snprintf(tail, sizeof(tail), ") to die [pid %ld]", (long)pid);
    while ((s = strstr(s, tail)))
        last = s++;
    snprintf(tail, sizeof(tail), "(domid %" PRIu32, domid);
    return last && last - log >= (ptrdiff_t)strlen(tail) &&
           !strncmp(last - strlen(tail), tail, strlen(tail));
}

static bool monitors_domain(const struct process *p, void *arg)
{
    const uint32_t *domid = arg;
    char path[64], link[256], *log;
    ssize_t size;
    bool waits;

    snprintf(path, sizeof(path), "/proc/%ld/fd/1", (long)p->pid);
    size = readlink(path, link, sizeof(link) - 1);
    if (size < (ssize_t)strlen(LOG_PREFIX) ||
        strncmp(link, LOG_PREFIX, strlen(LOG_PREFIX)))
        return false;
    log = read_log(p->pid);
    waits = log && waits_for(log, p->pid, *domid);
    free(log);
    return waits;
}

pid_t process_find_monitor(uint32_t domid)
{
    bool unsure;

    return find_process(monitors_domain, &domid, &unsure);
}

bool process_has_loaded(pid_t pid, const char *name)
{
    char path[64], *text = NULL;
    size_t size = 0;
    bool found = false;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
    f = fopen(path, "re");
    if (!f)
        return true;
    while (!found && getline(&text, &size, f) >= 0)
        found = strstr(text, name);
    free(text);
    fclose(f);
    return found;
}
