/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock and the journal of a move: who holds the one, and what can be read of
 * the other, however little of it was written, and by whom.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "placement/move_journal.h"
#include "tap.h"

#define DIRECTORY XEN_RUN_DIR "/numa-moves"
#define JOURNAL "/move-01000000000000000000000000000000"

static const uint8_t uuid[16] = { 1 }, other[16] = { 2 };

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    must(f && fputs(text, f) >= 0 && !fclose(f) ? 0 : errno);
}

/* ---- the lock ---- */

static void test_lock(void)
{
    int fd = -1, second = -1, apart = -1;

    ok(!move_is_locked(uuid), "no domain is locked before a move");
    ok(!move_lock(uuid, &fd), "a domain can be locked");
    ok(move_is_locked(uuid), "others see that the domain is locked");
    ok(move_lock(uuid, &second) == -EBUSY, "a domain cannot be locked twice");
    ok(!move_lock(other, &apart), "another domain can be locked");
    close(fd);
    ok(!move_is_locked(uuid) && move_is_locked(other),
       "closing its descriptor ends this lock, and no other");
    ok(!move_lock(uuid, &fd), "the lock can be taken again");
    close(fd);
    close(apart);
}

/* A process holds the locks that it inherited, whatever happens to its parent.
 */
static void test_inherited(void)
{
    int fd, wait_fds[2];
    pid_t child;
    char byte;

    must(pipe(wait_fds) ? errno : 0);
    must(move_lock(uuid, &fd));
    child = fork();
    if (!child) {
        close(wait_fds[1]);
        _exit(read(wait_fds[0], &byte, 1) != 0);
    }
    close(fd);
    ok(move_is_locked(uuid), "a child holds the lock that it inherited");
    close(wait_fds[1]);
    waitpid(child, NULL, 0);
    close(wait_fds[0]);
    ok(!move_is_locked(uuid), "the lock ends with the child");
}

/* ---- the journal ---- */

static bool is_as_begun(const struct move *m)
{
    return !memcmp(m->uuid, uuid, 16) && m->domid == 12 && m->session == 4711 &&
           m->start == 889231 && m->watched && !strcmp(m->name, "my guest");
}

static void test_journal(void)
{
    static char name[] = "my guest";
    struct move begun = { .domid = 12, .name = name, .session = 4711,
                          .start = 889231, .watched = true };
    struct move *m = NULL;

    memcpy(begun.uuid, uuid, sizeof(uuid));
    ok(move_read(uuid, &m) == -ENOENT, "before a move there is no journal");
    move_note(uuid, MOVE_ASKED);
    ok(move_read(uuid, &m) == -ENOENT, "a note alone makes no journal");
    ok(!move_begin(&begun) && !move_read(uuid, &m),
       "a journal is written and read");
    ok(is_as_begun(m) && !m->asked && !m->answered && !m->received,
       "a new journal has all of the move, and no step is done");
    move_free(m);
    move_note(uuid, MOVE_ASKED);
    move_note(uuid, MOVE_RECEIVED);
    must(move_read(uuid, &m));
    ok(is_as_begun(m) && m->asked && !m->answered && m->received,
       "a noted step is read, and the rest is as it was");
    move_free(m);
    move_end(uuid);
    ok(move_read(uuid, &m) == -ENOENT,
       "the end of the move removes the journal");
    move_end(uuid);
}

/* ---- what a dead process, a later version or a stranger left ---- */

static void test_texts(void)
{
    static const struct {
        const char *what, *text;
        int rc;
        bool asked;
    } cases[] = {
        { "half of a last note",
          "domain 5\nsession 9 77\nname g\nask", 0, false },
        { "a note of a later version",
          "domain 5\nsession 9 77\nname g\nfrozen 3\nasked\n", 0, true },
        { "a name like another line",
          "domain 5\nsession 9 77\nname asked\n", 0, false },
        { "no text", "", -EINVAL, false },
        { "no name", "domain 5\nsession 9 77\n", -EINVAL, false },
        { "no domain", "session 9 77\nname g\n", -EINVAL, false },
        { "Domain-0", "domain 0\nsession 9 77\nname g\n", -EINVAL, false },
        { "no session", "domain 5\nname g\n", -EINVAL, false },
        { "the session of init", "domain 5\nsession 1 77\nname g\n", -EINVAL,
          false },
        { "all sessions", "domain 5\nsession -1 77\nname g\n", -EINVAL, false },
        { "a session that never began", "domain 5\nsession 9 0\nname g\n",
          -EINVAL, false },
        { "other bytes", "\x7f" "ELF\n\n", -EINVAL, false },
    };
    struct move *m;
    unsigned i;
    int rc;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        m = NULL;
        write_file(DIRECTORY JOURNAL, cases[i].text);
        rc = move_read(uuid, &m);
        ok(rc == cases[i].rc && (rc || (m->domid == 5 &&
                                        m->asked == cases[i].asked)),
           "a journal with %s is %s", cases[i].what,
           cases[i].rc ? "refused" : "read");
        move_free(m);
    }
}

static void test_links(void)
{
    struct move *m = NULL;

    write_file("elsewhere", "domain 5\nsession 9 77\nname g\n");
    unlink(DIRECTORY JOURNAL);
    must(symlink("../elsewhere", DIRECTORY JOURNAL) ? errno : 0);
    ok(move_read(uuid, &m) == -ELOOP,
       "a link in the place of a journal is not read");
    move_note(uuid, MOVE_ASKED);
    unlink(DIRECTORY JOURNAL);
    must(rename("elsewhere", DIRECTORY JOURNAL) ? errno : 0);
    must(move_read(uuid, &m));
    ok(!m->asked, "a link in the place of a journal is not written through");
    move_free(m);
}

static void test_all(void)
{
    struct move **moves;
    unsigned nr;

    write_file(DIRECTORY JOURNAL, "domain 5\nsession 9 77\nname g\n");
    write_file(DIRECTORY JOURNAL ".new", "domain 6\nsession 9 77\nname h\n");
    write_file(DIRECTORY "/move-02000000000000000000000000000000",
               "domain 7\nsession 9 77\nname i\n");
    write_file(DIRECTORY "/move-03000000000000000000000000000000", "domain");
    write_file(DIRECTORY "/move-0400000000000000000000000000000x",
               "domain 8\nsession 9 77\nname k\n");
    ok(!move_read_all(&moves, &nr) && nr == 2 &&
           moves[0]->domid + moves[1]->domid == 12,
       "all whole journals are read, and no other file");
    move_free_all(moves, nr);
}

/* ---- the directory ---- */

static void test_directory(void)
{
    static char name[] = "g";
    struct move begun = { .domid = 1, .name = name, .session = 9, .start = 7 };
    struct move **moves;
    unsigned nr;
    int fd;

    must(rename(DIRECTORY, "kept") ? errno : 0);
    ok(!move_read_all(&moves, &nr) && !nr && !moves,
       "a missing directory has no moves");
    must(symlink("kept", DIRECTORY) ? errno : 0);
    ok(move_lock(uuid, &fd) < 0 && move_begin(&begun) < 0,
       "a link in the place of the directory is refused");
    unlink(DIRECTORY);
    write_file(DIRECTORY, "");
    ok(move_lock(uuid, &fd) == -ENOTDIR && move_begin(&begun) == -ENOTDIR &&
           move_read_all(&moves, &nr) == -ENOTDIR,
       "a file in the place of the directory is refused, with an error");
    ok(!move_is_locked(uuid), "no domain is locked then");
    unlink(DIRECTORY);
}

static void remove_all(const char *directory)
{
    pid_t child;

    must(chdir("/") ? errno : 0);
    child = fork();
    if (!child) {
        execlp("rm", "rm", "-rf", directory, NULL);
        _exit(EXIT_FAILURE);
    }
    waitpid(child, NULL, 0);
}

/* One that could not be read again is not written. */
static void test_odd_names(void)
{
    static char feed[] = "a\nb";
    struct move odd = { .domid = 12, .name = feed, .session = 4711,
                        .start = 889231 };
    char *lengthy = malloc(5000);
    struct move *m;

    must(lengthy ? 0 : ENOMEM);
    memset(lengthy, 'x', 4999);
    lengthy[4999] = '\0';
    ok(move_begin(&odd) == -EINVAL, "a name with a line feed is refused");
    odd.name = lengthy;
    ok(move_begin(&odd) == -ENAMETOOLONG, "a name that is too long is refused");
    ok(move_read(odd.uuid, &m) == -ENOENT, "a refused name leaves no journal");
    free(lengthy);
}

int main(void)
{
    char directory[] = "/tmp/test-move-journal.XXXXXX";

    must(mkdtemp(directory) && !chdir(directory) ? 0 : errno);
    test_lock();
    test_inherited();
    test_journal();
    test_texts();
    test_links();
    test_all();
    test_directory();
    remove_all(directory);
    test_odd_names();
    return tap_done();
}
