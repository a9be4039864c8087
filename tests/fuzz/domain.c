/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain as libvirt describes it. What comes of it is a configuration that a
 * naive reader finds well formed, line by line: whatever stands in the XML, it
 * is the value of the key it was meant for and adds none. Our parser of
 * configurations takes it, or says what is wrong with a value.
 */
#include "placement/config.h"
#include "placement/domain_xml.h"
#include "fuzz.h"
#include "placement/key_values.h"

#define SOURCE "g.xml"

/* Keys of xl itself that the reader writes, in addition to ours. */
static bool is_written(const char *key)
{
    static const char *const written[] = {
        "name", "type", "memory", "maxmem", "vcpus", "maxvcpus", "hap",
        "cpus", "pci", "cell_nodes",
    };
    int index;

    for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++) {
        if (!strcmp(key, written[i]))
            return true;
    }
    return key_find(key, &index);
}

/* The end of a string in quotes; NULL: it is not a string. */
static const char *skip_string(const char *s)
{
    if (*s++ != '"')
        return NULL;
    for (; *s != '"'; s++) {
        if (*s == '\\')
            s++;
        if (!*s || *s == '\n')
            return NULL;
    }
    return s + 1;
}

/* Behind strings in brackets. */
static const char *skip_list(const char *s)
{
    if (*s++ != '[')
        return NULL;
    while (*s != ']') {
        s = skip_string(s);
        if (!s)
            return NULL;
        if (!strncmp(s, ", ", 2))
            s += 2;
        else if (*s != ']')
            return NULL;
    }
    return s + 1;
}

static const char *skip_value(const char *s)
{
    size_t digits = strspn(s, "0123456789");

    if (digits)
        return s + digits;
    return *s == '[' ? skip_list(s) : skip_string(s);
}

/* Behind a line. */
static const char *skip_line(const char *line)
{
    size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    char key[32];
    const char *s;

    claim(length && length < sizeof(key), "no key: '%.40s'", line);
    memcpy(key, line, length);
    key[length] = '\0';
    claim(is_written(key), "a key that nobody writes: '%s'", key);
    claim(!strncmp(line + length, " = ", 3), "no value: '%.40s'", line);
    s = skip_value(line + length + 3);
    claim(s && *s == '\n', "not one value: '%.80s'", line);
    return s + 1;
}

static void claim_config(const struct domain_xml *domain)
{
    const char *s = domain->config, *end = s + domain->config_size;
    struct config *config = NULL;
    char *error = NULL;
    int rc;

    claim(strlen(s) == domain->config_size, "a zero byte in it");
    while (s < end)
        s = skip_line(s);
    rc = config_parse(domain->config, domain->config_size, SOURCE, NULL, 0,
                      NULL, &config, &error);
    claim(!rc || rc == -EINVAL, "%d of a configuration", rc);
    if (rc)
        claim_error(error, SOURCE ": ");
    free(error);
    config_free(config);
}

static void claim_uuid(const char *uuid)
{
    for (; uuid && *uuid; uuid++)
        claim(!isupper((unsigned char)*uuid), "'%s'", uuid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct domain_xml domain = { .uuid = UNTOUCHED };
    char *error = NULL;
    int rc = domain_xml_read((const char *)data, size, SOURCE, &domain,
                             &error);

    claim(!rc || rc == -EINVAL, "%d", rc);
    if (rc) {
        claim(domain.uuid == UNTOUCHED && !domain.config, "%d, and an output",
              rc);
        claim_error(error, SOURCE ":");
        free(error);
        return 0;
    }
    claim(!error, "well, but '%s'", error);
    claim_uuid(domain.uuid);
    claim_config(&domain);
    domain_xml_dispose(&domain);
    return 0;
}
