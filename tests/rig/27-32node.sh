# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 32node
#
# Twice as many nodes as stock placement looks at.

. /root/lib.sh

refusal="too big for the placement algorithm"

stock_beside() {
    stock_create idle g memory=100
    echo "# stock: $(grep "$refusal" "$err")"
    ok "the installed xl does not place a guest on 32 nodes" grep -q "$refusal" "$err"
    is "$(node_affinity g)" all "the installed xl lets the guest use all nodes"
    remove g
    create idle g memory=100
    ok "our xl does not say that it cannot place the guest" \
        not grep -q "$refusal" "$err"
    remove g
}

not() {
    ! "$@"
}

chooses() { # POLICY MIB
    expected=$(expected_node "$1" "$2")
    create idle g "nodes_policy=\"$1\"" "memory=$2"
    is "$(nodes_of g)" "$expected" "$1 fit of $2 MiB takes node $expected"
    remove g
}

# "a b": two nodes with the same number of free pages.
tied_nodes() {
    usable_list | sort -n -k 1 | awk '
        $2 in node { print node[$2], $1; exit }
        { node[$2] = $1 }'
}

planned_node() { # KEY...
    xl create -n /root/idle.cfg "$@" 2> "$err" | tr -d ' \n' |
        sed -n 's/.*"nodemap":\[\([0-9,]*\)\].*/\1/p'
}

# In a dry run: for a new domain Xen takes a page here and there before it is
# placed, so that what was the same is so no more.
ties() {
    for policy in best worst; do
        # shellcheck disable=SC2046 # words
        set -- $(tied_nodes)
        if [ $# = 0 ]; then
            skip "no two nodes have the same number of free pages"
            continue
        fi
        is "$(planned_node "cpus=\"$(cpus_of "$1"),$(cpus_of "$2")\"" \
            "nodes_policy=\"$policy\"" memory=64)" "$1" \
            "$policy fit, nodes $1 and $2 have the same free: node $1"
    done
}

# By worst fit as many nodes as there are guests, where so many are empty.
twenty() {
    empty=$(usable_list | awk '$2 > 240 * 256' | wc -l)
    number=20
    [ "$empty" -ge $number ] || number=$empty
    for i in $(seq "$number"); do
        create idle "g$i" 'nodes_policy="worst"' memory=100 ||
            sed 's/^/# /' "$err"
    done
    rig-pages | awk '$1 ~ /^g/ && $3 > 0' > /tmp/pages
    is "$(awk '{ print $1 }' /tmp/pages | sort -u | wc -l)" "$number" \
        "$number guests run"
    is "$(wc -l < /tmp/pages)" "$number" "each guest is on one node"
    is "$(awk '{ print $2 }' /tmp/pages | sort -u | wc -l)" "$number" \
        "by worst fit no two guests are on the same node"
    destroy_all
    await 30 nothing_dies
}

# "a b": two nodes in a row, not the first ones, that are as good as empty.
two_in_a_row() {
    roomy 200 | tr ' ' '\n' | awk '
        NR > 5 && $1 == last + 1 { print last, $1; exit }
        { last = $1 }'
}

named() {
    # shellcheck disable=SC2046 # words
    set -- $(two_in_a_row)
    create idle g "nodes=\"$1-$2\"" memory=160
    ok "nodes=\"$1-$2\": the memory is in equal shares on both nodes" \
        shares_even g "$1" "$2"
    is "$(affinity g)" "all / $(cpus_of "$1" "$2")" \
        "the vCPU prefers both nodes"
    remove g
    create idle-pvh g "nodes=\"$2\"" memory=160
    is "$(nodes_of g)" "$2" "nodes=\"$2\", PVH: every page is on that node"
    remove g
}

# Three nodes of the same quarter.
larger_than_a_node() {
    create idle g memory=600
    found=$(nodes_of g)
    # shellcheck disable=SC2086 # words
    set -- $found
    is $# 3 "600 MiB are on three nodes ($found)"
    near=$(numa_info | awk '$1 == 0 { split($4, d, ","); print d[2] }')
    is "$(distance "$1" "$2") $(distance "$2" "$3") $(distance "$1" "$3")" \
        "$near $near $near" "the three nodes are near each other"
    remove g
}

stock_beside
take_usable
chooses first 100
chooses best 100
chooses worst 100
usable=''
ties
named
larger_than_a_node
twenty
done_testing
