/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The installed xl moves a domain in these steps:
 *
 *     receiver    makes NAME--incoming, paused
 *     sender      copies; the domain suspends itself; copies the rest
 *     sender      renames the domain to NAME--migratedaway, permits the start
 *     receiver    renames the copy to NAME, unpauses it, and says so
 *     sender      destroys the domain
 *
 * It may have ended after any of them. Once its processes are dead, what is
 * left decides what to do. A copy that was never unpaused has done nothing: the
 * domain is resumed. One that was has talked to disks and networks: it alone
 * may go on. Domain and copy have the same uuid, so a copy without a name, which
 * is half made, is found as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <xenstore.h>

#include "placement/domain_word.h"
#include "placement/monitor.h"
#include "placement/process.h"
#include "recovery.h"

#define INCOMING "--incoming"
#define AWAY "--migratedaway"
#define BATCH 256
#define TWINS_MAX 8
#define LOOK_MS 20
/* libxl too gives a domain this long to suspend itself. */
#define SUSPEND_MS 60000
#define MONITOR_MS 3000
#define NAME_MS 1000
#define LOCK_MS 5000

/* A domain of the uuid. */
struct twin {
    uint32_t domid;
    char *name;                 /* NULL: none */
    bool paused, shut_down, suspended;
    bool has_run;
};

struct scene {
    const struct cmd_line *line;
    const struct move *move;
    struct xs_handle *xs;
    struct twin twins[TWINS_MAX];
    unsigned nr;
};

/* ---- looking ---- */

/* NULL with errno ENOENT: it has none. */
static char *read_name(const struct scene *s, uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
    return xs_read(s->xs, XBT_NULL, path, NULL);
}

static bool add_twin(struct scene *s, const xc_domaininfo_t *info)
{
    struct twin *t = &s->twins[s->nr];

    if (s->nr == TWINS_MAX || info->flags & XEN_DOMINF_dying ||
        memcmp(info->handle, s->move->uuid, sizeof(info->handle)))
        return true;
    *t = (struct twin){
        .domid = info->domain,
        .name = read_name(s, info->domain),
        .paused = info->flags & XEN_DOMINF_paused,
        .shut_down = info->flags & XEN_DOMINF_shutdown,
    };
    if (!t->name && errno != ENOENT)
        return false;
    t->suspended = t->shut_down &&
                   (info->flags >> XEN_DOMINF_shutdownshift &
                    XEN_DOMINF_shutdownmask) == SHUTDOWN_suspend;
    t->has_run = info->cpu_time || !t->paused;
    s->nr++;
    return true;
}

static void forget(struct scene *s)
{
    while (s->nr)
        free(s->twins[--s->nr].name);
}

/* Those domains that have the uuid. 0 or -errno. */
static int find_twins(struct scene *s, xc_domaininfo_t *info)
{
    uint32_t next = 1;
    int nr, i;

    do {
        nr = xc_domain_getinfolist(s->line->xch, next, BATCH, info);
        if (nr < 0)
            return -errno;
        for (i = 0; i < nr; i++)
            if (!add_twin(s, &info[i]))
                return -errno;
        next = nr ? info[nr - 1].domain + 1 : 0;
    } while (nr == BATCH);
    return 0;
}

static bool look(struct scene *s)
{
    xc_domaininfo_t *info = calloc(BATCH, sizeof(*info));
    int rc;

    forget(s);
    rc = info ? find_twins(s, info) : -ENOMEM;
    free(info);
    if (rc)
        complain("cannot tell what became of '%s': %s", s->move->name,
                 strerror(-rc));
    return !rc;
}

static bool is_called(const struct scene *s, const struct twin *t,
                      const char *suffix)
{
    size_t length = strlen(s->move->name);

    return t->name && !strncmp(t->name, s->move->name, length) &&
           !strcmp(t->name + length, suffix);
}

static struct twin *find_source(struct scene *s)
{
    unsigned i;

    for (i = 0; i < s->nr; i++)
        if (s->twins[i].domid == s->move->domid)
            return &s->twins[i];
    return NULL;
}

/* A copy that the receiver has not finished, or that the sender has not
 * started. */
static bool is_incoming(const struct scene *s, const struct twin *t)
{
    return t->domid != s->move->domid && (!t->name || is_called(s, t, INCOMING));
}

static struct twin *find_copy(struct scene *s, bool (*is_it)(
    const struct scene *s, const struct twin *t))
{
    unsigned i;

    for (i = 0; i < s->nr; i++)
        if (s->twins[i].domid != s->move->domid && is_it(s, &s->twins[i]))
            return &s->twins[i];
    return NULL;
}

static bool has_run(const struct scene *s, const struct twin *t)
{
    return t->has_run && (is_incoming(s, t) || is_called(s, t, ""));
}

/* The receiver has renamed it; or it is what the domain became when it
 * rebooted meanwhile. */
static bool has_name(const struct scene *s, const struct twin *t)
{
    return is_called(s, t, "");
}

static bool is_received(const struct scene *s, const struct twin *t)
{
    return s->move->received && is_called(s, t, INCOMING);
}

/* The domain that shall continue to run; NULL: none of them. */
static struct twin *choose(struct scene *s)
{
    struct twin *source = find_source(s), *copy;

    if (source && !source->suspended)
        return source;
    copy = find_copy(s, has_run);
    if (copy || source)
        return copy ? copy : source;
    copy = find_copy(s, has_name);
    return copy ? copy : find_copy(s, is_received);
}

/* ---- a domain that was asked to suspend itself ---- */

/* Take back a request that the guest has not read. False: there is none. */
static bool cancel_once(const struct scene *s, const char *path, bool *again_r)
{
    xs_transaction_t t = xs_transaction_start(s->xs);
    char *state = t ? xs_read(s->xs, t, path, NULL) : NULL;
    bool asked = state && !strcmp(state, "suspend");

    *again_r = false;
    if (asked)
        asked = xs_write(s->xs, t, path, "", 0);
    free(state);
    if (t && !xs_transaction_end(s->xs, t, !asked)) {
        *again_r = errno == EAGAIN;
        asked = false;
    }
    return asked;
}

static bool cancel_request(const struct scene *s)
{
    bool asked = false, again = true;
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/control/shutdown",
             s->move->domid);
    while (again)
        asked = cancel_once(s, path, &again);
    if (asked)
        move_note(s->move->uuid, MOVE_ANSWERED);
    return asked;
}

/* The guest obeys a request that it has read, at some later time. Until then
 * it is not known whether it continues to run. */
static bool settle_request(struct scene *s)
{
    const struct move *m = s->move;
    char word[DOMAIN_WORD_MAX];
    unsigned waited_ms;
    struct twin *source;

    if (!m->asked || m->answered)
        return true;
    for (waited_ms = 0; waited_ms < SUSPEND_MS; waited_ms += LOOK_MS) {
        source = find_source(s);
        if (!source || source->shut_down || cancel_request(s))
            return true;
        process_pause(LOOK_MS);
        if (!look(s))
            return false;
    }
    complain("'%s' (domain %" PRIu32 ") runs, but was asked to suspend itself "
             "and may still do so: 'xl numa-move --recover %s' then resumes it",
             m->name, m->domid, domain_word(m->name, m->domid, word));
    return false;
}

/* ---- repairing ---- */

static bool destroy(const struct scene *s, const struct twin *t)
{
    if (!libxl_domain_destroy(s->line->ctx, t->domid, NULL))
        return true;
    complain("domain %" PRIu32 ", which is left of the move of '%s', cannot be "
             "destroyed", t->domid, s->move->name);
    return false;
}

/* All that is not finished, but `chosen`. */
static bool destroy_others(struct scene *s, const struct twin *chosen)
{
    bool good = true;
    unsigned i;

    for (i = 0; i < s->nr; i++)
        if (&s->twins[i] != chosen && is_incoming(s, &s->twins[i]))
            good &= destroy(s, &s->twins[i]);
    return good;
}

static bool give_name(const struct scene *s, const struct twin *t,
                      const char *suffix)
{
    if (!is_called(s, t, suffix) ||
        !libxl_domain_rename(s->line->ctx, t->domid, t->name, s->move->name))
        return true;
    complain("domain %" PRIu32 " cannot be renamed from '%s' to '%s'", t->domid,
             t->name, s->move->name);
    return false;
}

static void ensure_monitor(const struct scene *s, uint32_t domid)
{
    if (!s->move->watched || monitor_find(domid) ||
        monitor_start(domid))
        return;
    complain("no xl waits for '%s' (domain %" PRIu32 ") to reboot: it "
             "could not be started", s->move->name, domid);
}

/* There may be one that is just about to wait. */
static void await_monitor(const struct scene *s, uint32_t domid)
{
    unsigned waited_ms;

    for (waited_ms = 0; s->move->watched && waited_ms < MONITOR_MS &&
                        !monitor_find(domid); waited_ms += LOOK_MS)
        process_pause(LOOK_MS);
    ensure_monitor(s, domid);
}

/*
 * xl's monitor ends when it sees that its domain is suspended, which it may have
 * seen, or not: it is ended, and another one started.
 */
static bool resume(const struct scene *s, uint32_t domid)
{
    char word[DOMAIN_WORD_MAX];

    if (s->move->watched)
        monitor_end(domid);
    if (libxl_domain_resume(s->line->ctx, domid, 1, NULL)) {
        complain("'%s' (domain %" PRIu32 ") is suspended and cannot be resumed: "
                 "'xl numa-move --recover %s' tries again", s->move->name,
                 domid, domain_word(s->move->name, domid, word));
        return false;
    }
    return true;
}

/* The process that saves a domain makes Xen log the pages that the domain
 * writes to. */
static bool back_to_source(struct scene *s, const struct twin *source)
{
    const struct cmd_line *line = s->line;

    if (find_copy(s, has_run) && !find_copy(s, has_run)->paused) {
        complain("'%s' runs twice, as domain %" PRIu32 " and as domain %" PRIu32
                 ": destroy one of them", s->move->name, source->domid,
                 find_copy(s, has_run)->domid);
        return false;
    }
    if (!destroy_others(s, source) || !give_name(s, source, AWAY))
        return false;
    xc_shadow_control(line->xch, source->domid, XEN_DOMCTL_SHADOW_OP_OFF, NULL,
                      0);
    if (source->suspended && !resume(s, source->domid))
        return false;
    /* A domain that reboots now needs it, too: a monitor that starts late sees
     * the reboot. */
    ensure_monitor(s, source->domid);
    return true;
}

static bool on_to_copy(struct scene *s, const struct twin *copy)
{
    struct twin *source = find_source(s);
    bool unfinished = is_incoming(s, copy);

    if (source && !destroy(s, source))
        return false;
    if (!destroy_others(s, copy))
        return false;
    if (unfinished && !copy->has_run &&
        libxl_domain_unpause(s->line->ctx, copy->domid, NULL)) {
        complain("'%s' (domain %" PRIu32 ") cannot be unpaused", s->move->name,
                 copy->domid);
        return false;
    }
    if (!give_name(s, copy, INCOMING))
        return false;
    /* A domain that does not run yet is being made by another process. */
    if (unfinished || copy->has_run)
        await_monitor(s, copy->domid);
    return true;
}

static bool has_no_name(const struct scene *s, const struct twin *t)
{
    (void)s;
    return !t->name;
}

/* When the domain rebooted meanwhile, what it becomes has its name a moment
 * after it is made: it is not what is left of a copy. */
static bool await_names(struct scene *s)
{
    unsigned waited_ms;

    for (waited_ms = 0; waited_ms < NAME_MS && !find_source(s) &&
                        find_copy(s, has_no_name); waited_ms += LOOK_MS) {
        process_pause(LOOK_MS);
        if (!look(s))
            return false;
    }
    return true;
}

static enum recovered put_right(struct scene *s, uint32_t *domid_r)
{
    struct twin *chosen;

    if (!look(s) || !settle_request(s) || !await_names(s))
        return RECOVERED_NOT;
    chosen = choose(s);
    if (!chosen)
        return destroy_others(s, NULL) ? RECOVERED_NONE : RECOVERED_NOT;
    *domid_r = chosen->domid;
    if (chosen->domid != s->move->domid)
        return on_to_copy(s, chosen) ? RECOVERED_COPY : RECOVERED_NOT;
    if (!back_to_source(s, chosen))
        return RECOVERED_NOT;
    return chosen->shut_down && !chosen->suspended ? RECOVERED_ENDED
                                                   : RECOVERED_SOURCE;
}

enum recovered recovery_run(const struct cmd_line *line,
                            const struct move *move, uint32_t *domid_r)
{
    struct scene s = { .line = line };
    struct move *noted = NULL;
    enum recovered recovered;

    if (!process_end_session(move->session, move->start)) {
        complain("a process of the move of '%s' does not end: see session %ld "
                 "in 'ps -e -o sid,pid,args'", move->name, (long)move->session);
        return RECOVERED_NOT;
    }
    /* Read the journal again: it may have more notes of these processes. */
    s.move = move_read(move->uuid, &noted) ? move : noted;
    s.xs = xs_open(0);
    if (!s.xs)
        complain("cannot tell what became of '%s': xenstore: %s", move->name,
                 strerror(errno));
    recovered = s.xs ? put_right(&s, domid_r) : RECOVERED_NOT;
    xs_close(s.xs);
    if (recovered != RECOVERED_NOT)
        move_end(move->uuid);
    forget(&s);
    move_free(noted);
    return recovered;
}

/* ---- dead moves ---- */

static int lock_within(const struct move *move, int *fd_r)
{
    unsigned waited_ms;
    int rc;

    for (waited_ms = 0;; waited_ms += LOOK_MS) {
        rc = move_lock(move->uuid, fd_r);
        if (rc != -EBUSY || waited_ms >= LOCK_MS)
            return rc;
        process_pause(LOOK_MS);
    }
}

static bool goes_on(const struct move *move)
{
    unsigned long long start = process_start(move->session);

    return start == move->start || start == PROCESS_UNKNOWN;
}

bool recovery_of_dead(const struct cmd_line *line, const struct move *move,
                      enum recovered *recovered_r, uint32_t *domid_r)
{
    struct move *noted;
    int fd, rc;

    if (goes_on(move)) {
        complain("'%s' is being moved by another xl (process %ld): nothing was "
                 "done", move->name, (long)move->session);
        return false;
    }
    /* Another process holds the lock. recovery_run() reports what prevents
     * this. */
    process_end_session(move->session, move->start);
    rc = lock_within(move, &fd);
    if (rc) {
        complain("cannot lock '%s': %s", move->name, strerror(-rc));
        return false;
    }
    rc = move_read(move->uuid, &noted);
    if (!rc)
        *recovered_r = recovery_run(line, noted, domid_r);
    if (!rc)
        move_free(noted);
    close(fd);
    return !rc;
}

/* "g", "g--incoming" and "g--migratedaway" are all g. */
static bool is_name_of(const struct move *move, const char *word)
{
    size_t length = strlen(move->name);

    return !strncmp(word, move->name, length) &&
           (!word[length] || !strcmp(word + length, INCOMING) ||
            !strcmp(word + length, AWAY));
}

/* The domain with this number, which may have ended, or with this name. */
static bool find_domid(const struct cmd_line *line, const char *word,
                       uint32_t *domid_r)
{
    unsigned long number;

    if (word[strspn(word, "0123456789")])
        return !libxl_name_to_domid(line->ctx, word, domid_r);
    if (!cmd_number(word, DOMID_FIRST_RESERVED - 1, &number))
        return false;
    *domid_r = number;
    return true;
}

/* The domain may have another name by now. */
static bool is_domain_of(const struct cmd_line *line, const struct move *move,
                         const char *word)
{
    xc_domaininfo_t info;
    uint32_t domid;

    if (!find_domid(line, word, &domid))
        return false;
    return domid == move->domid ||
           (xc_domain_getinfolist(line->xch, domid, 1, &info) == 1 &&
            info.domain == domid &&
            !memcmp(info.handle, move->uuid, sizeof(info.handle)));
}

struct move *recovery_find(const struct cmd_line *line, const char *word)
{
    struct move **moves, *found = NULL;
    unsigned nr, i;

    if (move_read_all(&moves, &nr))
        return NULL;
    for (i = 0; i < nr && !found; i++)
        if (is_name_of(moves[i], word) || is_domain_of(line, moves[i], word)) {
            found = moves[i];
            moves[i] = NULL;
        }
    move_free_all(moves, nr);
    return found;
}

void recovery_tell(const struct move *move, enum recovered recovered,
                   uint32_t domid)
{
    switch (recovered) {
    case RECOVERED_COPY:
        complain("'%s' is domain %" PRIu32 " now", move->name, domid);
        break;
    case RECOVERED_SOURCE:
        complain("'%s' (domain %" PRIu32 ") runs on where it was", move->name,
                 domid);
        break;
    case RECOVERED_ENDED:
        complain("'%s' (domain %" PRIu32 ") has shut down or reboots: it is "
                 "where it was", move->name, domid);
        break;
    case RECOVERED_NONE:
        complain("'%s' was destroyed, has shut down or reboots: the move has "
                 "ended", move->name);
        break;
    case RECOVERED_NOT:
        break;
    }
}

int recovery_repair(const struct cmd_line *line, const struct move *move,
                    uint32_t *domid_r)
{
    enum recovered recovered;

    *domid_r = 0;
    if (!recovery_of_dead(line, move, &recovered, domid_r))
        return EXIT_FAILURE;
    recovery_tell(move, recovered, *domid_r);
    return recovered == RECOVERED_NOT ? EXIT_FAILURE : EXIT_SUCCESS;
}

int recovery_repair_all(const struct cmd_line *line, bool quietly)
{
    struct move **moves;
    unsigned nr, i;
    uint32_t domid;
    int code = EXIT_SUCCESS, rc;

    rc = move_read_all(&moves, &nr);
    if (rc) {
        complain("cannot read the journals of moves: %s", strerror(-rc));
        return EXIT_FAILURE;
    }
    for (i = 0; i < nr; i++)
        if (!(quietly && goes_on(moves[i])) &&
            recovery_repair(line, moves[i], &domid))
            code = EXIT_FAILURE;
    move_free_all(moves, nr);
    return code;
}
