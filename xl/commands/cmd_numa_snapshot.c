/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-snapshot: the host, its domains and devices, as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "libxl_numa_foreign.h"
#include "views/residents.h"

/* What is written. */
struct product {
    struct xln_snapshot *snapshot;
    bool for_lstopo;
};

static int print(const struct product *product, FILE *f)
{
    return product->for_lstopo
               ? xln_host_save_hwloc(product->snapshot->host, f)
               : xln_snapshot_save(product->snapshot, f);
}

/* Written and on the disk; or -errno. */
static int write_stream(const struct product *product, FILE *f)
{
    int rc = print(product, f);

    if (!rc && (fflush(f) || (fsync(fileno(f)) && errno != EINVAL)))
        rc = -errno;
    return rc;
}

/* What a new file gets, as open() would have it. */
static mode_t new_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0644 & ~mask;
}

static int write_fd(const struct product *product, int fd, mode_t mode)
{
    FILE *f = fdopen(fd, "w");
    int rc;

    if (!f) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = fchmod(fd, mode) ? -errno : write_stream(product, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

/* Whoever looks at the file meanwhile sees the old one, or the new one, and
 * never a part. */
static int replace(const struct product *product, const char *path,
                   mode_t mode)
{
    char *temporary;
    int fd, rc;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        rc = -errno;
        free(temporary);
        return rc;
    }
    rc = write_fd(product, fd, mode);
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);
    free(temporary);
    return rc;
}

/* What can't be replaced: a device or a pipe, or a link to nothing. */
static int write_into(const struct product *product, const char *path)
{
    FILE *f = fopen(path, "we");
    int rc;

    if (!f)
        return -errno;
    rc = write_stream(product, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

static bool is_link(const char *path)
{
    struct stat status;

    return !lstat(path, &status) && S_ISLNK(status.st_mode);
}

static int write_file(const struct product *product, const char *path)
{
    struct stat status;
    char *target;
    int rc;

    if (stat(path, &status)) {
        if (errno != ENOENT)
            return -errno;
        /* It may lead to a file that is still to be made. */
        return is_link(path) ? write_into(product, path)
                             : replace(product, path, new_mode());
    }
    if (!S_ISREG(status.st_mode))
        return write_into(product, path);
    /* Where a link leads, not the link; whom it was kept from, it still is. */
    target = realpath(path, NULL);
    if (!target)
        return -errno;
    rc = replace(product, target, status.st_mode & 0777);
    free(target);
    return rc;
}

static int write_product(const struct cmd_line *line,
                         const struct product *product)
{
    const char *path = line->nr_args ? line->args[0] : "-";
    bool is_file = strcmp(path, "-");
    int rc = is_file ? write_file(product, path) : print(product, stdout);

    if (is_file && rc)
        complain("cannot write '%s': %s", path, strerror(-rc));
    else
        cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

enum { OPT_HOST = OPT_OWN, OPT_HWLOC, OPT_PAGES };

static bool read_host(struct cmd_line *line, struct xln_snapshot **snapshot_r)
{
    double report_s;
    int rc;

    if (!cmd_open_xen(line))
        return false;
    rc = residents_read_host(line->xch, line->ctx, cmd_value(line, OPT_PAGES),
                             snapshot_r, &report_s);
    if (rc)
        complain("cannot read the host: %s", strerror(-rc));
    return !rc;
}

static const struct cmd_option options[] = {
    { "host", OPT_HOST, "FILE", "a saved host, or one of hwloc or libvirt, "
                                "instead" },
    { "pages", OPT_PAGES, NULL, "have Xen count every page now: costly" },
    { "hwloc", OPT_HWLOC, NULL, "write XML of hwloc, for lstopo" },
    { 0 }
};

static int run(struct cmd_line *line)
{
    const char *word = cmd_value(line, OPT_HOST);
    struct product product = { .for_lstopo = cmd_value(line, OPT_HWLOC) };
    int code;

    if (word && cmd_value(line, OPT_PAGES))
        return cmd_usage(line, "--pages is of the running host alone");
    if (word ? !cmd_load_host(word, &product.snapshot)
             : !read_host(line, &product.snapshot))
        return EXIT_FAILURE;
    code = write_product(line, &product);
    xln_snapshot_free(product.snapshot);
    return code;
}

const struct cmd cmd_numa_snapshot = {
    .name = "numa-snapshot",
    .args = "[OPTIONS] [FILE]",
    .summary = "write the host, its domains and devices to a file",
    .min_args = 0,
    .max_args = 1,
    .options = options,
    .run = run,
};
