/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A target without a fuzzer, for any compiler: it is given its corpus once, or
 * the files that are named, which is also what other fuzzers start.
 */
#include <glob.h>

#include "../unit/tap.h"
#include "fuzz.h"

static void replay(const char *path)
{
    size_t size, room = 1 << 20;
    uint8_t *data = malloc(room);
    FILE *f = fopen(path, "r");

    need(data && f, path);
    size = fread(data, 1, room, f);
    fclose(f);
    /* In a block of its size. */
    data = realloc(data, size ? size : 1);
    need(data, "realloc");
    printf("# %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned replay_corpus(void)
{
    const char *top = getenv("top_srcdir");
    char pattern[4096];
    glob_t files;
    size_t nr;

    snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/corpus/" TARGET "/*",
             top ? top : ".");
    if (glob(pattern, 0, NULL, &files))
        return 0;
    for (size_t i = 0; i < files.gl_pathc; i++)
        replay(files.gl_pathv[i]);
    nr = files.gl_pathc;
    globfree(&files);
    return nr;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        while (*++argv)
            replay(*argv);
        return 0;
    }
    ok(replay_corpus(), "all of the corpus is read as it should be");
    return tap_done();
}
