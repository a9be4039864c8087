/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "placement/domain_xml.h"
#include "placement/explain.h"
#include "need.h"
#include "planner.h"
#include "placement/record.h"
#include "text/refuse.h"

#define XL_CONF XEN_CONFIG_DIR "/xl.conf"

static bool fail(const char *what, int rc)
{
    complain("%s: %s", what, strerror(-rc));
    return false;
}

/* Say a line that somebody made, or for want of it what went wrong. */
static bool fail_line(char *error, const char *what, int rc)
{
    if (error)
        complain("%s", error);
    else
        fail(what, rc);
    free(error);
    return false;
}

/* ---- the host ---- */

static bool read_host(struct planner *p)
{
    int rc;

    if (!cmd_open_xen(p->line))
        return false;
    rc = xln_snapshot_read(p->line->xch, p->line->ctx, RESERVATIONS,
                           &p->snapshot);
    return rc ? fail("cannot read the host", rc) : true;
}

/* ---- what holds for all domains of a host ---- */

static bool parse_xlu(const char *path, const char *text, size_t size,
                      XLU_Config **config_r)
{
    XLU_Config *config;

    /* libxlutil ends the program over one. */
    if (memchr(text, '\0', size)) {
        complain("%s: expected text, not a zero byte", path);
        return false;
    }
    config = xlu_cfg_init(stderr, path);
    if (!config)
        return fail(path, -ENOMEM);
    /* libxlutil says what is wrong. */
    if (xlu_cfg_readdata(config, text, size)) {
        xlu_cfg_destroy(config);
        return false;
    }
    *config_r = config;
    return true;
}

/* NULL in *text_r: it is not there, and need not be. */
static bool read_text(const char *path, bool needed, char **text_r,
                      size_t *size_r)
{
    int rc = config_read_text(path, text_r, size_r);

    if (!rc)
        return true;
    *text_r = NULL;
    if (rc == -ENOENT && !needed)
        return true;
    complain("cannot read '%s': %s", path, strerror(-rc));
    return false;
}

/* libxlutil itself says what is wrong. */
static bool read_defaults(const char *path, bool needed,
                          struct keys **defaults_r)
{
    char *text, *error = NULL;
    size_t size;
    int rc;

    *defaults_r = NULL;
    if (!read_text(path, needed, &text, &size))
        return false;
    if (!text)
        return true;
    rc = keys_parse_host(text, size, path, defaults_r, &error);
    free(text);
    if (rc == -EINVAL && !error)
        return false;
    return rc ? fail_line(error, path, rc) : true;
}

/* A mask that is not there allows all, one that is wrong xl ignores too. */
static bool restrict_to(struct planner *p, const XLU_Config *config,
                        const char *key, struct xln_cpumap **bound)
{
    const struct xln_host *host = p->snapshot->host;
    struct xln_cpumap *mask;
    const char *list;
    int rc;

    if (xlu_cfg_get_string(config, key, &list, 1))
        return true;
    rc = xln_cpumap_new(xln_host_nr_cpus(host), &mask);
    if (rc)
        return fail(XL_CONF, rc);
    if (xln_cpumap_parse(list, xln_host_node_cpus(host),
                         XLN_PARSE_SKIP_ABSENT, mask, NULL)) {
        complain("%s: %s=\"%s\": expected a list of CPUs", XL_CONF, key, list);
        xln_cpumap_free(mask);
        return false;
    }
    if (*bound)
        xln_cpumap_and(*bound, mask);
    else
        rc = xln_cpumap_copy(mask, bound);
    xln_cpumap_free(mask);
    return rc ? fail(XL_CONF, rc) : true;
}

static bool read_masks(struct planner *p)
{
    XLU_Config *config;
    size_t size;
    char *text;
    bool good;

    if (!read_text(XL_CONF, false, &text, &size))
        return false;
    if (!text)
        return true;
    good = parse_xlu(XL_CONF, text, size, &config);
    free(text);
    if (!good)
        return false;
    good = restrict_to(p, config, "vm.cpumask", &p->bound_pv) &&
           restrict_to(p, config, "vm.cpumask", &p->bound_others) &&
           restrict_to(p, config, "vm.pv.cpumask", &p->bound_pv) &&
           restrict_to(p, config, "vm.hvm.cpumask", &p->bound_others);
    xlu_cfg_destroy(config);
    return good;
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
    return rc ? fail("cannot find the cores that are taken", rc)
              : replace_host(p, host);
}

/* What its domains are known to do counts from here on. */
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
        return fail("cannot count the load of the host", rc);
    return replace_host(p, host);
}

bool planner_read_defaults(const char *defaults_file, struct keys **defaults_r)
{
    *defaults_r = NULL;
    return !defaults_file || read_defaults(defaults_file, true, defaults_r);
}

bool planner_begin_saved(struct planner *p, struct cmd_line *line,
                         const char *host_file, const struct keys *defaults)
{
    *p = (struct planner){ .line = line, .defaults = defaults };
    return cmd_load_host(host_file, &p->snapshot) && add_load(p) &&
           take_cores(p);
}

bool planner_begin(struct planner *p, struct cmd_line *line,
                   const char *host_file, const char *defaults_file)
{
    *p = (struct planner){ .line = line };
    if (host_file ? !cmd_load_host(host_file, &p->snapshot) : !read_host(p))
        return false;
    if (!add_load(p) || !take_cores(p))
        return false;
    if (host_file || defaults_file) {
        if (!planner_read_defaults(defaults_file, &p->own_defaults))
            return false;
    } else if (!read_defaults(HOST_DEFAULTS, false, &p->own_defaults)) {
        return false;
    }
    p->defaults = p->own_defaults;
    return host_file || read_masks(p);
}

void planner_end(struct planner *p)
{
    xln_snapshot_free(p->snapshot);
    keys_free(p->own_defaults);
    xln_cpumap_free(p->bound_pv);
    xln_cpumap_free(p->bound_others);
}

/* ---- a configuration ---- */

/* Only a running host knows its pools by name. */
static bool find_pool_id(const struct planner *p, const struct config *config,
                         uint32_t *id_r)
{
    unsigned long id;

    if (!config->pool || !strcmp(config->pool, "Pool-0")) {
        *id_r = 0;
        return true;
    }
    if (p->line->ctx) {
        if (!libxl_cpupool_qualifier_to_cpupoolid(p->line->ctx, config->pool,
                                                  id_r, NULL))
            return true;
        complain("%s: pool=\"%s\": this host has no such pool", config->source,
                 config->pool);
        return false;
    }
    if (!cmd_number(config->pool, UINT32_MAX, &id)) {
        complain("%s: pool=\"%s\": expected a number, as a saved host has no "
                 "names of pools", config->source, config->pool);
        return false;
    }
    *id_r = id;
    return true;
}

static bool find_pool(const struct planner *p, const struct config *config,
                      const struct xln_cpumap **cpus_r)
{
    const struct xln_host_pool *pool;
    uint32_t id;

    if (!find_pool_id(p, config, &id))
        return false;
    pool = xln_host_pool(p->snapshot->host, id);
    if (!pool && config->pool) {
        complain("%s: pool=\"%s\": this host has no such pool", config->source,
                 config->pool);
        return false;
    }
    *cpus_r = pool ? pool->cpus : NULL;
    return true;
}

/* Xen refuses a vCPU without a CPU, when the domain is half made. */
static bool check_bound(const struct planned *d,
                        const struct xln_cpumap *pool_cpus)
{
    const struct xln_need *need = &d->need;
    unsigned vcpu;

    for (vcpu = 0; pool_cpus && vcpu < need->nr_hard; vcpu++) {
        if (!need->hard[vcpu] ||
            xln_cpumap_intersects(need->hard[vcpu], pool_cpus))
            continue;
        complain("%s: cpus=: vCPU %u may run on no CPU of this host that is in "
                 "the domain's pool", d->config->source, vcpu);
        return false;
    }
    return true;
}

static bool fill_need(const struct planner *p, struct planned *d)
{
    const struct xln_cpumap *pool_cpus;
    char *error = NULL;
    int rc;

    if (!find_pool(p, d->config, &pool_cpus))
        return false;
    rc = need_fill(d->config, p->snapshot->host, pool_cpus,
                   d->config->type == LIBXL_DOMAIN_TYPE_PV ? p->bound_pv
                                                           : p->bound_others,
                   &d->need, &error);
    if (rc)
        return fail_line(error, d->config->source, rc);
    if (!check_bound(d, pool_cpus))
        return false;
    rc = prefer_saved(p->snapshot, d->config->devices, d->config->nr_addresses,
                      d->request, &d->need);
    return rc ? fail(d->config->source, rc) : true;
}

/* As a create has it: nodes that only the defaults of the host name, and that
 * are not there, are left out. */
static void drop_absent(const struct xln_nodemap *here,
                        struct xln_nodemap **nodes)
{
    if (!*nodes || xln_nodemap_is_subset(*nodes, here))
        return;
    complain("the defaults name nodes that are not on this host: these are "
             "ignored");
    xln_nodemap_and(*nodes, here);
    if (xln_nodemap_is_empty(*nodes)) {
        xln_nodemap_free(*nodes);
        *nodes = NULL;
    }
}

static bool make_request(const struct planner *p, struct planned *d)
{
    char *error = NULL;
    int rc;

    rc = keys_check_nodes(d->config->keys, d->config->source,
                          xln_host_nodes(p->snapshot->host), &error);
    if (rc)
        return fail_line(error, d->config->source, rc);
    rc = xln_request_new(&d->request);
    if (!rc && p->defaults)
        rc = keys_apply(p->defaults, d->request);
    if (!rc)
        rc = keys_apply(d->config->keys, d->request);
    if (rc)
        return fail(d->config->source, rc);
    drop_absent(xln_host_nodes(p->snapshot->host), &d->request->nodes);
    drop_absent(xln_host_nodes(p->snapshot->host), &d->request->mem_nodes);
    /* The defaults may ask for what only some guests can have. */
    if (d->config->type != LIBXL_DOMAIN_TYPE_HVM ||
        d->request->vcpus_mode == XLN_VCPUS_CORE ||
        d->config->memory_bytes != d->config->maxmem_bytes)
        d->request->vnuma = XLN_VNUMA_NONE;
    return true;
}

static int parse_config(const char *path, const char *text, size_t size,
                        char *const *words, unsigned nr_words,
                        const struct keys *defaults, struct config **config_r,
                        char **error_r)
{
    struct domain_xml domain;
    int rc;

    if (!domain_xml_is(text, size))
        return config_parse(text, size, path, words, nr_words, defaults,
                            config_r, error_r);
    rc = domain_xml_read(text, size, path, &domain, error_r);
    if (rc)
        return rc;
    if (domain.has_cells)
        rc = xln__refuse(error_r, "%s: <cell>: its virtual nodes are a plan of "
                         "their own, there is nothing to choose", path);
    else
        rc = config_parse(domain.config, domain.config_size, path, words,
                          nr_words, defaults, config_r, error_r);
    domain_xml_dispose(&domain);
    return rc;
}

/* One of xl, or a domain of libvirt. */
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
    rc = parse_config(path, text, size, words, nr_words, defaults, config_r,
                      error_r);
    free(text);
    return rc;
}

bool planner_read_config(const struct keys *defaults, const char *path,
                         char *const *words, unsigned nr_words,
                         struct config **config_r)
{
    char *error = NULL;
    struct config *config = NULL;
    int rc;

    rc = read_config(path, words, nr_words, defaults, &config, &error);
    if (rc && !error && rc == -EINVAL)
        return false;
    if (rc && !error) {
        complain("cannot read '%s': %s", path, strerror(-rc));
        return false;
    }
    if (rc || !config)
        return fail_line(error, path, rc);
    if (config->misspelt)
        complain("%s: %s", path, config->misspelt);
    if (config->has_vnodes) {
        complain("%s: vnuma=[...]: the list is a plan of its own, there is "
                 "nothing to choose", path);
        config_free(config);
        return false;
    }
    *config_r = config;
    return true;
}

bool planner_prepare(struct planner *p, const struct config *config,
                     struct planned *d)
{
    int rc;

    *d = (struct planned){ .config = config };
    if (!make_request(p, d) || !fill_need(p, d))
        return false;
    rc = xln_vnuma_prepare(p->snapshot->host, &d->need, d->request);
    if (rc == -ENOENT)
        complain("%s: vnuma=\"host\": no node has both CPUs for the domain "
                 "and memory", config->source);
    else if (rc)
        fail(config->source, rc);
    return !rc;
}

bool planner_read(struct planner *p, const char *path, char *const *words,
                  unsigned nr_words, struct planned *d)
{
    struct config *config;
    bool good;

    *d = (struct planned){ 0 };
    if (!planner_read_config(p->defaults, path, words, nr_words, &config))
        return false;
    good = planner_prepare(p, config, d);
    d->own_config = config;
    return good;
}

void planned_dispose(struct planned *d)
{
    xln_vnuma_free(d->vnuma);
    xln_plan_free(d->plan);
    xln_host_free(d->host);
    need_dispose(&d->need);
    xln_request_free(d->request);
    config_free(d->own_config);
}

/* ---- planning ---- */

/* Where nothing fits that is all there is to say. */
static bool plan_vnuma(struct planned *d)
{
    int rc;

    xln_vnuma_free(d->vnuma);
    d->vnuma = NULL;
    if (d->plan->verdict == XLN_NOTHING_FITS)
        return true;
    rc = xln_vnuma_new(d->host, d->request, &d->need, d->plan, &d->vnuma);
    if (rc != -ENOSPC && rc != -E2BIG)
        return rc ? fail(d->config->source, rc) : true;
    return fail_line(explain_no_vnuma(d->request, d->plan, rc),
                     d->config->source, rc);
}

bool planner_place(struct planned *d, const struct xln_host *host)
{
    int rc;

    xln_plan_free(d->plan);
    xln_host_free(d->host);
    d->plan = NULL;
    d->host = NULL;
    rc = xln_host_reserve(host, NULL, 0, &d->host);
    if (!rc)
        rc = xln_place(d->host, d->request, &d->need, &d->plan);
    return rc ? fail(d->config->source, rc) : plan_vnuma(d);
}

/* What it does to the CPUs. */
static int add_vcpus(const struct planned *d, uint64_t *load,
                     struct xln_cpumap *taken, struct xln_host **host_r)
{
    struct xln_host *host = NULL;
    int rc;

    rc = xln_load_of_plan(d->plan, &d->need, d->host, load);
    if (!rc)
        rc = xln_cores_of_plan(d->plan, d->request->vcpus_mode, &d->need,
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
        rc = xln_host_reserve(host, d->plan->shares, d->plan->nr_shares,
                              host_r);
    xln_cpumap_free(taken);
    xln_host_free(host);
    return rc;
}

bool planner_next_host(const struct planned *d, struct xln_host **host_r)
{
    uint64_t *load = NULL;
    int rc;

    if (d->plan->verdict == XLN_NOTHING_FITS) {
        rc = xln_host_reserve(d->host, NULL, 0, host_r);
    } else {
        load = calloc(xln_host_nr_cpus(d->host), sizeof(*load));
        rc = load ? add_plan(d, load, host_r) : -ENOMEM;
    }
    free(load);
    return rc ? fail(d->config->source, rc) : true;
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
