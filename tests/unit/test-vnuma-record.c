/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual nodes as text that travels with a saved domain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "placement/bounds.h"
#include "placement/vnuma_record.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define FIRST "vcpus=0-1 memory=0-9600000 distances=10,21 node=1"
#define SECOND                                                                \
    "vcpus=2 memory=9600000-12e00000,100000000-140000000 distances=21,10"
#define BOTH FIRST ";" SECOND
#define ONE "vcpus=0 memory=0-100000 distances=10"

/* ---- a hypervisor ---- */

static const xen_vmemrange_t ranges[] = {
    { .start = 0, .end = 0x9600000, .nid = 0 },
    { .start = 0x9600000, .end = 0x12e00000, .nid = 1 },
    { .start = 0x100000000, .end = 0x140000000, .nid = 1 },
};
static const unsigned distances[] = { 10, 21, 21, 10 };
static const unsigned vnodes[] = { 0, 0, 1 };

static struct {
    uint32_t nr_vnodes, nr_ranges, nr_vcpus;
    int error;                  /* of the sizes */
    unsigned nodes[2];          /* as they were set */
} xen;

int xc_domain_getvnuma(xc_interface *xch, uint32_t domid, uint32_t *nr_vnodes,
                       uint32_t *nr_vmemranges, uint32_t *nr_vcpus,
                       xen_vmemrange_t *vmemrange, unsigned int *vdistance,
                       unsigned int *vcpu_to_vnode)
{
    (void)xch;
    (void)domid;
    if (!vmemrange) {
        *nr_vnodes = xen.nr_vnodes;
        *nr_vmemranges = xen.nr_ranges;
        *nr_vcpus = xen.nr_vcpus;
        errno = xen.error;
        return -1;
    }
    memcpy(vmemrange, ranges, sizeof(ranges));
    memcpy(vdistance, distances, sizeof(distances));
    memcpy(vcpu_to_vnode, vnodes, sizeof(vnodes));
    return 0;
}

int xc_domain_setvnuma(xc_interface *xch, uint32_t domid, uint32_t nr_vnodes,
                       uint32_t nr_regions, uint32_t nr_vcpus,
                       xen_vmemrange_t *regions, unsigned int *vdistance,
                       unsigned int *vcpu_to_vnode,
                       unsigned int *vnode_to_pnode)
{
    bool same = nr_vnodes == 2 && nr_regions == 3 && nr_vcpus == 3 &&
                !memcmp(regions, ranges, sizeof(ranges)) &&
                !memcmp(vdistance, distances, sizeof(distances)) &&
                !memcmp(vcpu_to_vnode, vnodes, sizeof(vnodes));

    (void)xch;
    (void)domid;
    memcpy(xen.nodes, vnode_to_pnode, sizeof(xen.nodes));
    errno = EINVAL;
    return same ? 0 : -1;
}

static int read_xen(uint32_t nr_vnodes, uint32_t nr_ranges, uint32_t nr_vcpus,
                    int error, struct vnuma_record **record_r)
{
    xen.nr_vnodes = nr_vnodes;
    xen.nr_ranges = nr_ranges;
    xen.nr_vcpus = nr_vcpus;
    xen.error = error;
    return vnuma_record_read(NULL, 1, record_r);
}

static void test_hypervisor(void)
{
    static const unsigned nodes[] = { 3, 0 };
    struct vnuma_record *record;
    char *text;

    ok(read_xen(0, 0, 0, EOPNOTSUPP, &record) == -ENOENT,
       "a domain without virtual nodes has no record");
    ok(read_xen(33, 3, 3, ENOBUFS, &record) == -EINVAL &&
           read_xen(2, 171, 3, ENOBUFS, &record) == -EINVAL &&
           read_xen(2, 3, VCPUS_MAX + 1, ENOBUFS, &record) == -EINVAL,
       "more virtual nodes than Xen allows are refused, before memory is "
       "allocated");
    ok(read_xen(2, 3, 3, EPERM, &record) == -EPERM,
       "an error of the hypercall is returned");
    must(read_xen(2, 3, 3, ENOBUFS, &record));
    record->nodes[0] = 1;
    must(vnuma_record_format(record, &text));
    is_str(text, BOTH, "the virtual nodes of a domain are printed as text");
    ok(!vnuma_record_set(NULL, 2, record, nodes) && xen.nodes[0] == 3 &&
           xen.nodes[1] == 0,
       "virtual nodes are set for another domain, on other nodes");
    free(text);
    vnuma_record_free(record);
}

/* ---- the text ---- */

static void comes_back(const char *text, const char *what)
{
    struct vnuma_record *record;
    char *error = NULL, *again;

    if (vnuma_record_parse(text, &record, &error)) {
        ok(false, "%s", what);
        printf("# %s\n", error);
        free(error);
        return;
    }
    must(vnuma_record_format(record, &again));
    is_str(again, text, what);
    free(again);
    vnuma_record_free(record);
}

static void refused(const char *text, const char *expected)
{
    struct vnuma_record *record = NULL;
    char *error = NULL;
    int rc = vnuma_record_parse(text, &record, &error);

    ok(rc == -EINVAL && !record, "the text is refused: %.60s", text);
    is_str(error, expected, "the error says why the text is refused");
    free(error);
}

#define AT "recorded virtual node "
#define RANGES ": expected ranges that do not overlap, such as 0-9600000"

static void test_text(void)
{
    comes_back(BOTH, "two virtual nodes, one of them in two ranges");
    comes_back(ONE, "one");
    comes_back("vcpus=- memory=0-1000 distances=10,20;"
               "vcpus=0 memory=1000-2000 distances=20,10",
               "one without vCPUs");
    refused("", AT "0: no vcpus=");
    refused(ONE ";", AT "0: distances=10: expected 2, each 10 to 255");
    refused("vcpus=0 memory=0-100000", AT "0: no distances=");
    refused(ONE " vcpus=1", AT "0: vcpus: expected vcpus=, memory=, distances= "
            "and node=, each once");
    refused(ONE " size=4", AT "0: size: expected vcpus=, memory=, distances= "
            "and node=, each once");
    refused(ONE " x", AT "0: x: expected vcpus=, memory=, distances= and "
            "node=, each once");
    refused("vcpus=1 memory=0-1000 distances=10", "recorded virtual nodes: "
            "expected vCPUs from 0 on, each in one of them");
    refused("vcpus=0-1 memory=0-1000 distances=10,20;"
            "vcpus=1 memory=1000-2000 distances=20,10",
            AT "1: vcpus=1: one of them is in two virtual nodes");
    refused("vcpus=0-4096 memory=0-1000 distances=10",
            AT "0: vcpus=0-4096: expected vCPUs such as 0-1,4");
    refused("vcpus=0 memory=1000-1000 distances=10",
            AT "0: memory=1000-1000" RANGES);
    refused("vcpus=0 memory=0-1000,800-2000 distances=10",
            AT "0: memory=0-1000,800-2000" RANGES);
    refused("vcpus=0 memory=0-1000, distances=10",
            AT "0: memory=0-1000," RANGES);
    refused("vcpus=0 memory=0--1000 distances=10",
            AT "0: memory=0--1000" RANGES);
    refused("vcpus=0 memory=0-fffffffffffffffff distances=10",
            AT "0: memory=0-fffffffffffffffff" RANGES);
    refused("vcpus=0 memory=0-1000 distances=9",
            AT "0: distances=9: expected 1, each 10 to 255");
    refused("vcpus=0 memory=0-1000 distances=10,",
            AT "0: distances=10,: expected 1, each 10 to 255");
    refused("vcpus=0 memory=0-1000 distances=10,20",
            AT "0: distances=10,20: expected 1, each 10 to 255");
    refused(ONE " node=1024", AT "0: node=1024: expected the number of a "
            "node");
    refused(ONE " node=\033[2J", AT "0: node=?[2J: expected the number of a "
            "node");
}

#define EACH 32

static void test_bounds(void)
{
    char *text = malloc(1 << 18), *at = text, *error = NULL;
    struct vnuma_record *record = NULL;
    unsigned i;

    must(text ? 0 : -ENOMEM);
    for (i = 0; i < EACH; i++)
        at += sprintf(at, "%s" ONE, i ? ";" : "");
    strcpy(at, ";" ONE);
    refused(text, "recorded virtual nodes: expected 1 to 32 of them, in 65536 "
            "characters at most");
    memset(text, '0', 1 << 17);
    text[1 << 17] = '\0';
    refused(text, "recorded virtual nodes: expected 1 to 32 of them, in 65536 "
            "characters at most");
    at = text + sprintf(text, "vcpus=0 distances=10 memory=0-1");
    for (i = 1; i <= VNUMA_RANGES_MAX; i++)
        at += sprintf(at, ",%x-%x", i * 2, i * 2 + 1);
    ok(vnuma_record_parse(text, &record, &error) == -EINVAL && !record,
       "more ranges than Xen has room for are refused");
    free(error);
    free(text);
}

/* A text that was changed on its way is read as a whole or refused. */
static void test_spoilt(void)
{
    static const char letters[] = "0123456789abcf=-,; vcpusmemorydistances";
    unsigned i, taken = 0, wrong = 0;

    for (i = 0; i < 20000; i++) {
        char text[] = BOTH, *error = NULL, *again;
        struct vnuma_record *record = NULL;
        unsigned nr = 1 + random_below(3);

        while (nr--)
            text[random_below(sizeof(text) - 1)] =
                letters[random_below(sizeof(letters) - 1)];
        if (vnuma_record_parse(text, &record, &error)) {
            wrong += record || !error;
            free(error);
            continue;
        }
        taken++;
        wrong += vnuma_record_format(record, &again) ||
                 record->nr_vcpus > VCPUS_MAX;
        free(again);
        vnuma_record_free(record);
    }
    ok(!wrong && taken,
       "20000 changed texts are read or refused: %u are read", taken);
}

/* ---- in a configuration ---- */

static void test_xsdata(void)
{
    char *start[] = { strdup("numa/nodes"), strdup("1-2"), NULL };
    libxl_key_value_list xsdata = malloc(sizeof(start));
    struct vnuma_record *record, *taken;
    char *error = NULL;

    must(xsdata ? 0 : -ENOMEM);
    memcpy(xsdata, start, sizeof(start));
    must(vnuma_record_parse(BOTH, &record, &error));
    must(vnuma_record_put(record, &xsdata));
    is_str(xsdata[2], "numa/vnodes", "the record is put after what xsdata has");
    is_str(xsdata[3], BOTH, "the record in xsdata is the text");
    must(vnuma_record_put(record, &xsdata));
    vnuma_record_free(record);
    ok(!vnuma_record_take(&xsdata, &taken, &error) && taken &&
           taken->nr_vnodes == 2,
       "the record is taken out of xsdata");
    ok(xsdata[0] && !xsdata[2], "the rest of xsdata stays");
    vnuma_record_free(taken);
    ok(!vnuma_record_take(&xsdata, &taken, &error) && !taken,
       "a record that was taken is no longer there");
    free(xsdata[1]);
    xsdata[1] = strdup("vcpus=x");
    free(xsdata[0]);
    xsdata[0] = strdup("numa/vnodes");
    ok(vnuma_record_take(&xsdata, &taken, &error) == -EINVAL && !xsdata[0],
       "a wrong record is taken out, too");
    is_str(error, AT "0: vcpus=x: expected vCPUs such as 0-1,4",
           "the error says why the record is wrong");
    free(error);
    free(xsdata);
    xsdata = NULL;
    ok(!vnuma_record_take(&xsdata, &taken, &error) && !taken,
       "empty xsdata has no record");
}

static void fits(const char *text, libxl_domain_type type, int vcpus,
                 uint64_t mib, const char *expected)
{
    libxl_domain_config config = { .c_info.type = type };
    struct vnuma_record *record;
    char *error = NULL;
    int rc;

    config.b_info.max_vcpus = vcpus;
    config.b_info.max_memkb = mib << 10;
    must(vnuma_record_parse(text, &record, &error));
    rc = vnuma_record_check(record, &config, &error);
    ok(rc == (expected ? -EINVAL : 0),
       "the record is checked for a domain with %d vCPUs and %u MiB",
       vcpus, (unsigned)mib);
    is_str(error, expected,
           "the error says why the record does not suit the domain");
    free(error);
    vnuma_record_free(record);
}

static void test_domain(void)
{
    struct vnuma_record *record;
    struct cells *cells;
    char *error = NULL;

    fits(BOTH, LIBXL_DOMAIN_TYPE_HVM, 3, 1326, NULL);
    fits(BOTH, LIBXL_DOMAIN_TYPE_HVM, 3, 1325, "virtual nodes of 1326 MiB: "
         "expected 1325 MiB at most");
    fits(BOTH, LIBXL_DOMAIN_TYPE_HVM, 4, 1326, "virtual nodes with 3 vCPUs: "
         "expected 4");
    fits(BOTH, LIBXL_DOMAIN_TYPE_PVH, 3, 1326, "virtual nodes of a guest that "
         "is not HVM");

    must(vnuma_record_parse(BOTH, &record, &error));
    must(vnuma_record_cells(record, 1334 * MIB, &cells));
    ok(cells->nr == 2 && cells->restored && cells->list[0].bytes == 158 * MIB &&
           cells->list[1].bytes == 1176 * MIB,
       "memory in no virtual node counts for the first one");
    ok(xln_nodemap_test(cells->list[0].nodes, 1) && !cells->list[1].nodes &&
           xln_cpumap_count(cells->list[0].vcpus) == 2 &&
           cells->list[1].distances[0] == 21,
       "each virtual node has its vCPUs, its distances and the node wanted "
       "for it");
    cells_free(cells);
    vnuma_record_free(record);
}

int main(void)
{
    test_hypervisor();
    test_text();
    test_bounds();
    test_spoilt();
    test_xsdata();
    test_domain();
    return tap_done();
}
