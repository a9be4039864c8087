#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-snapshot of a saved host: the same host again, in either form.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
hosts=${top_srcdir:-.}/tests/hosts
. "${top_srcdir:-.}/tests/unit/tap.sh"

# Says how they differ.
same() { # FILE FILE
    diff "$1" "$2" > "$tmp/diff" && return
    head -n 20 "$tmp/diff" | sed 's/^/# /'
    return 1
}

snapshot() { # ARG...
    "$numa" numa-snapshot "$@" 2> "$tmp/err"
}

# What hwloc has a word for: CPUs, and nodes with their sizes and distances.
essence() { # JSON
    sed '/"xen"/d; /"host_name"/d; /"time_s"/d; s/ "free_bytes".*//; /"pools"/,$d' "$1"
}

comes_back() {
    snapshot --host "$tmp/json" > "$tmp/again"
    same "$tmp/json" "$tmp/again"
}

comes_back_from_xml() {
    snapshot --host "$tmp/json" --hwloc > "$tmp/xml" &&
        snapshot --host "$tmp/xml" > "$tmp/again" || return
    essence "$tmp/json" > "$tmp/before"
    essence "$tmp/again" > "$tmp/after"
    same "$tmp/before" "$tmp/after"
}

# Without a word, and with all of its nodes.
lstopo_draws() {
    HWLOC_DEBUG_CHECK=1 lstopo-no-graphics -i "$tmp/xml" --disallowed \
        --of console > "$tmp/drawing" 2> "$tmp/err" || return
    sed 's/^/# /' "$tmp/err"
    [ ! -s "$tmp/err" ] &&
        [ "$(grep -c NUMANode "$tmp/drawing")" = \
          "$(grep -c '"total_bytes"' "$tmp/json")" ]
}

# says STATUS LINE ARG...
says() {
    status=$1 line=$2
    shift 2
    "$numa" numa-snapshot "$@" > "$tmp/out" 2>&1
    got=$?
    [ $got = "$status" ] && [ "$(cat "$tmp/out")" = "$line" ] && return
    echo "# status $got, expected $status and '$line'"
    sed 's/^/# /' "$tmp/out"
    return 1
}

fails_on_full_disk() { # ARG...
    snapshot --host "$tmp/json" "$@" > /dev/full
    [ $? = 1 ] && [ "$(cat "$tmp/err")" = \
        "xl: cannot write the output: No space left on device" ]
}

goes_to_file() { # ARG...
    snapshot --host "$tmp/json" "$@" > "$tmp/shown" &&
        snapshot --host "$tmp/json" "$@" "$tmp/file" > "$tmp/rest" &&
        same "$tmp/shown" "$tmp/file" && [ ! -s "$tmp/rest" ]
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for host in "$hosts"/*.json "$hosts"/*/*.json "$hosts"/*/*.xml; do
    name=${host#"$hosts/"}
    snapshot --host "$host" > "$tmp/json"
    check "$name: a snapshot of the host plans the same" comes_back
    check "$name: the XML of the host is the same, except what is free" \
        comes_back_from_xml
    if command -v lstopo-no-graphics > /dev/null; then
        check "$name: lstopo draws the host" lstopo_draws
    fi
done

# The number that stands for an unknown one elsewhere is one of a socket here.
sed '/"cpu": 0/s/"socket": 0/"socket": 4294967295/' \
    "$hosts/plain/one-node.json" > "$tmp/odd.json"
snapshot --host "$tmp/odd.json" --hwloc > "$tmp/odd.xml"
check "XML of a host with a socket of the largest number is read" \
    snapshot --host "$tmp/odd.xml" "$tmp/odd.json"

# Core scheduling, of a host with two CPUs for each core.
sed 's/\("pool": 0, "cpus": "[0-9-]*"\)/\1, "sched_gran": "core"/' \
    "$hosts/plain/half-bare.json" > "$tmp/odd.json"
snapshot --host "$tmp/odd.json" > "$tmp/json"
check "a snapshot has core scheduling" \
    grep -q '"sched_gran": "core"' "$tmp/json"
check "core scheduling is read from a snapshot" comes_back
sed 's/"sched_gran": "core"/"sched_gran": "die"/' "$tmp/odd.json" \
    > "$tmp/wrong.json"
check "another granularity is refused" says 1 "xl: $tmp/wrong.json:$(
    sed -n '/sched_gran/=' "$tmp/wrong.json"): pools[0].sched_gran: expected \
\"cpu\", \"core\" or \"socket\", not \"die\"" --host "$tmp/wrong.json"

cp "$hosts/rig-4node.json" "$tmp/json"
sed 's/"name": "one"/"name": "<\&\\">"/
     s/"nodes": \[ { "node": 1, "bytes": 67/"nodes": [ { "node": 3, "bytes": 67/' \
    "$tmp/json" > "$tmp/guests.json"
snapshot --host "$tmp/guests.json" --hwloc > "$tmp/xml"
check "XML with domains is read" snapshot --host "$tmp/xml"
check "the XML has the domains with their memory" [ "$(grep -c \
    'name="two words 16 MiB"><info name="lstopoStyle"' "$tmp/xml")" = 2 ]
check "the picture marks remote memory, and no name is markup" grep -q \
    'name="&lt;&amp;&quot;&gt; 64 MiB (remote, distance 31)"' "$tmp/xml"
if command -v lstopo-no-graphics > /dev/null; then
    cp "$tmp/guests.json" "$tmp/json"
    check "lstopo draws the domains" lstopo_draws
    check "lstopo draws each domain" \
        [ "$(grep -c 'Domain' "$tmp/drawing")" = 4 ]
    cp "$hosts/rig-4node.json" "$tmp/json"
fi
check "a snapshot of a snapshot is the same" comes_back
check "numa-snapshot writes JSON to a file" goes_to_file
check "numa-snapshot writes XML to a file" goes_to_file --hwloc
check "a full disk is reported once" fails_on_full_disk
check "a full disk is reported once, with XML" fails_on_full_disk --hwloc
check "a snapshot can be written over its own source" \
    says 0 '' --host "$tmp/json" "$tmp/json"
check "the file is then the same" same "$hosts/rig-4node.json" "$tmp/json"
check "a host file that does not exist is an error" \
    says 1 "xl: $tmp/none: No such file or directory" \
    --host "$tmp/none"
check "a note says what is assumed" says 0 "xl: $hosts/hwloc/uma.xml: $(
    "${top_builddir:-.}/tests/unit/show-host" "$hosts/hwloc/uma.xml" |
    sed -n 's/^note: //p')" --host "$hosts/hwloc/uma.xml" "$tmp/file"

# What became of a file: "MODE, KIND, LINES".
file_is() { # FILE WHAT
    is=$(stat -c '%a, %F' "$1"), && is="$is $(sed -n '$=' "$1") lines"
    [ "$is" = "$2" ] && return
    echo "# $is"
    return 1
}

lines=$(sed -n '$=' "$tmp/json")
echo secret > "$tmp/file"
chmod 600 "$tmp/file"
snapshot --host "$tmp/json" "$tmp/file"
check "a file that others cannot read stays so" \
    file_is "$tmp/file" "600, regular file, $lines lines"
ln -s new "$tmp/link"
snapshot --host "$tmp/json" "$tmp/link"
check "a link that leads nowhere stays" file_is "$tmp/link" \
    "777, symbolic link, $lines lines"
check "the file is written where the link leads" test -f "$tmp/new"
(
    cd "$tmp" && snapshot --host json - > shown
)
check "- is standard output" same "$tmp/json" "$tmp/shown"
check "- makes no file" test ! -e "$tmp/-"

finish
