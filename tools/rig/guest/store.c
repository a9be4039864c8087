/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * As much of xenstore's wire protocol as it takes to obey control/shutdown:
 * one request at a time, its reply read before the next. Paths are relative,
 * hence the guest's own. Watch events that come in between are only noted:
 * there is one watch.
 */

#include "guest.h"

static bool watch_fired;

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

static void put_bytes(const struct machine *machine, const void *data,
                      size_t len)
{
    volatile struct xenstore_domain_interface *store = machine->store;
    const char *from = data;

    /* One request at a time, and each is smaller than the ring. */
    while (len--) {
        store->req[MASK_XENSTORE_IDX(store->req_prod)] = *from++;
        barrier();
        store->req_prod++;
    }
}

static void get_bytes(const struct machine *machine, void *data, size_t len)
{
    volatile struct xenstore_domain_interface *store = machine->store;
    char *to = data;

    while (len--) {
        while (store->rsp_cons == store->rsp_prod)
            store_wait(machine);
        barrier();
        *to++ = store->rsp[MASK_XENSTORE_IDX(store->rsp_cons)];
        barrier();
        store->rsp_cons++;
    }
}

/* Reads one message; the part of its body that exceeds size is dropped. */
static struct xsd_sockmsg get_message(const struct machine *machine, char *body,
                                      size_t size)
{
    struct xsd_sockmsg head;
    uint32_t i;
    char c;

    get_bytes(machine, &head, sizeof(head));
    for (i = 0; i < head.len; i++) {
        get_bytes(machine, &c, 1);
        if (i < size)
            body[i] = c;
    }
    if (head.len > size)
        head.len = size;
    event_notify(machine->store_port);
    return head;
}

/*
 * Sends a request of two parts, the second with its terminating nul if asked,
 * and waits for the reply. Returns the length of the reply's body, 0 for an
 * error.
 */
static size_t request(const struct machine *machine, uint32_t type,
                      const char *first, const char *second, char *body,
                      size_t size)
{
    struct xsd_sockmsg head = {.type = type};
    size_t first_len = length(first) + 1;
    size_t second_len = second ? length(second) : 0;

    if (type == XS_WATCH)
        second_len++;
    head.len = first_len + second_len;
    put_bytes(machine, &head, sizeof(head));
    put_bytes(machine, first, first_len);
    put_bytes(machine, second, second_len);
    event_notify(machine->store_port);

    for (;;) {
        head = get_message(machine, body, size);
        if (head.type != XS_WATCH_EVENT)
            return head.type == type ? head.len : 0;
        watch_fired = true;
    }
}

void store_watch(const struct machine *machine, const char *path)
{
    request(machine, XS_WATCH, path, "", NULL, 0);
}

size_t store_read(const struct machine *machine, const char *path, char *value,
                  size_t size)
{
    size_t len = request(machine, XS_READ, path, NULL, value, size - 1);

    value[len] = '\0';
    return len;
}

void store_clear(const struct machine *machine, const char *path)
{
    request(machine, XS_WRITE, path, "", NULL, 0);
}

/* True if the watch has fired since the last call. Never blocks. */
bool store_changed(const struct machine *machine)
{
    bool fired;

    while (machine->store->rsp_cons != machine->store->rsp_prod) {
        get_message(machine, NULL, 0);
        watch_fired = true;
    }
    fired = watch_fired;
    watch_fired = false;
    return fired;
}

/* Blocks until xenstore has something to say. */
void store_wait(const struct machine *machine)
{
    event_clear(machine, machine->store_port);
    if (machine->store->rsp_cons == machine->store->rsp_prod)
        event_wait(machine->store_port);
}
