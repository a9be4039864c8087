/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The masks of an xl.conf, which is in a new directory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "plans/cpu_masks.h"
#include "sets.h"
#include "tap.h"

#define ERROR(text) XL_CONF ": " text
#define TEXT(text) text, sizeof(text) - 1

/* CPUs 0 to 3 on node 0, 4 to 7 on node 1. */
static struct xln_host *make_host(void)
{
    struct xln_host *host;
    unsigned cpu;

    must(xln__host_new(8, 2, 0, &host));
    xln_nodemap_set(host->exists, 0);
    xln_nodemap_set(host->exists, 1);
    for (cpu = 0; cpu < 8; cpu++) {
        host->cpu_exists[cpu] = host->cpus[cpu].online = true;
        host->cpus[cpu].node = cpu / 4;
        host->cpus[cpu].core = cpu;
    }
    must(xln__host_finish(host));
    return host;
}

static void write_conf(const char *text, size_t size)
{
    FILE *f = fopen(XL_CONF, "w");

    must(f && fwrite(text, 1, size, f) == size && !fclose(f) ? 0 : errno);
}

static bool mask_is(const struct cpu_mask *mask, const char *key,
                    const char *cpus, bool of_pv, bool of_others)
{
    return !strcmp(mask->key, key) && cpus_are(mask->cpus, cpus) &&
           mask->of_pv == of_pv && mask->of_others == of_others;
}

static void test_good(const struct xln_host *host)
{
    static const char conf[] = "vm.hvm.cpumask = \"node:1\"\n"
                               "autoballoon = \"off\"\n"
                               "vm.cpumask = \"0-5,99\"\n";
    struct cpu_masks masks;
    char *error;
    int rc;

    rc = cpu_masks_read(host, &masks, &error);
    ok(!rc && !masks.nr && !error, "a file that does not exist has no masks");
    cpu_masks_dispose(&masks);
    write_conf(conf, strlen(conf));
    rc = cpu_masks_read(host, &masks, &error);
    ok(!rc && masks.nr == 2, "all masks in the file are read");
    ok(masks.nr == 2 && mask_is(&masks.list[0], "vm.cpumask", "0-5", true,
                                true),
       "vm.cpumask is for all domains, CPUs that do not exist are left out");
    ok(masks.nr == 2 && mask_is(&masks.list[1], "vm.hvm.cpumask", "4-7", false,
                                true),
       "vm.hvm.cpumask is for all but PV domains");
    cpu_masks_dispose(&masks);
    write_conf(TEXT("vm.pv.cpumask = \"0\"\n"));
    rc = cpu_masks_read(host, &masks, &error);
    ok(!rc && masks.nr == 1 && mask_is(&masks.list[0], "vm.pv.cpumask", "0",
                                       true, false),
       "vm.pv.cpumask is for PV domains");
    cpu_masks_dispose(&masks);
}

static void refuses(const struct xln_host *host, const char *text, size_t size,
                    const char *expected)
{
    struct cpu_masks masks;
    char *error;
    int rc;

    write_conf(text, size);
    rc = cpu_masks_read(host, &masks, &error);
    if (!ok(rc == -EINVAL && error && strstr(error, expected) == error,
            "a wrong xl.conf is refused: %s", expected))
        printf("# %d: %s\n", rc, error ? error : "-");
    cpu_masks_dispose(&masks);
    free(error);
}

static void test_wrong(const struct xln_host *host)
{
    refuses(host, TEXT("vm.cpumask = \"1,x\"\n"),
            ERROR("vm.cpumask='1,x': wrong at offset 2: expected CPUs such as "
                  "'0-3,^1', 'node:1' or 'all'"));
    refuses(host, TEXT("vm.pv.cpumask = [ \"1\" ]\n"),
            ERROR("vm.pv.cpumask is not a string: expected CPUs such as"));
    refuses(host, TEXT("vm.cpumask = \"\0\"\n"),
            ERROR("expected text, not a zero byte"));
    refuses(host, TEXT("x = 1\nvm.cpumask ! 1\n"), XL_CONF ":2: config parsing");
}

static void test_unreadable(const struct xln_host *host)
{
    struct cpu_masks masks;
    char *error;
    int rc;

    must(unlink(XL_CONF) || mkdir(XL_CONF, 0700) ? errno : 0);
    rc = cpu_masks_read(host, &masks, &error);
    ok(rc == -EINVAL, "a file that cannot be read is refused");
    is_str(error, "cannot read '" XL_CONF "': Is a directory",
           "the error says why the file cannot be read");
    cpu_masks_dispose(&masks);
    free(error);
    must(rmdir(XL_CONF) ? errno : 0);
}

int main(void)
{
    char directory[] = "/tmp/test-cpu-masks-XXXXXX";
    struct xln_host *host = make_host();

    must(!mkdtemp(directory) || chdir(directory) ? errno : 0);
    test_good(host);
    test_wrong(host);
    test_unreadable(host);
    must(rmdir(directory) ? errno : 0);
    xln_host_free(host);
    return tap_done();
}
