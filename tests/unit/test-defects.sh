#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The form of tools/defects, whose scripts need the rig to run: each explains
# itself and is in the table. docs/upstream.md names all that is interposed
# today.

top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

defects=$top/tools/defects
names=$(cd "$defects" && find . -type f ! -name '*.*' | sed 's,^./,,' | sort)

# Prints what the explanation lacks.
lacks() { # NAME
    "$defects/$1" --help > "$tmp"
    for part in 'Seen:\|Seen with' 'Cause[:,]' 'Remedy:' 'Here:' \
        "^usage: tools/defects/$1 " '^Exit status: 1 the defect is there'; do
        grep -q "$part" "$tmp" || echo "$part"
    done
}

# "there there": the last two columns of the table.
row() { # NAME
    sed -n "s/^| \`$1\` | .* | \([a-z]*\) | \([a-z]*\) |\$/\1 \2/p" \
        "$defects/README.md"
}

has_verdicts() { # NAME
    row "$1" | grep -qx -e '\(there\|fixed\|untold\) \(there\|fixed\|untold\)'
}

interposed() {
    cat "$top"/xl/modules/*.sym "$top"/xl/libvirt/*.sym |
        sed -n 's/^ *\([a-z_]*\);$/\1/p' | grep -v '^xl_placement_' | sort -u
}

unnamed() {
    for name in $(interposed); do
        grep -qF "\`$name\`" "$top/docs/upstream.md" || echo "$name"
    done
}

# Paths of this tree in a page, with what stands for several.
paths_missing() { # PAGE
    grep -o -e '\b\(xl\|libxl-numa\|tools\)/[a-z0-9_/-]*\(\.[ch]\)\?' "$1" |
        grep -v -e '^tools/libs' -e '^tools/xl' | sort -u |
        while read -r path; do
            [ -e "$top/$path" ] || echo "$path"
        done
}

tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp"' EXIT

check "the directory has defects" [ "$(echo "$names" | wc -l)" -gt 10 ]
for name in $names; do
    same "$(lacks "$name")" "" "$name --help explains the defect"
    check "the table has a verdict for $name in both releases" \
        has_verdicts "$name"
done
same "$(unnamed)" "" "upstream.md names every function that is interposed"
same "$(paths_missing "$top/docs/upstream.md")" "" \
    "every file that upstream.md names exists"
finish
