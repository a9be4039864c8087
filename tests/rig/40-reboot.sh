# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# A guest that reboots is placed as it was asked for, each time.

. /root/lib.sh

# The new domain has another domid, and waits for its console or xenstore.
is_up_again() { # OLD-DOMID
    new=$(domid g)
    [ -n "$new" ] && [ "$new" != "$1" ] &&
        stock-xl vcpu-list g | awk 'NR == 2 { exit !($5 ~ /[br]/) }'
}

# The guest obeys once it has its watch; until then xl's request may be lost.
reboot_once() {
    old=$(domid g)
    stock-xl reboot g > "$out" 2> "$err" || { cat "$err"; return 1; }
    await 60 is_up_again "$old"
}

ten_times() { # CONFIG NODE...
    config=$1
    shift
    for number in $(seq 10); do
        ok "$config: reboot $number" reboot_once
        if [ $# = 1 ]; then
            is "$(nodes_of g)" "$1" "$config: every page is on node $1"
        else
            ok "$config: equal shares on nodes $*" shares_even g "$@"
        fi
    done
    is "$(affinity g)" "all / $(cpus_of "$@")" \
        "$config: the vCPU still prefers them"
}

stored() { # VALUE
    stock-xl list -l g > /tmp/stored.json
    ok "xl list -l has the request" \
        grep -qF "\"numa/nodes\": \"$1\"" /tmp/stored.json
    ok "and no node map" not grep -q nodemap /tmp/stored.json
    ok "nor an affinity that nobody asked for" \
        not grep -q '_affinity' /tmp/stored.json
    ok "nor that placement was turned off" \
        not grep -q numa_placement /tmp/stored.json
}

not() {
    ! "$@"
}

named() { # CONFIG NODE...
    config=$1
    shift
    if [ $# = 1 ]; then value=$1; else value="$1-$2"; fi
    created "/root/$config.cfg" g "nodes=\"$value\"" memory=100
    stored "$value"
    ten_times "$config" "$@"
    stored "$value"
    remove g
}

# Where worst fit put it, there is less room when it comes back.
filled_meanwhile() {
    created idle g 'nodes_policy="worst"' memory=100
    was=$(nodes_of g)
    fill=$(($(free_mib "$was") - 250))
    created idle ballast "nodes=\"$was\"" 'nodes_mode="strict"' memory=$fill
    expected=$(expected_node worst 100)
    ok "a guest that chose node $was by worst fit reboots, $fill MiB later" \
        reboot_once
    is "$(nodes_of g)" "$expected" "it is on node $expected now"
    ok "which is another" test "$expected" != "$was"
    stock-xl list -l g > /tmp/stored.json
    ok "xl list -l has its policy" \
        grep -qF '"numa/nodes_policy": "worst"' /tmp/stored.json
    ok "and no node map" not grep -q nodemap /tmp/stored.json
    destroy_all
}

# shellcheck disable=SC2046 # words
set -- $(roomy 400)
named idle "$2"
named idle-pvh "$1" "$2"
filled_meanwhile
done_testing
