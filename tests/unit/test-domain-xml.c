/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain of libvirt, as an xl configuration. */
#include <errno.h>
#include <stdlib.h>

#include "placement/config.h"
#include "placement/domain_xml.h"
#include "fake-alloc.h"
#include "tap.h"

#define NAMED "<name>g</name><memory unit='MiB'>160</memory>"
#define XMLNS " xmlns:numa='" DOMAIN_XML_KEYS "'"
#define HVM "<os><type>hvm</type></os>"
/* The configuration that NAMED alone becomes. */
#define HEAD "name = \"g\"\n"
#define SIZE "memory = 160\nvcpus = 1\n"
#define BASE HEAD "type = \"pv\"\n" SIZE

static char *domain_of(const char *body)
{
    char *text;

    if (asprintf(&text, "<domain type='xen'>\n%s\n</domain>\n", body) >= 0)
        return text;
    printf("Bail out! no memory\n");
    exit(1);
}

static int read_body(const char *body, struct domain_xml *domain,
                     char **error_r)
{
    char *text = domain_of(body);
    int rc = domain_xml_read(text, strlen(text), "g.xml", domain, error_r);

    free(text);
    return rc;
}

/* The configuration is this, and one that xl's parser takes. */
static void becomes(const char *body, const char *config, const char *what)
{
    struct domain_xml domain;
    struct config *c = NULL;
    char *error = NULL;

    if (read_body(body, &domain, &error)) {
        is_str(error, config, what);
        free(error);
        return;
    }
    if (is_str(domain.config, config, what) &&
        config_parse(domain.config, domain.config_size, "g.xml", NULL, 0, NULL,
                     &c, &error))
        ok(false, "xl's parser accepts the configuration: %s", error);
    free(error);
    config_free(c);
    domain_xml_dispose(&domain);
}

static void refused(const char *body, const char *wanted, const char *what)
{
    struct domain_xml domain;
    char *error = NULL;

    ok(read_body(body, &domain, &error) == -EINVAL, "%s is refused", what);
    is_str(error, wanted, "the error says why the XML is refused");
    free(error);
}

/* ---- what the domain is ---- */

static void test_size(void)
{
    becomes(NAMED, BASE, "a domain with a size only becomes a configuration");
    becomes("<name>g</name><memory>163840</memory>"
            "<vcpu current='2'>4</vcpu>",
            HEAD "type = \"pv\"\nmemory = 160\nvcpus = 2\n"
                 "maxvcpus = 4\n",
            "memory in KiB and vCPUs of which some are online are read");
    becomes("<name>g</name><memory unit='GiB'>1</memory>"
            "<currentMemory unit='b'>1048577</currentMemory>",
            HEAD "type = \"pv\"\nmemory = 2\nmaxmem = 1024\n"
                 "vcpus = 1\n",
            "the memory at the start is rounded up to whole MiB");
    becomes("<name>g</name><memory unit='mib'>160</memory>", BASE,
            "units are read in any case, as libvirt reads them");
    becomes("<currentMemory unit='GB'>9</currentMemory>" NAMED, BASE,
            "the memory at the start is at most the largest memory");
}

static void test_types(void)
{
    becomes(NAMED "<os><type machine='xenpv'>linux</type></os>", BASE, "PV");
    becomes(NAMED "<os><type>xenpvh</type></os>",
            HEAD "type = \"pvh\"\n" SIZE, "PVH");
    becomes(NAMED "<os><type>hvm</type></os>"
            "<features><acpi/><hap state='off'/></features>",
            HEAD "type = \"hvm\"\n" SIZE "hap = 0\n", "HVM without HAP");
}

static void test_names(void)
{
    becomes("<name>a &quot;b\\c&quot;\t&lt;é</name><memory>163840</memory>",
            "name = \"a \\\"b\\\\c\\\"\\t<é\"\ntype = \"pv\"\n" SIZE,
            "any name is a string of xl.cfg");
}

static void test_devices(void)
{
    becomes(NAMED "<devices>"
            "<hostdev mode='subsystem' type='pci'><source>"
            "<address domain='0x0000' bus='0x3a' slot='0x02' function='0x1'/>"
            "</source></hostdev>"
            "<hostdev mode='subsystem' type='usb'><source>"
            "<address domain='0' bus='1' slot='1' function='0'/>"
            "</source></hostdev>"
            "<hostdev type='pci'><source><address domain='0' bus='4' slot='0' "
            "function='0'/></source></hostdev></devices>",
            BASE "pci = [\"0000:3a:02.1\", \"0000:04:00.0\"]\n",
            "PCI devices become pci=");
}

/* ---- where it shall be ---- */

static void test_vcpus(void)
{
    becomes(NAMED "<vcpu placement='static' cpuset='6-7'>1</vcpu>",
            BASE "cpus = \"6-7\"\n", "<vcpu cpuset> becomes cpus=");
    becomes("<cputune><vcpupin vcpu='1' cpuset='4'/>"
            "<vcpupin vcpu='3' cpuset='9'/></cputune>" NAMED
            "<vcpu cpuset='0-3,^2'>3</vcpu>",
            HEAD "type = \"pv\"\nmemory = 160\nvcpus = 3\n"
                 "cpus = [\"0-3,^2\", \"4\", \"0-3,^2\"]\n",
            "<vcpupin> applies to one vCPU, and <vcpu cpuset> to the others");
    becomes(NAMED "<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='4'/>"
            "</cputune>", BASE "cpus = [\"4\"]\n",
            "<vcpupin> alone becomes cpus=");
    becomes(NAMED "<vcpu placement='auto' cpuset='3'>1</vcpu>",
            BASE "nodes = \"auto\"\n", "<vcpu placement='auto'>");
}

static void test_memory(void)
{
#define NUMATUNE(attrs) NAMED "<numatune><memory " attrs "/></numatune>"
    becomes(NUMATUNE("mode='strict' nodeset='1'"),
            BASE "nodes = \"1\"\nnodes_mode = \"strict\"\n",
            "strict becomes nodes_mode=strict");
    becomes(NUMATUNE("nodeset='1-2'"),
            BASE "nodes = \"1-2\"\nnodes_mode = \"strict\"\n",
            "strict is the default, as in libvirt");
    becomes(NUMATUNE("mode='restrictive' nodeset='1'"),
            BASE "nodes = \"1\"\nnodes_mode = \"strict\"\n",
            "restrictive becomes nodes_mode=strict, too");
    becomes(NUMATUNE("mode='preferred' nodeset='1'"),
            BASE "nodes = \"1\"\nnodes_mode = \"preferred\"\n",
            "preferred becomes nodes_mode=preferred");
    becomes(NUMATUNE("mode='interleave' nodeset='0,^1,3'"),
            BASE "nodes = \"0,^1,3\"\nnodes_mode = \"preferred\"\n",
            "interleave becomes nodes_mode=preferred");
    becomes(NUMATUNE("mode='strict' placement='auto'"),
            BASE "nodes = \"auto\"\n",
            "strict together with placement=auto is ignored");
}

/* libvirt's, where a cell does not say it, nor the other one. */
static void test_distances(void)
{
    struct domain_xml domain;
    const struct cell *list;
    char *error = NULL;

    if (read_body(NAMED HVM "<cpu><numa><cell memory='1' cpus='0-1,3'>"
                  "<distances><sibling id='1' value='15'/></distances></cell>"
                  "<cell memory='2' unit='MiB'/><cell memory='1'/></numa>"
                  "</cpu>", &domain, &error)) {
        ok(false, "distances are read: %s", error);
        free(error);
        return;
    }
    list = domain.cells->list;
    ok(list[0].distances[1] == 15 && list[1].distances[0] == 15,
       "a distance in the XML counts in both directions");
    ok(list[0].distances[0] == 10 && list[0].distances[2] == 20,
       "missing distances are 10 and 20, as in libvirt");
    ok(list[0].bytes == 1024 && list[1].bytes == 2 << 20 &&
       xln_cpumap_count(list[0].vcpus) == 3 && !list[1].vcpus,
       "each cell has its size and its vCPUs");
    domain_xml_dispose(&domain);
}

static void test_bad_cells(void)
{
#define NUMA(cells) NAMED HVM "<cpu><numa>" cells "</numa></cpu>"
    refused(NUMA("<cell cpus='0'/>"),
            "g.xml: line 2: <cell> without memory=", "a cell without memory");
    refused(NUMA("<cell id='1' memory='1'/>"),
            "g.xml: no cell 0: expected 1 cells numbered from 0",
            "cells that do not begin with 0");
    refused(NUMA("<cell id='0' memory='1'/><cell id='0' memory='1'/>"),
            "g.xml: line 2: a second <cell> with id='0'",
            "a cell that appears twice");
    refused(NUMA("<cell cpus='x' memory='1'/>"),
            "g.xml: cell 0: cpus='x': expected vCPUs such as '0-1,4'",
            "cpus= without numbers");
    refused("<numatune><memnode cellid='0' nodeset='x'/></numatune>"
            NUMA("<cell memory='1'/>"),
            "g.xml: <memnode cellid='0'>: nodeset='x': expected nodes such as "
            "'0-1,4'", "nodeset= without numbers");
}

static void test_cells(void)
{
#define CELLS "<cpu><numa><cell id='0' cpus='0' memory='81920'/>" \
              "<cell id='1' cpus='1' memory='81920'/></numa></cpu>"
    becomes(NAMED HVM CELLS,
            HEAD "type = \"hvm\"\n" SIZE "cell_nodes = [\"\", \"\"]\n",
            "cells need not name nodes of the host");
    becomes(NAMED HVM "<numatune><memory nodeset='0-3'/>"
            "<memnode cellid='1' mode='strict' nodeset='2'/></numatune>" CELLS,
            HEAD "type = \"hvm\"\n" SIZE
            "nodes = \"0-3\"\nnodes_mode = \"strict\"\n"
            "cell_nodes = [\"\", \"2\"]\n",
            "<memnode> names the nodes of its cell");
    becomes("<name>g</name><memory>1</memory>" HVM CELLS,
            HEAD "type = \"hvm\"\n" SIZE "cell_nodes = [\"\", \"\"]\n",
            "the memory is the sum of all cells");
    refused(NAMED CELLS, "g.xml: <cell>: only HVM guests can have virtual "
            "nodes, and this one is pv",
            "cells of a guest that cannot have virtual nodes");
    refused(NAMED "<numatune><memnode nodeset='2'/></numatune>",
            "g.xml: line 2: <memnode> without cellid=",
            "a <memnode> without a cell");
}

static void test_keys(void)
{
#define KEYS(element) NAMED "<metadata>" element "</metadata>"
    becomes(KEYS("<numa:placement" XMLNS " nodes_policy='worst' "
                 "nodes_cpus='hard'/>"),
            BASE "nodes_policy = \"worst\"\nnodes_cpus = \"hard\"\n",
            "keys in <metadata> are read");
    becomes(KEYS("<numa:placement" XMLNS " pool='auto'/>"),
            BASE "pool = \"auto\"\n", "pool=auto in <metadata> is read");
    becomes(KEYS("<x xmlns='" DOMAIN_XML_KEYS "' nodes='2'/>"),
            BASE "nodes = \"2\"\n", "the name of the element does not matter");
    becomes(KEYS("<numa:a xmlns:numa='urn:other' nodes='2'/>"
                 "<b:c xmlns:b='urn:other'><numa:d nodes='1'/></b:c>"), BASE,
            "elements of another namespace are ignored");
    becomes(KEYS("<numa:a" XMLNS " nodes='2'/>"
                 "<numa:b xmlns:numa='urn:other' rack='7'/>"
                 "<numa:c rack='8'/><d xmlns='urn:other' rack='9'/>"),
            BASE "nodes = \"2\"\n",
            "elements of another namespace after ours are ignored");
    becomes(KEYS("<a xmlns='" DOMAIN_XML_KEYS "' nodes='2'/>"
                 "<b xmlns='urn:other' rack='7'/>"), BASE "nodes = \"2\"\n",
            "an element of another namespace without a prefix is ignored");
    becomes(NAMED "<metadata" XMLNS "><numa:a xmlns:numa='urn:other' "
            "rack='7'/><numa:b nodes='2'/></metadata>",
            BASE "nodes = \"2\"\n",
            "a prefix may have another namespace within one element");
    becomes("<metadata" XMLNS "><numa:a nodes='2'/></metadata>"
            NUMATUNE("mode='strict' nodeset='1'"),
            BASE "nodes = \"1\"\nnodes_mode = \"strict\"\nnodes = \"2\"\n",
            "keys in <metadata> override libvirt's elements");
}

/* ---- what is wrong ---- */

static void test_errors(void)
{
    struct domain_xml domain;
    char *error = NULL;

    refused(NUMATUNE("mode='stirct' nodeset='1'"),
            "g.xml: line 2: mode='stirct': expected 'strict', 'preferred' or "
            "'interleave'", "an unknown mode");
    refused(KEYS("<numa:a" XMLNS " nodes_polcy='x'/>"),
            "g.xml: line 2: <numa:a nodes_polcy=>: expected a key of "
            "xl-numa.cfg(5)", "an unknown key");
    refused(KEYS("<numa:a" XMLNS " pool='qa'/>"),
            "g.xml: line 2: <numa:a pool='qa'>: expected 'auto'",
            "a cpupool that is named");
    refused(KEYS("<numa:a" XMLNS " memory='1'/>"),
            "g.xml: line 2: <numa:a memory=>: expected a key of "
            "xl-numa.cfg(5)", "a key of xl's");
    refused(NAMED "<vcpu>0</vcpu>",
            "g.xml: line 2: '0': expected a number of vCPUs, 1 to 4096",
            "a domain without a vCPU");
    refused(NAMED "<vcpu>1</vcpu><cputune><vcpupin cpuset='1'/></cputune>",
            "g.xml: line 2: <vcpupin> without vcpu=",
            "a <vcpupin> without a vCPU");
    refused(NAMED "<cputune><vcpupin vcpu='4096' cpuset='1'/></cputune>",
            "g.xml: line 2: vcpu=\"4096\": expected a number up to 4095",
            "a vCPU number beyond all limits");
    refused("<name>g</name><memory unit='ells'>1</memory>",
            "g.xml: line 2: unit='ells': expected a unit such as 'KiB'",
            "an unknown unit");
    refused("<name>g</name><memory unit='TiB'>99999999</memory>",
            "g.xml: line 2: '99999999': expected a size of memory, of "
            "4 PiB at most",
            "a size beyond all limits");
    refused("<name>g</name>", "g.xml: <domain> without a size of <memory>",
            "a domain without a size");
    refused("<memory>1</memory>", "g.xml: <domain> without a <name>",
            "a domain without a name");
    refused("<name>", "g.xml: line 3: not XML: mismatched tag",
            "a text that is not XML");
    ok(domain_xml_read("<network/>", 10, "n.xml", &domain, &error) == -EINVAL,
       "an element other than <domain> is refused");
    is_str(error, "n.xml: line 1: expected a <domain> of libvirt",
           "the error says that a <domain> is expected");
    free(error);
    ok(domain_xml_read("<domain type='kvm'/>", 20, "n.xml", &domain, &error) ==
           -EINVAL, "a domain of another hypervisor is refused");
    is_str(error, "n.xml: line 1: expected a <domain type='xen'>",
           "the error says that a domain of Xen is expected");
    free(error);
}

static void test_is(void)
{
    ok(domain_xml_is("\n <domain", 9), "XML is recognized by how it begins");
    ok(!domain_xml_is("name=\"<\"", 8) && !domain_xml_is(" ", 1) &&
           !domain_xml_is("", 0), "other texts are not taken for XML");
}

static void test_uuid(void)
{
    struct domain_xml domain;
    char *error, *uuid;

    ok(!read_body(NAMED "<uuid>7A2F4E4C-7c4b-4a2e-9d5e-0a1b2c3d4e5f</uuid>",
                  &domain, &error), "a domain with a uuid is read");
    is_str(domain.uuid, "7a2f4e4c-7c4b-4a2e-9d5e-0a1b2c3d4e5f",
           "a uuid is read in lower case");
    domain_xml_dispose(&domain);
    ok(!read_body(NAMED, &domain, &error) && !domain.uuid,
       "a domain without a uuid has none");
    domain_xml_dispose(&domain);
    ok(!domain_xml_uuid("<domain><uuid>7A</uuid><vcpu>x</vcpu></domain>", 46,
                        &uuid),
       "the uuid is found in XML with an error elsewhere");
    is_str(uuid, "7a", "the uuid in such XML is read in lower case, too");
    free(uuid);
    ok(domain_xml_uuid("<domain/>", 9, &uuid) == -ENOENT,
       "XML without a uuid is -ENOENT");
    ok(domain_xml_uuid("<domain>", 8, &uuid) == -EINVAL,
       "a text that is not XML has no uuid");
}

static void test_no_memory(void)
{
    static const char body[] = KEYS("<numa:a" XMLNS " nodes='2'/>")
        "<uuid>u</uuid><os><type>hvm</type></os><vcpu cpuset='1'>2</vcpu>"
        "<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>"
        "<numatune><memory nodeset='1'/></numatune>";
    char *text = domain_of(body), *error = NULL;
    struct domain_xml domain;
    unsigned nth = 0, nr_failed = 0;
    int rc;

    do {
        fake_alloc_fail(++nth);
        rc = domain_xml_read(text, strlen(text), "g.xml", &domain, &error);
        fake_alloc_fail(0);
        nr_failed += rc == -ENOMEM && !error;
    } while (rc && nth < 1000);
    ok(!rc && nr_failed == nth - 1 && nr_failed > 8,
       "-ENOMEM is returned, whichever of %u allocations fails", nr_failed);
    domain_xml_dispose(&domain);
    free(text);
}

int main(void)
{
    test_size();
    test_types();
    test_names();
    test_devices();
    test_vcpus();
    test_memory();
    test_cells();
    test_distances();
    test_bad_cells();
    test_keys();
    test_errors();
    test_is();
    test_uuid();
    test_no_memory();
    return tap_done();
}
