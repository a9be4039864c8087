# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Two machines on one wire, sourced by rig. The second is a rig of its own that
# this one starts; it serves what rig-peer asks for, until this one ends. The
# wire is a pair of unix sockets, at which either machine may be first.

wire=''                         # SIDE:DIR: which end, and where the sockets are

# Fills $qemu_wire, QEMU's arguments for a network card on the wire.
pair_qemu() {
    local side=${wire%%:*} dir=${wire#*:}
    qemu_wire=()
    [[ -n $wire ]] || return 0
    qemu_wire=(
        -netdev "dgram,id=wire,local.type=unix,local.path=$dir/wire$side,\
remote.type=unix,remote.path=$dir/wire$((3 - side))"
        -device "virtio-net-pci,netdev=wire,bus=pcie.0,romfile=,\
mac=52:54:00:00:00:0$side")
}

# What dom0 needs to know: its side, and both names.
pair_overlay() { # ROOT
    [[ -n $wire ]] || return 0
    echo "${wire%%:*}" > "$1/rig/wire"
    mkdir -p "$1/etc"
    printf '%s\n' '127.0.0.1 localhost' '10.0.0.1 rig1' '10.0.0.2 rig2' \
        > "$1/etc/hosts"
}

# Lines of dom0's /rig/run: the script of the first machine begins when the
# second one answers.
pair_script() {
    [[ $wire == 1:* ]] || return 0
    printf '%s\n' 'rig-peer --serve &' 'rig-peer --await rig2'
}

# Starts the second machine. $pair_pid is its rig's process.
pair_start() { # OPTION...
    wire=1:$tmp
    "$0" "$@" --wire "2:$tmp" - > "$tmp/peer" 2>&1 \
        <<< 'echo up; exec rig-peer --serve' &
    pair_pid=$!
    jobs+=("$pair_pid")
}

# Ends when the second machine has ended before it was up: this one would wait
# for it in vain. Once it is up, a script may turn it off.
pair_watch() {
    tail -s 0.5 -f --pid="$pair_pid" /dev/null
    ! grep -qx up "$tmp/peer" || exec sleep infinity
}

pair_show() {
    talk "the second machine:"
    grep -vx up "$tmp/peer" >&2 || :
}
