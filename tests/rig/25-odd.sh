# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology odd
#
# A node without memory and one without CPUs.

. /root/lib.sh

# Xen may have swapped their numbers.
without_memory=$(numa_info | awk '$2 == 0 { print $1 }')
without_cpus=$({ cpu_list; numa_info; } | awk '
    NF == 2 { cpus[$2]++ }
    NF > 2 && !cpus[$1] { print $1 }')

# Nearest first, ids where they are equally far.
by_distance() { # FROM NODE...
    by_from=$1
    shift
    for by_node; do
        echo "$(distance "$by_from" "$by_node") $by_node"
    done | sort -n -k 1,1 -k 2,2 | awk '{ print $2 }' | one_line
}

first_word() {
    echo "$1"
}

never_chosen() {
    for policy in first best worst balanced; do
        create idle g "nodes_policy=\"$policy\"" memory=100
        expected=$(nodes_of g)
        ok "$policy fit does not choose node $without_memory, without memory" \
            test "$(node_affinity g)" != "$without_memory"
        is "$(affinity g)" "all / $(home_cpus_of "$expected")" \
            "the vCPU is on the node of the memory, or on the nearest"
        remove g
    done
}

# All CPUs that the guest may have are on the node without memory.
bound_there() {
    cpus=$(cpus_of "$without_memory")
    # shellcheck disable=SC2046 # words
    nearest=$(first_word $(by_distance "$without_memory" $(nodes)))
    far=$(distance "$without_memory" "$nearest")
    ok "a guest bound to CPUs $cpus, which have no memory, is created" \
        created idle g "cpus=\"$cpus\"" memory=100
    for node in $(nodes_of g); do
        is "$(distance "$without_memory" "$node")" "$far" \
            "its memory is as near as any is (node $node)"
    done
    is "$(affinity g | cut -d ' ' -f 1)" "$cpus" \
        "the vCPU is bound to these CPUs"
    remove g
}

named() {
    ok "strict refuses nodes= with a node without memory" \
        expect 3 create idle g "nodes=\"$without_memory\"" \
        'nodes_mode="strict"' memory=100
    ok "preferred creates such a guest, with a warning" \
        created idle g "nodes=\"$without_memory\"" memory=100
    ok "the warning names the node" \
        grep -q "^numa: warning: .*node $without_memory\\b" "$err"
    remove g
}

mem_only() { # CONFIG
    # shellcheck disable=SC2046 # words
    nearest=$(first_word $(by_distance "$without_cpus" \
        $(cpu_list | awk '{ print $2 }' | sort -u)))
    create "$1" g "nodes_mem=\"$without_cpus\"" memory=160
    is "$(nodes_of g)" "$without_cpus" \
        "$1, nodes_mem=: every page is on node $without_cpus, without CPUs"
    is "$(affinity g)" "all / $(home_cpus_of "$nearest")" \
        "the vCPU prefers node $nearest, the nearest"
    remove g
}

mem_and_nodes() {
    # shellcheck disable=SC2046 # words
    set -- $(cpu_nodes)
    create idle g "nodes=\"$2\"" "nodes_mem=\"$without_cpus\"" memory=160
    is "$(nodes_of g)" "$without_cpus" \
        "nodes= and nodes_mem=: the memory is where nodes_mem says"
    is "$(affinity g)" "all / $(cpus_of "$2")" \
        "nodes= and nodes_mem=: the vCPU prefers what nodes= says"
    remove g
    ok "strict applies to nodes_mem" expect 3 create idle g "nodes=\"$2\"" \
        "nodes_mem=\"$without_cpus\"" 'nodes_mode="strict"' \
        "memory=$(($(free_mib "$without_cpus") + 20))"
}

stock_beside() {
    stock_create idle g "cpus_soft=\"node:$without_cpus\"" memory=160
    echo "# stock beside it, cpus_soft=\"node:$without_cpus\":" \
        "pages on $(nodes_of g)"
    ok "stock has no key that reaches the node without CPUs" \
        test "$(nodes_of g)" != "$without_cpus"
    [ -z "$(domid g)" ] || remove g
}

all_nodes() {
    # shellcheck disable=SC2046 # words
    set -- $(nodes)
    create idle g 'nodes="all"' memory=400
    ok \
        "nodes=\"all\": the memory is in equal shares on all nodes that have some" \
        shares_even g "$@"
    is "$(home_cpus_of "$@")" "$(cpu_list | ranges)" \
        "each CPU belongs to a node with memory"
    is "$(affinity g)" "all / all" "the vCPU prefers the CPUs of these nodes"
    remove g
}

if [ -z "$without_memory" ] || [ -z "$without_cpus" ]; then
    skip "every node has CPUs and memory"
    done_testing
fi
never_chosen
bound_there
named
mem_only idle
mem_only idle-pvh
mem_and_nodes
stock_beside
all_nodes
done_testing
