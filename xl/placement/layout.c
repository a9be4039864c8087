/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"

/* libxl 4.22 takes 1400 bytes for a configuration. */
#define ROOM 16384
#define PATTERN 0xa5

/* Arrays have one element more than is looked at, so that nothing is read
 * behind the end of those whose elements are smaller. */
#define NR_ELEMENTS 3
#define NR_COMPARED 2

/* The structures that libxl has filled in for text number `n`. */
struct probe {
    unsigned n;
    int pipe[2];                /* what read_memory() reads with */
    union {
        libxl_domain_config config;
        unsigned char room[ROOM];
    } *at;
};

/* ---- what libxl is given ---- */

/* Each value depends on `n`, the number of the text. */
static int format_text(unsigned n, const char *devices, char *text,
                       size_t size)
{
    return snprintf(text, size,
        "{\"c_info\":{\"type\":\"%s\",\"name\":\"name-%u\",\"uuid\":"
        "\"00112233-4455-6677-8899-aabbccddee%02x\",\"poolid\":%u,"
        "\"pool_name\":\"pool-%u\","
        "\"xsdata\":{\"key-%u\":\"value-%u\"}},"
        "\"b_info\":{\"device_model_version\":\"%s\",\"sched_params\":{\"sched\":\"%s\",\"weight\":%u,"
        "\"cap\":%u},\"max_vcpus\":%u,\"nodemap\":[%u],"
        "\"vcpu_hard_affinity\":[[%u],[%u],[1]],"
        "\"vcpu_soft_affinity\":[[%u],[%u],[1]],"
        "\"numa_placement\":\"%s\",\"max_memkb\":%u,\"target_memkb\":%u,"
        "\"video_memkb\":%u,\"vnuma_nodes\":["
        "{\"memkb\":%u,\"pnode\":%u,\"distances\":[%u,%u],\"vcpus\":[%u]},"
        "{\"memkb\":%u,\"pnode\":%u,\"distances\":[%u,%u],\"vcpus\":[%u]},"
        "{\"memkb\":1}]}%s}",
        n == 1 ? "hvm" : "pv", n, n, 100 + n, n, n, n,
        n == 1 ? "qemu_xen" : "unknown", n == 1 ? "credit" : "credit2", 700 + n, 80 + n, 30 + n, 4 + n, 10 + n,
        20 + n, 40 + n, 50 + n, n == 1 ? "True" : "False", 1000 + n, 2000 + n,
        3000 + n, 5000 + n, 60 + n, 10 + n, 20 + n, 2 + n, 5100 + n, 70 + n,
        110 + n, 120 + n, 12 + n, devices);
}

static const char devices_text[] =
    ",\"pcidevs\":[{\"domain\":513,\"bus\":90,\"dev\":31,\"func\":5,"
    "\"seize\":true},{\"domain\":514,\"bus\":91,\"dev\":30,\"func\":6,"
    "\"name\":\"card-2\"},{\"bus\":1}]";
static const libxl_device_pci devices[NR_COMPARED] = {
    { .domain = 513, .bus = 90, .dev = 31, .func = 5, .seize = true },
    { .domain = 514, .bus = 91, .dev = 30, .func = 6 },
};

/* ---- reading what may be no address ---- */

/* If a field has moved, an integer may be in the place of a pointer. The
 * kernel copies what exists, and refuses other addresses. */
static bool read_memory(const struct probe *p, const void *from, void *to,
                        size_t size)
{
    ssize_t done = from ? write(p->pipe[1], from, size) : -1;

    return done > 0 && read(p->pipe[0], to, done) == done &&
           (size_t)done == size;
}

/* Whether a text is `start` and the number of the probe. */
static bool is_text(const struct probe *p, const char *at, const char *start)
{
    char expected[32], text[sizeof(expected)];
    size_t size = snprintf(expected, sizeof(expected), "%s%u", start, p->n) + 1;

    return read_memory(p, at, text, size) && !memcmp(text, expected, size);
}

/* Whether the first bit of a map is `bit`. */
static bool is_map(const struct probe *p, const libxl_bitmap *map,
                   unsigned bit)
{
    uint8_t bytes[32], expected[32] = { 0 };
    unsigned size = bit / 8 + 1;

    expected[bit / 8] = 1 << bit % 8;
    return map->size >= size && map->size < 4096 &&
           read_memory(p, map->map, bytes, size) &&
           !memcmp(bytes, expected, size);
}

static bool are_maps(const struct probe *p, const libxl_bitmap *list, int nr,
                     unsigned base)
{
    libxl_bitmap maps[NR_COMPARED];

    return nr == NR_ELEMENTS && read_memory(p, list, maps, sizeof(maps)) &&
           is_map(p, &maps[0], base + p->n) &&
           is_map(p, &maps[1], base + 10 + p->n);
}

/* ---- where each field is looked for ---- */

static bool is_xsdata(const struct probe *p, libxl_key_value_list list)
{
    const char *pairs[3];

    return read_memory(p, list, pairs, sizeof(pairs)) && !pairs[2] &&
           is_text(p, pairs[0], "key-") && is_text(p, pairs[1], "value-");
}

static bool is_uuid(const struct probe *p, const libxl_uuid *uuid)
{
    const uint8_t expected[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
                                 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                                 0xee, p->n };

    return !memcmp(uuid->uuid, expected, sizeof(expected));
}

static const char *find_odd_c_info(const struct probe *p)
{
    const libxl_domain_create_info *c = &p->at->config.c_info;

    if (c->type != (p->n == 1 ? LIBXL_DOMAIN_TYPE_HVM : LIBXL_DOMAIN_TYPE_PV))
        return "c_info.type";
    if (!is_text(p, c->name, "name-"))
        return "c_info.name";
    if (!is_uuid(p, &c->uuid))
        return "c_info.uuid";
    if (!is_xsdata(p, c->xsdata))
        return "c_info.xsdata";
    if (c->poolid != 100 + p->n)
        return "c_info.poolid";
    if (!is_text(p, c->pool_name, "pool-"))
        return "c_info.pool_name";
    return NULL;
}

static bool is_vnode(const struct probe *p, const libxl_vnode_info *vnode,
                     unsigned i)
{
    uint32_t distances[2];

    return vnode->memkb == 5000 + i * 100 + p->n &&
           vnode->pnode == 60 + i * 10 + p->n && vnode->num_distances == 2 &&
           read_memory(p, vnode->distances, distances, sizeof(distances)) &&
           distances[0] == 10 + i * 100 + p->n &&
           distances[1] == 20 + i * 100 + p->n &&
           is_map(p, &vnode->vcpus, 2 + i * 10 + p->n);
}

static bool are_vnodes(const struct probe *p, const libxl_vnode_info *list,
                       int nr)
{
    libxl_vnode_info vnodes[NR_COMPARED];

    return nr == NR_ELEMENTS &&
           read_memory(p, list, vnodes, sizeof(vnodes)) &&
           is_vnode(p, &vnodes[0], 0) && is_vnode(p, &vnodes[1], 1);
}

static const char *find_odd_b_info(const struct probe *p)
{
    const libxl_domain_build_info *b = &p->at->config.b_info;

    if (b->max_vcpus != (int)(30 + p->n))
        return "b_info.max_vcpus";
    if (!is_map(p, &b->nodemap, 4 + p->n))
        return "b_info.nodemap";
    if (!are_maps(p, b->vcpu_hard_affinity, b->num_vcpu_hard_affinity, 10))
        return "b_info.vcpu_hard_affinity";
    if (!are_maps(p, b->vcpu_soft_affinity, b->num_vcpu_soft_affinity, 40))
        return "b_info.vcpu_soft_affinity";
    if (b->numa_placement.val != (p->n == 1 ? 1 : -1))
        return "b_info.numa_placement";
    if (b->max_memkb != 1000 + p->n)
        return "b_info.max_memkb";
    if (b->target_memkb != 2000 + p->n)
        return "b_info.target_memkb";
    if (b->video_memkb != 3000 + p->n)
        return "b_info.video_memkb";
    if (!are_vnodes(p, b->vnuma_nodes, b->num_vnuma_nodes))
        return "b_info.vnuma_nodes";
    return NULL;
}

/* ---- where it is not known beforehand ---- */

static size_t find_size(void)
{
    unsigned char *room = malloc(ROOM);
    size_t size = ROOM;

    if (!room)
        return 0;
    memset(room, PATTERN, ROOM);
    libxl_domain_config_init((libxl_domain_config *)room);
    while (size && room[size - 1] == PATTERN)
        size--;
    free(room);
    return size;
}

static bool are_devices(const struct probe *p, const void *list)
{
    libxl_device_pci found[NR_COMPARED];
    unsigned i;

    if (!read_memory(p, list, found, sizeof(found)))
        return false;
    for (i = 0; i < NR_COMPARED; i++)
        if (found[i].domain != devices[i].domain ||
            found[i].bus != devices[i].bus || found[i].dev != devices[i].dev ||
            found[i].func != devices[i].func ||
            found[i].seize != devices[i].seize)
            return false;
    return !found[0].name && is_text(p, found[1].name, "card-");
}

static const void *pointer_at(const struct probe *p, size_t at)
{
    const void *pointer;

    memcpy(&pointer, p->at->room + at, sizeof(pointer));
    return pointer;
}

static int number_at(const struct probe *p, size_t at)
{
    int number;

    memcpy(&number, p->at->room + at, sizeof(number));
    return number;
}

/* libxl's lists are a number and a pointer. */
static bool find_devices(const struct probe *without, const struct probe *with,
                         size_t size, struct layout *layout)
{
    size_t nr_at, at, found = 0;

    for (at = sizeof(void *); at + sizeof(void *) <= size;
         at += sizeof(void *)) {
        nr_at = at - sizeof(void *);
        if (pointer_at(without, at) || number_at(without, nr_at) ||
            number_at(with, nr_at) != NR_ELEMENTS ||
            !are_devices(with, pointer_at(with, at)))
            continue;
        layout->nr_devices_at = nr_at;
        layout->devices_at = at;
        found++;
    }
    return found == 1;
}

static bool is_sched_params(const struct probe *p, size_t at)
{
    libxl_domain_sched_params params;

    memcpy(&params, p->at->room + at, sizeof(params));
    return params.sched == (p->n == 1 ? LIBXL_SCHEDULER_CREDIT
                                      : LIBXL_SCHEDULER_CREDIT2) &&
           params.weight == (int)(700 + p->n) && params.cap == (int)(80 + p->n);
}

static bool find_sched_params(const struct probe *a, const struct probe *b,
                              struct layout *layout)
{
    size_t at, found = 0;

    for (at = 0; at + sizeof(libxl_domain_sched_params) <= layout->config_size;
         at += sizeof(int)) {
        if (!is_sched_params(a, at) || !is_sched_params(b, at))
            continue;
        layout->sched_params_at = at;
        found++;
    }
    return found == 1;
}

/* Behind vnuma_nodes: where it has moved, it is left alone. */
static bool has_device_model(const struct probe *p)
{
    return p->at->config.b_info.device_model_version ==
           (p->n == 1 ? LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN
                      : LIBXL_DEVICE_MODEL_VERSION_UNKNOWN);
}

/* ---- asking ---- */

static bool fill(libxl_ctx *ctx, const char *text_of_devices,
                 const struct probe *p)
{
    char text[2048];

    libxl_domain_config_init(&p->at->config);
    return format_text(p->n, text_of_devices, text, sizeof(text)) <
               (int)sizeof(text) &&
           !libxl_domain_config_from_json(ctx, &p->at->config, text);
}

static const char *find_odd(libxl_ctx *ctx, const struct probe *a,
                            const struct probe *b, struct layout *layout)
{
    const char *odd = NULL;

    if (!fill(ctx, "", a) || !fill(ctx, devices_text, b))
        return "libxl_domain_config_from_json";
    odd = find_odd_c_info(a);
    if (!odd)
        odd = find_odd_c_info(b);
    if (!odd)
        odd = find_odd_b_info(a);
    if (!odd)
        odd = find_odd_b_info(b);
    if (!odd && !find_devices(a, b, layout->config_size, layout))
        odd = "pcidevs";
    if (!odd && !find_sched_params(a, b, layout))
        odd = "b_info.sched_params";
    layout->has_device_model = has_device_model(a) && has_device_model(b);
    return odd;
}

static int ask(libxl_ctx *ctx, const int pipe[2], struct layout *layout,
               const char **field_r)
{
    struct probe a = { 1, { pipe[0], pipe[1] }, calloc(1, sizeof(*a.at)) },
                 b = { 2, { pipe[0], pipe[1] }, calloc(1, sizeof(*b.at)) };
    int rc = -ENOMEM;

    layout->config_size = find_size();
    if (a.at && b.at && layout->config_size) {
        *field_r = find_odd(ctx, &a, &b, layout);
        libxl_domain_config_dispose(&a.at->config);
        libxl_domain_config_dispose(&b.at->config);
        rc = *field_r ? -ENOTSUP : 0;
    }
    free(a.at);
    free(b.at);
    return rc;
}

int layout_learn(libxl_ctx *ctx, struct layout *layout_r, const char **field_r)
{
    struct layout layout = { 0 };
    int pipe[2], rc;

    *field_r = NULL;
    if (pipe2(pipe, O_CLOEXEC))
        return -errno;
    rc = ask(ctx, pipe, &layout, field_r);
    close(pipe[0]);
    close(pipe[1]);
    if (!rc)
        *layout_r = layout;
    return rc;
}

bool layout_knows_events(libxl_ctx *ctx)
{
    static const char text[] =
        "{\"domid\":77,\"type.domain_shutdown\":{\"shutdown_reason\":4}}";
    union {
        libxl_event event;
        unsigned char room[ROOM];
    } *at = calloc(1, sizeof(*at));
    bool known;

    if (!at)
        return false;
    libxl_event_init(&at->event);
    known = !libxl_event_from_json(ctx, &at->event, text) &&
            at->event.domid == 77 &&
            at->event.type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN &&
            at->event.u.domain_shutdown.shutdown_reason == 4;
    libxl_event_dispose(&at->event);
    free(at);
    return known;
}

/* ---- using ---- */

void layout_expect_device_model(const struct layout *layout,
                                libxl_domain_config *config)
{
    libxl_domain_build_info *info = &config->b_info;

    if (layout->has_device_model &&
        info->device_model_version == LIBXL_DEVICE_MODEL_VERSION_UNKNOWN)
        info->device_model_version = LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN;
}

libxl_domain_config *layout_new_config(const struct layout *layout)
{
    libxl_domain_config *config = malloc(layout->config_size);

    if (config)
        libxl_domain_config_init(config);
    return config;
}

void layout_move_config(const struct layout *layout, libxl_domain_config *from,
                        libxl_domain_config *to)
{
    libxl_domain_config_dispose(to);
    memcpy(to, from, layout->config_size);
    free(from);
}

void layout_free_config(libxl_domain_config *config)
{
    if (config)
        libxl_domain_config_dispose(config);
    free(config);
}

const libxl_device_pci *layout_devices(const struct layout *layout,
                                       const libxl_domain_config *config,
                                       int *nr_r)
{
    const char *start = (const char *)config;
    const libxl_device_pci *list;

    memcpy(nr_r, start + layout->nr_devices_at, sizeof(*nr_r));
    memcpy(&list, start + layout->devices_at, sizeof(list));
    return list;
}

libxl_domain_sched_params *layout_sched_params(const struct layout *layout,
                                               libxl_domain_config *config)
{
    return (libxl_domain_sched_params *)((char *)config +
                                         layout->sched_params_at);
}
