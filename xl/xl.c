/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The xl that stands in front of the installed one. A command of ours goes to
 * xl-numa. One that makes a domain, or sends one on, goes to the installed xl
 * with the placement module loaded; every other goes there as it is. Either way
 * this process becomes the other: arguments, streams and exit status are its
 * own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "placement/environment.h"
#include "release/complain.h"
#include "release/installed_commands.h"
#include "release/installed_xl.h"

/* The commands that make domains, and so need the module; and those that send
 * one on, with what `--keep` has noted of it. */
static const char *const placing_commands[] = {
    "create", "migrate-receive", "restore",
};
static const char *const sending_commands[] = {
    "migrate", "remus", "save",
};

/* The commands of xl-numa, which have their records there. */
static const char *const our_commands[] = {
    "info", "node-affinity", "numa-info", "numa-map", "numa-move", "numa-plan",
    "numa-simulate", "numa-snapshot", "numa-stat", "numa-top", "vcpu-list",
    "vcpu-pin",
};

/* The options of these commands that the installed xl has. Any other option
 * makes the command ours. */
static const struct {
    const char *name;
    const char *options[5];
} shared_commands[] = {
    { "info", { "-n", "--n", "--nu", "--num", "--numa" } },
    { "vcpu-list", { NULL } },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- which command ---- */

static bool is_one_of(const char *word, const char *const *names, size_t nr)
{
    size_t i;

    for (i = 0; word && i < nr; i++)
        if (names[i] && !strcmp(names[i], word))
            return true;
    return false;
}

/* Finds the name that `word` is, or begins; how many it could be. */
static unsigned match(const char *word, const char *const *names, size_t nr,
                      const char **found_r)
{
    unsigned matches = 0;
    size_t i;

    for (i = 0; i < nr; i++) {
        if (strncmp(names[i], word, strlen(word)))
            continue;
        *found_r = names[i];
        if (!strcmp(names[i], word))
            return 1;
        matches++;
    }
    return matches;
}

/* Finds the one of the commands above that `word` is, or begins. */
static unsigned match_ours(const char *word, const char **found_r)
{
    const char *found[3] = { NULL };
    unsigned nr[] = {
        match(word, our_commands, ARRAY_SIZE(our_commands), &found[0]),
        match(word, placing_commands, ARRAY_SIZE(placing_commands), &found[1]),
        match(word, sending_commands, ARRAY_SIZE(sending_commands), &found[2]),
    };
    unsigned i, sum = 0;

    for (i = 0; i < ARRAY_SIZE(nr); i++) {
        sum += nr[i];
        if (!found[i])
            continue;
        *found_r = found[i];
        if (!strcmp(found[i], word))
            return 1;
    }
    return sum;
}

/* The commands of the installed xl; NULL: they are not known. */
static char **ask_installed_xl(void)
{
    char release[32], path[PATH_MAX];
    bool running = running_release(release, sizeof(release));

    return find_installed_xl(running ? release : NULL, path, sizeof(path))
               ? installed_commands(path) : NULL;
}

/* How many of the names, which may be NULL, begin so, and one of them. */
static unsigned match_names(const char *word, char **names,
                            const char **found_r)
{
    size_t nr = 0;

    while (names && names[nr])
        nr++;
    return nr ? match(word, (const char *const *)names, nr, found_r) : 0;
}

/* What the installed xl makes of a short word: NULL, where it takes it for
 * nothing; else `ours`, where it does not know the word. */
static const char *expand(const char *word, const char *ours, unsigned nr_ours)
{
    char **names = ask_installed_xl();
    const char *stock = NULL, *found = NULL;
    unsigned nr_stock = match_names(word, names, &stock);

    if (nr_stock == 1)
        match_ours(stock, &found);
    else if (!nr_stock && nr_ours == 1)
        found = ours;
    if (nr_stock == 1 && found && strcmp(found, stock))
        found = NULL;
    installed_commands_free(names);
    return found;
}

/*
 * The full name of a command that is more than the installed xl's; NULL: it is
 * none, or that one has to say what is wrong with it. A word that is not such
 * command, nor the beginning of one, is the installed xl's. Only where it is
 * shorter than one, that xl is asked for its commands: it takes a word for the
 * one that begins so, if no other does. What it does not know may be ours.
 */
static const char *find_command(const char *word)
{
    const char *ours = NULL;
    unsigned nr_ours = *word ? match_ours(word, &ours) : 0;

    if (!nr_ours || !ours)
        return NULL;
    return strcmp(word, ours) ? expand(word, ours, nr_ours) : ours;
}

static bool places_domains(const char *command)
{
    return is_one_of(command, placing_commands, ARRAY_SIZE(placing_commands));
}

static bool sends_domains(const char *command)
{
    return is_one_of(command, sending_commands, ARRAY_SIZE(sending_commands));
}

/* Whether xl-numa runs the command with these arguments. */
static bool is_ours(const char *command, int argc, char **argv)
{
    size_t i;
    int arg;

    if (!is_one_of(command, our_commands, ARRAY_SIZE(our_commands)))
        return false;
    for (i = 0; i < ARRAY_SIZE(shared_commands); i++)
        if (!strcmp(shared_commands[i].name, command))
            break;
    if (i == ARRAY_SIZE(shared_commands))
        return true;
    for (arg = 1; arg < argc && strcmp(argv[arg], "--"); arg++)
        if (argv[arg][0] == '-' && argv[arg][1] &&
            !is_one_of(argv[arg], shared_commands[i].options,
                       ARRAY_SIZE(shared_commands[i].options)))
            return true;
    return false;
}

/* `xl create --plan FILE` makes many domains, by an `xl create` for each. */
static bool is_planned_create(const char *command, int argc, char **argv)
{
    int arg;

    if (strcmp(command, "create"))
        return false;
    for (arg = 1; arg < argc && strcmp(argv[arg], "--"); arg++)
        if (!strcmp(argv[arg], "--plan") || !strncmp(argv[arg], "--plan=", 7))
            return true;
    return false;
}

/* Whether the options of `xl create` ask for a dry run. argv is reordered. */
static bool has_dry_run_option(int argc, char **argv)
{
    static const struct option options[] = {
        { "defconfig", required_argument, NULL, 'f' },
        { "dryrun", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { "ignore-global-affinity-masks", no_argument, NULL, 'i' },
        { "quiet", no_argument, NULL, 'q' },
        { "vncviewer", no_argument, NULL, 'V' },
        { "vncviewer-autopass", no_argument, NULL, 'A' },
        { 0 },
    };
    bool dry_run = false;
    int opt;

    /* The file first, as the installed xl takes it. */
    if (argc > 1 && argv[1][0] != '-' && !strchr(argv[1], '=')) {
        argc--;
        argv++;
    }
    optind = 0;
    while ((opt = getopt_long(argc, argv, "AFVcdef:inpqh", options, NULL)) >= 0)
        dry_run |= opt == 'n';
    return dry_run;
}

/* The command of a command line, its position, and whether it is a dry run. */
static const char *read_command_line(int argc, char **argv, int *at_r,
                                     bool *dry_run_r)
{
    char **copy = calloc(argc + 1, sizeof(*copy));
    const char *command;
    bool dry_run = false;
    int opt, at;

    *dry_run_r = false;
    if (!copy)
        return NULL;
    memcpy(copy, argv, argc * sizeof(*copy));
    opterr = 0;
    while ((opt = getopt(argc, copy, "+vftTN")) >= 0) {
        if (opt == '?') {
            free(copy);
            return NULL;
        }
        dry_run |= opt == 'N';
    }
    at = optind;
    if (at == argc) {
        free(copy);
        return NULL;
    }
    command = find_command(copy[at]);
    if (command && !strcmp(command, "create"))
        dry_run |= has_dry_run_option(argc - at, copy + at);
    free(copy);
    *at_r = at;
    *dry_run_r = dry_run;
    return command;
}

/* ---- the module ---- */

/* Whether the module can be loaded; says why not, and what that means. Whether
 * it can serve the installed libxl it finds out there. */
static bool check_module(const char *so)
{
    void *module = dlopen(MODULE_PATH, RTLD_LAZY | RTLD_LOCAL);
    bool good = false;

    if (!module) {
        complain("cannot load the placement module: %s: %s", dlerror(), so);
        return false;
    }
    if (strpbrk(MODULE_PATH, " :"))
        complain("cannot load a module from '%s': the path has a blank or a "
                 "colon: %s", MODULE_PATH, so);
    else if (!dlsym(module, MODULE_RELEASE_SYMBOL))
        complain("'%s' is not a placement module: %s", MODULE_PATH, so);
    else
        good = true;
    dlclose(module);
    return good;
}

static int load_module(bool dry_run)
{
    const char *others = getenv("LD_PRELOAD");
    char *list;
    int r;

    unsetenv(MODULE_DRY_RUN);
    if (dry_run && setenv(MODULE_DRY_RUN, "1", 1))
        return -errno;
    r = others && *others ? asprintf(&list, MODULE_PATH ":%s", others)
                          : asprintf(&list, MODULE_PATH);
    if (r < 0)
        return -ENOMEM;
    r = setenv("LD_PRELOAD", list, 1) ? -errno : 0;
    free(list);
    return r;
}

static bool prepare_module(bool dry_run, const char *so)
{
    if (!check_module(so))
        return false;
    if (!load_module(dry_run))
        return true;
    complain("out of memory: %s", so);
    return false;
}

/* What xl-numa has started the installed xl for, that does not know it. */
static bool needs_module(void)
{
    return getenv(MODULE_MOVE) || getenv(MODULE_ADOPT);
}

/* Load the module for a command that needs it. False: it is not to run. */
static bool prepare(const char *command, const char *release, bool dry_run)
{
    bool loaded = false;

    unsetenv(MODULE_SENDS);
    if (places_domains(command)) {
        if (release)
            loaded = prepare_module(dry_run, "domains are placed by xl itself");
        else
            complain("no running Xen according to " SYSFS_VERSION ": '%s' "
                     "cannot place a domain", command);
    } else if (sends_domains(command) && release) {
        loaded = prepare_module(false, "the settings of --keep are lost");
        setenv(MODULE_SENDS, "1", 1);
    }
    if (loaded || !needs_module())
        return true;
    complain("'%s' cannot run for xl-numa without the placement module",
             command ? command : "");
    return false;
}

static bool called_in_a_circle(void)
{
    const char *guard = getenv(MODULE_GUARD);

    return guard && strtol(guard, NULL, 10) == (long)getpid();
}

static int become(const char *path, char **argv)
{
    char pid[24];

    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv(MODULE_GUARD, pid, 1);
    execv(path, argv);
    complain("cannot run '%s': %s", path, strerror(errno));
    return EXIT_FAILURE;
}

/* The xl-numa of the tree that this xl was built in; false: it is installed. */
static bool find_built(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *name;

    if (size < 0)
        return false;
    path[size] = '\0';
    name = strrchr(path, '/');
    if (!name || name - path + sizeof("/xl-numa") > PATH_MAX)
        return false;
    memcpy(name, "/xl-numa", sizeof("/xl-numa"));
    return !access(path, X_OK);
}

static int run_ours(const char *command, int at, char **argv)
{
    char built[PATH_MAX];
    const char *path = find_built(built) ? built : COMMANDS_PATH;

    argv[at] = (char *)(uintptr_t)command;
    execv(path, argv);
    complain("cannot run '%s': %s", path, strerror(errno));
    return EXIT_FAILURE;
}

/* ---- help ---- */

/* A word that xl-numa is to say more of: no command of the installed xl begins
 * so. */
static bool is_for_numa(const char *word)
{
    const char *stock;
    char **names;
    bool none;

    if (strncmp(word, "numa", 4))
        return false;
    names = ask_installed_xl();
    none = !match_names(word, names, &stock);
    installed_commands_free(names);
    return none;
}

/* `xl help`, of all commands. */
static bool asks_for_help(int argc, char **argv)
{
    return argc == 2 && !strcmp(argv[1], "help");
}

/* The commands of the installed xl, and then those of xl-numa. */
static int help(const char *installed, char **argv)
{
    int status = 0;
    pid_t pid = installed ? fork() : -1;

    if (!pid)
        exit(become(installed, argv));
    if (pid > 0 && (waitpid(pid, &status, 0) < 0 || status))
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
    if (pid > 0)
        putchar('\n');
    fflush(stdout);
    return run_ours("numa", 1, argv);
}

int main(int argc, char **argv)
{
    char release_text[32], *release = NULL, path[PATH_MAX];
    const char *command;
    bool dry_run, installed;
    int at = 0;

    if (called_in_a_circle()) {
        complain("the installed xl is this one: expected another in PATH");
        return EXIT_FAILURE;
    }
    command = read_command_line(argc, argv, &at, &dry_run);
    if (running_release(release_text, sizeof(release_text)))
        release = release_text;
    if (command && (is_planned_create(command, argc - at, argv + at) ||
                    is_ours(command, argc - at, argv + at)))
        return run_ours(command, at, argv);
    if (!command && at && is_for_numa(argv[at]))
        return run_ours(argv[at], at, argv);
    installed = find_installed_xl(release, path, sizeof(path));
    if (asks_for_help(argc, argv))
        return help(installed ? path : NULL, argv);
    if (!installed) {
        complain("cannot find the installed xl, neither for the running Xen "
                 "nor in PATH");
        return EXIT_FAILURE;
    }
    if (!prepare(command, release, dry_run))
        return EXIT_FAILURE;
    return become(path, argv);
}
