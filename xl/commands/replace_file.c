/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace_file.h"

struct job {
    replace_file_print *print;
    const void *what;
};

/* Written and on the disk; or -errno. */
static int write_stream(const struct job *job, FILE *f)
{
    int rc = job->print(job->what, f);

    if (!rc && (fflush(f) || (fsync(fileno(f)) && errno != EINVAL)))
        rc = -errno;
    return rc;
}

/* The mode that open() would give to a new file. */
static mode_t new_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0644 & ~mask;
}

static int write_fd(const struct job *job, int fd, mode_t mode)
{
    FILE *f = fdopen(fd, "w");
    int rc;

    if (!f) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = fchmod(fd, mode) ? -errno : write_stream(job, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

/* Whoever looks at the file meanwhile sees the old one, or the new one, and
 * never a part. */
static int replace(const struct job *job, const char *path,
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
    rc = write_fd(job, fd, mode);
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);
    free(temporary);
    return rc;
}

/* Files that cannot be replaced: a device or a pipe, or a link to nothing. */
static int write_into(const struct job *job, const char *path)
{
    FILE *f = fopen(path, "we");
    int rc;

    if (!f)
        return -errno;
    rc = write_stream(job, f);
    if (fclose(f) && !rc)
        rc = -errno;
    return rc;
}

static bool is_link(const char *path)
{
    struct stat status;

    return !lstat(path, &status) && S_ISLNK(status.st_mode);
}

int replace_file(const char *path, replace_file_print *print,
                 const void *what)
{
    const struct job j = { print, what }, *job = &j;
    struct stat status;
    char *target;
    int rc;

    if (stat(path, &status)) {
        if (errno != ENOENT)
            return -errno;
        /* The link may lead to a file that does not exist yet. */
        return is_link(path) ? write_into(job, path)
                             : replace(job, path, new_mode());
    }
    if (!S_ISREG(status.st_mode))
        return write_into(job, path);
    /* Replace the file that a link leads to, not the link. Users that could
     * not read the old file cannot read the new one. */
    target = realpath(path, NULL);
    if (!target)
        return -errno;
    rc = replace(job, target, status.st_mode & 0777);
    free(target);
    return rc;
}
