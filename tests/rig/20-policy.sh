# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: a dozen guests, one after the other
#
# First, best and worst fit choose the node that their definitions say, from
# the memory that is free at that moment; balanced also by the vCPUs there.

. /root/lib.sh

# Different amounts on each node, by guests that keep running.
uneven() {
    taken=120
    for node in $(roomy 500); do
        create idle "ballast$node" "nodes=\"$node\"" "memory=$taken" \
            'nodes_mode="strict"'
        taken=$((taken + 130))
    done
    usable_list | sed 's/^/# node, usable pages, CPUs: /'
}

chooses() { # NAME POLICY MIB
    expected=$(expected_node "$2" "$3")
    create idle "$1" "nodes_policy=\"$2\"" "memory=$3"
    is "$(nodes_of "$1")" "$expected" \
        "$2 fit of $3 MiB takes node $expected, by its usable memory"
}

policies() {
    for size in 100 620; do
        mib=$(clear_size $size)
        for policy in first best worst; do
            chooses g $policy "$mib"
            remove g
        done
    done
}

# The names of 2012 mean the same three.
old_names() {
    for pair in greedy:first packed:best spread:worst; do
        expected=$(expected_node "${pair#*:}" 350)
        create idle g "nodes_policy=\"${pair%:*}\"" memory=350
        is "$(nodes_of g)" "$expected" "${pair%:*} is ${pair#*:} fit"
        remove g
    done
}

by_default() {
    expected=$(expected_node best 350)
    create idle g memory=350
    is "$(nodes_of g)" "$expected" \
        "without a policy it is best fit while all nodes have as many vCPUs"
    remove g
    create idle-pvh g memory=350
    is "$(nodes_of g)" "$expected" \
        "without a policy it is best fit for PVH, too"
    remove g
}

# How many nodes four small guests are on.
spread_over() { # KEY...
    for guest in a b c d; do
        create idle $guest memory=32 "$@"
    done
    rig-pages | awk '$1 ~ /^[a-d]$/ && $3 > 0 { print $2 }' | sort -u | wc -l
    remove a b c d
}

piles() {
    is "$(spread_over 'nodes_policy="best"')" 1 \
        "best fit puts four small guests on one node"
    # A node with less left over may get two, for that.
    ok "the default, balanced, puts four small guests on three nodes or more" \
        test "$(spread_over)" -ge 3
}

# Each where the ones before it have left room.
one_after_another() {
    for number in 1 2 3 4 5; do
        chooses "w$number" worst $((60 + number * 7))
    done
    remove w1 w2 w3 w4 w5
}

largest_mib() {
    usable_list | awk '$2 > most { most = $2 } END { print int(most / 256) }'
}

# The nearest two of those that have the memory together, then the policy.
expected_pair() { # MIB
    { usable_list; numa_info; } | awk -v need=$((($1 + 16) * 256)) '
        NF == 3 { pages[$1] = $2; order[nr++] = $1 }
        NF == 4 { distances[$1] = $4 }
        END {
            for (i = 0; i < nr; i++)
                for (j = i + 1; j < nr; j++) {
                    a = order[i]
                    b = order[j]
                    split(distances[a], d, ",")
                    sum = pages[a] + pages[b]
                    if (sum < need)
                        continue
                    if (pair == "" || d[b + 1] < near ||
                        (d[b + 1] == near && sum < least)) {
                        pair = a " " b
                        near = d[b + 1]
                        least = sum
                    }
                }
            print pair
        }'
}

larger_than_a_node() {
    mib=$(($(largest_mib) + 60))
    pair=$(expected_pair $mib)
    create idle g "memory=$mib"
    is "$(nodes_of g)" "$pair" \
        "$mib MiB, more than any node has, are on nodes $pair, the nearest that fit"
    remove g
    create idle g "memory=$mib" nodes_max=2 'nodes_mode="strict"'
    is "$(nodes_of g)" "$pair" "with nodes_max=2 the guest is on the same nodes"
    remove g
    before=$(rig-free)
    ok "with nodes_max=1 and strict the guest is refused" \
        expect 3 create idle g "memory=$mib" nodes_max=1 'nodes_mode="strict"'
    ok "nothing is left of the refused guest" nothing_left_of g "$before"
}

nothing_left_of() {
    ! stock-xl domid "$1" 2> /dev/null && free_within 64 "$2"
}

# The other has the node that the policy would choose again.
beside_another() {
    node=$(expected_node first 90)
    create idle other "nodes=\"$node\"" memory=40
    create idle g memory=40 'nodes_policy="first"' 'nodes_apart="other"'
    ok "nodes_apart= keeps a guest off node $node, where the other guest is" \
        test "$(nodes_of g)" != "$node"
    remove g
    remove other
    node=$(expected_node worst 90)
    create idle other "nodes=\"$node\"" memory=40
    create idle g memory=40 'nodes_policy="first"' 'nodes_with="other"'
    is "$(nodes_of g)" "$node" \
        "nodes_with= puts a guest on node $node, with the other guest"
    remove g
    remove other
    ok "nodes_with= of an unknown name does not stop the create" \
        created idle g memory=40 'nodes_with="nobody"'
    remove g
}

of_all_nodes() {
    create idle g 'nodes="all"' nodes_max=2 memory=100
    ok "nodes=\"all\" with nodes_max=2 uses two nodes at most" \
        test "$(pages_of g | wc -l)" -le 2
    remove g
}

conf=/etc/xen/xl-numa.conf

defaults() {
    rm -f $conf
    echo 'nodes_policy = "worst"' > $conf
    expected=$(expected_node worst 100)
    create idle g memory=100
    is "$(nodes_of g)" "$expected" "the policy of xl-numa.conf is the default"
    remove g
    expected=$(expected_node first 100)
    create idle g memory=100 'nodes_policy="first"'
    is "$(nodes_of g)" "$expected" \
        "the guest's own policy overrides that of xl-numa.conf"
    remove g
    rm $conf
}

# All but 40 MiB of the node with the DMA zone, of which 64 MiB are reserved
# by default.
dma_reserve() {
    node=$(dma_node)
    if [ "$(dma_pages)" -lt $((80 * 256)) ]; then
        skip "the DMA zone has less than 80 MiB free" 3
        return
    fi
    mib=$(($(free_mib "$node") - 40))
    set -- idle g "nodes=\"$node\"" 'nodes_mode="strict"' "memory=$mib"
    ok "strict refuses a guest that needs the reserve for DMA" \
        expect 3 create "$@"
    echo 'dma_reserve = 0' > $conf
    ok "with dma_reserve = 0 in xl-numa.conf the guest is created" created "$@"
    is "$(nodes_of g)" "$node" "all memory of the guest is on node $node"
    remove g
    rm $conf
}

bad_defaults() { # LINE WORD...
    echo "$1" > $conf
    shift
    ok "xl-numa.conf with '$(cat $conf)': the create is refused" \
        expect 1 create idle g
    for word in $conf "$@"; do
        ok "the error of the refused create has '$word'" grep -qF "$word" "$err"
    done
    ok "no domain is left" test -z "$(domid g)"
    rm $conf
}

uneven
take_usable
policies
old_names
by_default
piles
defaults
usable=''
one_after_another
larger_than_a_node
beside_another
of_all_nodes
dma_reserve
bad_defaults 'nodes_policy = "wurst"' nodes_policy wurst first best worst \
    balanced
bad_defaults 'dma_reserve = "some"' dma_reserve some
bad_defaults 'nodes_policy =' syntax
done_testing
