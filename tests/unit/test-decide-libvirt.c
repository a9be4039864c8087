/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creates through libvirt's module are what numa-plan says of the XML. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide-pairs.h"
#include "fake-host.h"
#include "libvirt/handover.h"
#include "placement/domain_xml.h"

#define HVM(mib, vcpus) \
    "<memory unit='MiB'>" mib "</memory><vcpu>" vcpus "</vcpu>" \
    "<os><type>hvm</type></os>"
#define CELL(vcpus, mib) "<cell cpus='" vcpus "' memory='" mib "' unit='MiB'/>"
#define CELLS(mib_0, mib_1) \
    "<cpu><numa>" CELL("0,2", mib_0) CELL("1", mib_1) "</numa></cpu>"
#define MEMNODE(cell, nodes) \
    "<memnode cellid='" cell "' mode='strict' nodeset='" nodes "'/>"

static const struct decide_pair pairs[] = {
    { "<memory unit='MiB'>600</memory><vcpu>2</vcpu>", "" },
    { HVM("600", "2") "<metadata><numa:a xmlns:numa='urn:libxl-numa:keys' "
      "pool='auto' nodes='%z'/></metadata>", "" },
    { HVM("600", "2") "<numatune><memory nodeset='%a'/></numatune>", "" },
    { HVM("600", "2") "<numatune><memory nodeset='%x'/></numatune>", "" },
    { HVM("600", "3") CELLS("300", "300"), "" },
    { HVM("600", "3") CELLS("300", "300"), "vnuma=\"host\"" },
    { HVM("600", "3") CELLS("301", "299"), "nodes=\"%a\"" },
    { HVM("600", "3") CELLS("300", "300") "<numatune>" MEMNODE("1", "%a")
      "</numatune>", "" },
    { HVM("600", "3") CELLS("300", "300") "<numatune>" MEMNODE("0", "%a")
      MEMNODE("1", "%z") "</numatune>", "" },
    { HVM("600", "3") CELLS("300", "300") "<numatune>" MEMNODE("0", "%x")
      "</numatune>", "" },
    { HVM("600", "3") CELLS("300", "300") "<numatune><memory mode='preferred' "
      "nodeset='%z'/></numatune>", "" },
    { HVM("600", "3") CELLS("300", "90000000"), "" },
    { HVM("600", "3") CELLS("300", "300") "<cputune><vcpupin vcpu='0' "
      "cpuset='%c'/><vcpupin vcpu='2' cpuset='%c'/></cputune>", "" },
};

/* xl's module interposes it; here it replaces the real one. */
bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
              const void *data, unsigned int len)
{
    return fake_host_write(h, t, path, data, len);
}

/* libvirt has read its XML, and runs the hook; then it makes the domain. */
static void create(libxl_ctx *ctx, const char *path, const char *text,
                   const struct config *from, const struct xln_host *host,
                   struct outcome *o)
{
    static const char uuid[] = "07000000-0000-0000-0000-000000000000";
    struct domain_xml domain;
    char *error = NULL;

    decide_pairs_need(!domain_xml_read(text, strlen(text), path, &domain,
                                       &error));
    decide_pairs_need(!handover_write(HANDOVERS, uuid, domain.config,
                                      domain.config_size));
    domain_xml_dispose(&domain);
    decide_pairs_create(ctx, from, host, o);
}

int main(void)
{
    static const struct decide_tests tests = {
        .pairs = pairs,
        .nr = sizeof(pairs) / sizeof(*pairs),
        .before = "<domain type='xen'><name>g</name>",
        .after = "</domain>\n",
        .create = create,
    };

    return decide_pairs_run(&tests);
}
