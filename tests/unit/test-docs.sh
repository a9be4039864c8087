#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual: that its pages have each key and each function, and that its
# program is the one that is built, and prints what the page says.

top=${top_srcdir:-.}
docs=$top/docs
. "${top_srcdir:-.}/tests/unit/tap.sh"

well_formed() { # PAGE
    podchecker -warnings "$1" > "$tmp" 2>&1 || return 1
    sed 's/^/# /' "$tmp"
    ! grep -q WARNING "$tmp"
}

# Each word of standard input is an item of one of the pages.
documented() { # PAGE...
    missing=$(while read -r word; do
        grep -h '^=item' "$@" | grep -Eq "B<$word(=\"[a-z]*\")?=?>" ||
            echo "# $word"
    done)
    [ -z "$missing" ] || echo "$missing"
    [ -z "$missing" ]
}

keys() {
    sed -n 's/^ *\[KEY_[A-Z_]*\] = { "\([a-z_]*\)",.*/\1/p' "$top/xl/placement/key_values.c"
}

functions() {
    grep -Eho '^([a-z]|  *\*?xln_)[^(]*\bxln_[a-z_0-9]+\(' \
        "$top"/libxl-numa/libxl_numa*.h "$top"/libxl-numa/libxl_numa/*.h |
        grep -Eo 'xln_[a-z_0-9]+\($' |
        tr -d '('
}

# The example of a page is this source, but for its licence.
has_program() { # SOURCE PAGE
    sed 1d "$1" | grep . > "$tmp.a"
    awk '/^=head1 EXAMPLE/ { on = 1; next } on && /^[^ ]/ { exit } on' "$2" |
        sed 's/^    //' | grep . > "$tmp.b"
    cmp "$tmp.a" "$tmp.b"
}

# What a program prints is in a page, indented.
prints() { # PAGE COMMAND [ARG...]
    page=$1
    shift
    "$@" > "$tmp.out" || return 1
    sed 's/^/    /' "$tmp.out" > "$tmp.lines"
    [ -s "$tmp.lines" ] || return 1
    grep -Fxf "$tmp.lines" "$page" | cmp - "$tmp.lines"
}

# What a reader types, with its continuation lines, is wider than a terminal of 80
# columns. What a program prints may be: it is shown as it is. A page is set in by 7,
# and by 4 more in each list.
wide_commands() {
    awk '
        /^=over/ { depth++ }
        /^=back/ { depth-- }
        /^ +[$#] / || (goes_on && /^ /) {
            if (length($0) + 7 + 4 * depth > 80)
                print FILENAME ":" FNR ": " $0
            goes_on = /\\$/
            next
        }
        { goes_on = 0 }' "$@" | sed "s|^$top/||"
}

tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp" "$tmp".*' EXIT

for page in "$docs"/*.pod; do
    check "the syntax of ${page##*/} is right" well_formed "$page"
done

same "$(wide_commands "$docs"/*.pod)" "" \
    "each command in a page fits into 80 columns"

keys > "$tmp"
check "the pages have keys to check" [ "$(wc -l < "$tmp")" -gt 5 ]
check "each key is in xl-numa.cfg(5) or xl-numa.conf(5)" documented \
    "$docs/xl-numa.cfg.5.pod" "$docs/xl-numa.conf.5.pod" < "$tmp"
functions > "$tmp"
check "the headers have functions to check" [ "$(wc -l < "$tmp")" -gt 50 ]
check "each function is in libxl-numa(3)" documented \
    "$docs/libxl-numa.3.pod" < "$tmp"
check "the program in libxl-numa(3) is the one that is built" \
    has_program "$docs/examples/place.c" "$docs/libxl-numa.3.pod"
check "the program in libxl-numa(3) prints what the page shows" prints "$docs/libxl-numa.3.pod" \
    "${top_builddir:-.}/docs/examples/place" "$docs/examples/sockets.json"

# Options in the examples of --help that it does not list. There is an example.
wrong_examples() { # COMMAND
    "$numa" "$1" --help > "$tmp.help"
    sed -n '/^Examples:/,/^$/s/^  //p' "$tmp.help" > "$tmp.examples"
    [ -s "$tmp.examples" ] || echo "no example of $1"
    grep -v "^xl \(-N \)*$1\( \|$\)" "$tmp.examples"
    grep -Eo -- '--[a-z-]+' "$tmp.examples" | while read -r option; do
        sed '/^Examples:/,$d' "$tmp.help" | grep -q -- "$option" ||
            echo "$1 has no $option"
    done
}

numa=${top_builddir:-.}/xl/xl-numa
"$numa" help | sed -n 's/^ \([a-z-]*\) .*/\1/p' > "$tmp.commands"
check "the program has commands to check" \
    [ "$(wc -l < "$tmp.commands")" -gt 10 ]
while read -r command; do
    same "$(wrong_examples "$command")" "" \
        "the examples of $command --help are right"
done < "$tmp.commands"

# "- test: PATH: WHAT" in a page: that file has this text.
tests_are_there() { # PAGE
    sed -n 's/^- test: //p' "$1" > "$tmp.tests"
    [ -s "$tmp.tests" ] || return 1
    while read -r line; do
        # A text may go on in the next line of its file.
        tr -d '\n' < "$top/${line%%: *}" | sed 's/\\//g; s/"  *"//g' |
            grep -qF -e "$(printf '%s' "${line#*: }" | sed 's/\\//g')" ||
            echo "# no $line"
    done < "$tmp.tests" > "$tmp.missing"
    cat "$tmp.missing"
    [ ! -s "$tmp.missing" ]
}

check "each test that security.md names exists" \
    tests_are_there "$docs/security.md"

finish
