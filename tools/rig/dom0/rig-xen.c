/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rig-xen - what rig's scripts ask Xen for, in one process. Each xl costs a
 * tenth of a second of emulated time, most of it for its libraries; this one is
 * linked statically.
 *
 *   rig-xen domains       "domain DOMID STATE NAME" of each domain; the state is
 *                         'd' for a domain that is being destroyed, 's' for one
 *                         that has shut down, 'p' for one that is paused, 'r'
 *                         if a vCPU of it runs, 'b' if all of them wait, or '-'
 *   rig-xen keys KEYS     presses Xen's debug KEYS in turn, and prints what Xen
 *                         has to say; the console ring is empty afterwards
 *   rig-xen vcpus N       N times, 100 ms apart, "name vcpu cpu" for each vCPU
 *                         of a guest that has run
 *   rig-xen make N MIB NAME
 *                         makes N domains, NAME1 and so on, each with a vCPU
 *                         and MIB MiB of memory: paused, empty, and of no
 *                         toolstack but for the name
 *   rig-xen unmake        destroys all of these
 *   rig-xen until DOMID STATE USEC
 *                         ends USEC microseconds after the domain was first seen
 *                         in that state, or has gone
 *   rig-xen map DOMID MIB [MS]
 *                         maps the first MIB MiB of a PVH guest, says so, and
 *                         stays: Xen can't free these pages until it ends. MS:
 *                         it lets go of one of them every MS milliseconds
 *   rig-xen frames DOMID FIRST END NR
 *                         "node frames" of each node that NR of an HVM guest's
 *                         frames are on, evenly spread from FIRST up to END, in
 *                         MiB. "- frames": of these none can be told. Each is
 *                         freed, and allocated again from the node that has a
 *                         free page more; its content is kept
 *   rig-xen rejoin CPU N  takes a CPU out of cpupool 0, and puts it back, N times,
 *                         as 'xl cpupool-cpu-remove' and '-add' do
 *   rig-xen lock FILE     takes FILE's lock of flock(), says so, and stays
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenstore.h>

#define MAX_DOMAINS 512
#define SAMPLE_USEC 100000
#define MIB_PAGES 256

/* In xenstore, below a domain that was made here. */
#define MADE "rig-xen"

static xc_interface *xch;
static struct xs_handle *xsh;
static xc_domaininfo_t domains[MAX_DOMAINS];
static char *names[MAX_DOMAINS];
static int nr_domains;

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* The path of a domain in xenstore, or of `key` below it. */
static const char *store_path(uint32_t domid, const char *key)
{
    static char path[64];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "%s%s", domid,
             key ? "/" : "", key ? key : "");
    return path;
}

static char *store_read(uint32_t domid, const char *key)
{
    return xs_read(xsh, XBT_NULL, store_path(domid, key), NULL);
}

static void store_write(uint32_t domid, const char *key, const char *text)
{
    check(xs_write(xsh, XBT_NULL, store_path(domid, key), text, strlen(text)),
          "rig-xen: xenstore");
}

static void open_store(void)
{
    xsh = xs_open(0);
    check(xsh, "rig-xen: xenstore");
}

static void read_domains(void)
{
    open_store();
    nr_domains = xc_domain_getinfolist(xch, 0, MAX_DOMAINS, domains);
    check(nr_domains >= 0, "rig-xen: domains");
    for (int i = 0; i < nr_domains; i++)
        names[i] = store_read(domains[i].domain, "name");
}

static char state_of(const xc_domaininfo_t *domain)
{
    static const struct {
        uint32_t flag;
        char letter;
    } states[] = {
        { XEN_DOMINF_dying, 'd' }, { XEN_DOMINF_shutdown, 's' },
        { XEN_DOMINF_paused, 'p' }, { XEN_DOMINF_running, 'r' },
        { XEN_DOMINF_blocked, 'b' }, { 0, '-' },
    };
    int i = 0;

    while (states[i].flag && !(domain->flags & states[i].flag))
        i++;
    return states[i].letter;
}

static int print_domains(void)
{
    read_domains();
    for (int i = 0; i < nr_domains; i++)
        printf("domain %u %c %s\n", (unsigned int)domains[i].domain,
               state_of(&domains[i]), names[i] ? names[i] : "");
    return 0;
}

static int await_state(uint32_t domid, char state, unsigned int usec)
{
    xc_domaininfo_t info;

    while (xc_domain_getinfolist(xch, domid, 1, &info) == 1 &&
           info.domain == domid && state_of(&info) != state)
        ;
    usleep(usec);
    return 0;
}

/* Takes everything out of the ring, and prints it. */
static void empty_ring(FILE *out)
{
    static char buffer[16384];
    unsigned int nr;

    do {
        nr = sizeof(buffer);
        check(!xc_readconsolering(xch, buffer, &nr, 1, 0, NULL),
              "rig-xen: console ring");
        if (out)
            fwrite(buffer, 1, nr, out);
    } while (nr > 0);
}

static int press_keys(char *keys)
{
    empty_ring(NULL);
    check(!xc_send_debug_keys(xch, keys), "rig-xen: debug keys");
    empty_ring(stdout);
    return 0;
}

static void print_vcpus(void)
{
    for (int i = 0; i < nr_domains; i++) {
        for (uint32_t v = 0; v <= domains[i].max_vcpu_id; v++) {
            xc_vcpuinfo_t info;

            if (domains[i].domain && names[i] &&
                !xc_vcpu_getinfo(xch, domains[i].domain, v, &info) &&
                info.online && info.cpu_time > 0)
                printf("%s %" PRIu32 " %" PRIu32 "\n", names[i], v, info.cpu);
        }
    }
}

static int sample_vcpus(int nr_samples)
{
    read_domains();
    for (int i = 0; i < nr_samples; i++) {
        if (i > 0)
            usleep(SAMPLE_USEC);
        print_vcpus();
    }
    return 0;
}

/* 2 MiB extents, and an odd MiB as pages. */
static void populate(uint32_t domid, unsigned long nr_mib)
{
    xen_pfn_t frames[MIB_PAGES];
    unsigned long mib = 0;

    check(!xc_domain_setmaxmem(xch, domid, nr_mib * 1024), "rig-xen: memory");
    for (; mib + 2 <= nr_mib; mib += 2) {
        frames[0] = mib * MIB_PAGES;
        check(!xc_domain_populate_physmap_exact(xch, domid, 1, 9, 0, frames),
              "rig-xen: memory");
    }
    if (mib == nr_mib)
        return;
    for (int i = 0; i < MIB_PAGES; i++)
        frames[i] = mib * MIB_PAGES + i;
    check(!xc_domain_populate_physmap_exact(xch, domid, MIB_PAGES, 0, 0,
                                            frames), "rig-xen: memory");
}

/* A PV domain, which Xen makes paused. Its uuid, like another's, is unique. */
static uint32_t make_domain(unsigned int number)
{
    struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 1023,
        .max_grant_frames = 1, .max_maptrack_frames = 1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
    };
    uint32_t domid = DOMID_INVALID; /* Xen chooses; since 4.22 not for a 0 */

    memcpy(config.handle, MADE, sizeof(MADE));
    memcpy(config.handle + sizeof(config.handle) - sizeof(number), &number,
           sizeof(number));
    check(!xc_domain_create(xch, &domid, &config), "rig-xen: domain");
    check(!xc_domain_max_vcpus(xch, domid, 1), "rig-xen: vCPU");
    return domid;
}

static int make(unsigned int nr, unsigned long nr_mib, const char *name)
{
    char text[64];

    open_store();
    for (unsigned int i = 1; i <= nr; i++) {
        uint32_t domid = make_domain(i);

        store_write(domid, MADE, "");
        snprintf(text, sizeof(text), "%s%u", name, i);
        store_write(domid, "name", text);
        populate(domid, nr_mib);
    }
    return 0;
}

static int unmake(void)
{
    read_domains();
    for (int i = 0; i < nr_domains; i++) {
        uint32_t domid = domains[i].domain;

        if (!store_read(domid, MADE))
            continue;
        check(!xc_domain_destroy(xch, domid), "rig-xen: destroy");
        xs_rm(xsh, XBT_NULL, store_path(domid, NULL));
    }
    return 0;
}

/* Frames without memory are not mapped: ROM, for one. */
static void *map_frames(xenforeignmemory_handle *handle, uint32_t domid,
                        const xen_pfn_t *frames, size_t nr)
{
    int *errors = calloc(nr, sizeof(*errors));
    void *mapped;

    check(errors, "rig-xen: map");
    mapped = xenforeignmemory_map(handle, domid, PROT_READ, nr, frames, errors);
    check(mapped, "rig-xen: map");
    free(errors);
    return mapped;
}

/* The kernel lets go of what was mapped at once only as a whole. */
static void map_singly(xenforeignmemory_handle *handle, uint32_t domid,
                       const xen_pfn_t *frames, size_t nr, void **pages)
{
    for (size_t i = 0; i < nr; i++)
        pages[i] = map_frames(handle, domid, &frames[i], 1);
}

static void let_go(xenforeignmemory_handle *handle, void **pages, size_t nr,
                   unsigned int ms)
{
    for (size_t i = 0; i < nr; i++) {
        usleep(ms * 1000);
        check(!xenforeignmemory_unmap(handle, pages[i], 1), "rig-xen: unmap");
    }
}

static void map(uint32_t domid, size_t nr_mib, unsigned int ms)
{
    xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
    size_t nr = nr_mib * MIB_PAGES;
    xen_pfn_t *frames = calloc(nr, sizeof(*frames));
    void **pages = calloc(nr, sizeof(*pages));

    check(handle && frames && pages, "rig-xen: map");
    for (size_t i = 0; i < nr; i++)
        frames[i] = i;
    if (ms)
        map_singly(handle, domid, frames, nr, pages);
    else
        map_frames(handle, domid, frames, nr);
    puts("mapped");
    fflush(stdout);
    if (ms)
        let_go(handle, pages, nr, ms);
    for (;;)
        pause();
}

#define MAX_NODES 64

static void read_free(uint64_t free_bytes[MAX_NODES])
{
    for (int node = 0; node < MAX_NODES; node++)
        if (xc_availheap(xch, 0, 0, node, &free_bytes[node]))
            free_bytes[node] = 0;
}

/* The one that has a page more; MAX_NODES: not one. */
static int node_with_more(const uint64_t before[MAX_NODES],
                          const uint64_t after[MAX_NODES])
{
    int found = MAX_NODES;

    for (int node = 0; node < MAX_NODES; node++) {
        if (after[node] != before[node] + XC_PAGE_SIZE)
            continue;
        if (found < MAX_NODES)
            return MAX_NODES;
        found = node;
    }
    return found;
}

static bool copy_frame(xenforeignmemory_handle *handle, uint32_t domid,
                       xen_pfn_t frame, char *page, bool back)
{
    int error = 0;
    void *mapped = xenforeignmemory_map(handle, domid, PROT_READ | PROT_WRITE,
                                        1, &frame, &error);

    if (!mapped)
        return false;
    if (!error && back)
        memcpy(mapped, page, XC_PAGE_SIZE);
    else if (!error)
        memcpy(page, mapped, XC_PAGE_SIZE);
    xenforeignmemory_unmap(handle, mapped, 1);
    return !error;
}

/* MAX_NODES: it is not known. */
static int node_of_frame(xenforeignmemory_handle *handle, uint32_t domid,
                         xen_pfn_t frame)
{
    uint64_t before[MAX_NODES], after[MAX_NODES];
    char page[XC_PAGE_SIZE];
    int node;

    if (!copy_frame(handle, domid, frame, page, false))
        return MAX_NODES;
    read_free(before);
    check(!xc_domain_decrease_reservation_exact(xch, domid, 1, 0, &frame),
          "rig-xen: free a frame");
    read_free(after);
    node = node_with_more(before, after);
    check(!xc_domain_populate_physmap_exact(
              xch, domid, 1, 0,
              node < MAX_NODES ? XENMEMF_exact_node(node) : 0, &frame) &&
          copy_frame(handle, domid, frame, page, true),
          "rig-xen: give a frame back");
    return node;
}

static int frames(uint32_t domid, unsigned long first, unsigned long end,
                  unsigned long nr)
{
    xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
    unsigned long counts[MAX_NODES + 1] = { 0 };
    xen_pfn_t at = first * MIB_PAGES, size = (end - first) * MIB_PAGES;

    check(handle && !xc_domain_pause(xch, domid), "rig-xen: frames");
    for (unsigned long i = 0; i < nr; i++)
        counts[node_of_frame(handle, domid, at + i * size / nr)]++;
    xc_domain_unpause(xch, domid);
    for (int node = 0; node < MAX_NODES; node++)
        if (counts[node])
            printf("%d %lu\n", node, counts[node]);
    if (counts[MAX_NODES])
        printf("- %lu\n", counts[MAX_NODES]);
    return 0;
}

static void lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    check(fd >= 0 && !flock(fd, LOCK_EX), path);
    puts("locked");
    fflush(stdout);
    for (;;)
        pause();
}

/* libxenctrl tries again for a while if the CPU is busy. */
static int rejoin(int cpu, unsigned int times)
{
    for (unsigned int i = 0; i < times; i++) {
        check(!xc_cpupool_removecpu(xch, 0, cpu), "rig-xen: remove");
        check(!xc_cpupool_addcpu(xch, 0, cpu), "rig-xen: add");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "lock"))
        lock(argv[2]);
    xch = xc_interface_open(NULL, NULL, 0);
    check(xch, "rig-xen: hypervisor");
    if (argc == 2 && !strcmp(argv[1], "domains"))
        return print_domains();
    if (argc == 3 && !strcmp(argv[1], "keys"))
        return press_keys(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "vcpus"))
        return sample_vcpus(atoi(argv[2]));
    if (argc == 5 && !strcmp(argv[1], "make"))
        return make(atoi(argv[2]), atol(argv[3]), argv[4]);
    if (argc == 2 && !strcmp(argv[1], "unmake"))
        return unmake();
    if (argc == 4 && !strcmp(argv[1], "rejoin"))
        return rejoin(atoi(argv[2]), atoi(argv[3]));
    if (argc == 5 && !strcmp(argv[1], "until"))
        return await_state(atoi(argv[2]), *argv[3], atoi(argv[4]));
    if ((argc == 4 || argc == 5) && !strcmp(argv[1], "map"))
        map(atoi(argv[2]), atol(argv[3]), argc == 5 ? atoi(argv[4]) : 0);
    if (argc == 6 && !strcmp(argv[1], "frames"))
        return frames(atoi(argv[2]), atol(argv[3]), atol(argv[4]),
                      atol(argv[5]));
    fputs("usage: rig-xen domains | keys KEYS | vcpus N | make N MIB NAME | "
          "unmake | until DOMID STATE USEC | map DOMID MIB [MS] | "
          "frames DOMID FIRST END NR | rejoin CPU N | lock FILE\n", stderr);
    return 1;
}
