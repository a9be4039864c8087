/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-snapshot: the host, its domains and devices, as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "record.h"

/* Written and on the disk; or -errno. */
static int write_stream(const struct xln_snapshot *snapshot, FILE *f)
{
    int rc = xln_snapshot_save(snapshot, f);

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

static int write_fd(const struct xln_snapshot *snapshot, int fd)
{
    FILE *f = fdopen(fd, "w");
    int rc;

    if (!f) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = fchmod(fd, new_mode()) ? -errno : write_stream(snapshot, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

/* Whoever looks at the file meanwhile sees the old one, or the new one, and
 * never a part. */
static int replace(const struct xln_snapshot *snapshot, const char *path)
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
    rc = write_fd(snapshot, fd);
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);
    free(temporary);
    return rc;
}

/* A device or a pipe, which can't be replaced. */
static int write_into(const struct xln_snapshot *snapshot, const char *path)
{
    FILE *f = fopen(path, "we");
    int rc;

    if (!f)
        return -errno;
    rc = write_stream(snapshot, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

static int write_file(const struct xln_snapshot *snapshot, const char *path)
{
    struct stat status;
    char *target;
    int rc;

    if (stat(path, &status))
        return errno == ENOENT ? replace(snapshot, path) : -errno;
    if (!S_ISREG(status.st_mode))
        return write_into(snapshot, path);
    /* Where a link leads, not the link. */
    target = realpath(path, NULL);
    if (!target)
        return -errno;
    rc = replace(snapshot, target);
    free(target);
    return rc;
}

static int show(const struct xln_snapshot *snapshot, const char *path)
{
    int rc = path ? write_file(snapshot, path)
                  : xln_snapshot_save(snapshot, stdout);

    if (!rc)
        return EXIT_SUCCESS;
    if (path)
        complain("cannot write '%s': %s", path, strerror(-rc));
    else
        complain("cannot write the output: %s", strerror(-rc));
    return EXIT_FAILURE;
}

static int run(struct cmd_line *line)
{
    struct xln_snapshot *snapshot;
    int code, rc;

    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    rc = xln_snapshot_read(line->xch, line->ctx, RESERVATIONS, &snapshot);
    if (rc) {
        complain("cannot read the host: %s", strerror(-rc));
        return EXIT_FAILURE;
    }
    code = show(snapshot, line->nr_args ? line->args[0] : NULL);
    xln_snapshot_free(snapshot);
    return code;
}

static const struct cmd_option options[] = { { 0 } };

const struct cmd cmd_numa_snapshot = {
    .name = "numa-snapshot",
    .args = "[FILE]",
    .summary = "write the host, its domains and devices to a file",
    .min_args = 0,
    .max_args = 1,
    .options = options,
    .run = run,
};
