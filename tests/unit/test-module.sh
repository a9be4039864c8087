#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the linker made: a module that can be loaded into any process, and a
# library that shows what its header says.

build=$(cd "${top_builddir:-.}" && pwd)
src=${top_srcdir:-.}
module=$build/xl/.libs/xl-placement.so
library=$build/libxl-numa/.libs/libxl-numa.so
header=$src/libxl-numa/libxl_numa.h
LC_ALL=C
export LC_ALL

for tool in nm readelf; do
    if ! command -v $tool > /dev/null; then
        echo "1..0 # SKIP there is no $tool"
        exit 0
    fi
done

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
. "${top_srcdir:-.}/tests/unit/tap.sh"

# The names under "global:" of a version script.
names_of() {
    sed -n '/global:/,/local:/s/^ *\([A-Za-z0-9_*]*\);$/\1/p' "$1" | sort
}

# ---- the module ----

same "$(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')" \
    libc.so.6 "the module needs libc alone"
same "$(readelf -dW "$module" | grep -E 'BIND_NOW|FLAGS.*NOW')" "" \
    "its functions are found when they are called, not before"
same "$(readelf -dW "$module" | grep TEXTREL)" "" \
    "its code is not written to when it is loaded"

# With a version they would have an "@" in them.
nm -D --defined-only "$module" | awk '{ print $NF }' | sort > "$tmp/defined"
same "$(cat "$tmp/defined")" "$(names_of "$src/xl/xl-placement.sym")" \
    "it shows what xl-placement.sym says, without versions"

# What must be there as soon as it is loaded: data, and whatever an address is
# taken of. Libc's, its own and weak ones will do.
nm -D "$module" | awk '$1 == "w" || $1 == "v" { print $2 }' > "$tmp/weak"
readelf -rW "$module" |
    awk '$3 ~ /^R_/ && $3 !~ /JUMP_SLO|RELATIVE/ { print $5 }' > "$tmp/at_once"
same "$([ -s "$tmp/at_once" ] && echo some)" some \
    "some of its relocations are done when it is loaded"
same "$(sed 's/@@Base$//; s/@Base$//' "$tmp/at_once" | grep -v '@GLIBC_' |
    grep -vxF -f "$tmp/weak" -f "$tmp/defined")" "" \
    "none of them is for another library's symbol"

same "$(nm -D --undefined-only "$module" | awk '$1 == "U" { print $2 }' |
    grep -v -E '@GLIBC_|^(libxl_|xlu_|xc_|xs_|xtl_)')" "" \
    "what it calls is libc's or Xen's"

# loaded COMMAND...: run it with the module in it
loaded() {
    LD_PRELOAD=$module "$@" 2>&1
}

# shellcheck disable=SC2016 # the shell that is started expands these
same "$(loaded sh -c 'echo "$0 $#"; exit 3' a b c; echo $?)" \
    "$(printf 'a 2\n3')" "a shell with it in does what it does without it"
same "$(loaded cat /proc/self/maps | grep -c 'r-x.*/xl-placement\.so$')" 1 \
    "it is loaded into a program that knows nothing of Xen"
same "$(echo text | loaded cat)" text "which works as it did"
# shellcheck disable=SC2016
same "$(loaded sh -c 'sh -c "echo \$LD_PRELOAD"')" "$module" \
    "a process that makes no libxl context keeps its environment"

# ---- the library ----

nm -D --defined-only "$library" | awk '$2 != "A" { print $NF }' | sort \
    > "$tmp/exported"
same "$(grep -v '^xln_[a-z].*@@LIBXL_NUMA_0\.1$' "$tmp/exported")" "" \
    "the library shows xln_ functions of its version alone"
same "$(grep -c xln__ "$tmp/exported")" 0 "and none of its private ones"

# Functions that the header declares, and those with "Since:" in the comment
# that goes before them (a paragraph is what no empty line parts).
declared() {
    awk -v RS='' -v want="$1" '$0 ~ want {
        n = split($0, lines, "\n")
        for (i = 1; i <= n; i++)
            if (lines[i] ~ /^[a-z].*[ *]xln_[a-z0-9_]*\(/ &&
                lines[i] !~ /^(static|typedef)/) {
                sub(/\(.*/, "", lines[i])
                sub(/.*[ *]/, "", lines[i])
                print lines[i]
            }
    }' "$header" | sort
}

declared . > "$tmp/declared"
sed 's/@.*//' "$tmp/exported" > "$tmp/names"
same "$(comm -23 "$tmp/names" "$tmp/declared")" "" \
    "each function that it shows stands in libxl_numa.h"
same "$(comm -13 "$tmp/names" "$tmp/declared")" "" \
    "each function of libxl_numa.h is shown"
same "$(declared 'Since: [0-9]' | comm -13 - "$tmp/declared")" "" \
    "each of them says since when it is there"
same "$([ "$(wc -l < "$tmp/declared")" -gt 50 ] && echo many)" many \
    "and there are many"

# ---- hardening ----

# What of an object hinders those who found a hole in it, in a word each.
hardening() { # OBJECT
    readelf -hW "$1" | grep -q 'Type: *DYN' && echo pie
    readelf -lW "$1" | grep -q GNU_RELRO && echo relro
    readelf -lW "$1" | grep -q 'GNU_STACK.* RW ' && echo stack
    readelf -dW "$1" | grep -q '\<NOW\>' && echo now
    nm -D --undefined-only "$1" | grep -q __stack_chk_fail && echo protector
}

programs="$build/xl/xl $build/xl/xl-numa $build/xl/xl-numa-save-helper"
for object in $programs "$library"; do
    same "$(hardening "$object" | tr '\n' ' ')" \
        "pie relro stack now protector " "${object##*/} is hardened"
done
same "$(hardening "$module" | tr '\n' ' ')" "pie relro stack protector " \
    "${module##*/} too, but that it finds what it calls later"
if grep -q '^HARDEN_CPPFLAGS = .' "$build/Makefile"; then
    for object in $programs "$library" "$module"; do
        same "$(nm -D --undefined-only "$object" |
            grep -Eq '_chk@|_chk$' && echo yes)" yes \
            "${object##*/} is fortified"
    done
fi

finish
