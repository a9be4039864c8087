/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-move --advise --apply on a made-up host, where a move is a few
 * assignments: which moves are made, in which order, and what ends a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands/apply.h"
#include "commands/cmd.h"
#include "commands/move_domain.h"
#include "fake-xen-inside.h"
#include "fault-calls.h"
#include "tap.h"

#define WEB 1
#define DB 2
#define OTHER 3
#define COPY 10                 /* more than the number of the domain */
#define LOG_SIZE 128

extern const struct cmd cmd_numa_move;

/* The results of moves, in turn. */
struct event {
    int code;
    void (*meanwhile)(void);
};

static struct event events[4];
static char log_text[LOG_SIZE];
static unsigned nr_moves;
static int stop_fd;
static struct supervised self;

/* ---- the host ---- */

static void set_entry(const char *room, uint32_t domid, const char *key,
                      const char *text)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/%u/numa/%s", room, domid, key);
    must(xs_write(NULL, XBT_NULL, path, text, strlen(text)) ? 0 : EIO);
}

static void set_pages(struct domain *d, unsigned node, unsigned nr)
{
    char text[32];

    memset(d->pages, 0, sizeof(d->pages));
    d->pages[node] = nr;
    d->nodes = UINT64_C(1) << node;
    snprintf(text, sizeof(text), "%u:%u", node, nr);
    set_entry("/libxl", d->domid, "pages", text);
}

/* Its memory is on `node`, and its vCPUs are bound to the CPUs of another. */
static void make_remote(uint32_t domid, unsigned node, unsigned mib,
                        unsigned cpus)
{
    struct domain *d = fake_xen_find(domid);

    d->is_hvm = true;
    d->max_pages = mib * PAGES_PER_MIB;
    d->hard[0] = d->hard[1] = cpus;
    d->soft[0] = d->soft[1] = ALL_CPUS;
    set_pages(d, node, mib * PAGES_PER_MIB);
}

/* web has 200 MiB on node 1 and is to be on node 2, db 100 MiB on node 0 and is
 * to be on node 3. To that one it is farther. */
static void make_host(void)
{
    fake_xen_begin();
    fake_xen_find(0)->pages[0] = 1024;
    set_entry("/local/domain", WEB, "nodes", "auto");
    make_remote(WEB, 1, 200, 0x30);
    make_remote(DB, 0, 100, 0xc0);
    must(fake_xen_add(OTHER, "other", (const uint8_t[16]){ 3 }) ? 0 : EIO);
    make_remote(OTHER, 2, 8, 0x30);
}

/* ---- a move ---- */

static void become_copy(struct domain *d, const struct xln_nodemap *to)
{
    uint64_t pages = d->pages[0] + d->pages[1] + d->pages[2] + d->pages[3];

    d->domid += COPY;
    set_entry("/local/domain", d->domid, "version", "1");
    set_pages(d, xln_nodemap_next(to, 0), pages);
}

int __wrap_move_domain(struct cmd_line *line, const char *word,
                       const char *nodes, const struct move_terms *terms,
                       struct supervised *s);

int __wrap_move_domain(struct cmd_line *line, const char *word,
                       const char *nodes, const struct move_terms *terms,
                       struct supervised *s)
{
    const struct event *e = &events[nr_moves++];
    size_t at = strlen(log_text);
    char *to;

    (void)line;
    must(s == &self && terms->only_live ? 0 : EINVAL);
    must(xln_nodemap_format(terms->to, &to));
    snprintf(log_text + at, LOG_SIZE - at, "%s%s %s to %s", at ? ", " : "",
             word, nodes, to);
    free(to);
    if (e->code == EXIT_SUCCESS || e->code == EXIT_RELAXED)
        become_copy(fake_xen_find(atoi(word)), terms->to);
    if (e->meanwhile)
        e->meanwhile();
    return e->code;
}

/* ---- what others do meanwhile ---- */

static void create(void)
{
    must(fake_xen_add(4, "new", (const uint8_t[16]){ 4 }) ? 0 : EIO);
    make_remote(4, 2, 8, 0x30);
}

static void destroy(void)
{
    fake_xen_find(OTHER)->is_there = false;
}

static void reboot(void)
{
    struct domain *d = fake_xen_find(OTHER);

    d->domid = 7;
    set_pages(d, 2, 8 * PAGES_PER_MIB);
}

static void bind_other(void)
{
    fake_xen_find(OTHER)->soft[1] = 0x10;
}

static void shrink_pool(void)
{
    xen.pool_cpus &= 0x7f;
}

static void fill_node_3(void)
{
    fake_xen_set_free(3, 40);
}

static void ask_to_stop(void)
{
    must(write(stop_fd, "", 1) == 1 ? 0 : errno);
}

/* ---- a run ---- */

static int divert(int fd, int *saved)
{
    int file = memfd_create("out", MFD_CLOEXEC);

    fflush(NULL);
    *saved = dup(fd);
    must(file >= 0 && *saved >= 0 && dup2(file, fd) == fd ? 0 : errno);
    return file;
}

static char *restore(int fd, int file, int saved)
{
    off_t size = lseek(file, 0, SEEK_END);
    char *text = calloc(1, size + 1);

    fflush(NULL);
    size = lseek(file, 0, SEEK_END);
    text = realloc(text, size + 1);
    must(text && pread(file, text, size, 0) == size ? 0 : EIO);
    text[size] = '\0';
    must(dup2(saved, fd) == fd ? 0 : errno);
    close(saved);
    close(file);
    return text;
}

struct outcome {
    int code;
    char *out, *said;
};

static void run(struct cmd_line *line, unsigned most_mib, struct outcome *o)
{
    const struct apply_limits limits = {
        .most_bytes = most_mib ? most_mib * MIB : UINT64_MAX,
        .terms.only_live = true,
    };
    int out, err, saved_out, saved_err, ends[2];

    *log_text = '\0';
    nr_moves = 0;
    must(pipe2(ends, O_NONBLOCK | O_CLOEXEC) ? errno : 0);
    stop_fd = ends[1];
    self = (struct supervised){ .stop_fd = ends[0] };
    err = divert(STDERR_FILENO, &saved_err);
    out = divert(STDOUT_FILENO, &saved_out);
    o->code = apply_advice(line, &limits, &self);
    o->out = restore(STDOUT_FILENO, out, saved_out);
    o->said = restore(STDERR_FILENO, err, saved_err);
    cmd_close_xen(line);
    line->ctx = NULL;
    line->xch = NULL;
    close(ends[0]);
    close(ends[1]);
    memset(events, 0, sizeof(events));
}

static void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->said);
}

/* ---- what is seen ---- */

#define WEB_TO_2 "1 auto to 2"
#define DB_TO_3 "2 auto to 3"
#define BOTH DB_TO_3 ", " WEB_TO_2

struct scene {
    const char *what;
    unsigned most_mib;          /* 0: any */
    struct event events[2];
    const char *log;            /* the moves */
    int code;
    const char *said, *out;     /* is in what was printed; NULL: nothing */
};

static const struct scene scenes[] = {
    { "all moves are made, the best first", 0, { { 0 } }, BOTH, 0, NULL,
      "2 domains were moved: 300 MiB\n" },
    { "a domain that cannot be moved is tried once, and the others too", 0,
      { { EXIT_FAILURE, NULL } }, BOTH, EXIT_FAILURE, NULL,
      "1 domain was moved: 200 MiB\n" },
    { "the exit status is that of the worst move", 0,
      { { EXIT_NOTHING_FITS, NULL }, { EXIT_RELAXED, NULL } }, BOTH,
      EXIT_NOTHING_FITS, NULL, "1 domain was moved: 200 MiB\n" },
    { "a domain with some memory elsewhere counts as moved", 0,
      { { EXIT_RELAXED, NULL } }, BOTH, EXIT_RELAXED, NULL,
      "2 domains were moved: 300 MiB\n" },
    { "a domain above the limit stays, and the status is 0", 150,
      { { 0 } }, DB_TO_3, 0,
      "xl: 'web' stays where it is: it has 200 MiB, and the limit leaves 50 "
      "MiB to copy\n", "1 domain was moved: 100 MiB\n" },
    { "nothing is moved if no domain is within the limit", 50, { { 0 } }, "", 0,
      "xl: 'db' stays where it is: it has 100 MiB, and the limit leaves 50 MiB "
      "to copy\n", NULL },
    { "a failed move counts for the limit", 250,
      { { EXIT_FAILURE, NULL } }, DB_TO_3, EXIT_FAILURE,
      "the limit leaves 150 MiB to copy\n", NULL },
    { "a domain that is created meanwhile is reported",
      0, { { 0, create } }, BOTH, 0,
      "xl: while 'db' was moved, the host changed: 'new' was created: the next "
      "moves are planned anew\n", "2 domains were moved: 300 MiB\n" },
    { "a domain that is destroyed meanwhile is reported",
      0, { { 0, destroy } }, BOTH, 0,
      "the host changed: 'other' is gone: the next", "2 domains were moved" },
    { "a domain that reboots meanwhile is reported",
      0, { { 0, reboot } }, BOTH, 0,
      "the host changed: 'other' has rebooted or was moved: the next",
      "2 domains were moved" },
    { "a domain that is bound meanwhile is reported",
      0, { { 0, bind_other } }, BOTH, 0,
      "the host changed: the CPU affinity of 'other' was changed: the next",
      "2 domains were moved" },
    { "a change after the last move is not reported", 0,
      { { 0 }, { 0, bind_other } }, BOTH, 0, NULL, "2 domains were moved" },
    { "a CPU that leaves the cpupool stops the run", 0,
      { { 0, shrink_pool } }, DB_TO_3, EXIT_FAILURE,
      "xl: stopped: while 'db' was moved, the host changed: CPU 7 went "
      "offline, cpupool 0 has other CPUs\n", "1 domain was moved: 100 MiB\n" },
    { "a signal stops the run after the move", 0, { { 0, ask_to_stop } },
      DB_TO_3, EXIT_FAILURE, "xl: stopped: no more domains are moved\n",
      "1 domain was moved: 100 MiB\n" },
};

static bool has(const char *text, const char *part)
{
    return part ? strstr(text, part) != NULL : !*text;
}

static void check(struct cmd_line *line, const struct scene *s)
{
    struct outcome o;

    make_host();
    memcpy(events, s->events, sizeof(s->events));
    run(line, s->most_mib, &o);
    is_str(log_text, s->log, s->what);
    if (!ok(o.code == s->code, "the exit status is %d", s->code))
        printf("# got: %d\n", o.code);
    if (!ok(has(o.said, s->said), "standard error reports it"))
        printf("# got: %s\n", o.said);
    if (!ok(has(o.out, s->out), "standard output reports it"))
        printf("# got: %s\n", o.out);
    outcome_free(&o);
}

/* The node that the advice named first is full by then. */
static void check_new_advice(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    make_remote(WEB, 1, 200, 0xc0);
    events[0].meanwhile = fill_node_3;
    run(line, 0, &o);
    is_str(log_text, "1 auto to 3", "a move that no longer fits is not tried");
    ok(o.code == 0, "the exit status is 0 if a move no longer fits");
    outcome_free(&o);
}

static void check_end(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    make_remote(DB, 3, 100, 0xc0);
    make_remote(WEB, 2, 200, 0x30);
    run(line, 0, &o);
    is_str(o.out, "no move would bring memory nearer to its vCPUs\n",
           "a line reports that no move would help");
    ok(!o.code && !*log_text, "nothing is moved if no move would help");
    outcome_free(&o);
}

static void check_left(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    fake_xen_find(WEB)->is_hvm = false;
    fake_xen_set_state(DB, (struct fake_state){ .paused = true });
    run(line, 0, &o);
    ok(!o.code && !*log_text &&
           has(o.said, "xl: 'web' stays where it is: this Xen cannot move PV "
                       "domains live\n") &&
           has(o.said, "xl: 'db' stays where it is: it is paused\n"),
       "a PV domain and a paused domain stay where they are");
    outcome_free(&o);
}

static void check_libvirts(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    xen.libvirts = WEB;
    run(line, 0, &o);
    is_str(log_text, DB_TO_3, "a domain that libvirt created stays");
    ok(!o.code && has(o.out, "'web' stays remote: libvirt created it, and "
                              "would lose it"),
       "the advice says why a domain of libvirt stays");
    outcome_free(&o);
}

/* A request that names nodes goes on to name them. */
static void check_request(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    destroy();
    fake_xen_find(DB)->is_there = false;
    set_entry("/local/domain", WEB, "nodes", "2");
    run(line, 0, &o);
    is_str(log_text, "1 2 to 2",
           "a domain that asked for nodes is moved to these nodes");
    outcome_free(&o);
}

static void check_dry_run(struct cmd_line *line)
{
    struct outcome o;

    make_host();
    line->dry_run = true;
    run(line, 150, &o);
    line->dry_run = false;
    ok(!*log_text && !o.code, "-N moves nothing");
    ok(has(o.out, "\nxl numa-move db 3\n") && !strstr(o.out, "web") &&
           has(o.said, "xl: 'web' stays where it is: it has 200 MiB"),
       "-N prints the moves that stay within the limit");
    outcome_free(&o);
}

static void check_second(struct cmd_line *line)
{
    static const uint8_t uuid[16];
    struct outcome o;
    int fd;

    make_host();
    must(move_lock(uuid, &fd));
    run(line, 0, &o);
    close(fd);
    is_str(o.said, "xl: another 'xl numa-move --advise --apply' moves domains: "
                   "nothing was done\n",
           "a second run reports that another one is moving domains");
    ok(o.code == EXIT_FAILURE && !*log_text,
       "a second run fails and moves nothing");
    outcome_free(&o);
}

int __wrap_main(void);

int __wrap_main(void)
{
    struct cmd_line line = { .cmd = &cmd_numa_move };
    unsigned i;

    must(fault_calls_begin() ? 0 : EIO);
    line.lg = (xentoollog_logger *)xtl_createlogger_stdiostream(
        stderr, XTL_ERROR, 0);
    for (i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
        check(&line, &scenes[i]);
    check_new_advice(&line);
    check_end(&line);
    check_left(&line);
    check_libvirts(&line);
    check_request(&line);
    check_dry_run(&line);
    check_second(&line);
    xtl_logger_destroy(line.lg);
    fault_calls_end();
    return tap_done();
}
