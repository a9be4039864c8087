# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2317
# hvm: only HVM guests can be reset softly
# thorough: it is a boot of its own, and half a minute
#
# A guest that is reset softly keeps its memory, hence its nodes, and all that
# was set while it ran. One that reboots is placed again, virtual nodes too.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

asks() { # NAME WORD
    xenstore-write "/local/domain/$(domid "$1")/control/shutdown" "$2"
}

# The toolstack's part is over when the guest runs again.
is_reset() { # NAME
    await 60 console_has "$1" reset || {
        cat "/var/log/xen/xl-$1.log"
        return 1
    }
}

made() { # NAME [KEY=VALUE...]
    ok "$*" created idle-hvm "$@" vcpus=2
    await 30 console_has "$1" up
}

vcpus() { # NAME
    echo "$(affinity "$1" 0), $(affinity "$1" 1)"
}

placed() { # NAME
    pages_of "$1"
    node_affinity "$1"
    vcpus "$1"
}

record() { # NAME
    xenstore-ls "/libxl/$(domid "$1")/numa"
}

# Of the only guest that has any.
vnodes() {
    rig-xen keys u | grep -A 4 'vnodes, '
}

# The configuration that holds from now on; it has a uuid of its own.
update() { # NAME LINE...
    update_name=$1
    shift
    { cat /root/idle-hvm.cfg; printf '%s\n' "name=\"$update_name\"" "$@"; } \
        > /tmp/new.cfg
    stock-xl config-update "$update_name" /tmp/new.cfg > "$out" 2>&1
}

# Whoever placed it anew would find no room on its node.
fill() { # NAME-OF-BALLAST NODE
    created idle "$1" "nodes=\"$2\"" 'nodes_mode="strict"' \
        memory=$(($(free_mib "$2") - 40))
}

# Each of the three is asked before the first is waited for: xl sleeps for two
# seconds.
test_resets() {
    made a 'nodes="2"'
    fill ballast 2
    update a 'nodes="3"' 'vcpus=2'
    made h 'nodes="1"' 'cpus="2-5"' 'nodes_cpus="hard"'
    xl node-affinity h 3 > "$out" 2> "$err"
    xl vcpu-pin h 1 3 5 > "$out" 2> "$err"
    made v 'nodes="1,3"' 'vnuma="auto"' memory=100
    ok "v has two virtual nodes, each on a node" shares_even v 1 3
    is "$(vcpus h)" "2-3 / all, 3 / 5" \
        "h has two affinities, one of them set while h runs"
    before_a=$(placed a) before_h=$(placed h) before_v=$(placed v)
    vnodes=$(vnodes)
    domid=$(domid a) record=$(record a)
    for name in a h v; do
        asks $name soft-reset
    done
    test_full
    ok "h is reset" is_reset h
    is "$(placed h)" "$before_h" "h still has its affinities and its pages"
    test_vnuma
    destroy_all
}

test_full() {
    ok "a is reset while its node is full" is_reset a
    is "$(domid a)" "$domid" "a is the same domain"
    is "$(nodes_of a) $(vcpus a)" "2 all / 4-5, all / 4-5" \
        "the pages and vCPUs of a are on node 2"
    is "$(placed a)" "$before_a" \
        "the pages, vCPUs and node affinity of a are as before"
    is "$(record a)" "$record" "xenstore has the record of a"
    ok "xl list -l has the request from xl config-update" \
        sh -c 'stock-xl list -l a | grep -E "\"numa.?/nodes\": ?\"3\""'
}

test_vnuma() {
    ok "v is reset" is_reset v
    is "$(vnodes)" "$vnodes" "v still has its virtual nodes"
    is "$(placed v)" "$before_v" "the virtual nodes of v are where they were"
    is "$(find /run/xen/numa -mindepth 1 ! -name lock)" "" \
        "nothing is reserved for any of these guests"
    was=$(domid v)
    asks a reboot
    asks v reboot
    ok "v reboots" await 60 lives_anew v "$was"
    is "$(vnodes)" "$vnodes" "v has the same virtual nodes after the reboot"
    is "$(placed v)" "$before_v" "the virtual nodes of v are on the same nodes"
    asks v soft-reset
    ok "a reboots" await 60 lives_anew a "$domid"
    is "$(nodes_of a)" 3 "a is on node 3, as xl config-update asked"
    ok "v is reset after its reboot" \
        await 60 console_has v reset 2
    is "$(placed v)" "$before_v" "v stays on its nodes"
}

# The installed xl, which places the guest's vCPUs anew, and not its memory.
test_stock() {
    stock_create idle-hvm s
    await 30 console_has s up
    was=$(node_affinity s)
    fill ballast "$was"
    asks s soft-reset
    ok "stock xl: the guest is reset" is_reset s
    is "$(nodes_of s)" "$was" "stock xl: the pages stay on node $was"
    ok "stock xl: the node affinity changes" \
        test "$(node_affinity s)" != "$was"
    destroy_all
}

last_line_names_node_2() {
    cat "$err"
    tail -n 1 "$err" | grep '^numa: error: .*node 2 has'
}

# While it is built, somebody takes what it was to have of its second node.
test_half_built() {
    before=$(rig-free)
    hold_config=idle-hvm
    hold 1-2 400 'vnuma="auto"' 'nodes_mode="strict"'
    ok "strict: a create with virtual nodes of 200 MiB has planned and is held" \
        is_held
    stock-xl create /root/idle.cfg 'name="thief"' "cpus=\"$(cpus_of 2)\"" \
        memory=$(($(free_mib 2) - 100)) > /tmp/thief 2>&1
    is "$(nodes_of thief)" 2 "stock xl leaves 100 MiB on one of the nodes"
    go_on
    is $? 3 "the create fails"
    ok "the last line says why the create fails" last_line_names_node_2
    remove thief
    ok "nothing is left of the create that failed" nothing_left "$before"
}

free=$(rig-free | tr '\n' ' ')
test_resets
test_stock
test_half_built
ok "nothing is left of any of them" nothing_left "$free"
done_testing
