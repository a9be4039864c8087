#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-map of saved hosts: text and SVG. test-map-png.sh has the rest.
# shellcheck disable=SC2016 # a shell of its own expands it

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$top/tests/hosts/rig-4node.json" home.json
# The same, but with the memory of "one" on node 3, away from its vCPUs.
sed 's/"nodes": \[ { "node": 1, "bytes": 67/"nodes": [ { "node": 3, "bytes": 67/' \
    home.json > away.json
LC_ALL=C.UTF-8 COLUMNS=80
export LC_ALL COLUMNS
unset NO_COLOR

map() { # FILE [ARG...]
    map_host=$1
    shift
    "$numa" numa-map --host "$map_host" "$@" > out 2> err
}

says() { # STATUS LINE ARG...
    status=$1 line=$2
    shift 2
    "$numa" numa-map "$@" > out 2> err
    same "$? $(cat out err)" "$status $line" "numa-map $*"
}

# --- text ---

map away.json
awk '/^    1 of 3 domains/ { on = 1 } /^=head1 SEE/ { exit } on' \
    "$top/docs/xl-numa-map.1.pod" | sed 's/^    //' > page
same "$(cat out)" "$(cat page)" "the text is that of the manual page"
map home.json
same "$(head -n 1 out)" "no domain is remote, of 3" \
    "the text says that all is local"
check "the text has no colour if it is not a terminal" \
    sh -c '! grep -q "$(printf "\033")" out'
LC_ALL=C map away.json
check "the text is ASCII if the locale has no UTF-8" \
    sh -c '! LC_ALL=C grep -q "[^ -~]" out && grep -q "xx" out'
# One whose vCPUs may run everywhere: where they run counts.
sed 's/"soft": "2-3"/"soft": "all"/' away.json > floating.json
map floating.json
same "$(head -n 1 out)" "1 of 3 domains is remote: one (all)" \
    "vCPUs that prefer no node are drawn where they run"
sed 's/"source": "build"/"source": "count"/
     s/"memory": null/"memory": { "source": "count", "time_s": null, "nodes": \
[ { "node": 0, "bytes": 67108864 } ] }/' home.json > counted.json
map counted.json -o counted.txt
check "the text shows the memory of Domain-0, and not as remote" \
    sh -c 'grep -q "^no domain is remote" counted.txt &&
           grep -q "Domain-0 64" counted.txt'
sed '/"memory"/d' home.json > unknown.json
map unknown.json
same "$(head -n 1 out)" "the memory of 3 is not known" \
    "the text says that nothing is known of domains"

# --- pictures ---

is_xml() {
    ! command -v xmllint > /dev/null || xmllint --noout "$1"
}

map away.json -o away.svg
same "$(cat out err)" "" "numa-map -o prints nothing"
check "the SVG is well-formed" is_xml away.svg
check "the SVG has the answer as title and as headline" [ "$(grep -c \
    '>1 of 3 domains is remote: one (all)</t' away.svg)" = 2 ]
check "the SVG hatches the remote memory, on one node" [ "$(grep -c \
    'class="remote" x="[0-9.]*" y="[0-9.]*" width="[0-9.]*" height="[0-9]' \
    away.svg)" = 2 ]
check "the SVG has an arrow to the remote memory" \
    [ "$(grep -c 'marker-end.*C' away.svg)" = 1 ]
check "the SVG has MiB, share, node, vCPUs and distance" grep -q \
    '>64 MiB (100 %) on node 3, vCPUs on 1, distance 31<' away.svg
check "the SVG is dark if the viewer is dark" \
    grep -q 'prefers-color-scheme:dark' away.svg
map home.json -o home.svg
check "the SVG has no arrow if nothing is remote" \
    sh -c '! grep -q "marker-end.*C" home.svg'

# A node is as high as its memory, and a part of it as the domain's.
heights_are() { # CLASS HEIGHT...
    class=$1
    shift
    same "$(sed -n "s/.*class=\"$class\".*height=\"\([0-9.]*\)\".*/\1/p" \
        away.svg | tr '\n' ' ')" "$*" "SVG: heights of $class"
}
heights_are node "320.0 320.0 320.0 320.0 "
heights_are local "5.0 5.0 10.0 14.0 "

map away.json -o away.txt
check "numa-map -o writes text to a file" \
    grep -q '^1 of 3 domains is remote: one (all)$' away.txt

# --- names that would harm ---

sed 's/"name": "one"/"name": "<b>\&amp;\\u001b[31m\\u202e\\"'"'"'\\u0007]]>"/
     s/"host_name": "dom0"/"host_name": "<script>\\n"/' away.json > hostile.json
map hostile.json -o hostile.svg
check "markup in names is text in the SVG" \
    sh -c '! grep -q "<b>\|<script>" hostile.svg'
check "the SVG is well-formed with such names" is_xml hostile.svg
map hostile.json
check "control characters and marks of direction do not reach a terminal" \
    sh -c \
    '! LC_ALL=C grep -q "$(printf "[\001-\011\013-\037\177]")" out &&
     ! grep -q "$(printf "\342\200\256")" out'
long=$(printf '%0250d' 0)
sed "s/\"name\": \"one\"/\"name\": \"$long\"/" away.json > long.json
map long.json
check "a name of 250 letters is cut" \
    sh -c '! grep -q 0000000000000000000000000000000000000000000 out'

# --- large hosts ---

# Nodes of 8 CPUs, four to a socket, with a domain on each: every 16th is remote.
large() { # NODES
    awk -v nodes="$1" 'BEGIN {
        print "{ \"version\": 2, \"cpus\": ["
        for (i = 0; i < nodes * 8; i++)
            printf "%s{ \"cpu\": %d, \"node\": %d, \"socket\": %d, " \
                "\"core\": %d, \"online\": true }\n", i ? "," : "", i, i / 8, \
                i / 32, i % 32
        print "], \"nodes\": ["
        for (i = 0; i < nodes; i++)
            printf "%s{ \"node\": %d, \"total_bytes\": 1073741824, " \
                "\"free_bytes\": 536870912, \"dma_bytes\": 0, " \
                "\"reserved_bytes\": 0 }\n", i ? "," : "", i
        print "], \"distances\": ["
        for (i = 0; i < nodes; i++) {
            printf "%s[", i ? "," : ""
            for (j = 0; j < nodes; j++)
                printf "%s%d", j ? "," : "", i == j ? 10 : 20
            print "]"
        }
        print "], \"pools\": [ { \"pool\": 0, \"cpus\": \"all\" } ],"
        print "\"domains\": ["
        for (i = 0; i < nodes; i++)
            printf "%s{ \"domid\": %d, \"name\": \"d%d\", \"uuid\": " \
                "\"00000000-0000-0000-0000-000000000000\", \"dying\": false, " \
                "\"pv\": true, \"pool\": 0, \"memory_bytes\": 268435456, " \
                "\"claimed_bytes\": 0, \"memory\": { \"source\": \"count\", " \
                "\"nodes\": [ { \"node\": %d, \"bytes\": 268435456 } ] }, " \
                "\"nodes\": \"all\", \"vcpus\": [ { \"online\": true, " \
                "\"blocked\": true, \"running\": false, \"cpu\": %d, " \
                "\"time_ns\": 1, \"hard\": \"all\", \"soft\": \"%d-%d\" } ] }\n", \
                i ? "," : "", i + 1, i + 1, i % 16 == 5 ? i - 1 : i, i * 8, \
                i * 8, i * 8 + 7
        print "] }"
    }'
}
for nodes in 2 16 64 200; do
    large $nodes > large.json
    map large.json -o large.svg
    check "the SVG of $nodes nodes is well-formed" is_xml large.svg
    same "$(grep -c 'class="node"' large.svg)" $nodes \
        "the SVG draws $nodes nodes"
    arrows=$(((nodes + 10) / 16))
    same "$(grep -c 'marker-end.*C' large.svg)" \
        $((arrows > 12 ? 12 : arrows)) \
        "the SVG of $nodes nodes has an arrow for each remote domain, up to 12"
    map large.json
    same "$(grep -c '^ *[0-9][0-9]*  ' out)" $nodes \
        "the text of $nodes nodes has a line for each"
done

# --- the command line ---

says 2 "xl: numa-map: -o 'map.gif': expected a name that ends with .svg, .png \
or .txt: see 'xl numa-map --help'" --host home.json -o map.gif
says 2 "xl: numa-map: --pages needs the running host: see 'xl numa-map \
--help'" --host home.json --pages
says 1 "xl: none.json: No such file or directory" --host none.json
sed '/^    "domains": \[/,$d' home.json > bare.json
echo '    "domains": null }' >> bare.json
says 1 "xl: bare.json: it has no list of domains" --host bare.json
says 1 "xl: cannot write 'none/map.svg': No such file or directory" \
    --host home.json -o none/map.svg
ln -s /dev/full full.svg
says 1 "xl: cannot write 'full.svg': No space left on device" \
    --host home.json -o full.svg

"$numa" numa-map --host "$top/docs/examples/dom0.json" -o readme.svg
check "the picture in README is what numa-map draws" \
    cmp readme.svg "$top/docs/examples/dom0.svg"

finish
