/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "units.h"
#include "xml_memory.h"

static const struct unit {
    const char *name;
    uint64_t bytes;
} units[] = {
    { "b", 1 },                   { "byte", 1 },
    { "bytes", 1 },
    { "KB", 1000 },               { "k", 1 << 10 },
    { "KiB", 1 << 10 },           { "MB", 1000000 },
    { "M", MIB },                 { "MiB", MIB },
    { "GB", 1000000000 },         { "G", MIB << 10 },
    { "GiB", MIB << 10 },         { "TB", UINT64_C(1000000000000) },
    { "T", MIB << 20 },           { "TiB", MIB << 20 },
    { "PB", UINT64_C(1000000000000000) },
    { "P", MIB << 30 },           { "PiB", MIB << 30 },
    { "EB", UINT64_C(1000000000000000000) },
    { "E", MIB << 40 },           { "EiB", MIB << 40 },
    { NULL, 0 },
};

int xln__xml_memory_unit(struct xln__xml *xml, uint64_t *bytes_r)
{
    const char *name = xln__xml_attr(xml, "unit");
    const struct unit *unit;

    for (unit = units; unit->name; unit++)
        if (!strcasecmp(unit->name, name ? name : "KiB"))
            break;
    if (!unit->name)
        return xln__xml_refuse(xml, "unit='%.20s': expected a unit such as "
                                    "'KiB'", name);
    *bytes_r = unit->bytes;
    return 0;
}

int xln__xml_memory_size(struct xln__xml *xml, const char *text,
                         uint64_t unit_bytes, uint64_t step, uint64_t *bytes_r)
{
    uint64_t number;
    const char *s = text;

    if (!xln__xml_parse_number(&s, UINT64_MAX, &number) || *s ||
        number > MEMORY_MAX_BYTES / unit_bytes)
        return xln__xml_refuse(xml, "'%.40s': expected a size of memory, "
                               "of 4 PiB at most", text);
    *bytes_r = (number * unit_bytes + step - 1) / step * step;
    return 0;
}
