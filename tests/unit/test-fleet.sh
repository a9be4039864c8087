#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan with several hosts: which one it takes, and that its ranking is
# what planning on each of them alone comes to.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

best='nodes_policy = "best"'
printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n%s\n' "$best" \
    > web.cfg
printf 'name = "db"\nmemory = 1200\nvcpus = 4\n%s\n' "$best" > db.cfg

# A host of some nodes with two CPUs each, that have so much free memory. Those
# next to each other are at a distance of 21, others at twice that.
host() { # MIB...
    echo "$*" | awk '
        function cpu(number, node) {
            return sprintf("{\"cpu\": %d, \"node\": %d, \"socket\": %d, " \
                "\"core\": %d, \"online\": true}", number, node, node, number)
        }
        function add(list, item) { return list (list == "" ? "" : ",") item }
        {
            for (n = 0; n < NF; n++) {
                cpus = add(cpus, cpu(2 * n, n) "," cpu(2 * n + 1, n))
                bytes = sprintf("%.0f", $(n + 1) * 1048576)
                nodes = add(nodes, "{\"node\": " n ", \"dma_bytes\": 0," \
                    "\"total_bytes\": " bytes ", \"free_bytes\": " bytes "," \
                    "\"reserved_bytes\": 0}")
                row = ""
                for (m = 0; m < NF; m++)
                    row = add(row, m == n ? 10 : (m - n) ^ 2 == 1 ? 21 : 42)
                rows = add(rows, "[" row "]")
            }
            printf "{\"version\": 1, \"xen\": \"4.17\", \"cpus\": [%s],", cpus
            printf "\"nodes\": [%s], \"distances\": [%s],", nodes, rows
            printf "\"pools\": [{\"pool\": 0, \"cpus\": \"all\"}],"
            printf "\"pci_devices\": null, \"domains\": null}\n"
        }'
}

# planned STATUS ARG...: ends so, and prints what is in "expected".
planned() {
    status=$1
    shift
    "$numa" numa-plan "$@" > out 2>&1
    got=$?
    [ "$got" = "$status" ] && cmp -s out expected && return
    echo "# status $got, expected $status"
    diff expected out | sed 's/^/# /'
    return 1
}

# ranked STATUS "HOST REASON; ..." ARG...: ends so, with the hosts so.
ranked() {
    status=$1 expected=$2
    shift 2
    "$numa" numa-plan -o HOST,REASON "$@" > out 2> err
    got=$?
    ranking=$(sed '1,/^HOST /d' out | awk '{ print $1, $2 }' |
        paste -s -d ';' - | sed 's/;/; /g')
    [ "$got" = "$status" ] && [ "$ranking" = "$expected" ] && return
    echo "# status $got, expected $status"
    echo "# $ranking, expected $expected"
    sed 's/^/# /' err
    return 1
}

host 600 600 > small.json
host 2000 2000 > large.json
host 400 400 > narrow.json
host 400 50 400 > far.json
host 100 100 > tiny.json
host 2000 2000 > twin.json

# --- what decides ---

cat > expected << 'EOF'
web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs prefer CPUs 0-1
web: best fit among 2 that fit: leaves 94 MiB; next is node 1 with 94 MiB
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
HOST        NR_NODES DISTANCE LEFT HOST_LEFT VERDICT
small.json         1        -   94       694 chosen
large.json         1        - 1494      3494 fits, but leaves more memory
narrow.json        2       21  294       294 fits, but more nodes
far.json           2       42  294       344 fits, but more nodes
tiny.json          -        -    -         - does not fit
EOF
check "one node before two, near before far, least left before more" \
    planned 0 --host tiny.json --host far.json --host large.json \
    --host narrow.json --host small.json web.cfg
check "of two hosts with split domains, the one with nearer nodes wins" \
    ranked 0 "narrow.json chosen; far.json farther" \
    --host far.json --host narrow.json web.cfg
check "the order on the command line decides only where all is the same" \
    ranked 0 "twin.json chosen; large.json order; far.json more_nodes" \
    --host far.json --host twin.json --host large.json web.cfg
check "a host with room for all domains is chosen" \
    ranked 0 "large.json chosen; twin.json order" \
    --host large.json --host twin.json web.cfg
check "a host with relaxed domains comes after hosts where all fit" \
    ranked 0 "large.json chosen; narrow.json relaxed" \
    --host narrow.json --host large.json web.cfg 'nodes="0"'
check "least memory on other nodes wins, with status 4" \
    ranked 4 "small.json chosen; narrow.json away" \
    --host narrow.json --host small.json web.cfg memory=700 'nodes="0"'
check "no host is chosen if nothing fits, with status 3" \
    ranked 3 "small.json unfit; tiny.json unfit" \
    --host small.json --host tiny.json web.cfg memory=9000

# --- several domains ---

cat > expected << 'EOF'
web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs prefer CPUs 0-1
web: best fit among 2 that fit: leaves 1494 MiB; next is node 1 with 1494 MiB
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
db: 1210 MiB and 4 vCPUs: memory from nodes 0-1, vCPUs prefer CPUs 0-3
db: only one set of nodes fits: leaves 2284 MiB
db: 10 MiB of it are overhead, by libxl's figures for PV
HOST       NR_NODES DISTANCE LEFT HOST_LEFT VERDICT
large.json        3       21 2284      2284 chosen
small.json        -        -    -         - 1 of 2 do not fit
tiny.json         -        -    -         - 2 of 2 do not fit
EOF
check "a host on which one domain does not fit gets none" \
    planned 0 --host small.json --host tiny.json --host large.json web.cfg \
    db.cfg
host 800 800 > one.json
host 700 900 > two.json
check "one relaxed domain is better than two" \
    ranked 4 "one.json chosen; two.json relaxed; small.json unfit" \
    --host small.json --host two.json --host one.json web.cfg web.cfg \
    memory=700 'nodes="0"'
"$numa" numa-plan --host one.json --host two.json -o +UNFIT,RELAXED,AWAY \
    web.cfg web.cfg memory=700 'nodes="0"' | sed '1,/^HOST/d' > out
cat > expected << 'EOF'
one.json        2        -    0       184 chosen, after relaxing             0       1  616
two.json        2        -    0       184 2 of 2 fit only after relaxing     0       2  716
EOF
check "the table shows that a domain does not fit" diff -b expected out

# --- what is wrong with a host is no reason to take none ---

echo '{' > broken.json
cat > expected.err << 'EOF'
xl: broken.json:2: premature EOF
xl: broken.json: left out
xl: none.json: No such file or directory
xl: none.json: left out
xl: web.cfg: nodes="2": no node 2 here: this host has 0-1
xl: small.json: left out
EOF
left_out() {
    ranked 0 "far.json chosen; broken.json left_out; none.json left_out; \
small.json left_out" --host broken.json --host none.json --host far.json \
        --host small.json web.cfg 'nodes="2"' memory=100 vcpus=1 || return
    sed -i 's/\(broken.json:\)[^ ].*/\12: premature EOF/' err
    diff expected.err err | sed 's/^/# /'
    cmp -s expected.err err
}
check "a host that cannot be read is left out, with a reason" left_out
check "the status is 1 if all hosts are left out" ranked 1 "" --host none.json \
    --host nor.json web.cfg
echo "xl: cannot read 'none.cfg': No such file or directory" > expected
check "a missing configuration is reported once" \
    planned 1 --host small.json --host large.json none.cfg
echo 'xl: web.cfg: nodes_mode="loose": expected "preferred" or "strict"' \
    > expected
check "a wrong value leaves a host out" \
    planned 1 --host small.json --host large.json web.cfg 'nodes_mode="loose"'
ln -s small.json link.json
ln small.json hard.json
counts_once() {
    ranked 0 "small.json chosen; large.json left" --host small.json \
        --host link.json --host large.json --host ./hard.json \
        --host small.json web.cfg || return
    printf "xl: %s: the same host as 'small.json': counted once\n" link.json \
        ./hard.json small.json | cmp -s - err
}
check "a host that is named twice counts once" counts_once
check "a host that cannot be read is left out even alone" ranked 0 "small.json chosen" \
    --host small.json --host small.json web.cfg
check "a configuration from a pipe is for all hosts" eval "cat web.cfg |
    ranked 0 'large.json chosen; narrow.json more_nodes' --host narrow.json \
        --host large.json /dev/stdin"
check "defaults from a pipe apply to all hosts" eval "echo 'nodes_max = 1' |
    ranked 0 'large.json chosen; narrow.json relaxed' --host narrow.json \
        --host large.json --defaults /dev/stdin web.cfg"
check "one of the hosts may be standard input" \
    ranked 0 "- chosen; large.json left" \
    --host - --host large.json web.cfg < small.json

# --- hosts of each kind ---

cp "$top/docs/examples/capabilities.xml" libvirt.xml
cp "$top/tests/hosts/hwloc/opteron-8node.xml" hwloc.xml
if "$numa" numa-snapshot --host 'node:2 pu:1' > /dev/null 2>&1; then
    kinds() {
        "$numa" numa-plan --json --host libvirt.xml --host hwloc.xml \
            --host 'node:2 core:2 pu:1' --host small.json web.cfg vcpus=1 \
            > out 2> err &&
            grep -qF '"host":"small.json",' out &&
            [ "$(grep -o '"host_left_bytes":[1-9]' out | wc -l)" = 4 ] &&
            [ "$(grep -c 'all memory is assumed to be free' err)" = 3 ]
    }
    check \
        "hosts in four formats can be compared" kinds
fi

# --- JSON ---

"$numa" numa-plan --json --host large.json --host small.json web.cfg > out
check "--json has the chosen host and the ranking" \
    grep -qF '"host":"small.json",' out
"$numa" numa-plan --json --host small.json web.cfg > alone
plans_are_alone() {
    sed 's/"host":"[^"]*","hosts":\[[^]]*\],//' out | cmp -s - alone
}
check "the plans are those for the chosen host alone" \
    plans_are_alone
"$numa" create --plan out > /dev/null 2> err
check "create --plan reads the plans" grep -q '^xl: cannot open .*dom0$' err
"$numa" numa-plan --json --host tiny.json --host small.json db.cfg > out
check "no host is chosen if nothing fits" grep -qF '"host":null,' out

# --- usage ---

usage="see 'xl numa-plan --help'"
for option in count emit; do
    echo "xl: numa-plan: --$option works with one --host only: $usage" > expected
    check "--$option with several hosts is an error" \
        planned 2 --$option --host small.json --host large.json \
        web.cfg
done
echo "xl: numa-plan: --all works with one --host only: $usage" > expected
check "--all with several hosts is an error" \
    planned 2 --all --host small.json --host large.json web.cfg
cat > expected << 'EOF'
xl: unknown column 'USABLE': expected some of HOST, NR_NODES, DISTANCE, LEFT, HOST_LEFT, UNFIT, RELAXED, AWAY, VERDICT, REASON
EOF
check "a column of the table of nodes is an error" \
    planned 2 -o USABLE --host small.json \
    --host large.json web.cfg

# --- the ranking, from the plans for each host alone ---

# "UNFIT RELAXED AWAY NODES DISTANCE LEFT" of what --json prints for one domain
# on one host: the memory of the chosen set less the shares there is what is left.
figures() {
    sed 's/[][{}]/&\n/g; s/,"/,\n"/g' | tr -d ' {}[]"' | sed 's/,$//' |
        awk -F : '
        function choose(set,   i, n, item, ends) {
            n = split(set, item, ",")
            for (i = 1; i <= n; i++) {
                if (split(item[i], ends, "-") == 1)
                    ends[2] = ends[1]
                for (; ends[1] <= ends[2] + 0; ends[1]++) {
                    chosen[ends[1] + 0] = 1
                    nr++
                }
            }
        }
        $1 == "verdict" && $2 == "nothingfits" { unfit = 1 }
        $1 == "verdict" && $2 == "relaxed" { relaxed = 1 }
        $1 == "candidates" { in_rows = 1 }
        !in_rows && $1 == "nodes" && !nr { choose($2) }
        !in_rows && $1 == "node" { node = $2 + 0 }
        !in_rows && $1 == "bytes" {
            if (node in chosen) own += $2; else away += $2
        }
        in_rows && $1 == "usable_bytes" { usable = $2 }
        in_rows && $1 == "distance" { distance = $2 }
        in_rows && $1 == "reason" && $2 == "chosen" {
            left = usable - own
            # Of one node there is none, nor one to where nothing gets.
            apart = distance != "null" ? distance : nr > 1 ? 1e9 : 0
        }
        END {
            if (unfit) print 1, 0, 0, 0, 0, 0
            else printf "0 %d %.0f %d %.0f %.0f\n", relaxed, away, nr, apart,
                left
        }'
}

hosts=$(cd "$top/tests/hosts" && echo plain/*.json libvirt/*.xml rig-4node.json)
! "$numa" numa-snapshot --host "$top/tests/hosts/hwloc/uma.xml" \
    > /dev/null 2>&1 ||
    hosts="$hosts $(cd "$top/tests/hosts" && echo hwloc/*.xml)"

# same_ranking ARG...: as sorting the hosts by their figures has it.
same_ranking() {
    for host in $hosts; do
        echo "$("$numa" numa-plan --json --host "$top/tests/hosts/$host" "$@" \
            2> /dev/null | figures) $host"
    done | sort -s -n -k 1,1 -k 2,2 -k 3,3 -k 4,4 -k 5,5 -k 6,6 > sorted
    (
        cd "$top/tests/hosts" || exit
        # shellcheck disable=SC2046,SC2086
        "$numa" numa-plan -o HOST $(printf -- ' --host %s' $hosts) "$@"
    ) 2> /dev/null | sed '1,/^HOST/d' > ranking
    awk '{ print $NF }' sorted | diff - ranking > differs
    sed 's/^/# /' differs
    [ -s ranking ] && [ ! -s differs ]
}

ranks_as_alone() { # KEY=VALUE...
    check "the ranking is that of single runs: $*" \
        same_ranking 'name="g"' "$@" "$PWD/web.cfg"
}

ranks_as_alone memory=64 vcpus=1
ranks_as_alone memory=600 vcpus=2
ranks_as_alone memory=3000 vcpus=10
ranks_as_alone memory=20000 vcpus=6
ranks_as_alone memory=400000 vcpus=40
ranks_as_alone memory=2000 'nodes="0"'
ranks_as_alone memory=90000 'nodes="0"'
ranks_as_alone memory=9000 nodes_max=2 vcpus=40

finish
