#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tools/rig without a machine: the topologies that it makes of hosts. That they
# boot is a matter of tools/rig/selftest.

top_dir=$(cd "${top_srcdir:-.}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
build_dir=$build
hosts=$top_dir/tests/hosts
# shellcheck source=tests/unit/tap.sh
. "$top_dir/tests/unit/tap.sh"

# Prints the whole topology that is made of a file, as rig does.
whole() { # FILE
    bash "$tmp/whole" "$top_dir" "$build" "$1" 2> "$tmp/talk"
}

write_whole() {
    cat << 'EOS'
set -euo pipefail
shopt -s extglob
top_dir=$1 rig_dir=$1/tools/rig build=$2

talk() {
    echo "rig: $*" >&2
}

fail() {
    talk "$*"
    exit 125
}

. "$rig_dir/topology.sh"
topology_read "$3"
echo "threads $threads"
topology_print
EOS
}

# Without the distances.
emulated() { # FILE
    whole "$1" | grep -v '^distance'
}

distance_of() { # FILE A B
    whole "$1" | sed -n "s/^distance $2 $3 //p"
}

xl_info() {
    cat << 'EOI'
host                   : four
nr_cpus                : 96
cpu_topology           :
cpu:    core    socket     node
EOI
    for ((cpu = 0; cpu < 96; cpu++)); do
        socket=$((cpu / 48))
        printf '%3d:    %4d     %4d     %4d\n' $cpu $((cpu / 2 % 24)) \
            $socket $((3 * socket))
    done
    cat << 'EOI'
device topology        :
device           node
0000:20:00.0      3
0000:21:00.0      3
numa_info              :
node:    memsize    memfree    distances
   0:     98304      90000      10,255,255,32
   3:     32768      30000      32,255,255,10
xen_caps               : xen-3.0-x86_64
EOI
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
write_whole > whole

xl_info > four
same "$(emulated four)" "threads 2
node 0 cpus=16 memory=6144M
node 1 cpus=16 memory=2048M
pci node=1" "xl info -n: CPUs and memory in proportion, the devices' node"
same "$(distance_of four 0 1)" 32 "the distance between nodes 0 and 3"
emulated four > /dev/null
same "$(cat talk)" "rig: four: 2 nodes, 32 CPUs and 8192 MiB are emulated" \
    "a line says what is emulated"
same "$(emulated "$hosts/rig-4node.json")" "threads 1
node 0 cpus=2 memory=1024M
node 1 cpus=2 memory=1024M
node 2 cpus=2 memory=1024M
node 3 cpus=2 memory=1024M" "a snapshot of a small host: as it is"
same "$(emulated "$hosts/hwloc/2-sockets.xml")" "threads 2
node 0 cpus=8 memory=4096M
node 1 cpus=8 memory=4096M" "XML of hwloc: threads, and memory scaled down"
same "$(distance_of "$hosts/libvirt/unreachable.xml" 0 2)" 254 \
    "an unreachable node is far away"
same "$(emulated "$hosts/plain/half-bare.json" | head -n 2)" "threads 2
node 0 cpus=4 memory=4096M" "the first node has memory, which Xen needs"

printf 'host : none\nnuma_info :\n' > none
same "$(emulated none; cat talk)" \
    "rig: 'none' names no CPUs, or no memory, of nodes" "a host without nodes"
echo '{ "version": 1 }' > bad
emulated bad > /dev/null
check "a bad snapshot: a line names it" grep -q "^xl: .*bad" talk
build=$tmp
same "$(emulated bad; cut -c 1-40 talk)" \
    "rig: 'bad' is a saved host: build the tr" "without a built tree"

# ---- installed ----

make -s -C "$build_dir" install-rig DESTDIR="$tmp/stage" > made 2>&1
check "it can be installed" test -L "$(find "$tmp/stage" -name xen-numa-rig -type l)"
ln -s "$(find "$tmp/stage" -path '*/xen-numa-rig/rig/rig')" xen-numa-rig
same "$(./xen-numa-rig --help | head -n 1)" \
    "usage: xen-numa-rig [OPTION...] [--] SCRIPT [ARG...]" \
    "it needs no source tree, and knows its name"
same "$(./xen-numa-rig --topology five none 2>&1)" \
    "$("$top_dir/tools/rig/rig" --topology five none 2>&1 | sed 's/^rig:/xen-numa-rig:/')" \
    "it has the same topologies"
finish
