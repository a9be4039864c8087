# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: half of the guests are its
# thorough: eight creates at once
#
# Creates of libvirtd and of xl that are started at once know of each other: on
# nodes that they fill, each guest is on one node.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

xl_guests='g2 g4 g6 g8'
virsh_guests='g1 g3 g5 g7'

# As hold() does it, and for any number at once. What is held has planned, and
# has taken no memory yet.
start_xl() { # NAME
    rm -f "/tmp/trace.$1"
    # shellcheck disable=SC2016 # for the inner shell
    strace -o "/tmp/trace.$1" -P /run/xen/numa/lock -e trace=close \
        -e inject=close:signal=SIGSTOP:when=2 \
        sh -c 'echo $$ > "/tmp/held.$0"; exec "$@"' "$1" \
        xl create /root/idle.cfg "name=\"$1\"" "memory=$mib" \
        > "/tmp/out.$1" 2>&1 &
}

start_virsh() { # NAME
    virsh_create idle "$1" "$mib" 1 > "/tmp/out.$1" 2>&1 &
}

is_held() { # NAME
    grep -q 'stopped by SIGSTOP' "/tmp/trace.$1"
}

let_all_go() {
    no_longer_traced
    kill -CONT "$(libvirtd_pid)"
    for guest in $xl_guests; do
        kill -CONT "$(cat "/tmp/held.$guest")"
    done
    wait
}

all_are_held() {
    for guest in libvirtd $xl_guests; do
        is_held "$guest" || return
    done
}

# Those that failed, with what was said.
not_there() {
    for guest in $xl_guests $virsh_guests; do
        [ -n "$(domid "$guest")" ] || cat "/tmp/out.$guest"
    done
}

storm() {
    hold_libvirtd
    for guest in $xl_guests; do
        start_xl "$guest"
    done
    for guest in $virsh_guests; do
        start_virsh "$guest"
    done
    ok "five creates have planned, and have allocated nothing" \
        await 60 all_are_held
    let_all_go
    rig-pages | awk '$1 ~ /^g[0-9]/ && $3 > 0' > /tmp/pages
    sort -n -k 2 /tmp/pages | sed 's/^/# /'
}

even_out
nr=$(($(cpu_nodes | wc -w) * 2))
ok "libvirtd starts with the module" placing_libvirtd_start
storm
is "$(not_there)" "" "$nr simultaneous creates of $mib MiB all succeed"
is "$(wc -l < /tmp/pages)" $nr "every guest is on one node"
is "$(most_on_a_node)" 2 "no node is chosen three times"
is "$(virsh list --name | grep ^g | sort | one_line)" "$virsh_guests" \
    "half of the guests are libvirt's"
is "$(reserved)" 0 "no reservation is left"
is "$(handed_over)" "" "no file of the hook is left"
done_testing
