/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "release/complain.h"
#include "views/terminal.h"
#include "views/top_view.h"
#include "top_screen.h"

/* A serial console sends the parts of a key slowly. */
#define ESCAPE_MS 200

#define CTRL_L 014

enum { COLOUR_ALARM = 1, COLOUR_HEADING };

static SCREEN *screen;
static int saved_stderr = -1;
static sigset_t outside_mask;
static volatile sig_atomic_t over;

static void end_it(int signal)
{
    (void)signal;
    over = 1;
}

/* ---- taking and giving back ---- */

static bool is_terminal(void)
{
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return true;
    complain("numa-top: stdin and stdout have to be a terminal: use --batch");
    return false;
}

/* False: it printed why. */
static bool begin_screen(void)
{
    const char *term = getenv("TERM");

    if (term && *term && strcmp(term, "dumb"))
        screen = newterm(NULL, stdout, stdin);
    if (screen && tigetstr("cup"))
        return true;
    top_screen_close();
    complain("numa-top: cannot move the cursor of this terminal "
             "(TERM='%.40s'): use --batch", term ? term : "");
    return false;
}

/* libxl logs there, in the middle of the screen. */
static void drop_stderr(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fflush(stderr);
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (null >= 0 && saved_stderr >= 0)
        dup2(null, STDERR_FILENO);
    if (null >= 0)
        close(null);
}

static void restore_stderr(void)
{
    if (saved_stderr < 0)
        return;
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    saved_stderr = -1;
}

/* Signals are handled only while it waits. A signal that comes just before a
 * wait ends that wait, too. */
static void hold_signals(void)
{
    struct sigaction action = { .sa_handler = end_it };
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    sigset_t held;
    unsigned i;

    sigemptyset(&held);
    sigaddset(&held, SIGWINCH);
    for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        sigaddset(&held, ends[i]);
        sigaction(ends[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &held, &outside_mask);
    for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        sigdelset(&outside_mask, ends[i]);
    sigdelset(&outside_mask, SIGWINCH);
}

static void prepare_colours(void)
{
    if (!terminal_has_colour() || !has_colors() || start_color() == ERR)
        return;
    use_default_colors();
    init_pair(COLOUR_ALARM, COLOR_RED, -1);
    init_pair(COLOUR_HEADING, COLOR_BLUE, -1);
}

bool top_screen_open(void)
{
    if (!is_terminal() || !begin_screen())
        return false;
    hold_signals();
    drop_stderr();
    prepare_colours();
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    return true;
}

void top_screen_close(void)
{
    if (!screen)
        return;
    /* Not every terminal has a second screen. Without one, a prompt comes
     * here. */
    mvaddstr(LINES - 1, 0, "");
    clrtoeol();
    refresh();
    endwin();
    delscreen(screen);
    screen = NULL;
    restore_stderr();
}

/* ---- out ---- */

void top_screen_size(unsigned *width_r, unsigned *height_r)
{
    *width_r = COLS > 1 ? COLS : 1;
    *height_r = LINES > 1 ? LINES : 1;
}

/* Without colours it is bold. */
static attr_t alarm_of(short *pair)
{
    short red, back;

    *pair = 0;
    if (pair_content(COLOUR_ALARM, &red, &back) != ERR && red == COLOR_RED)
        *pair = COLOUR_ALARM;
    return A_BOLD;
}

static void style_of(enum page_style style, attr_t *attr, short *pair)
{
    *pair = 0;
    switch (style) {
    case PAGE_TITLE:    *attr = A_BOLD; break;
    case PAGE_HEADING:  *attr = A_REVERSE; break;
    case PAGE_SELECTED: *attr = A_REVERSE | A_BOLD; break;
    case PAGE_ALARM:    *attr = alarm_of(pair); break;
    default:            *attr = A_NORMAL; break;
    }
}

void top_screen_show(const struct page *page)
{
    unsigned i;
    attr_t attr;
    short pair;

    erase();
    for (i = 0; i < page->nr; i++) {
        const struct page_line *line = &page->lines[i];

        style_of(line->style, &attr, &pair);
        mvaddstr(i, 0, line->text);
        mvchgat(i, 0, -1, attr, pair, NULL);
        if (line->nr_marked) {
            attr = alarm_of(&pair);
            mvchgat(i, line->mark_from, line->nr_marked, attr, pair, NULL);
        }
    }
    refresh();
}

/* ---- in ---- */

/* False: time or a signal. */
static bool wait_input(double seconds)
{
    struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
    struct timespec t = { 0 };

    if (seconds > 0) {
        t.tv_sec = seconds;
        t.tv_nsec = (seconds - t.tv_sec) * 1e9;
    }
    if (ppoll(&fd, 1, &t, &outside_mask) <= 0)
        return false;
    if (!(fd.revents & POLLIN))
        over = 1;
    return true;
}

static int key_of(int key)
{
    switch (key) {
    case KEY_UP:        return TOP_KEY_UP;
    case KEY_DOWN:      return TOP_KEY_DOWN;
    case KEY_PPAGE:     return TOP_KEY_PAGE_UP;
    case KEY_NPAGE:     return TOP_KEY_PAGE_DOWN;
    case KEY_HOME:      return TOP_KEY_HOME;
    case KEY_END:       return TOP_KEY_END;
    case KEY_ENTER:
    case '\r':
    case '\n':          return TOP_KEY_ENTER;
    case '\033':        return TOP_KEY_ESCAPE;
    case KEY_BACKSPACE:
    case 127:
    case '\b':          return TOP_KEY_ERASE;
    case KEY_RESIZE:    return TOP_SCREEN_RESIZED;
    case CTRL_L:        clearok(curscr, TRUE); return TOP_SCREEN_RESIZED;
    default:            return key < KEY_MIN ? key : 0;
    }
}

int top_screen_wait(double seconds)
{
    int key = getch();
    bool input;

    if (key != ERR)
        return key_of(key);
    input = wait_input(seconds);
    if (over)
        return TOP_SCREEN_OVER;
    key = getch();
    if (key != ERR)
        return key_of(key);
    /* Empty input is the end of the input. */
    return input ? TOP_SCREEN_OVER : TOP_SCREEN_TIME;
}

/* ---- another program ---- */

static void spawn_and_wait(char *const argv[])
{
    posix_spawnattr_t attr;
    int rc = posix_spawnattr_init(&attr), status;
    pid_t pid;

    if (!rc)
        rc = posix_spawnattr_setsigmask(&attr, &outside_mask);
    if (!rc)
        rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    if (!rc)
        rc = posix_spawn(&pid, "/proc/self/exe", NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    if (rc) {
        complain("cannot run xl %s: %s", argv[1], strerror(rc));
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
}

/* Ctrl-C is meant for the program that is in front. */
static void forget_interrupt(void)
{
    static const struct timespec at_once;
    sigset_t interrupt;

    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    while (sigtimedwait(&interrupt, NULL, &at_once) > 0)
        ;
}

void top_screen_run(char *const argv[])
{
    char rest[256];
    unsigned i;

    endwin();
    restore_stderr();
    printf("xl");
    for (i = 1; argv[i]; i++)
        printf(" %s", argv[i]);
    printf("\n");
    fflush(stdout);
    spawn_and_wait(argv);
    forget_interrupt();
    printf("Press Enter to go back to numa-top.\n");
    fflush(stdout);
    if (wait_input(3600))
        (void)!read(STDIN_FILENO, rest, sizeof(rest));
    drop_stderr();
    refresh();
}
