#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The house: which room may include and call what of which, that no files go
# round in a circle, and that functions and files stay short.

# shellcheck source=tests/unit/tap.sh
. "${top_srcdir:-.}/tests/unit/tap.sh"

build=$(cd "${top_builddir:-.}" && pwd) || exit 1
cd "${top_srcdir:-.}" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

sources=$(find libxl-numa xl -name '*.[ch]' | sort)
c_files=$(find libxl-numa xl -name '*.c' | sort)
not_public=$(echo "$sources" | grep -v 'libxl_numa\.h')

# "FILE HEADER" for each include of a file of ours, both as paths. A header is
# looked for in the including file's folder, in xl/ and in libxl-numa/.
# shellcheck disable=SC2086 # one word a file
awk -v all="$(echo "$sources" | tr '\n' ' ')" '
    BEGIN {
        n = split(all, paths, " ")
        for (i = 1; i <= n; i++)
            ours[paths[i]] = 1
        split("xl/ libxl-numa/", folders, " ")
    }
    /^ *# *include/ && match($0, /[<"].*[>"]/) {
        header = substr($0, RSTART + 1, RLENGTH - 2)
        folders[0] = FILENAME
        sub(/[^\/]*$/, "", folders[0])
        for (i = 0; i <= 2; i++)
            if (folders[i] header in ours) {
                print FILENAME, folders[i] header
                break
            }
    }' $sources > "$tmp/includes"
check "there are includes to look at" test "$(wc -l < "$tmp/includes")" -gt 100

# Of "FROM TO" for each file that needs another: those where TO is in a room
# above. Each room has a list of those that it may need besides itself.
# libxl-numa's own files and text/ are in rooms of these names, and so are the
# files that lie in xl/ itself.
upwards() { # ARROWS
    awk '
    function room(file) {
        if (file ~ /^libxl-numa\/text\//)
            return "text"
        if (file ~ /^libxl-numa\//)
            return "library"
        return split(file, part, "/") > 2 ? part[2] : "xl"
    }
    BEGIN {
        may["text"] = ""
        may["library"] = "text"
        may["placement"] = "library text"
        may["modules"] = "placement library text"
        may["libvirt"] = "modules placement library text"
        may["plans"] = "placement library text"
        may["views"] = "plans placement library text"
        may["release"] = "placement text"
        may["commands"] = "views plans release placement library text"
        may["xl"] = "release placement"
    }
    {
        from = room($1)
        if (index(" " from " " may[from] " ", " " room($2) " ") == 0)
            print $1 " -> " $2
    }' "$1"
}

# The files of each circle of such arrows. A header and its source are one.
circles() { # ARROWS
    awk '{ print $1, $2 }' "$1" | sed 's/\.[ch]\( \|$\)/\1/g' |
        awk '$1 != $2' | sort -u | tsort 2>&1 > /dev/null |
        sed -n 's/^tsort: \([^ ]*\)$/\1/p' | sort -u
}

same "$(upwards "$tmp/includes")" "" \
    "no file includes one of a room above its own"
same "$(circles "$tmp/includes")" "" "no files include each other in a circle"

# ---- calls ----

# From what nm -A -P -g prints: "FROM TO SYMBOL" for each symbol that one source
# needs of another, "twice SYMBOL FILE FILE", and "compiled FILE". An object is
# TARGET-NAME.o or NAME.o. Those of tests are left out, and those whose source
# is gone. Functions that modules interpose are Xen's, wherever they are called.
calls_of() { # SYMBOLS
    interposed=$(sed -n '/global:/,/local:/s/^ *\([a-z_0-9]*\);$/\1/p' \
        xl/*/*.sym)
    awk -v build="$build/" -v sources="$(echo "$c_files" | tr '\n' ' ')" \
        -v interposed="$(echo "$interposed" | tr '\n' ' ')" '
    function source_of(object) {
        sub(/:$/, "", object)
        object = substr(object, length(build) + 1)
        sub(/\.libs\//, "", object)
        if (object ~ /\/tests_[^\/]*$/)
            return ""
        sub(/\.o$/, ".c", object)
        if (!(object in ours) && match(object, /\/[^\/]*-[^\/]*$/)) {
            folder = substr(object, 1, RSTART)
            sub(/.*-/, "", object)
            object = folder object
        }
        return object in ours ? object : ""
    }
    BEGIN {
        n = split(sources, list, " ")
        for (i = 1; i <= n; i++)
            ours[list[i]] = 1
        n = split(interposed, list, " ")
        for (i = 1; i <= n; i++)
            xens[list[i]] = 1
    }
    { source = source_of($1) }
    source && !(source in seen) { seen[source] = 1; print "compiled", source }
    # What begins with "_" or has a "." in it is made by the compiler.
    source == "" || $2 in xens || $2 ~ /^_|\./ { next }
    $3 == "U" { needs[source, $2] = 1; next }
    $3 ~ /^[A-Z]$/ {
        if ($2 in home && home[$2] != source && $2 != "main")
            print "twice", $2, home[$2], source
        home[$2] = source
    }
    END {
        for (need in needs) {
            split(need, part, SUBSEP)
            if (part[2] in home && home[part[2]] != part[1])
                print part[1], home[part[2]], part[2]
        }
    }' "$1"
}

find "$build/libxl-numa" "$build/xl" -name '*.o' \
    -exec nm -A -P -g {} + > "$tmp/symbols" 2> "$tmp/nm"
same "$(cat "$tmp/nm")" "" "the objects can be read"
calls_of "$tmp/symbols" | sort > "$tmp/symbols_of_sources"
grep -vE '^(twice|compiled) ' "$tmp/symbols_of_sources" > "$tmp/calls"
check "there are calls to look at" test "$(wc -l < "$tmp/calls")" -gt 1000
same "$(grep '^twice ' "$tmp/symbols_of_sources")" "" \
    "no function has the name of another file's"

# What is not compiled is not looked at.
sed -n 's/^compiled //p' "$tmp/symbols_of_sources" > "$tmp/compiled"
echo "$c_files" | grep -vxF -f "$tmp/compiled" > "$tmp/left_out"
same "$(cat "$tmp/left_out")" "" "each source is compiled"

same "$(upwards "$tmp/calls")" "" "no file calls one of a room above its own"
same "$(circles "$tmp/calls")" "" "no files call each other in a circle"

# The same of two sources of which each calls the other, in rooms above and
# below.
cat > "$tmp/made_up" << END
$build/libxl-numa/.libs/host.o: host_f T 0 1
$build/libxl-numa/.libs/host.o: plan_f U
$build/xl/plans/fleet.o: plan_f T 0 1
$build/xl/plans/fleet.o: host_f U
$build/xl/plans/.libs/libplans_la-fleet.o: host_g U
$build/xl/plans/.libs/libplans_la-fleet.o: xc_domain_max_vcpus U
$build/xl/modules/build.o: xc_domain_max_vcpus T 0 1
END
calls_of "$tmp/made_up" | grep -v '^compiled ' > "$tmp/made_up_calls"
same "$(upwards "$tmp/made_up_calls")" \
    "libxl-numa/host.c -> xl/plans/fleet.c" "a call of a room above is found"
check "a circle of calls is found" \
    test -n "$(circles "$tmp/made_up_calls")"

# ---- lengths ----

all_c_files=$(find libxl-numa xl tests tools -name '*.c' | sort)
scripts=$(grep -rlE '^#!.*/(ba|da)?sh' libxl-numa xl tests tools | sort)

# shellcheck disable=SC2086 # one word a file
awk 'FNR == 1 { name = "" }
     /^[a-zA-Z_].*\(/ && !/;$/ { name = $0 }
     /^{/ { start = FNR }
     /^}/ { if (start && FNR - start - 1 > 50)
                print FILENAME ": " FNR - start - 1 " lines: " name
            start = 0 }' $all_c_files > "$tmp/long"
# shellcheck disable=SC2086
awk '/^[a-z_A-Z0-9]+\(\) *[{(]/ { start = FNR; name = $0 }
     /^[})]/ { if (start && FNR - start - 1 > 50)
                   print FILENAME ": " FNR - start - 1 " lines: " name
               start = 0 }' $scripts >> "$tmp/long"
same "$(cat "$tmp/long")" "" \
    "no function is longer than 50 lines, of the tests and tools included"

# shellcheck disable=SC2046,SC2086 # words
wc -l $not_public $(find tests tools -name '*.[ch]') $scripts |
    awk '$2 != "total" && $1 > 700 { print $2 ": " $1 }' > "$tmp/large"
same "$(cat "$tmp/large")" "" "no file is longer than 700 lines, but for the \
public header"

finish
