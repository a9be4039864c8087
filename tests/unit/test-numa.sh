#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands of xl-numa: each one's --help, and that its page has all of it.

numa=${top_builddir:-.}/xl/xl-numa
src=${top_srcdir:-.}/xl/commands
docs=${top_srcdir:-.}/docs
. "${top_srcdir:-.}/tests/unit/tap.sh"

# Succeeds if no line of the file is longer than a terminal.
fits() { # FILE
    ! grep '.\{81\}' "$1"
}

# "--word" of each option, and the name of each column.
words() {
    sed -n 's/^  \(  \|-., \)\(--[a-z-]*\).*/\2/p
        s/^  [* ] \([A-Z][A-Z_]*\) .*/\1/p' "$1"
}

# In the page as an item: option and column names are bold there.
missing() { # HELP PAGE
    words "$1" | while read -r word; do
        grep '^=item' "$2" | grep -q "B<$word>" || echo "# $word"
    done
}

documented() { # HELP PAGE
    missing=$(missing "$1" "$2")
    [ -z "$missing" ] || echo "$missing"
    [ -z "$missing" ]
}

tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp"' EXIT
for source in "${top_srcdir:-.}"/xl/commands/cmd_*.c; do
    command=$(basename "$source" .c | sed 's/^cmd_//; s/_/-/g')
    "$numa" "$command" --help > "$tmp"
    check "$command --help prints the help" [ $? = 0 ]
    check "the lines of $command --help fit a terminal" fits "$tmp"
    check "the help of $command has options" grep -q -e --help "$tmp"
    check "the page of $command has each option and column" \
        documented "$tmp" "$docs/xl-$command.1.pod"
done

"$numa" > "$tmp" 2>&1
check "xl-numa without a command ends with status 2" [ $? = 2 ]
check "xl-numa without a command prints a line" [ "$(cat "$tmp")" = \
    "xl: xl-numa is run by xl: see 'xl help'" ]
"$numa" nosuch > "$tmp" 2>&1
check "a wrong command ends with status 2" [ $? = 2 ]
check "a wrong command prints a line" [ "$(cat "$tmp")" = \
    "xl: unknown command 'nosuch': 'xl numa' lists those for NUMA" ]
"$numa" numa-stta > "$tmp" 2>&1
check "a misspelt command gets a suggestion" [ "$?$(cat "$tmp")" = \
    "2xl: unknown command 'numa-stta': did you mean numa-stat?" ]
for word in numa help --help -h; do
    "$numa" $word > "$tmp" 2>&1
    check "$word lists each command with its summary" [ "$? $(grep -c \
        '^ [a-z-]*  *[a-z]' "$tmp")" = "0 $(find "$src" -name "cmd_*.c" | wc -l)" ]
done
for command in '' numa-stat vcpu-list; do
    # shellcheck disable=SC2086 # no word for the first one
    "$numa" $command --version > "$tmp" 2>&1
    check "$command --version prints the version" \
        grep -q '^xl-numa (libxl-numa) [0-9.]*$' "$tmp"
done
"$numa" vcpu-list --help > /dev/full 2> "$tmp"
check "a full disk ends with status 1" [ $? = 1 ]
check "a full disk is reported" [ "$(cat "$tmp")" = \
    "xl: cannot write the output: No space left on device" ]

finish
