#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The library's headers: what the comment of each function must say, and that
# programs include no other header of the library.

src=${top_srcdir:-.}
. "${top_srcdir:-.}/tests/unit/tap.sh"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
LC_ALL=C
export LC_ALL

# For each function: a line for what the comment before it lacks. A comment
# may be for several functions if no empty line is between them.
cat > "$tmp/check.awk" <<'END'
function lacks(what) { print FILENAME ": " name "(): " what }

# NAME: or A, B: at the beginning of a line that is indented by 3
function has_param(param) {
    return comment ~ ("\n  ([a-z_0-9]+, )*" param "(, [a-z_0-9]+)*: [^ ]")
}

# A result that the caller owns: to an `_r` that points to a pointer.
function check_param(text,    param) {
    param = text
    sub(/\[[0-9]*\]$/, "", param)
    sub(/.*[ *]/, "", param)
    if (param == "void")
        return
    if (!has_param(param))
        lacks("no line for \"" param "\"")
    if (text ~ /\*\*[a-z_]+_r$/ && comment !~ /(free|release) (it|them) with/)
        lacks("who frees \"" param "\"")
}

function check(declaration,    list, n, i, params) {
    name = declaration
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    print name > names
    params = declaration
    sub(/[^(]*\(/, "", params)
    sub(/\).*/, "", params)
    n = split(params, list, /, */)
    for (i = 1; i <= n; i++)
        check_param(list[i])
    if (comment !~ /\n[A-Z][^\n]*/)
        lacks("what it does")
    if (comment !~ /\nSince: [0-9]+\.[0-9]+\n$/)
        lacks("no \"Since:\" at the end")
    if (declaration ~ /^int / && comment !~ /\nReturns 0; /)
        lacks("no \"Returns 0; \" with the errors")
    if (declaration ~ /^int / && comment !~ /-(E[A-Z]|errno)/)
        lacks("no errno value")
    if (declaration !~ /^(int|void) / && comment !~ /\nReturns /)
        lacks("no \"Returns\"")
    if (declaration ~ /^const .*\*/ && comment !~ /(borrowed|static)/)
        lacks("whether its result is borrowed or static")
}

/^\/\*/ { comment = "\n"; inside = 1 }
inside {
    line = $0
    ended = sub(/ *\*\/$/, "", line)
    sub(/^(\/\*| \*) ?/, "", line)
    if (line != "")
        comment = comment line "\n"
    if (ended)
        inside = 0
    next
}
/^$/ { comment = "\n"; declaration = "" }
/\\$/ || /^(#|static|typedef|    static)/ { macro = 1 }
macro { macro = /\\$/; next }
/^[a-z].*[ *]xln_[a-z0-9_]+\(/ || declaration != "" {
    sub(/^ +/, "")
    declaration = declaration (declaration == "" ? "" : " ") $0
    sub(/\( /, "(", declaration)
    if (/;$/) {
        check(declaration)
        declaration = ""
    }
}
END

lacking() { # HEADER...
    awk -v names="$tmp/names" -f "$tmp/check.awk" "$@"
}

cat > "$tmp/bad.h" <<'END'
/*
 * Does a thing.
 *
 *   a: a number
 *
 * Returns 0; -EINVAL.
 * Since: 0.1
 */
int xln_bad_thing(unsigned a, unsigned b);

/* Since: 0.1 */
const char *xln_bad_name(struct xln_bad *bad);
END
lacking "$tmp/bad.h" > "$tmp/found"
same "$(sed 's/.*bad.h: //' "$tmp/found")" \
    'xln_bad_thing(): no line for "b"
xln_bad_name(): no line for "bad"
xln_bad_name(): no "Returns"
xln_bad_name(): whether its result is borrowed or static' \
    "the check finds what a comment lacks"

for header in "$src"/libxl-numa/libxl_numa*.h "$src"/libxl-numa/libxl_numa/*.h
do
    lacking "$header" > "$tmp/found"
    same "$(cat "$tmp/found")" "" "${header##*/}: each comment is complete"
    cat "$tmp/names" >> "$tmp/all"
    : > "$tmp/names"
done
same "$([ "$(wc -l < "$tmp/all")" -gt 90 ] && echo many)" many \
    "the check has seen many functions"

# What is included as "libxl-numa/X" or, from a folder that -I names, "X".
private() {
    for header in "$src"/libxl-numa/*.h; do
        case ${header##*/} in
        libxl_numa.h | libxl_numa_foreign.h) continue ;;
        esac
        grep -rlE "#include \"(libxl-numa/)?${header##*/}\"" "$src/xl" |
            sed "s/\$/ includes ${header##*/}/"
    done
}
same "$(private)" "" "no program includes a private header of the library"

finish
