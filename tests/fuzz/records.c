/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What we write down ourselves and read again, by the first byte of an input:
 *
 *     r   a reservation; "@" in it stands for a creator that lives
 *     k   what is kept of a domain (libxl userdata)
 *     p   the pages that a domain was granted (xenstore)
 *     v   the virtual nodes of a domain that was saved (a file)
 *
 * What was read is written and must be read the same.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "fuzz.h"
#include "placement/keep.h"
#include "placement/record.h"
#include "placement/vnuma_record.h"
#include "reservation.h"
#include "text/units.h"

#define DOMID 12

static const uint8_t uuid[16] = {
    0x2a, 0x2f, 0x4e, 0x4c, 0x7c, 0x4b, 0x4a, 0x2e,
    0x9d, 0x5e, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f,
};

/* ---- reservations ---- */

/* Stands in for libxenctrl's: there is one domain, with no memory yet. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    (void)xch;
    if (first > DOMID || !max)
        return 0;
    memset(info, 0, sizeof(*info));
    info->domain = DOMID;
    memcpy(info->handle, uuid, sizeof(uuid));
    return 1;
}

static char dir[256], path[300];
static char alive[64];          /* this process, as the library names it */
static int held_fd = -1;        /* of the record, if its creator lives */

static void remove_dir(void)
{
    char lock[300];

    snprintf(lock, sizeof(lock), "%s/lock", dir);
    unlink(lock);
    unlink(path);
    rmdir(dir);
}

static struct xln_reservations *lock(void)
{
    struct xln_reservations *held;

    need(!xln_reservations_lock(dir, 0, &held), "a lock");
    return held;
}

/* The library writes our process id in its second line. */
static void make_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    struct xln_reservations *held;
    FILE *f;

    if (*dir)
        return;
    snprintf(dir, sizeof(dir), "%.200s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
    need(mkdtemp(dir), dir);
    snprintf(path, sizeof(path), "%s/%u", dir, DOMID);
    atexit(remove_dir);
    held = lock();
    need(!xln_reservations_add(held, DOMID, uuid, NULL, 0, NULL, 0, NULL,
                               &held_fd), "a record");
    xln_reservations_unlock(held);
    f = fopen(path, "r");
    need(f && fscanf(f, "%*[^\n] creator %63[^\n]", alive) == 1, path);
    fclose(f);
}

static void hold_record(void)
{
    held_fd = open(path, O_RDONLY | O_CLOEXEC);
    need(held_fd >= 0 && !flock(held_fd, LOCK_EX | LOCK_NB), path);
}

static void write_record(const char *text)
{
    bool lives = strchr(text, '@');
    FILE *f;

    close(held_fd);
    held_fd = -1;
    unlink(path);
    f = fopen(path, "w");
    need(f, path);
    for (; *text; text++)
        if (*text == '@')
            fputs(alive, f);
        else
            putc(*text, f);
    need(!fclose(f), path);
    if (lives)
        hold_record();
}

/* Everything that the library reports about the one record. */
struct told {
    uint64_t outstanding[XLN_MAX_NODES];
    struct xln_reservation_list *list;
    struct xln_reservations *held;
    const struct xln__promise *promise;
};

static void ask(struct told *t)
{
    need(!xln_reservation_list_read(dir, NULL, &t->list), "the records");
    t->held = lock();
    need(!xln_reservations_outstanding(t->held, NULL, t->outstanding),
         "what is outstanding");
    t->promise = xln__reservations_promise(t->held, DOMID);
}

static void forget(struct told *t)
{
    xln_reservation_list_free(t->list);
    xln_reservations_unlock(t->held);
}

/* No page of it is used: on each node all is outstanding, in whole MiB. */
static void claim_sums(const struct told *t, const struct xln_reservation *r)
{
    uint64_t expected[XLN_MAX_NODES] = { 0 };
    unsigned i;

    for (i = 0; i < r->nr_shares && r->creator_lives; i++) {
        claim(r->shares[i].node < XLN_MAX_NODES, "node %u",
              r->shares[i].node);
        expected[r->shares[i].node] += (r->shares[i].bytes + MIB - 1) / MIB;
    }
    for (i = 0; i < XLN_MAX_NODES; i++)
        claim(t->outstanding[i] == expected[i] * MIB, "node %u: %lu bytes, "
              "expected %lu MiB", i, (unsigned long)t->outstanding[i],
              (unsigned long)expected[i]);
}

static bool is_written(const struct xln__promise *p)
{
    return p->nr_runs || !xln_cpumap_is_empty(p->cores);
}

static void claim_told(const struct told *t)
{
    const struct xln_reservation *r = t->list->list;
    uint64_t none[XLN_MAX_NODES] = { 0 };

    claim(!memcmp(t->outstanding, t->list->outstanding_bytes,
                  sizeof(t->outstanding)), "with the lock it is another sum");
    if (!t->list->nr) {
        claim(!memcmp(t->outstanding, none, sizeof(none)) && !t->promise,
              "no record, and a promise");
        return;
    }
    claim(t->list->nr == 1 && r->domid == DOMID &&
          !memcmp(r->uuid, uuid, sizeof(uuid)), "another domain");
    claim(r->creator > 0, "process %ld", (long)r->creator);
    claim_sums(t, r);
    claim(!t->promise || (r->creator_lives && is_written(t->promise)),
          "a promise of nobody");
}

/* The load of each CPU. */
static uint64_t *load_of(const struct xln__promise *p)
{
    uint64_t *load = calloc(XLN_MAX_CPUS, sizeof(*load));

    need(load, "memory");
    for (unsigned i = 0; p && i < p->nr_runs; i++) {
        const struct xln__load_run *run = &p->runs[i];

        for (unsigned cpu = run->first; cpu <= run->last; cpu++)
            load[cpu] += run->load;
    }
    return load;
}

static bool same_promise(const struct xln__promise *a,
                         const struct xln__promise *b)
{
    uint64_t *x = load_of(a), *y = load_of(b);
    bool same = !memcmp(x, y, XLN_MAX_CPUS * sizeof(*x)) &&
                xln_cpumap_equal(a->cores, b->cores);

    free(x);
    free(y);
    return same;
}

static bool same_shares(const struct xln_reservation *a,
                        const struct xln_reservation *b)
{
    if (a->nr_shares != b->nr_shares)
        return false;
    for (unsigned i = 0; i < a->nr_shares; i++)
        if (a->shares[i].node != b->shares[i].node ||
            a->shares[i].bytes != b->shares[i].bytes)
            return false;
    return true;
}

/* Written by the library, as this process's own. */
static void claim_same(const struct told *t)
{
    const struct xln_reservation *r = t->list->list;
    const struct xln__promise *p = t->promise;
    uint64_t *load = load_of(p);
    struct told again;

    close(held_fd);
    claim(!xln_reservations_add(t->held, DOMID, uuid, r->shares, r->nr_shares,
                                load, XLN_MAX_CPUS, p ? p->cores : NULL,
                                &held_fd),
          "it can't be written");
    free(load);
    xln_reservations_unlock(t->held);
    ask(&again);
    claim(again.list->nr == 1, "what was written can't be read");
    claim(same_shares(r, again.list->list), "other shares");
    claim(!p == !again.promise && (!p || same_promise(p, again.promise)),
          "another promise");
    forget(&again);
}

/* A copy that outlives the lock; the original is freed with the lock. */
static struct xln__promise copy_promise(const struct xln__promise *p)
{
    struct xln__promise copy = *p;

    copy.runs = calloc(p->nr_runs + 1, sizeof(*copy.runs));
    need(copy.runs && !xln_cpumap_copy(p->cores, &copy.cores), "a copy");
    memcpy(copy.runs, p->runs, p->nr_runs * sizeof(*copy.runs));
    return copy;
}

static void try_reservation(const char *text)
{
    struct xln__promise copy = { 0 };
    struct told t;

    make_dir();
    write_record(text);
    ask(&t);
    claim_told(&t);
    if (t.promise) {
        copy = copy_promise(t.promise);
        t.promise = &copy;
    }
    if (t.list->nr)
        claim_same(&t);
    else
        xln_reservations_unlock(t.held);
    xln_reservation_list_free(t.list);
    free(copy.runs);
    xln_cpumap_free(copy.cores);
}

/* ---- what is kept ---- */

static struct {
    const uint8_t *data;
    size_t size;
} userdata;

/* Stand in for libxl's. */
int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid, const char *userid,
                         const uint8_t *data, int size)
{
    static uint8_t *stored;

    (void)ctx;
    (void)domid;
    (void)userid;
    free(stored);
    stored = malloc(size + 1);
    need(stored, "malloc");
    memcpy(stored, data, size);
    userdata.data = stored;
    userdata.size = size;
    return 0;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *userid,
                            uint8_t **data, int *size)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    *size = userdata.size;
    *data = NULL;
    if (!userdata.size)
        return 0;
    *data = malloc(userdata.size);
    need(*data, "malloc");
    memcpy(*data, userdata.data, userdata.size);
    return 0;
}

int libxl_userdata_unlink(libxl_ctx *ctx, uint32_t domid, const char *userid)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    return 0;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    (void)domid;
    return strdup("g");
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max_cpus)
{
    (void)ctx;
    (void)max_cpus;
    map->map = calloc(1, 8);
    map->size = map->map ? 8 : 0;
    return map->map ? 0 : ERROR_NOMEM;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void claim_same_keep(const struct keep *a, const struct keep *b)
{
    claim(same_text(a->nodes, b->nodes), "other nodes");
    for (unsigned i = 0; i < a->nr_vcpus || i < b->nr_vcpus; i++) {
        static const struct keep_vcpu none;
        const struct keep_vcpu *x = i < a->nr_vcpus ? &a->vcpus[i] : &none;
        const struct keep_vcpu *y = i < b->nr_vcpus ? &b->vcpus[i] : &none;

        claim(same_text(x->hard, y->hard) && same_text(x->soft, y->soft),
              "vCPU %u differs", i);
    }
}

/* For a domain of 4 vCPUs. What does not apply is an error, and no more. */
static void try_to_apply(const struct keep *keep)
{
    libxl_domain_config config;
    int rc;

    libxl_domain_config_init(&config);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PV);
    config.b_info.max_vcpus = 4;
    rc = keep_apply(keep, NULL, &config);
    claim(!rc || rc == -EINVAL, "keep_apply: %d", rc);
    claim(config.b_info.num_vcpu_hard_affinity <= 4 &&
          config.b_info.num_vcpu_soft_affinity <= 4, "more maps than vCPUs");
    libxl_domain_config_dispose(&config);
}

static void try_keep(const uint8_t *data, size_t size)
{
    struct keep *keep = UNTOUCHED, *again;
    int rc;

    userdata.data = data;
    userdata.size = size;
    rc = keep_read(NULL, DOMID, &keep);
    if (rc) {
        claim((rc == -EINVAL || rc == -ERANGE) && keep == UNTOUCHED,
              "%d, and an output", rc);
        return;
    }
    claim(!keep_write(NULL, DOMID, keep), "it can't be written");
    claim(!keep_read(NULL, DOMID, &again), "what was written can't be read");
    claim_same_keep(keep, again);
    keep_free(again);
    try_to_apply(keep);
    keep_free(keep);
}

/* ---- pages ---- */

#define NR_NODES 8

static void try_pages(const char *text)
{
    uint64_t pages[NR_NODES], again[NR_NODES];
    char printed[NR_NODES * 32];
    size_t len = 0;
    int rc = record_parse_pages(text, NR_NODES, pages);

    claim(!rc || rc == -EINVAL, "%d", rc);
    if (rc)
        return;
    for (unsigned i = 0; i < NR_NODES; i++)
        len += snprintf(printed + len, sizeof(printed) - len, "%s%u:%lu",
                        i ? "," : "", i, (unsigned long)pages[i]);
    claim(!record_parse_pages(printed, NR_NODES, again) &&
          !memcmp(pages, again, sizeof(pages)), "'%s' is '%s'", text, printed);
}

/* ---- virtual nodes ---- */

static void try_vnodes(const char *text)
{
    struct vnuma_record *record = UNTOUCHED, *again;
    char *error = NULL, *printed, *twice;
    int rc = vnuma_record_parse(text, &record, &error);

    if (rc) {
        claim(rc == -EINVAL && error && record == UNTOUCHED, "%d, %s", rc,
              error ? error : "no line");
        free(error);
        return;
    }
    claim(!vnuma_record_format(record, &printed), "it can't be written");
    claim(!vnuma_record_parse(printed, &again, &error) &&
          !vnuma_record_format(again, &twice) && !strcmp(printed, twice),
          "'%s' is '%s'", text, printed);
    free(twice);
    free(printed);
    vnuma_record_free(again);
    vnuma_record_free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!size)
        return 0;
    text = text_of(data + 1, size - 1);
    switch (data[0]) {
    case 'r': try_reservation(text); break;
    case 'k': try_keep(data + 1, size - 1); break;
    case 'p': try_pages(text); break;
    case 'v': try_vnodes(text); break;
    }
    free(text);
    return 0;
}
