# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: it is killed
# thorough: libvirtd is started nine times
#
# A libvirtd that is killed in the middle of a create leaves what a stock one
# leaves, a half-built domain, and nothing of ours: what it was promised is free
# at once, and the next libvirtd is as though nothing had been.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

mib=100

strict() { # NAME NODE
    virsh_create idle "$1" $mib 1 \
        "<numatune><memory mode='strict' nodeset='$2'/></numatune>"
}

drop() { # NAME
    virsh destroy "$1" > "$out" 2>&1 || cat "$out"
    await 30 nothing_dies
}

kill_libvirtd() {
    killed=$(libvirtd_pid)
    kill -KILL "$killed"
    await 60 is_no_process "$killed"
}

is_held() {
    grep -q 'stopped by SIGSTOP' /tmp/trace.libvirtd
}

# Killed where it has a promise and no memory yet.
killed_with_a_promise() {
    ok "libvirtd starts with the module" placing_libvirtd_start
    hold_libvirtd
    strict g 1 > /tmp/said 2>&1 &
    virsh=$!
    ok "a create has planned, and has allocated nothing" await 60 is_held
    ok "the create has a reservation" test "$(reserved)" -ge $mib
    kill_libvirtd
    no_longer_traced
    wait $virsh
    is "$(reserved)" 0 "no reservation is left after libvirtd is killed"
    destroy_all
    await 30 nothing_dies
}

# What is there of the host when no create is going on.
note_host() {
    before=$(rig-free)
    keys=$(xenstore_keys)
}

goes_on() { # WHAT
    ok "$1: libvirtd starts again" placing_libvirtd_start
    ok "$1: the next create of libvirtd succeeds" strict g 2
    is "$(nodes_of g) $(affinity g)" "2 all / $(cpus_of 2)" \
        "$1: the domain is on its node"
    drop g
    is "$(handed_over)" "" "$1: no file of the hook is left"
    ok "$1: the free memory is as before" free_within 64 "$before"
    is "$(xenstore_keys)" "$keys" "$1: xenstore is as before"
}

# At any moment of a create.
killed_at_random() { # TIMES
    seed=$(awk 'BEGIN { srand(); print srand() }')
    echo "# srand($seed)"
    half_built=0
    for moment in $(awk -v seed="$seed" -v n="$1" 'BEGIN {
        srand(seed)
        while (n--)
            print int(rand() * 900000)
    }'); do
        ok "libvirtd starts" placing_libvirtd_start
        strict g 1 > /tmp/said 2>&1 &
        virsh=$!
        usleep "$moment"
        kill_libvirtd
        wait $virsh
        [ "$(rig-xen domains | wc -l)" = 1 ] || half_built=$((half_built + 1))
        is "$(reserved)" 0 \
            "no reservation is left after a kill after $((moment / 1000)) ms"
        destroy_all
        await 30 nothing_dies
    done
    echo "# $half_built of $1 left a domain"
}

# One for the files that the first create makes for good.
ok "libvirtd starts with the module" placing_libvirtd_start
ok "a first create succeeds" strict g 3
drop g
libvirtd_stop
note_host
killed_with_a_promise
goes_on "killed with a promise"
libvirtd_stop
killed_at_random 5
goes_on "killed at any moment"
is "$(ls /run/xen/numa)" lock "nothing is left in /run/xen/numa"
done_testing
