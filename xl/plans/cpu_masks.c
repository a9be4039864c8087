/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil.h>

#include "cpu_masks.h"
#include "placement/config.h"
#include "text/refuse.h"

#define EXPECTED "expected CPUs such as '0-3,^1', 'node:1' or 'all'"

static const struct cpu_mask kinds[CPU_MASKS_MAX] = {
    { .key = "vm.cpumask", .of_pv = true, .of_others = true },
    { .key = "vm.pv.cpumask", .of_pv = true },
    { .key = "vm.hvm.cpumask", .of_others = true },
};

static int parse_mask(const struct xln_host *host, struct cpu_mask *mask,
                      char **error_r)
{
    size_t end;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(host), &mask->cpus);
    if (rc)
        return rc;
    if (!xln_cpumap_parse(mask->text, xln_host_node_cpus(host),
                          XLN_PARSE_SKIP_ABSENT, mask->cpus, &end))
        return 0;
    return xln__refuse(error_r, XL_CONF ": %s='%s': wrong at offset %zu: "
                       EXPECTED, mask->key, mask->text, end);
}

static int read_mask(const struct xln_host *host, const XLU_Config *config,
                     const struct cpu_mask *kind, struct cpu_masks *masks,
                     char **error_r)
{
    struct cpu_mask *mask = &masks->list[masks->nr];
    const char *text;
    int e = xlu_cfg_get_string(config, kind->key, &text, 1);

    if (e == ESRCH)
        return 0;
    if (e)
        return xln__refuse(error_r, XL_CONF ": %s is not a string: " EXPECTED,
                           kind->key);
    *mask = *kind;
    masks->nr++;
    mask->text = strdup(text);
    return mask->text ? parse_mask(host, mask, error_r) : -ENOMEM;
}

static int read_all(const struct xln_host *host, const XLU_Config *config,
                    struct cpu_masks *masks, char **error_r)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < CPU_MASKS_MAX && !rc; i++)
        rc = read_mask(host, config, &kinds[i], masks, error_r);
    return rc;
}

/* What libxlutil reports goes to a stream; its last line has a newline. */
static int refuse_report(char *report, char **error_r)
{
    size_t size = strlen(report);

    if (size && report[size - 1] == '\n')
        report[size - 1] = '\0';
    return xln__refuse(error_r, "%s", report);
}

static int parse(const struct xln_host *host, const char *text, size_t size,
                 struct cpu_masks *masks, char **error_r)
{
    XLU_Config *config;
    char *report = NULL;
    size_t report_size;
    FILE *f;
    int r = 0, rc = -ENOMEM;

    /* libxlutil ends the program over one. */
    if (memchr(text, '\0', size))
        return xln__refuse(error_r, XL_CONF ": expected text, not a zero byte");
    f = open_memstream(&report, &report_size);
    config = f ? xlu_cfg_init(f, XL_CONF) : NULL;
    if (config)
        r = xlu_cfg_readdata(config, text, size);
    if (config && !r)
        rc = read_all(host, config, masks, error_r);
    if (f)
        fclose(f);
    if (r && report)
        rc = refuse_report(report, error_r);
    if (config)
        xlu_cfg_destroy(config);
    free(report);
    return rc;
}

int cpu_masks_read(const struct xln_host *host, struct cpu_masks *masks,
                   char **error_r)
{
    size_t size;
    char *text;
    int rc = config_read_text(XL_CONF, &text, &size);

    *masks = (struct cpu_masks){ 0 };
    *error_r = NULL;
    if (rc == -ENOENT)
        return 0;
    if (rc == -ENOMEM)
        return rc;
    if (rc)
        return xln__refuse(error_r, "cannot read '" XL_CONF "': %s",
                           strerror(-rc));
    rc = parse(host, text, size, masks, error_r);
    free(text);
    return rc;
}

void cpu_masks_dispose(struct cpu_masks *masks)
{
    unsigned i;

    for (i = 0; i < masks->nr; i++) {
        free(masks->list[i].text);
        xln_cpumap_free(masks->list[i].cpus);
    }
}
