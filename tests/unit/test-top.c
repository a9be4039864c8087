/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What numa-top shows: screens as text, for hosts and terminals of any size,
 * and what keys and the next samples do to them. UPDATE_EXPECTED=1 in the
 * environment writes the files in screens/ anew.
 */
#include <locale.h>
#include <wchar.h>

#include "fake-alloc.h"
#include "random.h"
#include "tap.h"
#include "top-hosts.h"
#include "views/fit_text.h"
#include "views/top_pace.h"
#include "views/top_page.h"

struct screen {
    struct top top;
    struct top_view view;
    struct page page;
};

static void add(struct screen *s, const struct top_host *h, double time_s)
{
    must(top_add(&s->top, make_top_host(h), time_s));
    must(top_view_update(&s->view, &s->top));
}

static void begin(struct screen *s, unsigned nr_nodes, unsigned nr_domains,
                  unsigned width, unsigned height)
{
    const struct top_host h = {
        .nr_nodes = nr_nodes, .nr_domains = nr_domains, .first = 1,
    };

    *s = (struct screen){
        .view = { .own_percent = -1, .wish_s = 2, .interval_s = 2 },
        .page = { .width = width, .height = height },
    };
    add(s, &h, 1);
}

static void end(struct screen *s)
{
    page_clear(&s->page);
    top_view_dispose(&s->view);
    top_dispose(&s->top);
}

static void draw(struct screen *s)
{
    page_clear(&s->page);
    must(top_page_fill(&s->top, &s->view, &s->page));
}

static enum top_action press(struct screen *s, int key)
{
    enum top_action action = top_view_key(&s->view, &s->top, key);

    must(top_view_update(&s->view, &s->top));
    draw(s);
    return action;
}

static void type(struct screen *s, const char *text)
{
    for (; *text; text++)
        press(s, (unsigned char)*text);
}

/* NULL: no line has it. */
static const char *line_with(const struct screen *s, const char *text)
{
    unsigned i;

    for (i = 0; i < s->page.nr; i++)
        if (strstr(s->page.lines[i].text, text))
            return s->page.lines[i].text;
    return NULL;
}

static const char *last_line(const struct screen *s)
{
    return s->page.lines[s->page.nr - 1].text;
}

/* ---- text in columns ---- */

static void is_fit(const char *text, unsigned columns, const char *expected)
{
    char buffer[FIT_SIZE(FIT_MAX)], what[100];

    snprintf(what, sizeof(what), "a text in %u columns is '%s'", columns,
             expected);
    is_str(fit_text(text, columns, buffer), expected, what);
}

static void test_fit(void)
{
    char *line;

    is_fit("web", 6, "web   ");
    is_fit("webweb", 6, "webweb");
    is_fit("webweb7", 6, "webwe\u2026");
    is_fit("\u65e5\u672c\u8a9e", 6, "\u65e5\u672c\u8a9e");
    is_fit("\u65e5\u672c\u8a9e\u65e5", 6, "\u65e5\u672c\u2026 ");
    is_fit("\u65e5", 1, "\u2026");
    is_fit("a\033[1mb", 6, "a\ufffd[1mb");
    is_fit("a\xff" "b", 6, "a\ufffdb   ");
    is_fit("e\u0301e\u0301", 4, "e\u0301e\u0301  ");
    is_fit("", 2, "  ");
    line = fit_line("a\nb\u202ec\u65e5", 5);
    is_str(line, "a\ufffdb\ufffd\u2026", "a line is cut where it does not fit");
    free(line);
    setlocale(LC_CTYPE, "C");
    is_fit("\u65e5 \u672c!", 6, "? ?!  ");
    setlocale(LC_CTYPE, "C.UTF-8");
}

/* ---- screens ---- */

static unsigned width_of(const char *text)
{
    wchar_t wide[1024];
    size_t n = mbstowcs(wide, text, 1024);

    return n < 1024 ? wcswidth(wide, n) : 9999;
}

/* Whether it fills the screen and no more. */
static bool fits(const struct screen *s)
{
    unsigned i;

    for (i = 0; i < s->page.nr; i++)
        if (width_of(s->page.lines[i].text) > s->page.width)
            return false;
    return s->page.nr == s->page.height;
}

static unsigned nr_lines_with_guests(const struct screen *s)
{
    unsigned i, nr = 0;

    for (i = 0; i < s->page.nr; i++) {
        const char *text = s->page.lines[i].text;

        nr += *text && !strncmp(text + 1, "guest", 5);
    }
    return nr;
}

static void test_size(unsigned nr_nodes, unsigned nr_domains, unsigned width,
                      unsigned height)
{
    struct screen s;

    begin(&s, nr_nodes, nr_domains, width, height);
    draw(&s);
    ok(fits(&s) && (height < 12 || nr_lines_with_guests(&s) + 3 >=
                    (nr_domains == 5 ? 5 : (height - 6) / 2)),
       "%ux%u, %u nodes, %u domains: the page fills the screen, with room for "
       "domains",
       width, height, nr_nodes, nr_domains);
    end(&s);
}

static void test_sizes(void)
{
    static const unsigned nodes[] = { 1, 2, 8, 32, 64 };
    static const unsigned domains[] = { 5, 300 };
    static const unsigned sizes[][2] = {
        { 80, 24 }, { 200, 60 }, { 40, 12 }, { 132, 43 }, { 20, 5 },
    };
    unsigned i, j, k;

    for (i = 0; i < 5; i++)
        for (j = 0; j < 2; j++)
            for (k = 0; k < 5; k++)
                test_size(nodes[i], domains[j], sizes[k][0], sizes[k][1]);
    test_size(8, 300, 1, 1);
}

static char *page_text(const struct page *page)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    page_print(page, f);
    fclose(f);
    return text;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "r");

    if (f && getdelim(&text, &size, '\0', f) < 0)
        must(EIO);
    if (f)
        fclose(f);
    return text;
}

static void test_screen(unsigned nr_nodes, unsigned nr_domains, unsigned width,
                        unsigned height)
{
    const char *top = getenv("top_srcdir");
    char path[4096], *got, *expected;
    struct screen s;
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/unit/screens/%u-%u-%ux%u",
             top ? top : ".", nr_nodes, nr_domains, width, height);
    begin(&s, nr_nodes, nr_domains, width, height);
    draw(&s);
    f = getenv("UPDATE_EXPECTED") ? fopen(path, "w") : NULL;
    if (f) {
        page_print(&s.page, f);
        fclose(f);
    }
    got = page_text(&s.page);
    expected = read_text(path);
    snprintf(path, sizeof(path), "%ux%u, %u nodes, %u domains: the page is "
             "that of tests/unit/screens", width, height, nr_nodes, nr_domains);
    is_str(got, expected, path);
    free(got);
    free(expected);
    end(&s);
}

static void test_screens(void)
{
    test_screen(2, 5, 80, 24);
    test_screen(8, 5, 200, 60);
    test_screen(8, 300, 80, 24);
    test_screen(32, 300, 80, 24);
    test_screen(64, 300, 80, 24);
    test_screen(64, 300, 80, 16);
    test_screen(64, 300, 200, 60);
}

/* ---- keys ---- */

static uint32_t selected(const struct screen *s)
{
    const struct top_domain *t = top_view_selected(&s->view);

    return t ? t->d->r->domain->domid : UINT32_MAX;
}

static void test_moving_about(void)
{
    struct screen s;
    uint32_t first;

    begin(&s, 8, 300, 80, 24);
    draw(&s);
    first = selected(&s);
    press(&s, TOP_KEY_DOWN);
    ok(s.view.at == 1 && selected(&s) != first, "Down selects the next domain");
    press(&s, TOP_KEY_UP);
    press(&s, TOP_KEY_UP);
    ok(selected(&s) == first, "Up stops at the first domain");
    press(&s, TOP_KEY_PAGE_DOWN);
    ok(s.view.at == s.view.nr_shown, "PgDn moves by a screen");
    press(&s, TOP_KEY_END);
    ok(s.view.at == 300 && line_with(&s, " guest300"),
       "End selects the last domain");
    press(&s, TOP_KEY_DOWN);
    ok(s.view.at == 300, "Down stops at the last domain");
    press(&s, TOP_KEY_HOME);
    ok(s.view.at == 0 && selected(&s) == first,
       "Home selects the first domain");
    end(&s);
}

static void test_sorting(void)
{
    struct screen s;
    unsigned i;

    begin(&s, 8, 300, 80, 24);
    ok(top_view_selected(&s.view)->d->is_remote,
       "the domain with most remote memory is first");
    press(&s, 'M');
    ok(top_view_selected(&s.view)->d->total_bytes == 4 * GIB,
       "M sorts by memory");
    press(&s, 'N');
    is_str(top_view_selected(&s.view)->d->label, "Domain-0", "N sorts by name");
    press(&s, 'R');
    is_str(top_view_selected(&s.view)->d->label, "guest99",
           "R reverses the order");
    press(&s, 'W');
    for (i = 0; i < TOP_NR_SORTS; i++)
        press(&s, '>');
    ok(s.view.sort == TOP_BY_WORST, "> goes through all columns");
    press(&s, '<');
    ok(s.view.sort == TOP_BY_CPU && strstr(last_line(&s), "(CPU%)"),
       "< sorts by the column before, and the last line names it");
    end(&s);
}

static void test_filters(void)
{
    struct screen s;

    begin(&s, 8, 300, 80, 24);
    press(&s, 'r');
    ok(s.view.nr_rows == s.top.map->nr_remote, "r shows remote domains only");
    ok(strstr(last_line(&s), "remote only") != NULL,
       "the last line says that only remote domains are shown");
    press(&s, 'r');
    press(&s, '/');
    type(&s, "guest12x");
    press(&s, TOP_KEY_ERASE);
    press(&s, TOP_KEY_ENTER);
    ok(s.view.nr_rows == 11, "/ shows the domains whose name has the text");
    press(&s, TOP_KEY_ESCAPE);
    ok(s.view.nr_rows == 301, "Esc shows all domains again");
    press(&s, 'n');
    type(&s, "5");
    press(&s, TOP_KEY_ENTER);
    ok(s.view.on_node && s.view.nr_rows > 0 && s.view.nr_rows < 120,
       "n shows the domains on a node");
    press(&s, 'n');
    type(&s, "8");
    press(&s, TOP_KEY_ENTER);
    is_str(last_line(&s), "this host has no node '8'",
           "n refuses a node that does not exist");
    press(&s, TOP_KEY_ESCAPE);
    press(&s, '/');
    type(&s, "nothing");
    press(&s, TOP_KEY_ENTER);
    ok(line_with(&s, "no domain matches") != NULL,
       "a line says that no domain matches");
    press(&s, TOP_KEY_ENTER);
    press(&s, TOP_KEY_DOWN);
    press(&s, 'm');
    is_str(last_line(&s), "there is no domain to move",
           "m says that there is no domain to move");
    end(&s);
}

static void test_vcpus(void)
{
    struct screen s;

    begin(&s, 8, 5, 80, 24);
    press(&s, '/');
    type(&s, "guest1");
    press(&s, TOP_KEY_ENTER);
    press(&s, TOP_KEY_ENTER);
    ok(line_with(&s, "guest1  node 0: 2048 MiB") &&
       line_with(&s, "*    1     58     7  blocked       -      0%  all"),
       "Enter shows the vCPUs of a domain, and how much of its memory is "
       "local");
    press(&s, TOP_KEY_DOWN);
    press(&s, TOP_KEY_END);
    ok(s.view.first_vcpu == 1, "End goes to the last vCPU");
    press(&s, 'q');
    ok(s.view.mode == TOP_LIST, "q goes back to the list");
    press(&s, 'h');
    ok(line_with(&s, "numa-move") && !line_with(&s, "guest"),
       "h shows the help");
    press(&s, 'x');
    ok(line_with(&s, "guest1") != NULL, "any key ends the help");
    ok(press(&s, 'q') == TOP_QUIT, "q in the list quits");
    end(&s);
}

static void test_move(void)
{
    struct screen s;

    begin(&s, 8, 5, 80, 24);
    ok(line_with(&s, "guest1") == NULL,
       "nothing is drawn before the first page");
    press(&s, '/');
    type(&s, "guest1");
    press(&s, TOP_KEY_ENTER);
    press(&s, 'm');
    is_str(last_line(&s), "move 'guest1' to node: 7_   Enter: move  Esc: leave "
           "it", "m asks for the node, and proposes one with room");
    ok(press(&s, TOP_KEY_ESCAPE) == TOP_GO_ON && s.view.mode == TOP_LIST,
       "Esc leaves the question, and nothing is moved");
    press(&s, 'm');
    press(&s, TOP_KEY_ERASE);
    type(&s, "3,12");
    ok(press(&s, TOP_KEY_ENTER) == TOP_GO_ON,
       "Enter refuses a node that does not exist");
    is_str(last_line(&s), "this host has no node '3,12'",
           "the last line names the node that does not exist");
    press(&s, 'm');
    press(&s, TOP_KEY_ERASE);
    type(&s, "3-4");
    ok(press(&s, TOP_KEY_ENTER) == TOP_MOVE && s.view.domid == 1 &&
       !strcmp(s.view.move_nodes, "3-4"),
       "Enter moves to the nodes that were typed");
    press(&s, TOP_KEY_ESCAPE);
    press(&s, '/');
    type(&s, "Domain-0");
    press(&s, TOP_KEY_ENTER);
    press(&s, 'm');
    is_str(last_line(&s), "Domain-0 cannot be moved", "m refuses Domain-0");
    s.view.saved = true;
    press(&s, 'm');
    is_str(last_line(&s), "this is a saved host: nothing can be moved",
           "m refuses a saved host");
    ok(press(&s, 'p') == TOP_GO_ON && press(&s, ' ') == TOP_GO_ON,
       "p and Space do nothing on a saved host");
    s.view.saved = false;
    ok(press(&s, 'p') == TOP_COUNT && press(&s, ' ') == TOP_REFRESH,
       "p counts pages and Space takes a sample on the running host");
    end(&s);
}

/* ---- one sample after the other ---- */

static void test_next_sample(void)
{
    struct top_host h = { 8, 5, .step = 10, .first = 1 };
    struct screen s;

    begin(&s, 8, 5, 80, 24);
    ok(top_find(&s.top, 1)->cpu_percent < 0,
       "the first sample has no CPU time");
    add(&s, &h, 3);
    ok(top_find(&s.top, 1)->cpu_percent == 100 &&
       top_find(&s.top, 4)->cpu_percent == 50,
       "two vCPUs that ran 1 s in 2 s use 100 %%");
    h.step = 20;
    h.shift = 1;
    add(&s, &h, 5);
    ok(top_find(&s.top, 1)->cpu_percent < 0,
       "a new domain with the number of an old one has no CPU time");
    h.step = 15;
    add(&s, &h, 7);
    ok(top_find(&s.top, 1)->cpu_percent < 0,
       "a CPU time that decreases is not shown");
    end(&s);
}

/* A count is kept for as long as the domain has as much memory. */
static void test_counts(void)
{
    struct top_host h = { 8, 5, .first = 1 };
    struct xln_snapshot *counted = make_top_host(&h);
    struct screen s;
    unsigned i;

    begin(&s, 8, 5, 80, 24);
    for (i = 0; i < 3; i++) {
        counted->more[i + 1].memory_source = XLN_MEMORY_COUNTED;
        counted->more[i + 1].memory[0].node = 2;
    }
    must(top_add(&s.top, counted, 2));
    add(&s, &h, 3);
    add(&s, &h, 4);
    ok(top_find(&s.top, 1)->d->r->source == XLN_MEMORY_COUNTED &&
       top_find(&s.top, 1)->d->r->pages[2] &&
       top_find(&s.top, 4)->d->r->source == XLN_MEMORY_AT_BUILD,
       "pages that Xen counted stay known");
    counted = make_top_host(&h);
    counted->domains->list[1].memory_bytes += 4096;
    must(top_add(&s.top, counted, 5));
    must(top_view_update(&s.view, &s.top));
    ok(top_find(&s.top, 1)->d->r->source == XLN_MEMORY_AT_BUILD &&
       top_find(&s.top, 2)->d->r->source == XLN_MEMORY_COUNTED,
       "the count of a domain that has ballooned is dropped");
    end(&s);
}

static void test_following(void)
{
    struct top_host h = { 8, 5, .first = 1 };
    struct screen s;

    begin(&s, 8, 5, 80, 24);
    press(&s, TOP_KEY_END);
    ok(selected(&s) == 5, "the last domain is selected");
    h.nr_domains = 20;
    add(&s, &h, 2);
    ok(selected(&s) == 5, "the domain stays selected when others are added");
    press(&s, TOP_KEY_ENTER);
    h.nr_domains = 3;
    add(&s, &h, 3);
    draw(&s);
    ok(s.view.mode == TOP_LIST && !strcmp(last_line(&s), "domain 5 is gone"),
       "a line reports that the domain has ended while its vCPUs are shown");
    ok(selected(&s) <= 3, "an existing domain is selected then");
    end(&s);
}

/* No more hypercalls are made for a domain that Xen destroys. */
static void test_dying(void)
{
    struct top_host h = { 8, 5, .step = 10, .first = 1 };
    struct xln_snapshot *snapshot = make_top_host(&h);
    struct xln_domain *d = &snapshot->domains->list[1];
    struct xln_vcpu *vcpus = d->vcpus;
    struct screen s;

    begin(&s, 8, 5, 80, 24);
    d->dying = true;
    d->vcpus = NULL;
    must(top_add(&s.top, snapshot, 3));
    must(top_view_update(&s.view, &s.top));
    draw(&s);
    ok(!line_with(&s, "guest1") && line_with(&s, "guest2") != NULL,
       "a domain that is being destroyed has no row");
    d->vcpus = vcpus;
    end(&s);
}

/* Whether each row is a domain of the latest snapshot, once. */
static bool rows_are_there(const struct screen *s)
{
    const struct xln_domains *domains = s->top.snapshot->domains;
    unsigned i, j, nr;

    for (i = 0; i < s->view.nr_rows; i++) {
        for (j = nr = 0; j < domains->nr; j++)
            nr += s->view.rows[i]->d->r->domain == &domains->list[j];
        if (nr != 1)
            return false;
    }
    return true;
}

static void test_many_samples(void)
{
    static const int keys[] = {
        TOP_KEY_DOWN, TOP_KEY_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_END, TOP_KEY_HOME,
        TOP_KEY_ENTER, TOP_KEY_ESCAPE, 'r', 'm', 'n', '/', '>', '<', 'R', 'h',
        'g', '1', TOP_KEY_ERASE, 'p', ' ', 'W', 'N', 0, 999, 0xff,
    };
    struct top_host h = { 8, 5, .first = 1 };
    bool there = true, fit = true;
    struct screen s;
    unsigned i;

    begin(&s, 8, 5, 80, 24);
    for (i = 0; i < 400; i++) {
        h.step++;
        h.nr_nodes = 1 + random_below(9);
        h.nr_domains = random_below(40);
        h.first += random_below(3);
        h.shift = random_below(2);
        h.name = random_below(2) ? "renamed\\u0007\\u202e" : NULL;
        s.page.width = 1 + random_below(150);
        s.page.height = 1 + random_below(50);
        add(&s, &h, i + 2);
        there = there && rows_are_there(&s);
        press(&s, keys[random_below(sizeof(keys) / sizeof(*keys))]);
        there = there && rows_are_there(&s);
        fit = fit && fits(&s);
    }
    ok(there, "no row is without a domain while domains and nodes change");
    ok(fit, "each page fills the screen, and no line is too wide");
    end(&s);
}

/* ---- no memory ---- */

/* Each allocation of a screen fails in turn. */
static void test_no_memory_for(struct screen *s, const char *what)
{
    char *whole, *text;
    unsigned n = 0;
    int rc;

    draw(s);
    whole = page_text(&s->page);
    do {
        page_clear(&s->page);
        fake_alloc_fail(++n);
        rc = top_page_fill(&s->top, &s->view, &s->page);
        fake_alloc_fail(0);
    } while (rc == -ENOMEM);
    text = page_text(&s->page);
    ok(!rc && !strcmp(text, whole),
       "%s: running out of memory is an error, and the screen stays "
       "(%u)", what, n - 1);
    free(whole);
    free(text);
}

static void test_no_memory(void)
{
    struct screen s;

    begin(&s, 64, 30, 160, 40);
    test_no_memory_for(&s, "sockets");
    end(&s);
    begin(&s, 8, 30, 160, 40);
    test_no_memory_for(&s, "nodes");
    press(&s, TOP_KEY_ENTER);
    test_no_memory_for(&s, "vCPUs");
    press(&s, TOP_KEY_ENTER);
    press(&s, 'm');
    fake_alloc_fail(1);
    ok(top_view_key(&s.view, &s.top, TOP_KEY_ENTER) == TOP_GO_ON,
       "m moves nothing if memory runs out");
    fake_alloc_fail(0);
    is_str(s.view.message, strerror(ENOMEM),
           "the last line says that memory ran out");
    end(&s);
}

/* ---- its own cost ---- */

static void test_pace(void)
{
    struct top_pace pace = { .wish_s = 2 };

    top_pace_begin(&pace, 5);
    top_pace_add(&pace, 100, 5.02);
    ok(pace.interval_s == 2 && pace.own_percent < 0,
       "samples are as frequent as asked, and the start's CPU time does not "
       "count");
    top_pace_add(&pace, 102, 5.12);
    ok(pace.interval_s > 6.66 && pace.interval_s < 6.67 &&
       pace.own_percent > 4.99 && pace.own_percent < 5.01,
       "0.1 s of CPU time makes the next sample wait 6.7 s");
    top_pace_add(&pace, 107, 5.13);
    ok(pace.interval_s == 2 && pace.earliest_s > 107.66 &&
       pace.earliest_s < 107.67,
       "less CPU time makes samples as frequent as asked again");
}

static void test_pace_is_told(void)
{
    struct screen s;

    begin(&s, 2, 5, 132, 24);
    s.view.interval_s = 6;
    s.view.own_percent = 1.96;
    draw(&s);
    is_str(s.page.lines[0].text, "big, 2026-11-29 16:04 UTC, Xen 4.17; every "
           "6 s (2 % limit); own CPU 2.0 %",
           "the first line reports that samples are less frequent");
    end(&s);
}

int main(void)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    test_fit();
    test_sizes();
    test_screens();
    test_moving_about();
    test_sorting();
    test_filters();
    test_vcpus();
    test_move();
    test_next_sample();
    test_counts();
    test_following();
    test_dying();
    test_many_samples();
    test_no_memory();
    test_pace();
    test_pace_is_told();
    return tap_done();
}
