/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `xl numa-move --recover` makes of what a dead move can leave: exactly one
 * of the domain and its copy goes on, and nothing else stays. Whatever fails
 * meanwhile, never do both run, and a second try ends well.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "commands/recovery.h"
#include "fake-xen.h"
#include "fault-calls.h"
#include "placement/process.h"
#include "tap.h"

#define SOURCE 1
#define COPY 7
#define MAX_CALLS 400

static const uint8_t uuid[16] = { 1 };

/* The test waits for no process, because none runs. */
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted;
    (void)left;
    return 0;
}

/* The test does not read the processes of this machine. Those of the move are
 * dead, and no process watches the domain. */
unsigned long long __wrap_process_start(pid_t pid);
bool __wrap_process_end_session(pid_t session, unsigned long long start);

unsigned long long __wrap_process_start(pid_t pid)
{
    (void)pid;
    return fault("process_start") ? PROCESS_UNKNOWN : 0;
}

bool __wrap_process_end_session(pid_t session, unsigned long long start)
{
    (void)session;
    (void)start;
    return !fault("process_end_session");
}

struct scene {
    const char *what;
    const char *source;         /* its name; NULL: it has ended */
    struct fake_state state;
    const char *copy;           /* its name, "": none yet; NULL: it is not
                                 * there */
    struct fake_state copy_state;
    const char *notes;          /* of the journal */
    const char *after;          /* the domains that exist then */
    enum recovered recovered;
};

#define RUNS { false, false, true, false }
#define SUSPENDED { false, true, true, false }
#define FRESH { true, false, false, false }
#define REBOOTING { false, false, true, true }

static const struct scene scenes[] = {
    { "nothing was done yet", "web", RUNS, NULL, { 0 }, "", "1 web",
      RECOVERED_SOURCE },
    { "the copy has no name yet", "web", RUNS, "", FRESH, "", "1 web",
      RECOVERED_SOURCE },
    { "the copy is being filled", "web", RUNS, "web--incoming", FRESH, "",
      "1 web", RECOVERED_SOURCE },
    { "the domain was asked to suspend itself, and does not know yet", "web",
      RUNS, "web--incoming", FRESH, "asked\n", "1 web", RECOVERED_SOURCE },
    { "it has suspended itself", "web", SUSPENDED, "web--incoming", FRESH,
      "asked\n", "1 web", RECOVERED_SOURCE },
    { "it has suspended itself, and the copy is complete",
      "web", SUSPENDED, "web--incoming", FRESH,
      "asked\nanswered\nreceived\n", "1 web", RECOVERED_SOURCE },
    { "it has suspended itself, and the copy is gone",
      "web", SUSPENDED, NULL, { 0 },
      "asked\nanswered\n", "1 web", RECOVERED_SOURCE },
    { "it was renamed", "web--migratedaway", SUSPENDED, "web--incoming", FRESH,
      "asked\nanswered\nreceived\n", "1 web", RECOVERED_SOURCE },
    { "it was resumed, and not renamed", "web--migratedaway", RUNS, NULL, { 0 },
      "asked\nanswered\n", "1 web", RECOVERED_SOURCE },
    { "the copy has run, under its first name", "web--migratedaway", SUSPENDED,
      "web--incoming", RUNS, "asked\nanswered\nreceived\n", "7 web",
      RECOVERED_COPY },
    { "the copy has its name and runs", "web--migratedaway", SUSPENDED, "web",
      RUNS, "asked\nanswered\nreceived\n", "7 web", RECOVERED_COPY },
    { "the copy has its name, and was paused since",
      "web--migratedaway", SUSPENDED, "web",
      { true, false, true, false }, "asked\nanswered\nreceived\n",
      "7 web paused", RECOVERED_COPY },
    { "the move was done", NULL, { 0 }, "web", RUNS,
      "asked\nanswered\nreceived\n", "7 web", RECOVERED_COPY },
    { "the domain is destroyed, its copy complete", NULL, { 0 },
      "web--incoming", FRESH, "asked\nanswered\nreceived\n", "7 web",
      RECOVERED_COPY },
    { "the domain is destroyed, its copy is not complete", NULL, { 0 },
      "web--incoming", FRESH, "asked\n", "", RECOVERED_NONE },
    { "the domain reboots: somebody makes it anew", NULL, { 0 }, "web", FRESH,
      "", "7 web paused", RECOVERED_COPY },
    { "both are gone", NULL, { 0 }, NULL, { 0 }, "asked\n", "",
      RECOVERED_NONE },
    { "the domain reboots, and is still there", "web", REBOOTING,
      "web--incoming", FRESH, "", "1 web rebooting", RECOVERED_ENDED },
    { "the copy is another's", "web", RUNS, "other", FRESH, "",
      "1 web, 7 other paused", RECOVERED_SOURCE },
};

static xentoollog_logger *no_logger;

static void write_journal(const char *notes)
{
    struct move move = { .domid = SOURCE, .name = (char *)(uintptr_t)"web",
                         .session = 1 << 30, .start = 1 };
    char words[64], *word, *rest;

    memcpy(move.uuid, uuid, sizeof(uuid));
    must(move_begin(&move));
    snprintf(words, sizeof(words), "%s", notes);
    for (word = strtok_r(words, "\n", &rest); word;
         word = strtok_r(NULL, "\n", &rest))
        move_note(uuid, word);
}

static void make(const struct scene *s)
{
    fake_xen_begin();
    fake_xen_remove(SOURCE);
    if (s->source)
        fake_xen_add(SOURCE, s->source, uuid);
    if (s->copy)
        fake_xen_add(COPY, s->copy, uuid);
    fake_xen_set_state(SOURCE, s->state);
    fake_xen_set_state(COPY, s->copy_state);
    write_journal(s->notes);
    if (!strcmp(s->notes, "asked\n") && !s->state.suspended)
        xs_write(NULL, XBT_NULL, "/local/domain/1/control/shutdown", "suspend",
                 strlen("suspend"));
}

static bool recover(struct cmd_line *line, enum recovered *recovered)
{
    struct move *move;
    uint32_t domid = 0;
    bool done;

    if (move_read(uuid, &move))
        return false;
    done = recovery_of_dead(line, move, recovered, &domid);
    move_free(move);
    return done;
}

static bool is_noted(void)
{
    struct move *move;

    if (move_read(uuid, &move))
        return false;
    move_free(move);
    return true;
}

static bool both_run(void)
{
    char text[128];

    fake_xen_tell(uuid, text, sizeof(text));
    return !strcmp(text, "1 web, 7 web") ||
           !strcmp(text, "1 web--migratedaway, 7 web");
}

static void check(struct cmd_line *line, const struct scene *s)
{
    enum recovered recovered = RECOVERED_NOT;
    char text[128];

    make(s);
    ok(recover(line, &recovered) && recovered == s->recovered &&
           !is_noted(), "%s: the move is recovered", s->what);
    fake_xen_tell(uuid, text, sizeof(text));
    is_str(text, s->after, "the domains are right after the recovery");
}

/* Each call fails in turn. Then it says so, the journal stays, and the next
 * try does it. */
static void check_faults(struct cmd_line *line, const struct scene *s)
{
    enum recovered recovered;
    unsigned nth, nr_wrong = 0;
    const char *failed;
    char text[128];
    bool again;

    for (nth = 1, failed = ""; failed && nth < MAX_CALLS; nth++) {
        make(s);
        recovered = RECOVERED_NOT;
        faults_arm(nth);
        again = !recover(line, &recovered) || recovered == RECOVERED_NOT;
        failed = faults_disarm(NULL);
        nr_wrong += both_run();
        if (again && is_noted())
            recover(line, &recovered);
        fake_xen_tell(uuid, text, sizeof(text));
        if (failed && (strcmp(text, s->after) || both_run())) {
            printf("# call %u, %s: %s\n", nth, failed, text);
            nr_wrong++;
        }
    }
    ok(!nr_wrong && nth > 3,
       "the recovery survives the failure of each of its %u calls", nth - 2);
}

/* It may go by another name since. */
static void check_find(struct cmd_line *line)
{
    static const char *const words[] = { "web", "web--incoming", "1", "shop" },
                            *const others[] = { "we", "webx", "7", "other" };
    struct move *move;
    unsigned i, nr = 0;

    fake_xen_begin();
    fake_xen_remove(SOURCE);
    fake_xen_add(SOURCE, "shop", uuid);
    fake_xen_add(COPY, "other", (const uint8_t[16]){ 2 });
    write_journal("");
    for (i = 0; i < 4; i++) {
        move = recovery_find(line, words[i]);
        nr += move != NULL;
        move_free(move);
        move = recovery_find(line, others[i]);
        nr -= move != NULL;
        move_free(move);
    }
    ok(nr == 4, "a dead move is found by the names and the number of its domain");
    move_end(uuid);
}

int __wrap_main(void);

int __wrap_main(void)
{
    struct cmd_line line = { .lg = no_logger };
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    unsigned i;

    must(fault_calls_begin() && dup2(null_fd, STDERR_FILENO) >= 0 ? 0 : EIO);
    close(null_fd);
    for (i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
        check(&line, &scenes[i]);
        check_faults(&line, &scenes[i]);
    }
    check_find(&line);
    fault_calls_end();
    return tap_done();
}
