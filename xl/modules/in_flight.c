/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdlib.h>

#include "in_flight.h"

struct create {
    struct create *next;
    struct placement *placement;
};

/*
 * Creates in flight are found by their domain, never by thread: the event loop
 * of one thread may build the domain of another.
 */
static struct {
    pthread_mutex_t lock;
    struct create *creates;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct create *inflight_enter(struct placement *p)
{
    struct create *create = malloc(sizeof(*create));

    if (!create) {
        placement_end(p, true);
        return NULL;
    }
    create->placement = p;
    pthread_mutex_lock(&state.lock);
    create->next = state.creates;
    state.creates = create;
    pthread_mutex_unlock(&state.lock);
    return create;
}

struct placement *inflight_leave(struct create *create)
{
    struct placement *p = create->placement;
    struct create **at;

    pthread_mutex_lock(&state.lock);
    for (at = &state.creates; *at != create; at = &(*at)->next)
        ;
    *at = create->next;
    pthread_mutex_unlock(&state.lock);
    free(create);
    return p;
}

bool inflight_any(void)
{
    bool any;

    pthread_mutex_lock(&state.lock);
    any = state.creates;
    pthread_mutex_unlock(&state.lock);
    return any;
}

struct placement *inflight_find(bool (*makes)(const struct placement *p,
                                              const void *what),
                                const void *what)
{
    struct placement *found = NULL;
    struct create *create;

    pthread_mutex_lock(&state.lock);
    for (create = state.creates; create && !found; create = create->next)
        if (makes(create->placement, what))
            found = create->placement;
    pthread_mutex_unlock(&state.lock);
    return found;
}
