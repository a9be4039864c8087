/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map as a picture and as text. */
#ifndef MAP_VIEW_H
#define MAP_VIEW_H

#include <stdio.h>

#include "map.h"

/* As SVG, which fits a light and a dark background. */
int map_svg_print(const struct map *map, FILE *f);

/* As XML of hwloc: lstopo draws the host and its domains. */
int map_hwloc_print(const struct map *map, FILE *f);

/* As text of `width` columns. `utf8`: with block characters, else in ASCII.
 * `colour`: what is remote is marked by a colour too. */
int map_text_print(const struct map *map, unsigned width, bool utf8,
                   bool colour, FILE *f);

/* As PNG, from the SVG. -ENOSYS: it was built without librsvg; -ENOENT: that is
 * not installed; -EINVAL: it cannot draw the picture. */
int map_png_print(const struct map *map, FILE *f);

#endif /* MAP_VIEW_H */
