#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The house: which room may include what of which, that no files go round in a
# circle, and that functions and files stay short.

# shellcheck source=tests/unit/tap.sh
. "${top_srcdir:-.}/tests/unit/tap.sh"

cd "${top_srcdir:-.}" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What each room may include, besides itself. libxl-numa's own files and text/
# are in rooms of these names.
may_include() { # ROOM
    case $1 in
    text)       ;;
    library)    echo text ;;
    placement)  echo library text ;;
    modules)    echo placement library text ;;
    libvirt)    echo modules placement library text ;;
    plans)      echo placement library text ;;
    views)      echo plans placement library text ;;
    release)    echo placement ;;
    commands)   echo views plans release placement library text ;;
    xl)         echo release placement ;;
    esac
}

room_of() { # FILE
    case $1 in
    libxl-numa/text/*) echo text ;;
    libxl-numa/*)      echo library ;;
    xl/*/*)            dirname "$1" | sed 's,.*/,,' ;;
    *)                 echo xl ;;
    esac
}

# The file that an include means, from the including file's folder, from xl/ or
# from libxl-numa/; nothing if it is not ours.
find_header() { # FOLDER HEADER
    for path in "$1/$2" "xl/$2" "libxl-numa/$2"; do
        if [ -e "$path" ]; then
            echo "$path"
            return
        fi
    done
}

# "FILE HEADER" for each include of a file of ours, both as paths.
list_includes() {
    # shellcheck disable=SC2086 # one word a file
    grep -H '^ *# *include' $sources |
        sed -n 's/^\([^:]*\):.*[<"]\(.*\)[>"].*/\1 \2/p' |
        while read -r file header; do
            path=$(find_header "$(dirname "$file")" "$header")
            [ -z "$path" ] || echo "$file $path"
        done
}

sources=$(find libxl-numa xl -name '*.[ch]' | sort)
c_files=$(find libxl-numa xl -name '*.c' | sort)
not_public=$(echo "$sources" | grep -v 'libxl_numa\.h')
list_includes > "$tmp/includes"
check "there are includes to look at" test "$(wc -l < "$tmp/includes")" -gt 100

while read -r file header; do
    from=$(room_of "$file") to=$(room_of "$header")
    case " $from $(may_include "$from") " in
    *" $to "*) ;;
    *) echo "$file includes $header" ;;
    esac
done < "$tmp/includes" > "$tmp/upwards"
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
