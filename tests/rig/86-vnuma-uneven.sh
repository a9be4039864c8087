# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# rig: --topology uneven
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
# thorough: it is a boot of its own
#
# Three virtual nodes on three nodes of which no two have as many CPUs.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

console=/var/log/xen/console/guest-v.log

# How many CPUs the guest's Linux has on one of its nodes.
guest_cpus() { # NODE
    tr -d '\r' < "$console" | awk -v node="$1" '
        $1 == "GUEST-NODE" && $2 == node {
            sub(/cpus=/, "", $3)
            nr = split($3, ranges, ",")
            for (i = 1; i <= nr; i++) {
                split(ranges[i], ends, "-")
                sum += (ends[2] == "" ? ends[1] : ends[2]) - ends[1] + 1
            }
        }
        END { print sum + 0 }'
}

# MiB of all nodes in the guest's ACPI tables.
srat_mib() {
    tr -d '\r' < "$console" | awk '
        /ACPI: SRAT: Node/ {
            sub(/\]$/, "")
            split($NF, ends, "-")
            printf "%s %s\n", ends[1], ends[2]
        }' | while read -r first last; do
        echo $(((last + 1 - first) / 1048576))
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

created hvm v memory=603 vcpus=4 'nodes="0-2"' 'vnuma="auto"'
ok "603 MiB are cut into three about equal parts, each on its node" \
    shares_even v 0 1 2
is "$(affinity v 1) $(affinity v 2) $(affinity v 3)" \
    "all / $(cpus_of 0) all / $(cpus_of 1) all / $(cpus_of 2)" \
    "vCPUs 0 and 1 prefer node 0, which has most CPUs"
ok "the Linux of the guest has three nodes" \
    await 300 console_has v "Built 3 zonelists"
ok "it comes up" await 600 console_has v "GUEST-UP cpus=4 nodes=3"
is "$(guest_cpus 0) $(guest_cpus 1) $(guest_cpus 2)" "2 1 1" \
    "the first of them has two CPUs, and each other one"
is "$(srat_mib)" 603 "the sizes of the nodes are exact to the MiB"
done_testing
