# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# Creates that are started at once know of each other, and of what running guests
# have been promised.

. /root/lib.sh

show_pages() {
    sort -n -k 2 /tmp/pages | sed 's/^/# /'
}

remove_guests() {
    for guest in $(stock-xl list | awk '$1 ~ /^g[0-9]/ { print $1 }'); do
        stock-xl destroy "$guest"
    done
    await 30 nothing_dies
}

# This guest has no balloon driver, so it stays at that.
balloons_up() {
    # shellcheck disable=SC2046 # words
    set -- $(roomy 400)
    created idle grows "nodes=\"$2\"" memory=64 maxmem=300
    usable_was=$(usable_on "$2")
    stock-xl mem-set grows 300
    is "$((usable_was - $(usable_on "$2")))" 236 \
        "memory that a guest will balloon up to is not planned with"
    expect 3 create idle g "nodes=\"$2\"" 'nodes_mode="strict"' \
        memory=$((usable_was - 200))
    is $? 0 "no other create gets that memory"
    stock-xl mem-set grows 64
    ok "the memory can be planned with once the target is lowered" \
        created idle g "nodes=\"$2\"" \
        'nodes_mode="strict"' memory=$((usable_was - 200))
    remove grows g
}

usable_on() { # NODE
    xl numa-info -o NODE,USABLE 2> /dev/null |
        awk -v node="$1" '$1 == node { print $2 }'
}

balloons_up
even_out
nr=$(($(cpu_nodes | wc -w) * 2))
all_at_once xl $nr "$mib"
show_pages
is "$(failures $nr)" "" "$nr simultaneous creates of $mib MiB all succeed"
is "$(wc -l < /tmp/pages)" $nr "every guest is on one node"
is "$(most_on_a_node)" 2 "no node is chosen three times"
remove_guests

all_at_once stock-xl $nr "$mib"
show_pages
echo "# stock beside it: $(failures $nr | wc -l) lines of failures," \
    "$(wc -l < /tmp/pages) instead of $nr parts of guests," \
    "up to $(most_on_a_node) on a node"
done_testing
