# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# A guest that reboots is placed as it was asked for, each time.

. /root/lib.sh

# The guest obeys once it has its watch, for which it waits; until then xl's
# request may be lost.
asks() { # NAME
    domid "$1" > "/tmp/old.$1"
    stock-xl reboot "$1" > "/tmp/asked.$1" 2>&1
}

comes_back() { # NAME
    cat "/tmp/asked.$1"
    await 60 lives_anew "$1" "$(cat "/tmp/old.$1")"
}

# xl sleeps for two seconds whenever a guest reboots: here two sleep at once.
ten_times() { # NODE-OF-PV NODES-OF-PVH
    for number in $(seq 10); do
        asks pv
        asks pvh
        ok "PV: the guest comes back from reboot $number" comes_back pv
        ok "PVH: the guest comes back from reboot $number" comes_back pvh
        take_report
        is "$(nodes_of pv)" "$1" "PV: every page is on node $1"
        ok "PVH: the memory is in equal shares on nodes $2 $3" \
            shares_even pvh "$2" "$3"
        report=''
    done
}

stored() { # NAME VALUE
    stock-xl list -l "$1" | same_keys > /tmp/stored.json
    ok "$1: xl list -l has the request" \
        grep -qF "\"numa/nodes\":\"$2\"" /tmp/stored.json
    ok "the stored configuration has no node map" \
        not grep -q nodemap /tmp/stored.json
    ok "the stored configuration has no affinity that was not asked for" \
        not grep -q '_affinity' /tmp/stored.json
    ok "the stored configuration does not turn placement off" \
        not grep -q numa_placement /tmp/stored.json
}

not() {
    ! "$@"
}

# PV on one node, PVH on two.
named() { # NODE ANOTHER
    created idle pv "nodes=\"$2\"" memory=100
    created idle-pvh pvh "nodes=\"$1-$2\"" memory=100
    stored pv "$2"
    stored pvh "$1-$2"
    ten_times "$2" "$1" "$2"
    is "$(affinity pv)" "all / $(cpus_of "$2")" \
        "PV: the vCPU still prefers the CPUs of its node"
    is "$(affinity pvh)" "all / $(cpus_of "$1" "$2")" \
        "PVH: the vCPU still prefers the CPUs of its nodes"
    stored pv "$2"
    stored pvh "$1-$2"
    remove pv pvh
}

# Where worst fit put it, there is less room when it comes back.
filled_meanwhile() {
    created idle g 'nodes_policy="worst"' memory=100
    was=$(nodes_of g)
    fill=$(($(free_mib "$was") - 250))
    created idle ballast "nodes=\"$was\"" 'nodes_mode="strict"' memory=$fill
    expected=$(expected_node worst 100)
    asks g
    ok "a guest that chose node $was by worst fit reboots, $fill MiB later" \
        comes_back g
    is "$(nodes_of g)" "$expected" \
        "after the reboot the guest is on node $expected"
    ok "the node is another one than before" test "$expected" != "$was"
    stock-xl list -l g | same_keys > /tmp/stored.json
    ok "xl list -l has its policy" \
        grep -qF '"numa/nodes_policy":"worst"' /tmp/stored.json
    ok "xl list -l has no node map" not grep -q nodemap /tmp/stored.json
    destroy_all
}

# Somebody maps the memory of the domain that the guest was: it is not free yet
# when the next one is made, nor is there room for both.
held_for_a_while() { # NODE
    free=$(free_mib "$1")
    created idle-pvh g "nodes=\"$1\"" memory=200
    created idle ballast "nodes=\"$1\"" memory=$((free - 340))
    was=$(domid g)
    map "$was" 190
    newest=$(guest_domids | tail -n 1)
    asks g
    ok "a guest reboots while a process maps its memory" \
        await 60 is_dying "$was"
    is "$(guest_domids | tail -n 1)" "$newest" \
        "the next domain of the guest is not made yet"
    unmap
    ok "the guest comes back once its memory is free" comes_back g
    is "$(nodes_of g)" "$1" "the guest is on its node again"
    destroy_all
}

# It lets go of the pages one by one, which would take hours.
held_for_hours() { # NODE
    created idle-pvh g "nodes=\"$1\"" memory=200
    was=$(domid g)
    map "$was" 4 1000
    asks g
    ok "a guest reboots while a process frees its pages slowly" \
        comes_back g
    ok "the old domain of the guest still exists" is_dying "$was"
    ok "the guest is placed, with a line about the old domain" \
        grep 'another domain still maps .* MiB of its previous instance' \
        /var/log/xen/xl-g.log
    is "$(nodes_of g)" "$1" "the guest is on its node, which has room for both"
    is "$(node_affinity g)" "$1" "the node affinity of the guest is that node"
    unmap
    destroy_all
}

is_dying() { # DOMID
    rig-xen domains | grep -q "^domain $1 d"
}

# shellcheck disable=SC2046 # words
set -- $(roomy 400)
named "$1" "$2"
filled_meanwhile
held_for_a_while "$2"
held_for_hours "$2"
done_testing
