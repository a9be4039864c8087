# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2
#
# A guest that may only run on some CPUs gets its memory where these are,
# although its configuration names no node.

. /root/lib.sh

backwards() {
    for word; do
        echo "$word"
    done | sort -rn
}

# Starting with the last node, which the default would not choose.
string() {
    for node in $(backwards "$@"); do
        create idle "g$node" "cpus=\"$(cpus_of "$node")\"" memory=160
    done
    take_report
    for node; do
        cpus=$(cpus_of "$node")
        is "$(nodes_of "g$node")" "$node" \
            "cpus=\"$cpus\": the memory is on node $node"
        is "$(affinity "g$node" | cut -d ' ' -f 1)" "$cpus" \
            "cpus=\"$cpus\": the vCPU is bound to these CPUs"
    done
    report=''
    destroy_all
}

string_pvh() { # NODE
    create idle-pvh g "cpus=\"$(cpus_of "$1")\"" memory=160
    is "$(nodes_of g)" "$1" "cpus=\"$(cpus_of "$1")\", PVH: it is on node $1"
    remove g
}

stock_string() {
    wrong=0
    for node in $(backwards "$@"); do
        stock_create idle "g$node" "cpus=\"$(cpus_of "$node")\"" memory=160
    done
    take_report
    for node; do
        [ "$(nodes_of "g$node")" = "$node" ] || wrong=$((wrong + 1))
    done
    report=''
    echo "# stock beside it: $wrong of $# on a wrong node"
    ok "with the installed xl the memory is on a node without these CPUs" test $wrong -gt 0
    destroy_all
}

# One CPU of each of two nodes; and two of one node.
list() { # NODE NODE
    first=$(cpus_of "$1") second=$(cpus_of "$2")
    create idle g "cpus=[\"${first%%-*}\",\"${second%%-*}\"]" vcpus=2 memory=160
    ok "two vCPUs on two nodes get equal shares on both" \
        shares_even g "$1" "$2"
    remove g
    create idle g "cpus=[\"$second\",\"${second%%-*}\"]" vcpus=2 memory=160
    is "$(nodes_of g)" "$2" "two vCPUs on one node get memory on that node"
    is "$(affinity g 1 | cut -d ' ' -f 1)" "${second%%-*}" \
        "each vCPU is bound as configured"
    remove g
}

xl_conf() { # KEY CONFIG NODE
    cp /etc/xen/xl.conf /tmp/xl.conf
    echo "$1=\"$(cpus_of "$3")\"" >> /etc/xen/xl.conf
    create "$2" g memory=160
    is "$(nodes_of g)" "$3" "$1 in xl.conf, $2: the memory is on its node"
    remove g
    cp /tmp/xl.conf /etc/xen/xl.conf
}

soft() { # NODE NODE
    cpus=$(cpus_of "$2")
    create idle g "cpus_soft=\"$cpus\"" memory=160
    is "$(nodes_of g)" "$2" "cpus_soft=\"$cpus\": the memory is on their node"
    is "$(affinity g)" "all / $cpus" \
        "cpus_soft=\"$cpus\": the affinity stays as configured"
    remove g
    create idle g "nodes=\"$1\"" "cpus_soft=\"$cpus\"" memory=160
    is "$(nodes_of g)" "$1" "nodes= and cpus_soft=: the memory is where nodes= says"
    is "$(affinity g)" "all / $cpus" \
        "nodes= and cpus_soft=: the vCPUs prefer what cpus_soft= says"
    remove g
}

# The figures of the one line that a user gets to see.
warns_remote() { # MEMORY-NODE CPU-NODE
    line=$(grep '^numa: warning: ' "$err")
    is "$(echo "$line" | wc -l)" 1 "there is one warning"
    for word in "node $1" "CPUs $(cpus_of "$2")" "node $2" \
        "distance $(distance "$2" "$1")"; do
        ok "the warning says '$word'" contains "$line" "$word"
    done
}

contains() {
    echo "$1"
    case $1 in
    *"$2"*) ;;
    *) return 1 ;;
    esac
}

elsewhere() { # MEMORY-NODE CPU-NODE
    cpus=$(cpus_of "$2")
    ok "nodes=\"$1\" and cpus=\"$cpus\" of node $2: the guest is created" \
        created idle g "nodes=\"$1\"" "cpus=\"$cpus\"" memory=160
    is "$(nodes_of g)" "$1" "the memory is on node $1"
    is "$(affinity g | cut -d ' ' -f 1)" "$cpus" "the vCPU is bound to node $2"
    warns_remote "$1" "$2"
    remove g
}

# With the credit scheduler Xen 4.17 may panic in csched_tick() when a CPU
# changes its pool: hence credit2, and the pool stays. The last test.
pool() { # NODE ANOTHER-NODE
    cpus=$(cpus_of "$1")
    stock-xl cpupool-cpu-remove Pool-0 "$cpus"
    stock-xl cpupool-create 'name="pool"' "cpus=\"$cpus\"" \
        > "$out"
    create idle g 'pool="pool"' memory=160
    is "$(nodes_of g)" "$1" "pool=: the memory is near the CPUs of the cpupool"
    remove g
    create idle-pvh g 'pool="pool"' memory=160
    is "$(nodes_of g)" "$1" \
        "pool=, PVH: the memory is near the CPUs of the cpupool"
    remove g
    create idle g memory=160 'nodes_policy="best"'
    ok "a guest of another cpupool is not placed there" \
        test "$(nodes_of g)" != "$1"
    remove g
    ok "pool= and nodes= outside it: the guest is created" \
        created idle g 'pool="pool"' "nodes=\"$2\"" memory=160
    is "$(nodes_of g)" "$2" "the memory is on node $2"
    warns_remote "$2" "$1"
    remove g
}

# shellcheck disable=SC2046 # words
set -- $(roomy 250)
string "$@"
string_pvh "$2"
stock_string "$@"
list "$1" "$2"
xl_conf vm.cpumask idle "$2"
xl_conf vm.hvm.cpumask idle-pvh "$1"
soft "$1" "$2"
elsewhere "$2" "$1"
for last; do :; done
pool "$last" "$1"
done_testing
