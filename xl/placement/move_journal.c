/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In a directory of its own the lock is one byte of a file, told by the uuid;
 * the file stays, and is empty. The journal is
 *
 *     domain 12
 *     session 4711 889231      (its leader, and when that was started)
 *     watched
 *     name g
 *     asked
 *     answered
 *
 * in the file move-UUID. It is made under another name and renamed; then words
 * are added to it, each with one write.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "move_journal.h"

#define MOVES XEN_RUN_DIR "/numa-moves"
#define PREFIX "move-"
#define NAME_SIZE (sizeof(PREFIX) + 32)
#define JOURNAL_MAX 4096
/* Room for the notes that follow. */
#define NOTES_AT (JOURNAL_MAX - 256)

static void name_journal(const uint8_t uuid[16], char name[NAME_SIZE])
{
    unsigned i, at = sizeof(PREFIX) - 1;

    memcpy(name, PREFIX, at);
    for (i = 0; i < 16; i++, at += 2)
        snprintf(name + at, 3, "%02x", uuid[i]);
}

static int open_dir(void)
{
    int fd = open(MOVES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int make_dir(void)
{
    return mkdir(MOVES, 0700) && errno != EEXIST ? -errno : 0;
}

static int open_in_dir(const char *name, int flags)
{
    int dir_fd = open_dir(), fd;

    if (dir_fd < 0)
        return dir_fd;
    fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = -errno;
    close(dir_fd);
    return fd;
}

int move_open(const char *name)
{
    int rc = make_dir();

    return rc ? rc : open_in_dir(name, O_RDWR | O_CREAT);
}

/* ---- the lock ---- */

/* Uuids are random: no two domains have the same byte. */
static struct flock lock_of(const uint8_t uuid[16])
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
    uint64_t byte = 0;
    unsigned i;

    for (i = 0; i < 16; i++)
        byte = byte * 257 + uuid[i];
    lock.l_start = byte >> 2;
    return lock;
}

int move_lock(const uint8_t uuid[16], int *fd_r)
{
    struct flock lock = lock_of(uuid);
    int fd = move_open("lock"), rc;

    if (fd < 0)
        return fd;
    if (!fcntl(fd, F_OFD_SETLK, &lock)) {
        *fd_r = fd;
        return 0;
    }
    rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    close(fd);
    return rc;
}

bool move_is_locked(const uint8_t uuid[16])
{
    struct flock lock = lock_of(uuid);
    int fd = open_in_dir("lock", O_RDWR);
    bool locked;

    if (fd < 0)
        return false;
    locked = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

/* ---- the journal ---- */

static char *format(const struct move *move)
{
    char *text;

    if (asprintf(&text, "domain %" PRIu32 "\nsession %ld %llu\n%sname %s\n",
                 move->domid, (long)move->session, move->start,
                 move->watched ? "watched\n" : "", move->name) < 0)
        return NULL;
    return text;
}

static int write_text(int fd, const char *text)
{
    ssize_t size = strlen(text), written = write(fd, text, size);

    if (written == size)
        return 0;
    return written < 0 ? -errno : -ENOSPC;
}

static int write_journal(int dir_fd, const char *name, const char *text)
{
    char new_name[NAME_SIZE + 4];
    int fd, rc;

    snprintf(new_name, sizeof(new_name), "%s.new", name);
    fd = openat(dir_fd, new_name,
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_text(fd, text);
    close(fd);
    if (!rc && renameat(dir_fd, new_name, dir_fd, name))
        rc = -errno;
    if (rc)
        unlinkat(dir_fd, new_name, 0);
    return rc;
}

int move_begin(const struct move *move)
{
    char name[NAME_SIZE], *text;
    int dir_fd, rc;

    if (strchr(move->name, '\n'))
        return -EINVAL;
    text = format(move);
    if (!text)
        return -ENOMEM;
    if (strlen(text) >= NOTES_AT) {
        free(text);
        return -ENAMETOOLONG;
    }
    dir_fd = make_dir();
    if (!dir_fd)
        dir_fd = open_dir();
    rc = dir_fd;
    if (dir_fd >= 0) {
        name_journal(move->uuid, name);
        rc = write_journal(dir_fd, name, text);
        close(dir_fd);
    }
    free(text);
    return rc;
}

void move_note(const uint8_t uuid[16], const char *word)
{
    char name[NAME_SIZE], line[32];
    int fd;

    name_journal(uuid, name);
    fd = open_in_dir(name, O_WRONLY | O_APPEND);
    if (fd < 0)
        return;
    snprintf(line, sizeof(line), "%s\n", word);
    write_text(fd, line);
    close(fd);
}

void move_end(const uint8_t uuid[16])
{
    char name[NAME_SIZE];
    int dir_fd = open_dir();

    if (dir_fd < 0)
        return;
    name_journal(uuid, name);
    unlinkat(dir_fd, name, 0);
    close(dir_fd);
}

/* ---- reading ---- */

static int parse_line(struct move *move, const char *line)
{
    long session;

    if (!strncmp(line, "name ", 5) && !move->name) {
        move->name = strdup(line + 5);
        return move->name ? 0 : -ENOMEM;
    }
    if (sscanf(line, "session %ld %llu", &session, &move->start) == 2)
        move->session = session;
    else if (sscanf(line, "domain %" SCNu32, &move->domid) != 1) {
        move->watched |= !strcmp(line, "watched");
        move->asked |= !strcmp(line, MOVE_ASKED);
        move->answered |= !strcmp(line, MOVE_ANSWERED);
        move->received |= !strcmp(line, MOVE_RECEIVED);
    }
    return 0;
}

/* A line without its end was not written to the end. */
static int parse(struct move *move, char *text)
{
    char *line = text, *end;
    int rc = 0;

    for (; !rc && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        rc = parse_line(move, line);
    }
    if (!rc && (!move->name || !move->domid || move->session <= 1 ||
                !move->start))
        rc = -EINVAL;
    return rc;
}

/* "move-" and 32 digits. */
static bool parse_name(const char *name, uint8_t uuid[16])
{
    unsigned i, n;

    if (strlen(name) != NAME_SIZE - 1 ||
        strncmp(name, PREFIX, sizeof(PREFIX) - 1))
        return false;
    name += sizeof(PREFIX) - 1;
    if (strspn(name, "0123456789abcdef") != 32)
        return false;
    for (i = 0; i < 16; i++) {
        sscanf(name + 2 * i, "%2x", &n);
        uuid[i] = n;
    }
    return true;
}

static int read_text(const char *name, char *text)
{
    int fd = open_in_dir(name, O_RDONLY);
    ssize_t size;

    if (fd < 0)
        return fd;
    size = read(fd, text, JOURNAL_MAX - 1);
    close(fd);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    return 0;
}

int move_read(const uint8_t uuid[16], struct move **move_r)
{
    char name[NAME_SIZE], text[JOURNAL_MAX];
    struct move *move;
    int rc;

    name_journal(uuid, name);
    rc = read_text(name, text);
    if (rc)
        return rc;
    move = calloc(1, sizeof(*move));
    if (!move)
        return -ENOMEM;
    memcpy(move->uuid, uuid, sizeof(move->uuid));
    rc = parse(move, text);
    if (rc) {
        move_free(move);
        return rc;
    }
    *move_r = move;
    return 0;
}

static int add_journal(const char *name, struct move ***moves, unsigned *nr)
{
    struct move **more, *move;
    uint8_t uuid[16];
    int rc;

    if (!parse_name(name, uuid))
        return 0;
    rc = move_read(uuid, &move);
    if (rc)
        return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
    more = realloc(*moves, (*nr + 1) * sizeof(*more));
    if (!more) {
        move_free(move);
        return -ENOMEM;
    }
    more[(*nr)++] = move;
    *moves = more;
    return 0;
}

int move_read_all(struct move ***moves_r, unsigned *nr_r)
{
    int fd = open_dir(), rc = 0;
    struct move **moves = NULL;
    struct dirent *entry;
    unsigned nr = 0;
    DIR *dir;

    *moves_r = NULL;
    *nr_r = 0;
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    while (!rc && (entry = readdir(dir)))
        rc = add_journal(entry->d_name, &moves, &nr);
    closedir(dir);
    if (rc) {
        move_free_all(moves, nr);
        return rc;
    }
    *moves_r = moves;
    *nr_r = nr;
    return 0;
}

void move_free(struct move *move)
{
    if (!move)
        return;
    free(move->name);
    free(move);
}

void move_free_all(struct move **moves, unsigned nr)
{
    while (nr)
        move_free(moves[--nr]);
    free(moves);
}
