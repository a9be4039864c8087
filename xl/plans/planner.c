/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include <libxl_numa_foreign.h>

#include "cpu_masks.h"
#include "need.h"
#include "placement/decide_pool.h"
#include "placement/domain_xml.h"
#include "placement/record.h"
#include "planner.h"
#include "text/refuse.h"
#include "text/units.h"

/* ---- the host ---- */

static bool read_host(struct planner *p, xc_interface *xch)
{
    int rc = xln_snapshot_read(xch, p->ctx, RESERVATIONS, &p->snapshot);

    return !rc || notes_add_error(p->notes, "cannot read the host", rc, NULL);
}

static bool load_host(struct planner *p, const char *word)
{
    char *note = NULL, *error = NULL;
    int rc = xln_snapshot_open(word, &p->snapshot, &note, &error);

    if (rc)
        notes_add_error(p->notes, word, rc, error);
    else if (note)
        notes_add(p->notes, "%s: %s", word, note);
    free(note);
    return !rc;
}

/* ---- what holds for all domains of a host ---- */

/* NULL in *text_r: it is not there, and need not be. */
static bool read_text(struct notes *notes, const char *path, bool needed,
                      char **text_r, size_t *size_r)
{
    int rc = config_read_text(path, text_r, size_r);

    if (!rc)
        return true;
    *text_r = NULL;
    if (rc == -ENOENT && !needed)
        return true;
    return notes_add(notes, "cannot read '%s': %s", path, strerror(-rc));
}

/* libxlutil itself says what is wrong. */
static bool read_defaults(struct notes *notes, const char *path, bool needed,
                          struct keys **defaults_r)
{
    char *text, *error = NULL;
    size_t size;
    int rc;

    *defaults_r = NULL;
    if (!read_text(notes, path, needed, &text, &size))
        return false;
    if (!text)
        return true;
    rc = keys_parse_host(text, size, path, defaults_r, &error);
    free(text);
    if (rc == -EINVAL && !error)
        return false;
    return !rc || notes_add_error(notes, path, rc, error);
}

static int restrict_to(const struct cpu_mask *mask, struct xln_cpumap **bound)
{
    if (!*bound)
        return xln_cpumap_copy(mask->cpus, bound);
    xln_cpumap_and(*bound, mask->cpus);
    return 0;
}

static bool read_masks(struct planner *p)
{
    struct cpu_masks masks;
    char *error;
    unsigned i;
    int rc = cpu_masks_read(p->snapshot->host, &masks, &error);

    for (i = 0; i < masks.nr && !rc; i++) {
        if (masks.list[i].of_pv)
            rc = restrict_to(&masks.list[i], &p->bound_pv);
        if (!rc && masks.list[i].of_others)
            rc = restrict_to(&masks.list[i], &p->bound_others);
    }
    cpu_masks_dispose(&masks);
    return !rc || notes_add_error(p->notes, XL_CONF, rc, error);
}

static bool replace_host(struct planner *p, struct xln_host *host)
{
    xln_host_free(p->snapshot->host);
    p->snapshot->host = host;
    return true;
}

/* Cores that its domains hold are not free. */
static bool take_cores(struct planner *p)
{
    const struct xln_snapshot *snapshot = p->snapshot;
    struct xln_cpumap *taken = NULL;
    struct xln_host *host = NULL;
    int rc;

    if (!snapshot->domains)
        return true;
    rc = xln_cpumap_new(xln_host_nr_cpus(snapshot->host), &taken);
    if (!rc)
        rc = xln_cores_of_domains(snapshot->domains, snapshot->host, taken);
    if (!rc)
        rc = xln_host_take_cores(snapshot->host, taken, &host);
    xln_cpumap_free(taken);
    if (rc)
        return notes_add_error(p->notes, "cannot find the cores that are taken",
                               rc, NULL);
    return replace_host(p, host);
}

/* From here on the load of its domains counts. */
static bool add_load(struct planner *p)
{
    const struct xln_snapshot *snapshot = p->snapshot;
    struct xln_host *host = NULL;
    uint64_t *load;
    int rc;

    if (!snapshot->domains)
        return true;
    load = calloc(xln_host_nr_cpus(snapshot->host), sizeof(*load));
    rc = load ? xln_load_of_domains(snapshot->domains, snapshot->host, load)
              : -ENOMEM;
    if (!rc)
        rc = xln_host_add_load(snapshot->host, load, &host);
    free(load);
    if (rc)
        return notes_add_error(p->notes, "cannot count the load of the host",
                               rc, NULL);
    return replace_host(p, host);
}

/* So do the sizes of its guests. */
static bool add_guests(struct planner *p)
{
    const struct xln_snapshot *snapshot = p->snapshot;
    struct xln_host *host = NULL;
    uint64_t *bytes;
    unsigned nr;
    int rc = -ENOMEM;

    if (!snapshot->domains)
        return true;
    bytes = calloc(snapshot->domains->nr + 1, sizeof(*bytes));
    if (bytes) {
        nr = xln_guests_of_domains(snapshot->domains, bytes);
        rc = xln_host_add_guests(snapshot->host, bytes, nr, &host);
    }
    free(bytes);
    if (rc)
        return notes_add_error(p->notes, "cannot list the guests of the host",
                               rc, NULL);
    return replace_host(p, host);
}

bool planner_read_defaults(struct notes *notes, const char *defaults_file,
                           struct keys **defaults_r)
{
    *defaults_r = NULL;
    return !defaults_file ||
           read_defaults(notes, defaults_file, true, defaults_r);
}

bool planner_begin_borrowing(struct planner *p, struct notes *notes,
                             const char *host_file, const struct keys *defaults)
{
    *p = (struct planner){ .notes = notes, .defaults = defaults };
    return load_host(p, host_file) && add_load(p) && add_guests(p) &&
           take_cores(p);
}

bool planner_begin_saved(struct planner *p, struct notes *notes,
                         const char *host_file, const char *defaults_file)
{
    if (!planner_begin_borrowing(p, notes, host_file, NULL) ||
        !planner_read_defaults(notes, defaults_file, &p->own_defaults))
        return false;
    p->defaults = p->own_defaults;
    return true;
}

bool planner_begin_running(struct planner *p, struct notes *notes,
                           xc_interface *xch, libxl_ctx *ctx,
                           const char *defaults_file)
{
    *p = (struct planner){ .notes = notes, .ctx = ctx };
    if (!read_host(p, xch) || !add_load(p) || !add_guests(p) ||
        !take_cores(p) ||
        !read_defaults(notes, defaults_file ? defaults_file : HOST_DEFAULTS,
                       defaults_file, &p->own_defaults))
        return false;
    p->defaults = p->own_defaults;
    return read_masks(p);
}

void planner_end(struct planner *p)
{
    xln_snapshot_free(p->snapshot);
    keys_free(p->own_defaults);
    xln_cpumap_free(p->bound_pv);
    xln_cpumap_free(p->bound_others);
}

/* ---- a configuration ---- */

static bool read_number(const char *text, uint32_t *number_r)
{
    unsigned long number;

    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    number = strtoul(text, NULL, 10);
    *number_r = number;
    return !errno && number <= UINT32_MAX;
}

static bool no_such_pool(const struct planner *p, const struct config *config)
{
    return notes_add(p->notes, "%s: pool=\"%s\": this host has no such cpupool",
                     config->source, config->pool);
}

/* Like libxl, by name before number. */
static bool find_saved_pool(const struct xln_host *host, const char *word,
                            uint32_t *id_r)
{
    const struct xln_host_pool *pool;
    unsigned i;

    for (i = 0; (pool = xln_host_pool_at(host, i)); i++)
        if (pool->name && !strcmp(pool->name, word)) {
            *id_r = pool->id;
            return true;
        }
    return read_number(word, id_r);
}

static bool find_pool_id(const struct planner *p, const struct config *config,
                         uint32_t *id_r)
{
    if (!config->pool || !strcmp(config->pool, "Pool-0")) {
        *id_r = 0;
        return true;
    }
    if (p->ctx)
        return !libxl_cpupool_qualifier_to_cpupoolid(p->ctx, config->pool,
                                                     id_r, NULL) ||
               no_such_pool(p, config);
    return find_saved_pool(p->snapshot->host, config->pool, id_r) ||
           no_such_pool(p, config);
}

static bool find_pool(const struct planner *p, const struct config *config,
                      const struct xln_cpumap **cpus_r)
{
    const struct xln_host_pool *pool;
    uint32_t id;

    if (keys_leave_pool(config->keys))
        return true;
    if (!find_pool_id(p, config, &id))
        return false;
    pool = xln_host_pool(p->snapshot->host, id);
    /* Pool-0 is there also where a description has no cpupools. */
    if (!pool && id)
        return no_such_pool(p, config);
    *cpus_r = pool ? pool->cpus : NULL;
    return true;
}

/* A create on a host without the device fails; but a file need not have all. */
static void note_absent_device(const struct planner *p,
                               const struct config *config)
{
    const struct prefer_device *d = prefer_find_absent(
        p->snapshot, config->devices, config->nr_addresses);

    if (d)
        notes_add(p->notes, "%s: pci=: this host has no device "
                  "%04x:%02x:%02x.%x: the plan ignores it", config->source,
                  d->segment, d->bus, d->device,
                  d->function == XLN_NONE ? 0 : d->function);
}

static bool fill_need(const struct planner *p, struct planned *d)
{
    const struct config *config = d->config;
    const struct xln_cpumap *pool_cpus = NULL;
    char *error = NULL;
    int rc;

    if (!find_pool(p, config, &pool_cpus))
        return false;
    rc = need_fill(config, p->snapshot->host, pool_cpus,
                   config->type == LIBXL_DOMAIN_TYPE_PV ? p->bound_pv
                                                        : p->bound_others,
                   &d->need, &error);
    if (rc)
        return notes_add_error(p->notes, config->source, rc, error);
    rc = prefer_saved(p->snapshot, config->devices, config->nr_addresses,
                      d->request, &d->need);
    if (rc)
        return notes_add_error(p->notes, config->source, rc, NULL);
    note_absent_device(p, config);
    return true;
}

static void describe(struct planned *d)
{
    d->guest = (struct decide_guest){
        .type = d->config->type,
        .on_demand = d->config->memory_bytes < d->config->maxmem_bytes,
        .video_bytes = d->config->video_bytes,
        .cells = d->config->cells,
        .any_pool = keys_leave_pool(d->config->keys),
    };
}

/* Refuse what xl itself refuses. */
static int check_vcpus(const struct planner *p, const struct config *config,
                       char **error_r)
{
    const struct xln_host *host = p->snapshot->host;
    const struct xln_host_cpu *c;
    unsigned cpu, nr = 0;

    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        c = xln_host_cpu(host, cpu);
        nr += c && c->online;
    }
    if (!config->vcpus_need_cpus || config->nr_vcpus <= nr)
        return 0;
    return xln__refuse(error_r, "%s: vnuma: %u vCPUs, but this host has %u "
                       "CPUs: xl expects maxvcpus=%u with such a list",
                       config->source, config->nr_vcpus, nr,
                       config->nr_vcpus);
}

static bool make_request(const struct planner *p, struct planned *d)
{
    const struct xln_nodemap *nodes = xln_host_nodes(p->snapshot->host);
    const struct config *config = d->config;
    char *error = NULL;
    int rc;

    rc = keys_check_nodes(config->keys, config->source, nodes, &error);
    if (!rc && config->cells)
        rc = cells_check_nodes(config->cells, config->source, nodes, &error);
    if (!rc)
        rc = check_vcpus(p, config, &error);
    if (!rc)
        rc = decide_request(p->defaults, config->keys, NULL, &d->request);
    return !rc || notes_add_error(p->notes, config->source, rc, error);
}

/* libxl refuses to populate virtual nodes on demand. */
static int take_cells(struct config *config, struct domain_xml *domain,
                      char **error_r)
{
    uint64_t bytes;

    if (!domain->cells)
        return 0;
    bytes = (cells_bytes(domain->cells) + MIB - 1) / MIB * MIB;
    if (config->memory_bytes != bytes || config->maxmem_bytes != bytes)
        return xln__refuse(error_r, "%s: memory of %" PRIu64 " to %" PRIu64
                           " MiB and <cell>s of %" PRIu64 " MiB: expected the "
                           "same, as virtual nodes cannot be populated on "
                           "demand", config->source,
                           config->memory_bytes / MIB,
                           config->maxmem_bytes / MIB, bytes / MIB);
    config->cells = domain->cells;
    domain->cells = NULL;
    return 0;
}

static int parse_xml(const char *path, const char *text, size_t size,
                     char *const *words, unsigned nr_words,
                     const struct keys *defaults, struct config **config_r,
                     char **error_r)
{
    struct domain_xml domain;
    struct config *config = NULL;
    int rc = domain_xml_read(text, size, path, &domain, error_r);

    if (rc)
        return rc;
    rc = config_parse(domain.config, domain.config_size, path, words, nr_words,
                      defaults, &config, error_r);
    if (!rc)
        rc = take_cells(config, &domain, error_r);
    domain_xml_dispose(&domain);
    if (rc)
        config_free(config);
    else
        *config_r = config;
    return rc;
}

/* A configuration of xl, or a domain of libvirt. */
static int read_config(const char *path, char *const *words, unsigned nr_words,
                       const struct keys *defaults, struct config **config_r,
                       char **error_r)
{
    size_t size;
    char *text;
    int rc = config_read_text(path, &text, &size);

    *error_r = NULL;
    if (rc)
        return rc;
    rc = domain_xml_is(text, size)
             ? parse_xml(path, text, size, words, nr_words, defaults, config_r,
                         error_r)
             : config_parse(text, size, path, words, nr_words, defaults,
                            config_r, error_r);
    free(text);
    return rc;
}

bool planner_read_config(struct notes *notes, const struct keys *defaults,
                         const char *path, char *const *words,
                         unsigned nr_words, struct config **config_r)
{
    char *error = NULL;
    int rc;

    rc = read_config(path, words, nr_words, defaults, config_r, &error);
    /* libxlutil has printed it. */
    if (rc == -EINVAL && !error)
        return false;
    if (rc && !error)
        return notes_add(notes, "cannot read '%s': %s", path, strerror(-rc));
    if (rc)
        return notes_add_error(notes, path, rc, error);
    if ((*config_r)->misspelt)
        notes_add(notes, "%s: %s", path, (*config_r)->misspelt);
    return true;
}

bool planner_prepare(struct planner *p, const struct config *config,
                     struct planned *d)
{
    *d = (struct planned){ .notes = p->notes, .config = config };
    describe(d);
    return make_request(p, d) && fill_need(p, d);
}

bool planner_read(struct planner *p, const char *path, char *const *words,
                  unsigned nr_words, struct planned *d)
{
    struct config *config = NULL;
    bool good;

    *d = (struct planned){ 0 };
    if (!planner_read_config(p->notes, p->defaults, path, words, nr_words,
                             &config))
        return false;
    good = planner_prepare(p, config, d);
    d->own_config = config;
    return good;
}

void planned_dispose(struct planned *d)
{
    decision_free(d->decision);
    xln_host_free(d->host);
    need_dispose(&d->need);
    xln_request_free(d->request);
    config_free(d->own_config);
}

/* ---- planning ---- */

bool planner_place(struct planned *d, const struct xln_host *host)
{
    int rc;

    decision_free(d->decision);
    xln_host_free(d->host);
    d->decision = NULL;
    d->host = NULL;
    rc = xln_host_reserve(host, NULL, 0, &d->host);
    if (!rc)
        rc = decide(d->host, d->request, &d->need, &d->guest, &d->decision);
    if (!rc)
        decision_set_pool(d->decision, &d->need);
    return !rc || notes_add_error(d->notes, d->config->source, rc, NULL);
}

/* Reserve its memory; it runs then, if it is known what runs. */
static int add_memory(const struct xln_plan *plan, const struct xln_host *host,
                      struct xln_host **host_r)
{
    struct xln_host *reserved;
    int rc = xln_host_reserve(host, plan->shares, plan->nr_shares, &reserved);

    if (!rc && xln_host_guests_known(host)) {
        rc = xln_host_add_guests(reserved, &plan->need_bytes, 1, host_r);
        xln_host_free(reserved);
    } else if (!rc) {
        *host_r = reserved;
    }
    return rc;
}

/* Add its load to the CPUs. */
static int add_vcpus(const struct planned *d, uint64_t *load,
                     struct xln_cpumap *taken, struct xln_host **host_r)
{
    struct xln_host *host = NULL;
    int rc;

    rc = xln_load_of_plan(d->decision->plan, &d->need, d->host, load);
    if (!rc)
        rc = xln_cores_of_plan(d->decision->plan,
                               d->decision->request->vcpus_mode, &d->need,
                               d->host, taken);
    if (!rc)
        rc = xln_host_add_load(d->host, load, &host);
    if (!rc)
        rc = xln_host_take_cores(host, taken, host_r);
    xln_host_free(host);
    return rc;
}

static int add_plan(const struct planned *d, uint64_t *load,
                    struct xln_host **host_r)
{
    struct xln_cpumap *taken = NULL;
    struct xln_host *host = NULL;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(d->host), &taken);
    if (!rc)
        rc = add_vcpus(d, load, taken, &host);
    if (!rc)
        rc = add_memory(d->decision->plan, host, host_r);
    xln_cpumap_free(taken);
    xln_host_free(host);
    return rc;
}

bool planner_next_host(const struct planned *d, struct xln_host **host_r)
{
    uint64_t *load = NULL;
    int rc;

    if (d->decision->status == DECIDE_NOTHING_FITS) {
        rc = xln_host_reserve(d->host, NULL, 0, host_r);
    } else {
        load = calloc(xln_host_nr_cpus(d->host), sizeof(*load));
        rc = load ? add_plan(d, load, host_r) : -ENOMEM;
    }
    free(load);
    return !rc || notes_add_error(d->notes, d->config->source, rc, NULL);
}

bool planner_place_all(struct planned *list, unsigned nr,
                       const unsigned *order, const struct xln_host *host)
{
    struct xln_host *next = NULL;
    bool good = true;
    unsigned i;

    for (i = 0; i < nr && good; i++) {
        struct planned *d = &list[order ? order[i] : i];

        good = planner_place(d, next ? next : host);
        xln_host_free(next);
        next = NULL;
        if (good && i + 1 < nr)
            good = planner_next_host(d, &next);
    }
    xln_host_free(next);
    return good;
}
