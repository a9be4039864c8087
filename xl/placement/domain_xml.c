/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain_cells.h"
#include "domain_xml.h"
#include "key_values.h"
#include "bounds.h"
#include "text/refuse.h"
#include "text/units.h"
#include "text/xml.h"
#include "text/xml_memory.h"

#define DEVICES_MAX 256

/* A domain while it is read. What may stand in any order is kept here. */
struct domain {
    char *name, *uuid, *type;
    uint64_t memory_bytes, current_bytes;
    uint64_t unit_bytes;        /* of the <memory> that is being read */
    uint64_t nr_vcpus, nr_online;
    bool is_auto;               /* libvirt's word for: choose the nodes */
    bool no_hap;
    char *cpus;                 /* <vcpu cpuset> */
    char **pins;                /* <vcpupin>, by vCPU; NULL: none */
    char *nodes, *mode;         /* <numatune><memory> */
    struct domain_cells cells;  /* <cpu><numa><cell> and <memnode> */
    struct cells *made_cells;   /* of them */
    char *prefix;               /* "PREFIX:" of our namespace, or "" */
    bool pci;                   /* in a <hostdev type='pci'> */
    unsigned nr_devices;
    FILE *devices, *keys;       /* lines of the configuration */
};

/* ---- texts ---- */

static int copy(const char *text, char **copy_r)
{
    free(*copy_r);
    *copy_r = strdup(text);
    return *copy_r ? 0 : -ENOMEM;
}

static int forget(char **text)
{
    free(*text);
    *text = NULL;
    return 0;
}

static bool attr_is(const struct xln__xml *xml, const char *name,
                    const char *wanted)
{
    const char *value = xln__xml_attr(xml, name);

    return value && !strcmp(value, wanted);
}

/* As a string of xl.cfg. libxlutil takes no escapes by number; and XML has no
 * control characters but these. */
static void print_string(const char *text, FILE *f)
{
    static const char special[] = "\n\r\t\"\\", escaped[] = "nrt\"\\";
    const char *found;

    fputc('"', f);
    for (; *text; text++) {
        found = strchr(special, *text);
        if (found)
            fprintf(f, "\\%c", escaped[found - special]);
        else
            fputc(*text, f);
    }
    fputc('"', f);
}

static void print_key(const char *key, const char *value, FILE *f)
{
    fprintf(f, "%s = ", key);
    print_string(value, f);
    fputc('\n', f);
}

/* ---- memory ---- */

/* In whole MiB, as libvirt's driver has it. */
static int end_memory(const struct domain *r, struct xln__xml *xml,
                      const char *text, uint64_t *bytes_r)
{
    return xln__xml_memory_size(xml, text, r->unit_bytes, MIB, bytes_r);
}

/* ---- vCPUs ---- */

static int begin_vcpu(struct domain *r, struct xln__xml *xml)
{
    if (attr_is(xml, "placement", "auto"))
        r->is_auto = true;
    else if (xln__xml_copy_attr(xml, "cpuset", &r->cpus))
        return -ENOMEM;
    return xln__xml_number(xml, "current", VCPUS_MAX, 0, &r->nr_online);
}

static int end_vcpu(struct domain *r, struct xln__xml *xml, const char *text)
{
    const char *s = text;

    if (xln__xml_parse_number(&s, VCPUS_MAX, &r->nr_vcpus) && !*s &&
        r->nr_vcpus)
        return 0;
    return xln__xml_refuse(xml, "'%.20s': expected a number of vCPUs, 1 to %u",
                           text, VCPUS_MAX);
}

static int begin_pin(struct domain *r, struct xln__xml *xml)
{
    uint64_t vcpu;
    int rc = xln__xml_need_number(xml, "vcpu", VCPUS_MAX - 1, &vcpu);

    if (rc)
        return rc;
    if (!xln__xml_attr(xml, "cpuset"))
        return xln__xml_refuse(xml, "<vcpupin> without cpuset=");
    if (!r->pins)
        r->pins = calloc(VCPUS_MAX, sizeof(*r->pins));
    return r->pins ? xln__xml_copy_attr(xml, "cpuset", &r->pins[vcpu])
                   : -ENOMEM;
}

/* ---- memory from nodes ---- */

static const char *const modes[] = {
    "strict", "preferred", "interleave", "restrictive", NULL
};

/* libvirt itself writes mode='strict' for placement='auto', so it means
 * nothing there. */
static int begin_numatune(struct domain *r, struct xln__xml *xml)
{
    const char *mode = xln__xml_attr(xml, "mode");
    int i;

    if (attr_is(xml, "placement", "auto") && !xln__xml_attr(xml, "nodeset")) {
        r->is_auto = true;
        return 0;
    }
    for (i = 0; mode && modes[i] && strcmp(modes[i], mode); i++)
        ;
    if (mode && !modes[i])
        return xln__xml_refuse(xml, "mode='%.20s': expected 'strict', "
                               "'preferred' or 'interleave'", mode);
    if (copy(mode ? mode : "strict", &r->mode))
        return -ENOMEM;
    return xln__xml_copy_attr(xml, "nodeset", &r->nodes);
}

/* ---- devices ---- */

/* libvirt reports a vCPU that does not exist, or is not a number. */
static bool read_part(const struct xln__xml *xml, const char *name,
                      unsigned *part_r)
{
    const char *value = xln__xml_attr(xml, name);
    char *end;

    if (!value || !isxdigit((unsigned char)*value))
        return false;
    *part_r = strtoul(value, &end, 0);
    return !*end;
}

static int begin_device(struct domain *r, struct xln__xml *xml)
{
    unsigned domain, bus, slot, function;

    if (!r->pci || !read_part(xml, "domain", &domain) ||
        !read_part(xml, "bus", &bus) || !read_part(xml, "slot", &slot) ||
        !read_part(xml, "function", &function))
        return 0;
    if (++r->nr_devices > DEVICES_MAX)
        return xln__xml_refuse(xml, "more than %u devices", DEVICES_MAX);
    fprintf(r->devices, "%s\"%04x:%02x:%02x.%x\"",
            r->nr_devices > 1 ? ", " : "", domain, bus, slot, function);
    return 0;
}

/* ---- our keys ---- */

/* "xmlns:numa" is "numa:", "xmlns" is "". NULL: it declares none. */
static const char *prefix_of(const char *attr)
{
    if (strncmp(attr, "xmlns", 5))
        return NULL;
    return attr[5] == ':' ? attr + 6 : attr[5] ? NULL : "";
}

/* Find the prefix that <domain> or <metadata> declare for our namespace. */
static int find_prefix(struct domain *r, const struct xln__xml *xml)
{
    const char *const *attr;
    const char *prefix;
    int rc = 0;

    for (attr = xln__xml_attrs(xml); *attr && !rc; attr += 2) {
        prefix = prefix_of(attr[0]);
        if (!prefix)
            continue;
        if (!strcmp(attr[1], DOMAIN_XML_KEYS))
            rc = copy(prefix, &r->prefix);
        else if (r->prefix && !strcmp(prefix, r->prefix))
            rc = forget(&r->prefix);
    }
    return rc;
}

static bool has_prefix(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);

    if (!length)
        return !strchr(name, ':');
    return !strncmp(name, prefix, length) && name[length] == ':';
}

/* An element of <metadata>: whether its name is of our namespace, which it may
 * declare itself. */
static bool is_ours(const struct domain *r, const struct xln__xml *xml)
{
    const char *name = strrchr(xln__xml_path(xml), '/') + 1, *prefix;
    const char *const *attr;

    if (xln__xml_depth(xml) != 3 ||
        strncmp(xln__xml_path(xml), "/domain/metadata/", 17))
        return false;
    for (attr = xln__xml_attrs(xml); *attr; attr += 2) {
        prefix = prefix_of(attr[0]);
        if (prefix && has_prefix(name, prefix))
            return !strcmp(attr[1], DOMAIN_XML_KEYS);
    }
    return r->prefix && has_prefix(name, r->prefix);
}

static int begin_keys(struct domain *r, struct xln__xml *xml)
{
    const char *element = strrchr(xln__xml_path(xml), '/') + 1, *ours;
    const char *const *attr;
    const struct key *key;
    int index;

    for (attr = xln__xml_attrs(xml); *attr; attr += 2) {
        if (prefix_of(attr[0]))
            continue;
        key = key_find(attr[0], &index);
        if (!key)
            return xln__xml_refuse(xml, "<%s %.40s=>: expected a key of "
                                   "xl-numa.cfg(5)", element, attr[0]);
        ours = key_ours(key);
        if (ours && strcmp(attr[1], ours))
            return xln__xml_refuse(xml, "<%s %s='%.40s'>: expected '%s'",
                                   element, attr[0], attr[1], ours);
        print_key(attr[0], attr[1], r->keys);
    }
    return 0;
}

/* ---- elements ---- */

static bool at(const struct xln__xml *xml, const char *path)
{
    return !strcmp(xln__xml_path(xml), path);
}

static int on_begin(void *priv, struct xln__xml *xml)
{
    struct domain *r = priv;
    int rc = 0;

    if (xln__xml_depth(xml) == 1 && !at(xml, "/domain"))
        return xln__xml_refuse(xml, "expected a <domain> of libvirt");
    if (at(xml, "/domain") && !attr_is(xml, "type", "xen"))
        return xln__xml_refuse(xml, "expected a <domain type='xen'>");
    if (xln__xml_depth(xml) < 3)
        rc = find_prefix(r, xml);
    if (rc)
        return rc;
    if (is_ours(r, xml))
        return begin_keys(r, xml);
    if (at(xml, "/domain/memory") || at(xml, "/domain/currentMemory"))
        return xln__xml_memory_unit(xml, &r->unit_bytes);
    if (at(xml, "/domain/vcpu"))
        return begin_vcpu(r, xml);
    if (at(xml, "/domain/cputune/vcpupin"))
        return begin_pin(r, xml);
    if (at(xml, "/domain/numatune/memory"))
        return begin_numatune(r, xml);
    if (at(xml, "/domain/numatune/memnode"))
        return domain_cells_memnode(&r->cells, xml);
    if (at(xml, "/domain/cpu/numa/cell"))
        return domain_cells_begin(&r->cells, xml);
    if (at(xml, "/domain/cpu/numa/cell/distances/sibling"))
        return domain_cells_sibling(&r->cells, xml);
    if (at(xml, "/domain/features/hap"))
        r->no_hap = attr_is(xml, "state", "off");
    if (at(xml, "/domain/devices/hostdev"))
        r->pci = attr_is(xml, "type", "pci");
    if (at(xml, "/domain/devices/hostdev/source/address"))
        return begin_device(r, xml);
    return 0;
}

static int on_end(void *priv, struct xln__xml *xml, const char *text)
{
    struct domain *r = priv;

    if (at(xml, "/domain/name"))
        return copy(text, &r->name);
    if (at(xml, "/domain/uuid"))
        return copy(text, &r->uuid);
    if (at(xml, "/domain/os/type"))
        return copy(text, &r->type);
    if (at(xml, "/domain/memory"))
        return end_memory(r, xml, text, &r->memory_bytes);
    if (at(xml, "/domain/currentMemory"))
        return end_memory(r, xml, text, &r->current_bytes);
    if (at(xml, "/domain/vcpu"))
        return end_vcpu(r, xml, text);
    return 0;
}

/* ---- the configuration ---- */

/* libvirt's words, and "linux", which it still writes for a PV guest. */
static const char *type_of(const struct domain *r)
{
    if (!r->type || !strcmp(r->type, "linux") || !strcmp(r->type, "xen"))
        return "pv";
    return !strcmp(r->type, "xenpvh") ? "pvh" : r->type;
}

static void print_size(const struct domain *r, FILE *f)
{
    uint64_t memory = r->current_bytes && r->current_bytes < r->memory_bytes
                          ? r->current_bytes
                          : r->memory_bytes;

    fprintf(f, "memory = %" PRIu64 "\n", memory / MIB);
    if (memory < r->memory_bytes)
        fprintf(f, "maxmem = %" PRIu64 "\n", r->memory_bytes / MIB);
    fprintf(f, "vcpus = %" PRIu64 "\n",
            r->nr_online ? r->nr_online : r->nr_vcpus);
    if (r->nr_online && r->nr_online < r->nr_vcpus)
        fprintf(f, "maxvcpus = %" PRIu64 "\n", r->nr_vcpus);
    if (r->no_hap)
        fputs("hap = 0\n", f);
}

static void print_cpus(const struct domain *r, FILE *f)
{
    const char *rest = r->cpus ? r->cpus : "all";
    unsigned i;

    if (!r->pins && r->cpus)
        print_key("cpus", r->cpus, f);
    if (!r->pins)
        return;
    fputs("cpus = [", f);
    for (i = 0; i < r->nr_vcpus; i++) {
        fputs(i ? ", " : "", f);
        print_string(r->pins[i] ? r->pins[i] : rest, f);
    }
    fputs("]\n", f);
}

static void print_nodes(const struct domain *r, FILE *f)
{
    if (!r->nodes) {
        if (r->is_auto)
            print_key("nodes", "auto", f);
        return;
    }
    print_key("nodes", r->nodes, f);
    print_key("nodes_mode",
              !strcmp(r->mode, "strict") || !strcmp(r->mode, "restrictive")
                  ? "strict"
                  : "preferred",
              f);
}

static int print_config(const struct domain *r, const char *devices,
                        const char *keys, FILE *f)
{
    int rc = 0;

    print_key("name", r->name, f);
    print_key("type", type_of(r), f);
    print_size(r, f);
    print_cpus(r, f);
    if (r->nr_devices)
        fprintf(f, "pci = [%s]\n", devices);
    print_nodes(r, f);
    if (r->made_cells)
        rc = domain_cells_print(r->made_cells, f);
    /* The last value applies. */
    fputs(keys, f);
    return rc;
}

/* libvirt itself never writes XML that fails these checks. */
static int check_whole(const struct domain *r, char **error_r)
{
    if (!r->name || !*r->name)
        return xln__refuse(error_r, "<domain> without a <name>");
    if (!r->memory_bytes)
        return xln__refuse(error_r, "<domain> without a size of <memory>");
    /* libxl would say so when it has begun, in a log. */
    if (r->cells.nr && strcmp(type_of(r), "hvm"))
        return xln__refuse(error_r, "<cell>: only HVM guests can have virtual "
                           "nodes, and this one is %s", type_of(r));
    return 0;
}

/* libvirt uses the sum of the cells, and ignores <memory>. */
static int make_cells(struct domain *r, char **error_r)
{
    int rc = domain_cells_make(&r->cells, &r->made_cells, error_r);

    if (!rc && r->made_cells)
        r->memory_bytes = (cells_bytes(r->made_cells) + MIB - 1) / MIB * MIB;
    return rc;
}

static int make_config(struct domain *r, const char *devices, const char *keys,
                       struct domain_xml *domain_r)
{
    char *config = NULL;
    FILE *f = open_memstream(&config, &domain_r->config_size);
    int rc;

    if (!f)
        return -ENOMEM;
    if (!r->nr_vcpus)
        r->nr_vcpus = 1;
    rc = print_config(r, devices, keys, f);
    if (fclose(f) || rc || !config) {
        free(config);
        return -ENOMEM;
    }
    domain_r->config = config;
    domain_r->cells = r->made_cells;
    r->made_cells = NULL;
    domain_r->uuid = r->uuid;
    r->uuid = NULL;
    return 0;
}

static void dispose(struct domain *r)
{
    unsigned i;

    for (i = 0; r->pins && i < VCPUS_MAX; i++)
        free(r->pins[i]);
    free(r->pins);
    domain_cells_dispose(&r->cells);
    cells_free(r->made_cells);
    free(r->name);
    free(r->uuid);
    free(r->type);
    free(r->cpus);
    free(r->nodes);
    free(r->mode);
    free(r->prefix);
}

static void lower(char *text)
{
    for (; text && *text; text++)
        *text = tolower((unsigned char)*text);
}

static int read_all(struct domain *r, const char *text, size_t size,
                    char **error_r)
{
    static const struct xln__xml_events events = { on_begin, on_end };
    int rc = xln__xml_read(text, size, &events, r, error_r);

    if (!rc)
        rc = check_whole(r, error_r);
    if (!rc)
        rc = make_cells(r, error_r);
    lower(r->uuid);
    return rc;
}

static int ignore_begin(void *priv, struct xln__xml *xml)
{
    (void)priv;
    (void)xml;
    return 0;
}

static int take_uuid(void *priv, struct xln__xml *xml, const char *text)
{
    char **uuid = priv;

    return at(xml, "/domain/uuid") ? copy(text, uuid) : 0;
}

int domain_xml_uuid(const char *text, size_t size, char **uuid_r)
{
    static const struct xln__xml_events events = { ignore_begin, take_uuid };
    char *error = NULL, *uuid = NULL;
    int rc = xln__xml_read(text, size, &events, &uuid, &error);

    free(error);
    if (!rc && !uuid)
        rc = -ENOENT;
    if (rc) {
        free(uuid);
        return rc;
    }
    lower(uuid);
    *uuid_r = uuid;
    return 0;
}

bool domain_xml_is(const char *text, size_t size)
{
    while (size && isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    return size && *text == '<';
}

static int name_source(const char *source, char **error_r)
{
    char *what = *error_r;
    int rc = xln__refuse(error_r, "%s: %s", source, what);

    free(what);
    return rc;
}

int domain_xml_read(const char *text, size_t size, const char *source,
                    struct domain_xml *domain_r, char **error_r)
{
    char *devices = NULL, *keys = NULL;
    size_t devices_size, keys_size;
    struct domain r = { 0 };
    int rc = -ENOMEM;

    *error_r = NULL;
    r.devices = open_memstream(&devices, &devices_size);
    r.keys = open_memstream(&keys, &keys_size);
    if (r.devices && r.keys)
        rc = read_all(&r, text, size, error_r);
    /* Without memory to end it, a stream may leave NULL and say nothing. */
    if ((r.devices && fclose(r.devices)) || !devices)
        rc = -ENOMEM;
    if ((r.keys && fclose(r.keys)) || !keys)
        rc = -ENOMEM;
    if (!rc)
        rc = make_config(&r, devices, keys, domain_r);
    if (*error_r)
        rc = name_source(source, error_r);
    free(devices);
    free(keys);
    dispose(&r);
    return rc;
}

void domain_xml_dispose(struct domain_xml *domain)
{
    free(domain->uuid);
    free(domain->config);
    cells_free(domain->cells);
}
