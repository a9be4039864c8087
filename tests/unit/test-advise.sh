#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-move --advise on a saved host: which domains to move, and for what.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
# Of two CPUs and 1 GiB each; 0 and 1 are near each other, 2 and 3 too.
four_nodes=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/four-nodes.json
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

cat "$four_nodes" > host.json

# domain DOMID NAME MIB NODES HARD SOFT [REQUEST]
domain() {
    set -- "$1" "$2" "$3" "$4" "$5" "$6" "${7:-"{\"nodes_policy\": \"best\"}"}"
    cat << EOD
{"domid": $1, "name": "$2", "uuid": "00000000-0000-0000-0000-00000000000$1",
 "dying": false, "pv": true, "pool": 0, "memory_bytes": $(($3 * 1048576)),
 "claimed_bytes": 0, "request": $7, "nodes": "$4",
 "vcpus": [{"online": true, "blocked": true, "running": false, "cpu": 0,
  "time_ns": 0, "hard": "$5", "soft": "$6"}]}
EOD
}

# with DOMAIN...: the host with these.
with() {
    sed '/"domains": null/d' host.json | sed '$d' > busy.json
    {
        printf '"domains": ['
        separator=
        for one; do
            printf '%s%s' "$separator" "$one"
            separator=,
        done
        echo '] }'
    } >> busy.json
}

# advises STATUS ARG...: ends so, and prints what is in the file `expected`.
advises() {
    status=$1
    shift
    "$numa" numa-move --advise --host busy.json "$@" > out 2>&1
    got=$?
    sed 's/ *$//' out > lines
    [ $got = "$status" ] && cmp -s lines expected && return
    echo "# status $got"
    sed 's/^/# /' out
    return 1
}

far=$(domain 1 far 200 3 0-1 all)
spilled=$(domain 2 spilled 300 0-1 all 0-1)
good=$(domain 3 good 400 2 all 4-5)

cat > expected << 'EOF'
NAME    ID MEMORY FROM TO DISTANCE THEN
far      4    200 3    0      31.0 10.0
spilled  2    300 0-1  2      15.5 10.0
xl numa-move far 0
xl numa-move spilled 2
EOF
with "$spilled" "$good" "$(domain 4 far 200 3 0-1 all)"
check "remote memory is moved before memory on two nodes" \
    advises 0
sed 's/far      4/far      1/' expected > other
mv other expected
with "$far" "$spilled" "$good"
check "the advice does not depend on the order of the domains" advises 0
cat > expected << 'EOF'
no move would bring memory nearer to its vCPUs
EOF
with "$good"
check "without a remote domain there is no advice" advises 0
with
check "without domains there is no advice" advises 0
with "$(domain 0 Domain-0 500 0-3 0-1 0-1)"
check "Domain-0 is never moved" advises 0
with "$(domain 2 spilled 300 0-1 all 0-1 '{"nodes": "0-1"}')"
check "a domain on the nodes that it asked for is not moved" advises 0
with "$(domain 2 spilled 900 0-1 all 0-1)"
check "a move needs room for a copy" advises 0
# stays NAME-AND-REASON: that line is added
stays() {
    printf '%s\n' "no move would bring memory nearer to its vCPUs" \
        "'$1" > expected
}

stays "far' stays remote: its memory is on the nodes that it asks for;\
 to move its vCPUs: xl vcpu-pin far all - nodes:3"
with "$(domain 2 far 300 3 all 0-1 '{"nodes": "3"}')"
check "a domain on the nodes of its request gets advice to move its vCPUs" advises 0
stays "a b' stays remote: its memory is on the nodes that it asks for;\
 to move its vCPUs: xl vcpu-pin 2 all nodes:3"
with "$(domain 2 "a b" 300 3 0-1 all '{"nodes": "3"}')"
check "a domain with bound vCPUs gets advice to bind them elsewhere" advises 0
stays "far' stays remote: it asks for nodes that are not on this host"
with "$(domain 2 far 300 3 0-1 all '{"nodes": "7"}')"
check "a domain that asks for a missing node stays, with a reason" advises 0
stays "far' stays remote: the nodes that its request allows have no room\
 for a copy of 801 MiB"
with "$(domain 2 far 800 3 0-1 all '{"nodes": "0", "nodes_mode": "strict"}')" \
    "$(domain 3 other 600 0 0-1 0-1)"
sed 's/"free_bytes": [0-9]*/"free_bytes": 314572800/' busy.json > other
mv other busy.json
check "a domain without room for its copy stays, with a reason" advises 0

# Where Xen counted its memory, and not where its node affinity is.
cat > expected << 'EOF'
NAME ID MEMORY FROM TO DISTANCE THEN
far   2    300 3    0      31.0 10.0
xl numa-move far 0
EOF
with "$(domain 2 far 300 0 0-1 all |
    sed 's/"nodes": "0"/&, "memory": {"source": "count", "time_s": 1,\
 "nodes": [{"node": 3, "bytes": 314572800}]}/')"
sed 's/"version": 1/"version": 2/' busy.json > other
mv other busy.json
check "the memory is where the saved host has it" advises 0

# Each alone would fill most of node 2.
cat > expected << 'EOF'
NAME ID MEMORY FROM TO DISTANCE THEN
a     4    400 0-1  2      15.5 10.0
b     5    400 0-1  0      15.5 10.0
xl numa-move a 2
xl numa-move b 0
EOF
with "$(domain 4 a 400 0-1 all 0-1)" "$(domain 5 b 400 0-1 all 0-1)"
check "the second move is planned on the host after the first" advises 0

cat > expected << 'EOF'
{"version":2,"moves":[{"name":"far","id":1,"memory_bytes":209715200,"from":"3","to":"0","distance":31.000,"then":10.000,"command":"xl numa-move far 0"}]}
EOF
with "$far" "$good"
check "--json prints the advice" advises 0 --json

# Each of these names would need quotes, or is a number to xl.
# shellcheck disable=SC2016 # they are names
for name in 12 -a 'a b' "it's" 'a;b' '$x'; do
    with "$(domain 3 "$name" 200 3 0-1 all)"
    "$numa" numa-move --advise --host busy.json > out 2>&1
    check "a command names '$name' by its number" \
        grep -qx 'xl numa-move 3 0' out
done
with "$(domain 3 web-1.x_y 200 3 0-1 all)"
"$numa" numa-move --advise --host busy.json > out 2>&1
check "a command names 'web-1.x_y' by its name" grep -qx 'xl numa-move web-1.x_y 0' out

# --- room for another one ---

printf 'name = "web"\nmemory = 500\nnodes_policy = "best"\n' > web.cfg
cat > expected << 'EOF'
'web' fits on node 2
EOF
check "a domain that fits needs no move" advises 0 web.cfg
cat > expected << 'EOF'
NAME  ID MEMORY FROM TO DISTANCE THEN
small  6    200 1    2      10.0 10.0
xl numa-move small 2
'web' then fits on node 1
EOF
with "$good" "$(domain 6 small 200 1 all 2-3)" "$(domain 7 large 400 1 all 2-3)"
check "the smallest domain that is large enough is moved to make room" \
    advises 0 web.cfg memory=950
cat > expected << 'EOF'
no moves make room for 'web' on one node
EOF
check "no move makes room for a domain that is larger than a node" \
    advises 3 web.cfg memory=2000
check "no move makes room for more vCPUs than a node has CPUs" \
    advises 3 web.cfg vcpus=4 memory=950
check "no move goes to nodes that the request excludes" \
    advises 3 web.cfg memory=950 'nodes="3"'
with
check "no move makes room if no domain can be moved" \
    advises 3 web.cfg memory=950

# --- the command line ---

# refuses STATUS LINE ARG...
refuses() {
    status=$1 line=$2
    [ "$status" = 1 ] || line="$line: see 'xl numa-move --help'"
    shift 2
    "$numa" numa-move "$@" > out 2> err
    [ $? = "$status" ] && [ "$(head -n 1 err)" = "$line" ] && return
    sed 's/^/# /' err
    return 1
}

check "no move makes room on a host without domains" refuses 1 \
    "xl: numa-move: this host has no list of domains" \
    --advise --host host.json
with "$good"
printf '%s\n' 'name="own"' 'type="hvm"' \
    'vnuma=[["pnode=0","size=64","vcpus=0"]]' > own.cfg
check "no move makes room for a domain with virtual nodes of its own" \
    refuses 1 "xl: own.cfg: a domain\
 with virtual nodes of its own: numa-move cannot advise on it" --advise \
    --host busy.json own.cfg
check "--host without --advise is an error" refuses 2 \
    "xl: numa-move: --host and -o need --advise" --host host.json 3
check "--advise with --live is an error" refuses 2 \
    "xl: numa-move: --advise moves nothing: --live has no meaning" --advise --live
check "--apply without --advise is an error" \
    refuses 2 "xl: numa-move: --apply needs --advise" --apply
check "--apply with --host is an error" refuses 2 \
    "xl: numa-move: --apply is for the running host: not with --host" \
    --advise --apply --host busy.json
check "--apply with --live is an error" refuses 2 \
    "xl: numa-move: --apply always moves live: --live has no meaning" \
    --advise --apply --live
check "--apply with the options of a table is an error" refuses 2 \
    "xl: numa-move: --apply prints no table: -o needs -N" \
    --advise --apply -o NAME
check "a limit without --apply is an error" \
    refuses 2 "xl: numa-move: --advise moves nothing:\
 --max-pause and --max-cpu have no meaning" --advise --max-cpu=50
check "the limit of a run for a single move is an error" refuses 2 \
    "xl: numa-move: --max-copy needs --apply" --max-copy=1 3
check "a limit that is not a number of GiB is an error" \
    refuses 2 "xl: numa-move: --max-copy takes GiB from 0.001 to\
 1000000, not '64G'" --advise --apply --max-copy=64G
check "a limit that is not a number of seconds is an error" \
    refuses 2 "xl: numa-move: --max-pause takes seconds from 0.01\
 to 3600, not '0'" --advise --apply --max-pause=0
check "a limit that is not a share is an error" \
    refuses 2 "xl: numa-move: --max-cpu takes percent of a CPU from\
 10 to 10000, not '50%'" 3 --max-cpu=50%
check "a domain that does not exist is an error" refuses 2 "xl: numa-move: needs a DOMAIN"
check "too many arguments are an error" refuses 2 \
    "xl: numa-move: takes a DOMAIN and NODES at most" a b c

finish
