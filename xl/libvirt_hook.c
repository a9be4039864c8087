/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's hook: what libvirt's driver for Xen runs before it makes a domain,
 * with the domain's XML on standard input.
 *
 *     HOOK NAME prepare begin -       before a create, a restore, a reboot
 *     HOOK NAME stopped end -         the domain, or the try at it, is over
 *     HOOK NAME release end -
 *
 * What it says on standard error becomes libvirt's error, and a status other
 * than 0 makes what libvirt does fail: for a wrong value alone.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "domain_xml.h"
#include "handover.h"

static void say(const char *what, int rc)
{
    fprintf(stderr, "xl-numa: %s: %s\n", what, strerror(-rc));
}

/* A line that somebody made, or for want of it what went wrong. */
static int refuse(char *error, const char *what, int rc)
{
    if (error)
        fprintf(stderr, "xl-numa: %s\n", error);
    else
        say(what, rc);
    free(error);
    return rc;
}

/* ---- the host's defaults ---- */

/* A file that can't be read does not keep a create from being made. */
static int read_defaults(struct keys **keys_r, char **error_r)
{
    size_t size;
    char *text;
    int rc = config_read_text(HOST_DEFAULTS, &text, &size);

    *keys_r = NULL;
    if (rc)
        return rc == -ENOMEM ? rc : 0;
    rc = keys_parse_host(text, size, HOST_DEFAULTS, keys_r, error_r);
    free(text);
    return rc;
}

/* ---- what libvirt runs it for ---- */

/* As xl create would check it. */
static int check(const struct domain_xml *domain, const char *name)
{
    struct config *config = NULL;
    struct keys *defaults = NULL;
    char *error = NULL;
    int rc = read_defaults(&defaults, &error);

    if (!rc)
        rc = config_parse(domain->config, domain->config_size, name, NULL, 0,
                          defaults, &config, &error);
    if (rc)
        refuse(error, name, rc);
    config_free(config);
    keys_free(defaults);
    return rc;
}

static int prepare(const char *name, const struct domain_xml *domain)
{
    int rc = check(domain, name);

    if (!domain->uuid)
        return rc;
    /* One that is left of a try that ended early is not for this one. */
    handover_remove(HANDOVERS, domain->uuid);
    if (rc)
        return rc;
    rc = handover_write(HANDOVERS, domain->uuid, domain->config,
                        domain->config_size);
    if (rc)
        say("cannot write to " HANDOVERS, rc);
    return 0;
}

static int run(const char *name, bool begins, const char *text, size_t size)
{
    struct domain_xml domain = { 0 };
    char *error;
    int rc = domain_xml_read(text, size, name, &domain, &error);

    if (rc && begins)
        return refuse(error, name, rc);
    if (rc) {
        free(error);
        return 0;
    }
    if (begins)
        rc = prepare(name, &domain);
    else if (domain.uuid)
        handover_remove(HANDOVERS, domain.uuid);
    domain_xml_dispose(&domain);
    return rc;
}

int main(int argc, char **argv)
{
    const char *operation = argc > 3 ? argv[2] : "";
    bool begins = !strcmp(operation, "prepare");
    size_t size;
    char *text;
    int rc;

    if (argc < 4) {
        fputs("xl-numa-libvirt-hook is run by libvirt\n", stderr);
        return EXIT_FAILURE;
    }
    if (!begins && strcmp(operation, "stopped") &&
        strcmp(operation, "release"))
        return EXIT_SUCCESS;
    rc = config_read_text("/dev/stdin", &text, &size);
    if (rc) {
        say("cannot read the domain's XML", rc);
        return EXIT_SUCCESS;
    }
    rc = run(argv[1], begins, text, size);
    free(text);
    return rc == -EINVAL ? EXIT_FAILURE : EXIT_SUCCESS;
}
