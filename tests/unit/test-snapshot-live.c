/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot of what a hypervisor, libxl and xenstore made of tables tell. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <libxl_utils.h>
#include <xenstore.h>

#include "fake-alloc.h"
#include "host.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define FAILED EFAULT
#define DIRECTORY "/reservations"

/* ---- the host: domain 0, 3 (ours) and 5, that is about to go ---- */

static struct {
    unsigned nr_calls, fail_at;
    const char *failed;         /* the name of the call that did */
    unsigned nr_open;           /* of xenstore */
    bool has_reservations;      /* they were read before the host */
    const libxl_pcitopology *devices;
    int nr_devices;
} world;

static const struct {
    const char *path, *text;
} store[] = {
    { "/local/domain/3/numa/nodes", "0-1" },
    { "/local/domain/3/numa/gone", NULL },
    { "/local/domain/3/numa/version", "1" },
    { "/local/domain/3/numa/nodes_policy", "best" },
    { "/local/domain/5/numa/version", "1" },
};

static bool fails(const char *name)
{
    if (++world.nr_calls != world.fail_at)
        return false;
    world.failed = name;
    errno = FAILED;
    return true;
}

/* ---- these stand in for the library's: ld's --wrap ---- */

int __wrap_xln_reservation_list_read(const char *dir, xc_interface *xch,
                                     struct xln_reservation_list **list_r);
int __wrap_xln_ballooning_outstanding(xc_interface *xch,
                                      uint64_t *reserved_bytes);
int __wrap_xln_host_read(xc_interface *xch, const uint64_t *reserved_bytes,
                         struct xln_host **host_r);
int __wrap_xln_domains_read(xc_interface *xch, uint32_t domid,
                            struct xln_domains **domains_r);

int __wrap_xln_reservation_list_read(const char *dir, xc_interface *xch,
                                     struct xln_reservation_list **list_r)
{
    struct xln_reservation_list *list;

    (void)xch;
    if (fails("xln_reservation_list_read") || strcmp(dir, DIRECTORY))
        return -FAILED;
    list = calloc(1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    list->outstanding_bytes[0] = 4096;
    world.has_reservations = true;
    *list_r = list;
    return 0;
}

int __wrap_xln_ballooning_outstanding(xc_interface *xch,
                                      uint64_t *reserved_bytes)
{
    (void)xch;
    if (fails("xln_ballooning_outstanding"))
        return -FAILED;
    reserved_bytes[0] += 8192;
    return 0;
}

int __wrap_xln_host_read(xc_interface *xch, const uint64_t *reserved_bytes,
                         struct xln_host **host_r)
{
    struct xln_host *host;
    int rc;

    (void)xch;
    if (fails("xln_host_read") || !world.has_reservations)
        return -FAILED;
    rc = xln__host_new(2, 1, 0, &host);
    if (rc)
        return rc;
    xln_nodemap_set(host->exists, 0);
    host->nodes[0].reserved_bytes = reserved_bytes[0];
    rc = xln__host_finish(host);
    if (rc)
        xln_host_free(host);
    else
        *host_r = host;
    return rc;
}

int __wrap_xln_domains_read(xc_interface *xch, uint32_t domid,
                            struct xln_domains **domains_r)
{
    static const struct xln_domain list[] = {
        { .domid = 0 }, { .domid = 3 }, { .domid = 5, .dying = true },
    };
    struct xln_domains *domains;

    (void)xch;
    if (fails("xln_domains_read") || domid != XLN_NONE)
        return -FAILED;
    domains = calloc(1, sizeof(*domains));
    if (!domains)
        return -ENOMEM;
    domains->list = malloc(sizeof(list));
    if (!domains->list) {
        free(domains);
        return -ENOMEM;
    }
    memcpy(domains->list, list, sizeof(list));
    domains->nr = ARRAY_SIZE(list);
    *domains_r = domains;
    return 0;
}

/* ---- and these for libxenctrl's, libxenlight's and libxenstore's ---- */

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    (void)arg;
    if (fails(__func__))
        return -1;
    return cmd == XENVER_version ? 4 << 16 | 17 : 0;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    return domid == 5 ? NULL : strdup(domid ? "g" : "Domain-0");
}

char *libxl_cpupoolid_to_name(libxl_ctx *ctx, uint32_t poolid)
{
    (void)ctx;
    return poolid ? strdup("near") : NULL;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num_devs)
{
    libxl_pcitopology *list;

    (void)ctx;
    if (!world.nr_devices)
        return NULL;
    list = calloc(world.nr_devices, sizeof(*list));
    if (list)
        memcpy(list, world.devices, world.nr_devices * sizeof(*list));
    *num_devs = world.nr_devices;
    return list;
}

void libxl_pcitopology_list_free(libxl_pcitopology *list, int nr)
{
    (void)nr;
    free(list);
}

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fails(__func__))
        return NULL;
    world.nr_open++;
    return (struct xs_handle *)&world;
}

void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
    world.nr_open--;
}

/* The names and their list are one block. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    size_t length = strlen(path), i, nr = 0;
    const char **names;

    (void)h;
    (void)t;
    if (fails(__func__))
        return NULL;
    names = calloc(ARRAY_SIZE(store), sizeof(*names));
    for (i = 0; names && i < ARRAY_SIZE(store); i++)
        if (!strncmp(store[i].path, path, length))
            names[nr++] = store[i].path + length + 1;
    if (names && !nr) {
        free(names);
        names = NULL;
        errno = ENOENT;
    }
    *num = nr;
    return (char **)names;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    size_t i;

    (void)h;
    (void)t;
    (void)len;
    if (fails(__func__))
        return NULL;
    for (i = 0; i < ARRAY_SIZE(store); i++)
        if (store[i].text && !strcmp(store[i].path, path))
            return strdup(store[i].text);
    errno = ENOENT;
    return NULL;
}

/* ---- the tests ---- */

static int read_world(struct xln_snapshot **snapshot_r)
{
    world.nr_calls = 0;
    world.has_reservations = false;
    return xln_snapshot_read(NULL, NULL, DIRECTORY, snapshot_r);
}

static struct xln_snapshot *snapshot_now(void)
{
    struct xln_snapshot *snapshot;

    if (read_world(&snapshot)) {
        printf("Bail out! no snapshot\n");
        exit(1);
    }
    return snapshot;
}

static void test_all(void)
{
    time_t before = time(NULL);
    struct xln_snapshot *snapshot = snapshot_now();
    char **request = snapshot->more[1].request;

    is_str(snapshot->xen, "4.17", "the snapshot has the release of Xen");
    ok(snapshot->host_name && *snapshot->host_name,
       "the snapshot has the host's name");
    ok(snapshot->time_s >= before, "the snapshot has its time");
    ok(xln_host_node(snapshot->host, 0)->reserved_bytes == 4096 + 8192,
       "reservations are read before the host");
    ok(snapshot->reservations->outstanding_bytes[0] == 4096,
       "the snapshot has the creates in flight");
    ok(snapshot->domains->nr == 3, "the snapshot has the domains");
    is_str(snapshot->more[0].name, "Domain-0", "a domain has its name");
    ok(!snapshot->more[0].request, "a domain without a request has none");
    is_str(snapshot->more[1].name, "g", "another domain has its name");
    is_str(request[0], "nodes", "a request has the name of its first key");
    is_str(request[1], "0-1", "a request has the text of its first key");
    is_str(request[2], "nodes_policy",
           "a removed key and the version are left out");
    is_str(request[3], "best", "a request has the text of its second key");
    ok(!request[4], "a request has no further key");
    ok(!snapshot->more[2].name, "a domain without a name has none");
    ok(snapshot->more[2].request && !snapshot->more[2].request[0],
       "a request may be empty");
    ok(!world.nr_open, "xenstore is closed afterwards");
    xln_snapshot_free(snapshot);
}

static void test_devices(void)
{
    static const libxl_pcitopology devices[] = {
        { .seg = 0x1234, .bus = 0xab, .devfn = 0x1f << 3 | 5, .node = 2 },
        { .seg = 0, .bus = 0, .devfn = 0,
          .node = LIBXL_PCITOPOLOGY_INVALID_ENTRY },
    };
    struct xln_snapshot *snapshot = snapshot_now();
    const struct xln_pci_device *d;

    ok(!snapshot->devices_known && !snapshot->nr_devices,
       "without devices their nodes are not known");
    xln_snapshot_free(snapshot);

    world.devices = devices + 1;
    world.nr_devices = 1;
    snapshot = snapshot_now();
    ok(!snapshot->devices_known && !snapshot->nr_devices,
       "devices are not known if none has a node");
    xln_snapshot_free(snapshot);

    world.devices = devices;
    world.nr_devices = 2;
    snapshot = snapshot_now();
    d = snapshot->devices;
    ok(snapshot->devices_known && snapshot->nr_devices == 2,
       "devices are known if one has a node");
    ok(d[0].segment == 0x1234 && d[0].bus == 0xab && d[0].device == 0x1f &&
       d[0].function == 5 && d[0].node == 2,
       "a device has its address and node");
    ok(d[1].node == XLN_NONE, "a device without a node has none");
    xln_snapshot_free(snapshot);
}

static void test_failures(void)
{
    struct xln_snapshot *snapshot = NULL;
    unsigned nth;

    for (nth = 1;; nth++) {
        int rc;

        world.fail_at = nth;
        world.failed = NULL;
        rc = read_world(&snapshot);
        if (!world.failed)
            break;
        ok(rc == -FAILED && !snapshot && !world.nr_open,
           "the snapshot fails if call %u, %s, fails", nth, world.failed);
    }
    world.fail_at = 0;
    ok(snapshot && nth > 10, "the snapshot is taken once no call fails");
    xln_snapshot_free(snapshot);
}

/* libxl itself ends where it has no memory; a name or the devices that it does
 * not give are not known. */
static void test_no_memory(void)
{
    struct xln_snapshot *snapshot;
    unsigned nth, nr = 0;
    bool wrong = false;

    for (nth = 1; nth < 100; nth++) {
        int rc;

        snapshot = NULL;
        fake_alloc_fail(nth);
        rc = read_world(&snapshot);
        fake_alloc_fail(0);
        wrong |= rc ? rc != -ENOMEM || snapshot : !snapshot;
        wrong |= world.nr_open;
        nr += rc != 0;
        xln_snapshot_free(snapshot);
    }
    ok(!wrong && nr > 10,
       "the snapshot survives the failure of each of %u allocations", nr);
}

int main(void)
{
    test_all();
    test_devices();
    test_failures();
    test_no_memory();
    return tap_done();
}
