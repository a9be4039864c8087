/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture as PNG, drawn by librsvg. It brings thirty other libraries with
 * it, so it is loaded for this alone, and neither a build nor a host needs it.
 */
#include <errno.h>
#include <stdlib.h>

#include "map_view.h"

#if HAVE_RSVG

#include <dlfcn.h>
#include <librsvg/rsvg.h>

#define LIBRARY "librsvg-2.so.2"
#define SCALE 1.5               /* pixels for each user unit */

/* The functions of librsvg, and of libraries that come with it, that are used
 * here. */
#define FUNCTIONS(X) \
    X(rsvg_handle_new_from_data) X(rsvg_handle_get_intrinsic_size_in_pixels) \
    X(rsvg_handle_render_document) X(g_object_unref) \
    X(cairo_image_surface_create) X(cairo_surface_status) X(cairo_create) \
    X(cairo_status) X(cairo_surface_write_to_png_stream) X(cairo_destroy) \
    X(cairo_surface_destroy)

struct functions {
    void *library;
#define X(name) __typeof__(&name) name;
    FUNCTIONS(X)
#undef X
};

static int load(struct functions *rsvg)
{
    rsvg->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!rsvg->library)
        return -ENOENT;
#define X(name) \
    rsvg->name = (__typeof__(&name))dlsym(rsvg->library, #name); \
    if (!rsvg->name) \
        return -ENOENT;
    FUNCTIONS(X)
#undef X
    return 0;
}

static cairo_status_t put(void *closure, const unsigned char *data,
                          unsigned length)
{
    return fwrite(data, 1, length, closure) == length
               ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static int render(const struct functions *rsvg, RsvgHandle *handle,
                  cairo_surface_t *surface, double width, double height)
{
    RsvgRectangle place = { 0, 0, width, height };
    cairo_t *cairo = rsvg->cairo_create(surface);
    bool good = !rsvg->cairo_status(cairo) &&
                rsvg->rsvg_handle_render_document(handle, cairo, &place, NULL);

    rsvg->cairo_destroy(cairo);
    return good ? 0 : -EINVAL;
}

static int draw(const struct functions *rsvg, RsvgHandle *handle, FILE *f)
{
    double width, height;
    cairo_surface_t *surface;
    int rc = -EINVAL;

    if (!rsvg->rsvg_handle_get_intrinsic_size_in_pixels(handle, &width,
                                                        &height))
        return -EINVAL;
    width *= SCALE;
    height *= SCALE;
    surface = rsvg->cairo_image_surface_create(CAIRO_FORMAT_RGB24, width,
                                               height);
    if (!rsvg->cairo_surface_status(surface))
        rc = render(rsvg, handle, surface, width, height);
    if (!rc && rsvg->cairo_surface_write_to_png_stream(surface, put, f))
        rc = -EIO;
    rsvg->cairo_surface_destroy(surface);
    return rc;
}

static int print(const struct functions *rsvg, const char *svg, size_t size,
                 FILE *f)
{
    RsvgHandle *handle = rsvg->rsvg_handle_new_from_data(
        (const unsigned char *)svg, size, NULL);
    int rc;

    if (!handle)
        return -EINVAL;
    rc = draw(rsvg, handle, f);
    rsvg->g_object_unref(handle);
    return rc;
}

/* The library stays: it does not bear to be unloaded. */
int map_png_print(const struct map *map, FILE *f)
{
    struct functions rsvg = { 0 };
    char *svg = NULL;
    size_t size;
    FILE *memory;
    int rc = load(&rsvg);

    if (rc)
        return rc;
    memory = open_memstream(&svg, &size);
    if (!memory)
        return -ENOMEM;
    rc = map_svg_print(map, memory);
    if ((fclose(memory) || !svg) && !rc)
        rc = -ENOMEM;
    if (!rc)
        rc = print(&rsvg, svg, size, f);
    free(svg);
    return rc;
}

#else

int map_png_print(const struct map *map, FILE *f)
{
    (void)map;
    (void)f;
    return -ENOSYS;
}

#endif
