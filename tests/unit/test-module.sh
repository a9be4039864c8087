#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the linker made: modules that can be loaded into any process, and a
# library that shows what its header says.

build=$(cd "${top_builddir:-.}" && pwd)
src=${top_srcdir:-.}
library=$build/libxl-numa/.libs/libxl-numa.so
foreign=$build/libxl-numa/.libs/libxl-numa-foreign.so
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

# ---- the modules ----

# What must be there as soon as it is loaded: data, and whatever an address is
# taken of.
at_once() { # MODULE
    readelf -rW "$1" |
        awk '$3 ~ /^R_/ && $3 !~ /JUMP_SLO|RELATIVE/ { print $5 }'
}

is_module() { # FILE
    file=$build/xl/.libs/$1.so
    same "$(readelf -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')" \
        libc.so.6 "$1 needs libc alone"
    same "$(readelf -dW "$file" | grep -E 'BIND_NOW|FLAGS.*NOW')" "" \
        "functions are found when they are called, not before"
    same "$(readelf -dW "$file" | grep TEXTREL)" "" \
        "loading does not write to the code"

    # With a version they would have an "@" in them.
    nm -D --defined-only "$file" | awk '{ print $NF }' | sort > "$tmp/defined"
    same "$(cat "$tmp/defined")" "$(names_of "$src"/xl/*/"$1.sym")" \
        "the symbols are those of $1.sym, without versions"

    # Libc's, its own and weak ones will do.
    nm -D "$file" | awk '$1 == "w" || $1 == "v" { print $2 }' > "$tmp/weak"
    at_once "$file" > "$tmp/at_once"
    same "$([ -s "$tmp/at_once" ] && echo some)" some \
        "some relocations are done at loading"
    same "$(sed 's/@@Base$//; s/@Base$//' "$tmp/at_once" | grep -v '@GLIBC_' |
        grep -vxF -f "$tmp/weak" -f "$tmp/defined")" "" \
        "none of them is for another library's symbol"

    same "$(nm -D --undefined-only "$file" | awk '$1 == "U" { print $2 }' |
        grep -v -E '@GLIBC_|^(libxl_|xlu_|xc_|xs_|xtl_)')" "" \
        "what it calls is libc's or Xen's"
}

# loaded COMMAND...: run it with the module $file in it
loaded() {
    LD_PRELOAD=$file "$@" 2>&1
}

leaves_alone() { # MODULE
    file=$build/xl/.libs/$1.so
    # shellcheck disable=SC2016 # the shell that is started expands these
    same "$(loaded sh -c 'echo "$0 $#"; exit 3' a b c; echo $?)" \
        "$(printf 'a 2\n3')" "a shell with $1 does what it does without it"
    same "$(loaded cat /proc/self/maps | grep -c "r-x.*/$1\.so\$")" 1 \
        "the module is loaded into a program that knows nothing of Xen"
    same "$(echo text | loaded cat)" text \
        "such a program works as without the module"
    # shellcheck disable=SC2016
    same "$(loaded sh -c 'sh -c "echo \$LD_PRELOAD"')" "$file" \
        "a process that makes no libxl context keeps its environment"
}

is_module xl-placement
leaves_alone xl-placement
is_module libvirt-placement
leaves_alone libvirt-placement

# Only in the daemons themselves: nothing that they start is to have it.
for daemon in libvirtd virtxend; do
    cp /bin/sh "$tmp/$daemon"
    # shellcheck disable=SC2016
    same "$(loaded "$tmp/$daemon" -c 'sh -c "echo \$LD_PRELOAD"')" "" \
        "the children of $daemon do not have the module"
    # shellcheck disable=SC2016
    same "$(LD_PRELOAD=$file:/lib/none.so "$tmp/$daemon" -c \
        'sh -c "echo \$LD_PRELOAD" 2> /dev/null' 2> /dev/null)" /lib/none.so \
        "the children have the other libraries of LD_PRELOAD"
done

# ---- the library ----

# The functions that headers declare (a paragraph is what no empty line parts).
declared() { # HEADER...
    awk -v RS='' '{
        n = split($0, lines, "\n")
        for (i = 1; i <= n; i++)
            if (lines[i] ~ /^[a-z].*[ *]xln_[a-z0-9_]*\(/ &&
                lines[i] !~ /^(static|typedef)/) {
                sub(/\(.*/, "", lines[i])
                sub(/.*[ *]/, "", lines[i])
                print lines[i]
            }
    }' "$@" | sort
}

# The library exports, in this version node, what the version script lists and
# the headers declare.
is_library() { # LIBRARY VERSION-SCRIPT NODE HEADER...
    name=${1##*/}
    nm -D --defined-only "$1" | awk '$2 != "A" { print $NF }' |
        grep -v '@@LIBXL_NUMA_PRIVATE' | sort > "$tmp/exported"
    same "$(grep -v "^xln_[a-z].*@@$3\$" "$tmp/exported")" "" \
        "$name exports xln_ functions of version $3 only"
    sed 's/@.*//' "$tmp/exported" > "$tmp/names"
    same "$(names_of "$2" | grep -v '^xln__')" "$(cat "$tmp/names")" \
        "${2##*/} lists each exported function by name"
    shift 3
    declared "$@" > "$tmp/declared"
    same "$(comm -23 "$tmp/names" "$tmp/declared")" "" \
        "the headers declare each exported function"
    same "$(comm -13 "$tmp/names" "$tmp/declared")" "" \
        "$name exports each function that the headers declare"
    same "$([ -s "$tmp/declared" ] && echo some)" some \
        "the library exports functions"
}

lib=$src/libxl-numa
is_library "$library" "$lib/libxl-numa.sym" LIBXL_NUMA_0.1 \
    "$lib"/libxl_numa.h "$lib"/libxl_numa/*.h
is_library "$foreign" "$lib/libxl-numa-foreign.sym" LIBXL_NUMA_FOREIGN_0.1 \
    "$lib/libxl_numa_foreign.h"

# Two libraries of different versions are not loaded together.
version=$("$build/config.status" --version | sed -n '1s/.* //p')
same "$(nm -D --defined-only "$library" | sed -n 's/.*@@\(.*PRIVATE.*\)/\1/p' |
    sort -u)" "LIBXL_NUMA_PRIVATE_$version" \
    "private functions carry the version of the package"
same "$(readelf -dW "$library" | grep -E 'NEEDED.*(hwloc|expat)')" "" \
    "libxl-numa.so needs neither hwloc nor expat"

# ---- any release of Xen ----

# What would name one, or bind to it as soon as it is loaded.
for object in "$library" "$build/xl/xl" "$build/xl/xl-numa" \
    "$build/xl/xl-numa-libvirt-hook"; do
    same "$(readelf -dW "$object" | grep 'NEEDED.*lib\(xen\|xl\)')" "" \
        "${object##*/} is linked to no library of Xen"
    same "$(nm -D "$object" | grep -E ' (libxl_|xlu_|xc_|xs_|xtl_)')" "" \
        "the object has no function of these libraries that others could find"
done

# ---- hardening ----

# What of an object hinders those who found a hole in it, in a word each.
hardening() { # OBJECT
    readelf -hW "$1" | grep -q 'Type: *DYN' && echo pie
    readelf -lW "$1" | grep -q GNU_RELRO && echo relro
    readelf -lW "$1" | grep -q 'GNU_STACK.* RW ' && echo stack
    readelf -dW "$1" | grep -q '\<NOW\>' && echo now
    nm -D --undefined-only "$1" | grep -q __stack_chk_fail && echo protector
}

programs="$build/xl/xl $build/xl/xl-numa $build/xl/xl-numa-libvirt-hook
    $build/xl/xl-numa-save-helper"
modules="$build/xl/.libs/xl-placement.so $build/xl/.libs/libvirt-placement.so"
for object in $programs "$library"; do
    same "$(hardening "$object" | tr '\n' ' ')" \
        "pie relro stack now protector " "${object##*/} is hardened"
done
for object in $modules; do
    same "$(hardening "$object" | tr '\n' ' ')" "pie relro stack protector " \
        "${object##*/} is hardened, and finds functions when they are called"
done
if grep -q '^HARDEN_CPPFLAGS = .' "$build/Makefile"; then
    for object in $programs "$library" $modules; do
        same "$(nm -D --undefined-only "$object" |
            grep -Eq '_chk@|_chk$' && echo yes)" yes \
            "${object##*/} is fortified"
    done
fi

finish
