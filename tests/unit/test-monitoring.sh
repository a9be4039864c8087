#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# numa-stat --openmetrics and --alarm.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
tree=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

python=/usr/bin/python3
if ! command -v jq > /dev/null ||
   ! $python -c 'import prometheus_client' 2> /dev/null; then
    echo "1..0 # SKIP no jq or python3-prometheus-client here"
    exit 0
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$tree/tests/hosts/rig-4node.json" host.json

samples() { # FILE...
    $python -B "$tree/tests/unit/openmetrics.py" "$@" > samples 2> error && return
    sed 's/^/# /' error
    return 1
}

# ends STATUS ARG...: numa-stat ends so, and prints what is in `expected`
ends() {
    status=$1
    shift
    "$numa" numa-stat "$@" > out 2>&1
    got=$?
    [ $got = "$status" ] && cmp -s expected out && return
    echo "# status $got, expected $status"
    diff expected out | sed 's/^/# /'
    return 1
}

# --- figures ---

"$numa" numa-stat --host host.json --openmetrics > metrics
result $? "--openmetrics ends with status 0"
check "--openmetrics prints what the parser of Prometheus reads" samples metrics
cp samples strict
check "--openmetrics prints what the parser of the older format reads" \
    samples --text metrics
same "$(diff strict samples)" "" \
    "--openmetrics is read the same by both parsers"

# value NAME LABELS: of the sample, with the labels as JSON
value() {
    name=xen_numa_$1 labels=$2 awk -F '\t' \
        '$1 == ENVIRON["name"] && $2 == ENVIRON["labels"] { print $3 }' strict
}

same "$(value node_memory_bytes '{"node": "2"}')" 1073741824 \
    "--openmetrics has the memory of a node"
same "$(value node_free_bytes '{"node": "3"}')" 321884160 \
    "--openmetrics has the free memory of a node"
same "$(value node_cpus '{"node": "0"}')" 2 \
    "--openmetrics has the CPUs of a node"
two='{"domain": "two words", "domid": "2"}'
same "$(value domain_memory_bytes "$two")" 33554432 \
    "--openmetrics has the memory of a domain"
same "$(value domain_vcpus "$two")" 2 "--openmetrics has the vCPUs of a domain"
same "$(value domain_local_ratio "$two")" 1 \
    "--openmetrics has the share near where vCPUs may run"
same "$(value domain_now_local_ratio "$two")" 0.5 \
    "--openmetrics has the share near where vCPUs run"
same "$(value domain_mean_distance "$two")" 15.5 \
    "--openmetrics has the mean distance"
same "$(value domain_node_memory_age_seconds "$two")" 30 \
    "--openmetrics has the age of these figures"
same "$(value timestamp_seconds '{}')" 1795968245 \
    "--openmetrics has the time at which the host was read"
same "$(value domain_node_memory_bytes \
    '{"domain": "two words", "domid": "2", "node": "1"}')" 16777216 \
    "--openmetrics has the memory of a domain on a node"
same "$(value domain_node_memory_bytes \
    '{"domain": "two words", "domid": "2", "node": "3"}')" 0 \
    "--openmetrics has 0 for a node without memory of a domain"
same "$(grep -c 'node_memory_bytes.*Domain-0' strict)" 0 \
    "memory that is not known has no sample"

# Of all domains on all nodes: what the table has.
"$numa" numa-stat --host host.json --json |
    jq -r '.domains[] | select(.nodes) | .id as $id | .nodes[] |
           "\($id) \(.node) \(.bytes)"' | sort > table
sed -n 's/^xen_numa_domain_node_memory_bytes\t.*"domid": "\([0-9]*\)", "node": "\([0-9]*\)"}\t/\1 \2 /p' \
    strict | sort > figures
[ -s table ]
result $? "the table has the memory of domains"
same "$(grep -v ' 0$' figures)" "$(grep -v ' 0$' table)" \
    "domains have the memory that the table shows"

"$numa" numa-stat --host host.json --openmetrics plain > metrics
same "$(grep -o 'domain="[^"]*"' metrics | sort -u)" 'domain="plain"' \
    "--openmetrics can be limited to one domain"

# --- names ---

# What would end a label, a line or the parser's patience.
jq '.domains[1].name = "a\"} 1\n# EOF\\" |
    .domains[2].name = "\u001b[2J\u0085\u202e\u00e4" |
    .domains[3].name = "n" * 250' host.json > odd.json
"$numa" numa-stat --host odd.json --openmetrics > metrics
check "the parser reads odd names" samples metrics
cp samples strict
same "$(value domain_vcpus \
    '{"domain": "a\"} 1\ufffd# EOF\\", "domid": "1"}')" 1 \
    "a name with a quote, a backslash and a line break"
same "$(value domain_vcpus \
    '{"domain": "\ufffd[2J\ufffd\ufffd\u00e4", "domid": "2"}')" 2 \
    "control characters in a name are replaced"
same "$(grep -c "domain_vcpus.*$(printf '%0250d' 0 | tr 0 n)\"" strict)" 1 \
    "a name of 250 letters"

# --- into a file ---

: > expected
check "--openmetrics=FILE prints nothing" \
    ends 0 --host host.json --openmetrics=xl.prom
"$numa" numa-stat --host host.json --openmetrics > metrics
same "$(diff metrics xl.prom)" "" \
    "--openmetrics=FILE writes the same to the file"
same "$(find . -name 'xl.prom*')" ./xl.prom \
    "--openmetrics=FILE leaves no other file"
echo "xl: cannot write 'no/xl.prom': No such file or directory" > expected
check "--openmetrics=FILE fails if the file cannot be written" \
    ends 1 --host host.json --openmetrics=no/xl.prom
echo "xl: cannot write the output: No space left on device" > expected
"$numa" numa-stat --host host.json --openmetrics > /dev/full 2> out
same "$? $(cat out)" "1 $(cat expected)" "--openmetrics reports a full disk"

# --- the alarm ---

# Its vCPU runs on one of the two nodes that it prefers, and that have its memory.
jq '.domains[2].vcpus[0] += {running: true, blocked: false}' host.json > busy.json
echo "1 of 3 domains has more than 49% of its memory remote: two words (50%)" \
    > expected
check "--alarm=49% reports a domain with half of its memory remote" \
    ends 5 --host busy.json --alarm=49
: > expected
check "--alarm=50% does not report a domain with half of its memory remote" \
    ends 0 --host busy.json --alarm=50
check "--alarm ignores where an idle vCPU ran last" \
    ends 0 --host host.json --alarm=0
check "--alarm does not report a local domain" \
    ends 0 --host host.json --alarm=0 one

# Its memory stays on node 1, and it may run on node 2 alone.
jq '.domains[1].vcpus[0] += {cpu: 4, hard: "4-5", soft: "0-7"} |
    .domains[0].memory = {source: "build", time_s: 1, nodes: [
        {node: 3, bytes: 805306368}]}' busy.json > remote.json
echo "2 of 3 domains have more than 20% of their memory remote: one (100%), two\
 words (50%)" > expected
check "--alarm reports several domains" ends 5 --host remote.json --alarm=20
echo "1 of 1 domains has more than 20% of its memory remote: Domain-0 (100%)" \
    > expected
check "--alarm reports Domain-0 only if it is named" \
    ends 5 --host remote.json --alarm=20 Domain-0
jq '[range(100; 115)] as $ids | .domains[1] as $d |
    .domains += [$ids[] | . as $id | $d + {domid: $id, name: "web\($id)",
        uuid: ("30abedd4-1248-430c-b045-acc482530" + ($id | tostring))}]' \
    remote.json > many.json
"$numa" numa-stat --host many.json --alarm=99 > out
same "$? $(sed 's/.*remote: //; s/web1[^a]*//' out)" \
    "5 one (100%), and 6 more" "--alarm names some of many domains"

jq '.domains[3].memory = null' busy.json > unknown.json
echo "xl: the nodes of the memory of 1 of 3 domains are unknown: --pages has\
 Xen count it" > expected
check "--alarm reports a domain whose memory is not known" \
    ends 1 --host unknown.json --alarm=50
echo "1 of 3 domains has more than 10% of its memory remote: two words (50%)" \
    >> expected
check "--alarm ends with the status of remote memory before unknown memory" \
    ends 5 --host unknown.json --alarm=10

# --- what is wrong ---

refuses() { # MESSAGE ARG...
    echo "xl: numa-stat: $1: see 'xl numa-stat --help'" > expected
    shift
    check "these options are refused: $*" ends 2 --host host.json "$@"
}

refuses "--alarm and --openmetrics exclude each other" --alarm=5 --openmetrics
refuses "--alarm takes a percentage from 0 to 99, not '100'" --alarm=100
refuses "--alarm takes a percentage from 0 to 99, not '20%'" --alarm=20%
refuses "--alarm prints no table: --json has no meaning" --alarm=5 --json
refuses "--openmetrics prints no table: --output has no meaning" \
    --openmetrics -o NAME
"$numa" numa-stat --host host.json --alarm=5 none > out 2>&1
same "$? $(cat out)" "1 $("$numa" numa-stat --host host.json none 2>&1)" \
    "a domain that does not exist is an error"

finish
