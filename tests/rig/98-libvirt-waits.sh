# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: who waits for whom in it
# thorough: libvirtd waits, again and again
#
# A create that waits, for pages that somebody maps or for a lock whose holder is
# stopped, waits alone: virsh answers to everything else meanwhile. No time is
# measured: what answers does so before the create has ended.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

mib=40

quiet() {
    "$@" > "$out" 2>&1 || { cat "$out"; return 1; }
}

defined() { # CONFIG NAME
    domain_xml "$1" "$2" $mib 1 > "/tmp/$2.xml"
    quiet virsh define "/tmp/$2.xml"
}

# Starts it in the background. What virsh prints is in /tmp/started.
begin_start() { # NAME
    virsh start "$1" > /tmp/started 2>&1 &
    starter=$!
}

is_starting() {
    kill -0 $starter 2> /dev/null
}

starts() {
    wait $starter || { cat /tmp/started; return 1; }
}

# The old domain of g keeps its pages, of which somebody lets go by the second.
begin_slow_start() {
    [ -n "$(domid g)" ] || quiet virsh start g
    map "$(domid g)" 4 1000
    quiet virsh destroy g
    begin_start g
}

# Each request is made while g starts, and has to be answered before g has
# started. A machine may be so busy that it takes longer: then in the next start.
answers_meanwhile() { # BEGIN END
    pending=$requests
    for _ in 1 2 3 4 5 6; do
        $1
        for request in $pending; do
            is_starting || break
            answer "$request" > "$err" 2>&1 && is_starting &&
                pending=$(echo "$pending" | grep -vx "$request")
        done
        $2
        [ -n "$pending" ] || return 0
    done
    echo "not answered:" $pending
    cat "$err"
    return 1
}

# With an end, lest a test that fails takes hours.
answer() { # REQUEST
    case $1 in
    list)     timeout 60 virsh list ;;
    dominfo)  timeout 60 virsh dominfo other ;;
    freecell) timeout 60 virsh freecell --all ;;
    nodeinfo) timeout 60 virsh nodeinfo ;;
    start)    { [ -z "$(domid third)" ] || virsh destroy third; } &&
                  timeout 60 virsh start third ;;
    esac
}

end_slow_start() {
    starts || echo "# g did not start"
    unmap
}

slow_pages() {
    requests=$(printf '%s\n' list start dominfo freecell nodeinfo)
    ok "virsh answers while g starts and its old pages are freed slowly" \
        answers_meanwhile begin_slow_start end_slow_start
    ok "g has started" test -n "$(domid g)"
    ok "the log says what g waited for" log_has \
        "'g': another domain still maps "
}

log_has() { # TEXT
    numa_log
    numa_log | grep -qF "$1"
}

begin_locked_start() {
    quiet virsh destroy g
    await 30 nothing_dies
    hold_lock
    begin_start g
}

end_locked_start() {
    starts || echo "# g did not start"
    release_lock
}

# Another start waits for the same lock, and so ends after this one.
stopped_holder() {
    requests=$(printf '%s\n' list dominfo freecell nodeinfo)
    ok "virsh answers while the holder of the lock is stopped" \
        answers_meanwhile begin_locked_start end_locked_start
    ok "g has started" test -n "$(domid g)"
    ok "the log says what the missing lock may cause" log_has \
        "creates that run at the same time may choose the same node"
}

ok "libvirtd starts with the module" placing_libvirtd_start
for name in g other third; do
    ok "$name is defined" defined idle-pvh $name
done
ok "another domain runs" quiet virsh start other
slow_pages
stopped_holder
destroy_all
done_testing
