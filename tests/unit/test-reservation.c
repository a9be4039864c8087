/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reservations: the lock, what counts, and whose creator lives. */
#include "reservations.h"

/* ---- the lock ---- */

static void test_lock(void)
{
    struct xln_reservations *held, *other = NULL;
    char inner[512];

    make_dir();
    path_of(inner, sizeof(inner), "numa");
    ok(xln_reservations_lock(inner, 0, &held) == 0,
       "the directory is made when it is first needed");
    ok(xln_reservations_lock(inner, 4, &other) == -ETIMEDOUT && !other,
       "a lock that another process holds cannot be taken");
    xln_reservations_unlock(held);
    ok(xln_reservations_lock(inner, 0, &held) == 0,
       "the lock can be taken once it is released");
    xln_reservations_unlock(held);
    xln_reservations_unlock(NULL);
    path_of(inner, sizeof(inner), "numa/lock");
    unlink(inner);
    remove_dir();
}

static unsigned mode_of(const char *name)
{
    char path[512];
    struct stat st;

    path_of(path, sizeof(path), name);
    need_call(lstat(path, &st));
    return st.st_mode & 07777;
}

/* For any umask of the user that runs xl. */
static void test_privacy(void)
{
    const uint8_t uuid[16] = { 7 };
    struct xln_share share = { 0, MIB };
    struct xln_reservations *held;
    mode_t mask = umask(0);
    char inner[512], path[512], text[64];

    make_dir();
    path_of(inner, sizeof(inner), "numa");
    must(xln_reservations_lock(inner, 0, &held));
    /* Somebody has put a link where the record is to be written. */
    write_file("victim", "mine", 4);
    path_of(path, sizeof(path), "numa/.new");
    need_call(symlink("../victim", path));
    must(xln_reservations_add(held, 7, uuid, &share, 1, NULL, 0, NULL,
                              &held_fds[nr_held++]));
    ok(mode_of("numa") == 0700 && mode_of("numa/lock") == 0600 &&
           mode_of("numa/7") == 0600,
       "only the owner can read the directory, the lock and a record");
    ok(read_file("victim", text, sizeof(text)) == 4 && !exists("numa/.new"),
       "a link in the record's place is not followed");
    xln_reservations_unlock(held);
    xln_reservations_remove(inner, 7);
    path_of(path, sizeof(path), "numa/lock");
    need_call(unlink(path));
    umask(mask);
    remove_dir();
}

static void test_bad_directories(void)
{
    struct xln_reservations *held = NULL;
    char path[512], link[512];
    int rc;

    make_dir();
    path_of(path, sizeof(path), "no/such");
    ok(xln_reservations_lock(path, 0, &held) == -ENOENT,
       "a directory whose parent does not exist is refused");
    write_file("file", "", 0);
    path_of(path, sizeof(path), "file");
    ok(xln_reservations_lock(path, 0, &held) == -ENOTDIR,
       "a file in the directory's place is refused");
    path_of(link, sizeof(link), "link");
    need_call(symlink(dir, link));
    rc = xln_reservations_lock(link, 0, &held);
    ok(rc == -ENOTDIR || rc == -ELOOP,
       "a symbolic link in the directory's place is not followed");
    path_of(path, sizeof(path), "lock");
    need_call(symlink("file", path));
    ok(xln_reservations_lock(dir, 0, &held) == -ELOOP,
       "a symbolic link in the lock's place is not followed");
    unlink(path);
    need_call(mkdir(path, 0700));
    ok(xln_reservations_lock(dir, 0, &held) == -EISDIR,
       "a directory in the lock's place is refused");
    ok(!held, "a failure returns no lock");
    rmdir(path);
    if (geteuid() == 0) {
        ok(true,
           "a directory that others own is refused # SKIP running as root");
    } else {
        need_call(chmod(dir, 0500));
        ok(xln_reservations_lock(dir, 0, &held) == -EACCES,
           "a directory that others own is refused");
        need_call(chmod(dir, 0700));
    }
    remove_dir();
}

/* ---- what is outstanding ---- */

static void test_follows_pages(void)
{
    static const struct xln_share shares[] = {
        { 3, 100 * MIB }, { 0, 200 * MIB }, { 1023, 300 * MIB },
    };
    struct domain *d;

    make_dir();
    ok(outstanding() == 0, "at first nothing is outstanding");
    d = add_domain(12, 7, 0);
    add(12, 7, shares, 3);
    ok(outstanding() == 600 * MIB && reserved[3] == 100 * MIB &&
           reserved[0] == 200 * MIB && reserved[1023] == 300 * MIB,
       "a domain without a page has all of its shares outstanding");
    d->pages = 300 * MIB_PAGES;
    ok(outstanding() == 300 * MIB && reserved[3] == 50 * MIB &&
           reserved[0] == 100 * MIB && reserved[1023] == 150 * MIB,
       "a domain with half of its pages has half of each share outstanding");
    d->pages = 599 * MIB_PAGES;
    ok(outstanding() >= MIB && outstanding() <= 3 * MIB,
       "a domain with almost all of its pages has the rest outstanding");
    d->pages = 600 * MIB_PAGES;
    ok(outstanding() == 0,
       "a domain with all of its pages has nothing outstanding");
    d->pages = UINT64_C(1) << 40;
    ok(outstanding() == 0, "a domain with more pages has nothing outstanding");
    ok(exists("12"),
       "a complete domain keeps its record until that is removed");
    xln_reservations_remove(dir, 12);
    ok(!exists("12"), "a removed record does not exist");
    xln_reservations_remove(dir, 12);
    ok(outstanding() == 0, "removing it again does nothing");
    remove_dir();
}

static void test_pieces_of_mebibytes(void)
{
    static const struct xln_share shares[] = {
        { 0, 2 * MIB - 4096 }, { 1, MIB + 4096 }, { 2, MIB / 2 },
    };
    unsigned i, nr_less = 0;

    make_dir();
    add_domain(1, 1, 0);
    add(1, 1, shares, 3);
    must(read_outstanding());
    for (i = 0; i < 3; i++)
        nr_less += reserved[i] < shares[i].bytes;
    ok(!nr_less, "no share counts for less than its reservation");
    remove_dir();
}

static void test_large(void)
{
    static struct xln_share shares[XLN_MAX_NODES];
    unsigned i;

    make_dir();
    for (i = 0; i < XLN_MAX_NODES; i++)
        shares[i] = (struct xln_share){ i, UINT64_C(24) << 40 };
    add_domain(1, 1, UINT64_C(12) << 30);
    add(1, 1, shares, 1);
    ok(outstanding() == 0,
       "a complete domain of 24 TiB has nothing outstanding");
    domains.all[0].pages = UINT64_C(3) << 30;
    ok(outstanding() == UINT64_C(12) << 40,
       "a half-built domain of 24 TiB has half outstanding");
    domains.all[0].pages = 0;
    for (i = 0; i < XLN_MAX_NODES; i++)
        shares[i].bytes = (i + 1) * MIB;
    add(1, 1, shares, XLN_MAX_NODES);
    ok(outstanding() == 524800 * MIB && reserved[1000] == 1001 * MIB,
       "a domain on 1024 nodes has all shares outstanding");
    add(1, 1, shares, 0);
    ok(outstanding() == 0,
       "a domain without a reservation has nothing outstanding");
    remove_dir();
}

/* Its create has failed, and libxl destroys it while others plan. */
static void test_destroyed(void)
{
    make_dir();
    add_domain(5, 5, 30 * MIB_PAGES)->dying = true;
    add_one(5, 5, 2, 100);
    ok(outstanding() == 0,
       "a domain that is being destroyed has nothing outstanding");
    remove_dir();
}

static void test_several(void)
{
    make_dir();
    add_domain(5, 5, 0);
    add_domain(6, 6, 10 * MIB_PAGES);
    add_one(5, 5, 2, 100);
    add_one(6, 6, 2, 50);
    ok(outstanding() == 140 * MIB && reserved[2] == 140 * MIB,
       "the reservations of several domains add up");
    add_one(5, 5, 1, 30);
    ok(outstanding() == 70 * MIB && reserved[1] == 30 * MIB,
       "a domain's record replaces the one that it had");
    remove_dir();
}

static void test_void_records(void)
{
    make_dir();
    add_domain(5, 5, 0);
    add_one(5, 6, 0, 100);
    ok(outstanding() == 0, "the record of another uuid does not count");
    ok(!exists("5"), "the record of another uuid is removed");

    add_one(4, 4, 0, 100);
    ok(outstanding() == 0 && !exists("4"),
       "the record of a domain that has ended does not count");
    add_one(7, 7, 0, 100);
    ok(outstanding() == 0 && !exists("7"),
       "a record with a number above all domains does not count");
    remove_dir();
}

static void test_hypercall_fails(void)
{
    make_dir();
    add_domain(5, 5, 0);
    add_one(5, 5, 0, 100);
    domains.fail = EPERM;
    ok(read_outstanding() == -EPERM, "a refused hypercall is reported");
    domains.fail = 0;
    ok(outstanding() == 100 * MIB, "a refused hypercall removes no record");
    remove_dir();
}

/* ---- creators ---- */

static void lock_for_good(int number)
{
    (void)number;
    lock();
}

static void test_lock_after_death(void)
{
    struct xln_reservations *held;
    int ready[2];
    pid_t pid;

    make_dir();
    need_call(pipe(ready));
    pid = start_creator(lock_for_good, 0, ready[1]);
    close(ready[1]);
    await_byte(ready[0]);
    close(ready[0]);
    ok(xln_reservations_lock(dir, 4, &held) == -ETIMEDOUT,
       "a lock that another process holds is refused");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ok(xln_reservations_lock(dir, 0, &held) == 0,
       "a process that is killed leaves no lock behind");
    xln_reservations_unlock(held);
    remove_dir();
}

static void test_dead_creator(void)
{
    siginfo_t info;
    pid_t pid;

    make_dir();
    add_domain(9, 9, 0);
    pid = start_one(9);
    ok(outstanding() == 100 * MIB, "the record of another process counts");
    kill(pid, SIGKILL);
    need_call(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    ok(outstanding() == 0,
       "the record of a killed creator is void before its parent notices");
    waitpid(pid, NULL, 0);
    ok(outstanding() == 0 && exists("9"),
       "the record of a killed creator is void, and kept for its domain");
    domains.nr = 0;
    ok(outstanding() == 0 && !exists("9"),
       "the record is removed when the domain has ended");
    remove_dir();
}

/* ---- the list ---- */

static struct xln_reservation_list *read_list(void)
{
    struct xln_reservation_list *list;

    must(xln_reservation_list_read(dir, NULL, &list));
    return list;
}

static void test_list(void)
{
    static const struct xln_share shares[] = { { 0, 64 * MIB },
                                               { 3, 32 * MIB } };
    struct xln_reservation_list *list;
    const struct xln_reservation *r;
    struct xln_reservations *held;

    make_dir();
    add_domain(5, 5, 48 * MIB_PAGES);
    add(5, 5, shares, 2);
    add_one(4, 4, 0, 100);
    write_file("6", "rubbish\n", 8);
    held = lock();
    list = read_list();
    xln_reservations_unlock(held);
    ok(true, "the list is read while another process has the lock");
    r = list->list;
    ok(list->nr == 1 && r->domid == 5 && r->uuid[0] == 5 &&
       r->creator == getpid() && r->creator_lives,
       "the list has the records of existing domains");
    ok(r->nr_shares == 2 && r->shares[1].node == 3 &&
       r->shares[1].bytes == 32 * MIB, "the list has their shares");
    ok(list->outstanding_bytes[0] == 32 * MIB &&
       list->outstanding_bytes[3] == 16 * MIB,
       "the list has what is outstanding");
    ok(exists("4") && exists("6"), "reading the list removes nothing");
    xln_reservation_list_free(list);
    xln_reservation_list_free(NULL);
    remove_dir();
}

static void test_list_of_dead_creator(void)
{
    struct xln_reservation_list *list;
    pid_t pid;

    make_dir();
    add_domain(9, 9, 0);
    pid = start_one(9);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    must(read_outstanding());
    list = read_list();
    ok(list->nr == 1 && list->list[0].creator == pid &&
       !list->list[0].creator_lives && !list->outstanding_bytes[0],
       "the list has the domain of a dead creator, also after a later create");
    xln_reservation_list_free(list);
    remove_dir();
}

static void test_list_fails(void)
{
    struct xln_reservation_list *list;
    unsigned nth, nr_wrong = 0;
    int rc = -ENOMEM;

    make_dir();
    add_domain(5, 5, 0);
    add_one(5, 5, 0, 100);
    domains.fail = EPERM;
    ok(xln_reservation_list_read(dir, NULL, &list) == -EPERM,
       "the list reports a refused hypercall");
    domains.fail = 0;
    for (nth = 1; rc && nth < 100; nth++) {
        fake_alloc_fail(nth);
        rc = xln_reservation_list_read(dir, NULL, &list);
        fake_alloc_fail(0);
        nr_wrong += rc && rc != -ENOMEM;
    }
    ok(!rc && !nr_wrong && nth > 3 && list->nr == 1,
       "the list reports running out of memory as -ENOMEM");
    xln_reservation_list_free(list);
    remove_dir();
    list = read_list();
    ok(list->nr == 0, "a directory that does not exist has no records");
    xln_reservation_list_free(list);
}

static void test_text(void)
{
    char text[512], expected[512];

    make_dir();
    add_domain(9, 0, 0);
    add_one(9, 0, 0, 100);
    read_file("9", text, sizeof(text));
    snprintf(expected, sizeof(expected),
             "domain 9 00000000-0000-0000-0000-000000000000\n"
             "creator %ld\nnode 0 %llu\n", (long)getpid(), 100ull << 20);
    is_str(text, expected, "a record is as the documentation shows it");
    drop_records();
    ok(outstanding() == 0,
       "a record does not count once its creator has released it");
    remove_dir();
}

/* In a user namespace of its own, in which anybody may make one of processes.
 * False: this kernel does not let us. */
static bool enter_container(void)
{
    return !unshare(CLONE_NEWUSER | CLONE_NEWPID);
}

static void create_in_container(int number)
{
    char text[16];
    int ends[2];
    pid_t pid;

    need_call(pipe(ends));
    pid = fork();
    need_call(pid);
    if (pid) {
        must(read(ends[0], text, 1) == 1 ? 0 : EIO);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    add_one(number, number, 0, 100);
    if (write(ends[1], "x", 1) == 1)
        for (;;)
            pause();
    _exit(1);
}

static void test_container(void)
{
    char text[512];
    int ready[2];
    pid_t pid;

    make_dir();
    add_domain(9, 9, 0);
    need_call(pipe(ready));
    pid = fork();
    need_call(pid);
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!enter_container())
            _exit(0);
        create_in_container(9);
        if (write(ready[1], "x", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(ready[1]);
    if (read(ready[0], text, 1) != 1) {
        ok(true,
           "a creator in a container is found alive # SKIP no namespaces here");
        ok(true,
           "a killed creator in a container is found dead # SKIP no "
           "namespaces here");
    } else {
        read_file("9", text, sizeof(text));
        ok(strstr(text, "creator 1\n") && outstanding() == 100 * MIB,
           "a creator in a container is found alive, with another number "
           "there");
        kill(pid, SIGKILL);
        must(read(ready[0], text, 1) ? EIO : 0);
        while (outstanding())
            usleep(1000);
        ok(true, "a killed creator in a container is found dead");
    }
    waitpid(pid, NULL, 0);
    close(ready[0]);
    remove_dir();
}

/* Eight creators, four nodes with room for two of them: each sees what is
 * free, less what is outstanding, and takes the first node that it fits on. */
#define NR_CREATORS 8
#define NODE_MIB 700
#define GUEST_MIB 300

static unsigned *chosen;        /* [NR_CREATORS], shared */

static void create_somewhere(int number)
{
    const uint8_t uuid[16] = { number };
    struct xln_reservations *held = lock();
    struct xln_share share = { 0, GUEST_MIB * MIB };

    must(xln_reservations_outstanding(held, NULL, reserved));
    while (reserved[share.node] + share.bytes > NODE_MIB * MIB)
        share.node++;
    chosen[number] = share.node;
    must(xln_reservations_add(held, number, uuid, &share, 1, NULL, 0,
                              NULL, &held_fds[nr_held++]));
    xln_reservations_unlock(held);
}

static void test_creators_at_once(void)
{
    unsigned nr_on[NR_CREATORS] = { 0 };
    pid_t pids[NR_CREATORS];
    bool even = true;
    int ready[2], i;

    make_dir();
    chosen = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(chosen == MAP_FAILED ? errno : 0);
    need_call(pipe(ready));
    for (i = 0; i < NR_CREATORS; i++)
        add_domain(i, i, 0);
    for (i = 0; i < NR_CREATORS; i++)
        pids[i] = start_creator(create_somewhere, i, ready[1]);
    close(ready[1]);
    for (i = 0; i < NR_CREATORS; i++)
        await_byte(ready[0]);
    close(ready[0]);
    for (i = 0; i < NR_CREATORS; i++)
        if (chosen[i] < NR_CREATORS)
            nr_on[chosen[i]]++;
    for (i = 0; i < NR_CREATORS; i++)
        even = even && nr_on[i] == (i < NR_CREATORS / 2 ? 2 : 0);
    ok(even, "simultaneous creates never count the same page");
    ok(outstanding() == NR_CREATORS * GUEST_MIB * MIB,
       "all that simultaneous creates reserve is outstanding");
    for (i = 0; i < NR_CREATORS; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    ok(outstanding() == 0, "nothing is outstanding after they have ended");
    munmap(chosen, 4096);
    remove_dir();
}

static void test_no_memory(void)
{
    struct xln_reservations *held;
    unsigned nth, nr_wrong = 0;
    int rc = -ENOMEM;

    make_dir();
    add_domain(5, 5, 0);
    add_one(5, 5, 0, 100);
    for (nth = 1; rc && nth < 100; nth++) {
        fake_alloc_fail(nth);
        rc = xln_reservations_lock(dir, 0, &held);
        if (!rc) {
            rc = xln_reservations_outstanding(held, NULL, reserved);
            xln_reservations_unlock(held);
        }
        fake_alloc_fail(0);
        nr_wrong += rc && rc != -ENOMEM;
    }
    ok(!nr_wrong && nth > 3 && nth < 100 && outstanding() == 100 * MIB,
       "running out of memory is -ENOMEM, and removes no record");
    remove_dir();
}

static bool is_run(const struct xln__promise *p, unsigned i, unsigned first,
                   unsigned last, uint64_t load)
{
    return p && i < p->nr_runs && p->runs[i].first == first &&
           p->runs[i].last == last && p->runs[i].load == load;
}

/* What a create in flight reserves for its vCPUs. */
static void test_promises(void)
{
    const struct xln_share share = { 2, 100 * MIB };
    const uint8_t uuid[16] = { 7 };
    const uint64_t load[8] = { 0, 0, 0, XLN_LOAD_ONE, 5, 5, 0, 7 };
    struct xln_reservations *held;
    const struct xln__promise *p;
    struct xln_cpumap *cores;

    make_dir();
    must(xln_cpumap_new(XLN_MAX_CPUS, &cores));
    add_domain(7, 7, 0);
    add_domain(8, 8, 0);
    add_one(8, 8, 0, 100);
    held = lock();
    must(xln_reservations_add(held, 7, uuid, &share, 1, load, 8, NULL,
                              &held_fds[nr_held++]));
    ok(!xln__reservations_promise(held, 7), "nothing is known before reading");
    must(xln_reservations_outstanding(held, NULL, reserved));
    must(xln_reservations_outstanding(held, NULL, reserved));
    p = xln__reservations_promise(held, 7);
    ok(p && p->nr_runs == 3 && is_run(p, 0, 3, 3, XLN_LOAD_ONE) &&
           is_run(p, 1, 4, 5, 5) && is_run(p, 2, 7, 7, 7) &&
           reserved[2] == 100 * MIB,
       "a record has where the vCPUs of a create in flight stay");
    ok(!xln__reservations_promise(held, 8) &&
           !xln__reservations_promise(NULL, 7),
       "a record without CPUs has no load");
    ok(xln_cpumap_is_empty(p->cores), "a record without CPUs takes no core");
    must(xln_cpumap_parse("0,4-5,64-127,65535", NULL, 0, cores, NULL));
    must(xln_reservations_add(held, 7, uuid, &share, 1, load, 8, cores,
                              &held_fds[nr_held++]));
    must(xln_reservations_outstanding(held, NULL, reserved));
    p = xln__reservations_promise(held, 7);
    ok(p && xln_cpumap_equal(p->cores, cores) && p->nr_runs == 3,
       "a record has the cores that the domain will take");
    for (unsigned cpu = 0; cpu < XLN_MAX_CPUS; cpu++)
        (void)(cpu % 2 ? xln_cpumap_clear(cores, cpu)
                       : xln_cpumap_set(cores, cpu));
    must(xln_reservations_add(held, 7, uuid, &share, 1, NULL, 0, cores,
                              &held_fds[nr_held++]));
    must(xln_reservations_outstanding(held, NULL, reserved));
    p = xln__reservations_promise(held, 7);
    ok(p && xln_cpumap_equal(p->cores, cores) && !p->nr_runs,
       "a record can have every other CPU of all, without load");
    xln_reservations_unlock(held);
    xln_cpumap_free(cores);
    remove_dir();
}

/* Each CPU another load, as large as it may be: the record is read whole. */
static void test_largest_promise(void)
{
    const uint8_t uuid[16] = { 7 };
    uint64_t *load = calloc(XLN_MAX_CPUS, sizeof(*load));
    struct xln_reservations *held;
    const struct xln__promise *p;

    make_dir();
    add_domain(7, 7, 0);
    for (unsigned cpu = 0; cpu < XLN_MAX_CPUS; cpu++)
        load[cpu] = (UINT64_C(1) << 36) + cpu % 2;
    held = lock();
    must(xln_reservations_add(held, 7, uuid, NULL, 0, load, XLN_MAX_CPUS, NULL,
                              &held_fds[nr_held++]));
    must(xln_reservations_outstanding(held, NULL, reserved));
    p = xln__reservations_promise(held, 7);
    ok(p && p->nr_runs == XLN_MAX_CPUS &&
           is_run(p, 65535, 65535, 65535, load[65535]),
       "a record can have another load on each CPU");
    xln_reservations_unlock(held);
    free(load);
    remove_dir();
}

int main(void)
{
    unsigned nr_before = nr_descriptors();

    test_lock();
    test_privacy();
    test_bad_directories();
    test_follows_pages();
    test_pieces_of_mebibytes();
    test_large();
    test_destroyed();
    test_several();
    test_void_records();
    test_hypercall_fails();
    test_lock_after_death();
    test_list();
    test_list_of_dead_creator();
    test_list_fails();
    test_text();
    test_container();
    test_creators_at_once();
    test_promises();
    test_largest_promise();
    test_no_memory();
    ok(nr_descriptors() == nr_before, "no file is left open");
    test_dead_creator();
    return tap_done();
}
