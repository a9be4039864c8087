/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's hook: what libvirt's driver for Xen runs before it makes a domain,
 * with the domain's XML on standard input.
 *
 *     HOOK NAME prepare begin -       before a create, a restore, a reboot
 *     HOOK NAME stopped end -         the domain, or the try at it, is over
 *     HOOK NAME release end -
 *
 * It turns the XML into a configuration, and decides nothing: whether it is a
 * reboot, at which a domain is not to be lost over a wrong word, the module
 * knows, and this does not.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement/config.h"
#include "placement/domain_xml.h"
#include "handover.h"

static void say(const char *what, int rc)
{
    fprintf(stderr, "xl-numa: %s: %s\n", what, strerror(-rc));
}

static void hand_over(const char *uuid, const char *text, size_t size)
{
    int rc = handover_write(HANDOVERS, uuid, text, size);

    if (rc)
        say("cannot write to " HANDOVERS, rc);
}

/* What is wrong with the XML, for the module to report. */
static void hand_over_error(const char *uuid, const char *error)
{
    char *text;
    int size = asprintf(&text, HANDOVER_WRONG "%s", error);

    if (size < 0) {
        say(error, -ENOMEM);
        return;
    }
    hand_over(uuid, text, size);
    free(text);
}

static void prepare(const char *name, const char *uuid, const char *text,
                    size_t size)
{
    struct domain_xml domain = { 0 };
    char *error;
    int rc = domain_xml_read(text, size, name, &domain, &error);

    /* A file of an earlier try that was interrupted does not belong to this
     * one. */
    handover_remove(HANDOVERS, uuid);
    if (rc)
        hand_over_error(uuid, error ? error : strerror(-rc));
    else
        hand_over(uuid, domain.config, domain.config_size);
    free(error);
    domain_xml_dispose(&domain);
}

int main(int argc, char **argv)
{
    const char *operation = argc > 3 ? argv[2] : "";
    bool begins = !strcmp(operation, "prepare");
    char *text, *uuid;
    size_t size;
    int rc;

    if (argc < 4) {
        fputs("xl-numa-libvirt-hook is run by libvirt\n", stderr);
        return EXIT_FAILURE;
    }
    if (!begins && strcmp(operation, "stopped") &&
        strcmp(operation, "release"))
        return EXIT_SUCCESS;
    rc = config_read_text("/dev/stdin", &text, &size);
    if (!rc) {
        rc = domain_xml_uuid(text, size, &uuid);
        if (rc)
            free(text);
    }
    if (rc) {
        say("cannot read the domain's XML", rc);
        return EXIT_SUCCESS;
    }
    if (begins)
        prepare(argv[1], uuid, text, size);
    else
        handover_remove(HANDOVERS, uuid);
    free(uuid);
    free(text);
    return EXIT_SUCCESS;
}
