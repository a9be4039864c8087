#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The house: which room may include what of which, that no files go round in a
# circle, and that functions and files stay short.

# shellcheck source=tests/unit/tap.sh
. "${top_srcdir:-.}/tests/unit/tap.sh"

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

# What each room may include, besides itself. libxl-numa's own files and text/
# are in rooms of these names, and so are the files that lie in xl/ itself.
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
        may["release"] = "placement"
        may["commands"] = "views plans release placement library text"
        may["xl"] = "release placement"
    }
    {
        from = room($1)
        if (index(" " from " " may[from] " ", " " room($2) " ") == 0)
            print $1 " includes " $2
    }' "$tmp/includes" > "$tmp/upwards"
same "$(cat "$tmp/upwards")" "" "no file includes one of a room above its own"

# A header and its source are one.
sed 's/\.[ch]\( \|$\)/\1/g' "$tmp/includes" | awk '$1 != $2' | sort -u |
    tsort 2>&1 > /dev/null | sed 's/^tsort: //' > "$tmp/circles"
same "$(cat "$tmp/circles")" "" "no files include each other in a circle"

# shellcheck disable=SC2086 # one word a file
awk 'FNR == 1 { name = "" }
     /^[a-zA-Z_].*\(/ && !/;$/ { name = $0 }
     /^{/ { start = FNR }
     /^}/ { if (start && FNR - start - 1 > 50)
                print FILENAME ": " FNR - start - 1 " lines: " name
            start = 0 }' $c_files > "$tmp/long"
same "$(cat "$tmp/long")" "" "no function is longer than 50 lines"

# shellcheck disable=SC2086
wc -l $not_public |
    awk '$2 != "total" && $1 > 700 { print $2 ": " $1 }' > "$tmp/large"
same "$(cat "$tmp/large")" "" "no file is longer than 700 lines, but for the \
public header"

finish
