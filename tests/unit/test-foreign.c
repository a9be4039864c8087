/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts from hwloc and libvirt: what is wrong with a text is said and where,
 * and no text, however hostile, does harm.
 */
#include "foreign-hosts.h"

/* ---- hwloc ---- */

static void refuses_hwloc(const char *inside, const char *expected,
                          const char *what)
{
    char *text;

    if (asprintf(&text, "<topology><object type='Machine'>%s</object>"
                 "</topology>", inside) < 0)
        abort();
    refuses(xln__host_from_hwloc, text, expected, what);
    free(text);
}

static void test_hwloc_errors(void)
{
    refuses_hwloc("", "it has no PU", "a machine without a CPU");
    refuses_hwloc(PU0 "\n" PU0, "line 2: PU 0 appears twice",
                  "a CPU that appears twice");
    refuses_hwloc("<object type='PU'/>",
                  "line 1: a PU: expected os_index= of at most 65535",
                  "a CPU without number");
    refuses_hwloc("<object type='PU' os_index='65536'/>",
                  "line 1: a PU: expected os_index= of at most 65535",
                  "a CPU with too large a number");
    refuses_hwloc("<object type='PU' os_index='-7'/>",
                  "line 1: os_index=\"-7\": expected a number up to 4294967295",
                  "a CPU with a negative number");
    refuses_hwloc("<object type='NUMANode' os_index='1024'/>",
                  "line 1: a NUMANode: expected os_index= of at most 1023",
                  "a node with too large a number");
    refuses_hwloc("<object type='NUMANode' os_index='1'/>"
                  "<object type='NUMANode' os_index='1'/>",
                  "line 1: NUMANode 1 appears twice",
                  "a node that appears twice");
    refuses_hwloc("<object type='NUMANode' os_index='0' "
                  "local_memory='4503599627370497'/>",
                  "line 1: local_memory=\"4503599627370497\": expected a "
                  "number up to 4503599627370496", "a node above 4 PiB");
    refuses_hwloc("<object type='NUMANode' os_index='0' cpuset='0x1,x'/>",
                  "line 1: cpuset=\"0x1,x\": expected words like 0x0000000f",
                  "a set that is none");
    refuses_hwloc("<object/>", "line 1: <object> without type=",
                  "an object without type");
    refuses_hwloc("<object type='Machine'/>",
                  "line 1: a second Machine: expected one",
                  "a file of two machines");
    refuses_hwloc("</object><object type='Machine' allowed_cpuset='0x1'>",
                  "line 1: a second Machine: expected one",
                  "two machines side by side");
    refuses_hwloc("</object><object type='Group' allowed_cpuset='0x1'>",
                  "line 1: a second outermost <object>: expected one",
                  "two outermost objects");
}

#define DISTANCES(inside) "<distances2 type='NUMANode' kind='5' nbobjs='2' " \
    "indexing='os'>" inside "</distances2>"

static void test_distance_errors(void)
{
    refuses_hwloc(DISTANCES("<indexes>0 1 2</indexes>"),
                  "line 1: expected 2 indexes", "one index too many");
    refuses_hwloc(DISTANCES("<indexes>0</indexes>"
                            "<u64values>1 2 3 4</u64values>"),
                  "line 1: 1 indexes of 2 nodes", "an index too few");
    refuses_hwloc(DISTANCES("<u64values>1 2 3</u64values>"),
                  "line 1: 3 distances between 2 nodes",
                  "one distance too few");
    refuses_hwloc(DISTANCES("<u64values>1 2 3 4 5</u64values>"),
                  "line 1: expected 4 distances", "one distance too many");
    refuses_hwloc(DISTANCES("<u64values>1 2 x</u64values>"),
                  "line 1: \"x\": expected a number", "a distance of a letter");
    refuses_hwloc("<distances2 type='NUMANode' kind='5' nbobjs='1025' "
                  "indexing='os'/>",
                  "line 1: nbobjs=\"1025\": expected a number up to 1024",
                  "distances of too many nodes");
}

/* The CPUs that a node with this set has, of 0 to 69. */
static void has_cpus(const char *set, const char *expected)
{
    struct xln_host *host;
    char *text, *error, *cpus = NULL, pus[70 * 40] = "", name[80];

    for (unsigned cpu = 0; cpu < 70; cpu++)
        sprintf(pus + strlen(pus), "<object type='PU' os_index='%u'/>", cpu);
    if (asprintf(&text, "<topology><object type='Machine'><object "
                 "type='NUMANode' os_index='0' cpuset='%s'/>%s</object>"
                 "</topology>", set, pus) < 0)
        abort();
    host = read_host(xln__host_from_hwloc, text, strlen(text), &error);
    if (host && xln_cpumap_format(xln_host_node(host, 0)->cpus, &cpus))
        abort();
    snprintf(name, sizeof(name), "cpuset='%.40s' is read or refused", set);
    is_str(cpus ? cpus : error, expected, name);
    xln_host_free(host);
    free(cpus);
    free(error);
    free(text);
}

static void test_sets(void)
{
    has_cpus("0x0", "");
    has_cpus("", "");
    has_cpus("0x80000001", "0,31");
    has_cpus("0x1,0x0,0x2", "1,64");
    has_cpus("0x1,,0x2", "1,64");
    has_cpus("0x3,,", "64-65");
    has_cpus("0xf...f", "0-69");
    has_cpus("0xf...f,0x1", "0,32-69");
    has_cpus("0xf...f,,0x1", "0,64-69");
    has_cpus("0xf...f0", "line 1: cpuset=\"0xf...f0\": expected words like "
             "0x0000000f");
    has_cpus("0x123456789", "line 1: cpuset=\"0x123456789\": expected words "
             "like 0x0000000f");
    has_cpus("0x-1", "line 1: cpuset=\"0x-1\": expected words like "
             "0x0000000f");
}

static void test_wide_set(void)
{
    char set[2049 + 8];

    memset(set, ',', sizeof(set));
    memcpy(set, "0x1", 3);
    strcpy(set + 2048 + 3, "0x0");
    has_cpus(set, "line 1: cpuset=\"0x1,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\":"
             " expected nothing above 65535");
}

/* Where CPU 0 is, of a machine with this inside: "NODE SOCKET CORE". */
static void cpu_is(const char *inside, const char *expected, const char *what)
{
    const struct xln_host_cpu *cpu;
    struct xln_host *host;
    char *text, *error, is[64] = "";

    if (asprintf(&text, "<topology><object type='Machine'>%s</object>"
                 "</topology>", inside) < 0)
        abort();
    host = read_host(xln__host_from_hwloc, text, strlen(text), &error);
    cpu = host ? xln_host_cpu(host, 0) : NULL;
    if (cpu)
        snprintf(is, sizeof(is), "%u %u %u", cpu->node, cpu->socket,
                 cpu->core);
    is_str(cpu ? is : error, expected, what);
    xln_host_free(host);
    free(error);
    free(text);
}

#define NODE(os_index, cpus) "<object type='NUMANode' os_index='" os_index \
    "' cpuset='" cpus "'>"
#define CORE(os_index, inside) "<object type='Core' os_index='" os_index \
    "'>" inside "</object>"
#define SOCKET(os_index, inside) "<object type='Package' os_index='" \
    os_index "'>" inside "</object>"
#define PU1 "<object type='PU' os_index='1'/>"

static void test_choices(void)
{
    cpu_is(NODE("0", "0x3") "</object>" NODE("1", "0x1") "</object>" PU0 PU1,
           "1 0 0", "a CPU near two nodes is on the one with fewer CPUs");
    cpu_is(NODE("4", "0x1") "</object>" NODE("1", "0x1") "</object>" PU0,
           "1 0 0",
           "a CPU near two nodes with equally many CPUs is on the lower one");
    cpu_is(NODE("0", "0x1") "<info name='DAXDevice' value='dax0.0'/></object>"
           NODE("1", "0x3") "</object>" PU0 PU1,
           "1 0 0", "a CPU is not on a node that is a device's memory");
    cpu_is(SOCKET("7", CORE("5", PU0) CORE("6", PU1)), "0 7 5",
           "sockets and cores have their numbers");
    cpu_is(SOCKET("7", CORE("5", PU1) CORE("5", PU0)), "0 7 1",
           "cores with equal numbers are numbered anew");
    cpu_is(SOCKET("7", CORE("5", PU1)) SOCKET("7", CORE("5", PU0)), "0 1 5",
           "sockets with equal numbers are numbered anew");
    cpu_is(SOCKET("7", CORE("5", PU1)) PU0, "0 1 1",
           "a CPU without a socket gets a socket of its own");
}

/* ---- libvirt ---- */

static void refuses_cell(const char *inside, const char *expected,
                         const char *what)
{
    char *text;

    if (asprintf(&text, "<topology><cells><cell id='0'>%s</cell></cells>"
                 "</topology>", inside) < 0)
        abort();
    refuses(xln__host_from_capabilities, text, expected, what);
    free(text);
}

static void test_capabilities_errors(void)
{
    refuses(xln__host_from_capabilities, "<capabilities><host><topology/>"
            "</host></capabilities>", "it has no <topology> with a <cell>",
            "capabilities without cells");
    refuses(xln__host_from_capabilities,
            "<topology><cells><cell/></cells></topology>",
            "line 1: <cell> without id=", "a cell without number");
    refuses_cell("", "no <cell> has a <cpu>", "a host without a CPU");
    refuses_cell("</cell>\n<cell id='0'>", "line 2: cell 0 appears twice",
                 "a cell that appears twice");
    refuses_cell("<cpus><cpu id='3'/><cpu id='3'/></cpus>",
                 "line 1: cpu 3 appears twice", "a CPU that appears twice");
    refuses_cell("<cpus><cpu id='65536'/></cpus>",
                 "line 1: id=\"65536\": expected a number up to 65535",
                 "a CPU with too large a number");
    refuses_cell("<memory unit='acres'>1</memory>",
                 "line 1: unit='acres': expected a unit such as 'KiB'",
                 "a unit that is none");
    refuses_cell("<memory>lots</memory>",
                 "line 1: 'lots': expected a size of memory, of 4 PiB at most",
                 "memory that is no number");
    refuses_cell("<memory unit='EiB'>16</memory>",
                 "line 1: '16': expected a size of memory, of 4 PiB at most",
                 "more memory than there can be");
    refuses_cell("<distances><sibling id='0' value='9'/></distances>",
                 "line 1: value=\"9\": expected a distance from 10",
                 "a distance below 10");
    refuses_cell("<cpus><cpu id='0' socket_id='0' die_id='2147483647' "
                 "core_id='2147483647'/></cpus>",
                 "cpu 0: die_id and core_id are too large together",
                 "wild numbers of dies and cores");
}

/* Dies are not printed: their cores have numbers of their own then. */
static void test_large_cores(void)
{
    static const char xml[] = "<topology><cells><cell id='0'><cpus>"
        "<cpu id='0' socket_id='0' die_id='0' core_id='2147483647'/>"
        "<cpu id='1' socket_id='0' die_id='1' core_id='0'/>"
        "</cpus></cell></cells></topology>";
    struct xln_host *host = NULL, *again = NULL;
    char *text = NULL, *note = NULL, *error = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ok(!xln__host_from_capabilities(xml, strlen(xml), &host, &note, &error) &&
       xln_host_cpu(host, 1)->core == 2147483648u,
       "a core has its number within the socket");
    free(note);
    note = NULL;
    ok(f && !virsh_print_topology(host, f) && !fclose(f) &&
       !xln__host_from_capabilities(text, size, &again, &note, &error) &&
       xln_host_cpu(again, 1)->core == 2147483648u,
       "a core keeps its number when the host is printed and read");
    xln_host_free(host);
    xln_host_free(again);
    free(text);
    free(note);
    free(error);
}

static void has_memory(const char *memory, uint64_t expected_bytes)
{
    struct xln_host *host;
    char *text, *error;

    if (asprintf(&text, "<topology><cells><cell id='0'>%s" CPU0
                 "</cell></cells></topology>", memory) < 0)
        abort();
    host = read_host(xln__host_from_capabilities, text, strlen(text), &error);
    ok(host && xln_host_node(host, 0)->total_bytes == expected_bytes &&
       xln_host_node(host, 0)->free_bytes == expected_bytes,
       "the size in %s is read", memory);
    xln_host_free(host);
    free(error);
    free(text);
}

static void test_units(void)
{
    has_memory("<memory>3</memory>", 3 << 10);
    has_memory("<memory unit='bytes'>3</memory>", 3);
    has_memory("<memory unit='KB'>3</memory>", 3000);
    has_memory("<memory unit='k'>3</memory>", 3 << 10);
    has_memory("<memory unit='MiB'> 3 </memory>", 3 << 20);
    has_memory("<memory unit='TiB'>3</memory>", UINT64_C(3) << 40);
    has_memory("<memory unit='PiB'>4</memory>", UINT64_C(4) << 50);
}

/* ---- hostile ---- */

static char *repeat(const char *head, const char *part, size_t nr,
                    const char *tail)
{
    size_t len = strlen(part);
    char *text = malloc(strlen(head) + nr * len + strlen(tail) + 1), *at;

    if (!text)
        abort();
    at = stpcpy(text, head);
    for (; nr; nr--)
        at = stpcpy(at, part);
    strcpy(at, tail);
    return text;
}

static void refuses_both(char *text, const char *expected, const char *what)
{
    refuses(xln__host_from_hwloc, text, expected, what);
    refuses(xln__host_from_capabilities, text, expected, what);
    free(text);
}

static void test_hostile(void)
{
    refuses_both(strdup(""), "it is empty", "an empty file");
    refuses_both(strdup("<topology>\n<object"), "line 2: not XML: unclosed "
                 "token", "a file that is cut off");
    refuses_both(strdup("<topology>\n</object>"), "line 2: not XML: "
                 "mismatched tag", "elements that cross");
    refuses_both(strdup("<!DOCTYPE t [\n<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>"
                        "]><topology>&b;</topology>"),
                 "line 1: declarations (<!DOCTYPE ... [) are not read",
                 "entities that multiply");
    refuses_both(strdup("<!DOCTYPE t [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
                        "<topology>&a;</topology>"),
                 "line 1: declarations (<!DOCTYPE ... [) are not read",
                 "an entity from another file");
    refuses_both(strdup("<topology>&a;</topology>"),
                 "line 1: not XML: undefined entity",
                 "an entity that nobody declared");
    refuses_both(repeat("", "<a>", 1000000, ""),
                 "line 1: more than 256 elements in one another",
                 "a million elements in one another");
    refuses_both(repeat("<topology>", "<a/>", 1000000, "</topology>"),
                 "line 1: more than 1000000 elements",
                 "more elements than any host has");
    refuses_both(repeat("<topology><", "n", 5000, "/></topology>"),
                 "line 1: the names of elements are too long",
                 "the name of an element that is too long");
    refuses_both(repeat("<topology>\n<object a='", "a", 2 << 20,
                        "'/></topology>"),
                 "line 2: a tag, or what is in it, is longer than 1 MiB",
                 "a tag of 2 MiB");
    refuses_both(repeat("<topology>", "\n", XLN__XML_MAX_BYTES, "</topology>"),
                 "it is larger than 64 MiB", "a file of 64 MiB");
}

static void test_many_attributes(void)
{
    char element[64 * 8 + 8] = "<a";

    for (unsigned i = 0; i < 64; i++)
        sprintf(element + strlen(element), " a%u=''", i);
    strcat(element, "/>");
    refuses_both(repeat("<topology>", element, 70000, "</topology>"),
                 "line 1: more than 4000000 attributes",
                 "more attributes than any host has");
}

/* A DTD that is only named is ignored. hwloc's own files name one. */
static void test_doctype(void)
{
    static const char text[] =
        "<!DOCTYPE topology SYSTEM \"/nonexistent/hwloc.dtd\">"
        "<topology><object type='Machine'>" PU0 "</object></topology>";
    struct xln_host *host;
    char *error;

    host = read_host(xln__host_from_hwloc, text, sizeof(text) - 1, &error);
    ok(host, "a DTD that is named and not included does no harm");
    xln_host_free(host);
    free(error);
}

int main(void)
{
    test_hwloc_errors();
    test_distance_errors();
    test_sets();
    test_wide_set();
    test_choices();
    test_capabilities_errors();
    test_large_cores();
    test_units();
    test_hostile();
    test_many_attributes();
    test_doctype();
    return tap_done();
}
