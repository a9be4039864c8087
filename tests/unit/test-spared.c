/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a create is refused for does not keep a domain from coming back when it
 * reboots: it is dropped, and a warning names it.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "placement/cells.h"
#include "placement/decide_pool.h"
#include "tap.h"
#include "text/units.h"

/* Two nodes of two CPUs: 200 MiB are free on the first, 800 on the other. */
static struct xln_host *make_host(void)
{
    struct xln_host *host;
    unsigned i;

    must(xln__host_new(4, 2, 0, &host));
    for (i = 0; i < 2; i++) {
        xln_nodemap_set(host->exists, i);
        host->nodes[i].total_bytes = 1024 * MIB;
        host->nodes[i].free_bytes = (i ? 800 : 200) * MIB;
    }
    for (i = 0; i < 4; i++) {
        host->cpu_exists[i] = host->cpus[i].online = true;
        host->cpus[i].node = i / 2;
        host->cpus[i].core = i;
    }
    for (i = 0; i < 4; i++)
        host->distances[i] = i == 0 || i == 3 ? 10 : 20;
    must(xln__host_finish(host));
    return host;
}

struct spared {
    const char *what;
    uint64_t mib;
    unsigned nr_vcpus;
    bool first_node;            /* it asks for that */
    enum xln_mode mode;
    enum xln_vcpus_mode vcpus_mode;
    enum xln_vnuma_mode vnuma;
    const char *dropped[2];
};

static const struct spared cases[] = {
    { "strict, and its node is too full", 500, 1, true, XLN_MODE_STRICT,
      XLN_VCPUS_SOFT, XLN_VNUMA_NONE, { "\"strict\" is dropped" } },
    { "strict, and the host is too full", 5000, 1, false, XLN_MODE_STRICT,
      XLN_VCPUS_SOFT, XLN_VNUMA_NONE, { "\"strict\" is dropped" } },
    { "a core for each vCPU, and there are not as many", 100, 6, false,
      XLN_MODE_PREFERRED, XLN_VCPUS_CORE, XLN_VNUMA_NONE,
      { "\"core\" is dropped" } },
    { "both", 500, 3, true, XLN_MODE_STRICT, XLN_VCPUS_CORE, XLN_VNUMA_NONE,
      { "\"core\" is dropped", "\"strict\" is dropped" } },
    { "virtual nodes, and there is no memory for them", 5000, 2, false,
      XLN_MODE_PREFERRED, XLN_VCPUS_SOFT, XLN_VNUMA_AUTO,
      { "vnuma is dropped" } },
};

static struct decision *decide_on(const struct xln_host *host,
                                  const struct spared *s,
                                  const struct decide_guest *guest)
{
    const struct xln_need need = { .memory_bytes = s->mib * MIB,
                                   .nr_vcpus = s->nr_vcpus };
    struct xln_request *request;
    struct decision *d;

    must(xln_request_new(&request));
    request->mode = s->mode;
    request->vcpus_mode = s->vcpus_mode;
    request->vnuma = s->vnuma;
    if (s->first_node) {
        must(xln_nodemap_new(2, &request->nodes));
        xln_nodemap_set(request->nodes, 0);
    }
    must(decide(host, request, &need, guest, &d));
    xln_request_free(request);
    return d;
}

static bool all_named(const struct decision *d, const struct spared *s)
{
    unsigned i, nr = 0;

    for (i = 0; i < 2 && s->dropped[i]; i++)
        nr += i < d->nr_warnings && strstr(d->warnings[i], s->dropped[i]);
    return nr == i && nr == d->nr_warnings;
}

static void test_case(const struct xln_host *host, const struct spared *s)
{
    struct decide_guest guest = { .type = s->vnuma == XLN_VNUMA_NONE
                                              ? LIBXL_DOMAIN_TYPE_PVH
                                              : LIBXL_DOMAIN_TYPE_HVM };
    struct decision *d = decide_on(host, s, &guest);
    unsigned i;

    ok(d->refused && d->status == DECIDE_NOTHING_FITS && d->reason,
       "%s: a create is refused", s->what);
    decision_free(d);
    guest.again = true;
    d = decide_on(host, s, &guest);
    ok(d->refused, "a move is refused, and the domain stays where it is");
    decision_free(d);
    guest.reboots = true;
    d = decide_on(host, s, &guest);
    ok(!d->refused, "a reboot is not refused");
    ok(all_named(d, s), "one warning names what is dropped");
    for (i = 0; i < d->nr_warnings; i++)
        printf("# %s\n", d->warnings[i]);
    decision_free(d);
}

/* A request that can be met is not dropped. */
static void test_nothing_to_drop(const struct xln_host *host)
{
    static const struct spared fits = {
        "", 100, 2, true, XLN_MODE_STRICT, XLN_VCPUS_CORE, XLN_VNUMA_NONE,
        { NULL }
    };
    const struct decide_guest guest = { .type = LIBXL_DOMAIN_TYPE_PVH,
                                        .again = true, .reboots = true };
    struct decision *d = decide_on(host, &fits, &guest);

    ok(!d->refused && d->status == DECIDE_FITS && !d->nr_warnings &&
           d->request->mode == XLN_MODE_STRICT &&
           d->request->vcpus_mode == XLN_VCPUS_CORE,
       "the rest of the request applies");
    decision_free(d);
}

/* Virtual nodes of libvirt's: one is bound to a node that lacks the memory. */
static void test_cells(const struct xln_host *host)
{
    static const struct spared bound = {
        "a cell whose node is too full", 400, 2, false, XLN_MODE_PREFERRED,
        XLN_VCPUS_SOFT, XLN_VNUMA_NONE,
        { "cell 1: 300 MiB needed, not available from node 0 alone: the "
          "domain reboots, so that cell is on another node" }
    };
    struct decide_guest guest = { .type = LIBXL_DOMAIN_TYPE_PVH };
    struct decision *d;
    struct cells *cells;

    must(cells_new(2, &cells));
    cells->list[0].bytes = 100 * MIB;
    cells->list[1].bytes = 300 * MIB;
    must(xln_nodemap_new(2, &cells->list[1].nodes));
    xln_nodemap_set(cells->list[1].nodes, 0);
    guest.cells = cells;
    d = decide_on(host, &bound, &guest);
    ok(d->refused && d->reason, "%s: a create is refused", bound.what);
    decision_free(d);
    guest.again = guest.reboots = true;
    d = decide_on(host, &bound, &guest);
    ok(!d->refused && d->vnuma && d->vnuma->list[1].node == 1,
       "a reboot is not refused, and takes another node");
    ok(all_named(d, &bound), "a warning names the other node");
    decision_free(d);
    cells_free(cells);
}

int main(void)
{
    struct xln_host *host = make_host();
    unsigned i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        test_case(host, &cases[i]);
    test_nothing_to_drop(host);
    test_cells(host);
    xln_host_free(host);
    return tap_done();
}
