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
ok "two vCPUs on a node of six CPUs" \
    created idle a memory=64 vcpus=2 'nodes="0"' "$core"
is "$(bound a)" "0-1 2-3" "each has a core, with both threads"
ok "two more there: status 3" expect 3 create idle b memory=64 vcpus=2 \
    'nodes="0"' "$core"
ok "there is one core, although two CPUs" grep -qF \
    'nodes_cpus="core": 2 vCPUs need a free core each, node 0 has 1 free' "$err"
ok "on the other node there are enough" \
    created idle b memory=64 vcpus=2 "$core"
is "$(bound b)" "6-7 8-9" "two of it"
stock-xl vcpu-pin b 0 5 all
ok "one that is bound to a thread" expect 3 create idle c memory=64 \
    'nodes="0"' "$core"
is "$(tail -n 1 "$err" | sed 's/.*core": //')" \
    "1 vCPU needs a free core, node 0 has 0 free" "holds its core"
done_testing
