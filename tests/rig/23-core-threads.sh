# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/threads.topology
#
# nodes_cpus="core" where a core has two threads.

. /root/lib.sh

core='nodes_cpus="core"'

# "0-1 4-5": the hard affinities of a guest's two vCPUs.
bound() { # NAME
    { affinity "$1" 0; affinity "$1" 1; } | cut -d ' ' -f 1 | one_line
}

stock-xl info -n | awk '/^cpu_topology/, /^device/' | sed 's/^/# /'
ok "two vCPUs on a node of six CPUs are created" \
    created idle a memory=64 vcpus=2 'nodes="0"' "$core"
is "$(bound a)" "0-1 2-3" "each vCPU has a core, with both threads"
ok "two more vCPUs on that node are refused with status 3" \
    expect 3 create idle b memory=64 vcpus=2 \
    'nodes="0"' "$core"
ok "the error counts one core, not its two CPUs" grep -qF \
    'nodes_cpus="core": 2 vCPUs need a free core each, node 0 has 1 free' "$err"
ok "two vCPUs on the other node are created" \
    created idle b memory=64 vcpus=2 "$core"
is "$(bound b)" "6-7 8-9" "the vCPUs have two cores of the other node"
stock-xl vcpu-pin b 0 5 all
ok "a third guest is refused while a vCPU is bound to one thread" \
    expect 3 create idle c memory=64 \
    'nodes="0"' "$core"
is "$(tail -n 1 "$err" | sed 's/.*core": //')" \
    "1 vCPU needs a free core, node 0 has 0 free" \
    "a vCPU that is bound to one thread takes its core"
done_testing
