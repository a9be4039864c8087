/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-map: a picture of the host, and of which domain is remote. */
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "replace_file.h"
#include "views/map_view.h"
#include "views/terminal.h"

enum { OPT_HOST = OPT_OWN, OPT_PAGES };

static const struct cmd_option opts[] = {
    { "output", 'o', "FILE", "write FILE.svg, FILE.png or FILE.txt" },
    { "pages", OPT_PAGES, NULL, "have Xen count every page now: costly" },
    { "host", OPT_HOST, "FILE", "a saved host instead of the running one" },
    { 0 }
};

#define FILE_WIDTH 120

/* ---- what is written ---- */

static int print_terminal(const struct map *map)
{
    return map_text_print(map, terminal_width(),
                          !strcmp(nl_langinfo(CODESET), "UTF-8"),
                          terminal_has_colour(), stdout);
}

static int print_text(const void *map, FILE *f)
{
    return map_text_print(map, FILE_WIDTH, true, false, f);
}

static int print_svg(const void *map, FILE *f)
{
    return map_svg_print(map, f);
}

static int print_png(const void *map, FILE *f)
{
    return map_png_print(map, f);
}

static const struct format {
    const char *ending;
    replace_file_print *print;
} formats[] = {
    { ".svg", print_svg }, { ".png", print_png }, { ".txt", print_text },
};

/* NULL: no picture has this ending. */
static const struct format *find_format(const char *path)
{
    const char *ending = strrchr(path, '.');
    unsigned i;

    for (i = 0; ending && i < sizeof(formats) / sizeof(*formats); i++)
        if (!strcmp(ending, formats[i].ending))
            return &formats[i];
    return NULL;
}

static const char *reason(int rc)
{
    switch (rc) {
    case -ENOSYS: return "built without librsvg: write .svg instead";
    case -ENOENT: return "librsvg-2.so.2 is not installed: write .svg instead";
    case -EINVAL: return "librsvg cannot draw it: write .svg instead";
    default:      return strerror(-rc);
    }
}

static int write_map(struct cmd_line *line, const struct map *map)
{
    const char *path = cmd_value(line, 'o');
    const struct format *format = path ? find_format(path) : NULL;
    int rc = path ? replace_file(path, format->print, map)
                  : print_terminal(map);

    if (rc && path)
        complain("cannot write '%s': %s", path,
                 format->print == print_png ? reason(rc) : strerror(-rc));
    else
        cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the command ---- */

static bool read_host(struct cmd_line *line, struct xln_snapshot **snapshot_r)
{
    const char *word = cmd_value(line, OPT_HOST);

    return word ? cmd_load_domains(word, snapshot_r)
                : cmd_read_residents(line, cmd_value(line, OPT_PAGES),
                                     snapshot_r);
}

static int run(struct cmd_line *line)
{
    const char *path = cmd_value(line, 'o');
    struct xln_snapshot *snapshot;
    struct map *map;
    int code, rc;

    if (path && !find_format(path))
        return cmd_usage(line, "-o '%s': expected a name that ends with .svg, "
                         ".png or .txt", path);
    if (cmd_value(line, OPT_HOST) && cmd_value(line, OPT_PAGES))
        return cmd_usage(line, "--pages needs the running host");
    if (!read_host(line, &snapshot))
        return EXIT_FAILURE;
    rc = map_new(snapshot, &map);
    if (rc) {
        cmd_complain_of(line, rc);
        code = EXIT_FAILURE;
    } else {
        code = write_map(line, map);
        map_free(map);
    }
    xln_snapshot_free(snapshot);
    return code;
}

const struct cmd cmd_numa_map = {
    .name = "numa-map", .args = "[OPTIONS]",
    .summary = "draw the nodes, the domains on them and what is remote",
    .examples =
        "  xl numa-map\n"
        "  xl numa-map --pages -o host.svg\n"
        "  xl numa-map --host host.json\n",
    .min_args = 0, .max_args = 0,
    .options = opts, .run = run,
};
