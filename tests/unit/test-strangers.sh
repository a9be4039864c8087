#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files of strangers: whatever they have in their names and values, a terminal
# gets to see text, and no control characters that it would obey. (That none of
# them makes a command crash or grow is for test-hostile.)

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
four_nodes=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/four-nodes.json
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n' > web.cfg
# Two ways to begin a sequence that a terminal obeys, and an end of line.
name='a\u001b[31mb\u009b32mc\nxl: all is well\u007f'
awk -v name="$(printf '%s' "$name" | sed 's/\\/\\\\/g')" '
    /"domains": null/ {
        print "\"domains\": [{\"domid\": 1, \"name\": \"" name "\","
        print "\"uuid\": \"8c6e8a7e-4f5a-4b5e-9a37-2d1f0c3b6a11\","
        print "\"dying\": false, \"pv\": true, \"pool\": 0, \"nodes\": \"1\","
        print "\"memory_bytes\": 104857600, \"claimed_bytes\": 0,"
        print "\"vcpus\": [{\"online\": true, \"blocked\": true,"
        print "\"running\": false, \"cpu\": 4, \"time_ns\": 0,"
        print "\"hard\": \"4\", \"soft\": \"all\"}]}]"
        next
    }
    1' "$four_nodes" > named.json

# What is left of a file when printable text and ends of lines are taken out.
obeyed() { # FILE
    tr -d '\n\40-\176' < "$1" | od -A n -t x1
}

# is_text STATUS COMMAND ARG...: ends so, in both kinds of locale, and prints
# something that is text.
is_text() {
    status=$1
    shift
    for locale in C C.UTF-8; do
        LC_ALL=$locale "$numa" "$@" > out 2>&1
        got=$?
        [ $got = "$status" ] && [ -s out ] && [ -z "$(obeyed out)" ] &&
            ! grep -q '^xl: all is well' out && continue
        echo "# $locale: status $got, expected $status:$(obeyed out)"
        return 1
    done
}

check "numa-info shows odd names of domains harmlessly" \
    is_text 0 numa-info --host named.json -o +NAMES
check "vcpu-list shows odd names harmlessly" \
    is_text 0 vcpu-list --host named.json
check "numa-move --advise shows odd names harmlessly" \
    is_text 0 numa-move --advise --host named.json
check "info -n shows odd names harmlessly" is_text 0 info -n --host named.json
check "numa-plan shows odd names harmlessly" \
    is_text 0 numa-plan --host named.json web.cfg

# refused TEXT WITH: a host with TEXT replaced by WITH is refused in one line.
refused() {
    with=$(printf '%s' "$2" | sed 's/[\\&]/\\&/g')
    sed "s/$1/$with/" "$four_nodes" > wrong.json
    is_text 1 numa-info --host wrong.json && [ "$(wc -l < out)" = 1 ]
}

check "an error with an odd value is shown harmlessly" \
    refused '"cpus": "0-5"' "\"cpus\": \"$name\""
check "an error with an odd key is shown harmlessly" \
    refused '"version": 1' "\"$name\": 1, \"$name\": 1, \"version\": 1"
check "an error with odd text that is not JSON is shown harmlessly" \
    refused '"version"' "\"$(printf '\033[31m')"
check "an error with odd XML is shown harmlessly" \
    eval 'printf "<a\033[31m/>" > wrong.xml &&
    is_text 1 numa-info --host wrong.xml'
printf "%s\n" "{ \"version\": 1, \"words\": [], \"plans\": \"$name\" }" > plan.json
check "an error with an odd plan is shown harmlessly" \
    is_text 1 create --plan plan.json
check "an odd name of a domain, a file or an option is shown harmlessly" \
    is_text 1 numa-info --host "$(printf 'none\033[31m\302\233m\233m')"
# What is no control character stays.
sed 's/"cpus": "0-5"/"cpus": "Zoë, 節点 ½"/' "$four_nodes" > wrong.json
"$numa" numa-info --host wrong.json 2>&1 | grep -q 'not "Zoë, 節点 ½"$'
result $? "letters of all languages are shown"

finish
