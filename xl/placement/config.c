/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "bounds.h"
#include "misspelt.h"
#include "text/read_stream.h"
#include "text/refuse.h"
#include "text/units.h"

/* Far more than anybody has written by hand. */
#define FILE_MAX_BYTES (16u << 20)

/* One configuration while it is read. */
struct parser {
    XLU_Config *xlu;
    struct config *config;
    char **error_r;
};

__attribute__((format(printf, 2, 3)))
static int explain(const struct parser *r, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = xln__refuse_at(r->error_r, r->config->source, fmt, ap);
    va_end(ap);
    return rc;
}

static int wrong_value(const struct parser *r, const char *key,
                       const char *value, const char *expected)
{
    return explain(r, "%s=\"%.*s\": expected %s", key, VALUE_MAX, value,
                   expected);
}

/* ---- single values ---- */

/* *value_r is borrowed; NULL: not given. -EINVAL: it is a list. */
static int get_text(const struct parser *r, const char *key,
                    const char **value_r)
{
    *value_r = NULL;
    if (xlu_cfg_get_string(r->xlu, key, value_r, 1) != EINVAL)
        return 0;
    return explain(r, "%s=[...]: expected a single value", key);
}

static int copy_text(const struct parser *r, const char *key, char **text_r)
{
    const char *value;
    int rc = get_text(r, key, &value);

    if (rc || !value)
        return rc;
    *text_r = strdup(value);
    return *text_r ? 0 : -ENOMEM;
}

/* As libxlutil reads a number: 0x10 and 020 are 16. *number_r stays as it is
 * where the key is not given. */
static int get_number(const struct parser *r, const char *key, int64_t max,
                      int64_t *number_r)
{
    const char *value;
    char *end, expected[64];
    int64_t number;
    int rc = get_text(r, key, &value);

    if (rc || !value)
        return rc;
    errno = 0;
    number = strtoll(value, &end, 0);
    if (errno || !*value || *end || number < 0 || number > max) {
        snprintf(expected, sizeof(expected), "a number, 0 to %" PRId64, max);
        return wrong_value(r, key, value, expected);
    }
    *number_r = number;
    return 0;
}

static int get_mib(const struct parser *r, const char *key, uint64_t *bytes_r)
{
    int64_t mib = -1;
    int rc = get_number(r, key, IN_MIB(MEMORY_MAX_BYTES), &mib);

    if (!rc && mib >= 0)
        *bytes_r = mib * MIB;
    return rc;
}

static int get_bool(const struct parser *r, const char *key, bool *value_r)
{
    int64_t number = *value_r;
    int rc = get_number(r, key, INT32_MAX, &number);

    *value_r = number != 0;
    return rc;
}

/* ---- what kind of domain ---- */

/* Any beginning of a name is that name, and the first one of several: that is
 * how xl compares them. */
static bool begins(const char *value, const char *name)
{
    return !strncmp(value, name, strlen(value));
}

static int read_type(const struct parser *r)
{
    libxl_domain_type *type = &r->config->type;
    const char *value, *builder;
    int rc;

    rc = get_text(r, "type", &value);
    if (rc)
        return rc;
    rc = get_text(r, "builder", &builder);
    if (rc)
        return rc;
    *type = LIBXL_DOMAIN_TYPE_PV;
    if (value) {
        if (begins(value, "hvm"))
            *type = LIBXL_DOMAIN_TYPE_HVM;
        else if (!begins(value, "pv") && begins(value, "pvh"))
            *type = LIBXL_DOMAIN_TYPE_PVH;
        else if (!begins(value, "pv"))
            return wrong_value(r, "type", value, "\"pv\", \"pvh\" or \"hvm\"");
    }
    if (!builder)
        return 0;
    if (!begins(builder, "hvm") && !begins(builder, "generic"))
        return wrong_value(r, "builder", builder, "\"hvm\" or \"generic\"");
    if (value && begins(builder, "hvm") != (*type == LIBXL_DOMAIN_TYPE_HVM))
        return explain(r, "type=\"%s\" and builder=\"%s\": expected one of "
                       "the two", value, builder);
    if (begins(builder, "hvm"))
        *type = LIBXL_DOMAIN_TYPE_HVM;
    return 0;
}

static int read_name(const struct parser *r)
{
    int rc = copy_text(r, "name", &r->config->name);

    if (rc)
        return rc;
    if (!r->config->name || !*r->config->name)
        return explain(r, "no name=: expected the name of the domain");
    /* The name begins lines that a terminal shows. */
    xln__mask_controls(r->config->name);
    return 0;
}

/* ---- how large ---- */

/* Without any of the two, and virtual nodes, libxl gives 32 MiB. */
static uint64_t default_maxmem(const struct config *config, uint64_t memory)
{
    if (config->cells)
        return cells_bytes(config->cells);
    return memory ? memory : 32 * MIB;
}

static int read_memory(const struct parser *r)
{
    uint64_t memory = 0, maxmem = 0;
    int rc;

    rc = get_mib(r, "memory", &memory);
    if (!rc)
        rc = get_mib(r, "maxmem", &maxmem);
    if (!rc)
        rc = get_mib(r, "shadow_memory", &r->config->shadow_bytes);
    if (rc)
        return rc;
    if (!maxmem)
        maxmem = default_maxmem(r->config, memory);
    /* xl does not compare them if the domain lists virtual nodes. */
    if (memory > maxmem && !r->config->cells)
        return explain(r, "memory=%" PRIu64 " and maxmem=%" PRIu64 ": expected "
                       "memory <= maxmem", IN_MIB(memory), IN_MIB(maxmem));
    r->config->maxmem_bytes = maxmem;
    r->config->memory_bytes = memory ? memory : maxmem;
    return 0;
}

static unsigned nr_vcpus_in(const struct cells *cells)
{
    unsigned i, nr = 0;

    for (i = 0; i < cells->nr; i++)
        nr += xln_cpumap_count(cells->list[i].vcpus);
    return nr;
}

static int read_vcpus(const struct parser *r)
{
    int64_t vcpus = 0, maxvcpus = 0;
    int rc;

    rc = get_number(r, "vcpus", VCPUS_MAX, &vcpus);
    if (!rc)
        rc = get_number(r, "maxvcpus", VCPUS_MAX, &maxvcpus);
    if (rc)
        return rc;
    if (maxvcpus && maxvcpus < vcpus)
        return explain(r, "vcpus=%" PRId64 " and maxvcpus=%" PRId64 ": "
                       "expected vcpus <= maxvcpus", vcpus, maxvcpus);
    if (r->config->cells) {
        r->config->nr_vcpus = nr_vcpus_in(r->config->cells);
        r->config->vcpus_need_cpus = !maxvcpus;
    } else {
        r->config->nr_vcpus = maxvcpus ? maxvcpus : vcpus ? vcpus : 1;
    }
    return 0;
}

/* By libxl's defaults for the kind of graphics, of which qemu-xen has twice as
 * much as qemu-xen-traditional. */
static int read_video(const struct parser *r, bool traditional)
{
    uint64_t *video = &r->config->video_bytes;
    bool stdvga = false;
    const char *vga;
    int rc;

    rc = get_text(r, "vga", &vga);
    if (!rc)
        rc = get_bool(r, "stdvga", &stdvga);
    if (rc)
        return rc;
    if (!vga)
        vga = stdvga ? "stdvga" : "cirrus";
    if (!strcmp(vga, "none"))
        *video = 0;
    else if (!strcmp(vga, "qxl"))
        *video = 128 * MIB;
    else
        *video = 4 * MIB << !traditional << !strcmp(vga, "stdvga");
    return get_mib(r, "videoram", video);
}

/* The video memory, and the domain of a device model, if there is one, which
 * holds it too: Mini-OS runs qemu-xen-traditional, Linux qemu-xen. */
static int read_device_model(const struct parser *r)
{
    bool stub = false, traditional;
    const char *version;
    uint64_t memory;
    int rc;

    if (r->config->type != LIBXL_DOMAIN_TYPE_HVM)
        return 0;
    rc = get_bool(r, "device_model_stubdomain_override", &stub);
    if (!rc)
        rc = get_text(r, "device_model_version", &version);
    if (rc)
        return rc;
    traditional = version ? strcmp(version, "qemu-xen") : stub;
    rc = read_video(r, traditional);
    if (rc || !stub)
        return rc;
    memory = (traditional ? 28 : 128) * MIB;
    rc = get_mib(r, "stubdomain_memory", &memory);
    r->config->stub_bytes = memory + r->config->video_bytes;
    return rc;
}

/* ---- where it may run ---- */

static int add_list(struct config_cpus *cpus, const char *list)
{
    char **lists = realloc(cpus->lists, (cpus->nr + 1) * sizeof(*lists));

    if (!lists)
        return -ENOMEM;
    cpus->lists = lists;
    lists[cpus->nr] = strdup(list);
    if (!lists[cpus->nr])
        return -ENOMEM;
    cpus->nr++;
    return 0;
}

/* More items than vCPUs are of no use, and no error. */
static int read_cpus(const struct parser *r, const char *key,
                     struct config_cpus *cpus)
{
    XLU_ConfigList *items;
    const char *value;
    int i, nr, rc = 0;

    if (!xlu_cfg_get_string(r->xlu, key, &value, 1)) {
        cpus->of_all = true;
        return add_list(cpus, value);
    }
    if (xlu_cfg_get_list(r->xlu, key, &items, &nr, 1))
        return 0;
    for (i = 0; i < nr && i < (int)r->config->nr_vcpus && !rc; i++) {
        value = xlu_cfg_get_listitem(items, i);
        if (!value)
            return explain(r, "%s: item %d is a list: expected a list of CPUs "
                           "such as \"0-3,^2\"", key, i + 1);
        rc = add_list(cpus, value);
    }
    return rc;
}

/* xl reports what is not a device. */
static int read_devices(const struct parser *r)
{
    struct config *config = r->config;
    XLU_ConfigList *list;
    const char *item;
    int nr = 0, i;

    if (xlu_cfg_get_list(r->xlu, "pci", &list, &nr, 1) || !nr)
        return 0;
    config->nr_devices = nr;
    config->devices = calloc(nr, sizeof(*config->devices));
    if (!config->devices)
        return -ENOMEM;
    for (i = 0; i < nr; i++) {
        item = xlu_cfg_get_listitem(list, i);
        if (item && prefer_parse_device(item,
                                        &config->devices[config->nr_addresses]))
            config->nr_addresses++;
    }
    return 0;
}

static int read_places(const struct parser *r)
{
    int rc;

    rc = read_cpus(r, "cpus", &r->config->hard);
    if (!rc)
        rc = read_cpus(r, "cpus_soft", &r->config->soft);
    if (!rc)
        rc = copy_text(r, "pool", &r->config->pool);
    return rc ? rc : read_devices(r);
}

/* ---- all of it ---- */

static int read_all(const struct parser *r, const struct keys *defaults)
{
    struct config *config = r->config;
    int rc;

    config->hap = true;
    config->shadow_bytes = UINT64_MAX;
    rc = read_type(r);
    if (!rc)
        rc = read_name(r);
    if (!rc)
        rc = keys_read_domain(r->xlu, config->source, defaults, &config->keys,
                              &config->cells, r->error_r);
    if (!rc)
        rc = read_memory(r);
    if (!rc)
        rc = read_vcpus(r);
    if (!rc)
        rc = get_bool(r, "hap", &config->hap);
    if (!rc)
        rc = read_device_model(r);
    if (!rc)
        rc = read_places(r);
    return rc;
}

/* The file, and a line for each word: they follow it, so they win. */
static char *join(const char *text, size_t size, char *const *words,
                  unsigned nr_words, size_t *size_r)
{
    char *all = NULL;
    unsigned i;
    FILE *f = open_memstream(&all, size_r);

    if (!f)
        return NULL;
    fwrite(text, 1, size, f);
    for (i = 0; i < nr_words; i++)
        fprintf(f, "\n%s", words[i]);
    fputc('\n', f);
    if (!fclose(f))
        return all;
    free(all);
    return NULL;
}

/* libxlutil ends the program over a zero byte that is between quotes. */
static int check_bytes(const struct parser *r, const char *text, size_t size)
{
    const char *zero = memchr(text, '\0', size), *s;
    unsigned line = 1;

    if (!zero)
        return 0;
    for (s = text; s < zero; s++)
        line += *s == '\n';
    return explain(r, "line %u: expected text, not a zero byte", line);
}

static int parse(struct parser *r, const char *text, size_t size,
                 const struct keys *defaults)
{
    int rc = check_bytes(r, text, size);

    if (rc)
        return rc;
    r->xlu = xlu_cfg_init(stderr, r->config->source);
    if (!r->xlu)
        return -ENOMEM;
    /* libxlutil itself reports what is not a configuration, with the line. */
    if (xlu_cfg_readdata(r->xlu, text, size))
        return -EINVAL;
    return read_all(r, defaults);
}

int config_parse(const char *text, size_t size, const char *source,
                 char *const *words, unsigned nr_words,
                 const struct keys *defaults, struct config **config_r,
                 char **error_r)
{
    struct parser r = { .error_r = error_r };
    char *all = NULL;
    int rc = -ENOMEM;

    *error_r = NULL;
    r.config = calloc(1, sizeof(*r.config));
    if (!r.config)
        goto out;
    r.config->source = strdup(source);
    all = join(text, size, words, nr_words, &size);
    if (!r.config->source || !all)
        goto out;
    rc = size > INT_MAX ? -EFBIG : parse(&r, all, size, defaults);
    if (rc)
        goto out;
    r.config->misspelt = misspelt_find(all, size);

    *config_r = r.config;
    r.config = NULL;
 out:
    if (r.xlu)
        xlu_cfg_destroy(r.xlu);
    free(all);
    config_free(r.config);
    return rc;
}

int config_read_text(const char *path, char **text_r, size_t *size_r)
{
    char *text;
    size_t size;
    FILE *f = fopen(path, "r");
    int rc;

    if (!f)
        return -errno;
    rc = xln__read_stream(f, FILE_MAX_BYTES, &text, &size);
    fclose(f);
    if (rc)
        return rc;
    if (size > FILE_MAX_BYTES) {
        free(text);
        return -EFBIG;
    }
    *text_r = text;
    *size_r = size;
    return 0;
}

static void dispose_cpus(struct config_cpus *cpus)
{
    unsigned i;

    for (i = 0; i < cpus->nr; i++)
        free(cpus->lists[i]);
    free(cpus->lists);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    free(config->source);
    free(config->name);
    free(config->pool);
    free(config->devices);
    free(config->misspelt);
    dispose_cpus(&config->hard);
    dispose_cpus(&config->soft);
    keys_free(config->keys);
    cells_free(config->cells);
    free(config);
}
