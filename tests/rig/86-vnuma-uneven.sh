# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# rig: --topology uneven --timeout 900
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
# thorough: it is a boot of its own
#
# Three virtual nodes on three nodes of which no two have as many CPUs.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

guest_node() { # NODE: what the guest's kernel says of it
    sed -n "s/^GUEST-NODE $1 \(.*\) memory=.*/\1/p" \
        /var/log/xen/console/guest-v.log | tr -d '\r'
}

# MiB of all nodes in the guest's ACPI tables.
srat_mib() {
    tr -d '\r' < /var/log/xen/console/guest-v.log | awk '
        /ACPI: SRAT: Node/ {
            sub(/\].*/, "")
            split($NF, ends, "-")
            printf "%s %s\n", ends[1], ends[2]
        }' | while read -r first last; do
        echo $(((last + 1 - first) / 1048576))
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

starts() {
    await 600 console_has v GUEST-UP || {
        tail -n 20 /var/log/xen/console/guest-v.log
        return 1
    }
}

created hvm v memory=603 vcpus=4 'nodes="0-2"' 'vnuma="auto"'
ok "603 MiB are cut into three about equal parts, each on its node" \
    shares_even v 0 1 2
is "$(affinity v 1) $(affinity v 2) $(affinity v 3)" \
    "all / $(cpus_of 0) all / $(cpus_of 1) all / $(cpus_of 2)" \
    "vCPUs 0 and 1 prefer node 0, which has most CPUs"
ok "its Linux starts" starts
is "$(guest_node 0)" \
    "cpus=0-1 distances=10 $(distance 0 1) $(distance 0 2)" "its node 0"
is "$(guest_node 1)" \
    "cpus=2 distances=$(distance 1 0) 10 $(distance 1 2)" "its node 1"
is "$(guest_node 2)" \
    "cpus=3 distances=$(distance 2 0) $(distance 2 1) 10" "its node 2"
is "$(srat_mib)" 603 "to the MiB"
done_testing
